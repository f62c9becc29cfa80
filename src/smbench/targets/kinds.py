"""Kinds of targets: what implements each, and which checks and stages do not apply to it.

A kind's module is imported where a target is wanted: the AWS clients cost half a second, and the parent of a run in
warp time needs none.
"""

from smbench.analysis.without_notices import WITHOUT_NOTICES
from smbench.generator.plan import RunPlan
from smbench.targets.base import AwsAccess, Target


def target_of(plan: RunPlan, access: AwsAccess) -> Target:
    """The target of a run, nothing of it touched yet."""
    if plan.scenario.target.kind == "async":
        from smbench.targets.queued import QueuedTarget

        return QueuedTarget(plan, access)
    from smbench.targets.called import CalledTarget

    return CalledTarget(plan, access)


def inapplicable_to(plan: RunPlan) -> frozenset[str]:
    """Names of checks and of stages of a request that mean nothing for this kind: a report leaves them out."""
    return frozenset() if plan.scenario.target.kind == "async" else WITHOUT_NOTICES
