"""Goal: `--workers auto` takes what the load needs, never more than the cores hold. Method: hypothesis over both."""

import datetime
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbench.ceiling.crew import AUTO, crew_of, crowding, fitting, sized
from smbench.ceiling.headroom import SAFE_SHARE
from smbench.errors import UsageError
from smbench.generator.plan import RunPlan, make_plan
from smbench.results.ceiling import Ceiling, Found, Machine
from smbench.scenario.model import Scenario

WHEN = datetime.datetime(2026, 11, 21, 9, tzinfo=datetime.UTC)
MACHINE = Machine(name="here", cpu_count=4, python="CPython 3.13", smbench="1")


def plan_of(rate_hz: int, target: dict[str, object], **sections: object) -> RunPlan:
    load = [{"constant": {"rate": rate_hz, "for": 2}}]
    return make_plan(Scenario.model_validate({"name": "x", "load": load, "target": target, **sections}), Path())


EMULATED = plan_of(1_000, {"emulated": {"time": "real"}})
REAL = plan_of(1_000, {"endpoint": "theirs"})


@pytest.mark.slow
@given(st.floats(10, 3_000), st.integers(1, 64), st.booleans())
def test_auto_is_what_the_load_needs_and_no_more_than_have_a_core(rate_hz: float, n_cores: int, emulated: bool) -> None:
    plan = EMULATED if emulated else REAL
    found = Found(Ceiling(transport="wire", rate_hz=rate_hz, measured=WHEN, machine=MACHINE, trials=()))
    crew = sized(plan, n_cores, found)
    fits = max(1, n_cores - 1 if emulated else n_cores)
    assert crew.n_workers == min(fits, math.ceil(1_000 / (SAFE_SHARE * rate_hz)))
    assert crew.why.startswith(f"workers: {crew.n_workers}, ")
    assert crowding(plan, crew.n_workers, n_cores) == ""
    assert f"use --workers {fits}" in crowding(plan, fits + 1, n_cores)


def test_where_no_ceiling_is_known_all_that_fit_are_taken_but_one_for_a_small_load() -> None:
    assert sized(REAL, 4, Found(None)).n_workers == 4
    assert sized(plan_of(100, {"endpoint": "theirs"}), 4, Found(None)).n_workers == 1


@pytest.mark.parametrize(
    "plan",
    [
        plan_of(1_000, {"emulated": {"time": "warp"}}),
        plan_of(
            1_000, {"endpoint": "theirs"}, collector={"queue": "https://sqs.eu-west-1.amazonaws.com/123456789012/mine"}
        ),
    ],
    ids=["warp", "queue"],
)
def test_what_cannot_be_shared_has_one(plan: RunPlan) -> None:
    assert sized(plan, 8, Found(None)).n_workers == 1


def test_a_machine_of_one_core_holds_one_worker_even_beside_the_emulator() -> None:
    assert fitting(EMULATED, 1) == 1
    assert crowding(EMULATED, 1, 1) == ""


def test_the_cores_of_another_place_are_not_counted_here() -> None:
    assert crew_of(REAL, 64, "ray").why == ""
    with pytest.raises(UsageError, match="not those of ray"):
        crew_of(REAL, AUTO, "ray")
