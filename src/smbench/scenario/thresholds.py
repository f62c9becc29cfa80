"""Thresholds: what a scenario's author expects of the endpoint, as one comparison a line, `sojourn_p95 < 8m`."""

import math
import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, cast

from smbench.scenario.quantities import parse_duration_s, parse_share

Unit = Literal["s", "requests", "share"]

_LATENCIES = {
    "sojourn": "from due to done, what a user feels",
    "service_view": "from received to done, as the service sees it",
    "ack": "from send to the acknowledgement",
}
_STATISTICS = {"p50": "median", "p90": "90th percentile", "p95": "95th percentile", "p99": "99th percentile", "max": "maximum"}  # fmt: skip  # noqa: E501
_COUNTS = {
    "completed": "requests that completed",
    "failed": "requests the container failed, or that timed out in it",
    "expired": "requests whose time to live ended in the queue",
    "lost": "requests nobody can account for",
    "pending": "requests still open at the end",
    "rejected": "requests refused by the service",
    "transport_error": "requests without an answer, not proved taken",
    "not_sent": "requests held back by our own limit or the run's end",
    "backlog_max": "the most requests accepted and not yet ended",
}

METRICS: dict[str, tuple[Unit, str]] = {
    **{
        f"{latency}_{statistic}": ("s", f"{name}, {meaning}")
        for latency, meaning in _LATENCIES.items()
        for statistic, name in _STATISTICS.items()
    },
    "schedule_lag_p99": ("s", "99th percentile, how late we sent"),
    "drain_s": ("s", "from the last send until nothing was open"),
    **{count: ("requests", meaning) for count, meaning in _COUNTS.items()},
    "error_share": ("share", "requests that were answered and did not complete, over those answered"),
}
"""Every metric a threshold may name: its unit and its meaning. Warm-up phases are left out of all of them."""

Operator = Literal["<", "<=", "==", "!=", ">=", ">"]
_EXPRESSION = re.compile(r"\s*([A-Za-z0-9_.]+)\s*(<=|>=|==|!=|<|>)\s*(\S.*?)\s*")
PATTERN = rf"^\s*({'|'.join(METRICS)})\s*(<=|>=|==|!=|<|>)\s*\S.*$"


@dataclass(frozen=True, slots=True)
class Threshold:
    """One comparison. `value` is in `unit`: seconds, requests, or a share 0..1."""

    metric: str
    op: Operator
    value: float
    unit: Unit
    text: str  # as written

    def holds(self, seen: float) -> bool:
        """Whether the figure meets the threshold; both in the threshold's unit."""
        match self.op:
            case "<":
                return seen < self.value
            case "<=":
                return seen <= self.value
            case "==":
                return seen == self.value
            case "!=":
                return seen != self.value
            case ">=":
                return seen >= self.value
            case ">":
                return seen > self.value


class ThresholdError(ValueError):
    """A threshold that cannot be read; `meant` is the nearest metric, or empty."""

    def __init__(self, message: str, meant: str = "") -> None:
        super().__init__(message)
        self.meant = meant


def parse_threshold(text: str) -> Threshold:
    """The comparison that `text` writes.

    Raises:
        ThresholdError: it is none; a sentence for the author of the scenario.
    """
    match = _EXPRESSION.fullmatch(text)
    if not match:
        raise ThresholdError("must read `metric operator value`, such as `sojourn_p95 < 8m` or `expired == 0`")
    metric, op, value = match.groups()
    if metric not in METRICS:
        near = get_close_matches(metric, METRICS, n=1)
        known = "" if near else f"; known are {', '.join(METRICS)}"
        raise ThresholdError(f"there is no metric '{metric}'{known}", near[0] if near else "")
    unit = METRICS[metric][0]
    try:
        number = _VALUES[unit](value)
    except ValueError as error:
        raise ThresholdError(f"the value '{value}' of {metric} {error}") from None
    return Threshold(metric, cast(Operator, op), number, unit, text)  # the expression knows no other operator


def _plain_or(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _seconds(text: str) -> float:
    seconds = parse_duration_s(_plain_or(text))
    if seconds < 0:
        raise ValueError("must not be negative")
    return seconds


def _requests(text: str) -> float:
    number = _plain_or(text)
    if isinstance(number, str) or not math.isfinite(number) or number < 0 or number != int(number):
        raise ValueError("must be a whole number of requests, such as 0 or 1800")
    return number


def _share(text: str) -> float:
    share = parse_share(_plain_or(text))
    if not 0 <= share <= 1:
        raise ValueError("must lie between 0% and 100%")
    return share


_VALUES = {"s": _seconds, "requests": _requests, "share": _share}
