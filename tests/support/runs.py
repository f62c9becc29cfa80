"""Runs made of a few rows written by hand: the arithmetic of a test stands beside the instants it follows from."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

import polars as pl

from smbench.analysis.rows.frames import Frames, derive
from smbench.analysis.summary import Summary, summarise
from smbench.generator.tracking.journal import events_frame, readings_frame
from smbench.records import ACCEPTED, Ending, Event, NotSent, Outcome, Reading, Unknown
from smbench.results.manifest import ClockFacts, Manifest, ShardFacts
from smbench.results.schema import REQUESTS, plain_schema, stamped
from smbench.schedule.base import PhaseSpan

EPOCH_NS = 1_795_000_000_000_000_000
_STEMS = ("sched", "send", "ack", "recv", "done", "pub", "seen")


_Figure = TypeVar("_Figure")


def sure(figure: _Figure | Unknown) -> _Figure:
    """A figure that the test expects to be known."""
    assert not isinstance(figure, Unknown), figure
    return figure


def instant(seconds: float | None) -> datetime.datetime | int | None:
    """An instant of the run, as the files keep it."""
    return None if seconds is None else EPOCH_NS + round(seconds * 1e9)


@dataclass
class Request:
    """One row; instants in seconds since the run began. What is left out follows: sent when due, answered at once."""

    sched: float | None
    outcome: Outcome = Outcome.COMPLETED
    done: float | None = None
    recv: float | None = None
    send: float | None = None
    ack: float | None = None
    seen: float | None = None
    pub: float | None = None
    phase: str = "load"
    warmup: bool = False
    error: str | None = None
    why_not_sent: NotSent | None = None
    status_code: int | None = None
    notices: int | None = None
    end_from: str | None = None
    attempts: int = 1
    worker: int = 0
    changes: dict[str, Any] = field(default_factory=dict)  # columns to overwrite, to contradict all this

    def row(self, seq: int) -> dict[str, Any]:
        is_sent = self.outcome not in (Outcome.NOT_SENT, Outcome.UNKNOWN)
        is_accepted = self.outcome in ACCEPTED
        send = (self.send if self.send is not None else self.sched) if is_sent else None
        end_from = self.end_from or ("notice" if self.done is not None else None)
        told = end_from == "notice"
        recv = (self.recv if self.recv is not None else send) if told else None
        at = {
            "sched": self.sched,
            "send": send,
            "ack": (self.ack if self.ack is not None else send) if is_sent else None,
            "recv": recv,
            "done": self.done,
            "pub": self.pub if self.pub is not None or not told else self.done,
            "seen": self.seen if self.seen is not None else self.done,
        }
        why = self.why_not_sent or NotSent.RUN_ENDED
        code = {Outcome.REJECTED: 400, Outcome.TRANSPORT_ERROR: None}.get(self.outcome, 202)
        row: dict[str, Any] = {
            "seq": seq,
            "phase": self.phase,
            "warmup": self.warmup,
            "inference_id": f"smb-test-0-{seq}" if is_sent else None,
            "payload": "json",
            "size_in_bytes": 10,
            **{stem: instant(at[stem]) for stem in _STEMS},
            "outcome": self.outcome.value,
            "accepted": is_accepted,
            "status_code": (self.status_code or code) if is_sent else None,
            "error": self.error if self.why_not_sent is None else self.why_not_sent.text,
            "why_not_sent": why.value if self.outcome is Outcome.NOT_SENT else None,
            "open": self.outcome is Outcome.UNKNOWN,
            "attempts": self.attempts if is_sent else 0,
            "output_location": None,
            "failure_location": None,
            "notices": self.notices if self.notices is not None else int(told),
            "end_from": end_from,
            "worker": self.worker,
            "resume": None,
        }
        return row | self.changes


def requests_frame(rows: Sequence[Request], first_seq: int = 0) -> pl.DataFrame:
    """Rows in the schema of `results.schema.REQUESTS`."""
    plain = [row.row(seq) for seq, row in enumerate(rows, first_seq)]
    return stamped(pl.DataFrame(plain, schema=plain_schema(REQUESTS)))


def span(
    n: int,
    *,
    name: str = "load",
    index: int = 0,
    start_s: float = 0.0,
    end_s: float | None = 10.0,
    warmup: bool = False,
    first_seq: int = 0,
) -> PhaseSpan:
    end_ns = None if end_s is None else round(end_s * 1e9)
    return PhaseSpan(index, name, "constant", warmup, round(start_s * 1e9), end_ns, first_seq, n, None, "")


def manifest_of(
    spans: Sequence[PhaseSpan] = (),
    *,
    clock: str = "warp",
    ending: Ending = Ending.FINISHED,
    reason: str = "",
    scenario: dict[str, Any] | None = None,
    scale: float = 1.0,
    inapplicable: Sequence[str] = (),
    target: dict[str, Any] | None = None,
    shards: Sequence[ShardFacts] = (),
    resumes: int = 0,
    niceness: dict[str, int] | None = None,
) -> Manifest:
    started = datetime.datetime(2026, 11, 21, 3, 12, tzinfo=datetime.UTC)
    return Manifest(
        run_id="smb-test",
        started=started,
        ended=None if ending is Ending.RUNNING else started + datetime.timedelta(minutes=1),
        ending=ending,
        reason=reason,
        scenario={"name": "by-hand", "seed": 7, **(scenario or {})},
        spans=tuple(spans),
        clock=ClockFacts(kind=clock, epoch_ns=EPOCH_NS, scale=scale),
        workers=1,
        transport="sdk",
        inapplicable=tuple(inapplicable),
        target=target or {},
        shards=tuple(shards),
        resumes=resumes,
        niceness=niceness or {},
    )


def frames_of(
    rows: Sequence[Request],
    *,
    spans: Sequence[PhaseSpan] | None = None,
    readings: Sequence[Reading] = (),
    events: Sequence[Event] = (),
    **manifest: Any,
) -> Frames:
    """A run in memory; one phase of ten seconds unless told otherwise."""
    spans = [span(len(rows))] if spans is None else spans
    return derive(
        manifest_of(spans, **manifest),
        requests_frame(rows),
        readings_frame(list(readings), EPOCH_NS),
        events_frame(list(events), EPOCH_NS),
    )


_SHARED: dict[str, Frames] = {}


def shared(rows: Sequence[Request], **told: Any) -> Frames:
    """As `frames_of`, but one run for all who tell the same of it: tests that ask it one question each.

    With `summary_of` it is summarised once, too, in a hundredth of a second that most such tests would take for little
    else. Not for rows that an example draws: every one of these runs is kept.
    """
    told_of_it = repr((rows, told))
    if told_of_it not in _SHARED:
        _SHARED[told_of_it] = frames_of(rows, **told)
    return _SHARED[told_of_it]


@lru_cache(maxsize=100)
def summary_of(frames: Frames) -> Summary:
    """Its summary, computed once however many tests ask the same run."""
    return summarise(frames)


def reading(name: str, value: float | None, at: float, *, source: str = "endpoint", **other: Any) -> Reading:
    seen = round(other.pop("seen", at) * 1e9)
    return Reading(source, name, other.pop("stat", "value"), value, round(at * 1e9), seen, other.pop("detail", ""))
