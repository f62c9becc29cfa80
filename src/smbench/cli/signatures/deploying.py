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


StackArgument = Annotated[str, typer.Argument(metavar="NAME", help="Of the stack: small letters, digits, dashes.")]


def deploy(
    name: StackArgument,
    scenario: Annotated[
        Path | None,
        typer.Option(metavar="SCENARIO", help="Scenario file with a `deploy` section; options go before it."),
    ] = None,
    kind: Annotated[EndpointKind | None, typer.Option(help="Kind of endpoint; default: async.")] = None,
    image: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Address of the container's image.")] = None,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Model with code/inference.py: packed and uploaded.")
    ] = None,
    artifact: Annotated[
        str | None, typer.Option(metavar="S3", help="A model.tar.gz that is in S3 already, instead.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="A SageMaker model that exists, instead of all three.")
    ] = None,
    instance: Annotated[str | None, typer.Option(metavar="TYPE", help="Instance type; default: ml.m5.xlarge.")] = None,
    instance_hour: Annotated[
        float | None, typer.Option(metavar="USD", help="USD an hour of one instance costs; default: the list price.")
    ] = None,
    max_cost: Annotated[
        float | None,
        typer.Option(metavar="USD", min=0, help="Refuse a stack whose instances may cost more than this, USD an hour."),
    ] = None,
    yes: YesOption = False,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
) -> None:
    """Bring up a stack to be measured: bucket, role, topics, model, endpoint and scaling. This costs money on AWS.

    Shows first what will be made and what it costs an hour, and asks. Repeated, it changes what has changed. `run
    --stack NAME` measures it, `destroy NAME` removes it.

    Exit status: 0 it is there, 2 the command is wrong, 3 AWS refuses or took it back, 130 not agreed to.
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
    """Remove what `deploy NAME` brought up, with all that is in its bucket, and look for what is left.

    Removes only a stack that carries our tag. Can be repeated from any stage.

    Exit status: 0 nothing is left, 3 something is, or AWS refuses, 130 not agreed to.
    """
    from smbench.cli.deploy import destroy_command

    where = {"region": region, "profile": profile, "endpoint_url": endpoint_url}
    raise typer.Exit(destroy_command(name, yes=yes, where=where))
