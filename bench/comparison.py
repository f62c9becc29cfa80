"""How often `compare` finds a service that is 5 % slower, and how often it calls equal arms different.

Groups of five simulated runs each side, sixty times: Poisson 3/s for five minutes on four slots, exponential service of
one second, a utilisation of 0.75. The promise: of sixty, at least 55 slower arms found where runs share seeds, and at
most 5 equal ones called different.
"""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))

from comparing import simulated
from machine import host
from smbench.analysis.comparison.compare import comparison
from smbench.analysis.comparison.contrasts import Group, RunFigures

LOAD = [{"poisson": {"rate": 3.0, "for": 300}}]
FLEET = {"min": 4, "max": 4, "start": 4, "concurrency": 1}
RUNS = 5
METRIC = "sojourn_p95"
# What is compared, how much slower B is, and what B's runs share with A's.
ARMS = {
    "5 % slower, all seeds shared": (1.05, "all"),
    "5 % slower, arrivals shared": (1.05, "arrivals"),
    "5 % slower, nothing shared": (1.05, "nothing"),
    "equal, arrivals shared": (1.0, "arrivals"),
    "equal, nothing shared": (1.0, "nothing"),
}


def main() -> None:
    """Print the table to stdout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=60)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    print(f"{host()}; {options.times} times {RUNS} runs a side, {METRIC}\n")
    print("| B | compared | called different |\n|---|---|---|")
    with ProcessPoolExecutor(options.processes) as pool:
        for name, (slower, shares) in ARMS.items():
            found = list(pool.map(partial(_is_different, slower=slower, shares=shares), range(options.times)))
            ways = {"pair by pair" if is_paired else "by ranks" for _, is_paired in found}
            n_different = sum(is_different for is_different, _ in found)
            print(f"| {name} | {', '.join(sorted(ways))} | {n_different} of {options.times} |", flush=True)


def _is_different(trial: int, *, slower: float, shares: str) -> tuple[bool, bool]:
    """Whether the metric is called different, and whether runs were compared pair by pair."""
    seeds = range(1 + trial * RUNS, 1 + (trial + 1) * RUNS)
    other_seeds = seeds if shares != "nothing" else [100_000 + seed for seed in seeds]
    base = Group(label="A", runs=tuple(_run(seed, 1.0) for seed in seeds))
    own = {seed: {"service": 100_000 + seed} if shares == "arrivals" else {} for seed in other_seeds}
    other = Group(label="B", runs=tuple(_run(seed, slower, **own[seed]) for seed in other_seeds))
    row = comparison([base, other], baseline="A", named=(METRIC,)).contrasts[0].row(METRIC)
    return row is not None and row.is_different, row is not None and row.is_paired


def _run(seed: int, service_s: float, **seeds: int) -> RunFigures:
    service = {"exponential": {"mean": f"{service_s}s"}}
    return simulated(seed, load=LOAD, instances=FLEET, service=service, seeds=seeds)


if __name__ == "__main__":
    main()
