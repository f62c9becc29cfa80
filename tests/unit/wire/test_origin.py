"""Goal: a request goes to the host that was named, proved by its certificate, at whichever address it has.

Method: names resolved by a table; servers on loopback with certificates of an authority made for the test, on asyncio
and on uvloop. Nothing here waits, so time is real: TLS on uvloop has no other.
"""

import socket
import ssl
from pathlib import Path
from typing import Any

import anyio
import pytest

from certificates import Authority
from raw_server import RawServer, Visitor
from smbench.aws.access.causes import cause_of
from smbench.clock import WarpLoop
from smbench.wire.origin import Origin, Resolver, tls_context
from smbench.wire.pool import Pool

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
HOST = "runtime.example"


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


@pytest.mark.parametrize(
    ("url", "origin", "authority"),
    [
        ("https://s3.eu-west-1.amazonaws.com", Origin("https", "s3.eu-west-1.amazonaws.com", 443), None),
        ("https://Example.com:443/", Origin("https", "example.com", 443), "example.com"),
        ("http://127.0.0.1:8000", Origin("http", "127.0.0.1", 8000), "127.0.0.1:8000"),
        ("http://[::1]:8000", Origin("http", "::1", 8000), "[::1]:8000"),
        ("https://example.com:80", Origin("https", "example.com", 80), "example.com:80"),
    ],
)
def test_a_url_is_an_origin_and_a_host_header(url: str, origin: Origin, authority: str | None) -> None:
    assert Origin.of(url) == origin
    assert origin.authority == (authority or origin.host)


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8000",
        "ftp://example.com",
        "https://",
        "https:///path",
        "https://example.com/path",
        "https://example.com/?a=b",
        "https://example.com/#a",
        "https://user:secret@example.com",
        "https://example.com:99999",
        "https://[::1",
        "",
    ],
)
def test_what_is_no_origin_is_refused_without_repeating_a_password(url: str) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        Origin.of(url)
    assert "secret" not in str(error.value)


