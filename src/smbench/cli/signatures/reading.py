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
    RoleOption,
    RunFolder,
    StrictOption,
)


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
            metavar="RUN", help="A prediction of the run: the folder that simulate --replications or advise left."
        ),
    ] = None,
    price: PriceOption = None,
) -> None:
    """Print the summary of a run again, from its files alone.

    With --against each predicted figure is shown with its band beside the measured one; it changes no verdict.

    Exit status: 0 fine, 2 it is no run or an option is wrong, 98 the run is invalid or was cut short, 99 a
    threshold was missed.
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
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the files; made where it is missing.")] = Path(
        "plots"
    ),
    formats: Annotated[
        list[PlotFormat] | None, typer.Option("--format", help="May be given again; default: both.")
    ] = None,
) -> None:
    """Write each plot of a run as a file, and print the paths."""
    from smbench.cli.plot import plot_command

    plot_command(run_folder, out, [one.value for one in formats or PlotFormat])


def compare(
    groups: Annotated[
        list[str],
        typer.Argument(
            metavar="GROUP",
            help="Two or more: a run's folder, several with commas between, or a glob in quotes; `name=...` names it.",
        ),
    ],
    against: Annotated[
        str | None, typer.Option(metavar="GROUP", help="The group that is the baseline; default: the first.")
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY", help="What is meant to differ, such as target.emulated.policies; may be given again."
        ),
    ] = None,
    unlike: Annotated[bool, typer.Option("--unlike", help="Compare whatever differs; it is listed.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Take runs too that are invalid, or ended early.")] = False,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC",
            help="A metric that counts, named before looking, the gate's; may be given again. [sojourn_p95]",
        ),
    ] = None,
    margin: Annotated[
        str, typer.Option(metavar="PERCENT", help="Differences smaller than this do not matter.")
    ] = "10%",
    fail_if: Annotated[
        str | None, typer.Option(metavar="RULE", help='Exit with 99 when a group is certainly worse: "slower-than 5%".')
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="With --fail-if: not being sure fails too.")] = False,
    output: OutputOption = Output.TABLE,
    html: HtmlOption = None,
) -> None:
    """Compare groups of runs with a baseline: how many times as long, and how sure that is.

    A run counts once, however many requests it has: five runs a side are a beginning, with one there is no inference.
    Runs whose scenario or machine differ are refused unless an option allows them; so are runs that are invalid,
    or ended before their load did.

    Exit status: 0 fine, 2 not to be compared, 98 a run is invalid or ended early, 99 --fail-if.
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
        typer.Argument(metavar="FILE", help="CSV, JSON lines, parquet or Arrow with a row a request; may be packed."),
    ],
    start: RoleOption = None,
    end: RoleOption = None,
    latency: RoleOption = None,
    due: RoleOption = None,
    status: RoleOption = None,
    success: RoleOption = None,
    error: RoleOption = None,
    label: RoleOption = None,
    phase: RoleOption = None,
    unit: Annotated[FileUnit, typer.Option(help="Unit of instants that are numbers.")] = FileUnit.AUTO,
    latency_unit: Annotated[FileUnit, typer.Option(help="Unit of the latency.")] = FileUnit.AUTO,
    timeout: Annotated[
        str | None, typer.Option(metavar="DURATION", help="A request that took as long timed out, such as 30s.")
    ] = None,
    good: Annotated[
        list[str] | None,
        typer.Option("--ok", metavar="STATUS", help="A status that means completed; may be given again."),
    ] = None,
    all_at_once: Annotated[
        bool, typer.Option("--all-at-once", help="All requests were sent at one instant, and no column has it.")
    ] = False,
    name: Annotated[str, typer.Option(metavar="NAME", help="Of the run; default: the file's name.")] = "",
    results: ResultsOption = Path("results"),
) -> None:
    """Make a results folder from another tool's client-side latencies.

    k6, JMeter, vegeta, hey and oha are known by their columns; of other files name the columns, or see on stderr which
    were guessed. `report`, `compare`, `plot` and thresholds read the folder; which figures it cannot have is said.
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
