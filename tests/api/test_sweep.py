"""Goal: a sweep runs each cell once, goes on after a kill, and its page does not show that there was one.

Method: a small sweep in virtual time; a kill is what it leaves: fewer cells that are finished.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

import smbench
from smbench.cli.app import app
from smbench.errors import ExitCode, UsageError
from smbench.lifecycle.cells import FINISHED_FILE

SCENARIO: dict[str, Any] = {
    "name": "sizes",
    "target": {
        "kind": "serverless",
        "emulated": {
            "serverless": {"memory": 2048, "max_concurrency": 2, "cold_start": "3s"},
            "service": "500ms",
            "time": "warp",
        },
    },
    "load": [{"constant": {"rate": "1/s", "for": "5s"}}],
}
MATRIX: dict[str, Any] = {"target.emulated.serverless.memory": [1024, 4096]}


@pytest.mark.slow  # two runs, then one of them again
def test_a_sweep_that_was_killed_twice_runs_what_is_left_and_gives_the_same_page(tmp_path: Path) -> None:
    found = smbench.sweep(
        SCENARIO,
        matrix=MATRIX,
        benchmarks={"stability": {"requests": 20}},
        thresholds=["max < 5s"],
        results=tmp_path,
        progress="none",
    )
    assert found.to_json()["exit_status"] == found.exit_status == ExitCode.OK
    assert found.table["completed"].to_list() == [20, 20]
    small, large = found.table["usd_per_1000"].to_list()
    assert large == pytest.approx(4 * small, rel=0.01)  # the same time, four times the memory
    assert found.table["usd"][0] == pytest.approx((20 * 0.5 + 3.0) * 1 * 0.00002, rel=0.01)
    assert found.recommendation is not None
    assert found.recommendation.best.configuration == "memory=1024"
    rows = found.to_json()["recommendations"]
    assert [row["configuration"] for row in rows] == ["memory=1024", "memory=4096"]
    assert rows[0]["usd_per_inference"] == pytest.approx(small / 1000)
    assert "no instances" in rows[0]["unknown"]["initial_count"]
    page = (found.path / "sweep.html").read_bytes()
    assert b"Against instances" in page
    assert b"Recommendations" in page
    kept = {number: path.stat().st_mtime_ns for number, path in found.runs.items()}

    again = found
    for gone, is_begun in ((2, False), (2, True)):  # before the cell began, and in the middle of it
        finished = json.loads((found.path / FINISHED_FILE).read_bytes())
        del finished[str(gone)]
        (found.path / FINISHED_FILE).write_text(json.dumps(finished))
        if is_begun:
            (again.runs[gone] / "requests.parquet").unlink()
        else:
            shutil.rmtree(again.runs[gone])
        (found.path / "sweep.html").unlink()
        again = smbench.resume_sweep(found.path, progress="none")
        assert (again.path / "sweep.html").read_bytes() == page
    assert again.runs[1].stat().st_mtime_ns == kept[1]
    assert in_scenario_time(again.run(2)).equals(in_scenario_time(smbench.simulate(again.cells[1].scenario)))


def in_scenario_time(run: smbench.Run) -> pl.DataFrame:
    """When each request was due, sent and answered, and how it ended."""
    instants = pl.selectors.datetime().dt.timestamp("ns") - run.manifest.clock.epoch_ns
    return run.requests.select("seq", "sched", "send", "done", "outcome").with_columns(instants).sort("seq").collect()


def test_what_is_wrong_in_a_sweep_is_said_before_a_folder_is_made(tmp_path: Path) -> None:
    file = tmp_path / "sweep.yaml"
    file.write_text(json.dumps({"scenario": SCENARIO, "matrix": MATRIX, "benchmark": {}}))
    results = tmp_path / "results"
    said = CliRunner().invoke(app, ["sweep", str(file), "--results", str(results)])
    assert isinstance(said.exception, UsageError)
    assert "'benchmark' is not known here" in said.exception.message
    real = {**SCENARIO, "target": {"endpoint": "mine"}}
    with pytest.raises(UsageError, match="is used as it is"):
        smbench.sweep(real, matrix={"target.variant": ["a", "b"]}, results=results)
    for rule, scenario, words in (
        ("best", SCENARIO, "there is no rule 'best'"),
        ("discounted", {**SCENARIO, "target": {"kind": "realtime"}}, "compares memory sizes"),
    ):
        with pytest.raises(UsageError, match=words):
            smbench.sweep(scenario, rule=rule, results=results)
    assert not results.exists()


def test_options_of_one_run_do_not_go_with_several(tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["run", "quick-start", "--seeds", "1-2", "--seed", "3"])
    assert isinstance(said.exception, UsageError)
    assert "--seed is of one run" in said.exception.message
