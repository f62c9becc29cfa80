"""Goal: the recommendation follows its rule, and pairs of seeds remove what the seeds have in common.

Method: figures made by hand.
"""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from runs import Request, frames_of
from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.summary import summarise
from smbench.analysis.verdict.thresholds import evaluate
from smbench.api.sweeping.sweep_result import Sweep
from smbench.pricing.table import shipped_prices
from smbench.sweeping.figures import Figures, Throughput, figures_of
from smbench.sweeping.question import Question, benchmarks_of, cells_of
from smbench.sweeping.ranking import Group, Rule, Seen, choose, groups_of, saturations, times_the_first
from smbench.view.report.sweep import sentences


def figures(p95_s: float | None, usd_per_1000: float | None, kept: bool | None = None, **changes: object) -> Figures:
    p95 = Bounded.exactly(p95_s) if p95_s is not None else Bounded(low=60.0, high=None)
    known: dict[str, object] = {
        "verdict": "valid", "kept": kept, "missed": (), "n": 100, "completed": 100, "p50": p95, "p95": p95, "p99": p95,
        "iqr_s": None, "mean_s": None, "throughput": None, "errors": {}, "usd": None, "usd_why": "",
        "usd_per_1000": usd_per_1000, "usd_day": None,
    }  # fmt: skip
    return Figures.model_validate({**known, **changes})


def groups(**named: Figures) -> tuple[Group, ...]:
    return groups_of([Seen(name, "stability", {}, 1, one) for name, one in named.items()])


def test_the_cheapest_that_keeps_the_thresholds_is_taken_with_the_next_and_the_margin() -> None:
    found = choose(
        groups(
            cheap=figures(9.0, 0.01, False), good=figures(2.0, 0.04, True), dear=figures(1.0, 0.05, True),
            open=figures(1.0, 0.001, None),
        )
    )  # fmt: skip
    assert found is not None
    assert found.runner_up is not None
    assert (found.best.configuration, found.runner_up.configuration) == ("good", "dear")
    assert found.margin == pytest.approx(0.25)


def seeded(**named: list[Figures]) -> tuple[Group, ...]:
    return groups_of(
        [Seen(name, "load", {}, seed, one) for name, runs in named.items() for seed, one in enumerate(runs)]
    )


@pytest.mark.parametrize("rule", Rule)
def test_configurations_that_differ_by_chance_alone_are_a_tie_and_the_first_of_them_is_taken(rule: Rule) -> None:
    def runs(*p95_s: float) -> list[Figures]:
        return [figures(one, 0.01 * one, True, mean_s=one) for one in p95_s]

    found = seeded(
        one=runs(1.0, 1.1, 1.2), same=runs(1.1, 1.2, 0.9), twin=runs(1.0, 1.1, 1.2), dear=runs(2.0, 2.1, 2.2)
    )
    memory_mb = dict.fromkeys(("one", "same", "twin", "dear"), 1024)
    for order in (found, tuple(reversed(found))):
        choice = choose(order, rule, memory_mb)
        assert choice is not None
        assert choice.runner_up is not None
        alike = [group.matrix for group in (choice.best, *choice.tied)]
        assert alike == [group.matrix for group in order if group.matrix != "dear"]
        assert choice.runner_up.matrix == "dear"


def test_of_a_single_seed_only_the_same_is_a_tie() -> None:
    choice = choose(
        groups(first=figures(1.0, 0.01, True), twin=figures(1.0, 0.01, True), near=figures(1.0, 0.0101, True))
    )
    assert choice is not None
    assert [group.matrix for group in choice.tied] == ["twin"]
    assert choice.runner_up is not None
    assert choice.runner_up.matrix == "near"


def test_of_those_that_cost_alike_the_quicker_is_taken() -> None:
    slow = [figures(5.0 + k, 0.010 + 0.001 * k, True) for k in range(3)]
    quick = [figures(1.0 + k, 0.012 - 0.001 * k, True) for k in range(3)]
    choice = choose(seeded(slow=slow, quick=quick))
    assert choice is not None
    assert (choice.best.matrix, choice.tied) == ("quick", ())


