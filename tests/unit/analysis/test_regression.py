"""Goal: the gate fails when a group is slower for certain, and says so when the runs cannot tell.

Method: groups of given figures; the interval of 5 a side is that of `test_compare`.
"""

from collections.abc import Sequence

import pytest

from comparing import group_of
from smbench.analysis.comparison.advice import which_to_take
from smbench.analysis.comparison.compare import comparison
from smbench.analysis.comparison.regression import Gate, GateError, GateResult, Outcome, judge, parse_gate, worst
from smbench.analysis.numbers.bounds import Bounded
from smbench.view.report.comparison import sentence

BASE = [100.0, 101.0, 102.0, 103.0, 104.0]


def judged(
    other: list[float | Bounded], *, base: Sequence[float | Bounded] = BASE, metric: str = "sojourn_p95"
) -> GateResult:
    groups = [group_of("A", base, metric), group_of("B", other, metric)]
    (result,) = judge(parse_gate("slower-than 5%"), comparison(groups, baseline="A", named=(metric,)))
    return result


def test_a_gate_is_read_as_written() -> None:
    assert parse_gate(" slower-than  5% ") == Gate(0.05, "slower-than  5%")
    assert parse_gate("slower-than 0.2").share == 0.2


@pytest.mark.parametrize(
    "text", ["", "slower 5%", "slower-than", "slower-than fast", "slower-than -1%", "faster-than 5%"]
)
def test_what_is_no_gate_is_told_in_a_sentence(text: str) -> None:
    with pytest.raises(GateError, match=r"not a gate|must"):
        parse_gate(text)


def test_slower_for_certain_is_a_regression_faster_holds_and_between_is_inconclusive() -> None:
    assert judged([1.2 * value for value in BASE]).outcome is Outcome.REGRESSED
    assert judged([1.0 * value for value in BASE]).outcome is Outcome.HELD
    assert judged([0.5 * value for value in BASE]).outcome is Outcome.HELD
    assert judged([1.05 * value for value in BASE]).outcome is Outcome.INCONCLUSIVE
    assert "97 % confidence" in judged([1.2 * value for value in BASE]).seen


@pytest.mark.slow
def test_slower_by_exactly_the_limit_is_no_regression() -> None:
    """The ratio comes from logarithms: of most of these baselines it is a last digit above 1.05."""
    for baseline in (float(k) for k in range(1, 40)):
        slower = baseline * 105 / 100
        assert judged([slower], base=[baseline]).outcome is Outcome.HELD
        assert judged([slower * (1 + 1e-6)], base=[baseline]).outcome is Outcome.REGRESSED
        assert judged([baseline], base=[slower], metric="completed_hz").outcome is Outcome.HELD


def test_less_of_what_should_be_more_is_slower() -> None:
    assert judged([value / 1.2 for value in BASE], metric="completed_hz").outcome is Outcome.REGRESSED
    assert judged([value * 1.2 for value in BASE], metric="completed_hz").outcome is Outcome.HELD


NEVER = Bounded(low=1.0, high=None, never=True)  # failed after a second
MORE = Bounded(low=1.0, high=None)  # cut off after a second


@pytest.mark.parametrize("n", [1, 2, 5])
def test_what_fails_at_once_is_slower_than_what_completes(n: int) -> None:
    """Its ratio is only known to be more than 1 s over 100 s: the gate must not wait for a number."""
    slower = judged([NEVER] * n, base=BASE[:n])
    sure = {1: "one run a side: no inference", 2: "with 67 % confidence", 5: "with 97 % confidence"}[n]
    assert (slower.outcome, slower.seen) == (Outcome.REGRESSED, f"never reached, as the baseline's is, {sure}")
    faster = judged(list(BASE[:n]), base=[NEVER] * n)
    assert faster.outcome is Outcome.HELD
    for base in ([NEVER] * n, [MORE] * n):
        assert judged([NEVER] * n, base=base).outcome is Outcome.INCONCLUSIVE
    assert judged([MORE] * n, base=BASE[:n]).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("n", "said", "advice"),
    [
        (1, "no inference possible", None),
        (3, "too few runs to show it", "not decided; sojourn p95 is open: 1 more run a side would probably settle it"),
        (5, "worse (large)", "take A, for with B sojourn p95 is worse"),
    ],
)
def test_what_is_never_reached_is_said_as_the_gate_says_it(n: int, said: str, advice: str | None) -> None:
    groups = [group_of("A", BASE[:n], "sojourn_p95"), group_of("B", [NEVER] * n, "sojourn_p95")]
    compared = comparison(groups, baseline="A", named=("sojourn_p95",))
    row = compared.contrasts[0].row("sojourn_p95")
    assert sentence(compared, row, "sojourn_p95") == f"sojourn p95 is never reached, as the baseline's is; {said}"
    assert which_to_take(compared) == (() if advice is None else (f"B or A: {advice}",))


