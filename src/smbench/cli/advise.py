"""`advise`: the cheapest policy that keeps what is demanded."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from smbench.api.advise import advise
from smbench.cli.given_out import on_stdout, print_json
from smbench.errors import ExitCode
from smbench.view.live.counting import Counting


@dataclass(frozen=True, slots=True)
class AdviseOptions:
    """The command line of `advise`."""

    target: Path
    asked: dict[str, Any]  # what `api.advise.advise` takes by name
    results: Path
    output: str


def advise_command(options: AdviseOptions) -> ExitCode:
    """Search and print; returns the exit status, a threshold's where no policy keeps what is demanded.

    Raises:
        ScenarioError, UsageError: a file is wrong; nothing is written.
        ResultsError: a file cannot be written.
    """
    with Counting() as progress:
        found = advise(options.target, progress=progress, **options.asked)
    path = found.write(options.results)
    if options.output == "json":
        print_json(found.to_json())
    else:
        on_stdout().print(found.to_text())
        typer.echo(f"Files: {path}")
    return found.exit_status
