"""Goal: the emulator as a whole is the model, seen through AWS's doors, whatever time it keeps.

Method: one 30-minute story told twice, over HTTP in virtual time and as a pure simulation, must agree to the
nanosecond. Isolation, time before `go`, other kinds of time, and doors that lead nowhere are tried one by one.
"""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import orjson
import polars as pl
import pytest
from botocore.exceptions import ClientError
from polars.testing import assert_frame_equal

from emulation import ACCOUNT, EPOCH_NS, FAST, REGION, client, clients, emulating, scenario
from smbench.clock import LoopClock, MonotonicClock, WarpLoop, real_ns
from smbench.emulator.protocol.codecs import ServiceError
from smbench.emulator.server import Emulator
from smbench.scenario.model import Scenario
from smbench.schedule.plan import plan
from smbench.simulator.simulate import simulate

NAME = "smbench-emulated"
RUN = "story"
KEY = f"in/json/{'a' * 64}.json"

STORY = {
    "instances": {"min": 0, "max": 5, "concurrency": 2},
    "service": {"by_class": {"": "1h", "json": {"lognormal": {"median": "6s", "sigma": 0.4}}}},
    "service_spread": 0.1,
    "provision": {"lognormal": {"median": "60s", "sigma": 0.25}},
    "provision_common": {"lognormal": {"median": "60s", "sigma": 0.25}},
    "host_speeds": [1.1, 0.9, 1],
    "initial": {
        "backlog": [1, 4],
        "idle": "3m",
        "cooldown": {"after": "in", "left": "90s"},
        "activity": {"to": 1, "began": "40s"},
    },
    "scheduled": [{"at": "8m", "min": 1, "max": 4}, {"at": "21m", "min": 0, "max": 5}],
    "policies": [
        {"target_tracking": {"backlog_per_instance": 4, "out_cooldown": "60s", "in_cooldown": "60s"}},
        {"step_from_zero": {"add": 1}},
        {
            "step": {
                "metric": "ApproximateBacklogSize",
                "comparison": "<",
                "threshold": 1,
                "datapoints": 5,
                "steps": [{"upper": 0, "change": -1}],
                "cooldown": "60s",
            }
        },
    ],
    "faults": {
        "container_errors": "5%",
        "metric_gaps": "3%",
        "instance_life": {"exponential": {"mean": "20m"}},
        "provision_failures": "10%",
    },
}
LOAD = [
    {"poisson": {"rate": "0.35/s", "for": "9m"}},
    {"burst": {"requests": 120, "within": "60s"}},
    {"pause": {"for": "20m"}},
]
END_S = 1800


@pytest.fixture
def anyio_backend() -> Any:
    return "asyncio", {"loop_factory": WarpLoop}


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


async def listen(sqs: Any, queue: str) -> None:
    """What every user of an asynchronous endpoint does all the time."""
    while True:
        received = await sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=20)
        for message in received.get("Messages", []):
            await sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


async def subscribed(sqs: Any, sns: Any) -> str:
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = orjson.dumps({"Statement": [statement]}).decode()
    queue = (await sqs.create_queue(QueueName="q", Attributes={"Policy": policy}))["QueueUrl"]
    for topic in ("smbench-success", "smbench-error"):
        topic_arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:{topic}"
        await sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn)
    return str(queue)


Line = tuple[object, ...]


async def tell(of: Scenario, stack: AsyncExitStack) -> tuple[pl.DataFrame, list[Line], list[Line]]:
    """The story over HTTP: its truth, its scaling activities and its alarms' changes, as a client of AWS sees them."""
    emulator = Emulator(of, None, EPOCH_NS)
    await emulator.start()
    stack.push_async_callback(emulator.stop)
    runtime, sqs, sns = await clients(stack, emulator, "sagemaker-runtime", "sqs", "sns")
    api, watch = await clients(stack, emulator, "application-autoscaling", "cloudwatch")
    emulator.s3.put(NAME, KEY, b"{}")
    queue = await subscribed(sqs, sns)
    clock = LoopClock(EPOCH_NS)
    emulator.go(clock)

    async def submit(row: int) -> None:
        await runtime.invoke_endpoint_async(
            EndpointName=NAME, InputLocation=f"s3://{NAME}/{KEY}", InferenceId=f"{RUN}-0-{row}"
        )

    async with anyio.create_task_group() as group:
        group.start_soon(listen, sqs, queue)
        for row, due_ns in enumerate(plan(of, Path(), [1.0]).sched_ns.tolist()):
            await clock.sleep_until_ns(due_ns)
            group.start_soon(submit, row)
        await clock.sleep_until_ns(END_S * 1_000_000_000)
        group.cancel_scope.cancel()
    scaling = await api.describe_scaling_activities(ServiceNamespace="sagemaker", IncludeNotScaledActivities=True)
    changes = await watch.describe_alarm_history(HistoryItemType="StateUpdate", ScanBy="TimestampAscending")
    activities: list[Line] = [
        (each["ActivityId"], ms(each["StartTime"]), ms(each.get("EndTime")), each["StatusCode"], each["Cause"])
        for each in scaling["ScalingActivities"]
    ]
    alarms: list[Line] = [
        (each["AlarmName"], ms(each["Timestamp"]), each["HistorySummary"]) for each in changes["AlarmHistoryItems"]
    ]
    return emulator.truth.frame(), activities, alarms


