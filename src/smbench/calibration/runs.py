"""The runs that a model is fitted from: of one endpoint, with completions, and with the instants that a fit needs."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from smbench.analysis.capacity.instances import Capacity, capacity
from smbench.analysis.rows.frames import Frames, load
from smbench.errors import UsageError
from smbench.records import Outcome, Unknown
from smbench.results.store import RunFiles

_OF_A_RUN = ("instances", "policies", "scheduled", "suspended", "initial", "time", "start_of_minute", "faults")


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredRun:
    """A run as a fit reads it."""

    name: str  # of its folder
    frames: Frames
    capacity: Capacity
    classes: pl.DataFrame  # `seq`, `payload`, `size_in_bytes` of every request
    notes: tuple[str, ...] = ()  # what was done to its rows

    @property
    def fingerprint(self) -> str:
        """The same for the same run and for no other, wherever its folder is.

        By when requests were sent and ended: in virtual time a run with the same seeds comes out the same, and so does
        its prediction. They are this run, made again.
        """
        sha = hashlib.sha256()
        for name in ("send_ns", "done_ns"):
            sha.update(self.frames.requests[name].cast(pl.Int64).fill_null(-1).to_numpy().tobytes())
        return sha.hexdigest()[:16]


def measured_run(files: RunFiles) -> MeasuredRun:
    """Read a run's folder.

    Raises:
        UsageError: nothing can be fitted from it, in a sentence that says why.
        ResultsError: its files are damaged.
    """
    return measured(load(files), files.requests.select("seq", "payload", "size_in_bytes").collect(), files.path.name)


def measured(frames: Frames, classes: pl.DataFrame, name: str) -> MeasuredRun:
    """The same from frames in memory; `name` is what messages call the run."""
    if frames.manifest.imported is not None:
        raise UsageError(
            f"{name} was imported and does not say how many instances served",
            "give --instances: how many there were all the time",
        )
    return checked(frames, classes, name)


def checked(frames: Frames, classes: pl.DataFrame, name: str) -> MeasuredRun:
    """A run whose rows and readings suffice, by whatever tool its requests were sent.

    Raises:
        UsageError: they do not.
    """
    kind = (frames.manifest.scenario.get("target") or {}).get("kind", "async")
    if kind != "async":
        raise UsageError(
            f"{name} measured a {kind} endpoint; only models of asynchronous endpoints can be fitted and checked",
            "describe it under target.emulated yourself, and `smbench simulate` or `smbench what-if` predicts with it",
        )
    completed = frames.requests.filter(pl.col("outcome") == Outcome.COMPLETED.value)
    if not completed.height:
        raise UsageError(f"{name} has no completed request: there is no service time in it")
    if completed["done_ns"].is_null().all():
        raise UsageError(f"{name} does not say when any of its requests ended")
    known = capacity(frames)
    if isinstance(known, Unknown):
        raise UsageError(
            f"{name} cannot be fitted: {known.reason}", "a run needs readings of the endpoint's instance counts"
        )
    return MeasuredRun(name, frames, known, classes)


def must_be_alike(runs: Sequence[MeasuredRun]) -> None:
    """Whether all runs are of one endpoint, and none is there twice.

    Raises:
        UsageError: they are not, or one is.
    """
    first = _identity(runs[0].frames)
    for place, other in enumerate(runs[1:], 1):
        if same := next((one for one in runs[:place] if one.fingerprint == other.fingerprint), None):
            raise UsageError(
                f"{same.name} and {other.name} are the same run: what is in it would count twice", "give each run once"
            )
        found = _identity(other.frames)
        if found == first:
            continue
        keys = [key for key in first | found if first.get(key) != found.get(key)]
        raise UsageError(
            f"{runs[0].name} and {other.name} are of different endpoints: {', '.join(sorted(keys))} differ",
            "fit each endpoint from its own runs",
        )


def _identity(frames: Frames) -> dict[str, Any]:
    """What makes an endpoint itself: its name and instance type; of an emulated one also what it is made of."""
    target = frames.manifest.scenario.get("target") or {}
    found = frames.manifest.target
    who = {"endpoint": target.get("endpoint") or found.get("endpoint") or "emulated"}
    who |= {key: found.get(key) for key in ("variant", "instance_type", "concurrency") if found.get(key) is not None}
    emulated = {} if target.get("endpoint") else target.get("emulated") or {}
    return who | {key: value for key, value in emulated.items() if key not in _OF_A_RUN}
