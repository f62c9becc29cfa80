"""The emulated SageMaker Runtime: queues invocations, or answers them when they are over."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import orjson

from smbench.emulator.faults import NOTHING, FaultKind
from smbench.emulator.message_faults import MessageFaults
from smbench.emulator.protocol.chunks import NoAnswer, ResetConnection
from smbench.emulator.protocol.codecs import ServiceError, coral, not_implemented
from smbench.emulator.protocol.front import refusal
from smbench.emulator.protocol.http import HttpRequest, HttpResponse
from smbench.emulator.protocol.shapes import Fault, Problem
from smbench.emulator.s3.locations import bucket_and_key
from smbench.emulator.sagemaker.hosted import Hosted
from smbench.emulator.sagemaker.hosting import Hosting
from smbench.emulator.sagemaker.invocation import PendingInvocation
from smbench.emulator.sagemaker.synchronous import SynchronousCalls
from smbench.emulator.sagemaker.truth import Call, Truth
from smbench.emulator.site import Site
from smbench.model.endpoints.endpoint import Ended, Endpoint, Job

BODY_MAX_BYTES = 128_000  # bytes, not KiB (botocore service model 1.44.5)
TTL_S, TTL_DEFAULT_S = (60, 21_600), 21_600
TIMEOUT_S, TIMEOUT_DEFAULT_S = (1, 3_600), 900

_PREFIX = "x-amzn-sagemaker-"
_UPLOADED = re.compile(r"(?:.*/)?([^/]+)/[0-9a-f]{64}[^/]*")  # smbench's own: <class>/<sha256>.<ext>
_complain = coral("ValidationError")


@dataclass(frozen=True, slots=True)
class _Rule:
    """One header of InvokeEndpointAsync or InvokeEndpoint, as the service model limits it."""

    member: str
    max_length: int
    pattern: re.Pattern[str]
    written: str  # the pattern in AWS's spelling


_RULES = {
    "inference-id": _Rule("inferenceId", 64, re.compile(r"\S[ -~]*"), r"\A\S[\p{Print}]*\z"),
    "inputlocation": _Rule("inputLocation", 1024, re.compile(r"(https|s3)://([^/]+)/?(.*)"), "^(https|s3)://([^/]+)/?(.*)$"),
    "content-type": _Rule("contentType", 1024, re.compile(r"[\x00-\x7f]*"), r"\p{ASCII}*"),
    "accept": _Rule("accept", 1024, re.compile(r"[\x00-\x7f]*"), r"\p{ASCII}*"),
    "custom-attributes": _Rule("customAttributes", 1024, re.compile(r"[\x00-\x7f]*"), r"\p{ASCII}*"),
    "s3outputpathextension": _Rule(
        "s3OutputPathExtension", 512, re.compile(r"(?!s3:|https:)[a-zA-Z0-9!_.*'()/-]+"),
        "^(?!s3:|https:)[a-zA-Z0-9!_.*'()/-]+$",
    ),
    "filename": _Rule(
        "filename", 32, re.compile(r"(?!.*\..*\.)[a-zA-Z0-9][a-zA-Z0-9-_.]*"),
        r"^(?!.*\..*\.)[a-zA-Z0-9][a-zA-Z0-9-_\.]*$",
    ),
    "target-model": _Rule("targetModel", 1024, re.compile(r"\S[ -~]*"), r"\A\S[\p{Print}]*\z"),
    "target-variant": _Rule(
        "targetVariant", 63, re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*"), "^[a-zA-Z0-9](-*[a-zA-Z0-9])*"
    ),
    "target-container-hostname": _Rule(
        "targetContainerHostname", 63, re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*"), "^[a-zA-Z0-9](-*[a-zA-Z0-9])*"
    ),
    "inference-component": _Rule(
        "inferenceComponentName", 63, re.compile(r"[a-zA-Z0-9]([\-a-zA-Z0-9]*[a-zA-Z0-9])?"),
        r"^[a-zA-Z0-9]([\-a-zA-Z0-9]*[a-zA-Z0-9])?$",
    ),
    "enable-explanations": _Rule("enableExplanations", 64, re.compile(r".*"), ".*"),
}  # fmt: skip
_NAME = _Rule("endpointName", 63, re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*"), "^[a-zA-Z0-9](-*[a-zA-Z0-9])*$")
_ID = _PREFIX + "inference-id"
# Alike in many calls. A synchronous call has its type and what it accepts in HTTP's own headers.
_ASYNCHRONOUS = tuple(
    _PREFIX + header
    for header in ("inputlocation", "content-type", "accept", "custom-attributes", "s3outputpathextension", "filename")
)
_SYNCHRONOUS = (
    *("content-type", "accept"),
    *(
        _PREFIX + header
        for header in ("custom-attributes", "target-model", "target-variant", "target-container-hostname")
    ),
    *(_PREFIX + header for header in ("inference-component", "enable-explanations")),
)
_STREAMING = (
    "content-type",
    *(_PREFIX + header for header in ("accept", "custom-attributes", "target-variant", "target-container-hostname")),
    _PREFIX + "inference-component",
)
_OPERATIONS = {
    "async-invocations": "InvokeEndpointAsync",
    "invocations": "InvokeEndpoint",
    "invocations-response-stream": "InvokeEndpointWithResponseStream",
}
_TTL, _TIMEOUT = _PREFIX + "requestttlseconds", _PREFIX + "invocationtimeoutseconds"


class Runtime:
    """Answers invocations; `Completion` does what follows when they end.

    Args:
        on_end: Called with an asynchronous endpoint and how one of its inferences ended.
        synchronous: Takes the calls of all other endpoints.
    """

    service = "sagemaker-runtime"

    def __init__(
        self,
        site: Site,
        hosting: Hosting,
        truth: Truth,
        message_faults: MessageFaults,
        on_end: Callable[[Hosted, Ended], None],
        synchronous: SynchronousCalls,
    ) -> None:
        self.site, self.hosting, self.truth = site, hosting, truth
        self.message_faults = message_faults
        self.n_accepted = 0
        self.synchronous = synchronous

        def launched(hosted: Hosted) -> None:
            assert hosted.fleet is not None, "it is launched"
            take = on_end if hosted.kind == "async" else self.synchronous.ended
            hosted.fleet.on_end.append(partial(take, hosted))

        hosting.on_launch.append(launched)

    def operation(self, request: HttpRequest) -> str:
        """See `RestService`."""
        return _OPERATIONS.get(request.path.rpartition("/")[2], "")

    def rest(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        """`POST /endpoints/NAME/async-invocations`, `.../invocations` and `.../invocations-response-stream`."""
        _, _, rest = request.path.partition("/endpoints/")
        name, _, action = rest.rpartition("/")
        if request.method == "POST" and action == "async-invocations":
            return self._invoked(name, request, self._accept)
        if request.method == "POST" and action == "invocations":
            return self._invoked(name, request, self._begin)
        if request.method == "POST" and action == "invocations-response-stream":
            return self._invoked(name, request, self._begin_stream)
        raise not_implemented("sagemaker-runtime", f"{request.method} {request.path}")

    def _of_kind(self, name: str, *, is_asynchronous: bool) -> Hosted:
        """The endpoint, if this is its call. AWS documents that it refuses the other; its text is not public."""
        hosted = self._endpoint(name)
        if (hosted.kind == "async") != is_asynchronous:
            kind = "not an" if is_asynchronous else "an"
            text = (
                f"Endpoint {name} is {kind} asynchronous inference endpoint and does not support this invocation type."
            )
            raise ServiceError("ValidationError", text)
        return hosted

    def _invoked(
        self,
        name: str,
        request: HttpRequest,
        take: Callable[[Call, str, HttpRequest], "HttpResponse | asyncio.Future[HttpResponse]"],
    ) -> HttpResponse | Awaitable[HttpResponse]:
        inference_id = request.headers.get("x-amzn-sagemaker-inference-id") or self.site.new_id()
        call = self.truth.arrive(inference_id, self.site.now_ns)
        kind = request.fate.kind
        try:
            if not kind.is_taken:
                call.fault = kind.value
                raise refusal(self.service, request)
            taken = take(call, name, request)
        except ServiceError as error:
            call.status_code = error.status
            request.fate = NOTHING if kind.is_taken else request.fate  # what is refused arrives as it should
            self.truth.close(call)
            raise
        except (ResetConnection, NoAnswer):
            self.truth.close(call)
            raise
        if kind is not FaultKind.NONE:
            call.fault = kind.value
        if kind is FaultKind.LOST_REPLY:
            raise ResetConnection
        if isinstance(taken, HttpResponse):
            call.status_code = taken.status
        return taken

    @staticmethod
    def _refuse_session(operation: str, request: HttpRequest) -> None:
        if _PREFIX + "session-id" in request.headers:
            raise not_implemented("sagemaker-runtime", f"{operation} with SessionId")

    def _begin(self, call: Call, name: str, request: HttpRequest) -> "asyncio.Future[HttpResponse]":
        _check_headers(name, request.headers, _SYNCHRONOUS)
        self._refuse_session("InvokeEndpoint", request)
        return self.synchronous.begin(self._of_kind(name, is_asynchronous=False), call, request)

    def _begin_stream(self, call: Call, name: str, request: HttpRequest) -> "asyncio.Future[HttpResponse]":
        _check_headers(name, request.headers, _STREAMING)
        self._refuse_session("InvokeEndpointWithResponseStream", request)
        hosted = self._of_kind(name, is_asynchronous=False)
        return self.synchronous.begin(hosted, call, request, in_stream=True)

    def _accept(self, call: Call, name: str, request: HttpRequest) -> HttpResponse:
        headers = request.headers
        _check_headers(name, headers, _ASYNCHRONOUS)
        ttl_s = _seconds(headers, _TTL, "requestTTLSeconds", TTL_S, TTL_DEFAULT_S)
        timeout_s = _seconds(headers, _TIMEOUT, "invocationTimeoutSeconds", TIMEOUT_S, TIMEOUT_DEFAULT_S)
        input_location = headers.get("x-amzn-sagemaker-inputlocation")
        _check_input(input_location, len(request.body))
        hosted = self._of_kind(name, is_asynchronous=True)
        taken = self._take(call, hosted, headers)
        call.accepted = True
        job = Job(
            index=self.n_accepted,
            inference_id=call.inference_id,
            payload_class="inline" if input_location is None else payload_class(input_location),
            ttl_s=ttl_s,
            timeout_s=timeout_s,
            recv_ns=call.arrived_ns,
            context=taken,
        )
        self.n_accepted += 1
        assert isinstance(hosted.fleet, Endpoint), "known to the runtime only once it serves"
        hosted.fleet.arrive(job)
        return _accepted(taken)

    def _endpoint(self, name: str) -> Hosted:
        hosted = self.hosting.endpoints.get(name)
        if hosted is None or hosted.fleet is None:  # the runtime does not know an endpoint that is Creating, either
            raise ServiceError("ValidationError", f"Endpoint {name} of account {self.site.account} not found.")
        return hosted

    def _take(self, call: Call, hosted: Hosted, headers: dict[str, str]) -> PendingInvocation:
        extension = headers.get("x-amzn-sagemaker-s3outputpathextension", "").strip("/")
        folder = f"{extension}/" if extension else ""
        object_id = self.site.new_id()  # never the InferenceId: so it is in every real payload seen
        name = headers.get("x-amzn-sagemaker-filename")
        delivery = hosted.delivery
        output_key = ""
        if delivery.output is not None:
            output_key, call.output_location = delivery.output.below(f"{folder}{name or object_id + '.out'}")
        failure_key, failure_location = "", None
        if delivery.failure is not None:
            failure_key, failure_location = delivery.failure.below(f"{folder}{name or object_id}-error.out")
        return PendingInvocation(
            call,
            self.message_faults.draw(self.n_accepted),
            output_key,
            failure_key,
            failure_location,
            input_location=headers.get("x-amzn-sagemaker-inputlocation"),
            content_type=headers.get("x-amzn-sagemaker-content-type"),
            accept=headers.get("x-amzn-sagemaker-accept"),
            custom_attributes=headers.get("x-amzn-sagemaker-custom-attributes"),
        )


def _accepted(taken: PendingInvocation) -> HttpResponse:
    headers = [("Content-Type", "application/json")]
    if taken.call.output_location is not None:
        headers.append(("x-amzn-sagemaker-outputlocation", taken.call.output_location))
    if taken.failure_location is not None:
        headers.append(("x-amzn-sagemaker-failurelocation", taken.failure_location))
    return HttpResponse(202, headers, orjson.dumps({"InferenceId": taken.call.inference_id}))


@lru_cache(maxsize=4096)
def payload_class(location: str) -> str:
    """The class that smbench's own uploads carry in their key; empty for every other object."""
    found = bucket_and_key(location)
    match = _UPLOADED.fullmatch(found[1]) if found else None
    return match[1] if match else ""


