"""The commands `doctor`, `policy`, `clean` and `run --dry-run`: can a run begin, what may it do and cost, what did it
leave.
"""

from pathlib import Path
from typing import Any

import typer

from smbench import units
from smbench.account.cleaning import Found
from smbench.api.account import clean, doctor, estimate, require_cheap
from smbench.api.policy import policy
from smbench.cli.asking import agreed
from smbench.cli.given_out import print_json
from smbench.errors import ExitCode, UsageError
from smbench.printable import printable
from smbench.scenario.values.quantities import parse_duration_s


def doctor_command(scenario: Path | None, asked: dict[str, Any], wait: str | None, output: str) -> ExitCode:
    """Print every finding; returns the exit status. Raises ScenarioError, UsageError, TargetError."""
    found = doctor(
        scenario,
        wait_s=0.0 if wait is None else _seconds(wait),
        on_wait=lambda why: typer.echo(f"waiting: {printable(why)}", err=True),
        **asked,
    )
    if output == "json":
        print_json(found.to_json())
    else:
        typer.echo(found.to_text())
    return found.exit_status


def _seconds(wait: str) -> float:
    try:
        return max(0.0, parse_duration_s(wait))
    except ValueError as error:
        raise UsageError(f"--wait {wait}: {error}", "such as 30m") from None


def policy_command(scenario: Path | None, asked: dict[str, Any]) -> None:
    """Print the policy document. Raises ScenarioError, UsageError, TargetError."""
    print_json(policy(scenario, **asked))


def clean_command(run: str | None, asked: dict[str, Any], *, yes: bool) -> ExitCode:
    """List, ask, remove, and say what is left; returns the exit status.

    Raises:
        UsageError, ResultsError, TargetError, NotBegunError: as `api.account.clean`.
    """

    def asked_for(found: Found) -> bool:
        for line in found.lines:
            typer.echo(printable(line))
        question = "remove them? A run that is going on, or that `resume` could finish, loses what has not come yet"
        return yes or agreed(question)

    done = clean(run, confirm=asked_for, **asked)
    for line in done.found.kept:
        typer.echo(printable(line))
    if done.left:
        typer.echo("still there:")
        for line in done.left:
            typer.echo(f"  {printable(line)}")
        return ExitCode.TARGET
    ended = "all of it is removed: a second look found none of it"
    typer.echo(ended if done.found else "nothing that a run left was found")
    if n_open := done.found.n_open:
        typer.echo(
            f"the endpoint may still write for {units.counted(n_open, 'request')} of this run, whose end its files do "
            "not have; `smbench clean` again, later, removes that"
        )
    return ExitCode.OK


def dry_run_command(scenario: Path | None, asked: dict[str, Any], output: str, max_cost: float | None) -> None:
    """Print the plan and what it may cost; nothing is sent or made.

    Raises:
        ScenarioError, TargetError: as `estimate`.
        UsageError: also where it may cost more than `max_cost` USD, once it is printed.
    """
    found = estimate(scenario, **asked)
    if output == "json":
        print_json(found.to_json())
    else:
        for about, said in found.lines:
            typer.echo(f"{about:<10} {said}")
        typer.echo("nothing was sent or made")
    if max_cost is not None:
        require_cheap(found, max_cost)
