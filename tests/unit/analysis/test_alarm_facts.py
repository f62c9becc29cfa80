"""Goal: alarms that can never have data, and those that are on before the load, are known before anything is sent.

Method: alarms as DescribeAlarms gives them, one thing wrong at a time.
"""

from typing import Any

import pytest

from smbench.analysis.capacity.alarm_facts import alarms_on_before_the_load, alarms_without_data

ENDPOINT = {"Name": "EndpointName", "Value": "e"}
VARIANT = {"Name": "VariantName", "Value": "v"}


def alarm(name: str = "HasBacklogWithoutCapacity", *dimensions: dict[str, str], **more: Any) -> dict[str, Any]:
    metric = {"Namespace": "AWS/SageMaker", "MetricName": name, "Dimensions": list(dimensions or (ENDPOINT,))}
    return {"AlarmName": "a", "ComparisonOperator": "LessThanThreshold", "StateValue": "OK"} | metric | more


@pytest.mark.parametrize(
    ("watched", "why"),
    [
        (alarm(), ""),
        (alarm("HasBacklogWithoutCapacity", ENDPOINT, VARIANT), "published with EndpointName, and the alarm names"),
        (alarm("ApproximateBacklogSizePerInstance", VARIANT), "published with EndpointName"),
        (alarm("InvocationsProcessed", ENDPOINT, VARIANT), ""),
        (alarm("InvocationsProcessed"), "published with EndpointName and VariantName"),
        (alarm("InvocationsPerInstance", ENDPOINT, VARIANT), "do not publish InvocationsPerInstance"),
        (alarm("CPUUtilization", ENDPOINT, VARIANT, Namespace="/aws/sagemaker/Endpoints"), ""),
        (alarm("Mine", Namespace="Custom"), ""),
    ],
)
def test_an_alarm_that_never_has_data_is_named_with_the_reason(watched: dict[str, Any], why: str) -> None:
    found = alarms_without_data({"alarms": [watched]})
    assert len(found) == bool(why)
    assert why in " ".join(found)


def test_the_metrics_of_an_expression_are_looked_at_too() -> None:
    inside = {"Namespace": "AWS/SageMaker", "MetricName": "Invocations", "Dimensions": [ENDPOINT, VARIANT]}
    queries = [{"Id": "m1", "MetricStat": {"Metric": inside}}, {"Id": "e1", "Expression": "FILL(m1, 0)"}]
    (found,) = alarms_without_data({"alarms": [{"AlarmName": "math", "Metrics": queries}]})
    assert "Invocations" in found


def test_an_alarm_that_is_on_before_the_load_is_named_where_there_is_something_to_take_away() -> None:
    on = alarm(StateValue="ALARM")
    target = {"alarms": [on], "scalable_target": {"MinCapacity": 1}, "instances_desired": 2}
    (found,) = alarms_on_before_the_load(target)
    assert "is in ALARM before the load" in found
    assert alarms_on_before_the_load(target | {"instances_desired": 1}) == []
    assert alarms_on_before_the_load(target | {"alarms": [alarm()]}) == []
    assert alarms_on_before_the_load(target | {"alarms": [on | {"ComparisonOperator": "GreaterThanThreshold"}]}) == []
    assert alarms_on_before_the_load({}) == []