def _check_headers(name: str, headers: dict[str, str], repeated: tuple[str, ...]) -> None:
    about_name, about_rest = _broken_repeated(name, repeated, *map(headers.get, repeated))
    inference_id = headers.get(_ID)
    about_id = () if inference_id is None else _broken(_RULES["inference-id"], inference_id)
    if about_name or about_id or about_rest:
        raise _complaint([*about_name, *about_id, *about_rest])


@lru_cache(maxsize=4096)
def _broken_repeated(name: str, repeated: tuple[str, ...], *values: str | None) -> tuple[list[Problem], list[Problem]]:
    """What is wrong with the endpoint's name, and with the headers that are alike in many calls."""
    problems: list[Problem] = []
    for header, value in zip(repeated, values, strict=True):
        if value is not None:
            problems += _broken(_RULES[header.removeprefix(_PREFIX)], value)
    return _broken(_NAME, name), problems


def _broken(rule: _Rule, value: str) -> list[Problem]:
    problems = []
    if len(value) > rule.max_length:
        problems.append(
            _problem(rule.member, value, f"Member must have length less than or equal to {rule.max_length}")
        )
    if not rule.pattern.fullmatch(value):
        problems.append(_problem(rule.member, value, f"Member must satisfy regular expression pattern: {rule.written}"))
    return problems


