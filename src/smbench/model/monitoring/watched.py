"""What an alarm looks at: the periods of one metric, or of an expression over several.

A datapoint that is still on its way is not missing: the newest period is one about which all is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from smbench.model.monitoring.metric_math import MathError, Series, evaluate, ids_in, reads_all
from smbench.model.monitoring.metrics import MetricId, MetricStore
from smbench.model.monitoring.series import MINUTE_NS, MINUTE_S, Datapoint, combine
from smbench.model.monitoring.spread import extended_statistic


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """One of the `Metrics` of an alarm or of a tracking policy: a statistic of a metric, or an expression."""

    id: str
    metric: MetricId | None = None
    statistic: str = "Average"
    unit: str | None = None
    expression: str | None = None
    label: str | None = None
    is_returned: bool = True


@dataclass(frozen=True, slots=True)
class Point:
    """A period's value. `sample_count` is unknown for an expression."""

    start_ns: int
    value: float
    sample_count: float | None = None


def check_queries(queries: Sequence[MetricQuery]) -> None:
    """Whether these queries give one time series that can be worked out.

    Raises:
        UnknownMath: it uses what is not known here.
        MathError: it does not return exactly one series, or an expression is wrong.
    """
    if sum(query.is_returned for query in queries) != 1:
        raise MathError("Exactly one element of the metrics list should return data.")
    _Math(queries, {query.id: {} for query in queries if query.metric is not None}, range(0)).returned()


@dataclass(frozen=True, slots=True)
class Watched:
    """One metric's statistic, or `queries`, one of which is returned."""

    metric: MetricId | None
    statistic: str
    queries: tuple[MetricQuery, ...]
    period_s: int

    def newest(self, store: MetricStore, count: int) -> list[Point | None]:
        """The newest `count` periods about which all is known, oldest first; None where there is no value."""
        metrics = [self.metric] if self.metric else [query.metric for query in self.queries if query.metric]
        end_ns = min((store.newest_known_end_ns(each) for each in metrics), default=store.minute_start_ns)
        period_ns = self.period_s * 1_000_000_000
        if self.period_s >= MINUTE_S:
            period_ns = self.period_s // MINUTE_S * MINUTE_NS
            end_ns = store.minute_of(end_ns)  # six datapoints of a high-resolution metric are one of a minute
        starts_ns = range(end_ns - count * period_ns, end_ns, period_ns)
        if self.metric is not None:
            periods = _periods(store, self.metric, starts_ns)
            return [_point(periods.get(at), self.statistic) for at in starts_ns]
        series: dict[str, Series] = {}
        for query in self.queries:
            if query.metric is not None:
                found = _periods(store, query.metric, starts_ns)
                values = {at: _value(point, query.statistic) for at, point in found.items()}
                series[query.id] = {at: value for at, value in values.items() if value is not None}
        answer = _Math(self.queries, series, starts_ns).returned()
        return [Point(at, answer[at]) if at in answer else None for at in starts_ns]


def _point(period: Datapoint | None, statistic: str) -> Point | None:
    value = None if period is None else _value(period, statistic)
    return None if period is None or value is None else Point(period.start_ns, value, period.sample_count)


def _periods(store: MetricStore, metric: MetricId, starts_ns: range) -> dict[int, Datapoint]:
    gathered: dict[int, list[Datapoint]] = {}
    for point in store.datapoints(*metric, starts_ns.start, starts_ns.stop):
        at = starts_ns[(point.start_ns - starts_ns.start) // starts_ns.step]
        gathered.setdefault(at, []).append(point)
    return {at: combine(points) for at, points in gathered.items()}


def _value(period: Datapoint, statistic: str) -> float | None:
    extended = extended_statistic(statistic)
    return period.value(statistic) if extended is None else period.extended(extended)


class _Math:
    """The queries of one evaluation, each worked out once."""

    def __init__(self, queries: Sequence[MetricQuery], series: dict[str, Series], periods: range) -> None:
        self._periods_s = {query.id: periods.step / 1e9 for query in queries if query.metric is not None}
        self._queries = {query.id: query for query in queries}
        self._metrics = [query.id for query in queries if query.metric is not None]
        self._done, self._periods = series, periods
        self._open: set[str] = set()

    def returned(self) -> Series:
        return self._answer(next(query.id for query in self._queries.values() if query.is_returned))

    def _answer(self, query_id: str) -> Series:
        if query_id in self._done:
            return self._done[query_id]
        expression = self._queries[query_id].expression
        if query_id in self._open or expression is None:
            raise MathError(f"The expressions refer to each other in a circle: '{query_id}'.")
        self._open.add(query_id)
        needed = {*ids_in(expression), *(self._metrics if reads_all(expression) else ())}
        read = {each: self._answer(each) for each in sorted(needed) if each in self._queries}
        self._done[query_id] = evaluate(expression, read, self._periods, self._metrics, self._periods_s)
        return self._done[query_id]
