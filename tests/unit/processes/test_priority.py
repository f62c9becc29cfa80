"""Goal: what must be on time goes before ordinary processes, unless somebody chose a priority or the system refuses.

Method: the system's two calls are replaced, because a priority that were really raised would be this process's until
its end; that a run's worker asks for it is seen in a real run (tests/cli/test_stalled_generator.py).
"""

import os

import pytest

from smbench.processes.priority import niceness, raise_priority


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the system was asked for."""
    calls: list[int] = []
    monkeypatch.setattr(os, "setpriority", lambda _which, _who, wanted: calls.append(wanted))
    return calls


@pytest.mark.parametrize(("was", "wanted"), [(0, [-10]), (5, []), (-5, [])])
def test_an_ordinary_priority_is_raised_and_a_chosen_one_is_kept(
    monkeypatch: pytest.MonkeyPatch, asked: list[int], was: int, wanted: list[int]
) -> None:
    monkeypatch.setattr(os, "getpriority", lambda _which, _who: was)
    raise_priority(7)
    assert asked == wanted


def test_where_the_system_refuses_the_priority_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_which: int, _who: int, _wanted: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "getpriority", lambda _which, _who: 0)
    monkeypatch.setattr(os, "setpriority", refused)
    raise_priority(7)


def test_a_system_without_priorities_has_none(monkeypatch: pytest.MonkeyPatch, asked: list[int]) -> None:
    monkeypatch.delattr(os, "getpriority")
    raise_priority(7)
    assert (niceness(), asked) == (None, [])


def test_a_process_that_has_ended_meanwhile_is_left_alone(monkeypatch: pytest.MonkeyPatch, asked: list[int]) -> None:
    def ended(_which: int, _who: int) -> int:
        raise ProcessLookupError

    monkeypatch.setattr(os, "getpriority", ended)
    raise_priority(7)
    assert asked == []
