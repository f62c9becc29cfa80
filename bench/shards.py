"""Sixteen shards as processes, two at a time, one killed and one never started; then `collect`, held against truth.

    python bench/shards.py                  # --shards 16 --seconds 6 --rate 32

The endpoint is an `smbench emulate` in a process of its own, which keeps what it saw. Of the collected folder, each row
must be that of one worker's schedule (which request, when due, in which phase), and what the endpoint saw must be there
once.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl

from kills import emulated, start
from machine import host
from smbench.lifecycle.order import read_order
from smbench.results.law import Counts, row_violations
from smbench.results.place import FolderPlace
from smbench.results.store import RunFiles, open_run

KILLED, NEVER = 7, 5
SENT_MIN = 2  # rows of the killed shard that left before its kill
PATIENCE_S = 120.0


def scenario(rate_hz: float, seconds: float) -> str:
    return f"""\
name: shared
target:
  emulated:
    instances: {{min: 2, max: 2, concurrency: 20}}
    service: {{exponential: {{mean: 500ms}}}}
    time: real
load:
  - constant: {{rate: {rate_hz}/s, for: {seconds / 2}s}}
  - poisson: {{rate: {rate_hz}/s, for: {seconds / 2}s}}
drain: 30s
gauges_every: 5s
"""


def n_left(folder: Path, shard: int) -> int:
    """Requests of a shard that left, by its parts."""
    return max(
        (pl.read_parquet(one)["send"].count() for one in folder.glob(f"order/parts/requests-{shard}-*")), default=0
    )


def work(folder: Path, shard: int, n_shards: int) -> int:
    """A worker's exit status; the one to be killed is, once some of its requests have left."""
    process = start(folder, "worker", "--order", "order", "--shard", f"{shard}/{n_shards}")
    give_up_s = time.monotonic() + PATIENCE_S
    while shard == KILLED and process.poll() is None:
        if n_left(folder, shard) >= SENT_MIN or time.monotonic() > give_up_s:
            process.kill()
            break
        time.sleep(0.02)
    process.communicate(timeout=PATIENCE_S)
    return process.returncode


def ask(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    process = start(folder, *words)
    out, err = process.communicate(timeout=PATIENCE_S)
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def differences(folder: Path, run: RunFiles) -> list[str]:
    """Every way in which the rows are not one worker's schedule; instants from each shard's own time zero."""
    order = read_order(FolderPlace(folder / "order"))
    alone = order.plan(FolderPlace(folder / "order"), None).schedule.shard(0, 1)
    rows = run.requests.collect()
    wrong = [*Counts.of(rows).violations(), *row_violations(rows, run.manifest.n_scheduled)]
    zeros_us = {one.shard: round(one.zero.timestamp() * 1e6) for one in run.manifest.shards if one.zero is not None}
    run_zero_us = run.manifest.clock.epoch_ns // 1000
    zero_us = np.array([zeros_us.get(worker, run_zero_us) for worker in rows["worker"]])
    due_us = rows["sched"].dt.epoch("us").to_numpy() - zero_us
    names = [run.manifest.spans[phase].name for phase in alone.phase.tolist()]
    pairs = {
        "seq": (rows["seq"].to_list(), alone.seq.tolist()),
        "due": (due_us.tolist(), (alone.sched_ns // 1000).tolist()),
        "phase": (rows["phase"].to_list(), names),
    }
    return wrong + [f"{what} differs" for what, (here, there) in pairs.items() if here != there]


def against_truth(run: RunFiles, truth: pl.DataFrame) -> list[str]:
    """What the endpoint saw twice, or what the files know otherwise."""
    rows = run.requests.collect()
    known = rows.filter(pl.col("outcome").is_in(["completed", "failed"])).select("inference_id", "outcome")
    both = known.join(truth.select("inference_id", "outcome"), on="inference_id", how="left", suffix="_true")
    n_other = both.filter(pl.col("outcome") != pl.col("outcome_true").fill_null("")).height
    n_twice = truth.height - truth["inference_id"].n_unique()
    unsent = rows.filter(pl.col("outcome") == "not_sent")["seq"]
    n_sent_anyhow = truth["inference_id"].str.extract(r"-(\d+)$").cast(pl.Int64).is_in(unsent.implode()).sum()
    wrong = {"ends known otherwise": n_other, "sent twice": n_twice, "called not sent": n_sent_anyhow}
    return [f"{n} {what}" for what, n in wrong.items() if n]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--shards", type=int, default=16)
    options.add_argument("--seconds", type=float, default=6)
    options.add_argument("--rate", type=float, default=32)
    asked = options.parse_args()
    print(host())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "scenario.yaml").write_text(scenario(asked.rate, asked.seconds))
        began_s = time.monotonic()
        with emulated(folder) as (url, _):
            where = ("--endpoint", "smbench-emulated", "--endpoint-url", url)
            made = ask(folder, "order", "scenario.yaml", "--shards", str(asked.shards), "--to", "order", *where)
            assert made.returncode == 0, made.stderr
            with ThreadPoolExecutor(2) as two:
                shards = [shard for shard in range(asked.shards) if shard != NEVER]
                statuses = dict(zip(shards, two.map(lambda one: work(folder, one, asked.shards), shards), strict=True))
            collected = ask(folder, "collect", "order")
        run = open_run(next(folder.glob("results/*")))
        found = [*differences(folder, run), *against_truth(run, pl.read_parquet(folder / "truth.parquet"))]
        counted = run.requests.group_by("outcome").len().sort("outcome").collect().rows()
    print(f"exit of the workers: {statuses}; of collect: {collected.returncode}; {time.monotonic() - began_s:.0f} s")
    print(f"{run.manifest.ending}: {run.manifest.reason}")
    print(f"rows: {', '.join(f'{n:,} {outcome}' for outcome, n in counted)}")
    print("; ".join(found) or "each row is that of one worker's schedule; nothing sent twice, no end known otherwise")
    return int(bool(found) or collected.returncode != 98)


if __name__ == "__main__":
    sys.exit(main())
