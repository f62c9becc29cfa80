"""Gauges of a simulated world: what a run would have read, and when it could have read it."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from smbench.model.endpoints.endpoint import CapacityChange, Endpoint
from smbench.model.monitoring.alarms import AlarmHistoryItem
from smbench.model.monitoring.series import MINUTE_S
from smbench.model.scaling.activities import Activity
from smbench.model.world import World
from smbench.records import Event
from smbench.results.schema import EVENTS, READINGS, instant_of, polars_schema
from smbench.schedule.base import Schedule
from smbench.simulator.caller import Caller
from smbench.simulator.client import Client
from smbench.simulator.looking import LookingClient
from smbench.simulator.tables import frame, instants

_LEDGER_STEP_NS = 1_000_000_000  # a run looks four times as often; a prediction has no use for it

_STATS = {
    "Average": "average",
    "Maximum": "maximum",
    "Minimum": "minimum",
    "Sum": "sum",
    "SampleCount": "sample_count",
}


class Fleet:
    """Notes an endpoint's instances over time."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self.changes: list[tuple[int, int, int, str]] = [(0, endpoint.current, endpoint.desired, endpoint.status)]
        self.billed: list[tuple[int, int]] = [(0, endpoint.billed)]
        endpoint.on_capacity.append(self._note)

    def _note(self, change: CapacityChange) -> None:
        endpoint = self._endpoint
        self.changes.append((change.at_ns, endpoint.current, endpoint.desired, endpoint.status))
        self.billed.append((change.at_ns, endpoint.billed))

    def readings(self, looks_ns: NDArray[np.int64]) -> pl.DataFrame:
        """Instances current and desired at each look."""
        changed_ns = np.array([change[0] for change in self.changes])
        place = np.searchsorted(changed_ns, looks_ns, side="right") - 1
        parts = []
        for name, column in (("instances_current", 1), ("instances_desired", 2)):
            counts = np.array([change[column] for change in self.changes], dtype=np.float64)
            parts.append(_readings("endpoint", name, "value", counts[place], looks_ns, looks_ns))
        return pl.concat(parts)

    def events(self, every_ns: int) -> list[Event]:
        """Changes of what is desired, and of the endpoint's status."""
        events, variant = [], self._endpoint.variant
        for (_, _, before, was), (at_ns, _, desired, status) in zip(self.changes, self.changes[1:], strict=False):
            if (before, was) != (desired, status):
                seen_ns = _next_look_ns(at_ns, every_ns)
                counts = float(before), float(desired)
                events.append(Event("capacity", variant, at_ns, seen_ns, status, None, *counts, source="endpoint"))
        return events


def readings_table(
    client: Client | Caller, world: World, fleet: Fleet | None, *, every_ns: int, epoch_ns: int, end_ns: int
) -> pl.DataFrame:
    """The ledger's, CloudWatch's and the endpoint's gauges until the end of the run; without instances no fleet's."""
    looks_ns = np.arange(0, end_ns + 1, every_ns, dtype=np.int64)
    ledger = _ledger(client, end_ns) if isinstance(client, Client) else _in_flight(client, end_ns)
    parts = [ledger, _cloudwatch(world, every_ns, end_ns)]
    if isinstance(client, LookingClient):
        parts.append(_looks(client, end_ns))
    if fleet is not None:
        parts.append(fleet.readings(looks_ns))
    table = pl.concat(parts).sort("seen", maintain_order=True)
    stamps = [instant_of(pl.col(name) + epoch_ns) for name in ("at", "seen")]
    no_worker = pl.lit(None, dtype=pl.Int64).alias("worker")
    return table.with_columns(*stamps, no_worker).select(list(polars_schema(READINGS)))


