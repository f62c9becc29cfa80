"""The auto scaler by minute tables: the metric of each minute is put by hand, every decision follows by arithmetic.

The stand: alarms are evaluated on the stroke of a minute, decisions come 5 s later, an instance is provisioned in 20 s
and removed in 10 s, so an activity of minute k lasts from 60 k + 5 to 60 k + 25 (out) or 60 k + 15 (in).
"""

from typing import Any

import pytest

from modelling import ON_THE_STROKE, SECOND, emulated
from smbench.model.endpoints.endpoint import EndpointSettings
from smbench.model.event_queue import EventQueue
from smbench.model.monitoring.alarms import Alarm
from smbench.model.monitoring.metrics import MetricId
from smbench.model.monitoring.watched import MetricQuery
from smbench.model.scaling.activities import Activity
from smbench.model.scaling.policies import CHANGE, PolicySpec, StepAdjustment, StepSpec, TrackingSpec
from smbench.model.scaling.scaler import UnknownTarget
from smbench.model.service import Seeds
from smbench.model.world import World, resource_id_of
from smbench.scenario.emulated import OpenQuestions
from smbench.scenario.values.distributions import Distribution

MINUTE = 60 * SECOND
RESOURCE = resource_id_of("e", "v")


class Stand:
    """One endpoint, its target, and metrics put by hand."""

    def __init__(
        self,
        start: int,
        low: int = 0,
        high: int = 10,
        endpoint: dict[str, Any] | None = None,
        seed: int = 0,
        **questions: Any,
    ) -> None:
        self.event_queue = EventQueue()
        plain = {"tracking_points_out": 1, "tracking_points_in": 1, "scale_in": "proportional"}
        open_questions = OpenQuestions.model_validate(plain | ON_THE_STROKE | questions)
        self.world = World(
            self.event_queue, 0, metric_delay=Distribution.model_validate("0s"), open_questions=open_questions
        )
        laws = {"provision": "20s", "remove": "10s"} | (endpoint or {})
        settings = emulated(open_questions=open_questions.model_dump(), **laws)
        self.endpoint = self.world.add_endpoint(
            EndpointSettings.of(settings, name="e", variant="v"), instances_at_start=start, seeds=Seeds(faults=seed)
        )
        self.desired: list[tuple[float, int]] = []
        self.endpoint.on_capacity.append(
            lambda change: (
                self.desired.append((change.at_ns / SECOND, change.desired_after)) if change.kind == "desired" else None
            )
        )
        self.world.scaler.register_target(RESOURCE, low, high)

    def track(self, target: float = 10.0, name: str = "track", metric: str = "m", **settings: Any) -> None:
        """Out at once on one minute above the target, in on one below 0.9 of it; no cooldowns unless given."""
        spec = TrackingSpec(
            target, MetricId.of("n", metric, ()), **({"out_cooldown_s": 0.0, "in_cooldown_s": 0.0} | settings)
        )
        self.world.scaler.put_policy(PolicySpec(RESOURCE, name, tracking=spec))

    def step(
        self,
        *bounds: tuple[float | None, float | None, int],
        comparison: str = "GreaterThanOrEqualToThreshold",
        threshold: float = 50.0,
        name: str = "step",
        metric: str = "m",
        cooldown_s: float = 0.0,
        adjustment: str = CHANGE,
    ) -> None:
        """A step policy with an alarm of one minute."""
        adjustments = tuple(StepAdjustment(change, lower, upper) for lower, upper, change in bounds)
        spec = PolicySpec(RESOURCE, name, step=StepSpec(adjustment, adjustments, cooldown_s))
        policy = self.world.scaler.put_policy(spec)
        self.world.alarms.put(
            Alarm(f"alarm-{name}", "n", metric, (), "Average", comparison, threshold, actions=(policy.arn,))
        )

    def minutes(self, *values: float | None, metric: str = "m") -> None:
        """One minute after another with these values; None puts nothing."""
        for value in values:
            self.minute(**{metric: value})

    def minute(self, **values: float | None) -> None:
        for name, value in values.items():
            if value is not None:
                self.world.metrics.put("n", name, (), "Count", self.event_queue.now_ns, value)
        self.event_queue.advance(self.event_queue.now_ns + MINUTE)

    def settle(self) -> None:
        """Half a minute more: what the last minute led to has been decided."""
        self.event_queue.advance(self.event_queue.now_ns + 30 * SECOND)

    def activities(self, *, include_not_scaled: bool = False) -> list[Activity]:
        """Oldest first."""
        return self.world.scaler.activities(RESOURCE, include_not_scaled=include_not_scaled)[::-1]

    def reasons(self) -> list[str]:
        """Why alarms led to nothing, oldest first."""
        return [
            reason.code
            for activity in self.activities(include_not_scaled=True)
            for reason in activity.not_scaled_reasons
        ]


