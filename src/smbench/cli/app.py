"""The `smbench` command: names, options and help. Each command is implemented in its own module."""

import io
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from smbench.cli import predictions, resuming
from smbench.cli.options import (
    AllowFilesOption,
    AssertOption,
    FileUnit,
    HtmlOption,
    JunitOption,
    MarkdownOption,
    Output,
    OutputOption,
    PlotFormat,
    ProfileOption,
    RegionOption,
    ResultsOption,
    RoleOption,
    RunFolder,
    ScenarioFile,
    SchemaOf,
    StrictOption,
    TransportName,
    Ui,
    UiOption,
    UrlOption,
)
from smbench.errors import ExitCode, SmbenchError
from smbench.printable import guard_streams
from smbench.results.secrets import redacted
from smbench.version import __version__

app = typer.Typer(
    name="smbench",
    help="Benchmark SageMaker inference endpoints, asynchronous ones first, and trust the answer.\n\n"
    "Without an endpoint everything runs against an emulated one on this machine: no AWS account, no cost.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"smbench {__version__}")
        raise typer.Exit


@app.callback()
def _smbench(
    _version_asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def run(
    scenario: ScenarioFile = None,
    endpoint: Annotated[
        str | None,
        typer.Option(help="A real endpoint instead of the scenario's target. This uses AWS and costs money."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed than the scenario's.")] = None,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes that share the load, where one cannot send it. Not in warp time.")
    ] = 1,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
    transport: Annotated[
        TransportName | None,
        typer.Option(
            help="How requests leave: `wire`, lean and signed by ourselves, or `sdk`. Default: the scenario's."
        ),
    ] = None,
    results: ResultsOption = Path("results"),
    ui: UiOption = Ui.AUTO,
    output: OutputOption = Output.TABLE,
    asserted: AssertOption = None,
    stop_when_certain: Annotated[
        bool,
        typer.Option(
            "--stop-when-certain", help="Send no more once the thresholds' verdict cannot change; then drain."
        ),
    ] = False,
    strict: StrictOption = False,
    junit: JunitOption = None,
    summary_md: MarkdownOption = None,
    allow_files: AllowFilesOption = None,
) -> None:
    """Run a scenario and judge it.

    Ends with a verdict, and leaves parquet and a manifest in a new folder under --results.
    First Ctrl-C: stop sending, drain, report. Second: stop now, keep what is known.

    Exit status: 0 fine, 2 the scenario is wrong, 3 the target cannot be used, 98 the run is invalid (the generator was
    the bottleneck), 99 a threshold was missed, 130 interrupted, 70 a bug of ours.
    """
    from smbench.cli.run import RunOptions, run_command

    asked = {
        "endpoint": endpoint,
        "seed": seed,
        "workers": workers,
        "region": region,
        "profile": profile,
        "endpoint_url": endpoint_url,
        "transport": None if transport is None else transport.value,
        "results": results,
        "thresholds": tuple(asserted or ()),
        "stop_when_certain": stop_when_certain,
        "strict": strict,
        "progress": ui.value,
        "allow_files": tuple(allow_files or ()),
    }
    options = RunOptions(scenario, asked, output.value, junit, summary_md)
    raise typer.Exit(run_command(options))


app.command()(resuming.resume)


@app.command()
def bench(
    transport: Annotated[
        TransportName, typer.Option(help="Which way of sending is measured; each has a ceiling of its own.")
    ] = TransportName.WIRE,
    output: OutputOption = Output.TABLE,
) -> None:
    """Measure what this machine can send, and keep it for `run`, which warns of plans beyond 70 % of it.

    One worker sends at growing rates to a target on this machine that does nothing, for well under a minute. Nothing
    else should be going on. What is kept: $XDG_CACHE_HOME/smbench/ceilings.json, by default below ~/.cache.
    """
    from smbench.cli.bench import bench_command

    raise typer.Exit(bench_command(transport.value, output.value))


@app.command()
def report(
    run_folder: RunFolder,
    output: OutputOption = Output.TABLE,
    asserted: AssertOption = None,
    strict: StrictOption = False,
    junit: JunitOption = None,
    summary_md: MarkdownOption = None,
    html: HtmlOption = None,
) -> None:
    """Print the summary of a run again, from its files alone.

    Exit status: 0 fine, 2 it is no run or an option is wrong, 98 the run is invalid or was cut short, 99 a
    threshold was missed.
    """
    from smbench.cli.report import ReportOptions, report_command

    options = ReportOptions(output.value, tuple(asserted or ()), junit, summary_md, strict=strict, html=html)
    raise typer.Exit(report_command(run_folder, options))


@app.command()
def plot(
    run_folder: RunFolder,
    out: Annotated[Path, typer.Option(help="Folder for the files; made where it is missing.")] = Path("plots"),
    formats: Annotated[
        list[PlotFormat] | None, typer.Option("--format", help="May be given again; default: both.")
    ] = None,
) -> None:
    """Write each plot of a run as a file, and print the paths."""
    from smbench.cli.plot import plot_command

    plot_command(run_folder, out, [one.value for one in formats or PlotFormat])


@app.command()
def compare(
    groups: Annotated[
        list[str],
        typer.Argument(
            help="Two or more: a run's folder, several with commas between, or a glob in quotes; `name=...` names it."
        ),
    ],
    against: Annotated[str | None, typer.Option(help="The group that is the baseline; default: the first.")] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(help="What is meant to differ, such as target.emulated.policies; may be given again."),
    ] = None,
    unlike: Annotated[bool, typer.Option("--unlike", help="Compare whatever differs; it is listed.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Take invalid runs too.")] = False,
    metric: Annotated[
        list[str] | None,
        typer.Option(help="A metric that counts, named before looking, the gate's; may be given again. [sojourn_p95]"),
    ] = None,
    margin: Annotated[str, typer.Option(help="Differences smaller than this do not matter.")] = "10%",
    fail_if: Annotated[
        str | None, typer.Option(help='Exit with 99 when a group is certainly worse: "slower-than 5%".')
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="With --fail-if: not being sure fails too.")] = False,
    output: OutputOption = Output.TABLE,
    html: HtmlOption = None,
) -> None:
    """Compare groups of runs with a baseline: how many times as long, and how sure that is.

    A run counts once, however many requests it has: five runs a side are a beginning, with one there is no inference.
    Runs whose scenario or machine differ are refused unless an option allows them; so are invalid ones.

    Exit status: 0 fine, 2 not to be compared, 98 a run is invalid, 99 --fail-if.
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


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(help="CSV, JSON lines, parquet or Arrow with a row a request; may be packed.")
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
    timeout: Annotated[str | None, typer.Option(help="A request that took as long timed out, such as 30s.")] = None,
    good: Annotated[
        list[str] | None, typer.Option("--ok", help="A status that means completed; may be given again.")
    ] = None,
    all_at_once: Annotated[
        bool, typer.Option("--all-at-once", help="All requests were sent at one instant, and no column has it.")
    ] = False,
    name: Annotated[str, typer.Option(help="Of the run; default: the file's name.")] = "",
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


@app.command()
def calibrate(
    runs: Annotated[list[Path], typer.Argument(help="Results folders of runs of one endpoint.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The scenario to write.")] = Path("fitted.yaml"),
    instances: Annotated[
        int | None, typer.Option(min=1, max=1000, help="How many served all the time, where the runs were imported.")
    ] = None,
    output: Annotated[Output, typer.Option("--output", help="What stdout gets.")] = Output.TABLE,
) -> None:
    """Fit a model of an endpoint from its runs, and write it as a scenario with an emulated target.

    `run`, `simulate` and `emulate` take it as it is. Each parameter is given with its standard error and its source;
    what the runs cannot say is assumed, and the reason is given.
    """
    from smbench.cli.calibrate import calibrate_command

    calibrate_command(runs, out, output.value, instances)


@app.command("check-model")
def check_model(
    model: Annotated[Path, typer.Argument(help="Scenario with the model, such as `calibrate` writes.")],
    run_folder: RunFolder,
    replications: Annotated[int, typer.Option(min=2, max=1000, help="Predictions that are made.")] = 20,
    output: OutputOption = Output.TABLE,
) -> None:
    """Say how well a model predicts a run: grade A, B or "not validated", with every error.

    The model gets the run's arrivals, limits and policies. Only a run that it was not fitted from shows anything. The
    grade is kept in the model's record beside it, and its predictions carry it.
    """
    from smbench.cli.check_model import check_model_command

    check_model_command(model, run_folder, replications, output.value)


@app.command()
def validate(
    scenario: Annotated[Path, typer.Argument(help="Scenario file.")], allow_files: AllowFilesOption = None
) -> None:
    """Check a scenario and say in words what it would do. Nothing is started."""
    from smbench.cli.scenarios import validate_command

    validate_command(scenario, tuple(allow_files or ()))


@app.command()
def init(
    file: Annotated[Path, typer.Argument(help="File to write.")] = Path("scenario.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
    calibration: Annotated[
        bool, typer.Option("--calibration", help="One from whose run `calibrate` can fit a model; says what it costs.")
    ] = False,
) -> None:
    """Write a commented scenario that runs as it is."""
    from smbench.cli.scenarios import init_command

    init_command(file, is_forced=force, is_calibration=calibration)


@app.command()
def schema(
    of: Annotated[SchemaOf, typer.Argument(help="Of a scenario, for editors, or of a run's summary.json.")] = (
        SchemaOf.SCENARIO
    ),
) -> None:
    """Print a JSON schema."""
    from smbench.cli.scenarios import schema_command

    schema_command(of.value)


@app.command()
def emulate(
    scenario: Annotated[
        Path | None, typer.Argument(help="Scenario whose endpoint is emulated; without one, the region is empty.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    truth: Annotated[Path | None, typer.Option(help="Write truth.parquet here at the end.")] = None,
    verify_signatures: Annotated[
        bool, typer.Option("--verify-signatures", help="Refuse calls that the printed key pair did not sign.")
    ] = False,
    allow_files: AllowFilesOption = None,
    provision: Annotated[
        str | None,
        typer.Option(help="How long an instance takes to serve, such as 1s; default: the scenario's, or as on AWS."),
    ] = None,
) -> None:
    """Serve the emulated AWS services on loopback.

    For boto3, aiobotocore, the AWS CLI: anything that takes an endpoint URL. Prints it, then serves until Ctrl-C. Any
    credentials will do, unless --verify-signatures asks for those it prints.
    """
    from smbench.cli.emulate import emulate_command

    emulate_command(
        scenario,
        port,
        truth,
        tuple(allow_files or ()),
        verify_signatures=verify_signatures,
        provision=provision,
    )


app.command()(predictions.simulate)
app.command("what-if")(predictions.what_if)
app.command()(predictions.advise)


def main() -> None:
    """Run the command; no traceback reaches a user unless the fault is ours."""
    _open_stdout()
    guard_streams()
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # what cannot be written is found here, and not when the interpreter has ended
    except SmbenchError as error:
        _end(error.exit_code, error.message, error.advice)
    except KeyboardInterrupt:
        _end(ExitCode.INTERRUPTED)
    except BrokenPipeError:  # the reader of our stdout has ended (`| head`)
        _end(ExitCode.OK)
    except MemoryError:
        _end(ExitCode.MACHINE, "there is too little memory for this", "a run's folder, where one was begun, is kept")
    except Exception as error:  # noqa: BLE001  # the top of the program: whatever else this is, it is a bug of ours
        if isinstance(error, OSError) and error.filename is None:  # of a file it would have the name
            _end(
                ExitCode.MACHINE,
                f"cannot write to stdout: {error.strerror or error}",
                "nothing else is wrong: the folder of a run is whole, and `smbench report` prints it again",
            )
        traceback.print_exc()
        _end(ExitCode.BUG, "this is a bug in smbench; the lines above say where")


def _open_stdout() -> None:
    """A stdout that was closed refuses what is written to it, as a full one does, and names have any letters."""
    if sys.stdout is None:
        sys.stdout = open(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _end(status: ExitCode, message: str = "", advice: str = "") -> None:
    """Say why, and end; what stdout still holds is dropped, so that the interpreter does not complain of it."""
    for line in (f"smbench: {message}" if message else "", f"  {advice}" if advice else ""):
        if line and sys.stderr is not None:
            print(redacted(line), file=sys.stderr)  # noqa: T201  # the command's own last word
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)
