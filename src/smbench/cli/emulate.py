"""`emulate`: the emulated AWS services alone, for any client that takes an endpoint URL."""

import signal
from collections.abc import Sequence
from pathlib import Path

import anyio
import typer

from smbench.clock import MonotonicClock, real_ns, wall_ns
from smbench.emulator.process import freeze_collections, run_alone
from smbench.emulator.protocol.signatures import CREDENTIALS
from smbench.emulator.server import Emulator
from smbench.errors import UsageError
from smbench.scenario.load import load_scenario
from smbench.wire.sigv4 import Credentials

# Not AWS_ENDPOINT_URL alone: `aws sqs` of the AWS CLI v1 does not look at it and would go to AWS.
_HINT = """\
  export AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret}
  aws --endpoint-url {url} sagemaker list-endpoints"""

_ANY = Credentials("any", "any")


def emulate_command(
    file: Path | None, port: int, truth: Path | None, allow_files: Sequence[Path], *, verify_signatures: bool
) -> None:
    """Serve until SIGINT or SIGTERM, then write the truth. Raises UsageError: the port or the truth's folder."""
    if truth is not None and not truth.parent.is_dir():
        raise UsageError(f"the folder of {truth} does not exist")
    scenario = None if file is None else load_scenario(file, allow_files)
    scale = 1.0 if scenario is None else scenario.target.emulated.time_scale
    clock = MonotonicClock(real_ns(), wall_ns(), scale)
    base_dir = Path.cwd() if file is None else file.parent
    emulator = Emulator(scenario, base_dir, clock.epoch_ns, verify_signatures=verify_signatures)
    run_alone(_serve, emulator, clock, port, truth, CREDENTIALS if verify_signatures else _ANY)


async def _serve(
    emulator: Emulator, clock: MonotonicClock, port: int, truth: Path | None, sign_with: Credentials
) -> None:
    try:
        url = await emulator.start(port)
    except OSError as error:
        raise UsageError(
            f"port {port} cannot be used: {error.strerror}", "leave out --port to take a free one"
        ) from error
    freeze_collections()
    emulator.go(clock)
    hint = _HINT.format(url=url, key=sign_with.access_key, secret=sign_with.secret_key)
    try:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            typer.echo(url)
            typer.echo(f"serving until Ctrl-C; for another terminal:\n{hint}", err=True)
            async for _ in signals:
                break
    finally:
        if truth is not None:
            emulator.write_truth(truth)
        await emulator.stop()
