"""The commands that read results: names, options and help."""

from pathlib import Path
from typing import Annotated

import typer

from smbench.cli.options import (
    AssertOption,
    FileUnit,
    HtmlOption,
    JunitOption,
    MarkdownOption,
    Output,
    OutputOption,
    PlotFormat,
    PriceOption,
    ResultsOption,
    RunFolder,
    StrictOption,
    column,
)
from smbench.cli.signatures.help_page import RESULTS


def report(
    run_folder: RunFolder,
    output: OutputOption = Output.TABLE,
    asserted: AssertOption = None,
    strict: StrictOption = False,
    junit: JunitOption = None,
    summary_md: MarkdownOption = None,
    html: HtmlOption = None,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="Also show a prediction of this run: the folder that `simulate --replications` or `advise` left.",
            rich_help_panel=RESULTS,
        ),
    ] = None,
    price: PriceOption = None,
) -> None:
    """Print the report of a run again, from its files.

    --against shows each predicted figure with its band beside the measured one; the verdict does not depend on it.

    Exit status:
      0   the run is not invalid, and no threshold was missed
      2   the folder is not a run, or an option is wrong
      98  the run is invalid or was cut short
      99  a threshold was missed
    """
    from smbench.cli.report import ReportOptions, report_command

    options = ReportOptions(
        output.value,
        tuple(asserted or ()),
        junit,
        summary_md,
        strict=strict,
        html=html,
        against=against,
        prices=tuple(price or ()),
    )
    raise typer.Exit(report_command(run_folder, options))


def plot(
    run_folder: RunFolder,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder for the files; it is made if missing.")] = Path(
        "plots"
    ),
    formats: Annotated[
        list[PlotFormat] | None, typer.Option("--format", help="Repeatable. Default: both.", metavar="png|svg")
    ] = None,
) -> None:
    """Write each plot of a run to a file, and print the files' paths."""
    from smbench.cli.plot import plot_command

    plot_command(run_folder, out, [one.value for one in formats or PlotFormat])


def compare(
    groups: Annotated[
        list[str],
        typer.Argument(
            metavar="GROUP",
            help="Two or more groups of runs. Each is a run's folder, several separated by commas, or a quoted glob "
            "such as 'results/main-*'. `name=...` gives it a name.",
        ),
    ],
    against: Annotated[
        str | None, typer.Option(metavar="GROUP", help="The baseline. Default: the first group.")
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY", help="A scenario key that may differ, such as target.emulated.policies. Repeatable."
        ),
    ] = None,
    unlike: Annotated[
        bool, typer.Option("--unlike", help="Compare runs even if anything else differs; differences are listed.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Also accept runs that are invalid or ended early.")] = False,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC",
            help="The metric that decides, and that --fail-if judges; choose it before you look. Repeatable.  "
            "[default: sojourn_p95]",
        ),
    ] = None,
    margin: Annotated[
        str, typer.Option(metavar="PERCENT", help="A difference smaller than this does not matter.")
    ] = "10%",
    fail_if: Annotated[
        str | None,
        typer.Option(metavar="RULE", help="Exit with 99 if a group is certainly worse, such as 'slower-than 5%'."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="With --fail-if: exit with 99 also if it is not certain.")
    ] = False,
    output: OutputOption = Output.TABLE,
    html: HtmlOption = None,
) -> None:
    """Compare groups of runs with a baseline: the ratio of each metric, and how certain it is.

    Each run counts once, however many requests it has. From one run a side nothing can be concluded; begin with five.
    Runs that differ in scenario or machine are refused unless --vary or --unlike allows it, and so are runs that are
    invalid or ended early.

    Exit status:
      0   compared
      2   the runs cannot be compared
      98  a run is invalid or ended early
      99  --fail-if found a regression
    """
    from smbench.cli.compare import CompareOptions, compare_command

    asked = {
        "against": against,
        "vary": tuple(vary or ()),
        "unlike": unlike,
        "force": force,
        "metric": tuple(metric or ("sojourn_p95",)),
        "margin": margin,
        "fail_if": fail_if,
        "strict": strict,
    }
    options = CompareOptions(tuple(groups), asked, output.value, html)
    raise typer.Exit(compare_command(options))


def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="CSV, JSON lines, parquet or Arrow with a row for each request; may be compressed."
        ),
    ],
    start: Annotated[str | None, column("The column that says when a request was sent.")] = None,
    end: Annotated[str | None, column("The column that says when its answer came.")] = None,
    latency: Annotated[str | None, column("The column with the latency.")] = None,
    due: Annotated[str | None, column("The column that says when a request should have been sent.")] = None,
    status: Annotated[str | None, column("The column with the HTTP status, or a word for it.")] = None,
    success: Annotated[str | None, column("The column that says whether a request succeeded.")] = None,
    error: Annotated[str | None, column("The column with the error's text.")] = None,
    label: Annotated[str | None, column("The column with the payload class; figures are split by it.")] = None,
    phase: Annotated[str | None, column("The column with the load phase; figures are split by it.")] = None,
    unit: Annotated[FileUnit, typer.Option(help="Unit of start, end and due, where they are numbers.")] = FileUnit.AUTO,
    latency_unit: Annotated[FileUnit, typer.Option(help="Unit of the latency, where it is a number.")] = FileUnit.AUTO,
    timeout: Annotated[
        str | None, typer.Option(metavar="DURATION", help="A request that took this long timed out, such as 30s.")
    ] = None,
    good: Annotated[
        list[str] | None,
        typer.Option("--ok", metavar="STATUS", help="A status that means success. Repeatable."),
    ] = None,
    all_at_once: Annotated[
        bool, typer.Option("--all-at-once", help="All requests were sent at the same instant; the file has no start.")
    ] = False,
    name: Annotated[str, typer.Option(metavar="NAME", help="A name for the run. Default: the file's.")] = "",
    results: ResultsOption = Path("results"),
) -> None:
    """Make a results folder from the latencies that another load generator measured.

    Files of k6, JMeter, vegeta, hey, oha and others are recognised by their columns. Of any other file, name the
    columns below; those not named are guessed, and stderr shows the guess. `report`, `compare` and `plot` read the
    folder. The report says which figures such a file cannot have, for example scaling.
    """
    from smbench.api.importing import ImportOptions
    from smbench.cli.importing import import_command

    columns = {
        "start": start, "end": end, "latency": latency, "due": due, "status": status, "success": success,
        "error": error, "label": label, "phase": phase,
    }  # fmt: skip
    named = {role: column for role, column in columns.items() if column is not None}
    options = ImportOptions(name, named, unit.value, latency_unit.value, timeout, tuple(good or ()), all_at_once)
    import_command(file, results, options)
