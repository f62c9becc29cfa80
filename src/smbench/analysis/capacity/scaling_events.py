"""The scaling of a run event by event, from all its sources: each cause once, who reported it, between when and when.

A stamp of AWS's is as exact as the two clocks agree; a look finds what came between the look before and itself; a
minute of a metric speaks of all of the minute. Witnesses of one event narrow it down together. Where they exclude each
other, the event spans them all and says so. Source: docs/methods.md#scaling-events.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import orjson
import polars as pl
from pydantic import BaseModel, ConfigDict

from smbench.analysis.rows.clocks import Agreement
from smbench.analysis.rows.columns import only
from smbench.analysis.rows.frames import Frames
from smbench.units import duration

_MINUTE_NS = 60_000_000_000
UNDER_WAY = ("Pending", "InProgress")
CAME = ("", *UNDER_WAY, "Successful")  # of other activities the capacity never came


class What(StrEnum):
    """What happened. The values are stored in reports."""

    ALARM = "alarm"  # an alarm went off
    DECIDED = "decided"  # another number of instances was asked for
    IN_SERVICE = "in service"  # that number is there
    FAILED = "failed"  # it never came
    NOT_SCALED = "not scaled"  # an alarm led to nothing
    LOG_BEGUN = "instance"  # a container began its log


class Witness(BaseModel):
    """One source's word on an event. Instants are seconds since the run began, on our clock."""

    model_config = ConfigDict(frozen=True)

    source: str  # scaling activity, alarm history, DescribeEndpoint, CPUUtilization, container log
    earliest_s: float | None  # None: no look before it, so any time before
    latest_s: float


class ScalingEvent(BaseModel):
    """One event, listed once: it happened between `earliest_s` and `latest_s`."""

    model_config = ConfigDict(frozen=True)

    what: What
    subject: str  # the alarm, `1 -> 3`, the instance
    earliest_s: float | None  # None: not known, before `latest_s`
    latest_s: float
    witnesses: tuple[Witness, ...]
    step: int | None = None  # the scaling step that it is part of, from 1
    note: str = ""  # as AWS worded it
    conflict: str = ""  # how the sources exclude each other; empty: they agree

    @property
    def middle_s(self) -> float:
        """Where to put it in an order."""
        return self.latest_s if self.earliest_s is None else (self.earliest_s + self.latest_s) / 2


def scaling_events(
    frames: Frames, decisions: Sequence[Mapping[str, Any]], alarms_behind: Sequence[Mapping[str, Any] | None]
) -> tuple[ScalingEvent, ...]:
    """All events in order.

    Args:
        frames: Their events already on our clock.
        decisions: Activities or changes that set a capacity, each as last reported, in order.
        alarms_behind: For each the alarm that set it off.
    """
    sources = _Sources(frames)
    events: list[ScalingEvent] = []
    explained: set[tuple[str, int]] = set()
    for number, (decision, alarm) in enumerate(zip(decisions, alarms_behind, strict=True), 1):
        if alarm is not None and (alarm["name"], alarm["at_ns"]) not in explained:
            explained.add((alarm["name"], alarm["at_ns"]))
            events.append(_event(What.ALARM, alarm["name"], [sources.stamp("alarm history", alarm["at_ns"])], number))
        following_ns = decisions[number]["at_ns"] if number < len(decisions) else None
        events += sources.of_decision(decision, number, following_ns)
    events += sources.unmatched_changes()
    events += sources.alone(explained)
    return tuple(sorted(events, key=lambda event: (event.middle_s, event.step or 0)))


