"""The command `emulate`: the emulated AWS services alone, for any client that takes an endpoint URL."""

import signal
from collections.abc import Sequence
from pathlib import Path

import anyio
import typer

from smbench.api.emulate import Emulation
from smbench.emulator.process import freeze_collections
from smbench.emulator.protocol.signatures import CREDENTIALS
from smbench.errors import UsageError
from smbench.scenario.values.quantities import parse_duration_s
from smbench.wire.sigv4 import Credentials

# Not AWS_ENDPOINT_URL alone: `aws sqs` of the AWS CLI v1 does not look at it and would go to AWS.
_HINT = """\
  export AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret}
  aws --endpoint-url {url} sagemaker list-endpoints"""

_SLOW = "an endpoint that you create is InService after some three minutes, as on AWS; --provision 1s makes it a second"
_ANY = Credentials("any", "any")


def emulate_command(
    file: Path | None,
    port: int,
    truth: Path | None,
    allow_files: Sequence[Path],
    *,
    verify_signatures: bool,
    provision: str | None,
) -> None:
    """Serve until SIGINT or SIGTERM, then write the truth.

    Raises:
        UsageError: the port is taken, the truth's folder is missing, or `provision` is no duration.
    """
    provision_s = None if provision is None else _seconds(provision)
    sign_with = CREDENTIALS if verify_signatures else _ANY

    async def until_signal(url: str) -> None:
        freeze_collections()
        hint = _HINT.format(url=url, key=sign_with.access_key, secret=sign_with.secret_key)
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            typer.echo(url)
            typer.echo(f"serving until Ctrl-C; for another terminal:\n{hint}", err=True)
            if file is None and provision_s is None:
                typer.echo(_SLOW, err=True)
            async for _ in signals:
                break

    emulation = Emulation(
        file, truth=truth, verify_signatures=verify_signatures, allow_files=allow_files, provision_s=provision_s
    )
    emulation.serve(port, until_signal)
    if trouble := emulation.emulator.front.statistics().trouble:
        typer.echo(trouble, err=True)


def _seconds(provision: str) -> float:
    try:
        seconds = parse_duration_s(provision)
    except ValueError as error:
        raise UsageError(f"--provision {provision}: {error}", "such as 1s, 250ms or 3m") from None
    if seconds < 0:
        raise UsageError(f"--provision {provision}: must not be negative", "such as 1s, 250ms or 3m")
    return seconds
