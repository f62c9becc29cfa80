"""The endpoint that a scenario is aimed at: by its name or its stack's, and of which kind it is."""

from typing import Literal

from smbench.api.loops import waited_for
from smbench.api.scenarios import Given, with_endpoint
from smbench.aws.access.clients import DEPLOYING, AwsClients, AwsSettings
from smbench.aws.endpoint.description import kind_of
from smbench.aws.stacks.stack import ours
from smbench.errors import TargetError, UsageError
from smbench.scenario.deploy import is_stack_name
from smbench.scenario.load import checked_scenario
from smbench.scenario.model import Scenario
from smbench.stack.template import stack_name

Kind = Literal["async", "serverless", "realtime"]
KINDS: tuple[Kind, ...] = ("async", "serverless", "realtime")


def deployed_endpoint(
    name: str, *, region: str | None = None, profile: str | None = None, endpoint_url: str | None = None
) -> tuple[str, Kind]:
    """Name and kind of a benchmark's endpoint, from the stack's own outputs.

    Raises:
        UsageError: the name cannot be a benchmark's.
        TargetError: there is no such stack, or it is not whole.
    """
    check_name(name)

    async def looked_up() -> tuple[str, Kind]:
        async with AwsClients(AwsSettings(region, profile, endpoint_url, services=DEPLOYING)) as clients:
            found = await ours(clients, name)
        if found is None or "EndpointName" not in found.outputs:
            raise TargetError(f"there is no stack {stack_name(name)} with an endpoint", f"`smbench deploy {name}`")
        (kind,) = [one for one in KINDS if one == found.outputs["EndpointKind"]]
        return found.outputs["EndpointName"], kind

    return waited_for(looked_up)


def aimed(
    given: Given,
    endpoint: str | None,
    stack: str | None,
    *,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
) -> Scenario:
    """The scenario against what the caller names, an endpoint or a benchmark's stack; as it is where that is neither.

    Where it does not say of which kind a real endpoint is, the endpoint is described, and its own kind is taken.

    Raises:
        UsageError: both are named, or the stack's name cannot be a benchmark's.
        TargetError: there is no such stack or endpoint, it takes no requests, or is of another kind than the scenario
            says.
        ScenarioError: the scenario says what means nothing for an endpoint of this kind.
    """
    scenario = given.scenario
    says_kind = "kind" in scenario.target.model_fields_set
    where = {"region": region, "profile": profile, "endpoint_url": endpoint_url}
    if stack is not None:
        if endpoint is not None:
            raise UsageError("--endpoint and --stack both name what is measured", "give one of them")
        name, kind = deployed_endpoint(stack, **where)
        if says_kind and kind != scenario.target.kind:
            raise TargetError(
                f"the stack {stack} has an endpoint of kind {kind}, and target.kind is {scenario.target.kind}",
                f"set target.kind to {kind}, or leave it out",
            )
        scenario = priced(scenario)
    else:
        named = with_endpoint(scenario, endpoint)
        if named.target.endpoint is None or says_kind:
            return named
        name, kind = named.target.endpoint, described_kind(named.target.endpoint, **where)
    fitted = with_endpoint(scenario, name, kind)
    return checked_scenario(fitted, given.origin.base_dir, given.origin.file or "scenario", {"payloads"})


def priced(scenario: Scenario) -> Scenario:
    """With what `deploy` says an instance costs an hour, where `target` does not say it."""
    usd = None if scenario.deploy is None else scenario.deploy.instance_hour
    if usd is None or scenario.target.instance_hour is not None:
        return scenario
    return scenario.model_copy(update={"target": scenario.target.model_copy(update={"instance_hour": usd})})


def described_kind(
    endpoint: str, *, region: str | None = None, profile: str | None = None, endpoint_url: str | None = None
) -> Kind:
    """Of which kind a real endpoint is, by its description.

    Raises:
        TargetError: there is no such endpoint, or it takes no requests.
    """

    async def looked_up() -> str:
        async with AwsClients(AwsSettings(region, profile, endpoint_url)) as clients:
            return await kind_of(clients, endpoint)

    found = waited_for(looked_up)
    return next(kind for kind in KINDS if kind == found)


def check_name(name: str) -> None:
    """Raises UsageError: it cannot be a benchmark's."""
    if not is_stack_name(name):
        raise UsageError(f"{name} cannot be a stack's name", "at most 40 small letters, digits, dashes; a letter first")
