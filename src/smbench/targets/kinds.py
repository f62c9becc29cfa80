"""Which kind of target a scenario names, and what implements it."""

from smbench.generator.plan import RunPlan
from smbench.targets.base import AwsAccess, Target
from smbench.targets.queued import QueuedTarget

_KINDS = {"async": QueuedTarget}


def target_of(plan: RunPlan, access: AwsAccess) -> Target:
    """The target of a run, nothing of it touched yet."""
    return _KINDS[plan.scenario.target.kind](plan, access)
