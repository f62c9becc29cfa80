"""The commands about an AWS account: names, options and help."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from smbench.cli.options import (
    AllowFilesOption,
    EndpointAskedOption,
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
    SWEEP = "sweep"
    ORDER = "order"
    PROCESSING = "processing"
    RECOMMEND = "recommend"


def doctor(
    scenario: ScenarioFile = None,
    endpoint: EndpointAskedOption = None,
    stack: StackOption = None,
    wait: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="First wait until the endpoint's capacity no longer changes, at most this long, such as 30m.",
        ),
    ] = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
    output: OutputOption = Output.TABLE,
    allow_files: AllowFilesOption = None,
) -> None:
    """Check everything that a run needs, and say what to do where something is missing.

    Credentials, region, permissions, quotas, the endpoint, its scaling and topics, this machine. Nothing is sent to the
    endpoint, and nothing is changed.

    Exit status:
      0  the run can begin
      2  the scenario or the command line is wrong
      3  something is missing
    """
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
        PolicyFor,
        typer.Option(
            "--for",
            help="The command that needs the permissions. run includes search, deploy includes destroy, order includes "
            "worker and collect and is what a processing job's role needs; sweep is that on stacks.",
        ),
    ] = PolicyFor.RUN,
    endpoint: EndpointAskedOption = None,
    stack: Annotated[
        str | None, typer.Option(metavar="NAME", help="The stack to deploy, or whose endpoint is measured.")
    ] = None,
    to: Annotated[
        str | None, typer.Option(metavar="PLACE", help="For order and processing: where the order is, as they take it.")
    ] = None,
    role: Annotated[
        str | None, typer.Option(metavar="ARN", help="For processing and recommend: the job's role; else any role.")
    ] = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
    allow_files: AllowFilesOption = None,
) -> None:
    """Print the IAM policy with exactly the permissions that this run, or another command, needs.

    Reads the endpoint's description to find out what a run would touch. Nothing is made or changed.
    """
    from smbench.cli.account import policy_command

    asked = {
        "purpose": purpose.value,
        "endpoint": endpoint,
        "stack": stack,
        "to": to,
        "role": role,
        "region": region,
        "profile": profile,
        "endpoint_url": endpoint_url,
        "allow_files": tuple(allow_files or ()),
    }
    policy_command(scenario, asked)


def clean(
    run: Annotated[
        str | None,
        typer.Argument(metavar="RUN", help="The results folder of a run, or its id; without it, all runs."),
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Without RUN: also remove inputs that runs put beside this endpoint's outputs."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
) -> None:
    """Remove the queues, subscriptions and objects that runs left in an AWS account, after listing them and asking.

    Finds them by name and tag, also those of a run that was killed or whose folder is lost; nothing else is touched.
    Only with its results folder are a run's outputs found. You can repeat it.

    Exit status:
      0    nothing is left
      3    something is left, or AWS refuses
      130  you did not agree
    """
    from smbench.cli.account import clean_command

    asked = {"endpoint": endpoint, "region": region, "profile": profile, "endpoint_url": endpoint_url}
    raise typer.Exit(clean_command(run, asked, yes=yes))


def recommend(
    model: Annotated[str | None, typer.Option(metavar="NAME", help="The SageMaker model to ask about.")] = None,
    package: Annotated[
        str | None, typer.Option(metavar="ARN", help="A version of a model package, instead of --model.")
    ] = None,
    role: Annotated[
        str | None,
        typer.Option(metavar="ARN", help="Run a job with this IAM role. The job makes endpoints and costs money."),
    ] = None,
    job: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A YAML file for an Advanced job: candidates, traffic, stop conditions."),
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(metavar="NAME", help="Load this existing endpoint instead of new ones.")
    ] = None,
    results: ResultsOption = Path("results"),
    output: OutputOption = Output.TABLE,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
) -> None:
    """Ask SageMaker's Inference Recommender which instance type a model should have.

    Without --role, prints what SageMaker recommends without a test. With --role, starts a job, waits for its end and
    leaves its table in a new folder under --results. The first Ctrl-C stops the job and keeps what was found; the
    second lets the job go on without you.

    Exit status:
      0    done
      2    the command line is wrong
      3    SageMaker refuses, or the job failed
      130  interrupted
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
