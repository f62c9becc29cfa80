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
    SeedsOption,
    SetOption,
    StackOption,
    SweepRule,
    Ui,
    UiOption,
    UrlOption,
    YesOption,
    scenarios_beginning,
)
from smbench.cli.signatures.help_page import COST, MEASURED, SENDING, VERDICT

# The quick start has no one rate to change and no real-time endpoint: it is no default here.
_OwnScenario = Annotated[
    Path,
    typer.Argument(
        metavar="SCENARIO",
        help="A scenario file, or the name of a shipped scenario.",
        autocompletion=scenarios_beginning,
    ),
]


def sweep(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The sweep's file: scenario, matrix, seeds, benchmarks, thresholds.")
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
        typer.Option(
            help="How the configuration is chosen. cheapest: of those that keep the thresholds; discounted: the least "
            "product of latency, cost and memory, as serverless toolkits choose.",
            rich_help_panel=VERDICT,
        ),
    ] = None,
    price: PriceOption = None,
    stack: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Measure each configuration on a stack of its own, as its `deploy` section says: NAME-1, NAME-2, … "
            "They are brought up, measured and removed; shows what they cost an hour and asks.",
            rich_help_panel=MEASURED,
        ),
    ] = None,
    max_cost: Annotated[
        float | None,
        typer.Option(
            metavar="USD",
            help="What the stacks that are there at one time may cost an hour at most; nothing is made beyond it.",
            rich_help_panel=COST,
        ),
    ] = None,
    yes: YesOption = False,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
    allow_files: AllowFilesOption = None,
) -> None:
    """Run a scenario in many configurations, and say which one to take.

    Leaves a folder under --results with every run, sweep.parquet and sweep.html. After Ctrl-C, `smbench resume` with
    that folder goes on where it was.

    Exit status:
      0    all runs were made
      2    a file or an option is wrong
      3    a run could not be made, or a stack not removed
      98   a run is invalid
      130  interrupted
    """
    from smbench.cli.sweeping.sweep import SweepOptions, sweep_command

    asked = {
        "seeds": seeds,
        "results": results,
        "thresholds": tuple(asserted or ()),
        "rule": None if rule is None else rule.value,
        "progress": ui.value,
        "allow_files": tuple(allow_files or ()),
        "stack": stack,
        "max_cost": max_cost,
        "region": region,
        "profile": profile,
        "endpoint_url": endpoint_url,
    }
    options = SweepOptions(file, tuple(settings or ()), tuple(price or ()), asked, output.value, yes, html)
    raise typer.Exit(sweep_command(options))


def search(
    scenario: _OwnScenario,
    slo: Annotated[
        list[str] | None,
        typer.Option(
            "--slo",
            metavar="THRESHOLD",
            help="A threshold that must hold, such as 'p95 < 30s'. Repeatable. Default: the scenario's.",
            rich_help_panel=VERDICT,
        ),
    ] = None,
    between: Annotated[
        str | None,
        typer.Option(
            metavar="LOW,HIGH",
            help="The lowest and the highest rate to try, such as 0.5/s,20/s. Default: the scenario's rate divided and "
            "multiplied by 64.",
            rich_help_panel=SENDING,
        ),
    ] = None,
    requests: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Requests in a run of full length. Default: 2,000, or as many as --slo needs.",
            rich_help_panel=SENDING,
        ),
    ] = None,
    settle: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="Send at least this long at a rate before measuring, such as 10m. Default: 30m where the emulated "
            "endpoint scales; always a quarter of the run at least.",
            rich_help_panel=SENDING,
        ),
    ] = None,
    probes: Annotated[int, typer.Option(metavar="N", min=1, help="At most this many runs.", rich_help_panel=COST)] = 16,
    max_time: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="On a real endpoint, at most this long for all runs with their drains, such as 3h. Default: as long "
            "as --probes runs at the scenario's rate take.",
            rich_help_panel=COST,
        ),
    ] = None,
    max_cost: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="USD",
            help="Refuse a search of a real endpoint that may cost more than this, or whose cost is not known.",
            rich_help_panel=COST,
        ),
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
    """Find the highest rate at which the backlog does not grow and every --slo holds.

    Runs the scenario at one rate after the other and ends with the highest rate and its interval. The scenario must
    have a single load phase, constant or poisson. Leaves a folder under --results with every run, search.parquet and
    search.html; after Ctrl-C, `smbench resume` with that folder goes on. On a real endpoint it first shows what it may
    cost, and asks.

    Exit status:
      0    found
      2    the scenario or an option is wrong
      98   not known
      99   even the lowest rate fails
      130  interrupted, or you did not agree
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
        "max_cost": max_cost,
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
    scenario: _OwnScenario,
    users: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBERS",
            help="How many concurrent users to try on one instance, ascending.  [default: 1,2,4,8,16,32]",
        ),
    ] = None,
    ramp: Annotated[
        str, typer.Option(metavar="DURATION", help="How long the slower ramp rises, and then how long its end is held.")
    ] = "15m",
    asserted: AssertOption = None,
    results: ResultsOption = Path("results"),
    ui: UiOption = Ui.AUTO,
    output: OutputOption = Output.TABLE,
    allow_files: AllowFilesOption = None,
) -> None:
    """Find the invocations per instance at which a real-time endpoint's scaling policy should scale.

    First finds how many requests a second one instance can serve. Then tries 40, 50 and 70 % of that as the target,
    each under a ramp and under one three times as steep, on the emulated endpoint. The highest target that keeps the
    thresholds is the one to take.

    Exit status:
      0    found
      2    the scenario or an option is wrong
      99   no target keeps the thresholds
      130  interrupted
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
        bool, typer.Option("--refresh", help="Read AWS's price list for --region and keep it on this machine.")
    ] = False,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show the list prices that all costs are computed with, their region and their date.

    --refresh calls pricing:GetProducts; if that fails, the present table stays.

    Exit status:
      0  done
      2  an option is wrong
      3  AWS's price list cannot be read
    """
    from smbench.cli.sweeping.prices import prices_command

    refreshing = {"refresh": refresh, "region": region, "profile": profile, "endpoint_url": endpoint_url}
    prices_command(tuple(price or ()), output.value, refreshing)