def test_of_a_metric_without_numbers_it_is_not_said_that_no_runs_would_settle_it() -> None:
    groups = [group_of("A", BASE, "sojourn_p95"), group_of("B", [NEVER, *BASE[1:]], "sojourn_p95")]
    (said,) = which_to_take(comparison(groups, baseline="A", named=("sojourn_p95",)))
    assert said.endswith("is open, and no number of runs a side up to a hundred is known to settle it")


def test_one_of_five_runs_that_never_reaches_it_decides_nothing() -> None:
    assert judged([NEVER, *BASE[1:]]).outcome is Outcome.INCONCLUSIVE


def test_a_rate_of_nothing_is_less_than_any_rate() -> None:
    assert judged([0.0] * 5, metric="completed_hz").outcome is Outcome.REGRESSED
    assert judged(list(BASE), base=[0.0] * 5, metric="completed_hz").outcome is Outcome.INCONCLUSIVE
    assert judged([0.0] * 5, base=[0.0] * 5, metric="completed_hz").outcome is Outcome.INCONCLUSIVE
    assert judged([0.0] * 5, metric="drain_s").outcome is Outcome.HELD
    assert judged([0.1] * 5, base=[0.0] * 5, metric="drain_s").outcome is Outcome.INCONCLUSIVE


def test_with_one_run_a_side_the_bare_ratio_decides_and_it_is_said() -> None:
    slower = judged([106.0], base=[100.0])
    assert (slower.outcome, slower.seen) == (
        Outcome.REGRESSED,
        "1.060 times, one run a side: no inference, the bare ratio",
    )
    assert judged([104.0], base=[100.0]).outcome is Outcome.HELD


def test_few_runs_decide_with_the_confidence_they_have() -> None:
    result = judged([130.0, 131.0, 132.0], base=[100.0, 101.0, 102.0])
    assert result.outcome is Outcome.REGRESSED
    assert "90 % confidence" in result.seen


def test_a_percentile_beyond_what_was_watched_is_slower_by_at_least_that() -> None:
    beyond = Bounded(low=300.0, high=None)
    assert judged([beyond] * 5).outcome is Outcome.REGRESSED
    assert judged([Bounded(low=50.0, high=None)] * 5).outcome is Outcome.INCONCLUSIVE


def test_what_is_not_estimable_is_inconclusive_with_the_reason() -> None:
    result = judged([0.0, 1.0, 2.0, 3.0, 4.0])
    assert (result.outcome, result.seen) == (
        Outcome.INCONCLUSIVE,
        "not estimable: 0 in some runs: no ratio",
    )
    groups = [group_of(label, BASE, "makespan_s") for label in "AB"]
    (absent,) = judge(parse_gate("slower-than 5%"), comparison(groups, baseline="A"))
    assert absent.outcome is Outcome.INCONCLUSIVE


def test_of_several_groups_the_worst_counts() -> None:
    results = [judged([factor * value for value in BASE]) for factor in (1.0, 1.2, 1.05)]
    assert worst(results) is Outcome.REGRESSED
    assert worst([results[0], results[2]]) is Outcome.INCONCLUSIVE
    assert worst([]) is Outcome.HELD
