"""A scaling target derived from saturation: and the sweep that verifies it under a ramp and one three times as steep.

Source: AWS's load tests with the inference recommender: where one instance saturates is found first, and 40 % of it is
the target for availability, 50 % balanced, 70 % for cost. A policy that passes a slow ramp may fail a steep one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smbench.errors import UsageError
from smbench.scenario.model import Scenario
from smbench.sweeping.ranking import Group, saturations

SHARES: dict[str, float] = {"availability": 0.4, "balanced": 0.5, "cost": 0.7}
STEEPNESS: dict[str, int] = {"1x": 1, "3x": 3}
POLICY, RAMP = "policy", "ramp"  # the axes of the verification
DEFAULT_THRESHOLD = "error_share < 1%"
_INSTANCES = "target.emulated.instances"


def check_scalable(scenario: Scenario) -> None:
    """Refuse what has no such target.

    Raises:
        UsageError: it is not an emulated real-time endpoint with room to scale.
    """
    target = scenario.target
    if target.kind != "realtime":
        raise UsageError(
            f"{scenario.name} does not measure a real-time endpoint: only those scale by invocations per instance",
            "`smbench advise` finds the policy of an asynchronous endpoint",
        )
    if target.endpoint is not None:
        raise UsageError(
            f"{target.endpoint} is used as it is: its policy is not changed",
            "describe it as an emulated endpoint, by what a saturation benchmark found",
        )
    if target.emulated.instances.max < 2:
        raise UsageError(f"{scenario.name} has at most one instance: nothing scales", "raise instances.max")


def one_instance() -> dict[str, Any]:
    """Settings under which one instance is alone."""
    return {
        f"{_INSTANCES}.min": 1, f"{_INSTANCES}.max": 1, f"{_INSTANCES}.start": 1, "target.emulated.policies": [],
    }  # fmt: skip


def saturated(groups: Sequence[Group], name: str, place: str) -> tuple[Group, float]:
    """The stair of users from which one instance serves no more, and how many requests a second it serves then.

    Args:
        groups: The stairs on one instance, a group each.
        name: Of the scenario.
        place: The folder of the sweep's results, for the message.

    Raises:
        UsageError: none shows it.
    """
    at = next((found.at for found in saturations(groups) if found.at is not None), None)
    if at is not None and at.completed_hz:
        return at, _served_hz(groups, at)
    fit = [group for group in groups if not group.why_unfit]
    if not fit:
        why = next((group.why_unfit for group in groups), "no stair was run")
        raise UsageError(f"no stair of users measured what one instance of {name} serves: {why}", f"see {place}")
    if not any(group.completed_hz for group in fit):
        raise UsageError(f"one instance of {name} completed nothing, with any number of users", f"see {place}")
    users = max(int(group.trial["users"]) for group in fit)
    raise UsageError(f"{users:,} users do not saturate one instance of {name}", f"give more users: {place}")


def _served_hz(groups: Sequence[Group], at: Group) -> float:
    """Over all stairs from the first that is saturated, for each alone has too few requests to say it well.

    One that measured something else, as with calls that were given up, is left out.
    """
    n, took_s = 0, 0.0
    for group in groups[groups.index(at) :]:
        runs = [] if group.why_unfit else list(group.by_seed.values())
        if all(one.completed == one.n for one in runs) or group is at:
            known = [one for one in runs if one.throughput is not None]
            n += sum(one.completed for one in known)
            took_s += sum(one.completed / one.throughput.mean for one in known if one.throughput is not None)
    return n / took_s


def verification(scenario: Scenario, per_instance_hz: float, ramp_s: float) -> dict[str, Any]:
    """The matrix of a sweep: each target under each ramp.

    The load rises from what one instance is given under the lowest target to what all of them are, and holds for
    `ramp_s` once more: under each target the instances can be enough.

    Args:
        per_instance_hz: Where one instance saturates.
        ramp_s: Of the slower ramp.
    """
    lowest_hz = min(SHARES.values()) * per_instance_hz
    rise = {"from": lowest_hz, "to": lowest_hz * scenario.target.emulated.instances.max}
    return {
        POLICY: {
            name: {
                "target.emulated.policies": [
                    {
                        "invocations_tracking": {
                            "invocations_per_instance": invocations(share, per_instance_hz),
                            **cooldowns_of(scenario),
                        }
                    }
                ],
                f"{_INSTANCES}.min": 1,
                f"{_INSTANCES}.start": 1,
            }
            for name, share in SHARES.items()
        },
        RAMP: {
            name: {
                "load": [
                    {"ramp": {**rise, "for": ramp_s / times, "name": "rise"}},
                    {"poisson": {"rate": rise["to"], "for": ramp_s, "name": "hold"}},
                ]
            }
            for name, times in STEEPNESS.items()
        },
    }


def cooldowns_of(scenario: Scenario) -> dict[str, float]:
    """Seconds, of the scenario's own policy, where it has one."""
    own = next(
        (one.invocations_tracking for one in scenario.target.emulated.policies if one.invocations_tracking), None
    )
    return {} if own is None else {"out_cooldown": own.out_cooldown, "in_cooldown": own.in_cooldown}


def invocations(share: float, per_instance_hz: float) -> float:
    """TargetValue of SageMakerVariantInvocationsPerInstance: a minute's, of one instance."""
    return round(60 * share * per_instance_hz, 3)


@dataclass(frozen=True, slots=True)
class Verified:
    """One target, and whether it keeps what is demanded.

    Args:
        by_ramp: Its runs, by the ramp; one may be missing.
        kept: Under every ramp; None: it is not known of one.
    """

    name: str
    share: float
    invocations_per_instance: float
    by_ramp: Mapping[str, Group]
    kept: bool | None


def verified(groups: Sequence[Group], per_instance_hz: float) -> tuple[Verified, ...]:
    """Of the groups of a verification, from the lowest target on."""
    found = []
    for name, share in SHARES.items():
        by_ramp = {
            ramp: group for ramp in STEEPNESS for group in groups if group.matrix == f"{POLICY}={name} {RAMP}={ramp}"
        }
        states = [_kept(by_ramp.get(ramp)) for ramp in STEEPNESS]
        kept = False if False in states else None if None in states else True
        found.append(Verified(name, share, invocations(share, per_instance_hz), by_ramp, kept))
    return tuple(found)


def _kept(group: Group | None) -> bool | None:
    """What was missed is missed; a run that was not made, or whose figures are none to choose by, keeps nothing."""
    if group is None or (group.kept and group.why_unfit):
        return None
    return group.kept


def highest_kept(found: Sequence[Verified]) -> Verified | None:
    """The target to take: the highest that keeps all, for it needs the fewest instances; None: none does."""
    return max((one for one in found if one.kept), key=lambda one: one.share, default=None)


def put_scaling_policy(target: float, endpoint: str, variant: str, cooldowns: Mapping[str, float]) -> dict[str, Any]:
    """The arguments of Application Auto Scaling's PutScalingPolicy."""
    return {
        "PolicyName": "invocations-tracking",
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{variant}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": target,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
            "ScaleOutCooldown": int(cooldowns.get("out_cooldown", 300.0)),
            "ScaleInCooldown": int(cooldowns.get("in_cooldown", 300.0)),
        },
    }
