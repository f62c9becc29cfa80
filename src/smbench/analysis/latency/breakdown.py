"""Latency and cost of a run's parts: by phase, by payload class, and latency by production variant.

The paid time of a phase is that from its begin to the next phase's begin, the last one's to the end of the run: a
backlog that a phase leaves is paid for by the next, and so is a phase that takes no time. Instances are not bought for
one class, so classes share the paid time as they share the work. Source: docs/methods.md#cost.
"""

from itertools import pairwise

import polars as pl
from pydantic import BaseModel, ConfigDict

from smbench.analysis.capacity.cost import instance_hour_usd
from smbench.analysis.capacity.instances import measured_from_ns
from smbench.analysis.capacity.system import System
from smbench.analysis.numbers.bounds import Bounded, Distribution, distribution
from smbench.analysis.numbers.known import Missing, ratio, then
from smbench.analysis.rows.columns import ended_as, latencies, only
from smbench.analysis.rows.frames import Frames
from smbench.records import NEVER_COMPLETED, Outcome, Unknown
from smbench.schedule.base import PhaseSpan

CLASSES_MAX = 20
_COLUMNS = ("accepted", "outcome", "is_unsettled", "sojourn_ns", "age_ns", "doubt_ns")


class Part(BaseModel):
    """One phase or class. Warm-up phases are no parts."""

    model_config = ConfigDict(frozen=True)

    name: str
    sojourn: Distribution  # done - sched of the accepted
    n_completed: int
    deadline_s: float | None  # None: none was set
    over_deadline: Bounded | Missing  # of the accepted, the share that took longer
    instance_s: float | Missing  # paid
    usd: float | Missing
    usd_per_1000: float | Missing  # completions


def by_phase(frames: Frames, system: System) -> tuple[Part, ...]:
    """The phases that are no warm-ups, in order; none where there is but one."""
    spans = [span for span in frames.spans if span.n and not span.warmup]
    if len(spans) < 2:
        return ()
    follows = {span.index: after for span, after in pairwise(span for span in frames.spans if span.n)}
    rows_of = _rows_by(frames.measured, "phase")

    def paid_s(span: PhaseSpan) -> float | Unknown:
        start_ns, after = span.start_ns, follows.get(span.index)
        until_ns = None if after is None else after.start_ns
        if until_ns == start_ns:
            return Unknown("a phase at one instant, at which the next begins, takes no paid time: the next pays")
        return then(
            system.capacity,
            lambda one: (
                one.instance_s(one.paid, start_ns) - (0.0 if until_ns is None else one.instance_s(one.paid, until_ns))
            ),
        )

    return tuple(_part(frames, span.name, rows_of.get(span.name), paid_s(span)) for span in spans)


def by_class(frames: Frames, system: System) -> tuple[Part, ...]:
    """The payload classes, the most frequent first, at most `CLASSES_MAX`; none where there is but one."""
    measured = frames.measured
    if measured["payload"].n_unique() < 2:
        return ()
    counts = measured["payload"].value_counts().with_columns(pl.col("payload").cast(pl.String))
    names = counts.sort(["count", "payload"], descending=[True, False])["payload"].head(CLASSES_MAX).to_list()
    rows_of = _rows_by(measured, "payload", None if counts.height <= CLASSES_MAX else measured["payload"].is_in(names))
    start_ns = measured_from_ns(frames)
    paid_s = then(system.capacity, lambda one: one.instance_s(one.paid, start_ns))
    shares = then(system.slots, lambda one: one.work_shares())

    def spent_s(name: str) -> float | Unknown:
        return then(shares, lambda of: then(paid_s, lambda paid: paid * of.get(name, 0.0)))

    return tuple(_part(frames, name, rows_of.get(name), spent_s(name)) for name in names)


def by_variant(frames: Frames) -> tuple[Part, ...]:
    """The production variants that answered, the most frequent first; none where it was but one."""
    measured = frames.measured
    if measured["variant"].n_unique() < 2:
        return ()
    rows_of = _rows_by(measured, "variant", measured["variant"].is_not_null())
    names = sorted(rows_of, key=lambda name: (-rows_of[name].height, name))
    unknown = Unknown("instances are read of one variant")
    return tuple(_part(frames, name, rows_of[name], unknown) for name in names) if len(names) > 1 else ()


def latency(requests: pl.DataFrame, known: str, age: str) -> Distribution:
    """Over all accepted requests: what has no end is longer than its age, what failed never completes.

    A synchronous call that was never answered may have been accepted, and counts as one without an end.

    Args:
        known, age: The columns of the latency, null where it is not over or never will be, and of the age on the same
            clock.
    """
    of = latencies(requests, known, age)
    return distribution(of.known_s, of.open_s, of.never_s, least_s=of.least_s)


def _rows_by(rows: pl.DataFrame, column: str, where: pl.Series | None = None) -> dict[str, pl.DataFrame]:
    taken = rows[[column, *_COLUMNS]] if where is None else only(rows, where, column, *_COLUMNS)
    return {str(name): of for (name,), of in taken.partition_by(column, as_dict=True).items()}


def _part(frames: Frames, name: str, rows: pl.DataFrame | None, paid_s: float | Unknown) -> Part:
    rows = frames.measured[list(_COLUMNS)].clear() if rows is None else rows
    limit = frames.deadline
    price_usd = instance_hour_usd(frames)
    usd = then(price_usd, lambda price: then(paid_s, lambda spent: price * spent / 3600))
    n = int(ended_as(rows, Outcome.COMPLETED).sum())
    return Part(
        name=name,
        sojourn=latency(rows, "sojourn_ns", "age_ns"),
        n_completed=n,
        deadline_s=None if limit is None else limit.seconds,
        over_deadline=Unknown("no deadline was set") if limit is None else _over(rows, limit.seconds),
        instance_s=paid_s,
        usd=usd,
        usd_per_1000=then(usd, lambda one: ratio(1000 * one, n, "nothing completed")),
    )


def _over(rows: pl.DataFrame, limit_s: float) -> Bounded | Unknown:
    """What failed or expired is over; what has no end yet may be, and is for certain once it is older."""
    is_unsettled, age_ns = rows["is_unsettled"], rows["age_ns"]
    is_accepted = rows["accepted"] | is_unsettled
    n_accepted = int(is_accepted.sum())
    if not n_accepted:
        return Unknown("no request was accepted")
    limit_ns = round(limit_s * 1e9)
    is_over = (age_ns - rows["doubt_ns"] > limit_ns) | ended_as(rows, *NEVER_COMPLETED)
    over = int((is_accepted & is_over).sum())
    may_be = int((is_accepted & ~is_over & (is_unsettled | (age_ns > limit_ns))).sum())
    return Bounded(low=over / n_accepted, high=(over + may_be) / n_accepted)
