"""HTTP/1.1 for AWS clients on loopback: an asyncio protocol around httptools, nothing between it and the handler.

Replies leave in the order of their requests. A handler answers at once, or gives an awaitable when the reply must
wait (a long poll); then only that connection waits.
"""

import asyncio
import re
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from typing import cast
from urllib.parse import parse_qsl, unquote

import httptools

from smbench.emulator.faults import NOTHING, Decision
from smbench.emulator.protocol.chunks import Chunks, ResetConnection

HEADERS_MAX_BYTES = 65_536  # request line and headers together; S3 itself stops at 8 KB of headers
BODY_MAX_BYTES = 1 << 30  # the largest input of an asynchronous invocation is 1 GB
PIPELINED_MAX = 64  # requests parsed ahead of a parked reply before the socket is left unread
_JOIN_MAX_BYTES = 65_536  # below this one copy is cheaper than a second write
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with zero seconds: close sends RST
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_BODILESS = (204, 304)
_ABSOLUTE = re.compile(r"https?://([^/?#]*)(.*)", re.IGNORECASE)
_BEGUN = "httptools calls on_message_begin first"


@dataclass(slots=True)
class HttpRequest:
    """One whole request. Names in `headers` are lower case; a repeated header's values are joined by `, `."""

    method: str
    target: str  # as sent: path, and query after "?"
    path: str  # percent-decoded
    raw_path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    call: str = ""  # `sqs:ReceiveMessage`; known, and its fate decided, when something may go wrong with it
    fate: Decision = NOTHING


