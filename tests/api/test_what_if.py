"""Goal: a what-if ranks policies as each alone would come out, and says of which model it speaks.

Method: a short story with few policies, so that all can be simulated one by one beside it.
"""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

import smbench
from smbench.calibration.record import Check, ModelRecord, physics_digest, record_path
from smbench.cli.app import app
from smbench.errors import ExitCode, UsageError
from smbench.scenario.load import load_scenario

TARGET: dict[str, Any] = {
    "name": "story",
    "target": {
        "instance_hour": 1.0,
        "emulated": {
            "instances": {"min": 1, "max": 2, "concurrency": 2},
            "service": {"exponential": {"mean": "4s"}},
            "policies": [{"target_tracking": {"backlog_per_instance": 4}}],
            "time": "warp",
        },
    },
    "load": [{"poisson": {"rate": "0.8/s", "for": "10m"}}],
    "drain": "1h",
}
VARY: dict[str, Any] = {"min": [0, 1, 2], "max": [2, 4]}
LABEL = "ungraded: emulated as written"


def looked(**changes: Any) -> Any:
    return smbench.what_if(TARGET, **{"vary": VARY, "replications": 3, "slo": ["p95 < 60s"], **changes})


@pytest.mark.slow  # each policy is simulated with a report of its own, three times
def test_each_policy_comes_out_as_it_would_alone() -> None:
    found = looked()
    assert len(found.sweep.rows) + len(found.sweep.screened_out) == 1 + 6
    for row in found.sweep.rows:
        emulated = {**TARGET["target"]["emulated"], "instances": row.point.emulated.instances.model_dump()}
        alone = {**TARGET, "target": {**TARGET["target"], "emulated": emulated}}
        for number, figures in enumerate(row.figures):
            run = smbench.simulate(alone, seed=1 + number, thresholds=["p95 < 60s"])
            assert figures[0] == pytest.approx(run.thresholds[0].low, rel=1e-6)
            assert row.costs[number] == pytest.approx(run.summary.cost.instance_s / 3600, rel=1e-6)  # type: ignore[union-attr]


def test_no_policy_beats_one_of_the_front_in_both() -> None:
    found = looked()
    objective = found.question.objectives[0]
    leaders = [row for row in found.sweep.rows if row.is_leader]
    assert leaders
    for leader in leaders:
        rivals = [
            row
            for row in found.sweep.rows
            if row.cluster != leader.cluster
            and row.cost <= leader.cost
            and row.bound(0, objective) < leader.bound(0, objective)
        ]
        assert rivals == []


def test_where_minima_are_compared_each_policy_begins_with_its_own_whatever_the_file_begins_with() -> None:
    """Else a zero minimum has no cold start under the `start` that every fitted model has."""
    policies = [*TARGET["target"]["emulated"]["policies"], {"step_from_zero": {}}]

    def of(**more: int) -> Any:
        emulated = {**TARGET["target"]["emulated"], "policies": policies}
        emulated["instances"] = {"min": 1, "max": 2, "concurrency": 2, **more}
        document = {**TARGET, "target": {**TARGET["target"], "emulated": emulated}}
        return smbench.what_if(document, vary={"min": [0, 1]}, replications=1, slo=["p95 < 60s"])

    plain, begun = of(), of(start=1)
    assert [(row.costs, row.figures) for row in begun.sweep.rows] == [
        (row.costs, row.figures) for row in plain.sweep.rows
    ]
    zero = next(row for row in begun.sweep.rows if row.point.values["min"] == "0")
    assert zero.figures[0][0] > 2 * begun.sweep.current.figures[0][0]
    said = "each policy begins with its own minimum in service, not with the file's start: 1"
    assert (said in begun.notes, said in plain.notes) == (True, False)


def test_policies_that_come_out_alike_are_one_cluster() -> None:
    found = looked(vary={"max": [2, 900, 1000], "min": [2]})  # two instances suffice: no maximum is reached
    clusters = {row.cluster for row in found.sweep.rows[1:]}
    assert len(clusters) == 1
    (leader,) = [row for row in found.sweep.front if row.cluster in clusters]
    assert leader.point.emulated.instances.max == 2  # the simplest of them


def test_what_the_target_was_not_written_for_is_flagged() -> None:
    found = looked(vary={"max": [8], "concurrency": [3]})
    flags = " ".join(found.sweep.rows[1].flags)
    assert "max 8 is above twice the target's 2" in flags
    assert "concurrency 3 is not the target's 2" in flags
    assert "! Extrapolated" in str(found)