# Target tracking


def test_tracking_scales_out_in_proportion_and_five_seconds_after_the_alarm() -> None:
    stand = Stand(2)
    stand.track(target=10)
    stand.minutes(24)  # ceil(2 * 2.4) = 5
    stand.settle()
    assert stand.desired == [(65, 5)]


def test_tracking_needs_its_points_out_and_its_points_in() -> None:
    stand = Stand(2, tracking_points_out=3, tracking_points_in=15)
    stand.track(target=10)
    # Out: ceil(2 * 2) = 4 after three minutes above. In: 4 * 5 / 10 = 2 after fifteen minutes below 9.
    stand.minutes(20, 20, 20)
    stand.minutes(*[5] * 15)
    stand.settle()
    assert stand.desired == [(185, 4), (180 + 15 * 60 + 5, 2)]


def test_between_nine_tenths_of_the_target_and_the_target_nothing_happens() -> None:
    stand = Stand(2)
    stand.track(target=10)
    stand.minutes(10, 9.5, 9.0)
    stand.settle()
    assert stand.desired == []
    assert stand.reasons() == []


def test_tracking_scales_in_by_proportion_rounded_up() -> None:
    stand = Stand(8)
    stand.track(target=10)
    stand.minutes(4)  # ceil(8 * 0.4) = 4
    stand.settle()
    assert stand.desired == [(65, 4)]


def test_tracking_may_scale_in_one_by_one_instead() -> None:
    stand = Stand(8, scale_in="one_step")
    stand.track(target=10)
    stand.minutes(4, 4)
    stand.settle()
    assert stand.desired == [(65, 7), (125, 6)]
    stand = Stand(2, scale_in="one_step")
    stand.track(target=10)
    stand.minutes(8)  # one instance would have 16
    stand.settle()
    assert stand.desired == []


def test_an_instance_less_that_would_break_the_target_is_flapping_foreseen() -> None:
    stand = Stand(2)
    stand.track(target=10)
    stand.minutes(8, 8)  # ceil(2 * 0.8) = 2
    stand.settle()
    assert stand.desired == []
    assert stand.reasons() == ["AutoScalingAnticipatedFlapping"]  # of a run of equal reasons only the first


@pytest.mark.parametrize(("may", "desired"), [(True, [(65, 3)]), (False, [])])
def test_tracking_leaves_zero_if_it_may(may: bool, desired: list[tuple[float, int]]) -> None:
    stand = Stand(0, tracking_leaves_zero=may)
    stand.track(target=10)
    stand.minutes(30)
    stand.settle()
    assert stand.desired == desired


def test_no_data_is_no_scaling() -> None:
    stand = Stand(4)
    stand.track(target=10)
    stand.minutes(None, None, None, None)
    stand.settle()
    assert stand.desired == []


def test_scaling_in_can_be_switched_off() -> None:
    stand = Stand(4)
    stand.track(target=10, disable_scale_in=True)
    stand.minutes(0, 0)
    stand.settle()
    assert stand.desired == []
    assert len(stand.world.alarms.describe()) == 1


# Cooldowns. Activities end 20 s (out) or 10 s (in) after their decision; the cooldown begins there.


def test_during_the_cooldown_after_scaling_out_an_equal_need_changes_nothing() -> None:
    stand = Stand(2)
    stand.track(target=10, out_cooldown_s=120.0)
    # 65 s: ceil(2 * 2) = 4; over at 85 s, cooldown until 205 s. Until then the need is worked out from 2: at most 4.
    stand.minutes(20, 20, 20)
    assert stand.desired == [(65, 4)]
    stand.minutes(20)  # 245 s: ceil(4 * 2) = 8
    stand.settle()
    assert stand.desired == [(65, 4), (245, 8)]


def test_during_the_cooldown_after_scaling_out_a_larger_need_adds_only_the_excess() -> None:
    stand = Stand(2)
    stand.track(target=10, out_cooldown_s=300.0)
    stand.minutes(20, 35)  # 4 at once; then ceil(2 * 3.5) = 7 in all, not ceil(4 * 3.5) = 14
    stand.settle()
    assert stand.desired == [(65, 4), (125, 7)]


def test_the_cooldown_begins_when_the_activity_has_succeeded() -> None:
    stand = Stand(2)
    stand.track(target=10, out_cooldown_s=45.0)
    # 65 s: 4, over at 85 s; 45 s more are 130 s: the decision of 125 s is still inside.
    stand.minutes(20, 20, 20)
    stand.settle()
    assert stand.desired == [(65, 4), (185, 8)]


