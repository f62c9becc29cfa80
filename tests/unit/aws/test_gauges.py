"""Goal: each fact of AWS's is told once, with the instant it speaks of and the instant it was first seen; what fails
is a gap with a reason.

Method: CloudWatch, SageMaker and Application Auto Scaling from tables that a test changes between two looks; the clock
is set by hand.
"""

import datetime
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from botocore.exceptions import ReadTimeoutError

from fake_aws import FakeClient, client_error, fake_clients, target
from smbench.aws.endpoint.gauges import AwsGauges
from smbench.aws.endpoint.metrics import ASYNC_METRICS, metrics_of
from smbench.clock import TimeKind, WarpLoop
from smbench.records import Event, Reading

MINUTE = 60_000_000_000
BEGIN = datetime.datetime(2026, 11, 21, 3, 0, tzinfo=datetime.UTC)
EPOCH_NS = 1_795_230_000_000_000_000 + 20_000_000_000  # the run begins 20 s into that minute
ALARM = {"AlarmName": "high"}
SCALES = {"MinCapacity": 0, "MaxCapacity": 4}


class HandClock:
    """Stands where the test puts it."""

    kind = TimeKind.REAL
    epoch_ns = EPOCH_NS
    scale = 1.0

    def __init__(self) -> None:
        self.at_ns = 0

    def now_ns(self) -> int:
        return self.at_ns

    async def sleep_until_ns(self, due_ns: int) -> None:
        self.at_ns = max(self.at_ns, due_ns)

    async def settle(self) -> None:
        pass


class Cloud:
    """An endpoint with everything that can be read of it."""

    def __init__(self, cloudwatch_every_s: float = 0.0) -> None:
        self.clock = HandClock()
        self.points: dict[tuple[str, str], list[tuple[int, float]]] = {}  # (metric as spelt, Stat) -> minute, value
        self.asked: list[dict[str, Any]] = []
        self.fleet = {"VariantName": "blue", "CurrentInstanceCount": 1, "DesiredInstanceCount": 1}
        self.status = "InService"
        self.activities: list[list[dict[str, Any]]] = [[]]
        self.history: list[dict[str, Any]] = []
        self.cloudwatch = FakeClient({"get_metric_data": self._data, "describe_alarm_history": self._history})
        self.sagemaker = FakeClient({"describe_endpoint": self._endpoint})
        self.autoscaling = FakeClient({"describe_scaling_activities": self._activities})
        self.streams: dict[str, int] = {}  # to their begin, ms since 1970
        self.logs = FakeClient({"describe_log_streams": self._streams})
        self.gauges = self.gauges_by(self.cloudwatch, cloudwatch_every_s)

    def gauges_by(self, cloudwatch: FakeClient, cloudwatch_every_s: float = 0.0) -> AwsGauges:
        clients = fake_clients(
            cloudwatch=cloudwatch, sagemaker=self.sagemaker, autoscaling=self.autoscaling, logs=self.logs
        )
        found = target(scalable_target=SCALES, alarms=(ALARM,))
        return AwsGauges(clients, found, self.clock, cloudwatch_every_s=cloudwatch_every_s)

    def _data(self, **asked: Any) -> list[dict[str, Any]]:
        self.asked.append(asked)
        results = []
        for query in asked["MetricDataQueries"]:
            metric = query["MetricStat"]
            points = self.points.get((metric["Metric"]["MetricName"], metric["Stat"]), [])
            stamps = [BEGIN + datetime.timedelta(minutes=minute) for minute, _ in points]
            visible = [index for index, stamp in enumerate(stamps) if asked["StartTime"] <= stamp < asked["EndTime"]]
            results.append(
                {
                    "Id": query["Id"],
                    "Timestamps": [stamps[index] for index in visible],
                    "Values": [points[index][1] for index in visible],
                    "StatusCode": "Complete",
                }
            )
        half = len(results) // 2
        return [{"MetricDataResults": results[:half]}, {"MetricDataResults": results[half:]}]

    def _endpoint(self, **_: Any) -> dict[str, Any]:
        return {"EndpointStatus": self.status, "ProductionVariants": [self.fleet]}

    def _activities(self, **_: Any) -> list[dict[str, Any]]:
        return [{"ScalingActivities": page} for page in self.activities]

    def _streams(self, nextToken: str = "0", **_: Any) -> dict[str, Any]:  # noqa: N803
        newest = sorted(self.streams.items(), key=lambda stream: -stream[1])
        first = int(nextToken)
        shown = [{"logStreamName": name, "creationTime": at, "lastEventTimestamp": at} for name, at in newest]
        more = {"nextToken": str(first + 50)} if len(shown) > first + 50 else {}
        return {"logStreams": shown[first : first + 50]} | more

    def _history(self, **asked: Any) -> dict[str, Any]:
        return {
            "AlarmHistoryItems": [i for i in self.history if asked["StartDate"] <= i["Timestamp"] <= asked["EndDate"]]
        }

    async def look(self, at_s: float) -> tuple[list[Reading], list[Event]]:
        self.clock.at_ns = round(at_s * 1e9)
        return await self.gauges.read()

    async def metrics(self, at_s: float) -> list[Reading]:
        return [reading for reading in (await self.look(at_s))[0] if reading.source == "cloudwatch"]

    async def events(self, at_s: float) -> list[Event]:
        return (await self.look(at_s))[1]


