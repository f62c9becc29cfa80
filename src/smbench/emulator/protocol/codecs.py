"""AWS's wire protocols: a request becomes an operation with parameters, a result or an error becomes a reply.

Parameters and results carry botocore's member names and Python types: datetime for timestamps, bytes for blobs.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from typing import Protocol as TypingProtocol

import orjson
from botocore.model import StructureShape

from smbench.emulator.protocol import cbor, query
from smbench.emulator.protocol.http import HttpRequest, HttpResponse
from smbench.emulator.protocol.shapes import Fault, OperationShapes, Problem, service_shapes

_UNPACKED_MAX_BYTES = 64 << 20
JSON_10, JSON_11 = "application/x-amz-json-1.0", "application/x-amz-json-1.1"
Params = dict[str, Any]
Complaint = Callable[[list[Problem]], "ServiceError | None"]


class ServiceError(Exception):
    """An answer that is an AWS error.

    Args:
        code: AWS's code, `QueueDoesNotExist`.
        message: AWS's text; None is written as null, as a throttled InvokeEndpointAsync has it.
        status: HTTP status.
        query_error_code: The code of the service's older query protocol, where it differs.
        fault: `Sender` (the caller's) or `Receiver` (the service's).
        details: Further elements of an S3 error, such as Key.
        headers: Further headers of an S3 error, such as `x-amz-delete-marker`.
    """

    def __init__(
        self,
        code: str,
        message: str | None,
        status: int = 400,
        *,
        query_error_code: str | None = None,
        fault: str = "Sender",
        details: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.code, self.message, self.status = code, message, status
        self.query_error_code, self.fault, self.details = query_error_code, fault, details or {}
        self.headers = headers or {}


def not_implemented(service: str, operation: str) -> ServiceError:
    """The answer to everything this emulator does not know: it never pretends."""
    return ServiceError(
        "NotImplemented", f"the emulator does not implement {service}:{operation}", 501, fault="Receiver"
    )


def beyond(what: str) -> ServiceError:
    """The answer to what AWS could do within an operation and this emulator cannot, such as `suspend scaling`."""
    return ServiceError("NotImplemented", f"the emulator does not {what}", 501, fault="Receiver")


def internal_failure(service: str, operation: str, error: Exception) -> ServiceError:
    """The answer to a call in which the emulator itself broke: a 500 that names the operation and what was raised."""
    what = f"{type(error).__name__}: {error}"[:500]
    return ServiceError(
        "InternalFailure", f"the emulator broke in {service}:{operation}: {what}", 500, fault="Receiver"
    )


class Protocol(TypingProtocol):
    """One service's wire format."""

    dialect: "Dialect"

    def operation(self, request: HttpRequest) -> str:
        """The operation's name; empty when the request names none."""

    def parse(self, request: HttpRequest) -> tuple[str, Params]:
        """The operation and its parameters.

        Raises:
            ServiceError: the body is malformed or breaks the operation's shapes.
        """

    def reply(self, operation: str, result: Mapping[str, Any] | None, *, request_id: str = "") -> HttpResponse:
        """A success in this protocol; `result` None or empty where the operation returns nothing."""

    def error(self, error: ServiceError, *, request_id: str = "") -> HttpResponse:
        """A refusal in this protocol, with its status."""


def plain_body(request: HttpRequest) -> bytes:
    """The body, unpacked where the client packed it: botocore does so for a PutMetricData beyond 10 KiB.

    Raises:
        ServiceError: it is not packed as its header says, or unpacks beyond `_UNPACKED_MAX_BYTES`.
    """
    encoding = request.headers.get("content-encoding", "")
    if encoding.lower() != "gzip":
        return request.body
    unpacking = zlib.decompressobj(wbits=31)
    try:
        plain = unpacking.decompress(request.body, _UNPACKED_MAX_BYTES)
    except zlib.error:
        raise ServiceError("SerializationException", "The request body is not packed by gzip") from None
    if not unpacking.eof:
        raise ServiceError("SerializationException", "The request body is cut short, or too large")
    return plain


