"""One HTTP/1.1 connection as a client: an asyncio protocol around httptools, one request at a time.

What a call costs is what a generator measures of itself, so nothing here is per byte, and no task is started.
"""

import asyncio
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol, TypeAlias, TypeVar, cast

import httptools

HEADERS_MAX_BYTES = 65_536
BODY_MAX_BYTES = 1 << 26  # ten notices are 2.5 MB at most; nothing else that is asked for here is large
_ANSWER_MAX_BYTES = HEADERS_MAX_BYTES + BODY_MAX_BYTES
FIRST_ERROR_STATUS = 300  # botocore's client takes what is below for an answer
_WHITE = b" \t"
_Of = TypeVar("_Of")


class BrokenOff(ConnectionError):  # noqa: N818  # named for what happened
    """The server closed the connection before its answer was complete, without a reset."""


class UnreadableAnswer(ValueError):  # noqa: N818  # as above
    """The bytes that came are no HTTP, or more than is taken."""


class ConnectTimeout(TimeoutError):  # noqa: N818  # as above
    """No connection in time: nothing was sent."""


class AnswerTimeout(TimeoutError):  # noqa: N818  # as above
    """The request was sent, and no whole answer came in time."""


class Response:
    """One answer.

    Its headers stay the bytes that came, and are read when they are asked for: of some ten that AWS sends, a call needs
    two at most. The parser has made sure that each is on a line of its own.
    """

    __slots__ = ("_head", "_lower", "body", "status")

    def __init__(self, status: int, head: bytes, body: bytes) -> None:
        self.status, self.body = status, body
        self._head, self._lower = head, b""

    def header(self, name: bytes) -> str | None:
        """The first value of a header, named in lower case; None when it did not come."""
        lower = self._lower = self._lower or self._head.lower()
        sought = _sought(name)
        before = lower.find(sought)
        if before < 0:
            return None
        start = before + len(sought)
        end = lower.find(b"\r\n", start)
        return self._head[start : None if end < 0 else end].strip(_WHITE).decode("latin-1")

    @property
    def headers(self) -> list[tuple[str, str]]:
        """All, in the order in which they came, names in lower case."""
        lines = [line.partition(b":") for line in self._head.split(b"\r\n")[1:]]
        return [(name.lower().decode("latin-1"), value.strip(_WHITE).decode("latin-1")) for name, _, value in lines]


@lru_cache(maxsize=256)
def _sought(name: bytes) -> bytes:
    """How the line of a header begins, the end of the line before it included."""
    return b"\r\n%b:" % name


Ended: TypeAlias = Callable[[_Of, Response | Exception], None]
"""Called once: with what the request was begun with, and an answer or how the connection failed (OSError,
UnreadableAnswer). So one function serves all requests: to make one for each costs as much as a hash."""


class Pieces(Protocol):
    """Takes the body of an answer of a good status as it comes, in the place of `Response.body`."""

    def begin(self, response: Response) -> None:
        """The head is there."""

    def take(self, data: bytes) -> None:
        """The next bytes of the body. Raises UnreadableAnswer: it is not read any further, and the connection ends."""


