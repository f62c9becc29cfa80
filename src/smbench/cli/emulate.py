"""`emulate`: the emulated AWS services alone, for any client that takes an endpoint URL."""

import signal
from pathlib import Path

import anyio
import typer

from smbench.clock import MonotonicClock, real_ns, wall_ns
from smbench.emulator.server import Emulator
from smbench.errors import UsageError
from smbench.scenario.load import load_scenario
from smbench.scenario.model import Scenario

# Not AWS_ENDPOINT_URL alone: `aws sqs` of the AWS CLI v1 does not look at it and would go to AWS.
_HINT = """\
  export AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any
  aws --endpoint-url {url} sagemaker list-endpoints"""


def emulate_command(file: Path | None, port: int, truth: Path | None) -> None:
    if truth is not None and not truth.parent.is_dir():
        raise UsageError(f"the folder of {truth} does not exist")
    scenario = None if file is None else load_scenario(file)
    anyio.run(_serve, scenario, Path.cwd() if file is None else file.parent, port, truth)


async def _serve(scenario: Scenario | None, base_dir: Path, port: int, truth: Path | None) -> None:
    epoch_ns = wall_ns()
    emulator = Emulator(scenario, base_dir, epoch_ns)
    try:
        url = await emulator.start(port)
    except OSError as error:
        raise UsageError(
            f"port {port} cannot be used: {error.strerror}", "leave out --port to take a free one"
        ) from error
    scale = 1.0 if scenario is None else scenario.target.emulated.time_scale
    emulator.go(MonotonicClock(real_ns(), epoch_ns, scale))
    try:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            typer.echo(url)
            typer.echo(f"serving until Ctrl-C; for another terminal:\n{_HINT.format(url=url)}", err=True)
            async for _ in signals:
                break
    finally:
        if truth is not None:
            emulator.write_truth(truth)
        await emulator.stop()
