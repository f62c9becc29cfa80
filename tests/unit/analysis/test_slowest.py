"""Goal: each of the slowest requests is shown with what stood before it: requests, instances, capacity on its way.

Method: a few requests by hand.
"""

from runs import Request, frames_of, reading
from smbench.analysis.summary import Summary, summarise
from smbench.records import Event, Outcome

S = 1_000_000_000


def summary_of(
    rows: list[Request], *, looks: tuple[tuple[float, int, int], ...] = (), events: tuple[Event, ...] = ()
) -> Summary:
    readings = [
        reading(name, float(count), at)
        for at, there, desired in looks
        for name, count in (("instances_current", there), ("instances_desired", desired))
    ]
    return summarise(frames_of(rows, readings=readings, events=list(events)))


def test_the_oldest_come_first_and_the_unended_count_by_their_age() -> None:
    rows = [Request(float(k), done=k + 1.0 + k / 10) for k in range(20)] + [Request(5.0, Outcome.PENDING)]
    found = summary_of(rows, looks=((0.0, 1, 1),)).slowest
    assert len(found) == 10
    # The run ends at 21.9 s (the last end): the one without is 16.9 s old, and the others last 1 + k / 10.
    assert (found[0].seq, found[0].outcome) == (20, "pending")
    assert [one.seq for one in found[1:]] == list(range(19, 10, -1))


def test_position_instances_and_the_change_under_way_are_those_at_receipt() -> None:
    # Three at 0 s find no instance; 0 -> 1 is decided at 60 s and serves at 100 s. A fourth comes at 101.5 s.
    rows = [Request(0.0, done=done) for done in (101.0, 102.0, 103.0)] + [Request(101.5, done=104.0)]
    activity = Event("scaling_activity", "a", 60 * S, 100 * S, "Successful", 100 * S, 0.0, 1.0)
    found = summary_of(
        rows, looks=((0.0, 0, 0), (59.0, 0, 0), (61.0, 0, 1), (99.0, 0, 1), (101.0, 1, 1)), events=(activity,)
    ).slowest
    oldest, *_, last = found
    assert (oldest.seq, oldest.ahead, oldest.instances, oldest.served_after_s) == (2, 2, 0, 100.0)
    assert oldest.event == "0 -> 1 instances yet to be decided"
    assert (last.seq, last.ahead, last.instances, last.served_after_s, last.event) == (3, 2, 1, None, "")


def test_a_change_that_failed_is_under_way_for_nobody() -> None:
    rows = [Request(0.0, done=101.0), Request(100.0, done=101.5)]
    failed = [Event("scaling_activity", f"f{at}", at * S, at * S, "Failed", at * S, 1.0, 4.0) for at in (50, 60)]
    looks = ((0.0, 1, 1), (99.0, 1, 1))
    assert [one.event for one in summary_of(rows, looks=looks, events=tuple(failed)).slowest] == ["1 -> 4 failed", ""]
    came = Event("scaling_activity", "a", 70 * S, 100 * S, "Successful", 90 * S, 1.0, 2.0)
    slowest, _ = summary_of(rows, looks=looks, events=(*failed, came)).slowest
    assert slowest.event == "1 -> 2 instances yet to be decided"


def test_unserved_for_is_until_the_next_instance_and_not_since_the_last() -> None:
    # One instance until 20 s and again from 100 s: who comes at 50 s waits fifty seconds for it.
    rows = [Request(0.0, done=1.0), Request(50.0, done=101.0)]
    looks = ((0.0, 1, 1), (19.0, 1, 1), (21.0, 0, 0), (99.0, 0, 1), (101.0, 1, 1))
    assert summary_of(rows, looks=looks).slowest[0].served_after_s == 50.0


def test_warm_up_and_what_was_refused_are_left_out() -> None:
    rows = [Request(0.0, done=99.0, warmup=True), Request(1.0, Outcome.REJECTED), Request(2.0, done=3.0)]
    assert [one.seq for one in summary_of(rows).slowest] == [2]
    assert summary_of([Request(1.0, Outcome.REJECTED)]).slowest == ()
