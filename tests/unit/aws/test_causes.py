"""Goal: every way a call can fail has one short name that never changes.

Method: the exceptions as aiohttp, botocore and the system nest them, one of each; those that sockets make for real are
in test_invoke.
"""

import errno
import socket
import ssl

import aiohttp
import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError

from fake_aws import client_error
from smbench.aws.access.causes import NO_ANSWER, cause_of, reason_of

URL = "http://x"


def at_endpoint(inner: BaseException) -> Exception:
    return EndpointConnectionError(endpoint_url=URL, error=inner)


def os_error(number: int) -> OSError:
    return OSError(number, "as the system says")


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ConnectTimeoutError(endpoint_url=URL), "connect timeout"),
        (ReadTimeoutError(endpoint_url=URL), "read timeout"),
        (TimeoutError(), "read timeout"),
        (aiohttp.ConnectionTimeoutError(), "connect timeout"),
        (aiohttp.SocketTimeoutError(), "read timeout"),
        (at_endpoint(os_error(errno.ECONNREFUSED)), "connection refused"),
        (at_endpoint(aiohttp.ClientOSError(errno.ECONNRESET, "reset")), "connection reset"),
        (ConnectionClosedError(endpoint_url=URL, error=aiohttp.ServerDisconnectedError()), "connection closed"),
        (at_endpoint(os_error(errno.ENETUNREACH)), "network unreachable"),
        (at_endpoint(os_error(errno.EHOSTUNREACH)), "host unreachable"),
        (at_endpoint(os_error(errno.EMFILE)), "too many open files"),
        (at_endpoint(os_error(errno.EADDRNOTAVAIL)), "no local port left"),
        (HTTPClientError(error=FileNotFoundError(errno.ENOENT, "no file")), "certificate file not found"),
        (at_endpoint(socket.gaierror(socket.EAI_NONAME, "unknown")), "name not resolved"),
        (SSLError(endpoint_url=URL, error=ssl.SSLError("bad certificate")), "TLS error"),
        (ProxyConnectionError(proxy_url=URL), "proxy error"),
        (NoCredentialsError(), "credentials not usable"),
        (UnauthorizedSSOTokenError(), "credentials not usable"),
        (ResponseParserError("garbage"), "unreadable answer"),
        (HTTPClientError(error=RuntimeError("odd")), "network error"),
    ],
    ids=repr,
)
def test_every_failure_has_its_name_and_is_a_missing_answer(error: Exception, name: str) -> None:
    assert cause_of(error) == name
    assert isinstance(error, NO_ANSWER)


def test_an_answer_with_an_error_is_named_by_its_code() -> None:
    assert reason_of(client_error("ThrottlingException")) == "ThrottlingException"
    assert not isinstance(client_error("ThrottlingException"), NO_ANSWER)


def test_an_error_without_a_code_is_named_by_its_status() -> None:
    assert reason_of(client_error("", status=503)) == "503"


def test_an_error_that_contains_itself_is_named_all_the_same() -> None:
    error = HTTPClientError(error="x")
    error.kwargs["error"] = error
    assert cause_of(error) == "network error"


def test_our_own_mistakes_are_no_missing_answer() -> None:
    assert not isinstance(ParamValidationError(report="x"), NO_ANSWER)


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ConnectionResetError(), "connection reset"),  # asyncio's own, when a handshake is broken off
        (ConnectionAbortedError("SSL handshake is taking too long"), "connection reset"),
        (ConnectionRefusedError(), "connection refused"),
    ],
)
def test_an_error_without_a_number_has_the_name_of_its_kind(error: OSError, name: str) -> None:
    assert cause_of(error) == name
