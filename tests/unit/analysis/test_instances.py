"""Goal: instances over time are what looks and activities told: no more, and no instant twice.

Method: a few looks and activities by hand; areas by multiplication.
"""

from typing import Any

import pytest

from runs import Request, frames_of, reading, sure
from smbench.analysis.capacity.instances import capacity, concurrency
from smbench.analysis.numbers.known import known
from smbench.analysis.rows.frames import Frames
from smbench.records import Event, Reading, Unknown

S = 1_000_000_000


def looks(*seen: tuple[float, int, int]) -> list[Reading]:
    return [
        reading(name, float(count), at)
        for at, there, desired in seen
        for name, count in (("instances_current", there), ("instances_desired", desired))
    ]


def activity(at: float, end: float | None, after: int, state: str = "Successful") -> Event:
    end_ns = None if end is None else round(end * S)
    return Event("scaling_activity", f"a{at}", round(at * S), round((end or at) * S), state, end_ns, None, float(after))


def run(seen: list[Reading], events: list[Event] | None = None, end: float = 100.0, **manifest: Any) -> Frames:
    return frames_of([Request(0.0, done=end)], readings=seen, events=events or [], **manifest)


def test_nobody_told_means_none() -> None:
    assert isinstance(capacity(run([])), Unknown)


def test_a_change_is_put_where_an_activity_told_it_and_else_halfway() -> None:
    seen = looks((0.0, 1, 1), (10.0, 1, 3), (20.0, 2, 3), (30.0, 3, 3))
    found = sure(capacity(run(seen, [activity(7.0, 26.0, 3)])))
    # Desired at the activity's begin, 7 s; the second instance somewhere in 10..20 s; the third at its end, 26 s.
    assert (found.at_ns / 1e9).tolist() == [0.0, 7.0, 15.0, 26.0]
    assert found.serving.tolist() == [1, 1, 2, 3]
    assert found.paid.tolist() == [1, 3, 3, 3]
    assert found.unsure_ns == ((10 * S, 20 * S),)


def test_on_the_way_in_an_instance_stops_serving_at_the_decision_and_is_paid_until_it_is_gone() -> None:
    seen = looks((0.0, 2, 2), (10.0, 2, 1), (60.0, 2, 1), (70.0, 1, 1))
    found = sure(capacity(run(seen, [activity(8.0, 64.0, 1)])))
    assert (found.at_ns / 1e9).tolist() == [0.0, 8.0, 64.0]
    assert found.serving.tolist() == [2, 1, 1]
    assert found.paid.tolist() == [2, 2, 1]
    assert found.instance_s(found.paid, 0) == 2 * 64 + 1 * 36
    assert found.instance_s(found.serving, 50 * S) == 50.0


def test_an_activity_that_failed_brought_nothing() -> None:
    seen = looks((0.0, 1, 1), (10.0, 1, 2), (20.0, 1, 1))
    found = sure(capacity(run(seen, [activity(5.0, 18.0, 2, "Failed")])))
    assert found.serving.max() == 1


def test_gaps_between_looks_hold_what_was_seen_last() -> None:
    seen = [reading("instances_current", 2.0, 0.0), reading("instances_current", None, 10.0, detail="AccessDenied")]
    found = sure(capacity(run(seen)))
    assert found.serving.tolist() == [2]
    assert found.instance_s(found.serving, 0) == 200.0


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ({"target": {"emulated": {"instances": {"concurrency": 4}}}}, 4),
        ({"target": {"endpoint": "e"}}, None),  # SageMaker's own choice, which it does not tell
        ({}, None),
    ],
)
def test_how_many_at_once_is_what_was_told(scenario: dict[str, object], expected: int | None) -> None:
    assert known(concurrency(run([], scenario=scenario))) == expected
