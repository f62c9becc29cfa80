"""What a stack would leave behind: objects in its bucket, every version of them, and whatever carries its tag."""

from typing import Any

import anyio
from botocore.exceptions import ClientError

from smbench.aws.access.causes import code_of
from smbench.aws.access.clients import AwsClients
from smbench.errors import TargetError
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
    """Delete every version of every object; how many. A bucket that is gone is empty."""
    n_deleted = 0
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
                n_deleted += len(objects)
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
