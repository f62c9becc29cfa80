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
    scenarios_beginning,
)

TargetFile = Annotated[
    Path,
    typer.Argument(
        metavar="TARGET", help="A scenario file with the emulated endpoint.", autocompletion=scenarios_beginning
    ),
]
LoadOption = Annotated[
    Path | None,
    typer.Option(
        "--load",
        metavar="SCENARIO",
        help="Take the requests from this scenario file. Default: TARGET's own.",
        autocompletion=scenarios_beginning,
    ),
]
SloOption = Annotated[
    list[str] | None,
    typer.Option(
        "--slo",
        metavar="THRESHOLD",
        help="A threshold such as 'p95 < 8m' or 'within(8m) >= 99%'. Repeatable. Default: those of the load's "
        "scenario.",
    ),
]
ReplicationsOption = Annotated[
    int,
    typer.Option(
        "--replications",
        metavar="N",
        min=1,
        max=1000,
        help="How often each policy is predicted, each time with another seed.",
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Accept a fitted model that `check-model` has not graded.")]
VaryOption = Annotated[
    Path, typer.Option("--vary", metavar="FILE", help="A YAML file of what to try: lists and ranges.")
]


def simulate(
    scenario: ScenarioFile = None,
    replications: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, max=1000, help="How many predictions, each with another seed; several give a band."
        ),
    ] = 1,
    seed: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Use this seed instead of the scenario's.")
    ] = None,
    results: ResultsOption = Path("results"),
    output: OutputOption = Output.TABLE,
    asserted: AssertOption = None,
    strict: StrictOption = False,
    junit: JunitOption = None,
    summary_md: MarkdownOption = None,
    allow_files: AllowFilesOption = None,
) -> None:
    """Predict a run with the model of the endpoint. Nothing is sent.

    Leaves a results folder that is marked as a prediction; `report`, `compare` and `plot` read it like a run's. With
    --replications the report also has each metric's median and its 5th and 95th percentile over the seeds.

    Exit status: as `smbench run`.
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
    """Predict many scaling policies under the same load, and show which are worth considering.

    Prints the policies that no other beats in both cost and the threshold's metric. All of them go to a new folder
    under --results, as parquet and JSON. In each replication all policies meet the same requests.
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
        typer.Option(
            "--vary", metavar="FILE", help="A YAML file of what to try. Default: values around what the load needs."
        ),
    ] = None,
    replications: ReplicationsOption = 20,
    endpoint: Annotated[
        str, typer.Option(metavar="NAME", help="The endpoint's name in the files for AWS.")
    ] = "ENDPOINT",
    variant: Annotated[str, typer.Option(metavar="NAME", help="The variant's name in them.")] = "AllTraffic",
    results: ResultsOption = Path("results"),
    output: OutputOption = Output.TABLE,
    force: ForceOption = False,
    allow_files: AllowFilesOption = None,
) -> None:
    """Find the cheapest scaling policy that keeps the thresholds.

    Prints the policy, its margin, the runner-up and what would change. A new folder under --results gets the arguments
    of the AWS calls (for `--cli-input-json`) and a CloudFormation template. Nothing is applied.

    Exit status:
      0   found
      2   a file or an option is wrong
      99  no policy keeps the thresholds
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
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The scenario file to write.")] = Path(
        "fitted.yaml"
    ),
    instances: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=1000, help="For imported runs: how many instances served all the time."),
    ] = None,
    output: Annotated[
        Output, typer.Option("--output", help="What goes to stdout: a report to read, or JSON.")
    ] = Output.TABLE,
) -> None:
    """Fit a model of an endpoint to its runs, and write it as a scenario with an emulated endpoint.

    `run`, `simulate`, `what-if` and `emulate` accept that scenario. The table shows each parameter with its standard
    error and its source. Where the runs cannot say, a value is assumed and the reason is given.
    """
    from smbench.cli.predicting.calibrate import calibrate_command

    calibrate_command(runs, out, output.value, instances)


def check_model(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A scenario file with the model, as `calibrate` writes it.")
    ],
    run_folder: RunFolder,
    replications: Annotated[
        int, typer.Option(metavar="N", min=2, max=1000, help="How many predictions are made.")
    ] = 20,
    output: OutputOption = Output.TABLE,
) -> None:
    """Compare a model's predictions with a run, and grade the model: A, B or "not validated".

    The model gets the run's arrivals, limits and policies. Use a run that the model was not fitted from; any other
    proves nothing. The grade is kept beside the model, and its predictions show it.

    Exit status:
      0   compared, whatever the grade
      98  the run is invalid; it says nothing of the endpoint
    """
    from smbench.cli.predicting.check_model import check_model_command

    check_model_command(model, run_folder, replications, output.value)
