"""The scheduled actions of Application Auto Scaling: put, shown, deleted, and carried out by the model when due."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from smbench.emulator.monitoring.scaling_policies import invalid
from smbench.emulator.protocol.codecs import Params, beyond
from smbench.emulator.site import Site
from smbench.model.event_queue import Entry
from smbench.model.scaling.scaler import AutoScaler
from smbench.model.scaling.schedules import Schedule, UnknownSchedule, read_schedule

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LIMITS = ("MinCapacity", "MaxCapacity")
_KEPT_ON_UPDATE = (
    "Schedule",
    "Timezone",
    "ScalableTargetAction",
)  # the boundaries are deleted where they are not given


@dataclass(slots=True)
class ScheduledAction:
    """One action as its caller put it. `entry` is its next instant; None: there is none any more."""

    resource_id: str
    name: str
    arn: str
    created: datetime
    given: Params
    schedule: Schedule
    entry: Entry | None = None


class ScheduledActions:
    """All of one emulated account, each carried out at its instants by the services' clock."""

    def __init__(self, site: Site, scaler: Callable[[], AutoScaler]) -> None:
        self._site, self._scaler = site, scaler
        self._actions: dict[tuple[str, str], ScheduledAction] = {}

    def put(self, resource_id: str, params: Params) -> None:
        """Create, or change what is given; boundaries that are not given are deleted.

        Raises:
            ServiceError: the schedule, the time zone, the boundaries or the limits are wrong.
        """
        name = params["ScheduledActionName"]
        old = self._actions.get((resource_id, name))
        given = {key: old.given[key] for key in _KEPT_ON_UPDATE if old is not None and key in old.given}
        given |= {key: params[key] for key in (*_KEPT_ON_UPDATE, "StartTime", "EndTime") if key in params}
        _check(given)
        now = self._site.now()
        made = ScheduledAction(
            resource_id,
            name,
            self._arn(resource_id, name) if old is None else old.arn,
            now if old is None else old.created,
            given,
            _schedule(given, now),
        )
        if old is not None:
            self._cancel(old)
        self._actions[resource_id, name] = made
        self._await(made)

    def delete(self, resource_id: str, name: str) -> bool:
        """Forget one; whether there was one."""
        found = self._actions.pop((resource_id, name), None)
        if found is not None:
            self._cancel(found)
        return found is not None

    def forget(self, resource_id: str) -> None:
        """Those of a target that is no longer registered."""
        for about, name in list(self._actions):
            if about == resource_id:
                self.delete(about, name)

    def all(self, resource_id: str | None = None, names: list[str] | None = None) -> list[ScheduledAction]:
        """In the order of their making; those of one target, and of these names, where given."""
        return [
            one
            for one in self._actions.values()
            if resource_id in (None, one.resource_id) and (names is None or one.name in names)
        ]

    def _arn(self, resource_id: str, name: str) -> str:
        where = f"arn:aws:autoscaling:{self._site.region}:{self._site.account}:scheduledAction:{self._site.new_id()}"
        return f"{where}:resource/sagemaker/{resource_id}:scheduledActionName/{name}"

    def _await(self, action: ScheduledAction, after: datetime | None = None) -> None:
        """Enter its next instant, within its boundaries."""
        begin, end = action.given.get("StartTime"), action.given.get("EndTime")
        after = after or self._site.now()
        if begin is not None and begin > after:
            after = begin - timedelta(microseconds=1)
        due = action.schedule.next_after(after)
        if due is None or (end is not None and due > end):
            action.entry = None
            return
        due_ns = self._site.at_ns((due - _EPOCH) // timedelta(microseconds=1) * 1000)

        def step() -> None:
            limits = action.given["ScalableTargetAction"]
            self._scaler().run_scheduled(action.resource_id, action.name, *(limits.get(key) for key in _LIMITS))
            self._await(action, due)

        action.entry = self._site.event_queue.at(due_ns, step)

    @staticmethod
    def _cancel(action: ScheduledAction) -> None:
        if action.entry is not None:
            action.entry.cancel()


def _check(given: Params) -> None:
    """Raises ServiceError: what makes no action."""
    if "Schedule" not in given:
        raise invalid("Schedule is required to create a scheduled action.")
    limits = given.get("ScalableTargetAction", {})
    if not limits.keys() & set(_LIMITS):
        raise invalid("ScalableTargetAction must have MinCapacity, MaxCapacity, or both.")
    if limits.get("MinCapacity", 0) > limits.get("MaxCapacity", limits.get("MinCapacity", 0)):
        raise invalid("Maximum capacity cannot be less than minimum capacity")
    if "StartTime" in given and "EndTime" in given and given["StartTime"] >= given["EndTime"]:
        raise invalid("StartTime must be before EndTime.")


def _schedule(given: Params, now: datetime) -> Schedule:
    try:
        zone: tzinfo = ZoneInfo(given["Timezone"]) if "Timezone" in given else UTC
    except (KeyError, OSError, ValueError):  # no such zone, a folder of them, a path out of theirs
        raise invalid(f"Timezone {given['Timezone']} is not valid.") from None
    try:
        return read_schedule(given["Schedule"], zone, given.get("StartTime", now))
    except UnknownSchedule as error:
        raise beyond(f"understand {error}") from None
    except ValueError as error:
        raise invalid(f"Invalid schedule expression: {error}") from None


def shown(action: ScheduledAction) -> dict[str, Any]:
    """As DescribeScheduledActions gives it back, without what names its target."""
    named = {"ScheduledActionName": action.name, "ScheduledActionARN": action.arn, "CreationTime": action.created}
    return named | action.given
