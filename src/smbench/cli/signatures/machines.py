"""The commands of a run that several machines share: names, options and help."""

from pathlib import Path
from typing import Annotated

import typer

from smbench.cli.options import (
    AllowFilesOption,
    BaseDirOption,
    EndpointOption,
    Output,
    OutputOption,
    ProfileOption,
    RegionOption,
    ResultsOption,
    ScenarioFile,
    StrictOption,
    UrlOption,
)


def order(
    to: Annotated[
        str,
        typer.Option(
            metavar="PLACE", help="Where the order and its workers' results go: a folder, or s3://bucket/prefix."
        ),
    ],
    shards: Annotated[
        int, typer.Option(metavar="N", min=1, help="How many workers share the load. You start each of them.")
    ],
    scenario: ScenarioFile = None,
    go: Annotated[
        str | None,
        typer.Option(
            metavar="INSTANT",
            help="When all begin: 2026-11-29T12:00:00Z, +5m from now, or `ready` for when the last worker is ready. "
            "Default: each begins when it is ready.",
        ),
    ] = None,
    endpoint: EndpointOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
    allow_files: AllowFilesOption = None,
) -> None:
    """Write down the plan of a run that several machines will share. Nothing is started.

    Then start `smbench worker` for each shard with any scheduler. `smbench collect` makes one run of their results.
    """
    from smbench.cli.machines.orders import order_command

    asked = {
        "shards": shards,
        "to": to,
        "go": go,
        "endpoint": endpoint,
        "region": region,
        "profile": profile,
        "endpoint_url": endpoint_url,
        "allow_files": tuple(allow_files or ()),
    }
    order_command(scenario, asked)


def worker(
    order: Annotated[str, typer.Option(metavar="PLACE", help="Where the order is: a folder, or s3://bucket/prefix.")],
    shard: Annotated[str, typer.Option(metavar="N/OF", help="Which shard this is, of how many. The first is 0.")],
    base_dir: BaseDirOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
) -> None:
    """Send one shard of an order, and leave its results where the order is.

    No shard can be started twice. The first Ctrl-C or SIGTERM stops sending and waits for open requests; the second
    stops at once.

    Exit status:
      0    done
      3    the order or the endpoint cannot be used; nothing was sent
      130  interrupted
    """
    from smbench.cli.machines.orders import worker_command

    asked = {"base_dir": base_dir, "region": region, "profile": profile, "endpoint_url": endpoint_url}
    raise typer.Exit(worker_command(order, shard, asked))


def collect(
    order: Annotated[
        str,
        typer.Argument(
            metavar="PLACE",
            help="Where the order is: a folder, or s3://bucket/prefix. Or the folder of a run on Ray that was killed.",
        ),
    ],
    results: ResultsOption = Path("results"),
    base_dir: BaseDirOption = None,
    output: OutputOption = Output.TABLE,
    strict: StrictOption = False,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
) -> None:
    """Make one run of the workers' results, and report it.

    A shard that never started counts as not sent, and cannot be started any more. Of a worker that was killed, requests
    that may have been sent count as unknown. While a worker is at work the command refuses.

    Workers on Ray may outlive the command that started them. Given the run's folder, this follows them to their ends,
    and closes that folder; --results means nothing then. The first Ctrl-C stops sending, the second stops at once.

    Exit status: as `smbench run`; 3 while a worker is at work.
    """
    from smbench.cli.machines.orders import collect_command

    how = {"region": region, "profile": profile, "endpoint_url": endpoint_url}
    asked = {"results": results, "base_dir": base_dir, "strict": strict, **how}
    raise typer.Exit(collect_command(order, asked, output.value))
