"""What the auto-scaler did, and how long each stage took: breach, alarm, decision, capacity, first completion on it.

All of it is read from what AWS reported (scaling activities, alarm history, instance counts) and from our own rows;
a stage that was not reported is left empty, never guessed. Source: docs/methods.md#scaling-delays.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ConfigDict

from smbench.analysis.capacity.breaches import Breaches
from smbench.analysis.capacity.scaling_events import CAME, ScalingEvent, scaling_events
from smbench.analysis.rows.columns import only
from smbench.analysis.rows.frames import Frames

_CAUSE = re.compile(r"alarm (?P<alarm>\S+) in state (?P<state>[A-Z_]+) triggered policy (?P<policy>.+)")
FAILED = "Failed"  # the state of an activity that a quota refused, or whose instances did not come up
_STAMPED_BY_AWS = ("scaling_activity", "alarm", "instance")


def alarm_kind(name: str) -> str:
    """AlarmHigh or AlarmLow for target tracking's own alarms, whose names are long; else the name."""
    return next((kind for kind in ("AlarmHigh", "AlarmLow") if f"-{kind}-" in name), name)


class ScalingStep(BaseModel):
    """One change of capacity. Instants are seconds since the run began; None: not reported, or it never came."""

    model_config = ConfigDict(frozen=True)

    decided_at_s: float
    before: int | None
    after: int
    state: str  # of the activity when last seen; empty where only the count of instances was seen to change
    policy: str = ""
    breach_at_s: float | None = None  # begin of the first minute beyond the alarm's threshold
    alarm_at_s: float | None = None
    judged_until_s: float | None = None  # end of the newest minute that set the alarm off
    in_service_at_s: float | None = None
    first_completion_at_s: float | None = None  # the first after the capacity was in service
    cause: str = ""

    @property
    def is_out(self) -> bool:
        """Whether it raised the capacity; a first step without a known capacity before it counts as one."""
        return self.before is None or self.after > self.before

    @property
    def alarm_kind(self) -> str:
        """What to call the alarm that set it off: AlarmHigh, AlarmLow, or its own name; empty where none did."""
        return alarm_kind(self.alarm_name)

    @property
    def alarm_name(self) -> str:
        """The alarm that set it off; empty where none did."""
        match = _CAUSE.search(self.cause)
        return match["alarm"] if match else ""

    @property
    def detection_s(self) -> float | None:
        """From the breach to the decision."""
        return None if self.breach_at_s is None else self.decided_at_s - self.breach_at_s

    @property
    def provisioning_s(self) -> float | None:
        """From the decision to capacity that serves."""
        return None if self.in_service_at_s is None else self.in_service_at_s - self.decided_at_s


class Scaling(BaseModel):
    """The timeline of a run."""

    model_config = ConfigDict(frozen=True)

    steps: tuple[ScalingStep, ...]
    instances_at_start: int | None
    instances_max: int | None
    events: tuple[ScalingEvent, ...] = ()  # from all sources, each once, in order
    unread: str = ""  # why the containers' log streams, which name instances, could not be read


def scaling(frames: Frames) -> Scaling:
    """Read the timeline from a run's events and readings; AWS's stamps on our clock."""
    is_aws = pl.col("kind").is_in(_STAMPED_BY_AWS)
    ours = [pl.when(is_aws).then(frames.clocks.ours(name)).otherwise(name).alias(name) for name in ("at_ns", "end_ns")]
    frames = replace(frames, events=frames.events.with_columns(ours))
    current = _gauge(frames.readings, "instances_current")
    at_start = int(current["value"][0]) if current.height else None
    decisions = _decisions(frames.events, at_start)
    alarms = _alarms(frames)
    behind = [_alarm_of(decision, alarms) for decision in decisions]
    steps = _steps(frames, decisions, behind)
    known = [int(count) for count in current["value"].to_list()] + [
        step.after for step in steps if step.in_service_at_s is not None
    ]
    events = scaling_events(frames, decisions, behind)
    refused = frames.readings.filter((pl.col("source") == "logs") & pl.col("value").is_null())["detail"]
    return Scaling(
        steps=steps,
        instances_at_start=at_start,
        instances_max=max(known, default=None),
        events=events,
        unread=f"the log streams of its containers could not be read: {refused[0]}" if len(refused) else "",
    )