def stamp(at_s: float) -> datetime.datetime:
    """The datetime of an instant of the run."""
    return BEGIN + datetime.timedelta(seconds=20 + at_s)


async def test_a_datapoint_is_told_once_with_its_minute_and_when_it_was_seen() -> None:
    cloud = Cloud()
    assert await cloud.metrics(10) == []
    cloud.points["ApproximateBacklogSize", "Average"] = [(0, 12.5)]
    (reading,) = await cloud.metrics(130)
    # The minute began 20 s before the run.
    assert reading == Reading("cloudwatch", "ApproximateBacklogSize", "average", 12.5, -20_000_000_000, 130_000_000_000)
    assert await cloud.metrics(140) == []


async def test_a_datapoint_that_changes_is_told_again() -> None:
    cloud = Cloud()
    cloud.points["InvocationFailures", "Sum"] = [(0, 3.0)]
    await cloud.metrics(100)
    cloud.points["InvocationFailures", "Sum"] = [(0, 5.0)]
    (reading,) = await cloud.metrics(160)
    assert (reading.value, reading.detail, reading.seen_ns) == (5.0, "revised", 160_000_000_000)


async def test_both_spellings_are_one_metric() -> None:
    cloud = Cloud()
    cloud.points["InvocationsProcesssed", "Sum"] = [(0, 7.0)]
    (reading,) = await cloud.metrics(100)
    assert (reading.name, reading.stat, reading.value) == ("InvocationsProcessed", "sum", 7.0)
    cloud.points["InvocationsProcessed", "Sum"] = [(0, 7.0)]
    assert await cloud.metrics(110) == []


async def test_a_datapoint_that_comes_late_and_out_of_order_is_told() -> None:
    cloud = Cloud()
    cloud.points["ApproximateBacklogSize", "Average"] = [(0, 1.0), (2, 3.0)]
    assert [reading.value for reading in await cloud.metrics(240)] == [1.0, 3.0]
    cloud.points["ApproximateBacklogSize", "Average"] = [(0, 1.0), (1, 2.0), (2, 3.0)]
    assert [reading.value for reading in await cloud.metrics(250)] == [2.0]


async def test_a_minute_that_never_came_is_a_gap_once_a_later_one_has() -> None:
    cloud = Cloud()
    cloud.points["ApproximateBacklogSize", "Average"] = [(minute, 1.0) for minute in range(20) if minute != 3]
    gaps = []
    for minute in range(1, 20):
        gaps += [reading for reading in await cloud.metrics(minute * 60) if reading.value is None]
    assert [(gap.name, gap.at_ns, gap.detail) for gap in gaps] == [
        ("ApproximateBacklogSize", 3 * MINUTE - 20_000_000_000, "no datapoint")
    ]


async def test_silence_to_the_end_is_no_gap_that_we_could_know_of() -> None:
    cloud = Cloud()
    cloud.points["ApproximateBacklogSize", "Average"] = [(0, 1.0), (1, 1.0)]
    readings = [reading for minute in range(1, 40) for reading in await cloud.metrics(minute * 60)]
    assert [reading.value for reading in readings] == [1.0, 1.0]


