"""The run's memory: one row a request, kept as columns indexed by place in the shard.

A row costs 104 bytes, its locations included. Rows are written to disk as versions: each flush takes those that
changed, and the last version of a row wins. The first version of every row says `unknown`, so that a run killed at
any instant leaves files that obey the ledger's law and claim nothing. `generator.rows.restore` makes the columns of
such versions again.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from smbench.generator.tracking.locations import Locations, TakenLocations
from smbench.records import ENDED, NotSent, Outcome, Parts, WrongAnswer

NO_INSTANT = -(2**63)  # the column's null: no scenario reaches back 292 years
END_FROM_NOTICE, END_FROM_OUTPUT, END_FROM_ANSWER = 1, 2, 3  # how the end of a row became known; 0: it has none
_VARIANTS_MAX = 255
VERSIONS_AT_ONCE = 10_000  # copied in less than a millisecond, during which nothing is sent


class State(IntEnum):
    """Where a request is. Every row is in exactly one state; the open ones are named in `OPEN`."""

    SCHEDULED = 0
    IN_FLIGHT = 1
    WAITING = 2  # accepted, its end not yet known
    TRANSPORT_ERROR = 3  # a notice may still prove it accepted
    NOT_SENT = 4
    REJECTED = 5
    COMPLETED = 6
    FAILED = 7
    EXPIRED = 8
    UNKNOWN_END = 9  # a later notice may still say of which kind it is
    LOST = 10
    PENDING = 11
    UNPROVEN = 12  # its worker was killed and may have sent it: only a notice can prove that


UNANSWERED = "unanswered when the run ended"  # the error of a row that is IN_FLIGHT, or was at the end
UNWRITTEN = "not known: its worker wrote no more"  # the error of a row that is SCHEDULED
WHY_NOT_SENT = tuple(NotSent)  # a row has 1 + the place of its reason here; 0: none
WRONG_ANSWER = tuple(WrongAnswer)  # the same for answers

OUTCOME_OF = {
    State.SCHEDULED: Outcome.UNKNOWN,  # all that a file can say of it, should its worker never write again
    State.IN_FLIGHT: Outcome.TRANSPORT_ERROR,  # what a reader of an unfinished run may say of it: no answer known
    State.WAITING: Outcome.PENDING,
    State.TRANSPORT_ERROR: Outcome.TRANSPORT_ERROR,
    State.NOT_SENT: Outcome.NOT_SENT,
    State.REJECTED: Outcome.REJECTED,
    State.COMPLETED: Outcome.COMPLETED,
    State.FAILED: Outcome.FAILED,
    State.EXPIRED: Outcome.EXPIRED,
    State.UNKNOWN_END: Outcome.UNKNOWN_END,
    State.LOST: Outcome.LOST,
    State.PENDING: Outcome.PENDING,
    State.UNPROVEN: Outcome.UNKNOWN,
}
OPEN = (State.SCHEDULED, State.IN_FLIGHT, State.WAITING, State.UNPROVEN)  # the run is not done with these
NEVER_SENT = frozenset({State.SCHEDULED, State.NOT_SENT, State.UNPROVEN})  # as far as is known
STATE_OF: dict[Outcome, State] = {outcome: State[outcome.name] for outcome in Outcome if outcome is not Outcome.UNKNOWN}
"""Of a row that is not open; one that is unknown is always open."""

OPEN_STATE_OF = {OUTCOME_OF[state]: state for state in reversed(OPEN)}
"""Of a row that is open; whether one that is unknown was sent, `generator.taking_up` finds out."""
ENDS = frozenset(STATE_OF[outcome] for outcome in ENDED)

_NO_MOVE: frozenset[State] = frozenset()
MOVES: dict[State, frozenset[State]] = {
    State.SCHEDULED: frozenset({State.NOT_SENT, State.IN_FLIGHT, State.UNPROVEN}),
    State.IN_FLIGHT: ENDS | {State.WAITING, State.REJECTED, State.TRANSPORT_ERROR},
    State.WAITING: ENDS | {State.LOST, State.PENDING},
    State.TRANSPORT_ERROR: ENDS,
    State.NOT_SENT: frozenset({State.SCHEDULED}),
    State.REJECTED: ENDS,
    State.COMPLETED: _NO_MOVE,
    State.FAILED: _NO_MOVE,
    State.EXPIRED: _NO_MOVE,
    State.UNKNOWN_END: ENDS - {State.UNKNOWN_END},
    State.LOST: _NO_MOVE,
    State.PENDING: frozenset({State.WAITING}),
    State.UNPROVEN: ENDS,
}
"""From each state the states that a row may go to."""

_TAKEN = (
    *("sched_ns", "send_ns", "ack_ns", "recv_ns", "done_ns", "pub_ns", "seen_ns"),
    *("phase", "payload", "state", "is_accepted", "end_from", "status_code", "attempts", "notices"),
    *("error", "why_not_sent", "resume", "wrong", "variant", "answer_bytes"),
)
_TAKEN_OF_STREAMS = ("first_part_ns", "parts", "gap_mean_ns", "gap_max_ns")


class StringTable:
    """Strings that repeat, kept once each; 0 is no word."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}
        self._words: list[str | None] = [None]

    def index(self, word: str | None) -> int:
        """The word's number, which stays the same; 0 for None and for an empty one."""
        if not word:
            return 0
        if (index := self._index.get(word)) is None:
            index = self._index[word] = len(self._words)
            self._words.append(word)
        return index

    def __getitem__(self, index: int) -> str | None:
        return self._words[index]


