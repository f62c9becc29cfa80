"""Goal: what is known reaches the files once and whole, however a flush is cut short. Method: small lots, parts whose
writing is held up or changes rows meanwhile; a plain reading of the ledger's columns as the reference."""

import threading
from dataclasses import dataclass, field

import anyio
import numpy as np
import polars as pl
import pytest

from doubles import RUN, KeptParts, first_of, ledger
from smbench.generator.tracking import journal as journal_module
from smbench.generator.tracking import ledger as ledger_module
from smbench.generator.tracking.journal import Journal
from smbench.generator.tracking.ledger import NO_INSTANT, Ledger, State
from smbench.generator.tracking.tracker import Tracker
from smbench.records import ENDED, Accepted, Event, Notice, NotSent, Reading, Rejected
from smbench.results.schema import REQUESTS, polars_schema

LOT = 4


@pytest.fixture
def small_lots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "VERSIONS_AT_ONCE", LOT)
    monkeypatch.setattr(journal_module, "FLUSH_EVERY_S", 0.0)


@dataclass
class HeldParts(KeptParts):
    """Says when its first write begins, and holds it until it is let go."""

    begun: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    def write(self, frame: pl.DataFrame) -> None:
        self.begun.set()
        self.let_go.wait(10)
        super().write(frame)


@pytest.mark.usefixtures("small_lots")
@pytest.mark.parametrize("held", ["requests", "readings", "events"])
async def test_a_flush_cancelled_while_it_writes_loses_nothing_and_writes_nothing_twice(held: str) -> None:
    rows = ledger(range(10))
    tracker = Tracker(rows)
    parts: dict[str, KeptParts] = {name: KeptParts() for name in ("requests", "readings", "events")}
    parts[held] = slow = HeldParts()
    journal = Journal(rows, parts["requests"], parts["readings"], parts["events"], 0)
    for row in range(10):
        tracker.sent(row, 100 + row)
    journal.read([Reading("ledger", "backlog_seen", "value", 1.0, 5, 5)])
    journal.happened(Event("stop", "asked to", 5, 5))

    async def cancel_while_held() -> None:
        await anyio.to_thread.run_sync(slow.begun.wait)
        threading.Timer(0.02, slow.let_go.set).start()

    await first_of(journal.run, cancel_while_held)
    journal.write()
    assert parts["requests"].latest()["outcome"].to_list() == ["transport_error"] * 10
    assert sorted(pl.concat(parts["requests"].frames)["seq"]) == list(range(10))
    assert [frame.height for frame in parts["readings"].frames] == [1]
    assert [frame.height for frame in parts["events"].frames] == [1]


@pytest.mark.usefixtures("small_lots")
async def test_a_flush_cancelled_between_taking_and_writing_writes_that_lot_and_leaves_the_others() -> None:
    rows = ledger(range(3 * LOT))
    parts = KeptParts()
    journal = Journal(rows, parts, KeptParts(), KeptParts(), 0)
    for row in range(3 * LOT):
        rows.changed(row)
    with anyio.CancelScope() as scope:
        journal.check = scope.cancel  # called in the step that takes the first lot
        await journal.run()
    assert [frame["seq"].to_list() for frame in parts.frames] == [[0, 1, 2, 3]]
    journal.write()
    assert parts.latest()["seq"].to_list() == list(range(3 * LOT))


@pytest.mark.usefixtures("small_lots")
def test_a_row_that_changes_while_another_lot_is_written_is_written_as_it_became() -> None:
    rows = ledger(range(3 * LOT))
    tracker = Tracker(rows)

    class Meddling(KeptParts):
        def write(self, frame: pl.DataFrame) -> None:
            super().write(frame)
            if len(self.frames) == 1:
                for row in (0, 3 * LOT - 1):  # one that is written already, one that is not
                    tracker.accepted(row, 50, Accepted(None))

    parts = Meddling()
    journal = Journal(rows, parts, KeptParts(), KeptParts(), 0)
    for row in range(3 * LOT):
        tracker.sent(row, 10)
    journal.write()
    assert [frame.height for frame in parts.frames] == [LOT] * 3
    assert parts.latest()["outcome"].to_list() == [*["transport_error"] * (3 * LOT - 1), "pending"]
    journal.write()
    assert [frame.height for frame in parts.frames[3:]] == [1]
    assert parts.latest()["outcome"].to_list() == ["pending", *["transport_error"] * (3 * LOT - 2), "pending"]


@pytest.mark.usefixtures("small_lots")
@pytest.mark.parametrize("n", [0, 1, LOT, 2 * LOT + 1])
def test_the_first_versions_are_every_row_in_order_and_are_not_written_again(n: int) -> None:
    parts = KeptParts()
    rows = ledger(range(n))
    journal = Journal(rows, parts, KeptParts(), KeptParts(), 0)
    Tracker(rows).not_sent(0, NotSent.IN_FLIGHT_LIMIT) if n else None
    journal.write_all()
    assert [row for frame in parts.frames for row in frame["seq"].to_list()] == list(range(n))
    n_parts = len(parts.frames)
    journal.write()
    assert len(parts.frames) == n_parts


