"""What a stack would leave behind: objects in its bucket, every version of them, and whatever carries its tag."""

from typing import Any

import anyio
from botocore.exceptions import ClientError

from smbench.aws.access.causes import NO_ANSWER, code_of, reason_of
from smbench.aws.access.clients import AwsClients
from smbench.errors import TargetError
from smbench.pricing.table import current_prices
from smbench.stack.template import TAG

_LOOKS, _APART_S = 6, 5.0  # the tag search knows of a deletion after a while


async def bucket_of(clients: AwsClients, stack_id: str) -> str | None:
    """The stack's bucket; None where it has none any more."""
    with clients.explained("list the resources of the stack"):
        answer = await clients.cloudformation.describe_stack_resources(StackName=stack_id)
    names = [
        one["PhysicalResourceId"]
        for one in answer["StackResources"]
        if one["ResourceType"] == "AWS::S3::Bucket"
        and one["ResourceStatus"] != "DELETE_COMPLETE"
        and one.get("PhysicalResourceId")
    ]
    return names[0] if names else None


async def empty(clients: AwsClients, bucket: str) -> int:
    """Delete every version of every object, and how many objects had any. A bucket that is gone is empty."""
    n_deleted, last = 0, ""
    with clients.explained(f"empty the bucket {bucket} (s3:ListBucketVersions, s3:DeleteObjectVersion)"):
        try:
            async for page in clients.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
                shown = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in shown]
                if objects:
                    wanted = {"Objects": objects, "Quiet": True}
                    answer = await clients.s3.delete_objects(Bucket=bucket, Delete=wanted)
                    for kept in answer.get("Errors", ()):
                        why = f"{kept['Key']}, {kept.get('Code')}: {kept.get('Message')}"
                        raise TargetError(f"not all objects in the bucket {bucket} could be deleted: {why}")
                keys = {one["Key"] for one in shown}
                n_deleted += len(keys - {last})  # a page may end amid the versions of an object
                last = max(keys, default=last)
        except ClientError as error:
            if code_of(error) != "NoSuchBucket":
                raise
    return n_deleted


async def tagged(clients: AwsClients, name: str) -> list[str]:
    """ARNs of what still carries the stack's tag, once the search has had time to notice what was deleted."""
    wanted: dict[str, Any] = {"TagFilters": [{"Key": TAG, "Values": [name]}]}
    found: list[str] = []
    for look in range(_LOOKS):
        with clients.explained("search for what carries the tag"):
            pages = clients.tagging.get_paginator("get_resources").paginate(**wanted)
            found = [one["ResourceARN"] async for page in pages for one in page["ResourceTagMappingList"]]
        if not found or clients.is_loopback:
            break
        if look < _LOOKS - 1:
            await anyio.sleep(_APART_S)
    return found


async def cost_of_leaving(clients: AwsClients, arn: str) -> str:
    """What something costs an hour while it is there, in words: endpoints by their instances, all else by use."""
    kind, _, name = arn.rpartition(":")[2].partition("/")
    if f":{kind}/" not in arn or kind != "endpoint":
        return "costs nothing by the hour"
    try:
        described = await clients.sagemaker.describe_endpoint(EndpointName=name)
        config = await clients.sagemaker.describe_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
    except (ClientError, *NO_ANSWER) as error:
        return f"cost not known ({reason_of(error)})"
    prices, usd = current_prices(), 0.0
    made = {one["VariantName"]: one for one in config["ProductionVariants"]}
    for fleet in described.get("ProductionVariants", []):
        if serverless := fleet.get("CurrentServerlessConfig"):
            what, per = "ProvisionedConcurrency", prices.per.get("serverless.provisioned_gb_second")
            n = 3600 * serverless["MemorySizeInMB"] / 1024 * serverless.get("ProvisionedConcurrency", 0)
        else:
            what = made[fleet["VariantName"]].get("InstanceType", "its instances")
            per, n = prices.instance_hour.get(what), fleet.get("CurrentInstanceCount", 0)
        if n and per is None:
            return f"cost not known (no list price of {what})"
        usd += n * (per or 0.0)
    return f"{usd:.2f} USD an hour (list prices, {prices.source})"
