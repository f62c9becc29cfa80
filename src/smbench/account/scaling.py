"""What scales the endpoint, and what it did lately: the last half hour, which may spoil a run that begins now."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from smbench import units
from smbench.account.questions import ALLOW, Question, Seen
from smbench.analysis.capacity.alarm_facts import alarms_on_before_the_load, alarms_without_data
from smbench.analysis.capacity.policy_facts import held_at_zero, policies_at_odds
from smbench.aws.access.clients import AwsClients
from smbench.aws.access.instants import utc_datetime
from smbench.aws.endpoint.description import SCALED_DIMENSION, TargetFound
from smbench.clock import wall_ns
from smbench.errors import TargetError
from smbench.findings import Verdict

_RECENT_S = 1800
_OPEN = ("Pending", "InProgress")
_COOLDOWN_S = 300.0  # Application Auto Scaling's own for SageMaker
_TRIGGERED = re.compile(r"triggered policy (.+)")
_WAIT = "wait, then ask again: `smbench doctor --wait 30m` does both"
_WAKE = (
    "add a step policy of +1 with an alarm on HasBacklogWithoutCapacity (Average, 60 s, 2 of 2, >= 1), or raise "
    "MinCapacity"
)


def scaling_questions(clients: AwsClients, found: TargetFound) -> list[Question]:
    """What is asked of Application Auto Scaling and CloudWatch; a run can do without each answer."""
    questions = [_metrics(clients, found)]
    if found.kind == "serverless":
        return questions
    questions.append(Question("scaling policies", "they may be read and agree with each other", _policies(found), True))
    if found.scalable_target is not None and not found.unread:  # else the answer above says what is not known
        questions.append(_from_zero(found))
    if found.scalable_target is not None:
        questions.append(_activities(clients, found))
    questions += [_history(clients, name) for name in found.alarm_names]
    if found.alarms:
        questions += [_pending(found), _growing(found)]
    return questions


async def unrest(clients: AwsClients, found: TargetFound) -> list[str]:
    """What would spoil a run that begins now and passes by itself; what may not be read is left out."""
    why = [] if found.status == "InService" else [f"the endpoint {found.endpoint} is {found.status}"]
    why += [*alarms_on_before_the_load(found.as_json()), *_about_to_grow(found)]
    if found.scalable_target is not None:
        try:
            recent = await _recent_activities(clients, found)
        except TargetError:
            return why
        why += _under_way(recent) or _cooling_down(recent, found)
    return why


def _policies(found: TargetFound) -> Any:
    async def ask() -> Seen:
        facts = found.as_json()
        if found.unread:
            return Seen("; ".join(found.unread), Verdict.UNKNOWN, ALLOW)
        if wrong := [*alarms_without_data(facts), *policies_at_odds(facts)]:
            return Seen("; ".join(wrong), Verdict.INVALID, "correct or remove the policy, or expect it in the figures")
        if found.scalable_target is None:
            return Seen("the endpoint does not scale by itself")
        least, most = (found.scalable_target.get(name) for name in ("MinCapacity", "MaxCapacity"))
        return Seen(
            f"{units.counted(len(found.policies), 'policy', 'policies')} with "
            f"{units.counted(len(found.alarms), 'alarm')}, {least} to {most} instances"
        )

    return ask


def _from_zero(found: TargetFound) -> Question:
    async def ask() -> Seen:
        held = held_at_zero(found.as_json())
        if held is None:
            return Seen("it wakes from zero, or never gets there")
        return Seen(held.why, Verdict.INVALID if held.is_certain else Verdict.UNKNOWN, _WAKE)

    return Question("from zero", "an endpoint without instances gets its first one", ask)


def _pending(found: TargetFound) -> Question:
    async def ask() -> Seen:
        pending = alarms_on_before_the_load(found.as_json())
        if pending:
            return Seen("; ".join(pending), Verdict.INVALID, f"{_WAIT}; or suspend scaling in meanwhile")
        states = ", ".join(f"{alarm['AlarmName']} {alarm.get('StateValue')}" for alarm in found.alarms)
        return Seen(f"no scale-in is pending: {states}")

    return Question("pending scale-in", "no alarm takes instances away when the load begins", ask)


def _growing(found: TargetFound) -> Question:
    async def ask() -> Seen:
        if growing := _about_to_grow(found):
            return Seen("; ".join(growing), Verdict.INVALID, _WAIT)
        return Seen("no scale-out is pending")

    return Question("pending scale-out", "no alarm adds instances before the load begins", ask)


def _about_to_grow(found: TargetFound) -> list[str]:
    """A sentence for each alarm on high values that is in ALARM: there is work that is not the run's."""
    most = (found.scalable_target or {}).get("MaxCapacity")
    if most is None or found.instances_desired is None or found.instances_desired >= most:
        return []
    return [
        f"the alarm {alarm.get('AlarmName')} is in ALARM before the load: its policy adds instances to the "
        f"{found.instances_desired:,} there are"
        for alarm in found.alarms
        if alarm.get("StateValue") == "ALARM" and str(alarm.get("ComparisonOperator", "")).startswith("Greater")
    ]


