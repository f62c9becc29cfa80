"""Which request began when, which nobody tells: reckoned from who came when, who ended when, and the slots there were.

An instance works on `concurrency` requests at once, and they begin in the order in which they were received. So a slot
becomes free when an instance comes into service and whenever a request ends, and the k-th request to come takes the
k-th slot to become free, at once or when it comes. Nothing is assumed of how long requests take. Source: science.md
6.1. The reckoning starts anew whenever nothing is in the system, so that what it cannot follow spoils one busy period
only: an instance that leaves amid work takes slots along nobody knows which, and an end that no notice told frees one
at an unknown instant. From there to the end of the busy period requests are left out.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from smbench.analysis.capacity import Capacity
from smbench.analysis.frames import Frames
from smbench.records import Outcome

Instants = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_NEVER = np.iinfo(np.int64).max
_CONTRADICTIONS_MAX = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Slots:
    """The requests that may take a slot (accepted, not expired), in the order in which they were received."""

    arrived_ns: Instants
    began_ns: Instants  # where `has_begun`
    ended_ns: Instants  # at the end of time, where it has no end
    has_begun: Mask
    is_known: Mask  # False: left out, see above
    is_sharp: Mask  # begun, and not while instances came at instants nobody told: its begin is good to milliseconds
    is_measured: Mask  # of no warm-up phase
    is_completed: Mask
    end_ns: int

    @property
    def service_mean_s(self) -> float | None:
        """The mean service of those that completed; None without any."""
        chosen = self.is_sharp & self.is_completed
        # In order of size: a sum of floats depends on its order.
        taken_ns = np.sort((self.ended_ns - self.began_ns)[chosen])
        return float(taken_ns.clip(0).mean()) / 1e9 if len(taken_ns) else None

    def busy_s(self, since_ns: int) -> float | None:
        """Slot-seconds worked from an instant on; who was left out counts as the mean. None: most were."""
        known = self.is_known & self.has_begun
        n_left_out, mean_s = int((~self.is_known & (self.ended_ns > since_ns)).sum()), self.service_mean_s
        if n_left_out and (mean_s is None or n_left_out > known.sum()):
            return None
        until_ns = np.minimum(self.ended_ns[known], self.end_ns)
        worked_ns = int((until_ns - np.maximum(self.began_ns[known], since_ns)).clip(0).sum())
        return worked_ns / 1e9 + n_left_out * (mean_s or 0.0)


def slots(frames: Frames, capacity: Capacity | None, concurrency: int | None) -> Slots | str:
    """The reckoning, or why there is none: a clause for a person."""
    if capacity is None:
        return "nobody told how many instances there were"
    if concurrency is None:
        return "nobody told how many requests an instance takes at once (MaxConcurrentInvocationsPerInstance)"
    rows = _takers(frames)
    if not rows.height:
        return "no request was taken up"
    arrived_ns, ended_ns = rows["arrived_ns"].to_numpy(), rows["ended_ns"].to_numpy()
    first = _busy_periods(arrived_ns, ended_ns)
    period = np.cumsum(first) - 1
    began_ns = _began(arrived_ns, ended_ns, first, period, capacity, concurrency)
    has_begun = began_ns < _NEVER
    spoiled_ns = _spoiled(rows, arrived_ns, ended_ns, began_ns, first, period, capacity)[period]
    is_known = np.where(has_begun, began_ns < spoiled_ns, spoiled_ns == _NEVER)
    is_sharp = is_known & has_begun
    for since_ns, until_ns in capacity.unsure_ns:
        is_sharp &= ~((began_ns > np.maximum(arrived_ns, since_ns)) & (began_ns <= until_ns))
    over = is_sharp & (ended_ns < _NEVER)
    n_over = int(over.sum())
    if not n_over:
        return "of no request both its begin and its end are known: instances came or left unseen, or no notice came"
    n_contradictions = int((ended_ns <= began_ns)[over & (began_ns > arrived_ns)].sum())
    if n_contradictions > _CONTRADICTIONS_MAX * n_over:
        return (
            f"{n_contradictions:,} of {n_over:,} requests would have ended before a slot was free: the order is not "
            "that of receipt, others use the endpoint, or its instances take more at once than it is set to"
        )
    return Slots(
        arrived_ns=arrived_ns,
        began_ns=began_ns,
        ended_ns=ended_ns,
        has_begun=has_begun,
        is_known=is_known,
        is_sharp=is_sharp,
        is_measured=~rows["warmup"].to_numpy(),
        is_completed=(rows["outcome"] == Outcome.COMPLETED.value).to_numpy() & has_begun,
        end_ns=frames.end_ns,
    )


def _takers(frames: Frames) -> pl.DataFrame:
    """In order of receipt; `is_told`: its end came with a notice, to the millisecond, or is yet to come."""
    arrived = pl.coalesce("recv_ns", "send_ns").alias("arrived_ns")
    taking = frames.requests.filter(pl.col("accepted") & (pl.col("outcome") != Outcome.EXPIRED.value))
    rows = taking.select(arrived, "send_ns", "sched_ns", "seq", "done_ns", "end_from", "outcome", "warmup")
    return rows.sort("arrived_ns", "send_ns", "sched_ns", "seq").select(
        "arrived_ns",
        pl.when(pl.col("done_ns").is_null())
        .then(_NEVER)
        .otherwise(pl.max_horizontal("done_ns", "arrived_ns"))
        .alias("ended_ns"),
        ((pl.col("end_from") == "notice").fill_null(False) | (pl.col("outcome") == Outcome.PENDING.value)).alias(
            "is_told"
        ),
        "outcome",
        "warmup",
    )


def _busy_periods(arrived_ns: Instants, ended_ns: Instants) -> Mask:
    """Which requests found nothing in the system: as many have ended by then as had come."""
    n_ended = np.searchsorted(np.sort(ended_ns), arrived_ns, side="right")
    found_nothing: Mask = n_ended >= np.arange(len(arrived_ns))
    return found_nothing


def _began(
    arrived_ns: Instants, ended_ns: Instants, first: Mask, period: Instants, capacity: Capacity, concurrency: int
) -> Instants:
    """When each began; the end of time where no slot became free for it."""
    starts_ns = arrived_ns[first]
    n_free = concurrency * capacity.serving_at(starts_ns)
    place = np.arange(len(arrived_ns)) - np.flatnonzero(first)[period]
    ready_ns = _ready(capacity, concurrency)
    of_ready = np.searchsorted(starts_ns, ready_ns, side="left") - 1  # counted already where both are one instant
    is_over = ended_ns < _NEVER
    free_ns = np.concatenate([ready_ns[of_ready >= 0], ended_ns[is_over]])
    free_in = np.concatenate([of_ready[of_ready >= 0], period[is_over]])
    order = np.lexsort((free_ns, free_in))
    free_ns = np.append(free_ns[order], _NEVER)
    n_in = np.bincount(free_in, minlength=len(starts_ns))
    offset = np.concatenate([[0], np.cumsum(n_in)[:-1]])
    rank = place - n_free[period]
    lacks = rank >= n_in[period]
    at = np.where(lacks, len(free_ns) - 1, offset[period] + np.maximum(rank, 0))
    began_ns: Instants = np.where(rank < 0, arrived_ns, np.maximum(arrived_ns, free_ns[at]))
    return began_ns


def _ready(capacity: Capacity, concurrency: int) -> Instants:
    """The instants at which slots came into service, each as often as there were."""
    more = np.diff(capacity.serving).clip(0)
    return np.repeat(capacity.at_ns[1:], concurrency * more)


def _spoiled(
    rows: pl.DataFrame,
    arrived_ns: Instants,
    ended_ns: Instants,
    began_ns: Instants,
    first: Mask,
    period: Instants,
    capacity: Capacity,
) -> Instants:
    """From when on each busy period cannot be followed; the end of time where it can to its end."""
    spoiled_ns = np.full(int(first.sum()), _NEVER, dtype=np.int64)
    left_ns = capacity.at_ns[1:][np.diff(capacity.serving) < 0]
    for since_ns, until_ns in capacity.unsure_ns:
        left_ns = np.where((left_ns > since_ns) & (left_ns <= until_ns), since_ns, left_ns)
    n_inside = np.searchsorted(arrived_ns, left_ns, "right") - np.searchsorted(np.sort(ended_ns), left_ns, "right")
    left_ns = left_ns[n_inside > 0]
    np.minimum.at(spoiled_ns, np.searchsorted(arrived_ns[first], left_ns, side="right") - 1, left_ns)
    untold = ~rows["is_told"].to_numpy()
    np.minimum.at(spoiled_ns, period[untold], began_ns[untold])
    return spoiled_ns
