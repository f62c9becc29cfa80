"""Alarms against the two tables AWS prints, and minute by minute on datapoints put by hand."""

import json
from itertools import pairwise

import pytest

from modelling import SECOND
from smbench.model.event_queue import EventQueue
from smbench.model.monitoring.alarms import ALARM, INSUFFICIENT_DATA, OK, Alarm, AlarmBook, judge
from smbench.model.monitoring.metrics import MetricId, MetricStore
from smbench.model.monitoring.watched import MetricQuery
from smbench.model.service import Seeds
from smbench.scenario.values.distributions import Distribution

MINUTE = 60 * SECOND
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
KEEP = None

# "Configuring how CloudWatch alarms treat missing data": 0 in bounds, X breaching, - missing; the newest stands last.
THREE_OF_THREE = {
    "0-X-X": (OK, OK, OK, OK),
    "----0": (OK, OK, OK, OK),
    "-----": (INSUFFICIENT_DATA, KEEP, ALARM, OK),
    "0XX-X": (ALARM, ALARM, ALARM, ALARM),
    "--X--": (ALARM, KEEP, ALARM, OK),
}
TWO_OF_THREE = {
    "0-X-X": (ALARM, ALARM, ALARM, ALARM),
    "00X0X": (ALARM, ALARM, ALARM, ALARM),
    "0-X--": (OK, OK, ALARM, OK),
    "----0": (OK, OK, ALARM, OK),
    "---X-": (ALARM, KEEP, ALARM, OK),
}


def points(row: str) -> list[bool | None]:
    return [{"0": False, "X": True, "-": None}[one] for one in row]


@pytest.mark.parametrize("row", THREE_OF_THREE)
def test_three_of_three_is_judged_as_aws_prints_it(row: str) -> None:
    assert tuple(judge(points(row), 3, 3, treatment) for treatment in TREATMENTS) == THREE_OF_THREE[row]


@pytest.mark.parametrize("row", TWO_OF_THREE)
def test_two_of_three_is_judged_as_aws_prints_it(row: str) -> None:
    assert tuple(judge(points(row), 3, 2, treatment) for treatment in TREATMENTS) == TWO_OF_THREE[row]


@pytest.mark.parametrize("row", ["----X", "---X-"])
def test_a_single_recent_breach_is_no_alarm_yet(row: str) -> None:
    # "Avoiding premature transitions": the next datapoint may be in bounds.
    assert judge(points(row), 3, 3, "missing") == OK


def test_without_gaps_only_the_newest_count() -> None:
    assert judge(points("XX000"), 3, 3, "missing") == OK
    assert judge(points("00XXX"), 3, 3, "missing") == ALARM


POLICY = "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:1:policyName/p"
TOPIC = "arn:aws:sns:us-east-1:123456789012:pager"


class Minutes:
    """An alarm on a metric whose values are put by hand, one a minute; None puts nothing."""

    def __init__(self, phase: str = "0s", **changes: object) -> None:
        self.event_queue = EventQueue()
        self.metrics = MetricStore(self.event_queue, 0, delay=Distribution.model_validate("0s"))
        self.book = AlarmBook(self.event_queue, self.metrics, phase=Distribution.model_validate(phase))
        self.fired_s: list[float] = []
        self.book.on_action.append(lambda _: self.fired_s.append(self.event_queue.now_ns / SECOND))
        settings: dict[str, object] = {
            "name": "a",
            "namespace": "n",
            "metric": "m",
            "dimensions": (),
            "statistic": "Average",
            "comparison": "GreaterThanThreshold",
            "threshold": 5.0,
            "evaluation_periods": 3,
            "actions": (POLICY,),
        }
        self.alarm = Alarm(**(settings | changes))  # type: ignore[arg-type]  # a dict of mixed settings
        self.book.put(self.alarm)

    def pass_minutes(self, *values: float | None) -> list[str]:
        """The alarm's state at the end of each minute."""
        states = []
        for value in values:
            if value is not None:
                self.metrics.put("n", "m", (), "Count", self.event_queue.now_ns, value)
            self.event_queue.advance(self.event_queue.now_ns + MINUTE)
            states.append(self.alarm.state)
        return states


def test_an_alarm_begins_without_data_and_needs_three_breaches() -> None:
    minutes = Minutes()
    assert minutes.alarm.state == INSUFFICIENT_DATA
    assert minutes.pass_minutes(9, 9, 9, 3) == [OK, OK, ALARM, OK]


def test_a_value_on_the_threshold_breaches_or_not_as_the_comparison_says() -> None:
    for comparison, expected in (
        ("GreaterThanThreshold", OK),
        ("GreaterThanOrEqualToThreshold", ALARM),
        ("LessThanThreshold", OK),
        ("LessThanOrEqualToThreshold", ALARM),
    ):
        assert Minutes(comparison=comparison, evaluation_periods=1).pass_minutes(5) == [expected]