def _problem(member: str, value: str | None, text: str) -> Problem:
    return Problem(Fault.CONSTRAINT, member, member, "null" if value is None else f"'{value}'", text)


def _complaint(problems: list[Problem]) -> ServiceError:
    error = _complain(problems)
    assert error is not None, "there are problems"
    return error


def _seconds(headers: dict[str, str], header: str, member: str, bounds: tuple[int, int], default: int) -> int:
    text = headers.get(header)
    if text is None:
        return default
    low, high = bounds
    if not re.fullmatch(r"-?[0-9]{1,10}", text):
        raise ServiceError("SerializationException", f"'{text}' at '{member}' is not an Integer")
    value = int(text)
    if value < low:
        raise _complaint([_problem(member, text, f"Member must have value greater than or equal to {low}")])
    if value > high:
        raise _complaint([_problem(member, text, f"Member must have value less than or equal to {high}")])
    return value


def _check_input(location: str | None, body_bytes: int) -> None:
    """Exactly one of InputLocation and Body; the model cannot say so, the service does."""
    if body_bytes > BODY_MAX_BYTES:
        text = f"Member must have length less than or equal to {BODY_MAX_BYTES}"
        raise ServiceError(
            "ValidationError", f"1 validation error detected: Value at 'body' failed to satisfy constraint: {text}"
        )
    if location is None and not body_bytes:
        raise _complaint([_problem("inputLocation", None, "Member must not be null")])
    if location is not None and body_bytes:
        raise ServiceError("ValidationError", "Exactly one of InputLocation and Body must be provided.")
