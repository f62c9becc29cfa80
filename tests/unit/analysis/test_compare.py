"""Goal: a comparison says what the runs allow and no more: ratio, interval, tests, bounds, and when it says nothing.

Method: groups of given figures with the arithmetic beside them, laws by hypothesis, then simulated replications:
equal groups differ as seldom as promised, and a service 20 % slower is found.
"""

import json
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comparing import PRIMARY, group_of, simulated
from smbench.analysis.comparison.compare import comparison
from smbench.analysis.comparison.contrasts import Comparison, Group, Row
from smbench.analysis.comparison.run_metrics import RUN_METRICS
from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.numbers.rank_tests import p_two_sided
from smbench.view.report.comparison import says

_times = st.lists(st.floats(0.01, 1e5).map(lambda value: round(value, 3)), min_size=2, max_size=7)
MORE_THAN_900 = Bounded(low=900.0, high=None)
NEVER = Bounded(low=60.0, high=None, never=True)


def compared(baseline: Sequence[float | Bounded], other: Sequence[float | Bounded], **options: float) -> Comparison:
    return comparison([group_of("A", baseline), group_of("B", other)], baseline="A", **options)  # type: ignore[arg-type]


def row(baseline: Sequence[float | Bounded], other: Sequence[float | Bounded], **options: float) -> Row:
    found = compared(baseline, other, **options).contrasts[0].row(PRIMARY)
    assert found is not None
    return found


class about:  # noqa: N801  # reads as pytest.approx does
    """A figure that is known, to rounding; `at_least` one that is known to be more."""

    is_bounded = True

    def __init__(self, value: float) -> None:
        self.value = value

    def __eq__(self, figure: object) -> bool:
        if not isinstance(figure, Bounded):
            return NotImplemented
        is_low = figure.low == pytest.approx(self.value)
        return is_low and (figure.high == pytest.approx(self.value) if self.is_bounded else figure.high is None)

    __hash__ = None  # type: ignore[assignment]


class at_least(about):  # noqa: N801
    is_bounded = False


def test_the_ratio_is_the_median_of_all_pairs() -> None:
    # Pairs of (2, 3, 8) over (1, 2): 2, 3, 8, 1, 1.5, 4: the middle two are 2 and 3, on the log scale sqrt(6).
    assert row([1.0, 2.0], [2.0, 3.0, 8.0]).ratio == about(math.sqrt(6))


def test_every_run_twice_as_long_is_twice_with_the_least_p_and_a_large_effect() -> None:
    base = [10.0, 11.0, 12.0, 13.0, 14.0]
    found = row(base, [2 * value for value in base])
    assert found.ratio is not None
    assert found.ratio.low == pytest.approx(2)
    # k = 2: the third smallest of the 25 ratios. 20/14, 20/13 | 22/14, ... ; by hand 20/14, 20/13, 22/14.
    assert found.interval is not None
    assert found.interval.low == pytest.approx(22 / 14)
    assert found.interval.high == pytest.approx(28 / 11)
    assert found.p == pytest.approx(2 / 252)
    assert found.p_holm == found.p  # the primary stands alone
    assert (found.cliffs_delta, found.effect) == (1.0, "large")
    assert says(found, 0.1) == "worse (large)"


@pytest.mark.parametrize(
    ("n_below", "delta", "effect"),
    [(10, 0.0, "negligible"), (11, 0.1, "negligible"), (12, 0.2, "small"), (14, 0.4, "medium"), (15, 0.5, "large")],
)
def test_cliffs_delta_has_its_usual_words(n_below: int, delta: float, effect: str) -> None:
    # Each run of B lies above n_below of A's twenty: delta = (n_below - (20 - n_below)) / 20.
    found = row([float(k) for k in range(1, 21)], [n_below + 0.5] * 2)
    assert found.cliffs_delta == pytest.approx(delta)
    assert found.effect == effect


@pytest.mark.slow
def test_the_interval_and_p_never_contradict_each_other() -> None:
    rng = np.random.default_rng(3)
    for _ in range(300):
        n, m = rng.integers(4, 9, 2)
        found = row(list(rng.lognormal(0, 0.3, n)), list(rng.lognormal(0.35, 0.3, m)))
        assert found.interval is not None
        assert found.p is not None
        excludes_one = found.interval.low > 1 or (found.interval.high is not None and found.interval.high < 1)
        assert excludes_one == (found.p <= 0.05)


