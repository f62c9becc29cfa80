"""The command `search`: the highest rate that keeps thresholds; on a real endpoint it shows the cost and asks first."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from smbench.api.sweeping.search import search
from smbench.cli.asking import agreed
from smbench.cli.given_out import require_writable, write_page
from smbench.cli.sweeping.printed import print_many
from smbench.errors import ExitCode, UsageError
from smbench.sweeping.asked import Bill


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """The command line of a search; `between` as written."""

    scenario: Path | None
    between: str | None
    asked: dict[str, Any]  # what `api.sweeping.search.search` takes by name
    output: str
    yes: bool
    html: Path | None = None


def search_command(options: SearchOptions) -> ExitCode:
    """Search and print; returns the exit status.

    Raises:
        ScenarioError, UsageError, TargetError, NotBegunError: as `api.sweeping.search.search`.
        ResultsError: a file cannot be written.
    """

    require_writable(options.html)

    def asked_for(bill: Bill) -> bool:
        typer.echo(bill.sentence, err=True)
        return options.yes or agreed("go on?")

    found = search(
        options.scenario,
        between=_between(options.between),
        confirm=asked_for,
        command=("smbench", *sys.argv[1:]),
        **options.asked,
    )
    print_many(found, options.output)
    if options.html is not None:
        write_page(options.html, found.to_html())
    return found.exit_status


def _between(written: str | None) -> tuple[str | float, str | float] | None:
    if written is None:
        return None
    low, comma, high = written.partition(",")
    if not comma or not low.strip() or not high.strip():
        raise UsageError(f"--between '{written}': write two rates, such as 0.5/s,20/s")
    return _rate(low.strip()), _rate(high.strip())


def _rate(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text