class Connection(asyncio.Protocol):
    """A connection that is open, or was. `send` it one request, and wait for the future; or `begin` one.

    Args:
        freed: Called with the connection when a request is over, just before its caller gets the answer.

    Attributes:
        is_usable: Another request may follow on it.
        idle_since_s: Loop time since when it has had nothing to do.
        heard_s: Loop time at which something last came of an answer that is taken in pieces, or was asked for.
    """

    __slots__ = (
        "_body",
        "_body_bytes",
        "_came",
        "_end",
        "_ended",
        "_freed",
        "_head",
        "_is_bodiless",
        "_is_in_head",
        "_loop",
        "_of",
        "_parser",
        "_pieces",
        "_received_bytes",
        "_status",
        "_told",
        "_transport",
        "_unsent_bytes",
        "heard_s",
        "idle_since_s",
        "is_usable",
    )

    def __init__(self, freed: "Callable[[Connection], None]" = lambda _connection: None) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._freed = freed
        self._ended: Ended[Any] | None = None  # of the request that is under way
        self._of: Any = None  # what it was begun with
        self._told: tuple[Ended[Any], Response] | None = None  # a whole answer, until all that came with it is read
        self._loop = asyncio.get_running_loop()
        self._came = self._head = b""  # of an answer whose head is not whole yet; and the whole head
        self._body: list[bytes] = []
        self._body_bytes = self._received_bytes = 0
        self._is_bodiless = False
        self._is_in_head = True
        self._pieces: Pieces | None = None  # of the request that is under way
        self._status = 0
        self._unsent_bytes = 0
        self._end: Exception | None = None  # the first reason why nothing more can be sent
        self.is_usable = False
        self.idle_since_s = self.heard_s = 0.0

    # our side

    def send(
        self, request: bytes, *, is_head: bool = False, pieces: Pieces | None = None
    ) -> "asyncio.Future[Response]":
        """Write a whole request; the future has its answer, or how the connection failed. See `begin`."""
        answer: asyncio.Future[Response] = self._loop.create_future()
        self.begin(request, _settle, answer, is_head=is_head, pieces=pieces)
        return answer

    def begin(
        self, request: bytes, ended: Ended[_Of], of: _Of, *, is_head: bool = False, pieces: Pieces | None = None
    ) -> None:
        """Write a whole request; `ended` is called with `of` and its answer, or how the connection failed.

        Neither a future nor a turn of the loop is between the answer and who asked for it.

        Args:
            is_head: The method is HEAD: the answer has no body, whatever length it names.
            pieces: Where the body goes. Then an answer is whole only if it says itself where it ends.

        Raises:
            OSError, UnreadableAnswer: how the connection ended before anything was sent.
        """
        if self._ended is not None:
            raise RuntimeError("a connection takes one request at a time")
        if self._transport is None or not self.is_usable:  # a server may leave in the turn in which it was reached
            raise self._end or BrokenOff("the server closed the connection")
        self._is_bodiless = is_head
        self._is_in_head, self._came, self._received_bytes = True, b"", 0
        self._ended, self._of, self._pieces = ended, of, pieces
        self._transport.write(request)
        self._unsent_bytes = len(request)

    def is_still_sending(self) -> bool:
        """Part of the request is not sent yet, and less of it than when this was last asked."""
        left_bytes = 0 if self._transport is None else self._transport.get_write_buffer_size()
        before, self._unsent_bytes = self._unsent_bytes, left_bytes
        return 0 < self._unsent_bytes < before

    def fail(self, error: Exception) -> None:
        """End the connection; callers that wait for an answer get this instead."""
        self.is_usable = False
        self._end = self._end or error
        ended, self._ended = self._ended, None
        self.close()
        if ended is not None:
            self._freed(self)
            ended(self._of, error)

    def close(self) -> None:
        """Leave at once; what was not yet written is not sent."""
        self.is_usable = False
        if self._transport is not None:
            self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's: the connection can be used."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its type
        self.is_usable = True

    def data_received(self, data: bytes) -> None:
        """asyncio's: parse; bytes that were not asked for end the connection."""
        if self._ended is None:  # whatever this is, the connection is not in the state we think
            self.fail(UnreadableAnswer("the server spoke without being asked"))
            return
        self._received_bytes += len(data)
        if self._pieces is not None:
            self.heard_s = self._loop.time()
        if self._is_in_head:
            self._came += data
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.fail(UnreadableAnswer("the server changed the protocol"))
        except httptools.HttpParserCallbackError as error:
            self.fail(
                error.__context__ if isinstance(error.__context__, UnreadableAnswer) else UnreadableAnswer(str(error))
            )
        except httptools.HttpParserError as error:
            if self._ended is not None:
                self.fail(UnreadableAnswer(str(error)))
            else:  # a whole answer, and something behind it
                self.close()
        # What the parser says nothing of until it is whole, a head, is bounded here.
        limit_bytes = HEADERS_MAX_BYTES if self._is_in_head else _ANSWER_MAX_BYTES
        if self._received_bytes > limit_bytes and self._ended is not None:
            self.fail(UnreadableAnswer("the answer is too long"))
        if self._told is not None:
            self._tell()

    def eof_received(self) -> None:
        """asyncio's: completes an answer that only the end delimits, and breaks off any other."""
        self.is_usable = False
        if self._ended is not None and not self._is_in_head and not self._is_delimited() and self._taking() is None:
            self._complete()
        if self._told is not None:
            self._tell()
        self.fail(BrokenOff("the server closed the connection"))

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio's: the caller that waits for an answer gets the error."""
        self._transport = None
        self.fail(exc or BrokenOff("the server closed the connection"))

    # httptools

    def on_message_begin(self) -> None:
        """httptools': a new answer begins."""
        if self._ended is None:  # right behind an answer, and no request asked for it
            self.is_usable = False
        self._body = []
        self._body_bytes = 0
        self._is_in_head = True

    def on_headers_complete(self) -> None:
        """httptools': the head is there. Raises UnreadableAnswer: it is too long."""
        came = self._came.lstrip(b"\r\n")  # as the parser does
        end = came.find(b"\r\n\r\n")
        if end > HEADERS_MAX_BYTES:
            raise UnreadableAnswer("the answer's headers are too long")
        self._status = self._parser.get_status_code()
        if self._status < 200:  # only announces the answer
            self._came = came[end + 4 :]
            return
        self._head, self._came = came[:end], b""
        self._is_in_head = False
        if self._pieces is not None and (pieces := self._taking()) is not None:
            pieces.begin(Response(self._status, self._head, b""))
        if self._is_bodiless:
            if self._has(b"transfer-encoding"):  # chunks that HEAD's answer must not have would come unseen
                self.is_usable = False
            self._complete()

    def on_body(self, body: bytes) -> None:
        """httptools': a piece of the body. Raises UnreadableAnswer: it is too long."""
        if self._ended is None:  # HEAD's answer has none
            self.is_usable = False
        self._body_bytes += len(body)
        if self._body_bytes > BODY_MAX_BYTES:
            raise UnreadableAnswer("the answer's body is too long")
        if self._pieces is not None and (pieces := self._taking()) is not None:
            pieces.take(body)
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        """httptools': the answer is whole, unless it only announces another."""
        if not self._is_in_head:  # of one that only announces the answer, the head goes on
            self._complete()

    def _taking(self) -> Pieces | None:
        """Whoever takes the body of this answer as it comes; None: it is kept until it is whole."""
        return self._pieces if self._status < FIRST_ERROR_STATUS else None

    def _is_delimited(self) -> bool:
        """Whether the answer says where it ends; one that does not ends with the connection."""
        return self._has(b"content-length") or self._has(b"transfer-encoding")

    def _has(self, name: bytes) -> bool:
        return b"\r\n%b:" % name in self._head.lower()

    def _complete(self) -> None:
        ended, self._ended = self._ended, None
        if ended is None:
            return
        parser, transport = self._parser, self._transport
        if self._is_bodiless:  # it waits for the body that HEAD's answer names and does not have
            self._parser = httptools.HttpResponseParser(self)
        if self.is_usable:
            # Where an answer came before its request had left, the rest of that would go out before the next request.
            is_sent = transport is None or not transport.get_write_buffer_size()
            self.is_usable = is_sent and parser.should_keep_alive()
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._told = ended, Response(self._status, self._head, body)

    def _tell(self) -> None:
        """Not while the parser reads: what is behind an answer must not meet the request that follows on it."""
        assert self._told is not None
        (ended, response), self._told = self._told, None
        of = self._of  # another request may begin on a connection that is free
        self._freed(self)
        ended(of, response)


def _settle(answer: "asyncio.Future[Response]", outcome: Response | Exception) -> None:
    if answer.done():  # its request was cancelled
        return
    if isinstance(outcome, Response):
        answer.set_result(outcome)
    else:
        answer.set_exception(outcome)
