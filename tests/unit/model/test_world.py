"""A scenario's world, and the stories of scaling that follow by hand from constant delays."""

from itertools import pairwise
from statistics import mean
from typing import Any

import pytest

from modelling import SECOND, scenario
from smbench.model.endpoints.endpoint import Job
from smbench.model.event_queue import EventQueue
from smbench.model.scaling.policies import CHANGE, PERCENT
from smbench.model.world import EMBEDDED, VARIANT, World, resource_id_of
from smbench.scenario.emulated import Emulated

MINUTE = 60 * SECOND
LOAD = [{"constant": {"rate": "1/s", "for": "1s"}}]
RESOURCE = resource_id_of(EMBEDDED, VARIANT)
TRACK = {"target_tracking": {"backlog_per_instance": 5}}
WAKE = {"step_from_zero": {"add": 1}}


def world(epoch_s: float = 0.0, **changes: Any) -> World:
    return World.of(EventQueue(), round(epoch_s * SECOND), scenario(LOAD, **changes), None)


def send(of: World, arrivals_ns: list[int]) -> None:
    endpoint = of.endpoints[EMBEDDED]
    for index, at_ns in enumerate(arrivals_ns):
        of.event_queue.advance(at_ns)
        endpoint.arrive(Job(index, f"id-{index}", "", 21_600.0, 3_600.0, at_ns))


def decision_s(of: World, arrivals_ns: list[int]) -> float:
    """When capacity was first decided."""
    decided: list[int] = []
    endpoint = of.endpoints[EMBEDDED]
    endpoint.on_capacity.append(lambda change: decided.append(change.at_ns))
    send(of, arrivals_ns)
    of.event_queue.advance(10 * MINUTE)
    return decided[0] / SECOND


def test_an_empty_account_has_nothing_in_it() -> None:
    empty = World.of(EventQueue(), 0, None, None)
    assert empty.endpoints == {}
    assert empty.scaler.describe_targets() == []
    assert empty.resolve(RESOURCE) is None


def test_a_scenario_has_its_endpoint_target_policies_and_alarms() -> None:
    step = {
        "step": {
            "metric": "CPUUtilization",
            "statistic": "Maximum",
            "comparison": "<",
            "threshold": 20,
            "datapoints": 2,
            "of": 5,
            "missing": "notBreaching",
            "adjustment": "percent",
            "steps": [{"upper": 0, "change": -50}],
            "min_magnitude": 2,
            "cooldown": "90s",
        }
    }
    made = world(instances={"min": 1, "max": 7, "start": 3}, policies=[TRACK, WAKE, step])
    assert made.endpoints[EMBEDDED].in_service == 3
    (target,) = made.scaler.describe_targets()
    assert (target.resource_id, target.min_capacity, target.max_capacity) == (RESOURCE, 1, 7)
    tracking, waking, stepping = (policy.spec for policy in made.scaler.describe_policies(RESOURCE))
    assert tracking.tracking is not None
    assert tracking.tracking.metric is not None
    assert (tracking.tracking.target, tracking.tracking.metric.name) == (5, "ApproximateBacklogSizePerInstance")
    assert waking.step is not None
    assert (waking.step.adjustment, waking.step.cooldown_s, waking.step.steps[0].change) == (CHANGE, 300, 1)
    assert stepping.step is not None
    assert (stepping.step.adjustment, stepping.step.min_magnitude, stepping.step.cooldown_s) == (PERCENT, 2, 90)
    alarms = {alarm.metric: alarm for alarm in made.alarms.describe() if not alarm.name.startswith("TargetTracking")}
    wake, low = alarms["HasBacklogWithoutCapacity"], alarms["CPUUtilization"]
    assert (wake.comparison, wake.threshold, wake.evaluation_periods) == ("GreaterThanOrEqualToThreshold", 1, 2)
    assert (low.namespace, low.statistic, low.comparison) == (
        "/aws/sagemaker/Endpoints",
        "Maximum",
        "LessThanThreshold",
    )
    assert (low.datapoints_to_alarm, low.evaluation_periods, low.treat_missing_data) == (2, 5, "notBreaching")