# What a service says about parameters that break its shapes


def coral(code: str) -> Complaint:
    """The sentence most services share: `2 validation errors detected: Value null at 'x' failed to satisfy ...`."""

    def complain(problems: list[Problem]) -> ServiceError:
        wrong_type = next((problem for problem in problems if problem.fault is Fault.TYPE), None)
        if wrong_type is not None:
            return _serialization(wrong_type)
        said = "; ".join(f"Value {p.value} at '{p.path}' failed to satisfy constraint: {p.text}" for p in problems)
        plural = "" if len(problems) == 1 else "s"
        return ServiceError(code, f"{len(problems)} validation error{plural} detected: {said}")

    return complain


def sqs_complaint(problems: list[Problem]) -> ServiceError | None:
    """SQS checks limits itself, with a code for each; only absence and type are the codec's."""
    for problem in problems:
        if problem.fault is Fault.TYPE:
            return _serialization(problem)
        if problem.fault is Fault.MISSING:
            return ServiceError("MissingParameter", f"The request must contain the parameter {problem.member}.")
    return None


def sns_complaint(problems: list[Problem]) -> ServiceError | None:
    """SNS names the parameter and the reason."""
    for problem in problems:
        if problem.fault is Fault.MISSING:
            reason = f"Invalid parameter: {problem.member} Reason: no value for required parameter"
            return ServiceError("InvalidParameter", reason)
        if problem.fault is Fault.TYPE:
            return ServiceError("InvalidParameter", f"Invalid parameter: {problem.member} Reason: not {problem.text}")
    return None


def _serialization(problem: Problem) -> ServiceError:
    return ServiceError("SerializationException", f"{problem.value} at '{problem.path}' is not {problem.text}")


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the codecs must know of a service beyond its shapes."""

    service: str  # as in the credential scope
    botocore_name: str
    complain: Complaint
    error_namespace: str = ""  # put before the code in JSON 1.0 and CBOR
    target_prefix: str = ""


SQS = Dialect("sqs", "sqs", sqs_complaint, "com.amazonaws.sqs#", "AmazonSQS")
SNS = Dialect("sns", "sns", sns_complaint)
STS = Dialect("sts", "sts", coral("ValidationError"))
CLOUDWATCH = Dialect(
    "monitoring", "cloudwatch", coral("ValidationError"), "com.amazonaws.cloudwatch#", "GraniteServiceVersion20100801"
)
CLOUDFORMATION = Dialect("cloudformation", "cloudformation", coral("ValidationError"))
IAM = Dialect("iam", "iam", coral("ValidationError"))
TAGGING = Dialect(
    "tagging",
    "resourcegroupstaggingapi",
    coral("InvalidParameterException"),
    target_prefix="ResourceGroupsTaggingAPI_20170126",
)
QUOTAS = Dialect(
    "servicequotas",
    "service-quotas",
    coral("IllegalArgumentException"),
    target_prefix="ServiceQuotasV20190624",
)
SSM = Dialect("ssm", "ssm", coral("ValidationException"), target_prefix="AmazonSSM")
LOGS = Dialect("logs", "logs", coral("InvalidParameterException"), target_prefix="Logs_20140328")
SAGEMAKER = Dialect("sagemaker", "sagemaker", coral("ValidationException"), target_prefix="SageMaker")
AUTOSCALING = Dialect(
    "application-autoscaling",
    "application-autoscaling",
    coral("ValidationException"),
    target_prefix="AnyScaleFrontendService",
)


class _Shaped:
    """What the protocols of one service share: its shapes and its complaints."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    def shapes(self, operation: str) -> OperationShapes:
        """Raises ServiceError 501 for a name that AWS does not know either."""
        found = service_shapes(self.dialect.botocore_name).operation(operation)
        if found is None:
            raise not_implemented(self.dialect.service, operation)
        return found

    def checked(self, shapes: OperationShapes, params: Any) -> Params:
        """Parameters in Python types, or the service's own complaint raised."""
        if shapes.read is None:
            return {}
        problems: list[Problem] = []
        read: Params = shapes.read(params, None, problems)
        if problems and (error := self.dialect.complain(problems)) is not None:
            raise error
        return read


