"""How well the generator keeps its schedule, and what a request costs it: real time, live view on.

The emulated endpoint runs in a process of its own and has capacity to spare, so what is late here is late by us.
"""

import argparse

import polars as pl

from live_runs import Run, live_run
from machine import host

RATES_HZ = (1000, 2000, 5000)
SCENARIO = """\
name: schedule-lag
seed: 11
target:
  emulated:
    instances: {{min: 20, max: 20, concurrency: 40}}
    service: {{constant: 100ms}}
    time: real
load:
  - poisson: {{name: warm-up, rate: {rate_hz}/s, for: 3s, warmup: true}}
  - poisson: {{rate: {rate_hz}/s, for: {for_s}s}}
drain: 60s
limits: {{in_flight: 10000}}
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rates", type=int, nargs="+", default=RATES_HZ, metavar="HZ")
    options.add_argument("--seconds", type=int, default=20)
    options.add_argument("--transport", choices=("wire", "sdk"), default="wire")
    given = options.parse_args()
    print(host())
    head = ("planned/s", "due", "not sent", "achieved/s", "lag p50", "p99", "max, ms", "CPU us/request", "CPU share")
    print("".join(f"{name:>15}" for name in head) + "   verdict")
    for rate_hz in given.rates:
        with live_run(SCENARIO.format(rate_hz=rate_hz, for_s=given.seconds), "--transport", given.transport) as run:
            print(row(rate_hz, run), flush=True)


def row(rate_hz: int, run: Run) -> str:
    requests = run.requests
    sent = requests.drop_nulls("send")
    lag_ms = (sent["send"] - sent["sched"]).dt.total_nanoseconds() / 1e6
    span_s = seconds(sent["send"])
    share = cpu_share(run, sent)
    figures = (
        f"{rate_hz:,}",
        f"{len(requests):,}",
        f"{len(requests) - len(sent):,}",
        f"{(len(sent) - 1) / span_s:,.0f}",
        *(f"{lag_ms.quantile(share) or 0.0:,.2f}" for share in (0.5, 0.99, 1.0)),
        f"{share * span_s / len(sent) * 1e6:,.0f}",
        f"{share:.0%}",
    )
    return "".join(f"{figure:>15}" for figure in figures) + f"   {'valid' if run.exit_code == 0 else 'invalid'}"


def cpu_share(run: Run, sent: pl.DataFrame) -> float:
    """Mean share of a core while requests were sent; the readings are a second apart, each of the second before it."""
    readings = run.generator("cpu_share")
    during = readings.filter(pl.col("at").is_between(sent["send"].min(), sent["send"].max()))
    return float(during.select(pl.col("value").mean()).item())


def seconds(instants: pl.Series) -> float:
    """From the first to the last."""
    first, last = instants.to_frame("at").select(pl.min("at").alias("first"), pl.max("at").alias("last")).row(0)
    return float((last - first).total_seconds())


if __name__ == "__main__":
    main()
