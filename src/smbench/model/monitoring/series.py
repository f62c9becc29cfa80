"""A minute of a metric: values that last, values that are counted, and what is left of either as a datapoint.

A metric of high resolution has periods of ten seconds where others have minutes.
"""

import math
from array import array
from dataclasses import dataclass, field, replace
from typing import Protocol

from smbench.model.event_queue import EventQueue
from smbench.model.monitoring.spread import ExtendedStatistic, Spread

MINUTE_S = 60
MINUTE_NS = MINUTE_S * 1_000_000_000
FINE_S = 10  # the period of a high-resolution metric
FINE_NS = FINE_S * 1_000_000_000
_FOLDED = 1024  # values of a minute that are kept one by one, before they are folded into its spread


class Minutes(Protocol):
    """What closes the minutes."""

    event_queue: EventQueue
    keeps_spreads: bool
    minute_start_ns: int
    minute_end_ns: int

    def roll(self) -> None:
        """Close every minute that is over by now."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """A minute's values, summed up.

    Args:
        spread: How they lie between minimum and maximum; None: not kept.
    """

    sum: float
    sample_count: float
    minimum: float
    maximum: float
    spread: Spread | None = field(default=None, compare=False)

    @property
    def known_spread(self) -> Spread | None:
        """As `spread`; values that are all the same need none."""
        if self.minimum == self.maximum:
            return Spread.of([self.minimum], [self.sample_count])
        return self.spread

    @property
    def average(self) -> float:
        """Sum over count; the count is never 0."""
        return self.sum / self.sample_count

    def plus(self, other: "Statistics") -> "Statistics":
        """Of both sets of values together."""
        spread = None
        if self.spread is not None or other.spread is not None:  # alarms ask for sums of minutes again and again
            mine, others = self.known_spread, other.known_spread
            spread = None if mine is None or others is None else mine.plus(others)
        return Statistics(
            self.sum + other.sum,
            self.sample_count + other.sample_count,
            min(self.minimum, other.minimum),
            max(self.maximum, other.maximum),
            spread,
        )


@dataclass(frozen=True, slots=True)
class Datapoint:
    """One period of one series: a minute, or ten seconds. Instants are scenario time; the period is one of UTC."""

    start_ns: int
    period_s: int
    average: float
    maximum: float
    minimum: float
    sum: float
    sample_count: float
    visible_ns: int  # from when on anybody can read it
    unit: str
    spread: Spread | None = field(default=None, compare=False)

    @classmethod
    def of(
        cls, start_ns: int, statistics: Statistics, visible_ns: int, unit: str, period_s: int = MINUTE_S
    ) -> "Datapoint":
        """One period's statistics as a datapoint that becomes visible at an instant."""
        return cls(
            start_ns=start_ns,
            period_s=period_s,
            average=statistics.average,
            maximum=statistics.maximum,
            minimum=statistics.minimum,
            sum=statistics.sum,
            sample_count=statistics.sample_count,
            visible_ns=visible_ns,
            unit=unit,
            spread=statistics.spread,
        )

    @property
    def statistics(self) -> Statistics:
        """Its values again as statistics, to be merged over a longer period."""
        return Statistics(self.sum, self.sample_count, self.minimum, self.maximum, self.spread)

    def extended(self, statistic: ExtendedStatistic) -> float | None:
        """A percentile or trimmed mean; None: of negative values, or of values that were not kept."""
        spread = self.statistics.known_spread
        return None if spread is None or self.minimum < 0 else spread.read(statistic)

    def value(self, statistic: str) -> float:
        """By CloudWatch's name of the statistic: Average, Maximum, Minimum, Sum, SampleCount."""
        return {
            "Average": self.average,
            "Maximum": self.maximum,
            "Minimum": self.minimum,
            "Sum": self.sum,
            "SampleCount": self.sample_count,
        }[statistic]


def combine(points: list[Datapoint]) -> Datapoint:
    """Several periods as one longer period.

    Args:
        points: At least one, ascending.
    """
    if len(points) == 1:
        return points[0]
    statistics = points[0].statistics
    for point in points[1:]:
        statistics = statistics.plus(point.statistics)
    visible_ns = max(point.visible_ns for point in points)
    whole = Datapoint.of(points[0].start_ns, statistics, visible_ns, points[0].unit)
    return replace(whole, period_s=points[0].period_s * len(points))


class Source(Protocol):
    """What the minutes of a metric are made of."""

    def close_minute(self, end_ns: int, /) -> Statistics | None:
        """The minute's statistics, and begin the next; None when it has none."""


