"""Goal: metrics and alarms read through the API are the model's, in the periods and statistics asked for.

Method: a minute of known load on the warp loop, figures by hand; errors by their codes; alarms over hours of it.
Delay and lag are constants: a datapoint is visible the instant its minute ends.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from botocore.exceptions import ClientError

from emulation import FAST, advance, client, emulating, scenario
from smbench.clock import WarpLoop
from smbench.emulator.server import Emulator

NAME = "smbench-emulated"
ZERO = datetime(2026, 1, 1, tzinfo=UTC)
ENDPOINT = [{"Name": "EndpointName", "Value": NAME}]
VARIANT = [*ENDPOINT, {"Name": "VariantName", "Value": "AllTraffic"}]


@pytest.fixture
def anyio_backend() -> Any:
    return "asyncio", {"loop_factory": WarpLoop}


class Watch:
    """An emulator and its CloudWatch."""

    def __init__(self, emulator: Emulator, cloudwatch: Any, stack: AsyncExitStack) -> None:
        self.emulator, self.cloudwatch, self.stack = emulator, cloudwatch, stack

    async def put(self, value: float, *, minute: int | None = None, name: str = "M", **more: Any) -> None:
        datum = {"MetricName": name, "Value": value} | more
        if minute is not None:
            datum["Timestamp"] = ZERO + timedelta(minutes=minute)
        await self.cloudwatch.put_metric_data(Namespace="Mine", MetricData=[datum])

    async def data(self, *queries: dict[str, Any], minutes: int = 10, **more: Any) -> dict[str, Any]:
        span = {"StartTime": ZERO, "EndTime": ZERO + timedelta(minutes=minutes)}
        answer = await self.cloudwatch.get_metric_data(MetricDataQueries=list(queries), **span | more)
        return dict(answer)

    async def values(self, *queries: dict[str, Any], minutes: int = 10, **more: Any) -> list[list[float]]:
        answer = await self.data(*queries, minutes=minutes, **{"ScanBy": "TimestampAscending"} | more)
        return [result["Values"] for result in answer["MetricDataResults"]]


def stat(
    name: str = "M",
    statistic: str = "Average",
    *,
    query_id: str = "m1",
    period: int = 60,
    namespace: str = "Mine",
    dimensions: list[dict[str, str]] | None = None,
    **more: Any,
) -> dict[str, Any]:
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions or []}
    return {"Id": query_id, "MetricStat": {"Metric": metric, "Period": period, "Stat": statistic}} | more


def math(expression: str, *, query_id: str = "e1", **more: Any) -> dict[str, Any]:
    return {"Id": query_id, "Expression": expression} | more


@pytest.fixture
async def watch() -> AsyncIterator[Watch]:
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(emulating(scenario(FAST | {"service": "30s"})))
        yield Watch(emulator, await stack.enter_async_context(client(emulator, "cloudwatch")), stack)


async def refused(call: Any) -> str:
    with pytest.raises(ClientError) as caught:
        await call
    return str(caught.value.response["Error"]["Code"])


# Metrics


async def test_an_endpoints_backlog_is_its_average_over_the_minute(watch: Watch) -> None:
    runtime = await watch.stack.enter_async_context(client(watch.emulator, "sagemaker-runtime"))
    watch.emulator.s3.put(NAME, "in.json", b"{}")
    await runtime.invoke_endpoint_async(EndpointName=NAME, InputLocation=f"s3://{NAME}/in.json")
    await advance(watch.emulator, 61.0)
    backlog: dict[str, Any] = {"namespace": "AWS/SageMaker", "dimensions": ENDPOINT}
    counted: dict[str, Any] = {"namespace": "AWS/SageMaker", "dimensions": VARIANT}
    values = await watch.values(
        stat("ApproximateBacklogSize", "Average", query_id="a", **backlog),
        stat("ApproximateBacklogSize", "Maximum", query_id="b", **backlog),
        stat("InvocationsProcessed", "Sum", query_id="c", **counted),
        stat("TotalProcessingTime", "Average", query_id="d", **counted),
        stat("CPUUtilization", "SampleCount", query_id="e", namespace="/aws/sagemaker/Endpoints", dimensions=VARIANT),
    )
    assert values[0] == pytest.approx([0.5])  # one request in the system for half of the minute
    assert values[1:] == [[1.0], [1.0], [30_000.0], [1.0]]


async def test_a_datapoint_is_seen_only_when_it_is_published() -> None:
    async with AsyncExitStack() as stack:
        late = scenario(FAST | {"metric_delay": "90s"})
        emulator = await stack.enter_async_context(emulating(late))
        watch = Watch(emulator, await stack.enter_async_context(client(emulator, "cloudwatch")), stack)
        query = stat("ApproximateBacklogSize", namespace="AWS/SageMaker", dimensions=ENDPOINT)
        await advance(emulator, 149.0)
        assert await watch.values(query) == [[]]
        await advance(emulator, 2.0)
        assert await watch.values(query) == [[0.0]]


async def test_periods_gather_minutes_and_leave_out_the_one_that_ends_too_late(watch: Watch) -> None:
    for minute, value in enumerate([1.0, 2.0, 6.0, 7.0, 9.0]):
        await watch.put(value, minute=minute)
    assert await watch.values(stat(period=120), minutes=5) == [[1.5, 6.5]]
    assert await watch.values(stat(statistic="Sum", period=180), minutes=6) == [[9.0, 16.0]]
    assert await watch.values(stat(statistic="SampleCount", period=300), minutes=5) == [[5.0]]
    assert await watch.values(stat(period=30), minutes=2) == [[1.0, 2.0]]  # stored by the minute, given by the minute


async def test_newest_comes_first_unless_asked_otherwise(watch: Watch) -> None:
    for minute in range(3):
        await watch.put(float(minute), minute=minute)
    answer = await watch.data(stat())
    (result,) = answer["MetricDataResults"]
    assert result["Values"] == [2.0, 1.0, 0.0]
    assert result["Timestamps"] == [ZERO + timedelta(minutes=minute) for minute in (2, 1, 0)]
    assert (result["Label"], result["StatusCode"]) == ("M", "Complete")


async def test_a_datum_comes_in_three_forms(watch: Watch) -> None:
    await watch.put(4.0, minute=0, name="A")
    sets = {"Sum": 10.0, "SampleCount": 4.0, "Minimum": 1.0, "Maximum": 5.0}
    put = watch.cloudwatch.put_metric_data
    await put(Namespace="Mine", MetricData=[{"MetricName": "A", "Timestamp": ZERO, "StatisticValues": sets}])
    counted = {"MetricName": "A", "Timestamp": ZERO, "Values": [2.0, 8.0], "Counts": [1.0, 2.0]}
    await put(Namespace="Mine", MetricData=[counted])
    names = ("Sum", "SampleCount", "Minimum", "Maximum", "Average")
    queries = [stat("A", name, query_id=f"q{index}") for index, name in enumerate(names)]
    assert await watch.values(*queries) == [[32.0], [8.0], [1.0], [8.0], [4.0]]


async def test_metric_math_reads_other_queries_and_may_hide_them(watch: Watch) -> None:
    for minute, value in ((0, 2.0), (2, 6.0)):
        await watch.put(value, minute=minute)
    answered = await watch.values(
        stat(ReturnData=False), math("f / 2"), math("FILL(m1, REPEAT)", query_id="f", ReturnData=False), minutes=4
    )
    assert answered == [[1.0, 1.0, 3.0, 3.0]]


async def test_an_expression_has_the_period_of_what_it_reads(watch: Watch) -> None:
    await watch.put(2.0, minute=0)
    coarse = stat(period=120, ReturnData=False)
    assert await watch.values(coarse, math("FILL(m1, 0)"), minutes=4) == [[2.0, 0.0]]
    assert await watch.values(coarse, math("FILL(m1, 0)", Period=60), minutes=4) == [[2.0, 0.0, 0.0, 0.0]]


async def test_a_long_answer_comes_in_pages_that_lose_nothing(watch: Watch) -> None:
    for minute in range(7):
        await watch.put(float(minute), minute=minute)
    queries = [stat(query_id="a"), stat(query_id="b", statistic="Sum")]
    seen: dict[str, list[float]] = {"a": [], "b": []}
    more: dict[str, Any] = {}
    for _ in range(5):
        answer = await watch.data(*queries, MaxDatapoints=3, ScanBy="TimestampAscending", **more)
        for result in answer["MetricDataResults"]:
            seen[result["Id"]] += result["Values"]
        if "NextToken" not in answer:
            break
        assert "PartialData" in {result["StatusCode"] for result in answer["MetricDataResults"]}
        more = {"NextToken": answer["NextToken"]}
    assert seen == {"a": [float(n) for n in range(7)], "b": [float(n) for n in range(7)]}


async def test_statistics_are_the_older_way_to_ask(watch: Watch) -> None:
    await watch.put(3.0, minute=0, Unit="Seconds")
    asked = {"Namespace": "Mine", "MetricName": "M", "StartTime": ZERO, "EndTime": ZERO + timedelta(minutes=5)}
    answer = await watch.cloudwatch.get_metric_statistics(**asked, Period=60, Statistics=["Sum", "SampleCount"])
    assert answer["Datapoints"] == [{"Timestamp": ZERO, "Sum": 3.0, "SampleCount": 1.0, "Unit": "Seconds"}]
    other = await watch.cloudwatch.get_metric_statistics(**asked, Period=60, Statistics=["Sum"], Unit="Bytes")
    assert other["Datapoints"] == []  # another unit is another series: empty, and no error


async def test_percentiles_are_of_the_values_of_a_period(watch: Watch) -> None:
    """Two minutes of 1 to 1,000 and 1,001 to 2,000, as latencies come; nearest rank, to two per cent."""
    counter = watch.emulator.world.metrics.open_counter("M", (), "None", namespace="Mine")
    for first in (1, 1001):
        for n in range(first, first + 1000):
            counter.add(float(n))
        await advance(watch.emulator, 60.0)
    await advance(watch.emulator, 300.0)  # until both are published
    names = ("p0", "p50", "p99", "p99.9", "p100")
    asked = (stat(statistic=name, query_id=f"q{at}", period=120) for at, name in enumerate(names))
    said = [values[0] for values in await watch.values(*asked, minutes=2)]
    assert said == pytest.approx([1, 1000, 1980, 1998, 2000], rel=0.015)
    assert (said[0], said[-1]) == (1, 2000)
    span = {"StartTime": ZERO, "EndTime": ZERO + timedelta(minutes=2), "Period": 120}
    one = {"Namespace": "Mine", "MetricName": "M", "ExtendedStatistics": ["p50"]}
    older = await watch.cloudwatch.get_metric_statistics(**one, **span)
    assert older["Datapoints"][0]["ExtendedStatistics"] == {"p50": said[1]}


async def test_trimmed_statistics_have_their_boundaries_where_the_guide_says(watch: Watch) -> None:
    """Of 1 to 100, each twice: a boundary that is a value leaves itself out below, and is within above."""
    values = {"Values": [float(n) for n in range(1, 101)], "Counts": [2.0] * 100}
    await watch.cloudwatch.put_metric_data(
        Namespace="Mine", MetricData=[{"MetricName": "M", "Timestamp": ZERO, **values}]
    )
    right = {
        "tm90": 45.5,
        "TM(10%:90%)": 50.5,
        "IQM": 50.5,
        "TM(:90%)": 45.5,
        "tm(50%:)": 75.5,
        "TM(10:20)": 15.5,
        "TC(10:20)": 20,
        "tc90": 180,
        "TS(:3)": 12,
        "ts50": 2550,
        "PR(:30)": 30,
        "PR(30:)": 70,
        "PR(10:20.5)": 10,
        "wm98": (4851 + 2 * 98) / 100,  # 1 to 98 add up to 4,851
        "WM(10%:90%)": (10 * 9 + sum(range(10, 91)) + 90 * 10) / 100,
    }
    queries = [stat(statistic=name, query_id=f"q{at}") for at, name in enumerate(right)]
    said = [values[0] for values in await watch.values(*queries)]
    assert dict(zip(right, said, strict=True)) == pytest.approx(right)
    assert await watch.values(stat(statistic="TM(200:300)")) == [[]]  # the mean of nothing
    assert await watch.values(stat(statistic="TC(200:300)")) == [[0.0]]
    one = {"Namespace": "Mine", "MetricName": "M", "ExtendedStatistics": ["tm90", "PR(:30)"]}
    span = {"StartTime": ZERO, "EndTime": ZERO + timedelta(minutes=1), "Period": 60}
    older = await watch.cloudwatch.get_metric_statistics(**one, **span)
    assert older["Datapoints"][0]["ExtendedStatistics"] == {"tm90": 45.5, "PR(:30)": 30.0}


async def test_an_alarm_watches_a_trimmed_mean(watch: Watch) -> None:
    one = {"Namespace": "Mine", "MetricName": "M", "EvaluationPeriods": 1, "Threshold": 50.0, "Period": 60}
    for name in ("tm90", "IQM", "TC(:10)", "PR(:50)"):
        await watch.cloudwatch.put_metric_alarm(
            AlarmName=name, ExtendedStatistic=name, ComparisonOperator="GreaterThanThreshold", **one
        )
    counter = watch.emulator.world.metrics.open_counter("M", (), "None", namespace="Mine")
    for n in range(1, 101):
        counter.add(float(n))
    await advance(watch.emulator, 240.0)
    alarms = (await watch.cloudwatch.describe_alarm_history(HistoryItemType="StateUpdate"))["AlarmHistoryItems"]
    assert [item["AlarmName"] for item in alarms if "to ALARM" in item["HistorySummary"]] == ["IQM"]


async def test_an_alarm_watches_a_percentile_of_what_is_kept_by_value(watch: Watch) -> None:
    one = {"Namespace": "Mine", "MetricName": "M", "EvaluationPeriods": 1, "Threshold": 900.0}
    one |= {"ComparisonOperator": "GreaterThanThreshold"}
    query = {"Metric": {"Namespace": "Mine", "MetricName": "M"}, "Period": 60, "Stat": "p50"}
    put = watch.cloudwatch.put_metric_alarm
    await put(AlarmName="p99", ExtendedStatistic="p99", Period=60, **one)
    await put(AlarmName="p50", ExtendedStatistic="p50", Period=60, EvaluateLowSampleCountPercentile="evaluate", **one)
    listed = {name: one[name] for name in ("EvaluationPeriods", "Threshold", "ComparisonOperator")}
    doubled = [{"Id": "m", "MetricStat": query, "ReturnData": False}, {"Id": "e", "Expression": "2 * m"}]
    await put(AlarmName="twice-p50", Metrics=doubled, **listed)
    counter = watch.emulator.world.metrics.open_counter("M", (), "None", namespace="Mine")
    for n in range(1000):
        counter.add(float(n))
    await advance(watch.emulator, 240.0)
    alarms = {one["AlarmName"]: one for one in (await watch.cloudwatch.describe_alarms())["MetricAlarms"]}
    history = [
        item["AlarmName"]
        for item in (await watch.cloudwatch.describe_alarm_history(HistoryItemType="StateUpdate"))["AlarmHistoryItems"]
        if "to ALARM" in item["HistorySummary"]
    ]
    assert sorted(history) == ["p99", "twice-p50"]
    assert alarms["p99"]["ExtendedStatistic"] == "p99"
    assert "Statistic" not in alarms["p99"]
    for metric, wrong in (("CPUUtilization", "p99"), ("ApproximateBacklogSize", "tm99")):
        with pytest.raises(ClientError) as gap:
            await put(
                AlarmName="x",
                ExtendedStatistic=wrong,
                Period=60,
                **(one | {"Namespace": "AWS/SageMaker", "MetricName": metric}),
            )
        assert gap.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    with pytest.raises(ClientError, match="only one of Statistic"):
        await put(AlarmName="x", ExtendedStatistic="p9", Statistic="Sum", Period=60, **one)


async def test_of_what_was_put_as_a_set_or_is_negative_there_is_no_percentile(watch: Watch) -> None:
    put = watch.cloudwatch.put_metric_data
    sums = {"Sum": 10.0, "SampleCount": 4.0, "Minimum": 1.0, "Maximum": 4.0}
    await put(Namespace="Mine", MetricData=[{"MetricName": "M", "Timestamp": ZERO, "StatisticValues": sums}])
    assert await watch.values(stat(statistic="p50")) == [[]]
    same = sums | {"Minimum": 2.5, "Maximum": 2.5}
    await put(Namespace="Mine", MetricData=[{"MetricName": "N", "Timestamp": ZERO, "StatisticValues": same}])
    assert await watch.values(stat("N", "p50")) == [[2.5]]
    await put(Namespace="Mine", MetricData=[{"MetricName": "O", "Timestamp": ZERO, "Values": [-1.0, 2.0]}])
    assert await watch.values(stat("O", "p50")) == [[]]


async def test_metrics_are_listed_by_name_and_dimension(watch: Watch) -> None:
    await watch.put(1.0, Dimensions=[{"Name": "A", "Value": "1"}, {"Name": "B", "Value": "2"}])
    await watch.put(1.0, Dimensions=[{"Name": "A", "Value": "3"}])

    async def listed(**wanted: Any) -> int:
        return len((await watch.cloudwatch.list_metrics(Namespace="Mine", **wanted))["Metrics"])

    assert await listed() == 2
    assert await listed(Dimensions=[{"Name": "A"}]) == 2
    assert await listed(Dimensions=[{"Name": "A", "Value": "3"}]) == 1
    assert await listed(Dimensions=[{"Name": "B"}]) == 1
    assert await listed(MetricName="Other") == 0


async def test_questions_that_make_no_sense_get_cloudwatchs_errors(watch: Watch) -> None:
    get, one = watch.cloudwatch.get_metric_statistics, timedelta(minutes=1)
    asked = {"Namespace": "Mine", "MetricName": "M", "Period": 60}
    span = {"StartTime": ZERO, "EndTime": ZERO + one}
    assert await refused(get(**asked, **span)) == "InvalidParameterCombination"
    days = {"StartTime": ZERO, "EndTime": ZERO + timedelta(days=2)}
    assert await refused(get(**asked, **days, Statistics=["Sum"])) == "InvalidParameterCombination"
    assert await refused(get(**asked, StartTime=ZERO, EndTime=ZERO, Statistics=["Sum"])) == "ValidationError"
    assert await refused(watch.data(stat(), stat())) == "ValidationError"  # one id twice
    assert await refused(watch.data(stat(query_id="M1"))) == "ValidationError"
    assert await refused(watch.data({"Id": "m1"})) == "ValidationError"
    for wrong in ("tm101", "TM(90%:10%)", "TM(:)", "PR(5%:)", "p(90)", "TM(1:50%)"):
        assert await refused(watch.data(stat(statistic=wrong))) == "ValidationError"
    assert await refused(watch.data(stat(statistic="p100.5"))) == "ValidationError"
    both = {"Statistics": ["Sum"], "ExtendedStatistics": ["p99"]}
    assert await refused(get(**asked, **span, **both)) == "InvalidParameterCombination"
    assert await refused(watch.data(stat(period=61))) == "ValidationError"
    assert await refused(watch.data(math("e1 + 1"))) == "ValidationError"  # a circle
    assert await refused(watch.data(math("STDDEV(m1)"), stat())) == "NotImplemented"
    assert await refused(watch.data(stat(), NextToken="!")) == "InvalidNextToken"
    assert await refused(watch.cloudwatch.list_metrics(NextToken="!")) == "InvalidParameterValue"
    datum = {"MetricName": "A", "Value": 1.0, "Values": [1.0]}
    put = watch.cloudwatch.put_metric_data(Namespace="Mine", MetricData=[datum])
    assert await refused(put) == "InvalidParameterCombination"


SETS = {"Sum": 1.0, "SampleCount": 1.0, "Minimum": 1.0, "Maximum": 1.0}
TWICE = [{"Name": "a", "Value": "1"}, {"Name": "a", "Value": "2"}]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ([], "MissingParameter"),
        ([{"Value": 1.0}] * 1001, "InvalidParameterValue"),
        ([{"Values": [float(value) for value in range(151)]}], "InvalidParameterValue"),
        ([{"Values": [1.0, 2.0], "Counts": [1.0, -1.0]}], "InvalidParameterValue"),
        ([{"Values": [1.0], "Counts": [0.0]}], "InvalidParameterValue"),
        ([{"StatisticValues": SETS | {"SampleCount": 0.0}}], "InvalidParameterValue"),
        ([{"StatisticValues": SETS | {"Minimum": 2.0}}], "InvalidParameterCombination"),
        ([{"Value": 1.0, "StorageResolution": 30}], "InvalidParameterValue"),
        ([{"Value": 1.0, "Dimensions": TWICE}], "InvalidParameterValue"),
    ],
    ids=["nothing", "1,001 data", "151 values", "negative count", "no count", "no samples", "turned", "half", "twice"],
)
async def test_data_that_cloudwatch_refuses_leave_nothing_behind(
    watch: Watch, data: list[dict[str, Any]], code: str
) -> None:
    put = watch.cloudwatch.put_metric_data
    named = [{"MetricName": "A", "Timestamp": ZERO} | datum for datum in data]
    assert await refused(put(Namespace="Mine", MetricData=named)) == code
    assert (await watch.cloudwatch.list_metrics(Namespace="Mine"))["Metrics"] == []


# Alarms


ALARM = {
    "AlarmName": "high",
    "Namespace": "Mine",
    "MetricName": "M",
    "Statistic": "Average",
    "Period": 60,
    "EvaluationPeriods": 2,
    "Threshold": 5.0,
    "ComparisonOperator": "GreaterThanThreshold",
    "AlarmDescription": "too much",
    "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:pager"],
}


async def test_an_alarm_is_described_as_it_was_put(watch: Watch) -> None:
    await watch.cloudwatch.put_metric_alarm(**ALARM, TreatMissingData="notBreaching", DatapointsToAlarm=1)
    (alarm,) = (await watch.cloudwatch.describe_alarms(AlarmNames=["high"]))["MetricAlarms"]
    assert ALARM.items() <= alarm.items()
    assert (alarm["TreatMissingData"], alarm["DatapointsToAlarm"]) == ("notBreaching", 1)
    assert (alarm["StateValue"], alarm["ActionsEnabled"]) == ("INSUFFICIENT_DATA", True)
    assert alarm["AlarmArn"] == "arn:aws:cloudwatch:us-east-1:123456789012:alarm:high"


async def test_an_alarm_goes_off_and_its_history_tells_when_and_why(watch: Watch) -> None:
    await watch.cloudwatch.put_metric_alarm(**ALARM)
    for minute in range(3):
        await watch.put(9.0, minute=minute)
        await advance(watch.emulator, 60.0)
    await advance(watch.emulator, 1.0)
    (alarm,) = (await watch.cloudwatch.describe_alarms(StateValue="ALARM"))["MetricAlarms"]
    assert alarm["StateReason"].startswith("Threshold Crossed: 2 out of the last 2 datapoints [9.0")
    assert orjson.loads(alarm["StateReasonData"])["recentDatapoints"] == [9.0, 9.0]
    history = watch.cloudwatch.describe_alarm_history
    change, first = (await history(AlarmName="high", HistoryItemType="StateUpdate"))["AlarmHistoryItems"]
    assert first["HistorySummary"] == "Alarm updated from INSUFFICIENT_DATA to OK"  # one point of two is no alarm yet
    assert change["HistorySummary"] == "Alarm updated from OK to ALARM"
    assert change["Timestamp"] == ZERO + timedelta(minutes=2)
    data = orjson.loads(change["HistoryData"])
    assert (data["oldState"]["stateValue"], data["newState"]["stateValue"]) == ("OK", "ALARM")
    actions = (await history(AlarmName="high", HistoryItemType="Action"))["AlarmHistoryItems"]
    assert [item["Timestamp"] for item in actions] == [ZERO + timedelta(minutes=minute) for minute in (2,)]
    assert "Failed to execute action arn:aws:sns:" in actions[0]["HistorySummary"]
    since = await history(AlarmName="high", StartDate=ZERO + timedelta(minutes=2), ScanBy="TimestampAscending")
    assert [item["HistoryItemType"] for item in since["AlarmHistoryItems"]] == ["StateUpdate", "Action"]


async def test_alarms_are_found_by_name_prefix_metric_and_page(watch: Watch) -> None:
    for index in range(5):
        await watch.cloudwatch.put_metric_alarm(**ALARM | {"AlarmName": f"a{index}"})
    describe = watch.cloudwatch.describe_alarms
    first = await describe(AlarmNamePrefix="a", MaxRecords=3)
    assert [alarm["AlarmName"] for alarm in first["MetricAlarms"]] == ["a0", "a1", "a2"]
    rest = await describe(AlarmNamePrefix="a", MaxRecords=3, NextToken=first["NextToken"])
    assert [alarm["AlarmName"] for alarm in rest["MetricAlarms"]] == ["a3", "a4"]
    assert len((await describe(ActionPrefix="arn:aws:sns"))["MetricAlarms"]) == 5
    assert (await describe(AlarmTypes=["CompositeAlarm"]))["MetricAlarms"] == []
    of_metric = await watch.cloudwatch.describe_alarms_for_metric(Namespace="Mine", MetricName="M")
    assert len(of_metric["MetricAlarms"]) == 5
    assert await refused(describe(AlarmNames=["a0"], AlarmNamePrefix="a")) == "ValidationError"


async def test_a_state_can_be_set_and_actions_switched_off(watch: Watch) -> None:
    await watch.cloudwatch.put_metric_alarm(**ALARM)
    await watch.cloudwatch.disable_alarm_actions(AlarmNames=["high", "never"])
    await watch.cloudwatch.set_alarm_state(
        AlarmName="high", StateValue="ALARM", StateReason="a test", StateReasonData='{"why":1}'
    )
    (alarm,) = (await watch.cloudwatch.describe_alarms())["MetricAlarms"]
    assert (alarm["StateValue"], alarm["StateReason"], alarm["ActionsEnabled"]) == ("ALARM", "a test", False)
    assert alarm["StateReasonData"] == '{"why":1}'
    history = await watch.cloudwatch.describe_alarm_history(AlarmName="high", HistoryItemType="Action")
    assert history["AlarmHistoryItems"] == []
    await watch.cloudwatch.enable_alarm_actions(AlarmNames=["high"])
    assert (await watch.cloudwatch.describe_alarms())["MetricAlarms"][0]["ActionsEnabled"] is True


async def test_a_wrong_name_is_told_and_the_other_alarms_are_deleted(watch: Watch) -> None:
    await watch.cloudwatch.put_metric_alarm(**ALARM)
    assert await refused(watch.cloudwatch.delete_alarms(AlarmNames=["never", "high", "high"])) == "ResourceNotFound"
    assert (await watch.cloudwatch.describe_alarms())["MetricAlarms"] == []


@pytest.mark.parametrize("kind", ["AlarmActions", "OKActions", "InsufficientDataActions"])
@pytest.mark.parametrize("action", ["pager", "arn:aws:sns", "arn:aws:sns:us-east-1:1:", " arn:aws:sns:a:1:b"])
async def test_an_alarms_action_is_an_arn(watch: Watch, kind: str, action: str) -> None:
    assert await refused(watch.cloudwatch.put_metric_alarm(**ALARM | {kind: [action]})) == "ValidationError"
    assert (await watch.cloudwatch.describe_alarms())["MetricAlarms"] == []


async def test_alarms_that_make_no_sense_get_cloudwatchs_errors(watch: Watch) -> None:
    put = watch.cloudwatch.put_metric_alarm
    without = {key: value for key, value in ALARM.items() if key != "Threshold"}
    assert await refused(put(**without)) == "MissingParameter"
    assert await refused(put(**ALARM | {"DatapointsToAlarm": 3})) == "ValidationError"
    assert await refused(put(**ALARM | {"TreatMissingData": "guess"})) == "ValidationError"
    assert await refused(put(**ALARM | {"Period": 61})) == "ValidationError"
    for seconds in (10, 20, 30):  # metrics are kept by the minute here, and AWS has none of its own for alarms
        assert await refused(put(**ALARM | {"Period": seconds})) == "NotImplemented"
        assert await refused(put(**ALARM | {"Period": seconds, "Namespace": "AWS/SageMaker"})) == "ValidationError"
    for no_number in (float("nan"), float("inf")):
        assert await refused(put(**ALARM | {"Threshold": no_number})) in ("ValidationError", "SerializationException")
    assert (await watch.cloudwatch.describe_alarms(AlarmNames=["high"]))["MetricAlarms"] == []
    assert await refused(put(**ALARM | {"ComparisonOperator": "GreaterThanUpperThreshold"})) == "NotImplemented"
    named = {"AlarmName": "never", "StateValue": "OK", "StateReason": ""}
    assert await refused(watch.cloudwatch.set_alarm_state(**named)) == "ResourceNotFound"
    await put(**ALARM)
    broken = named | {"AlarmName": "high", "StateReasonData": "{"}
    assert await refused(watch.cloudwatch.set_alarm_state(**broken)) == "InvalidFormat"


async def test_an_unknown_operation_is_501_with_its_name(watch: Watch) -> None:
    with pytest.raises(ClientError) as caught:
        await watch.cloudwatch.list_dashboards()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "ListDashboards" in caught.value.response["Error"]["Message"]


async def test_an_alarm_on_metric_math_is_evaluated_and_described(watch: Watch) -> None:
    plain = ("MetricName", "Namespace", "Statistic", "Period", "Dimensions", "Unit")
    of_math = {key: value for key, value in ALARM.items() if key not in plain} | {"Threshold": 10.0}
    metrics = [math("FILL(m1, 0) * 2"), stat() | {"ReturnData": False}]
    put = watch.cloudwatch.put_metric_alarm
    await put(**of_math, Metrics=metrics)
    await watch.put(9.0, minute=0)
    await watch.put(9.0, minute=1)
    await advance(watch.emulator, 121.0)
    (alarm,) = (await watch.cloudwatch.describe_alarms())["MetricAlarms"]
    assert alarm["StateValue"] == "ALARM"
    assert orjson.loads(alarm["StateReasonData"])["recentDatapoints"] == [18.0, 18.0]
    assert [each["Id"] for each in alarm["Metrics"]] == ["e1", "m1"]
    assert alarm["Metrics"][1]["MetricStat"]["Period"] == 60
    assert not set(plain) & alarm.keys()
    assert await refused(put(**ALARM, Metrics=metrics)) == "ValidationError"
    assert await refused(put(**of_math, Metrics=[math("STDDEV(m1)"), metrics[1]])) == "NotImplemented"
    gauge = {"Metric": {"Namespace": "AWS/SageMaker", "MetricName": "CPUUtilization"}, "Period": 60, "Stat": "tm99"}
    assert await refused(put(**of_math, Metrics=[{"Id": "m", "MetricStat": gauge}])) == "NotImplemented"
    assert await refused(put(**of_math, Metrics=[math("m1"), stat()])) == "ValidationError"  # two that return data
