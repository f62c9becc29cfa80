"""The run's memory: one row a request, kept as columns indexed by place in the shard.

A row costs about 90 bytes and its output location. Rows are written to disk as versions: each flush takes those that
changed, and the last version of a row wins. The first version of every row says `not_sent`, so that a run killed at
any instant leaves files that obey the ledger's law.
"""

from array import array
from collections.abc import Iterable, Sequence
from enum import IntEnum

import numpy as np
import numpy.typing as npt
import polars as pl

from smbench.records import Outcome
from smbench.results.schema import REQUESTS, polars_schema

NO_INSTANT = -(2**63)  # the column's null: no scenario reaches back 292 years


class State(IntEnum):
    """Where a request is. Every row is in exactly one state; the last seven are ends."""

    SCHEDULED = 0
    IN_FLIGHT = 1
    WAITING = 2  # accepted, its end not yet known
    TRANSPORT_ERROR = 3  # a notice may still prove it accepted
    NOT_SENT = 4
    REJECTED = 5
    COMPLETED = 6
    FAILED = 7
    EXPIRED = 8
    LOST = 9
    PENDING = 10


OUTCOME_OF = {
    State.SCHEDULED: Outcome.NOT_SENT,
    State.IN_FLIGHT: Outcome.TRANSPORT_ERROR,  # what a reader of an unfinished run may say of it: no answer known
    State.WAITING: Outcome.PENDING,
    State.TRANSPORT_ERROR: Outcome.TRANSPORT_ERROR,
    State.NOT_SENT: Outcome.NOT_SENT,
    State.REJECTED: Outcome.REJECTED,
    State.COMPLETED: Outcome.COMPLETED,
    State.FAILED: Outcome.FAILED,
    State.EXPIRED: Outcome.EXPIRED,
    State.LOST: Outcome.LOST,
    State.PENDING: Outcome.PENDING,
}
STATE_OF = {
    Outcome.COMPLETED: State.COMPLETED,
    Outcome.FAILED: State.FAILED,
    Outcome.EXPIRED: State.EXPIRED,
}
ENDED = frozenset({State.COMPLETED, State.FAILED, State.EXPIRED})

_END_FROM = (None, "notice", "output")
_WHY_UNFINISHED = {State.SCHEDULED: "the run ended first", State.IN_FLIGHT: "unanswered when the run ended"}