class _Sources:
    """What each source says, in nanoseconds of our clock."""

    def __init__(self, frames: Frames) -> None:
        self._frames, self._events = frames, frames.events
        clocks = frames.clocks
        is_known = clocks.agreement not in (Agreement.UNKNOWN, Agreement.DISAGREE)
        self._doubt_ns = round(clocks.uncertainty_s * 1e9) if is_known else 0
        current = _readings(frames, "endpoint", "instances_current", "value")
        self._looks = list(zip(current["at_ns"].to_list(), current["value"].to_list(), strict=True))
        samples = _readings(frames, "cloudwatch", "CPUUtilization", "sample_count")
        minutes_ns = samples.select(frames.clocks.ours("at_ns"))["at_ns"].to_list()
        self._minutes = list(zip(minutes_ns, samples["value"].to_list(), strict=True))
        changes = self._events.filter(
            (pl.col("kind") == "capacity")
            & pl.col("after").is_not_null()
            & pl.col("before").is_not_null()
            & (pl.col("before") != pl.col("after"))
        )
        self._changes: list[dict[str, Any]] = changes.sort("at_ns").to_dicts()

    def stamp(self, source: str, at_ns: int) -> Witness:
        """An instant that AWS wrote, as exact as its clock is known."""
        return _witness(source, at_ns - self._doubt_ns, at_ns + self._doubt_ns)

    def of_decision(self, decision: Mapping[str, Any], number: int, following_ns: int | None) -> Iterable[ScalingEvent]:
        """The decision, and what became of it."""
        change = f"{_count(decision['before'])} -> {_count(decision['after'])}"
        is_activity = decision["kind"] == "scaling_activity"
        if is_activity:
            witnesses = [self.stamp("scaling activity", decision["at_ns"])]
            witnesses += self._asked_for(decision, following_ns)
        else:
            self._changes = [one for one in self._changes if one["at_ns"] != decision["at_ns"]]
            witnesses = [_looked(decision)]
        # The endpoint is asked after the decision: a look that finds it later excludes nothing.
        yield _event(What.DECIDED, change, witnesses, number, is_chain=True)
        if decision["state"] not in CAME:
            at_ns = decision["end_ns"] if decision["end_ns"] is not None else decision["at_ns"]
            came = self._found(decision, following_ns, is_last=True)
            conflict = "" if came is None else f"the activity {decision['state']}, yet DescribeEndpoint showed {change}"
            yield _event(
                What.FAILED, change, [self.stamp("scaling activity", at_ns)], number, note=status_message(decision)
            ).model_copy(update={"conflict": conflict})
        elif served := self._served(decision, following_ns):
            yield self._in_service(decision, served, change, number, following_ns)

    def _asked_for(self, decision: Mapping[str, Any], following_ns: int | None) -> list[Witness]:
        """The change of what is desired that this decision made, found by a look; the nearest of those to its count."""
        alike = [one for one in self._changes if one["after"] == decision["after"]]
        if following_ns is not None:
            alike = [one for one in alike if (one["not_before_ns"] or 0) <= following_ns]
        if not alike:
            return []
        nearest = min(alike, key=lambda one: abs(one["at_ns"] - decision["at_ns"]))
        self._changes.remove(nearest)
        return [_looked(nearest)]

    def _served(self, decision: Mapping[str, Any], following_ns: int | None) -> list[Witness]:
        found = []
        if decision["state"] == "Successful" and decision["end_ns"] is not None:
            found.append(self.stamp("scaling activity", decision["end_ns"]))
        if (look := self._found(decision, following_ns)) is not None:
            found.append(look)
        if (minute := self._reported(decision, following_ns)) is not None:
            found.append(minute)
        return found

    def _in_service(
        self, decision: Mapping[str, Any], served: list[Witness], change: str, number: int, following_ns: int | None
    ) -> ScalingEvent:
        event = _event(What.IN_SERVICE, change, served, number)
        end_ns, sources = decision["end_ns"], {one.source for one in served}
        if event.conflict or decision["state"] != "Successful" or "DescribeEndpoint" in sources:
            return event
        after = [n for at_ns, n in self._looks if at_ns > end_ns and (following_ns is None or at_ns < following_ns)]
        if not after:
            return event
        seen = f"the activity ended Successful, yet DescribeEndpoint showed {_count(after[-1])} until the next"
        return event.model_copy(update={"conflict": seen})

    def _found(self, decision: Mapping[str, Any], following_ns: int | None, *, is_last: bool = False) -> Witness | None:
        """Between which two looks the count came to what was decided; `is_last`: and was still there at the last."""
        before_ns: int | None = None
        found: Witness | None = None
        for at_ns, count in self._looks:
            if following_ns is not None and at_ns > following_ns:
                break
            if at_ns < decision["at_ns"] - self._doubt_ns or not _is_there(decision, count):
                before_ns = at_ns
                found = None if is_last else found
                continue
            if found is None:
                found = _witness("DescribeEndpoint", before_ns, at_ns)
                if not is_last:
                    break
        return found

    def _reported(self, decision: Mapping[str, Any], following_ns: int | None) -> Witness | None:
        """Each instance reports once a minute, at a second of its own: the count came in this minute or the last."""
        since_ns = decision["at_ns"] - self._doubt_ns
        before_ns: int | None = None
        for at_ns, count in self._minutes:
            if following_ns is not None and at_ns >= following_ns:
                break
            if at_ns >= since_ns and _is_there(decision, count):
                earliest_ns = since_ns if before_ns is None else max(since_ns, before_ns - self._doubt_ns)
                return _witness("CPUUtilization", earliest_ns, at_ns + _MINUTE_NS + self._doubt_ns)
            before_ns = at_ns
        return None

    def unmatched_changes(self) -> Iterable[ScalingEvent]:
        """Capacity that was asked for otherwise; call it last."""
        for one in self._changes:
            change = f"{_count(one['before'])} -> {_count(one['after'])}"
            yield _event(What.DECIDED, change, [_looked(one)], note="no scaling activity reports it")

    def alone(self, explained: set[tuple[str, int]]) -> Iterable[ScalingEvent]:
        """Alarms without a decision, activities that changed nothing, and instances by their logs."""
        for one in self._events.filter(pl.col("kind").is_in(["alarm", "scaling_activity", "instance"])).to_dicts():
            name, at_ns = one["name"], one["at_ns"]
            if one["kind"] == "instance":
                yield _event(What.LOG_BEGUN, name, [self.stamp("container log", at_ns)])
            elif one["kind"] == "alarm" and one["state"].endswith("> ALARM") and (name, at_ns) not in explained:
                explained.add((name, at_ns))
                yield _event(What.ALARM, name, [self.stamp("alarm history", at_ns)], note="no change of capacity came")
            elif one["kind"] == "scaling_activity" and one["after"] is None and (name, at_ns) not in explained:
                explained.add((name, at_ns))
                if note := _not_scaled(one):
                    yield _event(What.NOT_SCALED, "", [self.stamp("scaling activity", at_ns)], note=note)


