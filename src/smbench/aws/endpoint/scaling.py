"""Instances and scaling activities of an endpoint: how many it has and wants, and what Application Auto Scaling did."""

import re
from typing import Any

from smbench.aws.access.instants import datetime_utc_ns
from smbench.aws.access.json_values import plain
from smbench.aws.endpoint.description import SCALED_DIMENSION, TargetFound
from smbench.clock import Clock
from smbench.records import Event, Reading

_SETTING = re.compile(r"Setting desired instance count to (\d+)")
_TOP_LEVEL = ("ActivityId", "StartTime", "EndTime", "StatusCode", "Cause", "ServiceNamespace", "ScalableDimension")


class Capacity:
    """Instances current and desired, as DescribeEndpoint reports them; a change of what is desired is an event."""

    def __init__(self, client: Any, target: TargetFound, clock: Clock) -> None:
        self.client, self.target, self.clock = client, target, clock
        self._before: tuple[str, int | None] = (target.status, target.instances_desired)
        self._asked_ns: int | None = None  # at the look before; that at which the target was found has no instant here

    async def read(self) -> tuple[list[Reading], list[Event]]:
        """Instances current and desired now; an event where the status or the desired count changed."""
        asked_ns = self.clock.now_ns()
        described = await self.client.describe_endpoint(EndpointName=self.target.endpoint)
        now_ns, status = self.clock.now_ns(), described["EndpointStatus"]
        before_ns, self._asked_ns = self._asked_ns, asked_ns
        variants = described.get("ProductionVariants", [])
        fleet = next((v for v in variants if v["VariantName"] == self.target.variant), None)
        if fleet is None:
            gap = Reading("endpoint", "instances_current", "value", None, now_ns, now_ns, f"no variant while {status}")
            return [gap], []
        readings = [
            Reading("endpoint", name, "value", float(fleet[member]), now_ns, now_ns)
            for name, member in (
                ("instances_current", "CurrentInstanceCount"),
                ("instances_desired", "DesiredInstanceCount"),
            )
            if member in fleet
        ]
        return readings, self._changes(status, fleet, before_ns, now_ns)

    def _changes(self, status: str, fleet: dict[str, Any], before_ns: int | None, now_ns: int) -> list[Event]:
        """A change came after the look before was asked for, and by the time this one was answered."""
        desired = fleet.get("DesiredInstanceCount")
        if (status, desired) == self._before:
            return []
        before, self._before = self._before[1], (status, desired)
        detail = {"variant_status": plain(fleet.get("VariantStatus", []))}
        return [
            Event(
                "capacity",
                self.target.variant,
                now_ns,
                now_ns,
                status,
                None,
                _number(before),
                _number(desired),
                detail=detail,
                source="endpoint",
                doubt_ns=None if before_ns is None else now_ns - before_ns,
            )
        ]


class Activities:
    """Scaling activities; each is reported when first seen and again whenever its status changes."""

    def __init__(self, client: Any, target: TargetFound, clock: Clock) -> None:
        self.client, self.clock = client, clock
        self._about = {
            "ServiceNamespace": "sagemaker",
            "ResourceId": target.resource_id,
            "ScalableDimension": SCALED_DIMENSION,
            "IncludeNotScaledActivities": True,
        }
        self._told: dict[str, str] = {}  # activity to its last status

    async def read(self) -> tuple[list[Reading], list[Event]]:
        """No readings; the activities of this run that are new or have a new status, oldest first."""
        listed: list[dict[str, Any]] = []  # none counts as reported before all are here: what fails is asked again
        async for page in self.client.get_paginator("describe_scaling_activities").paginate(**self._about):
            listed += page["ScalingActivities"]
            # Newest first: from an activity that was over before the run on, nothing is ours.
            if any(map(self._is_before_the_run, page["ScalingActivities"])):
                break
        return [], [self._event(activity) for activity in reversed(listed) if self._is_news(activity)]

    def _is_news(self, activity: dict[str, Any]) -> bool:
        if self._is_before_the_run(activity):
            return False
        name, status = activity["ActivityId"], activity["StatusCode"]
        if self._told.get(name) == status:
            return False
        self._told[name] = status
        return True

    def _is_before_the_run(self, activity: dict[str, Any]) -> bool:
        last = activity.get("EndTime") or activity["StartTime"]
        is_open = activity["StatusCode"] in ("Pending", "InProgress")
        return not is_open and datetime_utc_ns(last) < self.clock.epoch_ns

    def _event(self, activity: dict[str, Any]) -> Event:
        epoch_ns, end = self.clock.epoch_ns, activity.get("EndTime")
        wanted = _SETTING.search(activity.get("Description", ""))
        reasons = activity.get("NotScaledReasons", [])
        before = next((reason["CurrentCapacity"] for reason in reasons if "CurrentCapacity" in reason), None)
        return Event(
            kind="scaling_activity",
            name=activity["ActivityId"],
            at_ns=datetime_utc_ns(activity["StartTime"]) - epoch_ns,
            seen_ns=self.clock.now_ns(),
            state=activity["StatusCode"],
            end_ns=None if end is None else datetime_utc_ns(end) - epoch_ns,
            before=_number(before),
            after=None if wanted is None else float(wanted[1]),
            cause=activity.get("Cause", ""),
            detail={key: plain(value) for key, value in activity.items() if key not in _TOP_LEVEL},
            source="application-autoscaling",
        )


def _number(count: int | None) -> float | None:
    return None if count is None else float(count)