def test_what_is_taken_is_called_the_cheapest_only_where_no_other_costs_less() -> None:
    first = seeded(idle=[figures(300.0, 0.108, kept=True), figures(320.0, 0.102, kept=True)],
                   ready=[figures(89.0, 0.114, kept=True), figures(86.0, 0.116, kept=True)])  # fmt: skip
    found = choose(first)
    assert found is not None
    assert found.best.configuration == "ready"
    assert "no pair of seeds shows to be dearer" in found.rule
    certain = seeded(idle=[figures(300.0, 0.108, kept=True)] * 5, ready=[figures(89.0, 0.114, kept=True)] * 5)
    found = choose(certain)
    assert found is not None
    assert (found.best.configuration, found.rule) == ("idle", "the cheapest that keeps the thresholds")


def test_a_configuration_keeps_the_thresholds_only_if_every_seed_does() -> None:
    seen = [Seen("a", "load", {}, seed, figures(1.0, 0.01, seed != 2)) for seed in (1, 2, 3)]
    (group,) = groups_of(seen)
    assert group.kept is False
    assert groups_of([*seen[:1], Seen("a", "load", {}, 2, figures(1.0, 0.01, None))])[0].kept is None


def test_where_none_keeps_them_latency_times_cost_decides_and_says_so() -> None:
    found = choose(groups(slow=figures(8.0, 0.02, False), fast=figures(2.0, 0.05, False), endless=figures(None, 0.01)))
    assert found is not None
    assert found.best.configuration == "fast"
    assert found.rule.startswith("none keeps the thresholds")
    assert choose(groups(unpriced=figures(1.0, None, True))) is None


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "invalid"},  # our own limit held the load back: fast and cheap
        {"verdict": "unknown", "part": "51 of 1,000 requests were sent"},  # the error limit ended it: so is this
        {"verdict": "unknown", "has_failed": True},
    ],
)
def test_a_configuration_whose_run_did_not_have_the_load_is_never_taken(change: dict[str, object]) -> None:
    spoiled = figures(0.1, 0.001, None, **change)
    for kept in (True, None):
        found = choose(groups(spoiled=spoiled, good=figures(2.0, 0.04, kept)))
        assert found is not None
        assert (found.best.configuration, found.runner_up) == ("good", None)
    assert choose(groups(spoiled=spoiled)) is None


def test_of_an_invalid_run_no_threshold_is_kept_or_missed() -> None:
    frames = frames_of([Request(0.0, done=1.0)])
    summary = summarise(frames)
    judged = tuple(evaluate(["p95 < 5s", "max < 1ms"], frames, summary))
    found = figures_of(frames, summary, "valid", judged)
    assert (found.kept, found.missed) == (False, ("max < 1ms",))
    found = figures_of(frames, summary, "invalid", judged)
    assert (found.kept, found.missed) == (None, ())


def test_pairs_of_seeds_leave_the_difference_of_the_configurations_alone() -> None:
    base = {seed: figures(level, 0.01) for seed, level in enumerate((1.0, 10.0, 100.0))}
    twice = {seed: figures(2 * level, 0.01) for seed, level in enumerate((1.0, 10.0, 100.0))}
    found = times_the_first(Group("a", "load", {}, base), Group("b", "load", {}, twice))
    assert found is not None
    assert found == pytest.approx((2.0, 2.0, 2.0))
    single = times_the_first(Group("a", "load", {}, {0: base[0]}), Group("b", "load", {}, {0: twice[0]}))
    assert single is not None
    assert single[1:] == (None, None)
    assert times_the_first(Group("a", "load", {}, base), Group("b", "load", {}, {9: base[0]})) is None


