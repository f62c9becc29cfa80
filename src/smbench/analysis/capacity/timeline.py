"""Requests in the system beside the instances: on one time axis."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from smbench.analysis.capacity.instances import Capacity
from smbench.analysis.rows.backlog import Backlog, backlog
from smbench.analysis.rows.columns import only
from smbench.analysis.rows.frames import Frames
from smbench.records import Outcome

Instants = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """Step functions: entry `i` holds from `knots_ns[i]` to `knots_ns[i + 1]`; there is one knot more than entries."""

    knots_ns: Instants
    backlog: Counts
    serving: Counts
    desired: Counts

    @property
    def lengths_s(self) -> npt.NDArray[np.float64]:
        """Seconds from each knot to the next, one fewer than there are knots."""
        lengths: npt.NDArray[np.float64] = np.diff(self.knots_ns) / 1e9
        return lengths

    def since(self, start_ns: int) -> "Timeline":
        """The part from an instant on."""
        place = max(0, int(np.searchsorted(self.knots_ns, start_ns, side="right")) - 1)
        knots_ns = np.maximum(self.knots_ns[place:], start_ns)
        return Timeline(knots_ns, self.backlog[place:], self.serving[place:], self.desired[place:])

    def between(self, start_ns: int, end_ns: int) -> "Timeline":
        """The part between two instants; without an entry where there is none."""
        after = self.since(start_ns)
        n = int(np.searchsorted(after.knots_ns, end_ns, side="left"))
        knots_ns = np.append(after.knots_ns[:n], min(end_ns, int(after.knots_ns[-1])))
        if n == len(after.knots_ns):
            knots_ns = after.knots_ns
        n = len(knots_ns) - 1
        return Timeline(knots_ns, after.backlog[:n], after.serving[:n], after.desired[:n])

    def spells_ns(self, holds: Mask) -> tuple[Instants, Instants]:
        """When each time on end began in which it held, entry by entry, and when it was over."""
        edges = np.diff(holds.astype(np.int8), prepend=0, append=0)
        return self.knots_ns[edges == 1], self.knots_ns[edges == -1]

    def longest(self, holds: Mask) -> tuple[float, float | None]:
        """The longest of these times, seconds, and when it began; of several the first."""
        began_ns, over_ns = self.spells_ns(holds)
        if not len(began_ns):
            return 0.0, None
        place = int((over_ns - began_ns).argmax())
        return int(over_ns[place] - began_ns[place]) / 1e9, int(began_ns[place]) / 1e9


def timeline(frames: Frames, capacity: Capacity) -> Timeline:
    """From the begin of the run, or the first that is known, to its end."""
    curve = in_system(frames)
    end_ns = max(curve.end_ns, capacity.end_ns)
    # Sorted by hand: two sorted runs merge fast, and numpy's `unique` of so many integers takes seconds.
    knots_ns = np.sort(np.concatenate([curve.at_ns, capacity.at_ns, [0, end_ns]]), kind="stable")
    knots_ns = knots_ns[np.concatenate([[True], np.diff(knots_ns) > 0])]
    begins_ns = knots_ns[:-1]
    place = np.searchsorted(curve.at_ns, begins_ns, side="right")
    held = np.maximum(np.searchsorted(capacity.at_ns, begins_ns, side="right") - 1, 0)
    waiting = np.concatenate([np.zeros(1, dtype=np.int64), curve.backlog])[place]
    return Timeline(knots_ns, waiting, capacity.serving[held], capacity.desired[held])


def in_system(frames: Frames) -> Backlog:
    """The backlog without those whose end was never reported: taken up before one that completed, they are over by now.

    Otherwise one lost notice would leave a request waiting for ever at an endpoint that rightly sleeps.
    """
    arrived_ns = pl.coalesce("recv_ns", "send_ns")
    is_completed, is_untold = pl.col("outcome") == Outcome.COMPLETED.value, pl.col("done_ns").is_null()
    if not frames.requests.select((pl.col("accepted") & is_untold).any()).item():
        return frames.backlog
    latest_ns = frames.requests.select(arrived_ns.filter(is_completed).max()).item()
    is_later = arrived_ns > latest_ns if latest_ns is not None else pl.lit(True)
    is_over = is_untold & ~((pl.col("outcome") != Outcome.LOST.value) & is_later)
    return backlog(only(frames.requests, ~is_over, "accepted", "send_ns", "recv_ns", "done_ns"), frames.end_ns)
