"""Goal: a prediction is a run in everything but one thing, and nothing that shows it hides that.

Method: the command within this process, and the API; each story has 20 requests.
"""

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

import smbench
from smbench.analysis.numbers.bounds import Bounded
from smbench.cli.app import app
from smbench.errors import ExitCode, UsageError
from smbench.prediction.replications import bands
from smbench.results.manifest import read_manifest

STORY: dict[str, Any] = {
    "name": "story",
    "target": {"emulated": {"instances": {"min": 1, "max": 1}, "service": {"exponential": {"mean": "1s"}}}},
    "load": [{"poisson": {"rate": "1/s", "for": "20s"}}],
    "drain": "1h",
    "thresholds": ["failed == 0"],
}
FILE = """\
name: story
target:
  emulated: {instances: {min: 1, max: 1}, service: {exponential: {mean: 1s}}}
load:
  - poisson: {rate: 1/s, for: 20s}
drain: 1h
"""
LABEL = "ungraded: emulated as written"


def test_the_folder_of_a_prediction_is_read_back_as_the_same_run(tmp_path: Path) -> None:
    predicted = smbench.simulate(STORY, results=tmp_path)
    assert predicted.path is not None
    again = smbench.report(predicted.path)
    assert again.summary == predicted.summary
    assert again.manifest == predicted.manifest
    assert again.truth is not None
    assert predicted.truth is not None
    assert_frame_equal(again.truth.collect(), predicted.truth.collect())


def test_a_prediction_is_marked_in_every_form_of_its_report(tmp_path: Path) -> None:
    predicted = smbench.simulate(STORY, results=tmp_path)
    assert predicted.path is not None
    assert read_manifest(predicted.path).kind == "simulated"
    summary = predicted.to_json()["summary"]
    assert (summary["kind"], summary["prediction"]["label"]) == ("simulated", LABEL)
    for text in (str(predicted), predicted.to_markdown()):
        assert "a prediction, nothing was sent" in text
        assert LABEL in text
        assert "the endpoint's" not in text


@pytest.mark.slow  # starts Vega, which takes half a second
def test_the_page_of_a_prediction_says_so_and_has_the_band(tmp_path: Path) -> None:
    page = smbench.simulate(STORY, replications=3).to_html()
    assert f"A prediction, nothing was sent; model {LABEL}." in page
    assert f"Over 3 replications (model {LABEL})" in page


def test_the_first_replication_is_the_prediction_without_any() -> None:
    alone, first = smbench.simulate(STORY), smbench.simulate(STORY, replications=4)
    # The epoch is that of this minute: the figures in scenario time are what must agree.
    assert first.summary.sojourn == alone.summary.sojourn
    assert first.summary.prediction is not None
    assert first.summary.prediction.replications == 4
    assert alone.summary.prediction is not None
    assert alone.summary.prediction.bands == ()


def test_a_band_is_that_of_runs_with_the_seeds_that_follow() -> None:
    first = smbench.simulate(STORY, replications=5)
    each = [smbench.simulate(STORY, seed=seed).summary.sojourn.p50 for seed in range(1, 6)]
    values = sorted(one.low for one in each if one is not None)
    assert first.summary.prediction is not None
    band = next(one for one in first.summary.prediction.bands if one.metric == "sojourn_p50")
    assert (band.low, band.median, band.high) == (values[0], values[2], values[4])


def test_a_figure_that_is_only_a_bound_counts_above_every_value() -> None:
    known, open_ = Bounded.exactly(3.0), Bounded(low=1.0, high=None)
    (band,) = bands([{"drain_s": known}, {"drain_s": open_}, {"drain_s": known}])
    assert (band.low, band.median, band.high, band.n) == (3.0, 3.0, None, 3)
    assert bands([{}]) == ()


def test_a_real_endpoint_is_refused_with_what_to_do_and_nothing_is_written(tmp_path: Path) -> None:
    real = {**STORY, "target": {"endpoint": "prod"}}
    with pytest.raises(UsageError, match="names the endpoint prod, and there is no model of it") as failed:
        smbench.simulate(real, results=tmp_path)
    assert "target.emulated" in failed.value.advice
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow  # a run with its worker's process
def test_users_send_at_the_same_instants_in_a_run_and_in_its_prediction(tmp_path: Path) -> None:
    emulated = {**STORY["target"]["emulated"], "time": "warp", "instances": {"min": 2, "max": 2}}
    users = {"initial": 2, "per_minute": 12, "for": "60s", "think": {"exponential": {"mean": "1s"}}}
    stairs = {"users": 1, "steps": 3, "each": "20s", "requests": 200}
    story = STORY | {"target": {"emulated": emulated}, "load": [{"users": users}, {"stairs": stairs}]}
    ran, predicted = (
        result.requests.collect()
        .sort("seq")
        .select("phase", "outcome", pl.col("sched").dt.timestamp("ns") - result.manifest.clock.epoch_ns)
        for result in (smbench.run(story, results=tmp_path), smbench.simulate(story))
    )
    assert ran.filter(pl.col("outcome") == "completed").height > 100
    assert_frame_equal(ran, predicted)


@pytest.mark.parametrize("n", [0, 1001])
def test_replications_have_limits(n: int) -> None:
    with pytest.raises(UsageError, match="between 1 and 1,000"):
        smbench.simulate(STORY, replications=n)


def test_the_command_prints_a_run_s_report_and_fails_on_a_missed_threshold(tmp_path: Path) -> None:
    file, results = tmp_path / "story.yaml", tmp_path / "results"
    file.write_text(FILE)
    asked = ["simulate", str(file), "--results", str(results), "--replications", "2", "--assert", "completed == 0"]
    shown = CliRunner().invoke(app, asked)
    assert shown.exit_code == ExitCode.THRESHOLD
    assert "Replications" in shown.stdout
    (folder,) = results.iterdir()
    assert read_manifest(folder).command[0] == "smbench"
    assert re.search(r"missed +completed == 0", shown.stdout)


def test_predictions_are_compared_as_runs_are(tmp_path: Path) -> None:
    paths = [smbench.simulate(STORY, seed=seed, results=tmp_path).path for seed in (1, 2)]
    compared = smbench.compare({"one": [str(paths[0])], "other": [str(paths[1])]})
    assert compared.exit_status == ExitCode.OK