def _ledger(client: Client, end_ns: int) -> pl.DataFrame:
    """Backlog and oldest age as the client knows them: until it knows of the end."""
    rows = client.order
    at_ns = np.arange(0, end_ns + 1, _LEDGER_STEP_NS, dtype=np.int64)
    never = np.iinfo(np.int64).max
    sent_ns = np.array([client.sched_ns[row] for row in rows], dtype=np.int64)
    seen_ns = np.array([never if (at := client.seen_ns[row]) is None else at for row in rows], dtype=np.int64)
    n_sent = np.searchsorted(sent_ns, at_ns, side="right")  # rows were accepted in order of time
    n_seen = np.searchsorted(np.sort(seen_ns), at_ns, side="right")
    backlog = _readings("ledger", "backlog_seen", "value", (n_sent - n_seen).astype(np.float64), at_ns, at_ns)
    # The oldest still open is the first row whose end is seen later: found in the running maximum, which ascends.
    oldest = np.searchsorted(np.maximum.accumulate(seen_ns), at_ns, side="right") if len(rows) else n_sent
    is_open = oldest < n_sent
    age_s = (at_ns[is_open] - sent_ns[oldest[is_open]]) / 1e9
    return pl.concat([backlog, _readings("ledger", "oldest_age_s", "value", age_s, at_ns[is_open], at_ns[is_open])])


def _looks(client: LookingClient, end_ns: int) -> pl.DataFrame:
    """How many calls its looks took, once; a run says so every second."""
    values = {"look_heads": client.n_heads, "look_lists": client.n_lists}
    return pl.concat(
        _readings("generator", name, "value", [float(value)], [end_ns], [end_ns]) for name, value in values.items()
    )


def _in_flight(client: Caller, end_ns: int) -> pl.DataFrame:
    """How many calls await their answer; a synchronous endpoint leaves no backlog."""
    at_ns = np.arange(0, end_ns + 1, _LEDGER_STEP_NS, dtype=np.int64)
    sent_ns = np.sort(np.array([client.sched_ns[row] for row in client.order], dtype=np.int64))
    ack_ns = np.sort(np.array([client.ack_ns[row] for row in client.order], dtype=np.int64))
    n_open = np.searchsorted(sent_ns, at_ns, side="right") - np.searchsorted(ack_ns, at_ns, side="right")
    backlog = _readings("ledger", "backlog_seen", "value", np.zeros(len(at_ns)), at_ns, at_ns)
    return pl.concat([backlog, _readings("ledger", "in_flight", "value", n_open.astype(np.float64), at_ns, at_ns)])


def _cloudwatch(world: World, every_ns: int, end_ns: int) -> pl.DataFrame:
    """Every statistic of every minute that was visible at a look; a run asks for some of them, by the minute."""
    seen = [
        (metric, point, _next_look_ns(point.visible_ns, every_ns))
        for metric, point in world.metrics.history()
        if point.period_s == MINUTE_S
    ]
    # A run asks from the minute in which it begins; what is older, its alarms remember.
    begin_ns = world.metrics.minute_of(0)
    seen = [each for each in seen if each[1].start_ns >= begin_ns and each[2] <= end_ns]
    return _readings(
        "cloudwatch",
        [metric.name for metric, _, _ in seen] * len(_STATS),
        [stat for stat in _STATS.values() for _ in seen],
        [point.value(statistic) for statistic in _STATS for _, point, _ in seen],
        [point.start_ns for _, point, _ in seen] * len(_STATS),
        [look_ns for _, _, look_ns in seen] * len(_STATS),
    )


def _readings(
    source: str,
    name: str | list[str],
    stat: str | list[str],
    value: NDArray[np.float64] | list[float],
    at_ns: NDArray[np.int64] | list[int],
    seen_ns: NDArray[np.int64] | list[int],
) -> pl.DataFrame:
    n = len(value)
    return pl.DataFrame(
        {
            "source": [source] * n,
            "name": [name] * n if isinstance(name, str) else name,
            "stat": [stat] * n if isinstance(stat, str) else stat,
            "value": pl.Series(value, dtype=pl.Float64),
            "at": pl.Series(at_ns, dtype=pl.Int64),
            "seen": pl.Series(seen_ns, dtype=pl.Int64),
            "detail": [""] * n,
        },
        schema_overrides={"source": pl.String, "name": pl.String, "stat": pl.String, "detail": pl.String},
    )


