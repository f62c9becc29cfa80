"""The scenario as a frozen value: everything a run is, fixed before it starts. Frozen, comparable, written into the
manifest.
"""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from smbench.scenario.deploy import Deploy
from smbench.scenario.emulated import Emulated
from smbench.scenario.phases import REQUESTS_MAX, Phase
from smbench.scenario.thresholds import PATTERN, written_threshold
from smbench.scenario.values.answers import Expect
from smbench.scenario.values.files import ExistingFile, ExistingFiles
from smbench.scenario.values.quantities import Bytes, Number, PositiveSeconds, Seconds, Share, Switch, Whole
from smbench.scenario.values.record import Part

BODY_MAX_BYTES = 128_000  # InvokeEndpointAsync.Body: bytes, not KiB (botocore service model 1.44.5)
# InvokeEndpoint.Body, as the hosting FAQ says it. The API's model has 6,291,456 bytes for both, and enforces nothing.
SYNCHRONOUS_BODY_MAX_BYTES = {"realtime": 25 * 2**20, "serverless": 4 * 2**20}
ANSWER_MAX_S = 60  # a container must answer InvokeEndpoint within this (API reference, InvokeEndpoint)
STREAM_MAX_S = 480  # and in a stream within this (hosting FAQ)
TTL_MIN_S, TTL_MAX_S = 60, 21_600  # RequestTTLSeconds
TIMEOUT_MIN_S, TIMEOUT_MAX_S = 1, 3_600  # InvocationTimeoutSeconds
DEFAULT_TTL_S, DEFAULT_TIMEOUT_S = 21_600.0, 900.0  # InvokeEndpointAsync's own (developer guide, 2026-11)
HEADER_MAX = 1024  # ContentType, Accept, CustomAttributes


def _whole_seconds(seconds: float) -> float:
    if seconds != int(seconds):
        raise ValueError("must be whole seconds: AWS takes no fraction here")
    return seconds


def _readable(text: str) -> str:
    written_threshold(text)
    return text


WholeSeconds = Annotated[PositiveSeconds, AfterValidator(_whole_seconds)]
ThresholdText = Annotated[str, AfterValidator(_readable), WithJsonSchema({"type": "string", "pattern": PATTERN})]
SyntheticBytes = Annotated[Bytes, Field(ge=1, le=2**30)]  # AWS takes inputs up to 1 GiB
Header = Annotated[  # a line break would begin another header, and other letters have no one spelling in bytes
    str,
    Field(
        max_length=HEADER_MAX,
        pattern=r"^[ -~]*$",
        json_schema_extra={"patternErrorMessage": "must be printable ASCII: it travels in an HTTP header"},
    ),
]

JsonPath = Annotated[  # `instances.0.image`
    str,
    Field(
        max_length=256,
        pattern=r"^[^.]+(\.[^.]+)*$",
        json_schema_extra={"patternErrorMessage": "must be keys with dots between them, such as instances.0.image"},
    ),
]

_NAME = r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
Name = Annotated[
    str,
    Field(
        pattern=f"^{_NAME}$",
        json_schema_extra={"patternErrorMessage": "must be a name of SageMaker's: at most 63 letters, digits, dashes"},
    ),
]
_PRINTED = {"patternErrorMessage": "must be printable ASCII that does not begin with a space"}
Printed = Annotated[str, Field(max_length=HEADER_MAX, pattern=r"^[!-~][ -~]*$", json_schema_extra={**_PRINTED})]
Explanations = Annotated[str, Field(max_length=64, pattern=r"^[!-~][ -~]*$", json_schema_extra={**_PRINTED})]


