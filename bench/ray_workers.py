"""Two workers as Ray actors beside two as processes of this machine: CPU a request, and how late requests leave.

    python bench/ray_workers.py             # --pairs 2 --seconds 15 --rate 100; needs `pip install -e '.[ray]'`

Both kinds in turn against one `smbench emulate`, so that both meet the same machine. The goal is within 5 %.
"""

import argparse
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from statistics import median

import polars as pl

from kills import emulated, start
from machine import host

ENDPOINT = """\
name: endpoint
target:
  emulated:
    instances: {min: 4, max: 4, concurrency: 50}
    service: 100ms
    time: real
load:
  - constant: {rate: 1/s, for: 1s}
"""
PATIENCE_S = 300.0
READABLE = (0, 98)
FIRST = timedelta(seconds=1)  # the first reading is of a second that began before the load


def load(rate_hz: float, seconds: float) -> str:
    phase = f"{{constant: {{rate: {rate_hz}/s, for: {seconds}s}}}}"
    return f"name: both\ntarget: {{kind: async}}\nload: [{phase}]\ndrain: 20s\n"


def measured(folder: Path, url: str, on: str, number: int) -> tuple[float, float]:
    """One run: CPU of the workers a request, microseconds, and p99 of the schedule lag, milliseconds."""
    results = f"results-{on}-{number}"
    where = ("--endpoint", "smbench-emulated", "--endpoint-url", url, "--results", results)
    process = start(folder, "run", "load.yaml", *where, "--workers", "2", "--ui", "none", "--on", on)
    try:
        _, err = process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    if process.returncode not in READABLE:
        raise RuntimeError(f"{on}: exit {process.returncode}: {err[-500:]}")
    (run,) = (folder / results).iterdir()
    requests, readings = (pl.read_parquet(run / f"{name}.parquet") for name in ("requests", "readings"))
    # While requests are sent: workers that wait for the go do nothing, and those of one kind wait longer.
    first, last = requests.select(pl.min("send").alias("first"), pl.max("send").alias("last")).row(0)
    is_sending = pl.col("at").is_between(first + FIRST, last)
    shares = readings.filter((pl.col("source") == "generator") & (pl.col("name") == "cpu_share") & is_sending)
    took_s = (last - first).total_seconds()
    cpu_share = float(shares.group_by("worker").agg(pl.col("value").mean())["value"].sum())
    lag_us = (requests["send"] - requests["sched"]).dt.total_microseconds()
    return cpu_share * took_s / requests.height * 1e6, float(lag_us.quantile(0.99) or 0.0) / 1e3


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pairs", type=int, default=2)
    options.add_argument("--seconds", type=float, default=15)
    options.add_argument("--rate", type=float, default=100)
    asked = options.parse_args()
    print(host())
    ratios: list[tuple[float, float]] = []
    both: dict[str, list[tuple[float, float]]] = {"local": [], "ray": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "scenario.yaml").write_text(ENDPOINT)
        (folder / "load.yaml").write_text(load(asked.rate, asked.seconds))
        with emulated(folder) as (url, _):
            for number in range(asked.pairs):
                kinds = ("local", "ray") if number % 2 == 0 else ("ray", "local")
                found = {on: measured(folder, url, on, number) for on in kinds}
                for on, (cpu_us, lag_ms) in found.items():
                    both[on].append((cpu_us, lag_ms))
                    print(f"{on:<6} CPU a request {cpu_us:,.0f} us, lag p99 {lag_ms:.2f} ms", flush=True)
                ratios.append((found["ray"][0] / found["local"][0], found["ray"][1] / found["local"][1]))
    for what, place in (("CPU a request", 0), ("lag p99", 1)):
        ray, local = (median(one[place] for one in both[on]) for on in ("ray", "local"))
        of_pairs = ", ".join(f"{ratio[place]:.2f}" for ratio in ratios)
        print(f"ray / local, {what}: {of_pairs}; of medians {ray / local:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