def test_stairs_saturate_where_more_users_add_no_throughput() -> None:
    def stair(users: int, hz: float) -> Seen:
        throughput = Throughput(mean=hz, p25=hz, p50=hz, p75=hz, max=hz)
        return Seen("a", "saturation", {"users": str(users)}, 1, figures(1.0, 0.01, throughput=throughput))

    rising = [stair(1, 1.0), stair(2, 2.0), stair(4, 4.0), stair(8, 4.1)]
    (found,) = saturations(groups_of(rising))
    assert found.at is not None
    assert found.at.trial == {"users": "4"}
    assert saturations(groups_of(rising[:3]))[0].at is None

    # A stair whose run was invalid, or ended early, shows no throughput: the next one is what it is compared with.
    spoilt = replace(rising[1], figures=rising[1].figures.model_copy(update={"verdict": "invalid", "throughput": None}))
    (found,) = saturations(groups_of([rising[0], spoilt, *rising[2:]]))
    assert found.at is not None
    assert found.at.trial == {"users": "4"}


def sweep_of(found: dict[int, Figures], dropped: dict[int, str]) -> Sweep:
    """Two sizes with two seeds each: cells 1 and 2 of the small one, 3 and 4 of the large one."""
    base = {"name": "sizes", "load": [{"constant": {"rate": "1/s", "for": "10s"}}]}
    key = "target.emulated.instances.max"
    cells = cells_of(
        Question(base=base, base_dir=Path(), matrix={key: [1, 2]}, seeds=(1, 2), benchmarks=benchmarks_of(None, ""))
    )
    assert [cell.number for cell in cells] == [1, 2, 3, 4]
    return Sweep(Path(), tuple(cells), found, {}, dropped, shipped_prices())


def test_a_sweep_recommends_nothing_until_every_cell_of_the_benchmark_has_been_run() -> None:
    runs = {1: figures(2.0, 0.04, True), 2: figures(2.0, 0.04, True), 3: figures(1.0, 0.02, True)}
    partial = sweep_of(runs, {})
    assert partial.recommendation is partial.to_json()["recommendation"] is None
    assert "Take: not known yet, because cells have not been run." in sentences(partial)
    whole = sweep_of({**runs, 4: figures(1.0, 0.02, True)}, {}).recommendation
    assert whole is not None
    assert whole.best.configuration == "max=2"


def test_a_configuration_one_of_whose_seeds_was_dropped_is_not_judged_by_the_others() -> None:
    runs = {1: figures(2.0, 0.04, True), 2: figures(2.0, 0.04, True), 3: figures(1.0, 0.02, True)}
    found = sweep_of(runs, {4: "quota reached"}).recommendation
    assert found is not None
    assert (found.best.configuration, found.runner_up, found.tied) == ("max=1", None, ())


def test_a_group_without_a_bound_is_unbounded_and_not_left_out() -> None:
    (group,) = groups(endless=figures(None, 0.01))
    assert group.p95_s is not None
    assert math.isinf(group.p95_s[1])


def test_the_discounted_rule_favours_memory_and_looks_at_no_threshold() -> None:
    found = groups(
        small=figures(9.0, 0.010, True, mean_s=4.0), middle=figures(9.0, 0.019, True, mean_s=2.5),
        large=figures(9.0, 0.040, False, mean_s=1.5),
    )  # fmt: skip
    memory_mb = {"small": 1024, "middle": 3072, "large": 6144}
    # 0.040 x 1, 0.0475 x 0.75, 0.060 x 0.5
    choice = choose(found, Rule.DISCOUNTED, memory_mb)
    assert choice is not None
    assert choice.runner_up is not None
    assert (choice.best.matrix, choice.runner_up.matrix) == ("large", "middle")
    alone = choose(found[:1], Rule.DISCOUNTED, memory_mb)
    assert alone is not None
    assert choose(groups(unpriced=figures(1.0, None, True)), Rule.DISCOUNTED, {"unpriced": 1024}) is None