@pytest.mark.parametrize(("slo", "kept"), [("p95 < 10m", None), ("p95 < 1ms", False), ("max < 10m", True)])
def test_too_few_requests_for_a_percentile_leave_open_whether_it_is_kept(slo: str, kept: bool | None) -> None:
    short = {**TARGET, "load": [{"poisson": {"rate": "0.8/s", "for": "2m"}}]}  # some 100 requests; p95 takes 200
    found = smbench.what_if(short, vary={"max": [2, 4]}, replications=3, slo=[slo])
    assert found.table["kept"].to_list() == [kept] * found.table.height
    assert any("`p95 < " in note for note in found.notes) == slo.startswith("p95")
    assert ("unknown" in str(found)) == (kept is None)


def test_the_label_is_in_the_table_and_the_json() -> None:
    found = looked()
    assert LABEL in str(found)
    assert found.to_json()["model"] == LABEL
    assert set(found.table["model"]) == {LABEL}


@pytest.mark.slow  # starts Vega, which takes half a second
def test_the_page_has_the_label_under_its_picture_and_in_its_table() -> None:
    page = looked().to_html()
    assert page.count(LABEL) >= 3
    assert "<svg" in page


def test_another_load_keeps_the_target_s_endpoint() -> None:
    other = {**TARGET, "name": "other", "target": {}, "load": [{"burst": {"requests": 5}}]}
    found = looked(load=other, vary={"min": [1]})
    assert found.name == "other"
    assert len(found.question.schedules[0]) == 5
    assert found.sweep.current.point.emulated.instances.max == 2


def test_what_the_fast_engine_does_not_know_is_said_and_the_model_runs() -> None:
    closed = {**TARGET, "load": [{"closed": {"requests": 30, "outstanding": 3}}]}
    found = smbench.what_if(closed, vary={"min": [1, 2]}, replications=2)
    assert "the model itself ran, slower: the fast engine does not know a closed phase" in str(found)


def test_the_command_leaves_files_and_prints_the_front(tmp_path: Path) -> None:
    target, vary = tmp_path / "target.yaml", tmp_path / "vary.yaml"
    target.write_text(json.dumps(TARGET))
    vary.write_text("min: [1, 2]\n")
    asked = ["what-if", str(target), "--vary", str(vary), "--slo", "p95 < 60s", "--replications", "2"]
    shown = CliRunner().invoke(app, [*asked, "--results", str(tmp_path / "results")])
    assert shown.exit_code == ExitCode.OK, shown.output
    assert "the front of 2 policies" in shown.stdout
    (folder,) = (tmp_path / "results").iterdir()
    assert pl.read_parquet(folder / "policies.parquet").height == 3
    assert json.loads((folder / "what-if.json").read_text())["kind"] == "what-if"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vary": {"min": {"from": 0, "to": 10**9}}}, "policies; at most"),
        ({"slo": ["ack_p95 < 1s"]}, "has no ack_p95"),
        ({"slo": ["p95 < 8"]}, "--slo 'p95 < 8'"),
        ({"vary": "nowhere.yaml"}, "nowhere.yaml: cannot be read"),
        ({"replications": 0}, "between 1 and"),
    ],
)
def test_what_is_wrong_is_one_sentence(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as failed:
        looked(**changes)
    assert message in failed.value.message


def test_a_real_endpoint_is_refused() -> None:
    with pytest.raises(UsageError, match="there is no model of it"):
        smbench.what_if({**TARGET, "target": {"endpoint": "prod"}}, vary=VARY)


def graded(folder: Path, *checks: dict[str, Any]) -> Path:
    """A target file with a record beside it, as a fit leaves it."""
    file = folder / "fitted.yaml"
    file.write_text(json.dumps(TARGET))
    digest = physics_digest(load_scenario(file), folder)
    record = ModelRecord(
        runs=("r",),
        parameters=(),
        digest=digest,
        checks=tuple(Check(digest=digest, fingerprint="of the run", figures={}, **one) for one in checks),
    )
    record.write(record_path(file))
    return file


def test_a_fitted_model_without_a_grade_is_refused_unless_forced(tmp_path: Path) -> None:
    file = graded(tmp_path, {"run": "other", "is_in_sample": False, "grade": "not validated"})
    with pytest.raises(UsageError, match="has no grade"):
        smbench.what_if(file, vary={"min": [1]}, replications=1)
    forced = smbench.what_if(file, vary={"min": [1]}, replications=1, force=True)
    assert "not validated" in str(forced)


def test_a_grade_is_the_label(tmp_path: Path) -> None:
    file = graded(tmp_path, {"run": "other", "is_in_sample": False, "grade": "A"})
    assert "Model grade A: checked against other" in str(smbench.what_if(file, vary={"min": [1]}, replications=1))
    predicted = smbench.simulate(file)
    assert predicted.summary.prediction is not None
    assert predicted.summary.prediction.label.startswith("grade A")


def test_one_is_counted_in_the_singular() -> None:
    said = str(looked(vary={"min": [2], "max": [1, 2]}, replications=1))
    assert "the front of 1 policy, cheapest first" in said
    assert "1 policy, 1 replication with the same chances" in said
    assert "1 combination makes no sense" in said