def test_what_is_taken_stays_as_it_was() -> None:
    rows = ledger([0, 1_000, 2_000])
    tracker = Tracker(rows)
    (before,) = rows.take_all()
    tracker.sent(1, 10)
    tracker.accepted(1, 20, Accepted("s3://bucket/out/2f4dcf85-0000-4000-8000-000000000000.out"))
    rows.sched_ns[0] = 77_000
    parts = KeptParts()
    Journal(rows, parts, KeptParts(), KeptParts(), 0)._write_requests(before)
    assert parts.frames[0]["outcome"].to_list() == ["unknown"] * 3
    assert parts.frames[0]["output_location"].to_list() == [None] * 3
    assert parts.frames[0]["sched"].dt.timestamp("us").to_list() == [0, 1, 2]


def test_a_row_on_disk_says_what_the_ledgers_columns_say() -> None:
    rows, parts = story(), KeptParts()
    Journal(rows, parts, KeptParts(), KeptParts(), rows.epoch_ns).write_all()
    frame = pl.concat(parts.frames)
    assert frame.schema == polars_schema(REQUESTS)
    instants = [name for name, dtype in frame.schema.items() if dtype == pl.Datetime]
    plain = frame.with_columns(pl.col(instants).dt.timestamp("ns"))
    assert plain.rows(named=True) == [row_of(rows, index) for index in range(rows.n)]


def story() -> Ledger:
    """A row of each state, in two phases, of two payloads, by worker 3 of an odd shard."""
    rows = Ledger(
        np.arange(5, 5 + 2 * len(State), 2, dtype=np.int64),
        np.asarray([-1, *range(10, 10 * len(State), 10)], dtype=np.int64),
        np.asarray([0] * 4 + [1] * (len(State) - 4), dtype=np.int16),
        np.arange(len(State), dtype=np.int32) % 2,
        phase_names=["calm", "storm"],
        warmup=[True, False],
        payload_names=["json", "image"],
        size_bytes=[10, 3_000_000_000],
        id_prefix=f"{RUN}-3-",
        worker=3,
        epoch_ns=1_790_000_000_000_000_000,
    )
    tracker = Tracker(rows)
    ends = {State[outcome.name]: outcome for outcome in ENDED}
    for index, state in enumerate(State):
        if state is State.NOT_SENT:
            tracker.not_sent(index, NotSent.IN_FLIGHT_LIMIT)
        elif state is not State.SCHEDULED:
            tracker.sent(index, 1000 + index)
        if state is State.REJECTED:
            tracker.rejected(index, 2000, Rejected(400, "ThrottlingException"))
        if state in (State.WAITING, State.COMPLETED, State.LOST):
            uuid = f"2f4dcf85-0000-4000-8000-{index:012x}"
            tracker.accepted(index, 2000, Accepted(f"s3://bucket/out/{uuid}.out", status_code=202))
        if state in ends:
            reason = "the container said no" if state is State.FAILED else None
            epoch_ns = rows.epoch_ns
            notice = Notice(rows.inference_id(index), ends[state], epoch_ns, epoch_ns + 9, None, "s3://odd", reason)
            tracker.noticed(notice, 4000)
    return rows


def row_of(rows: Ledger, index: int) -> dict[str, object]:
    """A row by the meaning of its columns, one at a time."""
    state = State(rows.state[index])
    is_sent = state not in (State.SCHEDULED, State.NOT_SENT)
    outcomes = {State.SCHEDULED: "unknown", State.IN_FLIGHT: "transport_error", State.WAITING: "pending"}
    errors = {State.SCHEDULED: "not known: its worker wrote no more", State.IN_FLIGHT: "unanswered when the run ended"}
    reasons = {State.NOT_SENT: "in_flight_limit"}

    def instant(since_ns: int) -> int | None:
        return None if since_ns == NO_INSTANT else (since_ns + rows.epoch_ns) // 1000 * 1000

    phase, payload = int(rows.phase[index]), int(rows.payload[index])
    return {
        "seq": int(rows.seq[index]),
        "phase": rows.phase_names[phase],
        "warmup": bool(rows.warmup[phase]),
        "inference_id": rows.inference_id(index) if is_sent else None,
        "payload": rows.payload_names[payload],
        "size_in_bytes": int(rows.size_bytes[payload]),
        "sched": instant(rows.sched_ns[index]),
        "send": instant(rows.send_ns[index]),
        "ack": instant(rows.ack_ns[index]),
        "recv": instant(rows.recv_ns[index]),
        "done": instant(rows.done_ns[index]),
        "pub": instant(rows.pub_ns[index]),
        "seen": instant(rows.seen_ns[index]),
        "outcome": outcomes.get(state, state.name.lower()),
        "accepted": bool(rows.is_accepted[index]),
        "status_code": rows.status_code[index] or None,
        "error": errors.get(state, rows.words[rows.error[index]]),
        **dict.fromkeys(("wrong_answer", "variant", "answer_size_in_bytes")),  # of synchronous calls
        **dict.fromkeys(("first_part", "parts", "gap_mean_ns", "gap_max_ns")),  # of streams
        "why_not_sent": reasons.get(state),
        "open": state in (State.SCHEDULED, State.IN_FLIGHT, State.WAITING),
        "attempts": rows.attempts[index],
        "output_location": rows.locations.output(index),
        "failure_location": rows.locations.failure(index),
        "notices": rows.notices[index],
        "end_from": (None, "notice", "output")[rows.end_from[index]],
        "worker": 3,
        "resume": rows.resume[index] or None,
    }
