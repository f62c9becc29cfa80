"""Whether CloudWatch reported the minutes of the load: or published nothing about them.

A minute without a datapoint leaves no row in the files, so silence is known only from what was due: of each minute in
which requests were in the system a datapoint of one metric, which CloudWatch publishes whenever there is work.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from smbench.analysis.rows.columns import only
from smbench.analysis.rows.frames import Frames

Instants = npt.NDArray[np.int64]

MINUTE_NS = 60_000_000_000
_LATEST_NS = 5 * MINUTE_NS  # AWS says that a datapoint comes within two to five minutes


@dataclass(frozen=True, slots=True)
class Minutes:
    """Minutes of the load that were over for so long that CloudWatch owed a datapoint, and those that it reported."""

    metric: str
    n_due: int
    n_reported: int

    @property
    def n_missing(self) -> int:
        """Those of which it said nothing."""
        return self.n_due - self.n_reported

    def __str__(self) -> str:
        if not self.n_reported:
            return f"CloudWatch reported no {self.metric} in any of {self.n_due:,} minutes with load"
        return f"CloudWatch reported no {self.metric} in {self.n_missing:,} of {self.n_due:,} minutes with load"


def minutes_of_load(frames: Frames) -> Minutes | None:
    """None where the run did not read CloudWatch, or where no minute of the load was due before the run was over."""
    sources = frames.readings["source"]
    if not ((sources == "cloudwatch") | (sources == "endpoint")).any():
        return None
    is_asynchronous = (frames.manifest.scenario.get("target") or {}).get("kind", "async") == "async"
    metric = "ApproximateBacklogSize" if is_asynchronous else "Invocations"
    due_ns = _with_backlog_ns(frames) if is_asynchronous else _with_calls_ns(frames)
    due_ns = due_ns[due_ns + MINUTE_NS + _LATEST_NS <= frames.end_ns]
    if not len(due_ns):
        return None
    is_it = (pl.col("source") == "cloudwatch") & (pl.col("name") == metric) & pl.col("value").is_not_null()
    reported = only(frames.readings, is_it, "at_ns").select(frames.clocks.ours("at_ns"))["at_ns"]
    came_ns = reported.unique().sort().to_numpy()
    # By the minute's middle: AWS's clock, and so its minutes, may be a little away from ours.
    middle_ns = due_ns + MINUTE_NS // 2
    n_before = np.searchsorted(came_ns, middle_ns, side="right")
    is_there = n_before > 0
    is_there[is_there] = middle_ns[is_there] - came_ns[n_before[is_there] - 1] < MINUTE_NS
    return Minutes(metric, len(due_ns), int(is_there.sum()))


def _begins_ns(frames: Frames) -> Instants:
    """Every minute of UTC from the first whole one of the run to its end."""
    return np.arange(-frames.epoch_ns % MINUTE_NS, frames.end_ns, MINUTE_NS, dtype=np.int64)


def _with_backlog_ns(frames: Frames) -> Instants:
    begins_ns = _begins_ns(frames)
    return begins_ns[frames.backlog.means(begins_ns, MINUTE_NS) > 0]


def _with_calls_ns(frames: Frames) -> Instants:
    """In which a call both began and ended: of another it is not known in which minute it counts."""
    calls = only(frames.requests, pl.col("accepted"), "send_ns", "done_ns").drop_nulls()
    first_ns = -frames.epoch_ns % MINUTE_NS
    began, ended = ((calls[name].to_numpy() - first_ns) // MINUTE_NS for name in ("send_ns", "done_ns"))
    places = np.unique(began[(began == ended) & (began >= 0)])
    minutes_ns: Instants = first_ns + places * MINUTE_NS
    return minutes_ns
