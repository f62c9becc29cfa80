"""The commands that send or serve: names, options and help."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    scenarios_beginning,
)
from smbench.cli.signatures.help_page import COST, JOB, MEASURED, SENDING, VERDICT
from smbench.errors import TargetError, UsageError

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
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Use this seed instead of the scenario's.", rich_help_panel=MEASURED),
    ] = None,
    workers: Annotated[
        str,
        typer.Option(
            metavar="N|auto",
            callback=_check_workers,
            help="How many processes share the load, where one cannot send it; auto: as many as the load needs and "
            "the cores hold. Not in warp time.",
            rich_help_panel=SENDING,
        ),
    ] = "1",
    on: Annotated[
        str,
        typer.Option(
            metavar="PLACE",
            help="Where the workers run: on this machine (local), on a Ray cluster (ray or ray://HOST:PORT; needs "
            "smbench[ray]), or as a SageMaker processing job (processing).",
            rich_help_panel=SENDING,
        ),
    ] = "local",
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
    transport: Annotated[
        TransportName | None,
        typer.Option(
            help="How requests are sent: by smbench's own lean client (wire) or by the AWS SDK (sdk). "
            "Default: the scenario's.",
            rich_help_panel=SENDING,
        ),
    ] = None,
    results: ResultsOption = Path("results"),
    ui: UiOption = Ui.AUTO,
    output: OutputOption = Output.TABLE,
    asserted: AssertOption = None,
    stop_when_certain: Annotated[
        bool,
        typer.Option(
            "--stop-when-certain",
            help="Stop sending once no threshold's outcome can change, then drain.",
            rich_help_panel=VERDICT,
        ),
    ] = False,
    strict: StrictOption = False,
    junit: JunitOption = None,
    summary_md: MarkdownOption = None,
    allow_files: AllowFilesOption = None,
    settings: SetOption = None,
    seeds: SeedsOption = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Print how many requests and bytes the run would send and what it would cost. Sends nothing.",
            rich_help_panel=COST,
        ),
    ] = False,
    max_cost: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="USD",
            help="Refuse a run that may cost more than this, or whose cost is not known.",
            rich_help_panel=COST,
        ),
    ] = None,
    price: PriceOption = None,
    detach: Annotated[
        bool,
        typer.Option(
            "--detach",
            help="Return once the run has begun; it goes on without this terminal.",
            rich_help_panel=SENDING,
        ),
    ] = False,
    role: Annotated[
        str | None, typer.Option(metavar="ARN", help="The job's IAM role. Required.", rich_help_panel=JOB)
    ] = None,
    wait: Annotated[
        bool,
        typer.Option(
            "--wait", help="Wait for the job's end, download its results and report them.", rich_help_panel=JOB
        ),
    ] = False,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="S3",
            help="Where the job's input and results go: s3://bucket/prefix. Default: SageMaker's default bucket.",
            rich_help_panel=JOB,
        ),
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(
            metavar="URI", help="The job's container image; it must have Python 3.11 or newer.", rich_help_panel=JOB
        ),
    ] = None,
    instance_type: Annotated[
        str,
        typer.Option(
            metavar="TYPE", help="Instance type of the job's machines, one machine a worker.", rich_help_panel=JOB
        ),
    ] = "ml.m5.xlarge",
) -> None:
    """Run a scenario and judge it.

    The report goes to stdout and says whether the run can be believed. All rows stay as parquet in a new folder under
    --results. With --set or --seeds, several runs are made and compared in a table, as `smbench sweep` does.

    The first Ctrl-C stops sending, waits for open requests and reports; the second stops at once. If the terminal goes
    away, the run goes on: `smbench attach` shows it again.

    Exit status:
      0    the run is not invalid, and no threshold was missed
      2    the scenario or the command line is wrong; nothing was started
      3    the endpoint cannot be used; nothing was sent
      98   the run is invalid or was cut short; it says nothing of the endpoint
      99   a threshold was missed
      130  interrupted
      70   a bug in smbench
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

        planned: dict[str, Any] = {
            "endpoint": endpoint,
            "stack": stack,
            "seed": seed,
            "region": region,
            "profile": profile,
            "endpoint_url": endpoint_url,
            "prices": own_prices,
            "allow_files": tuple(allow_files or ()),
        }
        if on == "processing":
            planned["job_machines"] = (instance_type, _hosts(workers))
        dry_run_command(scenario, planned, output.value, max_cost)
        return
    if on != "processing" and (role or wait or to or image):
        raise UsageError("--role, --wait, --to and --image are of a processing job", "add --on processing")
    if on == "processing" and (detach or stop_when_certain):
        raise UsageError("--on processing takes no --detach and no --stop-when-certain")
    if on == "processing" and role is None:
        raise TargetError("a processing job needs a role, and there is no --role", "give --role ARN")
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

        wanted = JobWanted(role, image, instance_type, to, _hosts(workers))
        raise typer.Exit(job_command(options, wanted, waits=wait))
    raise typer.Exit(run_command(options))