@pytest.mark.parametrize(
    ("comparison", "bounds"), [(">=", (0, None)), (">", (0, None)), ("<=", (None, 0)), ("<", (None, 0))]
)
def test_a_step_without_bounds_begins_at_the_threshold_for_auto_scaling_takes_none_without(
    comparison: str, bounds: tuple[float | None, float | None]
) -> None:
    step = {"step": {"comparison": comparison, "threshold": 4, "steps": [{"change": 1}]}}
    (policy,) = world(instances={"max": 7}, policies=[step]).scaler.describe_policies(RESOURCE)
    assert policy.spec.step is not None
    (only,) = policy.spec.step.steps
    assert (only.lower, only.upper) == bounds


def test_a_resource_id_finds_its_endpoint_and_nothing_else() -> None:
    made = world()
    assert made.resolve(RESOURCE) is made.endpoints[EMBEDDED]
    for other in (f"endpoint/{EMBEDDED}/variant/other", "endpoint/other/variant/AllTraffic", "variant", ""):
        assert made.resolve(other) is None
    made.remove_endpoint(EMBEDDED)
    assert made.resolve(RESOURCE) is None


def test_two_endpoints_of_one_name_do_not_exist() -> None:
    made = world()
    with pytest.raises(ValueError, match="already"):
        made.add_endpoint(made.endpoints[EMBEDDED].settings, instances_at_start=1)


def test_an_endpoint_made_again_under_its_name_is_scaled_again() -> None:
    made = world(instances={"min": 1, "max": 4}, policies=[TRACK])
    settings = made.endpoints[EMBEDDED].settings
    made.remove_endpoint(EMBEDDED)
    made.add_endpoint(settings, instances_at_start=1)
    made.scaler.register_target(RESOURCE, 2, 4)
    made.event_queue.advance(200 * SECOND)
    assert [activity.status for activity in made.scaler.activities(RESOURCE)] == ["Successful"]


# Detection. The minute ends p seconds after the load begins; its datapoint is visible 60 s later; then 5 s pass.