def test_m_of_n_alarms_on_any_m_of_the_last_n() -> None:
    minutes = Minutes(evaluation_periods=3, datapoints_to_alarm=2)
    assert minutes.pass_minutes(9, 1, 9, 1, 1) == [OK, OK, ALARM, OK, OK]


def test_a_metric_that_stops_keeps_the_state_until_its_points_have_left_the_range() -> None:
    minutes = Minutes(evaluation_periods=1)
    # One of one looks at three minutes: the breach stands in it for two more.
    assert minutes.pass_minutes(9, None, None, None) == [ALARM, ALARM, ALARM, INSUFFICIENT_DATA]


@pytest.mark.parametrize(
    ("treatment", "expected"),
    [("missing", INSUFFICIENT_DATA), ("ignore", ALARM), ("breaching", ALARM), ("notBreaching", OK)],
)
def test_silence_means_what_the_treatment_says(treatment: str, expected: str) -> None:
    minutes = Minutes(evaluation_periods=1, treat_missing_data=treatment)
    assert minutes.pass_minutes(9, None, None, None)[-1] == expected


def test_actions_are_repeated_every_minute_while_in_alarm() -> None:
    minutes = Minutes(evaluation_periods=1)
    minutes.pass_minutes(1, 9, 9, 9, 1, 9)
    assert minutes.fired_s == [120, 180, 240, 360]


def test_each_state_has_actions_of_its_own_and_policies_repeat_while_it_lasts() -> None:
    minutes = Minutes(evaluation_periods=1, actions=(), ok_actions=(POLICY,))
    minutes.pass_minutes(1, 1, 9, 9, 1)
    assert minutes.fired_s == [60, 120, 300]
    minutes = Minutes(evaluation_periods=1, actions=(), insufficient_actions=(POLICY,))
    minutes.pass_minutes(9, None, None, None, None)
    assert minutes.fired_s == [240, 300]


