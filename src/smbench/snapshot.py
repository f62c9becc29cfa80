"""A worker's report to its parent, four times a second: counts and histograms that merge by adding."""

import math
from array import array
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from smbench.records import Outcome, Stage

_GROWTH = 1.02  # one bucket is 2 % wide: good for a live view; final figures come from the ledger
_SMALLEST_S = 1e-5
_BUCKETS = 1200  # up to 1e-5 * 1.02**1200 = 2.1e5 s, more than the six hours a request may wait
_PER_LOG = 1 / math.log(_GROWTH)
_KEPT_MAX = 4096
_FIRST_EDGE = math.log(_SMALLEST_S) * _PER_LOG - 1  # in buckets; the first bucket beyond the smallest is 1


class LogHistogram:
    """Counts of durations in buckets 2 % wide, from 10 us to 58 hours; values outside go to the end buckets.

    Attributes:
        longest_ns: The longest duration itself, so that no percentile is above it; 0 when empty.
    """

    __slots__ = ("counts", "longest_ns", "total")

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.total = self.longest_ns = 0

    def record_all(self, durations_ns: "array[int]") -> None:
        """Count durations, nanoseconds; one at a time costs ten times as much each."""
        durations = np.asarray(durations_ns)
        self.longest_ns = int(durations.max(initial=self.longest_ns))
        seconds = durations / 1e9
        logs = np.log(np.maximum(seconds, _SMALLEST_S)) * _PER_LOG - _FIRST_EDGE
        buckets = np.where(seconds <= _SMALLEST_S, 0, np.minimum(logs, _BUCKETS).astype(np.int64))
        each = np.bincount(buckets)
        for bucket in np.flatnonzero(each).tolist():
            self.counts[bucket] = self.counts.get(bucket, 0) + int(each[bucket])
        self.total += len(durations_ns)

    def add(self, other: "LogHistogram") -> None:
        """Count all that another counted."""
        for bucket, count in other.counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + count
        self.total += other.total
        self.longest_ns = max(self.longest_ns, other.longest_ns)

    def copy(self) -> "LogHistogram":
        """An independent histogram with the same counts."""
        twin = LogHistogram()
        twin.add(self)
        return twin

    def quantile(self, share: float) -> float | None:
        """The middle (geometric) of the bucket that holds the quantile, in seconds, the maximum at most; None when
        empty."""
        if not self.total:
            return None
        rank = max(1, math.ceil(share * self.total))
        seen = 0
        for bucket in sorted(self.counts):
            seen += self.counts[bucket]
            if seen >= rank:
                middle_s = _SMALLEST_S * _GROWTH ** (bucket - 0.5) if bucket else _SMALLEST_S
                return min(middle_s, self.longest_ns / 1e9)
        raise AssertionError(f"counts {seen} below their total {self.total}")

    @staticmethod
    def edges(bucket: int) -> tuple[float, float]:
        """Between which durations a bucket lies, in seconds."""
        low = _SMALLEST_S * _GROWTH ** (bucket - 1) if bucket else 0.0
        return low, math.inf if bucket == _BUCKETS else _SMALLEST_S * _GROWTH**bucket

    @property
    def maximum(self) -> float | None:
        """The longest duration, in seconds; None when empty."""
        return self.longest_ns / 1e9 if self.counts else None


class Durations:
    """A histogram that is filled when it is asked for: to keep a duration costs a tenth of counting it.

    Attributes:
        keep: Take one duration, nanoseconds.
    """

    __slots__ = ("_histogram", "_kept_ns", "keep")

    def __init__(self) -> None:
        self._histogram, self._kept_ns = LogHistogram(), array("q")
        self.keep = self._kept_ns.append

    def settle(self) -> None:
        """Count what was kept where it has become much: until then each duration takes eight bytes."""
        if len(self._kept_ns) > _KEPT_MAX:
            _ = self.histogram

    @property
    def histogram(self) -> LogHistogram:
        """Of all that were kept."""
        if self._kept_ns:
            self._histogram.record_all(self._kept_ns)
            del self._kept_ns[:]
        return self._histogram


@dataclass(slots=True)
class Snapshot:
    """A worker's state at one instant. Counts are since the run began; snapshots of several workers add up."""

    worker: int
    at_ns: int
    real_elapsed_s: float  # since the start instant, whatever time the scenario keeps
    stage: Stage
    phase: str = ""
    phase_index: int = 0
    n_scheduled: int = 0
    n_due: int = 0  # scheduled at or before `at_ns`
    n_sent: int = 0
    n_in_flight: int = 0  # sent, not yet answered
    n_dropped: int = 0  # never sent, because of our own limit of requests in flight
    n_bad_answers: int = 0  # answers that were errors, and calls without one
    n_accepted: int = 0
    backlog_seen: int = 0  # accepted, not yet ended
    oldest_age_s: float | None = None  # of the backlog, since it was due
    outcomes: dict[Outcome, int] = field(default_factory=dict)  # of the ended and the not sent; no `pending`
    errors: dict[str, int] = field(default_factory=dict)  # "ThrottlingException" -> count, the commonest first
    n_notices: int = 0
    n_duplicates: int = 0
    n_foreign: int = 0
    n_malformed: int = 0
    receivers: int = 0  # overlapping receives now
    receivers_max: int = 0
    receivers_saturated_s: float = 0.0  # for how long all have come back full: the queue holds more than they take
    sojourn: LogHistogram = field(default_factory=LogHistogram)  # done - sched, of the completed
    schedule_lag: LogHistogram = field(default_factory=LogHistogram)  # send - sched
    ack: LogHistogram = field(default_factory=LogHistogram)  # ack - send
    hearing: LogHistogram = field(default_factory=LogHistogram)  # seen - done
    loop_lag_max_s: float = 0.0  # worst since the last snapshot
    cpu_share: float = 0.0  # of one core, since the last snapshot
    rss_bytes: int = 0

    def as_values(self) -> dict[str, Any]:
        """As JSON has it: a histogram is its counts by bucket."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        for name, value in values.items():
            if isinstance(value, LogHistogram):
                values[name] = {str(bucket): count for bucket, count in sorted(value.counts.items())}
        return values | {"outcomes": {outcome.value: count for outcome, count in self.outcomes.items()}}
