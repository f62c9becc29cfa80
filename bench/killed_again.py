"""One large run with much trouble on its way, killed again and again, each time continued; then every row is judged.

    python bench/killed_again.py --requests 1000000 --kills 20 --rate 2000

The endpoint is an `smbench emulate` in a process of its own, which outlives the run and keeps the truth. It loses 1 %
of the notices, sends 5 % twice and 5 % late, throttles 10 % of the invocations, answers 1 % with a server error, resets
1 %, and takes 1 % whose answer is lost. The run's processes get SIGKILL together: as soon as a random request has left,
and every fourth time at a random instant after the start of a resume, whatever it does then. After each kill comes
`smbench resume --continue`. The last lines say what was wrong, and what memory was held.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from kills import emulated, start
from machine import host
from smbench.results.law import Counts, row_violations
from smbench.results.marks import MARK
from smbench.results.store import open_run

SCENARIO = """\
name: killed-again
target:
  emulated:
    instances: {{min: 8, max: 8, concurrency: 64}}
    service: {{exponential: {{mean: 50ms}}}}
    time: real
    faults:
      notices_lost: 0.01
      notices_duplicated: 0.05
      notices_late: {{share: 0.05, delay: {{exponential: {{mean: 2s}}}}}}
      throttled: 0.10
      server_errors: 0.01
      resets: 0.01
      lost_replies: 0.01
load:
  - poisson: {{rate: {rate}/s, for: {seconds}s}}
limits: {{in_flight: 4000}}
drain: 60s
gauges_every: 5s
"""
NOTHING_LEFT = "nothing is left to resume"
LAST_RESUMES_MAX = 5
NO_ANSWER = ("transport_error", "unknown")
MADE = ("completed", "failed", "expired")  # what the endpoint says of a request that had its end


@dataclass
class Held:
    """Memory by process group, sampled; bytes.

    Attributes:
        peaks: By name, the highest sum over the group's processes of what is resident.
        most: The highest sum over all groups.
        most_own: The same without pages of files: those of libraries are there once for all processes.
    """

    groups: dict[str, int] = field(default_factory=dict)
    peaks: dict[str, int] = field(default_factory=dict)
    most: int = 0
    most_own: int = 0

    def sample(self) -> None:
        by_group: dict[int, int] = {}
        own = 0
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                with suppress(OSError, ValueError, IndexError, KeyError):
                    group = int((folder / "stat").read_text().rpartition(") ")[2].split()[2])
                    if group in self.groups.values():
                        facts = dict(
                            line.split(":", 1) for line in (folder / "smaps_rollup").read_text().splitlines()[1:]
                        )
                        by_group[group] = by_group.get(group, 0) + 1024 * int(facts["Rss"].split()[0])
                        own += 1024 * int(facts["Anonymous"].split()[0])
        now = {name: by_group.get(group, 0) for name, group in self.groups.items()}
        self.peaks = {name: max(n_bytes, self.peaks.get(name, 0)) for name, n_bytes in now.items()}
        self.most, self.most_own = max(self.most, sum(now.values())), max(self.most_own, own)

    def watch(self, until: threading.Event) -> None:
        while not until.wait(0.5):
            self.sample()


def n_left(path: Path) -> int:
    """Requests that have left, by the worker's mark: its first number is the last row handed over."""
    with suppress(OSError):
        return int.from_bytes((path / "parts" / f"{MARK}0").read_bytes()[:8], sys.byteorder, signed=True) + 1
    return 0


def has_ended(process: "subprocess.Popen[str]", when: Callable[[], bool]) -> bool:
    """Wait for the instant of the kill; whether the process ended before."""
    while process.poll() is None:
        if when():
            return False
        time.sleep(0.01)
    return True