class Target(Part):
    """What is measured: a real endpoint by name, or the emulated one."""

    kind: Literal["async", "serverless", "realtime"] = Field(
        default="async", description="kind of endpoint: async answers through S3 and SNS, the others answer the call"
    )
    endpoint: (
        Annotated[
            str,
            Field(
                pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$",
                json_schema_extra={
                    "patternErrorMessage": "must be an endpoint name: at most 63 letters, digits, dashes"
                },
            ),
        ]
        | None
    ) = Field(default=None, description="name of a real endpoint; leave it out to use the emulated one")
    variant: str | None = Field(default=None, description="whose instances are watched; default: the only one")
    instance_hour: Annotated[Number, Field(gt=0, le=10_000)] | None = Field(
        default=None, description="USD an hour of one instance costs; with it the report says what the run cost"
    )
    emulated: Emulated = Field(default=Emulated(), description="the emulated endpoint, when no real one is named")

    @property
    def is_synchronous(self) -> bool:
        """Whether the call itself brings the answer."""
        return self.kind != "async"

    @model_serializer(mode="wrap")
    def _only_what_is_meant(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        if self.endpoint is not None:
            written.pop("emulated", None)  # a default nobody asked for; with it the target could not be read back
        return written

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if self.endpoint is not None and "emulated" in self.model_fields_set:
            raise ValueError("must name a real endpoint or describe an emulated one, not both")
        return self


_AS_THE_SDK: dict[str, dict[str, Any]] = {
    mode: {"attempts": attempts, "on": ("throttle", "server_error", "transport_error"), "backoff": 1.0}
    for mode, attempts in (("legacy", 5), ("standard", 3))
}


class Retry(Part):
    """Retries of the submission, by us and counted. Off by default: the call is not idempotent."""

    mode: Literal["plain", "legacy", "standard"] = Field(
        default="plain",
        description="plain: as the other keys say; legacy, standard: as boto3's retry mode of this name, with its 5 or "
        "3 tries, errors, pauses and (standard) quota of retries, unless another key says otherwise",
    )
    attempts: Whole = Field(default=1, ge=1, le=20, description="tries in all")
    on: tuple[Literal["throttle", "server_error", "transport_error"], ...] = Field(
        default=("throttle", "server_error"), description="which bad answers are tried again"
    )
    backoff: Seconds = Field(default=0.5, description="before the second try; doubled each time, with full jitter")

    @model_validator(mode="before")
    @classmethod
    def _as_the_sdk(cls, value: Any) -> Any:
        mode = value.get("mode") if isinstance(value, dict) else None
        return _AS_THE_SDK[mode] | value if isinstance(mode, str) and mode in _AS_THE_SDK else value


class Request(Part):
    """What every call carries; a JSON-lines payload may say otherwise for itself."""

    ttl: Annotated[WholeSeconds, Field(ge=TTL_MIN_S, le=TTL_MAX_S)] | None = Field(
        default=None, description="RequestTTLSeconds, whole seconds; AWS's default: 6 h"
    )
    timeout: Annotated[WholeSeconds, Field(ge=TIMEOUT_MIN_S, le=TIMEOUT_MAX_S)] | None = Field(
        default=None, description="InvocationTimeoutSeconds, whole seconds; AWS's default: 15 min"
    )
    content_type: Header | None = Field(default=None, description="ContentType; default: by the payload's extension")
    accept: Header | None = Field(default=None, description="Accept")
    custom_attributes: Header | None = Field(default=None, description="CustomAttributes")
    target_variant: Name | None = Field(default=None, description="TargetVariant; not asynchronous")
    target_model: Printed | None = Field(default=None, description="TargetModel; real-time only")
    target_container: Name | None = Field(default=None, description="TargetContainerHostname; real-time only")
    inference_component: Name | None = Field(default=None, description="InferenceComponentName; real-time only")
    explanations: Explanations | None = Field(default=None, description="EnableExplanations; not asynchronous")
    stream: Switch = Field(
        default=False, description="take the answer in a stream (InvokeEndpointWithResponseStream); not asynchronous"
    )
    retry: Retry = Field(default=Retry(), description="what is done about a bad answer to a submission")
    expect: Expect = Field(default=Expect(), description="what a right answer is; not asynchronous")


class Sources(Part):
    """Where payloads come from."""

    files: tuple[ExistingFiles, ...] = Field(default=(), description="paths and globs beside the scenario file")
    lines: ExistingFile | None = Field(default=None, description="JSON lines, each the arguments of one invocation")
    pickled: ExistingFile | None = Field(
        default=None, description="a pickled list of the arguments of invocations, of plain values only"
    )
    documents: ExistingFile | None = Field(
        default=None, description="a JSON list or JSON lines, each document one body; with `decode` what is inside"
    )
    archive: ExistingFile | None = Field(
        default=None, description="a tar or tar.gz archive, each file in it one body, by name"
    )
    bodies: ExistingFile | None = Field(default=None, description="a file: each line is one body, as it is")
    synthetic: SyntheticBytes | None = Field(default=None, description="one JSON document of this size")
    encode: JsonPath | None = Field(
        default=None, description="send each file of `files` or `archive` as base64 in a JSON document, under this key"
    )
    decode: JsonPath | None = Field(
        default=None, description="send the bytes that each of `documents` has as base64 under this key"
    )

    @property
    def named(self) -> list[str]:
        """The sources that are given."""
        return [name for name in SOURCES if getattr(self, name)]

    @model_validator(mode="after")
    def _of_their_source(self) -> Self:
        named = self.named
        if self.encode is not None and not {"files", "archive"} & set(named):
            raise ValueError("`encode` is of files and archive")
        if self.decode is not None and "documents" not in named:
            raise ValueError("`decode` is of documents")
        return self


SOURCES = ("files", "lines", "pickled", "documents", "archive", "bodies", "synthetic")


class PayloadSet(Sources):
    """One ingredient of a mix, from exactly one source."""

    name: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9._-]*$",
        description="the payload class",
        json_schema_extra={"patternErrorMessage": "must be letters, digits, dots, dashes and underscores"},
    )
    weight: Number = Field(default=1.0, gt=0, le=1e9, description="share of the requests, relative to the others")
    content_type: Header | None = Field(default=None, description="ContentType of these payloads")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if len(self.named) != 1:
            raise ValueError(f"must name exactly one of {', '.join(SOURCES[:-1])} and {SOURCES[-1]}")
        return self