async def test_queries_ask_from_the_runs_first_minute_and_never_far_back() -> None:
    cloud = Cloud()
    await cloud.metrics(10)
    await cloud.metrics(7200)
    first, late = cloud.asked
    assert first["StartTime"] == BEGIN
    assert late["StartTime"] == stamp(7200).replace(second=0) - datetime.timedelta(minutes=10)
    # A period that ends after EndTime is left out: the current one must end before it.
    assert late["EndTime"] >= stamp(7200)


def test_streams_are_asked_for_their_metrics_and_others_are_not() -> None:
    plain, streamed = (metrics_of("realtime", in_stream=in_stream) for in_stream in (False, True))
    added = [(metric.name, metric.statistic) for metric in streamed if metric not in plain]
    assert len(added) == len(streamed) - len(plain) == 5
    assert {("FirstChunkLatency", "Maximum"), ("MidStreamErrors", "Sum")} <= set(added)


async def test_queries_are_what_cloudwatch_takes() -> None:
    cloud = Cloud()
    await cloud.metrics(10)
    queries = cloud.asked[0]["MetricDataQueries"]
    assert len({query["Id"] for query in queries}) == len(queries) == len(ASYNC_METRICS) <= 500
    for query in queries:
        stat = query["MetricStat"]
        assert stat["Period"] == 60
        assert "Unit" not in stat  # another unit than the metric's gives silence
        dimensions = {d["Name"]: d["Value"] for d in stat["Metric"]["Dimensions"]}
        of_endpoint = {"EndpointName": "ep"}
        is_backlog = stat["Metric"]["MetricName"].startswith(("Approximate", "HasBacklog"))
        assert dimensions == (of_endpoint if is_backlog else of_endpoint | {"VariantName": "blue"})


async def test_instances_are_read_at_every_look() -> None:
    cloud = Cloud()
    for at_s in (10, 20):
        readings = [reading for reading in (await cloud.look(at_s))[0] if reading.source == "endpoint"]
        at_ns = at_s * 1_000_000_000
        assert readings == [
            Reading("endpoint", "instances_current", "value", 1.0, at_ns, at_ns),
            Reading("endpoint", "instances_desired", "value", 1.0, at_ns, at_ns),
        ]


async def test_a_change_of_what_is_desired_is_an_event() -> None:
    cloud = Cloud()
    assert await cloud.events(10) == []
    cloud.status, cloud.fleet["DesiredInstanceCount"] = "Updating", 3
    (event,) = await cloud.events(20)
    assert (event.kind, event.name, event.state, event.before, event.after) == (
        "capacity",
        "blue",
        "Updating",
        1.0,
        3.0,
    )
    assert await cloud.events(30) == []
    cloud.status = "InService"
    (event,) = await cloud.events(40)
    assert (event.state, event.before, event.after) == ("InService", 3.0, 3.0)


def activity(name: str, start_s: float, status: str = "InProgress", **more: Any) -> dict[str, Any]:
    return {
        "ActivityId": name,
        "StartTime": stamp(start_s),
        "StatusCode": status,
        "Description": "Setting desired instance count to 4.",
        "Cause": "monitor alarm high in state ALARM triggered policy keep",
    } | more


async def test_an_activity_is_told_when_it_begins_and_when_it_ends() -> None:
    cloud = Cloud()
    cloud.activities = [[activity("a", 100)]]
    (begun,) = await cloud.events(110)
    assert (begun.kind, begun.name, begun.state) == ("scaling_activity", "a", "InProgress")
    assert (begun.at_ns, begun.end_ns, begun.after) == (100_000_000_000, None, 4.0)
    assert begun.cause == "monitor alarm high in state ALARM triggered policy keep"
    assert begun.detail == {"Description": "Setting desired instance count to 4."}
    assert await cloud.events(120) == []
    cloud.activities = [[activity("a", 100, "Successful", EndTime=stamp(400))]]
    (ended,) = await cloud.events(410)
    assert (ended.name, ended.state, ended.end_ns) == ("a", "Successful", 400_000_000_000)


