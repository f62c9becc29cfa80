"""The commands that send or serve: names, options and help."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smbench.cli.options import (
    AllowFilesOption,
    AssertOption,
    BaseDirOption,
    EndpointOption,
    JunitOption,
    MarkdownOption,
    Output,
    OutputOption,
    PriceOption,
    ProfileOption,
    RegionOption,
    ResultsOption,
    RunFolder,
    ScenarioFile,
    SeedsOption,
    SetOption,
    StackOption,
    StrictOption,
    TransportName,
    Ui,
    UiOption,
    UrlOption,
)
from smbench.errors import UsageError

if TYPE_CHECKING:
    from smbench.lifecycle.background.leaving import Leaving


def _check_workers(text: str) -> str:
    if text != "auto" and not (text.isascii() and text.isdigit() and int(text) > 0):
        raise typer.BadParameter(f"{text!r} is neither a number of processes, at least 1, nor `auto`")
    return text


def run(
    scenario: ScenarioFile = None,
    endpoint: EndpointOption = None,
    stack: StackOption = None,
    seed: Annotated[int | None, typer.Option(metavar="N", min=0, help="Another seed than the scenario's.")] = None,
    workers: Annotated[
        str,
        typer.Option(
            metavar="N|auto",
            callback=_check_workers,
            help="Processes that share the load, where one cannot send it; auto: as many as it needs and fit on the "
            "cores. Not in warp time.",
        ),
    ] = "1",
    on: Annotated[
        str,
        typer.Option(
            metavar="PLACE",
            help="Where workers run: local, ray, ray://HOST:PORT (smbench[ray]), or processing: a SageMaker job.",
        ),
    ] = "local",
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
    settings: SetOption = None,
    seeds: SeedsOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print requests, bytes and cost of the plan; send and make nothing.")
    ] = False,
    max_cost: Annotated[
        float | None,
        typer.Option(min=0, metavar="USD", help="Refuse a run that may cost more, or whose cost is not known."),
    ] = None,
    price: PriceOption = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return once the run has begun; it goes on without this terminal.")
    ] = False,
    role: Annotated[str | None, typer.Option(metavar="ARN", help="Role of the processing job.")] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Follow the processing job to its end, bring its results, and judge them.")
    ] = False,
    to: Annotated[
        str | None,
        typer.Option(metavar="S3", help="s3://bucket/prefix for what the job gets and leaves, not the default bucket."),
    ] = None,
    image: Annotated[str | None, typer.Option(metavar="URI", help="Image of the job, with Python 3.11.")] = None,
    instance_type: Annotated[
        str, typer.Option(metavar="TYPE", help="Of the job's machines, one a worker.")
    ] = "ml.m5.xlarge",
) -> None:
    """Run a scenario and judge it.

    Ends with a verdict, and leaves parquet and a manifest in a new folder under --results.
    With --set or --seeds it makes several runs and ends with a table of them, as `smbench sweep`.
    First Ctrl-C: stop sending, drain, report. Second: stop now, keep what is known. A terminal that goes away ends
    nothing: `smbench attach` shows the run again.

    Exit status: 0 fine, 2 the scenario is wrong, 3 the target cannot be used, 98 the run is invalid or was cut
    short: it says nothing of the endpoint, 99 a threshold was missed, 130 interrupted, 70 a bug of ours.
    """
    if settings or seeds is not None:
        from smbench.cli.sweeping.sweep import SweepOptions, require_alone, sweep_command

        require_alone(
            {
                "--seed": seed is not None,
                "--endpoint": endpoint is not None,
                "--stack": stack is not None,
                "--workers": workers != "1",
                "--on": on != "local",
                "--region": region is not None,
                "--profile": profile is not None,
                "--endpoint-url": endpoint_url is not None,
                "--transport": transport is not None,
                "--stop-when-certain": stop_when_certain,
                "--strict": strict,
                "--dry-run": dry_run,
                "--max-cost": max_cost is not None,
                "--junit": junit is not None,
                "--summary-md": summary_md is not None,
                "--detach": detach,
            }
        )
        several = {
            "seeds": seeds,
            "results": results,
            "thresholds": tuple(asserted or ()),
            "progress": ui.value,
            "allow_files": tuple(allow_files or ()),
        }
        prices = tuple(price or ())
        raise typer.Exit(sweep_command(SweepOptions(scenario, tuple(settings or ()), prices, several, output.value)))
    own_prices = _own_prices(price) if price else {}
    if dry_run:
        from smbench.cli.account import dry_run_command

        planned = {
            "endpoint": endpoint,
            "stack": stack,
            "seed": seed,
            "region": region,
            "profile": profile,
            "endpoint_url": endpoint_url,
            "prices": own_prices,
            "allow_files": tuple(allow_files or ()),
        }
        dry_run_command(scenario, planned, output.value, max_cost)
        return
    if on != "processing" and (role or wait or to or image):
        raise UsageError("--role, --wait, --to and --image are of a processing job", "add --on processing")
    if on == "processing" and (detach or stop_when_certain or max_cost is not None):
        raise UsageError("--on processing takes no --detach, no --stop-when-certain and no --max-cost")
    if on == "processing" and role is None:
        raise UsageError("a processing job needs a role, and there is no --role", "give --role ARN")
    leaving = _left_behind() if detach else None

    from smbench.cli.run import RunOptions, run_command

    asked = {
        "endpoint": endpoint,
        "stack": stack,
        "seed": seed,
        "workers": workers if workers == "auto" else int(workers),
        "on": on,
        "region": region,
        "profile": profile,
        "endpoint_url": endpoint_url,
        "transport": None if transport is None else transport.value,
        "results": results,
        "thresholds": tuple(asserted or ()),
        "stop_when_certain": stop_when_certain,
        "strict": strict,
        "max_cost": max_cost,
        "prices": own_prices,
        "progress": Ui.PLAIN.value if detach and ui is not Ui.NONE else ui.value,
        "allow_files": tuple(allow_files or ()),
    }
    options = RunOptions(scenario, asked, output.value, junit, summary_md, leaving)
    if on == "processing" and role is not None:
        from smbench.cli.machines.processing import job_command
        from smbench.lifecycle.processing.job import JobWanted

        wanted = JobWanted(role, image, instance_type, to)
        raise typer.Exit(job_command(options, wanted, waits=wait))
    raise typer.Exit(run_command(options))


def _own_prices(price: list[str]) -> dict[str, float]:
    from smbench.pricing.table import prices_from_options

    return prices_from_options(price)


def _left_behind() -> "Leaving":
    """Fork before anything heavy is imported; only the process that runs returns.

    Raises:
        typer.Exit: in the process that stays behind, when the run has begun or could not.
    """
    from smbench.lifecycle.background.leaving import Foreground, leave

    side = leave()
    if isinstance(side, Foreground):
        from smbench.cli.background.attach import say_how_to_attach

        say_how_to_attach(side)
        raise typer.Exit(side.status)
    return side


def resume(
    run_folder: RunFolder,
    sends: Annotated[
        bool, typer.Option("--continue", help="Also send what was certainly never sent, later than it was due.")
    ] = False,
    base_dir: BaseDirOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
    ui: UiOption = Ui.AUTO,
    output: OutputOption = Output.TABLE,
    strict: StrictOption = False,
) -> None:
    """Take up a run that was killed, or whose requests had not all ended: collect their ends, and finish the report.

    Sends nothing unless --continue asks for it, and never anything that may have been sent. Can be repeated, also on
    another machine with a copy of the folder; says so when nothing is left to do.

    Exit status: as `run`.
    """
    from smbench.cli.resume import resume_command
    from smbench.targets.base import AwsAccess

    access = AwsAccess(region, profile, endpoint_url)
    asked = {"base_dir": base_dir, "sends": sends, "strict": strict, "progress": ui.value}
    raise typer.Exit(resume_command(run_folder, access, asked, output.value))


def attach(run_folder: RunFolder, ui: UiOption = Ui.AUTO, output: OutputOption = Output.TABLE) -> None:
    """Watch a run that goes on in another process, as if it were run here; then print its report.

    As many as like may watch a run; it goes on whatever becomes of them. Ctrl-C leaves the run alone. Of a run that has
    ended the report is printed at once.

    Exit status: the run's; 130 after Ctrl-C.
    """
    from smbench.cli.background.attach import attach_command

    raise typer.Exit(attach_command(run_folder, ui.value, output.value))


def stop(
    run_folder: RunFolder,
    now: Annotated[bool, typer.Option("--now", help="Do not follow what was sent; keep what is known.")] = False,
) -> None:
    """End a run that goes on in another process: no more is sent, what was sent is followed, the report is written.

    The same as Ctrl-C where the run was started; --now the same as the second one. Returns at once; `smbench attach`
    waits for the end.
    """
    from smbench.cli.background.attach import stop_command

    raise typer.Exit(stop_command(run_folder, at_once=now))


def ps(output: OutputOption = Output.TABLE) -> None:
    """List the runs that were started from this machine's command line, the latest first.

    running; interrupted: its process was killed, and `smbench resume RUN` takes it up; finished, stopped, cancelled or
    failed; not begun; removed: its folder is not there any more.
    """
    from smbench.cli.background.listing import ps_command

    ps_command(output.value)


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


def emulate(
    scenario: Annotated[
        Path | None,
        typer.Argument(
            metavar="SCENARIO", help="Scenario whose endpoint is emulated; without one, the region is empty."
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")
    ] = 0,
    truth: Annotated[Path | None, typer.Option(metavar="FILE", help="Write truth.parquet here at the end.")] = None,
    verify_signatures: Annotated[
        bool, typer.Option("--verify-signatures", help="Refuse calls that the printed key pair did not sign.")
    ] = False,
    allow_files: AllowFilesOption = None,
    provision: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="How long an instance takes to serve, such as 1s; default: the scenario's, or as on AWS.",
        ),
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