def test_sameness_must_be_shown_and_is_not_the_absence_of_a_difference() -> None:
    alike = [100.0, 101.0, 102.0, 103.0, 104.0]
    same = row(alike, [value * 1.005 for value in alike])
    assert not same.is_different
    assert same.is_same
    assert says(same, 0.1) == "same within 10.0 %"
    scattered = [50.0, 80.0, 100.0, 130.0, 200.0]
    unsure = row(scattered, [value * 1.005 for value in scattered])
    assert not unsure.is_different
    assert not unsure.is_same
    assert says(unsure, 0.1) == "no difference shown"


def test_a_certain_difference_within_the_margin_is_both() -> None:
    base = [100.0, 100.1, 100.2, 100.3, 100.4]
    found = row(base, [value * 1.03 for value in base])
    assert found.is_different
    assert found.is_same
    assert says(found, 0.1) == "worse, but within 10.0 %"


def test_the_two_one_sided_tests_are_rank_tests_of_shifted_groups() -> None:
    base, other = [1.0, 1.2, 1.1, 0.9], [1.05, 1.15, 1.0, 0.95]
    found = row(base, other, margin=0.3)
    low = p_two_sided(np.asarray(other) * 1.3, np.asarray(base))
    high = p_two_sided(np.asarray(base) * 1.3, np.asarray(other))
    assert found.p_same == pytest.approx(max(low, high) / 2)  # one-sided is half where the shift decides the sign


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(baseline=_times, other=_times)
def test_swapping_gives_the_inverse_and_the_same_p(baseline: list[float], other: list[float]) -> None:
    there, back = row(baseline, other), row(other, baseline)
    assert there.ratio is not None
    assert back.ratio is not None
    assert there.interval is not None
    assert back.interval is not None
    assert there.ratio.low == pytest.approx(1 / back.ratio.low)
    assert there.interval.low == pytest.approx(1 / (back.interval.high or math.inf))
    assert there.p == pytest.approx(back.p)
    assert there.p_same == pytest.approx(back.p_same)
    assert there.cliffs_delta == -(back.cliffs_delta or 0.0)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(baseline=_times, other=_times, seed=st.integers(0, 1000))
