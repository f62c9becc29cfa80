"""Reconstructs when each request started: from arrivals, ends and slots, because AWS does not report it.

An instance works on `concurrency` requests at once and starts them in the order in which they were received. So a slot
becomes free when an instance enters service and whenever a request ends, and the k-th request to arrive takes the k-th
slot to become free, at once or when it arrives. No distribution of the service is assumed. The pairing begins anew with
each request that finds fewer in the system than there are slots: that request starts at once. An end that S3 stamped
is known to its second: where that is much of a service, nothing is reconstructed. What cannot be
followed affects only the requests that waited near it: an instance that leaves amid work takes unknown slots with it,
until all that was in the system has ended, and an end without a notice frees a slot at an unknown instant. Source:
docs/methods.md#service.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from smbench.analysis.capacity.instances import Capacity
from smbench.analysis.numbers.ordered import ascending
from smbench.analysis.rows.columns import only
from smbench.analysis.rows.frames import Frames
from smbench.records import Outcome, Unknown

Instants = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_NEVER = np.iinfo(np.int64).max
WORK_KNOWN_MIN = 0.9  # of the requests; those left out may be of one class
_SECOND_NS = 1_000_000_000
_CONTRADICTIONS_MAX = 0.01
_DOUBT_MAX = 0.1  # of the services: the mean is at most half of that off


@dataclass(frozen=True, slots=True, eq=False)
class Slots:
    """The requests that may take a slot (accepted, not expired), in the order in which they were received."""

    seq: Instants  # of each, as in the schedule
    arrived_ns: Instants
    began_ns: Instants  # where `has_begun`
    follows: Instants  # the place here of the one whose end freed its slot; -1: none had to, or more than one may have
    ended_ns: Instants  # at the latest; at the end of time, where it has no end
    doubt_ns: Instants  # how much earlier the end may have been, 0 but where S3 stamped it
    has_begun: Mask
    is_known: Mask  # False: left out, see above
    is_sharp: Mask  # begun, and not while instances came at instants nobody told: its begin is good to milliseconds
    is_ordered: Mask  # False: received at the same instant as others that waited, and which came first is not known
    is_measured: Mask  # of no warm-up phase
    is_completed: Mask
    end_ns: int
    concurrency: int  # slots of an instance
    payload: pl.Series  # the class of each

    @property
    def served_ns(self) -> Instants:
        """How long each was in its slot, up to the end of the run: halfway between the bounds of its end."""
        served: Instants = np.minimum(self.ended_ns, self.end_ns) - self.began_ns - self.doubt_ns // 2
        return served.clip(0)

    @property
    def service_mean_s(self) -> float | Unknown:
        """The mean service of those that completed."""
        chosen = self.is_sharp & self.is_completed
        # In order of size: a sum of floats depends on its order.
        taken_ns = ascending(self.served_ns[chosen])
        if not len(taken_ns):
            return Unknown("no request completed whose service is known")
        return float(taken_ns.mean()) / 1e9

    @property
    def n_with_service(self) -> tuple[int, int]:
        """Of how many that completed the service is known, and how many completed."""
        return int((self.is_sharp & self.is_completed).sum()), int(self.is_completed.sum())

    def work_shares(self) -> dict[str, float] | Unknown:
        """By payload class, its share of the slot-seconds that requests outside warm-ups worked; 0 to 1."""
        chosen = self.is_sharp & self.is_measured
        worked_ns = self.served_ns[chosen]
        sums = pl.DataFrame({"payload": self.payload.filter(pl.Series(chosen)), "worked": worked_ns})
        of = dict(sums.group_by("payload").agg(pl.sum("worked")).iter_rows())
        whole_ns = sum(of.values())
        if not whole_ns or chosen.sum() < WORK_KNOWN_MIN * self.is_measured.sum():
            return Unknown("of too few requests it is known how long an instance worked on them")
        return {str(name): worked / whole_ns for name, worked in of.items()}

    def busy_s(self, since_ns: int) -> float | Unknown:
        """Slot-seconds worked from an instant on; a request that was left out counts as the mean."""
        known = self.is_known & self.has_begun
        n_left_out, mean_s = int((~self.is_known & (self.ended_ns > since_ns)).sum()), self.service_mean_s
        if not n_left_out:
            mean_s = 0.0
        if isinstance(mean_s, Unknown):
            return mean_s
        if n_left_out > known.sum():
            return Unknown("of most requests it is not known when an instance began with them")
        until_ns = np.minimum(self.ended_ns[known], self.end_ns) - self.doubt_ns[known] // 2
        worked_ns = int((until_ns - np.maximum(self.began_ns[known], since_ns)).clip(0).sum())
        return worked_ns / 1e9 + n_left_out * mean_s


def slots(frames: Frames, capacity: Capacity | Unknown, concurrency: int | Unknown) -> Slots | Unknown:
    """The reconstruction, or why there is none: a clause for a person."""
    if isinstance(capacity, Unknown):
        return capacity
    if isinstance(concurrency, Unknown):
        return concurrency
    rows = _takers(frames)
    if not rows.height:
        return Unknown("no request was taken up")
    arrived_ns, ended_ns = rows["arrived_ns"].to_numpy(), rows["ended_ns"].to_numpy()
    n_free = _n_free(arrived_ns, ended_ns, capacity, concurrency)
    began_ns, follows = _began(arrived_ns, ended_ns, n_free, capacity, concurrency)
    has_begun = began_ns < _NEVER
    is_known = (n_free > 0) | ~_is_spoiled(rows, arrived_ns, ended_ns, began_ns, n_free, capacity)
    is_sharp = is_known & has_begun
    for since_ns, until_ns in capacity.unsure_ns:
        is_sharp &= ~((began_ns > np.maximum(arrived_ns, since_ns)) & (began_ns <= until_ns))
    is_ordered = _is_ordered(rows, arrived_ns, began_ns)
    over = is_sharp & (ended_ns < _NEVER)
    n_over = int(over.sum())
    if not n_over:
        return Unknown(
            "of no request both its begin and its end are known: instances came or left unseen, or no notice came"
        )
    n_contradictions = int((ended_ns <= began_ns)[over & (began_ns > arrived_ns)].sum())
    if n_contradictions > _CONTRADICTIONS_MAX * n_over:
        return Unknown(
            f"{n_contradictions:,} of {n_over:,} requests would have ended before a slot was free: the order is not "
            "that of receipt, others use the endpoint, or its instances take more at once than it is set to"
        )
    doubt_ns = rows["doubt_ns"].to_numpy()
    if doubt_ns[over].sum() > _DOUBT_MAX * (ended_ns - began_ns)[over].sum():
        return Unknown("S3's stamps leave open when requests ended, by more than a tenth of a service")
    return Slots(
        seq=rows["seq"].to_numpy(),
        arrived_ns=arrived_ns,
        began_ns=began_ns,
        follows=np.where(is_sharp & is_ordered, follows, -1),
        ended_ns=ended_ns,
        doubt_ns=doubt_ns,
        has_begun=has_begun,
        is_known=is_known,
        is_sharp=is_sharp,
        is_ordered=is_ordered,
        is_measured=~rows["warmup"].to_numpy(),
        is_completed=(rows["outcome"] == Outcome.COMPLETED.value).to_numpy() & has_begun,
        end_ns=frames.end_ns,
        concurrency=concurrency,
        payload=rows["payload"],
    )


def _takers(frames: Frames) -> pl.DataFrame:
    """In order of receipt; `is_told`: its end came with a notice, to the millisecond, or is yet to come."""
    arrived = pl.coalesce("recv_ns", "send_ns").alias("arrived_ns")
    is_taking = pl.col("accepted") & (pl.col("outcome") != Outcome.EXPIRED.value)
    # An end of an unknown kind may be that of a request that no instance took up: it is known to neither instant.
    is_heard = (pl.col("end_from") == "notice").fill_null(False) & (pl.col("outcome") != Outcome.UNKNOWN_END.value)
    columns = (
        "send_ns",
        "ack_ns",
        "sched_ns",
        "seq",
        "done_ns",
        "doubt_ns",
        "end_from",
        "outcome",
        "warmup",
        "payload",
    )
    rows = only(frames.requests, is_taking, arrived, *columns)
    # Of those received at one instant the first to end is taken to have begun first, whatever their numbers.
    return rows.sort("arrived_ns", "send_ns", "sched_ns", "done_ns", "seq", nulls_last=True).select(
        "arrived_ns",
        pl.when(pl.col("done_ns").is_null())
        .then(_NEVER)
        .otherwise(pl.max_horizontal("done_ns", "arrived_ns"))
        .alias("ended_ns"),
        "doubt_ns",
        (is_heard | (pl.col("outcome") == Outcome.PENDING.value)).alias("is_told"),
        "outcome",
        "warmup",
        "seq",
        "payload",
        "send_ns",
        pl.col("ack_ns").fill_null(_NEVER),
    )


def _n_free(arrived_ns: Instants, ended_ns: Instants, capacity: Capacity, concurrency: int) -> Instants:
    """The slots free when each came; below one where it had to wait."""
    n_ended = np.searchsorted(ascending(ended_ns), arrived_ns, side="right")
    inside = (np.arange(len(arrived_ns)) - n_ended).clip(0)
    n_free: Instants = concurrency * capacity.serving_at(arrived_ns) - inside
    return n_free


def _began(
    arrived_ns: Instants, ended_ns: Instants, n_free: Instants, capacity: Capacity, concurrency: int
) -> tuple[Instants, Instants]:
    """When each began, the end of time where no slot became free for it; and whom it follows, as in `Slots`."""
    first = n_free > 0
    first[0] = True  # where nobody serves yet the reconstruction begins with none free
    place = np.arange(len(arrived_ns))
    period = np.cumsum(first) - 1
    # What is free or comes at the instant a period starts is counted in `n_free`.
    free_ns, freed_by = _frees(ended_ns, _ready(capacity, concurrency))
    n_before = np.searchsorted(free_ns, arrived_ns[first], side="right")
    rank = place - place[first][period] - n_free[first].clip(0)[period]
    at = np.minimum(n_before[period] + rank.clip(0), len(free_ns) - 1)
    began_ns = np.where(rank < 0, arrived_ns, np.maximum(arrived_ns, free_ns[at]))
    # Who ended before one that came first had begun contradicts the reconstruction: no link, and links make no ring.
    is_linked = (began_ns > arrived_ns) & (freed_by[at] < place)
    return began_ns, np.where(is_linked, freed_by[at], -1)


def _is_ordered(rows: pl.DataFrame, arrived_ns: Instants, began_ns: Instants) -> Mask:
    """Where AWS stamped several alike, a request that was answered before the next was sent came before it."""
    answered_ns = np.maximum.accumulate(rows["ack_ns"].to_numpy())
    is_with_last = np.zeros(len(arrived_ns), dtype=bool)
    is_with_last[1:] = (arrived_ns[1:] == arrived_ns[:-1]) & (answered_ns[:-1] >= rows["send_ns"].to_numpy()[1:])
    group = np.cumsum(~is_with_last) - 1
    n, n_waited = np.bincount(group), np.bincount(group, began_ns > arrived_ns)
    is_ordered: Mask = ((n == 1) | (n_waited == 0))[group]
    return is_ordered


def _frees(ended_ns: Instants, ready_ns: Instants) -> tuple[Instants, Instants]:
    """The instants at which slots became free, then the end of time; and by whose end, -1 for several at once."""
    over = np.flatnonzero(ended_ns < _NEVER)
    free_ns = np.concatenate([ready_ns, ended_ns[over], [_NEVER]])
    freed_by = np.concatenate([np.full(len(ready_ns), -1), over, [-1]])
    order = pl.Series(free_ns).arg_sort().to_numpy()
    free_ns, freed_by = free_ns[order], freed_by[order]
    is_same = free_ns[1:] == free_ns[:-1]
    freed_by[1:][is_same] = -1
    freed_by[:-1][is_same] = -1
    return free_ns, freed_by


def _ready(capacity: Capacity, concurrency: int) -> Instants:
    """The instants at which slots came into service, each as often as there were."""
    more = np.diff(capacity.serving).clip(0)
    return np.repeat(capacity.at_ns[1:], concurrency * more)


def _is_spoiled(
    rows: pl.DataFrame,
    arrived_ns: Instants,
    ended_ns: Instants,
    began_ns: Instants,
    n_free: Instants,
    capacity: Capacity,
) -> Mask:
    """Of whom it is not known when they began, had they to wait."""
    left_ns = capacity.at_ns[1:][np.diff(capacity.serving) < 0]
    for since_ns, until_ns in capacity.unsure_ns:
        left_ns = np.where((left_ns > since_ns) & (left_ns <= until_ns), since_ns, left_ns)
    n_came = np.searchsorted(arrived_ns, left_ns, side="right")
    left_ns, n_came = left_ns[n_came > 0], n_came[n_came > 0]
    over_ns = np.maximum.accumulate(ended_ns)[n_came - 1]  # all who were there have ended, and whoever left is gone
    starts_ns = np.append(arrived_ns[n_free > 0], _NEVER)
    anew_ns = starts_ns[np.minimum(np.searchsorted(starts_ns, over_ns, side="left"), len(starts_ns) - 1)]
    untold = ~rows["is_told"].to_numpy()
    # An end found in S3 is known to its second; one nobody knows frees a slot at some time or other, from its begin on.
    vague_ns = np.where(ended_ns < _NEVER, ended_ns - _SECOND_NS, began_ns)[untold]
    begin_ns = ascending(np.concatenate([left_ns, vague_ns]))
    finish_ns = ascending(np.concatenate([anew_ns, ended_ns[untold]]))
    n_begun = np.searchsorted(begin_ns, began_ns, side="right")
    n_finished = np.searchsorted(finish_ns, began_ns, side="left")
    is_spoiled: Mask = (n_begun > n_finished) | untold
    return is_spoiled