def test_during_the_cooldown_after_scaling_in_nothing_more_goes() -> None:
    stand = Stand(8)
    stand.track(target=10, in_cooldown_s=120.0)
    stand.minutes(5, 5, 5, 5)  # 65 s: 4, gone at 75 s, cooldown until 195 s; 245 s: 2
    stand.settle()
    assert stand.desired == [(65, 4), (245, 2)]


def test_scaling_out_ends_the_cooldown_after_scaling_in_and_goes_ahead_at_once() -> None:
    stand = Stand(8)
    stand.track(target=10, in_cooldown_s=600.0)
    stand.minutes(5, 20, 5)  # 4; then out to 8 during the cooldown; then in again: nothing is left of it
    stand.settle()
    assert stand.desired == [(65, 4), (125, 8), (185, 4)]


def test_a_failed_activity_has_no_cooldown() -> None:
    stand = Stand(1, endpoint={"faults": {"provision_failures": 1.0}})
    stand.track(target=10, out_cooldown_s=600.0)
    stand.minutes(20, 20)
    stand.settle()
    assert stand.desired == [(65, 2), (125, 2)]
    assert [activity.status for activity in stand.activities()] == ["Failed", "Failed"]
    assert stand.endpoint.desired == 1


def test_a_quota_that_is_reached_fails_each_try_in_the_words_of_aws_until_less_is_wanted() -> None:
    stand = Stand(1, endpoint={"faults": {"instance_quota": 3}})
    stand.track(target=10)
    stand.minutes(40, 20)
    stand.settle()
    refused, *again, taken = sorted(stand.activities(), key=lambda activity: activity.start_ns)
    assert [one.start_ns // SECOND for one in (refused, *again, taken)] == [65, 75, 85, 95, 105, 115, 125]
    assert {(one.status, one.before, one.after) for one in again} == {("Failed", 1, 4)}
    assert (refused.status, refused.before, refused.after) == ("Failed", 1, 4)
    assert refused.status_message is not None
    assert "is 3 Instances, with current utilization of 1 Instances and a request delta of 3" in refused.status_message
    assert "Error Code: ResourceLimitExceeded" in refused.status_message
    assert (taken.status, taken.after, stand.endpoint.desired) == ("Successful", 2, 2)


def test_what_a_quota_refused_is_not_tried_any_more_once_the_alarm_is_over() -> None:
    stand = Stand(1, endpoint={"faults": {"instance_quota": 3}})
    stand.track(target=10)
    stand.minutes(40, 9.5, 9.5)
    stand.settle()
    assert [one.start_ns // SECOND for one in stand.activities()] == [65, 75, 85, 95, 105, 115]


def test_the_need_after_a_partly_failed_activity_is_reckoned_from_what_came_up() -> None:
    stand = Stand(1, endpoint={"faults": {"provision_failures": 0.5}}, seed=1, high=100)
    stand.track(target=10, out_cooldown_s=600.0)
    stand.minutes(40)
    stand.settle()
    came_up = stand.endpoint.desired
    assert 1 < came_up < 4  # the seed is chosen for it
    stand.minutes(20)
    assert [n for _, n in stand.desired] == [4, 2 * came_up]


def test_the_cooldown_after_scaling_out_does_not_keep_from_scaling_in() -> None:
    stand = Stand(2)
    stand.track(target=10, out_cooldown_s=600.0)
    stand.minutes(20, 5)
    stand.settle()
    assert stand.desired == [(65, 4), (125, 2)]


# Step policies


def test_steps_are_chosen_by_the_size_of_the_breach() -> None:
    for value, wanted in ((50, 3), (59, 3), (60, 4), (75, 5)):
        stand = Stand(2)
        stand.step((0, 10, 1), (10, 20, 2), (20, None, 3))
        stand.minutes(value)
        stand.settle()
        assert stand.desired == [(65, wanted)]


def test_a_step_policy_fires_every_minute_until_its_alarm_is_over() -> None:
    stand = Stand(1)
    stand.step((0, None, 1))
    stand.minutes(50, 50, 50, 10)
    stand.settle()
    assert stand.desired == [(65, 2), (125, 3), (185, 4)]


def test_during_its_cooldown_a_step_adds_only_what_exceeds_what_was_added() -> None:
    stand = Stand(1)
    stand.step((0, 20, 2), (20, None, 3), cooldown_s=300.0)
    stand.minutes(55, 55, 80)  # +2; +2 is already there; +3 is one more
    stand.settle()
    assert stand.desired == [(65, 3), (185, 4)]


def test_a_step_policy_scales_in_without_asking_tracking() -> None:
    stand = Stand(4)
    stand.track(target=10, metric="busy")
    stand.step((None, 0, -1), comparison="LessThanThreshold", threshold=1.0)
    stand.minute(m=0, busy=10)
    stand.settle()
    assert stand.desired == [(65, 3)]


def test_a_policy_among_the_ok_actions_scales_while_the_alarm_is_ok() -> None:
    stand = Stand(3)
    stand.step((None, 0, -1), threshold=50)
    (alarm,) = stand.world.alarms.describe(["alarm-step"])
    alarm.actions, alarm.ok_actions = (), alarm.actions
    stand.minutes(60, 40, 40)
    stand.settle()
    assert stand.desired == [(125, 2), (185, 1)]
    assert stand.activities()[0].cause == "monitor alarm alarm-step in state OK triggered policy step"
    (policy,) = stand.world.scaler.describe_policies(RESOURCE)
    assert stand.world.scaler.alarms_of(policy) == [alarm]


def test_waking_from_zero_takes_two_whole_minutes_of_backlog() -> None:
    # HasBacklogWithoutCapacity >= 1 in two of two minutes: the half minute of the arrival is none.
    stand = Stand(0)
    stand.step((0, None, 1), threshold=1.0)
    stand.world.alarms.get("alarm-step").evaluation_periods = 2  # type: ignore[union-attr]  # it was just put
    stand.minutes(0.5, 1, 1)
    stand.settle()
    assert stand.desired == [(185, 1)]


# Several policies


def test_of_several_policies_the_largest_capacity_wins() -> None:
    stand = Stand(2)
    stand.track(target=10, name="low")
    stand.track(target=5, name="high")
    stand.step((0, None, 1), threshold=20.0)
    stand.minutes(20)  # 4, 8 and 3
    stand.settle()
    assert stand.desired == [(65, 8)]
    assert stand.activities()[0].cause.endswith("in state ALARM triggered policy high")


def test_scaling_out_wins_over_scaling_in() -> None:
    stand = Stand(4)
    stand.track(target=10, metric="busy")
    stand.step((None, 0, -1), comparison="LessThanThreshold", threshold=1.0)
    stand.minute(m=0, busy=20)
    stand.settle()
    assert stand.desired == [(65, 8)]


def test_tracking_scales_in_only_when_all_tracking_policies_agree() -> None:
    stand = Stand(8)
    stand.track(target=10, name="a", metric="a")
    stand.track(target=10, name="b", metric="b")
    stand.minute(a=0, b=10)
    stand.settle()
    assert stand.desired == []
    stand.minute(a=2, b=5)  # both low: the larger of 2 and 4
    stand.settle()
    assert [n for _, n in stand.desired] == [4]


def test_a_policy_that_may_not_scale_in_does_not_keep_the_others_from_it() -> None:
    stand = Stand(8)
    stand.track(target=10, name="a", metric="a")
    stand.track(target=10, name="b", metric="b", disable_scale_in=True)
    stand.minute(a=5, b=10)
    stand.settle()
    assert [n for _, n in stand.desired] == [4]


# Limits


def test_capacity_stays_within_its_limits_and_says_why() -> None:
    stand = Stand(2, low=1, high=3)
    stand.track(target=10)
    stand.minutes(100, 100, 0, 0)
    stand.settle()
    assert [n for _, n in stand.desired] == [3, 1]
    assert stand.reasons() == ["AlreadyAtMaxCapacity", "AlreadyAtMinCapacity"]
    reasons = [each.not_scaled_reasons[0] for each in stand.activities(include_not_scaled=True) if not each.is_scaled]
    assert (reasons[0].max_capacity, reasons[1].min_capacity) == (3, 1)


def test_a_step_in_at_the_minimum_says_so() -> None:
    stand = Stand(0)
    stand.step((None, 0, -1), comparison="LessThanThreshold", threshold=1.0)
    stand.minutes(0)
    stand.settle()
    assert stand.reasons() == ["AlreadyAtMinCapacity"]


def test_registering_brings_capacity_within_the_limits() -> None:
    stand = Stand(1, low=3, high=10)
    (activity,) = stand.activities()
    assert (activity.cause, activity.before, activity.after) == ("minimum capacity was set to 3", 1, 3)
    stand.event_queue.advance(20 * SECOND)
    stand.world.scaler.register_target(RESOURCE, 0, 2)
    assert stand.activities()[-1].cause == "maximum capacity was set to 2"
    assert stand.desired == [(0, 3), (20, 2)]


def test_limits_set_while_the_endpoint_is_updating_hold_once_it_is_done() -> None:
    stand = Stand(1)
    stand.endpoint.set_desired(2)
    stand.world.scaler.register_target(RESOURCE, 5, 10)
    assert stand.activities() == []
    stand.event_queue.advance(20 * SECOND)
    assert stand.desired == [(0, 2), (20, 5)]


def test_capacity_set_by_hand_beyond_a_limit_stays_until_a_policy_scales() -> None:
    """As the guide of another service of Application Auto Scaling's has it: to the limit first, and never past it."""
    stand = Stand(3, low=3, high=4)
    stand.track(target=10)
    stand.endpoint.set_desired(1)
    stand.minutes(2, 12)  # in: there is less than the minimum already; out: ceil(1 * 1.2) = 2, and 3 at least
    stand.settle()
    assert stand.desired == [(0, 1), (125, 3)]
    assert stand.reasons() == ["AlreadyAtMinCapacity"]


def test_an_alarm_that_fired_for_a_policy_since_put_anew_decides_nothing() -> None:
    stand = Stand(1)
    stand.track(target=10)
    stand.minute(m=20)
    stand.world.scaler.delete_policy(RESOURCE, "track")
    stand.track(target=1)
    stand.settle()
    assert stand.desired == []


def test_one_limit_alone_changes_that_one() -> None:
    stand = Stand(2)
    stand.world.scaler.register_target(RESOURCE, max_capacity=4)
    (target,) = stand.world.scaler.describe_targets([RESOURCE, "endpoint/other/variant/v"])
    assert (target.min_capacity, target.max_capacity) == (0, 4)
    with pytest.raises(ValueError, match="not a range"):
        stand.world.scaler.register_target(RESOURCE, min_capacity=5)
    with pytest.raises(ValueError, match="needs a minimum and a maximum"):
        stand.world.scaler.register_target("endpoint/other/variant/v", min_capacity=1)


def test_limits_may_be_equal_and_zero() -> None:
    stand = Stand(0)
    for both in (3, 0):
        target = stand.world.scaler.register_target(RESOURCE, both, both)
        assert (target.min_capacity, target.max_capacity) == (both, both)
    with pytest.raises(ValueError, match="not a range"):
        stand.world.scaler.register_target(RESOURCE, -1, 3)


# Alarms at seconds of their own


def test_tracking_policies_agree_by_the_states_of_their_alarms_whenever_each_is_evaluated() -> None:
    # Both are low from 60 s on. Each is evaluated at its own second; the later one finds the earlier in ALARM.
    stand = Stand(8, alarm_phase={"uniform": {"low": "0s", "high": "60s"}})
    stand.track(target=10, name="a", metric="a")
    stand.track(target=10, name="b", metric="b")
    for _ in range(3):
        stand.minute(a=2, b=5)
    (at_s, desired), *_ = stand.desired
    lows = [alarm.updated_ns / SECOND for alarm in stand.world.alarms.describe() if "AlarmLow" in alarm.name]
    assert len(set(lows)) == 2
    assert at_s == pytest.approx(max(lows) + 5)
    assert desired == 4


def test_tracking_does_not_scale_in_while_another_policys_low_alarm_is_quiet() -> None:
    stand = Stand(8, alarm_phase={"uniform": {"low": "0s", "high": "60s"}})
    stand.track(target=10, name="a", metric="a")
    stand.track(target=10, name="b", metric="b")
    for _ in range(5):
        stand.minute(a=0, b=10)
    assert stand.desired == []


def test_the_seconds_of_a_policys_alarms_do_not_depend_on_other_policies() -> None:
    def seconds(*names: str) -> dict[str, float]:
        stand = Stand(2, alarm_phase={"uniform": {"low": "0s", "high": "60s"}})
        for name in names:
            stand.track(target=10, name=name)
        stand.minutes(20, 20)
        stand.settle()
        changed = {alarm.actions[0].rpartition("/")[2]: alarm.updated_ns for alarm in stand.world.alarms.describe()}
        return {name: changed[name] / SECOND for name in names}

    assert seconds("a", "b")["b"] == seconds("b")["b"]


# Alarms whose state was set by hand


def set_alarm(stand: Stand, name: str) -> None:
    stand.world.alarms.set_state(name, "ALARM", "a test")
    stand.settle()


def test_a_step_alarm_set_by_hand_acts_by_the_newest_datapoint() -> None:
    stand = Stand(2)
    stand.step((None, 0, -1), (0, None, 3), threshold=50.0)
    stand.world.metrics.put("n", "m", (), "Count", 0, 20.0)
    stand.event_queue.advance(MINUTE)
    set_alarm(stand, "alarm-step")
    assert stand.desired == [(65, 1)]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (20.0, "no step adjustment for metric value 20, breach delta -30"),
        (None, "the alarm's metric has no datapoint"),
    ],
)
def test_a_step_alarm_set_by_hand_that_leads_to_nothing_says_why(value: float | None, why: str) -> None:
    stand = Stand(2)
    stand.step((0, None, 3), threshold=50.0)
    stand.minutes(value)
    set_alarm(stand, "alarm-step")
    assert stand.desired == []
    (activity,) = stand.activities(include_not_scaled=True)
    assert (activity.cause, activity.status_message) == (
        "monitor alarm alarm-step in state ALARM triggered policy step",
        why,
    )
    (reason,) = activity.not_scaled_reasons
    assert (reason.code, reason.current_capacity) == ("AlreadyAtDesiredCapacity", 2)