async def test_activities_come_oldest_first() -> None:
    cloud = Cloud()
    cloud.activities = [[activity("c", 300), activity("b", 200)], [activity("a", 100)]]
    assert [event.name for event in await cloud.events(310)] == ["a", "b", "c"]


async def test_what_was_over_before_the_run_is_not_ours_and_what_goes_on_is() -> None:
    cloud = Cloud()
    over = activity("over", -900, "Successful", EndTime=stamp(-100))
    cloud.activities = [[activity("going", -50), over], [activity("older", -5000, "Successful")]]
    assert [event.name for event in await cloud.events(10)] == ["going"]


async def test_why_nothing_was_scaled_is_told() -> None:
    cloud = Cloud()
    reasons = [{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 4, "CurrentCapacity": 4}]
    text = {"Description": "Attempting to scale due to alarm triggered"}
    cloud.activities = [[activity("a", 100, "Failed", NotScaledReasons=reasons, **text)]]
    (event,) = await cloud.events(110)
    assert (event.before, event.after) == (4.0, None)
    assert event.detail["NotScaledReasons"] == reasons
    (asked,) = cloud.autoscaling.called("describe_scaling_activities")
    assert asked["IncludeNotScaledActivities"] is True
    assert asked["ResourceId"] == "endpoint/ep/variant/blue"


def change(at_s: float, data: str = "") -> dict[str, Any]:
    summary = "Alarm updated from OK to ALARM"
    return {"AlarmName": "high", "Timestamp": stamp(at_s), "HistorySummary": summary, "HistoryData": data}


DATA = '{"oldState":{"stateValue":"OK"},"newState":{"stateValue":"ALARM","stateReason":"3 datapoints above 5.0"}}'


@pytest.mark.parametrize("data", [DATA, "", "no json", "[]"])
async def test_a_change_of_an_alarm_is_told_once(data: str) -> None:
    cloud = Cloud()
    cloud.history = [change(187.25, data)]
    (event,) = await cloud.events(190)
    assert (event.kind, event.name, event.state) == ("alarm", "high", "OK -> ALARM")
    assert event.at_ns == 187_250_000_000
    assert event.cause == ("3 datapoints above 5.0" if data == DATA else "")
    assert await cloud.events(200) == []


@pytest.mark.parametrize("depth", [300, 1200])
async def test_a_history_too_deep_to_be_kept_is_told_without_it(depth: int) -> None:
    cloud = Cloud()
    cloud.history = [change(187.25, '{"a":' * depth + "1" + "}" * depth)]
    (event,) = await cloud.events(190)
    assert (event.state, event.detail) == ("OK -> ALARM", {})


async def test_an_alarm_that_is_listed_late_is_told() -> None:
    cloud = Cloud()
    await cloud.events(190)
    cloud.history = [change(185)]
    assert len(await cloud.events(200)) == 1


@pytest.mark.parametrize(
    ("service", "operation", "source", "name"),
    [
        ("cloudwatch", "get_metric_data", "cloudwatch", "GetMetricData"),
        ("cloudwatch", "describe_alarm_history", "cloudwatch", "DescribeAlarmHistory"),
        ("sagemaker", "describe_endpoint", "endpoint", "DescribeEndpoint"),
        ("autoscaling", "describe_scaling_activities", "endpoint", "DescribeScalingActivities"),
    ],
)
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (client_error("ThrottlingException", None), "ThrottlingException"),
        (ReadTimeoutError(endpoint_url="x"), "read timeout"),
    ],
    ids=["throttled", "timed out"],
)
async def test_a_gauge_that_fails_is_a_gap_and_the_others_go_on(
    service: str, operation: str, source: str, name: str, error: Exception, reason: str
) -> None:
    cloud = Cloud()
    cloud.points["ApproximateBacklogSize", "Average"] = [(0, 1.0)]
    cloud.activities, cloud.history = [[activity("a", 50)]], [change(40)]
    everything = await Cloud.look(cloud, 100)
    cloud = Cloud()
    cloud.points["ApproximateBacklogSize", "Average"] = [(0, 1.0)]
    cloud.activities, cloud.history = [[activity("a", 50)]], [change(40)]
    getattr(cloud, service).table[operation] = error
    readings, events = await cloud.look(100)
    at_ns = 100_000_000_000
    gaps = [reading for reading in readings if reading.value is None]
    assert gaps == [Reading(source, name, "value", None, at_ns, at_ns, reason)]
    assert set(readings) - set(gaps) <= set(everything[0])
    assert {event.kind for event in events} <= {event.kind for event in everything[1]}
    lost = {"get_metric_data": 1, "describe_endpoint": 2}.get(operation, 0)
    assert len(readings) - 1 == len(everything[0]) - lost


