"""An AWS account before a run and after it: whether it can begin, what it may cost, and what it left behind."""

import os
import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from smbench.account.cleaning import Found, Whose, find, remove
from smbench.account.doctor import Waits, described, examine, settings_of
from smbench.account.spending import Spending, spending
from smbench.api.loops import waited_for
from smbench.api.printed import Printed
from smbench.api.scenarios import Folders, ScenarioLike, given_scenario, reseeded, with_endpoint
from smbench.api.stacks import aimed
from smbench.aws.access.clients import AwsClients
from smbench.errors import ExitCode, NotBegunError, TargetError, UsageError
from smbench.findings import Finding, Verdict, verdict
from smbench.generator.plan import RunPlan, make_plan
from smbench.lifecycle.bringing_home import access_of
from smbench.lifecycle.processing.job import most_usd
from smbench.pricing.table import PriceTable, current_prices
from smbench.records import Unknown
from smbench.results.manifest import read_manifest
from smbench.results.marks import sole_user
from smbench.targets.base import AwsAccess
from smbench.units import counted, usd
from smbench.view.report.findings import findings_json, findings_text

_RUN_ID = re.compile(r"smb-[0-9a-f]{10}|doctor-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True, repr=False)
class Examination(Printed):
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

    def __repr__(self) -> str:
        return f"<smbench.Examination: {self.verdict.value}, {counted(len(self.findings), 'question')}>"


def doctor(
    scenario: ScenarioLike | None = None,
    *,
    endpoint: str | None = None,
    stack: str | None = None,
    wait_s: float = 0.0,
    on_wait: Callable[[str], None] = lambda _why: None,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    base_dir: str | os.PathLike[str] | None = None,
    allow_files: Folders = (),
) -> Examination:
    """Find out whether a run can begin, by calls that change nothing; a queue is made, and removed at once.

    No request is sent: an accepted one is work for the endpoint. The other arguments are as `run` takes them.

    Args:
        wait_s: Before that, wait at most so long for what would spoil a run and passes by itself: a change of capacity,
            its cooldown, an alarm that changes it, an update of the endpoint.
        on_wait: Called with each new reason to wait.

    Returns:
        Every finding, with what to do; nothing that AWS refuses raises.

    Raises:
        ScenarioError, UsageError: the scenario is wrong.
        TargetError: there is no such stack.
    """
    given = given_scenario(scenario, base_dir, allow_files)
    access, waits = AwsAccess(region, profile, endpoint_url), Waits(wait_s, on_wait) if wait_s else None
    try:
        wanted = aimed(given, endpoint, stack, region=region, profile=profile, endpoint_url=endpoint_url)
    except TargetError:
        if stack is not None:
            raise
        wanted = with_endpoint(given.scenario, endpoint)  # a finding of the examination, which finds it again
    plan = make_plan(wanted, given.origin.base_dir)
    return Examination(tuple(waited_for(examine, plan, access, waits)))


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What `clean` removed, and what of it is still there, with the reason."""

    found: Found
    left: tuple[str, ...] = ()


def clean(
    run: str | os.PathLike[str] | None = None,
    *,
    endpoint: str | None = None,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    confirm: Callable[[Found], bool] = lambda _found: True,
) -> Cleaned:
    """Remove what runs left in an account, and look again. Nothing without our names and tags is touched.

    Can be repeated, after an interruption, too. A run whose queue is removed cannot be taken up by `resume` any more.

    Args:
        run: A run's folder: its queues and subscriptions, outputs and inputs. A run's id: its queues and
            subscriptions. None: the queues and subscriptions of every run in the region.
        endpoint: Inputs that any run has put beside this endpoint's outputs as well; only without `run`.
        region: AWS region; None: the run's, else as the AWS tools find it.
        endpoint_url: Another address for all AWS services; None: the one that the run had.
        confirm: Given what was found; nothing is removed unless it returns True. Not called where nothing was found.

    Raises:
        UsageError: `run` is neither, or the run used nothing in any account.
        ResultsError: its folder cannot be read, or the run is going on.
        TargetError: something may not be listed or deleted.
        NotBegunError: `confirm` said no.
    """
    access, whose = AwsAccess(region, profile, endpoint_url), Whose(endpoint=endpoint)
    if run is not None:
        if endpoint is not None:
            raise UsageError(
                "--endpoint is for what every run left: with a run there is nothing to add", "leave it out"
            )
        access, whose = _of_run(run, access)

    async def cleaned() -> Cleaned:
        async with AwsClients(settings_of(access)) as clients:
            found = await find(clients, whose)
            if not found:
                return Cleaned(found)
            if not confirm(found):
                raise NotBegunError("nothing was removed")
            return Cleaned(found, tuple(await remove(clients, found)))

    with nullcontext() if whose.folder is None else sole_user(whose.folder):
        return waited_for(cleaned)


def _of_run(run: str | os.PathLike[str], access: AwsAccess) -> tuple[AwsAccess, Whose]:
    folder = Path(run)
    if not folder.is_dir():
        if not _RUN_ID.fullmatch(str(run)):
            advice = "the id is in manifest.json and in the queue's name, such as smb-0123456789"
            raise UsageError(f"{run} is neither a results folder nor a run's id", advice)
        return access, Whose(str(run))
    manifest = read_manifest(folder)
    if (manifest.scenario.get("target") or {}).get("endpoint") is None:
        raise UsageError(f"the run in {folder} left nothing in any account: its endpoint was emulated")
    return access_of(manifest, access), Whose(manifest.run_id, folder, manifest)


def estimate(
    scenario: ScenarioLike | None = None,
    *,
    endpoint: str | None = None,
    stack: str | None = None,
    seed: int | None = None,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    prices: Mapping[str, float] | None = None,
    base_dir: str | os.PathLike[str] | None = None,
    allow_files: Folders = (),
    job_machines: tuple[str, int] | None = None,
) -> Spending:
    """Plan a run without carrying it out; a real endpoint is described, which costs nothing. Arguments as `run`.

    Args:
        job_machines: Instance type and number of the machines of the processing job that sends; None: it is not a job.

    Raises:
        ScenarioError, UsageError: the scenario is wrong.
        TargetError: the endpoint cannot be described.
    """
    table = current_prices().with_own(prices or {})
    given = given_scenario(scenario, base_dir, allow_files)
    where = {"region": region, "profile": profile, "endpoint_url": endpoint_url}
    scenario_run = aimed(given, endpoint, stack, **where)
    if seed is not None:
        scenario_run = reseeded(scenario_run, seed)
    plan = make_plan(scenario_run, given.origin.base_dir)
    return _spending(plan, AwsAccess(region, profile, endpoint_url), table, job_machines)


def require_within(
    plan: RunPlan,
    access: AwsAccess,
    max_cost: float | None,
    prices: PriceTable,
    job_machines: tuple[str, int] | None = None,
) -> None:
    """Refuse a run that may cost more; None lets every run pass. `job_machines` as `estimate` takes them.

    Raises:
        UsageError: it may cost more, or what it may cost is not known.
        TargetError: the endpoint cannot be described.
    """
    if max_cost is not None:
        require_cheap(_spending(plan, access, prices, job_machines), max_cost)


def require_cheap(planned: Spending, max_cost: float) -> None:
    """Raises UsageError: it may cost more than so many USD, or what it may cost is not known."""
    found = planned.usd
    if isinstance(found, Unknown):
        raise UsageError(f"what the run may cost is not known, so --max-cost {max_cost:g} refuses it: {found.reason}")
    if not found <= max_cost:  # a limit of nan refuses, too
        raise UsageError(
            f"the run may cost {usd(found)}, more than --max-cost {max_cost:g}: nothing was sent",
            "`smbench run --dry-run` shows of what; a shorter drain, fewer requests or instances cost less",
        )


def _spending(
    plan: RunPlan, access: AwsAccess, prices: PriceTable, job_machines: tuple[str, int] | None = None
) -> Spending:
    planned = spending(plan, None if plan.is_emulated else waited_for(described, plan, access), prices)
    if job_machines is None:
        return planned
    machines_usd, machines_of = most_usd(plan, *job_machines, prices)
    return replace(planned, machines_usd=machines_usd, machines_of=machines_of)
