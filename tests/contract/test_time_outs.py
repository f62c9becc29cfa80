"""Goal: the time-outs of a client mean the same through the SDK and on the wire, and none makes an endpoint look fast.

Method: both transports at the emulated endpoint and at servers that say nothing, in virtual time; whole runs for what
becomes of a call that was given up.
"""

import ssl
from pathlib import Path
from typing import Any

import anyio
import pytest

import smbench
from emulated_aws import WARP, emulated_aws
from raw_server import RawServer, Visitor
from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.aws.transport.invoke import SdkTransport
from smbench.generator.plan import RunPlan
from smbench.records import CONNECT_TIMEOUT, READ_TIMEOUT, Answered, Invocation, Outcome, Unacknowledged
from smbench.scenario.model import Scenario
from smbench.schedule.plan import plan
from smbench.targets.base import AwsAccess
from smbench.targets.called import CalledTarget
from smbench.targets.queued import QueuedTarget
from smbench.wire.http1 import ConnectTimeout
from smbench.wire.origin import Origin
from smbench.wire.pool import Pool

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
CALL = Invocation(1, "run-0-1", body=b"{}", content_type="application/json")


@pytest.fixture
def anyio_backend() -> Any:
    return WARP


@pytest.fixture(params=["sdk", "wire", "prompt"])
def by(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_a_call_is_given_up_when_its_answer_took_as_long_as_is_waited(by: str) -> None:
    async with emulated_aws({"service": "8s"}, kind="realtime", by=by, answer_s=7.5) as aws:
        begin_s = anyio.current_time()
        with pytest.raises(Unacknowledged) as given_up:
            await aws.synchronous().submit(CALL)
        assert anyio.current_time() - begin_s == pytest.approx(7.5)
    assert (given_up.value.cause, given_up.value.is_timeout) == (READ_TIMEOUT, True)
    async with emulated_aws({"service": "7s"}, kind="realtime", by=by, answer_s=7.5) as aws:
        assert (await aws.synchronous().submit(CALL)).outcome is Outcome.COMPLETED


@pytest.mark.parametrize(("gap", "expected"), [("1.9s", None), ("2.1s", "torn stream: read timeout")])
async def test_a_stream_is_waited_for_part_by_part(by: str, gap: str, expected: str | None) -> None:
    stream = {"parts": 9, "gap": gap}
    settings = {"service": "1500ms", "stream": stream}
    async with emulated_aws(settings, kind="realtime", by=by, answer_s=490, silence_s=2.0) as aws:
        begin_s = anyio.current_time()
        answer: Answered = await aws.streaming().submit(CALL)
        took_s = anyio.current_time() - begin_s
    assert answer.failure_reason == expected
    assert answer.parts is not None
    assert answer.parts.n == (9 if expected is None else 1)
    assert took_s == pytest.approx(1.5 + 8 * 1.9 if expected is None else 1.5 + 2.0)


async def test_a_stream_that_does_not_begin_is_unknown(by: str) -> None:
    async with emulated_aws({"service": "3s"}, kind="realtime", by=by, answer_s=490, silence_s=2.0) as aws:
        begin_s = anyio.current_time()
        with pytest.raises(Unacknowledged, match=READ_TIMEOUT):
            await aws.streaming().submit(CALL)
        assert anyio.current_time() - begin_s == pytest.approx(2.0)


async def test_a_stream_that_goes_on_and_on_is_given_up_in_all(by: str) -> None:
    stream = {"parts": 20, "gap": "1s"}
    async with emulated_aws({"stream": stream}, kind="realtime", by=by, answer_s=5.5, silence_s=2.0) as aws:
        begin_s = anyio.current_time()
        answer: Answered = await aws.streaming().submit(CALL)
        assert anyio.current_time() - begin_s == pytest.approx(5.5)
    assert answer.failure_reason == "torn stream: read timeout"


def _silent(_visitor: Visitor, _request: bytes) -> None:
    """Not even a handshake."""


@pytest.mark.parametrize("transport", ["sdk", "wire"])
async def test_a_connection_is_given_up_in_its_own_time(transport: str) -> None:
    async with RawServer(_silent) as server:
        url = server.url.replace("http://", "https://")
        begin_s = anyio.current_time()
        if transport == "sdk":
            settings = AwsSettings(endpoint_url=url, emulated=True, connect_s=3.0, services=("runtime",))
            async with AwsClients(settings) as clients:
                with pytest.raises(Unacknowledged, match=CONNECT_TIMEOUT):
                    await SdkTransport(clients.runtime, "ep").submit(CALL)
        else:
            tls = ssl.create_default_context()
            async with Pool(Origin.of(url), limit=1, tls=tls, connect_s=3.0, answer_s=60.0) as pool:
                with pytest.raises(ConnectTimeout):
                    await pool.take()
        assert anyio.current_time() - begin_s == pytest.approx(3.0, abs=1e-3)


def settings_of(kind: str, **own: Any) -> AwsSettings:
    scenario = Scenario.model_validate(
        {"name": "waits", "load": [{"burst": {"requests": 1}}], "target": {"kind": kind}} | own
    )
    target = QueuedTarget if kind == "async" else CalledTarget
    made = target(RunPlan(scenario, Path(), (), plan(scenario, Path(), (1.0,))), AwsAccess())
    return made._settings(1)


@pytest.mark.parametrize(
    ("kind", "request_", "waits_s"),
    [
        ("async", {}, (10, 60, None)),
        ("realtime", {}, (10, 70, None)),
        ("serverless", {}, (10, 250, None)),
        ("async", {"connect_timeout": "2s", "read_timeout": "5s"}, (2, 5, None)),
        ("serverless", {"connect_timeout": "2s", "read_timeout": "300s"}, (2, 300, None)),
        ("realtime", {"stream": True, "read_timeout": "5s"}, (10, 490, 5)),
        ("realtime", {"stream": True, "read_timeout": "500s"}, (10, 500, 500)),
    ],
)
def test_a_target_waits_as_long_as_the_scenario_says(
    kind: str, request_: dict[str, Any], waits_s: tuple[float, float, float | None]
) -> None:
    made = settings_of(kind, request=request_)
    assert (made.connect_s, made.answer_s, made.silence_s) == waits_s


def test_time_outs_are_scenario_time() -> None:
    own = {"target": {"kind": "realtime", "emulated": {"time": {"scaled": 10}}}, "request": {"read_timeout": "20s"}}
    assert settings_of("realtime", **own).answer_s == 2.0


@pytest.mark.parametrize("transport", ["wire", "sdk"])
def test_a_call_that_was_given_up_is_unknown_and_slow_and_tried_again_as_the_mode_says(
    tmp_path: Path, transport: str
) -> None:
    story = {
        "name": "given-up",
        "transport": transport,
        "target": {
            "kind": "realtime",
            "emulated": {"time": "warp", "service": "10s", "instances": {"min": 1, "concurrency": 10}},
        },
        "load": [{"constant": {"rate": "6/m", "for": "100s"}}],
        "request": {"read_timeout": "4s", "retry": {"mode": "standard"}},
        "thresholds": ["p50 < 10s"],
    }
    run = smbench.run(story, results=tmp_path, progress="none")
    rows = run.requests.collect()
    assert set(rows["outcome"]) == {"transport_error"}
    assert set(rows["error"]) == {READ_TIMEOUT}
    assert set(rows["attempts"]) == {3}
    assert [one.passed for one in run.thresholds] == [False]
    retries = run.events.collect().filter(kind="retry")
    assert set(retries["cause"]) == {READ_TIMEOUT}
    assert run.summary.retries is not None
    assert run.summary.retries.n_added == 2 * rows.height
