"""The commands `what-if` and `advise`: many policies under one load, and the cheapest that keeps the thresholds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from smbench.api.predicting.advise import Advised, advise
from smbench.api.predicting.what_if import WhatIf, what_if
from smbench.cli.given_out import on_stdout, print_json, require_writable, write_page
from smbench.errors import ExitCode
from smbench.view.live.counting import Counting


@dataclass(frozen=True, slots=True)
class PolicyOptions:
    """The command line of either."""

    target: Path
    asked: dict[str, Any]  # what `api.predicting.what_if.what_if` or `api.predicting.advise.advise` takes by name
    results: Path
    output: str
    html: Path | None = None


def what_if_command(options: PolicyOptions) -> None:
    """Foresee and print.

    Raises:
        ScenarioError, UsageError: a file is wrong; nothing is written.
        ResultsError: a file cannot be written.
    """
    require_writable(options.html)
    with Counting() as progress:
        found = what_if(options.target, progress=progress, **options.asked)
    _give_out(found, options)
    if options.html is not None:
        write_page(options.html, found.to_html())


def advise_command(options: PolicyOptions) -> ExitCode:
    """Search and print; returns the exit status, a threshold's where no policy keeps what is demanded.

    Raises:
        ScenarioError, UsageError: a file is wrong; nothing is written.
        ResultsError: a file cannot be written.
    """
    with Counting() as progress:
        found = advise(options.target, progress=progress, **options.asked)
    _give_out(found, options)
    return found.exit_status


def _give_out(found: WhatIf | Advised, options: PolicyOptions) -> None:
    """Files first, so that what is printed can be found again."""
    path = found.write(options.results)
    if options.output == "json":
        print_json(found.to_json())
    else:
        on_stdout().print(found.to_text())
        typer.echo(f"Files: {path}")
