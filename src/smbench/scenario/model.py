"""The scenario: everything a run is, fixed before it starts. Frozen, comparable, written into the manifest."""

from typing import Literal, Self

from pydantic import Field, model_validator

from smbench.scenario.emulated import Emulated
from smbench.scenario.phases import Phase
from smbench.scenario.quantities import Bytes, PositiveSeconds, Seconds, Share
from smbench.scenario.record import Part

BODY_MAX_BYTES = 128_000  # InvokeEndpointAsync.Body: bytes, not KiB (botocore service model 1.44.5)


class Target(Part):
    """What is measured: a real endpoint by name, or the emulated one."""

    kind: Literal["async"] = "async"
    endpoint: str | None = Field(default=None, pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$")
    variant: str | None = Field(default=None, description="whose instances are watched; default: the only one")
    emulated: Emulated = Emulated()

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if self.endpoint is not None and "emulated" in self.model_fields_set:
            raise ValueError("name a real endpoint or describe an emulated one, not both")
        return self


class Retry(Part):
    """Retries of the submission, by us and counted. Off by default: the call is not idempotent."""

    attempts: int = Field(default=1, ge=1, le=20, description="tries in all")
    on: tuple[Literal["throttle", "server_error", "transport_error"], ...] = ("throttle", "server_error")
    backoff: Seconds = Field(default=0.5, description="before the second try; doubled each time, with full jitter")


class Request(Part):
    """What every InvokeEndpointAsync carries; a JSON-lines payload may say otherwise for itself."""

    ttl: PositiveSeconds | None = Field(default=None, ge=60, le=21600, description="RequestTTLSeconds; AWS: 6 h")
    timeout: PositiveSeconds | None = Field(
        default=None, ge=1, le=3600, description="InvocationTimeoutSeconds; AWS: 15 min"
    )
    content_type: str | None = Field(default=None, max_length=1024)
    accept: str | None = Field(default=None, max_length=1024)
    custom_attributes: str | None = Field(default=None, max_length=1024)
    retry: Retry = Retry()


class PayloadSet(Part):
    """One ingredient of a mix: files, or JSON lines of invoke arguments, or bytes made to size."""

    name: str = Field(default="", pattern=r"^[A-Za-z0-9._-]*$", description="the payload class")
    files: tuple[str, ...] = Field(default=(), description="paths and globs beside the scenario file")
    lines: str | None = Field(default=None, description="JSON lines, each the arguments of one invocation")
    synthetic: Bytes | None = Field(default=None, description="one JSON document of this size")
    weight: float = Field(default=1.0, gt=0)
    content_type: str | None = Field(default=None, max_length=1024)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        named = [bool(self.files), self.lines is not None, self.synthetic is not None]
        if sum(named) != 1:
            raise ValueError("name exactly one of files, lines and synthetic")
        return self


class Payloads(Part):
    """What is sent. Without any source, a synthetic JSON document of 1 KiB."""

    files: tuple[str, ...] = ()
    lines: str | None = None
    synthetic: Bytes | None = None
    mix: tuple[PayloadSet, ...] = ()
    inline: bool = Field(default=False, description="send the bytes as Body, at most 128,000, instead of through S3")
    unique: bool = Field(default=False, description="a different object for each request, so that no cache can help")
    prefix: str | None = Field(
        default=None,
        pattern=r"^s3://[^/]+(/.*)?$",
        description="where inputs go; default: beside the endpoint's output",
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        named = [bool(self.files), self.lines is not None, self.synthetic is not None, bool(self.mix)]
        if sum(named) > 1:
            raise ValueError("name one of files, lines, synthetic and mix")
        return self

    @property
    def sets(self) -> tuple[PayloadSet, ...]:
        """The mix; a single source is a mix of one."""
        if self.mix:
            return self.mix
        if self.files:
            return (PayloadSet(files=self.files),)
        if self.lines is not None:
            return (PayloadSet(lines=self.lines),)
        return (PayloadSet(synthetic=1024 if self.synthetic is None else self.synthetic),)


class Limits(Part):
    """Where the run stops by itself, and what the client may hold at once."""

    in_flight: int = Field(default=1000, ge=1, le=100_000, description="unanswered submissions; beyond it we drop")
    errors: Share | None = Field(default=None, description="stop sending when this share of answers is errors")
    errors_after: int = Field(default=50, ge=1, description="answers before the error share counts")
    requests: int | None = Field(default=None, ge=1, description="stop sending after this many requests")
    time: PositiveSeconds | None = Field(default=None, description="stop sending after this long")


class Collector(Part):
    """How ends are heard."""

    queue: str | None = Field(default=None, description="URL of an existing queue; default: one of our own")
    receivers: int = Field(default=4, ge=1, le=64, description="overlapping long polls")


class Seeds(Part):
    """A seed for one dimension alone; those not given follow from the scenario's."""

    arrivals: int | None = Field(default=None, ge=0)
    payloads: int | None = Field(default=None, ge=0)
    service: int | None = Field(default=None, ge=0)
    capacity: int | None = Field(default=None, ge=0)
    faults: int | None = Field(default=None, ge=0)


class Scenario(Part):
    """A question put to an endpoint."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="lower case, digits and dashes")
    description: str = ""
    seed: int = Field(default=1, ge=0)
    seeds: Seeds = Seeds()
    target: Target = Target()
    payloads: Payloads = Payloads()
    request: Request = Request()
    load: tuple[Phase, ...] = Field(min_length=1)
    drain: Seconds = Field(default=1200.0, description="after the last send, wait this long for ends")
    limits: Limits = Limits()
    collector: Collector = Collector()
    gauges_every: PositiveSeconds = Field(default=10.0, description="between two looks at the endpoint")
    thresholds: tuple[str, ...] = Field(default=(), description="`sojourn_p95 < 8m`, `expired == 0`")

    def seed_of(self, dimension: str) -> int:
        """The seed of one dimension (a field of `Seeds`): its own, or the scenario's."""
        own: int | None = getattr(self.seeds, dimension)
        return self.seed if own is None else own