def _activities(clients: AwsClients, found: TargetFound) -> Question:
    async def ask() -> Seen:
        recent = await _recent_activities(clients, found)
        if running := _under_way(recent):
            return Seen(running[0], Verdict.INVALID, _WAIT)
        if cooling := _cooling_down(recent, found):
            return Seen("; ".join(cooling), Verdict.UNKNOWN, _WAIT)
        if not recent:
            return Seen("none")
        newest = recent[0]
        return Seen(f"{len(recent)}, the newest at {newest['StartTime']:%H:%M:%S}: {newest.get('Description', '')}")

    expected = "none is under way, and no cooldown of one lasts on"
    return Question("activities of the last 30 minutes", expected, ask, is_optional=True)


def _under_way(recent: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        f"a change of capacity is under way: {one.get('Description', '')}"
        for one in recent
        if one["StatusCode"] in _OPEN
    ][:1]


def _cooling_down(recent: Sequence[Mapping[str, Any]], found: TargetFound) -> list[str]:
    """Until when a policy holds back after what it did last; a run's first minutes would show that, not the policy."""
    policies = {str(policy.get("PolicyName")): policy for policy in found.policies}
    now, why = utc_datetime(wall_ns()), []
    for one in recent:
        by = _TRIGGERED.search(one.get("Cause", ""))
        if by is None or one["StatusCode"] != "Successful" or (policy := policies.pop(by[1], None)) is None:
            continue
        until = (one.get("EndTime") or one["StartTime"]) + timedelta(seconds=_cooldown_s(policy))
        if until > now:
            why.append(
                f"{by[1]} acted at {one['StartTime']:%H:%M:%S}, and its cooldown lasts until {until:%H:%M:%S} UTC"
            )
    return why


def _cooldown_s(policy: Mapping[str, Any]) -> float:
    """The longer one where scaling out and in differ: which of the two it was, an activity does not say."""
    step = policy.get("StepScalingPolicyConfiguration") or {}
    tracking = policy.get("TargetTrackingScalingPolicyConfiguration") or {}
    given = [step.get("Cooldown"), tracking.get("ScaleOutCooldown"), tracking.get("ScaleInCooldown")]
    return max((float(one) for one in given if one is not None), default=_COOLDOWN_S)


async def _recent_activities(clients: AwsClients, found: TargetFound) -> list[dict[str, Any]]:
    """Newest first."""
    since, recent = _since(), []
    about = {"ServiceNamespace": "sagemaker", "ResourceId": found.resource_id, "ScalableDimension": SCALED_DIMENSION}
    with clients.explained("read the scaling activities (application-autoscaling:DescribeScalingActivities)"):
        async for page in clients.autoscaling.get_paginator("describe_scaling_activities").paginate(**about):
            news = [one for one in page["ScalingActivities"] if one["StatusCode"] in _OPEN or one["StartTime"] >= since]
            recent += news
            if len(news) < len(page["ScalingActivities"]):
                break
    return recent


def _history(clients: AwsClients, name: str) -> Question:
    async def ask() -> Seen:
        changes: list[str] = []
        with clients.explained(f"read the history of the alarm {name} (cloudwatch:DescribeAlarmHistory)"):
            pages = clients.cloudwatch.get_paginator("describe_alarm_history").paginate(
                AlarmName=name, HistoryItemType="StateUpdate", StartDate=_since(), ScanBy="TimestampDescending"
            )
            async for page in pages:
                changes += [
                    f"{one['HistorySummary']} at {one['Timestamp']:%H:%M:%S}" for one in page["AlarmHistoryItems"]
                ]
        if not changes:
            return Seen(f"{name} kept its state")
        more = f", and {len(changes) - 1} more" if len(changes) > 1 else ""
        return Seen(f"{name}: {changes[0]}{more}")

    return Question("alarm in the last 30 minutes", "its history may be read", ask, is_optional=True)


def _metrics(clients: AwsClients, found: TargetFound) -> Question:
    async def ask() -> Seen:
        metric = {"Namespace": "AWS/SageMaker", "MetricName": "ApproximateBacklogSize"}
        metric |= {"Dimensions": [{"Name": "EndpointName", "Value": found.endpoint}]}  # type: ignore[dict-item]
        query = {"Id": "one", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Average"}}
        with clients.explained("read metrics (cloudwatch:GetMetricData)"):
            await clients.cloudwatch.get_metric_data(
                MetricDataQueries=[query], StartTime=_since(), EndTime=utc_datetime(wall_ns())
            )
        return Seen("they may be read")

    return Question("metrics", "they may be read", ask, is_optional=True)


def _since() -> datetime:
    return utc_datetime(wall_ns() - _RECENT_S * 1_000_000_000)
