"""AWS as told: an HTTP server that answers by a script, and clients in memory that answer by a table."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from botocore.exceptions import ClientError

from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.aws.endpoint.description import TargetFound
from smbench.emulator.protocol.http import HttpRequest, HttpResponse, HttpServer

SUCCESS_TOPIC = "arn:aws:sns:us-east-1:123456789012:done"
ERROR_TOPIC = "arn:aws:sns:us-east-1:123456789012:broken"


def target(**changes: Any) -> TargetFound:
    """An endpoint in service with both topics."""
    found: dict[str, Any] = {
        "endpoint": "ep",
        "endpoint_arn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/ep",
        "config": "ep-config",
        "status": "InService",
        "variant": "blue",
        "instance_type": "ml.m5.large",
        "instances_current": 1,
        "instances_desired": 1,
        "concurrency": 2,
        "output_path": "s3://bucket/out",
        "failure_path": "s3://bucket/failed",
        "success_topic": SUCCESS_TOPIC,
        "error_topic": ERROR_TOPIC,
    }
    return TargetFound(**found | changes)


class FakeAws:
    """Every AWS service at one loopback address; keeps what it was asked.

    Attributes:
        answer: What it says to a request; may be changed at any time.
    """

    def __init__(self, answer: Callable[[HttpRequest], HttpResponse | Awaitable[HttpResponse]]) -> None:
        self.answer = answer
        self.requests: list[HttpRequest] = []
        self._server = HttpServer()

    async def __aenter__(self) -> Self:
        await self._server.start(self._handle)
        return self

    async def __aexit__(self, *exit_details: object) -> None:
        await self._server.stop()

    def _handle(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        self.requests.append(request)
        return self.answer(request)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"


def json_answer(body: object, status: int = 200, **headers: str) -> HttpResponse:
    """An answer of the JSON protocols; `x_amzn_errortype` becomes `x-amzn-errortype`."""
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return HttpResponse(status, [("content-type", "application/json"), *named], json.dumps(body).encode())


def client_error(code: str, message: str | None = "as told", status: int = 400) -> ClientError:
    """What botocore raises for an answer with an error."""
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "AnyOperation")


@dataclass
class FakeClient:
    """An AWS client whose operations are a table: a dict to return, an exception to raise, or a function of the
    parameters that does either. A paginator yields one page, or each page of a list; a page may be an exception."""

    table: dict[str, Any] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __getattr__(self, operation: str) -> Callable[..., Awaitable[Any]]:
        async def call(**parameters: Any) -> Any:
            return self._answer(operation, parameters)

        return call

    def get_paginator(self, operation: str) -> "_Paginator":
        return _Paginator(self, operation)

    def _answer(self, operation: str, parameters: dict[str, Any]) -> Any:
        self.calls.append((operation, parameters))
        told = self.table[operation]
        answer = told(**parameters) if callable(told) else told
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def called(self, operation: str) -> list[dict[str, Any]]:
        return [parameters for name, parameters in self.calls if name == operation]


@dataclass
class _Paginator:
    client: FakeClient
    operation: str

    async def paginate(self, **parameters: Any) -> AsyncIterator[Mapping[str, Any]]:
        pages = self.client._answer(self.operation, parameters)
        for page in pages if isinstance(pages, list) else [pages]:
            if isinstance(page, BaseException):
                raise page
            yield page


def fake_clients(settings: AwsSettings | None = None, **services: FakeClient) -> AwsClients:
    """Clients that were never opened: only these services are there."""
    clients = AwsClients(settings or AwsSettings(region="us-east-1"))
    for name, client in services.items():
        setattr(clients, name, client)
    return clients
