"""The agenda runs each action at its own instant, in order, however the driver's steps fall."""

from functools import partial

import pytest

from smbench.model.agenda import Agenda


def test_actions_run_in_order_of_time_and_then_of_entry() -> None:
    agenda, ran = Agenda(), list[str]()
    for due_ns, name in ((20, "c"), (10, "a"), (20, "d"), (10, "b")):
        agenda.at(due_ns, partial(ran.append, name))
    agenda.advance(20)
    assert ran == ["a", "b", "c", "d"]


def test_an_action_sees_its_own_instant_however_late_the_driver_comes() -> None:
    agenda, seen = Agenda(), list[int]()
    for due_ns in (10, 30):
        agenda.at(due_ns, lambda: seen.append(agenda.now_ns))
    agenda.advance(1_000)
    assert seen == [10, 30]
    assert agenda.now_ns == 1_000


def test_what_an_action_enters_runs_in_the_same_advance_when_due() -> None:
    agenda, seen = Agenda(), list[int]()

    def enter_another() -> None:
        agenda.at(15, lambda: seen.append(agenda.now_ns))

    agenda.at(10, enter_another)
    agenda.at(20, lambda: seen.append(agenda.now_ns))
    agenda.advance(20)
    assert seen == [15, 20]


def test_an_action_due_in_the_past_runs_now_and_not_within_the_call() -> None:
    agenda, seen = Agenda(now_ns=100), list[int]()
    agenda.at(50, lambda: seen.append(agenda.now_ns))
    assert not seen
    agenda.advance(100)
    assert seen == [100]


def test_a_cancelled_action_never_runs_and_is_not_the_next_due() -> None:
    agenda, ran = Agenda(), list[int]()
    first = agenda.at(10, lambda: ran.append(1))
    agenda.at(20, lambda: ran.append(2))
    first.cancel()
    first.cancel()
    assert agenda.next_due_ns() == 20
    agenda.advance(30)
    assert ran == [2]
    assert agenda.next_due_ns() is None


def test_the_driver_hears_of_an_earlier_entry_and_of_no_other() -> None:
    agenda, heard = Agenda(), list[int | None]()
    agenda.on_earlier = lambda: heard.append(agenda.next_due_ns())
    for due_ns in (20, 30, 10, 10):
        agenda.at(due_ns, lambda: None)
    assert heard == [20, 10]


def test_cancelled_entries_do_not_pile_up() -> None:
    # A request's time to live is hours: without tidying, every request ever queued would stay in memory.
    agenda = Agenda()
    for _ in range(100_000):
        agenda.at(10**15, lambda: None).cancel()
    assert len(agenda._heap) < 5_000


def test_tidying_while_time_runs_loses_nothing() -> None:
    agenda, ran = Agenda(), list[int]()

    def cancel_many() -> None:
        for entry in [agenda.at(50, lambda: ran.append(-1)) for _ in range(5_000)]:
            entry.cancel()

    agenda.at(10, cancel_many)
    for due_ns in range(11, 40):
        agenda.at(due_ns, lambda: ran.append(agenda.now_ns))
    agenda.advance(100)
    assert ran == list(range(11, 40))


def test_time_never_goes_back() -> None:
    agenda = Agenda(now_ns=5)
    with pytest.raises(ValueError, match="went back"):
        agenda.advance(4)
