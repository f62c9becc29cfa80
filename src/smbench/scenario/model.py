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
from smbench.scenario.values.files import ExistingFile, ExistingFiles
from smbench.scenario.values.quantities import Bytes, Number, PositiveSeconds, Seconds, Share, Switch, Whole
from smbench.scenario.values.record import Part
from smbench.scenario.values.request import ANSWER_MAX_S, STREAM_MAX_S, Header, Request

BODY_MAX_BYTES = 128_000  # InvokeEndpointAsync.Body: bytes, not KiB (botocore service model 1.44.5)
# InvokeEndpoint.Body, as the hosting FAQ says it. The API's model has 6,291,456 bytes for both, and enforces nothing.
SYNCHRONOUS_BODY_MAX_BYTES = {"realtime": 25 * 2**20, "serverless": 4 * 2**20}


def _readable(text: str) -> str:
    written_threshold(text)
    return text


ThresholdText = Annotated[str, AfterValidator(_readable), WithJsonSchema({"type": "string", "pattern": PATTERN})]
SyntheticBytes = Annotated[Bytes, Field(ge=1, le=2**30)]  # AWS takes inputs up to 1 GiB
JsonPath = Annotated[  # `instances.0.image`
    str,
    Field(
        max_length=256,
        pattern=r"^[^.]+(\.[^.]+)*$",
        json_schema_extra={"patternErrorMessage": "must be keys with dots between them, such as instances.0.image"},
    ),
]


class Target(Part):
    """What smbench measures: a real endpoint by its name, or the emulated one."""

    kind: Literal["async", "serverless", "realtime"] = Field(
        default="async",
        description=(
            "Kind of endpoint. async: it answers through S3 and SNS; serverless and realtime: they answer the call."
        ),
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
    ) = Field(default=None, description="Name of a real endpoint. Without it smbench measures the emulated one.")
    variant: str | None = Field(
        default=None,
        description="Name of the variant whose instances smbench watches. Default: the endpoint's only variant.",
    )
    instance_hour: Annotated[Number, Field(gt=0, le=10_000)] | None = Field(
        default=None,
        description=(
            "USD that one instance costs an hour; the report computes the run's cost with it. Default: the list"
            " price of the instance type, where it is known."
        ),
    )
    emulated: Emulated = Field(
        default=Emulated(), description="How the emulated endpoint behaves. Not together with `endpoint`."
    )

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


