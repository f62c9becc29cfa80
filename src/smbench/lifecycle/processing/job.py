"""A processing job as SageMaker is asked for it: whose role, which image, how many hosts, and what is put into them."""

import datetime
import math
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from smbench.aws.access.roles import check_role
from smbench.aws.setup.s3_place import split_location
from smbench.errors import UsageError
from smbench.generator.plan import RunPlan
from smbench.pricing.table import PriceTable, current_prices
from smbench.records import Unknown
from smbench.units import duration, usd
from smbench.version import __version__

_ML = "/opt/ml/processing/input"
CODE, FILES = "code", "files"
_ENTRY = ("entry.sh", "entry.py")
_VOLUME_GB = 10
_SPARE_S = 3600.0  # for the image, the installing and the end
_LONGEST_S = 777_600  # of MaxRuntimeInSeconds
_NAME_MAX = 63
_IMAGE_URI = re.compile(r"(?!\w+://)\w[\w.:/@-]{0,254}", re.ASCII)
_INSTANCE_TYPE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9-]+")
# SageMaker's scikit-learn image with Python 3.12: its account by region, from the SageMaker SDK's tables.
_REGISTRIES = {
    "us-east-1": "683313688378",
    "us-west-2": "246618743249",
    "eu-west-1": "141502667606",
    "eu-central-1": "492215442770",
}
_IMAGE = "sagemaker-scikit-learn:1.4-2-py312-cpu-py3"


@dataclass(frozen=True, slots=True)
class JobWanted:
    """What a person says of a job.

    Args:
        role: Its ARN.
        image: With Python 3.11 or later; None: SageMaker's own, where its registry is known.
        place: `s3://bucket/prefix` for the order and what comes of it; None: in SageMaker's default bucket.
        n_hosts: One shard each.

    Raises:
        UsageError: the role, the image, the instance type or the place is none, by its looks.
    """

    role: str
    image: str | None = None
    instance_type: str = "ml.m5.xlarge"
    place: str | None = None
    n_hosts: int = 1

    def __post_init__(self) -> None:
        check_role(self.role)
        if self.image is not None and not _IMAGE_URI.fullmatch(self.image):
            raise UsageError(
                f"--image {self.image} is not the URI of an image",
                "it looks like 123456789012.dkr.ecr.REGION.amazonaws.com/NAME:TAG, with Python 3.11 or newer",
            )
        if not _INSTANCE_TYPE.fullmatch(self.instance_type):
            raise UsageError(
                f"--instance-type {self.instance_type} is none of SageMaker's", "it looks like ml.m5.xlarge"
            )
        if self.place is not None:
            split_location(self.place)


def job_name(plan: RunPlan, now: datetime.datetime) -> str:
    """Names the job, and the order's folder in the default bucket."""
    stamp = f"-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"  # two may be started in one second
    return f"smbench-{plan.scenario.name}"[: _NAME_MAX - len(stamp)].rstrip("-") + stamp


def image_of(wanted: JobWanted, region: str) -> str:
    """The image that the job is started with.

    Raises:
        UsageError: none was named, and SageMaker's is not known in this region.
    """
    if wanted.image is not None:
        return wanted.image
    if region not in _REGISTRIES:
        raise UsageError(
            f"smbench knows no image for a job in {region}", "name one with Python 3.11 or later: --image URI"
        )
    return _own_image(region)


def own_images() -> list[str]:
    """The images that jobs are started with where none is named, of every region that has one."""
    return [_own_image(region) for region in _REGISTRIES]


def _own_image(region: str) -> str:
    return f"{_REGISTRIES[region]}.dkr.ecr.{region}.amazonaws.com/{_IMAGE}"


def request_of(
    wanted: JobWanted, name: str, place: str, plan: RunPlan, region: str, endpoint_url: str | None, *, has_files: bool
) -> dict[str, Any]:
    """The parameters of CreateProcessingJob.

    Raises:
        UsageError: as `image_of`.
    """
    return {
        "ProcessingJobName": name,
        "RoleArn": wanted.role,
        "AppSpecification": what_runs(image_of(wanted, region), place, endpoint_url),
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": wanted.n_hosts,
                "InstanceType": wanted.instance_type,
                "VolumeSizeInGB": _VOLUME_GB,
            }
        },
        "ProcessingInputs": inputs_of(place, has_files=has_files),
        "Environment": {"AWS_DEFAULT_REGION": region, "AWS_REGION": region},
        "StoppingCondition": {"MaxRuntimeInSeconds": _longest_s(plan)},
    }


def what_runs(image: str, place: str, endpoint_url: str | None) -> dict[str, Any]:
    """A job's AppSpecification: our entry, started for the order in `place`."""
    others = () if endpoint_url is None else ("--endpoint-url", endpoint_url)
    return {
        "ImageUri": image,
        "ContainerEntrypoint": ["/bin/sh", f"{_ML}/{CODE}/entry.sh"],
        "ContainerArguments": [place, __version__, *others],
    }


def own_entry() -> dict[str, bytes]:
    """What starts in a job's container, by the names of its files."""
    return {name: (files(__package__) / name).read_bytes() for name in _ENTRY}


def inputs_of(place: str, *, has_files: bool) -> list[dict[str, Any]]:
    """A job's ProcessingInputs: the entry and the wheel, and with `has_files` what the scenario names."""
    return [_input(part, place) for part in (CODE, *([FILES] if has_files else []))]


def _input(part: str, place: str) -> dict[str, Any]:
    source = {"S3Uri": f"{place}/{part}/", "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": part, "S3Input": {**source, "LocalPath": f"{_ML}/{part}"}}


def _longest_s(plan: RunPlan) -> int:
    """A job that hangs ends by itself, and is not paid for longer."""
    ends_ns = [span.end_ns for span in plan.schedule.spans]
    known_ns = [end_ns for end_ns in ends_ns if end_ns is not None]
    if len(known_ns) < len(ends_ns):
        return _LONGEST_S
    return min(_LONGEST_S, math.ceil(max(known_ns, default=0) / 1e9 + plan.scenario.drain + _SPARE_S))


def most_usd(plan: RunPlan, instance_type: str, n_hosts: int, prices: PriceTable) -> tuple[float | Unknown, str]:
    """USD that a job's machines may cost at most, and what they are: until SageMaker ends a job that hangs."""
    longest_s, hosts = _longest_s(plan), f"{n_hosts} x {instance_type}"
    what = f"{hosts} of a processing job that SageMaker ends after {duration(longest_s)}"
    hour = prices.instance_hour.get(instance_type)
    if hour is None:
        return Unknown(f"there is no price of {instance_type}: --price {instance_type}=USD gives it"), what
    return hour * n_hosts * longest_s / 3600, what


def price_of(wanted: JobWanted, took_s: float | None = None, prices: Mapping[str, float] | None = None) -> str:
    """In words: an hour of it, or what it cost where it is known how long it took.

    Args:
        prices: USD in the place of list prices.
    """
    table = current_prices().with_own(prices or {})
    hosts = f"{wanted.n_hosts} x {wanted.instance_type}"
    hour = table.instance_hour.get(wanted.instance_type)
    if hour is None:
        return f"{hosts}: its price is not known"
    what = f"{hosts} at the list price of an endpoint's instance ({table.source})"
    if took_s is None:
        return f"{what}: {usd(hour * wanted.n_hosts)} an hour"
    return f"{what}, {duration(took_s)}: {usd(hour * wanted.n_hosts * took_s / 3600)}"
