"""`doctor`: whether a run can begin, and what to do where it cannot; `policy`: what it must be allowed."""

from pathlib import Path
from typing import Any

import typer

from smbench.api.account import doctor, policy
from smbench.cli.given_out import print_json
from smbench.errors import ExitCode


def doctor_command(scenario: Path | None, asked: dict[str, Any], output: str) -> ExitCode:
    """Print every finding; returns the exit status. Raises ScenarioError, UsageError."""
    found = doctor(scenario, **asked)
    if output == "json":
        print_json(found.to_json())
    else:
        typer.echo(found.to_text())
    return found.exit_status


def policy_command(scenario: Path | None, asked: dict[str, Any]) -> None:
    """Print the policy document. Raises ScenarioError, UsageError, TargetError."""
    print_json(policy(scenario, **asked))
