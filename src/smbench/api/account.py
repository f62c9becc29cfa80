"""An AWS account before a run and after it: whether a run can begin, what it must be allowed, what it left behind."""

import os
from dataclasses import dataclass

import anyio

from smbench.account.doctor import examine
from smbench.api.loops import outside_loops
from smbench.api.scenarios import Folders, ScenarioLike, given_scenario, with_endpoint
from smbench.errors import ExitCode
from smbench.findings import Finding, Verdict, verdict
from smbench.generator.plan import RunPlan, make_plan
from smbench.processes.interrupts import Interrupts
from smbench.targets.base import AwsAccess
from smbench.view.report.findings import findings_json, findings_text


@dataclass(frozen=True, slots=True)
class Examination:
    """What `doctor` found, in the order in which a run would meet it."""

    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst finding's; unknown where something could not be found out, and nothing is wrong."""
        return verdict(self.findings)

    @property
    def exit_status(self) -> ExitCode:
        """Of the command: what is unknown does not fail."""
        return ExitCode.TARGET if self.verdict is Verdict.INVALID else ExitCode.OK

    def to_json(self) -> dict[str, object]:
        """The verdict and every finding, as plain JSON values."""
        return findings_json(self.findings)

    def to_text(self) -> str:
        """The findings as the command prints them, one below the other, each with what to do."""
        return findings_text(self.findings)

    def __str__(self) -> str:
        return self.to_text()


def doctor(
    scenario: ScenarioLike | None = None,
    *,
    endpoint: str | None = None,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    base_dir: str | os.PathLike[str] | None = None,
    allow_files: Folders = (),
) -> Examination:
    """Find out whether a run can begin, by calls that change nothing; a queue is made, and removed at once.

    No request is sent: an accepted one is work for the endpoint. All arguments are as `run` takes them.

    Returns:
        Every finding, with what to do; nothing that AWS refuses raises.

    Raises:
        ScenarioError, UsageError: the scenario is wrong.
    """
    plan = _plan(scenario, endpoint, base_dir, allow_files)
    access = AwsAccess(region, profile, endpoint_url)
    return Examination(tuple(outside_loops(lambda: anyio.run(examine, plan, access), Interrupts())))


def _plan(
    scenario: ScenarioLike | None,
    endpoint: str | None,
    base_dir: str | os.PathLike[str] | None,
    allow_files: Folders,
) -> RunPlan:
    given = given_scenario(scenario, base_dir, allow_files)
    return make_plan(with_endpoint(given.scenario, endpoint), given.origin.base_dir)
