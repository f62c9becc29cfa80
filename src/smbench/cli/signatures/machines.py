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
        str, typer.Option(metavar="PLACE", help="For the order and what its shards leave: a folder, or s3://…")
    ],
    shards: Annotated[
        int, typer.Option(metavar="N", min=1, help="How many workers share the load, each started by itself.")
    ],
    scenario: ScenarioFile = None,
    go: Annotated[
        str | None,
        typer.Option(
            metavar="INSTANT",
            help="When all begin: 2026-11-29T12:00:00Z, +5m from now, or `ready`: once the last is ready. Without it "
            "each begins when it is ready itself.",
        ),
    ] = None,
    endpoint: EndpointOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
    allow_files: AllowFilesOption = None,
) -> None:
    """Write the plan of a run once, for workers on several machines. Nothing is started.

    Any scheduler then starts `smbench worker` for each shard, and `smbench collect` makes one run of them.
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
    order: Annotated[str, typer.Option(metavar="PLACE", help="Of the order: a folder, or s3://bucket/prefix.")],
    shard: Annotated[str, typer.Option(metavar="N/OF", help="Which shard of how many; the first is 0.")],
    base_dir: BaseDirOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
) -> None:
    """Send one shard of an order, and leave its parts in the order's place. No shard is ever started twice.

    First Ctrl-C or SIGTERM: stop sending and follow what was sent. Second: stop now, keep what is known.

    Exit status: 0 it came to its end, 3 the order or the target cannot be used and nothing was sent, 130 interrupted.
    """
    from smbench.cli.machines.orders import worker_command

    asked = {"base_dir": base_dir, "region": region, "profile": profile, "endpoint_url": endpoint_url}
    raise typer.Exit(worker_command(order, shard, asked))


def collect(
    order: Annotated[str, typer.Argument(metavar="PLACE", help="Of the order: a folder, or s3://bucket/prefix.")],
    results: ResultsOption = Path("results"),
    base_dir: BaseDirOption = None,
    output: OutputOption = Output.TABLE,
    strict: StrictOption = False,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
) -> None:
    """Make one results folder of what the shards of an order left, and judge it.

    Requests of a shard that never started are not sent, and the shard can no longer be started; of one that was killed,
    what may have been sent is unknown. Refused while a shard is at work.

    Exit status: as `run`; 3 while a shard is at work.
    """
    from smbench.cli.machines.orders import collect_command

    how = {"region": region, "profile": profile, "endpoint_url": endpoint_url}
    asked = {"results": results, "base_dir": base_dir, "strict": strict, **how}
    raise typer.Exit(collect_command(order, asked, output.value))
