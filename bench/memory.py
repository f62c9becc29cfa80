"""What a worker holds in memory after so many requests: real time, so that the emulated endpoint is elsewhere."""

import argparse

from live_runs import live_run
from machine import host

COUNTS = (10_000, 100_000, 1_000_000)
SCENARIO = """\
name: memory
seed: 12
target:
  emulated:
    instances: {{min: 20, max: 20, concurrency: 20}}
    service: {{constant: 100ms}}
    time: real
load:
  - constant: {{rate: {rate_hz}/s, for: {for_s}s}}
drain: 60s
limits: {{in_flight: 10000}}
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--counts", type=int, nargs="+", default=COUNTS, metavar="N")
    options.add_argument("--rate", type=int, default=2000, metavar="HZ", help="one that the generator can keep")
    given = options.parse_args()
    print(host())
    print("".join(f"{name:>20}" for name in ("requests", "at the start, MB", "at most, MB", "bytes a request")))
    peaks: list[tuple[int, float]] = []
    for n in given.counts:
        with live_run(SCENARIO.format(rate_hz=given.rate, for_s=n / given.rate)) as run:
            held = run.generator("rss_bytes")["value"].to_numpy()
            n_sent = len(run.requests.drop_nulls("send"))
        peaks.append((n_sent, float(held.max())))
        growth = f"{slope(peaks):,.0f}" if len(peaks) > 1 else "-"
        print(f"{n_sent:>20,}{held[0] / 1e6:>20.1f}{held.max() / 1e6:>20.1f}{growth:>20}", flush=True)


def slope(peaks: list[tuple[int, float]]) -> float:
    """Between the last two: what one request adds, without what a worker holds anyway."""
    (n_few, few_bytes), (n_many, many_bytes) = peaks[-2:]
    return (many_bytes - few_bytes) / (n_many - n_few)


if __name__ == "__main__":
    main()
