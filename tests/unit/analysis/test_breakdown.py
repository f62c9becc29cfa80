"""Goal: latency and cost by phase and by payload class are what the rows of each say, and costs add up to the whole.

Method: two phases and two classes by hand, on instances whose number is read; shares by arithmetic.
"""

from typing import Any

import pytest

from runs import Request, frames_of, reading, span, sure
from smbench.analysis.capacity.cost import Cost
from smbench.analysis.latency.breakdown import CLASSES_MAX
from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.summary import Summary, summarise
from smbench.api.report import judged
from smbench.records import Outcome, Unknown

SCENARIO: dict[str, Any] = {
    "thresholds": ["sojourn_p95 < 3s"],
    "target": {"emulated": {"instances": {"concurrency": 1}}, "instance_hour": 3.6},
}


def of_class(name: str, sched: float, **other: Any) -> Request:
    return Request(sched, changes={"payload": name}, **other)


def day_and_night(**scenario: Any) -> Summary:
    """Ten quiet requests of one second, then ten of four seconds; one instance, then two."""
    quiet = [of_class("small", 10.0 * k, done=10.0 * k + 1.0, phase="night") for k in range(10)]
    busy = [of_class("large", 100.0 + 10.0 * k, done=100.0 + 10.0 * k + 4.0, phase="day") for k in range(10)]
    spans = [
        span(10, name="night", end_s=100.0),
        span(10, name="day", index=1, start_s=100.0, end_s=200.0, first_seq=10),
    ]
    looks = [reading("instances_current", 1.0 if at < 100 else 2.0, float(at)) for at in range(0, 210, 10)]
    return summarise(frames_of(quiet + busy, spans=spans, readings=looks, scenario={**SCENARIO, **scenario}))


def test_each_phase_has_the_latency_of_its_own_requests() -> None:
    night, day = day_and_night().by_phase
    assert (night.name, night.sojourn.p50, night.n_completed) == ("night", Bounded.exactly(1.0), 10)
    assert (day.name, day.sojourn.p50, day.n_completed) == ("day", Bounded.exactly(4.0), 10)


def test_each_class_has_the_latency_of_its_own_requests() -> None:
    of = {part.name: part for part in day_and_night().by_class}
    assert of["small"].sojourn.max == Bounded.exactly(1.0)
    assert of["large"].sojourn.max == Bounded.exactly(4.0)


@pytest.mark.slow
def test_the_share_over_the_deadline_is_by_part() -> None:
    night, day = day_and_night().by_phase
    assert (night.over_deadline, day.over_deadline) == (Bounded.exactly(0.0), Bounded.exactly(1.0))
    assert isinstance(day_and_night(thresholds=[]).by_phase[0].over_deadline, Unknown)


@pytest.mark.slow
def test_a_threshold_that_is_asserted_of_a_report_is_a_deadline_as_one_of_the_scenario() -> None:
    rows = [Request(10.0 * k, done=10.0 * k + 1.0 + k) for k in range(4)]
    looks = [reading("instances_current", 1.0, float(at)) for at in (0, 50)]
    frames = frames_of(rows, readings=looks, scenario={**SCENARIO, "thresholds": ["p95 < 1h"]})
    asked = judged(frames, ["p95 < 1h", "within(2500ms) >= 99%"]).summary
    assert sure(asked.cost).deadline_s == 2.5
    assert sure(asked.cost).n_within_deadline == 2
    assert [one.over_s for one in asked.sizing.waited] == [2.5]
    assert sure(judged(frames, ["p95 < 1h"]).summary.cost).deadline_s == 3600.0


def test_a_request_without_an_end_leaves_the_share_open_until_it_is_older_than_the_deadline() -> None:
    rows = [Request(0.0, done=1.0, phase="a"), Request(8.0, Outcome.PENDING, phase="a")]
    rows += [Request(0.0, done=9.5, phase="b"), Request(0.0, Outcome.PENDING, phase="b")]
    spans = [span(2, name="a"), span(2, name="b", index=1, first_seq=2)]
    a, b = summarise(frames_of(rows, spans=spans, scenario=SCENARIO)).by_phase  # the last thing known is at 9.5 s
    assert a.over_deadline == Bounded(low=0.0, high=0.5)
    assert b.over_deadline == Bounded.exactly(1.0)