async def test_a_gauge_that_failed_tells_later_what_it_missed() -> None:
    cloud = Cloud()
    cloud.points["ApproximateBacklogSize", "Average"] = [(0, 1.0)]
    told = cloud.cloudwatch.table["get_metric_data"]
    cloud.cloudwatch.table["get_metric_data"] = client_error("InternalServiceFault", status=500)
    await cloud.look(100)
    cloud.cloudwatch.table["get_metric_data"] = told
    assert [reading.value for reading in await cloud.metrics(110)] == [1.0]


async def test_what_came_before_a_call_broke_off_is_told_by_the_next() -> None:
    cloud = Cloud()
    cloud.points["ApproximateBacklogSize", "Average"] = [(0, 1.0)]  # in the first of two pages
    cloud.activities, cloud.history = [[activity("b", 50)], [activity("a", 40)]], [change(40)]
    cloud.streams = {f"blue/i-{n}": begun(n) for n in range(60)}
    broken = client_error("ThrottlingException")
    services = (cloud.cloudwatch, cloud.autoscaling, cloud.logs)
    whole = [dict(service.table) for service in services]
    cloud.cloudwatch.table["get_metric_data"] = lambda **asked: [*cloud._data(**asked)[:1], broken]
    cloud.cloudwatch.table["describe_alarm_history"] = lambda **asked: [cloud._history(**asked), broken]
    cloud.autoscaling.table["describe_scaling_activities"] = lambda **asked: [*cloud._activities(**asked)[:1], broken]
    cloud.logs.table["describe_log_streams"] = lambda **asked: broken if "nextToken" in asked else cloud._streams()
    readings, events = await cloud.look(90)
    assert ({one.value for one in readings if one.source != "endpoint"}, events) == ({None}, [])
    for service, table in zip(services, whole, strict=True):
        service.table = table
    readings, events = await cloud.look(100)
    assert [one.value for one in readings if one.source == "cloudwatch"] == [1.0]
    told = [event.name for event in events]
    assert (told.count("high"), [one for one in told if one in ("a", "b")], len(told)) == (1, ["a", "b"], 63)


@pytest.mark.parametrize("anyio_backend", [("asyncio", {"loop_factory": WarpLoop})])
async def test_a_gauge_that_hangs_is_a_gap_and_holds_the_others_up_for_a_while_only() -> None:
    class Hanging(FakeClient):
        def get_paginator(self, _operation: str) -> Any:
            return self

        async def paginate(self, **_: Any) -> AsyncIterator[Any]:
            await anyio.sleep_forever()
            yield

    cloud = Cloud()
    cloud.activities = [[activity("a", 50)]]
    cloud.gauges = cloud.gauges_by(Hanging())
    readings, events = await cloud.look(100)
    assert [event.name for event in events] == ["a"]
    gaps = {(reading.name, reading.detail) for reading in readings if reading.value is None}
    assert gaps == {("DescribeAlarmHistory", "read timeout"), ("GetMetricData", "read timeout")}


async def test_cloudwatch_is_asked_at_its_own_pace_and_the_rest_at_every_look() -> None:
    cloud = Cloud(cloudwatch_every_s=30.0)
    for at_s in range(10, 100, 10):
        await cloud.look(at_s)
    calls = {name: len(cloud.cloudwatch.called(name)) for name in ("get_metric_data", "describe_alarm_history")}
    assert calls == {"get_metric_data": 3, "describe_alarm_history": 3}
    assert len(cloud.sagemaker.called("describe_endpoint")) == 9
    assert len(cloud.autoscaling.called("describe_scaling_activities")) == 9


