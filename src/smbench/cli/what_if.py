"""`what-if`: many policies under one load, as a table, a page and files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from smbench.api.what_if import what_if
from smbench.cli.given_out import on_stdout, print_json, write_page
from smbench.view.live.counting import Counting


@dataclass(frozen=True, slots=True)
class WhatIfOptions:
    """The command line of `what-if`."""

    target: Path
    asked: dict[str, Any]  # what `api.what_if.what_if` takes by name
    results: Path
    output: str
    html: Path | None = None


def what_if_command(options: WhatIfOptions) -> None:
    """Foresee and print; files first, so that what is printed can be found again.

    Raises:
        ScenarioError, UsageError: a file is wrong; nothing is written.
        ResultsError: a file cannot be written.
    """
    with Counting() as progress:
        found = what_if(options.target, progress=progress, **options.asked)
    path = found.write(options.results)
    if options.output == "json":
        print_json(found.to_json())
    else:
        on_stdout().print(found.to_text())
        typer.echo(f"Files: {path}")
    if options.html is not None:
        write_page(options.html, found.to_html())
