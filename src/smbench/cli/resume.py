"""The command `resume`: continues a run, a sweep or a search that was killed."""

from pathlib import Path
from typing import Any

from smbench.api.resume import taken_up
from smbench.api.sweeping.search import is_search, resume_search
from smbench.api.sweeping.sweep import is_sweep, resume_sweep
from smbench.cli.report import ReportOptions
from smbench.cli.run import print_run
from smbench.cli.sweeping.printed import print_many
from smbench.errors import ExitCode
from smbench.lifecycle.background.presence import Presence
from smbench.targets.base import AwsAccess


def resume_command(run_folder: Path, access: AwsAccess, asked: dict[str, Any], output: str) -> ExitCode:
    """Take up, report, judge; returns the exit status.

    Raises:
        ResultsError, ScenarioError, TargetError: it cannot be taken up.
    """
    if is_sweep(run_folder):
        done = resume_sweep(run_folder, progress=asked["progress"])
        print_many(done, output)
        return done.exit_status
    if is_search(run_folder):
        search = resume_search(run_folder, progress=asked["progress"])
        print_many(search, output)
        return search.exit_status
    with Presence() as presence:
        result = taken_up(run_folder, access, presence=presence, **asked)
        presence.ended(result.exit_status)
        print_run(result, ReportOptions(output=output))
        return result.exit_status