def ms(at: datetime | None) -> int | None:
    """Whole milliseconds: what a stamp of AWS's JSON keeps for sure."""
    return None if at is None else round(at.timestamp() * 1e3)


def predicted_activities(events: pl.DataFrame) -> list[Line]:
    last = events.filter(kind="scaling_activity").unique("name", keep="last")
    return [
        (row["name"], ms(row["at"]), ms(row["end"]), row["state"], row["cause"]) for row in last.iter_rows(named=True)
    ]


def predicted_alarms(events: pl.DataFrame) -> list[Line]:
    rows = events.filter(kind="alarm").iter_rows(named=True)
    return [
        (row["name"], ms(row["at"]), "Alarm updated from {} to {}".format(*row["state"].split(" -> "))) for row in rows
    ]


@pytest.mark.slow
async def test_a_story_over_http_is_the_simulations_to_the_nanosecond(stack: AsyncExitStack) -> None:
    of = scenario(STORY, load=LOAD, seed=2)
    predicted = simulate(of, None, plan(of, Path(), [1.0]), ["json"], epoch_ns=EPOCH_NS, run_id=RUN)
    truth, activities, alarms = await tell(of, stack)
    assert predicted.end_ns == END_S * 1_000_000_000
    assert_frame_equal(truth.drop("output_location"), predicted.truth.drop("output_location"))
    assert sorted(activities, key=str) == sorted(predicted_activities(predicted.events), key=str)
    assert sorted(alarms, key=str) == sorted(predicted_alarms(predicted.events), key=str)
    # The story is worth telling: out, in again, with a death, failures and a launch that came to nothing.
    assert len(activities) > 6
    assert truth["attempts"].max() == 2
    assert set(truth["outcome"]) == {"completed", "failed"}


@pytest.mark.slow
async def test_a_story_told_again_is_the_same_story(stack: AsyncExitStack) -> None:
    of = scenario(STORY, load=[{"poisson": {"rate": "0.2/s", "for": "5m"}}, {"pause": {"for": "25m"}}], seed=2)
    assert_frame_equal((await tell(of, stack))[0], (await tell(of, stack))[0])  # ids and locations, too


async def test_two_emulators_share_nothing(stack: AsyncExitStack) -> None:
    one = await stack.enter_async_context(emulating(scenario(FAST)))
    other = await stack.enter_async_context(emulating(scenario(FAST)))
    s3, sqs = await clients(stack, one, "s3", "sqs")
    elsewhere = await stack.enter_async_context(client(other, "sqs"))
    await s3.create_bucket(Bucket="mine")
    await sqs.create_queue(QueueName="mine")
    assert (await elsewhere.list_queues()).get("QueueUrls", []) == []
    assert not other.s3.exists("mine", "a")
    with pytest.raises(ServiceError):
        other.s3.put("mine", "a", b"")


