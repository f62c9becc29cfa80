"""`smbench run` as a user lives it: what stdout and stderr say, what is left on disk, and the exit status.

Method: the real command on small scenarios, in a process of its own once in each kind of time and wherever a signal, a
terminal or a disk is the matter; interrupted as a terminal or a machine would.
"""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import polars as pl
import pytest

from commands import LONG, SMALL, WARP, children, has_begun, in_here, interrupt, smbench, start, wait_until
from smbench.results.law import Counts
from smbench.results.store import open_run

pytestmark = pytest.mark.slow


def only_run(results: Path) -> Path:
    (run,) = results.iterdir()
    return run


def counts(results: Path) -> Counts:
    return Counts.of(open_run(only_run(results)).requests)


def write(folder: Path, text: str) -> Path:
    file = folder / "scenario.yaml"
    file.write_text(text)
    return file


@pytest.mark.parametrize("text", [SMALL, WARP], ids=["real", "warp"])
def test_a_run_ends_with_a_verdict_and_leaves_its_files(tmp_path: Path, text: str) -> None:
    ran = smbench("run", write(tmp_path, text), cwd=tmp_path)
    # On a busy machine a run in real time rightly calls itself invalid or unknown; in warp time no machine is busy.
    assert ran.returncode in ((0,) if text is WARP else (0, 98)), ran.stderr
    assert "completed 20" in ran.stdout
    assert ran.stdout.split()[0] in (("VALID",) if text is WARP else ("VALID", "UNKNOWN", "INVALID"))
    run = only_run(tmp_path / "results")
    assert {path.name for path in run.iterdir()} == {
        "requests.parquet",
        "readings.parquet",
        "events.parquet",
        "truth.parquet",
        "manifest.json",
        "summary.json",
    }
    again = in_here("report", run.relative_to(tmp_path), cwd=tmp_path)
    assert again.stdout.split() == ran.stdout.split()


def test_json_output_is_json_and_nothing_else_is_on_stdout(tmp_path: Path) -> None:
    ran = in_here("run", write(tmp_path, WARP), "--output", "json", cwd=tmp_path)
    told = json.loads(ran.stdout)
    assert told["verdict"] in ("valid", "unknown")
    assert "\x1b" not in ran.stdout + ran.stderr


def test_a_results_folder_is_never_overwritten(tmp_path: Path) -> None:
    file = write(tmp_path, WARP)
    for _ in range(2):
        assert in_here("run", file, "--ui", "none", cwd=tmp_path).returncode == 0
    assert len(list((tmp_path / "results").iterdir())) == 2


def test_a_missed_threshold_is_99(tmp_path: Path) -> None:
    ran = in_here("run", write(tmp_path, WARP + "thresholds: ['sojourn_p50 < 100ms']\n"), cwd=tmp_path)
    assert ran.returncode == 99, ran.stdout


def test_a_load_beyond_our_own_limit_is_an_invalid_run(tmp_path: Path) -> None:
    faults = "    time: real\n    faults: {slow_answers: {share: 100%, delay: 3s}}"
    text = SMALL.replace("    time: real", faults) + "limits: {in_flight: 5}\n"
    ran = in_here("run", write(tmp_path, text), cwd=tmp_path)
    assert ran.returncode == 98, ran.stdout
    assert ran.stdout.startswith("INVALID")


def test_ctrl_c_once_stops_sending_drains_and_reports(tmp_path: Path) -> None:
    process = start("run", write(tmp_path, LONG), cwd=tmp_path)
    wait_until(has_begun(tmp_path / "results"))
    interrupt(process)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    told = counts(tmp_path / "results")
    assert told.violations() == []
    assert told.not_sent > 0
    assert told.pending == 0
    assert told.completed == told.accepted > 0
    assert f"completed {told.completed}" in out


