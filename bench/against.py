"""Two builds in turn: CPU a request of the whole life against the null target, as ratios, on a machine of any speed.

The base is a worktree of another commit with an environment of its own:

    git worktree add ../base COMMIT && python -m venv ../base/.venv && ../base/.venv/bin/pip install -e ../base
    python bench/against.py --base ../base

Both stay alive and make short trials alternately, so that what else the machine does meets both alike. A ratio is that
of two neighbouring trials; each figure is the median of its pairs. First the machine's ceiling is measured, as by
`smbench bench` but with trials of a second: absolute figures mean little without it.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import anyio

from machine import host
from smbench.ceiling.measurement import highest_kept_hz, measure_ceiling
from smbench.ceiling.search import Search

HERE = Path(__file__).resolve().parent
CEILING_TRIAL_S = 1.0
SATURATED_HZ = 30_000  # beyond what one worker can: it never waits


@dataclass(frozen=True, slots=True)
class Load:
    """What both builds are given in turn."""

    title: str
    rate_hz: float
    for_s: float


LOADS = (Load("saturated", SATURATED_HZ, 0.15), Load("1,000/s planned", 1000, 2.0), Load("4,000/s planned", 4000, 1.0))


class Build:
    """One build's process."""

    def __init__(self, name: str, process: "subprocess.Popen[str]") -> None:
        self.name, self.process = name, process

    def trial(self, load: Load) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{load.rate_hz} {load.for_s}\n")
        self.process.stdin.flush()
        trial: dict[str, Any] = json.loads(self.line())
        return trial

    def line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the process of {self.name} has ended")
        return line


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--base", type=Path, required=True, help="worktree of the other build, with .venv in it")
    options.add_argument("--pairs", type=int, default=15)
    options.add_argument("--load", choices=range(len(LOADS)), type=int, nargs="+", default=range(len(LOADS)))
    given = options.parse_args()
    if given.pairs < 2:
        options.error("--pairs: at least 2, for the middle half of the ratios")
    print(host())
    ceiling_hz = highest_kept_hz(
        anyio.run(lambda: measure_ceiling("wire", lambda _trial: None, search=Search(), trial_s=CEILING_TRIAL_S))
    )
    kept = "no rate was kept" if ceiling_hz is None else f"{ceiling_hz:,.0f}/s a worker"
    print(f"ceiling of this machine now, by this build: {kept}", flush=True)
    python = str(given.base.resolve() / ".venv" / "bin" / "python")
    with ExitStack() as stack:
        url = stack.enter_context(null_target())
        base = stack.enter_context(build("base", python, url))
        this = stack.enter_context(build("this", sys.executable, url))
        for load in (LOADS[place] for place in given.load):
            pairs = [_pair(base, this, load, is_swapped=bool(turn % 2)) for turn in range(given.pairs)]
            show(load, pairs, ceiling_hz)


def _pair(base: Build, this: Build, load: Load, *, is_swapped: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    if is_swapped:
        after = this.trial(load)
        return base.trial(load), after
    return base.trial(load), this.trial(load)


def show(load: Load, pairs: list[tuple[dict[str, Any], dict[str, Any]]], ceiling_hz: float | None) -> None:
    """Medians of both, and of the ratios with the middle half of them; rates as shares of the ceiling too."""
    ratios = [base["cpu_s"] / this["cpu_s"] for base, this in pairs]
    low, _, high = quantiles(ratios, n=4)
    quietest = min(base["cpu_s"] for base, _ in pairs) / min(this["cpu_s"] for _, this in pairs)
    print(
        f"{load.title}: {len(pairs)} pairs, base {median(ratios):.2f} times the CPU "
        f"(middle half {low:.2f} to {high:.2f}; {quietest:.2f} in each build's cheapest trial)"
    )
    for place, name in enumerate(("base", "this")):
        own = [pair[place] for pair in pairs]
        cpu_us = median(trial["cpu_s"] for trial in own) * 1e6
        lags = ", ".join(f"lag {p} {median(trial[f'lag_{p}_s'] for trial in own) * 1e3:.2f} ms" for p in ("p50", "p99"))
        not_completed = sum(trial["n_not_completed"] + trial["n_not_sent"] for trial in own)
        rate_hz = median(trial["achieved_hz"] for trial in own)
        rate = f"{rate_hz:,.0f}/s" + (f" ({rate_hz / ceiling_hz:.0%} of the ceiling)" if ceiling_hz else "")
        print(f"  {name}: {cpu_us:.1f} us a request, {rate}, {lags}, {not_completed} not completed", flush=True)


@contextmanager
def null_target() -> Iterator[str]:
    """The target that does nothing, of this build."""
    with _process([sys.executable, str(HERE / "nothing.py")]) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()


@contextmanager
def build(name: str, python: str, url: str) -> Iterator[Build]:
    """A build's process, ready for trials."""
    with _process([python, str(HERE / "trials_of.py"), url]) as process:
        one = Build(name, process)
        one.line()
        yield one


@contextmanager
def _process(command: list[str]) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