async def test_a_gauge_that_failed_is_asked_again_at_the_next_look() -> None:
    cloud = Cloud(cloudwatch_every_s=30.0)
    cloud.cloudwatch.table["get_metric_data"] = client_error("ThrottlingException")
    for at_s in (10, 20, 30):
        await cloud.look(at_s)
    assert len(cloud.cloudwatch.called("get_metric_data")) == 3


async def test_an_endpoint_that_does_not_scale_is_not_asked_how() -> None:
    cloud = Cloud()
    clients = fake_clients(
        cloudwatch=cloud.cloudwatch, sagemaker=cloud.sagemaker, autoscaling=FakeClient({}), logs=cloud.logs
    )
    readings, events = await AwsGauges(clients, target(), cloud.clock).read()
    assert all(reading.value is not None for reading in readings)
    assert events == []


async def test_a_metric_that_may_not_be_read_is_a_gap() -> None:
    cloud = Cloud()
    result = {"Id": "m0", "Timestamps": [], "Values": [], "StatusCode": "Forbidden"}
    cloud.cloudwatch.table["get_metric_data"] = {"MetricDataResults": [result]}
    (gap,) = await cloud.metrics(10)
    assert (gap.name, gap.value, gap.detail) == ("ApproximateBacklogSize", None, "Forbidden")


def begun(at_s: float) -> int:
    """Milliseconds since 1970 of an instant of the run."""
    return EPOCH_NS // 1_000_000 + round(at_s * 1000)


async def instances(cloud: Cloud, at_s: float) -> list[tuple[str, int]]:
    return [(event.name, event.at_ns) for event in await cloud.events(at_s) if event.kind == "instance"]


async def test_a_container_that_begins_its_log_during_the_run_is_an_instance_told_once() -> None:
    cloud = Cloud()
    cloud.streams = {"blue/i-old": begun(-60), "blue/i-new": begun(30), "blue/i-new/data-log": begun(31)}
    cloud.streams["green/i-other"] = begun(32)
    assert await instances(cloud, 40) == [("i-new", 30_000_000_000)]
    cloud.streams["blue/i-newer"] = begun(45)
    assert await instances(cloud, 50) == [("i-newer", 45_000_000_000)]
    assert cloud.logs.calls[0][1]["logGroupName"] == "/aws/sagemaker/Endpoints/ep"


async def test_all_streams_of_the_run_are_found_and_none_is_asked_for_beyond_those_of_before() -> None:
    cloud = Cloud()
    cloud.streams = {f"blue/i-{n}": begun(n) for n in range(70)} | {f"blue/old-{n}": begun(-1 - n) for n in range(300)}
    assert len(await instances(cloud, 80)) == 70
    assert len(cloud.logs.calls) == 2


async def test_log_streams_that_may_not_be_read_are_said_once_and_asked_for_no_more() -> None:
    cloud = Cloud()
    cloud.logs.table["describe_log_streams"] = client_error("AccessDeniedException", "not authorized")
    (gap,) = [reading for reading in (await cloud.look(10))[0] if reading.source == "logs"]
    assert (gap.value, "AccessDeniedException" in gap.detail) == (None, True)
    readings, _ = await cloud.look(20)
    assert ([one for one in readings if one.source == "logs"], len(cloud.logs.calls)) == ([], 1)


async def test_an_endpoint_that_never_logged_has_no_group_and_that_is_no_gap() -> None:
    cloud = Cloud()
    cloud.logs.table["describe_log_streams"] = client_error("ResourceNotFoundException")
    readings, events = await cloud.look(10)
    assert [one for one in readings if one.source == "logs"] == []
    assert events == []


async def test_a_change_of_capacity_came_between_the_look_before_and_this_one() -> None:
    cloud = Cloud()
    cloud.fleet["DesiredInstanceCount"] = 2
    (first,) = await cloud.events(10)
    assert (first.at_ns, first.doubt_ns) == (10_000_000_000, None)  # nothing says since when
    cloud.fleet["DesiredInstanceCount"] = 3
    (second,) = await cloud.events(16)
    assert (second.at_ns, second.doubt_ns, second.source) == (16_000_000_000, 6_000_000_000, "endpoint")
