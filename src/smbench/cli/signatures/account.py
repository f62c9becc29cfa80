"""The commands about an AWS account: names, options and help."""

from enum import StrEnum
from typing import Annotated

import typer

from smbench.cli.options import (
    AllowFilesOption,
    EndpointOption,
    Output,
    OutputOption,
    ProfileOption,
    RegionOption,
    ScenarioFile,
    UrlOption,
)


class PolicyFor(StrEnum):
    """Commands that a policy can be for."""

    RUN = "run"
    DOCTOR = "doctor"
    CLEAN = "clean"
    DEPLOY = "deploy"


def doctor(
    scenario: ScenarioFile = None,
    endpoint: EndpointOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
    output: OutputOption = Output.TABLE,
    allow_files: AllowFilesOption = None,
) -> None:
    """Find out whether a run can begin; each finding says what to do. No request is sent."""
    from smbench.cli.account import doctor_command

    asked = {
        "endpoint": endpoint,
        "region": region,
        "profile": profile,
        "endpoint_url": endpoint_url,
        "allow_files": tuple(allow_files or ()),
    }
    raise typer.Exit(doctor_command(scenario, asked, output.value))


def policy(
    scenario: ScenarioFile = None,
    purpose: Annotated[
        PolicyFor, typer.Option("--for", help="The command that it is for; that of deploy is for destroy, too.")
    ] = PolicyFor.RUN,
    endpoint: EndpointOption = None,
    stack: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the stack that is deployed, or whose endpoint is measured.")
    ] = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
    allow_files: AllowFilesOption = None,
) -> None:
    """Print the least that IAM must allow, as a policy document: for exactly this run, or for another command.

    The endpoint is described to find out what a run would touch; nothing is made or changed.
    """
    from smbench.cli.account import policy_command

    asked = {
        "purpose": purpose.value,
        "endpoint": endpoint,
        "stack": stack,
        "region": region,
        "profile": profile,
        "endpoint_url": endpoint_url,
        "allow_files": tuple(allow_files or ()),
    }
    policy_command(scenario, asked)


def clean(
    run: Annotated[
        str | None,
        typer.Argument(metavar="RUN", help="Results folder of a run, or its id; without one, what every run left."),
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="Without RUN: the inputs that runs put beside this endpoint's outputs, too.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
) -> None:
    """Remove queues, subscriptions and objects that runs left in an account; lists them first, and asks.

    Finds them by name and tag, also after a kill and without the results folder; what has neither is never touched. A
    run's outputs are found by its folder alone. Can be repeated.

    Exit status: 0 nothing is left, 3 something is, or AWS refuses, 130 not agreed to.
    """
    from smbench.cli.account import clean_command

    asked = {"endpoint": endpoint, "region": region, "profile": profile, "endpoint_url": endpoint_url}
    raise typer.Exit(clean_command(run, asked, yes=yes))
