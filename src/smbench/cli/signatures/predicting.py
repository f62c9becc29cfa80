"""The commands that predict: names, options and help."""

from pathlib import Path
from typing import Annotated

import typer

from smbench.cli.options import (
    AllowFilesOption,
    AssertOption,
    HtmlOption,
    JunitOption,
    MarkdownOption,
    Output,
    OutputOption,
    PriceOption,
    ResultsOption,
    RunFolder,
    ScenarioFile,
    StrictOption,
)

TargetFile = Annotated[Path, typer.Argument(metavar="TARGET", help="Scenario file whose emulated endpoint is meant.")]
LoadOption = Annotated[
    Path | None,
    typer.Option("--load", metavar="SCENARIO", help="Scenario file whose requests it gets; default: the target's own."),
]
SloOption = Annotated[
    list[str] | None,
    typer.Option(
        "--slo",
        metavar="THRESHOLD",
        help="A threshold such as 'within(8m) >= 99%'; may be given again. Default: the load's.",
    ),
]
ReplicationsOption = Annotated[
    int,
    typer.Option(
        "--replications", metavar="N", min=1, max=1000, help="Predictions of each policy, with seeds of their own."
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Take a fitted model without a grade, too.")]
VaryOption = Annotated[Path, typer.Option("--vary", metavar="FILE", help="YAML of what to try: lists and ranges.")]


def simulate(
    scenario: ScenarioFile = None,
    replications: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, max=1000, help="Predictions with seeds of their own; more than one gives a band."
        ),
    ] = 1,
    seed: Annotated[int | None, typer.Option(metavar="N", min=0, help="Another seed than the scenario's.")] = None,
    results: ResultsOption = Path("results"),
    output: OutputOption = Output.TABLE,
    asserted: AssertOption = None,
    strict: StrictOption = False,
    junit: JunitOption = None,
    summary_md: MarkdownOption = None,
    allow_files: AllowFilesOption = None,
) -> None:
    """Predict a run by the model of the endpoint. Nothing is sent.

    Leaves the folder of a run, marked as a prediction, which `report`, `compare` and `plot` read as any other. With
    --replications the report has each metric's median and its 5th and 95th percentile over the seeds.

    Exit status: as `run`.
    """
    from smbench.cli.predicting.simulate import SimulateOptions, simulate_command

    asked = {
        "replications": replications,
        "seed": seed,
        "results": results,
        "thresholds": tuple(asserted or ()),
        "strict": strict,
        "allow_files": tuple(allow_files or ()),
    }
    raise typer.Exit(simulate_command(SimulateOptions(scenario, asked, output.value, junit, summary_md)))


def what_if(
    target: TargetFile,
    vary: VaryOption,
    load: LoadOption = None,
    slo: SloOption = None,
    replications: ReplicationsOption = 10,
    results: ResultsOption = Path("results"),
    output: OutputOption = Output.TABLE,
    html: HtmlOption = None,
    force: ForceOption = False,
    price: PriceOption = None,
    allow_files: AllowFilesOption = None,
) -> None:
    """Predict many scaling policies under one load: cost against what matters.

    Prints the policies that no other beats in both, and leaves all of them as parquet and JSON in a new folder under
    --results. Each policy meets the same requests in each replication.
    """
    from smbench.cli.predicting.policies import PolicyOptions, what_if_command
    from smbench.pricing.table import prices_from_options

    asked = {
        "vary": vary,
        "load": load,
        "slo": tuple(slo or ()),
        "replications": replications,
        "force": force,
        "prices": prices_from_options(price or ()),
        "allow_files": tuple(allow_files or ()),
    }
    what_if_command(PolicyOptions(target, asked, results, output.value, html))


def advise(
    target: TargetFile,
    load: LoadOption = None,
    slo: SloOption = None,
    vary: Annotated[
        Path | None,
        typer.Option("--vary", metavar="FILE", help="YAML of what to try; default: around what the load needs."),
    ] = None,
    replications: ReplicationsOption = 20,
    endpoint: Annotated[
        str, typer.Option(metavar="NAME", help="The name in the arguments of AWS's calls.")
    ] = "ENDPOINT",
    variant: Annotated[str, typer.Option(metavar="NAME", help="The variant in them.")] = "AllTraffic",
    results: ResultsOption = Path("results"),
    output: OutputOption = Output.TABLE,
    force: ForceOption = False,
    allow_files: AllowFilesOption = None,
) -> None:
    """Find the cheapest scaling policy that keeps what is demanded.

    Prints it with its margin, the runner-up, what binds it and what changes, and leaves the arguments of AWS's calls as
    files for `--cli-input-json` and a CloudFormation template in a new folder under --results. Nothing is applied.

    Exit status: 0 there is one, 2 a file or an option is wrong, 99 no policy keeps it.
    """
    from smbench.cli.predicting.policies import PolicyOptions, advise_command

    asked = {
        "load": load,
        "slo": tuple(slo or ()),
        "vary": vary,
        "replications": replications,
        "endpoint": endpoint,
        "variant": variant,
        "force": force,
        "allow_files": tuple(allow_files or ()),
    }
    raise typer.Exit(advise_command(PolicyOptions(target, asked, results, output.value)))


def calibrate(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Results folders of runs of one endpoint.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The scenario to write.")] = Path(
        "fitted.yaml"
    ),
    instances: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=1000, help="How many served all the time, where the runs were imported."),
    ] = None,
    output: Annotated[Output, typer.Option("--output", help="What stdout gets.")] = Output.TABLE,
) -> None:
    """Fit a model of an endpoint from its runs, and write it as a scenario with an emulated target.

    `run`, `simulate` and `emulate` take it as it is. Each parameter is given with its standard error and its source;
    what the runs cannot say is assumed, and the reason is given.
    """
    from smbench.cli.predicting.calibrate import calibrate_command

    calibrate_command(runs, out, output.value, instances)


def check_model(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="Scenario with the model, such as `calibrate` writes.")
    ],
    run_folder: RunFolder,
    replications: Annotated[int, typer.Option(metavar="N", min=2, max=1000, help="Predictions that are made.")] = 20,
    output: OutputOption = Output.TABLE,
) -> None:
    """Say how well a model predicts a run: grade A, B or "not validated", with every error.

    The model gets the run's arrivals, limits and policies. Only a run that it was not fitted from shows anything. The
    grade is kept in the model's record beside it, and its predictions carry it.
    """
    from smbench.cli.predicting.check_model import check_model_command

    check_model_command(model, run_folder, replications, output.value)
