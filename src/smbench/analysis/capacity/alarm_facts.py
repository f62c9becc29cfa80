"""Facts about the alarms of scaling policies: from CloudWatch's description, before anything is sent.

Source: developer guide, "Monitoring asynchronous endpoint": which metrics an asynchronous endpoint publishes, and with
which dimensions.
"""

from collections.abc import Iterator, Mapping
from typing import Any

_NAMESPACE = "AWS/SageMaker"
_PER_ENDPOINT = frozenset(
    {
        "ApproximateBacklogSize",
        "ApproximateBacklogSizePerInstance",
        "ApproximateAgeOfOldestRequest",
        "HasBacklogWithoutCapacity",
    }
)
_NEVER_PUBLISHED = frozenset(
    {
        "Invocations",
        "InvocationsPerInstance",
        "InvocationsPerCopy",
        "OverheadLatency",
        "ModelSetupTime",
        "ConcurrentRequestsPerModel",
        "ConcurrentRequestsPerCopy",
        "NoCapacityInvocationFailures",
        "FirstChunkLatency",
        "FirstChunkModelLatency",
        "FirstChunkOverheadLatency",
        "MidStreamErrors",
    }
)


def alarms_without_data(target: Mapping[str, Any]) -> list[str]:
    """A sentence for each alarm that can never have data.

    Args:
        target: As found before the run; `alarms` are those of its scaling policies.
    """
    reasons = {str(alarm.get("AlarmName")): why_no_data(alarm, target) for alarm in target.get("alarms") or ()}
    return [
        f"the alarm {name} never has data, and its policy never acts: {why}" for name, why in reasons.items() if why
    ]


def why_no_data(alarm: Mapping[str, Any], target: Mapping[str, Any]) -> str:
    """Why one alarm of a target can never have data; empty where it can."""
    why_not = _why_not_published if target.get("kind") in ("realtime", "serverless") else _why_no_data
    return next(filter(None, (why_not(*metric) for metric in _metrics(alarm))), "")


def alarms_on_before_the_load(target: Mapping[str, Any]) -> list[str]:
    """A sentence for each alarm that is in ALARM before the load and may take instances away amid it."""
    least = (target.get("scalable_target") or {}).get("MinCapacity")
    there = target.get("instances_desired")
    if there is None or least is None or there <= least:
        return []
    return [
        f"the alarm {alarm.get('AlarmName')} is in ALARM before the load: until it has judged a minute of the load, "
        f"some three minutes after it began, it may take away instances ({there:,} now, MinCapacity {least:,}); wait "
        "until it is OK or until MinCapacity is reached, or suspend scaling in"
        for alarm in on_before(target)
    ]


def on_before(target: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The alarms on low values that were in ALARM when the target was found."""
    return [
        alarm
        for alarm in target.get("alarms") or ()
        if alarm.get("StateValue") == "ALARM" and str(alarm.get("ComparisonOperator", "")).startswith("Less")
    ]


def _metrics(alarm: Mapping[str, Any]) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Namespace, name and names of dimensions of each metric that an alarm reads."""
    queried = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics") or () if query.get("MetricStat")]
    for metric in queried or [alarm]:
        if metric.get("MetricName"):
            dimensions = frozenset(str(each.get("Name")) for each in metric.get("Dimensions") or ())
            yield str(metric.get("Namespace")), str(metric["MetricName"]), dimensions


def _why_no_data(namespace: str, name: str, dimensions: frozenset[str]) -> str:
    if namespace != _NAMESPACE:
        return ""
    if name in _NEVER_PUBLISHED:
        return f"asynchronous endpoints do not publish {name}; they scale by ApproximateBacklogSizePerInstance"
    wanted = frozenset({"EndpointName"} if name in _PER_ENDPOINT else {"EndpointName", "VariantName"})
    if dimensions == wanted:
        return ""
    given = ", ".join(sorted(dimensions)) or "no dimension"
    return f"{name} is published with {' and '.join(sorted(wanted))}, and the alarm names {given}"


def _why_not_published(namespace: str, name: str, _dimensions: frozenset[str]) -> str:
    """Of an endpoint that answers in the call, which has no backlog."""
    if namespace == _NAMESPACE and name in _PER_ENDPOINT:
        return f"only asynchronous endpoints publish {name}"
    return ""