def test_the_cost_of_the_phases_is_the_whole_cost() -> None:
    summary = day_and_night()
    whole = summary.cost
    assert isinstance(whole, Cost)
    night, day = summary.by_phase
    assert sure(night.instance_s) == pytest.approx(
        95.0 + 10.0, abs=6.0
    )  # the change is between the looks at 90 and 100
    assert sure(night.instance_s) + sure(day.instance_s) == pytest.approx(whole.instance_s)
    assert sure(day.usd_per_1000) == pytest.approx(1000 * sure(day.usd) / 10)


def test_a_burst_at_the_instant_at_which_the_next_phase_begins_has_no_cost_and_the_next_pays_for_all() -> None:
    """Each instance-second is in one phase: none twice, and none in no phase."""
    burst = [Request(0.0, done=k + 1.0, phase="burst") for k in range(5)]
    steady = [Request(10.0 * k, done=10.0 * k + 6.0, phase="steady") for k in range(5)]
    later = [Request(50.0 + k, done=k + 60.0, phase="later") for k in range(5)]
    spans = [
        span(5, name="burst", end_s=0.0),
        span(5, name="steady", index=1, end_s=50.0, first_seq=5),
        span(5, name="later", index=2, start_s=50.0, end_s=60.0, first_seq=10),
    ]
    looks = [reading("instances_current", 1.0, float(at)) for at in range(0, 80, 10)]
    summary = summarise(frames_of(burst + steady + later, spans=spans, readings=looks, scenario=SCENARIO))
    first, *others = summary.by_phase
    assert isinstance(first.instance_s, Unknown)
    assert isinstance(first.usd_per_1000, Unknown)
    assert [sure(part.instance_s) for part in others] == [50.0, 20.0]


def test_classes_share_the_cost_as_they_share_the_work() -> None:
    summary = day_and_night()
    whole = summary.cost
    assert isinstance(whole, Cost)
    of = {part.name: sure(part.usd) for part in summary.by_class}
    assert of["large"] == pytest.approx(0.8 * sure(whole.usd))  # 10 x 4 s of 50 s
    assert of["small"] == pytest.approx(0.2 * sure(whole.usd))


def test_without_instances_the_latency_is_known_and_the_cost_is_not() -> None:
    rows = [of_class("ab"[k % 2], float(k), done=k + 1.0) for k in range(20)]
    for part in summarise(frames_of(rows)).by_class:
        assert part.sojourn.p50 == Bounded.exactly(1.0)
        assert isinstance(part.instance_s, Unknown)


def test_one_phase_or_one_class_is_no_breakdown_and_warm_ups_are_no_part() -> None:
    rows = [Request(float(k), done=k + 1.0, phase="warm" if k < 5 else "load", warmup=k < 5) for k in range(10)]
    spans = [span(5, name="warm", end_s=5.0, warmup=True), span(5, index=1, start_s=5.0, first_seq=5)]
    summary = summarise(frames_of(rows, spans=spans))
    assert (summary.by_phase, summary.by_class) == ((), ())


def test_of_many_classes_the_most_frequent_are_parts() -> None:
    rows = [of_class(f"class-{k % 30:02d}", float(k), done=k + 1.0) for k in range(75)]  # the first fifteen are thrice
    summary = summarise(frames_of(rows))
    assert [part.name for part in summary.by_class][:15] == [f"class-{k:02d}" for k in range(15)]
    assert (len(summary.by_class), summary.n_classes) == (CLASSES_MAX, 30)


def test_each_variant_has_the_latency_of_the_answers_it_gave_and_no_cost() -> None:
    fast = [Request(float(k), done=k + 1.0, changes={"variant": "blue"}) for k in range(6)]
    slow = [Request(float(k), done=k + 5.0, changes={"variant": "green"}) for k in range(6, 10)]
    blue, green = summarise(frames_of([*fast, *slow])).by_variant
    assert [(one.name, one.n_completed) for one in (blue, green)] == [("blue", 6), ("green", 4)]
    assert [sure(one.sojourn.p50) for one in (blue, green)] == [Bounded(low=1.0, high=1.0), Bounded(low=5.0, high=5.0)]
    assert blue.instance_s == Unknown("instances are read of one variant")
    assert summarise(frames_of(fast)).by_variant == ()
