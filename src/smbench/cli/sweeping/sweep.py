"""The command `sweep`, and `run` with several values: a matrix of runs, their table and the files."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from smbench.api.sweeping.on_stacks import StacksBill
from smbench.api.sweeping.sweep import sweep
from smbench.cli.asking import agreed
from smbench.cli.given_out import require_writable, write_page
from smbench.cli.sweeping.printed import print_many
from smbench.errors import ExitCode, UsageError
from smbench.pricing.table import prices_from_options
from smbench.sweeping.matrix import axes_from_options


@dataclass(frozen=True, slots=True)
class SweepOptions:
    """The command line of a sweep; `settings` and `prices` as written."""

    scenario: Path | None
    settings: tuple[str, ...]
    prices: tuple[str, ...]
    asked: dict[str, Any]  # what `api.sweeping.sweep.sweep` takes by name
    output: str
    yes: bool = False
    html: Path | None = None


def sweep_command(options: SweepOptions) -> ExitCode:
    """Run every cell and print; returns the exit status.

    Raises:
        ScenarioError, UsageError, NotBegunError: as `api.sweeping.sweep.sweep`.
        ResultsError: a file cannot be written.
    """

    require_writable(options.html)

    def asked_for(bill: StacksBill) -> bool:
        typer.echo(bill.sentence, err=True)
        return options.yes or agreed("go on?")

    found = sweep(
        options.scenario,
        confirm=asked_for,
        matrix=axes_from_options(options.settings),
        prices=prices_from_options(options.prices),
        command=("smbench", *sys.argv[1:]),
        **options.asked,
    )
    print_many(found, options.output)
    if options.html is not None:
        write_page(options.html, found.to_html())
    return found.exit_status


def require_alone(given: dict[str, bool]) -> None:
    """Refuse options of one run that mean nothing for several.

    Args:
        given: Whether each was given, by its name.

    Raises:
        UsageError: one was.
    """
    if named := next((name for name, is_given in given.items() if is_given), None):
        raise UsageError(f"{named} is of one run: it does not go with --set and --seeds")
