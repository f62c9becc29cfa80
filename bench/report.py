"""What it takes to report a run of a million requests, as tables and as a page, and to compare two of them.

The run is simulated: an endpoint that scales by its backlog, a warm-up, a load that swings. What a simulation leaves
out is put on top, for numbers that are all zero or all round are quicker to sort than a run's: lateness, the time of an
acknowledgement, AWS's stamps of whole milliseconds, the delay of a notice.
"""

import argparse
import datetime
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl

from machine import host
from smbench.records import Ending
from smbench.results.manifest import ClockFacts, Manifest
from smbench.scenario.model import Scenario
from smbench.schedule.plan import plan
from smbench.simulator.simulate import simulate

EPOCH_NS = 1_795_251_600 * 1_000_000_000  # 2026-11-21T09:00:00Z
RATE_HZ = 500
GOALS_S = {"report": 5.0, "report --html": 5.0, "compare": 8.0}
SCENARIO = {
    "name": "report",
    "target": {
        "emulated": {
            "instances": {"min": 2, "max": 24, "start": 4, "concurrency": 32},
            "service": {"lognormal": {"median": "1s", "sigma": 0.4}},
            "policies": [{"target_tracking": {"backlog_per_instance": 40}}],
        }
    },
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--requests", type=int, default=1_000_000, metavar="N")
    options.add_argument("--repeats", type=int, default=3)
    given = options.parse_args()
    print(host())
    with tempfile.TemporaryDirectory(prefix="smbench-bench-") as name:
        root = Path(name)
        # In processes of their own: what this one had in memory would count for the commands that it starts.
        with ProcessPoolExecutor(2, get_context("spawn")) as makers:
            one, other = makers.map(simulated, (root / "run-1", root / "run-2"), [given.requests] * 2, (1, 2))
        commands = {
            "report": ["report", str(one)],
            "report --html": ["report", str(one), "--html", str(root / "page.html")],
            "compare": ["compare", str(one), str(other)],
        }
        print(f"{given.requests:,} requests, median of {given.repeats}")
        print("".join(f"{title:>16}" for title in ("", "wall s", "CPU s", "memory MB", "goal s")))
        for title, command in commands.items():
            taken = [carried_out(command) for _ in range(given.repeats)]
            wall_s, cpu_s, rss_bytes = (median(each) for each in zip(*taken, strict=True))
            print(f"{title:>16}{wall_s:>16.2f}{cpu_s:>16.2f}{rss_bytes / 1e6:>16,.0f}{GOALS_S[title]:>16.0f}")
        print(f"the page: {(root / 'page.html').stat().st_size / 1e6:.2f} MB")


def carried_out(command: list[str]) -> tuple[float, float, int]:
    """Wall and CPU seconds and the most memory, bytes, of one command in a process of its own."""
    began_s = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "smbench", *command], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"smbench {' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - began_s, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def simulated(folder: Path, n: int, seed: int) -> Path:
    """The folder of a run of about so many requests."""
    length_s = n / RATE_HZ
    load = [
        {"constant": {"rate": "50/s", "for": "60s", "name": "warm-up", "warmup": True}},
        {"sine": {"mean": f"{RATE_HZ}/s", "amplitude": "300/s", "period": "10m", "for": f"{length_s}s"}},
    ]
    scenario = Scenario.model_validate(SCENARIO | {"seed": seed, "load": load})
    schedule = plan(scenario, folder, [1.0])
    run = simulate(scenario, None, schedule, ["a"], epoch_ns=EPOCH_NS, run_id=folder.name, size_bytes=[100])
    manifest = Manifest(
        run_id=folder.name,
        started=datetime.datetime.fromtimestamp(EPOCH_NS / 1e9, datetime.UTC),
        ending=Ending.FINISHED,
        scenario=scenario.model_dump(mode="json", by_alias=True),
        spans=schedule.spans,
        clock=ClockFacts(kind="real", epoch_ns=EPOCH_NS),
        transport="simulated",
        n_scheduled=run.requests.height,
    )
    folder.mkdir()
    manifest.write(folder)
    as_heard(run.requests, np.random.default_rng(seed)).write_parquet(folder / "requests.parquet")
    run.readings.write_parquet(folder / "readings.parquet")
    run.events.write_parquet(folder / "events.parquet")
    return folder


def as_heard(requests: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """The same requests with all instants as a client would have them."""

    def some(mean_ms: float) -> pl.Series:
        return pl.Series(rng.exponential(mean_ms * 1e6, requests.height)).cast(pl.Int64).cast(pl.Duration("ns"))

    lag, ack, telling, hearing = some(0.2), some(9.0), some(80.0), some(40.0)
    send, done = pl.col("sched") + lag, pl.col("done").dt.truncate("1ms")
    return requests.with_columns(
        send=send,
        ack=send + ack,
        recv=(send + ack * 0.5).dt.truncate("1ms"),
        done=done,
        pub=(done + telling).dt.truncate("1ms"),
        seen=done + telling + hearing,
    )


if __name__ == "__main__":
    main()
