"""The schedule as a value: every request's due instant, phase and payload, decided before the run."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from smbench.errors import UsageError

Instants: TypeAlias = NDArray[np.int64]  # nanoseconds, ascending

SPAN_MAX_NS = 2**53  # 104 days; a float64, in which arrivals are computed, cannot name every nanosecond beyond
_WORDS = ("description", "notes")  # of a span
NOT_TIMED_NS = -1  # `sched_ns` of a closed phase's rows: they are due when an end releases them


@dataclass(frozen=True, slots=True)
class Drawn:
    """One phase's arrivals, on a time axis of its own."""

    offsets_ns: Instants  # `NOT_TIMED_NS` throughout in a closed phase
    span_ns: int | None  # None: unknown
    description: str
    notes: tuple[str, ...] = ()
    outstanding: int | None = None  # as `PhaseSpan`'s
    joins_ns: tuple[int, ...] = ()
    think_ns: Instants | None = None  # None: the phase has no users who think


def span_of(seconds: float) -> int:
    """In nanoseconds. Raises UsageError: it is more than `SPAN_MAX_NS`."""
    if seconds * 1e9 > SPAN_MAX_NS:
        raise UsageError(f"{seconds:g} s is more than 104 days")
    return round(seconds * 1e9)


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """Where one phase of the load lies in the schedule, and what it asks for."""

    index: int
    name: str  # unique in a schedule
    kind: str
    warmup: bool
    start_ns: int
    end_ns: int | None  # None: a closed phase without `for` is over when its last request has ended
    first_seq: int  # of the phase, in the whole schedule
    n: int  # rows; 0 for a pause
    outstanding: int | None  # a closed phase's: requests open at once, or users; None for every other kind
    description: str
    notes: tuple[str, ...] = ()  # what a trace is like and how it was read
    joins_ns: tuple[int, ...] = ()  # when each place is taken up, since the phase began; empty: all at its start


def not_measured_ns(spans: Sequence[PhaseSpan]) -> list[tuple[int, int]]:
    """Where figures over time do not look: the warm-up phases, and all that is before the first phase of the others
    that sends. A burst of no length takes its backlog into the pause behind it."""
    from_ns = min((span.start_ns for span in spans if span.n and not span.warmup), default=0)
    warm_ups = [(span.start_ns, span.end_ns) for span in spans if span.warmup and span.end_ns is not None]
    return [*([(0, from_ns)] if from_ns > 0 else []), *warm_ups]


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """The whole load. Row `seq` of each array is one request; a phase's rows are contiguous, phases in order.

    Args:
        sched_ns: When it is due, since the run began; ascending, `NOT_TIMED_NS` in closed phases.
        phase: Index into `spans`.
        payload: Index into the scenario's payloads.
        think_ns: How long the place that a phase's k-th end frees stays empty, in row k of the phase; without rows
            where no user thinks.
    """

    sched_ns: Instants
    phase: NDArray[np.int16]
    payload: NDArray[np.int32]
    spans: tuple[PhaseSpan, ...]
    think_ns: Instants = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __post_init__(self) -> None:
        n = sum(span.n for span in self.spans)
        if not len(self.sched_ns) == len(self.phase) == len(self.payload) == n or len(self.think_ns) not in (0, n):
            raise ValueError("a schedule's arrays and spans differ in length")
        for array in (self.sched_ns, self.phase, self.payload, self.think_ns):
            array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.sched_ns)

    @property
    def span_ns(self) -> int:
        """From zero to the last instant that is known: the last phase's end, or its start when that is open."""
        last = self.spans[-1]
        return last.start_ns if last.end_ns is None else last.end_ns

    @property
    def digest(self) -> str:
        """SHA-256 of all that is sent when; the wording of `description` and `notes` is no part of it."""
        sha = hashlib.sha256()
        arrays = ((self.sched_ns, "<i8"), (self.phase, "<i2"), (self.payload, "<i4"), (self.think_ns, "<i8"))
        for array, dtype in arrays:
            sha.update(np.ascontiguousarray(array, dtype=dtype).data)
        facts = [{key: value for key, value in asdict(span).items() if key not in _WORDS} for span in self.spans]
        sha.update(json.dumps(facts, sort_keys=True).encode())
        return sha.hexdigest()

    def rows(self, phase: int) -> slice:
        """The rows of one phase."""
        span = self.spans[phase]
        return slice(span.first_seq, span.first_seq + span.n)

    def shard(self, index: int, of: int) -> "Shard":
        """The part of worker `index` among `of`.

        A timed row belongs to worker `seq % of`. In a closed phase the outstanding places are dealt out one by one and
        each place brings its own rows, by the time that it is there. Dealing the rows evenly instead would leave the
        worker with fewer places busy long after the others, with less outstanding than was asked for, and would give
        rows that no worker ever releases to workers without a place.

        One worker alone shares the schedule's arrays, so that a million rows are not held twice.

        Raises:
            ValueError: `index` is not one of the `of` workers.
        """
        if not 0 <= index < of:
            raise ValueError(f"there is no worker {index} among {of}")
        if of == 1:
            seq = np.arange(len(self), dtype=np.int64)
            return Shard(0, 1, seq, self.sched_ns, self.phase, self.payload, self.spans, self.think_ns)
        owner = np.arange(len(self)) % of
        for span in self.spans:
            if span.outstanding is not None:
                owner[self.rows(span.index)] = _places(span) % of
        seq = np.flatnonzero(owner == index).astype(np.int64)
        phase = self.phase[seq]
        own_rows = np.bincount(phase, minlength=len(self.spans))
        return Shard(
            index=index,
            of=of,
            seq=seq,
            sched_ns=self.sched_ns[seq],
            phase=phase,
            payload=self.payload[seq],
            spans=tuple(_share(span, int(n), index, of) for span, n in zip(self.spans, own_rows, strict=True)),
            think_ns=self.think_ns[seq] if len(self.think_ns) else self.think_ns,
        )


def _places(span: PhaseSpan) -> NDArray[np.int64]:
    """Of each row of a closed phase, the place that brings it."""
    assert span.outstanding is not None
    if not span.joins_ns or span.end_ns is None:
        return np.arange(span.n, dtype=np.int64) % span.outstanding
    there_ns = np.cumsum(span.end_ns - span.start_ns - np.asarray(span.joins_ns, dtype=np.float64))
    middles = (np.arange(span.n) + 0.5) / span.n
    return np.searchsorted(there_ns / there_ns[-1], middles).astype(np.int64)


def _share(span: PhaseSpan, n: int, index: int, of: int) -> PhaseSpan:
    outstanding = None if span.outstanding is None else len(range(index, span.outstanding, of))
    return replace(span, n=n, outstanding=outstanding, joins_ns=span.joins_ns[index::of])


@dataclass(frozen=True, slots=True, eq=False)
class Shard:
    """One worker's rows. `spans` are the schedule's, with `n` and the places cut down to this worker's share."""

    index: int
    of: int
    seq: NDArray[np.int64]  # place in the whole schedule, ascending
    sched_ns: Instants
    phase: NDArray[np.int16]
    payload: NDArray[np.int32]
    spans: tuple[PhaseSpan, ...]
    think_ns: Instants  # as the schedule's

    def __len__(self) -> int:
        return len(self.seq)
