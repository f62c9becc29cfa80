"""Goal: what the gauges read of the emulated endpoint over HTTP is what happened to it.

Method: a burst on an endpoint with no instances, half an hour of virtual time, a look every ten seconds; then the story
is held against itself: alarm before activity, activity before instances, minutes complete.
"""

import itertools
from typing import Any

import pytest

from emulated_aws import ENDPOINT, WARP, EmulatedAws, emulated_aws
from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.aws.endpoint.description import discover
from smbench.aws.endpoint.gauges import AwsGauges
from smbench.aws.transport.invoke import SdkTransport
from smbench.errors import TargetError
from smbench.records import Event, Invocation, Reading

pytestmark = pytest.mark.slow
SECOND = 1_000_000_000
FROM_ZERO = {
    "instances": {"min": 0, "max": 3, "start": 0, "concurrency": 1},
    "service": "10s",
    "provision": "100s",
    "remove": "60s",
    "policies": [
        {"target_tracking": {"backlog_per_instance": 5, "out_cooldown": "60s"}},
        {"step_from_zero": {"add": 1, "cooldown": "300s"}},
    ],
}


@pytest.fixture
def anyio_backend() -> Any:
    return WARP


async def story(aws: EmulatedAws, n: int, minutes: int) -> tuple[list[Reading], list[Event]]:
    """Readings and events after a burst of `n` at the beginning."""
    transport = SdkTransport(aws.clients.runtime, ENDPOINT)
    for seq in range(n):
        await transport.submit(Invocation(seq, f"r1-0-{seq}", body=b"{}"))
    gauges = AwsGauges(aws.clients, aws.target, aws.clock)
    readings: list[Reading] = []
    events: list[Event] = []
    for tick in range(minutes * 6):
        await aws.clock.sleep_until_ns((tick + 1) * 10 * SECOND)
        news = await gauges.read()
        readings.extend(news[0])
        events.extend(news[1])
    return readings, events


async def test_the_endpoint_is_found_with_everything_that_scales_it() -> None:
    async with emulated_aws(FROM_ZERO) as aws:
        found = aws.target
    assert (found.status, found.variant is not None, found.concurrency) == ("InService", True, 1)
    assert (found.instances_current, found.instances_desired) == (0, 0)
    assert found.output_path == "s3://smbench-emulated/async-outputs"
    assert found.failure_path == "s3://smbench-emulated/async-failures"
    assert len(found.topics) == 2
    assert found.scalable_target is not None
    assert (found.scalable_target["MinCapacity"], found.scalable_target["MaxCapacity"]) == (0, 3)
    assert len(found.policies) == 2
    assert len(found.alarm_names) == 3  # two of target tracking, one of the step
    assert found.notes == ()


async def test_a_story_from_zero_is_read_in_its_order() -> None:
    async with emulated_aws(FROM_ZERO) as aws:
        readings, events = await story(aws, n=60, minutes=30)
    assert all(reading.value is not None for reading in readings)
    backlog = {r.at_ns: r.value for r in readings if (r.name, r.stat) == ("ApproximateBacklogSize", "average")}
    assert max(value for value in backlog.values() if value is not None) > 50
    instants = sorted(backlog)
    assert all(later - earlier == 60 * SECOND for earlier, later in itertools.pairwise(instants))

    alarm = next(event for event in events if event.kind == "alarm" and event.state.endswith("-> ALARM"))
    activity = next(event for event in events if event.kind == "scaling_activity")
    desired = next(event for event in events if event.kind == "capacity" and event.after)
    serving = next(r for r in readings if r.name == "instances_current" and r.value)
    assert alarm.at_ns <= activity.at_ns <= desired.seen_ns < serving.seen_ns
    assert alarm.name in activity.cause
    assert activity.after == desired.after
    assert all(event.at_ns <= event.seen_ns for event in events)

    instances = [event.at_ns for event in events if event.kind == "instance"]
    first = next(event for event in events if event.kind == "scaling_activity" and event.state == "Successful")
    assert instances[0] == pytest.approx(first.end_ns, abs=1_000_000)  # whole milliseconds
    assert len(instances) == len({event.name for event in events if event.kind == "instance"})
    assert desired.doubt_ns == 10 * SECOND


async def test_no_fact_is_told_twice() -> None:
    async with emulated_aws(FROM_ZERO) as aws:
        readings, events = await story(aws, n=30, minutes=20)
    points = [(r.name, r.stat, r.at_ns) for r in readings if r.source == "cloudwatch" and not r.detail]
    assert len(points) == len(set(points))
    told = [(event.kind, event.name, event.at_ns, event.state) for event in events]
    assert len(told) == len(set(told))


async def test_a_minute_that_is_never_published_is_a_gap() -> None:
    async with emulated_aws(FROM_ZERO | {"faults": {"metric_gaps": 0.4}}) as aws:
        readings, _ = await story(aws, n=30, minutes=30)
    backlog = [r for r in readings if (r.name, r.stat) == ("ApproximateBacklogSize", "average")]
    # A minute is only given up when it is ten old: of the last ones a datapoint may still come.
    instants = sorted(reading.at_ns for reading in backlog if reading.at_ns < 18 * 60 * SECOND)
    assert any(reading.value is None for reading in backlog)
    assert len(instants) == 18
    assert all(later - earlier == 60 * SECOND for earlier, later in itertools.pairwise(instants))


async def test_an_endpoint_that_is_not_there_is_refused() -> None:
    async with emulated_aws() as aws:
        with pytest.raises(TargetError, match="there is no endpoint gone in us-east-1"):
            await discover(aws.clients, "gone")


async def test_the_account_is_the_emulators() -> None:
    async with emulated_aws() as aws:
        assert (await aws.clients.identity())["Account"] == "123456789012"


async def test_an_emulator_that_is_gone_is_refused_by_its_address() -> None:
    async with emulated_aws() as aws:
        url = aws.emulator.url
    async with AwsClients(AwsSettings(endpoint_url=url, emulated=True)) as clients:
        with pytest.raises(TargetError, match="did not answer") as refusal:
            await discover(clients, ENDPOINT)
    assert url in refusal.value.message
