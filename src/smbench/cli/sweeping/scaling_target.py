"""The command `scaling-target`: the target of a real-time endpoint's scaling policy, derived and tried."""

from pathlib import Path
from typing import Any

import typer

from smbench.api.deciding.scaling_target import USERS, scaling_target
from smbench.cli.given_out import on_stdout, print_json
from smbench.errors import ExitCode, UsageError


def scaling_target_command(scenario: Path | None, users: str | None, output: str, asked: dict[str, Any]) -> ExitCode:
    """Find the target and print it; returns the exit status.

    Raises:
        ScenarioError, UsageError, NotBegunError: as `smbench.scaling_target`.
        ResultsError: a folder cannot be written.
    """
    found = scaling_target(scenario, users=USERS if users is None else _numbers(users), **asked)
    if output == "json":
        print_json(found.to_json())
    else:
        on_stdout().print(found.to_text())
        typer.echo(f"Files: {found.saturation.path} and {found.check.path}")
    return found.exit_status


def _numbers(text: str) -> list[int]:
    try:
        return [int(one) for one in text.split(",")]
    except ValueError:
        raise UsageError(f"--users '{text}': write whole numbers, such as 1,2,4,8") from None
