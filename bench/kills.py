"""Kills a run at random instants, resumes it, and compares what its files say with what the endpoint saw.

    python bench/kills.py --kills 12 --seed 1

The endpoint is an `smbench emulate` in a process of its own, which outlives every run and keeps the truth. Each trial
is a run that gets SIGKILL (its parent, its worker, or both) while it sends, drains, or closes its folder; then `smbench
resume` until nothing is left, every third time killed once itself, and every fourth time with `--continue`.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from smbench.results.law import Counts, row_violations
from smbench.results.manifest import read_manifest
from smbench.results.store import open_run

RATE_HZ, SENDS_S = 20, 8
SCENARIO = f"""\
name: killed
target:
  emulated:
    instances: {{min: 2, max: 2, concurrency: 20}}
    service: {{exponential: {{mean: 2s}}}}
    time: real
load:
  - poisson: {{rate: {RATE_HZ}/s, for: {SENDS_S}s}}
drain: 60s
gauges_every: 5s
"""
STAGES = ("sending", "draining", "closing")
VICTIMS = ("parent", "worker", "both")
PATIENCE_S = 240.0


@dataclass
class Trial:
    """One run, and what was seen of it."""

    stage: str
    victim: str
    path: Path
    killed_us: int  # UTC, microseconds
    resumes: int = 0
    unwritten: set[int] = field(default_factory=set)  # seqs of which the files said nothing after the kill


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_REGION": "us-east-1"}


def start(folder: Path, *arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "smbench", *map(str, arguments)],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@contextmanager
def emulated(folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A region on its own, by its URL; it writes `truth.parquet` at its end."""
    process = start(folder, "emulate", "scenario.yaml", "--truth", "truth.parquet")
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip(), process
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def wait_for(process: subprocess.Popen[str], condition: object) -> None:
    give_up_s = time.monotonic() + PATIENCE_S
    while not condition():  # type: ignore[operator]
        if process.poll() is not None or time.monotonic() > give_up_s:
            raise RuntimeError(f"the run did not come so far: {process.communicate()[1]}")
        time.sleep(0.02)


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        try:
            parent = int((folder / "stat").read_text().rpartition(") ")[2].split()[1])
            command = (folder / "cmdline").read_text()
        except (OSError, ValueError):
            continue
        if parent == process.pid and "spawn_main" in command:
            found.append(int(folder.name))
    return found


def killed(folder: Path, url: str, number: int, chance: np.random.Generator) -> Trial:
    stage, victim = STAGES[number % 3], VICTIMS[number // 3 % 3]
    results = folder / f"results-{number}"
    where = ("--endpoint", "smbench-emulated", "--endpoint-url", url)
    process = start(folder, "run", "scenario.yaml", *where, "--results", results, "--ui", "none")
    wait_for(process, lambda: bool(list(results.glob("*/parts/readings-0-*.parquet"))))
    path = next(results.iterdir())
    if stage == "closing":
        wait_for(process, lambda: read_manifest(path).ending != "running")
        time.sleep(chance.uniform(0, 0.5))
    else:
        time.sleep(chance.uniform(0, SENDS_S - 2) if stage == "sending" else SENDS_S + chance.uniform(0, 3))
    workers = workers_of(process)
    killed_us = time.time_ns() // 1000
    for target in {"parent": [process.pid], "worker": workers, "both": [process.pid, *workers]}[victim]:
        try:
            os.kill(target, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.communicate(timeout=PATIENCE_S)
    return Trial(stage, victim, path, killed_us)


def resumed(folder: Path, trial: Trial, number: int, chance: np.random.Generator) -> None:
    """Until nothing is left, at most five times."""
    rows = open_run(trial.path).requests.filter(pl.col("outcome") == "unknown").select("seq").collect()
    trial.unwritten = set(rows["seq"].to_list())
    how = ("--continue",) if number % 4 == 3 else ()
    if number % 3 == 2:
        process = start(folder, "resume", trial.path, "--ui", "none", *how)
        time.sleep(chance.uniform(2, 12))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=PATIENCE_S)
    for _ in range(5):
        process = start(folder, "resume", trial.path, "--ui", "plain", *how)
        _, err = process.communicate(timeout=PATIENCE_S)
        trial.resumes += 1
        if "nothing is left to resume" in err or process.returncode not in (0, 98):
            if process.returncode not in (0, 98):
                print(err, file=sys.stderr)
            return
        time.sleep(0.5)


def judged(trial: Trial, truth: pl.DataFrame) -> dict[str, object]:
    """What the files say against what the endpoint saw."""
    run = open_run(trial.path)
    rows = run.requests.collect()
    prefix = run.manifest.run_id
    own = truth.filter(pl.col("inference_id").str.starts_with(f"{prefix}-")).with_columns(
        pl.col("inference_id").str.extract(r"-(\d+)$").cast(pl.Int64).alias("seq")
    )
    both = rows.join(own, on="seq", how="left", suffix="_true")
    seen = both.filter(pl.col("arrived").is_not_null())
    lost_us = seen.filter(pl.col("seq").is_in(list(trial.unwritten)))["arrived"].dt.epoch("us")
    ages_us = [trial.killed_us - at for at in lost_us.to_list()]
    due_us = both.filter(pl.col("outcome") == "unknown")["sched"].dt.epoch("us")
    return {
        "sent": own.height,
        "sent twice": own.height - own["seq"].n_unique(),
        "not_sent, but seen": seen.filter(pl.col("outcome") == "not_sent").height,
        "ends missed": seen.filter(pl.col("outcome_true").is_in(["completed", "failed", "expired"]))
        .filter(pl.col("outcome") != pl.col("outcome_true"))
        .height,
        "unknown": int((rows["outcome"] == "unknown").sum()),
        "unknown, due after the kill": int((due_us > trial.killed_us).sum()),
        "unwritten": len(trial.unwritten),
        "oldest unwritten s": max(ages_us, default=0) / 1e6,
        "law": len(Counts.of(rows).violations()) + len(row_violations(rows, run.manifest.n_scheduled)),
        "ending": run.manifest.ending.value,
    }


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--kills", type=int, default=9)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--folder", type=Path, default=None, help="kept; default: a temporary one")
    options = asked.parse_args()
    chance = np.random.default_rng(options.seed)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(exist_ok=True)
        (folder / "scenario.yaml").write_text(SCENARIO)
        trials = []
        with emulated(folder) as (url, _):
            for number in range(options.kills):
                trial = killed(folder, url, number, chance)
                resumed(folder, trial, number, chance)
                print(f"{number + 1}: {trial.victim} killed while {trial.stage}", file=sys.stderr, flush=True)
                trials.append(trial)
        truth = pl.read_parquet(folder / "truth.parquet")
        rows = [
            {"stage": one.stage, "killed": one.victim, "resumes": one.resumes, **judged(one, truth)} for one in trials
        ]
        with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=200):
            print(pl.DataFrame(rows))


if __name__ == "__main__":
    main()
