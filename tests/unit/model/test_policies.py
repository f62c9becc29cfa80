"""The arithmetic of scaling policies against the examples and rules AWS gives."""

import pytest

from smbench.model.scaling.policies import (
    CHANGE,
    EXACT,
    PERCENT,
    StepAdjustment,
    StepSpec,
    rounded_percent,
    stepped,
    tracked,
)


@pytest.mark.parametrize(
    ("capacity", "value", "target", "wanted"),
    [
        (10, 150, 100, 15),  # AWS's own example: 10 instances, metric 150, target 100: five more
        (1, 5.01, 5, 2),
        (4, 6, 5, 5),  # 4.8, rounded up
        (3, 0.1, 0.1, 3),  # 3 * 0.1 / 0.1 is a little above 3 in floats
        (7, 0.7 + 0.1 + 0.1, 0.9, 7),
        (0, 12, 5, 3),  # at zero it multiplies one
        (0, 400, 5, 80),
        (4, 2, 5, 2),  # scaling in: 1.6, rounded up, which keeps more
        (4, 0, 5, 0),
        (1, 0.5, 5, 1),
    ],
)
def test_tracking_is_proportional_and_rounds_up(capacity: int, value: float, target: float, wanted: int) -> None:
    assert tracked(capacity, value, target) == wanted


def steps(
    *bounds: tuple[float | None, float | None, int], adjustment: str = CHANGE, magnitude: int | None = None
) -> StepSpec:
    adjustments = tuple(StepAdjustment(change, lower, upper) for lower, upper, change in bounds)
    return StepSpec(adjustment, adjustments, min_magnitude=magnitude)


OUT = steps((0, 10, 1), (10, 20, 2), (20, None, 3))
IN = steps((-10, 0, -1), (None, -10, -2))


@pytest.mark.parametrize(("value", "wanted"), [(50, 5), (59.9, 5), (60, 6), (69, 6), (70, 7), (1_000, 7)])
def test_above_the_threshold_a_lower_bound_is_in_and_an_upper_bound_is_out(value: float, wanted: int) -> None:
    assert stepped(OUT, 4, value, 50, is_alarm_above=True) == wanted


@pytest.mark.parametrize(("value", "wanted"), [(50, 3), (41, 3), (40, 2), (39.9, 2), (0, 2)])
def test_below_the_threshold_it_is_the_other_way(value: float, wanted: int) -> None:
    assert stepped(IN, 4, value, 50, is_alarm_above=False) == wanted


def test_a_value_that_no_step_covers_leads_nowhere() -> None:
    assert stepped(OUT, 4, 49, 50, is_alarm_above=True) is None


def test_exact_capacity_does_not_depend_on_what_there_is() -> None:
    exact = steps((0, None, 6), adjustment=EXACT)
    assert [stepped(exact, capacity, 50, 50, is_alarm_above=True) for capacity in (0, 6, 9)] == [6, 6, 6]


@pytest.mark.parametrize(
    ("change", "rounded"),
    [(12.7, 12), (1.0, 1), (0.67, 1), (0.01, 1), (0.0, 0), (-0.58, -1), (-1.0, -1), (-6.67, -6)],
)
def test_percentages_round_towards_zero_but_never_to_it(change: float, rounded: int) -> None:
    assert rounded_percent(change) == rounded


@pytest.mark.parametrize(
    ("percent", "capacity", "wanted"),
    [(25, 4, 6), (25, 40, 50), (-25, 4, 2), (-25, 40, 30), (0, 4, 4), (25, 0, 2), (0, 0, 0)],
)
def test_a_percentage_moves_at_least_the_least_magnitude(percent: int, capacity: int, wanted: int) -> None:
    # 25 % of 4 is 1, and at least 2 are asked for.
    policy = steps((0, None, percent), adjustment=PERCENT, magnitude=2)
    assert stepped(policy, capacity, 50, 50, is_alarm_above=True) == wanted
