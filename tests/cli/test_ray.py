"""Goal: on a Ray cluster that was there before the run a driver that is killed takes no worker with it, and `smbench
collect` makes the run whole: by the endpoint's own truth no request is lost, and no actor stays.

Method: a real cluster of this machine on free ports, with a token of its own; the real commands against `smbench
emulate`; SIGKILL.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

from commands import environment, wait_until
from serving import sdk_environment
from smbench.results.law import Counts, row_violations
from smbench.results.store import RunFiles, open_run

pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]

ENDPOINT = """\
name: endpoint
target:
  emulated:
    instances: {min: 2, max: 2, concurrency: 50}
    service: {exponential: {mean: 300ms}}
    time: real
load:
  - constant: {rate: 1/s, for: 1s}
"""
LOAD = """\
name: far
target: {kind: async}
load: [{poisson: {rate: 20/s, for: 12s}}]
drain: 30s
gauges_every: 2s
"""
PATIENCE_S = 240.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def cluster() -> Iterator[dict[str, str]]:
    """What a process needs in its environment to use the cluster, and its workers to use AWS's emulation."""
    variables = {**environment(), **sdk_environment("http://127.0.0.1:1"), "RAY_worker_niceness": "0"}
    del variables["AWS_ENDPOINT_URL"]  # each run names its own
    variables |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    ports = [free_port() for _ in range(2)]
    ray = [sys.executable, "-m", "ray.scripts.scripts"]
    # Not in TMPDIR: the names of Ray's sockets need a short path.
    with tempfile.TemporaryDirectory(prefix="r", dir="/tmp", ignore_cleanup_errors=True) as folder:
        begin = [*ray, "start", "--head", "--block", f"--port={ports[0]}", f"--ray-client-server-port={ports[1]}"]
        quiet = ["--include-dashboard=false", "--disable-usage-stats", "--num-cpus=4", f"--temp-dir={folder}"]
        log = Path(folder, "begin.log")
        with log.open("w") as out, subprocess.Popen([*begin, *quiet], env=variables, stdout=out, stderr=out) as process:
            try:
                wait_until(lambda: "Ray runtime started" in log.read_text() or process.poll() is not None, PATIENCE_S)
                assert process.poll() is None, log.read_text()[-2000:]
                yield {**variables, "RAY_ADDRESS": f"127.0.0.1:{ports[0]}"}
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(60)


def smbench(folder: Path, variables: dict[str, str], *arguments: str | Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "smbench", *map(str, arguments)],
        cwd=folder,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@contextmanager
def begun(folder: Path, variables: dict[str, str]) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    """A run of two workers that both have sent, and its folder; the endpoint's truth is written after the block."""
    (folder / "endpoint.yaml").write_text(ENDPOINT)
    (folder / "load.yaml").write_text(LOAD)
    endpoint = smbench(folder, variables, "emulate", "endpoint.yaml", "--truth", "truth.parquet")
    try:
        assert endpoint.stdout is not None
        where = ("--endpoint", "smbench-emulated", "--endpoint-url", endpoint.stdout.readline().strip())
        driver = smbench(folder, variables, "run", "load.yaml", *where, "--workers", "2", "--on", "ray")
        try:
            wait_until(lambda: all(has_sent(folder, one) for one in range(2)) or driver.poll() is not None, PATIENCE_S)
            assert driver.poll() is None, driver.communicate()
            yield driver, next((folder / "results").iterdir())
        finally:
            driver.kill()
            driver.communicate(timeout=60)
    finally:
        endpoint.send_signal(signal.SIGINT)
        endpoint.communicate(timeout=60)


def has_sent(folder: Path, worker: int) -> bool:
    parts = folder.glob(f"results/*/parts/requests-{worker}-*.parquet")
    return any(pl.read_parquet(part)["send"].count() for part in parts)


