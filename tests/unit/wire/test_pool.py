"""Goal: a connection carries one request at a time, none is lost or opened without need, and nobody waits for ever.

Method: a server on loopback that answers by a script; time passes virtually. The accounting under cancels and failures
is held against a count of what the server sees, on histories that hypothesis makes.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raw_server import RawServer, Visitor, turns
from smbench.clock import WarpLoop
from smbench.wire import pool as pool_module
from smbench.wire.http1 import AnswerTimeout, BrokenOff, Connection, ConnectTimeout, Response, UnreadableAnswer
from smbench.wire.origin import Origin
from smbench.wire.pool import CONNECTING_MAX, IDLE_MAX_S, Pool

WARP = ("asyncio", {"loop_factory": WarpLoop})
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def anyio_backend() -> Any:
    return WARP


def answer(visitor: Visitor, request: bytes) -> None:
    """The request's own path, so that answers can be told apart."""
    path = request.split(b" ")[1]
    visitor.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(path), path))


def after(wait_s: float, then: Callable[[Visitor, bytes], object] = answer) -> Callable[[Visitor, bytes], object]:
    return lambda visitor, request: asyncio.get_running_loop().call_later(wait_s, then, visitor, request)


def never(visitor: Visitor, request: bytes) -> None:
    del visitor, request


def asking(path: str) -> Callable[[], bytes]:
    return lambda: f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def pool_of(server: RawServer, limit: int = 100, **settings: Any) -> Pool:
    return Pool(Origin.of(server.url), limit=limit, **settings)


async def exchanged(pool: Pool, make: Callable[[], bytes]) -> Response:
    return await pool.exchange(await pool.take(), make())


async def burst(pool: Pool, n: int) -> list[bytes]:
    bodies: list[bytes] = []

    async def one(number: int) -> None:
        bodies.append((await exchanged(pool, asking(f"/{number}"))).body)

    async with anyio.create_task_group() as group:
        for number in range(n):
            group.start_soon(one, number)
    return bodies


async def test_one_after_another_share_a_connection() -> None:
    async with RawServer(answer) as server, pool_of(server) as pool:
        for number in range(10):
            assert (await exchanged(pool, asking(f"/{number}"))).body == f"/{number}".encode()
        assert len(server.visitors) == 1
        assert pool.statistics() == pool_module.PoolStatistics(n_open=1, n_idle=1, n_waiting=0, n_opened=1)


async def test_two_at_once_have_a_connection_each() -> None:
    async with RawServer(after(1)) as server, pool_of(server) as pool:
        await burst(pool, 2)
        assert len(server.visitors) == 2


@pytest.mark.slow
@pytest.mark.parametrize(("limit", "n"), [(1000, 500), (20, 500), (1, 30)])
async def test_a_burst_opens_no_more_than_it_may_and_everybody_is_answered(limit: int, n: int) -> None:
    async with RawServer(after(1)) as server, pool_of(server, limit) as pool:
        most_connecting = 0
        connect = pool._connect

        async def counted() -> Any:
            nonlocal most_connecting
            most_connecting = max(most_connecting, pool._n_connecting)
            return await connect()

        pool._connect = counted  # type: ignore[method-assign]
        bodies = await burst(pool, n)
        assert sorted(bodies) == sorted(f"/{number}".encode() for number in range(n))
        assert server.most_open <= limit
        assert most_connecting <= min(CONNECTING_MAX, limit)
        told = pool.statistics()
        assert told.n_open == told.n_idle == server.n_open <= limit
        assert told.n_waiting == 0


async def test_a_connection_is_in_hand_once_and_given_back_serves_the_next() -> None:
    async with RawServer(answer) as server, pool_of(server, 1) as pool:
        taken = await pool.take()
        assert pool.take_idle() is None
        pool.give_back(taken)
        assert pool.take_idle() is taken
        pool.give_back(taken)
        assert (await exchanged(pool, asking("/a"))).body == b"/a"
        assert len(server.requests) == len(server.visitors) == 1


# time


@pytest.mark.parametrize("script", [never, after(0.0, lambda visitor, request: visitor.say(b"HTTP/1.1 200 OK\r\n"))])
async def test_silence_ends_when_the_time_for_an_answer_is_over(script: Callable[[Visitor, bytes], object]) -> None:
    async with RawServer(script) as server, pool_of(server, answer_s=60) as pool:
        begin_s = anyio.current_time()
        with pytest.raises(AnswerTimeout):
            await exchanged(pool, asking("/a"))
        assert anyio.current_time() - begin_s == pytest.approx(60)
        assert pool.statistics().n_open == 0


