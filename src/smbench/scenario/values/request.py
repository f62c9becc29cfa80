"""What every call carries, and what smbench does about a bad answer: `request` of a scenario."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from smbench.scenario.values.answers import Expect
from smbench.scenario.values.quantities import PositiveSeconds, Seconds, Switch, Whole
from smbench.scenario.values.record import Part

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


WholeSeconds = Annotated[PositiveSeconds, AfterValidator(_whole_seconds)]
Header = Annotated[  # a line break would begin another header, and other letters have no one spelling in bytes
    str,
    Field(
        max_length=HEADER_MAX,
        pattern=r"^[ -~]*$",
        json_schema_extra={"patternErrorMessage": "must be printable ASCII: it travels in an HTTP header"},
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


_AS_THE_SDK: dict[str, dict[str, Any]] = {
    mode: {"attempts": attempts, "on": ("throttle", "server_error", "transport_error"), "backoff": 1.0}
    for mode, attempts in (("legacy", 5), ("standard", 3))
}


ATTEMPTS_MAX, DOUBLING_MAX = 100, 20  # tries; where the longest pause doubles without a limit


class Retry(Part):
    """How smbench itself sends a request again after a bad answer; every try is counted.

    Off by default, because sending twice may infer twice.
    """

    mode: Literal["plain", "legacy", "standard"] = Field(
        default="plain",
        description=(
            "plain: as the other keys say. legacy, standard: as boto3's retry mode of this name (5 and 3 tries,"
            " its errors, its pauses and, for standard, its quota of retries), where no other key says "
            "otherwise."
        ),
    )
    attempts: Whole = Field(
        default=1,
        ge=1,
        le=ATTEMPTS_MAX,
        description="Tries in all, the first one included. 1 means no retry; above 20 only of mode standard.",
    )
    on: tuple[Literal["throttle", "server_error", "transport_error"], ...] = Field(
        default=("throttle", "server_error"), description="The bad answers after which smbench tries again."
    )
    backoff: Seconds = Field(
        default=0.5,
        description=(
            "The longest pause before the second try; it doubles with each try. The pause is drawn between 0 "
            "and this (full jitter)."
        ),
    )

    @model_validator(mode="before")
    @classmethod
    def _as_the_sdk(cls, value: Any) -> Any:
        mode = value.get("mode") if isinstance(value, dict) else None
        return _AS_THE_SDK[mode] | value if isinstance(mode, str) and mode in _AS_THE_SDK else value

    @model_validator(mode="after")
    def _pauses_of_bearable_length(self) -> Self:
        if self.attempts > DOUBLING_MAX and self.mode != "standard":
            raise ValueError(
                f"{self.attempts} attempts take mode standard, whose pauses are at most 20 s: in mode {self.mode} each "
                f"may be twice as long as the last, and there are at most {DOUBLING_MAX}"
            )
        return self


class Request(Part):
    """What every call carries. A line of `payloads.lines` may set its own values."""

    ttl: Annotated[WholeSeconds, Field(ge=TTL_MIN_S, le=TTL_MAX_S)] | None = Field(
        default=None,
        description=(
            "RequestTTLSeconds: SageMaker drops a request that has waited so long. Whole seconds; AWS's "
            "default: 6 h. Only asynchronous."
        ),
    )
    timeout: Annotated[WholeSeconds, Field(ge=TIMEOUT_MIN_S, le=TIMEOUT_MAX_S)] | None = Field(
        default=None,
        description=(
            "InvocationTimeoutSeconds: how long the container may take. Whole seconds; AWS's default: 15 min. "
            "Only asynchronous."
        ),
    )
    content_type: Header | None = Field(
        default=None,
        description="ContentType, such as `application/json`. Default: by the extension of the payload's file.",
    )
    accept: Header | None = Field(
        default=None, description="Accept: the type of answer that is asked for, such as `application/json`."
    )
    custom_attributes: Header | None = Field(
        default=None, description="CustomAttributes: text that SageMaker hands to the container."
    )
    target_variant: Name | None = Field(
        default=None, description="TargetVariant: the variant that serves the call. Not asynchronous."
    )
    target_model: Printed | None = Field(
        default=None,
        description="TargetModel: the model of a multi-model endpoint, such as `model-a.tar.gz`. Only real-time.",
    )
    target_container: Name | None = Field(
        default=None,
        description="TargetContainerHostname: the container of a multi-container endpoint. Only real-time.",
    )
    inference_component: Name | None = Field(
        default=None, description="InferenceComponentName: the component that serves the call. Only real-time."
    )
    explanations: Explanations | None = Field(
        default=None,
        description=(
            "EnableExplanations: a JMESPath expression that decides whether Clarify explains, such as `` `true`"
            " ``. Not asynchronous."
        ),
    )
    stream: Switch = Field(
        default=False, description="Take the answer as a stream (InvokeEndpointWithResponseStream). Not asynchronous."
    )
    connect_timeout: PositiveSeconds | None = Field(
        default=None,
        description="How long smbench waits for a connection, as boto3's connect_timeout does. Default: 10 s.",
    )
    read_timeout: PositiveSeconds | None = Field(
        default=None,
        description=(
            "How long smbench waits for the answer to a call, and in a stream for its next part, as boto3's "
            "read_timeout does. Then it gives the call up, whose end is unknown. Default: 60 s; of a synchronous "
            "endpoint 10 s more than AWS lets the container take, and 180 s more if it is serverless."
        ),
    )
    retry: Retry = Field(default=Retry(), description="What smbench does after a bad answer to a call.")
    expect: Expect = Field(default=Expect(), description="What a right answer is. Not asynchronous.")
