"""The commands about an AWS account: names, options and help."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from smbench.cli.options import (
    AllowFilesOption,
    EndpointOption,
    Output,
    OutputOption,
    ProfileOption,
    RegionOption,
    ResultsOption,
    ScenarioFile,
    StackOption,
    UrlOption,
)


class PolicyFor(StrEnum):
    """Commands that a policy can be for."""

    RUN = "run"
    RESUME = "resume"
    DOCTOR = "doctor"
    CLEAN = "clean"
    DEPLOY = "deploy"


def doctor(
    scenario: ScenarioFile = None,
    endpoint: EndpointOption = None,
    stack: StackOption = None,
    wait: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION", help="First wait so long at most, as 30m, until nothing changes the capacity."
        ),
    ] = None,
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
        "stack": stack,
        "region": region,
        "profile": profile,
        "endpoint_url": endpoint_url,
        "allow_files": tuple(allow_files or ()),
    }
    raise typer.Exit(doctor_command(scenario, asked, wait, output.value))


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
        str | None,
        typer.Option(metavar="NAME", help="Without RUN: the inputs that runs put beside this endpoint's outputs, too."),
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


def recommend(
    model: Annotated[str | None, typer.Option(metavar="NAME", help="A SageMaker model.")] = None,
    package: Annotated[str | None, typer.Option(metavar="ARN", help="Version of a model package, instead.")] = None,
    role: Annotated[
        str | None, typer.Option(metavar="ARN", help="Role of a job, which makes endpoints and costs money.")
    ] = None,
    job: Annotated[
        Path | None, typer.Option(metavar="FILE", help="YAML of an Advanced job: candidates, traffic, where it stops.")
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(metavar="NAME", help="One that exists, to be loaded instead of new ones.")
    ] = None,
    results: ResultsOption = Path("results"),
    output: OutputOption = Output.TABLE,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
) -> None:
    """Ask SageMaker's Inference Recommender for a model's instances; with --role by a job, followed to its end.

    Without --role it prints what SageMaker recommends without a test. A job leaves a table in a new folder under
    --results. First Ctrl-C: stop the job, keep what was found. Second: leave it to itself.

    Exit status: 0 it ended, 2 the command is wrong, 3 SageMaker refuses or the job failed, 130 interrupted.
    """
    from smbench.cli.recommend import recommend_command

    asked = {
        "model": model,
        "package": package,
        "role": role,
        "endpoint": endpoint,
        "results": results,
        "region": region,
        "profile": profile,
        "endpoint_url": endpoint_url,
    }
    raise typer.Exit(recommend_command(asked, job, output.value))