@pytest.mark.parametrize("phase_s", [1, 10, 16, 17, 18, 30, 45, 59, 60])
def test_tracking_counts_the_first_part_of_a_minute_when_its_average_is_above_the_target(phase_s: int) -> None:
    # Two arrivals a second from zero, none of which ends: over the minute the backlog averages sum(p - a) / 60.
    arrivals_ns = [k * SECOND // 2 for k in range(600)]
    first_average = sum(phase_s - at_ns / SECOND for at_ns in arrivals_ns if at_ns < phase_s * SECOND) / 60
    # Three datapoints above 5: with the first minute p + 120 + 60 + 5, without it a minute later.
    expected_s = phase_s + 185 + (0 if first_average > 5 else 60)
    made = world(
        epoch_s=60 - phase_s, service="3600s", instances={"min": 1, "max": 9}, metric_delay="60s", policies=[TRACK]
    )
    assert decision_s(made, arrivals_ns) == expected_s


@pytest.mark.parametrize(("phase_s", "expected_s"), [(1, 186), (30, 215), (59, 244), (60, 185)])
def test_waking_from_zero_takes_two_complete_minutes(phase_s: int, expected_s: int) -> None:
    # One request at zero. Begun on the stroke (p = 60), the first minute is complete itself.
    made = world(epoch_s=60 - phase_s, metric_delay="60s", policies=[WAKE])
    assert decision_s(made, [0]) == expected_s


@pytest.mark.slow
def test_the_detection_table_of_constant_overload() -> None:
    # 100 a second: the part of a minute counts from 3 s on (100 p^2 / 2 / 60 > 5), so 185 + p from 188 to 245 s, and
    # 246 and 247 s for p of 1 and 2. Mean: 185 + 30.5 + 2 * 60 / 60. Measured elsewhere: 187 / 217 / 246.
    arrivals_ns = [k * SECOND // 100 for k in range(500)]  # what comes after 5 s changes nothing
    decided_s = [
        decision_s(
            world(
                epoch_s=60 - phase_s,
                service="3600s",
                instances={"min": 1, "max": 9},
                metric_delay="60s",
                policies=[TRACK],
            ),
            arrivals_ns,
        )
        for phase_s in range(1, 61)
    ]
    assert (min(decided_s), max(decided_s)) == (188, 247)
    assert mean(decided_s) == pytest.approx(217.5)


@pytest.mark.parametrize(
    ("delay", "second", "expected_s"),
    [
        ("0s", "0s", 125),
        ("1s", "0s", 185),
        ("60s", "0s", 185),
        ("61s", "0s", 245),
        ("0s", "20s", 145),
        ("20s", "20s", 145),
        ("21s", "20s", 205),
        ("61s", "20s", 205),
        ("119s", "20s", 265),
    ],
)
def test_an_alarm_sees_a_datapoint_at_its_first_second_after_it_is_visible(
    delay: str, second: str, expected_s: int
) -> None:
    # Two whole minutes of backlog end at 120 s; then the delay, the alarm's second, and 5 s.
    made = world(metric_delay=delay, policies=[WAKE], open_questions={"alarm_phase": second})
    assert decision_s(made, [0]) == expected_s


DEFAULTS = Emulated()


def default_detection_s(seed: int, **changes: Any) -> float:
    """When an overload of sixty at zero instances, at the beginning of a minute, is decided upon; drawn by the seed."""
    clock = {"metric_delay": DEFAULTS.metric_delay, "action_delay": DEFAULTS.action_delay} | changes
    questions = {"alarm_phase": DEFAULTS.open_questions.alarm_phase}
    of = scenario(LOAD, seed=seed, policies=[TRACK], open_questions=questions, **clock)
    return decision_s(World.of(EventQueue(), 0, of, None), [0] * 60)


@pytest.mark.slow
def test_by_default_an_overload_from_zero_is_detected_within_some_three_to_four_minutes_by_the_seed() -> None:
    detected_s = [default_detection_s(seed) for seed in range(40)]
    assert 180 <= min(detected_s) < 200
    assert 235 < max(detected_s) <= 250
    assert len(set(detected_s)) >= 35


@pytest.mark.slow
def test_a_longer_metric_delay_is_a_later_decision() -> None:
    delays = ("0s", "30s", "61s", "90s", "119s")
    by_delay = [mean(default_detection_s(seed, metric_delay=delay) for seed in range(40)) for delay in delays]
    # Mean of 180 s, the delay, half a minute until the alarm's next second, and 5 s.
    assert by_delay == pytest.approx([215, 245, 276, 305, 334], abs=8)


# The state in which a run begins


def test_alarms_remember_what_was_before_the_run() -> None:
    made = world(instances={"min": 0, "max": 4, "start": 2}, policies=[TRACK], initial={"idle": "20m"})
    high, low = made.alarms.describe()
    assert (high.state, low.state) == ("OK", "ALARM")
    assert made.alarms.history() == [item for item in made.alarms.history() if item.kind == "ConfigurationUpdate"]
    made.event_queue.advance(2 * MINUTE)
    assert [(each.start_ns / SECOND, each.before, each.after) for each in made.scaler.activities(RESOURCE)] == [
        (65, 2, 1)
    ]


def test_a_backlog_before_the_run_counts_towards_an_alarm() -> None:
    # Two minutes above the target are remembered; the run's first is the third.
    made = world(instances={"min": 1, "max": 4}, service="3600s", policies=[TRACK], initial={"backlog": [2, 12, 12]})
    assert decision_s(made, [0] * 12) == 65


def test_without_a_history_alarms_know_nothing() -> None:
    made = world(policies=[TRACK])
    assert {alarm.state for alarm in made.alarms.describe()} == {"INSUFFICIENT_DATA"}


def test_a_run_may_begin_amid_a_cooldown() -> None:
    made = world(
        instances={"min": 0, "max": 4, "start": 2},
        policies=[TRACK],
        initial={"idle": "20m", "cooldown": {"after": "in", "left": "200s"}},
    )
    made.event_queue.advance(10 * MINUTE)
    assert made.scaler.activities(RESOURCE)[-1].start_ns / SECOND == 245


def test_a_run_may_begin_amid_a_change_of_capacity() -> None:
    made = world(
        instances={"min": 0, "max": 4, "start": 1}, policies=[TRACK], initial={"activity": {"to": 3, "began": "70s"}}
    )
    endpoint = made.endpoints[EMBEDDED]
    assert (endpoint.in_service, endpoint.desired, endpoint.is_updating) == (1, 3, True)
    made.event_queue.advance(30 * SECOND)  # provisioning takes 100 s
    assert (endpoint.in_service, endpoint.is_updating) == (3, False)
    (activity,) = made.scaler.activities(RESOURCE)
    assert (activity.start_ns / SECOND, activity.before, activity.after, activity.status) == (-70, 1, 3, "Successful")


def test_a_change_that_a_run_begins_amid_is_followed_by_its_policys_cooldown() -> None:
    made = world(
        instances={"min": 0, "max": 4, "start": 1}, policies=[TRACK], initial={"activity": {"to": 3, "began": "70s"}}
    )
    made.event_queue.advance(30 * SECOND)  # it ends
    (target,) = made.scaler.describe_targets([RESOURCE])
    assert target.cooldown is not None
    length_s = made.scaler.describe_policies()[0].spec.cooldown_s(is_out=True)
    assert length_s > 0
    assert target.cooldown.until_ns == (30 + length_s) * SECOND


def test_a_run_may_begin_amid_a_change_that_no_policy_made() -> None:
    made = world(instances={"min": 0, "max": 4, "start": 1}, initial={"activity": {"to": 3, "began": "70s"}})
    made.event_queue.advance(30 * SECOND)
    assert made.endpoints[EMBEDDED].in_service == 3


def test_a_scenarios_scheduled_actions_and_suspended_scaling_hold() -> None:
    made = world(
        instances={"min": 0, "max": 4},
        scheduled=[{"at": "90s", "min": 2}, {"at": "10m", "min": 0, "max": 1}],
        suspended=["in"],
    )
    made.event_queue.advance(11 * MINUTE)
    (target,) = made.scaler.describe_targets()
    assert (target.min_capacity, target.max_capacity, set(target.suspended)) == (0, 1, {"in"})
    changes = [(each.start_ns / SECOND, each.after) for each in made.scaler.activities(RESOURCE)[::-1]]
    assert changes == [(90, None), (90, 2), (600, None), (600, 1)]


def test_tracking_alone_leaves_zero_for_what_one_instance_could_not_hold() -> None:
    # Twelve waiting at zero count as twelve on one instance: ceil(12 / 5) = 3.
    made = world(metric_delay="0s", policies=[TRACK])
    send(made, [0] * 12)
    made.event_queue.advance(4 * MINUTE)
    (activity,) = made.scaler.activities(RESOURCE)
    assert (activity.start_ns / SECOND, activity.before, activity.after) == (185, 0, 3)


def test_tracking_alone_leaves_a_small_backlog_at_zero_waiting() -> None:
    made = world(metric_delay="0s", policies=[TRACK])
    send(made, [0] * 5)
    made.event_queue.advance(60 * MINUTE)
    assert made.scaler.activities(RESOURCE) == []


@pytest.mark.slow
def test_tracking_the_backlog_goes_round_in_a_limit_cycle() -> None:
    # 2.5 erlang. Three instances hold the backlog under 0.9 * 5 each, so tracking scales in to what is too few; the
    # backlog grows, and it scales out again. It never settles.
    made = world(service="20s", instances={"min": 1, "max": 10, "start": 3}, policies=[TRACK], metric_delay="60s")
    send(made, [k * 8 * SECOND for k in range(6 * 3600 // 8)])
    moves = [
        "out" if activity.after > activity.before else "in"  # type: ignore[operator]  # both are set: it scaled
        for activity in made.scaler.activities(RESOURCE)[::-1]
    ]
    turns = sum(one == "in" and next_one == "out" for one, next_one in pairwise(moves))
    assert turns >= 4
    assert moves[-6:].count("in") >= 2