def _hosts(workers: str) -> int:
    """The machines of a job. Raises UsageError: it is said that they be counted."""
    if workers == "auto":
        raise UsageError("--workers auto counts the cores of this machine, not those of processing", "give a number")
    return int(workers)


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
        bool, typer.Option("--continue", help="Also send, late, the requests that were certainly never sent.")
    ] = False,
    base_dir: BaseDirOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
    ui: UiOption = Ui.AUTO,
    output: OutputOption = Output.TABLE,
    strict: StrictOption = False,
) -> None:
    """Finish a run that was killed, or that ended before all its requests did: collect their ends, and report.

    RUN may also be the folder of a sweep or a search; those go on where they were. Without --continue nothing is sent,
    and a request that may have been sent is never sent again. You can repeat it, also on another machine with a copy of
    the folder.

    Exit status: as `smbench run`.
    """
    from smbench.cli.resume import resume_command
    from smbench.targets.base import AwsAccess

    access = AwsAccess(region, profile, endpoint_url)
    asked = {"base_dir": base_dir, "sends": sends, "strict": strict, "progress": ui.value}
    raise typer.Exit(resume_command(run_folder, access, asked, output.value))


def attach(run_folder: RunFolder, ui: UiOption = Ui.AUTO, output: OutputOption = Output.TABLE) -> None:
    """Watch a run of another process as its own terminal shows it, then print its report.

    Up to 32 viewers can watch a run. Ctrl-C ends the watching, not the run. If the run has ended, its report is printed
    at once.

    Exit status: the run's; 130 after Ctrl-C.
    """
    from smbench.cli.background.attach import attach_command

    raise typer.Exit(attach_command(run_folder, ui.value, output.value))


def stop(
    run_folder: RunFolder,
    now: Annotated[bool, typer.Option("--now", help="Do not wait for open requests; keep what is known.")] = False,
) -> None:
    """End a run of another process: it stops sending, waits for its open requests and writes its report.

    This is what Ctrl-C does in the run's own terminal; with --now, what the second Ctrl-C does. The command returns at
    once; `smbench attach` waits for the end.
    """
    from smbench.cli.background.attach import stop_command

    raise typer.Exit(stop_command(run_folder, at_once=now))


def ps(output: OutputOption = Output.TABLE) -> None:
    """List your latest 200 runs on this machine, the newest first.

    States:
      running      its process lives, or is writing the report
      finished     it ended by itself; stopped, cancelled or failed: it did not
      interrupted  its process was killed; `smbench resume RUN` finishes it
      not begun    its process was killed before anything was sent
      removed      its folder was deleted
    """
    from smbench.cli.background.listing import ps_command

    ps_command(output.value)


def bench(
    transport: Annotated[
        TransportName, typer.Option(help="Which client is measured, smbench's own (wire) or the AWS SDK (sdk).")
    ] = TransportName.WIRE,
    output: OutputOption = Output.TABLE,
) -> None:
    """Measure how many requests a second one worker on this machine can send on time.

    One worker sends at growing rates to a server on this machine that answers at once. It takes less than a minute;
    let nothing else run meanwhile. The result is kept in $XDG_CACHE_HOME/smbench/ceilings.json (by default in
    ~/.cache), and `smbench run` warns of a plan above 70 % of it.
    """
    from smbench.cli.bench import bench_command

    raise typer.Exit(bench_command(transport.value, output.value))


def emulate(
    scenario: Annotated[
        Path | None,
        typer.Argument(
            metavar="SCENARIO",
            help="A scenario whose endpoint is there from the start; without it, the region is empty.",
            autocompletion=scenarios_beginning,
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="Port on 127.0.0.1; 0 means any free one.")
    ] = 0,
    truth: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="When it ends, write what happened to each request to this parquet file."),
    ] = None,
    verify_signatures: Annotated[
        bool,
        typer.Option("--verify-signatures", help="Refuse calls that are not signed with the key pair that it prints."),
    ] = False,
    allow_files: AllowFilesOption = None,
    provision: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="How long an instance takes until it serves, such as 1s. Default: the scenario's, or some three "
            "minutes, as on AWS.",
        ),
    ] = None,
) -> None:
    """Serve emulated AWS services on 127.0.0.1, for any client that takes an endpoint URL.

    Prints the URL, then serves boto3, aiobotocore, the AWS CLI and others until Ctrl-C. Any credentials are accepted,
    unless --verify-signatures is given.
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
