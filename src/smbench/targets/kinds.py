"""Which kind of target a scenario names, and what implements it."""

from collections.abc import Callable

from smbench.generator.plan import RunPlan
from smbench.targets.base import AwsAccess, Target
from smbench.targets.called import CalledTarget
from smbench.targets.queued import QueuedTarget

_KINDS: dict[str, Callable[[RunPlan, AwsAccess], Target]] = {
    "async": QueuedTarget,
    "serverless": CalledTarget,
    "realtime": CalledTarget,
}


def target_of(plan: RunPlan, access: AwsAccess) -> Target:
    """The target of a run, nothing of it touched yet."""
    return _KINDS[plan.scenario.target.kind](plan, access)