@pytest.mark.parametrize(
    ("which", "value", "code"),
    [
        ("AlarmHigh", 9.5, "AlreadyAtDesiredCapacity"),
        ("AlarmHigh", None, "AlreadyAtDesiredCapacity"),
        ("AlarmLow", 30.0, "AutoScalingAnticipatedFlapping"),
    ],
)
def test_a_tracking_alarm_set_by_hand_that_leads_to_nothing_says_why(
    which: str, value: float | None, code: str
) -> None:
    stand = Stand(2, tracking_points_out=3, tracking_points_in=15)
    stand.track(target=10)
    stand.minutes(value)
    (name,) = [alarm.name for alarm in stand.world.alarms.describe() if which in alarm.name]
    set_alarm(stand, name)
    assert stand.desired == []
    assert stand.reasons() == [code]


def test_an_alarm_that_cannot_leave_zero_says_so() -> None:
    stand = Stand(0, tracking_leaves_zero=False)
    stand.track(target=10)
    stand.minutes(30, 40, 50)
    stand.settle()
    (activity,) = stand.activities(include_not_scaled=True)
    assert activity.status_message == "target tracking does not leave zero instances"


# Metric math


def test_tracking_an_expression_scales_by_its_value() -> None:
    stand = Stand(2)
    queries = (
        MetricQuery("backlog", MetricId.of("n", "m", ()), is_returned=False),
        MetricQuery("e", expression="FILL(backlog, 0) / 2"),
    )
    spec = TrackingSpec(10.0, None, out_cooldown_s=0.0, in_cooldown_s=0.0, queries=queries)
    stand.world.scaler.put_policy(PolicySpec(RESOURCE, "math", tracking=spec))
    stand.minutes(48)  # 24: ceil(2 * 2.4) = 5
    stand.minutes(None)  # 0: in
    stand.settle()
    assert stand.desired == [(65, 5), (125, 0)]


