"""The whole life of an inference at rates at which generator and emulator fill the machine.

Both share its cores, so the CPU that an inference costs each of them is shown: whichever is near a core is the limit.
"""

import argparse

import polars as pl

from live_runs import Run, live_run
from machine import host

RATES_HZ = (4000, 5000, 6000)
SCENARIO = """\
name: whole-life
seed: 13
target:
  emulated:
    instances: {{min: 50, max: 50, concurrency: 40}}
    service: {{constant: 100ms}}
    time: real
load:
  - ramp: {{name: warm-up, from: 100/s, to: {rate_hz}/s, for: 3s, warmup: true}}
  - constant: {{rate: {rate_hz}/s, for: {for_s}s}}
drain: 60s
limits: {{in_flight: 10000}}
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rates", type=int, nargs="+", default=RATES_HZ, metavar="HZ")
    options.add_argument("--requests", type=int, default=100_000)
    options.add_argument("--workers", type=int, nargs="+", default=(1, 2))
    given = options.parse_args()
    print(host())
    head = ("workers", "planned/s", "completed", "completed/s", "lag p50", "p99, ms", "generator us", "emulator us")
    print("".join(f"{name:>14}" for name in head) + "   verdict")
    for rate_hz in given.rates:
        for workers in given.workers:
            scenario = SCENARIO.format(rate_hz=rate_hz, for_s=given.requests / rate_hz)
            with live_run(scenario, "--workers", str(workers)) as run:
                print(row(rate_hz, workers, run), flush=True)


def row(rate_hz: int, workers: int, run: Run) -> str:
    requests, n_sent = run.requests, run.n_sent
    sent = requests.drop_nulls("send")
    lag_ms = (sent["send"] - sent["sched"]).dt.total_nanoseconds() / 1e6
    ends = requests["done"].drop_nulls()
    first, last = requests.select(pl.min("sched"), pl.max("done")).row(0)
    length_s = (last - first).total_seconds()
    figures = (
        f"{workers}",
        f"{rate_hz:,}",
        f"{len(ends):,}",
        f"{len(ends) / length_s:,.0f}",
        f"{lag_ms.quantile(0.5):,.2f}",
        f"{lag_ms.quantile(0.99):,.2f}",
        f"{run.worker_cpu_s() / n_sent * 1e6:,.0f}",
        f"{run.emulator_cpu_s / n_sent * 1e6:,.0f}",
    )
    return "".join(f"{figure:>14}" for figure in figures) + f"   {'valid' if run.exit_code == 0 else 'invalid'}"


if __name__ == "__main__":
    main()
