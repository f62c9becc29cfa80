"""The commands that bring up and remove what is measured: names, options and help."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from smbench.cli.options import ProfileOption, RegionOption, UrlOption, YesOption


class EndpointKind(StrEnum):
    """Kinds of endpoints that can be deployed."""

    ASYNC = "async"
    SERVERLESS = "serverless"
    REALTIME = "realtime"


StackArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="The stack's name: small letters, digits and dashes.")
]


def deploy(
    name: StackArgument,
    scenario: Annotated[
        Path | None,
        typer.Option(
            metavar="SCENARIO", help="A scenario file with a `deploy` section. The options below win over it."
        ),
    ] = None,
    kind: Annotated[EndpointKind | None, typer.Option(help="The kind of endpoint. Default: async.")] = None,
    image: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Address of the container image.")] = None,
    folder: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A folder with the model and code/inference.py; it is packed and uploaded."),
    ] = None,
    artifact: Annotated[
        str | None, typer.Option(metavar="S3", help="A model.tar.gz that is already in S3, instead of --folder.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="An existing SageMaker model, instead of --image, --folder and --artifact."),
    ] = None,
    instance: Annotated[str | None, typer.Option(metavar="TYPE", help="Instance type. Default: ml.m5.xlarge.")] = None,
    instance_hour: Annotated[
        float | None, typer.Option(metavar="USD", help="What one instance costs an hour. Default: the list price.")
    ] = None,
    max_cost: Annotated[
        float | None,
        typer.Option(metavar="USD", min=0, help="Refuse a stack whose instances may cost more than this an hour."),
    ] = None,
    yes: YesOption = False,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
) -> None:
    """Make a CloudFormation stack to measure: bucket, role, topics, model, endpoint and scaling. Costs money on AWS.

    First shows what will be made and what it costs an hour, and asks. Run it again to apply changes. `smbench run
    --stack NAME` measures its endpoint, `smbench destroy NAME` removes it.

    Exit status:
      0    the stack is there
      2    the scenario or the command line is wrong
      3    AWS refuses, or the stack failed and was rolled back
      130  you did not agree
    """
    from smbench.cli.deploy import deploy_command

    asked = {
        "kind": None if kind is None else kind.value,
        "image": image,
        "folder": None if folder is None else str(folder.absolute()),
        "artifact": artifact,
        "name": model,
        "instance": instance,
        "instance_hour": instance_hour,
    }
    where = {"region": region, "profile": profile, "endpoint_url": endpoint_url}
    deploy_command(name, scenario, asked, max_cost=max_cost, yes=yes, where=where)


def destroy(
    name: StackArgument,
    yes: YesOption = False,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
) -> None:
    """Remove the stack that `smbench deploy NAME` made and everything in its bucket, then look for what is left.

    Removes only a stack with smbench's own tag. You can repeat it at any time.

    Exit status:
      0    nothing is left
      3    something is left, or AWS refuses
      130  you did not agree
    """
    from smbench.cli.deploy import destroy_command

    where = {"region": region, "profile": profile, "endpoint_url": endpoint_url}
    raise typer.Exit(destroy_command(name, yes=yes, where=where))
