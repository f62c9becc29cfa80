"""CloudWatch's alarm operations on the model's alarms."""

import re
from datetime import datetime
from math import isfinite
from typing import Any

import orjson

from smbench.emulator.monitoring.metric_lists import (
    STATISTICS,
    described,
    dimensions_of,
    known_statistic,
    period_of,
    queries_of,
)
from smbench.emulator.monitoring.metric_queries import invalid, utc_ns
from smbench.emulator.protocol.codecs import Params, ServiceError, beyond
from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.protocol.paging import TokenError, page
from smbench.emulator.site import Site, utc_datetime
from smbench.emulator.tags import tags_of
from smbench.model.monitoring.alarms import COMPARISONS, Alarm, AlarmBook, AlarmHistoryItem
from smbench.model.monitoring.metric_math import MathError
from smbench.model.monitoring.watched import MetricQuery

_PAGE = 100
_HOUR_S, _DAY_S, _SPAN_MAX_S = 3_600, 86_400, 604_800
_ARN = re.compile(r"arn:[^:\s]+:[^:\s]+:[^:\s]*:[^:\s]*:\S(.*\S)?")
_TREATMENTS = ("breaching", "notBreaching", "ignore", "missing")


class Alarms:
    """PutMetricAlarm and its relatives."""

    def __init__(self, site: Site, book: AlarmBook) -> None:
        self.site, self.book = site, book
        self.operations: dict[str, Operation] = {
            "PutMetricAlarm": self.put_metric_alarm,
            "DescribeAlarms": self.describe_alarms,
            "DescribeAlarmHistory": self.describe_alarm_history,
            "DescribeAlarmsForMetric": self.describe_alarms_for_metric,
            "DeleteAlarms": self.delete_alarms,
            "SetAlarmState": self.set_alarm_state,
            "EnableAlarmActions": lambda params, _request: self._enable(params, is_enabled=True),
            "DisableAlarmActions": lambda params, _request: self._enable(params, is_enabled=False),
        }

    def tagged(self) -> dict[str, dict[str, str]]:
        """Every alarm's tags, by its ARN."""
        return {alarm_arn(self.site, alarm.name): alarm.tags for alarm in self.book.describe()}

    def put_metric_alarm(self, params: Params, _request: HttpRequest) -> None:
        """Create or replace; a new alarm begins without data. Metric alarms only, no metric math."""
        _check(params)
        metrics = params.get("Metrics", [])
        self.book.put(
            Alarm(
                name=params["AlarmName"],
                namespace=params.get("Namespace", ""),
                metric=params.get("MetricName", ""),
                dimensions=dimensions_of(params.get("Dimensions", [])),
                statistic=params.get(_statistic_name(params), "Average"),
                comparison=params["ComparisonOperator"],
                threshold=params["Threshold"],
                period_s=_period_s(params),
                queries=_queries(metrics),
                evaluation_periods=params["EvaluationPeriods"],
                datapoints_to_alarm=params.get("DatapointsToAlarm"),
                treat_missing_data=params.get("TreatMissingData", "missing"),
                actions=tuple(params.get("AlarmActions", [])),
                ok_actions=tuple(params.get("OKActions", [])),
                insufficient_actions=tuple(params.get("InsufficientDataActions", [])),
                actions_enabled=params.get("ActionsEnabled", True),
                description=params.get("AlarmDescription"),
                unit=params.get("Unit"),
                tags=tags_of(params.get("Tags", [])),
            )
        )

    def describe_alarms(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """By names, prefix, state and action prefix, paged; composite alarms are always none."""
        if "AlarmNames" in params and "AlarmNamePrefix" in params:
            raise invalid("AlarmNamePrefix and AlarmNames cannot be specified together")
        if "MetricAlarm" not in params.get("AlarmTypes", ["MetricAlarm"]):
            return {"MetricAlarms": [], "CompositeAlarms": []}
        found = self.book.describe(params.get("AlarmNames"), params.get("AlarmNamePrefix", ""))
        kept = [
            alarm
            for alarm in found
            if params.get("StateValue", alarm.state) == alarm.state
            and ("ActionPrefix" not in params or _has_action(alarm, params["ActionPrefix"]))
        ]
        items, more = _page(params, kept)
        return {"MetricAlarms": [self._described(alarm) for alarm in items], "CompositeAlarms": []} | more

    def describe_alarms_for_metric(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Those of one metric and exactly these dimensions."""
        wanted = dimensions_of(params.get("Dimensions", []))
        found = [
            alarm
            for alarm in self.book.describe()
            if (alarm.namespace, alarm.metric) == (params["Namespace"], params["MetricName"])
            and set(alarm.dimensions) == set(wanted)
            and params.get(_statistic_name(params), alarm.statistic) == alarm.statistic
            and params.get("Period", alarm.period_s) == alarm.period_s
        ]
        return {"MetricAlarms": [self._described(alarm) for alarm in found]}

    def describe_alarm_history(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Newest first unless ScanBy says otherwise, paged; `HistoryData` is JSON with the datapoints evaluated."""
        items = self.book.history(params.get("AlarmName"))
        is_metric = "MetricAlarm" in params.get("AlarmTypes", ["MetricAlarm"])
        kept = [item for item in items if is_metric and self._is_wanted(params, item)]
        if params.get("ScanBy", "TimestampDescending") == "TimestampDescending":
            kept.reverse()
        shown, more = _page(params, kept)
        return {"AlarmHistoryItems": [self._line(item) for item in shown]} | more

    def delete_alarms(self, params: Params, _request: HttpRequest) -> None:
        """Those that exist, whatever the other names are. Raises ServiceError: one does not exist."""
        names = dict.fromkeys(params["AlarmNames"])
        missing = [name for name in names if self.book.get(name) is None]
        for name in names:
            if name not in missing:
                self.book.delete(name)
        if missing:
            raise _not_found(f"Alarm(s) {', '.join(missing)} not found")

    def set_alarm_state(self, params: Params, _request: HttpRequest) -> None:
        """Until the next evaluation; actions follow at once.

        Raises:
            ServiceError: no such alarm, data that is not JSON.
        """
        if self.book.get(params["AlarmName"]) is None:
            raise _not_found(f"Alarm {params['AlarmName']} not found")
        try:
            data = orjson.loads(params.get("StateReasonData") or "{}")
        except orjson.JSONDecodeError:
            raise ServiceError(
                "InvalidFormatFault", "StateReasonData is not valid JSON", query_error_code="InvalidFormat"
            ) from None
        reason_data = data if isinstance(data, dict) else {"value": data}
        self.book.set_state(params["AlarmName"], params["StateValue"], params["StateReason"], reason_data)

    def _enable(self, params: Params, *, is_enabled: bool) -> None:
        for name in params["AlarmNames"]:
            alarm = self.book.get(name)
            if alarm is not None:
                alarm.actions_enabled = is_enabled

    def _is_wanted(self, params: Params, item: AlarmHistoryItem) -> bool:
        at_ns = self.site.utc_ns(item.at_ns)
        return (
            params.get("HistoryItemType", item.kind) == item.kind
            and ("StartDate" not in params or utc_ns(params["StartDate"]) <= at_ns)
            and ("EndDate" not in params or at_ns <= utc_ns(params["EndDate"]))
        )

    def _at(self, at_ns: int) -> datetime:
        """A stamp of CloudWatch's: whole milliseconds, which is all that its query protocol can write."""
        return utc_datetime(self.site.utc_ns(at_ns) // 1_000_000 * 1_000_000)

    def _line(self, item: AlarmHistoryItem) -> dict[str, Any]:
        return {
            "AlarmName": item.alarm,
            "AlarmType": "MetricAlarm",
            "Timestamp": self._at(item.at_ns),
            "HistoryItemType": item.kind,
            "HistorySummary": item.summary,
            "HistoryData": orjson.dumps(item.data).decode(),
        }

    def _described(self, alarm: Alarm) -> dict[str, Any]:
        state_since = self._at(alarm.updated_ns)
        described: dict[str, Any] = {
            "AlarmName": alarm.name,
            "AlarmArn": alarm_arn(self.site, alarm.name),
            "AlarmConfigurationUpdatedTimestamp": self._at(alarm.configured_ns),
            "ActionsEnabled": alarm.actions_enabled,
            "OKActions": list(alarm.ok_actions),
            "AlarmActions": list(alarm.actions),
            "InsufficientDataActions": list(alarm.insufficient_actions),
            "StateValue": alarm.state,
            "StateReason": alarm.state_reason,
            "StateUpdatedTimestamp": state_since,
            "StateTransitionedTimestamp": state_since,
            **_described_metric(alarm),
            "EvaluationPeriods": alarm.evaluation_periods,
            "Threshold": alarm.threshold,
            "ComparisonOperator": alarm.comparison,
            "TreatMissingData": alarm.treat_missing_data,
        }
        if alarm.state_reason_data:
            described["StateReasonData"] = orjson.dumps(alarm.state_reason_data).decode()
        optional = {
            "AlarmDescription": alarm.description,
            "DatapointsToAlarm": alarm.datapoints_to_alarm,
            "Unit": alarm.unit,
        }
        return described | {key: value for key, value in optional.items() if value is not None}


def alarm_arn(site: Site, name: str) -> str:
    """The alarm's ARN in this region and account."""
    return site.arn("cloudwatch", f"alarm:{name}")


def _has_action(alarm: Alarm, prefix: str) -> bool:
    return any(action.startswith(prefix) for action in alarm.all_actions)


def _check(params: Params) -> None:
    if "ThresholdMetricId" in params:
        raise beyond("evaluate alarms with ThresholdMetricId")
    if params.get("EvaluateLowSampleCountPercentile", "evaluate") != "evaluate":
        raise beyond("leave an alarm as it is for few samples (EvaluateLowSampleCountPercentile)")
    if "Statistic" in params and "ExtendedStatistic" in params:
        raise invalid("You may specify only one of Statistic and ExtendedStatistic.")
    of_one_metric = ("MetricName", "Namespace", _statistic_name(params), "Period")
    if params.get("Metrics"):
        beside = [name for name in (*of_one_metric, "Dimensions", "Unit") if name in params]
        if beside:
            raise invalid(f"If you specify Metrics, you must not specify {beside[0]}.")
    for needed in ("Threshold", *(() if params.get("Metrics") else of_one_metric)):
        if needed not in params:
            raise ServiceError(
                "MissingRequiredParameterException",
                f"The parameter {needed} must be present.",
                query_error_code="MissingParameter",
            )
    if not isfinite(params["Threshold"]):  # as the query protocol and CBOR can say it
        raise invalid(f"The value {params['Threshold']} for parameter Threshold is not a number.")
    if params["ComparisonOperator"] not in COMPARISONS:  # of an anomaly detection band
        raise beyond(f"evaluate alarms with the operator {params['ComparisonOperator']}")
    if params.get("Statistic", "Average") not in STATISTICS:
        raise invalid(f"{params['Statistic']} is not a statistic")
    if "ExtendedStatistic" in params:
        _check_extended(params)
    period_s = _period_s(params)
    span_s = period_s * params["EvaluationPeriods"]
    if span_s > (_SPAN_MAX_S if period_s >= _HOUR_S else _DAY_S):
        text = "must be at most 604800 seconds, and at most 86400 seconds for periods of less than an hour"
        raise invalid(f"The product of Period and EvaluationPeriods {text}")
    if params.get("DatapointsToAlarm", 1) > params["EvaluationPeriods"]:
        raise invalid("DatapointsToAlarm must be less than or equal to EvaluationPeriods")
    if params.get("TreatMissingData", "missing") not in _TREATMENTS:
        raise invalid(f"Unsupported treat missing data value: [{params['TreatMissingData']}]")
    for kind in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        for action in params.get(kind, []):
            if not _ARN.fullmatch(action):
                raise invalid(f"Invalid arn syntax: {action}")


def _statistic_name(params: Params) -> str:
    return "ExtendedStatistic" if "ExtendedStatistic" in params else "Statistic"


def _check_extended(params: Params) -> None:
    name = params["ExtendedStatistic"]
    try:
        known_statistic(name, params.get("Namespace", ""), params.get("MetricName", ""))
    except MathError:
        raise invalid(f"The value {name} for parameter ExtendedStatistic is not supported.") from None
    if name in STATISTICS:
        raise invalid(f"The value {name} for parameter ExtendedStatistic is not supported.")


def _period_s(params: Params) -> int:
    """Raises ServiceError: it is none, or shorter than the minutes that metrics are kept by (501)."""
    metrics = params.get("Metrics") or []
    period_s = period_of(metrics) if metrics else int(params["Period"])
    if period_s % 60 and period_s not in (10, 20, 30):
        raise invalid("Metrics period must be one of 10, 20, 30, or a multiple of 60")
    if period_s < 60 and params.get("Namespace", "").startswith("AWS/"):  # source: public reports of PutMetricAlarm
        raise invalid('Only a period greater than 60s is supported for metrics in the "AWS/" namespaces')
    if period_s < 60:
        raise beyond(f"evaluate alarms by periods of {period_s} seconds: it keeps metrics by the minute")
    return period_s


def _queries(metrics: list[Params]) -> tuple[MetricQuery, ...]:
    try:
        return queries_of(metrics) if metrics else ()
    except MathError as error:
        raise invalid(str(error)) from None


def _described_metric(alarm: Alarm) -> dict[str, Any]:
    if alarm.queries:
        return {"Metrics": described(alarm.queries, alarm.period_s)}
    return {
        "MetricName": alarm.metric,
        "Namespace": alarm.namespace,
        "Statistic" if alarm.statistic in STATISTICS else "ExtendedStatistic": alarm.statistic,
        "Dimensions": [{"Name": name, "Value": value} for name, value in alarm.dimensions],
        "Period": alarm.period_s,
    }


def _not_found(message: str) -> ServiceError:
    return ServiceError("ResourceNotFound", message, 404, query_error_code="ResourceNotFound")


def _page(params: Params, items: list[Any]) -> tuple[list[Any], dict[str, str]]:
    try:
        shown, token = page(items, params.get("NextToken"), params.get("MaxRecords", _PAGE))
    except TokenError:
        raise ServiceError(
            "InvalidNextToken", "The service cannot process the next token.", query_error_code="InvalidNextToken"
        ) from None
    return shown, {} if token is None else {"NextToken": token}
