"""What many runs came to, on stdout: a sweep and a search are printed alike."""

import typer

from smbench.api.search import Search
from smbench.api.sweep import Sweep
from smbench.cli.given_out import on_stdout, print_json


def print_many(found: Search | Sweep, output: str) -> None:
    """To stdout as asked; where the files are, too."""
    if output == "json":
        print_json(found.to_json())
        return
    on_stdout().print(found.to_text())
    typer.echo(f"Files: {found.path}")
    if found.interrupted:
        typer.echo(f"smbench: `smbench resume {found.path}` goes on", err=True)
