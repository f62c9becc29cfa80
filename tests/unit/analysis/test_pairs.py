"""Goal: runs that share seeds are compared pair by pair, it is said, and what is not decided says what would decide it.

Method: groups of given figures, with the arithmetic beside them; scipy for the test; simulated replications for power.
"""

import math

import numpy as np
import pytest
from scipy.stats import ttest_rel

from comparing import PRIMARY, group_of, simulated, with_seeds
from smbench.analysis.comparison.advice import which_to_take
from smbench.analysis.comparison.compare import comparison
from smbench.analysis.comparison.contrasts import Comparison, Contrast, Group, Row
from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.numbers.paired import n_to_settle, twins
from smbench.view.report.comparison import says

BASE = [10.0, 14.0, 9.0, 20.0, 12.0]
TIMES = [1.04, 1.06, 1.05, 1.05, 1.07]
SEEDS = [1, 2, 3, 4, 5]


def of_seeds(
    values: list[float], seeds: list[int], named: tuple[str, ...] = (PRIMARY,), base: list[float] = BASE
) -> Comparison:
    groups = [with_seeds(group_of("A", base), SEEDS[: len(base)]), with_seeds(group_of("B", values), seeds)]
    return comparison(groups, baseline="A", named=named)


def only(found: Comparison) -> tuple[Contrast, Row]:
    row = found.contrasts[0].row(PRIMARY)
    assert row is not None
    return found.contrasts[0], row


SLOWER = [value * times for value, times in zip(BASE, TIMES, strict=True)]


def test_runs_that_share_seeds_are_compared_pair_by_pair_and_it_is_said() -> None:
    # Groups that overlap widely: by ranks nothing; pair by pair each run is some 5 % longer.
    found = of_seeds(SLOWER, SEEDS)
    contrast, row = only(found)
    assert row.is_paired
    assert row.p == pytest.approx(ttest_rel(np.log(SLOWER), np.log(BASE)).pvalue)
    assert row.ratio is not None
    assert row.ratio.low == pytest.approx(math.prod(TIMES) ** (1 / 5))
    assert row.is_different
    assert contrast.shared == "all seeds"
    assert "compared pair by pair, 5 pairs of runs that share all seeds" in found.notes[0]


def test_pairs_are_found_whatever_the_order_of_the_runs() -> None:
    order = [3, 0, 4, 1, 2]
    found = only(of_seeds([SLOWER[k] for k in order], [SEEDS[k] for k in order]))[1]
    assert found == only(of_seeds(SLOWER, SEEDS))[1]


def test_without_twins_runs_are_compared_by_ranks() -> None:
    for seeds in ([6, 7, 8, 9, 10], [1, 1, 2, 3, 4], [1, 2, 3, 4, 99]):
        contrast, row = only(of_seeds(SLOWER, seeds))
        assert not contrast.pairs
        assert not row.is_paired
        assert not row.is_different


def test_runs_without_a_twin_are_left_out_and_it_is_said() -> None:
    found = of_seeds(SLOWER[:4], SEEDS[:4])
    assert len(found.contrasts[0].pairs) == 4
    assert "1 run without a twin left out" in found.notes[1]


def test_runs_that_share_arrivals_only_are_pairs_too() -> None:
    groups = [
        with_seeds(group_of(label, values), SEEDS, service=service)
        for label, values, service in (("A", BASE, SEEDS), ("B", SLOWER, [9, 8, 7, 6, 5]))
    ]
    assert comparison(groups, baseline="A").contrasts[0].shared == "the seed of arrivals"


def test_pairs_that_came_out_the_same_are_counted() -> None:
    # As two policies that decide the same in four of five runs.
    found = of_seeds([*BASE[:4], BASE[4] * 0.6], SEEDS)
    contrast, row = only(found)
    assert contrast.n_alike == 4
    assert "in 4 of 5 pairs every metric is the same: what varies decided the same there" in found.notes[1]
    assert not row.is_different


def test_pairs_that_are_all_the_same_are_the_same_and_by_a_fixed_factor_surely_different() -> None:
    same, double = only(of_seeds(BASE, SEEDS))[1], only(of_seeds([2 * value for value in BASE], SEEDS))[1]
    assert (same.is_same, same.p) == (True, 1.0)
    assert (double.is_different, double.p) == (True, 0.0)


def test_figures_known_within_bounds_are_compared_by_ranks() -> None:
    open_run = Bounded(low=30.0, high=None)
    groups = [
        with_seeds(group_of("A", BASE), SEEDS),
        with_seeds(group_of("B", [*SLOWER[:4], open_run]), SEEDS),
    ]
    found = comparison(groups, baseline="A")
    assert not only(found)[1].is_paired
    assert any("compared unpaired" in note for note in found.notes)


def every(label: str, values: dict[str, list[float]]) -> Group:
    first = next(iter(values.values()))
    runs = [
        run.model_copy(update={"figures": {name: Bounded.exactly(own[place]) for name, own in values.items()}})
        for place, run in enumerate(group_of(label, first).runs)
    ]
    return with_seeds(Group(label=label, runs=tuple(runs)), SEEDS)


