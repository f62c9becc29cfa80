"""CloudWatch's datapoints of an endpoint: each reported once, with the instant at which it could first be read.

They come minutes late and in any order, so each read asks for the last `_WINDOW_S` again and returns what is new.
"""

from typing import Any

from smbench.aws.access.instants import datetime_utc_ns, utc_datetime
from smbench.aws.endpoint.description import TargetFound
from smbench.aws.endpoint.metrics import CONTINUOUS, PERIOD_S, Metric, metrics_of
from smbench.clock import Clock
from smbench.records import Event, Reading

_PERIOD_NS = PERIOD_S * 1_000_000_000
# Arrival is said to take 2 to 5 minutes; a datapoint later than this is not seen, and its minute becomes a gap.
_WINDOW_S = 600
_BAD = ("InternalError", "Forbidden")


class Datapoints:
    """All metrics of one endpoint, minute by minute from the minute in which the run began."""

    def __init__(self, client: Any, target: TargetFound, clock: Clock) -> None:
        self.client, self.clock = client, clock
        wanted = metrics_of(target.kind, in_stream=target.in_stream)
        self.metrics = {f"m{index}": metric for index, metric in enumerate(wanted)}
        self._queries = [metric.query(name, target.endpoint, target.variant) for name, metric in self.metrics.items()]
        self._begin_utc_ns = clock.epoch_ns - clock.epoch_ns % _PERIOD_NS
        self._told: dict[tuple[str, str, int], float] = {}  # (name, stat, minute) to value, inside the window
        self._next_minute_utc_ns = self._begin_utc_ns  # of the continuous metric: minutes before it are accounted for

    async def read(self) -> tuple[list[Reading], list[Event]]:
        """The datapoints that are new or changed, and no events."""
        now_utc_ns = self.clock.epoch_ns + self.clock.now_ns()
        since_utc_ns = max(self._begin_utc_ns, now_utc_ns - now_utc_ns % _PERIOD_NS - _WINDOW_S * 1_000_000_000)
        pages = self.client.get_paginator("get_metric_data").paginate(
            MetricDataQueries=self._queries,
            StartTime=utc_datetime(since_utc_ns),
            EndTime=utc_datetime(now_utc_ns + _PERIOD_NS),  # a period that ends later would be left out
            ScanBy="TimestampAscending",
        )
        # None counts as reported before all are here: what fails is asked again.
        results = [result async for page in pages for result in page["MetricDataResults"]]
        readings = [reading for one in results for reading in self._of_metric(self.metrics[one["Id"]], one)]
        readings += self._lost_minutes(since_utc_ns)
        self._told = {key: value for key, value in self._told.items() if key[2] >= since_utc_ns}
        return readings, []

    def _of_metric(self, metric: Metric, result: dict[str, Any]) -> list[Reading]:
        seen_ns = self.clock.now_ns()
        readings = []
        if result.get("StatusCode") in _BAD and not result.get("Values"):
            readings.append(
                Reading("cloudwatch", metric.name, metric.stat, None, seen_ns, seen_ns, result["StatusCode"])
            )
        for stamp, value in zip(result.get("Timestamps", ()), result.get("Values", ()), strict=True):
            at_utc_ns = datetime_utc_ns(stamp)
            key = (metric.name, metric.stat, at_utc_ns)
            before = self._told.get(key)
            if before == value:
                continue
            self._told[key] = value
            # The late part of a minute's data changes its sum: the last reading of a minute is the true one.
            detail = "" if before is None else "revised"
            at_ns = at_utc_ns - self.clock.epoch_ns
            readings.append(Reading("cloudwatch", metric.name, metric.stat, float(value), at_ns, seen_ns, detail))
        return readings

    def _lost_minutes(self, since_utc_ns: int) -> list[Reading]:
        """Gaps: minutes that left the window without a datapoint though one of a later minute has come."""
        minutes = {minute for name, _, minute in self._told if name == CONTINUOUS}
        seen_ns = self.clock.now_ns()
        gaps = []
        latest = max(minutes, default=self._begin_utc_ns)
        while self._next_minute_utc_ns < min(since_utc_ns, latest):
            minute = self._next_minute_utc_ns
            if minute not in minutes:
                at_ns = minute - self.clock.epoch_ns
                gaps.append(Reading("cloudwatch", CONTINUOUS, "average", None, at_ns, seen_ns, "no datapoint"))
            self._next_minute_utc_ns = minute + _PERIOD_NS
        return gaps
