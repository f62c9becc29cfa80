"""CloudWatch as far as an endpoint needs it: a series per metric, a datapoint per UTC minute, visible some time later.

A high-resolution metric has a datapoint each ten seconds; whoever asks by the minute gets six of them as one.

A gauge's datapoint is its **time average** over the minute, not a sample: with sampling, an alarm on a backlog would
fire up to a minute earlier or later than it does.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from smbench.model.event_queue import EventQueue
from smbench.model.monitoring.series import FINE_NS, MINUTE_NS, Counter, Datapoint, Gauge, Source, Statistics, combine
from smbench.model.service import Sampler, Seeds
from smbench.scenario.emulated import Emulated
from smbench.scenario.values.distributions import Distribution
from smbench.scenario.values.seeds import stream

__all__ = ["INSTANCES", "SAGEMAKER", "Datapoint", "Dimensions", "MetricId", "MetricStore", "Statistics", "combine"]

SAGEMAKER = "AWS/SageMaker"
INSTANCES = "/aws/sagemaker/Endpoints"

Dimensions = tuple[tuple[str, str], ...]


class MetricId(NamedTuple):
    """What names a series. Dimensions in any order are the same series; here they are sorted."""

    namespace: str
    name: str
    dimensions: Dimensions

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Dimensions) -> "MetricId":
        """With its dimensions in a fixed order, so that equal metrics are equal keys."""
        return cls(namespace, name, tuple(sorted(dimensions)))


class _Series:
    """The datapoints of one metric, ascending, and what fills them."""

    def __init__(self, unit: str, delay: Sampler, has_gap: Callable[[], bool], period_ns: int) -> None:
        self.unit, self.delay, self.has_gap, self.period_ns = unit, delay, has_gap, period_ns
        self.source: Source | None = None
        self.starts_ns: list[int] = []
        self.points: list[Datapoint] = []

    def merge(self, start_ns: int, statistics: Statistics, visible_ns: int) -> Datapoint:
        place = bisect_left(self.starts_ns, start_ns)
        if place < len(self.points) and self.starts_ns[place] == start_ns:
            statistics = self.points[place].statistics.plus(statistics)
            point = self.points[place] = self._datapoint(start_ns, statistics, visible_ns)
        else:
            point = self._datapoint(start_ns, statistics, visible_ns)
            self.starts_ns.insert(place, start_ns)
            self.points.insert(place, point)
        return point

    def _datapoint(self, start_ns: int, statistics: Statistics, visible_ns: int) -> Datapoint:
        return Datapoint.of(start_ns, statistics, visible_ns, self.unit, self.period_ns // 1_000_000_000)


class MetricStore:
    """All series of one emulated account.

    Each series draws its delays and gaps from a stream of its own name, so that a series which only one driver
    keeps does not move the others'.

    Args:
        epoch_ns: UTC nanoseconds at scenario time zero; gives the phase of the minutes.
        delay: From the end of a minute until its datapoint is visible.
        gap_share: This share of datapoints is never published.

    Attributes:
        on_minute: Called at the end of each UTC minute, before its datapoints are made, with its start.
        on_published: Called when a datapoint becomes visible.
        keeps_spreads: Of what is counted the values are kept as well, for percentiles: only callers of AWS's API ask.
    """

    keeps_spreads = False

    def __init__(
        self,
        event_queue: EventQueue,
        epoch_ns: int,
        *,
        delay: Distribution | None = None,
        gap_share: float = 0.0,
        seeds: Seeds | None = None,
        base_dir: Path | None = None,
    ) -> None:
        self.event_queue, self.epoch_ns = event_queue, epoch_ns
        self._delay = Emulated().metric_delay if delay is None else delay
        self._gap_share, self._base_dir = gap_share, base_dir
        self._seeds = seeds or Seeds()
        self._series: dict[MetricId, _Series] = {}
        self.on_minute: list[Callable[[int], None]] = []
        self.on_published: list[Callable[[MetricId, Datapoint], None]] = []
        self.minute_start_ns = self.minute_of(event_queue.now_ns)
        self.minute_end_ns = self.minute_start_ns + MINUTE_NS
        self._fine_start_ns: int | None = None  # of the ten seconds under way; None: no metric of high resolution
        self._await_end_of_minute()

    def minute_of(self, at_ns: int) -> int:
        """The start, in scenario time, of the UTC minute that holds an instant."""
        return at_ns - (self.epoch_ns + at_ns) % MINUTE_NS

    def open_gauge(
        self,
        name: str,
        dimensions: Dimensions,
        unit: str,
        *,
        namespace: str = SAGEMAKER,
        initial: float | None = None,
        omit_zeros: bool = False,
    ) -> Gauge:
        """The gauge of this name, made when new."""
        series = self._open(MetricId.of(namespace, name, dimensions), unit)
        if not isinstance(series.source, Gauge):
            series.source = Gauge(self, initial, omit_zeros=omit_zeros)
        return series.source

    def open_fine_gauge(self, name: str, dimensions: Dimensions, unit: str) -> Gauge:
        """As `open_gauge`, of high resolution: undefined until it is set."""
        now_ns = self.event_queue.now_ns
        if self._fine_start_ns is None:
            self._fine_start_ns = now_ns - (self.epoch_ns + now_ns) % FINE_NS
            self._await_end_of_fine_period()
        series = self._open(MetricId.of(SAGEMAKER, name, dimensions), unit, FINE_NS)
        if not isinstance(series.source, Gauge):
            series.source = Gauge(self, None, omit_zeros=False, since_ns=self._fine_start_ns)
        return series.source

    def open_counter(
        self, name: str, dimensions: Dimensions, unit: str, *, namespace: str = SAGEMAKER, has_zeros: bool = False
    ) -> Counter:
        """The counter of this name, made when new."""
        series = self._open(MetricId.of(namespace, name, dimensions), unit)
        if not isinstance(series.source, Counter):
            series.source = Counter(self, has_zeros=has_zeros)
        return series.source

    def feed(self, metric: MetricId, unit: str, source: Source) -> None:
        """From now on the minutes of this metric are those of a source."""
        self._open(metric, unit).source = source

    def gauge(
        self, name: str, dimensions: Dimensions, unit: str, value: float | None, *, namespace: str = SAGEMAKER
    ) -> None:
        """Set a gauge by name."""
        self.open_gauge(name, dimensions, unit, namespace=namespace).set(value)

    def count(
        self, name: str, dimensions: Dimensions, unit: str, value: float = 1.0, *, namespace: str = SAGEMAKER
    ) -> None:
        """Count an event by name."""
        self.open_counter(name, dimensions, unit, namespace=namespace).add(value)

    def put(
        self,
        namespace: str,
        name: str,
        dimensions: Dimensions,
        unit: str,
        at_ns: int,
        statistics: Statistics | float,
    ) -> None:
        """PutMetricData: merged into the minute of `at_ns`, visible at once."""
        if not isinstance(statistics, Statistics):
            statistics = Statistics(statistics, 1.0, statistics, statistics)
        metric = MetricId.of(namespace, name, dimensions)
        point = self._open(metric, unit).merge(self.minute_of(at_ns), statistics, self.event_queue.now_ns)
        self._tell(metric, point)

    def publish(self, metric: MetricId, unit: str, minute_start_ns: int, statistics: Statistics) -> None:
        """A datapoint that an `on_minute` listener summed up itself: delayed and lost as those of the gauges."""
        self._publish(metric, self._open(metric, unit), minute_start_ns, statistics)

    def remember(self, metric: MetricId, unit: str, minute_start_ns: int, statistics: Statistics) -> None:
        """A datapoint from before the run: everybody has been able to read it for long."""
        self._open(metric, unit).merge(minute_start_ns, statistics, minute_start_ns + MINUTE_NS)

    def forget(self, metric: MetricId) -> None:
        """Nothing feeds this metric any more; its datapoints stay."""
        if metric in self._series:
            self._series[metric].source = None

    def datapoints(
        self,
        namespace: str,
        name: str,
        dimensions: Dimensions,
        start_ns: int,
        end_ns: int,
        *,
        visible_at_ns: int | None = None,
    ) -> list[Datapoint]:
        """Those whose minute starts in [start, end) and that are visible at an instant (default: now), ascending."""
        series = self._series.get(MetricId.of(namespace, name, dimensions))
        if series is None:
            return []
        visible_ns = self.event_queue.now_ns if visible_at_ns is None else visible_at_ns
        first, last = bisect_left(series.starts_ns, start_ns), bisect_left(series.starts_ns, end_ns)
        return [point for point in series.points[first:last] if point.visible_ns <= visible_ns]

    def newest_known_end_ns(self, metric: MetricId) -> int:
        """The end of the newest period about which all is known now: its datapoint is visible, or there is none.

        A datapoint still on its way is not missing; an alarm that took it for missing would jump to conclusions.
        """
        end_ns = self.minute_start_ns
        series = self._series.get(metric)
        if series is not None:
            if series.period_ns == FINE_NS and self._fine_start_ns is not None:
                end_ns = self._fine_start_ns
            for point in reversed(series.points):
                if point.visible_ns <= self.event_queue.now_ns:
                    break
                end_ns = point.start_ns
        return end_ns

    def list_metrics(
        self, namespace: str | None = None, name: str | None = None, dimensions: Dimensions = ()
    ) -> list[MetricId]:
        """Series with a visible datapoint that have this namespace, name and at least these dimensions."""
        return [
            metric
            for metric, series in self._series.items()
            if (namespace is None or metric.namespace == namespace)
            and (name is None or metric.name == name)
            and set(dimensions) <= set(metric.dimensions)
            and any(point.visible_ns <= self.event_queue.now_ns for point in series.points)
        ]

    def history(self) -> Iterator[tuple[MetricId, Datapoint]]:
        """Every datapoint there is, visible or not yet, series by series."""
        for metric, series in self._series.items():
            for point in series.points:
                yield metric, point

    def roll(self) -> None:
        """Close the minute, and the ten seconds, that are over.

        The event queue has an entry for it, and every counted event calls it too: what happens on the stroke belongs to
        the new minute, whichever entry of that instant comes first.
        """
        while self.event_queue.now_ns >= self.minute_end_ns:
            self._close_minute()
        while self._fine_start_ns is not None and self.event_queue.now_ns >= self._fine_start_ns + FINE_NS:
            self._close_fine_period(self._fine_start_ns)

    def _await_end_of_fine_period(self) -> None:
        assert self._fine_start_ns is not None, "a metric of high resolution has been opened"
        self.event_queue.at(self._fine_start_ns + FINE_NS, self.roll)

    def _close_fine_period(self, start_ns: int) -> None:
        self._fine_start_ns = start_ns + FINE_NS
        self._await_end_of_fine_period()
        for metric, series in list(self._series.items()):
            if series.period_ns == FINE_NS:
                self._close(metric, series, start_ns)

    def _await_end_of_minute(self) -> None:
        self.event_queue.at(self.minute_end_ns, self.roll)

    def _close_minute(self) -> None:
        start_ns, end_ns = self.minute_start_ns, self.minute_end_ns
        self.minute_start_ns, self.minute_end_ns = end_ns, end_ns + MINUTE_NS
        self._await_end_of_minute()
        for tell in self.on_minute:
            tell(start_ns)
        for metric, series in list(self._series.items()):
            if series.period_ns == MINUTE_NS:
                self._close(metric, series, start_ns)

    def _close(self, metric: MetricId, series: _Series, start_ns: int) -> None:
        end_ns = start_ns + series.period_ns
        statistics = None if series.source is None else series.source.close_minute(end_ns)
        if statistics is not None:
            self._publish(metric, series, start_ns, statistics)

    def _publish(self, metric: MetricId, series: _Series, start_ns: int, statistics: Statistics) -> None:
        visible_ns = start_ns + series.period_ns + round(series.delay.draw_s() * 1e9)
        if series.has_gap():
            return
        point = series.merge(start_ns, statistics, visible_ns)
        if self.on_published:
            self.event_queue.at(visible_ns, partial(self._tell, metric, point))

    def _tell(self, metric: MetricId, point: Datapoint) -> None:
        for tell in self.on_published:
            tell(metric, point)

    def _open(self, metric: MetricId, unit: str, period_ns: int = MINUTE_NS) -> _Series:
        series = self._series.get(metric)
        if series is None:
            use = f"{metric.namespace}.{metric.name}." + ",".join(f"{key}={value}" for key, value in metric.dimensions)
            gaps = stream(self._seeds.faults, f"faults.metric_gaps.{use}")
            series = self._series[metric] = _Series(
                unit,
                Sampler(self._delay, stream(self._seeds.capacity, f"capacity.metric_delay.{use}"), self._base_dir),
                lambda: bool(gaps.random() < self._gap_share),
                period_ns,
            )
        return series