def lived(folder: Path, url: str, options: argparse.Namespace, held: Held) -> Path:
    """The run, its kills and its resumes; the run's folder."""
    chance = np.random.default_rng(options.seed)
    where = ("--endpoint", "smbench-emulated", "--endpoint-url", url)
    process = start(folder, "run", "scenario.yaml", *where, "--results", folder / "results", "--ui", "none")
    held.groups["run"] = process.pid
    if has_ended(process, lambda: any((folder / "results").glob(f"*/parts/{MARK}0"))):
        raise RuntimeError(f"the run did not begin: {process.communicate()[1]}")
    path = next((folder / "results").iterdir())
    for number, row in enumerate(np.sort(chance.integers(1, round(options.requests * 0.97), options.kills)), 1):
        is_any_instant, instant_s = number % 4 == 0, time.monotonic() + chance.uniform(0, 15)
        if has_ended(process, lambda: time.monotonic() > instant_s if is_any_instant else n_left(path) >= row):  # noqa: B023
            print(f"it ended before kill {number}: {process.communicate()[1]}", file=sys.stderr)
            break
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        print(f"kill {number}: {n_left(path):,} of {options.requests:,} had left", file=sys.stderr, flush=True)
        process = start(folder, "resume", path, "--continue", "--ui", "none")
        held.groups["run"] = process.pid
    process.communicate()
    for _ in range(LAST_RESUMES_MAX):
        process = start(folder, "resume", path, "--continue", "--ui", "plain")
        held.groups["run"] = process.pid
        if NOTHING_LEFT in process.communicate()[1]:
            break
    return path


def judged(path: Path, truth: pl.DataFrame) -> dict[str, Any]:
    """What the files say against what the endpoint saw."""
    run = open_run(path)
    rows = run.requests.collect()
    both = rows.join(truth, on="inference_id", how="left", suffix="_true")
    seen = both.filter(pl.col("arrived").is_not_null())
    is_findable = (pl.col("notice") == "sent") | ~pl.col("outcome").is_in(NO_ANSWER)  # else nothing told of it
    is_other = pl.col("outcome_true").is_in(MADE) & (pl.col("outcome") != pl.col("outcome_true"))
    missed = seen.filter(is_findable & is_other)
    return {
        "rows": rows.height,
        "outcomes": dict(rows.group_by("outcome").len().sort("outcome").iter_rows()),
        "seen by the endpoint": truth.height,
        "seen twice": truth.height - truth["inference_id"].n_unique(),
        "seen, but not_sent": seen.filter(pl.col("outcome") == "not_sent").height,
        "ends that nothing told of": seen.filter(~is_findable & is_other).height,
        "ends missed": missed.height,
        "of them": missed.group_by("outcome", "outcome_true", "fault", "notice").len().rows(),
        "against the law": [*Counts.of(rows).violations(), *row_violations(rows, run.manifest.n_scheduled)],
        "ending": run.manifest.ending.value,
    }


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--requests", type=int, default=100_000)
    asked.add_argument("--kills", type=int, default=10)
    asked.add_argument("--rate", type=int, default=1_000, help="requests a second")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--folder", type=Path, default=None, help="kept; default: a temporary one")
    options = asked.parse_args()
    print(host(), flush=True)
    began_s, held, is_over = time.monotonic(), Held(), threading.Event()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)).resolve()
        folder.mkdir(exist_ok=True)
        seconds = options.requests / options.rate
        (folder / "scenario.yaml").write_text(SCENARIO.format(rate=options.rate, seconds=seconds))
        watching = threading.Thread(target=held.watch, args=(is_over,))
        watching.start()
        try:
            with emulated(folder) as (url, process):
                held.groups["emulated region"] = process.pid
                path = lived(folder, url, options, held)
        finally:
            is_over.set()
            watching.join()
        for name, value in judged(path, pl.read_parquet(folder / "truth.parquet")).items():
            print(f"{name}: {value}")
    peaks = ", ".join(f"{name} {n_bytes / 1e6:,.0f} MB" for name, n_bytes in held.peaks.items())
    print(f"memory: {held.most / 1e6:,.0f} MB at most in all; {peaks}")
    print(f"memory without pages of files: {held.most_own / 1e6:,.0f} MB at most in all")
    print(f"{time.monotonic() - began_s:,.0f} s")


if __name__ == "__main__":
    main()
