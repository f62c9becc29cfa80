"""Goal: what several sources say of one event is one event, as exact as they are together; what they contradict stays.

Method: activities, looks, minutes and alarms written by hand; the intervals follow by hand.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs import Request, frames_of, reading
from smbench.analysis.capacity.scaling import Scaling, scaling
from smbench.analysis.capacity.scaling_events import ScalingEvent, What
from smbench.records import Event, Reading

S = 1_000_000_000
CAUSE = "monitor alarm high in state ALARM triggered policy keep"


def ns(seconds: float) -> int:
    return round(seconds * S)


def activity(at: float, after: int | None, *, end: float | None = None, state: str = "", **detail: Any) -> Event:
    state = state or ("Successful" if end is not None else "InProgress")
    count = None if after is None else float(after)
    ended = None if end is None else ns(end)
    given_ns = ns(end if end is not None else at)
    return Event(
        "scaling_activity",
        f"a{at}",
        ns(at),
        given_ns,
        state,
        ended,
        None,
        count,
        CAUSE,
        detail,
        "application-autoscaling",
    )


def alarm(at: float, name: str = "high") -> Event:
    return Event("alarm", name, ns(at), ns(at), "OK -> ALARM", source="cloudwatch")


def looked(since: float | None, at: float, before: int, after: int) -> Event:
    doubt_ns = None if since is None else ns(at - since)
    counts = float(before), float(after)
    return Event("capacity", "v", ns(at), ns(at), "Updating", None, *counts, source="endpoint", doubt_ns=doubt_ns)


def looks(*counts: tuple[float, int]) -> list[Reading]:
    return [reading("instances_current", float(n), at) for at, n in counts]


def minutes(*counts: tuple[float, int]) -> list[Reading]:
    return [Reading("cloudwatch", "CPUUtilization", "sample_count", float(n), ns(at), ns(at + 60)) for at, n in counts]


def told(events: list[Event], readings: list[Reading] | None = None, rows: list[Request] | None = None) -> Scaling:
    return scaling(frames_of(rows or [], events=events, readings=readings or []))


def between(event: ScalingEvent) -> tuple[float | None, float]:
    return event.earliest_s, event.latest_s


def only(found: Scaling, what: What) -> ScalingEvent:
    (event,) = [event for event in found.events if event.what is what]
    return event


STORY = [alarm(100), activity(105, 3, end=205), looked(100, 110, 1, 3)]
SEEN = looks((0, 1), (90, 1), (200, 1), (210, 3)) + minutes((120, 1), (180, 3))


def test_one_scale_out_is_an_alarm_a_decision_and_a_service_whatever_the_number_of_its_witnesses() -> None:
    found = told(STORY, SEEN)
    assert [(event.what, event.subject, event.step) for event in found.events] == [
        (What.ALARM, "high", 1),
        (What.DECIDED, "1 -> 3", 1),
        (What.IN_SERVICE, "1 -> 3", 1),
    ]
    assert [one.source for one in found.events[2].witnesses] == [
        "scaling activity",
        "DescribeEndpoint",
        "CPUUtilization",
    ]
    assert {event.conflict for event in found.events} == {""}


def test_witnesses_narrow_an_event_down_together() -> None:
    without_end = [activity(105, 3), looked(100, 110, 1, 3)]
    assert between(only(told(without_end, looks((0, 1), (150, 1), (210, 3))), What.IN_SERVICE)) == (150, 210)
    # A minute from 120 to 180 s had both already, so it was before its end.
    with_minute = looks((0, 1), (150, 1), (210, 3)) + minutes((60, 1), (120, 3))
    assert between(only(told(without_end, with_minute), What.IN_SERVICE)) == (150, 180)


def test_an_instant_that_aws_stamped_is_as_exact_as_the_clocks_agree() -> None:
    # Answers take 0.4 s, so the two clocks are known to 0.2 s.
    rows = [Request(float(at), send=at, ack=at + 0.4, recv=at + 0.2, done=at + 1.0) for at in range(20)]
    assert between(only(told(STORY, SEEN, rows), What.ALARM)) == pytest.approx((99.8, 100.2))


def test_a_clock_of_aws_that_is_ahead_is_taken_out_of_its_stamps_and_not_out_of_looks() -> None:
    rows = [Request(float(at), send=at, ack=at, recv=at + 30, done=at + 31.0) for at in range(20)]
    found = told(STORY, SEEN, rows)
    assert found.steps[0].decided_at_s == pytest.approx(75)
    assert only(found, What.ALARM).latest_s == pytest.approx(70, abs=0.01)
    event = only(found, What.IN_SERVICE)  # 175 s by the activity, 200 to 210 by the looks, 90 to 210 by the minutes
    assert between(event) == pytest.approx((90, 210), abs=0.01)
    assert event.conflict == "DescribeEndpoint says 25.0 s later than scaling activity"


def test_sources_that_exclude_each_other_are_all_kept_and_the_event_spans_them() -> None:
    event = only(told([activity(105, 3, end=300), looked(100, 110, 1, 3)], SEEN), What.IN_SERVICE)
    assert between(event) == (120, 300)
    assert [(one.earliest_s, one.latest_s) for one in event.witnesses] == [
        (300, 300),
        (200, 210),
        (120, 240),
    ]
    assert event.conflict == "scaling activity says 90.0 s later than DescribeEndpoint"


def test_the_first_look_has_none_before_it_so_its_change_may_be_any_time_before() -> None:
    event = only(told([looked(None, 5, 1, 2)], looks((5, 1))), What.DECIDED)
    assert between(event) == (None, 5)


def test_a_change_that_no_activity_explains_is_shown_as_that() -> None:
    found = told([*STORY, looked(400, 410, 3, 5)], SEEN)
    assert [(event.subject, event.note) for event in found.events if event.step is None] == [
        ("3 -> 5", "no scaling activity reports it")
    ]


def test_a_failed_activity_says_why_in_the_words_of_aws() -> None:
    message = "Failed to set desired instance count to 4. Reason: The account-level service limit is 3 Instances."
    found = told([activity(10, 4, end=12, state="Failed", StatusMessage=message)], looks((0, 1), (20, 1)))
    event = only(found, What.FAILED)
    assert (event.note, between(event), event.conflict) == (message, (12, 12), "")


def test_a_failed_activity_whose_capacity_is_there_all_the_same_is_in_doubt() -> None:
    found = told([activity(10, 2, end=12, state="Failed")], looks((0, 1), (20, 1), (30, 2), (40, 2)))
    assert only(found, What.FAILED).conflict == "the activity Failed, yet DescribeEndpoint showed 1 -> 2"


def test_a_successful_activity_whose_capacity_never_shows_is_in_doubt() -> None:
    found = told([activity(10, 3, end=50)], looks((0, 1), (60, 2), (600, 2)))
    assert only(found, What.IN_SERVICE).conflict == (
        "the activity ended Successful, yet DescribeEndpoint showed 2 until the next"
    )


def test_a_desired_count_found_before_its_activity_began_is_in_doubt() -> None:
    event = only(told([activity(105, 3), looked(40, 50, 1, 3)], looks((0, 1))), What.DECIDED)
    assert between(event) == (40, 105)
    assert event.conflict == "scaling activity says 55.0 s later than DescribeEndpoint"


def test_a_desired_count_found_later_than_decided_is_no_contradiction() -> None:
    event = only(told([activity(105, 3), looked(120, 130, 1, 3)], looks((0, 1))), What.DECIDED)
    assert (between(event), event.conflict) == ((105, 105), "")


def test_alarms_and_activities_that_changed_nothing_are_events_of_their_own() -> None:
    reasons = [{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 3}]
    idle = activity(50, None, state="Failed", NotScaledReasons=reasons)
    found = told([alarm(40, "low"), idle, activity(60, None, state="Successful")])
    assert [(event.what, event.subject, event.note) for event in found.events] == [
        (What.ALARM, "low", "no change of capacity came"),
        (What.NOT_SCALED, "", "AlreadyAtMaxCapacity"),
    ]


def test_an_instance_is_known_by_its_log() -> None:
    begun = Event("instance", "i-1", ns(70), ns(90), "log begun", source="logs")
    assert (only(told([begun]), What.LOG_BEGUN).subject, between(told([begun]).events[0])) == ("i-1", (70, 70))


def test_log_streams_that_may_not_be_read_are_a_sentence() -> None:
    refused = Reading("logs", "DescribeLogStreams", "value", None, 0, 0, "AccessDeniedException: no")
    assert told([], [refused]).unread == (
        "the log streams of its containers could not be read: AccessDeniedException: no"
    )


def test_capacity_before_a_decision_is_what_a_look_found_where_the_one_before_failed() -> None:
    failed = activity(105, 3, end=150, state="Failed")
    steps = told([failed, looked(140, 150, 3, 2), activity(200, 3, end=300)], looks((0, 1))).steps
    assert [(step.before, step.after) for step in steps] == [(1, 3), (2, 3)]


@pytest.mark.slow
@given(
    at=st.floats(10, 1000),
    takes=st.floats(0, 500),
    every=st.floats(1, 60),
    offset=st.floats(0, 1),
)
def test_what_all_sources_saw_of_one_change_agrees_and_holds_the_true_instant(
    at: float, takes: float, every: float, offset: float
) -> None:
    there = at + takes
    beat = [offset * every + every * n for n in range(int((there + 120) / every) + 2)]
    counts = [(instant, 1 if instant < there else 2) for instant in beat]
    change = next(n for n, instant in enumerate(beat) if instant >= at)
    since = beat[change - 1] if change else None
    samples = [(60.0 * n, 1 if 60 * n + 30 < there else 2) for n in range(int(there / 60) + 3)]
    events = [activity(at, 2, end=there), looked(since, beat[change], 1, 2)]
    found = told(events, looks((-1, 1), *counts) + minutes(*samples))
    for event, true_s in ((only(found, What.DECIDED), at), (only(found, What.IN_SERVICE), there)):
        assert event.conflict == ""
        assert (event.earliest_s or 0) - 1e-6 <= true_s <= event.latest_s + 1e-6