def _steps(
    frames: Frames, decisions: Sequence[dict[str, Any]], alarms_behind: Sequence[dict[str, Any] | None]
) -> tuple[ScalingStep, ...]:
    current = _gauge(frames.readings, "instances_current")
    completed_ns = frames.completed_ns.to_numpy()
    steps: list[ScalingStep] = []
    explained: set[tuple[str, int]] = set()
    breaches = Breaches(frames)
    for decision, alarm in zip(decisions, alarms_behind, strict=True):
        is_news = alarm is not None and (alarm["name"], alarm["at_ns"]) not in explained
        if alarm is not None:
            explained.add((alarm["name"], alarm["at_ns"]))
        breach_s, judged_until_s = (None, None) if alarm is None else breaches.judged_s(alarm)
        in_service_ns = _in_service_ns(decision, current)
        match = _CAUSE.search(decision["cause"])
        steps.append(
            ScalingStep(
                decided_at_s=decision["at_ns"] / 1e9,
                before=None if decision["before"] is None else int(decision["before"]),
                after=int(decision["after"]),
                state=decision["state"],
                policy="" if match is None else match["policy"],
                breach_at_s=breach_s if is_news else None,
                alarm_at_s=None if alarm is None else alarm["at_ns"] / 1e9,
                judged_until_s=judged_until_s,
                in_service_at_s=None if in_service_ns is None else in_service_ns / 1e9,
                first_completion_at_s=_first_from_s(completed_ns, in_service_ns),
                cause=decision["cause"],
            )
        )
    return tuple(steps)


def _alarm_of(decision: dict[str, Any], alarms: pl.DataFrame) -> dict[str, Any] | None:
    """The alarm behind a decision, the last time it went off before; None where none is known."""
    match = _CAUSE.search(decision["cause"])
    if match is None or match["state"] != "ALARM":
        return None
    rows = alarms.filter((pl.col("name") == match["alarm"]) & (pl.col("at_ns") <= decision["at_ns"])).to_dicts()
    return rows[-1] if rows else None


def _first_from_s(completed_ns: npt.NDArray[np.int64], since_ns: int | None) -> float | None:
    """The first completion at or after an instant; `completed_ns` ascends."""
    place = len(completed_ns) if since_ns is None else int(np.searchsorted(completed_ns, since_ns))
    return int(completed_ns[place]) / 1e9 if place < len(completed_ns) else None


def _decisions(events: pl.DataFrame, at_start: int | None) -> list[dict[str, Any]]:
    """Scaling activities that set a capacity, each as last seen; else the changes of desired capacity themselves.

    The capacity before each, where AWS does not report it, is what a look last found or the decision before left.
    """
    if events["after"].null_count() == events.height:
        return []
    told = events.filter((pl.col("kind") == "scaling_activity") & pl.col("after").is_not_null())
    activities = told.sort("seen_ns", maintain_order=True).unique("name", keep="last", maintain_order=True)
    if not activities.height:
        changes = events.filter((pl.col("kind") == "capacity") & pl.col("after").is_not_null())
        activities = changes.filter(pl.col("before").is_null() | (pl.col("before") != pl.col("after"))).with_columns(
            pl.lit("").alias("state"), pl.lit(None, dtype=pl.Int64).alias("end_ns")
        )
    decisions, before, since_ns = activities.sort("at_ns", "name").to_dicts(), at_start, 0
    for decision in decisions:
        if decision["before"] is None:
            is_between = (pl.col("at_ns") > since_ns) & (pl.col("at_ns") < decision["at_ns"])
            looked = events.filter((pl.col("kind") == "capacity") & is_between)["after"].drop_nulls()
            decision["before"] = looked[-1] if len(looked) else before
        since_ns = decision["at_ns"]
        before = decision["after"] if decision["state"] in CAME else decision["before"]
    return decisions


def _in_service_ns(decision: dict[str, Any], current: pl.DataFrame) -> int | None:
    """When the capacity was there: the activity's end, or the first look that showed it, whichever is known."""
    if decision["state"] not in CAME:
        return None
    if decision["state"] == "Successful" and decision["end_ns"] is not None:
        return int(decision["end_ns"])
    before, after = decision["before"], decision["after"]
    is_there = pl.col("value") <= after if before is not None and after < before else pl.col("value") >= after
    shown = current.filter((pl.col("at_ns") >= decision["at_ns"]) & is_there)["at_ns"]
    return int(shown[0]) if len(shown) else None


def _alarms(frames: Frames) -> pl.DataFrame:
    return frames.events.filter((pl.col("kind") == "alarm") & pl.col("state").str.ends_with("ALARM")).sort("at_ns")


def _gauge(readings: pl.DataFrame, name: str) -> pl.DataFrame:
    is_it = (pl.col("source") == "endpoint") & (pl.col("name") == name) & pl.col("value").is_not_null()
    return only(readings, is_it, "at_ns", "value").sort("at_ns")


def delays(steps: Sequence[ScalingStep]) -> tuple[list[float], list[float]]:
    """Detection and provisioning delays of the scale-outs, those that are known."""
    out = [step for step in steps if step.is_out]
    detection = [step.detection_s for step in out if step.detection_s is not None]
    return detection, [step.provisioning_s for step in out if step.provisioning_s is not None]
