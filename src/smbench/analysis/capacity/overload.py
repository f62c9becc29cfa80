"""Phases with more work than all instances could do: from the files of a run.

A phase is looked at where it had the most instances it ever had, in the longest time on end: there the endpoint could
do no more, and what the backlog did is the load's doing. It is an overload when every slot was taken, and the backlog
grew by more than chance explains: by four standard deviations of the difference of two Poisson counts, and by a
fiftieth of what came.
"""

import math
from dataclasses import dataclass

import numpy as np

from smbench import units
from smbench.analysis.capacity.timeline import Timeline
from smbench.analysis.numbers.ordered import ascending
from smbench.analysis.rows.frames import Frames
from smbench.schedule.base import PhaseSpan

LENGTH_MIN_S = 300.0
ENDED_MIN = 30  # fewer do not say what the instances can do
FULL_SHARE = 0.95  # of the time, with every slot taken
GROWTH_SIGMAS, GROWTH_SHARE = 4.0, 0.02


@dataclass(frozen=True, slots=True)
class Overload:
    """More came than `instances` could do.

    Attributes:
        at_s: When it began, seconds of the run; it lasted `length_s`.
        came_hz, ended_hz: Requests a second that came, and that ended.
        backlog: In the system when it was over.
        enough_instances: The fewest that would do as many as came, each working as those did.
    """

    phase: str
    at_s: float
    length_s: float
    instances: int
    came_hz: float
    ended_hz: float
    backlog: int
    enough_instances: int

    @property
    def seen(self) -> str:
        """What happened, in a sentence."""
        growth = (self.came_hz - self.ended_hz) * 60
        return (
            f"in phase {self.phase} the backlog grew by {growth:.3g} a minute for {units.duration(self.length_s)}, to "
            f"{self.backlog:,}: {self.came_hz:.2f}/s came, and {_instances(self.instances)} did {self.ended_hz:.2f}/s"
        )

    @property
    def advice(self) -> str:
        """What would do, and what the latency of such a phase is worth."""
        return (
            f"{_instances(self.enough_instances)} would do; latency grows with the length of such a phase, so its "
            "percentiles depend on the length"
        )


def _instances(count: int) -> str:
    return units.counted(count, "instance")


def overloads(frames: Frames, course: Timeline, slots: int) -> tuple[Overload, ...]:
    """Of every phase that sends by the clock, in the order of the phases.

    Args:
        slots: Of an instance.
    """
    ended_ns = ascending(frames.requests["done_ns"].drop_nulls().to_numpy())
    found = (_overload(span, frames.end_ns, course, ended_ns, slots) for span in frames.spans)
    return tuple(one for one in found if one is not None)


def _overload(
    span: PhaseSpan,
    run_end_ns: int,
    course: Timeline,
    ended_ns: "np.ndarray[tuple[int], np.dtype[np.int64]]",
    slots: int,
) -> Overload | None:
    if span.outstanding is not None or span.end_ns is None or not span.n:
        return None
    inside = course.between(span.start_ns, min(span.end_ns, run_end_ns))
    most = int(inside.serving.max(initial=0))
    length_s, at_s = inside.longest(inside.serving == most)
    if not most or at_s is None or length_s < LENGTH_MIN_S:
        return None
    begin_ns, end_ns = round(at_s * 1e9), round((at_s + length_s) * 1e9)
    part = inside.between(begin_ns, end_ns)
    full_s = float(part.lengths_s[part.backlog >= most * slots].sum())
    n_ended = int(np.searchsorted(ended_ns, end_ns, side="right") - np.searchsorted(ended_ns, begin_ns, side="right"))
    grown = int(part.backlog[-1]) - int(part.backlog[0])
    n_came = n_ended + grown
    least = max(GROWTH_SIGMAS * math.sqrt(n_ended + n_came), GROWTH_SHARE * n_came) if n_came > 0 else math.inf
    if full_s < FULL_SHARE * length_s or n_ended < ENDED_MIN or grown <= least:
        return None
    came_hz, ended_hz = n_came / length_s, n_ended / length_s
    enough = max(most + 1, math.floor(came_hz / (ended_hz / most)) + 1)
    return Overload(span.name, at_s, length_s, most, came_hz, ended_hz, int(part.backlog[-1]), enough)
