"""Metrics of ten seconds: how soon a policy that goes by them scales out, and what they are by the minute."""

from typing import Any

import pytest

from modelling import PLAIN, SECOND, Stand
from smbench.model.endpoints.jobs import Job
from smbench.model.event_queue import EventQueue
from smbench.model.monitoring.alarms import ALARM
from smbench.model.world import EMBEDDED, World
from smbench.scenario.model import Scenario

BY_CONCURRENCY = {"concurrency_tracking": {"concurrent_requests": 2}}
BY_INVOCATIONS = {"invocations_tracking": {"invocations_per_instance": 2}}


def world_of(policy: dict[str, Any], *, points: int = 3, phase: str = "0s", **changes: Any) -> World:
    """A real-time endpoint on one instance, without chance, whose policy decides at the instant of its alarm."""
    questions = {"alarm_phase": phase, "tracking_points_out_10s": points}
    emulated = PLAIN | {
        "instances": {"min": 1, "max": 8, "start": 1},
        "service": "50s",
        "action_delay": "0s",
        "policies": [policy],
        "open_questions": questions,
        **changes,
    }
    document = {
        "name": "test",
        "target": {"kind": "realtime", "emulated": emulated},
        "load": [{"burst": {"requests": 1}}],
    }
    return World.of(EventQueue(), 0, Scenario.model_validate(document), None)


def loaded(world: World, at_s: float, n: int, *, every_s: float = 1.0, for_s: float = 400.0) -> None:
    """From an instant on a step of load: `n` requests at once, and one more whenever one could have ended."""
    endpoint, queue = world.endpoints[EMBEDDED], world.event_queue
    queue.advance(round(at_s * SECOND))
    for index in range(n + round(for_s / every_s)):
        if index >= n:
            queue.advance(round((at_s + (index - n + 1) * every_s) * SECOND))
        endpoint.arrive(Job(index, f"id-{index}", "", 900.0, 900.0, queue.now_ns, is_awaited=True))


def scaled_out_s(world: World) -> float:
    """When the first scaling activity began."""
    (*_, first) = world.scaler.activities()
    return first.start_ns / SECOND


@pytest.mark.parametrize("points", [1, 3, 6])
@pytest.mark.parametrize("at_s", [0.0, 4.0, 65.0])
def test_a_step_of_load_scales_out_when_the_last_of_its_ten_seconds_is_over(points: int, at_s: float) -> None:
    world = world_of(BY_CONCURRENCY, points=points)
    loaded(world, at_s, 5)
    first = at_s // 10 * 10  # the period in which it begins counts: its maximum is above the target
    assert scaled_out_s(world) == first + 10 * points


@pytest.mark.parametrize("phase_s", [0, 7, 25, 58])
def test_an_alarm_of_ten_seconds_is_evaluated_every_ten_seconds_at_its_own_second(phase_s: int) -> None:
    world = world_of(BY_CONCURRENCY, phase=f"{phase_s}s")
    loaded(world, 0.0, 5)
    assert scaled_out_s(world) == 30 + phase_s % 10


def test_it_is_six_times_as_quick_as_the_metric_of_the_minute() -> None:
    found = {}
    for name, policy in {"concurrency": BY_CONCURRENCY, "invocations": BY_INVOCATIONS}.items():
        world = world_of(policy, service="1s")
        loaded(world, 0.0, 5, every_s=0.5)
        found[name] = scaled_out_s(world)
    assert found == {"concurrency": 30.0, "invocations": 180.0}


def test_its_action_is_repeated_once_a_minute_while_it_lasts() -> None:
    world = world_of(BY_CONCURRENCY, instances={"min": 1, "max": 1, "start": 1})
    loaded(world, 0.0, 5, for_s=250.0)
    (alarm,) = (alarm for alarm in world.alarms.describe() if alarm.period_s == 10)
    assert alarm.state == ALARM
    acted = [item.at_ns / SECOND for item in world.alarms.history(alarm.name) if item.kind == "Action"]
    assert acted == [30.0, 90.0, 150.0, 210.0]


def test_the_six_datapoints_of_a_minute_are_its_mean_and_its_extremes() -> None:
    stand = Stand(2, is_synchronous=True, service="25s")
    stand.arrive(6, ttl_s=60.0, timeout_s=60.0)  # in rounds of two: three, two, one for each instance
    stand.go_to(120)
    tens = [point for point in stand.points("ConcurrentRequestsPerModel") if 0 <= point.start_ns < 60 * SECOND]
    assert [point.start_ns / SECOND for point in tens] == [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]
    assert [point.maximum for point in tens] == [3.0, 3.0, 3.0, 2.0, 2.0, 1.0]
    assert [point.average for point in tens] == [3.0, 3.0, 2.5, 2.0, 2.0, 1.0]
    assert {point.period_s for point in tens} == {10}


def test_the_alarm_that_scales_in_goes_by_the_minute() -> None:
    world = world_of(BY_CONCURRENCY, instances={"min": 1, "max": 4, "start": 3})
    world.event_queue.advance(1_000 * SECOND)
    assert scaled_out_s(world) == 15 * 60.0  # fifteen minutes below: the first change is to fewer
    assert world.endpoints[EMBEDDED].desired < 3


def test_a_minute_of_the_alarm_that_scales_in_is_one_of_utc_wherever_its_second_lies() -> None:
    world = world_of(BY_CONCURRENCY, phase="25s", instances={"min": 1, "max": 4, "start": 3})
    world.event_queue.advance(1_000 * SECOND)
    (alarm,) = (alarm for alarm in world.alarms.describe() if alarm.period_s == 60)
    points = [point for point in alarm.watched.newest(world.metrics, 15) if point is not None]
    assert [point.start_ns // SECOND % 60 for point in points] == [0] * 15
    assert points[-1].start_ns == 900 * SECOND  # the minute before the one under way