def test_an_action_that_is_no_policy_is_due_on_the_change_alone_and_said_not_to_have_been_carried_out() -> None:
    minutes = Minutes(evaluation_periods=1, actions=(TOPIC,), ok_actions=(TOPIC,))
    minutes.pass_minutes(9, 9, 9, 1, 1)
    actions = [item for item in minutes.book.history("a") if item.kind == "Action"]
    assert [item.at_ns // MINUTE for item in actions] == [1, 4]
    assert all(item.summary.startswith(f"Failed to execute action {TOPIC}.") for item in actions)
    assert {str(item.data["actionState"]) for item in actions} == {"Failed"}
    assert minutes.fired_s == []


@pytest.mark.parametrize(
    ("treatment", "n", "value", "words"),
    [
        ("breaching", 1, None, "no datapoints were received for 1 period and 1 missing datapoint was"),
        ("notBreaching", 2, None, "no datapoints were received for 2 periods and 2 missing datapoints were"),
        ("breaching", 3, 9, "1 datapoint was received for 3 periods and 2 missing datapoints were"),
    ],
)
def test_the_reason_counts_missing_datapoints_as_aws_does(
    treatment: str, n: int, value: float | None, words: str
) -> None:
    minutes = Minutes(evaluation_periods=n, treat_missing_data=treatment)
    minutes.pass_minutes(value)
    treated = {"breaching": "Breaching", "notBreaching": "NonBreaching"}[treatment]
    assert minutes.alarm.state_reason == f"Threshold Crossed: {words} treated as [{treated}]."


def test_disabled_actions_do_not_fire() -> None:
    minutes = Minutes(evaluation_periods=1, actions_enabled=False)
    assert minutes.pass_minutes(9) == [ALARM]
    assert minutes.fired_s == []


def test_what_is_still_on_its_way_is_not_missing() -> None:
    # A delay of 150 s: at each evaluation the two newest minutes are on their way. Two real points of N + 2 = 5 would
    # else be filled up and alarm one minute early.
    minutes = Minutes(evaluation_periods=3)
    minutes.metrics = MetricStore(minutes.event_queue, 0, delay=Distribution.model_validate("150s"))
    book = AlarmBook(minutes.event_queue, minutes.metrics, phase=Distribution.model_validate("0s"))
    book.put(minutes.alarm)
    minutes.metrics.gauge("m", (), "Count", 9.0, namespace="n")
    states: dict[int, str] = {}
    for minute in range(1, 8):
        minutes.event_queue.advance(minute * MINUTE)
        states[minute] = minutes.alarm.state
    # The minute that ends at 60 k is visible at 60 k + 150, so at 60 (k + 3): the third point at 360 s.
    assert [states[minute] for minute in (3, 4, 5, 6)] == [INSUFFICIENT_DATA, OK, OK, ALARM]


def test_a_longer_period_is_judged_on_its_minutes_together() -> None:
    minutes = Minutes(evaluation_periods=1, period_s=300, statistic="Sum", threshold=20.0)
    assert minutes.pass_minutes(4, 4, 4, 4, 4)[-1] == OK
    assert minutes.pass_minutes(5) == [ALARM]  # 4 + 4 + 4 + 4 + 5


def test_history_tells_every_change_with_its_datapoints() -> None:
    minutes = Minutes()
    minutes.pass_minutes(9, 9, 9)
    changes = [item for item in minutes.book.history("a") if item.kind == "StateUpdate"]
    assert [(item.at_ns, item.summary) for item in changes] == [
        (MINUTE, "Alarm updated from INSUFFICIENT_DATA to OK"),
        (3 * MINUTE, "Alarm updated from OK to ALARM"),
    ]
    new = changes[-1].data["newState"]
    assert isinstance(new, dict)
    points = "9.0 (01/01/70 00:02:00), 9.0 (01/01/70 00:01:00), 9.0 (01/01/70 00:00:00)"
    assert new["stateReason"].startswith(f"Threshold Crossed: 3 out of the last 3 datapoints [{points}] were")
    assert new["stateReasonData"]["recentDatapoints"] == [9, 9, 9]
    assert new["stateReasonData"]["startDate"] == "1970-01-01T00:00:00.000+0000"
    json.dumps(changes[-1].data)


def test_history_is_a_chain_of_states() -> None:
    minutes = Minutes(evaluation_periods=1)
    minutes.pass_minutes(9, 1, 9, None, None, None, 1)
    changes = [item for item in minutes.book.history("a") if item.kind == "StateUpdate"]
    assert all(earlier.new_state == later.old_state for earlier, later in pairwise(changes))
    assert [item.new_state for item in changes] == [ALARM, OK, ALARM, INSUFFICIENT_DATA, OK]


def test_a_state_set_by_hand_acts_and_lasts_until_the_next_evaluation() -> None:
    minutes = Minutes()
    minutes.pass_minutes(1, 1, 1)
    minutes.event_queue.advance(minutes.event_queue.now_ns + 10 * SECOND)
    minutes.book.set_state("a", ALARM, "testing")
    assert minutes.fired_s == [190]
    assert minutes.alarm.state_reason == "testing"
    minutes.event_queue.advance(4 * MINUTE)
    assert minutes.alarm.state == OK
    with pytest.raises(KeyError):
        minutes.book.set_state("other", ALARM, "testing")


def test_a_changed_alarm_keeps_its_state_until_it_is_evaluated() -> None:
    minutes = Minutes(evaluation_periods=1)
    minutes.pass_minutes(9)
    changed = Minutes(evaluation_periods=1, threshold=50.0).alarm
    minutes.book.put(changed)
    assert (changed.state, changed.value) == (ALARM, 9)
    minutes.alarm = changed
    assert minutes.pass_minutes(9) == [OK]


def test_a_deleted_alarm_is_evaluated_no_more_and_leaves_its_history() -> None:
    minutes = Minutes(evaluation_periods=1)
    minutes.pass_minutes(9)
    minutes.book.delete("a")
    minutes.book.delete("a")
    minutes.pass_minutes(9)
    assert minutes.fired_s == [60]
    assert minutes.book.get("a") is None
    assert minutes.book.describe() == []
    assert [item.summary for item in minutes.book.history("a")][-1] == 'Alarm "a" deleted'


def test_alarms_are_described_by_name_or_by_how_they_begin() -> None:
    minutes = Minutes()
    for name in ("b2", "b1"):
        minutes.book.put(Minutes(name=name).alarm)
    assert [alarm.name for alarm in minutes.book.describe(prefix="b")] == ["b1", "b2"]
    assert [alarm.name for alarm in minutes.book.describe(["b2", "no", "a"])] == ["a", "b2"]


# The second of the minute


def turns_s(phase: str, *, epoch_s: float = 0.0, names: tuple[str, ...] = ("a",), seed: int = 0) -> dict[str, float]:
    """When each alarm on a metric that always breaches first fires, in seconds of the run."""
    event_queue = EventQueue()
    metrics = MetricStore(event_queue, round(epoch_s * SECOND), delay=Distribution.model_validate("0s"))
    law = Distribution.model_validate({"uniform": {"low": "0s", "high": "60s"}} if phase == "drawn" else phase)
    book = AlarmBook(event_queue, metrics, phase=law, seeds=Seeds(capacity=seed))
    metrics.put("n", "m", (), "Count", 0, 9.0)
    fired: dict[str, float] = {}

    def note(alarm: Alarm) -> None:
        fired.setdefault(alarm.name, event_queue.now_ns / SECOND)

    book.on_action.append(note)
    for name in names:
        book.put(Alarm(name, "n", "m", (), "Average", "GreaterThanThreshold", 5.0, actions=(POLICY,)))
    event_queue.advance(3 * MINUTE)
    return fired


@pytest.mark.parametrize(("phase", "fired_s"), [("0s", 60), ("1s", 61), ("17s", 77), ("59.5s", 119.5), ("77s", 77)])
def test_an_alarm_is_evaluated_at_its_second_on_what_is_visible_then(phase: str, fired_s: float) -> None:
    # The minute's datapoint is visible at 60 s.
    assert turns_s(phase) == {"a": fired_s}


def test_the_second_of_an_alarm_is_one_of_the_utc_minute() -> None:
    # The run begins 40 s into a minute, which ends at 20 s; the alarm's second is 17 s after that.
    assert turns_s("17s", epoch_s=40.0) == {"a": 37}


def test_each_alarm_has_a_second_of_its_own_and_another_seed_has_others() -> None:
    names = tuple("abcdefgh")
    first, again, other = (turns_s("drawn", names=names, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert len(set(first.values())) == len(set(other.values())) == 8
    assert not set(first.values()) & set(other.values())
    assert turns_s("drawn", names=("c",), seed=1)["c"] == first["c"]  # other alarms do not move it


def test_an_alarm_keeps_its_second_when_it_is_changed() -> None:
    minutes = Minutes("20s", evaluation_periods=1)
    minutes.pass_minutes(9, 9)
    minutes.event_queue.advance(minutes.event_queue.now_ns + 50 * SECOND)
    minutes.book.put(Minutes(evaluation_periods=1, threshold=4.0).alarm)
    minutes.pass_minutes(9, 9)
    assert minutes.fired_s == [80, 140, 200, 260]


# Metric math


def math_alarm(expression: str, **changes: object) -> Minutes:
    """An alarm on an expression over m1 (put by `pass_minutes`) and m2, a metric that nobody puts."""
    queries = (
        MetricQuery("e1", expression=expression),
        MetricQuery("m1", MetricId.of("n", "m", ()), is_returned=False),
        MetricQuery("m2", MetricId.of("n", "never", ()), is_returned=False),
    )
    settings: dict[str, object] = {"namespace": "", "metric": "", "evaluation_periods": 1, "queries": queries}
    return Minutes("0s", **settings | changes)


def test_an_alarm_on_an_expression_is_judged_by_the_expression() -> None:
    minutes = math_alarm("m1 * 2", threshold=10.0)
    assert minutes.pass_minutes(4, 6, 4) == [OK, ALARM, OK]
    change = next(item for item in minutes.book.history("a") if item.new_state == ALARM)
    assert '"recentDatapoints": [12.0]' in json.dumps(change.data)


def test_fill_gives_an_alarm_values_where_the_metric_has_none() -> None:
    assert math_alarm("m1").pass_minutes(9, None, None, None)[-1] == INSUFFICIENT_DATA
    assert math_alarm("FILL(m1, 0)").pass_minutes(9, None, None, None)[-1] == OK
    assert math_alarm("FILL(m1, REPEAT)").pass_minutes(9, None)[-1] == ALARM
    assert math_alarm("m1 + FILL(m2, 0)").pass_minutes(9)[-1] == ALARM
    assert math_alarm("SUM(METRICS())").pass_minutes(9)[-1] == ALARM
    assert math_alarm("m1 + m2").pass_minutes(9)[-1] == INSUFFICIENT_DATA


def test_an_expression_waits_for_the_slowest_of_its_metrics() -> None:
    minutes = math_alarm("m1 + FILL(m2, 100)")
    # m2 is a gauge of 0 whose datapoint is visible 90 s after its minute: while it is on its way it is not filled.
    minutes.metrics = MetricStore(minutes.event_queue, 0, delay=Distribution.model_validate("90s"))
    minutes.book = AlarmBook(minutes.event_queue, minutes.metrics, phase=Distribution.model_validate("0s"))
    minutes.book.put(minutes.alarm)
    minutes.metrics.gauge("never", (), "Count", 0.0, namespace="n")
    minutes.metrics.put("n", "m", (), "Count", 0, 1.0)
    minutes.metrics.put("n", "m", (), "Count", MINUTE, 1.0)
    assert minutes.pass_minutes(1, 1, 1) == [INSUFFICIENT_DATA, INSUFFICIENT_DATA, OK]
    assert minutes.alarm.value == 1