class Payloads(Sources):
    """What is sent. Without any source, a synthetic JSON document of 1 KiB."""

    mix: tuple[PayloadSet, ...] = Field(default=(), description="several sources, each with its weight")
    order: Literal["random", "once"] = Field(
        default="random", description="random: drawn for each request; once: each one time, in the order of the source"
    )
    inline: Switch = Field(default=False, description="send the bytes as Body, at most 128,000, instead of through S3")
    unique: Switch = Field(default=False, description="a different object for each request, so that no cache can help")
    prefix: (
        Annotated[
            str,
            Field(
                pattern=r"^s3://[!-.0-~]+(/[ -~]*)?$",
                json_schema_extra={"patternErrorMessage": "must be an S3 location such as s3://bucket/folder"},
            ),
        ]
        | None
    ) = Field(default=None, description="where inputs go, s3://bucket/folder; default: beside the endpoint's output")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if len(self.named) + bool(self.mix) > 1:
            raise ValueError(f"must name one of {', '.join(SOURCES)} and mix")
        if self.order == "once" and self.mix:
            raise ValueError("a mix is drawn by weight: `order: once` needs one source")
        return self

    @property
    def sets(self) -> tuple[PayloadSet, ...]:
        """The mix; a single source is a mix of one."""
        if self.mix:
            return self.mix
        given = {name: getattr(self, name) for name in (*self.named, "encode", "decode") if getattr(self, name)}
        return (PayloadSet.model_validate(given or {"synthetic": 1024}),)


class Limits(Part):
    """Where the run stops by itself, and what the client may hold at once."""

    in_flight: Whole = Field(default=1000, ge=1, le=100_000, description="unanswered submissions; beyond it we drop")
    errors: Share | None = Field(default=None, description="stop sending when this share of answers is errors")
    errors_after: Whole = Field(default=50, ge=1, description="answers before the error share counts")
    requests: Annotated[Whole, Field(ge=1, le=REQUESTS_MAX)] | None = Field(
        default=None, description="stop sending after this many requests"
    )
    time: PositiveSeconds | None = Field(default=None, description="stop sending after this long")

    def broken_by(self, n_bad: int, n_answers: int) -> str:
        """Why to stop when so many answers were errors; empty while that is allowed, or too few have come to decide."""
        if self.errors is None or n_answers < self.errors_after or n_bad <= self.errors * n_answers:
            return ""
        return f"error limit: {n_bad} of {n_answers} answers were errors"


_QUEUE_ARN = re.compile(r"arn:(aws[a-z-]*):sqs:([a-z0-9-]+):([0-9]+):([A-Za-z0-9_.-]+)")


