"""The commands that make many runs: names, options and help."""

from pathlib import Path
from typing import Annotated

import typer

from smbench.cli.options import (
    AllowFilesOption,
    AssertOption,
    HtmlOption,
    Output,
    OutputOption,
    PriceOption,
    ResultsOption,
    SeedsOption,
    SetOption,
    Ui,
    UiOption,
)


def sweep(
    file: Annotated[Path, typer.Argument(help="File of a sweep: scenario, matrix, seeds, benchmarks, thresholds.")],
    settings: SetOption = None,
    seeds: SeedsOption = None,
    results: ResultsOption = Path("results"),
    ui: UiOption = Ui.AUTO,
    output: OutputOption = Output.TABLE,
    html: HtmlOption = None,
    asserted: AssertOption = None,
    price: PriceOption = None,
    allow_files: AllowFilesOption = None,
) -> None:
    """Run a matrix of scenarios under benchmarks, and say which configuration to take.

    Leaves a folder under --results with a run a cell, sweep.parquet and sweep.html. Ctrl-C ends it; `smbench resume`
    with that folder goes on where it was.

    Exit status: 0 all cells were run, 2 a file or an option is wrong, 3 a cell could not be run, 98 a run is invalid,
    130 interrupted.
    """
    from smbench.cli.sweep import SweepOptions, sweep_command

    asked = {
        "seeds": seeds,
        "results": results,
        "thresholds": tuple(asserted or ()),
        "progress": ui.value,
        "allow_files": tuple(allow_files or ()),
    }
    options = SweepOptions(file, tuple(settings or ()), tuple(price or ()), asked, output.value, html)
    raise typer.Exit(sweep_command(options))


def prices(price: PriceOption = None, output: OutputOption = Output.TABLE) -> None:
    """Show the list prices that a sweep's costs are computed with, where they are of and from when."""
    from smbench.cli.prices import prices_command

    prices_command(tuple(price or ()), output.value)
