"""Goal: processes that a shell starts one by one are one run, and what a shell reads of them is one sentence.

Method: the real command against `smbench emulate`; the many cases are in `tests/unit/lifecycle/test_machines.py`.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from commands import LONG, environment, wait_until
from serving import emulate, sdk_environment
from smbench.cli.app import app
from smbench.errors import OrderError, UsageError
from smbench.results.law import Counts, row_violations
from smbench.results.store import open_run

N_SHARDS = 3


@pytest.fixture(scope="module")
def endpoint_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with emulate(tmp_path_factory.mktemp("emulator"), LONG) as url:
        yield url


def started(folder: Path, shard: int, url: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "smbench", "worker", "--order", str(folder), "--shard", f"{shard}/{N_SHARDS}"]
    variables = {**environment(), **sdk_environment(url)}
    return subprocess.Popen(command, env=variables, stderr=subprocess.PIPE, text=True)


def n_sent(part: Path) -> int:
    return pl.read_parquet(part)["send"].count()


@pytest.mark.slow  # two workers are started as processes, and live for some seconds
def test_of_shards_that_a_shell_starts_one_is_killed_and_one_never_comes_and_collect_says_so(
    tmp_path: Path, endpoint_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    scenario, folder = tmp_path / "mine.yaml", tmp_path / "order"
    scenario.write_text(LONG.replace("60s", "8s").replace("10/s", "15/s"))
    asked = ["--shards", str(N_SHARDS), "--to", str(folder), "--endpoint", "smbench-emulated"]
    ordered = CliRunner().invoke(app, ["order", str(scenario), *asked, "--endpoint-url", endpoint_url])
    assert ordered.exit_code == 0, ordered.output
    assert f"smbench worker --order {folder} --shard N/3" in ordered.stdout
    good, victim = (started(folder, shard, endpoint_url) for shard in (0, 2))
    wait_until(lambda: any(n_sent(part) for part in folder.glob("parts/requests-2-*.parquet")), timeout_s=120)
    os.kill(victim.pid, signal.SIGKILL)
    for process, status in ((victim, -signal.SIGKILL), (good, 0)):
        _, err = process.communicate(timeout=120)
        assert process.returncode == status, err
    assert "shard 0/3: finished" in err
    again = CliRunner().invoke(app, ["worker", "--order", str(folder), "--shard", "2/3"])
    assert isinstance(again.exception, OrderError)
    assert (again.exception.exit_code, "not started twice" in again.exception.message) == (3, True)
    collected = CliRunner().invoke(app, ["collect", str(folder), "--output", "json"])
    assert collected.exit_code == 98, collected.output
    run = open_run(next(tmp_path.glob("results/*")))
    rows = run.requests.collect()
    assert Counts.of(rows).violations() == []
    assert row_violations(rows, 120) == []
    assert [one.ending for one in run.manifest.shards] == ["finished", "never started", "lost"]
    assert "1 of 3 shards came to their end: shard 1 never started; shard 2 lost (its last" in run.manifest.reason
    by = {worker: set(part["outcome"].to_list()) for (worker,), part in rows.group_by("worker")}
    assert (by[0], by[1]) == ({"completed"}, {"not_sent"})
    lost = rows.filter(pl.col("worker") == 2)
    assert lost.filter(pl.col("send").is_not_null()).height > 0
    assert lost.filter(pl.col("outcome") == "not_sent").height > 0, "its mark says what had not left"
    assert run.readings.filter(pl.col("source") == "endpoint").collect()["worker"].unique().to_list() == [0]


@pytest.mark.parametrize("shard", ["3", "3/", "/16", "three", "3 of 16"])
def test_a_shard_is_named_with_how_many_there_are(tmp_path: Path, shard: str) -> None:
    result = CliRunner().invoke(app, ["worker", "--order", str(tmp_path), "--shard", shard])
    assert isinstance(result.exception, UsageError)
    assert "3/16" in result.exception.advice


@pytest.mark.parametrize("command", [["worker", "--shard", "0/2", "--order"], ["collect"]])
def test_a_folder_without_an_order_is_refused_in_a_sentence(tmp_path: Path, command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, str(tmp_path)])
    assert isinstance(result.exception, OrderError)
    assert f"there is no {tmp_path / 'order.json'}" in result.exception.message


@pytest.mark.slow  # a shard is sent in real time
def test_an_order_in_s3_is_written_sent_and_collected_by_its_address(
    tmp_path: Path, endpoint_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in sdk_environment(endpoint_url).items():
        monkeypatch.setenv(name, value)
    place, scenario = "s3://smbench-emulated/orders/run1", tmp_path / "mine.yaml"
    scenario.write_text(LONG.replace("60s", "1s"))
    asked = ["--shards", "1", "--to", place, "--endpoint", "smbench-emulated", "--endpoint-url", endpoint_url]
    ordered = CliRunner().invoke(app, ["order", str(scenario), *asked])
    assert ordered.exit_code == 0, ordered.output
    assert f"smbench worker --order {place} --shard N/1 --endpoint-url {endpoint_url}\n" in ordered.stdout
    assert f"smbench collect {place} --endpoint-url {endpoint_url}\n" in ordered.stdout
    sent = CliRunner().invoke(app, ["worker", "--order", place, "--shard", "0/1"])
    assert sent.exit_code == 0, sent.output
    assert f"smbench collect {place}" in sent.stderr
    collected = CliRunner().invoke(app, ["collect", place, "--output", "json"])
    assert collected.exit_code in (0, 98), collected.output  # a busy machine may call so short a run in doubt
    run = open_run(next(tmp_path.glob("results/*")))
    assert run.requests.collect()["outcome"].to_list() == ["completed"] * 10
    assert run.manifest.ending == "finished"
