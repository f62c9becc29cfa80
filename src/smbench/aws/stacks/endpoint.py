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
from smbench.stack.template import VARIANT

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


async def require_changeable(
    clients: AwsClients, name: str, endpoint: str, kind: str, instance: str | None = None
) -> None:
    """Refuse what AWS would refuse after minutes, and roll back, or not see at all.

    Args:
        instance: The type that its instances shall have, where they scale.

    Raises:
        TargetError: the endpoint was deleted behind its stack's back, has instances and shall be serverless, or scales
            and shall have instances of another type.
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
    destroy = f"`smbench destroy {name}` first, or take another NAME"
    if kind == "serverless" and any("CurrentServerlessConfig" not in one for one in variants):
        raise TargetError(
            f"the endpoint {endpoint} has instances, and AWS cannot change such an endpoint to serverless", destroy
        )
    if instance is None:
        return
    now = await _scaled_instance(clients, endpoint, described["EndpointConfigName"])
    if now not in (None, instance):
        raise TargetError(
            f"the endpoint {endpoint} scales on {now}, and AWS cannot change the instance type of such an endpoint",
            destroy,
        )


async def _scaled_instance(clients: AwsClients, endpoint: str, config_name: str) -> str | None:
    """The instances' type of an endpoint that scales; None where it does not, or where that may not be read."""
    about = {"ServiceNamespace": "sagemaker", "ResourceIds": [f"endpoint/{endpoint}/variant/{VARIANT}"]}
    try:
        if not (await clients.autoscaling.describe_scalable_targets(**about))["ScalableTargets"]:
            return None
        config = await clients.sagemaker.describe_endpoint_config(EndpointConfigName=config_name)
    except (ClientError, *NO_ANSWER):
        return None
    return next((one.get("InstanceType") for one in config["ProductionVariants"]), None)


async def _described(clients: AwsClients, endpoint: str) -> dict[str, Any]:
    try:
        described: dict[str, Any] = await clients.sagemaker.describe_endpoint(EndpointName=endpoint)
    except (ClientError, *NO_ANSWER):
        return {}
    return described
