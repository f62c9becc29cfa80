"""When an alarm's metric went beyond its threshold: from the alarm's history, and from CloudWatch's minutes before it.

The history names the datapoints that set an alarm off. They are the newest of their kind: where data came late, or the
alarm was looked at later than it could have fired, the metric had been beyond its threshold for longer. And of M out of
N some were not beyond it at all. Source: docs/methods.md#scaling-delays.
"""

import datetime
import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import orjson
import polars as pl

from smbench.analysis.rows.cloudwatch import MINUTE_NS
from smbench.analysis.rows.columns import only
from smbench.analysis.rows.frames import Frames

Points = Sequence[tuple[int, float]]
"""Datapoints: when each began, nanoseconds of AWS's clock since the run began, and its value."""

_BEYOND: dict[str, Callable[[float, float], bool]] = {
    "greater than or equal to the threshold": lambda value, limit: value >= limit,
    "greater than the threshold": lambda value, limit: value > limit,
    "less than or equal to the threshold": lambda value, limit: value <= limit,
    "less than the threshold": lambda value, limit: value < limit,
}


class Breaches:
    """What set alarms off, of one run."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames

    @cached_property
    def _series(self) -> list[dict[int, float]]:
        """CloudWatch's minutes, by metric and statistic; most runs have no alarm that asks for them."""
        is_minute = (pl.col("source") == "cloudwatch") & pl.col("value").is_not_null()
        minutes = only(self._frames.readings, is_minute, "name", "stat", "at_ns", "value")
        parts = minutes.partition_by("name", "stat")
        return [dict(zip(rows["at_ns"].to_list(), rows["value"].to_list(), strict=True)) for rows in parts]

    def judged_s(self, alarm: dict[str, Any]) -> tuple[float | None, float | None]:
        """The begin of the first minute in which the metric was beyond the threshold, without a break until the alarm
        went off, and the end of the newest that set it off; seconds since the run began.

        Args:
            alarm: A row of the events. Its history may have come without its data, as after SetAlarmState: then None.
        """
        try:
            state = orjson.loads(alarm["detail"])["newState"]
            reason = state["stateReasonData"]
            reason = orjson.loads(reason) if isinstance(reason, str) else reason
            valued = [point for point in reason.get("evaluatedDatapoints", []) if "value" in point]
            points = sorted((self._since_ns(point["timestamp"]), float(point["value"])) for point in valued)
            first_ns = points[0][0] if points else self._since_ns(reason["startDate"])
            period_ns = round(float(reason.get("period", 60)) * 1e9)
            limit = float(reason.get("threshold", math.nan))
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError):
            return None, None
        is_beyond = next((of for words, of in _BEYOND.items() if words in str(state.get("stateReason"))), None)
        if is_beyond is not None and points and not math.isnan(limit):
            first_ns = self._first_ns(points, lambda value: is_beyond(value, limit), period_ns)
        ours = self._frames.clocks.ours_ns
        return ours(first_ns) / 1e9, ours(points[-1][0] + period_ns) / 1e9 if points else None

    def _first_ns(self, points: Points, is_beyond: Callable[[float], bool], period_ns: int) -> int:
        first_ns = next((at_ns for at_ns, value in points if is_beyond(value)), points[0][0])
        alike = [series for series in self._series if all(_has(series, *point) for point in points)]
        while (
            alike
            and period_ns == MINUTE_NS
            and all(is_beyond(series.get(first_ns - MINUTE_NS, math.nan)) for series in alike)
        ):
            first_ns -= MINUTE_NS
        return first_ns

    def _since_ns(self, text: str) -> int:
        """Of a stamp as alarm histories write it, `2026-11-21T03:12:00.000+0000`."""
        at = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")
        utc_us = (at - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)) // datetime.timedelta(microseconds=1)
        return utc_us * 1000 - self._frames.epoch_ns


def _has(series: dict[int, float], at_ns: int, value: float) -> bool:
    """Whether the alarm's datapoint is one of this metric's; histories round some digits off."""
    return math.isclose(series.get(at_ns, math.nan), value, rel_tol=1e-6, abs_tol=1e-9)
