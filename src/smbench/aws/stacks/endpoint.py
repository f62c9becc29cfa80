"""A stack's endpoint before the stack is changed: while it changes by itself, AWS refuses every change of it."""

import datetime
from typing import Any

import anyio
from botocore.exceptions import ClientError

from smbench.aws.access.causes import NO_ANSWER
from smbench.aws.access.clients import AwsClients
from smbench.aws.stacks.stack import Progress, StackEvent, look_s
from smbench.errors import TargetError

_CHANGING = {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}
_KIND = "AWS::SageMaker::Endpoint"


async def settled(clients: AwsClients, endpoint: str, progress: Progress) -> None:
    """Wait until the endpoint changes no more, as it does after a run while instances leave; nothing where it is not
    there or may not be described."""
    is_said = False
    while (status := (await _described(clients, endpoint)).get("EndpointStatus")) in _CHANGING:
        if not is_said:
            is_said = True
            now = f"{datetime.datetime.now(datetime.UTC):%H:%M:%S}"
            progress(StackEvent(now, f"waiting: {status}", "Endpoint", _KIND, "AWS changes it only when that is over"))
        await anyio.sleep(look_s(clients))


async def require_convertible(clients: AwsClients, name: str, endpoint: str, kind: str) -> None:
    """Refuse what AWS would refuse after minutes, and roll back.

    Raises:
        TargetError: the endpoint has instances, and shall be serverless.
    """
    variants = (await _described(clients, endpoint)).get("ProductionVariants", [])
    if kind == "serverless" and any("CurrentServerlessConfig" not in one for one in variants):
        raise TargetError(
            f"the endpoint {endpoint} has instances, and AWS makes no such endpoint serverless",
            f"`smbench destroy {name}` first, or take another NAME",
        )


async def _described(clients: AwsClients, endpoint: str) -> dict[str, Any]:
    try:
        described: dict[str, Any] = await clients.sagemaker.describe_endpoint(EndpointName=endpoint)
    except (ClientError, *NO_ANSWER):
        return {}
    return described