# Limits by the clock, suspended scaling


def test_a_scheduled_action_sets_limits_at_its_instant_and_capacity_follows() -> None:
    stand = Stand(1, low=0, high=4)
    stand.world.scaler.schedule(RESOURCE, "morning", 90 * SECOND, 3, None)
    stand.world.scaler.schedule(RESOURCE, "evening", 200 * SECOND, 0, 2)
    stand.event_queue.advance(5 * MINUTE)
    assert stand.desired == [(90, 3), (200, 2)]
    told = [(each.description, each.cause) for each in stand.activities()]
    assert told == [
        ("Setting min capacity to 3 and max capacity to 4", "scheduled action name morning was triggered"),
        ("Setting desired instance count to 3.", "minimum capacity was set to 3"),
        ("Setting min capacity to 0 and max capacity to 2", "scheduled action name evening was triggered"),
        ("Setting desired instance count to 2.", "maximum capacity was set to 2"),
    ]


def test_of_two_scheduled_actions_of_one_instant_each_sets_its_limit_and_one_that_cannot_says_so() -> None:
    stand = Stand(1, low=0, high=4)
    for name, low, high in (("up", 2, None), ("down", None, 3), ("beyond", 5, None)):
        stand.world.scaler.schedule(RESOURCE, name, 60 * SECOND, low, high)
    stand.minutes(None, None)
    assert stand.desired == [(60, 2)]
    (target,) = stand.world.scaler.describe_targets([RESOURCE])
    assert (target.min_capacity, target.max_capacity) == (2, 3)
    failed = [activity for activity in stand.activities() if activity.status == "Failed"]
    assert [(one.cause, one.description) for one in failed] == [
        ("scheduled action name beyond was triggered", "Setting min capacity to 5 and max capacity to 3")
    ]


