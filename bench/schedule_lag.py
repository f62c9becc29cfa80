"""How well the generator keeps its schedule, and what a request costs it: real time, live view on.

The emulated endpoint runs in a process of its own and has capacity to spare, so what is late here is late by us.

    python bench/schedule_lag.py --shares 10 --hogs 2 --repeats 10

measures what one worker reaches here (as `smbench bench` does), plans 10 % of it, and keeps two processes busy beside
the run, ten times.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import polars as pl

from live_runs import Run, live_run
from machine import host
from smbench.ceiling.measurement import highest_kept_hz, measure_ceiling
from smbench.ceiling.search import Search

RATES_HZ = (1000, 2000, 5000)
CEILING_TRIAL_S = 2
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
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rates", type=int, nargs="+", default=RATES_HZ, metavar="HZ")
    options.add_argument("--shares", type=int, nargs="+", metavar="PERCENT", help="of the ceiling, in place of --rates")
    options.add_argument("--hogs", type=int, default=0, help="so many processes that are always busy, beside the run")
    options.add_argument("--repeats", type=int, default=1)
    options.add_argument("--seconds", type=int, default=20)
    options.add_argument("--transport", choices=("wire", "sdk"), default="wire")
    given = options.parse_args()
    print(host())
    rates_hz = given.rates if given.shares is None else [round(ceiling_hz() * share / 100) for share in given.shares]
    head = ("planned/s", "due", "not sent", "achieved/s", "lag p50", "p99", "max, ms", "CPU us/request", "CPU share")
    print("".join(f"{name:>15}" for name in head) + "   verdict")
    with hogs(given.hogs):
        for rate_hz in (rate_hz for _ in range(given.repeats) for rate_hz in rates_hz):
            with live_run(SCENARIO.format(rate_hz=rate_hz, for_s=given.seconds), "--transport", given.transport) as run:
                print(row(rate_hz, run), flush=True)


def ceiling_hz() -> float:
    """The highest rate that one worker keeps against the null target, measured before anything else is busy."""
    found = highest_kept_hz(
        anyio.run(lambda: measure_ceiling("wire", lambda _trial: None, search=Search(), trial_s=CEILING_TRIAL_S))
    )
    if found is None:
        sys.exit("no rate was kept")
    print(f"ceiling of this machine now: {found:,.0f}/s a worker", flush=True)
    return found


@contextmanager
def hogs(n: int) -> Iterator[None]:
    """Processes that never wait, at ordinary priority."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n)]
    try:
        yield
    finally:
        for one in busy:
            one.kill()
            one.wait()


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