class Ledger:
    """Columns of one worker's shard; the row's place is its index in the shard, not its `seq`.

    Args:
        seq: int64, ascending: the places in the whole schedule.
        sched_ns: int64; negative where a closed loop has not released the row yet.
        phase: index into `phase_names`, per row.
        payload: index into `payload_names`, per row.
        size_bytes: of each payload.
        warmup: of each phase.
        id_prefix: the InferenceId of a row is this and its seq.
        has_streams: answers come in parts, of which each row keeps 32 bytes.
    """

    def __init__(
        self,
        seq: npt.NDArray[np.int64],
        sched_ns: npt.NDArray[np.int64],
        phase: npt.NDArray[np.int16],
        payload: npt.NDArray[np.int32],
        *,
        phase_names: Sequence[str],
        warmup: Sequence[bool],
        payload_names: Sequence[str],
        size_bytes: Sequence[int],
        id_prefix: str,
        worker: int,
        epoch_ns: int,
        has_streams: bool = False,
    ) -> None:
        n = len(seq)
        self.n, self.worker, self.id_prefix, self.epoch_ns = n, worker, id_prefix, epoch_ns
        self.seq, self.phase, self.payload = _evenly(seq), phase, payload
        self.phase_names, self.payload_names = list(phase_names), list(payload_names)
        self.warmup = np.asarray(warmup, dtype=bool)
        self.size_bytes = np.asarray(size_bytes, dtype=np.int64)
        self.sched_ns = array("q", (NO_INSTANT,)) * n
        np.asarray(self.sched_ns)[sched_ns >= 0] = sched_ns[sched_ns >= 0]
        # Columns are made by `*`, which takes exactly what they need; made of bytes they take a sixteenth more.
        self.send_ns, self.ack_ns, self.recv_ns = (array("q", (NO_INSTANT,)) * n for _ in range(3))
        self.done_ns, self.pub_ns, self.seen_ns = (array("q", (NO_INSTANT,)) * n for _ in range(3))
        self.state, self.is_accepted = bytearray(n), bytearray(n)
        self.end_from = bytearray(n)  # one of `END_FROM_*`
        self.status_code, self.attempts = array("h", (0,)) * n, array("h", (0,)) * n
        self.notices = array("i", (0,)) * n
        self.error = array("i", (0,)) * n  # index into `words`
        self.why_not_sent = bytearray(n)  # 1 + place in `WHY_NOT_SENT`
        self.resume = bytearray(n)  # 0: sent, or to be sent, by the run itself
        self.wrong = bytearray(n)  # 1 + place in `WRONG_ANSWER`
        self.variant = bytearray(n)  # index into `variants`
        self.variants = StringTable()
        self.answer_bytes = array("i", (-1,)) * n  # -1: no answer
        self.has_streams = has_streams
        n_streams = n if has_streams else 0
        self.first_part_ns, self.gap_mean_ns, self.gap_max_ns = (
            array("q", (NO_INSTANT,)) * n_streams for _ in range(3)
        )
        self.parts = array("q", (-1,)) * n_streams  # -1: no streamed answer
        self.words = StringTable()
        self.locations = Locations(n)
        self.is_changed = bytearray(n)

    def position(self, seq: int) -> int | None:
        """The row of a place in the schedule; None when it is another worker's, or no row at all."""
        if isinstance(self.seq, range):
            return self.seq.index(seq) if seq in self.seq else None
        index = int(self.seq.searchsorted(seq))
        return index if index < self.n and self.seq[index] == seq else None

    def rows_of_phase(self, phase: int) -> range:
        """A phase's rows lie together, phases in order."""
        first, end = np.searchsorted(self.phase, [phase, phase + 1])
        return range(int(first), int(end))

    def note_variant(self, index: int, variant: str) -> None:
        """Keep which variant answered; an endpoint has at most ten at a time, and what exceeds 255 is not kept."""
        number = self.variants.index(variant)
        self.variant[index] = number if number <= _VARIANTS_MAX else 0

    def note_parts(self, index: int, parts: Parts) -> None:
        """Keep what came of a streamed answer."""
        self.parts[index] = parts.n
        for column, value in (
            (self.first_part_ns, parts.first_ns),
            (self.gap_mean_ns, parts.gap_mean_ns),
            (self.gap_max_ns, parts.gap_max_ns),
        ):
            column[index] = NO_INSTANT if value is None else value

    def changed(self, index: int) -> None:
        """Mark a row to be written with the next flush."""
        self.is_changed[index] = 1

    def inference_id(self, index: int) -> str:
        """The InferenceId of a row."""
        return f"{self.id_prefix}{self.seq[index]}"

    def row_of(self, inference_id: str) -> int | None:
        """The row of an InferenceId; None where it is of no row here. By parsing, not by a dictionary."""
        digits = inference_id.removeprefix(self.id_prefix)
        try:
            seq = int(digits) if len(digits) <= 18 else -1  # no row has more
        except ValueError:
            return None
        # Back to text, for other spellings are let in by `int`, and the prefix may be missing.
        return self.position(seq) if f"{self.id_prefix}{seq}" == inference_id else None

    def take_changed(self) -> Iterator["Versions"]:
        """The rows that changed since they were last taken, a lot at a time; each is copied when it is asked for."""
        return self._lots(np.flatnonzero(np.asarray(self.is_changed).view(bool)))

    def take_all(self) -> Iterator["Versions"]:
        """The same for every row."""
        return self._lots(np.arange(self.n, dtype=np.int64))

    def accepted_rows(self) -> int:
        """How many rows are accepted, counted anew."""
        return int(np.count_nonzero(np.asarray(self.is_accepted)))

    def in_state(self, state: State) -> list[int]:
        """The rows that are in this state, ascending."""
        rows: list[int] = np.flatnonzero(np.asarray(self.state) == state).tolist()
        return rows

    def _seq_of(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        seq = self.seq
        return seq.start + seq.step * rows if isinstance(seq, range) else seq.take(rows)

    def _lots(self, rows: npt.NDArray[np.int64]) -> Iterator["Versions"]:
        is_changed = np.asarray(self.is_changed)
        for start in range(0, len(rows), VERSIONS_AT_ONCE):
            lot = rows[start : start + VERSIONS_AT_ONCE]
            is_changed[lot] = 0
            taken = (*_TAKEN, *_TAKEN_OF_STREAMS) if self.has_streams else _TAKEN
            columns = {name: np.asarray(getattr(self, name)).take(lot) for name in taken}
            columns["seq"] = self._seq_of(lot)
            yield Versions(self, columns, *self.locations.take(lot))


def _evenly(seq: npt.NDArray[np.int64]) -> range | npt.NDArray[np.int64]:
    """The same places; as a range, which takes no memory, where one step leads from each to the next."""
    steps = np.diff(seq)
    if len(seq) and (not len(steps) or (steps == steps[0]).all()):
        return range(int(seq[0]), int(seq[-1]) + 1, int(steps[0]) if len(steps) else 1)
    return seq


@dataclass(frozen=True, slots=True)
class Versions:
    """Copies of some rows, made in one step so that no row is torn; `generator.rows` makes a frame of them anywhere.

    Args:
        ledger: For what never changes: names, sizes, the prefix of the ids.
        columns: As the ledger has them, nulls included.
    """

    ledger: Ledger
    columns: dict[str, npt.NDArray[Any]]
    outputs: TakenLocations
    failures: TakenLocations
