"""How often the 95 % intervals of a run's percentiles cover the endpoint's own: over queues, loads and lengths of run.

Each run is a simulated queue of Poisson arrivals, served in order, in its steady state. The truth of M/M/c is Erlang's
formula, that of M/G/c (lognormal service) a simulation of sixteen million requests. A cell is the percentage of the
intervals that cover, and how many runs had one; in brackets where fewer than one run in ten has one. By chance alone
one cell in twenty of 150 runs lies outside 92 to 98 % when the coverage is 95 %.
"""

import argparse
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))

from machine import host
from queues import System, simulated
from smbench.analysis.latency.intervals import Interval, of_arrivals
from smbench.analysis.numbers.bounds import PERCENTILES
from theory import mmc_sojourn_quantile_s

NAMES = ("p50", "p90", "p99")
SERVERS = ((1, None), (4, None), (8, None), (2, 0.5), (4, 0.5))
UTILISATIONS = (0.5, 0.7, 0.8, 0.9)
LENGTHS = (300, 1_000, 5_000, 20_000)
GIVEN_MIN = 0.1  # of the runs: below, a coverage would be of a handful
Cell = dict[str, tuple[int, int]]  # of each percentile: intervals given, and of them those that cover


def main() -> None:
    """Print the table to stdout, and the cells that are farther from the promise than 3 %."""
    options = _options()
    print(f"{host()}; {options.seeds} runs a cell{', begun empty' if options.from_empty else ''}")
    systems = [System(n, busy, options.cv if cv else None) for n, cv in SERVERS for busy in UTILISATIONS]
    started = time.monotonic()
    with ProcessPoolExecutor(options.processes) as pool:
        rows = pool.map(partial(_row, options=options), systems)
        _print(systems, rows, options.seeds)
    print(f"{time.monotonic() - started:.0f} s")


def _row(system: System, options: argparse.Namespace) -> list[Cell]:
    truths_s = _truths_s(system)
    return [_cell(system, n, truths_s, options) for n in LENGTHS]


def _truths_s(system: System) -> list[float]:
    shares = [PERCENTILES[name] for name in NAMES]
    if system.cv is None:
        return [mmc_sojourn_quantile_s(system.servers, system.arrival_hz, 1.0, share) for share in shares]
    _, takes_s = simulated(system, 20_000, 800, seed=0)
    return [float(truth_s) for truth_s in np.quantile(takes_s, shares)]


def _cell(system: System, n: int, truths_s: list[float], options: argparse.Namespace) -> Cell:
    given, covering = dict.fromkeys(NAMES, 0), dict.fromkeys(NAMES, 0)
    runs = simulated(system, n, options.seeds, options.seed, from_empty=options.from_empty)
    for arrived_s, takes_s in zip(*runs, strict=True):
        found = of_arrivals(arrived_s, takes_s, (takes_s, takes_s), list(NAMES), system.servers)
        for name, truth_s in zip(NAMES, truths_s, strict=True):
            interval = found[name]
            if isinstance(interval, Interval) and interval.high_s is not None:
                given[name] += 1
                covering[name] += interval.low_s <= truth_s <= interval.high_s
    return {name: (given[name], covering[name]) for name in NAMES}


def _print(systems: list[System], rows: Iterable[list[Cell]], seeds: int) -> None:
    print("\n| queue | busy | requests | ", " | ".join(NAMES), " |\n|---|---|---|", "---|" * len(NAMES), sep="")
    outside, totals = [], dict.fromkeys(NAMES, (0, 0))
    for system, row in zip(systems, rows, strict=True):
        for n, cell in zip(LENGTHS, row, strict=True):
            print(f"| {system.name} | {system.utilisation} | {n:,} | ", end="")
            print(" | ".join(_text(*counts, seeds) for counts in cell.values()), "|", flush=True)
            for name, (given, covering) in cell.items():
                totals[name] = (totals[name][0] + given, totals[name][1] + covering)
                if given >= GIVEN_MIN * seeds and abs(100 * covering / given - 95) > 3:
                    outside.append(f"{system.name} {system.utilisation} {n:,} {name}: {_text(given, covering, seeds)}")
    print("\nall: ", "; ".join(f"{name} {_text(*counts, seeds)}" for name, counts in totals.items()), sep="")
    print(f"outside 92 to 98 %: {len(outside)}", *outside, sep="\n  ")


def _text(given: int, covering: int, seeds: int) -> str:
    if given < GIVEN_MIN * seeds:
        return f"({covering} of {given})" if given else "-"
    return f"{100 * covering / given:.1f} of {given}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1, help="another one draws other runs")
    parser.add_argument("--cv", type=float, default=0.5, help="of the lognormal service of M/G/c")
    parser.add_argument("--from-empty", action="store_true", help="the queue begins empty, as a run's does")
    parser.add_argument("--processes", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
