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
from smbench.prediction.replications import bands, share_of
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
    assert share_of([band]) == pytest.approx(4 / 6)  # the last of six is neither the least nor the greatest
    assert "67 % from" in str(first)


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


SYNCHRONOUS: dict[str, dict[str, Any]] = {
    "serverless": {
        "serverless": {
            "max_concurrency": 5,
            "provisioned": 1,
            "cold_start": {"exponential": {"mean": "2s"}},
            "keep_warm": "20s",
        },
    },
    "realtime": {
        "instances": {"min": 1, "max": 4, "start": 1, "concurrency": 2},
        "policies": [{"invocations_tracking": {"invocations_per_instance": 60}}],
        "provision": "20s",
        "waiting": 5,
    },
    "by-concurrency": {
        "instances": {"min": 1, "max": 4, "start": 1, "concurrency": 2},
        "policies": [{"concurrency_tracking": {"concurrent_requests": 2, "out_cooldown": "30s"}}],
        "provision": "20s",
        "waiting": 5,
    },
}


def synchronous(kind: str, **own: Any) -> dict[str, Any]:
    """A story with cold starts, throttles, retries, drops, wrong answers, container errors and a closed phase."""
    emulated = {"time": "warp", "service": {"exponential": {"mean": "1s"}}, "faults": {"container_errors": "5%"}}
    return {
        "name": kind,
        "target": {
            "kind": "realtime" if kind == "by-concurrency" else kind,
            "emulated": emulated | SYNCHRONOUS[kind],
        },
        "load": [
            {"poisson": {"rate": "3/s", "for": "4m"}},
            {"burst": {"requests": 20}},
            {"pause": {"for": "1m"}},
            {"closed": {"outstanding": 8, "requests": 60}},
        ],
        "request": {"retry": {"mode": "standard"}, "expect": {"json_path": "instance", "equals": 0}},
        "limits": {"in_flight": 8},
    } | own


def in_scenario_time(run: smbench.Run, table: str) -> pl.DataFrame:
    """Instants as nanoseconds since the run began; ids without the run's; sizes, which depend on them, left out."""
    frame: pl.DataFrame = getattr(run, table).collect().drop("answer_size_in_bytes", strict=False)
    instants = pl.selectors.datetime().dt.timestamp("ns") - run.manifest.clock.epoch_ns
    ids = pl.col("inference_id").str.split("-").list.last()
    return frame.with_columns(instants, ids).sort("seq" if table == "requests" else "call")


@pytest.mark.slow  # two runs
@pytest.mark.parametrize("seed", [1, 3])
def test_what_ends_at_the_instant_of_a_burst_makes_room_within_it_in_a_run_and_in_its_prediction(
    tmp_path: Path, seed: int
) -> None:
    (tmp_path / "seconds.txt").write_text("0\n0\n0\n1\n")
    emulated = {
        "instances": {"min": 2, "max": 2, "start": 2, "concurrency": 2},
        "service": {"empirical": {"file": "seconds.txt"}},
        "host_speeds": [0.5, 2.0],
        "time": "warp",
    }
    load = [{"burst": {"requests": 12, "within": "0s"}}, {"pause": {"for": "1m"}}]
    story = {"name": "ties", "seed": seed, "target": {"emulated": emulated}, "load": load, "drain": "1m"}
    ran = smbench.run(story, results=tmp_path, base_dir=tmp_path, progress="none")
    predicted = smbench.simulate(story, base_dir=tmp_path)
    served = [in_scenario_time(one, "truth").select("started", "ended", "instance") for one in (ran, predicted)]
    assert_frame_equal(*served)


@pytest.mark.slow  # a run with its worker's process
@pytest.mark.parametrize("kind", SYNCHRONOUS)
def test_a_synchronous_run_and_its_prediction_are_the_same_call_by_call(tmp_path: Path, kind: str) -> None:
    story = synchronous(kind)
    ran, predicted = smbench.run(story, results=tmp_path, progress="none"), smbench.simulate(story)
    for table in ("truth", "requests"):
        assert_frame_equal(in_scenario_time(ran, table), in_scenario_time(predicted, table))
    assert ran.summary.causes == predicted.summary.causes
    assert ran.summary.retries == predicted.summary.retries
    # The story is worth telling.
    counts = predicted.summary.counts
    assert min(counts.completed, counts.failed, counts.not_sent) > 0
    assert (counts.rejected > 0) == (kind == "serverless")


