"""Goal: each stage of a scale-out stands in the timeline at the instant AWS told, and what nobody told stays empty.

Method: activities, alarm histories and counts as the gauges write them; delays by subtraction.
"""

import datetime
from typing import Any

import pytest

from runs import EPOCH_NS, Request, frames_of, reading
from smbench.analysis.capacity.scaling import Scaling, ScalingStep, delays, scaling
from smbench.records import Event, Reading

S = 1_000_000_000
HIGH = "TargetTracking-endpoint/e/variant/v-AlarmHigh-1"
CAUSE = f"monitor alarm {HIGH} in state ALARM triggered policy keep-backlog"


def stamp(at_s: float) -> str:
    at = datetime.datetime.fromtimestamp(EPOCH_NS / 1e9 + at_s, tz=datetime.UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}+0000"


def activity(at: float, after: int, *, end: float | None = None, state: str = "", **other: Any) -> Event:
    state = state or ("Successful" if end is not None else "InProgress")
    end_ns = None if end is None else round(end * S)
    seen_ns = round(other.pop("seen", end if end is not None else at) * S)
    name = other.pop("name", f"activity-{at}")
    return Event(
        "scaling_activity", name, round(at * S), seen_ns, state, end_ns, after=float(after), cause=CAUSE, **other
    )


def alarm(at: float, points_at: list[float], *, state: str = "OK -> ALARM", data: Any = None) -> Event:
    points = [{"timestamp": stamp(point), "value": 9.0, "sampleCount": 1.0} for point in points_at]
    reason = {"startDate": stamp(min(points_at, default=0)), "evaluatedDatapoints": points}
    detail = {"newState": {"stateValue": "ALARM", "stateReasonData": reason}} if data is None else data
    return Event("alarm", HIGH, round(at * S), round(at * S), state, detail=detail)


def timeline(events: list[Event], readings: list[Reading] | None = None, done: list[float] | None = None) -> Scaling:
    rows = [Request(0.0, done=at) for at in done or []]
    return scaling(frames_of(rows, events=events, readings=readings or []))


def test_a_scale_out_has_every_stage() -> None:
    # Over from the minute at 60 s, alarm at 250 s, decided at 255 s, in service at 425 s; ends at 300 and 430.5 s.
    events = [alarm(250, [180, 120, 60]), activity(255, 3, end=425)]
    (step,) = timeline(events, [reading("instances_current", 1.0, 0.0)], done=[300.0, 430.5]).steps
    assert step == ScalingStep(
        decided_at_s=255,
        before=1,
        after=3,
        state="Successful",
        policy="keep-backlog",
        breach_at_s=60,
        alarm_at_s=250,
        judged_until_s=240,
        in_service_at_s=425,
        first_completion_at_s=430.5,
        cause=CAUSE,
    )
    assert step.is_out
    assert (step.detection_s, step.provisioning_s) == (195, 170)


def test_an_activity_told_twice_is_one_step_as_last_told() -> None:
    events = [activity(10, 2, name="a", seen=12), activity(10, 2, end=100, name="a", seen=101)]
    steps = timeline(events[::-1]).steps
    assert [(step.state, step.in_service_at_s) for step in steps] == [("Successful", 100.0)]


def test_capacity_before_is_what_the_step_before_left() -> None:
    events = [activity(10, 2, end=50), activity(60, 4, end=90), activity(200, 1, end=300)]
    steps = timeline(events, [reading("instances_current", 0.0, 0.0)]).steps
    assert [(step.before, step.after, step.is_out) for step in steps] == [(0, 2, True), (2, 4, True), (4, 1, False)]


def test_an_alarm_explains_its_first_decision_and_not_those_that_follow_while_it_lasts() -> None:
    events = [
        alarm(250, [60]),
        activity(255, 2, end=300),
        activity(315, 4, end=400),
        alarm(900, [720]),
        activity(905, 6),
    ]
    steps = timeline(events).steps
    assert [step.breach_at_s for step in steps] == [60, None, 720]
    assert [step.alarm_at_s for step in steps] == [250, 250, 900]
    assert delays(steps) == ([195, 185], [45, 85])


def fired(at: float, seen: dict[float, float], *, words: str = "greater than the threshold", limit: float = 5) -> Event:
    """An alarm as CloudWatch tells it, with its datapoints by their begin."""
    points = [{"timestamp": stamp(since), "value": value} for since, value in seen.items()]
    reason = {"period": 60, "threshold": limit, "evaluatedDatapoints": points}
    why = f"Threshold Crossed: datapoints were {words} ({limit}) (minimum 3 datapoints for OK -> ALARM transition)."
    return alarm(at, [], data={"newState": {"stateReason": why, "stateReasonData": reason}})


