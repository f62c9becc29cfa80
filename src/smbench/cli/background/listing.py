"""The command `ps`: the runs of this machine, whatever became of them."""

import typer

from smbench import units
from smbench.cli.given_out import print_json
from smbench.errors import ResultsError
from smbench.lifecycle.background.registry import Known, known_runs, registry_place
from smbench.records import Ending
from smbench.results.manifest import read_manifest

_INTERRUPTED = "interrupted"
_REMOVED = "removed"


def ps_command(output: str) -> None:
    """The runs of this machine, the latest first; a table leaves out those whose folders are gone, and counts them."""
    runs = [(known, _state(known)) for known in known_runs(registry_place())]
    if output == "json":
        listed = [
            {
                "run": str(known.folder),
                "scenario": known.scenario,
                "started": known.started.isoformat(timespec="seconds"),
                "state": state,
                "pid": known.pid if known.is_alive else None,
                "exit_status": known.exit_status,
            }
            for known, state in runs
        ]
        print_json({"runs": listed})
        return
    there = [(known, state) for known, state in runs if state != _REMOVED]
    width = max((len(state) for _, state in there), default=0)
    for known, state in there:
        started = known.started.astimezone().isoformat(sep=" ", timespec="seconds")  # two hours a year have one name
        typer.echo(f"{started}  {state:<{width}}  {known.folder}")
    if not runs:
        typer.echo("smbench: no run of this machine is known", err=True)
    if n_gone := len(runs) - len(there):
        which = units.counted(n_gone, "run whose folder was", "runs whose folders were")
        typer.echo(f"smbench: left out {which} removed; `--output json` has them", err=True)
    if any(state == _INTERRUPTED for _, state in runs):
        typer.echo("smbench: `smbench resume RUN` takes an interrupted run up", err=True)


def _state(known: Known) -> str:
    """In a word or two."""
    if known.is_alive and known.exit_status is None:
        return "running"
    try:
        ending = read_manifest(known.folder).ending
    except ResultsError:
        return "not begun" if known.folder.is_dir() else _REMOVED
    return _INTERRUPTED if ending is Ending.RUNNING else ending.value
