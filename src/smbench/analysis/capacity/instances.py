"""Instances over time: how many served, were wanted and were paid, from readings and scaling activities.

A look gives two counts. `current` are those that are there, which on the way in includes some that take no more work;
`desired` is what was asked for. So the lesser of the two serves, and the greater is paid: from the decision until the
last has left. Looks are seconds apart. A change between two of them is put at the instant an activity gives for it, or
halfway: late by as much as early, so that an integral over many is right.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from smbench.analysis.rows.columns import only
from smbench.analysis.rows.frames import Frames
from smbench.records import Unknown

Instants = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Capacity:
    """Step functions on common knots: a count holds from its instant until the next, the last until `end_ns`."""

    at_ns: Instants  # ascending, distinct, the first at or before zero
    serving: Counts  # able to take work
    desired: Counts
    paid: Counts
    end_ns: int
    unsure_ns: tuple[tuple[int, int], ...]  # between these looks the number serving changed, and nobody told when

    def serving_at(self, instants_ns: Instants) -> Counts:
        """Instances serving at these instants; before the first knot as at it."""
        place = np.maximum(np.searchsorted(self.at_ns, instants_ns, side="right") - 1, 0)
        counts: Counts = self.serving[place]
        return counts

    def instance_s(self, counts: Counts, start_ns: int) -> float:
        """The integral of one of the step functions from an instant to the end, instance-seconds."""
        knots_ns = np.maximum(np.append(self.at_ns, self.end_ns), start_ns)
        return float(np.sum(counts * np.diff(knots_ns).clip(0))) / 1e9

    def changed_within(self, start_ns: int, end_ns: int) -> bool:
        """Whether the number serving changed after `start_ns` and before `end_ns`."""
        inside = (self.at_ns[1:] > start_ns) & (self.at_ns[1:] < end_ns)
        return bool(np.any(inside & (np.diff(self.serving) != 0)))


def capacity(frames: Frames) -> Capacity | Unknown:
    """What is known of a run's instances; unknown where no reading says how many there were."""
    current = _looks(frames, "instances_current")
    if not current.height:
        return Unknown("no reading says how many instances there were")
    desired = _looks(frames, "instances_desired")
    activities = _activities(frames)
    ends = activities.filter((pl.col("state") == "Successful") & pl.col("end_ns").is_not_null())
    at_ns, there, unsure_ns = _steps(current, ends.select("end_ns", "after").iter_rows())
    if desired.height:
        decided = [*activities.select("at_ns", "after").iter_rows(), *_changes(frames)]
        wanted_ns, wanted, _ = _steps(desired, decided)
    else:
        wanted_ns, wanted = at_ns, there
    knots_ns = np.union1d(at_ns, wanted_ns)
    there, wanted = _held(at_ns, there, knots_ns), _held(wanted_ns, wanted, knots_ns)
    return Capacity(
        at_ns=knots_ns,
        serving=np.minimum(there, wanted),
        desired=wanted,
        paid=np.maximum(there, wanted),
        end_ns=max(frames.end_ns, int(knots_ns[-1])),
        unsure_ns=unsure_ns,
    )


def concurrency(frames: Frames) -> int | Unknown:
    """How many requests an instance works on at once; unknown where SageMaker chooses, for AWS does not report it."""
    target = frames.manifest.scenario.get("target") or {}
    told = frames.manifest.target.get("concurrency")
    if told is None and not target.get("endpoint"):
        told = ((target.get("emulated") or {}).get("instances") or {}).get("concurrency")
    if not told:
        return Unknown("how many requests an instance takes at once is not set (MaxConcurrentInvocationsPerInstance)")
    return int(told)


def measured_from_ns(frames: Frames) -> int:
    """Where the figures over time begin: at the first phase that has requests and is no warm-up."""
    return min((span.start_ns for span in frames.spans if span.n and not span.warmup), default=0)


def _looks(frames: Frames, name: str) -> pl.DataFrame:
    is_it = (pl.col("source") == "endpoint") & (pl.col("name") == name) & pl.col("value").is_not_null()
    rows = only(frames.readings, is_it, "at_ns", "value")
    return rows.group_by("at_ns").agg(pl.col("value").cast(pl.Int64).max()).sort("at_ns")


def _activities(frames: Frames) -> pl.DataFrame:
    """Scaling activities that set a capacity, each as last seen, their instants on our clock."""
    is_it = (pl.col("kind") == "scaling_activity") & pl.col("after").is_not_null()
    told = frames.events.filter(is_it).sort("seen_ns", "state").unique("name", keep="last", maintain_order=True)
    return told.sort("at_ns", "name").select(
        "state", pl.col("after").cast(pl.Int64), frames.clocks.ours("at_ns"), frames.clocks.ours("end_ns")
    )


def _changes(frames: Frames) -> Iterable[tuple[int, int]]:
    """Changes of what is desired. A change that a look found has the instant of the look, and says no more than it."""
    is_it = (pl.col("kind") == "capacity") & pl.col("after").is_not_null() & (pl.col("at_ns") < pl.col("seen_ns"))
    return frames.events.filter(is_it).select("at_ns", pl.col("after").cast(pl.Int64)).iter_rows()


def _steps(
    looks: pl.DataFrame, told: Iterable[tuple[int, int]]
) -> tuple[Instants, Counts, tuple[tuple[int, int], ...]]:
    """The changes between looks, each at the instant reported for its count, else halfway; and the latter."""
    looks_ns, counts = looks["at_ns"].to_numpy(), looks["value"].to_numpy()
    instants: dict[int, list[int]] = {}
    for at_ns, count in told:
        instants.setdefault(count, []).append(at_ns)
    at, values, unsure = [min(0, int(looks_ns[0]))], [int(counts[0])], []
    for place in np.flatnonzero(np.diff(counts)) + 1:
        since_ns, until_ns, count = int(looks_ns[place - 1]), int(looks_ns[place]), int(counts[place])
        between = [at_ns for at_ns in instants.get(count, ()) if since_ns < at_ns <= until_ns]
        if not between:
            unsure.append((since_ns, until_ns))
        at.append(min(between, default=(since_ns + until_ns) // 2))
        values.append(count)
    return np.array(at, dtype=np.int64), np.array(values, dtype=np.int64), tuple(unsure)


def _held(at_ns: Instants, counts: Counts, knots_ns: Instants) -> Counts:
    place = np.maximum(np.searchsorted(at_ns, knots_ns, side="right") - 1, 0)
    held: Counts = counts[place]
    return held
