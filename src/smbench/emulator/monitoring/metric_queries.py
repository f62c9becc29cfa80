"""CloudWatch's answers from what is visible now: periods, statistics, and the queries of GetMetricData."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any

from smbench.emulator.monitoring.metric_lists import dimensions_of, known_statistic
from smbench.emulator.protocol.codecs import Params, ServiceError, beyond
from smbench.emulator.protocol.paging import TokenError, position, token_for
from smbench.emulator.site import Site, utc_datetime
from smbench.model.monitoring.metric_math import MathError, Series, UnknownMath, evaluate, ids_in, reads_all
from smbench.model.monitoring.metrics import Datapoint, Dimensions, MetricStore, combine
from smbench.model.monitoring.series import FINE_S
from smbench.model.monitoring.spread import Spread, extended_statistic

QUERIES_MAX = 500
DATAPOINTS_MAX = 100_800
STATISTICS_MAX = 1_440
_MINUTE_S = 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_ns(at: datetime) -> int:
    """Nanoseconds since 1970 of an instant with a time zone, exact to its microseconds."""
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000


def invalid(message: str) -> ServiceError:
    """ValidationError in CloudWatch's wording, to be raised."""
    return ServiceError("ValidationError", message)


def combination(message: str) -> ServiceError:
    """InvalidParameterCombination, to be raised."""
    return ServiceError("InvalidParameterCombinationException", message, query_error_code="InvalidParameterCombination")


