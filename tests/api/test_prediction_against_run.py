"""Goal: what was predicted is held against what came, figure by figure, and never against another load.

Method: simulated runs of 20 requests in the place of measured ones; the report does not know them apart.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

import smbench
from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.rows.frames import load
from smbench.calibration.parameter import Parameter, Source
from smbench.calibration.record import ModelRecord, record_path
from smbench.cli.app import app
from smbench.errors import ExitCode, ResultsError, UsageError
from smbench.findings import Finding, Verdict
from smbench.prediction.against_run import is_within
from smbench.prediction.kept import read_kept, unlike
from smbench.results.manifest import Band
from smbench.results.store import open_run
from smbench.view.report.section_data import section_data
from smbench.view.sections.blocks import Judged
from smbench.view.sections.order import sections

STORY: dict[str, Any] = {
    "name": "story",
    "target": {
        "instance_hour": 1.0,
        "emulated": {"instances": {"min": 1, "max": 1}, "service": {"exponential": {"mean": "1s"}}},
    },
    "load": [{"poisson": {"rate": "1/s", "for": "20s"}}],
    "drain": "1h",
}


def changed(**emulated: Any) -> dict[str, Any]:
    target = {**STORY["target"], "emulated": {**STORY["target"]["emulated"], **emulated}}
    return {**STORY, "target": target}


def folder(scenario: dict[str, Any], results: Path, **options: Any) -> Path:
    path = smbench.simulate(scenario, results=results, **options).path
    assert path is not None
    return path


@pytest.fixture(scope="module")
def predicted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder(STORY, tmp_path_factory.mktemp("predicted"), replications=5)


def test_each_predicted_figure_is_beside_the_measured_one_and_inside_where_it_is_between(
    predicted: Path, tmp_path: Path
) -> None:
    slow = smbench.report(folder(changed(service="5s"), tmp_path), against=predicted)
    check = slow.summary.prediction_check
    assert check is not None
    assert check.replications == 5
    assert check.band_share == pytest.approx(4 / 6)  # of six alike, the sixth lies between the others so often
    assert {"sojourn_p95", "backlog_max", "instance_s", "cost_usd"} <= {one.metric for one in check.figures}
    for one in check.figures:
        assert (one.low, one.high) != (None, None)
        assert one.measured.value is not None  # type: ignore[union-attr]  # every request ended
        assert one.is_inside == (one.low <= one.measured.value <= one.high)  # type: ignore[union-attr,operator]
    assert [one.is_inside for one in check.figures if one.metric == "sojourn_p95"] == [False]


def test_the_run_that_is_one_of_the_replications_is_inside_all_bands(predicted: Path) -> None:
    check = smbench.report(predicted, against=predicted).summary.prediction_check
    assert check is not None
    assert check.n_inside == check.n_known == len(check.figures)


def test_text_page_and_json_have_it(predicted: Path) -> None:
    held = smbench.report(predicted, against=predicted)
    text = " ".join(str(held).split())
    assert f"{(n := len(held.summary.prediction_check.figures))} of {n} figures lie within their bands" in text  # type: ignore[union-attr]
    assert held.to_json()["summary"]["prediction_check"]["figures"][0]["is_inside"] is True
    (section,) = [
        section_data(one)
        for one in sections(Judged(held.summary, held.findings, held.thresholds))  # what the page draws
        if one.name == "prediction_check"
    ]
    assert section.title == "Predicted and measured"
    assert smbench.report(predicted).summary.prediction_check is None


@pytest.mark.parametrize(
    ("low", "high", "never", "is_inside"),
    [
        (1.0, 3.0, False, True),
        (0.5, 2.0, False, None),
        (2.0, None, False, None),
        (3.5, None, False, False),
        (2.0, None, True, False),
        (0.1, 0.9, False, False),
    ],
)
def test_a_figure_known_within_bounds_is_inside_or_outside_only_where_they_decide(
    low: float, high: float | None, never: bool, is_inside: bool | None
) -> None:
    band = Band(metric="drain_s", n=20, median=2.0, low=1.0, high=3.0)
    assert is_within(Bounded(low=low, high=high, never=never), band) is is_inside


def test_of_an_invalid_run_no_figure_is_inside_or_outside(predicted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Finding(name="ledger", verdict=Verdict.INVALID, expected="all", seen="some are missing")
    monkeypatch.setattr("smbench.api.report.check", lambda *_, **__: [broken])
    check = smbench.report(predicted, against=predicted).summary.prediction_check
    assert check is not None
    assert (check.n_inside, check.n_known) == (0, 0)
    assert check.notes[0].startswith("the run is INVALID")


@pytest.mark.parametrize(
    ("changes", "part"),
    [({"payloads": {"synthetic": "9KiB"}}, "payloads"), ({"request": {"ttl": "5m"}}, "request")],
)
def test_other_requests_than_the_predicted_ones_are_said(
    changes: dict[str, Any], part: str, predicted: Path, tmp_path: Path
) -> None:
    check = smbench.report(folder(STORY | changes, tmp_path), against=predicted).summary.prediction_check
    assert check is not None
    assert check.notes == (f"the run's `{part}` is not that of the prediction, so its figures may differ by that",)


def test_another_policy_than_the_predicted_one_is_said(predicted: Path, tmp_path: Path) -> None:
    other = folder(changed(instances={"min": 1, "max": 3}), tmp_path)
    check = smbench.report(other, against=predicted).summary.prediction_check
    assert check is not None
    assert check.notes == ("the run's endpoint had min 1, max 3; predicted was min 1, max 1",)


def test_an_advice_predicts_the_policy_to_take_and_its_objectives(tmp_path: Path) -> None:
    slo = "within(1m) >= 10%"
    advised = smbench.advise(STORY, slo=[slo], vary={"max": [1]}, replications=5)
    kept = advised.write(tmp_path)
    run = folder(STORY, tmp_path)
    check = smbench.report(run, against=kept).summary.prediction_check
    assert check is not None
    figures = {one.metric: one for one in check.figures}
    assert figures[slo].unit == "share"
    for name in ("sojourn_p50", "sojourn_p99", "backlog_max", "drain_s", "first_completion_s", "instance_s", slo):
        assert figures[name].is_inside is True  # the run has the seeds of the first replication
    nothing = smbench.advise(STORY, slo=["p50 < 1ms"], vary={"max": [1]}, replications=1).write(tmp_path)
    with pytest.raises(UsageError, match="advises no policy, so it predicts none"):
        smbench.report(run, against=nothing)


def test_what_is_no_prediction_of_the_run_is_refused_with_what_to_do(predicted: Path, tmp_path: Path) -> None:
    other_load = folder({**STORY, "load": [{"burst": {"requests": 3}}]}, tmp_path)
    with pytest.raises(UsageError, match="of other load than the run's") as failed:
        smbench.report(other_load, against=predicted)
    assert "simulate SCENARIO --replications 20" in failed.value.advice
    with pytest.raises(UsageError, match="has one replication, so its figures have no band"):
        smbench.report(predicted, against=other_load)
    with pytest.raises(UsageError, match="has no prediction"):
        smbench.report(predicted, against=tmp_path)
    (tmp_path / "advice.json").write_text("{}")
    with pytest.raises(ResultsError, match="damaged, or an older smbench wrote it"):
        smbench.report(predicted, against=tmp_path)


def test_a_run_that_sent_a_part_of_its_load_is_held_against_no_prediction_of_it(predicted: Path) -> None:
    frames = load(open_run(predicted))
    n = frames.requests.height
    is_late = pl.int_range(pl.len()) >= n - 3
    cut = frames.requests.with_columns(pl.when(is_late).then(pl.lit("certain")).alias("why_not_sent"))
    with pytest.raises(UsageError, match=f"the run sent {n - 3} of {n} requests"):
        unlike(read_kept(predicted), replace(frames, requests=cut))


def test_the_command_takes_the_folder_and_changes_no_verdict(predicted: Path) -> None:
    shown = CliRunner().invoke(app, ["report", str(predicted), "--against", str(predicted)])
    assert shown.exit_code == ExitCode.OK
    assert "predicted" in shown.stdout
    refused = CliRunner().invoke(app, ["report", str(predicted), "--against", "nowhere"])
    assert isinstance(refused.exception, UsageError)


def test_a_fitted_model_is_drawn_anew_in_the_replications_so_its_band_has_its_errors(tmp_path: Path) -> None:
    file = tmp_path / "model.yaml"
    file.write_text(
        "name: m\ntarget: {emulated: {instances: {min: 1, max: 1}, service: 2s, notify_lag: 0s}}\n"
        "load: [{constant: {rate: 0.2/s, for: 1m}}]\n"
    )
    plain = smbench.simulate(file, replications=5).manifest.prediction
    provisioning = Parameter(name="provisioning", value=100.0, unit="s", error=1.0, n=3, source=Source.SCALING)
    ModelRecord(runs=("r",), parameters=(provisioning,), digest="").write(record_path(file))
    predicted = smbench.simulate(file, replications=5)
    fitted, own = predicted.manifest.prediction, predicted.summary.sojourn.p50
    assert plain is not None
    assert fitted is not None
    (certain,), (drawn,) = ([one for one in each.bands if one.metric == "sojourn_p50"] for each in (plain, fitted))
    assert certain.low == certain.high == 2.0
    assert drawn.low is not None
    assert drawn.high is not None
    assert drawn.low < 1.97 < 2.03 < drawn.high  # five per cent of drift from day to day
    assert drawn.n == 5
    assert own is not None
    assert own.value == 2.0  # the model as it was fitted, which is none of the five: no draw is in the middle
    assert drawn.median not in (None, own.value)
