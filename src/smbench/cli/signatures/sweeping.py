"""The commands that make many runs: names, options and help."""

from pathlib import Path
from typing import Annotated

import typer

from smbench.cli.options import (
    AllowFilesOption,
    AssertOption,
    EndpointOption,
    HtmlOption,
    Output,
    OutputOption,
    PriceOption,
    ProfileOption,
    RegionOption,
    ResultsOption,
    ScenarioFile,
    SeedsOption,
    SetOption,
    StackOption,
    SweepRule,
    Ui,
    UiOption,
    UrlOption,
    YesOption,
)


def sweep(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="File of a sweep: scenario, matrix, seeds, benchmarks, thresholds.")
    ],
    settings: SetOption = None,
    seeds: SeedsOption = None,
    results: ResultsOption = Path("results"),
    ui: UiOption = Ui.AUTO,
    output: OutputOption = Output.TABLE,
    html: HtmlOption = None,
    asserted: AssertOption = None,
    rule: Annotated[
        SweepRule | None,
        typer.Option(help="cheapest: of those that keep the thresholds; discounted: as serverless toolkits choose."),
    ] = None,
    price: PriceOption = None,
    allow_files: AllowFilesOption = None,
) -> None:
    """Run a matrix of scenarios under benchmarks, and say which configuration to take.

    Leaves a folder under --results with a run a cell, sweep.parquet and sweep.html. Ctrl-C ends it; `smbench resume`
    with that folder goes on where it was.

    Exit status: 0 all cells were run, 2 a file or an option is wrong, 3 a cell could not be run, 98 a run is invalid,
    130 interrupted.
    """
    from smbench.cli.sweeping.sweep import SweepOptions, sweep_command

    asked = {
        "seeds": seeds,
        "results": results,
        "thresholds": tuple(asserted or ()),
        "rule": None if rule is None else rule.value,
        "progress": ui.value,
        "allow_files": tuple(allow_files or ()),
    }
    options = SweepOptions(file, tuple(settings or ()), tuple(price or ()), asked, output.value, html)
    raise typer.Exit(sweep_command(options))


def search(
    scenario: ScenarioFile = None,
    slo: Annotated[
        list[str] | None,
        typer.Option(
            "--slo",
            metavar="THRESHOLD",
            help="What must hold, such as 'p95 < 30s'; may be given again. Default: the scenario's thresholds.",
        ),
    ] = None,
    between: Annotated[
        str | None,
        typer.Option(metavar="LOW,HIGH", help="Rates to try, 0.5/s,20/s; default: the scenario's over and times 64."),
    ] = None,
    requests: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Of a probe of full length; default: 2,000, or as many as --slo needs."),
    ] = None,
    settle: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION", help="How long a rate is offered before it is measured, at least, such as 10m."
        ),
    ] = None,
    probes: Annotated[int, typer.Option(metavar="N", min=1, help="The most runs.")] = 16,
    max_time: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="Of all probes on a real endpoint, drains included, such as 3h."),
    ] = None,
    price: PriceOption = None,
    endpoint: EndpointOption = None,
    stack: StackOption = None,
    yes: YesOption = False,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
    results: ResultsOption = Path("results"),
    ui: UiOption = Ui.AUTO,
    output: OutputOption = Output.TABLE,
    html: HtmlOption = None,
    allow_files: AllowFilesOption = None,
) -> None:
    """Find the highest offered rate at which the backlog does not grow and every --slo holds.

    Changes the rate of the scenario's one phase, from run to run, and ends with a rate and its interval. Leaves a
    folder under --results with a run a probe, search.parquet and search.html; `smbench resume` with that folder goes
    on. On a real endpoint it shows first what it may cost, and asks.

    Exit status: 0 found, 2 the scenario or an option is wrong, 98 not known, 99 even the lowest rate fails, 130
    interrupted or not agreed to.
    """
    from smbench.cli.sweeping.search import SearchOptions, search_command
    from smbench.pricing.table import prices_from_options

    asked = {
        "slo": tuple(slo or ()),
        "endpoint": endpoint,
        "stack": stack,
        "requests": requests,
        "settle": settle,
        "probes": probes,
        "max_time": max_time,
        "prices": prices_from_options(price or ()),
        "region": region,
        "profile": profile,
        "endpoint_url": endpoint_url,
        "results": results,
        "progress": ui.value,
        "allow_files": tuple(allow_files or ()),
    }
    options = SearchOptions(scenario, between, asked, output.value, yes, html)
    raise typer.Exit(search_command(options))


def scaling_target(
    scenario: ScenarioFile = None,
    users: Annotated[
        str | None,
        typer.Option(metavar="NUMBERS", help="Users on one instance, ascending, such as 1,2,4,8. [1,2,4,8,16,32]"),
    ] = None,
    ramp: Annotated[
        str, typer.Option(metavar="DURATION", help="How long the slower ramp rises, and its end is held.")
    ] = "15m",
    asserted: AssertOption = None,
    results: ResultsOption = Path("results"),
    ui: UiOption = Ui.AUTO,
    output: OutputOption = Output.TABLE,
    allow_files: AllowFilesOption = None,
) -> None:
    """Derive a real-time endpoint's scaling target from where one instance saturates, and try it under two ramps.

    40, 50 and 70 % of what one instance can do, each under a ramp and one three times as steep, on the emulated
    endpoint; the highest that keeps the thresholds is the one to take.

    Exit status: 0 found, 2 the scenario or an option is wrong, 99 no target keeps the thresholds, 130 interrupted.
    """
    from smbench.cli.sweeping.scaling_target import scaling_target_command

    asked = {
        "ramp": ramp,
        "thresholds": tuple(asserted or ()),
        "results": results,
        "progress": ui.value,
        "allow_files": tuple(allow_files or ()),
    }
    raise typer.Exit(scaling_target_command(scenario, users, output.value, asked))


def prices(
    price: PriceOption = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Read AWS's price list, and keep it on this machine for costs to come.")
    ] = False,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show the list prices that costs are computed with, where they are of and from when.

    With --refresh they are those of --region, read by pricing:GetProducts; where that fails, the table stays.

    Exit status: 0 fine, 2 an option is wrong, 3 AWS's price list cannot be read.
    """
    from smbench.cli.sweeping.prices import prices_command

    refreshing = {"refresh": refresh, "region": region, "profile": profile, "endpoint_url": endpoint_url}
    prices_command(tuple(price or ()), output.value, refreshing)
