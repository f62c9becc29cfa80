"""A serverless endpoint as a scenario describes it: memory, concurrency, cold starts and how long they are avoided."""

from typing import Self

from pydantic import Field, field_validator, model_validator

from smbench.scenario.values.distributions import Distribution, Lognormal
from smbench.scenario.values.quantities import Seconds, Whole
from smbench.scenario.values.record import Part

MEMORIES_MB = (1024, 2048, 3072, 4096, 5120, 6144)  # MemorySizeInMB takes no other (botocore service model 1.44.8)
CONCURRENCY_MAX = 200


class Serverless(Part):
    """A serverless endpoint: its ServerlessConfig, and what AWS does not publish about cold starts."""

    memory: Whole = Field(default=2048, description="MemorySizeInMB: 1024, 2048, 3072, 4096, 5120 or 6144.")
    measured_at: Whole | None = Field(
        default=None,
        description=(
            "The memory size at which `service` was measured. At another, work takes as many times as long as its "
            "memory is smaller, for AWS gives processors in proportion to memory. Default: it does not matter."
        ),
    )
    needed: Whole = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="MB that a request takes. With less memory the container dies of each, and the answer is 424.",
    )
    max_concurrency: Whole = Field(
        default=20,
        ge=1,
        le=CONCURRENCY_MAX,
        description="MaxConcurrency: requests at once. AWS throttles further ones.",
    )
    provisioned: Whole = Field(
        default=0, ge=0, le=CONCURRENCY_MAX, description="ProvisionedConcurrency: environments that are always warm."
    )
    cold_start: Distribution = Field(
        default=Distribution(lognormal=Lognormal(median=4.0, sigma=0.3)),
        description=(
            "Time from a request that finds no warm environment until a new one serves it. AWS publishes no figure."
        ),
    )
    keep_warm: Seconds = Field(
        default=300.0, description="How long an idle environment stays warm. AWS publishes no figure."
    )

    @property
    def slowness(self) -> float:
        """How many times as long as `service` says work takes with this memory."""
        return 1.0 if self.measured_at is None else self.measured_at / self.memory

    @property
    def has_enough_memory(self) -> bool:
        """For a request."""
        return self.needed <= self.memory

    @field_validator("memory", "measured_at")
    @classmethod
    def _is_a_size(cls, memory: int | None) -> int | None:
        if memory is not None and memory not in MEMORIES_MB:
            raise ValueError(f"must be one of {', '.join(map(str, MEMORIES_MB))}: AWS has no other memory size")
        return memory

    @model_validator(mode="after")
    def _within_the_concurrency(self) -> Self:
        if self.provisioned > self.max_concurrency:
            raise ValueError(f"provisioned {self.provisioned} is above max_concurrency {self.max_concurrency}")
        return self