@pytest.mark.parametrize(
    ("words", "before", "breach_s"),
    [
        ("greater than the threshold", {0: 9, 60: 7}, 0),  # their datapoints came late, or nobody looked
        ("greater than the threshold", {0: 9, 60: 5}, 120),
        ("greater than or equal to the threshold", {0: 9, 60: 5}, 0),
        ("greater than the threshold", {0: 9}, 120),  # a minute without a datapoint is none beyond it
        ("greater than the threshold", {}, 120),
        ("of no kind that is known", {0: 9, 60: 7}, 120),
    ],
)
def test_a_breach_is_as_old_as_the_minutes_before_the_alarm_s_own_say(
    words: str, before: dict[float, float], breach_s: float
) -> None:
    seen = {120.0: 8.0, 180.0: 8.5, 240.0: 9.0}
    minutes = {**before, **seen}
    cloudwatch: dict[str, Any] = {"source": "cloudwatch", "stat": "average"}
    readings = [reading("ApproximateBacklogSizePerInstance", value, at, **cloudwatch) for at, value in minutes.items()]
    readings += [reading("ApproximateBacklogSize", 100.0, at, **cloudwatch) for at in range(0, 300, 60)]  # not this one
    events = [fired(303, seen, words=words), activity(308, 2)]
    assert timeline(events, readings).steps[0].breach_at_s == breach_s


def test_of_two_datapoints_out_of_three_one_that_is_not_beyond_the_threshold_is_no_breach() -> None:
    events = [fired(250, {180: 9.0, 120: 9.0, 60: 2.0}), activity(255, 2)]
    assert timeline(events).steps[0].breach_at_s == 120
    events = [fired(250, {180: 1.0, 120: 1.0, 60: 6.0}, words="less than the threshold"), activity(255, 2)]
    assert timeline(events).steps[0].breach_at_s == 120


def test_alarms_that_went_back_to_ok_explain_nothing() -> None:
    assert timeline([alarm(20, [0], state="ALARM -> OK"), activity(30, 2)]).steps[0].alarm_at_s is None


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"newState": None},
        {"newState": {"stateReasonData": "no json"}},
        {"newState": {"stateReasonData": []}},
        {"newState": {"stateReasonData": {"startDate": "yesterday"}}},
    ],
)
def test_a_history_without_its_datapoints_leaves_the_breach_empty(data: Any) -> None:
    (step,) = timeline([alarm(20, [], data=data), activity(30, 2)]).steps
    assert (step.alarm_at_s, step.breach_at_s, step.detection_s) == (20, None, None)


def test_reason_data_may_be_a_text_of_its_own() -> None:
    data = {"newState": {"stateReasonData": f'{{"startDate": "{stamp(60)}"}}'}}
    assert timeline([alarm(250, [], data=data), activity(255, 2)]).steps[0].breach_at_s == 60


def test_without_an_end_the_first_look_that_shows_the_capacity_counts() -> None:
    looks = [reading("instances_current", float(count), at) for at, count in ((0, 1), (60, 1), (120, 2), (180, 4))]
    (step,) = timeline([activity(30, 4)], looks, done=[150.0, 200.0]).steps
    assert (step.in_service_at_s, step.first_completion_at_s) == (180, 200)


@pytest.mark.parametrize("state", ["Failed", "Overridden", "Unfulfilled"])
def test_capacity_that_failed_never_served(state: str) -> None:
    looks = [reading("instances_current", 4.0, 100.0)]
    (step,) = timeline([activity(30, 4, end=90, state=state)], looks).steps
    assert (step.in_service_at_s, step.first_completion_at_s) == (None, None)


def test_an_attempt_that_set_nothing_is_no_step() -> None:
    event = Event("scaling_activity", "a", S, S, "Failed", cause=CAUSE)
    assert timeline([event]).steps == ()


def test_where_no_activity_is_told_a_change_of_desired_capacity_is_the_decision() -> None:
    events = [
        Event("capacity", "AllTraffic", 40 * S, 40 * S, "Updating", before=1.0, after=2.0),
        Event("capacity", "AllTraffic", 90 * S, 90 * S, "InService", before=2.0, after=2.0),
    ]
    looks = [reading("instances_current", 1.0, 0.0), reading("instances_current", 2.0, 90.0)]
    (step,) = timeline(events, looks).steps
    assert (step.before, step.after, step.decided_at_s, step.in_service_at_s) == (1, 2, 40, 90)


def test_the_most_instances_are_those_seen_or_known_to_have_served() -> None:
    looks = [reading("instances_current", float(count), at) for at, count in ((0, 1), (60, 2), (120, 0))]
    found = timeline([activity(10, 3, end=40)], looks)
    assert (found.instances_at_start, found.instances_max) == (1, 3)
    nothing = timeline([])
    assert (nothing.steps, nothing.instances_at_start, nothing.instances_max) == ((), None, None)