def test_the_order_of_the_runs_does_not_matter(baseline: list[float], other: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    shuffled = row(list(rng.permutation(baseline)), list(rng.permutation(other)))
    assert shuffled == row(baseline, other)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(baseline=_times, other=_times, factor=st.sampled_from([0.001, 0.25, 60.0, 3600.0]))
def test_the_unit_does_not_matter(baseline: list[float], other: list[float], factor: float) -> None:
    plain = row(baseline, other)
    scaled = row([value * factor for value in baseline], [value * factor for value in other])
    assert plain.ratio is not None
    assert scaled.ratio is not None
    assert scaled.ratio.low == pytest.approx(plain.ratio.low)
    assert scaled.p == plain.p


# ---- what is not known ----------------------------------------------------------------------------------------


def test_one_run_a_side_is_a_description_and_says_so() -> None:
    told = compared([1.0], [1.2])
    found = told.contrasts[0].rows[0]
    assert found.ratio == about(1.2)
    assert (found.interval, found.p, found.p_holm, found.p_same) == (None, None, None, None)
    assert "no inference possible" in told.notes[0]
    assert compared([1.0], [1.2, 1.3, 1.4]).contrasts[0].rows[0].p is None


def test_too_few_runs_have_an_interval_that_says_its_own_confidence() -> None:
    told = compared([1.0, 1.1, 1.2], [1.3, 1.4, 1.5])
    interval = told.contrasts[0].rows[0].interval
    assert interval is not None
    assert interval.low == pytest.approx(1.3 / 1.2)
    assert interval.high == pytest.approx(1.5)
    assert interval.confidence == pytest.approx(0.9)
    assert not interval.is_narrow_enough
    assert "3 and 3 runs are too few for 95 %" in told.notes[0]


def test_a_percentile_beyond_what_was_watched_gives_a_ratio_of_at_least() -> None:
    # Half of B's runs never reached the percentile within 900 s. Every pair is at least 400/300, at most unbounded.
    found = row([300.0] * 4, [400.0, 450.0, MORE_THAN_900, MORE_THAN_900])
    assert found.ratio == at_least(math.sqrt(1.5 * 3))
    assert found.interval is not None
    assert found.interval.low == pytest.approx(400 / 300)
    assert found.interval.high is None
    assert found.p == pytest.approx(2 / 70)  # however long they took, every run of B is longer than every run of A
    assert found.cliffs_delta == 1.0


def test_p_is_withheld_where_the_order_depends_on_what_is_not_known() -> None:
    found = row([1000.0, 1100.0, 1200.0, 1300.0], [MORE_THAN_900] * 4)
    assert (found.p, found.cliffs_delta, found.effect) == (None, None, None)
    assert found.reason == "the order of the runs depends on requests without an end"
    assert found.p_same is not None
    assert found.p_same > 0.05


def test_runs_cut_off_at_the_same_age_are_not_shown_to_be_the_same() -> None:
    found = row([1000.0, 1001.0, 1002.0, 1003.0], [Bounded(low=1000.0 + k, high=None) for k in range(4)])
    assert found.p_same is not None
    assert found.p_same > 0.5


def test_what_never_completes_is_longer_than_anything_that_does() -> None:
    found = row([100.0, 110.0, 120.0, 130.0], [NEVER] * 4)
    assert found.p == pytest.approx(2 / 70)
    assert found.ratio == at_least(60 / math.sqrt(110 * 120))


def test_bounds_on_both_sides_are_not_estimable_and_say_why() -> None:
    found = row([MORE_THAN_900] * 4, [MORE_THAN_900] * 4)
    assert (found.ratio, found.interval, found.p) == (None, None, None)
    assert "without an end" in found.reason


def test_a_zero_has_no_ratio_but_a_rank() -> None:
    found = row([0.0, 0.0, 0.0, 0.0], [1.0, 2.0, 3.0, 4.0])
    assert (found.ratio, found.interval, found.reason) == (None, None, "0 in some runs: no ratio")
    assert found.p == pytest.approx(2 / 70)


def test_a_figure_that_some_runs_lack_is_not_compared() -> None:
    lacking = Group(label="B", runs=(*group_of("B", [1.0]).runs, group_of("B", [1.0], "makespan_s").runs[0]))
    told = comparison([group_of("A", [1.0, 2.0]), lacking], baseline="A")
    assert {one.metric: one.reason for one in told.contrasts[0].rows} == {
        "sojourn_p95": "some runs have no such figure",
        "makespan_s": "some runs have no such figure",
    }


_seconds = st.integers(0, 10**13).map(lambda ns: ns / 1e9)  # figures are whole nanoseconds
_maybe = st.one_of(
    _seconds.map(Bounded.exactly),
    _seconds.map(lambda low: Bounded(low=low, high=None)),
    _seconds.map(lambda low: Bounded(low=low, high=None, never=True)),
    st.tuples(_seconds, _seconds).map(lambda pair: Bounded(low=min(pair), high=max(pair))),
)
_some = st.lists(_maybe, min_size=1, max_size=5)


@pytest.mark.slow
@given(baseline=_some, other=_some)
def test_no_nan_and_no_infinity_whatever_is_known(baseline: list[Bounded], other: list[Bounded]) -> None:
    json.dumps(compared(baseline, other).model_dump(mode="json"), allow_nan=False)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(data=st.data(), baseline=_some, other=_some)
def test_bounds_hold_for_whatever_the_truth_may_be(
    data: st.DataObject, baseline: list[Bounded], other: list[Bounded]
) -> None:
    def truth(figure: Bounded) -> float:
        high = 2e4 if figure.high is None else figure.high
        return figure.low + data.draw(st.sampled_from([0.0, 0.3, 1.0])) * (high - figure.low)

    stated = row(baseline, other)
    true = row([truth(one) for one in baseline], [truth(one) for one in other])
    if stated.ratio is not None and true.ratio is not None:
        assert stated.ratio.low <= true.ratio.low * (1 + 1e-9)
        assert stated.ratio.high is None or true.ratio.low <= stated.ratio.high * (1 + 1e-9)
    if stated.interval is not None and true.interval is not None:
        assert stated.interval.low <= true.interval.low * (1 + 1e-9)
        assert stated.interval.high is None or (true.interval.high or 0) <= stated.interval.high * (1 + 1e-9)


# ---- many looked at -------------------------------------------------------------------------------------------


def test_holm_corrects_the_others_and_leaves_the_primary_alone() -> None:
    def group(label: str, factor: float) -> Group:
        runs = group_of(label, [factor * (1 + k / 100) for k in range(6)]).runs
        every = [run.model_copy(update={"figures": dict.fromkeys(RUN_METRICS, run.figures[PRIMARY])}) for run in runs]
        return Group(label=label, runs=tuple(every))

    told = comparison([group("A", 1.0), group("B", 2.0)], baseline="A")
    least = 2 / math.comb(12, 6)
    for one in told.contrasts[0].rows:
        n_looked_at = 1 if one.metric == PRIMARY else len(RUN_METRICS) - 1
        assert one.p == pytest.approx(least)
        assert one.p_holm == pytest.approx(n_looked_at * least)
    assert not told.notes
    fewer = comparison(
        [Group(label=one.label, runs=one.runs[:5]) for one in (group("A", 1.0), group("B", 2.0))], baseline="A"
    )
    assert "only sojourn p95 can be shown to differ" in fewer.notes[0]


def test_every_group_is_held_against_the_baseline_and_more_groups_need_more() -> None:
    groups = [group_of(label, [1.0, 1.1, 1.2, 1.3, 1.4]) for label in "ABC"]
    told = comparison(groups, baseline="B")
    assert [contrast.label for contrast in told.contrasts] == ["A", "C"]
    assert told.group("B").label == told.baseline
    slower = group_of("C", [2.0, 2.1, 2.2, 2.3, 2.4])
    found = comparison([*groups[:2], slower], baseline="A").contrasts[1].row(PRIMARY)
    assert found is not None
    assert found.p is not None
    assert found.p_holm == pytest.approx(2 * found.p)


# ---- replications ---------------------------------------------------------------------------------------------

QUEUE = [{"poisson": {"rate": 3.2, "for": 300}}]  # four slots, 1 s mean: utilisation 0.8
FLEET = {"min": 4, "max": 4, "start": 4, "concurrency": 1}


def replications(seeds: range, service_s: float) -> Group:
    runs = [
        simulated(seed, load=QUEUE, instances=FLEET, service={"exponential": {"mean": f"{service_s}s"}})
        for seed in seeds
    ]
    return Group(label=f"{seeds.start}-{service_s}", runs=tuple(runs))


@pytest.mark.slow
def test_equal_groups_differ_no_more_often_than_promised() -> None:
    # 60 comparisons of 5 with 5 replications that differ by chance alone. At p <= 0.05 the exact test rejects with
    # probability 8/252 = 0.032 (u = 0..2 either side); of 60, more than 7 come about once in a thousand times.
    runs = replications(range(1, 121), 1.0).runs
    rng = np.random.default_rng(11)
    n_different = n_secondary = 0
    for _ in range(60):
        chosen = rng.choice(len(runs), 10, replace=False)
        sides = {"A": chosen[:5], "B": chosen[5:]}
        groups = [Group(label=label, runs=tuple(runs[k] for k in part)) for label, part in sides.items()]
        found = comparison(groups, baseline="A").contrasts[0]
        primary = found.row(PRIMARY)
        assert primary is not None
        n_different += primary.is_different
        n_secondary += any(one.is_different for one in found.rows if one.metric != PRIMARY)
    assert n_different <= 7
    assert n_secondary <= 7


def unloaded(label: str, seeds: range, service_s: float) -> Group:
    """So light a load that a sojourn is the service alone: ratios are those of the service times."""
    load = [{"poisson": {"rate": 0.4, "for": 1000}}]
    law = {"lognormal": {"median": f"{service_s}s", "sigma": 0.3}}
    fleet = FLEET | {"min": 12, "max": 12, "start": 12}
    return Group(label=label, runs=tuple(simulated(seed, load=load, instances=fleet, service=law) for seed in seeds))


@pytest.mark.slow
def test_a_service_a_fifth_slower_is_found_and_the_interval_covers_it() -> None:
    # Ten times 8 runs a side. The interval covers 1.2 with 0.95: fewer than 8 of 10 have a chance of 1 %.
    n_covered = n_false = 0
    for first in range(0, 80, 8):
        groups = [unloaded("A", range(first, first + 8), 1.0), unloaded("B", range(first + 200, first + 208), 1.2)]
        contrast = comparison(groups, baseline="A").contrasts[0]
        found, rate = contrast.row(PRIMARY), contrast.row("completed_hz")
        assert found is not None
        assert found.interval is not None
        assert says(found, 0.1) == "worse (large)"
        n_covered += found.interval.low <= 1.2 <= (found.interval.high or 0)
        n_false += rate is None or rate.is_different
    assert n_covered >= 8
    assert n_false <= 1


@pytest.mark.slow
def test_the_same_chance_on_both_sides_leaves_the_service_alone() -> None:
    # Each run of B is 1.2 times its twin in A, so the differences of all pairs lie symmetrically around log 1.2.
    seeds = range(8)
    paired = comparison([unloaded("A", seeds, 1.0), unloaded("B", seeds, 1.2)], baseline="A").contrasts[0].row(PRIMARY)
    assert paired is not None
    assert paired.ratio is not None
    assert paired.ratio.low == pytest.approx(1.2, rel=1e-4)