@pytest.mark.parametrize(
    ("suspended", "desired"),
    [
        ((), [(65, 4), (125, 1), (200, 3)]),
        (("out",), [(125, 1), (200, 3)]),
        (("in",), [(65, 4)]),
        (("scheduled",), [(65, 4), (125, 1)]),
        (("in", "out", "scheduled"), []),
    ],
)
def test_suspended_scaling_does_not_happen(suspended: tuple[str, ...], desired: list[tuple[float, int]]) -> None:
    stand = Stand(2, high=4)
    stand.track(target=10)
    stand.world.scaler.suspend(RESOURCE, suspended)
    stand.world.scaler.schedule(RESOURCE, "later", 200 * SECOND, 3, None)
    stand.minutes(20, 2, None, None)
    assert stand.desired == desired


def test_what_may_not_scale_out_still_outweighs_a_policy_that_wants_less() -> None:
    stand = Stand(2, high=4)
    stand.track(target=10, name="wants more", metric="m")
    stand.step((None, 0, -1), comparison="LessThanThreshold", threshold=1.0, name="wants less", metric="n")
    stand.world.scaler.suspend(RESOURCE, ["out"])
    stand.minute(m=20, n=0)
    stand.settle()
    assert stand.desired == []


def test_a_need_that_suspended_scaling_leaves_unmet_is_not_noted_as_met() -> None:
    stand = Stand(2, high=4)
    stand.track(target=10, name="wants more", metric="m")
    stand.step((20, None, 3), name="has no step for it", metric="n")
    stand.world.scaler.suspend(RESOURCE, ["out"])
    stand.minute(m=20, n=55)  # ceil(2 * 2) = 4; 5 above the threshold of 50, where steps begin at 20 above it
    stand.settle()
    assert stand.desired == []
    assert stand.reasons() == []


