"""The commands that predict: names, options and help; `app` registers them."""

from pathlib import Path
from typing import Annotated

import typer

from smbench.cli.options import (
    AllowFilesOption,
    AssertOption,
    JunitOption,
    MarkdownOption,
    Output,
    OutputOption,
    ResultsOption,
    ScenarioFile,
    StrictOption,
)


def simulate(
    scenario: ScenarioFile = None,
    replications: Annotated[
        int, typer.Option(min=1, max=1000, help="Predictions with seeds of their own; more than one gives a band.")
    ] = 1,
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed than the scenario's.")] = None,
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
    from smbench.cli.simulate import SimulateOptions, simulate_command

    asked = {
        "replications": replications,
        "seed": seed,
        "results": results,
        "thresholds": tuple(asserted or ()),
        "strict": strict,
        "allow_files": tuple(allow_files or ()),
    }
    raise typer.Exit(simulate_command(SimulateOptions(scenario, asked, output.value, junit, summary_md)))