async def test_a_server_that_trickles_has_no_longer() -> None:
    def trickle(visitor: Visitor, request: bytes) -> None:
        visitor.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" if b"GET" in request else b"x")
        asyncio.get_running_loop().call_later(1, trickle, visitor, b"")

    async with RawServer(trickle) as server, pool_of(server, answer_s=60) as pool:
        with anyio.fail_after(61), pytest.raises(AnswerTimeout):
            await exchanged(pool, asking("/a"))


async def test_each_has_its_own_time() -> None:
    async with RawServer(never) as server, pool_of(server, answer_s=10) as pool:
        ended_s: dict[float, float] = {}

        async def one(start_s: float) -> None:
            await anyio.sleep(start_s)
            begin_s = anyio.current_time()
            with pytest.raises(AnswerTimeout):
                await exchanged(pool, asking("/a"))
            ended_s[start_s] = anyio.current_time() - begin_s

        async with anyio.create_task_group() as group:
            for start_s in (0, 1, 9.5, 30):
                group.start_soon(one, start_s)
        assert ended_s == pytest.approx({0: 10, 1: 10, 9.5: 10, 30: 10})


async def test_a_large_request_that_is_still_leaving_has_as_long_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """How much of it is left is the connection's to know; that has a test of its own."""
    still_sending = iter([True, True, False, True, True])
    monkeypatch.setattr(Connection, "is_still_sending", lambda _: next(still_sending))
    async with RawServer(after(35)) as server, pool_of(server, answer_s=10) as pool:
        begin_s = anyio.current_time()
        with pytest.raises(AnswerTimeout):
            await exchanged(pool, asking("/a"))
        assert anyio.current_time() - begin_s == pytest.approx(30)
        server.on_request = after(25)
        assert (await exchanged(pool, asking("/b"))).status == 200
        assert anyio.current_time() - begin_s == pytest.approx(55)


@pytest.mark.parametrize(("idle_s", "n_connections"), [(IDLE_MAX_S - 1, 1), (IDLE_MAX_S + 1, 2)])
async def test_a_connection_that_was_idle_too_long_is_not_trusted(idle_s: float, n_connections: int) -> None:
    async with RawServer(answer) as server, pool_of(server) as pool:
        await exchanged(pool, asking("/a"))
        await anyio.sleep(idle_s)
        await exchanged(pool, asking("/b"))
        assert len(server.visitors) == n_connections
        assert pool.statistics().n_open == 1


# what goes wrong


@pytest.mark.parametrize("leave", [Visitor.close, Visitor.reset])
async def test_a_connection_that_the_server_ended_while_idle_is_replaced(leave: Callable[[Visitor], object]) -> None:
    async with RawServer(answer) as server, pool_of(server, 1) as pool:
        for _ in range(3):
            await exchanged(pool, asking("/a"))
            leave(server.visitors[-1])
            await turns()
        assert len(server.visitors) == 3
        assert (await exchanged(pool, asking("/b"))).body == b"/b"


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (lambda visitor, request: visitor.close(), BrokenOff),
        (lambda visitor, request: visitor.reset(), ConnectionResetError),
        (lambda visitor, request: visitor.say(b"no HTTP\r\n"), UnreadableAnswer),
    ],
)
async def test_a_connection_that_failed_is_gone_and_makes_room(script: Any, error: type[Exception]) -> None:
    async with RawServer(script) as server, pool_of(server, 1) as pool:
        with pytest.raises(error):
            await exchanged(pool, asking("/a"))
        assert pool.statistics().n_open == 0
        server.on_request = answer
        assert (await exchanged(pool, asking("/b"))).body == b"/b"


async def test_what_nobody_asked_for_is_never_the_next_ones_answer() -> None:
    def twice(visitor: Visitor, request: bytes) -> None:
        answer(visitor, request)
        answer(visitor, b"GET /unasked HTTP/1.1")

    async with RawServer(twice) as server, pool_of(server, 1) as pool:
        assert await burst(pool, 5) == [f"/{number}".encode() for number in range(5)]
        assert len(server.visitors) == 5

    def late(visitor: Visitor, request: bytes) -> None:
        answer(visitor, request)
        asyncio.get_running_loop().call_later(1, answer, visitor, b"GET /unasked HTTP/1.1")

    async with RawServer(late) as server, pool_of(server, 1) as pool:
        for path in ("/a", "/b"):
            assert (await exchanged(pool, asking(path))).body == path.encode()
            await anyio.sleep(2)
        assert len(server.visitors) == 2


