"""A capacity search as it is asked: a scenario, what must hold, between which rates; and what it may take at most."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from smbench.errors import UsageError
from smbench.scenario.load import scenario_of
from smbench.scenario.model import Scenario
from smbench.sweeping.capacity import Terms
from smbench.sweeping.demands import Demand, demands_of
from smbench.sweeping.offered import SETTLE_SHARE, settle_s, steady_rate_hz

REQUESTS = 2_000  # of a probe of full length, where no demand is so strict that it takes more
_LEAST = 400  # fewer say nothing of a backlog's slope
PROBES = 16
_MISSES = 20  # requests that may miss, in a probe of full length
_SPAN = 64.0  # times the scenario's own rate, up and down


class Asked(BaseModel):
    """Everything that decides which rates are tried; written beside the runs, so that a killed search goes on.

    Args:
        base: The scenario as plain data.
        base_dir: Where the files that it names are.
        allowed: Folders outside of it that files may be in.
        slos: What must hold; none: only that the backlog does not grow and requests complete.
        requests: Of a probe of full length.
        settle_s: How long each rate is offered before it is measured, at least.
        at_once: Rates that are tried side by side.
        time_max_s: Of all probes together, their drains included; None: any.
    """

    model_config = ConfigDict(frozen=True)

    base: dict[str, Any]
    base_dir: Path
    allowed: tuple[Path, ...] = ()
    slos: tuple[str, ...] = ()
    lowest_hz: float
    highest_hz: float
    requests: int
    settle_s: float
    probes: int
    at_once: int
    time_max_s: float | None = None
    prices: dict[str, float] = {}
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None

    @property
    def scenario(self) -> Scenario:
        """With every default."""
        return scenario_of(self.base, self.base_dir, self.allowed)

    def demands(self, scenario: Scenario) -> tuple[Demand, ...]:
        """What must hold."""
        return demands_of(self.slos, scenario.target.kind, in_stream=scenario.request.stream)

    def terms(self, scenario: Scenario) -> Terms:
        """Within what is searched, from the scenario's own rate on where that lies within."""
        first_hz = min(self.highest_hz, max(self.lowest_hz, steady_rate_hz(scenario)))
        return Terms(first_hz, self.lowest_hz, self.highest_hz, self.probes, self.at_once)


def asked_of(
    scenario: Scenario,
    base_dir: Path,
    allowed: Sequence[Path],
    *,
    slos: Sequence[str],
    between_hz: tuple[float, float] | None,
    requests: int | None,
    settle: float | None,
    probes: int,
    time_max_s: float | None,
    at_once: int,
    prices: Mapping[str, float],
    access: dict[str, str | None],
) -> Asked:
    """The search of a scenario, checked.

    Args:
        slos: None: the scenario's own thresholds.
        between_hz: The lowest rate and the highest; None: 64 times the scenario's own, down and up.

    Raises:
        UsageError: the load has no rate to change, a demand cannot be searched for, or a bound makes no sense.
    """
    rate_hz = steady_rate_hz(scenario)
    texts = tuple(dict.fromkeys(slos or scenario.thresholds))
    demands = demands_of(texts, scenario.target.kind, in_stream=scenario.request.stream)
    needed = max(REQUESTS, *(math.ceil(_MISSES / one.allowed - 1e-9) for one in demands))
    least = max(_LEAST, *(math.ceil(_MISSES / one.allowed - 1e-9) for one in demands))
    if requests is not None and requests < least:
        strictest = min(demands, key=lambda one: one.allowed, default=None)
        why = "" if strictest is None or least == _LEAST else f", for {strictest.text} allows few misses"
        raise UsageError(f"{requests:,} requests a probe are too few: at least {least:,} are needed{why}")
    low_hz, high_hz = between_hz or (rate_hz / _SPAN, rate_hz * _SPAN)
    if not 0 < low_hz < high_hz < math.inf:
        raise UsageError(f"--between: {low_hz:g}/s is not below {high_hz:g}/s, or not above 0")
    if probes < 4:
        raise UsageError(f"{probes} probes are too few to bracket, narrow and confirm", "at least 4 are needed")
    return Asked(
        base=scenario.model_dump(mode="json", by_alias=True, exclude_unset=True),
        base_dir=base_dir.resolve(),
        allowed=tuple(folder.resolve() for folder in allowed),
        slos=texts,
        lowest_hz=low_hz,
        highest_hz=high_hz,
        requests=requests or needed,
        settle_s=settle_s(scenario, settle),
        probes=probes,
        at_once=at_once,
        time_max_s=time_max_s,
        prices=dict(prices),
        **access,
    )


class Bill(BaseModel):
    """What a search of a real endpoint may take at most, for a person who is about to pay.

    Args:
        usd: Of one instance for that long; None: its price is not known.
    """

    model_config = ConfigDict(frozen=True)

    endpoint: str
    probes: int
    requests: int
    hours: float
    usd: float | None

    @property
    def sentence(self) -> str:
        """All of it."""
        cost = "its cost is not known: target.instance_hour says what an instance costs"
        if self.usd is not None:
            cost = f"{self.usd:,.2f} USD for each instance that it keeps for so long"
        return (
            f"{self.endpoint}: at most {self.probes} runs, {self.requests:,} requests and {self.hours:.1f} hours, "
            f"drains included; {cost}; S3, SNS, SQS and CloudWatch bill their calls as well"
        )


def bill_of(asked: Asked, scenario: Scenario) -> Bill:
    """Of a scenario that names an endpoint."""
    assert asked.time_max_s is not None
    hours, price = asked.time_max_s / 3600, scenario.target.instance_hour
    # Half of the probes at most are longer than one of full length: see `capacity`.
    requests = round(asked.requests * asked.probes * 4 * (1 + SETTLE_SHARE))
    most_hz = asked.highest_hz
    return Bill(
        endpoint=scenario.target.endpoint or "",
        probes=asked.probes,
        requests=min(requests, round(most_hz * asked.time_max_s)),
        hours=hours,
        usd=None if price is None else price * hours,
    )


def usual_time_s(asked: Asked, scenario: Scenario) -> float:
    """Of as many probes as there may be, each of full length at the scenario's own rate, with its drain."""
    length_s = asked.requests / steady_rate_hz(scenario)
    settle = max(asked.settle_s, SETTLE_SHARE * length_s)
    return asked.probes * (settle + length_s + scenario.drain)
