"""Runs of other tools, imported: what a client saw, with its poll period found and taken off.

A client that polls for results sees an end up to one period late, on average half of it. The period shows: latencies,
or the instants of ends where one loop polls for all, lie on a grid. It is found as the longest period at which their
phases agree (the mean resultant length of circular statistics; Mardia and Jupp 2000).
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from smbench.analysis.rows.frames import Frames, load
from smbench.calibration.runs import MeasuredRun, checked
from smbench.records import Outcome
from smbench.results.store import RunFiles

Values = npt.NDArray[np.float64]

_ENDS_MIN = 30
_ENDS_MAX = 1_000  # are looked at: more tell no more
_SHORTEST_S = 0.2
_SPREAD_OVER = 3  # a period is sought up to this part of the spread: a longer one could be chance
_AGREE = 0.9  # mean resultant length of phases on a grid; of others it is near zero
_STEPS = 8  # frequencies looked at for each that differs from its neighbours


@dataclass(frozen=True, slots=True)
class Poll:
    """A period at which a client asked for results, and how well the ends keep to it (0..1)."""

    period_s: float
    agreement: float


def foreign_run(files: RunFiles, instances: int) -> MeasuredRun:
    """An imported run as a fit reads it.

    Args:
        instances: How many served all the time, which no client knows.

    Raises:
        UsageError: nothing can be fitted from it.
    """
    frames = load(files)
    poll = poll_period(frames)
    late_ns = 0 if poll is None else round(poll.period_s * 1e9 / 2)
    is_over = pl.col("outcome").is_in([Outcome.COMPLETED.value, Outcome.FAILED.value])
    earlier = [
        pl.when(is_over)
        .then(pl.max_horizontal(pl.col("done_ns") - late_ns, "send_ns"))
        .otherwise("done_ns")
        .alias("done_ns"),
        pl.when(is_over).then((pl.col("age_ns") - late_ns).clip(0)).otherwise("age_ns").alias("age_ns"),
        # The client's word for an end is as good as it gets here.
        pl.when(is_over).then(pl.lit("notice")).otherwise("end_from").alias("end_from"),
    ]
    readings = pl.DataFrame(
        {
            "source": ["endpoint"] * 4,
            "name": ["instances_current", "instances_desired"] * 2,
            "stat": ["value"] * 4,
            "value": [float(instances)] * 4,
            "at_ns": [0, 0, frames.end_ns, frames.end_ns],
            "seen_ns": [0, 0, frames.end_ns, frames.end_ns],
            "detail": [""] * 4,
        }
    )
    known = replace(
        frames,
        manifest=frames.manifest.model_copy(update={"target": {"instances_desired": instances}}),
        requests=frames.requests.with_columns(earlier),
        readings=readings,
    )
    classes = files.requests.select("seq", "payload", "size_in_bytes").collect()
    run = checked(known, classes, files.path.name)
    return run if poll is None else replace(run, notes=(_in_words(poll, run.name),))


def _in_words(poll: Poll, name: str) -> str:
    return (
        f"the ends in {name} lie on a grid of {poll.period_s:.3g} s, as of a client that asks for results: half of it "
        "is taken off each latency, and what is left of it makes the service vary more"
    )


def poll_period(frames: Frames) -> Poll | None:
    """At which the client of an imported run asked for results; None: none shows."""
    ends = (
        frames.requests.filter(pl.col("outcome") == Outcome.COMPLETED.value).select("send_ns", "done_ns").drop_nulls()
    )
    if ends.height < _ENDS_MIN:
        return None
    step = -(-ends.height // _ENDS_MAX)
    sent_s, done_s = (ends[name].to_numpy()[::step] / 1e9 for name in ("send_ns", "done_ns"))
    found = [poll for poll in (grid_of(done_s - sent_s), _of_ends(sent_s, done_s)) if poll is not None]
    return max(found, key=lambda poll: poll.agreement, default=None)


def _of_ends(sent_s: Values, done_s: Values) -> Poll | None:
    """The grid of ends, unless the requests were sent on it: equal latencies then lie on it without any poll."""
    found = grid_of(done_s)
    if found is None or _agreement(sent_s, np.array([1 / found.period_s]))[0] >= _AGREE:
        return None
    return found


def grid_of(values_s: Values) -> Poll | None:
    """The longest period of a grid that values lie on, whatever its offset; None: they lie on none."""
    spread_s = float(np.ptp(values_s))
    if spread_s < _SPREAD_OVER * _SHORTEST_S:
        return None
    frequencies = np.arange(_SPREAD_OVER / spread_s, 1 / _SHORTEST_S, 1 / (_STEPS * spread_s))
    agreement = _agreement(values_s, frequencies)
    on_grid = np.flatnonzero(agreement >= _AGREE)
    if not len(on_grid):
        return None
    first = int(on_grid[0])
    while first + 1 < len(agreement) and agreement[first + 1] > agreement[first]:
        first += 1
    near = frequencies[first] + np.linspace(-1, 1, 101) / (_STEPS * spread_s)
    fine = _agreement(values_s, near)
    best = int(fine.argmax())
    return Poll(float(1 / near[best]), float(fine[best]))


def _agreement(values_s: Values, frequencies: Values) -> Values:
    """The mean resultant length at each frequency, in parts that fit into memory."""
    parts = [
        np.abs(np.exp(2j * np.pi * part[:, None] * values_s).mean(axis=1))
        for part in np.array_split(frequencies, max(1, len(frequencies) // 256))
    ]
    agreement: Values = np.concatenate(parts)
    return agreement
