"""The emulated CloudWatch: metrics and alarms, in whichever of its three protocols the caller speaks."""

from collections.abc import Sequence
from typing import Any

from smbench.emulator.monitoring import alarm_operations
from smbench.emulator.monitoring.metric_lists import dimensions_of
from smbench.emulator.monitoring.metric_queries import Reader, utc_ns
from smbench.emulator.protocol.codecs import Params, ServiceError
from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.protocol.paging import TokenError, page
from smbench.emulator.site import Site
from smbench.model.monitoring.alarms import AlarmBook
from smbench.model.monitoring.metrics import Dimensions, MetricId, MetricStore, Statistics
from smbench.model.monitoring.spread import UNSAID, Spread

_LIST_PAGE = 500
_VALUE_MAX = 2.0**360
_DATA_MAX, _VALUES_MAX = 1000, 150  # of a call, of a datum
_PAST_MAX_NS, _AHEAD_MAX_NS = 14 * 86_400 * 10**9, 2 * 3_600 * 10**9


class CloudWatch:
    """Operations on the model's metrics and alarms."""

    service = "monitoring"

    def __init__(self, site: Site, metrics: MetricStore, alarms: AlarmBook) -> None:
        self.site, self.metrics = site, metrics
        self.reader = Reader(site, metrics)
        self.operations: dict[str, Operation] = {
            "GetMetricData": lambda params, _request: self.reader.get_metric_data(params),
            "GetMetricStatistics": lambda params, _request: self.reader.get_metric_statistics(params),
            "ListMetrics": self.list_metrics,
            "PutMetricData": self.put_metric_data,
            **alarm_operations.Alarms(site, alarms).operations,
        }

    def list_metrics(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Metrics with data that have at least the dimensions asked for, paged."""
        wanted = params.get("Dimensions", [])
        exact: Dimensions = tuple((each["Name"], each["Value"]) for each in wanted if "Value" in each)
        named = {each["Name"] for each in wanted}
        found = [
            metric
            for metric in self.metrics.list_metrics(params.get("Namespace"), params.get("MetricName"), exact)
            if named <= {name for name, _ in metric.dimensions}
        ]
        try:
            items, token = page(found, params.get("NextToken"), _LIST_PAGE)
        except TokenError:
            raise ServiceError(
                "InvalidParameterValueException", "Invalid nextToken.", query_error_code="InvalidParameterValue"
            ) from None
        return {"Metrics": [_metric(metric) for metric in items]} | ({} if token is None else {"NextToken": token})

    def put_metric_data(self, params: Params, _request: HttpRequest) -> None:
        """Values, statistics sets or value arrays, each into the minute of its time stamp."""
        if params["Namespace"].startswith("AWS/"):
            raise _bad_value(f"The value {params['Namespace']} for parameter Namespace is invalid.")
        if not params.get("MetricData"):
            text = "The parameter MetricData is required."
            raise ServiceError("MissingRequiredParameterException", text, query_error_code="MissingParameter")
        _check_size("MetricData", params["MetricData"], _DATA_MAX)
        data = []
        for place, datum in enumerate(params["MetricData"], 1):
            where = f"MetricData.member.{place}"
            _check_form(datum, where)
            data.append((datum, self._at_ns(datum, where), _statistics(datum, where)))
        for datum, at_ns, statistics in data:
            dimensions = dimensions_of(datum.get("Dimensions", []))
            unit = datum.get("Unit", "None")
            self.metrics.put(params["Namespace"], datum["MetricName"], dimensions, unit, at_ns, statistics)

    def _at_ns(self, datum: Params, where: str) -> int:
        """Raises ServiceError: more than two weeks ago, or more than two hours ahead."""
        now_ns = self.site.now_ns
        if "Timestamp" not in datum:
            return now_ns
        at_ns = utc_ns(datum["Timestamp"]) - self.site.epoch_ns
        if not now_ns - _PAST_MAX_NS <= at_ns <= now_ns + _AHEAD_MAX_NS:
            text = "must specify a time no more than two hours in the future and two weeks in the past."
            raise _bad_value(f"The parameter {where}.Timestamp {text}")
        return at_ns


def _metric(metric: MetricId) -> dict[str, Any]:
    return {
        "Namespace": metric.namespace,
        "MetricName": metric.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
    }


def _bad_value(text: str) -> ServiceError:
    return ServiceError("InvalidParameterValueException", text, query_error_code="InvalidParameterValue")


def _check_numbers(name: str, *values: float) -> None:
    if any(not abs(value) <= _VALUE_MAX for value in values):  # nor NaN
        raise _bad_value(f"The value of metric {name} must be a number within -2^360 to 2^360.")


def _check_size(name: str, given: Sequence[Any], n_max: int) -> None:
    if len(given) > n_max:
        raise _bad_value(f"The collection {name} must not have a size greater than {n_max}.")


def _check_form(datum: Params, where: str) -> None:
    """What of a datum is wrong beside its values. Args: `where` is the datum as AWS names it."""
    if datum.get("StorageResolution", 60) not in (1, 60):
        raise _bad_value(f"The parameter {where}.StorageResolution must be 1 or 60.")
    names = [dimension["Name"] for dimension in datum.get("Dimensions", [])]
    if len(set(names)) < len(names):
        raise _bad_value(f"The parameter {where}.Dimensions must not name a dimension twice.")


def _statistics(datum: Params, where: str) -> Statistics:
    """A datum in any of its three forms: one value, a statistic set, or values with counts.

    Raises:
        ServiceError: several forms, or none; values without a number of them, which would have no average.
    """
    given = [form for form in ("Value", "StatisticValues", "Values") if form in datum]
    if len(given) != 1:
        raise ServiceError(
            "InvalidParameterCombinationException",
            f"Exactly one of Value, Values and StatisticValues must be given for metric {datum['MetricName']}.",
            query_error_code="InvalidParameterCombination",
        )
    _check_numbers(datum["MetricName"], datum.get("Value", 0.0), *datum.get("Values", ()))
    _check_numbers(datum["MetricName"], *datum.get("StatisticValues", {}).values())
    if given == ["Value"]:
        return Statistics(datum["Value"], 1.0, datum["Value"], datum["Value"], Spread.of([datum["Value"]]))
    if given == ["StatisticValues"]:
        values = datum["StatisticValues"]
        if values["SampleCount"] <= 0:
            raise _bad_value(f"The parameter {where}.StatisticValues.SampleCount must be greater than 0.")
        if values["Maximum"] < values["Minimum"]:
            raise ServiceError(
                "InvalidParameterCombinationException",
                f"The parameter {where}.StatisticValues.Maximum must be greater than {where}.StatisticValues.Minimum.",
                query_error_code="InvalidParameterCombination",
            )
        return Statistics(values["Sum"], values["SampleCount"], values["Minimum"], values["Maximum"], UNSAID)
    values = datum["Values"]
    counts = datum.get("Counts", [1.0] * len(values))
    if not values or len(counts) != len(values):
        raise _bad_value("The parameters Values and Counts must be of the same size, and not empty.")
    _check_size(f"{where}.Values", values, _VALUES_MAX)
    if any(not 0 < count <= _VALUE_MAX for count in counts):
        raise _bad_value(f"The parameter {where}.Counts must have numbers greater than 0.")
    total = sum(value * count for value, count in zip(values, counts, strict=True))
    return Statistics(total, sum(counts), min(values), max(values), Spread.of(values, counts))
