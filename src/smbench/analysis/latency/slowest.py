"""The slowest requests, each with what delayed it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ConfigDict

from smbench.analysis.capacity.instances import Capacity
from smbench.analysis.capacity.scaling import FAILED, ScalingStep
from smbench.analysis.rows.columns import only, without_nulls
from smbench.analysis.rows.frames import Frames
from smbench.records import Unknown

Ints = npt.NDArray[np.int64]

N_SHOWN = 10


class Slow(BaseModel):
    """One of the slowest. `age_s` is from due to its end, or, where it has none, to the end of the run."""

    model_config = ConfigDict(frozen=True)

    seq: int
    phase: str
    outcome: str
    sched_s: float
    age_s: float
    ahead: int  # in the system when it was received
    instances: int | None  # serving then
    served_after_s: float | None  # until an instance served, where none did; None: one did, or none ever
    event: str  # the first change of capacity while it was in the system, one that failed after all others; empty: none


def slowest(frames: Frames, capacity: Capacity | Unknown, steps: Sequence[ScalingStep]) -> tuple[Slow, ...]:
    """The ten of the greatest age, those due first where ages are equal."""
    arrived = pl.coalesce("recv_ns", "send_ns").alias("arrived_ns")
    measured = frames.measured
    is_candidate = measured["accepted"] | measured["is_unsettled"]
    longest_ns = measured["age_ns"].filter(is_candidate).top_k(N_SHOWN)
    if not len(longest_ns):
        return ()
    chosen = (
        measured.filter(is_candidate & (measured["age_ns"] >= longest_ns.min()))
        .with_columns(arrived)
        .sort(["age_ns", "sched_ns", "seq"], descending=[True, False, False])
        .head(N_SHOWN)
    )
    accepted = only(frames.requests, frames.requests["accepted"], arrived, "seq", "done_ns")
    arrived_ns, seq = accepted["arrived_ns"].to_numpy(), accepted["seq"].to_numpy()
    ended_ns = without_nulls(accepted["done_ns"]).to_numpy()
    return tuple(
        _explained(row, _n_before(row, arrived_ns, seq), ended_ns, capacity, steps) for row in chosen.to_dicts()
    )


def _n_before(row: dict[str, Any], arrived_ns: Ints, seq: Ints) -> int:
    is_tied = (arrived_ns == row["arrived_ns"]) & (seq < row["seq"])
    return int(((arrived_ns < row["arrived_ns"]) | is_tied).sum())


def _explained(
    row: dict[str, Any],
    n_before: int,
    ended_ns: Ints,
    capacity: Capacity | Unknown,
    steps: Sequence[ScalingStep],
) -> Slow:
    arrived_ns = row["arrived_ns"]
    instances = served_after_s = None
    if not isinstance(capacity, Unknown):
        instances = int(capacity.serving_at(np.array([arrived_ns]))[0])
        later_ns = capacity.at_ns[(capacity.at_ns > arrived_ns) & (capacity.serving > 0)]
        if not instances and len(later_ns):
            served_after_s = int(later_ns[0] - arrived_ns) / 1e9
    return Slow(
        seq=row["seq"],
        phase=row["phase"],
        outcome=row["outcome"],
        sched_s=row["sched_ns"] / 1e9,
        age_s=row["age_ns"] / 1e9,
        ahead=max(0, n_before - int((ended_ns <= arrived_ns).sum())),
        instances=instances,
        served_after_s=served_after_s,
        event=_event(arrived_ns / 1e9, (row["sched_ns"] + row["age_ns"]) / 1e9, steps),
    )


def _event(arrived_s: float, over_s: float, steps: Sequence[ScalingStep]) -> str:
    for step in (one for one in steps if one.state != FAILED):
        served_s = step.in_service_at_s
        if step.decided_at_s < over_s and (served_s is None or served_s > arrived_s):
            before = "?" if step.before is None else str(step.before)
            when = "under way" if step.decided_at_s <= arrived_s else "yet to be decided"
            return f"{before} -> {step.after} instances {when}"
    failed = next((one for one in steps if one.state == FAILED and arrived_s <= one.decided_at_s < over_s), None)
    return "" if failed is None else f"{'?' if failed.before is None else failed.before} -> {failed.after} failed"