class Sources(Part):
    """Where payloads come from."""

    files: tuple[ExistingFiles, ...] = Field(
        default=(),
        description="Paths and globs beside the scenario file, such as `photos/*.jpg`; each file is one body.",
    )
    lines: ExistingFile | None = Field(
        default=None,
        description=(
            'A file of JSON lines; each line has the arguments of one call, such as `{"Body": "...", '
            '"ContentType": "text/csv"}`.'
        ),
    )
    pickled: ExistingFile | None = Field(
        default=None,
        description="A pickled list of dictionaries with the arguments of one call each; only plain values are read.",
    )
    documents: ExistingFile | None = Field(
        default=None,
        description=(
            "A JSON list or JSON lines; each document is one body. With `decode` the body is what the document "
            "has under that key."
        ),
    )
    archive: ExistingFile | None = Field(
        default=None, description="A tar or tar.gz archive; each file in it is one body."
    )
    bodies: ExistingFile | None = Field(default=None, description="A text file; each line is one body, as it is.")
    synthetic: SyntheticBytes | None = Field(
        default=None, description="One JSON document of exactly this size, which smbench makes."
    )
    encode: JsonPath | None = Field(
        default=None,
        description=(
            "Send each file of `files` or `archive` as base64 in a JSON document under this key; "
            '`instances.0.b64` makes `{"instances": [{"b64": "..."}]}`.'
        ),
    )
    decode: JsonPath | None = Field(
        default=None,
        description="Send the bytes that each document of `documents` has as base64 under this key, such as `image`.",
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
    """One part of a mix, from exactly one source."""

    name: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9._-]*$",
        description="Name of the payload class: the `payload` column, the report and `service.by_class` use it.",
        json_schema_extra={"patternErrorMessage": "must be letters, digits, dots, dashes and underscores"},
    )
    weight: Number = Field(
        default=1.0,
        gt=0,
        le=1e9,
        description="Weight among the others of the mix: 3 beside 1 gets three quarters of the requests.",
    )
    content_type: Header | None = Field(default=None, description="ContentType of these payloads.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if len(self.named) != 1:
            raise ValueError(f"must name exactly one of {', '.join(SOURCES[:-1])} and {SOURCES[-1]}")
        return self


class Payloads(Sources):
    """What smbench sends. Without any source: a synthetic JSON document of 1 KiB."""

    mix: tuple[PayloadSet, ...] = Field(default=(), description="Several sources, each with its weight.")
    order: Literal["random", "once"] = Field(
        default="random",
        description=(
            "random: each request draws its payload. once: each payload is sent one time, in the order of the source."
        ),
    )
    inline: Switch = Field(
        default=False,
        description=(
            "Send the bytes in the call (Body, at most 128,000 of them) instead of through S3. Only "
            "asynchronous: the others always do."
        ),
    )
    unique: Switch = Field(
        default=False, description="Send a different object with each request, so that no cache can help."
    )
    prefix: (
        Annotated[
            str,
            Field(
                pattern=r"^s3://[!-.0-~]+(/[ -~]*)?$",
                json_schema_extra={"patternErrorMessage": "must be an S3 location such as s3://bucket/folder"},
            ),
        ]
        | None
    ) = Field(
        default=None,
        description=(
            "Where smbench puts the inputs, such as `s3://bucket/folder`. Default: beside the endpoint's output."
        ),
    )

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
    """Where a run stops by itself, and how many unanswered calls the client may hold."""

    in_flight: Whole = Field(
        default=1000,
        ge=1,
        le=100_000,
        description=(
            "Calls that may be unanswered at once. A request that is due beyond it is not sent, and counted as dropped."
        ),
    )
    errors: Share | None = Field(
        default=None,
        description=(
            "Stop sending when more than this share of the answers are errors, such as `20%`. Default: no limit."
        ),
    )
    errors_after: Whole = Field(default=50, ge=1, description="Answers that must have come before `errors` counts.")
    requests: Annotated[Whole, Field(ge=1, le=REQUESTS_MAX)] | None = Field(
        default=None, description="Stop sending after this many requests. Default: no limit."
    )
    time: PositiveSeconds | None = Field(default=None, description="Stop sending after this long. Default: no limit.")

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
    """How smbench finds out that requests have ended. Of an asynchronous endpoint."""

    queue: Annotated[str, AfterValidator(_queue_url)] | None = Field(
        default=None,
        description=(
            "URL of an SQS queue of your own that the endpoint's topics feed. Default: smbench makes one for "
            "the run and removes it."
        ),
    )
    receivers: Whole = Field(
        default=16,
        ge=1,
        le=64,
        description="Long polls of the queue that may overlap, at most. smbench starts as many as the ends need.",
    )
    tracking: Literal["sns", "s3"] | None = Field(
        default=None,
        description=(
            "sns: by SNS notices through a queue. s3: smbench looks for each output. Default: sns, and s3 where"
            " the endpoint has no topics and no queue is named."
        ),
    )
    look_every: Annotated[PositiveSeconds, Field(ge=1, le=3600)] = Field(
        default=5.0, description="With `tracking: s3`: the pause between two looks for one output."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.tracking == "s3" and self.queue is not None:
            raise ValueError("must name a queue or set tracking to s3, not both: nothing is received then")
        return self


SEED_MAX = 2**63 - 1
Seed = Annotated[Whole, Field(ge=0, le=SEED_MAX)]


class Seeds(Part):
    """A seed for one dimension alone. Those that are not given follow from the scenario's `seed`."""

    arrivals: Seed | None = Field(default=None, description="When requests are due.")
    payloads: Seed | None = Field(default=None, description="Which payload each request carries.")
    service: Seed | None = Field(default=None, description="How long the emulated endpoint takes for each request.")
    capacity: Seed | None = Field(default=None, description="How long its instances take to come and to go.")
    faults: Seed | None = Field(default=None, description="Which faults strike, and when.")


class Scenario(Part):
    """A question put to an endpoint."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
        description="Names the results folder: lower case letters, digits and dashes.",
        json_schema_extra={"patternErrorMessage": "must be lower case letters, digits and dashes, at most 63"},
    )
    description: str = Field(default="", description="The question that the run answers; the report prints it.")
    seed: Seed = Field(
        default=1, description="Everything that chance decides follows from it: the same seed gives the same run."
    )
    seeds: Seeds = Field(
        default=Seeds(), description="Seeds of single dimensions, to change one and leave the others alone."
    )
    target: Target = Field(default=Target(), description="What smbench measures.")
    deploy: Deploy | None = Field(default=None, description="What `smbench deploy` brings up to be measured.")
    payloads: Payloads = Field(default=Payloads(), description="What smbench sends.")
    request: Request = Field(default=Request(), description="What every call carries.")
    load: tuple[Phase, ...] = Field(
        min_length=1,
        description="When requests are due: phases, one after another, such as `- poisson: {rate: 2/s, for: 10m}`.",
    )
    transport: Literal["wire", "sdk"] = Field(
        default="wire", description="Who signs and sends the calls: wire, smbench's own HTTP client; sdk, the AWS SDK."
    )
    drain: Seconds = Field(default=1200.0, description="How long smbench waits for ends after the last send, at most.")
    limits: Limits = Field(default=Limits(), description="Where the run stops by itself.")
    collector: Collector = Field(default=Collector(), description="How smbench finds out that requests have ended.")
    gauges_every: PositiveSeconds = Field(
        default=10.0,
        description="Pause between two looks at the endpoint: instances, metrics, alarms, scaling activities.",
    )
    thresholds: tuple[ThresholdText, ...] = Field(
        default=(),
        description="What must hold, each as `metric operator value`, such as `sojourn_p95 < 8m` or `expired == 0`.",
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