class JsonProtocol(_Shaped):
    """awsJson 1.0 and 1.1: the operation in X-Amz-Target, JSON both ways."""

    def __init__(self, dialect: Dialect, content_type: str) -> None:
        super().__init__(dialect)
        self.content_type = content_type

    def operation(self, request: HttpRequest) -> str:
        """From `X-Amz-Target`; empty where it is missing."""
        return request.headers.get("x-amz-target", "").rpartition(".")[2]

    def parse(self, request: HttpRequest) -> tuple[str, Params]:
        """Operation and checked parameters; an empty body is no parameters.

        Raises:
            ServiceError: not JSON, or not valid.
        """
        operation = self.operation(request)
        shapes = self.shapes(operation)
        try:
            params = orjson.loads(plain_body(request)) if request.body else {}
        except orjson.JSONDecodeError as error:
            raise ServiceError("SerializationException", f"the body is not JSON: {error}") from None
        return operation, self.checked(shapes, params)

    def reply(self, operation: str, result: Mapping[str, Any] | None, *, request_id: str = "") -> HttpResponse:
        """See `Protocol`; no body where the operation's model has no output."""
        shapes = self.shapes(operation)
        if shapes.model.output_shape is None:  # SQS writes nothing here; so does everyone
            return HttpResponse(200, [("Content-Type", self.content_type)])
        body = result or {}
        return _json(200, shapes.write(body) if shapes.write else body, self.content_type)

    def error(self, error: ServiceError, *, request_id: str = "") -> HttpResponse:
        """See `Protocol`; `__type` with the namespace of AWS JSON 1.0."""
        namespace = self.dialect.error_namespace if self.content_type == JSON_10 else ""
        reply = _json(error.status, {"__type": namespace + error.code, "message": error.message}, self.content_type)
        reply.headers += _query_error(error)
        return reply


class CborProtocol(_Shaped):
    """smithy rpc-v2-cbor: `/service/NAME/operation/OPERATION`, CBOR both ways."""

    _HEADERS = (("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor"))

    def operation(self, request: HttpRequest) -> str:
        """From the path of RPC v2; empty where it has none."""
        return request.path.rpartition("/operation/")[2]

    def parse(self, request: HttpRequest) -> tuple[str, Params]:
        """Operation and checked parameters. Raises ServiceError: not CBOR, or not valid."""
        operation = self.operation(request)
        shapes = self.shapes(operation)
        try:
            params = cbor.decode(plain_body(request)) if request.body else {}
        except cbor.CborError as error:
            raise ServiceError("SerializationException", f"the body is not CBOR: {error}") from None
        return operation, self.checked(shapes, params)

    def reply(self, operation: str, result: Mapping[str, Any] | None, *, request_id: str = "") -> HttpResponse:
        """See `Protocol`; an empty map where there is no result."""
        return HttpResponse(200, list(self._HEADERS), cbor.encode(dict(result or {})))

    def error(self, error: ServiceError, *, request_id: str = "") -> HttpResponse:
        """See `Protocol`; with the header that has the query code for old clients."""
        body = {"__type": self.dialect.error_namespace + error.code, "message": error.message}
        return HttpResponse(error.status, [*self._HEADERS, *_query_error(error)], cbor.encode(body))


