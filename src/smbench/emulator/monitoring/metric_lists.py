"""Metric queries in two spellings: as callers write `Metrics`, and as the model evaluates them."""

from collections.abc import Mapping, Sequence
from typing import Any

from smbench.emulator.protocol.codecs import Params, beyond
from smbench.model.monitoring.metric_math import MathError, UnknownMath
from smbench.model.monitoring.metrics import Dimensions, MetricId
from smbench.model.monitoring.series import MINUTE_S
from smbench.model.monitoring.spread import extended_statistic
from smbench.model.monitoring.watched import MetricQuery, check_queries

STATISTICS = ("Average", "Sum", "Minimum", "Maximum", "SampleCount")
_TIMED = ("Latency", "Time", "TimeInBacklog")  # how names end of what is measured request by request


def dimensions_of(params: Sequence[Mapping[str, str]]) -> Dimensions:
    """Dimensions as the model keeps them."""
    return tuple((dimension["Name"], dimension["Value"]) for dimension in params)


def known_statistic(name: str, namespace: str, metric: str) -> str:
    """One that an alarm can watch here, or a policy: sums, extremes, and extended ones where the values are kept.

    Raises:
        ServiceError: 501, for a percentile or a trimmed mean of what is kept by average and extremes alone.
        MathError: there is no such statistic.
    """
    if extended_statistic(name) is not None:
        if namespace.startswith(("AWS/", "/aws/")) and not metric.endswith(_TIMED):
            raise beyond(f"work out {name} of {metric}: only its average and extremes are kept")
        return name
    if name not in STATISTICS:
        raise MathError(f"The value {name} for parameter Stat is not supported.")
    return name


def queries_of(metrics: Sequence[Params]) -> tuple[MetricQuery, ...]:
    """The queries of an alarm or of a target tracking policy, proved to give one series.

    Raises:
        ServiceError: 501, for what CloudWatch may know and this emulator does not.
        MathError: they are wrong; in the words of the service that was called it is up to the caller.
    """
    ids = [query["Id"] for query in metrics]
    if len(set(ids)) != len(ids):
        raise MathError("The values for parameter Id in Metrics are not unique.")
    queries = tuple(_query(each) for each in metrics)
    try:
        check_queries(queries)
    except UnknownMath as error:
        raise beyond(f"evaluate this list of metrics. {error}") from None
    return queries


def period_of(metrics: Sequence[Params]) -> int:
    """The period of a list of queries in seconds: the longest that one names; a minute where none does."""
    named = [query.get("Period") or query.get("MetricStat", {}).get("Period") for query in metrics]
    return max((int(period) for period in named if period), default=MINUTE_S)


def _query(query: Params) -> MetricQuery:
    if ("MetricStat" in query) == ("Expression" in query):
        raise MathError(f"Exactly one of MetricStat and Expression must be given in {query['Id']}.")
    if "AccountId" in query:
        raise beyond("read metrics of other accounts (AccountId)")
    returned = query.get("ReturnData", True)
    if "Expression" in query:
        return MetricQuery(query["Id"], expression=query["Expression"], label=query.get("Label"), is_returned=returned)
    stat = query["MetricStat"]
    metric = stat["Metric"]
    missing = [name for name in ("Namespace", "MetricName") if name not in metric]
    if missing:
        raise MathError(f"{missing[0]} is required in the Metric of {query['Id']}.")
    return MetricQuery(
        query["Id"],
        MetricId.of(metric["Namespace"], metric["MetricName"], dimensions_of(metric.get("Dimensions", []))),
        known_statistic(stat["Stat"], metric["Namespace"], metric["MetricName"]),
        stat.get("Unit"),
        label=query.get("Label"),
        is_returned=returned,
    )


def described(queries: Sequence[MetricQuery], period_s: int | None = None) -> list[dict[str, Any]]:
    """As a Describe operation gives them back.

    Args:
        period_s: For CloudWatch, which gives each metric's; None for Application Auto Scaling, which has none.
    """
    return [_described(query, period_s) for query in queries]


def _described(query: MetricQuery, period_s: int | None) -> dict[str, Any]:
    shown: dict[str, Any] = {"Id": query.id, "ReturnData": query.is_returned}
    if query.label is not None:
        shown["Label"] = query.label
    if query.metric is None:
        return shown | {"Expression": query.expression}
    dimensions = [{"Name": name, "Value": value} for name, value in query.metric.dimensions]
    metric = {"Namespace": query.metric.namespace, "MetricName": query.metric.name, "Dimensions": dimensions}
    stat: dict[str, Any] = {"Metric": metric, "Stat": query.statistic}
    if period_s is not None:
        stat["Period"] = period_s
    if query.unit is not None:
        stat["Unit"] = query.unit
    return shown | {"MetricStat": stat}