def events_table(
    client: Client | Caller,
    schedule: Schedule,
    world: World,
    fleet: Fleet | None,
    *,
    every_ns: int,
    epoch_ns: int,
    end_ns: int,
) -> pl.DataFrame:
    """Phases, capacity, scaling activities, changes of alarms, tries that were refused, and why sending stopped."""
    events = [
        Event("phase", span.name, span.start_ns, span.start_ns, span.kind, span.end_ns, detail={"n": span.n})
        for span in schedule.spans
    ]
    if fleet is not None:
        events += fleet.events(every_ns)
    events += _activity_events(world.scaler.activities(include_not_scaled=True), every_ns)
    events += _alarm_events(world.alarms.history(), every_ns)
    events = [event for event in events if event.seen_ns <= end_ns or event.kind == "phase"]
    if isinstance(client, Caller):
        events += client.retries
    if client.stopped is not None:
        text = client.stop_reason if isinstance(client, Caller) and client.stop_reason else client.stopped.text
        events.append(Event("stop", text, end_ns, end_ns))
    events.sort(key=lambda event: (event.seen_ns, event.at_ns))
    return frame(_columns(events, epoch_ns), EVENTS)


def _columns(events: Sequence[Event], epoch_ns: int) -> dict[str, object]:
    return {
        "kind": [event.kind for event in events],
        "name": [event.name for event in events],
        "at": instants([event.at_ns for event in events], epoch_ns),
        "seen": instants([event.seen_ns for event in events], epoch_ns),
        "state": [event.state for event in events],
        "end": instants([event.end_ns for event in events], epoch_ns),
        "before": [event.before for event in events],
        "after": [event.after for event in events],
        "cause": [event.cause for event in events],
        "detail": [orjson.dumps(event.detail).decode() for event in events],
        "source": [event.source for event in events],
        "not_before": instants([event.at_ns for event in events], epoch_ns),
    }


def _activity_events(activities: Iterable[Activity], every_ns: int) -> list[Event]:
    """Each activity when a look first finds it, and again when a look finds it over."""
    events = []
    for activity in activities:
        first_ns = _next_look_ns(activity.start_ns, every_ns)
        last_ns = first_ns if activity.end_ns is None else _next_look_ns(activity.end_ns, every_ns)
        if last_ns > first_ns:
            events.append(_activity_event(activity, "InProgress", None, first_ns))
        events.append(_activity_event(activity, activity.status, activity.end_ns, last_ns))
    return events


def _activity_event(activity: Activity, status: str, end_ns: int | None, seen_ns: int) -> Event:
    detail: dict[str, object] = {"Description": activity.description}
    if activity.status_message and status == activity.status:
        detail["StatusMessage"] = activity.status_message
    if activity.not_scaled_reasons:
        detail["NotScaledReasons"] = [asdict(reason) for reason in activity.not_scaled_reasons]
    return Event(
        kind="scaling_activity",
        name=activity.id,
        at_ns=activity.start_ns,
        seen_ns=seen_ns,
        state=status,
        end_ns=end_ns,
        before=None if activity.before is None else float(activity.before),
        after=None if activity.after is None else float(activity.after),
        cause=activity.cause,
        detail=detail,
        source="application-autoscaling",
    )


def _alarm_events(history: Iterable[AlarmHistoryItem], every_ns: int) -> list[Event]:
    events = []
    for item in history:
        if item.kind == "StateUpdate":
            seen_ns = _next_look_ns(item.at_ns, every_ns)
            state = f"{item.old_state} -> {item.new_state}"
            event = Event("alarm", item.alarm, item.at_ns, seen_ns, state, cause=item.reason, detail=dict(item.data))
            events.append(replace(event, source="cloudwatch"))
    return events


def _next_look_ns(at_ns: int, every_ns: int) -> int:
    """The first look at or after an instant; looks are on a beat that begins at zero."""
    return max(0, -(-at_ns // every_ns)) * every_ns