class Gauge:
    """A value that lasts until it is set again; undefined while None. Between settings it may rise, never fall.

    Args:
        initial: What it was from the start of this minute until now.
        since_ns: When its first period began; None: with this minute.
        omit_zeros: A minute in which it was 0 all the time has no datapoint.
    """

    __slots__ = (
        "_area",
        "_defined_ns",
        "_event_queue",
        "_maximum",
        "_minimum",
        "_omit_zeros",
        "_since_ns",
        "_slope_hz",
        "_value",
    )

    def __init__(self, store: Minutes, initial: float | None, *, omit_zeros: bool, since_ns: int | None = None) -> None:
        self._event_queue, self._omit_zeros = store.event_queue, omit_zeros
        self._value, self._slope_hz = initial, 0.0
        self._minimum = self._maximum = 0.0
        self._reset(store.minute_start_ns if since_ns is None else since_ns)

    def set(self, value: float | None, slope_hz: float = 0.0) -> None:
        """From now on the value is this, rising by `slope_hz` a second."""
        # Not asked whether the minute is over: on the stroke, the new value has stood for no time in the old minute.
        self._settle(self._event_queue.now_ns)
        self._value, self._slope_hz = value, slope_hz

    def close_minute(self, end_ns: int) -> Statistics | None:
        """The minute's statistics, and begin the next; None when it has none."""
        self._settle(end_ns)
        defined_ns, area, low, high = self._defined_ns, self._area, self._minimum, self._maximum
        self._reset(end_ns)
        if not defined_ns or (self._omit_zeros and low == high == 0):
            return None
        # One sample a second is what the average stands for.
        return Statistics(area / 1e9, defined_ns / 1e9, low, high)

    def _reset(self, start_ns: int) -> None:
        self._since_ns, self._defined_ns, self._area = start_ns, 0, 0.0
        self._minimum, self._maximum = math.inf, -math.inf

    def _settle(self, now_ns: int) -> None:
        """Account for the value until now. One that lasted no time at all counts for nothing.

        Several times for each request, so without a call more than it needs.
        """
        span_ns = now_ns - self._since_ns
        value = self._value
        if not span_ns:
            return
        self._since_ns = now_ns
        if value is None:
            return
        self._defined_ns += span_ns
        if value < self._minimum:
            self._minimum = value
        if self._slope_hz:
            rise = self._slope_hz * span_ns / 1e9
            self._area += (value + rise / 2) * span_ns
            value = self._value = value + rise
        else:
            self._area += value * span_ns
        if value > self._maximum:
            self._maximum = value


class Counter:
    """Events, each with a value.

    Args:
        has_zeros: A minute without any is one sample of 0; else it is absent.
    """

    __slots__ = ("_has_zeros", "_maximum", "_minimum", "_n", "_spread", "_store", "_sum", "_values")
    _n: int
    _sum: float
    _minimum: float
    _maximum: float
    _values: "array[float] | None"
    _spread: Spread | None

    def __init__(self, store: Minutes, *, has_zeros: bool = False) -> None:
        self._store, self._has_zeros = store, has_zeros
        self._reset()

    def add(self, value: float = 1.0) -> None:
        """Count one event of this value in the current minute."""
        store = self._store
        if store.event_queue.now_ns >= store.minute_end_ns:
            store.roll()  # an event on the stroke belongs to the new minute
        self._n += 1
        self._sum += value
        if (values := self._values) is not None:
            values.append(value)
            if len(values) == _FOLDED:
                self._fold(values)
        elif store.keeps_spreads and self._n > 1 and value != self._minimum:
            self._values = array("d", [value])
            self._spread = Spread.of([self._minimum], [self._n - 1])
        if value < self._minimum:
            self._minimum = value
        if value > self._maximum:
            self._maximum = value

    def close_minute(self, _end_ns: int) -> Statistics | None:
        """The minute's statistics, and begin the next; None when nothing happened and it has no zeros."""
        if self._values:
            self._fold(self._values)
        statistics = Statistics(0.0, 1.0, 0.0, 0.0) if self._has_zeros else None
        if self._n:
            statistics = Statistics(self._sum, float(self._n), self._minimum, self._maximum, self._spread)
        self._reset()
        return statistics

    def _fold(self, values: "array[float]") -> None:
        folded = Spread.of(values)
        self._spread = folded if self._spread is None else self._spread.plus(folded)
        self._values = array("d")

    def _reset(self) -> None:
        self._n, self._sum, self._minimum, self._maximum = 0, 0.0, math.inf, -math.inf
        # While all values are the same, as a count of events always is, there are none.
        self._values = None
        self._spread = None
