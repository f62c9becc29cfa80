"""Cost of a run's instances: what they were paid for, and each request's part of it.

Paid is from the decision until the last instance has left: that billing begins at launch is an assumption. Source:
docs/methods.md#cost.
"""

import math

import polars as pl
from pydantic import BaseModel, ConfigDict

from smbench.analysis.capacity.instances import Capacity, measured_from_ns
from smbench.analysis.capacity.system import System
from smbench.analysis.numbers.known import Missing, ratio, then
from smbench.analysis.rows.columns import only
from smbench.analysis.rows.frames import Frames
from smbench.analysis.rows.stamps import look_every_s
from smbench.ports import CLOUDWATCH_EVERY_S
from smbench.pricing.measuring import Calls, calls_usd
from smbench.records import Outcome, Unknown

LONG_POLL_S = 20.0
NOTHING_MEASURED = "there is no request outside warm-up phases"
NO_PRICE = "there is no price of an instance-hour: set target.instance_hour"


class HarnessCost(BaseModel):
    """What our own calls cost, beside the endpoint and its calls: list prices, nothing free, rather too much."""

    model_config = ConfigDict(frozen=True)

    usd: float
    parts: dict[str, float]  # USD
    prices_of: str  # where and when


class Cost(BaseModel):
    """Instance-seconds and, where the price is known, USD; from the first measured phase to the end of the run."""

    model_config = ConfigDict(frozen=True)

    instance_s: float  # paid
    useful_s: float | Missing  # of them: as many as all work fills, every slot busy, whether or not it completed
    cold_s: float  # paid, not yet serving
    idle_s: float | Missing  # the rest
    n_completed: int
    deadline_s: float | None  # None: none was set
    deadline_from: str  # the threshold, or request.ttl; empty: none
    n_within_deadline: int | None
    instance_s_per_1000: float | Missing  # completions
    price_usd: float | Missing  # an instance-hour
    usd: float | Missing
    useful_usd: float | Missing  # no policy can do this work with less
    usd_per_1000: float | Missing
    usd_per_1000_within_deadline: float | Missing
    harness: HarnessCost | None  # None: an emulated endpoint costs nothing to ask
    endpoint_calls: dict[str, float] | None = None  # USD: S3 and SNS, called by an asynchronous endpoint; None: none


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
    limit = frames.deadline
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
        endpoint_calls=_endpoint_calls(frames),
    )


def instance_hour_usd(frames: Frames) -> float | Unknown:
    """The price that the scenario's author gave, or else the list price of the type that was found."""
    target = frames.manifest.scenario.get("target") or {}
    price_usd = target.get("instance_hour")
    if price_usd is None and target.get("endpoint"):  # the type of an emulated one is only a name
        price_usd = frames.prices.instance_hour.get(str(frames.manifest.target.get("instance_type") or ""))
    if price_usd is None:
        return Unknown(NO_PRICE)
    return float(price_usd)


def _per_1000(amount: float | Unknown, n: int, why_none: str) -> float | Unknown:
    return then(amount, lambda one: ratio(1000 * one, n, why_none))


def looks_for_ends(frames: Frames) -> tuple[int, int]:
    """HEADs and LISTs that looked for outputs while the run went on; none where notices report the ends."""
    is_ours = (pl.col("source") == "generator") & pl.col("value").is_not_null()
    most = frames.readings.filter(is_ours).group_by("name", "worker").agg(pl.max("value"))
    n_of = dict(most.group_by("name").agg(pl.sum("value")).iter_rows())
    return int(n_of.get("look_heads", 0)), int(n_of.get("look_lists", 0))


def looks_usd(frames: Frames) -> float:
    """What those cost at list prices."""
    n_heads, n_lists = looks_for_ends(frames)
    return sum(calls_usd(Calls(writes=n_lists, reads=n_heads), frames.prices).values())


def _harness(frames: Frames) -> HarnessCost | None:
    """Inputs put into S3, ends received and deleted or looked for, polls, metrics.

    SageMaker takes nothing for a request, SNS nothing for a delivery into SQS. A LIST costs as much as a PUT.
    """
    scenario = frames.manifest.scenario
    if not (scenario.get("target") or {}).get("endpoint"):
        return None
    metrics = _n_metrics_asked(frames)
    calls = Calls(metrics=metrics)
    if _is_asynchronous(frames):
        n_accepted, n_notices = int(frames.requests["accepted"].sum()), int(frames.requests["notices"].sum())
        payloads = scenario.get("payloads") or {}
        n_heads, n_lists = looks_for_ends(frames)
        is_queued = look_every_s(frames.manifest) is None
        n_polls = frames.manifest.workers * frames.end_ns / 1e9 / LONG_POLL_S if is_queued else 0.0
        n_inputs = n_accepted if payloads.get("unique") else frames.requests["payload"].n_unique()
        calls = Calls(
            writes=(0 if payloads.get("inline") else n_inputs) + n_lists,
            reads=max(n_heads, 2 * int((frames.requests["end_from"] == "output").sum())),
            queue=2 * n_notices + n_polls,
            metrics=metrics,
        )
    parts = calls_usd(calls, frames.prices)
    return HarnessCost(usd=sum(parts.values()), parts=parts, prices_of=frames.prices.source)


def _endpoint_calls(frames: Frames) -> dict[str, float] | None:
    """Of the completed: each input read, each output written, its end published; what any client of it pays."""
    if not _is_asynchronous(frames) or not (frames.manifest.scenario.get("target") or {}).get("endpoint"):
        return None
    n = int((frames.measured["outcome"] == Outcome.COMPLETED.value).sum())
    is_inline = bool((frames.manifest.scenario.get("payloads") or {}).get("inline"))
    n_notices = int(frames.measured["notices"].sum())
    used = calls_usd(Calls(writes=n, reads=0 if is_inline else n, notices=n_notices), frames.prices)
    return {name: usd for name, usd in used.items() if usd}


def _is_asynchronous(frames: Frames) -> bool:
    return str((frames.manifest.scenario.get("target") or {}).get("kind", "async")) == "async"


def _n_metrics_asked(frames: Frames) -> float:
    """Every metric that ever had a datapoint, in each question."""
    from_aws = frames.readings.filter((pl.col("source") == "cloudwatch") & pl.col("value").is_not_null())
    every_s = max(CLOUDWATCH_EVERY_S, float(frames.manifest.scenario.get("gauges_every") or 0.0))
    return from_aws.select("name", "stat").n_unique() * math.ceil(frames.end_ns / 1e9 / every_s)
