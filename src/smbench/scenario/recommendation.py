"""What `smbench recommend` asks of Inference Recommender beyond its default: traffic, where it stops, what is tried."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from smbench.scenario.deploy import DeployedServerless
from smbench.scenario.values.quantities import PositiveSeconds, Whole
from smbench.scenario.values.record import Part

_Count = Annotated[Whole, Field(ge=1)]
_Values = Annotated[tuple[str, ...], Field(min_length=1, max_length=3)]


class UserPhase(Part):
    """Users who send one request after another."""

    users: _Count = Field(default=1, description="how many there are when it begins")
    spawn: Annotated[Whole, Field(ge=0)] = Field(default=1, description="how many join in a minute")
    for_s: PositiveSeconds = Field(alias="for", description="how long it lasts, whole seconds")


class UserStairs(Part):
    """More users at each step."""

    steps: _Count = Field(description="how many")
    users: Annotated[Whole, Field(ge=1, le=3)] = Field(default=1, description="how many join at each")
    for_s: PositiveSeconds = Field(alias="for", description="how long each lasts, whole seconds")


class StopAt(Part):
    """Where a test ends early."""

    invocations: _Count | None = Field(default=None, description="requests a minute that are enough")
    percentile: Literal["P50", "P90", "P95", "P99", "P100"] = Field(default="P95", description="of the model's latency")
    latency: PositiveSeconds | None = Field(default=None, description="at which that percentile is too long")
    flat: Literal["continue", "stop"] = Field(default="stop", description="when more users bring no more requests")


class Candidate(Part):
    """One kind of endpoint to try."""

    instance: str | None = Field(default=None, pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$", description="its type")
    serverless: DeployedServerless | None = Field(default=None, description="instead of an instance")
    environment: Annotated[dict[str, _Values], Field(max_length=5)] = Field(
        default={}, description="variables of the container, each with up to three values; all combinations are tried"
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.instance is None) == (self.serverless is None):
            raise ValueError("must have either instance or serverless")
        if self.serverless is not None and self.serverless.scaling is not None:
            raise ValueError("serverless.scaling means nothing here: Inference Recommender tries fixed sizes")
        return self


class RecommendationAsk(Part):
    """An Advanced job. Without phases and stairs its traffic is Inference Recommender's own."""

    candidates: Annotated[tuple[Candidate, ...], Field(min_length=1, max_length=10)]
    phases: tuple[UserPhase, ...] = Field(default=(), description="traffic, one after another")
    stairs: UserStairs | None = Field(default=None, description="traffic, instead")
    stop: StopAt | None = Field(default=None, description="where a test ends early")
    for_s: PositiveSeconds | None = Field(default=None, alias="for", description="the job lasts no longer")
    tests: _Count | None = Field(default=None, description="at most so many")
    parallel: _Count | None = Field(default=None, description="at most so many at once")

    @model_validator(mode="after")
    def _one_traffic(self) -> Self:
        if self.phases and self.stairs is not None:
            raise ValueError("must have either phases or stairs")
        return self
