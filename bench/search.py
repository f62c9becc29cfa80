"""How well the interval of a capacity search holds: over repeats with other chances, against closed forms.

Each repeat is a whole search of the model's asynchronous endpoint, probe by probe, by the code of `smbench search`.
Printed for each case: how many intervals cover the closed form, and of all pairs of repeats how many agree, that is,
have the second's rate in the first's interval. The cases: c / s for fixed instances, with evenly spaced and Poisson
arrivals, and the rate at which Erlang C's percentile of an M/M/c queue is the one demanded.
"""

import argparse
import itertools
import math
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))

from machine import host
from searching import queue, searched
from smbench.sweeping.capacity import Found, Terms
from smbench.sweeping.demands import demands_of
from theory import mmc_sojourn_quantile_s

TERMS = Terms(first_hz=1.0, lowest_hz=1 / 64, highest_hz=64.0)


@dataclass(frozen=True, slots=True)
class Case:
    """A queue, what is demanded of it, and its capacity by a closed form."""

    name: str
    slots: int
    service: Any
    slos: tuple[str, ...]
    truth_hz: float
    arrivals: str = "poisson"


def cases() -> Iterator[Case]:
    """All that are printed."""
    lognormal = {"lognormal": {"median": "1s", "sigma": 0.3}}
    mean_s = math.exp(0.3**2 / 2)
    exponential = {"exponential": {"mean": "1s"}}
    yield Case("M/G/4 (lognormal), c/s", 4, lognormal, (), 4 / mean_s)
    yield Case("D/G/4 (lognormal), c/s", 4, lognormal, (), 4 / mean_s, "constant")
    yield Case("M/M/1, c/s", 1, exponential, (), 1.0)
    yield Case("M/M/8, c/s", 8, exponential, (), 8.0)
    for slots, slo, limit_s, share in (
        (1, "p95 < 6s", 6.0, 0.95),
        (4, "p95 < 5s", 5.0, 0.95),
        (8, "p90 < 3s", 3.0, 0.9),
    ):
        yield Case(f"M/M/{slots}, {slo}", slots, exponential, (slo,), keeps_hz(slots, limit_s, share))


def keeps_hz(slots: int, limit_s: float, share: float) -> float:
    """The rate at which M/M/c with a mean service of one second has this percentile; by bisection."""
    low, high = 0.0, float(slots)
    for _ in range(60):
        middle = (low + high) / 2
        is_below = mmc_sojourn_quantile_s(slots, middle, 1.0, share) < limit_s
        low, high = (middle, high) if is_below else (low, middle)
    return low


def main() -> None:
    """Print a row a case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1, help="of the first repeat")
    parser.add_argument("--requests", type=int, default=2000, help="of a probe of full length")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--case", default="", help="only those whose name has this in it")
    options = parser.parse_args()
    print(f"{host()}; {options.repeats} repeats a case")
    print("\n| case | truth | median rate | cover | repeats agree | half width | not found | probes | requests |")
    print("|---|---|---|---|---|---|---|---|---|")
    started = time.monotonic()
    with ProcessPoolExecutor(options.processes) as pool:
        for case in cases():
            if options.case not in case.name:
                continue
            seeds = range(options.seed, options.seed + options.repeats)
            _print(case, list(pool.map(partial(_repeat, case, options.requests), seeds)))
    print(f"{time.monotonic() - started:.0f} s")


def _repeat(case: Case, requests: int, seed: int) -> tuple[Found, int, int]:
    scenario = queue(case.slots, case.service, seed, case.arrivals)
    answer, seen = searched(scenario, demands_of(case.slos, "async"), requests, TERMS)
    return answer, len(seen), sum(one.evidence.n for one in seen)


def _print(case: Case, repeats: list[tuple[Found, int, int]]) -> None:
    answers = [answer for answer, _, _ in repeats if answer.rate_hz is not None]
    rates = sorted(answer.rate_hz for answer in answers if answer.rate_hz is not None)
    cover = sum(answer.low_hz <= case.truth_hz <= answer.high_hz for answer in answers)
    pairs = list(itertools.permutations(answers, 2))
    agree = sum(one.low_hz <= (other.rate_hz or 0.0) <= one.high_hz for one, other in pairs)
    halves = sorted((answer.high_hz / answer.low_hz - 1) / 2 for answer in answers)
    middle = len(answers) // 2
    probes, requests = (sum(each) / len(repeats) for each in list(zip(*repeats, strict=True))[1:])
    print(
        f"| {case.name} | {case.truth_hz:.3f} | {rates[middle]:.3f} | {cover} of {len(answers)} "
        f"| {agree / max(1, len(pairs)):.1%} | {halves[middle]:.1%} | {len(repeats) - len(answers)} "
        f"| {probes:.1f} | {requests:,.0f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