def actors(path: Path) -> list[int]:
    """Processes that have one of the run's parts folders open, by its marks."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and b"ray::" in _command(process):
            opened = [os.readlink(one) for one in _opened(process)]
            found += [int(process.name)] * any(one.startswith(str(path.resolve())) for one in opened)
    return sorted(found)


def _command(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def _opened(process: Path) -> list[Path]:
    try:
        return [one for one in (process / "fd").iterdir() if one.exists()]
    except OSError:
        return []


def collected(folder: Path, variables: dict[str, str], path: Path) -> tuple[int, str, str]:
    """By the address in the run's folder alone."""
    alone = {name: value for name, value in variables.items() if name != "RAY_ADDRESS"}
    process = smbench(folder, alone, "collect", path, "--output", "json")
    out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, out, err


def lawful(path: Path) -> tuple[RunFiles, pl.DataFrame]:
    run = open_run(path)
    rows = run.requests.collect()
    assert Counts.of(rows).violations() == []
    assert row_violations(rows, run.manifest.n_scheduled) == []
    return run, rows


def ended(folder: Path, run: RunFiles) -> set[str]:
    """Requests of the run that ended, by the endpoint."""
    truth = pl.read_parquet(folder / "truth.parquet").filter(pl.col("ended").is_not_null())
    return {one for one in truth["inference_id"].to_list() if one.startswith(f"{run.manifest.run_id}-")}


def test_workers_whose_driver_was_killed_send_all_they_have_and_collect_brings_them_home(
    tmp_path: Path, cluster: dict[str, str]
) -> None:
    with begun(tmp_path, cluster) as (driver, path):
        status, _, err = collected(tmp_path, cluster, path)
        assert status, "its driver lives"
        assert "is going on in another process" in err
        driver.kill()
        driver.wait()
        assert json.loads((path / "manifest.json").read_text())["ending"] == "running"
        at_work = actors(path)
        assert len(at_work) == 2
        status, _, err = collected(tmp_path, cluster, path)
        assert status in (0, 98), err  # 98: this machine was too busy to be on time
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in at_work))
    run, rows = lawful(path)
    assert (run.manifest.ending, run.manifest.held) == ("finished", {})
    assert sum("lost its parent at" in note for note in run.manifest.notes) == 2
    completed = rows.filter(pl.col("outcome") == "completed")
    assert len(completed) == len(rows) == run.manifest.n_scheduled, rows["outcome"].value_counts()
    assert set(completed["inference_id"]) == ended(tmp_path, run)


def test_a_worker_that_was_lost_with_the_driver_is_named_and_its_requests_are_accounted_for(
    tmp_path: Path, cluster: dict[str, str]
) -> None:
    with begun(tmp_path, cluster) as (driver, path):
        driver.kill()
        driver.wait()
        at_work = actors(path)
        os.kill(at_work[0], signal.SIGKILL)
        lost = next(n for n in range(2) if (path / "parts" / f"reached-{n}").exists() and _of(path, n) == at_work[0])
        status, _, err = collected(tmp_path, cluster, path)
        assert status == 98, err
    run, rows = lawful(path)
    said = (run.manifest.reason, *run.manifest.notes)
    assert any(f"worker {lost}: it never came to its end" in one for one in said), said
    others = rows.filter(pl.col("worker") != lost)
    assert (others["outcome"] == "completed").all()
    known = ended(tmp_path, run)
    assert set(rows.filter(pl.col("outcome") == "completed")["inference_id"]) <= known
    certain = rows.filter(pl.col("outcome") == "not_sent")["inference_id"]
    assert known.isdisjoint(certain.to_list())
    assert actors(path) == []


def _of(path: Path, worker: int) -> int:
    """The process that wrote the mark; see `results.marks`."""
    from smbench.results.marks import _LAYOUT

    process: int = _LAYOUT.unpack((path / "parts" / f"reached-{worker}").read_bytes()[: _LAYOUT.size])[2]
    return process


def test_a_run_that_is_stopped_leaves_no_actor(tmp_path: Path, cluster: dict[str, str]) -> None:
    with begun(tmp_path, cluster) as (driver, path):
        at_work = actors(path)
        assert len(at_work) == 2
        driver.send_signal(signal.SIGTERM)
        _, err = driver.communicate(timeout=PATIENCE_S)
        assert driver.returncode == 130, err
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in at_work))
    run, _ = lawful(path)
    assert run.manifest.ending == "stopped"
