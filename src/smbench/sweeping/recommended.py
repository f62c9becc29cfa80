"""A sweep in the columns of AWS's Inference Recommender: what each configuration is, costs and can do.

What cannot be measured says why. Over several seeds a figure is the mean.
"""

import math
from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict

from smbench.analysis.capacity.cost import NO_PRICE
from smbench.analysis.capacity.price import NOTHING_COMPLETED
from smbench.analysis.numbers.known import Missing
from smbench.pricing.table import PriceTable
from smbench.records import Unknown
from smbench.scenario.deploy import DeployedServerless
from smbench.scenario.model import Scenario
from smbench.scenario.serverless import Serverless
from smbench.sweeping.figures import Figures
from smbench.sweeping.ranking import Group


class Recommended(BaseModel):
    """One configuration.

    Args:
        max_invocations: Completed in a minute, on average over a run, the most of all its benchmarks.
        model_latency_s: CloudWatch's ModelLatency: the time of the container alone.
        cpu: CloudWatch's CPUUtilization, a share of one core: above 1 with several.
        memory: CloudWatch's MemoryUtilization, a share.
    """

    model_config = ConfigDict(frozen=True)

    configuration: str
    instance_type: str | Missing
    initial_count: int | Missing
    environment: str | Missing
    usd_per_hour: float | Missing
    usd_per_inference: float | Missing
    max_invocations: float | Missing
    model_latency_s: float | Missing
    cpu: float | Missing
    memory: float | Missing


def recommended(group: Group, scenario: Scenario, alike: Sequence[Group], prices: PriceTable) -> Recommended:
    """The row of a configuration.

    Args:
        group: Its runs under the benchmark that decides.
        alike: Its runs under every benchmark.
    """
    runs = list(group.by_seed.values())
    kind, count = _instances(scenario, runs)
    price = scenario.target.instance_hour or (prices.instance_hour.get(kind) if isinstance(kind, str) else None)
    hertz = [one.completed_hz for one in alike if one.completed_hz is not None]
    each = group.usd_per_1000
    why = next((one.usd_why for one in runs if one.usd_why), NOTHING_COMPLETED)
    return Recommended(
        configuration=group.configuration,
        instance_type=kind,
        initial_count=count,
        environment=_environment(scenario),
        usd_per_hour=_per_hour(scenario, price, count),
        usd_per_inference=Unknown(why) if each is None else each / 1000,
        max_invocations=60 * max(hertz) if hertz else Unknown(NOTHING_COMPLETED),
        model_latency_s=_mean(runs, lambda one: one.model_latency_s, "ModelLatency"),
        cpu=_mean(runs, lambda one: one.cpu, "CPUUtilization"),
        memory=_mean(runs, lambda one: one.memory, "MemoryUtilization"),
    )


def _instances(scenario: Scenario, runs: Sequence[Figures]) -> tuple[str | Unknown, int | Unknown]:
    target, found = scenario.target, next((one for one in runs if one.instance_type), None)
    if target.kind == "serverless":
        size = _serverless(scenario)
        if size is None:
            return Unknown("a serverless endpoint has none"), Unknown("a serverless endpoint has none")
        kept = f", {size.provisioned:,} provisioned" if size.provisioned else ""
        text = f"serverless, {size.memory:,} MB, at most {size.max_concurrency:,} at once{kept}"
        return text, Unknown("a serverless endpoint has no instances")
    if target.endpoint is None:
        start = target.emulated.instances.at_start
        return Unknown("an emulated endpoint has no instance type"), start
    if found is None:
        return Unknown("the endpoint's instance type was not found"), Unknown("the number was not found")
    return found.instance_type, found.instances if found.instances is not None else Unknown("the number was not found")


def _serverless(scenario: Scenario) -> Serverless | DeployedServerless | None:
    """As it is emulated, or was deployed; None: an endpoint of the user's, which nothing here describes."""
    if scenario.target.endpoint is None:
        return scenario.target.emulated.serverless
    return None if scenario.deploy is None else scenario.deploy.serverless or DeployedServerless()


def _environment(scenario: Scenario) -> str | Unknown:
    if scenario.target.endpoint is None:
        return Unknown("an emulated endpoint has no container")
    return Unknown("the endpoint is used as it is")


def _per_hour(scenario: Scenario, price: float | None, count: int | Unknown) -> float | Unknown:
    if scenario.target.kind == "serverless":
        return Unknown("a serverless endpoint costs by inference")
    if isinstance(count, Unknown):
        return count
    return Unknown(NO_PRICE) if price is None else price * count


def _mean(runs: Sequence[Figures], of: Callable[[Figures], float | None], metric: str) -> float | Unknown:
    known = [value for one in runs if (value := of(one)) is not None]
    return math.fsum(known) / len(known) if known else Unknown(f"CloudWatch has no {metric} of it")
