"""Goal: a phase that brought more than the instances could do is named, with growth and remedy; nothing else is.

Method: queues by hand: requests due at even distances, served one after the other by each slot.
"""

import heapq

import pytest

from runs import Request, frames_of, reading, span
from smbench.analysis.observations import Observation
from smbench.analysis.summary import summarise
from smbench.records import Reading


def served(rate_hz: float, length_s: float, slots: int, service_s: float, start_s: float = 0.0) -> list[Request]:
    """First come, first served, by as many slots."""
    free = [0.0] * slots
    rows = []
    for k in range(round(rate_hz * length_s)):
        due = start_s + k / rate_hz
        done = max(due, heapq.heappop(free)) + service_s
        heapq.heappush(free, done)
        rows.append(Request(due, done=done))
    return rows


def looks(*seen: tuple[float, int]) -> list[Reading]:
    return [
        reading(name, float(count), at) for at, count in seen for name in ("instances_current", "instances_desired")
    ]


def overload_of(rows: list[Request], seen: list[Reading], length_s: float, slots: int = 1) -> list[Observation]:
    described = {"target": {"emulated": {"instances": {"concurrency": slots}}}}
    frames = frames_of(
        rows, readings=seen, scenario=described, spans=[span(len(rows), name="day", end_s=length_s)], clock="real"
    )
    return [one for one in summarise(frames).observations if one.name == "overload"]


@pytest.mark.slow
def test_an_overload_is_named_with_its_phase_length_slope_and_what_would_do() -> None:
    # 1.5/s on one instance that does 1/s: 0.5/s stay, 30 a minute, 600 of 20 m; two would do 2/s.
    (found,) = overload_of(served(1.5, 1200, 1, 1.0), looks((0.0, 1), (1200.0, 1)), 1200)
    assert found.seen == (
        "in phase day the backlog grew by 30 a minute for 20 m, to 601: 1.50/s came, and 1 instance did 1.00/s"
    )
    assert "2 instances would do" in found.advice
    assert "depend on the length" in found.advice
    assert found.at_s == 0.0


@pytest.mark.slow
def test_slots_and_instances_are_told_apart() -> None:
    # 13/s on 6 instances of 2 slots, a second each: 12/s but for the first second; 7 instances would do.
    (found,) = overload_of(served(13.0, 600, 12, 1.0), looks((0.0, 6), (600.0, 6)), 600, slots=2)
    assert "6 instances did 11.98/s" in found.seen
    assert "7 instances would do" in found.advice


@pytest.mark.slow
def test_an_endpoint_that_keeps_up_is_not_accused() -> None:
    assert overload_of(served(0.9, 1200, 1, 1.0), looks((0.0, 1), (1200.0, 1)), 1200) == []
    assert overload_of(served(1.0, 1200, 1, 1.0), looks((0.0, 1), (1200.0, 1)), 1200) == []


def test_a_burst_that_is_worked_off_is_no_overload() -> None:
    rows = [Request(0.0, done=float(k + 1)) for k in range(900)]
    assert overload_of(rows, looks((0.0, 1), (900.0, 1)), 900) == []


@pytest.mark.slow
def test_the_time_before_the_last_instance_came_is_the_scaler_s_and_no_overload() -> None:
    # One instance for ten minutes at 1.5/s, then three, which work the 300 off that stayed.
    first = served(1.5, 600, 1, 1.0)
    later = served(1.5, 1200, 3, 0.5, start_s=600.0)
    assert overload_of([*first, *later], looks((0.0, 1), (599.0, 1), (600.0, 3), (1800.0, 3)), 1800) == []


def test_a_short_phase_says_nothing() -> None:
    assert overload_of(served(2.0, 200, 1, 1.0), looks((0.0, 1), (200.0, 1)), 200) == []
