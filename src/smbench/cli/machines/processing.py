"""The command `run --on processing`: from a scenario file to a job, and with --wait to a verdict."""

import sys

import typer

from smbench.api.machines.processing import JobStarted, run_as_job
from smbench.api.run import planned
from smbench.cli.given_out import require_writable
from smbench.cli.options import given_again
from smbench.cli.report import ReportOptions
from smbench.cli.run import RunOptions, print_run
from smbench.errors import ExitCode
from smbench.lifecycle.processing.job import JobWanted


def job_command(options: RunOptions, wanted: JobWanted, *, waits: bool) -> ExitCode:
    """Start the job, follow it if asked to; returns the exit status.

    Raises:
        ScenarioError, UsageError, TargetError, ResultsError: nothing was sent.
    """
    require_writable(options.junit, options.summary_md)
    command = ("smbench", *sys.argv[1:])
    machines = (wanted.instance_type, wanted.n_hosts)
    plan = planned(options.scenario, base_dir=None, command=command, job_machines=machines, **options.asked)
    result = run_as_job(plan, wanted, command, waits=waits)
    if isinstance(result, JobStarted):
        typer.echo(f"the job {result.name} goes on by itself: {result.price}")
        typer.echo(f"when it has ended:\n  smbench collect {result.place}{given_again(options.asked)}")
        return ExitCode.INTERRUPTED if waits else ExitCode.OK
    print_run(result, ReportOptions(output=options.output, junit=options.junit, summary_md=options.summary_md))
    return result.exit_status