OTHERS = ["sojourn_p50", "sojourn_p90", "sojourn_p99", "service_view_p50", "makespan_s", "drain_s", "instance_s"]
SHAKY = [1.10, 1.30, 1.02, 1.25, 1.15]  # t = 4.4 on four degrees: p = 0.015 alone, 0.12 as one of eight


def test_a_row_whose_interval_excludes_one_says_why_it_shows_nothing() -> None:
    base = every("A", dict.fromkeys([PRIMARY, "cost_usd", *OTHERS], BASE))
    times = {"cost_usd": [value * k for value, k in zip(BASE, SHAKY, strict=True)]}
    wobbly = [value * k for value, k in zip(BASE, [0.7, 1.4, 0.9, 1.2, 1.1], strict=True)]
    other = every("B", dict.fromkeys([PRIMARY, *OTHERS], wobbly) | times)
    found = comparison([base, other], baseline="A").contrasts[0].row("cost_usd")
    assert found is not None
    assert found.interval is not None
    assert found.interval.low > 1
    assert says(found, 0.1) == "worse alone, not as one of 8 (Holm)"


def test_several_metrics_are_named_beforehand_and_corrected_among_themselves() -> None:
    base = every("A", dict.fromkeys([PRIMARY, "cost_usd", *OTHERS], BASE))
    cheaper = [value / k for value, k in zip(BASE, SHAKY, strict=True)]
    other = every("B", dict.fromkeys([PRIMARY, *OTHERS], SLOWER) | {"cost_usd": cheaper})
    found = comparison([base, other], baseline="A", named=(PRIMARY, "cost_usd"))
    rows = {row.metric: row for row in found.contrasts[0].rows}
    assert rows["cost_usd"].p_holm == pytest.approx(rows["cost_usd"].p)  # the larger of two
    assert rows[PRIMARY].p_holm == pytest.approx(2 * (rows[PRIMARY].p or 0))
    assert rows["cost_usd"].is_different
    # Sojourn is longer, but by less than the margin: it does not matter.
    assert which_to_take(found) == ("B or A: take B, with which cost is better",)


def test_which_to_take_names_what_contradicts_and_what_is_open() -> None:
    base = every("A", {PRIMARY: BASE, "cost_usd": BASE})
    slow_and_cheap = every("B", {PRIMARY: [2 * one for one in SLOWER], "cost_usd": [one / 2 for one in SLOWER]})
    told = comparison([base, slow_and_cheap], baseline="A", named=(PRIMARY, "cost_usd"))
    assert "which counts more is yours to say" in which_to_take(told)[0]
    wobbly = [value * k for value, k in zip(BASE, [0.9, 1.3, 1.0, 1.2, 1.1], strict=True)]
    told = comparison([base, every("B", {PRIMARY: wobbly, "cost_usd": BASE})], baseline="A")
    assert which_to_take(told)[0].startswith("B or A: not decided; sojourn p95 is open: ")
    assert which_to_take(told)[0].endswith(" more pairs would probably settle it")


def test_the_runs_that_would_settle_it_have_the_power() -> None:
    # A difference of 0.1 with a spread of 0.1: t(0.95) and 0.84 more are 2.95 at 11 pairs, over root 11 = 0.89; at 10
    # pairs (2.26 + 0.84) / 3.16 = 0.98, at 9 pairs (2.31 + 0.84) / 3 = 1.05: so ten.
    assert n_to_settle(0.1, 0.1, 0.0953, 5, is_paired=True) == 10
    assert n_to_settle(0.0, 0.1, 0.0953, 5, is_paired=True) == 9  # shown to be within 10 %: t(0.90) = 1.86, / 3 = 0.9
    assert n_to_settle(0.09, 5.0, 0.0953, 5, is_paired=True) is None


def test_twins_are_places_of_the_same_key() -> None:
    assert twins("abc", "cba") == [(0, 2), (1, 1), (2, 0)]
    assert twins("ab", "ab") == []  # too few for a t test
    assert twins("aab", "abc") == []


QUEUE = [{"poisson": {"rate": 3.0, "for": 240}}]
FLEET = {"min": 4, "max": 4, "start": 4, "concurrency": 1}


def arm(label: str, seeds: range, service_s: float) -> Group:
    law = {"exponential": {"mean": f"{service_s}s"}}
    return Group(label=label, runs=tuple(simulated(seed, load=QUEUE, instances=FLEET, service=law) for seed in seeds))


@pytest.mark.slow
def test_a_service_a_twentieth_slower_is_found_in_five_pairs() -> None:
    # All of it, with equal arms: python bench/comparison.py
    for first in range(0, 20, 5):
        seeds = range(first, first + 5)
        row = only(comparison([arm("A", seeds, 1.0), arm("B", seeds, 1.05)], baseline="A"))[1]
        assert row.is_paired
        assert row.is_different
        assert row.ratio is not None
        assert row.ratio.low > 1
