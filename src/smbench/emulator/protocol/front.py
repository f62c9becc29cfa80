"""One door for all services on one port: who is meant, by which protocol, and the stamps every reply carries."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Protocol, runtime_checkable

from smbench.clock import wall_ns
from smbench.emulator.driver import Driver
from smbench.emulator.faults import FaultKind, Faults
from smbench.emulator.protocol import codecs, presigned
from smbench.emulator.protocol.chunks import NoAnswer, ResetConnection
from smbench.emulator.protocol.codecs import (
    JSON_10,
    JSON_11,
    CborProtocol,
    JsonProtocol,
    QueryProtocol,
    ServiceError,
    internal_failure,
    not_implemented,
    rest_json_error,
    rest_xml_error,
)
from smbench.emulator.protocol.http import HttpRequest, HttpResponse
from smbench.emulator.protocol.signatures import Signatures
from smbench.emulator.protocol.sqs_query import SqsQueryProtocol
from smbench.emulator.protocol.unheeded import refuse_unheeded
from smbench.emulator.site import Site, http_date

Params = dict[str, Any]
Result = Mapping[str, Any] | HttpResponse | None
Operation = Callable[[Params, HttpRequest], Result | Awaitable[Result]]
Wire = codecs.Protocol

_SCOPE = re.compile(r"Credential=[^/,]+/[^/,]+/[^/,]+/([^/,]+)/aws4_request")
_TARGETS: dict[str, Wire] = {
    "AmazonSQS": JsonProtocol(codecs.SQS, JSON_10),
    "SageMaker": JsonProtocol(codecs.SAGEMAKER, JSON_11),
    "AnyScaleFrontendService": JsonProtocol(codecs.AUTOSCALING, JSON_11),
    "GraniteServiceVersion20100801": JsonProtocol(codecs.CLOUDWATCH, JSON_10),
    "ResourceGroupsTaggingAPI_20170126": JsonProtocol(codecs.TAGGING, JSON_11),
    "Logs_20140328": JsonProtocol(codecs.LOGS, JSON_11),
    "AmazonSSM": JsonProtocol(codecs.SSM, JSON_11),
    "ServiceQuotasV20190624": JsonProtocol(codecs.QUOTAS, JSON_11),
}
_CBOR: dict[str, Wire] = {"GraniteServiceVersion20100801": CborProtocol(codecs.CLOUDWATCH)}
_QUERY: dict[str, QueryProtocol] = {
    "sqs": SqsQueryProtocol(codecs.SQS),
    "sns": QueryProtocol(codecs.SNS),
    "sts": QueryProtocol(codecs.STS),
    "monitoring": QueryProtocol(codecs.CLOUDWATCH),
    "cloudformation": QueryProtocol(codecs.CLOUDFORMATION),
    "iam": QueryProtocol(codecs.IAM),
}
_BY_VERSION = {
    "2012-11-05": "sqs",
    "2010-03-31": "sns",
    "2011-06-15": "sts",
    "2010-08-01": "monitoring",
    "2010-05-15": "cloudformation",
    "2010-05-08": "iam",
}  # forms that nobody signed
_IAM_NAMES = {"monitoring": "cloudwatch", "sagemaker-runtime": "sagemaker", "tagging": "tag"}
_UNSIGNED = ("sts", "AssumeRoleWithWebIdentity")  # its token says who calls
_ONE_BY_ONE = "s3:DeleteObjects"  # its answer refuses each object for itself
_KEEPS_TRUTH = "sagemaker-runtime"  # it notes every call, those that it refuses too
_THROTTLES = {
    "s3": ("SlowDown", 503),
    "sqs": ("RequestThrottled", 403),
    "sns": ("Throttled", 429),
    "sts": ("Throttling", 400),
    "monitoring": ("Throttling", 400),
    "cloudformation": ("Throttling", 400),
}  # all others: ThrottlingException, 400
_DENIALS = {
    "s3": ("AccessDenied", 403),
    "sns": ("AuthorizationError", 403),
    "sts": ("AccessDenied", 403),
    "iam": ("AccessDenied", 403),
    "monitoring": ("AccessDenied", 403),
    "cloudformation": ("AccessDenied", 403),
    "sagemaker-runtime": ("AccessDeniedException", 403),
}  # all others: AccessDeniedException, 400
_PERMISSIONS = {
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListObjectsV2": "s3:ListBucket",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
}  # by calls that IAM knows under another name
_FORM = "application/x-www-form-urlencoded"
_SIGNED_AS = {"sagemaker-runtime": "sagemaker"}  # in the credential scope; all others are signed under their own name


@runtime_checkable
class ShapedService(Protocol):
    """A service whose operations the codecs parse and write."""

    service: str
    operations: dict[str, Operation]


@runtime_checkable
class RestService(Protocol):
    """A service that reads paths and headers itself: S3, SageMaker Runtime."""

    service: str

    def operation(self, request: HttpRequest) -> str:
        """AWS's name of the operation that a request asks for; empty where it is none."""

    def rest(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        """The answer to a request, now or later. Raises ServiceError for what AWS would refuse."""


@dataclass(frozen=True, slots=True)
class FrontStatistics:
    n_requests: int
    n_not_implemented: int
    n_internal_failures: int = 0
    first_failure: str = ""  # of these, what was answered first

    @property
    def trouble(self) -> str:
        """A sentence about calls in which the emulator broke; empty when there was none."""
        if not self.n_internal_failures:
            return ""
        n = self.n_internal_failures
        calls = "a call" if n == 1 else f"{n} calls, first"
        return f"the emulator answered 500 InternalFailure to {calls}: {self.first_failure}; this is a bug of smbench"


class Front:
    """The handler of every call: time first, then the service, then the stamps.

    Args:
        signatures: Refuses what is not signed as it should be; None takes any signature, and none, but no presigned URL
            whose time is over.
        faults: What goes wrong between a client and a service.
    """

    def __init__(
        self, site: Site, driver: Driver, signatures: Signatures | None = None, faults: Faults | None = None
    ) -> None:
        self._site, self._driver, self._signatures = site, driver, signatures
        self._faults = None if faults is None or faults.is_calm else faults
        self._shaped: dict[str, ShapedService] = {}
        self._rest: dict[str, RestService] = {}
        self._n_requests = self._n_not_implemented = self._n_internal_failures = 0
        self._first_failure = ""
        self._date = (-1, "")

    def add(self, service: ShapedService | RestService) -> None:
        """Serve it from now on, under its `service` name."""
        if isinstance(service, RestService):
            self._rest[service.service] = service
        else:
            self._shaped[service.service] = service

    def statistics(self) -> FrontStatistics:
        """Requests so far, those answered by 501, and those in which the emulator broke."""
        return FrontStatistics(
            self._n_requests, self._n_not_implemented, self._n_internal_failures, self._first_failure
        )

    def answer(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        """The server's handler."""
        self._n_requests += 1
        request_id = self._site.new_id()
        try:
            answer = self._routed(request, request_id)
        except NoAnswer:
            return _never()
        fate = request.fate.kind
        if isinstance(answer, HttpResponse) and (fate is FaultKind.NONE or not fate.is_taken):
            return self._stamped(answer, request_id)
        return self._later(answer, request, request_id)

    async def _later(
        self, answer: HttpResponse | Awaitable[HttpResponse], request: HttpRequest, request_id: str
    ) -> HttpResponse:
        """An answer that is not ready, or that does not arrive as it should."""
        response = answer if isinstance(answer, HttpResponse) else await answer
        fate = request.fate
        if fate.delay_s:
            await self._driver.wait_s(fate.delay_s)
        lost = None if self._faults is None else self._faults.cuts(request.call, self._site.now_ns)
        if fate.kind is FaultKind.LOST_REPLY or lost is FaultKind.RESET:
            raise ResetConnection
        if fate.kind is FaultKind.NO_ANSWER or lost is FaultKind.UNREACHABLE:
            return await _never()
        if response.chunks is not None:
            response.chunks.before = partial(self._cut, request.call)
        return self._stamped(response, request_id)

    def _cut(self, call: str) -> None:
        """An answer is under way: raises where it is lost from now on."""
        match None if self._faults is None else self._faults.cuts(call, self._site.now_ns):
            case FaultKind.RESET:
                raise ResetConnection
            case FaultKind.UNREACHABLE:
                raise NoAnswer

    def _meet_fate(self, service: str, operation: str, request: HttpRequest) -> None:
        """What goes wrong with this call, decided; raised where it goes wrong before the service has it."""
        if self._faults is None:
            return
        request.call = f"{_IAM_NAMES.get(service, service)}:{operation}"
        request.fate = self._faults.decide(request.call, self._site.now_ns)
        kind = request.fate.kind
        is_each_refused = kind is FaultKind.DENIED and request.call == _ONE_BY_ONE
        if not kind.is_taken and service != _KEEPS_TRUTH and not is_each_refused:
            raise refusal(service, request)

    def _stamped(self, response: HttpResponse, request_id: str) -> HttpResponse:
        utc_ns = self._site.utc_ns()
        second = utc_ns // 1_000_000_000
        if self._date[0] != second:
            self._date = (second, http_date(utc_ns))
        response.headers += (("x-amzn-requestid", request_id), ("Date", self._date[1]))
        return response

    # who is meant

    def _routed(self, request: HttpRequest, request_id: str) -> HttpResponse | Awaitable[HttpResponse]:
        headers, path = request.headers, request.path
        if target := headers.get("x-amz-target"):
            prefix, _, operation = target.partition(".")
            protocol = _TARGETS.get(prefix)
            if protocol is None:
                return self._unknown(_TARGETS["SageMaker"], prefix, operation, request_id)
            return self._shaped_call(protocol, request, request_id)
        if "smithy-protocol" in headers and path.startswith("/service/"):
            name, _, operation = path.removeprefix("/service/").partition("/operation/")
            protocol = _CBOR.get(name)
            if protocol is None:
                return self._unknown(next(iter(_CBOR.values())), name, operation, request_id)
            return self._shaped_call(protocol, request, request_id)
        scope = _scope(request)
        if scope == "s3" or not (scope or path == "/" or path.startswith("/endpoints/") or _is_action(request)):
            return self._rest_call("s3", request, request_id)
        if path.startswith("/endpoints/") and scope in ("", "sagemaker"):
            return self._rest_call("sagemaker-runtime", request, request_id)
        return self._form_call(scope, request, request_id)

    def _form_call(self, scope: str, request: HttpRequest, request_id: str) -> HttpResponse | Awaitable[HttpResponse]:
        form = _QUERY["sts"].fields(request)
        if "Action" not in form:
            if not scope:
                return self._rest_call("s3", request, request_id)
            if scope not in _QUERY:
                self._n_not_implemented += 1
                return rest_json_error(not_implemented(scope, f"{request.method} {request.path}"))
        service = scope or _BY_VERSION.get(str(form.get("Version", "")), "")
        protocol = _QUERY.get(service)
        if protocol is not None:
            return self._shaped_call(protocol, request, request_id)
        return self._unknown(_QUERY["sts"], service or "unknown", str(form["Action"]), request_id)

    def _unknown(self, speaking: Wire, service: str, operation: str, request_id: str) -> HttpResponse:
        """Name what is missing in the caller's own protocol; `speaking` is any service's of that protocol."""
        self._n_not_implemented += 1
        return speaking.error(not_implemented(service, operation), request_id=request_id)

    # the calls

    def _rest_call(self, name: str, request: HttpRequest, request_id: str) -> HttpResponse | Awaitable[HttpResponse]:
        is_s3 = name == "s3"
        try:
            answer = self._rest_answer(name, request)
        except (ResetConnection, NoAnswer):
            raise
        except Exception as raised:  # noqa: BLE001  # whatever broke, the client is told, and no connection is dropped
            error = self._refusal(raised, name, f"{request.method} {request.path}")
            answer = rest_xml_error(error, request_id=request_id) if is_s3 else rest_json_error(error)
        if is_s3 and isinstance(answer, HttpResponse):  # the only names S3's clients look for
            answer.headers += (("x-amz-request-id", request_id), ("x-amz-id-2", request_id))
        return answer

    def _rest_answer(self, name: str, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        self._driver.advance()
        if self._signatures is not None:
            self._signatures.check(request, _SIGNED_AS.get(name, name))
        elif name == "s3":
            presigned.refuse_stale(request, wall_ns() / 1e9)
        service = self._rest.get(name)
        if service is None:
            raise not_implemented(name, f"{request.method} {request.path}")
        if self._faults is not None:
            self._meet_fate(name, service.operation(request), request)
        return service.rest(request)

    def _shaped_call(
        self, protocol: Wire, request: HttpRequest, request_id: str
    ) -> HttpResponse | Awaitable[HttpResponse]:
        name = protocol.operation(request)
        try:
            result = self._shaped_result(protocol, name, request)
            if isinstance(result, Awaitable):
                return self._finish(protocol, name, result, request_id)
            return _written(protocol, name, result, request_id)
        except (ResetConnection, NoAnswer):
            raise
        except Exception as raised:  # noqa: BLE001  # as above
            error = self._refusal(raised, protocol.dialect.service, name)
            return protocol.error(error, request_id=request_id)

    def _shaped_result(self, protocol: Wire, name: str, request: HttpRequest) -> Result | Awaitable[Result]:
        self._driver.advance()
        if self._signatures is not None and (protocol.dialect.service, name) != _UNSIGNED:
            self._signatures.check(request, protocol.dialect.service)
        service = self._shaped.get(protocol.dialect.service)
        run = service.operations.get(name) if service is not None else None
        if name and run is None:
            raise not_implemented(protocol.dialect.service, name)
        self._meet_fate(protocol.dialect.service, name, request)
        _, params = protocol.parse(request)
        refuse_unheeded(protocol.dialect.service, name, params)
        assert run is not None, "parse refuses a request without an operation"
        return run(params, request)

    async def _finish(self, protocol: Wire, name: str, result: Awaitable[Result], request_id: str) -> HttpResponse:
        try:
            return _written(protocol, name, await result, request_id)
        except Exception as raised:  # noqa: BLE001  # as above
            return protocol.error(self._refusal(raised, protocol.dialect.service, name), request_id=request_id)

    def _refusal(self, raised: Exception, service: str, operation: str) -> ServiceError:
        """What the client gets for an exception, which is counted; an AWS error is passed on as it is."""
        if isinstance(raised, ServiceError):
            self._n_not_implemented += raised.status == 501
            return raised
        error = internal_failure(service, operation, raised)
        self._n_internal_failures += 1
        self._first_failure = self._first_failure or (error.message or "")
        return error


def refusal(service: str, request: HttpRequest) -> Exception:
    """What a call meets that the service does not carry out: an error in the service's words, a reset, or nothing."""
    match request.fate.kind:
        case FaultKind.RESET:
            return ResetConnection()
        case FaultKind.UNREACHABLE:
            return NoAnswer()
        case FaultKind.THROTTLED:
            code, status = _THROTTLES.get(service, ("ThrottlingException", request.fate.status))
            return ServiceError(code, None, status)  # SageMaker sends a null message
        case FaultKind.DENIED:
            return denial(service, request.call)
    internal = "InternalError" if service == "s3" else "InternalFailure"
    code = internal if request.fate.status == 500 else "ServiceUnavailable"
    return ServiceError(code, None, request.fate.status, fault="Receiver")


def denial(service: str, call: str) -> ServiceError:
    """How a service refuses an identity that may not make a call, `sqs:ReceiveMessage`."""
    code, status = _DENIALS.get(service, ("AccessDeniedException", 400))
    action = _PERMISSIONS.get(call, call)
    who = "arn:aws:iam::123456789012:user/smbench"
    text = f"because no identity-based policy allows the {action} action"
    return ServiceError(code, f"User: {who} is not authorized to perform: {action} {text}", status)


async def _never() -> HttpResponse:
    """Waits until the client leaves, which cancels it."""
    never: asyncio.Future[HttpResponse] = asyncio.get_running_loop().create_future()
    return await never


def _written(protocol: Wire, name: str, result: Result, request_id: str) -> HttpResponse:
    return result if isinstance(result, HttpResponse) else protocol.reply(name, result, request_id=request_id)


def _scope(request: HttpRequest) -> str:
    """The service a request was signed for; empty when it was not signed."""
    credential, _, _ = request.headers.get("authorization", "").partition(",")
    if service := _credential_scope(credential):
        return service
    parts = request.query.get("X-Amz-Credential", "").split("/")
    return parts[3] if len(parts) == 5 else ""


def _is_action(request: HttpRequest) -> bool:
    """Whether an unsigned request to some path is a call in the query protocol: SQS's go to the queue's own URL."""
    if request.method == "GET":
        fields: Mapping[str, Any] = request.query
    elif request.headers.get("content-type", "").startswith(_FORM):
        fields = _QUERY["sqs"].fields(request)
    else:
        return False
    return "Action" in fields and str(fields.get("Version", "")) in _BY_VERSION


@lru_cache(maxsize=256)  # a day's calls of a client to a service share it
def _credential_scope(credential: str) -> str:
    match = _SCOPE.search(credential)
    return match[1] if match else ""
