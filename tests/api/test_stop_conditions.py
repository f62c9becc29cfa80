"""Goal: a load ends where its phase says, with the reason in the ledger and in the report, in virtual and in real time.

Method: endpoints of constant service time, whose throughput and latency at each step are known.
"""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import smbench
from smbench.api.machines.orders import order
from smbench.errors import UsageError
from smbench.findings import Verdict
from whole_story import any_keys

pytestmark = pytest.mark.slow  # whole runs

FOUR_SLOTS = {"instances": {"min": 1, "max": 1, "concurrency": 4}, "service": "100ms"}
SERVERLESS = {"serverless": {"max_concurrency": 2, "provisioned": 2}, "service": "100ms"}


def ran(
    folder: Path, load: dict[str, Any], kind: str = "realtime", time: str = "warp", workers: int = 1, **emulated: Any
) -> smbench.Run:
    target = {"kind": kind, "emulated": {"time": time} | (emulated or FOUR_SLOTS)}
    return smbench.run(
        {"name": "stopped", "target": target, "load": [load, {"pause": {"for": "1s"}}, {"burst": {"requests": 1}}]},
        progress="none",
        results=folder,
        workers=workers,
    )


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "flat": (
        {"stairs": {"users": 1, "steps": 8, "each": "10s", "stop": {"flat": "20%"}}},
        FOUR_SLOTS,
        "stairs, step 5: 40.0/s completed, and",
    ),
    "latency": (
        {"stairs": {"users": 4, "steps": 8, "each": "10s", "stop": {"p50": "250ms", "errors": "1%"}}},
        FOUR_SLOTS,
        "stairs, step 3: p50 of 404 requests is 300 ms, above 250 ms",
    ),
    "rates": (
        {"steps": {"rates": [20, 35, 60, 90], "each": "10s", "arrivals": "constant", "stop": {"p95": "1s"}}},
        FOUR_SLOTS,
        "steps, step 3: p95 of",
    ),
    "invocations": (
        {"users": {"initial": 1, "per_minute": 1, "for": "10m", "stop": {"invocations_per_minute": 1700}}},
        FOUR_SLOTS,
        "users, minute 3: 1,",
    ),
    "errors": (
        {"stairs": {"users": 1, "steps": 8, "each": "10s", "think": "50ms", "stop": {"errors": "5%"}}},
        SERVERLESS,
        "stairs, step 4: 50.0 % of",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_load_ends_at_the_end_of_the_window_that_meets_a_condition(tmp_path: Path, case: str) -> None:
    load, emulated, words = CASES[case]
    run = ran(tmp_path, load, "serverless" if "serverless" in emulated else "realtime", **emulated)
    rows = run.requests.collect()
    unsent = rows.filter(pl.col("outcome") == "not_sent")
    assert unsent["why_not_sent"].unique().to_list() == ["stop_condition"]
    (reason,) = unsent["error"].unique().to_list()
    assert reason.startswith(words)
    assert rows["phase"][-1] == "burst"
    assert rows["outcome"][-1] == "not_sent"  # what follows is not sent either
    assert run.summary.violations == ()
    assert run.verdict is (Verdict.UNKNOWN if case == "errors" else Verdict.VALID)  # throttles are named
    assert run.summary.n_cut_short == 0
    (kind,) = load
    if kind != "users":
        (phase,) = run.summary.steps
        assert (phase.stopped, len(phase.steps)) == (reason, int(reason.partition("step ")[2][0]))
        assert sum(step.rates.n_offered for step in phase.steps) == run.summary.phases[0].rates.n_offered
        assert run.summary.phases[0].rates.length_s == pytest.approx(10 * len(phase.steps), abs=0.2)
        assert f"Steps of {kind}" in str(run)
        assert f"Stopped by its own condition: {words[:14]}" in " ".join(str(run).split())


def test_the_steps_of_stairs_have_the_throughput_and_the_latency_of_their_users(tmp_path: Path) -> None:
    run = ran(tmp_path, {"stairs": {"users": 4, "steps": 4, "each": "10s"}})
    (phase,) = run.summary.steps
    assert phase.stopped == ""
    assert [step.level for step in phase.steps] == [4, 8, 12, 16]
    completed_hz = [step.rates.completed_hz for step in phase.steps]
    assert completed_hz == pytest.approx([40] * 4, rel=0.02)  # four slots of a tenth of a second
    medians = [step.sojourn.p50.low for step in phase.steps if step.sojourn.p50 is not None]
    assert medians == pytest.approx([0.1, 0.2, 0.3, 0.4], rel=0.05)  # N users over four slots: N / 40
    assert [step.n_bad for step in phase.steps] == [0] * 4
    assert run.summary.as_json()["steps"][0]["steps"][3]["level"] == 16


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stop_condition_holds_in_real_time_on_the_sum_of_all_workers(tmp_path: Path, workers: int) -> None:
    stairs = {"users": 2, "steps": 40, "each": "500ms", "stop": {"invocations_per_minute": 1800}}
    load = {"stairs": stairs}
    run = ran(tmp_path, load, time="real", workers=workers)  # four slots: 2,400 a minute, each of two workers 1,200
    (phase,) = run.summary.steps
    assert "invocations a minute, of 1,800" in phase.stopped
    assert len(phase.steps) < 10
    assert run.summary.violations == ()


def test_what_would_judge_a_part_or_cannot_judge_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load = [{"stairs": {"users": 4, "steps": 4, "each": "1s", "stop": {"p50": "1s"}}}]
    scenario = {"name": "parts", "load": load}
    with pytest.raises(UsageError, match=r"--shards 2 cannot share a phase that stops by itself \(stairs\)") as found:
        order(scenario, to=tmp_path / "order", shards=2, endpoint="prod")
    assert "--on ray" in found.value.advice
    any_keys(monkeypatch)
    target = {"kind": "realtime", "endpoint": "prod"}
    with pytest.raises(UsageError, match="--workers 2 cannot share a phase that stops by itself"):
        smbench.run_job(
            scenario | {"target": target},
            role="arn:aws:iam::123456789012:role/job",
            image="i",
            to="s3://bucket/run",
            workers=2,
            endpoint_url="http://127.0.0.1:9",
        )
    with pytest.raises(UsageError, match="which a simulation does not know"):
        smbench.simulate(scenario)
