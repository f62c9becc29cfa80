"""The history of the alarms that scale an endpoint: of all sources the one that dates a scaling decision best."""

import re
from typing import Any

import orjson

from smbench.aws.access.instants import datetime_utc_ns, utc_datetime
from smbench.aws.endpoint.description import TargetFound
from smbench.clock import Clock
from smbench.records import Event, Reading

_SUMMARY = re.compile(r"updated from (\w+) to (\w+)")
_OVERLAP_NS = 120_000_000_000  # an entry may be listed some time after its own instant


class AlarmHistory:
    """Changes of state of the endpoint's alarms, each reported once."""

    def __init__(self, client: Any, target: TargetFound, clock: Clock) -> None:
        self.client, self.clock, self.names = client, clock, target.alarm_names
        self._since_ns = 0
        self._told: set[tuple[str, int, str]] = set()

    async def read(self) -> tuple[list[Reading], list[Event]]:
        """No readings; the changes of state that are new, oldest first."""
        now_ns = self.clock.now_ns()
        items: list[dict[str, Any]] = []  # none counts as reported before all are here: what fails is asked again
        for name in self.names:
            pages = self.client.get_paginator("describe_alarm_history").paginate(
                AlarmName=name,
                HistoryItemType="StateUpdate",
                StartDate=utc_datetime(self.clock.epoch_ns + self._since_ns),
                EndDate=utc_datetime(self.clock.epoch_ns + now_ns + _OVERLAP_NS),
                ScanBy="TimestampAscending",
            )
            async for page in pages:
                items += page["AlarmHistoryItems"]
        self._since_ns = max(0, now_ns - _OVERLAP_NS)
        return [], sorted((self._event(item) for item in items if self._is_news(item)), key=lambda event: event.at_ns)

    def _is_news(self, item: dict[str, Any]) -> bool:
        key = (item["AlarmName"], datetime_utc_ns(item["Timestamp"]), item.get("HistorySummary", ""))
        if key in self._told:
            return False
        self._told.add(key)
        return True

    def _event(self, item: dict[str, Any]) -> Event:
        data = _object(item.get("HistoryData", ""))
        old, new = _state(data.get("oldState")), _state(data.get("newState"))
        if not new and (match := _SUMMARY.search(item.get("HistorySummary", ""))):
            old, new = match[1], match[2]
        told = data.get("newState")
        return Event(
            kind="alarm",
            name=item["AlarmName"],
            at_ns=datetime_utc_ns(item["Timestamp"]) - self.clock.epoch_ns,
            seen_ns=self.clock.now_ns(),
            state=f"{old} -> {new}",
            cause=str(told.get("stateReason", "")) if isinstance(told, dict) else "",
            detail=data,
            source="cloudwatch",
        )


def _object(text: str) -> dict[str, Any]:
    """The JSON object in a text; empty when it holds none, or one too deep to be written again."""
    try:
        data = orjson.loads(text)
        orjson.dumps(data)  # reads 1,024 levels, writes 254
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return {}
    return data if isinstance(data, dict) else {}


def _state(told: object) -> str:
    return str(told.get("stateValue", "")) if isinstance(told, dict) else ""
