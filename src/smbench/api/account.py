"""An AWS account before a run and after it: whether a run can begin, what it must be allowed, what it left behind."""

import os
from dataclasses import dataclass
from typing import Any, Literal

import anyio

from smbench.account.doctor import describe, examine, settings_of
from smbench.account.permissions import doctor_policy, run_policy
from smbench.account.stack_permissions import stack_policy
from smbench.account.statements import Place
from smbench.api.loops import outside_loops
from smbench.api.scenarios import Folders, ScenarioLike, given_scenario, with_endpoint
from smbench.api.stacks import aimed, check_name
from smbench.aws.access.clients import AwsClients
from smbench.aws.endpoint.description import TargetFound
from smbench.errors import ExitCode, UsageError
from smbench.findings import Finding, Verdict, verdict
from smbench.generator.plan import RunPlan, make_plan
from smbench.processes.interrupts import Interrupts
from smbench.scenario.deploy import Deploy
from smbench.targets.base import AwsAccess
from smbench.view.report.findings import findings_json, findings_text

Purpose = Literal["run", "doctor", "deploy"]


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


def policy(
    scenario: ScenarioLike | None = None,
    *,
    purpose: Purpose = "run",
    endpoint: str | None = None,
    stack: str | None = None,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    base_dir: str | os.PathLike[str] | None = None,
    allow_files: Folders = (),
) -> dict[str, Any]:
    """The least that IAM must allow, as a policy document: for exactly this run, or for another command about it.

    The endpoint is described, to find out what a run would touch; for `deploy`, the account's number is asked for.

    Args:
        purpose: The command that the policy is for: `run`, `doctor`, or `deploy`, whose policy is that of `destroy`,
            too.
        stack: The benchmark that is deployed, or whose endpoint the run finds by this name; None, for `deploy`: any.

    Raises:
        ScenarioError, UsageError: the scenario is wrong, or names no endpoint.
        TargetError: the endpoint cannot be described.
    """
    access = AwsAccess(region, profile, endpoint_url)
    given = given_scenario(scenario, base_dir, allow_files)
    if purpose == "deploy":
        wanted = given.scenario.deploy or Deploy()
        if stack is not None:
            check_name(stack)
        return outside_loops(lambda: stack_policy(stack, wanted, anyio.run(_place, access)), Interrupts())
    where = {"region": region, "profile": profile, "endpoint_url": endpoint_url}
    plan = make_plan(aimed(given.scenario, endpoint, stack, **where), given.origin.base_dir)
    if plan.is_emulated:
        raise UsageError("an emulated endpoint needs no permission", "name a real one: --endpoint NAME, --stack NAME")
    found = outside_loops(lambda: anyio.run(_described, plan, access), Interrupts())
    return run_policy(plan, found, stack) if purpose == "run" else doctor_policy(plan, found)


async def _described(plan: RunPlan, access: AwsAccess) -> TargetFound:
    async with AwsClients(settings_of(access)) as clients:
        return await describe(clients, plan)


async def _place(access: AwsAccess) -> Place:
    async with AwsClients(settings_of(access)) as clients:
        who = Place.of((await clients.identity())["Arn"])
        return Place(who.partition, clients.region, who.account)


def _plan(
    scenario: ScenarioLike | None,
    endpoint: str | None,
    base_dir: str | os.PathLike[str] | None,
    allow_files: Folders,
) -> RunPlan:
    given = given_scenario(scenario, base_dir, allow_files)
    return make_plan(with_endpoint(given.scenario, endpoint), given.origin.base_dir)