class QueryProtocol(_Shaped):
    """AWS query: a form with `Action`, XML back."""

    def operation(self, request: HttpRequest) -> str:
        """The form's `Action`; empty where it is missing."""
        return str(self.fields(request).get("Action", ""))

    def parse(self, request: HttpRequest) -> tuple[str, Params]:
        """Operation and checked parameters of a form. Raises ServiceError: malformed, no Action, or not valid."""
        try:
            form = self._form(request)
        except query.FormError as error:
            raise ServiceError("MalformedQueryString", f"the form cannot be read: {error}") from None
        operation = form.get("Action", "")
        if not isinstance(operation, str) or not operation:
            raise ServiceError("MissingAction", "The request must contain an Action.")
        shapes = self.shapes(operation)
        shape = shapes.model.input_shape
        return operation, self.checked(shapes, {} if shape is None else query.typed(shape, form))

    def reply(self, operation: str, result: Mapping[str, Any] | None, *, request_id: str = "") -> HttpResponse:
        """See `Protocol`; XML in the operation's result wrapper."""
        shape = self.shapes(operation).model.output_shape
        inner = ""
        if isinstance(shape, StructureShape):
            wrapper = shape.serialization.get("resultWrapper", f"{operation}Result")
            inner = f"<{wrapper}>{query.xml_members(shape, dict(result or {}))}</{wrapper}>"
        metadata = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
        return _xml(200, f"<{operation}Response{self._namespace}>{inner}{metadata}</{operation}Response>")

    def error(self, error: ServiceError, *, request_id: str = "") -> HttpResponse:
        """See `Protocol`; `ErrorResponse` XML."""
        spoken = "MalformedInput" if error.code == "SerializationException" else error.code
        code = query.escape(error.query_error_code or spoken)
        told = f"<Type>{error.fault}</Type><Code>{code}</Code><Message>{query.escape(error.message or '')}</Message>"
        body = f"<Error>{told}</Error><RequestId>{request_id}</RequestId>"
        return _xml(error.status, f"<ErrorResponse{self._namespace}>{body}</ErrorResponse>")

    def fields(self, request: HttpRequest) -> query.Tree:
        """The form's fields; empty when it cannot be read."""
        try:
            return self._form(request)
        except query.FormError:
            return {}

    def _form(self, request: HttpRequest) -> query.Tree:
        text = plain_body(request).decode("utf-8", "replace") if request.body else request.target.partition("?")[2]
        return query.parse_form(text)

    @property
    def _namespace(self) -> str:
        namespace = service_shapes(self.dialect.botocore_name).namespace
        return f' xmlns="{namespace}"' if namespace else ""


def json_reply(body: Any, status: int = 200, headers: list[tuple[str, str]] | None = None) -> HttpResponse:
    """A REST-JSON reply, compact as AWS writes it."""
    return HttpResponse(status, [("Content-Type", "application/json"), *(headers or [])], orjson.dumps(body))


def rest_json_error(error: ServiceError) -> HttpResponse:
    """A REST-JSON error: the code in a header, the message in the body."""
    return json_reply({"message": error.message}, error.status, [("x-amzn-ErrorType", error.code)])


def xml_reply(document: str, status: int = 200, headers: list[tuple[str, str]] | None = None) -> HttpResponse:
    """A REST-XML reply; `document` without its declaration."""
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{document}'.encode()
    return HttpResponse(status, [("Content-Type", "application/xml"), *(headers or [])], body)


def rest_xml_error(error: ServiceError, *, request_id: str = "") -> HttpResponse:
    """An S3 error."""
    more = "".join(f"<{tag}>{query.escape(text)}</{tag}>" for tag, text in error.details.items())
    code, message = query.escape(error.code), query.escape(error.message or "")
    ids = f"<RequestId>{request_id}</RequestId><HostId>{request_id}</HostId>"
    document = f"<Error><Code>{code}</Code><Message>{message}</Message>{more}{ids}</Error>"
    return xml_reply(document, error.status, list(error.headers.items()))


def _json(status: int, body: Any, content_type: str) -> HttpResponse:
    return HttpResponse(status, [("Content-Type", content_type)], orjson.dumps(body))


def _xml(status: int, document: str) -> HttpResponse:
    return HttpResponse(status, [("Content-Type", "text/xml")], document.encode())


def _query_error(error: ServiceError) -> list[tuple[str, str]]:
    if error.query_error_code is None:
        return []
    return [("x-amzn-query-error", f"{error.query_error_code};{error.fault}")]
