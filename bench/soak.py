"""A run at a steady rate for as long as wanted: what its processes hold, from its first minute to its last.

    python bench/soak.py                    # 1,000/s for ten minutes; --seconds 3600 for an hour
    python bench/soak.py --plot soak.png    # or .svg

Memory, descriptors, tasks and threads of parent, worker and emulated endpoint, once a second, and the part files of the
run. The last line has the slopes after the first fifth of the run: what an hour of it would add.
"""

import argparse
import sys
import tempfile
import threading
import time
from pathlib import Path

import altair as alt
import numpy as np
import polars as pl

from held import observe, observed_start
from machine import host
from smbench.generator.plan import make_plan
from smbench.lifecycle.carry_out import Settings, carry_out
from smbench.lifecycle.origin import Origin
from smbench.processes.interrupts import Interrupts
from smbench.results.store import open_run
from smbench.scenario.model import Scenario
from smbench.view.live.plain_lines import PlainView
from smbench.view.live.state import LiveState

COLUMNS = ("second", "bytes", "descriptors", "tasks", "threads")
WARM_UP = 0.2  # of the run: caches fill, connections open
BARS = " ▁▂▃▄▅▆▇█"


def scenario(rate_hz: int, seconds: int) -> Scenario:
    return Scenario.model_validate(
        {
            "name": "soak",
            "target": {
                "emulated": {
                    "instances": {"min": 20, "max": 20, "concurrency": 20},
                    "service": "100ms",
                    "time": "real",
                    "results_kept": "1m",
                }
            },
            "load": [{"constant": {"rate": f"{rate_hz}/s", "for": f"{seconds}s"}}],
            "drain": "60s",
        }
    )


def count_parts(results: Path, file: Path, over: threading.Event) -> None:
    with file.open("w", buffering=1) as lines:
        while not over.wait(1.0):
            n_parts = len(list(results.glob("*/parts/*.parquet")))
            lines.write(f"{time.monotonic():.1f} {n_parts}\n")


class Noting(PlainView):
    """Plain lines; notes when the run began, on the machine's monotonic clock."""

    began_s = 0.0

    def show(self, state: LiveState) -> None:
        if not self.began_s and state.now is not None:
            self.began_s = time.monotonic() - state.elapsed_s
        super().show(state)


def held(folder: Path, began_s: float) -> pl.DataFrame:
    """A row a process, second of the run and kind of thing."""
    frames = []
    for file in sorted(folder.glob("*.txt")):
        names = ("second", "part files") if file.stem == "run" else COLUMNS
        # The last line of a process that was ended may not be whole.
        rows = [values for line in file.read_text().splitlines() if len(values := line.split()) == len(names)]
        frame = pl.DataFrame(rows, schema=list(names), orient="row").cast(pl.Float64)
        frame = frame.with_columns(pl.col("second") - began_s)
        frames.append(frame.unpivot(index="second", variable_name="what").with_columns(process=pl.lit(file.stem)))
    return pl.concat(frames)


def slope_an_hour(seconds: np.ndarray, values: np.ndarray) -> float:
    """Theil and Sen's: the median of the slopes between points half the run apart; a burst does not move it."""
    half = len(seconds) // 2
    rises = (values[half:] - values[: len(values) - half]) / (seconds[half:] - seconds[: len(seconds) - half])
    return float(np.median(rises)) * 3600


def line(values: np.ndarray, width: int = 40) -> str:
    means = [float(part.mean()) for part in np.array_split(values, min(width, len(values)))]
    low, high = min(means), max(means)
    return "".join(BARS[1 + round((mean - low) / ((high - low) or 1) * 7)] for mean in means)


def report(found: pl.DataFrame, seconds: int) -> str:
    print(f"{'':24}{'first':>12}{'last':>12}{'an hour adds':>15}")
    said = []
    for (process, what), rows in found.group_by("process", "what", maintain_order=True):
        kept = rows.filter(pl.col("second").is_between(WARM_UP * seconds, seconds))
        at, values = kept["second"].to_numpy(), kept["value"].to_numpy()
        if len(values) < 4:
            continue
        unit = 1e6 if what == "bytes" else 1
        name = "MB" if what == "bytes" else str(what)
        adds = slope_an_hour(at, values) / unit
        ends = f"{values[0] / unit:>12,.1f}{values[-1] / unit:>12,.1f}"
        print(f"{process:<12}{name:<12}{ends}{adds:>15,.1f}  {line(values)}")
        said.append(f"{process} {name} {adds:+,.1f}")
    return f"an hour adds: {', '.join(said)}"


def plot(found: pl.DataFrame, file: Path) -> None:
    shown = found.with_columns(value=pl.when(pl.col("what") == "bytes").then(pl.col("value") / 1e6).otherwise("value"))
    shown = shown.with_columns(what=pl.col("what").replace("bytes", "memory, MB"))
    alt.data_transformers.disable_max_rows()
    chart = (
        alt.Chart(shown)
        .mark_line(strokeWidth=1)
        .encode(x="second:Q", y=alt.Y("value:Q", title=None), color="process:N")
    )
    chart.properties(width=600, height=90).facet(row="what:N").resolve_scale(y="independent").save(file)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=int, default=600)
    options.add_argument("--rate", type=int, default=1000, metavar="HZ")
    options.add_argument("--plot", type=Path, help="write a picture, PNG or SVG")
    given = options.parse_args()
    print(host(), flush=True)
    with tempfile.TemporaryDirectory(prefix="smbench-bench-") as place:
        folder, results, over = Path(place) / "held", Path(place) / "results", threading.Event()
        folder.mkdir()
        observe(folder / "parent.txt")
        threading.Thread(target=count_parts, args=(results, folder / "run.txt", over), daemon=True).start()
        plan = make_plan(scenario(given.rate, given.seconds), Path.cwd())
        settings, view = Settings(results=results, start=observed_start(folder)), Noting(sys.stderr)
        done = carry_out(plan, Origin(Path.cwd()), settings, view, Interrupts())
        over.set()
        outcomes = open_run(done.path).requests.group_by("outcome").len().sort("len", descending=True).collect().rows()
        print(f"{given.rate:,}/s for {given.seconds:,} s: " + ", ".join(f"{outcome} {n:,}" for outcome, n in outcomes))
        found = held(folder, view.began_s)
    if given.plot is not None:
        plot(found, given.plot)
    print(report(found, given.seconds))


if __name__ == "__main__":
    main()