# What the endpoint refuses


def test_a_change_that_the_endpoint_refuses_is_lost_and_a_later_one_gets_through() -> None:
    stand = Stand(2)
    stand.track(target=10)
    stand.event_queue.advance(50 * SECOND)
    stand.endpoint.set_desired(3)  # by hand; under way until 70 s
    stand.world.metrics.put("n", "m", (), "Count", 0, 20.0)
    stand.event_queue.advance(MINUTE)
    stand.minutes(20)
    stand.settle()
    assert stand.desired == [(50, 3), (125, 6)]
    assert stand.reasons() == ["TargetServicePutResourceAsUnscalable"]


def test_an_endpoint_that_is_being_updated_refuses_and_limits_hold_once_it_is_done() -> None:
    stand, busy = Stand(2), [True]
    stand.endpoint.is_busy_elsewhere = lambda: busy[0]
    stand.track(target=10)
    stand.minutes(20)
    stand.settle()
    stand.world.scaler.register_target(RESOURCE, 3, 10)
    assert (stand.desired, stand.reasons()) == ([], ["TargetServicePutResourceAsUnscalable"])
    busy.clear()
    busy.append(False)
    stand.world.scaler.settle(RESOURCE)
    assert [(activity.cause, activity.after) for activity in stand.activities()] == [
        ("minimum capacity was set to 3", 3)
    ]


@pytest.mark.parametrize(("second", "desired"), [(50, [(65, 2)]), (80, [(65, 2), (125, 4)])])
def test_updates_that_need_not_serialise_override_each_other(second: float, desired: list[tuple[float, int]]) -> None:
    stand = Stand(1, endpoint={"provision": "100s"}, serialise_updates=False)
    stand.step((0, 20, 1), (20, None, 3))
    # 2; while that is under way the need is reconstructed from 1: 1 + 1 is there already, 1 + 3 is more.
    stand.minutes(50, second)
    stand.settle()
    assert stand.desired == desired
    *earlier, last = stand.activities()
    assert [(activity.status, activity.end_ns) for activity in earlier] == [("Overridden", 125 * SECOND)] * len(earlier)
    assert (last.status, len(earlier)) == ("InProgress", len(desired) - 1)


def test_an_action_on_an_endpoint_that_is_gone_does_nothing() -> None:
    stand = Stand(1)
    stand.track(target=10)
    stand.world.metrics.put("n", "m", (), "Count", 0, 20.0)
    stand.event_queue.advance(MINUTE)
    stand.world.remove_endpoint("e")
    stand.settle()
    assert stand.activities(include_not_scaled=True) == []


# What is told


def test_activities_speak_as_aws_does() -> None:
    stand = Stand(1)
    stand.track(target=10)
    stand.minutes(20)
    stand.event_queue.advance(70 * SECOND)
    (activity,) = stand.activities()
    assert activity.description == "Setting desired instance count to 2."
    assert activity.cause.startswith("monitor alarm TargetTracking-endpoint/e/variant/v-AlarmHigh-")
    assert activity.cause.endswith(" in state ALARM triggered policy track")
    assert (activity.status, activity.end_ns) == ("InProgress", None)
    assert activity.status_message == (
        "Successfully set desired instance count to 2. Waiting for change to be fulfilled by sagemaker."
    )
    stand.event_queue.advance(90 * SECOND)
    assert (activity.status, activity.start_ns, activity.end_ns) == ("Successful", 65 * SECOND, 85 * SECOND)
    assert activity.status_message == (
        "Successfully set desired instance count to 2. Change successfully fulfilled by sagemaker."
    )


