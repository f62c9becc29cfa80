"""The benchmarks of a sweep: the load that each gives an endpoint, and what else of the scenario it sets.

Source: the stability and concurrency benchmarks of serverless toolkits, AWS's stairs of users, and calls after idle
times; docs/sweep.md says what is different here.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from smbench.scenario.deploy import Deploy, DeployedServerless
from smbench.scenario.model import Scenario
from smbench.scenario.phases import REQUESTS_MAX
from smbench.scenario.serverless import CONCURRENCY_MAX
from smbench.scenario.values.distributions import Think, Uniform
from smbench.scenario.values.quantities import Number, PositiveSeconds, Share, Whole
from smbench.scenario.values.record import Part
from smbench.sweeping.matrix import Settings

OWN = "load"  # the name of the benchmark that is the scenario's own load
STABILITY, CONCURRENCY, SATURATION, COLD_START = "stability", "concurrency", "saturation", "cold_start"
COLD, WARM = "cold", "warm"  # the phases of the cold start benchmark
_MAX_EMULATED, _MAX_DEPLOYED = "target.emulated.serverless.max_concurrency", "deploy.serverless.max_concurrency"

_Clients = Annotated[Whole, Field(ge=1, le=10_000)]


_JITTER = Think(uniform=Uniform(low=0.0, high=1.0))  # as serverless toolkits wait before each call


class Stability(Part):
    """Requests one after another, until too large a share of them are errors."""

    requests: Whole = Field(default=1000, ge=1, le=REQUESTS_MAX, description="requests in all")
    think: Think = Field(default=Think(constant=0.0), description="from an end to the next request")
    errors: Share = Field(default=0.05, description="stop when this share of at least 50 answers is errors")


class Concurrency(Part):
    """Closed loops of max concurrency times each multiplier; a pair of maximum and clients is tried once."""

    max_concurrency: tuple[Annotated[Whole, Field(ge=1, le=CONCURRENCY_MAX)], ...] = Field(
        default=(), description="set in a serverless endpoint; none: what the scenario has"
    )
    clients: tuple[Annotated[Number, Field(gt=0, le=100)], ...] = Field(
        default=(1.0, 1.5, 1.75, 2.0), min_length=1, description="clients, as multiples of max concurrency"
    )
    requests: Whole = Field(default=200, ge=1, le=REQUESTS_MAX, description="how many, with each number of clients")
    think: Think = Field(default=_JITTER, description="from an end to the same client's next request")


class Saturation(Part):
    """Stairs of users, each stair a closed loop without think time and a run of its own."""

    users: tuple[_Clients, ...] = Field(default=(1, 2, 4, 8, 16, 32), min_length=2, description="ascending")
    requests: Whole = Field(default=50, ge=1, le=10_000, description="for each user, on each stair")


class ColdStart(Part):
    """A call after an idle time, and another while its environment is warm; again and again."""

    idle: PositiveSeconds = Field(default=900.0, description="before each cold call")
    settle: PositiveSeconds = Field(default=60.0, description="between a cold call and the warm one after it")
    repeats: Whole = Field(default=5, ge=1, le=1000, description="how many times")


class Benchmarks(Part):
    """Which are made of each configuration; none: the scenario's own load."""

    stability: Stability | None = None
    concurrency: Concurrency | None = None
    saturation: Saturation | None = None
    cold_start: ColdStart | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of a benchmark.

    Args:
        benchmark: Its name.
        labels: What of the benchmark differs between its trials, as a person reads it.
        settings: What of the scenario it sets.
    """

    benchmark: str
    labels: dict[str, str]
    settings: Settings


def trials(asked: Benchmarks, scenario: Scenario, *, on_stack: bool = False) -> Iterator[Trial]:
    """The runs of a configuration.

    Args:
        scenario: The configuration, with its own load.
        on_stack: What is measured is made as its `deploy` section says, not emulated.
    """
    deployed = scenario.deploy if on_stack else None
    made = [
        *([_stability(asked.stability)] if asked.stability else []),
        *(_concurrency(asked.concurrency, scenario, deployed) if asked.concurrency else []),
        *(_saturation(asked.saturation) if asked.saturation else []),
        *([_cold_start(asked.cold_start)] if asked.cold_start else []),
    ]
    yield from made or [Trial(OWN, {}, {})]


def _stability(asked: Stability) -> Trial:
    closed = {"outstanding": 1, "requests": asked.requests, "think": _written(asked.think), "name": STABILITY}
    limits = {"limits.errors": asked.errors, "limits.errors_after": 50}
    return Trial(STABILITY, {}, {"load": [{"closed": closed}], **limits})


def _written(think: Think) -> Any:
    return think.model_dump(mode="json", exclude_none=True)


def _concurrency(asked: Concurrency, scenario: Scenario, deployed: Deploy | None) -> Iterator[Trial]:
    seen: set[tuple[int, int]] = set()
    own = (
        _served_at_once(scenario) if deployed is None else (deployed.serverless or DeployedServerless()).max_concurrency
    )
    key = _MAX_EMULATED if deployed is None else _MAX_DEPLOYED
    for maximum in asked.max_concurrency or (own,):
        for multiple in asked.clients:
            n = math.ceil(maximum * multiple - 1e-9)
            if (maximum, n) in seen:
                continue
            seen.add((maximum, n))
            closed = {"outstanding": n, "requests": max(n, asked.requests), "name": CONCURRENCY}
            settings: Settings = {"load": [{"closed": closed | {"think": _written(asked.think)}}]}
            if asked.max_concurrency and (deployed is None or deployed.kind == "serverless"):
                settings[key] = maximum
            yield Trial(CONCURRENCY, {"max": str(maximum), "clients": str(n)}, settings)


def _saturation(asked: Saturation) -> Iterator[Trial]:
    for n in asked.users:
        closed = {"outstanding": n, "requests": n * asked.requests, "name": SATURATION}
        yield Trial(SATURATION, {"users": str(n)}, {"load": [{"closed": closed}]})


def _cold_start(asked: ColdStart) -> Trial:
    once = [
        {"pause": {"for": asked.idle}},
        {"burst": {"requests": 1, "name": COLD}},
        {"pause": {"for": asked.settle}},
        {"burst": {"requests": 1, "name": WARM}},
    ]
    return Trial(COLD_START, {}, {"load": once * asked.repeats})


def _served_at_once(scenario: Scenario) -> int:
    """Requests that the emulated endpoint works on at once when the run begins."""
    emulated = scenario.target.emulated
    if scenario.target.kind == "serverless":
        return emulated.serverless.max_concurrency
    start = emulated.instances.start
    return max(1, emulated.instances.min if start is None else start) * emulated.instances.concurrency
