"""What a person who decides asks: how many instances would do, what they cost, and how many requests waited how long.

An endpoint keeps pace with a phase when its slots are less than fully used at the phase's mean rate. Source:
docs/methods.md#instances-that-would-do.
"""

import math
from collections.abc import Sequence

import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError

from smbench.analysis.capacity.cost import instance_hour_usd
from smbench.analysis.capacity.system import System
from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.numbers.known import Missing, then
from smbench.analysis.rows.columns import ended_as, only
from smbench.analysis.rows.frames import Frames
from smbench.analysis.rows.rates import PhaseRates
from smbench.records import NEVER_COMPLETED, Unknown
from smbench.scenario.describe import describe
from smbench.scenario.model import Scenario

WAITS_S = (60.0, 300.0, 900.0, 3600.0)


class PhaseSizing(BaseModel):
    """The instances that would keep pace with a phase."""

    model_config = ConfigDict(frozen=True)

    name: str
    offered_hz: float | Missing
    instances: int | Missing
    usd_per_hour: float | Missing


class Waited(BaseModel):
    """How many accepted requests had no result `over_s` after they were due; the failed and expired never have one."""

    model_config = ConfigDict(frozen=True)

    over_s: float
    n: Bounded


class Sizing(BaseModel):
    """What to buy, and what the requests of this run met."""

    model_config = ConfigDict(frozen=True)

    scenario_in_words: str  # empty where it is not known, as of a run that was imported
    machine: str  # the instance type; empty: not known
    is_emulated: bool
    price_usd: float | Missing  # an instance-hour
    service_s: float | Missing  # mean
    concurrency: int | Missing  # requests at once on an instance
    phases: tuple[PhaseSizing, ...]  # without warm-ups
    n_accepted: int
    waited: tuple[Waited, ...]  # by the deadline, or by `WAITS_S`, as far as any request took that long


def sizing(frames: Frames, system: System, phases: Sequence[PhaseRates]) -> Sizing:
    """From a run's rows and what is known of its endpoint."""
    scenario = frames.manifest.scenario
    service_s = then(system.slots, lambda one: one.service_mean_s)
    price_usd = instance_hour_usd(frames)
    is_accepted = frames.measured["accepted"] | frames.measured["is_unsettled"]
    accepted = only(frames.measured, is_accepted, "age_ns", "doubt_ns", "is_unsettled", "outcome")
    return Sizing(
        scenario_in_words=_in_words(frames),
        machine=str(frames.manifest.target.get("instance_type") or ""),
        is_emulated=frames.manifest.imported is None and not (scenario.get("target") or {}).get("endpoint"),
        price_usd=price_usd,
        service_s=service_s,
        concurrency=system.concurrency,
        phases=tuple(_sized(phase, service_s, system.concurrency, price_usd) for phase in phases if not phase.warmup),
        n_accepted=accepted.height,
        waited=_waited(accepted, frames),
    )


def _in_words(frames: Frames) -> str:
    if frames.manifest.imported is not None:
        return ""
    try:
        return describe(Scenario.model_validate(frames.manifest.scenario))
    except ValidationError:  # an older smbench wrote it
        return ""


def _sized(
    phase: PhaseRates, service_s: float | Unknown, concurrency: int | Unknown, price_usd: float | Unknown
) -> PhaseSizing:
    offered_hz = phase.rates.offered_hz
    instances = then(
        offered_hz, lambda hz: then(service_s, lambda s: then(concurrency, lambda slots: keeping_pace(hz, s, slots)))
    )
    return PhaseSizing(
        name=phase.name,
        offered_hz=offered_hz,
        instances=instances,
        usd_per_hour=then(instances, lambda n: then(price_usd, lambda price: n * price)),
    )


def keeping_pace(offered_hz: float, service_s: float, concurrency: int) -> int:
    """The fewest instances whose slots are not all busy all the time: more than the offered load over the slots."""
    return math.floor(offered_hz * service_s / concurrency + 1e-9) + 1


def _waited(accepted: pl.DataFrame, frames: Frames) -> tuple[Waited, ...]:
    limit, never = frames.deadline, ended_as(accepted, *NEVER_COMPLETED)
    age_ns, is_unsettled = accepted["age_ns"], accepted["is_unsettled"]
    least_ns, waited = age_ns - accepted["doubt_ns"], []
    for over_s in WAITS_S if limit is None else (limit.seconds,):
        over_ns = round(over_s * 1e9)
        is_over = (least_ns > over_ns) | never
        n_over = int(is_over.sum())
        n_may_be = int((~is_over & (is_unsettled | (age_ns > over_ns))).sum())
        if n_over or limit is not None:
            waited.append(Waited(over_s=over_s, n=Bounded(low=n_over, high=n_over + n_may_be)))
    return tuple(waited)