class Words:
    """Strings that repeat, kept once each; 0 is no word."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}
        self._words: list[str | None] = [None]

    def index(self, word: str | None) -> int:
        if not word:
            return 0
        if (index := self._index.get(word)) is None:
            index = self._index[word] = len(self._words)
            self._words.append(word)
        return index

    def __getitem__(self, index: int) -> str | None:
        return self._words[index]

    def of(self, indices: npt.NDArray[np.int64]) -> list[str | None]:
        return [self._words[index] for index in indices.tolist()]


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
    ) -> None:
        n = len(seq)
        self.n, self.worker, self.id_prefix, self.epoch_ns = n, worker, id_prefix, epoch_ns
        self.seq, self.phase, self.payload = seq, phase, payload
        self.phase_names, self.payload_names = list(phase_names), list(payload_names)
        self.warmup = np.asarray(warmup, dtype=bool)
        self.size_bytes = np.asarray(size_bytes, dtype=np.int64)
        self.sched_ns = array("q", np.where(sched_ns < 0, NO_INSTANT, sched_ns).astype(np.int64).tobytes())
        empty = np.full(n, NO_INSTANT, dtype=np.int64).tobytes()
        self.send_ns, self.ack_ns, self.recv_ns = array("q", empty), array("q", empty), array("q", empty)
        self.done_ns, self.pub_ns, self.seen_ns = array("q", empty), array("q", empty), array("q", empty)
        self.state = array("b", bytes(n))
        self.is_accepted = array("b", bytes(n))
        self.end_from = array("b", bytes(n))  # index into _END_FROM
        self.status_code = array("h", bytes(2 * n))
        self.attempts = array("h", bytes(2 * n))
        self.notices = array("i", bytes(4 * n))
        self.error = array("i", bytes(4 * n))
        self.words = Words()
        self.output_location: list[str | None] = [None] * n
        self._changed: dict[int, None] = {}
        self._first_seq = int(seq[0]) if n else 0
        self._is_dense = n == 0 or int(seq[-1]) - self._first_seq == n - 1

    def position(self, seq: int) -> int | None:
        """The row of a place in the schedule; None when it is another worker's, or no row at all."""
        if self._is_dense:
            index = seq - self._first_seq
            return index if 0 <= index < self.n else None
        index = int(self.seq.searchsorted(seq))
        return index if index < self.n and self.seq[index] == seq else None

    def rows_of_phase(self, phase: int) -> range:
        """A phase's rows lie together, phases in order."""
        first, end = np.searchsorted(self.phase, [phase, phase + 1])
        return range(int(first), int(end))

    def changed(self, index: int) -> None:
        """Mark a row to be written with the next flush."""
        self._changed[index] = None

    def inference_id(self, index: int) -> str:
        return f"{self.id_prefix}{self.seq[index]}"

    def take_changed(self) -> pl.DataFrame:
        """The current version of every row that changed since the last call."""
        rows = np.fromiter(self._changed, dtype=np.int64, count=len(self._changed))
        self._changed.clear()
        return self.rows(rows)

    def all_rows(self) -> pl.DataFrame:
        return self.rows(np.arange(self.n, dtype=np.int64))

    def rows(self, rows: npt.NDArray[np.int64]) -> pl.DataFrame:
        """These rows in the schema of `results.schema.REQUESTS`, in the order given."""
        state = np.frombuffer(self.state, dtype=np.int8)[rows]
        is_sent = (state != State.SCHEDULED) & (state != State.NOT_SENT)
        seq = self.seq[rows]
        phase = self.phase[rows]
        payload = self.payload[rows]
        status_code = _take(self.status_code, np.int16, rows)
        error = self.words.of(_take(self.error, np.int32, rows))
        for unfinished, why in _WHY_UNFINISHED.items():
            for place in np.flatnonzero(state == unfinished).tolist():
                error[place] = why
        columns: dict[str, object] = {
            "seq": seq,
            "phase": _names(self.phase_names, phase),
            "warmup": self.warmup[phase],
            "inference_id": [
                f"{self.id_prefix}{one}" if sent else None
                for one, sent in zip(seq.tolist(), is_sent.tolist(), strict=True)
            ],
            "payload": _names(self.payload_names, payload),
            "size_in_bytes": self.size_bytes[payload],
            "outcome": [OUTCOME_OF[State(one)].value for one in state.tolist()],
            "accepted": _take(self.is_accepted, np.int8, rows).astype(bool),
            "status_code": pl.Series(status_code.astype(np.int64)).replace(0, None),
            "error": error,
            "attempts": _take(self.attempts, np.int16, rows).astype(np.int64),
            "output_location": [self.output_location[row] for row in rows.tolist()],
            "notices": _take(self.notices, np.int32, rows).astype(np.int64),
            "end_from": [_END_FROM[one] for one in _take(self.end_from, np.int8, rows).tolist()],
            "worker": np.full(len(rows), self.worker, dtype=np.int64),
        }
        for stem in ("sched", "send", "ack", "recv", "done", "pub", "seen"):
            columns[stem] = _instants(_take(getattr(self, f"{stem}_ns"), np.int64, rows), self.epoch_ns)
        schema = polars_schema(REQUESTS)
        return pl.DataFrame({name: columns[name] for name in schema}, schema=schema)


def _take(column: Iterable[int], dtype: type[np.signedinteger], rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    taken: npt.NDArray[np.int64] = np.frombuffer(column, dtype=dtype)[rows]  # type: ignore[call-overload]  # an array is a buffer
    return taken


def _names(names: Sequence[str], indices: npt.NDArray[np.signedinteger]) -> list[str]:
    return [names[index] for index in indices.tolist()]


def _instants(instants_ns: npt.NDArray[np.int64], epoch_ns: int) -> pl.Series:
    is_null = instants_ns == NO_INSTANT
    series = pl.Series(np.where(is_null, 0, instants_ns) + epoch_ns)
    return series.zip_with(pl.Series(~is_null), pl.Series([None], dtype=pl.Int64)).cast(pl.Datetime("ns", "UTC"))
