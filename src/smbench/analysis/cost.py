"""What a run's instances were paid for, and what the requests cost of it. Source: science.md 2.5.

Paid is from the decision until the last is gone: that billing begins at launch is an assumption.
"""

from pydantic import BaseModel, ConfigDict


class HarnessCost(BaseModel):
    """What measuring cost, beside the endpoint: list prices, nothing free, an upper bound."""

    model_config = ConfigDict(frozen=True)

    usd: float
    parts: dict[str, float]  # USD
    prices_of: str  # where and when the prices were read


class Cost(BaseModel):
    """Instance-seconds and, where the price is known, USD; from the first measured phase to the end of the run."""

    model_config = ConfigDict(frozen=True)

    instance_s: float  # paid
    useful_s: float | None  # of them: as many as the work would fill, every slot busy
    cold_s: float  # paid, not yet serving
    idle_s: float | None  # the rest
    n_completed: int
    deadline_s: float | None
    deadline_from: str  # the threshold, or request.ttl; empty: none
    n_within_deadline: int | None
    instance_s_per_1000: float | None  # completions
    price_usd: float | None  # an instance-hour
    usd: float | None
    useful_usd: float | None  # no policy can do with less
    usd_per_1000: float | None
    usd_per_1000_within_deadline: float | None
    harness: HarnessCost | None