def test_activities_that_changed_nothing_are_told_only_when_asked_for() -> None:
    stand = Stand(1, high=1)
    stand.track(target=10)
    stand.minutes(20)
    stand.settle()
    assert stand.activities() == []
    (activity,) = stand.activities(include_not_scaled=True)
    assert activity.description == "Attempting to scale due to alarm triggered"
    assert (activity.status, activity.end_ns) == ("Failed", None)


def test_activities_come_newest_first() -> None:
    stand = Stand(2)
    stand.track(target=10)
    stand.minutes(20, 5)
    stand.settle()
    starts_ns = [activity.start_ns for activity in stand.world.scaler.activities()]
    assert starts_ns == [125 * SECOND, 65 * SECOND]


def test_tracking_makes_two_alarms_as_aws_makes_them() -> None:
    stand = Stand(1, tracking_points_out=3, tracking_points_in=15)
    stand.track(target=10)
    (policy,) = stand.world.scaler.describe_policies(RESOURCE)
    high, low = sorted(stand.world.scaler.alarms_of(policy), key=lambda alarm: alarm.name)
    assert (high.comparison, high.threshold, high.evaluation_periods) == ("GreaterThanThreshold", 10, 3)
    assert (low.comparison, low.threshold, low.evaluation_periods) == ("LessThanThreshold", 9, 15)
    assert high.name.startswith("TargetTracking-endpoint/e/variant/v-AlarmHigh-")
    assert low.name.startswith("TargetTracking-endpoint/e/variant/v-AlarmLow-")
    assert high.description == f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy.arn}"
    assert policy.arn.startswith("arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:")
    assert policy.arn.endswith(":resource/sagemaker/endpoint/e/variant/v:policyName/track")


def test_a_policy_put_again_keeps_its_name_and_changes_its_alarms() -> None:
    stand = Stand(1)
    stand.track(target=10)
    (before,) = stand.world.scaler.describe_policies()
    arn, names = before.arn, {alarm.name for alarm in stand.world.alarms.describe()}
    stand.track(target=20)
    (after,) = stand.world.scaler.describe_policies(names=["track"])
    assert after.arn == arn
    assert {alarm.name for alarm in stand.world.alarms.describe()} == names
    assert {alarm.threshold for alarm in stand.world.alarms.describe()} == {20, 18}
    stand.step((0, None, 1), name="track")  # now a step policy: its own alarms go
    assert [alarm.name for alarm in stand.world.alarms.describe()] == ["alarm-track"]


def test_policies_are_described_by_target_and_by_name() -> None:
    stand = Stand(1)
    for name in ("a", "b", "c"):
        stand.track(target=10, name=name)
    describe = stand.world.scaler.describe_policies
    assert [policy.spec.name for policy in describe(RESOURCE, ["c", "a", "other"])] == ["a", "c"]
    assert [policy.spec.name for policy in describe(names=["b"])] == ["b"]
    assert describe("endpoint/other/variant/v") == []
    assert len(describe(RESOURCE)) == 3


def test_a_cooldown_that_a_policy_does_not_name_is_five_minutes() -> None:
    tracking = PolicySpec(RESOURCE, "t", tracking=TrackingSpec(10.0, MetricId.of("n", "m", ())))
    step = PolicySpec(RESOURCE, "s", step=StepSpec(CHANGE, (StepAdjustment(1, 0.0),)))
    for policy in (tracking, step):
        assert (policy.cooldown_s(is_out=True), policy.cooldown_s(is_out=False)) == (300.0, 300.0)


def test_a_deleted_policy_takes_its_alarms_with_it_and_decides_nothing_more() -> None:
    stand = Stand(1)
    stand.track(target=10)
    stand.world.metrics.put("n", "m", (), "Count", 0, 20.0)
    stand.event_queue.advance(MINUTE)  # it has fired
    stand.world.scaler.delete_policy(RESOURCE, "track")
    stand.settle()
    assert stand.desired == []
    assert stand.world.alarms.describe() == []
    with pytest.raises(KeyError):
        stand.world.scaler.delete_policy(RESOURCE, "track")


def test_a_deregistered_target_is_forgotten_with_its_policies() -> None:
    stand = Stand(1)
    stand.track(target=10)
    stand.world.scaler.deregister(RESOURCE)
    assert stand.world.scaler.describe_targets() == []
    assert stand.world.scaler.describe_policies() == []
    assert stand.world.alarms.describe() == []
    with pytest.raises(UnknownTarget):
        stand.world.scaler.deregister(RESOURCE)
    with pytest.raises(UnknownTarget):
        stand.track(target=10)
