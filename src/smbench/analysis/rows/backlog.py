"""Requests in the system over time, from the rows: B(t) = received up to t, less ended up to t.

Queued and being processed both count, as in AWS's `ApproximateBacklogSize`. A request that never ended stays in it.
Source: docs/methods.md#backlog.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from smbench.analysis.numbers.ordered import ascending
from smbench.analysis.rows.columns import only, without_nulls

Instants = npt.NDArray[np.int64]

_HALF = 32  # bits
_LOW = (1 << _HALF) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Backlog:
    """A step function: `backlog[i]` from `at_ns[i]` until the next, the last until `end_ns`; 0 before the first."""

    at_ns: Instants  # ascending, distinct
    backlog: npt.NDArray[np.int64]
    end_ns: int

    def area_ns(self) -> int:
        """The integral of B from first to last, request-nanoseconds, exact."""
        steps_ns = np.diff(self.at_ns, append=self.end_ns)
        # In two parts, for a backlog of millions over days is more than an int64 holds.
        return (_total(self.backlog * (steps_ns >> _HALF)) << _HALF) + _total(self.backlog * (steps_ns & _LOW))

    def peak(self, without_ns: Sequence[tuple[int, int]] = ()) -> tuple[int, int | None]:
        """The most there was and when it was first reached; (0, None) when nothing ever came.

        Args:
            without_ns: Spans to leave out, their ends not: what is left of them then counts.
        """
        at_ns, backlog = self.at_ns, self.backlog
        if without_ns and len(at_ns):
            ends_ns = np.array([end_ns for _, end_ns in without_ns if end_ns < self.end_ns], dtype=np.int64)
            at_ns = np.union1d(at_ns, ends_ns)
            backlog = np.concatenate([[0], backlog])[np.searchsorted(self.at_ns, at_ns, side="right")]
            backlog = np.where(within(at_ns, without_ns), 0, backlog)
        if not len(backlog) or not backlog.max():
            return 0, None
        place = int(backlog.argmax())
        return int(backlog[place]), int(at_ns[place])

    def means(self, starts_ns: Instants, length_ns: int) -> npt.NDArray[np.float64]:
        """The time average over each window of `length_ns`; 0 before the first request and after the end."""
        if not len(self.at_ns):
            return np.zeros(len(starts_ns))
        knots_ns = np.append(self.at_ns, self.end_ns)
        area = np.concatenate([[0.0], np.cumsum(self.backlog * np.diff(knots_ns).astype(np.float64))])
        ends_ns = starts_ns + length_ns
        upto, since = (np.interp(instants, knots_ns, area, left=0.0) for instants in (ends_ns, starts_ns))
        means: npt.NDArray[np.float64] = (upto - since) / length_ns
        return means


def within(at_ns: Instants, spans_ns: Sequence[tuple[int, int]]) -> npt.NDArray[np.bool_]:
    """Which instants lie in one of these spans, their ends left out."""
    inside = np.zeros(len(at_ns), dtype=bool)
    for start_ns, end_ns in spans_ns:
        inside |= (at_ns >= start_ns) & (at_ns < end_ns)
    return inside


def backlog(requests: pl.DataFrame, end_ns: int) -> Backlog:
    """The curve of all accepted requests, warm-up included: they were in the system.

    Args:
        requests: `accepted`, `recv_ns`, `send_ns` (where no notice gave recv), `done_ns` (null: not ended).
        end_ns: The end of the run.
    """
    arrived_ns, ended_ns = _stays(requests)
    # One sort of plain numbers, the last bit of each telling an end: half the time of sorting with places.
    changes = ascending(np.concatenate([2 * arrived_ns, 2 * ended_ns + 1]))
    at_ns, count = changes >> 1, np.cumsum(1 - 2 * (changes & 1))
    is_last = np.append(at_ns[1:] != at_ns[:-1], True)[: len(at_ns)]  # of all that happened at one instant
    last_ns = int(at_ns[-1]) if len(at_ns) else end_ns
    return Backlog(at_ns[is_last], count[is_last], max(end_ns, last_ns))


def time_in_system_ns(requests: pl.DataFrame, end_ns: int) -> int:
    """The other side of Little's law: the sum over requests of their stay, cut at the end of the run; exact."""
    arrived_ns, ended_ns = _stays(requests)
    latest_ns = max([end_ns, *(int(side.max()) for side in (arrived_ns, ended_ns) if len(side))])
    n_open = len(arrived_ns) - len(ended_ns)
    return _total(ended_ns) + n_open * latest_ns - _total(arrived_ns)


def _total(values: npt.NDArray[np.int64]) -> int:
    """Their sum, exact where an int64 would overflow."""
    return (int((values >> _HALF).sum()) << _HALF) + int((values & _LOW).sum())


def _stays(requests: pl.DataFrame) -> tuple[Instants, Instants]:
    """When each accepted request arrived, and when each ended that did; never before it arrived."""
    arrived = pl.coalesce("recv_ns", "send_ns").alias("arrived_ns")
    ended = pl.when(pl.col("done_ns").is_not_null()).then(pl.max_horizontal("done_ns", arrived)).alias("ended_ns")
    stays = only(requests, requests["accepted"], arrived, ended)
    arrived_ns: Instants = stays["arrived_ns"].to_numpy()
    ended_ns: Instants = without_nulls(stays["ended_ns"]).to_numpy()
    return arrived_ns, ended_ns
