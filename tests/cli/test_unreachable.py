"""A target that cannot be used is one sentence and exit status 3 before anything is sent, whichever way requests leave;
one that goes away in the run is the run's outcome.

Method: the real command against a real emulator, with something wrong between them: the credentials, a port, a
certificate, a proxy, and in the end the emulator itself.
"""

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import anyio.from_thread
import polars as pl
import pytest

from certificates import Authority
from commands import SMALL, has_begun, in_here, smbench, wait_until
from fake_aws import FakeAws, json_answer
from serving import emulate, sdk_environment
from smbench.results.law import Counts
from smbench.results.store import open_run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Command = Callable[..., subprocess.CompletedProcess[str]]
EITHER = "wire"  # credentials, addresses and DescribeEndpoint are the SDK's, whichever way requests would leave
RAN = (0, 98)  # to its end; whether this machine was quick enough for the load is not asked here
# Its kind is said, so that the workers are the first to ask.
BARE = SMALL.replace(SMALL[SMALL.index("target:") : SMALL.index("load:")], "target: {kind: async}\n")


@pytest.fixture(params=["wire", "sdk"])
def by(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with emulate(tmp_path_factory.mktemp("emulator"), SMALL) as url:
        yield url


def run(
    cwd: Path, url: str, by: str, text: str = BARE, command: Command = in_here, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run a small scenario against the endpoint at an address, as a user with these settings would.

    Args:
        command: Its workers, which are the first to call AWS, are processes of their own either way.
    """
    (cwd / "mine.yaml").write_text(text)
    settings = {name: value for name, value in sdk_environment(url).items() if name.startswith("AWS_")} | environ
    arguments = ("run", "mine.yaml", "--endpoint", "smbench-emulated", "--transport", by, "--ui", "none")
    return command(*arguments, cwd=cwd, environ=settings)


def refused(ran: Any, cwd: Path, *words: str) -> None:
    """Status 3, these words, no traceback, no run."""
    assert ran.returncode == 3, ran.stderr
    for word in words:
        assert word in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stdout == ""
    assert list((cwd / "results").iterdir()) == []


@contextmanager
def serving(answer: Any) -> Iterator[str]:
    with (
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(FakeAws(answer)) as aws,
    ):
        yield aws.url


@contextmanager
def dead_port() -> Iterator[int]:
    """Bound and not listening: connections are refused."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield unused.getsockname()[1]


@contextmanager
def behind_tls(url: str, context: ssl.SSLContext) -> Iterator[str]:
    """An https address before an http one."""
    port = int(url.rpartition(":")[2])
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source: Any, sink: Any) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=converse, args=(raw,), daemon=True).start()

    def converse(raw: socket.socket) -> None:
        with (
            raw,
            suppress(OSError),
            context.wrap_socket(raw, server_side=True) as outer,
            socket.create_connection(("127.0.0.1", port)) as inner,
        ):
            back = threading.Thread(target=pump, args=(inner, outer), daemon=True)
            back.start()
            pump(outer, inner)
            back.join()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def test_it_works_at_all(tmp_path: Path, emulator: str, by: str) -> None:
    assert run(tmp_path, emulator, by).returncode in RAN


def test_no_credentials(tmp_path: Path, emulator: str) -> None:
    ran = run(tmp_path, emulator, EITHER, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    refused(ran, tmp_path, "no AWS credentials were found", "aws sso login")


def test_expired_credentials(tmp_path: Path) -> None:
    expired = json_answer({"__type": "ExpiredTokenException", "message": "The security token is expired"}, 400)
    with serving(lambda _: expired) as url:
        refused(run(tmp_path, url, EITHER), tmp_path, "the credentials have expired", "sign in again")


def test_a_runtime_that_refuses_while_everything_else_answers(tmp_path: Path, emulator: str, by: str) -> None:
    with dead_port() as port:
        ran = run(tmp_path, emulator, by, AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=f"http://127.0.0.1:{port}")
    refused(ran, tmp_path, f"127.0.0.1:{port}", "connection refused")


def test_a_certificate_that_nobody_trusts_until_its_authority_is_named(tmp_path: Path, emulator: str, by: str) -> None:
    authority = Authority(tmp_path)
    with behind_tls(emulator, authority.server("127.0.0.1")) as url:
        ran = run(tmp_path, url, by)
        refused(ran, tmp_path, f"the certificate of {url} is not trusted", "AWS_CA_BUNDLE")
        trusting = run(tmp_path, url, by, AWS_CA_BUNDLE=str(authority.file))
        assert trusting.returncode in RAN, trusting.stderr


def test_a_file_of_certificates_that_is_not_there(tmp_path: Path, emulator: str, by: str) -> None:
    with behind_tls(emulator, Authority(tmp_path).server("127.0.0.1")) as url:
        ran = run(tmp_path, url, by, AWS_CA_BUNDLE=str(tmp_path / "none.pem"))
    refused(ran, tmp_path, "AWS_CA_BUNDLE")


def test_https_where_http_is_spoken(tmp_path: Path, emulator: str, by: str) -> None:
    ran = run(tmp_path, emulator.replace("http:", "https:"), by)
    refused(ran, tmp_path, "does not speak TLS", "http, or https?")


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "http://"])
def test_an_address_that_is_none(tmp_path: Path, url: str) -> None:
    refused(run(tmp_path, url, EITHER), tmp_path, url)


def test_a_proxy_that_is_not_there(tmp_path: Path, by: str) -> None:
    with dead_port() as port:
        ran = run(tmp_path, "http://aws.example:8000", by, HTTP_PROXY=f"http://127.0.0.1:{port}")
    refused(ran, tmp_path, "proxy")


def test_a_target_that_goes_away_in_the_run_is_its_outcome(tmp_path: Path, by: str) -> None:
    """Ten errors end the load; what had been sent has its outcome, and the books add up."""
    text = BARE.replace("for: 2s", "for: 60s").replace("drain: 20s", "drain: 3s") + "limits: {errors: 5%}\n"
    with ExitStack() as living, ThreadPoolExecutor(1) as aside:
        url = living.enter_context(emulate(tmp_path, SMALL))
        running = aside.submit(run, tmp_path, url, by, text, smbench)
        wait_until(has_begun(tmp_path / "results"))
        living.close()
        ran = running.result()
    assert "Traceback" not in ran.stderr
    assert ran.returncode in RAN, ran.stderr
    (folder,) = (tmp_path / "results").iterdir()
    requests = open_run(folder).requests
    assert Counts.of(requests).violations() == []
    rows = requests.collect()
    failed = rows.filter(pl.col("error").is_in(["connection refused", "connection reset", "connection closed"]))
    assert failed.height >= 1
    assert set(rows["outcome"]) <= {"completed", "pending", "lost", "not_sent", "transport_error"}
    assert rows.filter(pl.col("outcome") == "not_sent").height > 300  # the load ended long before its minute