PATIENCE: dict[str, dict[str, Any]] = {
    "answers at once at the limit": {
        "load": [
            {"burst": {"requests": 150, "within": "0s"}},
            {"pause": {"for": "20s"}},
            {"constant": {"rate": "10/s", "for": "10s"}},
            {"pause": {"for": "20s"}},
            {"closed": {"outstanding": 5, "requests": 60}},
        ],
        "limits": {"in_flight": 5},
    },
    "ends later than the drain": {
        "load": [{"users": {"initial": 3, "per_minute": 6, "for": "3m", "think": "5s"}}, {"burst": {"requests": 2}}],
        "drain": "3s",
    },
}


@pytest.mark.slow  # whole runs
@pytest.mark.parametrize("case", PATIENCE)
@pytest.mark.parametrize("kind", ["async", "realtime"])
def test_a_client_at_its_limits_drops_and_gives_up_alike_in_a_run_and_in_its_prediction(
    tmp_path: Path, kind: str, case: str
) -> None:
    emulated: dict[str, Any] = {"instances": {"min": 1, "max": 1, "start": 1, "concurrency": 2}, "time": "warp"}
    if kind == "realtime":
        emulated |= {"waiting": 2, "service": "1s"}
    if "drain" in PATIENCE[case]:
        emulated |= {"waiting": 20} if kind == "realtime" else {}
        emulated["service"] = {"exponential": {"mean": "4s"}}
    story = {"name": "limits", "drain": "1h", "target": {"kind": kind, "emulated": emulated}} | PATIENCE[case]
    columns = ("phase", "outcome", "why_not_sent", "sched", "send")
    ran, predicted = (
        in_scenario_time(result, "requests").select(columns)
        for result in (smbench.run(story, results=tmp_path, progress="none"), smbench.simulate(story))
    )
    assert_frame_equal(ran, predicted)
    outcomes = set(ran["outcome"])
    assert {"completed"} < outcomes if kind == "realtime" or "drain" in PATIENCE[case] else outcomes == {"completed"}


SILENT: dict[str, dict[str, Any]] = {
    "ends that are never published": {"notify_lag": "100ms"},
    "notices later than the drain": {"notify_lag": {"uniform": {"low": "0s", "high": "100s"}}},
    "results that are deleted": {"notify_lag": {"uniform": {"low": "0s", "high": "100s"}}, "results_kept": "40s"},
}


@pytest.mark.slow  # whole runs
@pytest.mark.parametrize("case", SILENT)
def test_what_no_notice_told_is_found_in_s3_alike_in_a_run_and_in_its_prediction(tmp_path: Path, case: str) -> None:
    emulated = {
        "instances": {"min": 1, "max": 1},
        "service": {"exponential": {"mean": "4s"}},
        "faults": {"container_errors": "20%"},
        "open_questions": {"expiry_notifies": False, "timeout_notifies": False},
        "time": "warp",
    }
    story = {
        "name": "silent",
        "target": {"emulated": emulated | SILENT[case]},
        "load": [{"poisson": {"rate": "1/s", "for": "2m"}}],
        "request": {"ttl": "1m", "timeout": "6s"},
        "drain": "30s",
    }
    ran, predicted = smbench.run(story, results=tmp_path, progress="none"), smbench.simulate(story)
    to_the_ms = pl.col("recv", "done", "pub") // 1_000_000  # as finely as notices are stamped
    requests = [in_scenario_time(one, "requests").with_columns(to_the_ms) for one in (ran, predicted)]
    assert_frame_equal(*(rows.drop("output_location", "failure_location") for rows in requests))
    truths = [in_scenario_time(one, "truth").drop("output_location") for one in (ran, predicted)]
    assert_frame_equal(*truths)
    assert ran.summary.causes == predicted.summary.causes
    # The story is worth telling.
    found = requests[0].filter(pl.col("end_from") == "output")["outcome"]
    assert set(found) >= {"failed"}
    assert "lost" in set(requests[0]["outcome"])


