"""Goal: the screen leaves behind what is far from the front, and nothing of the front."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbench.prediction.screen import fluid, is_screened, worth_a_look
from smbench.scenario.emulated import Emulated

values = st.lists(st.tuples(st.floats(0.1, 100), st.floats(0.1, 100)), min_size=1, max_size=30)


@pytest.mark.slow
@given(values, st.floats(1.0, 2.0))
def test_what_is_kept_is_what_no_other_beats_by_the_factor_on_both_axes(
    points: list[tuple[float, float]], within: float
) -> None:
    cost, bad = np.array(points).T
    kept = worth_a_look(cost, bad, within)
    for place in range(len(points)):
        rivals = (cost <= cost[place] / within) & (bad * within < bad[place])
        assert kept[place] == (not rivals.any())


def endpoint(**changes: object) -> Emulated:
    instances = {"min": 0, "max": 8, "concurrency": 1} | changes
    return Emulated.model_validate(
        {"instances": instances, "policies": [{"target_tracking": {"backlog_per_instance": 2}}, {"step_from_zero": {}}]}
    )


def test_a_fluid_that_fits_is_served_at_once_and_costs_its_instances() -> None:
    arrivals_s = np.arange(0, 3600, 2.0)
    steady = Emulated.model_validate({"instances": {"min": 2, "max": 2, "start": 2}})
    seen = fluid([steady], arrivals_s, 1.0, 170.0, 40.0, 3600.0)
    assert seen.latency_s.max() <= 1.0 + 20  # within two ticks
    assert seen.instance_s[0] == pytest.approx(2 * 3600, rel=0.01)


def test_more_instances_are_never_slower() -> None:
    arrivals_s = np.sort(np.random.default_rng(3).uniform(0, 7200, 20_000))
    seen = fluid([endpoint(max=n) for n in (1, 2, 4, 8)], arrivals_s, 1.0, 170.0, 40.0, 7200.0)
    p95_s = np.quantile(seen.latency_s, 0.95, axis=1)
    assert list(p95_s) == sorted(p95_s, reverse=True)
    assert list(seen.instance_s) == sorted(seen.instance_s)


def test_a_step_policy_of_the_user_s_own_is_not_screened() -> None:
    step = {"step": {"threshold": 1, "steps": [{"change": 1}]}}
    assert is_screened(endpoint())
    assert not is_screened(Emulated.model_validate({"policies": [step]}))
