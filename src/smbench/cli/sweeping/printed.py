"""What many runs came to, on stdout: a sweep and a search are printed alike."""

import typer

from smbench import units
from smbench.api.sweeping.search_result import Search
from smbench.api.sweeping.sweep_result import Sweep
from smbench.cli.given_out import on_stdout, print_json


def print_many(found: Search | Sweep, output: str) -> None:
    """To stdout as asked; where the files are, too."""
    if output == "json":
        print_json(found.to_json())
        return
    on_stdout().print(found.to_text())
    typer.echo(f"Files: {found.path}")
    if found.interrupted:
        n = len(found.probes) if isinstance(found, Search) else len(found.figures)
        kept = units.counted(n, "finished run is kept", "finished runs are kept")
        typer.echo(f"smbench: {kept}; `smbench resume {found.path}` goes on", err=True)
