"""The endpoint of a benchmark's stack, found by the stack's name."""

from typing import Literal

import anyio

from smbench.api.loops import outside_loops
from smbench.api.scenarios import with_endpoint
from smbench.aws.access.clients import DEPLOYING, AwsClients, AwsSettings
from smbench.aws.stacks.stack import ours
from smbench.errors import TargetError, UsageError
from smbench.processes.interrupts import Interrupts
from smbench.scenario.deploy import is_stack_name
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

    return outside_loops(lambda: anyio.run(looked_up), Interrupts())


def aimed(
    scenario: Scenario,
    endpoint: str | None,
    stack: str | None,
    *,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
) -> Scenario:
    """The scenario against what the caller names, an endpoint or a benchmark's stack; as it is where that is neither.

    Raises:
        UsageError: both are named, or the stack's name cannot be a benchmark's.
        TargetError: there is no such stack, or it is not whole.
    """
    if stack is None:
        return with_endpoint(scenario, endpoint)
    if endpoint is not None:
        raise UsageError("--endpoint and --stack both name what is measured", "give one of them")
    name, kind = deployed_endpoint(stack, region=region, profile=profile, endpoint_url=endpoint_url)
    return with_endpoint(scenario, name, kind)


def check_name(name: str) -> None:
    """Raises UsageError: it cannot be a benchmark's."""
    if not is_stack_name(name):
        raise UsageError(f"{name} cannot be a stack's name", "at most 40 small letters, digits, dashes; a letter first")
