"""Goal: a matrix becomes exactly the runs that it writes, each a sound scenario, or one sentence before anything runs.

Method: plain data and the cells of it; the benchmarks against the counts that their definitions give.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from smbench.errors import ScenarioError, UsageError
from smbench.scenario.values.distributions import Think, Uniform
from smbench.sweeping.matrix import axes_from_options, axes_of, seeds_of
from smbench.sweeping.question import Question, benchmarks_of, cells_of
from smbench.view.report.sweep import notes

BASE: dict[str, Any] = {
    "name": "sizes",
    "target": {
        "kind": "serverless",
        "emulated": {"serverless": {"memory": 2048, "max_concurrency": 4}, "service": "800ms", "time": "warp"},
    },
    "load": [{"constant": {"rate": "1/s", "for": "10s"}}],
}
MEMORY = "target.emulated.serverless.memory"


def question(**changes: Any) -> Question:
    benchmarks = benchmarks_of(changes.pop("benchmarks", None), "here")
    return Question(**{"base": BASE, "base_dir": Path(), "benchmarks": benchmarks, **changes})


def test_every_combination_is_one_cell_and_every_configuration_meets_the_same_seeds() -> None:
    cells = cells_of(question(matrix={MEMORY: [1024, 2048], "load.0.constant.rate": ["1/s", "2/s"]}, seeds=(1, 2, 3)))
    assert [cell.number for cell in cells] == list(range(1, 13))
    seen = {(cell.scenario.target.emulated.serverless.memory, cell.label, cell.seed) for cell in cells}
    assert len(seen) == 12
    assert {cell.label: [one.seed for one in cells if one.label == cell.label] for cell in cells} == {
        cell.label: [1, 2, 3] for cell in cells
    }
    assert all(cell.scenario.seed == cell.seed for cell in cells)


def test_a_cell_is_named_by_what_differs_between_cells() -> None:
    first, second = cells_of(question(matrix={MEMORY: [1024, 2048], "load.0.constant.rate": ["1/s"]}))
    assert (first.name, second.name) == ("memory=1024", "memory=2048")
    assert first.common == second.common == "rate=1/s"
    assert first.configuration == {MEMORY: "1024", "load.0.constant.rate": "1/s"}
    (only,) = cells_of(question(matrix={MEMORY: [1024]}))
    assert (only.name, only.label, only.common) == ("", only.benchmark, "memory=1024")


def test_labelled_settings_change_several_keys_together() -> None:
    sizes = {"small": {MEMORY: 1024, "target.emulated.service": "2s"}, "large": {MEMORY: 6144}}
    small, large = cells_of(question(matrix={"size": sizes}))
    assert (small.configuration, large.configuration) == ({"size": "small"}, {"size": "large"})
    assert small.scenario.target.emulated.serverless.memory == 1024
    assert large.scenario.target.emulated.service == cells_of(question())[0].scenario.target.emulated.service


def test_the_matrix_leaves_the_scenario_that_it_varies_as_it_was() -> None:
    cells_of(question(matrix={MEMORY: [1024]}))
    assert BASE["target"]["emulated"]["serverless"]["memory"] == 2048


@pytest.mark.parametrize(
    ("maxima", "multiples", "pairs"),
    [
        ([2, 4, 8], [1, 1.5, 1.75, 2], [(2, 2), (2, 3), (2, 4), (4, 4), (4, 6), (4, 7), (4, 8), (8, 8), (8, 12),
                                        (8, 14), (8, 16)]),
        ([1], [1, 1.1, 2], [(1, 1), (1, 2)]),
    ],
)  # fmt: skip
def test_the_concurrency_benchmark_leaves_out_a_pair_that_was_there(
    maxima: list[int], multiples: list[float], pairs: list[tuple[int, int]]
) -> None:
    asked = {"concurrency": {"max_concurrency": maxima, "clients": multiples}}
    cells = cells_of(question(benchmarks=asked))
    assert [(int(cell.trial["max"]), int(cell.trial["clients"])) for cell in cells] == pairs
    for cell, (maximum, clients) in zip(cells, pairs, strict=True):
        (phase,) = cell.scenario.load
        assert phase.closed is not None
        assert phase.closed.outstanding == clients
        assert cell.scenario.target.emulated.serverless.max_concurrency == maximum


def test_clients_pause_before_they_call_again_so_that_refusals_at_one_instant_do_not_use_up_the_requests() -> None:
    asked = {"concurrency": {"max_concurrency": [2], "clients": [2]}, "stability": {"think": "3s"}}
    stability, concurrency = cells_of(question(benchmarks=asked))
    (alone,), (together,) = stability.scenario.load, concurrency.scenario.load
    assert alone.closed is not None
    assert together.closed is not None
    assert alone.closed.think == Think(constant=3.0)
    assert together.closed.think == Think(uniform=Uniform(low=0.0, high=1.0))


def test_benchmarks_replace_the_load_and_none_leaves_it() -> None:
    asked = {"stability": {"requests": 10}, "saturation": {"users": [1, 2]}, "cold_start": {"repeats": 2}}
    stability, one, two, cold = cells_of(question(benchmarks=asked))
    assert [phase.settings.name for phase in stability.scenario.load] == ["stability"]
    assert [cell.trial for cell in (one, two)] == [{"users": "1"}, {"users": "2"}]
    assert [phase.settings.name for phase in cold.scenario.load if phase.kind == "burst"] == ["cold", "warm"] * 2
    (own,) = cells_of(question())
    assert [phase.kind for phase in own.scenario.load] == ["constant"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"matrix": {MEMORY: [1500]}}, "memory=1500"),
        ({"matrix": {"load.3.constant.rate": ["1/s"]}}, "there is no '3'"),
        ({"matrix": {"target.emulated.serverles.memory": [1024]}}, "serverless"),
        ({"matrix": {MEMORY: []}}, "has no value"),
        ({"matrix": {MEMORY: [1024, 1024]}}, "twice"),
        ({"matrix": {"seed": list(range(100))}, "seeds": tuple(range(100))}, "10,000 cells"),
    ],
)
def test_a_wrong_matrix_is_one_sentence_before_anything_runs(changes: dict[str, Any], said: str) -> None:
    with pytest.raises((UsageError, ScenarioError)) as failed:
        cells_of(question(**changes))
    assert said in failed.value.message


def test_a_wrong_benchmark_is_named_by_its_key() -> None:
    with pytest.raises(UsageError, match=r"benchmarks\.concurrency\.max_concurrency\.0"):
        benchmarks_of({"concurrency": {"max_concurrency": [0]}}, "here")
    with pytest.raises(UsageError, match=r"benchmarks\.stabilty"):
        benchmarks_of({"stabilty": {}}, "here")


def test_options_write_the_same_matrix_as_a_file() -> None:
    options = ["a.b=0,1", "c=[1, 2],{x: y}", "a.b=5s"]
    assert axes_from_options(options) == {"a.b": [0, 1, "5s"], "c": [[1, 2], {"x": "y"}]}
    labels = [choice.label for choice in axes_of(axes_from_options(options), "here")["c"]]
    assert labels == ["[1, 2]", "{x: y}"]


def test_a_key_that_two_axes_set_is_refused_and_one_that_two_labels_set_is_not() -> None:
    labels = {"small": {"a.b": 1, "c": 1}, "large": {"a.b": 2, "c": 2}}
    assert len(axes_of({"size": labels}, "here")["size"]) == 2
    for key in ("a.b", "a"):
        with pytest.raises(UsageError, match=r"both set a\.b"):
            axes_of({key: [1, 2], "size": labels}, "here")


@pytest.mark.parametrize("option", ["a.b", "=1", "a.b=", "a.b=[1", "a.b={"])
def test_an_option_without_a_key_or_values_is_one_sentence(option: str) -> None:
    with pytest.raises(UsageError, match="--set"):
        axes_from_options([option])


def test_seeds_are_ranges_and_lists_each_once() -> None:
    assert seeds_of("1-5") == (1, 2, 3, 4, 5)
    assert seeds_of("7, 1-2") == (7, 1, 2)
    for wrong in ("", "5-1", "1-5,3", "a", "0-99999", "-1"):
        with pytest.raises(UsageError, match="seed"):
            seeds_of(wrong)


@pytest.mark.slow
def test_a_sweep_whose_benchmarks_multiply_its_seeds_is_bounded_too() -> None:
    stairs = {"saturation": {"users": [1, 2, 3, 4, 5, 6]}}
    with pytest.raises(UsageError, match="more than 5,000 cells"):
        cells_of(question(seeds=tuple(range(1, 1001)), benchmarks=stairs))


@pytest.mark.parametrize(("kind", "is_said"), [("async", True), ("realtime", False)])
def test_what_the_cost_of_an_asynchronous_endpoint_leaves_out_is_said(kind: str, is_said: bool) -> None:
    base = {"name": "x", "target": {"kind": kind}, "load": [{"burst": {"requests": 1}}]}
    cells = cells_of(question(base=base))
    looked: Any = SimpleNamespace(groups=(), cells=cells, figures={}, dropped={}, prices=SimpleNamespace(source="here"))
    assert any("S3 and SNS is not in it" in note for note in notes(looked)) == is_said