def _event(
    what: What,
    subject: str,
    witnesses: Sequence[Witness],
    step: int | None = None,
    *,
    note: str = "",
    is_chain: bool = False,
) -> ScalingEvent:
    """`is_chain`: the first witness dates it, and the others can only come after it."""
    earliest = [one.earliest_s for one in witnesses if one.earliest_s is not None]
    low, high = max(earliest, default=None), min(one.latest_s for one in witnesses)
    conflict = ""
    first = witnesses[0]
    if is_chain and len(witnesses) > 1 and witnesses[1].latest_s >= (first.earliest_s or 0.0):
        low, high = first.earliest_s, first.latest_s
    elif low is not None and low > high:
        late = max((one for one in witnesses if one.earliest_s is not None), key=lambda one: one.earliest_s or 0.0)
        soon = min(witnesses, key=lambda one: one.latest_s)
        conflict = f"{late.source} says {duration(low - high)} later than {soon.source}"
        low = None if len(earliest) < len(witnesses) else min(earliest)
        high = max(one.latest_s for one in witnesses)
    return ScalingEvent(
        what=what,
        subject=subject,
        earliest_s=low,
        latest_s=high,
        witnesses=tuple(witnesses),
        step=step,
        note=note,
        conflict=conflict,
    )


def _looked(change: Mapping[str, Any]) -> Witness:
    return _witness("DescribeEndpoint", change["not_before_ns"], change["at_ns"])


def _witness(source: str, earliest_ns: int | None, latest_ns: int) -> Witness:
    return Witness(
        source=source, earliest_s=None if earliest_ns is None else earliest_ns / 1e9, latest_s=latest_ns / 1e9
    )


def _is_there(decision: Mapping[str, Any], count: float) -> bool:
    before, after = decision["before"], decision["after"]
    return bool(count <= after if before is not None and after < before else count >= after)


def _readings(frames: Frames, source: str, name: str, stat: str) -> pl.DataFrame:
    is_it = (pl.col("source") == source) & (pl.col("name") == name) & (pl.col("stat") == stat)
    return only(frames.readings, is_it & pl.col("value").is_not_null(), "at_ns", "value").sort("at_ns")


def _count(n: float | None) -> str:
    return "?" if n is None else f"{n:g}"


def _detail(event: Mapping[str, Any], member: str) -> Any:
    try:
        return orjson.loads(event["detail"] or "{}").get(member) or ""
    except (orjson.JSONDecodeError, AttributeError):
        return ""


def status_message(activity: Mapping[str, Any]) -> str:
    """What Application Auto Scaling says of an activity's state; empty where it says nothing."""
    return str(_detail(activity, "StatusMessage"))


def _not_scaled(activity: Mapping[str, Any]) -> str:
    """Why, as AWS names it; empty where the activity set limits and no capacity."""
    given = _detail(activity, "NotScaledReasons")
    codes = [str(one.get("Code") or one.get("code") or "") for one in given or () if isinstance(one, dict)]
    message = status_message(activity) if activity["state"] == "Failed" else ""
    return ": ".join(part for part in (", ".join(codes), message) if part)
