"""One HTTP/1.1 connection as a client: an asyncio protocol around httptools, one request at a time.

What a call costs is what a generator measures of itself, so nothing here is per byte, and no task is started.
"""

import asyncio
from typing import cast

import httptools

HEADERS_MAX_BYTES = 65_536
BODY_MAX_BYTES = 1 << 26  # ten notices are 2.5 MB at most; nothing else that is asked for here is large


class BrokenOff(ConnectionError):  # noqa: N818  # named for what happened
    """The server closed the connection before its answer was complete, without a reset."""


class UnreadableAnswer(ValueError):  # noqa: N818  # likewise
    """The bytes that came are no HTTP, or more than is taken."""


class ConnectTimeout(TimeoutError):  # noqa: N818  # likewise
    """No connection in time: nothing was sent."""


class AnswerTimeout(TimeoutError):  # noqa: N818  # likewise
    """The request was sent, and no whole answer came in time."""


class Response:
    """One answer. Header names keep the case in which they came; look them up by `header`."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    def header(self, name: bytes) -> str | None:
        """The first value of a header, named in lower case; None when it did not come."""
        for key, value in self.headers:
            if len(key) == len(name) and key.lower() == name:
                return value.decode("latin-1")
        return None


class Connection(asyncio.Protocol):
    """A connection that is open, or was. `send` it one request, and wait for the future.

    Attributes:
        is_usable: Another request may follow on it.
        idle_since_s: Loop time since when it has had nothing to do.
    """

    __slots__ = (
        "_answer",
        "_body",
        "_body_bytes",
        "_end",
        "_ends_with_connection",
        "_head_bytes",
        "_headers",
        "_is_bodiless",
        "_is_delimited",
        "_is_in_head",
        "_parser",
        "_received_bytes",
        "_transport",
        "_unsent_bytes",
        "idle_since_s",
        "is_usable",
    )

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Response] | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._head_bytes = self._body_bytes = self._received_bytes = 0
        self._is_bodiless = self._is_delimited = self._ends_with_connection = False
        self._is_in_head = True
        self._unsent_bytes = 0
        self._end: Exception | None = None  # the first reason why nothing more can be sent
        self.is_usable = False
        self.idle_since_s = 0.0

    # our side

    def send(self, request: bytes, *, is_head: bool = False) -> "asyncio.Future[Response]":
        """Write a whole request; the future has its answer, or how the connection failed.

        Args:
            is_head: The method is HEAD: the answer has no body, whatever length it names.

        Raises:
            OSError, UnreadableAnswer: how the connection ended before anything was sent.
        """
        if self._answer is not None:
            raise RuntimeError("a connection takes one request at a time")
        if self._transport is None or not self.is_usable:  # a server may leave in the turn in which it was reached
            raise self._end or BrokenOff("the server closed the connection")
        self._is_bodiless = is_head
        self._is_in_head, self._ends_with_connection, self._received_bytes = True, False, 0
        self._answer = answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        self._unsent_bytes = len(request)
        return answer

    def is_still_sending(self) -> bool:
        """Part of the request is not sent yet, and less of it than when this was last asked."""
        before, self._unsent_bytes = self._unsent_bytes, self._waiting_to_leave()
        return 0 < self._unsent_bytes < before

    def fail(self, error: Exception) -> None:
        """End the connection; whoever waits for an answer gets this instead."""
        self.is_usable = False
        self._end = self._end or error
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_exception(error)
        self.close()

    def close(self) -> None:
        """Leave at once; what was not yet written is not sent."""
        self.is_usable = False
        if self._transport is not None:
            self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its type
        self.is_usable = True

    def data_received(self, data: bytes) -> None:
        if self._answer is None:  # whatever this is, the connection is not in the state we think
            self.fail(UnreadableAnswer("the server spoke without being asked"))
            return
        self._received_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.fail(UnreadableAnswer("the server changed the protocol"))
        except httptools.HttpParserCallbackError as error:
            self.fail(
                error.__context__ if isinstance(error.__context__, UnreadableAnswer) else UnreadableAnswer(str(error))
            )
        except httptools.HttpParserError as error:
            if self._answer is not None:
                self.fail(UnreadableAnswer(str(error)))
            else:  # a whole answer, and something behind it
                self.close()
        # What the parser hands on only when it is whole, a header, is bounded here.
        limit_bytes = HEADERS_MAX_BYTES if self._is_in_head else HEADERS_MAX_BYTES + BODY_MAX_BYTES
        if self._received_bytes > limit_bytes and self._answer is not None:
            self.fail(UnreadableAnswer("the answer is too long"))

    def eof_received(self) -> None:
        self.is_usable = False
        if self._answer is not None and self._ends_with_connection:
            self._complete()
        self.fail(BrokenOff("the server closed the connection"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.fail(exc or BrokenOff("the server closed the connection"))

    # httptools

    def on_message_begin(self) -> None:
        if self._answer is None:  # right behind an answer, and asked for by nobody
            self.is_usable = False
        self._headers, self._body = [], []
        self._head_bytes = self._body_bytes = 0
        self._is_delimited = False
        self._is_in_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > HEADERS_MAX_BYTES:
            raise UnreadableAnswer("the answer's headers are too long")
        if len(name) in (14, 17) and name.lower() in (b"content-length", b"transfer-encoding"):
            self._is_delimited = True
            if self._is_bodiless and len(name) == 17:  # chunks that HEAD's answer must not have would come unseen
                self.is_usable = False

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        if self._parser.get_status_code() < 200:  # only announces the answer
            return
        if self._is_bodiless:
            self._complete()
        else:
            self._ends_with_connection = not self._is_delimited

    def on_body(self, body: bytes) -> None:
        if self._answer is None:  # HEAD's answer has none
            self.is_usable = False
        self._body.append(body)
        self._body_bytes += len(body)
        if self._body_bytes > BODY_MAX_BYTES:
            raise UnreadableAnswer("the answer's body is too long")

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() >= 200:
            self._complete()

    def _waiting_to_leave(self) -> int:
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def _complete(self) -> None:
        answer, self._answer = self._answer, None
        if answer is None:
            return
        parser = self._parser
        if self._is_bodiless:  # it waits for the body that HEAD's answer names and does not have
            self._parser = httptools.HttpResponseParser(self)
        # An answer that came before its request had left stands in the way of the next one.
        self.is_usable = self.is_usable and parser.should_keep_alive() and not self._waiting_to_leave()
        if not answer.done():
            body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
            answer.set_result(Response(parser.get_status_code(), self._headers, body))
