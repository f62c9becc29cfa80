"""The command `bench`: what one worker of this machine can send, measured and kept for later runs."""

import datetime
from pathlib import Path

import anyio
import typer
from rich.table import Table

from smbench import units
from smbench.ceiling.headroom import SAFE_SHARE
from smbench.ceiling.measurement import TRIAL_S, highest_kept_hz, measure_ceiling
from smbench.ceiling.search import Search
from smbench.cli.given_out import on_stdout, print_json
from smbench.errors import ExitCode
from smbench.results.ceiling import Ceiling, Machine, Trial, ceilings_file, store_ceiling
from smbench.results.manifest import Host

_SEARCH = Search()


def bench_command(
    transport: str, output: str, *, search: Search = _SEARCH, trial_s: float = TRIAL_S, file: Path | None = None
) -> ExitCode:
    """Measure, print and keep; returns the exit status.

    Args:
        file: Where it is kept; default: the user's cache.

    Raises:
        ResultsError: it was measured and printed, and could not be kept.
    """
    file = file or ceilings_file()
    machine = Machine.of(Host.this())
    typer.echo(f"what one worker of this machine keeps by {transport}, against a target that does nothing", err=True)
    trials = anyio.run(lambda: measure_ceiling(transport, _tell, search=search, trial_s=trial_s))
    rate_hz = highest_kept_hz(trials)
    if rate_hz is None:
        typer.echo("smbench: no rate was kept, so there is no ceiling to keep: free the machine", err=True)
        return ExitCode.INVALID
    measured = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    ceiling = Ceiling(transport=transport, rate_hz=rate_hz, measured=measured, machine=machine, trials=tuple(trials))
    if output == "json":
        print_json(ceiling.model_dump(mode="json"))
    else:
        _print(ceiling)
    store_ceiling(file, ceiling)
    typer.echo(f"kept in {file}; `smbench run` warns of what goes beyond {100 * SAFE_SHARE:.0f} % of it", err=True)
    return ExitCode.OK


def _tell(trial: Trial) -> None:
    typer.echo(
        f"  {_whole(trial.planned_hz)}/s planned, {_whole(trial.achieved_hz)}/s sent, "
        f"late by p50 {units.duration(trial.lag_p50_s)}, p99 {units.duration(trial.lag_p99_s)}, "
        f"{units.duration(trial.cpu_s)} of CPU each: {_verdict(trial)}",
        err=True,
    )


def _print(ceiling: Ceiling) -> None:
    console = on_stdout()
    console.print(
        f"{_whole(ceiling.rate_hz)} requests/s a worker by {ceiling.transport}; "
        f"plan for at most {_whole(SAFE_SHARE * ceiling.rate_hz)}/s"
    )
    console.print(f"{ceiling.machine}\n", soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="")
    table.add_column("planned", justify="right")
    for name in ("sent", "late p50", "late p99", "CPU each"):
        table.add_column(name, justify="right")
    table.add_column("")
    for trial in sorted(ceiling.trials, key=lambda one: one.planned_hz):
        table.add_row(
            f"{_whole(trial.planned_hz)}/s",
            f"{_whole(trial.achieved_hz)}/s",
            *(units.duration(seconds) for seconds in (trial.lag_p50_s, trial.lag_p99_s, trial.cpu_s)),
            _verdict(trial),
        )
    console.print(table)


def _verdict(trial: Trial) -> str:
    if trial.is_kept:
        return "kept"
    if trial.n_not_sent:
        return f"not kept, {trial.n_not_sent:,} dropped"
    if trial.n_not_completed:
        return f"not kept, {trial.n_not_completed:,} not completed in time"
    return "not kept"


def _whole(rate_hz: float) -> str:
    return f"{rate_hz:,.0f}"