@dataclass(slots=True)
class HttpResponse:
    """One reply. The server adds Content-Length, or sends `chunks` where there are some."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    chunks: Chunks | None = None


Handler = Callable[[HttpRequest], HttpResponse | Awaitable[HttpResponse]]


class HttpServer:
    """A listener on 127.0.0.1 and its connections."""

    def __init__(self) -> None:
        self.port = 0
        self.n_requests = 0
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()

    async def start(self, handler: Handler, port: int = 0) -> None:
        """Listen; afterwards `port` is the bound one.

        Raises:
            OSError: the port is taken.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self, handler, self._connections), "127.0.0.1", port, backlog=1024
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the listener and every connection; parked replies are dropped."""
        if self._server is None:
            return
        self._server.close()
        parked = [connection.parked for connection in self._connections if connection.parked is not None]
        for connection in list(self._connections):
            connection.abort()
        if parked:
            await asyncio.wait(parked)
        await self._server.wait_closed()
        self._server = None


@dataclass(slots=True)
class _Incoming:
    """A request while its bytes arrive."""

    url: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    chunks: list[bytes] = field(default_factory=list)
    head_bytes: int = 0
    body_bytes: int = 0


@dataclass(slots=True)
class _Turn:
    """A place in the order of replies: a request to hand on, or the last answer to a client that broke HTTP."""

    request: HttpRequest | None
    response: HttpResponse | None
    keep_alive: bool
    is_old: bool = False  # HTTP/1.0: a connection stays open only where the reply says so, and a body is one piece


class _TooLarge(Exception):  # noqa: N818  # carries a status out of the parser's callbacks
    def __init__(self, status: int) -> None:
        self.status = status


class _Connection(asyncio.Protocol):
    """Parses into `_turns`, and answers them one after the other as far as the socket and the handler let it."""

    def __init__(self, server: HttpServer, handler: Handler, open_connections: "set[_Connection]") -> None:
        self._server, self._handler, self._open = server, handler, open_connections
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._incoming: _Incoming | None = None
        self._turns: deque[_Turn] = deque()
        self._is_writable = True
        self._is_reading = True
        self._continue_owed = False
        self._no_more_input = False
        self._is_in_chunks = False  # of the reply that is being sent
        self.parked: asyncio.Future[HttpResponse] | None = None

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its type
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)
        self._transport = None
        self._turns.clear()
        if self.parked is not None:
            self.parked.cancel()

    def data_received(self, data: bytes) -> None:
        if self._no_more_input:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:  # we speak nothing else: the request is answered as if it had not asked
            self._no_more_input = True
            if self._turns:
                self._turns[-1].keep_alive = False
        except httptools.HttpParserCallbackError as error:
            if not isinstance(error.__context__, _TooLarge):
                raise
            self._refuse(error.__context__.status)
        except httptools.HttpParserError:
            if not self._no_more_input:  # bytes after `Connection: close` are ignored, not answered
                self._refuse(HTTPStatus.BAD_REQUEST)
        if self._no_more_input:
            self._incoming = None
        self._answer_turns()

    def eof_received(self) -> bool:
        """A client that shut its sending side has left: what it is owed at once it gets, a parked reply it does not."""
        if self._incoming is not None:
            self._refuse(HTTPStatus.BAD_REQUEST)
        self._no_more_input = True
        if self._is_busy:
            self._turns.clear()  # with no turn left asyncio closes, and `connection_lost` cancels the parked one
        self._answer_turns()
        return self._transport is not None and bool(self._turns)

    def pause_writing(self) -> None:
        self._is_writable = False

    def resume_writing(self) -> None:
        self._is_writable = True
        self._answer_turns()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # httptools callbacks

    def on_message_begin(self) -> None:
        self._incoming = _Incoming()

    def on_url(self, url: bytes) -> None:
        incoming = self._incoming
        assert incoming is not None, _BEGUN
        incoming.url += url
        incoming.head_bytes += len(url)
        if incoming.head_bytes > HEADERS_MAX_BYTES:
            raise _TooLarge(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_header(self, name: bytes, value: bytes) -> None:
        incoming = self._incoming
        assert incoming is not None, _BEGUN
        headers, key, text = incoming.headers, _name(name), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
        incoming.head_bytes += len(name) + len(value)
        if incoming.head_bytes > HEADERS_MAX_BYTES:
            raise _TooLarge(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_headers_complete(self) -> None:
        assert self._incoming is not None, _BEGUN
        headers = self._incoming.headers
        declared = headers.get("content-length", "0")
        if declared.isdecimal() and int(declared) > BODY_MAX_BYTES:
            raise _TooLarge(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if "expect" in headers and headers["expect"].lower() == "100-continue":
            self._continue_owed = True

    def on_body(self, body: bytes) -> None:
        incoming = self._incoming
        assert incoming is not None, _BEGUN
        incoming.chunks.append(body)
        incoming.body_bytes += len(body)
        self._continue_owed = False
        if incoming.body_bytes > BODY_MAX_BYTES:
            raise _TooLarge(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def on_message_complete(self) -> None:
        incoming, self._incoming = self._incoming, None
        assert incoming is not None, _BEGUN
        self._continue_owed = False
        if self._no_more_input:
            return
        target = incoming.url.decode("latin-1")
        if target[0] != "/" and (absolute := _ABSOLUTE.fullmatch(target)):  # as to a proxy; RFC 9112, 3.2.2
            incoming.headers["host"] = absolute[1]
            target = absolute[2] if absolute[2].startswith("/") else f"/{absolute[2]}"
        raw_path, _, query = target.partition("?")
        request = HttpRequest(
            method=self._parser.get_method().decode("ascii"),
            target=target,
            path=unquote(raw_path) if "%" in raw_path else raw_path,
            raw_path=raw_path,
            query=dict(parse_qsl(query, keep_blank_values=True)) if query else {},
            headers=incoming.headers,
            body=incoming.chunks[0] if len(incoming.chunks) == 1 else b"".join(incoming.chunks),
        )
        keep_alive = self._parser.should_keep_alive()
        self._turns.append(_Turn(request, None, keep_alive, self._parser.get_http_version() == "1.0"))
        self._no_more_input = not keep_alive

    # our side

    def _refuse(self, status: int) -> None:
        """Queue the last reply of a connection whose bytes cannot be understood any further."""
        self._incoming, self._no_more_input, self._continue_owed = None, True, False
        self._turns.append(_Turn(None, HttpResponse(status), keep_alive=False))

    def _answer_turns(self) -> None:
        while self._turns and not self._is_busy and self._is_writable and self._transport is not None:
            turn = self._turns.popleft()
            if turn.request is None:
                assert turn.response is not None
                self._write(turn, turn.response)
                continue
            self._server.n_requests += 1
            try:
                answer = self._handler(turn.request)
            except ResetConnection:
                self._reset()
                return
            if isinstance(answer, HttpResponse):
                self._write(turn, answer)
            else:
                self._park(turn, answer)
        self._settle()

    @property
    def _is_busy(self) -> bool:
        """A reply is awaited or being sent."""
        return self.parked is not None or self._is_in_chunks

    def _settle(self) -> None:
        """After the turns that could be taken: interim reply, end of the connection, flow control."""
        transport = self._transport
        if transport is None:
            return
        is_idle = not self._turns and not self._is_busy
        if is_idle and self._continue_owed:
            self._continue_owed = False
            transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if is_idle and self._no_more_input:
            transport.close()
        elif self._is_reading is (len(self._turns) > PIPELINED_MAX):
            self._is_reading = not self._is_reading
            (transport.resume_reading if self._is_reading else transport.pause_reading)()

    def _park(self, turn: _Turn, answer: Awaitable[HttpResponse]) -> None:
        # The one task outside a task group: asyncio's protocols are callbacks, and this task is owned by its
        # connection, which cancels it when it is lost; `HttpServer.stop` waits for it.
        parked = asyncio.ensure_future(answer)
        self.parked = parked

        def unpark(done: "asyncio.Future[HttpResponse]") -> None:
            self.parked = None
            if done.cancelled():
                self._settle()
            elif isinstance(done.exception(), ResetConnection):
                self._reset()
            else:
                self._write(turn, done.result())
                self._answer_turns()

        parked.add_done_callback(unpark)

    def _write(self, turn: _Turn, response: HttpResponse) -> None:
        transport = self._transport
        if transport is None:
            return
        if response.chunks is not None:
            self._begin_chunks(turn, response, response.chunks)
            return
        body, status = response.body, response.status
        is_head = turn.request is not None and turn.request.method == "HEAD"
        length = (
            "" if status in _BODILESS or (is_head and _names_length(response)) else f"Content-Length: {len(body)}\r\n"
        )
        start = _head(turn, response, length)
        if is_head or not body or status in _BODILESS:
            transport.write(start)
        elif len(body) < _JOIN_MAX_BYTES:
            transport.write(start + body)
        else:
            transport.write(start)
            transport.write(body)

    def _begin_chunks(self, turn: _Turn, response: HttpResponse, chunks: Chunks) -> None:
        transport = self._transport
        assert transport is not None, "its caller has looked"
        self._is_in_chunks = True
        turn.keep_alive = turn.keep_alive and not turn.is_old
        transport.write(_head(turn, response, "" if turn.is_old else "Transfer-Encoding: chunked\r\n"))

        def write(data: bytes) -> None:
            if self._transport is not None:
                self._transport.write(data if turn.is_old else b"%x\r\n%b\r\n" % (len(data), data))

        def over(is_whole: bool) -> None:
            self._is_in_chunks = False
            if self._transport is None:
                return
            if is_whole and not turn.is_old:
                self._transport.write(b"0\r\n\r\n")
                self._answer_turns()
            else:
                self._turns.clear()
                self._transport.close()

        chunks.attach(write, over)

    def _reset(self) -> None:
        transport = self._transport
        if transport is None:
            return
        self._turns.clear()
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()


def _head(turn: _Turn, response: HttpResponse, length: str) -> bytes:
    """All before the body.

    Args:
        length: The header that says where the body ends.
    """
    lines = "".join([f"{name}: {value}\r\n" for name, value in response.headers])
    stays = "Connection: keep-alive\r\n\r\n" if turn.is_old else "\r\n"
    end = stays if turn.keep_alive else "Connection: close\r\n\r\n"
    status_line = _STATUS_LINES.get(response.status) or f"HTTP/1.1 {response.status} Unnamed\r\n"
    return f"{status_line}{lines}{length}{end}".encode("latin-1", "replace")


@lru_cache(maxsize=1024)  # clients send the same few names again and again
def _name(sent: bytes) -> str:
    return sent.lower().decode("latin-1")


def _names_length(response: HttpResponse) -> bool:
    return any(name.lower() == "content-length" for name, _ in response.headers)
