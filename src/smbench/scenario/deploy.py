"""What `smbench deploy` brings up: model, endpoint and scaling, as a scenario's `deploy` section describes them."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from smbench.scenario.serverless import CONCURRENCY_MAX, MEMORIES_MB
from smbench.scenario.values.quantities import Number, Seconds, Switch, Whole
from smbench.scenario.values.record import Part

STACK_NAME = r"[a-z][a-z0-9-]{0,39}"  # in the names of stack, endpoint, bucket and roles, the longest of which has 64
INSTANCES_MAX = 1000

_Instances = Annotated[Whole, Field(ge=1, le=INSTANCES_MAX)]
_EXPECTED_S3 = {"patternErrorMessage": "must be an object in S3 such as s3://bucket/model.tar.gz"}
_EXPECTED_TYPE = {"patternErrorMessage": "must be an instance type such as ml.m5.xlarge"}


class DeployedModel(Part):
    """A container with its artifact, or a model that exists already."""

    name: str | None = Field(
        default=None,
        min_length=1,
        max_length=63,
        description="Name of a SageMaker model that exists. Nothing else is given beside it.",
    )
    image: (
        Annotated[
            str,
            Field(pattern=r"^\S+$", max_length=255, json_schema_extra={"patternErrorMessage": "must have no space"}),
        ]
        | None
    ) = Field(default=None, description="Address of the container's image, in ECR.")
    folder: str | None = Field(
        default=None,
        min_length=1,
        description=(
            "A folder beside the scenario file with `code/inference.py`. smbench packs it as model.tar.gz and "
            "uploads it."
        ),
    )
    artifact: (
        Annotated[str, Field(pattern=r"^s3://[!-.0-~]+/[ -~]+$", max_length=1024, json_schema_extra={**_EXPECTED_S3})]
        | None
    ) = Field(default=None, description="A model.tar.gz that is in S3 already, such as `s3://bucket/model.tar.gz`.")
    environment: dict[str, str] = Field(
        default={},
        max_length=100,
        description="Environment variables of the container, such as `{OMP_NUM_THREADS: '2'}`.",
    )

    @model_validator(mode="after")
    def _one_model(self) -> Self:
        made = [self.image, self.folder, self.artifact, *self.environment]
        if self.name is not None and any(value is not None for value in made):
            raise ValueError("a model that exists is used as it is: with name, nothing else can be given")
        if self.folder is not None and self.artifact is not None:
            raise ValueError("must name one of folder and artifact")
        return self


class DeployedScaling(Part):
    """Between how many instances the endpoint scales, and by what."""

    min: Whole = Field(
        default=0, ge=0, le=INSTANCES_MAX, description="The fewest instances. Only an asynchronous endpoint can have 0."
    )
    max: _Instances = Field(default=2, description="The most instances.")
    target: Annotated[Number, Field(gt=0, le=1e6)] = Field(
        default=5.0,
        description=(
            "TargetValue of target tracking. async: backlog per instance; realtime: invocations per instance "
            "and minute."
        ),
    )
    out_cooldown: Seconds = Field(default=60.0, description="ScaleOutCooldown of target tracking, in whole seconds.")
    in_cooldown: Seconds = Field(default=300.0, description="ScaleInCooldown of target tracking, in whole seconds.")
    wake_cooldown: Seconds = Field(
        default=300.0,
        description="Cooldown of the step policy that wakes an asynchronous endpoint from zero, in whole seconds.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _check_scaling(self, "out_cooldown", "in_cooldown", "wake_cooldown")
        return self


class DeployedProvisionedScaling(Part):
    """Between how many provisioned environments a serverless endpoint scales, and by what."""

    min: Whole = Field(default=1, ge=1, le=CONCURRENCY_MAX, description="The fewest provisioned environments.")
    max: Whole = Field(default=10, ge=1, le=CONCURRENCY_MAX, description="The most of them, at most `max_concurrency`.")
    target: Annotated[Number, Field(gt=0, le=1)] = Field(
        default=0.7,
        description="TargetValue of target tracking: requests at work over provisioned environments, at most 1.",
    )
    out_cooldown: Seconds = Field(default=60.0, description="ScaleOutCooldown of target tracking, in whole seconds.")
    in_cooldown: Seconds = Field(default=300.0, description="ScaleInCooldown of target tracking, in whole seconds.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _check_scaling(self, "out_cooldown", "in_cooldown")
        return self


def _check_scaling(scaling: DeployedScaling | DeployedProvisionedScaling, *cooldowns: str) -> None:
    if scaling.min > scaling.max:
        raise ValueError(f"min {scaling.min} is above max {scaling.max}")
    for name in cooldowns:
        if getattr(scaling, name) != int(getattr(scaling, name)):
            raise ValueError(f"{name} must be whole seconds: AWS takes no fraction here")


class DeployedServerless(Part):
    """ServerlessConfig of the endpoint."""

    memory: Whole = Field(default=2048, description="MemorySizeInMB: 1024, 2048, 3072, 4096, 5120 or 6144.")
    max_concurrency: Whole = Field(
        default=20,
        ge=1,
        le=CONCURRENCY_MAX,
        description="MaxConcurrency: requests at once. AWS throttles further ones.",
    )
    provisioned: Whole = Field(
        default=0,
        ge=0,
        le=CONCURRENCY_MAX,
        description="ProvisionedConcurrency: environments that are always warm. 0: none.",
    )
    scaling: DeployedProvisionedScaling | None = Field(
        default=None, description="Scalable target and target tracking of `provisioned`. Default: none."
    )

    @model_validator(mode="after")
    def _as_aws_takes_it(self) -> Self:
        if self.memory not in MEMORIES_MB:
            raise ValueError(f"memory must be one of {', '.join(map(str, MEMORIES_MB))}: AWS has no other memory size")
        if self.provisioned > self.max_concurrency:
            raise ValueError(f"provisioned {self.provisioned} is above max_concurrency {self.max_concurrency}")
        if self.scaling is not None:
            self._check_bounds(self.scaling)
        return self

    def _check_bounds(self, scaling: DeployedProvisionedScaling) -> None:
        if not self.provisioned:
            raise ValueError("scaling needs provisioned of at least 1: AWS scales only what is provisioned already")
        if scaling.max > self.max_concurrency:
            raise ValueError(f"scaling.max {scaling.max} is above max_concurrency {self.max_concurrency}")
        if not scaling.min <= self.provisioned <= scaling.max:
            bounds = f"scaling.min {scaling.min} to scaling.max {scaling.max}"
            raise ValueError(f"provisioned {self.provisioned} is not within {bounds}")


class Deploy(Part):
    """A whole benchmark stack: `smbench deploy` makes it, `smbench destroy` removes it."""

    kind: Literal["async", "serverless", "realtime"] = Field(default="async", description="Kind of endpoint.")
    model: DeployedModel = Field(default=DeployedModel(), description="The model that it serves.")
    instance: Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9-]+$", json_schema_extra={**_EXPECTED_TYPE})] = (
        Field(default="ml.m5.xlarge", description="Instance type. Not serverless.")
    )
    instance_hour: Annotated[Number, Field(gt=0, le=10_000)] | None = Field(
        default=None,
        description="USD that one instance costs an hour. Default: the list price, which `smbench prices` shows.",
    )
    instances: _Instances = Field(default=1, description="Instances at the beginning. Not serverless.")
    concurrency: Annotated[Whole, Field(ge=1, le=1000)] | None = Field(
        default=None,
        description=(
            "MaxConcurrentInvocationsPerInstance: requests that one instance works on at once. Only async; "
            "default: SageMaker chooses."
        ),
    )
    include_response: Switch = Field(
        default=False, description="SageMaker puts the result into the success notice, too. Only async."
    )
    routing: Literal["LEAST_OUTSTANDING_REQUESTS", "RANDOM"] | None = Field(
        default=None, description="RoutingStrategy: how SageMaker chooses an instance. Only realtime."
    )
    scaling: DeployedScaling | None = Field(
        default=None,
        description="Scaling of instances. Default: 0 to 2 instances for async, none for realtime.",
    )
    serverless: DeployedServerless | None = Field(
        default=None, description="ServerlessConfig of a serverless endpoint."
    )

    @property
    def scales(self) -> DeployedScaling | None:
        """The scaling of instances that holds: what is given, or an asynchronous endpoint's default."""
        return self.scaling or (DeployedScaling() if self.kind == "async" else None)

    @property
    def scales_provisioned(self) -> DeployedProvisionedScaling | None:
        """The scaling of provisioned concurrency."""
        return None if self.serverless is None else self.serverless.scaling

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        only = {"concurrency": "async", "include_response": "async", "routing": "realtime", "serverless": "serverless"}
        for name, kind in only.items():
            if getattr(self, name) and self.kind != kind:
                raise ValueError(f"{name} belongs to an endpoint of kind {kind}, and this one is {self.kind}")
        if self.kind == "serverless" and self.scaling is not None:
            raise ValueError(
                "a serverless endpoint has no instances to scale: serverless.scaling scales what is provisioned"
            )
        for name in ("instance", "instance_hour", "instances"):
            is_said = getattr(self, name) != type(self).model_fields[name].default  # a manifest writes defaults out
            if self.kind == "serverless" and is_said:
                raise ValueError(f"{name} belongs to an endpoint with instances, and this one is serverless")
        scaling = self.scales
        if scaling is not None and self.kind == "realtime" and scaling.min == 0:
            raise ValueError("scaling.min must be at least 1: only an asynchronous endpoint wakes from zero instances")
        if scaling is not None and self.instances > scaling.max:
            raise ValueError(f"instances {self.instances} is above scaling.max {scaling.max}")
        return self


def is_stack_name(name: str) -> bool:
    """Whether a stack can have this name: at most 40 small letters, digits and dashes, a letter first."""
    return re.fullmatch(STACK_NAME, name) is not None
