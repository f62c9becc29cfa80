"""The emulated region behind a gate: every call kept as IAM sees it; what is not allowed is refused as AWS does."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs

from parliament_lint import findings
from smbench.emulator.protocol import front
from smbench.emulator.protocol.codecs import ServiceError, rest_json_error, rest_xml_error
from smbench.emulator.protocol.front import Front
from smbench.emulator.protocol.http import HttpRequest, HttpResponse

_ARN = "us-east-1:123456789012"
_PREFIXES = {
    "AmazonSQS": "sqs",
    "SageMaker": "sagemaker",
    "AnyScaleFrontendService": "application-autoscaling",
    "GraniteServiceVersion20100801": "cloudwatch",
    "ResourceGroupsTaggingAPI_20170126": "tag",
    "Logs_20140328": "logs",
    "ServiceQuotasV20190624": "servicequotas",
}
_INVOKED_BY = {
    "async-invocations": ("InvokeEndpointAsync",),
    "invocations": ("InvokeEndpoint",),
    "invocations-response-stream": ("InvokeEndpoint", "InvokeEndpointWithResponseStream"),
}
INHERENT = "RESOURCE_POLICY_PRIVILEGE_ESCALATION"  # whoever makes a bucket with its policy may write that policy
_FREE = "sts:GetCallerIdentity"  # needs no permission


@dataclass(frozen=True)
class Call:
    """One permission that a request needs: the action, and what it is done to."""

    action: str
    resource: str


@dataclass
class Gate:
    """Keeps every call.

    Attributes:
        allows: Whether a call may pass; may be changed at any time.
    """

    allows: Callable[[Call], bool] = lambda _call: True
    calls: set[Call] = field(default_factory=set)

    @property
    def actions(self) -> set[str]:
        return {call.action for call in self.calls}


def allowed_by(policy: Mapping[str, Any], call: Call) -> bool:
    """Whether an IAM policy of Allow statements allows a call; their conditions are taken for met."""
    return any(
        any(fnmatchcase(call.action, action) for action in _listed(statement["Action"]))
        and any(fnmatchcase(call.resource, resource) for resource in _listed(statement["Resource"]))
        for statement in policy["Statement"]
    )


def require_exact(policy: Mapping[str, Any], gate: Gate, seen_elsewhere: set[str]) -> None:
    """The policy allowed every call, each of its actions was called where it allows it, and the linter is content."""
    assert [call for call in gate.calls if not allowed_by(policy, call)] == []
    unused = [one for one in each_of(policy) if not _is_used(one, gate.calls)]
    assert [call for call in unused if call.action not in seen_elsewhere] == []
    assert [one for one in findings(policy) if not one.startswith(INHERENT)] == []
    sids = [one["Sid"] for one in policy["Statement"]]
    assert len(set(sids)) == len(sids)


def each_of(policy: Mapping[str, Any]) -> list[Call]:
    """Every action of a policy on each of its resources."""
    return [
        Call(action, resource)
        for one in policy["Statement"]
        for action in one["Action"]
        for resource in _listed(one["Resource"])
    ]


def _is_used(allowed: Call, calls: set[Call]) -> bool:
    policy = {"Statement": [{"Action": allowed.action, "Resource": allowed.resource}]}
    return any(allowed_by(policy, call) for call in calls)


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@contextmanager
def gated() -> Iterator[Gate]:
    """Every emulator of this process is behind this gate while the block lasts."""
    gate, routed = Gate(), Front._routed

    def checked(self: Front, request: HttpRequest, request_id: str) -> Any:
        calls = calls_of(request)
        gate.calls |= calls
        for call in calls:
            if not gate.allows(call):
                return _refusal(request, call, request_id)
        return routed(self, request, request_id)

    with patch.object(Front, "_routed", checked):
        yield gate


def calls_of(request: HttpRequest) -> set[Call]:
    """The permissions that a request needs."""
    if target := request.headers.get("x-amz-target"):
        prefix, _, operation = target.partition(".")
        return _of_json(_PREFIXES[prefix], operation, json.loads(request.body or b"{}"))
    scope = front._scope(request)
    if request.path.startswith("/endpoints/"):
        _, _, name, way = request.path.split("/", 3)
        endpoint = f"arn:aws:sagemaker:{_ARN}:endpoint/{name}"
        return {Call(f"sagemaker:{action}", endpoint) for action in _INVOKED_BY[way]}
    if scope == "s3":
        return _of_s3(request)
    form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    prefix = "cloudwatch" if scope == "monitoring" else scope
    action = f"{prefix}:{form['Action']}"
    if prefix == "cloudformation":
        name = form["StackName"]
        stack = name if name.startswith("arn:") else f"arn:aws:cloudformation:{_ARN}:stack/{name}/id"
        tagged = {Call("cloudformation:TagResource", stack)} if "Tags.member.1.Key" in form else set()
        return {Call(action, stack)} | tagged
    if form["Action"].startswith("DescribeAlarm"):
        return {Call(action, f"arn:aws:cloudwatch:{_ARN}:alarm:{form.get('AlarmName', '*')}")}
    return set() if action == _FREE else {Call(action, form.get("TopicArn", "*"))}


def _of_json(service: str, operation: str, body: Mapping[str, Any]) -> set[Call]:
    resource = "*"
    if service == "sqs" and (name := body.get("QueueName") or body.get("QueueUrl", "").rpartition("/")[2]):
        resource = f"arn:aws:sqs:{_ARN}:{name}"
    if service == "sagemaker" and "EndpointName" in body:
        resource = f"arn:aws:sagemaker:{_ARN}:endpoint/{body['EndpointName']}"
    elif service == "sagemaker" and "EndpointConfigName" in body:
        resource = f"arn:aws:sagemaker:{_ARN}:endpoint-config/{body['EndpointConfigName']}"
    elif operation == "DescribeModel":
        resource = f"arn:aws:sagemaker:{_ARN}:model/{body['ModelName']}"
    elif "InferenceComponentName" in body:
        resource = f"arn:aws:sagemaker:{_ARN}:inference-component/{body['InferenceComponentName']}"
    elif "ProcessingJobName" in body:
        resource = f"arn:aws:sagemaker:{_ARN}:processing-job/{body['ProcessingJobName']}"
    elif service == "sagemaker" and "JobName" in body:
        resource = f"arn:aws:sagemaker:{_ARN}:inference-recommendations-job/{body['JobName']}"
    if "logGroupName" in body:
        resource = f"arn:aws:logs:{_ARN}:log-group:{body['logGroupName']}:*"
    calls = {Call(f"{service}:{operation.removesuffix('Batch')}", resource)}
    if operation == "CreateQueue" and body.get("tags"):
        calls.add(Call("sqs:TagQueue", resource))
    return calls


def _of_s3(request: HttpRequest) -> set[Call]:
    bucket, _, key = request.path.lstrip("/").partition("/")
    place = f"arn:aws:s3:::{bucket}"
    if request.method == "POST" and "delete" in request.query:
        is_versions = b"<VersionId>" in request.body
        keys = re.findall(r"<Key>(.*?)</Key>", request.body.decode())
        return {Call("s3:DeleteObjectVersion" if is_versions else "s3:DeleteObject", f"{place}/{one}") for one in keys}
    if not key and "versions" in request.query:
        return {Call("s3:ListBucketVersions", place)}
    if not key:
        return {Call("s3:ListBucket", place)}
    action = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}[request.method]
    return {Call(f"s3:{action}", f"{place}/{key}")}


def _refusal(request: HttpRequest, call: Call, request_id: str) -> HttpResponse:
    who = "User: arn:aws:iam::123456789012:user/smbench"
    text = f"{who} is not authorized to perform: {call.action} on resource: {call.resource}"
    if target := request.headers.get("x-amz-target"):
        error = ServiceError("AccessDeniedException", text, 400)
        return front._TARGETS[target.partition(".")[0]].error(error, request_id=request_id)
    if request.path.startswith("/endpoints/"):
        return rest_json_error(ServiceError("AccessDeniedException", text, 403))
    if front._scope(request) == "s3":
        return rest_xml_error(ServiceError("AccessDenied", "Access Denied", 403), request_id=request_id)
    error = ServiceError("AuthorizationError", text, 403)
    return front._QUERY[front._scope(request)].error(error, request_id=request_id)
