"""The IAM policy of exactly one run, or of another command: what must be allowed, and no more."""

import os
from typing import Any, Literal

from smbench.account.doctor import described, settings_of
from smbench.account.permissions import clean_policy, doctor_policy, resume_policy, run_policy
from smbench.account.shared_permissions import order_policy, processing_policy, recommend_policy, sweep_policy
from smbench.account.stack_permissions import stack_policy
from smbench.account.statements import Document, Place
from smbench.api.loops import waited_for
from smbench.api.scenarios import Folders, Given, ScenarioLike, given_scenario, with_endpoint
from smbench.api.stacks import aimed, check_name
from smbench.api.sweeping.on_stacks import stacks_of
from smbench.api.sweeping.question import question_of
from smbench.aws.access.clients import AwsClients
from smbench.aws.access.roles import check_role
from smbench.aws.setup.s3_place import SCHEME, split_location
from smbench.errors import UsageError
from smbench.generator.plan import RunPlan, make_plan
from smbench.scenario.deploy import Deploy
from smbench.stack.template import stack_name
from smbench.sweeping.question import cells_of
from smbench.targets.base import AwsAccess

Purpose = Literal["run", "resume", "doctor", "clean", "deploy", "sweep", "order", "processing", "recommend"]


def policy(
    scenario: ScenarioLike | None = None,
    *,
    purpose: Purpose = "run",
    endpoint: str | None = None,
    stack: str | None = None,
    to: str | None = None,
    role: str | None = None,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    base_dir: str | os.PathLike[str] | None = None,
    allow_files: Folders = (),
) -> dict[str, Any]:
    """The least that IAM must allow, as a policy document: for exactly this run, or for another command.

    The endpoint is described, to find out what a run would touch; for what touches none, the account's number is
    asked for.

    Args:
        scenario: As `run` takes it; for `sweep` as `sweep` does.
        purpose: The command that the policy is for: `run`, also that of `search`; `resume`, `doctor`, `clean`;
            `deploy`, also that of `destroy`; `sweep` on stacks; `order`, also that of `worker`, of `collect` and of a
            job's role; `processing`, of the one who starts such a job; `recommend`.
        stack: The benchmark that is deployed, or whose endpoint the run finds by this name; None, for `deploy`: any.
        to: For `order` and `processing`, where the order is, as those commands take it.
        role: For `processing` and `recommend`, the ARN of the job's role; None: any role.

    Raises:
        ScenarioError, UsageError: the scenario is wrong, or names no endpoint.
        TargetError: the endpoint cannot be described.
    """
    access = AwsAccess(region, profile, endpoint_url)
    _check_options(purpose, to, role)
    if purpose == "recommend":
        return recommend_policy(waited_for(_place, access), role)
    if purpose == "sweep":
        return _of_sweep(scenario, stack, access, base_dir, allow_files)
    given = given_scenario(scenario, base_dir, allow_files)
    if purpose == "deploy":
        if stack is not None:
            check_name(stack)
        return stack_policy(stack, given.scenario.deploy or Deploy(), waited_for(_place, access))
    is_named = endpoint is not None or stack is not None or given.scenario.target.endpoint is not None
    if purpose == "clean" and not is_named:
        plan = make_plan(given.scenario, given.origin.base_dir)
        return clean_policy(waited_for(_place, access), plan, None)
    if is_named and purpose == "processing":
        return _of_processing(given, to, role, endpoint, stack, access)
    where = {"region": region, "profile": profile, "endpoint_url": endpoint_url}
    plan = make_plan(aimed(given, endpoint, stack, **where), given.origin.base_dir)
    return _about_endpoint(plan, purpose, stack, to, access)


def _check_options(purpose: Purpose, to: str | None, role: str | None) -> None:
    """Raises UsageError: an option that means nothing for this command, or is none."""
    if to is not None:
        if purpose not in ("order", "processing"):
            raise UsageError(f"--to says where an order is, and `{purpose}` has none")
        if purpose == "processing" or to.startswith(SCHEME):
            split_location(to)
    if role is not None:
        if purpose not in ("processing", "recommend"):
            raise UsageError(f"--role is the role of a job, and `{purpose}` starts none")
        check_role(role)


def _about_endpoint(plan: RunPlan, purpose: Purpose, stack: str | None, to: str | None, access: AwsAccess) -> Document:
    if plan.is_emulated:
        raise UsageError("an emulated endpoint needs no permission", "name a real one: --endpoint NAME, --stack NAME")
    found = waited_for(described, plan, access)
    place = Place.of(found.endpoint_arn)
    match purpose:
        case "clean":
            return clean_policy(place, plan, found)
        case "resume":
            return resume_policy(plan, found)
        case "order":
            return order_policy(place, plan, found, to if to is not None and to.startswith(SCHEME) else None)
        case "doctor":
            return doctor_policy(plan, found, stack)
    return run_policy(plan, found, stack)


def _of_processing(
    given: Given, to: str | None, role: str | None, endpoint: str | None, stack: str | None, access: AwsAccess
) -> dict[str, Any]:
    if stack is not None:
        check_name(stack)
        endpoint = stack_name(stack)
    says_kind = "kind" in given.scenario.target.model_fields_set
    named = endpoint or given.scenario.target.endpoint
    return processing_policy(waited_for(_place, access), to, role, None if says_kind else named)


def _of_sweep(
    scenario: ScenarioLike | None,
    stack: str | None,
    access: AwsAccess,
    base_dir: str | os.PathLike[str] | None,
    allow_files: Folders,
) -> dict[str, Any]:
    if stack is None:
        raise UsageError(
            "a sweep without stacks makes nothing: `--for run` has what each of its runs needs",
            "for one that brings up its endpoints add --stack NAME",
        )
    question = question_of(scenario, None, None, None, (), None, base_dir, allow_files)
    cells = cells_of(question, on_stacks=True)
    plans = []
    for one in stacks_of(stack, cells):
        aimed_at = with_endpoint(cells[one.cells[0] - 1].scenario, stack_name(one.name), one.wanted.kind)
        plans.append((one.wanted, make_plan(aimed_at, question.base_dir)))
    return sweep_policy(waited_for(_place, access), stack, plans)


async def _place(access: AwsAccess) -> Place:
    async with AwsClients(settings_of(access)) as clients:
        who = Place.of((await clients.identity())["Arn"])
        return Place(who.partition, clients.region, who.account)
