"""What a run will send and what it may cost at most, before anything is spent or made."""

import os

import anyio

from smbench.account.doctor import described
from smbench.account.spending import Spending, spending
from smbench.api.loops import outside_loops
from smbench.api.scenarios import Folders, ScenarioLike, given_scenario
from smbench.api.stacks import aimed
from smbench.errors import UsageError
from smbench.generator.plan import RunPlan, make_plan
from smbench.processes.interrupts import Interrupts
from smbench.records import Unknown
from smbench.scenario.model import Seeds
from smbench.targets.base import AwsAccess
from smbench.units import usd


def estimate(
    scenario: ScenarioLike | None = None,
    *,
    endpoint: str | None = None,
    stack: str | None = None,
    seed: int | None = None,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    base_dir: str | os.PathLike[str] | None = None,
    allow_files: Folders = (),
) -> Spending:
    """Plan a run without carrying it out; a real endpoint is described, which costs nothing. Arguments as `run`.

    Raises:
        ScenarioError, UsageError: the scenario is wrong.
        TargetError: the endpoint cannot be described.
    """
    given = given_scenario(scenario, base_dir, allow_files)
    where = {"region": region, "profile": profile, "endpoint_url": endpoint_url}
    scenario_run = aimed(given.scenario, endpoint, stack, **where)
    if seed is not None:
        scenario_run = scenario_run.model_copy(update={"seed": seed, "seeds": Seeds()})
    plan = make_plan(scenario_run, given.origin.base_dir)
    return _spending(plan, AwsAccess(region, profile, endpoint_url))


def require_within(plan: RunPlan, access: AwsAccess, max_cost: float | None) -> None:
    """Refuse a run that may cost more; None lets every run pass.

    Raises:
        UsageError: it may cost more, or what it may cost is not known.
        TargetError: the endpoint cannot be described.
    """
    if max_cost is None:
        return
    found = _spending(plan, access).usd
    if isinstance(found, Unknown):
        raise UsageError(f"what the run may cost is not known, so --max-cost {max_cost:g} refuses it: {found.reason}")
    if found > max_cost:
        raise UsageError(
            f"the run may cost {usd(found)}, more than --max-cost {max_cost:g}: nothing was sent",
            "`smbench run --dry-run` shows of what; a shorter drain, fewer requests or instances cost less",
        )


def _spending(plan: RunPlan, access: AwsAccess) -> Spending:
    if plan.is_emulated:
        return spending(plan, None)
    return spending(plan, outside_loops(lambda: anyio.run(described, plan, access), Interrupts()))
