"""One short stable name for each failed call: whatever botocore, aiohttp, the wire or the operating system calls it.

These names are in the ledger's `error` column and in gaps: runs are compared by them, so they never change.
"""

import errno
import socket
import ssl
from collections.abc import Iterator

import aiohttp
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    HTTPClientError,
    MetadataRetrievalError,
    NoCredentialsError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.parsers import ResponseParserError

from smbench.records import CONNECT_TIMEOUT, READ_TIMEOUT
from smbench.wire.http1 import BrokenOff, ConnectTimeout, UnreadableAnswer

_CREDENTIALS = (NoCredentialsError, CredentialRetrievalError, MetadataRetrievalError, SSOError, TokenRetrievalError)

# Every way a call can end without an answer from the service. Programming errors (a parameter botocore refuses) are
# not among them: they end the run.
NO_ANSWER = (
    HTTPClientError,
    BotoConnectionError,
    ResponseParserError,
    aiohttp.ClientError,
    OSError,  # also TimeoutError
    *_CREDENTIALS,
)

CONTAINERS_OWN = "ModelError"  # 424 from InvokeEndpoint: the container answered with an error, or not within 60 s

# What botocore's parsers trip over in an answer they did not expect: JSON that is no object, bytes that are no text.
# Parameters it refuses are a BotoCoreError and not among these.
UNREADABLE = (AttributeError, TypeError, ValueError)

_BY_TYPE: tuple[tuple[type[BaseException], str], ...] = (
    (ConnectTimeoutError, CONNECT_TIMEOUT),
    (ConnectTimeout, CONNECT_TIMEOUT),
    (aiohttp.ConnectionTimeoutError, CONNECT_TIMEOUT),
    (ReadTimeoutError, READ_TIMEOUT),
    (SSLError, "TLS error"),
    (aiohttp.ClientSSLError, "TLS error"),
    (ssl.SSLError, "TLS error"),
    (ProxyConnectionError, "proxy error"),
    # asyncio makes some of these itself, without a number.
    (ConnectionRefusedError, "connection refused"),
    (ConnectionResetError, "connection reset"),
    (ConnectionAbortedError, "connection reset"),
    (BrokenPipeError, "connection reset"),
    (socket.gaierror, "name not resolved"),
    (TimeoutError, READ_TIMEOUT),
    (ResponseParserError, "unreadable answer"),
    (UnreadableAnswer, "unreadable answer"),
    (aiohttp.ClientResponseError, "unreadable answer"),  # aiohttp's word for what is no HTTP
    *((kind, "credentials not usable") for kind in _CREDENTIALS),
)
_BY_ERRNO = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.EPIPE: "connection reset",
    errno.ECONNABORTED: "connection reset",
    errno.ETIMEDOUT: CONNECT_TIMEOUT,
    errno.EHOSTUNREACH: "host unreachable",
    errno.ENETUNREACH: "network unreachable",
    errno.EMFILE: "too many open files",
    errno.ENFILE: "too many open files",
    errno.EADDRNOTAVAIL: "no local port left",
    errno.ENOENT: "certificate file not found",  # the only file a call opens: AWS_CA_BUNDLE's
}
_CLOSED = (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, BrokenOff)


def cause_of(error: BaseException) -> str:
    """The name of a network failure; "network error" when it is none of those known."""
    chain = list(_chain(error))
    for link in chain:
        if isinstance(link, OSError) and link.errno in _BY_ERRNO:
            return _BY_ERRNO[link.errno]
        for kind, name in _BY_TYPE:
            if isinstance(link, kind):
                return name
    # The server went away in the middle, with or without a word: asyncio tells both alike.
    if any(isinstance(link, _CLOSED) for link in chain):
        return "connection closed"
    return "network error"


def distrust_of(error: BaseException) -> str | None:
    """Why a server's certificate was not accepted, in OpenSSL's words; None when that is not what failed."""
    for link in _chain(error):
        if isinstance(link, ssl.SSLCertVerificationError) and hasattr(link, "verify_message"):  # aiohttp's has none
            return link.verify_message
    return None


def code_of(error: ClientError) -> str:
    """AWS's error code; the HTTP status where the answer named none, as a proxy's does not."""
    return str(error.response.get("Error", {}).get("Code") or status_of(error))


def status_of(error: ClientError) -> int:
    """The HTTP status; 0 where the error has none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def original_status_of(error: ClientError) -> int | None:
    """What the container answered, where the error is the container's own; None where it is not."""
    status = error.response.get("OriginalStatusCode")
    return status if isinstance(status, int) else None


def reason_of(error: BaseException) -> str:
    """Why a call failed, answered or not, in a word or two."""
    return code_of(error) if isinstance(error, ClientError) else cause_of(error)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and inside it what botocore, aiohttp and Python keep of its origin."""
    seen: set[int] = set()
    link: object = error
    while isinstance(link, BaseException) and id(link) not in seen:
        seen.add(id(link))
        yield link
        kept = getattr(link, "kwargs", None)
        inner = kept.get("error") if isinstance(kept, dict) else getattr(link, "os_error", None)
        link = inner if isinstance(inner, BaseException) else (link.__cause__ or link.__context__)