async def test_an_answer_to_one_who_left_meets_nobody_else() -> None:
    async with RawServer(after(5)) as server, pool_of(server, 1) as pool:
        with anyio.move_on_after(1):
            await exchanged(pool, asking("/left"))
        assert pool.statistics().n_open == 0
        assert (await exchanged(pool, asking("/next"))).body == b"/next"
        assert len(server.visitors) == 2


async def test_one_who_leaves_while_waiting_leaves_his_turn_to_the_next() -> None:
    async with RawServer(after(5)) as server, pool_of(server, 1) as pool:
        bodies: list[bytes] = []

        async def one(path: str, patience_s: float) -> None:
            with anyio.move_on_after(patience_s):
                bodies.append((await exchanged(pool, asking(path))).body)

        async with anyio.create_task_group() as group:
            group.start_soon(one, "/first", 100)
            await turns()
            group.start_soon(one, "/leaves", 1)
            group.start_soon(one, "/leaves-as-it-comes-free", 5)
            group.start_soon(one, "/last", 100)
        assert bodies == [b"/first", b"/last"]
        told = pool.statistics()
        assert (told.n_open, told.n_idle, told.n_waiting) == (1, 1, 0)


@pytest.mark.parametrize("is_alive", [True, False])
async def test_one_who_leaves_in_the_turn_in_which_he_is_served_passes_it_on(is_alive: bool) -> None:
    """anyio does not cancel so late; asyncio does."""
    async with RawServer(answer) as server, pool_of(server, 1) as pool:
        held = await pool._obtain()
        leaving, staying = (asyncio.ensure_future(exchanged(pool, asking(path))) for path in ("/leaves", "/stays"))
        await turns()
        if not is_alive:
            held.close()
        pool._release(held)
        leaving.cancel()
        with anyio.fail_after(1):
            assert (await staying).body == b"/stays"
        assert leaving.cancelled()
        assert len(server.requests) == 1
        assert pool.statistics() == pool_module.PoolStatistics(1, 1, 0, 1 if is_alive else 2)


async def test_nobody_there_is_refused_and_holds_no_place() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        origin = Origin("http", "127.0.0.1", unused.getsockname()[1])
        async with Pool(origin, limit=1) as pool:
            for _ in range(3):
                with pytest.raises(ConnectionRefusedError):
                    await exchanged(pool, asking("/a"))
            assert pool.statistics().n_open == 0


async def test_a_refusal_of_one_does_not_keep_the_others_waiting() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        origin = Origin("http", "127.0.0.1", unused.getsockname()[1])
        async with Pool(origin, limit=2) as pool:

            async def refused() -> None:
                with pytest.raises(ConnectionRefusedError):
                    await exchanged(pool, asking("/a"))

            async with anyio.create_task_group() as group:
                for _ in range(200):
                    group.start_soon(refused)
            assert pool.statistics() == pool_module.PoolStatistics(0, 0, 0, 0)


async def test_a_server_that_takes_no_connection_is_left_after_the_time_for_it() -> None:
    async with RawServer(answer) as server, pool_of(server, 1, connect_s=10) as pool:

        async def hang(*_: object, **__: object) -> Any:
            await anyio.sleep_forever()

        loop: Any = asyncio.get_running_loop()
        real, loop.create_connection = loop.create_connection, hang
        begin_s = anyio.current_time()
        with pytest.raises(ConnectTimeout):
            await exchanged(pool, asking("/a"))
        assert anyio.current_time() - begin_s == pytest.approx(10)
        assert pool.statistics().n_open == 0
        loop.create_connection = real
        assert (await exchanged(pool, asking("/a"))).status == 200


async def test_the_other_addresses_are_tried_where_one_refuses_or_swallows() -> None:
    async with RawServer(answer) as server, pool_of(server, 1, connect_s=10) as pool:
        loop: Any = asyncio.get_running_loop()
        real, asked = loop.create_connection, []

        async def connect(factory: Any, host: str, port: int, **options: Any) -> Any:
            asked.append(host)
            if host == "192.0.2.1":
                raise ConnectionRefusedError
            if host == "192.0.2.2":
                await anyio.sleep_forever()
            return await real(factory, host, port, **options)

        async def addresses() -> list[str]:
            return ["192.0.2.1", "192.0.2.2", "127.0.0.1"]

        pool._resolver.addresses = addresses  # type: ignore[method-assign]
        loop.create_connection = connect
        begin_s = anyio.current_time()
        assert (await exchanged(pool, asking("/a"))).status == 200
        assert asked == ["192.0.2.1", "192.0.2.2", "127.0.0.1"]
        assert anyio.current_time() - begin_s == pytest.approx(2.5)
        loop.create_connection = real


