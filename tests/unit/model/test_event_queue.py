"""The event_queue runs each action at its own instant, in order, however the driver's steps fall."""

from functools import partial

import pytest

from smbench.model.event_queue import EventQueue


def test_actions_run_in_order_of_time_and_then_of_entry() -> None:
    event_queue, ran = EventQueue(), list[str]()
    for due_ns, name in ((20, "c"), (10, "a"), (20, "d"), (10, "b")):
        event_queue.at(due_ns, partial(ran.append, name))
    event_queue.advance(20)
    assert ran == ["a", "b", "c", "d"]


def test_an_action_sees_its_own_instant_however_late_the_driver_comes() -> None:
    event_queue, seen = EventQueue(), list[int]()
    for due_ns in (10, 30):
        event_queue.at(due_ns, lambda: seen.append(event_queue.now_ns))
    event_queue.advance(1_000)
    assert seen == [10, 30]
    assert event_queue.now_ns == 1_000


def test_what_an_action_enters_runs_in_the_same_advance_when_due() -> None:
    event_queue, seen = EventQueue(), list[int]()

    def enter_another() -> None:
        event_queue.at(15, lambda: seen.append(event_queue.now_ns))

    event_queue.at(10, enter_another)
    event_queue.at(20, lambda: seen.append(event_queue.now_ns))
    event_queue.advance(20)
    assert seen == [15, 20]


def test_an_action_due_in_the_past_runs_now_and_not_within_the_call() -> None:
    event_queue, seen = EventQueue(now_ns=100), list[int]()
    event_queue.at(50, lambda: seen.append(event_queue.now_ns))
    assert not seen
    event_queue.advance(100)
    assert seen == [100]


def test_a_cancelled_action_never_runs_and_is_not_the_next_due() -> None:
    event_queue, ran = EventQueue(), list[int]()
    first = event_queue.at(10, lambda: ran.append(1))
    event_queue.at(20, lambda: ran.append(2))
    first.cancel()
    first.cancel()
    assert event_queue.next_due_ns() == 20
    event_queue.advance(30)
    assert ran == [2]
    assert event_queue.next_due_ns() is None


def test_the_driver_hears_of_an_earlier_entry_and_of_no_other() -> None:
    event_queue, heard = EventQueue(), list[int | None]()
    event_queue.on_earlier = lambda: heard.append(event_queue.next_due_ns())
    for due_ns in (20, 30, 10, 10):
        event_queue.at(due_ns, lambda: None)
    assert heard == [20, 10]


@pytest.mark.slow
def test_cancelled_entries_do_not_pile_up() -> None:
    # A request's time to live is hours: without tidying, every request ever queued would stay in memory.
    event_queue = EventQueue()
    for _ in range(100_000):
        event_queue.at(10**15, lambda: None).cancel()
    assert len(event_queue._heap) < 5_000


@pytest.mark.slow
def test_tidying_while_time_runs_loses_nothing() -> None:
    event_queue, ran = EventQueue(), list[int]()

    def cancel_many() -> None:
        for entry in [event_queue.at(50, lambda: ran.append(-1)) for _ in range(5_000)]:
            entry.cancel()

    event_queue.at(10, cancel_many)
    for due_ns in range(11, 40):
        event_queue.at(due_ns, lambda: ran.append(event_queue.now_ns))
    event_queue.advance(100)
    assert ran == list(range(11, 40))


def test_time_never_goes_back() -> None:
    event_queue = EventQueue(now_ns=5)
    with pytest.raises(ValueError, match="went back"):
        event_queue.advance(4)
