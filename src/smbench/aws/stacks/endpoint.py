"""A stack's endpoint before the stack is changed: while it changes by itself, AWS refuses every change of it."""

import datetime
from typing import Any

import anyio
from botocore.exceptions import ClientError

from smbench.aws.access.causes import NO_ANSWER
from smbench.aws.access.clients import AwsClients
from smbench.aws.access.refusals import told_by
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


async def require_changeable(clients: AwsClients, name: str, endpoint: str, kind: str) -> None:
    """Refuse what AWS would refuse after minutes, and roll back, or not see at all.

    Raises:
        TargetError: the endpoint was deleted behind its stack's back, or has instances and shall be serverless.
    """
    try:
        described = await clients.sagemaker.describe_endpoint(EndpointName=endpoint)
    except (ClientError, *NO_ANSWER) as error:
        if isinstance(error, ClientError) and "Could not find endpoint" in told_by(error):
            raise TargetError(
                f"the endpoint {endpoint} was deleted outside of its stack",
                f"`smbench destroy {name}`, then deploy again",
            ) from error
        return
    variants = described.get("ProductionVariants", [])
    if kind == "serverless" and any("CurrentServerlessConfig" not in one for one in variants):
        raise TargetError(
            f"the endpoint {endpoint} has instances, and AWS cannot change such an endpoint to serverless",
            f"`smbench destroy {name}` first, or take another NAME",
        )


async def _described(clients: AwsClients, endpoint: str) -> dict[str, Any]:
    try:
        described: dict[str, Any] = await clients.sagemaker.describe_endpoint(EndpointName=endpoint)
    except (ClientError, *NO_ANSWER):
        return {}
    return described
