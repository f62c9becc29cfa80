"""Goal: a run that needs more descriptors than the system allows is refused in a sentence, before anything starts.

Method: the limits of the test's own process, put back afterwards; the system's answer is what is asked for.
"""

import resource
from pathlib import Path

import pytest

from smbench.errors import UsageError
from smbench.generator.plan import make_plan
from smbench.open_files import require_least
from smbench.processes.descriptors import needed_descriptors, require_descriptors
from smbench.scenario.load import parse_scenario

TEXT = "name: x\nload: [{burst: {requests: 5000}}]\nlimits: {in_flight: 400}\n"
PLAN = make_plan(parse_scenario(TEXT, "x.yaml"), Path())


@pytest.fixture(autouse=True)  # a limit that were really set would be this process's until its end
def limits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """What the system allows, [soft, hard], and what was set."""
    kept: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda _kind, both: kept.append(both))
    return kept


def allow(monkeypatch: pytest.MonkeyPatch, soft: int, hard: int) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (soft, hard))


def test_too_few_descriptors_are_named_with_what_is_needed_and_what_would_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, 24, 316)
    with pytest.raises(UsageError) as caught:
        require_descriptors(PLAN)
    assert caught.value.message == (
        "the run may need 516 open files and connections in one process (limits.in_flight is 400), and this system "
        "allows 316"
    )
    assert caught.value.advice == "raise the limit, `ulimit -n 516`, or lower limits.in_flight to 200"


def test_a_limit_that_can_be_raised_is_raised(monkeypatch: pytest.MonkeyPatch, limits: list[tuple[int, int]]) -> None:
    for hard in (516, 4096, resource.RLIM_INFINITY):
        allow(monkeypatch, 256, hard)
        require_descriptors(PLAN)
    assert limits == [(516, 516), (4096, 4096), (65_536, resource.RLIM_INFINITY)]


def test_a_limit_that_suffices_stays(monkeypatch: pytest.MonkeyPatch, limits: list[tuple[int, int]]) -> None:
    allow(monkeypatch, 1024, 1024)
    require_descriptors(PLAN)
    assert limits == []


def test_what_no_command_could_work_with_is_refused_for_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, 64, 64)
    require_least()
    allow(monkeypatch, 63, 63)
    with pytest.raises(UsageError, match="allows 63 open files and connections, and every command needs 64"):
        require_least()


def test_no_more_connections_are_counted_than_there_are_requests_and_in_warp_time_both_ends_are() -> None:
    few = make_plan(parse_scenario(TEXT.replace("5000", "10"), "x.yaml"), Path())
    warp = make_plan(parse_scenario(TEXT + "target: {emulated: {time: warp}}\n", "x.yaml"), Path())
    assert (needed_descriptors(few), needed_descriptors(PLAN), needed_descriptors(warp)) == (126, 516, 932)
