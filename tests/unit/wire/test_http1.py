"""Goal: an answer is the one that was asked for, whole, or there is none; nothing else ever becomes one.

Method: a connection of ours to a server on loopback that says the bytes it is told to; time passes virtually.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raw_server import RawServer, Visitor, turns
from smbench.clock import WarpLoop
from smbench.wire.http1 import BODY_MAX_BYTES, HEADERS_MAX_BYTES, BrokenOff, Connection, Response, UnreadableAnswer

WARP = ("asyncio", {"loop_factory": WarpLoop})
UVLOOP = ("asyncio", {"use_uvloop": True})
REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@pytest.fixture(params=[WARP, UVLOOP], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return request.param


def speak(*parts: bytes, then: Callable[[Visitor], object] = lambda _: None) -> Callable[[Visitor, bytes], object]:
    """Say these, each in a segment of its own."""

    async def say_all(visitor: Visitor) -> None:
        for part in parts:
            visitor.say(part)
            await turns()
        then(visitor)

    def script(visitor: Visitor, request: bytes) -> None:
        del request
        if len(parts) == 1:
            visitor.say(parts[0])
            then(visitor)
        else:
            visitor.telling = asyncio.ensure_future(say_all(visitor))

    return script


@asynccontextmanager
async def connected(script: Callable[[Visitor, bytes], object]) -> AsyncIterator[tuple[Connection, RawServer]]:
    async with RawServer(script) as server:
        _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", server.port)
        try:
            yield connection, server
        finally:
            connection.close()


def as_told(response: Response) -> tuple[int, bytes]:
    return response.status, response.body


CLOSE = Visitor.close
ANSWERS: dict[str, tuple[bytes, Callable[[Visitor], object] | None, tuple[int, bytes], bool]] = {
    # what is said, what follows, what is read, whether the connection may be used again
    "a length": (WHOLE, None, (200, b"hi"), True),
    "an empty body": (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", None, (404, b""), True),
    "chunks": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n2;x=y\r\nis\r\n0\r\nTrailer: t\r\n\r\n",
        None,
        (200, b"his"),
        True,
    ),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", None, (204, b""), True),
    "not modified, with a length it does not have": (
        b"HTTP/1.1 304 Same\r\nContent-Length: 9\r\n\r\n",
        None,
        (304, b""),
        True,
    ),
    "announcements before it": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + WHOLE,
        None,
        (200, b"hi"),
        True,
    ),
    "the last on this connection": (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
        None,
        (200, b"hi"),
        False,
    ),
    "an old server": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", None, (200, b"hi"), False),
    "an old server that stays": (
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
        None,
        (200, b"hi"),
        True,
    ),
    "no length: it ends with the connection": (b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nhi", CLOSE, (200, b"hi"), False),
    "no header at all": (b"HTTP/1.0 200 OK\r\n\r\nhi", CLOSE, (200, b"hi"), False),
    "no length and no body": (b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n", CLOSE, (200, b""), False),
    "closed right behind it": (WHOLE, CLOSE, (200, b"hi"), False),
}


@pytest.mark.parametrize("case", ANSWERS)
async def test_an_answer_is_read_to_its_end_and_no_further(case: str) -> None:
    data, then, expected, is_usable = ANSWERS[case]
    async with connected(speak(data, then=then or (lambda _: None))) as (connection, _):
        assert as_told(await connection.send(REQUEST)) == expected
        await turns()
        assert connection.is_usable is is_usable


async def test_headers_are_found_by_name_whatever_their_case_and_the_first_counts() -> None:
    head = b"X-Amzn-ID:  one \r\nA: x-none: 1\r\nx-amzn-id: two\r\nEmpty:\r\nContent-Length: 0\r\nLast: \xe9"
    async with connected(speak(b"HTTP/1.1 200 x-word: OK\r\n" + head + b"\r\n\r\n")) as (connection, _):
        response = await connection.send(REQUEST)
    names = (b"x-amzn-id", b"empty", b"last", b"x-amzn-ix", b"x-none", b"x-word", b"amzn-id")
    assert [response.header(name) for name in names] == ["one", "", "\xe9", None, None, None, None]
    names_told = ["x-amzn-id", "a", "x-amzn-id", "empty", "content-length", "last"]
    assert response.headers == list(zip(names_told, ["one", "x-none: 1", "two", "", "0", "\xe9"], strict=True))


@pytest.mark.parametrize("parts", [[0], [3, 20], [17, 18, 19, 20, 36, 37, 60]])
async def test_headers_are_those_of_the_answer_and_not_of_what_announced_it(parts: list[int]) -> None:
    early = b"\r\nHTTP/1.1 103 Early\r\nA: early\r\nB: early\r\n\r\n"
    whole = early + b"HTTP/1.1 200 OK\r\nA: late\r\nContent-Length: 2\r\n\r\nhi"
    cut = [whole[start:end] for start, end in zip(parts, [*parts[1:], len(whole)], strict=True)]
    async with connected(speak(whole[: parts[0]], *cut)) as (connection, _):
        response = await connection.send(REQUEST)
    assert response.headers == [("a", "late"), ("content-length", "2")]
    assert response.body == b"hi"


@pytest.mark.parametrize(
    "head", [WHOLE[:-2], b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 404 No\r\nContent-Length: 9\r\n\r\n"]
)
async def test_an_answer_to_head_has_no_body_whatever_length_it_names(head: bytes) -> None:
    async with connected(speak(head)) as (connection, _):
        response = await connection.send(REQUEST, is_head=True)
        assert response.body == b""
        if b"Length" in head:
            assert connection.is_usable
            assert (await connection.send(REQUEST, is_head=True)).status == response.status
        else:
            assert not connection.is_usable  # its end is the connection's


@pytest.mark.parametrize(
    "body", [b"hi", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", b"h"], ids=["body", "another answer", "half"]
)
@pytest.mark.parametrize("encoding", [b"Content-Length: 2\r\n", b"Transfer-Encoding: chunked\r\n"])
async def test_a_body_that_head_must_not_have_stains_nobody(body: bytes, encoding: bytes) -> None:
    async with connected(speak(b"HTTP/1.1 200 OK\r\n" + encoding + b"\r\n" + body)) as (connection, _):
        assert (await connection.send(REQUEST, is_head=True)).body == b""
        assert not connection.is_usable


async def test_after_head_a_body_is_read_again() -> None:
    async with connected(speak(WHOLE[:-2])) as (connection, server):
        await connection.send(REQUEST, is_head=True)
        server.on_request = speak(WHOLE)
        assert (await connection.send(REQUEST)).body == b"hi"


@pytest.mark.slow
def test_an_answer_is_the_same_wherever_it_is_cut_into_segments() -> None:
    examples = [data for data, then, _, _ in ANSWERS.values() if then is None]

    @settings(max_examples=150)
    @given(st.sampled_from(examples), st.data())
    def law(data: bytes, draw: st.DataObject) -> None:
        cuts = sorted(draw.draw(st.sets(st.integers(1, len(data) - 1), max_size=6)))
        assert _read(data, cuts) == _read(data, [])

    law()
    for data in examples:  # byte by byte
        assert _read(data, list(range(1, len(data)))) == _read(data, [])


def _read(data: bytes, cuts: list[int]) -> tuple[int, list[tuple[str, str]], bytes, bool]:
    """What a connection makes of segments, without a network: they are handed to it as asyncio would."""
    with asyncio.Runner() as runner:

        async def read() -> tuple[int, list[tuple[str, str]], bytes, bool]:
            connection = Connection()
            connection.connection_made(_Nowhere())
            answer = connection.send(REQUEST)
            for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
                connection.data_received(data[begin:end])
            response = await answer
            return response.status, response.headers, response.body, connection.is_usable

        return runner.run(read())


class _Nowhere(asyncio.Transport):
    """Takes everything. `unsent_bytes` are still waiting."""

    unsent_bytes = 0

    def write(self, data: object) -> None:
        del data

    def get_write_buffer_size(self) -> int:
        return self.unsent_bytes

    def abort(self) -> None:
        pass


BROKEN: dict[str, tuple[list[bytes], Callable[[Visitor], object], type[Exception]]] = {
    "closed before a byte": ([b""], CLOSE, BrokenOff),
    "closed in the status line": ([b"HTTP/1.1 20"], CLOSE, BrokenOff),
    "closed in the headers": ([b"HTTP/1.1 200 OK\r\nA: b\r\nC"], CLOSE, BrokenOff),
    "closed before the last line of the headers": ([b"HTTP/1.1 200 OK\r\nA: b\r\n"], CLOSE, BrokenOff),
    "closed in the body": ([WHOLE[:-1]], CLOSE, BrokenOff),
    "closed in a chunk": ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nh"], CLOSE, BrokenOff),
    "closed before the last chunk": (
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"],
        CLOSE,
        BrokenOff,
    ),
    "closed after an announcement": ([b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n"], CLOSE, BrokenOff),
    "reset before a byte": ([b""], Visitor.reset, ConnectionResetError),
    "reset in the body": ([WHOLE[:-1], b""], Visitor.reset, ConnectionResetError),
    "no HTTP": ([b"220 smtp.example ESMTP\r\n"], CLOSE, UnreadableAnswer),
    "TLS": ([b"\x15\x03\x01\x00\x02\x02\x46"], CLOSE, UnreadableAnswer),
    "two lengths": ([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi"], CLOSE, UnreadableAnswer),
    "a length and chunks": (
        [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"],
        CLOSE,
        UnreadableAnswer,
    ),
    "a negative length": ([b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nhi"], CLOSE, UnreadableAnswer),
    "another protocol": (
        [b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"],
        CLOSE,
        UnreadableAnswer,
    ),
    "many headers": (
        [b"HTTP/1.1 200 OK\r\n" + b"A: " + b"b" * 1000 + b"\r\n"] + [b"A: " + b"b" * 1000 + b"\r\n"] * 70,
        lambda _: None,
        UnreadableAnswer,
    ),
    "a header without an end": ([b"HTTP/1.1 200 OK\r\nA: " + b"b" * (HEADERS_MAX_BYTES + 1)], CLOSE, UnreadableAnswer),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_what_is_no_whole_answer_is_none(case: str) -> None:
    parts, then, expected = BROKEN[case]
    async with connected(speak(*parts, then=then)) as (connection, _):
        with pytest.raises(expected):
            await connection.send(REQUEST)
        assert not connection.is_usable


@pytest.mark.parametrize("excess", [0, 1])
def test_headers_may_be_as_long_as_the_limit_and_no_longer(excess: int) -> None:
    with asyncio.Runner() as runner:

        async def read() -> None:
            connection = Connection()
            connection.connection_made(_Nowhere())
            answer = connection.send(REQUEST)
            start = b"HTTP/1.1 204 No Content\r\nA: "
            connection.data_received(start + b"b" * (HEADERS_MAX_BYTES - len(start) + excess) + b"\r\n\r\n")
            if not excess:
                assert (await answer).status == 204
                return
            with pytest.raises(UnreadableAnswer, match="headers are too long"):
                await answer

        runner.run(read())


@pytest.mark.parametrize("framing", ["length", "chunks", "until the end"])
def test_a_body_without_end_is_not_kept(framing: str) -> None:
    """Handed over without a network: 64 MB through a socket take their time."""
    with asyncio.Runner() as runner:

        async def read() -> None:
            connection = Connection()
            connection.connection_made(_Nowhere())
            answer = connection.send(REQUEST)
            part = bytes(1 << 22)
            head = {"length": b"Content-Length: 99999999999\r\n", "chunks": b"Transfer-Encoding: chunked\r\n"}
            connection.data_received(b"HTTP/1.1 200 OK\r\n" + head.get(framing, b"") + b"\r\n")
            for _ in range(BODY_MAX_BYTES // len(part)):
                connection.data_received(b"400000\r\n" + part + b"\r\n" if framing == "chunks" else part)
            assert not answer.done()
            connection.data_received(b"1\r\nx\r\n" if framing == "chunks" else b"x")
            with pytest.raises(UnreadableAnswer, match="too long"):
                await answer

        runner.run(read())


@pytest.mark.parametrize("behind", [WHOLE, b"HTTP/1.1 500 No\r\n", b"H", b"garbage", b"\x00"])
@pytest.mark.parametrize("is_apart", [False, True])
async def test_what_nobody_asked_for_ends_the_connection_and_changes_no_answer(behind: bytes, is_apart: bool) -> None:
    parts = (WHOLE, behind) if is_apart else (WHOLE + behind,)
    async with connected(speak(*parts)) as (connection, _):
        assert as_told(await connection.send(REQUEST)) == (200, b"hi")
        await turns(20)
        assert not connection.is_usable
        with pytest.raises((OSError, UnreadableAnswer)):
            connection.send(REQUEST)


async def test_a_server_that_speaks_first_gets_no_request() -> None:
    async with RawServer(speak(WHOLE), on_connect=lambda visitor: visitor.say(WHOLE)) as server:
        _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", server.port)
        await turns()
        with pytest.raises(UnreadableAnswer, match="without being asked"):
            connection.send(REQUEST)
        assert server.requests == []


@pytest.mark.parametrize(("leave", "expected"), [(CLOSE, BrokenOff), (Visitor.reset, ConnectionResetError)])
async def test_a_server_that_left_before_the_request_is_told_as_such(
    leave: Callable[[Visitor], object], expected: type[Exception]
) -> None:
    async with RawServer(speak(WHOLE), on_connect=leave) as server:
        _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", server.port)
        await turns()
        with pytest.raises(expected):
            connection.send(REQUEST)


async def test_one_request_at_a_time_is_our_own_rule() -> None:
    async with connected(lambda visitor, request: None) as (connection, _):
        answer = connection.send(REQUEST)
        with pytest.raises(RuntimeError, match="one request at a time"):
            connection.send(REQUEST)
        answer.cancel()  # as whoever waits for it does who no longer wants it


async def test_an_answer_that_comes_before_its_request_has_left_is_the_last() -> None:
    connection, transport = Connection(), _Nowhere()
    connection.connection_made(transport)
    transport.unsent_bytes = 1
    answer = connection.send(REQUEST)
    connection.data_received(WHOLE)
    assert (await answer).body == b"hi"
    assert not connection.is_usable


async def test_a_request_is_still_leaving_while_less_of_it_is_left_each_time() -> None:
    connection, transport = Connection(), _Nowhere()
    connection.connection_made(transport)
    connection.send(REQUEST)
    told = []
    for transport.unsent_bytes in (20, 10, 10, 5, 0):
        told.append(connection.is_still_sending())
    assert told == [True, True, False, True, False]
