"""Goal: a comparison fits a terminal, says nothing twice and nothing that was not shown.

Method: groups with a figure of every kind, printed at several widths.
"""

import io
import json

import pytest
from rich.console import Console

from comparing import group_of, with_seeds
from smbench.analysis.comparison.comparability import Difference
from smbench.analysis.comparison.compare import comparison
from smbench.analysis.comparison.contrasts import Comparison, Group
from smbench.analysis.comparison.regression import judge, parse_gate
from smbench.analysis.comparison.run_metrics import RUN_METRICS
from smbench.analysis.numbers.bounds import Bounded
from smbench.view.report.comparison import render, to_json

LONG = "results/some-long-scenario-name-20261121T100834Z"


def group(label: str, factor: float, n: int = 5) -> Group:
    """Every run_metric known; p99 beyond what was watched, drain 0, cost thin."""
    runs = []
    for k, run in enumerate(group_of(label, [1.0] * n).runs):
        figures = {name: Bounded.exactly(754.3 * factor * (1 + k / 100)) for name in RUN_METRICS}
        figures |= {"sojourn_p99": Bounded(low=900.0, high=None), "drain_s": Bounded.exactly(0.0)}
        runs.append(run.model_copy(update={"run": f"{LONG}-{k}", "figures": figures, "thin": ("sojourn_p95",)}))
    return Group(label=label, runs=tuple(runs))


@pytest.fixture
def told() -> Comparison:
    varies = tuple(Difference(key=f"load.{k}.poisson.rate", baseline="1.0", other="2.0") for k in range(12))
    groups = [group("old", 1.0), group("new", 1.2), group("single", 1.0, n=1)]
    return comparison(groups, baseline="old", varies={"new": varies}, notes=["unknown: a run: drained: 3 open"])


def printed(told: Comparison, width: int) -> str:
    console = Console(width=width, file=io.StringIO(), highlight=False)
    console.print(render(told, judge(parse_gate("slower-than 5%"), told)))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("width", [80, 100, 200])
def test_nothing_is_wider_than_the_terminal_and_nothing_is_cut_off(told: Comparison, width: int) -> None:
    text = printed(told, width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    words = " ".join(text.split())
    for run_metric in RUN_METRICS.values():
        assert all(part in words for part in run_metric.label.split())
    assert text.isascii()


def test_what_matters_comes_first_and_what_varies_is_listed(told: Comparison) -> None:
    text = printed(told, 200)
    first, second, third, fourth = text.splitlines()[:4]
    assert first.startswith("REGRESSED  new slower-than 5%: sojourn p95 is 1.1")
    assert second.startswith("HELD  single slower-than 5%: sojourn p95 is 0.98")
    assert third.startswith("new against old: sojourn p95 1.20 times (1.1")
    assert fourth.startswith("single against old: sojourn p95 0.98 times; no inference possible")
    assert text.count("varies: load.") == 8
    assert "varies: 4 more" in text
    assert "unknown: a run: drained: 3 open" in text
    assert text.count("~") == 5  # p95 of two groups in two tables, and the note
    assert "0 in some runs: no ratio" in text
    assert "too many requests without an end on both sides" in text


def test_the_json_is_whole_and_can_be_read_back(told: Comparison) -> None:
    plain = json.loads(json.dumps(to_json(told), allow_nan=False))
    assert Comparison.model_validate(plain["comparison"]) == told
    assert set(plain["run_metrics"]) == set(RUN_METRICS)


def test_each_interval_is_told_with_the_confidence_that_it_has() -> None:
    """Three pairs give one of 95 %; of metrics that are no pairs, three runs a side give one of 90 %."""
    base, other = (with_seeds(group(label, factor, n=3), [1, 2, 3]) for label, factor in (("old", 1.0), ("new", 1.3)))
    bounded = Bounded(low=800.0, high=900.0)
    runs = [run.model_copy(update={"figures": run.figures | {"sojourn_p99": bounded}}) for run in base.runs]
    told = comparison(
        [Group(label="old", runs=tuple(runs)), other], baseline="old", named=["sojourn_p95", "sojourn_p99"]
    )
    text = printed(told, 200)
    (head,) = [line for line in text.splitlines() if line.startswith("new against old ") and "ratio" in line]
    assert " 95 % " in head
    paired, ranked = (
        next(line for line in text.splitlines() if line.startswith(f"sojourn {one}")) for one in ("p95", "p99")
    )
    assert "at 90 %" in ranked
    assert "at 90 %" not in paired
    assert "sojourn p99" in text.split("\n\n")[0]
    assert ", 90 %)" in text.split("\n\n")[0]
