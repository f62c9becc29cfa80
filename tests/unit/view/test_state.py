"""Goal: what the live view shows is what the workers said. Method: snapshots by hand, rates and sums by arithmetic."""

from dataclasses import replace
from typing import Any

import pytest

from histograms import record
from live_story import HEADER, SECOND, story
from smbench.clock import TimeKind
from smbench.records import Event, Outcome, Reading, Stage
from smbench.schedule.base import PhaseSpan
from smbench.snapshot import LogHistogram, Snapshot
from smbench.view.live.sentences import event_words
from smbench.view.live.state import LiveState, added


def snapshot(at_s: float = 1.0, worker: int = 0, **facts: Any) -> Snapshot:
    return replace(Snapshot(worker, round(at_s * SECOND), at_s, Stage.SENDING), **facts)


def histogram(*values_s: float) -> LogHistogram:
    return record(LogHistogram(), *values_s)


def test_rates_are_differences_over_the_last_ten_seconds() -> None:
    state = LiveState(HEADER)
    for at_s in range(31):  # 5 a second become due for 20 s, then 2 a second; one in two is sent
        n_due = 5 * min(at_s, 20) + 2 * max(0, at_s - 20)
        state.update([snapshot(at_s, n_due=n_due, n_sent=n_due // 2, outcomes={Outcome.COMPLETED: at_s})])
    assert state.rates.over_s == 10.0
    assert state.rates.offered_hz == pytest.approx(2.0)
    assert state.rates.achieved_hz == pytest.approx(1.0)
    assert state.rates.completed_hz == pytest.approx(1.0)


def test_rates_name_the_longer_window_where_snapshots_lie_further_apart() -> None:
    state = LiveState(HEADER)
    for at_s, n_due in ((0, 0), (60, 600), (120, 660)):  # warp time: a beat is a minute
        state.update([snapshot(at_s, n_due=n_due)])
    assert state.rates.over_s == 60.0
    assert state.rates.offered_hz == pytest.approx(1.0)


def test_one_snapshot_has_no_rate() -> None:
    state = LiveState(HEADER)
    state.update([snapshot(n_due=50)])
    assert state.rates.offered_hz is None


def test_workers_add_up_and_the_worst_news_stands() -> None:
    slow = snapshot(
        4.0,
        worker=1,
        phase_index=0,
        phase="burst",
        n_sent=10,
        backlog_seen=4,
        oldest_age_s=3.0,
        outcomes={Outcome.COMPLETED: 5, Outcome.FAILED: 1},
        errors={"A": 1, "B": 2},
        sojourn=histogram(1.0),
        cpu_share=0.9,
        loop_lag_max_s=0.1,
        rss_bytes=100,
        receivers=16,
        receivers_max=16,
        receivers_saturated_s=3.0,
    )
    fast = snapshot(
        5.0,
        worker=0,
        phase_index=1,
        phase="poisson",
        n_sent=20,
        backlog_seen=6,
        outcomes={Outcome.COMPLETED: 7},
        errors={"A": 4},
        sojourn=histogram(2.0, 3.0),
        cpu_share=0.1,
        rss_bytes=50,
        receivers=2,
        receivers_max=16,
    )
    both = added([fast, slow])
    assert (both.n_sent, both.backlog_seen, both.rss_bytes, both.sojourn.total) == (30, 10, 150, 3)
    assert both.outcomes == {Outcome.COMPLETED: 12, Outcome.FAILED: 1}
    assert list(both.errors.items()) == [("A", 5), ("B", 2)]
    assert (both.phase, both.at_ns, both.oldest_age_s) == ("burst", 5 * SECOND, 3.0)
    assert (both.cpu_share, both.loop_lag_max_s) == (0.9, 0.1)
    assert (both.receivers, both.receivers_max, both.receivers_saturated_s) == (18, 32, 3.0)


def test_of_several_workers_the_worst_is_named_and_alone_it_is_the_generator() -> None:
    state = LiveState(HEADER)
    state.update([snapshot(worker=0, cpu_share=0.2)])
    assert state.whose(lambda one: one.cpu_share) == "the generator"
    state.update([snapshot(worker=1, cpu_share=0.9), snapshot(worker=2, cpu_share=0.3)])
    assert state.whose(lambda one: one.cpu_share) == "worker 1"


@pytest.mark.slow
def test_every_field_of_a_snapshot_is_added() -> None:
    """A field that is forgotten would keep its default: sum a snapshot without defaults, look for defaults."""
    scene = next(scene.snapshot for scene in story() if scene.snapshot.at_ns >= 500 * SECOND)
    full = replace(scene, n_dropped=4, n_duplicates=3, n_foreign=2, n_malformed=1, receivers_saturated_s=1.5)
    both, empty = added([full, replace(full, worker=1)]), Snapshot(9, 0, 0.0, Stage.PREPARING)
    for name in Snapshot.__slots__:
        if name != "worker":
            assert getattr(both, name) != getattr(empty, name), name


def test_a_worker_that_is_silent_keeps_what_it_said() -> None:
    state = LiveState(HEADER)
    state.update([snapshot(1, worker=0, n_sent=10), snapshot(1, worker=1, n_sent=5)])
    state.update([snapshot(2, worker=0, n_sent=12)])
    assert state.now is not None
    assert state.now.n_sent == 17


def test_the_peak_stays_when_the_backlog_falls() -> None:
    state = LiveState(HEADER)
    for at_s, backlog in ((1, 5), (2, 80), (3, 2)):
        state.update([snapshot(at_s, backlog_seen=backlog)])
    assert state.backlog_peak == 80


def reading(name: str, value: float | None, at_s: int, seen_s: int | None = None, stat: str = "value") -> Reading:
    return Reading("endpoint", name, stat, value, at_s * SECOND, (at_s if seen_s is None else seen_s) * SECOND)


def test_a_late_datapoint_of_an_earlier_minute_does_not_replace_a_later_one() -> None:
    state = LiveState(HEADER)
    state.read([reading("ApproximateBacklogSize", 7, 120, 200, "average")], [])
    state.read([reading("ApproximateBacklogSize", 5, 60, 210, "average")], [])
    assert state.gauges["ApproximateBacklogSize", "average"].value == 7


def test_a_gap_leaves_the_value_before_it_and_its_age() -> None:
    state = LiveState(HEADER)
    state.read([reading("instances_current", 2, 10)], [])
    state.read([reading("instances_current", None, 20)], [])
    gauge = state.gauges["instances_current", "value"]
    assert (gauge.value, gauge.seen_ns) == (2, 10 * SECOND)


def test_of_a_scaling_activity_only_how_it_stands_now_is_listed() -> None:
    begun = Event("scaling_activity", "a1", 10 * SECOND, 11 * SECOND, "InProgress")
    alarm = Event("alarm", "high", 5 * SECOND, 30 * SECOND, "OK -> ALARM")
    state = LiveState(HEADER)
    state.read([], [begun, Event("phase", "burst", 0, 0), alarm, alarm])
    state.read([], [replace(begun, state="Successful")])
    assert [(event.kind, event.state) for event in state.latest_events(9)] == [
        ("alarm", "OK -> ALARM"),
        ("scaling_activity", "Successful"),
    ]
    assert state.n_events == 4


def test_an_activity_of_which_there_is_news_is_among_the_latest() -> None:
    begun = Event("scaling_activity", "a1", 10 * SECOND, 11 * SECOND, "InProgress")
    alarms = [Event("alarm", "high", at * SECOND, at * SECOND, "OK -> ALARM") for at in (20, 30, 40)]
    state = LiveState(HEADER)
    state.read([], [begun, *alarms, replace(begun, state="Successful")])
    assert [event.kind for event in state.latest_events(2)] == ["scaling_activity", "alarm"]


def test_a_phase_that_gave_up_early_is_over_when_the_next_has_begun() -> None:
    closed = PhaseSpan(0, "closed", "closed", False, 0, None, 0, 20, 4, "")
    pause = PhaseSpan(1, "pause", "pause", False, 0, None, 20, 0, None, "")
    state = LiveState(replace(HEADER, phases=(closed, pause)))
    state.update([snapshot(4, n_sent=5, phase_index=1)])
    assert state.progress_of(closed) == 1.0


def test_a_timed_phase_is_over_by_its_time_and_an_open_one_by_its_requests() -> None:
    timed = PhaseSpan(0, "poisson", "poisson", False, 0, 10 * SECOND, 0, 30, None, "")
    closed = PhaseSpan(1, "closed", "closed", False, 10 * SECOND, None, 30, 20, 4, "")
    state = LiveState(replace(HEADER, phases=(timed, closed)))
    assert state.phase_progress is None
    state.update([snapshot(4, n_sent=3)])
    assert state.phase_progress == pytest.approx(0.4)
    state.update([snapshot(90, phase_index=1, n_sent=34, outcomes={Outcome.NOT_SENT: 1})])
    assert state.phase_progress == pytest.approx(5 / 20)
    assert state.progress_of(timed) == 1.0
    state.update([snapshot(95, stage=Stage.DRAINING, phase_index=1, n_sent=34)])
    assert state.progress_of(closed) == 1.0


def test_words_of_the_preparation_end_with_it() -> None:
    state = LiveState(HEADER)
    state.preparing("uploading the inputs")
    assert state.note == "uploading the inputs"
    state.update([snapshot()])
    assert state.note == ""
    state.preparing("stopping")
    state.update([snapshot(2)])
    assert state.note == "stopping"


def test_speed_is_scenario_time_over_real_time() -> None:
    state = LiveState(replace(HEADER, time_kind=TimeKind.WARP))
    assert state.speed is None
    state.update([replace(snapshot(120), real_elapsed_s=4.0)])
    assert state.speed == pytest.approx(30.0)


def test_an_instance_that_came_is_named_in_the_live_view() -> None:
    assert event_words(Event("instance", "i-1", 0, 0, "log begun")) == ("instance", "log begun", "i-1")


def test_a_scaling_that_failed_says_why_in_the_live_view() -> None:
    why: dict[str, object] = {
        "StatusMessage": "Failed to set desired instance count to 4.\nReason: the limit is 3 Instances."
    }
    failed = Event("scaling_activity", "a1", 0, 0, "Failed", after=4.0, cause="triggered policy keep", detail=why)
    assert event_words(failed) == (
        "scaling",
        "-> 4, Failed",
        "Failed to set desired instance count to 4. Reason: the limit is 3 Instances.",
    )


def test_a_scaling_that_could_not_begin_has_the_reason_that_aws_names() -> None:
    detail: dict[str, object] = {"NotScaledReasons": [{"Code": "TargetServicePutResourceAsUnscalable"}]}
    failed = Event("scaling_activity", "a1", 0, 0, "Failed", cause="triggered policy keep", detail=detail)
    assert event_words(failed) == ("scaling", "Failed", "TargetServicePutResourceAsUnscalable")