@dataclass(frozen=True, slots=True)
class Span:
    """The periods of one query, in UTC nanoseconds. A period that ends after the end is left out."""

    start_ns: int
    end_ns: int
    period_ns: int

    @classmethod
    def of(cls, params: Params, period_s: int) -> "Span":
        """Start rounded down to the minute, as CloudWatch does for recent data.

        Raises:
            ServiceError: the times or the period make no span.
        """
        if params["StartTime"] >= params["EndTime"]:
            raise invalid("The parameter StartTime must be less than the parameter EndTime.")
        if period_s not in (1, 5, 10, 20, 30) and period_s % _MINUTE_S:
            raise invalid("Period must be 1, 5, 10, 20, 30 or a multiple of 60")
        minute_ns = _MINUTE_S * 1_000_000_000
        period_ns = max(period_s, FINE_S) * 1_000_000_000  # no metric is stored by less
        return cls(utc_ns(params["StartTime"]) // minute_ns * minute_ns, utc_ns(params["EndTime"]), period_ns)

    @property
    def starts_ns(self) -> range:
        """The starts of its whole periods, UTC nanoseconds, ascending."""
        n = max((self.end_ns - self.start_ns) // self.period_ns, 0)
        return range(self.start_ns, self.start_ns + n * self.period_ns, self.period_ns)


def by_period(points: Sequence[Datapoint], span: Span, epoch_ns: int) -> dict[int, list[Datapoint]]:
    """Minutes gathered into periods; keys are the periods' starts, ascending."""
    starts = span.starts_ns
    gathered: dict[int, list[Datapoint]] = {}
    for point in points:
        offset = (epoch_ns + point.start_ns - span.start_ns) // span.period_ns
        if 0 <= offset < len(starts):
            gathered.setdefault(starts[offset], []).append(point)
    return dict(sorted(gathered.items()))


def statistic(points: list[Datapoint], name: str, metric: str) -> float | None:
    """One of a period, by its name in `STATISTICS` or an extended one; None: of negative values and of sets.

    Raises:
        ServiceError: 501, for an extended one of what is kept by average and extremes alone.
    """
    if (extended := extended_statistic(name)) is None:
        return combine(points).value(name)
    spreads = [point.statistics.known_spread for point in points]
    if None in spreads:
        raise beyond(f"work out {name} of {metric}: only its average and extremes are kept")
    is_negative = any(point.minimum < 0 for point in points)
    return None if is_negative else reduce(Spread.plus, filter(None, spreads)).read(extended)


def _readable(name: str) -> None:
    """Raises ServiceError: a statistic that there is not, or that is not emulated (501); extended ones can be read."""
    try:
        if extended_statistic(name) is None:
            known_statistic(name, "", "")
    except MathError as error:
        raise invalid(str(error)) from None


class Reader:
    """Reads metrics as a caller of the API may see them at this instant."""

    def __init__(self, site: Site, metrics: MetricStore) -> None:
        self.site, self.metrics = site, metrics

    def periods(self, namespace: str, name: str, dimensions: Dimensions, span: Span) -> dict[int, list[Datapoint]]:
        """The statistics of each period of a span that has datapoints visible now, by the period's start."""
        epoch_ns = self.site.epoch_ns
        points = self.metrics.datapoints(
            namespace,
            name,
            dimensions,
            span.start_ns - epoch_ns,
            span.end_ns - epoch_ns,
            visible_at_ns=self.site.now_ns,
        )
        return by_period(points, span, epoch_ns)

    def get_metric_statistics(self, params: Params) -> dict[str, Any]:
        """One metric's datapoints, unordered. Raises ServiceError: no statistic, an unknown one, too many points."""
        span = Span.of(params, params["Period"])
        wanted, extended = params.get("Statistics", []), params.get("ExtendedStatistics", [])
        if bool(wanted) == bool(extended):
            raise combination("Must specify either Statistics or ExtendedStatistics")
        for name in extended:
            _readable(name)
        if len(span.starts_ns) > STATISTICS_MAX:
            asked = f"{len(span.starts_ns):,}"
            raise combination(
                f"You have requested up to {asked} datapoints, which exceeds the limit of {STATISTICS_MAX:,}. "
                "You may reduce the datapoints requested by increasing Period, or decreasing the time range."
            )
        dimensions = dimensions_of(params.get("Dimensions", []))
        periods = self.periods(params["Namespace"], params["MetricName"], dimensions, span)
        rows = []
        for at, points in periods.items():
            if params.get("Unit", points[0].unit) != points[0].unit:
                continue
            values = {name: statistic(points, name, params["MetricName"]) for name in (*wanted, *extended)}
            known = {name: value for name, value in values.items() if value is not None}
            if known:
                told = {"ExtendedStatistics": known} if extended else known
                rows.append({"Timestamp": utc_datetime(at), "Unit": points[0].unit, **told})
        return {"Label": params["MetricName"], "Datapoints": rows}

    def get_metric_data(self, params: Params) -> dict[str, Any]:
        """Metrics and metric math, paged over all points. Raises ServiceError: a query that is not valid."""
        queries = params["MetricDataQueries"]
        _check_queries(queries)
        series = _Answers(self, params).all()
        shown = [query for query in queries if query.get("ReturnData", True)]
        is_ascending = params.get("ScanBy", "TimestampDescending") == "TimestampAscending"
        rows = [
            (number, at, value)
            for number, query in enumerate(shown)
            for at, value in sorted(series[query["Id"]].items(), reverse=not is_ascending)
        ]
        return _paged(params, shown, rows)


class _Answers:
    """The series of one GetMetricData call, each worked out once."""

    def __init__(self, reader: Reader, params: Params) -> None:
        self.reader, self.params = reader, params
        self.queries = {query["Id"]: query for query in params["MetricDataQueries"]}
        self.done: dict[str, Series] = {}
        self._open: set[str] = set()

    def all(self) -> dict[str, Series]:
        for query_id in self.queries:
            self.answer(query_id)
        return self.done

    def answer(self, query_id: str) -> Series:
        if query_id not in self.done:
            if query_id in self._open:
                raise invalid(f"The expressions refer to each other in a circle: '{query_id}'.")
            self._open.add(query_id)
            query = self.queries[query_id]
            self.done[query_id] = self._stat(query) if "MetricStat" in query else self._math(query)
        return self.done[query_id]

    def _stat(self, query: Params) -> Series:
        stat = query["MetricStat"]
        metric = stat["Metric"]
        _readable(stat["Stat"])
        span = Span.of(self.params, stat["Period"])
        dimensions = dimensions_of(metric.get("Dimensions", []))
        periods = self.reader.periods(metric["Namespace"], metric["MetricName"], dimensions, span)
        values = {
            at: statistic(points, stat["Stat"], metric["MetricName"])
            for at, points in periods.items()
            if stat.get("Unit", points[0].unit) == points[0].unit
        }
        return {at: value for at, value in values.items() if value is not None}

    def _math(self, query: Params) -> Series:
        expression = query["Expression"]
        try:
            metrics = [query_id for query_id, each in self.queries.items() if "MetricStat" in each]
            needed = {*ids_in(expression), *(metrics if reads_all(expression) else ())}
            read = {query_id: self.answer(query_id) for query_id in sorted(needed) if query_id in self.queries}
            periods = list(Span.of(self.params, self._period_s(needed, query)).starts_ns)
            own_s = {each: float(self.queries[each]["MetricStat"]["Period"]) for each in metrics}
            return evaluate(expression, read, periods, metrics, own_s)
        except UnknownMath as error:
            raise beyond(f"know all of metric math. {error}") from None
        except MathError as error:
            raise invalid(str(error)) from None

    def _period_s(self, needed: set[str], query: Params) -> int:
        """The expression's own period, or the longest of what it reads."""
        if "Period" in query:
            return int(query["Period"])
        periods = [
            int(self.queries[query_id]["MetricStat"]["Period"])
            for query_id in needed
            if "MetricStat" in self.queries.get(query_id, {})
        ]
        return max(periods, default=_MINUTE_S)


def _check_queries(queries: Sequence[Params]) -> None:
    if len(queries) > QUERIES_MAX:
        raise invalid(f"The collection MetricDataQueries must not have a size greater than {QUERIES_MAX}.")
    ids = [query["Id"] for query in queries]
    if len(set(ids)) != len(ids):
        raise invalid("The values for parameter Id in MetricDataQueries are not unique.")
    for query in queries:
        if not (query["Id"][:1].islower() and query["Id"].replace("_", "a").isalnum()):
            text = "is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$"
            raise invalid(f"The value {query['Id']} for parameter MetricDataQueries.Id {text}.")
        if ("MetricStat" in query) == ("Expression" in query):
            raise invalid(f"Exactly one of MetricStat and Expression must be given in MetricDataQuery {query['Id']}.")
        if "AccountId" in query:
            raise beyond("read metrics of other accounts (AccountId)")
        if "${" in query.get("Label", ""):
            raise beyond("fill in dynamic labels (${...})")
    if not any(query.get("ReturnData", True) for query in queries):
        raise invalid("At least one of the MetricDataQueries must have ReturnData set to true.")


def _paged(params: Params, shown: Sequence[Params], rows: Sequence[tuple[int, int, float]]) -> dict[str, Any]:
    """Datapoints in query order, cut at MaxDatapoints; a query cut short is PartialData."""
    limit = params.get("MaxDatapoints", DATAPOINTS_MAX)
    try:
        first = position(params.get("NextToken"))
    except TokenError:
        raise ServiceError(
            "InvalidNextToken", "The service cannot process the next token.", query_error_code="InvalidNextToken"
        ) from None
    last = min(first + limit, len(rows))
    is_cut = last < len(rows)
    results: list[dict[str, Any]] = [
        {
            "Id": query["Id"],
            "Label": query.get("Label", _label(query)),
            "Timestamps": [],
            "Values": [],
            "StatusCode": "PartialData" if is_cut and rows[last][0] <= number else "Complete",
        }
        for number, query in enumerate(shown)
    ]
    for number, at, value in rows[first:last]:
        results[number]["Timestamps"].append(utc_datetime(at))
        results[number]["Values"].append(value)
    answer: dict[str, Any] = {"MetricDataResults": results, "Messages": []}
    return answer | ({"NextToken": token_for(last)} if is_cut else {})


def _label(query: Params) -> str:
    return str(query["MetricStat"]["Metric"]["MetricName"]) if "MetricStat" in query else str(query["Id"])