async def begun(pool: Pool, connection: Connection, request: bytes) -> None:
    pool.begin(connection, request, lambda _of, _outcome: None, None)


@pytest.mark.parametrize("asked", [Pool.exchange, begun])
async def test_nothing_is_sent_on_a_connection_that_has_ended_and_the_pool_forgets_it(asked: Any) -> None:
    async with RawServer(answer) as server, pool_of(server, 1) as pool:
        ended = await pool.take()
        ended.close()
        with pytest.raises(OSError, match="closed"):
            await asked(pool, ended, asking("/lost")())
        assert pool.statistics() == pool_module.PoolStatistics(n_open=0, n_idle=0, n_waiting=0, n_opened=1)
        assert (await exchanged(pool, asking("/next"))).body == b"/next"


async def test_closing_the_pool_closes_what_is_idle_and_what_is_busy() -> None:
    async with RawServer(lambda visitor, request: answer(visitor, request) if b"/a" in request else None) as server:
        async with anyio.create_task_group() as group, pool_of(server) as pool:

            async def waiting() -> None:
                with pytest.raises(BrokenOff):
                    await exchanged(pool, asking("/b"))

            group.start_soon(waiting)
            await turns(10)
            await exchanged(pool, asking("/a"))
            assert server.n_open == 2
        await turns()
        assert server.n_open == 0
        assert pool.statistics().n_open == 0


async def test_a_pool_that_was_warmed_opens_nothing_for_its_first_request() -> None:
    async with RawServer(answer) as server, pool_of(server) as pool:
        await pool.warm()
        assert (len(server.visitors), server.requests) == (1, [])
        await exchanged(pool, asking("/a"))
        await pool.warm()
        assert len(server.visitors) == 1


# the accounting

requests = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.0, 0.1, 1.0, 3.0]),  # starts
        st.sampled_from(["answered", "late", "closed", "reset", "garbage", "last", "never", "extra"]),
        st.sampled_from([0.0, 0.05, 0.1, 1.0, 2.0, 100.0]),  # patience
    ),
    min_size=1,
    max_size=30,
)


@pytest.mark.slow
@pytest.mark.parametrize("connecting_max", [1, 3])
def test_no_history_of_cancels_and_failures_loses_a_connection_or_a_waiter(
    connecting_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "CONNECTING_MAX", connecting_max)

    @settings(max_examples=150)
    @given(requests, st.integers(1, 4))
    def law(history: list[tuple[float, str, float]], limit: int) -> None:
        anyio.run(_live, history, limit, backend_options={"loop_factory": WarpLoop})

    law()


async def _live(history: list[tuple[float, str, float]], limit: int) -> None:
    loop = asyncio.get_running_loop()

    def act(visitor: Visitor, request: bytes) -> None:
        assert pool.statistics().n_open <= limit
        fate = request.split(b" ")[1].split(b"/")[2].decode()
        match fate:
            case "answered":
                answer(visitor, request)
            case "late":
                loop.call_later(1, answer, visitor, request)
            case "closed":
                visitor.close()
            case "reset":
                visitor.reset()
            case "garbage":
                visitor.say(b"garbage\r\n")
            case "last":
                answer(visitor, request)
                visitor.close()
            case "extra":
                answer(visitor, request)
                answer(visitor, b"GET /0/extra HTTP/1.1")

    ends: list[str] = []
    async with RawServer(act) as server, pool_of(server, limit, answer_s=5) as pool:

        async def one(number: int, start_s: float, fate: str, patience_s: float) -> None:
            await anyio.sleep(start_s)
            with anyio.move_on_after(patience_s) as patience:
                try:
                    response = await exchanged(pool, asking(f"/{number}/{fate}"))
                except (OSError, UnreadableAnswer):
                    ends.append("failed")
                else:
                    assert response.body == f"/{number}/{fate}".encode()
                    ends.append("answered")
            if patience.cancelled_caught:
                ends.append("left")

        with anyio.fail_after(1000):  # nobody waits for ever
            async with anyio.create_task_group() as group:
                for number, request in enumerate(history):
                    group.start_soon(one, number, *request)
        await turns(20)
        told = pool.statistics()
        assert len(ends) == len(history)
        assert told.n_waiting == 0
        assert told.n_open == told.n_idle <= limit
        assert server.n_open <= told.n_open  # the server may have left one that is idle
        assert pool._n_connecting == 0
        assert not pool._busy
        assert (await exchanged(pool, asking("/0/answered"))).status == 200
    await turns()