async def test_an_empty_account_has_nothing_in_it(stack: AsyncExitStack) -> None:
    emulator = await stack.enter_async_context(emulating(None))
    sagemaker, autoscaling, s3 = await clients(stack, emulator, "sagemaker", "application-autoscaling", "s3")
    assert (await sagemaker.list_endpoints())["Endpoints"] == []
    assert (await autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker"))["ScalableTargets"] == []
    assert (await s3.list_buckets())["Buckets"] == []


async def test_no_time_passes_before_it_is_told_to_go(stack: AsyncExitStack) -> None:
    emulator = Emulator(scenario(FAST), None, EPOCH_NS)
    await emulator.start()
    stack.push_async_callback(emulator.stop)
    emulator.s3.put(NAME, "a", b"{}")
    runtime = await stack.enter_async_context(client(emulator, "sagemaker-runtime"))
    await runtime.invoke_endpoint_async(EndpointName=NAME, InputLocation=f"s3://{NAME}/a")
    await anyio.sleep(3600)
    assert emulator.truth.frame()["outcome"].to_list() == ["pending"]
    emulator.go(LoopClock(EPOCH_NS))
    await anyio.sleep(1.01)
    (call,) = emulator.truth.frame().rows(named=True)
    assert call["ended"] - call["arrived"] == timedelta(seconds=1)


async def test_what_nobody_implements_is_named_and_never_pretended(stack: AsyncExitStack) -> None:
    emulator = await stack.enter_async_context(emulating(scenario(FAST)))
    tries: list[tuple[str, str, dict[str, str], str]] = [
        ("sagemaker", "list_training_jobs", {}, "sagemaker:ListTrainingJobs"),
        (
            "application-autoscaling",
            "get_predictive_scaling_forecast",
            {
                "ServiceNamespace": "ecs",
                "ResourceId": "service/a/b",
                "ScalableDimension": "ecs:service:DesiredCount",
                "PolicyName": "p",
                "StartTime": "2026-01-01T00:00:00Z",
                "EndTime": "2026-01-02T00:00:00Z",
            },
            "GetPredictiveScalingForecast",
        ),
        ("cloudwatch", "list_dashboards", {}, "monitoring:ListDashboards"),
        ("sns", "list_phone_numbers_opted_out", {}, "sns:ListPhoneNumbersOptedOut"),
        ("dynamodb", "list_tables", {}, "ListTables"),
        ("iam", "list_users", {}, "ListUsers"),
    ]
    for service, operation, params, name in tries:
        api = await stack.enter_async_context(client(emulator, service))
        with pytest.raises(ClientError) as caught:
            await getattr(api, operation)(**params)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501, service
        assert name in caught.value.response["Error"]["Message"], service


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("scale", [1.0, 200.0])
async def test_on_real_and_scaled_clocks_ends_are_stamped_exactly(stack: AsyncExitStack, scale: float) -> None:
    emulator = Emulator(scenario(FAST | {"service": "40ms", "notify_lag": "1ms"}), None, EPOCH_NS)
    await emulator.start()
    stack.push_async_callback(emulator.stop)
    emulator.s3.put(NAME, "a", b"{}")
    emulator.go(MonotonicClock(real_ns(), EPOCH_NS, scale))
    runtime = await stack.enter_async_context(client(emulator, "sagemaker-runtime"))
    sqs, sns = await clients(stack, emulator, "sqs", "sns")
    queue = await subscribed(sqs, sns)
    await runtime.invoke_endpoint_async(EndpointName=NAME, InputLocation=f"s3://{NAME}/a")
    received = await sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)
    assert len(received["Messages"]) == 1
    (call,) = emulator.truth.frame().rows(named=True)
    assert call["ended"] - call["arrived"] == timedelta(milliseconds=40)  # however late a busy machine came to it
    assert call["published"] - call["ended"] == timedelta(milliseconds=1)


class LateLoop(LoopClock):
    """A clock that has gone on while the loop was too busy to look."""

    missed_ns = 0

    def now_ns(self) -> int:
        return super().now_ns() + self.missed_ns


async def test_the_truth_knows_what_is_due_when_it_is_written_however_busy_the_loop_was(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    emulator = Emulator(scenario(FAST), None, EPOCH_NS)
    await emulator.start()
    stack.push_async_callback(emulator.stop)
    emulator.s3.put(NAME, "a", b"{}")
    clock = LateLoop(EPOCH_NS)
    emulator.go(clock)
    (runtime,) = await clients(stack, emulator, "sagemaker-runtime")
    await runtime.invoke_endpoint_async(EndpointName=NAME, InputLocation=f"s3://{NAME}/a")
    clock.missed_ns = 2_000_000_000
    emulator.write_truth(tmp_path / "truth.parquet")
    assert pl.read_parquet(tmp_path / "truth.parquet")["outcome"].to_list() == ["completed"]


async def test_the_truth_is_written_whole_or_not_at_all(stack: AsyncExitStack, tmp_path: Path) -> None:
    emulator = await stack.enter_async_context(emulating(scenario(FAST)))
    emulator.write_truth(tmp_path / "truth.parquet")
    assert os.listdir(tmp_path) == ["truth.parquet"]
    assert pl.read_parquet(tmp_path / "truth.parquet").is_empty()
