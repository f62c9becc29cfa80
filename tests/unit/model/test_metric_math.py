"""Goal: metric math gives CloudWatch's answers for what it knows, and says so where it does not know.

Method: closed forms on tiny series; laws over generated ones.
"""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbench.model.monitoring.metric_math import MathError, Series, UnknownMath, evaluate, ids_in

PERIODS = [0, 60, 120, 180]
M1: Series = {0: 4.0, 120: 6.0}
M2: Series = {0: 2.0, 60: 5.0, 120: 0.0}

series = st.dictionaries(st.sampled_from(PERIODS), st.floats(-1e6, 1e6), max_size=4)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("m1", M1),
        ("m1 + m2", {0: 6.0, 120: 6.0}),  # only the periods both have
        ("m1 / m2", {0: 2.0}),  # a division by zero leaves no datapoint
        ("-m1 * 2", {0: -8.0, 120: -12.0}),
        ("(m1 - 1) / 3", {0: 1.0, 120: 5.0 / 3.0}),
        ("10 - m1", {0: 6.0, 120: 4.0}),
        ("FILL(m1, REPEAT)", {0: 4.0, 60: 4.0, 120: 6.0, 180: 6.0}),
        ("FILL(m1, 0)", {0: 4.0, 60: 0.0, 120: 6.0, 180: 0.0}),
        ("FILL(m1, -1.5)", {0: 4.0, 60: -1.5, 120: 6.0, 180: -1.5}),
        ("MAX(m1) + m1 * 0", {0: 6.0, 120: 6.0}),
        ("AVG(m1)", dict.fromkeys(PERIODS, 5.0)),
        ("ABS(0 - m1)", M1),
        ("CEIL(m1 / 3)", {0: 2.0, 120: 2.0}),
        ("FLOOR(m1 / 3)", {0: 1.0, 120: 2.0}),
        ("SUM([m1, m2])", {0: 6.0, 60: 5.0, 120: 6.0}),  # at each period, of those that have it
        ("MAX([m1, 3])", {0: 4.0, 60: 3.0, 120: 6.0, 180: 3.0}),
        ("AVG(METRICS())", {0: 3.0, 60: 5.0, 120: 3.0}),
        ("m1 > 5", {0: 0.0, 120: 1.0}),
        ("IF(m1 > 5, m1, 0)", {0: 0.0, 120: 6.0}),
        ("IF(m1 > 5, m1)", {120: 6.0}),
        ("TIME_SERIES(3)", dict.fromkeys(PERIODS, 3.0)),
        ("FILL(m1, LINEAR)", {0: 4.0, 60: 5.0, 120: 6.0}),  # no line beyond the last point
        ("DIFF(m1)", {120: 2.0}),
        ("DIFF(m2)", {60: 3.0, 120: -5.0}),
        ("DIFF_TIME(m1)", {120: 120e-9}),  # the periods of this test are nanoseconds long
        ("RATE(m1)", {120: 2.0 / 120e-9}),
        ("RUNNING_SUM(m2)", {0: 2.0, 60: 7.0, 120: 7.0}),
        ("m1 / PERIOD(m1)", {0: 4.0 / 60, 120: 0.1}),
        ("m1 * METRIC_COUNT(METRICS())", {0: 8.0, 120: 12.0}),
        ("DATAPOINT_COUNT(m2)", dict.fromkeys(PERIODS, 3.0)),
        ("m1 > 5 AND m2 < 1", {0: 0.0, 120: 1.0}),
        ("m1 > 5 && m2 > 1 || m1 == 4", {0: 1.0, 120: 0.0}),
        ("IF(m2 OR m1 > 9, 1, 0)", {0: 1.0, 120: 0.0}),
        ("m1 ^ 2 + 1", {0: 17.0, 120: 37.0}),
        ("LOG10(m2 * 50)", {0: 2.0, 60: math.log10(250.0)}),  # of 0 there is none
        ("(0 - m1) ^ 0.5", {}),
        ("LOG(m1)", {0: math.log(4.0), 120: math.log(6.0)}),
    ],
)
def test_expressions_have_these_values(expression: str, expected: Series) -> None:
    found = evaluate(expression, {"m1": M1, "m2": M2}, PERIODS, ["m1", "m2"], {"m1": 60.0, "m2": 60.0})
    assert found == pytest.approx(expected)


def test_a_gap_before_the_first_value_stays_a_gap() -> None:
    assert evaluate("FILL(m1, REPEAT)", {"m1": {120: 1.0}}, PERIODS) == {120: 1.0, 180: 1.0}


@pytest.mark.parametrize(
    "expression",
    [
        "1 + 2",
        "m9",
        "m1 ** 2",
        "__import__('os')",
        "m1 if m2 else m1",
        "FILL(m1)",
        "RATE(3)",
        "PERIOD(m1 + m2)",
        "m1 and m2",
        "m1 ^ 9 ^ 99999",
        "m1 +",
        "m1.x",
        "1 / 0",
        "",
    ],
)
def test_what_is_not_known_is_an_error_and_never_runs(expression: str) -> None:
    with pytest.raises(MathError):
        evaluate(expression, {"m1": M1, "m2": M2}, PERIODS)


@pytest.mark.parametrize(
    "expression", ["STDDEV(m1)", "SELECT AVG(m) FROM n", "m1 or m1", "not m1", "m1 ** 2", "SEARCH(m1)"]
)
def test_a_gap_of_ours_is_told_from_an_error_of_the_callers(expression: str) -> None:
    with pytest.raises(UnknownMath):
        evaluate(expression, {"m1": M1}, PERIODS)


@pytest.mark.parametrize("expression", ["m1 +", "m9", "1 + 2", "FILL(3, 1)", "+".join(["m1"] * 20_000)])
def test_an_error_of_the_callers_is_no_gap_of_ours(expression: str) -> None:
    with pytest.raises(MathError) as caught:
        evaluate(expression, {"m1": M1}, PERIODS)
    assert not isinstance(caught.value, UnknownMath)


def test_functions_are_no_ids() -> None:
    assert ids_in("FILL(m1, REPEAT) / mTwo") == {"m1", "mTwo"}


@pytest.mark.slow
@given(series, series)
def test_a_sum_has_the_periods_of_both_and_does_not_mind_their_order(left: Series, right: Series) -> None:
    total = evaluate("a + b", {"a": left, "b": right}, PERIODS)
    assert total.keys() == left.keys() & right.keys()
    assert total == evaluate("b + a", {"a": left, "b": right}, PERIODS)


@pytest.mark.slow
@given(series)
def test_a_filled_series_has_every_period_and_keeps_what_was_there(values: Series) -> None:
    filled = evaluate("FILL(m, 7)", {"m": values}, PERIODS)
    assert list(filled) == PERIODS
    assert filled == dict.fromkeys(PERIODS, 7.0) | values
