"""Where a run reads and writes: the buckets, and whether objects may be put and read, without leaving any."""

from botocore.exceptions import ClientError

from smbench.account.questions import ALLOW, Question, Seen
from smbench.aws.access.causes import code_of
from smbench.aws.access.clients import AwsClients
from smbench.aws.endpoint.description import TargetFound
from smbench.aws.setup.uploads import input_prefix
from smbench.errors import TargetError
from smbench.findings import Verdict
from smbench.generator.plan import RunPlan

_UNKNOWN_NAME = "smbench-doctor"  # a key, and an upload, that do not exist


def uploads_to(plan: RunPlan, found: TargetFound) -> str | None:
    """The prefix in S3 below which the run puts its inputs; None: it puts none, or it is not said where."""
    payloads = plan.scenario.payloads
    is_uploading = any(payload.body is not None or payloads.unique for payload in plan.payloads)
    if found.kind != "async" or payloads.inline or not is_uploading:
        return None
    if payloads.prefix is not None:
        return payloads.prefix
    return None if found.output_path is None else input_prefix(found.output_path)


def bucket_of(place: str) -> str:
    """The bucket of `s3://bucket/folder`."""
    return place.removeprefix("s3://").partition("/")[0]


def folder_of(place: str) -> str:
    """The key below which `s3://bucket/folder` is, with its slash; empty for the whole bucket."""
    folder = place.removeprefix("s3://").partition("/")[2].strip("/")
    return f"{folder}/" if folder else ""


def place_questions(clients: AwsClients, plan: RunPlan, found: TargetFound) -> list[Question]:
    """What is asked of S3; nothing for an endpoint whose bodies go with the call."""
    inputs = uploads_to(plan, found)
    reads = [place for place in (found.output_path, found.failure_path) if place]
    buckets = dict.fromkeys(bucket_of(place) for place in (*reads, inputs) if place)
    questions = [_region(clients, bucket) for bucket in buckets]
    questions += [_read(clients, place) for place in dict.fromkeys(reads)]
    return [*questions, *([] if inputs is None else [_write(clients, inputs)])]


def _region(clients: AwsClients, bucket: str) -> Question:
    async def ask() -> Seen:
        with clients.explained(f"look at the bucket {bucket} (s3:ListBucket)"):
            try:
                answer = await clients.s3.head_bucket(Bucket=bucket)
            except ClientError as error:
                if code_of(error) in ("404", "NoSuchBucket"):
                    raise TargetError(
                        f"there is no bucket {bucket}", "create it, or correct the endpoint's paths"
                    ) from error
                raise
        region = answer.get("BucketRegion") or answer["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region")
        if region and region != clients.region:
            return Seen(
                f"{bucket} is in {region}",
                Verdict.INVALID,
                f"use a bucket in {clients.region}: an asynchronous endpoint reads and writes in its own region",
            )
        return Seen(f"{bucket} is there" + (f", in {region}" if region else ""))

    return Question("bucket", f"it is in {clients.region}", ask, is_optional=True)


def _read(clients: AwsClients, place: str) -> Question:
    async def ask() -> Seen:
        with clients.explained(f"read objects below {place} (s3:GetObject)"):
            try:
                await clients.s3.head_object(Bucket=bucket_of(place), Key=f"{folder_of(place)}{_UNKNOWN_NAME}")
            except ClientError as error:
                if code_of(error) == "403":
                    return Seen(
                        f"an object below {place} that does not exist is answered by 403: s3:GetObject or "
                        "s3:ListBucket is not allowed",
                        Verdict.UNKNOWN,
                        ALLOW,
                    )
                if code_of(error) not in ("404", "NoSuchKey"):
                    raise
        return Seen(f"objects below {place} may be read")

    return Question("outputs", "objects may be read", ask)


def _write(clients: AwsClients, place: str) -> Question:
    """A part of an upload that was never begun: refused for that reason alone where writing is allowed."""

    async def ask() -> Seen:
        with clients.explained(f"put objects below {place} (s3:PutObject)"):
            try:
                await clients.s3.upload_part(
                    Bucket=bucket_of(place),
                    Key=f"{folder_of(place)}{_UNKNOWN_NAME}",
                    UploadId=_UNKNOWN_NAME,
                    PartNumber=1,
                    Body=b"",
                )
            except ClientError as error:
                if code_of(error) != "NoSuchUpload":
                    raise
        return Seen(f"objects may be put below {place}")

    return Question("inputs", "objects may be put", ask)
