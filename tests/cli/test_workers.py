"""Goal: a run shared by several workers is the run one worker would make: the same rows, limits and law, and none of
its processes can get lost unheard.

Method: the real command over the emulator in its own process; truth.parquet says what the endpoint saw.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import botocore.session
import polars as pl
import pytest

from commands import LONG, SMALL, children, environment, interrupt, smbench, start, wait_until
from smbench.model.world import EMBEDDED
from smbench.results.law import Counts, row_violations
from smbench.results.manifest import MANIFEST
from smbench.results.store import RunFiles, open_run

pytestmark = pytest.mark.slow

SCALED = SMALL.replace("time: real", "time: {scaled: 4}").replace("10/s, for: 2s", "20/s, for: 5s")
SEEN_WITHIN_S = 2.0  # it takes milliseconds; a machine that is busy with other tests gets a second more


def write(folder: Path, text: str) -> Path:
    file = folder / "scenario.yaml"
    file.write_text(text)
    return file


def only_run(folder: Path) -> RunFiles:
    (run,) = (folder / "results").iterdir()
    return open_run(run)


def lawful(run: RunFiles) -> pl.DataFrame:
    """The rows, after the law has been held against them."""
    rows = run.requests.collect()
    assert Counts.of(rows).violations() == []
    assert row_violations(rows, run.manifest.n_scheduled) == []
    return rows


def begun_by_all(folder: Path, n_workers: int) -> None:
    """Wait until every worker has written what it sent."""
    parts = folder / "results"
    wait_until(lambda: all(len(list(parts.glob(f"*/parts/requests-{one}-*.parquet"))) >= 2 for one in range(n_workers)))


def has_sent(folder: Path, n_workers: int) -> bool:
    """Whether the files have a request of every worker that was sent."""
    if not list(folder.glob("results/*/manifest.json")):
        return False
    sent = only_run(folder).requests.filter(pl.col("send").is_not_null()).select("worker").collect()
    return sent["worker"].n_unique() == n_workers


@pytest.mark.parametrize(("text", "n_workers"), [(SMALL, 2), (SCALED, 3)], ids=["real-2", "scaled-3"])
def test_workers_send_the_schedule_once_each_under_its_own_ids(tmp_path: Path, text: str, n_workers: int) -> None:
    ran = smbench("run", write(tmp_path, text), "--workers", str(n_workers), "--output", "json", cwd=tmp_path)
    assert ran.returncode in (0, 98), ran.stderr  # on a busy machine it is late, and says so
    run = only_run(tmp_path)
    rows = lawful(run)
    assert rows["seq"].to_list() == list(range(run.manifest.n_scheduled))
    assert rows["outcome"].unique().to_list() == ["completed"]
    assert rows["worker"].to_list() == [seq % n_workers for seq in range(rows.height)]
    ids = [f"{run.manifest.run_id}-{seq % n_workers}-{seq}" for seq in range(rows.height)]
    assert rows["inference_id"].to_list() == ids
    assert run.truth is not None
    assert sorted(run.truth.collect()["inference_id"].to_list()) == sorted(ids)
    assert run.manifest.workers == json.loads(ran.stdout)["summary"]["workers"] == n_workers
    readers = run.readings.filter(pl.col("source") == "generator").collect()["worker"]
    assert sorted(readers.unique().to_list()) == list(range(n_workers))


def test_a_closed_loop_over_workers_keeps_open_what_one_worker_would(tmp_path: Path) -> None:
    closed = SMALL.replace("constant: {rate: 10/s, for: 2s}", "closed: {outstanding: 5, requests: 40}")
    ran = smbench("run", write(tmp_path, closed), "--workers", "2", "--ui", "none", cwd=tmp_path)
    assert ran.returncode in (0, 98), ran.stderr
    run = only_run(tmp_path)
    assert lawful(run)["outcome"].unique().to_list() == ["completed"]
    assert run.truth is not None
    truth = run.truth.filter("accepted").select("arrived", "ended").collect()
    ends = truth.select(pl.col("ended").alias("at"), pl.lit(-1).alias("by"))
    arrivals = truth.select(pl.col("arrived").alias("at"), pl.lit(1).alias("by"))
    open_now = pl.concat([ends, arrivals]).sort("at", maintain_order=True)["by"].cum_sum()
    assert open_now.max() == 5


def test_the_limit_of_requests_is_exact_over_workers(tmp_path: Path) -> None:
    file = write(tmp_path, SMALL + "limits: {requests: 7}\n")
    ran = smbench("run", file, "--workers", "3", "--ui", "none", cwd=tmp_path)
    assert ran.returncode in (0, 98), ran.stderr
    rows = lawful(only_run(tmp_path))
    assert rows.filter(pl.col("send").is_not_null())["seq"].to_list() == list(range(7))
    assert rows.filter(pl.col("send").is_null())["error"].unique().to_list() == ["request limit"]


def test_the_limit_of_errors_stops_all_workers_for_one_reason(tmp_path: Path) -> None:
    faults = "    time: real\n    faults: {server_errors: 100%}"
    text = LONG.replace("    time: real", faults) + "limits: {errors: 5%, errors_after: 20}\n"
    ran = smbench("run", write(tmp_path, text), "--workers", "2", "--ui", "none", cwd=tmp_path)
    run = only_run(tmp_path)
    rows = lawful(run)
    assert rows["send"].count() < rows.height, ran.stderr
    stops = run.events.filter(pl.col("kind") == "stop").collect()["name"].to_list()
    assert len(stops) == 2
    assert len(set(stops)) == 1
    assert stops[0].startswith("error limit: ")
    assert run.manifest.ending == "finished"  # as with one worker


def test_a_worker_that_is_killed_is_named_at_once_and_the_others_follow_what_they_sent(tmp_path: Path) -> None:
    process = start("run", write(tmp_path, LONG), "--workers", "3", "--ui", "plain", cwd=tmp_path)
    begun_by_all(tmp_path, 3)
    _emulator, _, victim, _ = children(process, "spawn_main")
    os.kill(victim, signal.SIGKILL)
    killed_s = time.monotonic()
    assert process.stderr is not None
    while "worker 1 was killed by signal SIGKILL" not in process.stderr.readline():
        assert process.poll() is None
    assert time.monotonic() - killed_s < SEEN_WITHIN_S
    out, err = process.communicate(timeout=60)
    assert process.returncode == 98, err
    assert "worker 1 was killed by signal SIGKILL" in out + err
    run = only_run(tmp_path)
    rows = lawful(run)
    assert rows.height == 600
    assert (run.manifest.ending, run.manifest.reason) == ("failed", "worker 1 was killed by signal SIGKILL")
    stops = run.events.filter(pl.col("kind") == "stop").collect()
    assert set(stops["name"].to_list()) == {run.manifest.reason}
    others, lost = rows.filter(pl.col("worker") != 1), rows.filter(pl.col("worker") == 1)
    assert others["send"].max() <= stops["at"].max()  # type: ignore[operator]  # instants
    assert set(others["outcome"].unique().to_list()) == {"completed", "not_sent"}
    assert lost.filter(pl.col("outcome") == "completed").height > 0
    assert lost.filter(pl.col("outcome") == "not_sent").height > 0
    assert run.truth is not None
    reached = run.truth.collect()["inference_id"].to_list()
    not_sent = rows.filter(pl.col("outcome") == "not_sent")["seq"].to_list()
    assert not {int(one.rpartition("-")[2]) for one in reached} & set(not_sent), "what the endpoint has was sent"


def test_a_worker_that_dies_before_the_go_ends_the_run_and_the_others_leave(tmp_path: Path) -> None:
    many = LONG + "payloads: {synthetic: 1KiB, unique: true}\nlimits: {in_flight: 100}\n"
    many = many.replace("rate: 10/s, for: 60s", "rate: 500/s, for: 60s")  # 30,000 uploads: a minute of preparing
    process = start("run", write(tmp_path, many), "--workers", "2", "--ui", "plain", cwd=tmp_path)
    assert process.stderr is not None
    uploading = set[int]()
    while uploading != {0, 1}:
        line = process.stderr.readline()
        uploading |= {worker for worker in (0, 1) if f"worker {worker}: uploading" in line}
        assert process.poll() is None
    os.kill(children(process, "spawn_main")[2], signal.SIGKILL)
    _, err = process.communicate(timeout=20)  # whoever does not leave is ended after 30 s
    assert process.returncode == 70, err
    assert "before the run began worker 1 was killed by signal SIGKILL" in err
    assert list((tmp_path / "results").iterdir()) == []
    assert children(process, "spawn_main") == []


def test_ctrl_c_once_stops_all_workers_and_all_are_followed(tmp_path: Path) -> None:
    process = start("run", write(tmp_path, LONG), "--workers", "2", cwd=tmp_path)
    begun_by_all(tmp_path, 2)
    interrupt(process)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    run = only_run(tmp_path)
    rows = lawful(run)
    for worker in (0, 1):
        told = Counts.of(rows.filter(pl.col("worker") == worker))
        assert told.completed == told.accepted > 0
        assert told.not_sent > 0
    assert (run.manifest.ending, run.manifest.reason) == ("stopped", "stopped by SIGINT")


def test_ctrl_c_twice_stops_all_workers_at_once(tmp_path: Path) -> None:
    slow = LONG.replace("constant: 200ms", "constant: 30s")
    process = start("run", write(tmp_path, slow), "--workers", "2", "--ui", "plain", cwd=tmp_path)
    begun_by_all(tmp_path, 2)
    interrupt(process)
    assert process.stderr is not None
    while "stopping" not in process.stderr.readline():
        assert process.poll() is None
    interrupt(process)
    _, err = process.communicate(timeout=15)  # the drain is 20 s
    assert process.returncode == 130, err
    rows = lawful(only_run(tmp_path))
    assert rows.filter(pl.col("outcome") == "pending")["worker"].unique().sort().to_list() == [0, 1]


def test_the_queue_of_a_killed_worker_stays_until_the_run_is_resumed_and_then_every_end_is_known(
    tmp_path: Path,
) -> None:
    """The endpoint is one the run does not own: an emulator started by hand, as AWS would be there before and after.

    The run is resumed from a copy of its folder, as if another machine had written it.
    """
    hosted = write(tmp_path, LONG)
    emulator = start("emulate", hosted, "--truth", "truth.parquet", cwd=tmp_path)
    try:
        assert emulator.stdout is not None
        url = emulator.stdout.readline().strip()
        keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_REGION": "us-east-1"}
        options = ["--endpoint", EMBEDDED, "--endpoint-url", url, "--ui", "none"]
        process = subprocess.Popen(
            [sys.executable, "-m", "smbench", "run", hosted, "--workers", "2", *options],
            cwd=tmp_path,
            env={**environment(), **keys},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        wait_until(lambda: process.poll() is not None or has_sent(tmp_path, 2))
        assert process.poll() is None, process.communicate()[1]
        sqs: Any = botocore.session.get_session().create_client(
            "sqs", "us-east-1", endpoint_url=url, aws_access_key_id="any", aws_secret_access_key="any"
        )
        assert len(sqs.list_queues()["QueueUrls"]) == 2
        os.kill(children(process, "spawn_main")[1], signal.SIGKILL)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 98, err
        run = only_run(tmp_path)
        assert run.manifest.reason == "worker 1 was killed by signal SIGKILL"
        assert len(sqs.list_queues()["QueueUrls"]) == 1
        assert list(run.manifest.held) == ["1"]
        copied = Path(shutil.copytree(run.path, tmp_path / "elsewhere" / run.path.name))
        manifest = json.loads((copied / MANIFEST).read_text())
        manifest["host"]["name"] = "another"
        (copied / MANIFEST).write_text(json.dumps(manifest))
        resumed = smbench("resume", copied, "--ui", "none", cwd=tmp_path, environ=keys)
        assert resumed.returncode == 98, resumed.stderr  # the rest of the schedule was not sent
        assert sqs.list_queues().get("QueueUrls", []) == []
        again = smbench("resume", copied, "--ui", "plain", cwd=tmp_path, environ=keys)
        assert "nothing is left to resume" in again.stderr
    finally:
        interrupt(emulator)
        emulator.communicate(timeout=60)
    run = open_run(copied)
    rows = lawful(run)
    truth = pl.read_parquet(tmp_path / "truth.parquet")
    outcomes = dict(zip(rows["seq"], rows["outcome"], strict=True))
    reached = [int(one.rpartition("-")[2]) for one in truth["inference_id"]]
    assert len(reached) == len(set(reached)), "nothing was sent twice"
    assert {outcomes[seq] for seq in reached} == {"completed"}, "every end is recovered"
    assert (run.manifest.held, run.manifest.resumes) == ({}, 1)


@pytest.mark.parametrize(
    ("text", "asked", "advice"),
    [(SMALL.replace("time: real", "time: warp"), "2", "time: real"), (SMALL, "21", "fewer workers"), (SMALL, "0", "")],
    ids=["warp", "more-than-requests", "none"],
)
def test_what_cannot_be_shared_is_2_and_leaves_nothing(tmp_path: Path, text: str, asked: str, advice: str) -> None:
    ran = smbench("run", write(tmp_path, text), "--workers", asked, cwd=tmp_path)
    assert ran.returncode == 2, ran.stderr
    assert advice in ran.stderr
    assert not (tmp_path / "results").exists()
