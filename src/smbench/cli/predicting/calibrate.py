"""The command `calibrate`: a model of an endpoint from its runs, as a scenario."""

from collections.abc import Sequence
from pathlib import Path

import typer

from smbench.api.predicting.calibrate import calibrate
from smbench.cli.given_out import on_stdout, print_json


def calibrate_command(runs: Sequence[Path], out: Path, output: str, instances: int | None = None) -> None:
    """Write the scenario; the table, or JSON, goes to stdout. Raises: as `api.predicting.calibrate.calibrate`."""
    found = calibrate(*runs, out=out, instances=instances)
    if output == "json":
        print_json(found.to_json())
    else:
        on_stdout().print(found.to_text())
    typer.echo(f"wrote {out}; next: smbench check-model {out} another run's folder", err=True)
