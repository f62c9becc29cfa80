"""Goal: a plan beyond the machine's ceiling is told of before it starts, and no other plan is.

Method: hypothesis; peaks and the border against a count of every window, one by one.
"""

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from smbench.ceiling.headroom import SAFE_SHARE, UNASKED_HZ, peak_of, warning
from smbench.generator.plan import RunPlan, make_plan
from smbench.results.ceiling import Ceiling, Found, Machine
from smbench.scenario.model import Scenario

MACHINE = Machine(name="here", cpu_count=4, python="CPython 3.13", smbench="1")
WHEN = datetime.datetime(2026, 11, 21, 9, tzinfo=datetime.UTC)
REAL = {"emulated": {"time": "real"}}
NOT_OURS = {"endpoint": "theirs"}


def ceiling(rate_hz: float) -> Found:
    return Found(Ceiling(transport="wire", rate_hz=rate_hz, measured=WHEN, machine=MACHINE, trials=()))


def plan_of(load: list[dict[str, Any]], target: dict[str, Any] = REAL, **sections: Any) -> RunPlan:
    return make_plan(Scenario.model_validate({"name": "x", "load": load, "target": target, **sections}), Path())


def steady(rate_hz: float, for_s: float = 3.0) -> list[dict[str, Any]]:
    return [{"constant": {"rate": f"{rate_hz}/s", "for": f"{for_s}s"}}]


@pytest.mark.slow
@given(st.lists(st.integers(0, 100), max_size=40).map(sorted), st.integers(1, 120))
def test_the_peak_is_the_fullest_of_all_windows(due: list[int], window: int) -> None:
    peak = peak_of(np.asarray(due, dtype=np.int64), window)
    counts = {start: sum(start <= one < start + window for one in due) for start in range(101)}
    assert peak.n == max(counts.values())
    if due:
        assert counts[peak.at_ns] == peak.n


@pytest.mark.slow
@settings(max_examples=40)
@given(st.floats(2, 400), st.integers(1, 9), st.floats(1, 600))
def test_a_plan_is_told_of_exactly_when_its_fullest_second_is_beyond_the_safe_share(
    rate_hz: float, n_workers: int, ceiling_hz: float
) -> None:
    plan = plan_of(steady(rate_hz))
    due_s = plan.schedule.sched_ns / 1e9
    fullest = max(int(((due_s >= start) & (due_s < start + 1)).sum()) for start in due_s)
    reach_hz = ceiling_hz * min(n_workers, MACHINE.cpu_count)
    assume(abs(fullest - SAFE_SHARE * reach_hz) > 1e-6)
    assert bool(warning(plan, n_workers, ceiling(ceiling_hz))) == (fullest > SAFE_SHARE * reach_hz)


def test_the_line_says_what_is_planned_and_when_and_what_was_kept_and_when() -> None:
    load = [*steady(10, 4), {"constant": {"rate": "300/s", "for": "2s"}}]
    line = warning(plan_of(load, NOT_OURS), 1, ceiling(400))
    assert "300 requests/s" in line
    assert "from 4.00 s on" in line
    assert "75.0 % of the 400/s" in line
    assert "2026-11-21" in line
    assert "--workers 2" in line  # 300 of 560
    assert "\n" not in line
    assert "emulated" not in line


def test_more_workers_are_advised_only_where_there_are_cores_for_them() -> None:
    plan = plan_of(steady(300))
    assert "--workers 3" in warning(plan, 1, ceiling(150))  # 300 of 315; the fourth core is the emulator's
    assert "--workers" not in warning(plan, 1, ceiling(120))


def test_an_emulated_endpoint_is_said_to_share_the_machine() -> None:
    assert "the emulated endpoint shares it" in warning(plan_of(steady(300)), 1, ceiling(100))


def test_in_scaled_time_a_real_second_counts() -> None:
    plan = plan_of(steady(10, 60), {"emulated": {"time": {"scaled": 20}}})
    line = warning(plan, 1, ceiling(100))
    assert "200 requests/s" in line
    assert "20 times faster" in line
    assert "lower the scale of time" in line
    assert not warning(plan, 1, ceiling(300))


@pytest.mark.parametrize(
    "plan",
    [
        plan_of(steady(300), {"emulated": {"time": "warp"}}),
        plan_of([{"closed": {"outstanding": 50, "requests": 500}}]),
        plan_of(steady(300), limits={"requests": 50}),
        plan_of([*steady(10, 9), *steady(300)], limits={"time": "5s"}),
    ],
    ids=["virtual time", "no rate is planned", "a limit of requests", "a limit of time"],
)
def test_what_cannot_be_late_or_is_never_sent_is_not_warned_of(plan: RunPlan) -> None:
    assert not warning(plan, 1, ceiling(100))


def test_without_a_ceiling_only_a_high_rate_asks_for_one() -> None:
    assert not warning(plan_of(steady(UNASKED_HZ)), 1, Found())
    assert "`smbench bench`" in warning(plan_of(steady(UNASKED_HZ + 1)), 1, Found())
    assert "`smbench bench --transport sdk`" in warning(plan_of(steady(UNASKED_HZ + 1), transport="sdk"), 1, Found())


def test_why_a_stored_ceiling_does_not_count_is_said_where_it_matters() -> None:
    not_ours = Found(why_not="the stored ceiling is another machine's")
    assert "another machine's" in warning(plan_of(steady(UNASKED_HZ + 1)), 1, not_ours)
    assert not warning(plan_of(steady(UNASKED_HZ)), 1, not_ours)