def test_ctrl_c_while_preparing_sends_nothing_and_leaves_no_folder(tmp_path: Path) -> None:
    many = LONG + "payloads: {synthetic: 1KiB, unique: true}\nlimits: {in_flight: 100}\n"
    many = many.replace("rate: 10/s, for: 60s", "rate: 500/s, for: 60s")  # 30,000 uploads: a minute of preparing
    process = start("run", write(tmp_path, many), "--ui", "plain", cwd=tmp_path)
    assert process.stderr is not None
    while "uploading" not in process.stderr.readline():
        assert process.poll() is None
    interrupt(process)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "nothing was sent" in err
    assert list((tmp_path / "results").iterdir()) == []


def test_ctrl_c_twice_stops_at_once_and_keeps_what_is_known(tmp_path: Path) -> None:
    slow = LONG.replace("constant: 200ms", "constant: 30s")
    process = start("run", write(tmp_path, slow), "--ui", "plain", cwd=tmp_path)
    wait_until(has_begun(tmp_path / "results"))
    interrupt(process)
    assert process.stderr is not None
    while "stopping" not in process.stderr.readline():  # two signals at once would be one
        pass
    interrupt(process)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    told = counts(tmp_path / "results")
    assert told.violations() == []
    assert told.pending > 0


@pytest.mark.parametrize("victim", [0, 1], ids=["emulator", "worker"])
def test_a_child_that_dies_is_named_and_what_is_known_is_kept(tmp_path: Path, victim: int) -> None:
    process = start("run", write(tmp_path, LONG), "--ui", "plain", cwd=tmp_path)
    wait_until(has_begun(tmp_path / "results"))
    time.sleep(1.0)  # half of the time between two parts: there is something that no part has yet
    os.kill(children(process, "spawn_main")[victim], signal.SIGKILL)
    _, err = process.communicate(timeout=90)
    assert process.returncode == 98, err
    assert ("emulator", "worker")[victim] in err
    assert "SIGKILL" in err
    told = counts(tmp_path / "results")
    assert told.violations() == []
    assert told.scheduled == 600
    assert told.completed > 0
    if victim == 1:
        assert told.unknown > 0, "its last two seconds are written nowhere"
        again = in_here("report", only_run(tmp_path / "results"), cwd=tmp_path)
        assert again.returncode == 98, again.stdout


def test_a_killed_run_can_still_be_reported(tmp_path: Path) -> None:
    process = start("run", write(tmp_path, LONG), cwd=tmp_path)
    wait_until(has_begun(tmp_path / "results"))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    told = in_here("report", only_run(tmp_path / "results"), cwd=tmp_path)
    assert "scheduled 600" in told.stdout, told.stderr
    assert counts(tmp_path / "results").violations() == []
    wait_until(lambda: not children(process, "spawn_main"))


def test_a_full_disk_ends_the_run_and_what_was_written_is_reported(tmp_path: Path) -> None:
    mount = tmp_path / "small-disk"
    mount.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", mount], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        ran = smbench("run", write(tmp_path, LONG), "--results", mount, "--ui", "none", cwd=tmp_path)
        assert ran.returncode == 2, ran.stderr
        assert "No space left" in ran.stderr
        assert "Traceback" not in ran.stderr
    finally:
        subprocess.run(["umount", mount], check=True)


def test_a_seed_gives_the_same_truth_again_and_another_seed_another(tmp_path: Path) -> None:
    text = WARP.replace("constant: {rate", "poisson: {rate").replace("constant: 200ms", "exponential: {mean: 200ms}")
    file = write(tmp_path, text)
    truths: list[list[tuple[object, ...]]] = []
    for seed in (1, 1, 2):
        folder = tmp_path / f"results-{len(truths)}"
        ran = in_here("run", file, "--seed", str(seed), "--results", folder, "--ui", "none", cwd=tmp_path)
        assert ran.returncode == 0, ran.stderr
        epoch_ns = open_run(only_run(folder)).manifest.clock.epoch_ns
        truth = pl.read_parquet(only_run(folder) / "truth.parquet")
        instants = truth.select(pl.col("arrived", "started", "ended").dt.epoch("ns") - epoch_ns)
        truths.append(instants.rows())
    assert truths[0] == truths[1]
    assert truths[0] != truths[2]