@pytest.mark.slow  # a run with its worker's process
def test_a_streamed_run_and_its_prediction_are_the_same_part_by_part(tmp_path: Path) -> None:
    emulated: dict[str, Any] = {
        "instances": {"min": 2, "max": 2, "start": 2},
        "service": {"exponential": {"mean": "500ms"}},
        "service_spread": 0.2,
        "provision": "2s",
        "stream": {"parts": 5, "gap": {"exponential": {"mean": "100ms"}}},
        "faults": {"container_errors": "5%", "instance_life": {"uniform": {"low": "2s", "high": "9s"}}},
    }
    load = [{"poisson": {"rate": "3/s", "for": "40s"}}]
    own: dict[str, Any] = {"request": {"stream": True, "expect": {"size_min": 10}}, "transport": "sdk", "load": load}
    story = synchronous("realtime", **own)
    story["target"]["emulated"] |= emulated | {"policies": []}
    ran, predicted = smbench.run(story, results=tmp_path, progress="none"), smbench.simulate(story)
    for table in ("truth", "requests"):
        assert_frame_equal(in_scenario_time(ran, table), in_scenario_time(predicted, table))
    assert ran.summary.streams == predicted.summary.streams
    # The story is worth telling.
    rows = predicted.requests.collect()
    assert rows["parts"].drop_nulls().n_unique() > 1
    assert any("StreamBroken" in cause.error for cause in predicted.summary.causes)


WAITS: dict[str, dict[str, Any]] = {
    "for an answer": {"read_timeout": "2s", "retry": {"mode": "standard"}},
    "for a part": {"read_timeout": "300ms", "stream": True, "retry": {"mode": "legacy"}},
}


@pytest.mark.slow  # whole runs
@pytest.mark.parametrize("case", WAITS)
@pytest.mark.parametrize("kind", SYNCHRONOUS)
def test_calls_that_were_given_up_are_the_same_in_a_run_and_in_its_prediction(
    tmp_path: Path, kind: str, case: str
) -> None:
    story = synchronous(kind, request=WAITS[case])
    story["load"][0] = {"poisson": {"rate": "3/s", "for": "1m"}}
    if "stream" in WAITS[case]:
        story["target"]["emulated"]["stream"] = {"parts": 5, "gap": {"exponential": {"mean": "100ms"}}}
    ran, predicted = smbench.run(story, results=tmp_path, progress="none"), smbench.simulate(story)
    for table in ("truth", "requests"):
        assert_frame_equal(in_scenario_time(ran, table), in_scenario_time(predicted, table))
    assert ran.summary.causes == predicted.summary.causes
    assert ran.summary.retries == predicted.summary.retries
    # The story is worth telling.
    assert ran.summary.retries is not None
    assert ("unanswered", "read timeout") in {(one.state, one.cause) for one in ran.summary.retries.refused}
    assert "read timeout" in {cause.error for cause in predicted.summary.causes}


@pytest.mark.parametrize("kind", SYNCHRONOUS)
def test_a_synchronous_prediction_is_kept_judged_banded_and_compared(tmp_path: Path, kind: str) -> None:
    story = synchronous(kind, thresholds=["failed == 0", "completed > 100"], limits={}, request={})
    predicted = smbench.simulate(story, results=tmp_path, replications=2)
    assert predicted.path is not None
    assert smbench.report(predicted.path).summary == predicted.summary
    assert [one.passed for one in predicted.thresholds] == [False, True]
    assert predicted.summary.prediction is not None
    assert "sojourn_p95" in {band.metric for band in predicted.summary.prediction.bands}
    text = str(predicted)
    assert "a prediction" in text
    assert "Notices" not in text
    again = smbench.simulate(story, results=tmp_path, seed=2).path
    assert smbench.compare({"one": [str(predicted.path)], "other": [str(again)]}).exit_status == ExitCode.OK


def test_a_prediction_of_a_serverless_endpoint_stops_at_its_error_limit() -> None:
    story = synchronous("serverless", limits={"errors": "20%"}, request={})
    predicted = smbench.simulate(story)
    unsent = predicted.requests.filter(pl.col("outcome") == "not_sent").collect()
    (why,) = unsent["error"].unique()
    assert why.startswith("error limit: ")
    assert predicted.events.filter(pl.col("kind") == "stop").collect()["name"].to_list() == [why]


