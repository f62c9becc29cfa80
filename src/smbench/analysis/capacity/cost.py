"""What a run's instances were paid for, and what the requests cost of it.

Paid is from the decision until the last instance has left: that billing begins at launch is an assumption. Source:
docs/methods.md#cost.
"""

import math

import polars as pl
from pydantic import BaseModel, ConfigDict

from smbench.analysis.capacity.instances import Capacity, measured_from_ns
from smbench.analysis.capacity.system import System
from smbench.analysis.numbers.known import Missing, ratio, then
from smbench.analysis.rows.deadline import deadline
from smbench.analysis.rows.frames import Frames, only
from smbench.ports import CLOUDWATCH_EVERY_S
from smbench.pricing.measuring import Calls, measuring_usd
from smbench.pricing.table import shipped_prices
from smbench.records import Outcome, Unknown

LONG_POLL_S = 20.0


class HarnessCost(BaseModel):
    """What measuring cost, beside the endpoint: list prices, nothing free, rather too much than too little."""

    model_config = ConfigDict(frozen=True)

    usd: float
    parts: dict[str, float]  # USD
    prices_of: str  # where and when


class Cost(BaseModel):
    """Instance-seconds and, where the price is known, USD; from the first measured phase to the end of the run."""

    model_config = ConfigDict(frozen=True)

    instance_s: float  # paid
    useful_s: float | Missing  # of them: as many as the work would fill, every slot busy
    cold_s: float  # paid, not yet serving
    idle_s: float | Missing  # the rest
    n_completed: int
    deadline_s: float | None  # None: none was set
    deadline_from: str  # the threshold, or request.ttl; empty: none
    n_within_deadline: int | None
    instance_s_per_1000: float | Missing  # completions
    price_usd: float | Missing  # an instance-hour
    usd: float | Missing
    useful_usd: float | Missing  # no policy can do with less
    usd_per_1000: float | Missing
    usd_per_1000_within_deadline: float | Missing
    harness: HarnessCost | None  # None: an emulated endpoint costs nothing to ask


def cost(frames: Frames, capacity: Capacity, system: System) -> Cost:
    """What a run cost.

    Args:
        capacity: That of `system`, which is known.
    """
    start_ns = measured_from_ns(frames)
    paid_s = capacity.instance_s(capacity.paid, start_ns)
    launching = (capacity.desired - capacity.serving).clip(0)
    cold_s = capacity.instance_s(launching, start_ns)
    useful_s = then(system.slots, lambda one: ratio(one.busy_s(start_ns), one.concurrency, "an instance has no slot"))
    limit = deadline(frames.manifest.scenario)
    completed = only(frames.measured, pl.col("outcome") == Outcome.COMPLETED.value, "sojourn_ns")
    n = completed.height
    n_within = None if limit is None else completed.filter(pl.col("sojourn_ns") <= round(limit.seconds * 1e9)).height
    price_usd = instance_hour_usd(frames)
    usd = then(price_usd, lambda price: price * paid_s / 3600)
    return Cost(
        instance_s=paid_s,
        useful_s=useful_s,
        cold_s=cold_s,
        idle_s=then(useful_s, lambda useful: max(0.0, paid_s - cold_s - useful)),
        n_completed=n,
        deadline_s=None if limit is None else limit.seconds,
        deadline_from="" if limit is None else limit.source,
        n_within_deadline=n_within,
        instance_s_per_1000=_per_1000(paid_s, n, "nothing completed"),
        price_usd=price_usd,
        usd=usd,
        useful_usd=then(price_usd, lambda price: then(useful_s, lambda useful: price * useful / 3600)),
        usd_per_1000=_per_1000(usd, n, "nothing completed"),
        usd_per_1000_within_deadline=_per_1000(usd, n_within or 0, "nothing completed within a deadline"),
        harness=_harness(frames),
    )


def instance_hour_usd(frames: Frames) -> float | Unknown:
    """The price that the scenario's author gave."""
    price_usd = (frames.manifest.scenario.get("target") or {}).get("instance_hour")
    if price_usd is None:
        return Unknown("the price is not known: set target.instance_hour")
    return float(price_usd)


def _per_1000(amount: float | Unknown, n: int, why_none: str) -> float | Unknown:
    return then(amount, lambda one: ratio(1000 * one, n, why_none))


def _harness(frames: Frames) -> HarnessCost | None:
    """One object in and one out a request, each read once; an end published, received, deleted; polls; metrics.

    SageMaker takes nothing for a request, SNS nothing for a delivery into SQS.
    """
    if not (frames.manifest.scenario.get("target") or {}).get("endpoint"):
        return None
    n_accepted, n_notices = int(frames.requests["accepted"].sum()), int(frames.requests["notices"].sum())
    n_looked_up = int((frames.requests["end_from"] == "output").sum())
    table = shipped_prices()
    calls = Calls(
        writes=2 * n_accepted,
        reads=n_accepted + 2 * n_looked_up,
        notices=n_notices,
        queue=2 * n_notices + frames.manifest.workers * frames.end_ns / 1e9 / LONG_POLL_S,
        metrics=_n_metrics_asked(frames),
    )
    parts = measuring_usd(calls, table)
    return HarnessCost(usd=sum(parts.values()), parts=parts, prices_of=table.source)


def _n_metrics_asked(frames: Frames) -> float:
    """Every metric that ever had a datapoint, in each question."""
    from_aws = frames.readings.filter((pl.col("source") == "cloudwatch") & pl.col("value").is_not_null())
    every_s = max(CLOUDWATCH_EVERY_S, float(frames.manifest.scenario.get("gauges_every") or 0.0))
    return from_aws.select("name", "stat").n_unique() * math.ceil(frames.end_ns / 1e9 / every_s)