class Names:
    """The machine's resolver, with a table."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
        self.addresses, self.asked = addresses, 0
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)

    def _look_up(self, host: Any, port: Any, *_: object, **__: object) -> list[Any]:
        if host != HOST:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
        self.asked += 1
        if not self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        # One entry for each kind of socket, as some systems give them.
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in self.addresses for _ in range(2)]


@pytest.mark.parametrize("anyio_backend", [("asyncio", {"loop_factory": WarpLoop})])
async def test_addresses_are_handed_out_in_turn_and_asked_for_once_in_ten_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = Names(monkeypatch, "192.0.2.1", "192.0.2.2", "192.0.2.3")
    resolver = Resolver(Origin("https", HOST, 443))
    firsts = [(await resolver.addresses())[0] for _ in range(6)]
    assert sorted(firsts[:3]) == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    assert firsts[3:] == firsts[:3]
    assert names.asked == 1
    names.addresses = ("192.0.2.9",)
    await anyio.sleep(Resolver.FRESH_S)
    assert await resolver.addresses() == ["192.0.2.9"]
    assert names.asked == 2


@pytest.mark.parametrize("anyio_backend", [("asyncio", {"loop_factory": WarpLoop})])
async def test_a_burst_asks_for_the_addresses_once(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(monkeypatch, "192.0.2.1")
    resolver = Resolver(Origin("https", HOST, 443))
    async with anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(resolver.addresses)
    assert names.asked == 1


async def test_an_address_needs_no_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(monkeypatch)
    assert await Resolver(Origin("http", "::1", 80)).addresses() == ["::1"]
    assert names.asked == 0


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # uvloop resolves by itself
async def test_a_name_that_nobody_knows_is_told_as_such_and_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(monkeypatch)
    async with Pool(Origin("http", HOST, 80), limit=1) as pool:
        for _ in range(2):
            with pytest.raises(socket.gaierror) as error:
                await pool.exchange(await pool.take(), REQUEST)
            assert cause_of(error.value) == "name not resolved"
    assert names.asked == 2


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_first_address_refuses_and_the_next_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    async with RawServer(answer) as server:
        Names(monkeypatch, "127.0.0.1", "127.0.0.2")  # only one of them listens, and both take their turn
        async with Pool(Origin("http", HOST, server.port), limit=4) as pool:

            async def ask() -> None:
                await pool.exchange(await pool.take(), REQUEST)

            async with anyio.create_task_group() as group:
                for _ in range(4):
                    group.start_soon(ask)
        assert len(server.requests) == 4


# TLS


def answer(visitor: Visitor, request: bytes) -> None:
    del request
    visitor.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


async def exchanged(port: int, tls: ssl.SSLContext, host: str = "localhost") -> bytes:
    async with Pool(Origin("https", host, port), limit=1, tls=tls, connect_s=5) as pool:
        first = await pool.exchange(await pool.take(), REQUEST)
        assert (await pool.exchange(await pool.take(), REQUEST)).body == first.body
        assert pool.statistics().n_opened == 1
    return first.body


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_server_with_a_good_certificate_is_spoken_to(authority: Authority, host: str) -> None:
    async with RawServer(answer, tls=authority.server("localhost", "127.0.0.1")) as server:
        assert await exchanged(server.port, tls_context(str(authority.file)), host) == b"hi"


async def test_the_server_hears_by_which_name_it_is_meant(authority: Authority) -> None:
    heard: list[str | None] = []
    context = authority.server("localhost")

    def hear(_socket: object, name: str | None, _context: object) -> None:
        heard.append(name)

    context.sni_callback = hear
    async with RawServer(answer, tls=context) as server:
        await exchanged(server.port, tls_context(str(authority.file)))
    assert heard == ["localhost"]


async def test_the_certificate_is_that_of_the_name_and_not_of_the_address_behind_it(authority: Authority) -> None:
    async with RawServer(answer, tls=authority.server("127.0.0.1")) as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            await exchanged(server.port, tls_context(str(authority.file)), "localhost")
        assert server.requests == []


@pytest.mark.parametrize("case", ["an authority nobody knows", "another name", "expired", "the system's trust"])
async def test_a_certificate_that_proves_nothing_gets_no_request(
    authority: Authority, tmp_path: Path, case: str
) -> None:
    context = authority.server("other.example" if case == "another name" else "localhost", is_expired=case == "expired")
    trusted = Authority(tmp_path, "stranger").file if case == "an authority nobody knows" else authority.file
    async with RawServer(answer, tls=context) as server:
        with pytest.raises(ssl.SSLCertVerificationError) as error:
            await exchanged(server.port, tls_context(None if case == "the system's trust" else str(trusted)))
        assert server.requests == []
    assert cause_of(error.value) == "TLS error"


async def test_a_server_that_speaks_no_tls_gets_no_request(authority: Authority) -> None:
    async with RawServer(answer, on_connect=lambda visitor: visitor.say(b"HTTP/1.1 400 Bad\r\n\r\n")) as server:
        with pytest.raises(OSError, match=r".") as error:
            await exchanged(server.port, tls_context(str(authority.file)))
        assert server.requests == []
    assert cause_of(error.value) == "TLS error"


async def test_a_server_that_leaves_in_the_handshake_is_no_answer(authority: Authority) -> None:
    async with RawServer(answer, on_connect=Visitor.close) as server:
        with pytest.raises(OSError, match=r".*") as error:
            await exchanged(server.port, tls_context(str(authority.file)))
    assert cause_of(error.value) in ("connection reset", "connection closed", "TLS error")


async def test_old_tls_is_not_spoken(authority: Authority) -> None:
    context = authority.server("localhost")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with RawServer(answer, tls=context) as server:
        # A server whose OpenSSL has no such TLS any more leaves without a word.
        with pytest.raises(OSError, match=r".*") as error:
            await exchanged(server.port, tls_context(str(authority.file)))
    assert cause_of(error.value) in ("TLS error", "connection reset", "connection closed")


async def test_a_handshake_that_is_given_up_leaves_no_connection(authority: Authority) -> None:
    tls = tls_context(str(authority.file))
    async with (
        RawServer(lambda visitor, request: None) as server,  # takes the hello and says nothing
        Pool(Origin("https", "127.0.0.1", server.port), limit=1, tls=tls) as pool,
    ):
        with anyio.move_on_after(0.05):
            await pool.exchange(await pool.take(), REQUEST)
        assert pool.statistics().n_open == 0
        with anyio.fail_after(5):
            while server.n_open:  # noqa: ASYNC110  # what the other end of a socket sees has no event
                await anyio.sleep(0.01)


def test_an_https_origin_needs_its_context() -> None:
    with pytest.raises(ValueError, match="TLS"):
        Pool(Origin("https", HOST, 443), limit=1)


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_file_without_certificates_is_refused(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(OSError, match=r"."):
        tls_context(str(file))