def test_a_stop_in_the_pause_before_a_second_try_is_alike_in_a_run_and_in_its_prediction(tmp_path: Path) -> None:
    emulated = {"time": "warp", "serverless": {"max_concurrency": 1}, "service": "2s"}
    story = {
        "name": "stopped",
        "target": {"kind": "serverless", "emulated": emulated},
        "load": [{"constant": {"rate": "1/s", "for": "30s"}}],
        "request": {"retry": {"attempts": 5, "backoff": "40s", "on": ["throttle"]}},
        "limits": {"time": "8.5s"},
    }
    columns = ("seq", "outcome", "attempts", "ack", "why_not_sent")
    run, predicted = smbench.run(story, results=tmp_path), smbench.simulate(story)
    rows, foreseen = (
        one.requests.collect().select(columns).with_columns(pl.col("ack") - one.requests.collect()["sched"].min())
        for one in (run, predicted)
    )
    assert rows.equals(foreseen)
    assert rows["outcome"].value_counts().rows_by_key("outcome")["rejected"]


def test_a_threshold_on_what_a_prediction_has_not_is_unknown_for_that_reason() -> None:
    predicted = smbench.simulate(STORY | {"thresholds": ["ack_p95 < 1s", "schedule_lag_p99 < 1s", "max < 1h"]})
    assert [one.passed for one in predicted.thresholds] == [None, None, True]
    assert {one.seen for one in predicted.thresholds[:2]} == {
        "a prediction sends nothing, so it has no ack",
        "a prediction sends nothing, so it has no schedule_lag",
    }
    called = smbench.simulate(synchronous("realtime", request={}, limits={}, thresholds=["ack_p95 < 1h"]))
    assert [one.passed for one in called.thresholds] == [True]


def test_faults_between_client_and_endpoint_are_named_and_decide_no_threshold_of_a_prediction() -> None:
    asked = ["rejected == 0", "transport_error == 0", "lost == 0", "error_share < 1%", "failed == 0"]
    faults = {"throttled": "20%", "container_errors": "0%"}
    target = {"emulated": {"instances": {"max": 1}, "service": "1s", "faults": faults}}
    story = {"name": "faulty", "target": target, "load": [{"constant": {"rate": "1/s", "for": "20s"}}]}
    predicted = smbench.simulate(story | {"thresholds": asked})
    assert [one.passed for one in predicted.thresholds] == [None, None, None, None, True]
    assert predicted.thresholds[0].seen == "a prediction leaves out what goes wrong on the way: faults.throttled"
    assert "faults on the way are left out: throttled" in " ".join(str(predicted).split())


SEEN = ("seq", "outcome", "end_from", "notices", "error", "sched", "done", "pub", "seen")


@pytest.mark.slow  # a run with its worker's process
def test_ends_that_are_looked_for_in_s3_are_seen_by_the_looks_of_a_run(tmp_path: Path) -> None:
    emulated = {
        **STORY["target"]["emulated"],
        "faults": {"container_errors": "5%"},  # few failures: their order in a listing is S3's own
        "time": "warp",
    }
    closed, burst = {"outstanding": 3, "requests": 20, "for": "60s"}, {"requests": 60, "within": "1s"}
    story = STORY | {
        "target": {"emulated": emulated},
        "load": [{"closed": closed}, {"burst": burst}],
        "collector": {"tracking": "s3"},
        "drain": "50s",
    }
    runs = smbench.run(story, results=tmp_path), smbench.simulate(story)
    ran, predicted = (
        one.requests.collect()
        .sort("seq")
        .select(SEEN)
        .with_columns(pl.col(pl.Datetime).dt.timestamp("ns") - one.manifest.clock.epoch_ns)
        for one in runs
    )
    assert_frame_equal(ran, predicted)
    assert set(ran["outcome"]) == {"completed", "failed", "pending"}
    first, second = runs
    assert first.summary.sojourn == second.summary.sojourn
    assert first.summary.notices == second.summary.notices
    assert first.frames.unobservable == second.frames.unobservable


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
