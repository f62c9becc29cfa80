"""The commands `order`, `worker` and `collect`: a run that several machines share by files."""

import re
import sys
from pathlib import Path
from typing import Any

import typer

from smbench import units
from smbench.cli.options import given_again
from smbench.errors import ExitCode, UsageError


def order_command(scenario: Path | None, asked: dict[str, Any]) -> None:
    """Write the order, and say what to do with it.

    Raises:
        ScenarioError, UsageError, ResultsError: nothing was written.
    """
    from smbench.api.machines.orders import order

    written = order(scenario, command=("smbench", *sys.argv[1:]), **asked)
    n, place = written.manifest.workers, asked["to"]
    if written.begins_together:
        begins = "together once the last is ready"
    else:
        begins = "each when it is ready" if written.go_utc_ns is None else f"all at {asked['go']}"
    typer.echo(
        f"{units.counted(n, 'shard')} of {units.counted(written.manifest.n_scheduled, 'request')}, "
        f"which begin {begins}. On each machine, N from 0:"
    )
    elsewhere = {**asked, "profile": None}  # a profile is of this machine
    typer.echo(f"  smbench worker --order {place} --shard N/{n}{given_again(elsewhere)}")
    typer.echo(f"and when all have ended:\n  smbench collect {place}{given_again(asked)}")


def worker_command(place: str, shard: str, asked: dict[str, Any]) -> ExitCode:
    """Send one shard; returns the exit status.

    Raises:
        OrderError, SmbenchError: it could not begin or go on.
    """
    from smbench.api.machines.shard import work

    match = re.fullmatch(r"(\d+)/(\d+)", shard)
    if match is None:
        raise UsageError(
            f"--shard {shard}: which shard of how many is not clear", "write it as 3/16; the first is 0/16"
        )
    state, is_interrupted = work(place, int(match[1]), int(match[2]), **asked)
    reason = f", {state.reason}" if state.reason else ""
    collect = f"smbench collect {place}{given_again(asked)}"
    typer.echo(f"smbench: shard {shard}: {state.ending}{reason}; `{collect}` when all have ended", err=True)
    return ExitCode.INTERRUPTED if is_interrupted else ExitCode.OK


def collect_command(place: str, asked: dict[str, Any], output: str) -> ExitCode:
    """Collect, report, judge; returns the exit status.

    Raises:
        OrderError, ResultsError: it cannot be collected.
    """
    from smbench.api.machines.orders import collect
    from smbench.cli.run import shown

    return shown(collect(place, **asked), output)
