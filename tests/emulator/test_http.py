"""The HTTP server: order, keep-alive, interim replies, limits, and clients that break every rule.

Method: bytes on a socket in, bytes out, in virtual time. Whatever a client sends, it gets an answer or a close, the
loop's exception handler stays silent, and the next client is served.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plain_services import answers, rest_of, talk
from smbench.clock import WarpLoop
from smbench.emulator.protocol import http
from smbench.emulator.protocol.chunks import Chunks, NoAnswer, ResetConnection
from smbench.emulator.protocol.http import Handler, HttpRequest, HttpResponse, HttpServer

GET = b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.fixture
def anyio_backend() -> Any:
    return "asyncio", {"loop_factory": WarpLoop}


def echo(request: HttpRequest) -> HttpResponse:
    return HttpResponse(200, [("X-Path", request.path)], request.body)


@asynccontextmanager
async def serving(handler: Handler = echo) -> AsyncIterator[HttpServer]:
    """A server; at the end the loop must have had nothing to complain about."""
    complaints: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: complaints.append(context))
    server = HttpServer()
    await server.start(handler)
    try:
        yield server
    finally:
        await server.stop()
        await anyio.lowlevel.checkpoint()
        loop.set_exception_handler(None)
    assert complaints == []


async def test_pipelined_requests_are_answered_in_order() -> None:
    async with serving() as server:
        got = answers(await talk(server.port, GET % b"a" + GET % b"b" + LAST))
    assert [answer.headers["x-path"] for answer in got] == ["/a", "/b", "/last"]
    assert "connection" in got[2].headers


async def test_a_parked_reply_parks_its_connection_and_no_other() -> None:
    release = asyncio.Event()

    async def later() -> HttpResponse:
        await release.wait()
        return HttpResponse(200, [("X-Path", "/parked")])

    async with serving(lambda request: later() if request.path == "/park" else echo(request)) as server:
        first: list[bytes] = []

        async def poll() -> None:
            first.append(await talk(server.port, GET % b"park" + LAST))

        async with anyio.create_task_group() as group:
            group.start_soon(poll)
            await anyio.sleep(1)
            second = answers(await talk(server.port, LAST))
            assert [answer.status for answer in second] == [200]
            assert first == []
            release.set()
    assert [answer.headers["x-path"] for answer in answers(first[0])] == ["/parked", "/last"]


async def test_a_client_that_leaves_takes_its_parked_reply_along() -> None:
    cancelled = []

    async def forever() -> HttpResponse:
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            cancelled.append(True)
            raise
        raise AssertionError

    async with serving(lambda _request: forever()) as server:
        async with await anyio.connect_tcp("127.0.0.1", server.port) as stream:
            await stream.send(GET % b"")
            await anyio.sleep(1)
        await anyio.sleep(1)
        assert cancelled == [True]


async def test_stopping_drops_parked_replies() -> None:
    async def forever() -> HttpResponse:
        await anyio.sleep_forever()
        raise AssertionError

    async with serving(lambda _request: forever()) as server, anyio.create_task_group() as group:
        received: list[bytes] = []

        async def poll() -> None:
            received.append(await talk(server.port, GET % b""))

        group.start_soon(poll)
        await anyio.sleep(1)
        await server.stop()
    assert received == [b""]


async def test_a_body_is_asked_for_when_the_client_waits_to_be() -> None:
    head = b"PUT /k HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    async with serving() as server, await anyio.connect_tcp("127.0.0.1", server.port) as stream:
        await stream.send(head)
        assert await stream.receive() == b"HTTP/1.1 100 Continue\r\n\r\n"
        await stream.send(b"abc")
        assert answers(await stream.receive())[0].body == b"abc"


@pytest.mark.parametrize("came_along", [b"abc", b"a"])
async def test_a_body_that_began_with_its_head_is_not_asked_for(came_along: bytes) -> None:
    head = b"PUT /k HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    async with serving() as server, await anyio.connect_tcp("127.0.0.1", server.port) as stream:
        await stream.send(head + came_along)
        if rest := b"abc"[len(came_along) :]:
            await anyio.sleep(1)
            await stream.send(rest)
        assert (await rest_of(stream)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("piece_bytes", [1, 7, 1000])
async def test_bytes_may_come_in_any_pieces(piece_bytes: int) -> None:
    data = (
        b"POST /p?a=1&b=%20x&c HTTP/1.1\r\nHost: a\r\nX-Two: 1\r\nx-two: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n" + LAST
    )
    seen: list[HttpRequest] = []

    def keep(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return echo(request)

    async with serving(keep) as server, await anyio.connect_tcp("127.0.0.1", server.port) as stream:
        for start in range(0, len(data), piece_bytes):
            await stream.send(data[start : start + piece_bytes])
        received = await rest_of(stream)
    assert [answer.body for answer in answers(received)] == [b"abcde", b""]
    assert seen[0].query == {"a": "1", "b": " x", "c": ""}
    assert seen[0].headers["x-two"] == "1, 2"


async def test_a_path_is_decoded_once_and_kept_as_sent() -> None:
    seen: list[HttpRequest] = []

    def keep(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return echo(request)

    async with serving(keep) as server:
        await talk(server.port, b"GET /b/a%2520b%C3%A9 HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert (seen[0].path, seen[0].raw_path) == ("/b/a%20bé", "/b/a%2520b%C3%A9")


@pytest.mark.parametrize("scheme", [b"http", b"HTTPS"])
@pytest.mark.parametrize(("rest", "path"), [(b"/b/k%20k?a=/1", "/b/k k"), (b"", "/"), (b"?a=/1", "/")])
async def test_a_target_that_names_its_host_is_that_path_at_that_host(scheme: bytes, rest: bytes, path: str) -> None:
    """As clients send it to a proxy; RFC 9112, 3.2.2: every server takes it, and what `Host` says does not count."""
    seen: list[HttpRequest] = []

    def keep(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return echo(request)

    async with serving(keep) as server:
        await talk(
            server.port, b"GET %b://x.localhost:5%b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % (scheme, rest)
        )
    assert (seen[0].path, seen[0].headers["host"]) == (path, "x.localhost:5")
    assert seen[0].query == ({"a": "/1"} if b"?" in rest else {})


async def test_a_connection_of_http_1_0_stays_open_where_it_is_asked_for_and_says_so() -> None:
    """Else its client, `ab -k` for one, waits for the end of the connection."""
    async with serving() as server:
        asked = b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
        got = answers(await talk(server.port, asked + b"GET /b HTTP/1.0\r\n\r\n"))
    assert [(one.headers["x-path"], one.headers["connection"]) for one in got] == [
        ("/a", "keep-alive"),
        ("/b", "close"),
    ]


async def test_a_body_in_pieces_ends_with_its_connection_for_http_1_0() -> None:
    body = Chunks()
    body.put(b"one")
    body.put(b"two")
    body.end()
    async with serving(lambda _request: HttpResponse(200, chunks=body)) as server:
        got = await talk(server.port, b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert got.endswith(b"Connection: close\r\n\r\nonetwo")
    assert b"chunked" not in got


async def test_a_planned_reset_aborts_the_connection() -> None:
    def reset(_request: HttpRequest) -> HttpResponse:
        raise ResetConnection

    async def reset_later() -> HttpResponse:
        await anyio.sleep(1)
        raise ResetConnection

    for handler in (reset, lambda _request: reset_later()):
        async with serving(handler) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(GET % b"")
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()


async def test_a_body_in_pieces_is_sent_as_it_comes_and_the_next_reply_waits_for_its_end() -> None:
    body = Chunks()

    def handler(request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, chunks=body) if request.path == "/pieces" else echo(request)

    async def speak() -> None:
        for piece in (b"two", b"three"):
            await anyio.sleep(1)
            body.put(piece)
        await anyio.sleep(1)
        body.end()

    async with serving(handler) as server, anyio.create_task_group() as speaking:
        body.put(b"one")  # before anybody asked
        speaking.start_soon(speak)
        begin_s = anyio.current_time()
        got = await talk(server.port, GET % b"pieces" + LAST)
        assert anyio.current_time() - begin_s == pytest.approx(3)
    first, _, rest = got.partition(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in first
    assert rest.startswith(b"3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nX-Path: /last\r\n")


@pytest.mark.parametrize("lost", [ResetConnection, NoAnswer, None])
async def test_a_body_in_pieces_may_break_off_and_nothing_follows(lost: type[Exception] | None) -> None:
    body = Chunks()

    def before() -> None:
        if lost is not None:
            raise lost

    async def speak() -> None:
        await anyio.sleep(1)
        body.before = before
        body.put(b"two") if lost is not None else body.end(is_whole=False)
        body.put(b"three")
        await anyio.sleep(1)

    async with serving(lambda _: HttpResponse(200, chunks=body)) as server, anyio.create_task_group() as speaking:
        body.put(b"one")
        speaking.start_soon(speak)
        got = b""
        with anyio.move_on_after(5) as waited:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(GET % b"pieces" + LAST)
            while piece := await reader.read(1000):
                got += piece
        writer.close()
    assert got.endswith(b"3\r\none\r\n")
    assert waited.cancelled_caught is (lost is NoAnswer)  # its client waits as long as it likes


async def test_a_head_reply_has_the_length_and_no_body() -> None:
    def handler(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, [("Content-Length", "12345")], b"an error's document")

    async with serving(handler) as server:
        got = await talk(server.port, b"HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert got.count(b"Content-Length: 12345\r\n") == got.count(b"Content-Length") == 1
    assert got.endswith(b"\r\n\r\n")


async def test_a_slow_reader_of_large_replies_gets_them_all() -> None:
    large = bytes(3_000_000)
    async with serving(lambda _request: HttpResponse(200, [], large)) as server:
        got = answers(await talk(server.port, GET % b"" * 5 + LAST))
    assert [len(answer.body) for answer in got] == [len(large)] * 6


async def test_many_pipelined_requests_behind_a_parked_one_are_all_answered() -> None:
    async def later() -> HttpResponse:
        await anyio.sleep(5)
        return HttpResponse(200, [("X-Path", "/parked")])

    n = 40 * http.PIPELINED_MAX
    async with serving(lambda request: later() if request.path == "/park" else echo(request)) as server:
        got = answers(await talk(server.port, GET % b"park" + GET % b"x" * n + LAST))
    assert len(got) == n + 2
    assert got[0].headers["x-path"] == "/parked"


REFUSED = [
    (b"NONSENSE\r\n\r\n", 400),
    (b"GET / HTTP/9.9\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    (b"GET / HTTP/1.1\r\nBad Header\r\n\r\n", 400),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),  # TLS
    (b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", 431),
    (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 431),
    (b"PUT / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 413),
]


@pytest.mark.parametrize(("data", "status"), REFUSED)
async def test_what_is_no_http_is_refused_and_closed(data: bytes, status: int) -> None:
    async with serving() as server:
        got = answers(await talk(server.port, data))
        assert [answer.status for answer in got] == [status]
        assert got[0].headers["connection"] == "close"
        assert answers(await talk(server.port, LAST))[0].status == 200


async def test_a_refusal_comes_after_the_answers_already_owed() -> None:
    async with serving() as server:
        got = answers(await talk(server.port, GET % b"a" + b"NONSENSE\r\n\r\n"))
    assert [answer.status for answer in got] == [200, 400]


@pytest.mark.parametrize("data", [b"GET / HT", b"PUT / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc", GET[:-2]])
async def test_a_request_cut_short_is_refused(data: bytes) -> None:
    async with serving() as server:
        got = answers(await talk(server.port, data, half_close=True))
    assert [answer.status for answer in got] == [400]


async def test_a_client_that_says_nothing_is_left_in_peace() -> None:
    async with serving() as server:
        assert await talk(server.port, b"", half_close=True) == b""


async def test_an_offer_to_speak_another_protocol_is_answered_in_this_one() -> None:
    data = b"GET /up HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    async with serving() as server:
        got = answers(await talk(server.port, data))
    assert [answer.headers["x-path"] for answer in got] == ["/up"]


async def test_bytes_after_the_last_request_are_ignored() -> None:
    async with serving() as server:
        got = answers(await talk(server.port, LAST + GET % b"x" + b"NONSENSE"))
    assert [answer.headers["x-path"] for answer in got] == ["/last"]


def test_another_loop_serves_the_same() -> None:
    uvloop = pytest.importorskip("uvloop")

    async def main() -> None:
        async with serving() as server:
            assert answers(await talk(server.port, GET % b"a" + LAST))[0].headers["x-path"] == "/a"

        def reset(_request: HttpRequest) -> HttpResponse:
            raise ResetConnection

        async with serving(reset) as server:
            assert await talk(server.port, LAST) == b""

    anyio.run(main, backend_options={"loop_factory": uvloop.new_event_loop})


PIECES = st.sampled_from(
    [GET % b"a", b"PUT /", b" HTTP/1.1\r\n", b"Host: a\r\n", b"Content-Length: 5\r\n", b"\r\n", b"hello", b"\x00\xff",
     b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n", b"Expect: 100-continue\r\n", b"%", b"\n", LAST]
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(connections=st.lists(st.lists(st.one_of(PIECES, st.binary(max_size=30)), max_size=8), min_size=1, max_size=6))
def test_no_bytes_hurt_the_server(connections: list[list[bytes]]) -> None:
    async def main() -> None:
        async with serving() as server:
            for pieces in connections:
                await talk(server.port, b"".join(pieces), half_close=True)
            assert answers(await talk(server.port, LAST))[0].status == 200

    anyio.run(main, backend_options={"loop_factory": WarpLoop})
