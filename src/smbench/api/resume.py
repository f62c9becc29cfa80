"""A run that was killed, taken up again and judged."""

import os
import sys
from pathlib import Path

from smbench.api.loops import outside_loops
from smbench.api.report import report
from smbench.api.result import Run
from smbench.api.run import Progress, reported
from smbench.lifecycle.background.presence import Presence
from smbench.lifecycle.resume import resume_run
from smbench.processes.interrupts import Interrupts
from smbench.targets.base import AwsAccess
from smbench.view.live.choose import choose_view


def resume(
    run: str | os.PathLike[str],
    *,
    sends: bool = False,
    base_dir: str | os.PathLike[str] | None = None,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    strict: bool = False,
    progress: Progress = "auto",
) -> Run:
    """Take up a run that was killed, or whose requests had not all ended, until its folder is closed; then judge it.

    Sends nothing, unless `sends` says so. May be called as often as needed; when nothing is left to do, stderr says so
    and the run is only judged. Signals and event loops: as `run`.

    Args:
        run: Its folder, or a copy of it on another machine.
        sends: Also send what was certainly never sent, later than it was due; the rows say so in `resume`.
        base_dir: Folder of the files that the scenario names; None: where it was when the run began.
        region: AWS region; None: the endpoint's.
        profile: AWS profile; None: as the AWS tools find it.
        endpoint_url: Another address for all AWS services; None: the one that the run had.
        strict: As `run`.
        progress: As `run`.

    Raises:
        ResultsError: it is no run, another process works on it, or a file of the scenario has changed since.
        ScenarioError, TargetError: it cannot be taken up, and nothing was changed.
    """
    access, folder = AwsAccess(region, profile, endpoint_url), None if base_dir is None else Path(base_dir)
    return taken_up(Path(run), access, folder, sends=sends, strict=strict, progress=progress)


def taken_up(
    path: Path,
    access: AwsAccess,
    base_dir: Path | None,
    *,
    sends: bool = False,
    strict: bool = False,
    progress: Progress = "auto",
    presence: Presence | None = None,
) -> Run:
    """`resume`, its arguments read.

    Args:
        presence: How other processes find the run; a terminal that goes away is then its business.
    """
    interrupts = Interrupts(takes_hang_up=presence is None)
    done = outside_loops(
        lambda: resume_run(
            path,
            access,
            lambda: choose_view(progress, sys.stderr, os.environ),
            interrupts,
            base_dir=base_dir,
            sends=sends,
            presence=presence,
        ),
        interrupts,
    )
    if done is not None:
        return reported(done, is_strict=strict)
    if progress != "none":
        print(f"smbench: nothing is left to resume in {path}", file=sys.stderr)  # noqa: T201  # what a command says
    return report(path, strict=strict)
