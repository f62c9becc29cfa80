"""Goal: who tries an API on an empty account need not wait three minutes for an endpoint, nor wonder why.

Method: on the warp loop an endpoint is created as the command makes its account; the command's words are looked at.
"""

from typing import Any

import pytest
from typer.testing import CliRunner

from emulation import ROLE, advance, client
from smbench.api.emulate import Emulation
from smbench.cli import emulate as command
from smbench.cli.app import app
from smbench.clock import LoopClock, WarpLoop


@pytest.fixture
def anyio_backend() -> Any:
    return "asyncio", {"loop_factory": WarpLoop}


@pytest.mark.parametrize("scenario", [None, {"name": "mine", "load": [{"constant": {"rate": "1/s", "for": "1s"}}]}])
async def test_an_endpoint_that_is_created_serves_after_the_provision_that_was_asked_for(scenario: Any) -> None:
    emulator = Emulation(scenario, truth=None, verify_signatures=False, provision_s=1.0).emulator
    await emulator.start()
    emulator.go(LoopClock())
    async with client(emulator, "sagemaker") as sagemaker:
        await sagemaker.create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "repo:1"})
        variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        await sagemaker.create_endpoint_config(
            EndpointConfigName="c",
            ProductionVariants=[variant],
            AsyncInferenceConfig={"OutputConfig": {"S3OutputPath": "s3://out/results"}},
        )
        await sagemaker.create_endpoint(EndpointName="ep", EndpointConfigName="c")
        await advance(emulator, 1.1)
        assert (await sagemaker.describe_endpoint(EndpointName="ep"))["EndpointStatus"] == "InService"
    await emulator.stop()


@pytest.mark.parametrize(
    ("arguments", "is_said"), [([], True), (["--provision", "1s"], False), (["--provision", "0s"], False)]
)
def test_the_command_says_that_instances_take_minutes_unless_told_otherwise(
    arguments: list[str], is_said: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_once(self: Emulation, port: int, until: Any) -> None:
        await until("http://127.0.0.1:1")

    class NoSignals:
        def __enter__(self) -> "NoSignals":
            return self

        def __exit__(self, *_: object) -> None: ...

        def __aiter__(self) -> "NoSignals":
            return self

        async def __anext__(self) -> None:
            raise StopAsyncIteration

    monkeypatch.setattr(Emulation, "_serve", at_once)
    monkeypatch.setattr(command, "freeze_collections", lambda: None)
    monkeypatch.setattr("anyio.open_signal_receiver", lambda *_: NoSignals())
    shown = CliRunner().invoke(app, ["emulate", *arguments], catch_exceptions=False)
    assert ("three minutes" in shown.stderr and "--provision 1s" in shown.stderr) is is_said


@pytest.mark.parametrize("text", ["soon", "-1s", "1 fortnight", "", "-1"])
def test_a_provision_that_is_no_duration_is_refused(text: str) -> None:
    shown = CliRunner().invoke(app, ["emulate", "--provision", text])
    assert shown.exit_code != 0
    assert "--provision" in str(shown.exception)