def _queue_url(text: str) -> str:
    if arn := _QUEUE_ARN.fullmatch(text):
        partition, region, account, name = arn.groups()
        suffix = ".cn" if partition == "aws-cn" else ""
        raise ValueError(f"must be a URL: https://sqs.{region}.amazonaws.com{suffix}/{account}/{name}")
    if not re.fullmatch(r"https?://[^/\s]\S*", text):
        raise ValueError("must be a URL, such as https://sqs.us-east-1.amazonaws.com/123456789012/name")
    if "@" in text.split("/")[2]:
        raise ValueError("must be without a user's name and password, for calls to AWS are signed")
    return text


class Collector(Part):
    """How the ends of requests are received."""

    queue: Annotated[str, AfterValidator(_queue_url)] | None = Field(
        default=None, description="URL of an existing queue; default: one of our own"
    )
    receivers: Whole = Field(
        default=16, ge=1, le=64, description="the most long polls that may overlap; there are as many as the ends need"
    )
    tracking: Literal["sns", "s3"] | None = Field(
        default=None,
        description="how ends become known: sns, by notices through a queue; s3, by looking for each output; default: "
        "sns, and s3 where the endpoint has no topics and no queue is named",
    )
    look_every: Annotated[PositiveSeconds, Field(ge=1, le=3600)] = Field(
        default=5.0, description="with tracking s3, between two looks for an output"
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.tracking == "s3" and self.queue is not None:
            raise ValueError("must name a queue or set tracking to s3, not both: nothing is received then")
        return self


SEED_MAX = 2**63 - 1
Seed = Annotated[Whole, Field(ge=0, le=SEED_MAX)]


class Seeds(Part):
    """A seed for one dimension alone; those not given follow from the scenario's."""

    arrivals: Seed | None = Field(default=None, description="when requests are due")
    payloads: Seed | None = Field(default=None, description="which payload each carries")
    service: Seed | None = Field(default=None, description="how long the emulated endpoint takes")
    capacity: Seed | None = Field(default=None, description="how long its instances take to come and go")
    faults: Seed | None = Field(default=None, description="what goes wrong")


class Scenario(Part):
    """A question put to an endpoint."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
        description="names the results folder: lower case letters, digits and dashes",
        json_schema_extra={"patternErrorMessage": "must be lower case letters, digits and dashes, at most 63"},
    )
    description: str = Field(default="", description="the question, for the report")
    seed: Seed = Field(default=1, description="the same seed gives the same run, in every dimension")
    seeds: Seeds = Field(default=Seeds(), description="to change one dimension and leave the others alone")
    target: Target = Field(default=Target(), description="what is measured")
    deploy: Deploy | None = Field(default=None, description="what `smbench deploy` brings up to be measured")
    payloads: Payloads = Field(default=Payloads(), description="what is sent")
    request: Request = Field(default=Request(), description="what every submission carries")
    load: tuple[Phase, ...] = Field(min_length=1, description="when it is sent: phases, one after another")
    transport: Literal["wire", "sdk"] = Field(
        default="wire", description="how the hot calls leave: signed and sent by ourselves, or through the AWS SDK"
    )
    drain: Seconds = Field(default=1200.0, description="after the last send, wait this long for ends")
    limits: Limits = Field(default=Limits(), description="where the run stops by itself")
    collector: Collector = Field(default=Collector(), description="how the ends of requests are received")
    gauges_every: PositiveSeconds = Field(default=10.0, description="between two looks at the endpoint")
    thresholds: tuple[ThresholdText, ...] = Field(
        default=(), description="what must hold, each `metric operator value`: `sojourn_p95 < 8m`, `expired == 0`"
    )

    @property
    def answer_max_s(self) -> int | None:
        """How long SageMaker lets the container of a synchronous endpoint answer; None: it is asynchronous."""
        if not self.target.is_synchronous:
            return None
        return STREAM_MAX_S if self.request.stream else ANSWER_MAX_S

    def seed_of(self, dimension: str) -> int:
        """The seed of one dimension (a field of `Seeds`): its own, or the scenario's."""
        own: int | None = getattr(self.seeds, dimension)
        return self.seed if own is None else own
