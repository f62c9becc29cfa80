"""CloudWatch alarms: M of N datapoints, evaluated every UTC minute on what is visible then.

Rules of the whole file. When points are missing, the alarm looks further back than N; real points count before the
treatment of missing ones does; Auto Scaling's actions are repeated every minute while the state is ALARM.

Source: CloudWatch user guide, "Using Amazon CloudWatch alarms" and "Configuring how alarms treat missing data".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from smbench.model.event_queue import EventQueue
from smbench.model.metrics import Dimensions, MetricId, MetricStore
from smbench.model.series import MINUTE_NS, MINUTE_S, Datapoint, combine

OK = "OK"
ALARM = "ALARM"
INSUFFICIENT_DATA = "INSUFFICIENT_DATA"

# The guide's example retrieves 5 points for N = 3 and says only that there are more than N.
_EXTRA_POINTS = 2

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
_WORDS = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
COMPARISONS = tuple(_COMPARISONS)


@dataclass(slots=True)
class Alarm:
    """One alarm: what PutMetricAlarm said, and the state it is in."""

    name: str
    namespace: str
    metric: str
    dimensions: Dimensions
    statistic: str
    comparison: str
    threshold: float
    period_s: int = MINUTE_S
    evaluation_periods: int = 1
    datapoints_to_alarm: int | None = None  # None: all of the evaluation periods
    treat_missing_data: str = "missing"  # missing | breaching | notBreaching | ignore
    actions: tuple[str, ...] = ()  # ARNs, while in ALARM
    ok_actions: tuple[str, ...] = ()
    insufficient_actions: tuple[str, ...] = ()
    actions_enabled: bool = True
    description: str | None = None
    unit: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    state: str = INSUFFICIENT_DATA
    state_reason: str = "Unchecked: Initial alarm creation"
    state_reason_data: dict[str, object] = field(default_factory=dict)
    updated_ns: int = 0  # of the state
    configured_ns: int = 0
    value: float | None = None  # the newest datapoint of the last evaluation; what a scaling policy goes by

    @property
    def metric_id(self) -> MetricId:
        """The metric it watches."""
        return MetricId.of(self.namespace, self.metric, self.dimensions)

    @property
    def is_breached_above(self) -> bool:
        """Whether high values set it off."""
        return self.comparison.startswith("Greater")


@dataclass(frozen=True, slots=True)
class AlarmHistoryItem:
    """One line of an alarm's history."""

    at_ns: int
    kind: str  # StateUpdate | Action | ConfigurationUpdate
    alarm: str
    summary: str
    data: dict[str, object]
    old_state: str = ""  # of a StateUpdate
    new_state: str = ""
    reason: str = ""


def judge(points: Sequence[bool | None], n: int, m: int, treatment: str) -> str | None:
    """The state that a row of datapoints stands for.

    Args:
        points: Oldest first, the whole evaluation range; True: breaching, None: missing.
        n: Evaluation periods.
        m: Datapoints to alarm.
        treatment: Of missing data.

    Returns:
        The state; None to keep the present one.

    Source: the two tables of "Configuring how CloudWatch alarms treat missing data", all ten rows of which hold here.
    """
    real = [point for point in points if point is not None]
    if len(real) >= n:
        return ALARM if sum(real[-n:]) >= m else OK
    if not real:
        return {"breaching": ALARM, "notBreaching": OK, "ignore": None}.get(treatment, INSUFFICIENT_DATA)
    breaching = sum(real)
    if treatment == "breaching":
        breaching += n - len(real)
    elif treatment != "notBreaching" and breaching < m and all(real):
        # "Premature" rule: nothing speaks against the alarm, and the oldest breach is M points old or older.
        if treatment == "ignore":
            return None
        oldest_age = len(points) - next(place for place, point in enumerate(points) if point is not None)
        return ALARM if oldest_age >= m else OK
    return ALARM if breaching >= m else OK


class AlarmBook:
    """All alarms of one account.

    Attributes:
        on_action: Called for each alarm in ALARM whose actions are enabled, on the change and every minute after.
    """

    def __init__(self, event_queue: EventQueue, metrics: MetricStore) -> None:
        self._event_queue, self._metrics = event_queue, metrics
        self._alarms: dict[str, Alarm] = {}
        self._history: list[AlarmHistoryItem] = []
        self.on_action: list[Callable[[Alarm], None]] = []
        metrics.on_closed.append(self.evaluate)

    def put(self, alarm: Alarm) -> None:
        """Make or change an alarm. One that exists keeps its state until the next evaluation."""
        now_ns = self._event_queue.now_ns
        known = self._alarms.get(alarm.name)
        if known is None:
            alarm.updated_ns = now_ns
        else:
            alarm.state, alarm.state_reason, alarm.state_reason_data, alarm.updated_ns, alarm.value = (
                known.state,
                known.state_reason,
                known.state_reason_data,
                known.updated_ns,
                known.value,
            )
        alarm.configured_ns = now_ns
        self._alarms[alarm.name] = alarm
        verb = "created" if known is None else "updated"
        kind = "Create" if known is None else "Update"
        self._note("ConfigurationUpdate", alarm.name, f'Alarm "{alarm.name}" {verb}', {"version": "1.0", "type": kind})

    def delete(self, name: str) -> None:
        """Forget an alarm, if there is one; its history stays."""
        if self._alarms.pop(name, None) is not None:
            data: dict[str, object] = {"version": "1.0", "type": "Delete"}
            self._note("ConfigurationUpdate", name, f'Alarm "{name}" deleted', data)

    def get(self, name: str) -> Alarm | None:
        """By name; None where there is none."""
        return self._alarms.get(name)

    def describe(self, names: Sequence[str] | None = None, prefix: str = "") -> list[Alarm]:
        """By name, those of `names` or those that begin with `prefix`."""
        chosen = self._alarms if names is None else [name for name in names if name in self._alarms]
        return [self._alarms[name] for name in sorted(chosen) if name.startswith(prefix)]

    def history(self, name: str | None = None) -> list[AlarmHistoryItem]:
        """Oldest first, of one alarm or of all."""
        return [item for item in self._history if name is None or item.alarm == name]

    def set_state(self, name: str, state: str, reason: str, reason_data: dict[str, object] | None = None) -> None:
        """SetAlarmState: for a test of its actions; lasts until the next evaluation.

        Raises:
            KeyError: there is no such alarm.
        """
        alarm = self._alarms[name]
        if self._change(alarm, state, reason, reason_data or {}):
            self._act(alarm)

    def evaluate(self) -> None:
        """Evaluate every alarm on what is visible now; at the end of each UTC minute."""
        for alarm in list(self._alarms.values()):
            self._evaluate(alarm)
            self._act(alarm)

    def _evaluate(self, alarm: Alarm) -> None:
        n = alarm.evaluation_periods
        m = n if alarm.datapoints_to_alarm is None else alarm.datapoints_to_alarm
        periods = self._periods(alarm, n + _EXTRA_POINTS)
        values = [None if period is None else period.value(alarm.statistic) for period in periods]
        is_breaching = _COMPARISONS[alarm.comparison]
        breaches = [None if value is None else is_breaching(value, alarm.threshold) for value in values]
        state = judge(breaches, n, m, alarm.treat_missing_data)
        real = [(period, value) for period, value in zip(periods, values, strict=True) if period and value is not None]
        alarm.value = real[-1][1] if real else None
        if state is None or state == alarm.state:
            return
        recent = real[-n:]
        reason = self._reason(alarm, state, n, m, [value for _, value in recent])
        self._change(alarm, state, reason, self._reason_data(alarm, recent))

    def _periods(self, alarm: Alarm, count: int) -> list[Datapoint | None]:
        """The newest `count` periods about which all is known, oldest first; None where there is no datapoint."""
        metric = alarm.metric_id
        minutes = max(1, alarm.period_s // MINUTE_S)
        end_ns = self._metrics.newest_known_end_ns(metric)
        start_ns = end_ns - count * minutes * MINUTE_NS
        by_period: dict[int, list[Datapoint]] = {}
        for point in self._metrics.datapoints(*metric, start_ns, end_ns):
            by_period.setdefault((point.start_ns - start_ns) // (minutes * MINUTE_NS), []).append(point)
        return [combine(by_period[period]) if period in by_period else None for period in range(count)]

    def _change(self, alarm: Alarm, state: str, reason: str, reason_data: dict[str, object]) -> bool:
        if state == alarm.state:
            return False
        now_ns, before, old = self._event_queue.now_ns, alarm.state, _state_of(alarm)
        alarm.state, alarm.state_reason, alarm.state_reason_data, alarm.updated_ns = state, reason, reason_data, now_ns
        data: dict[str, object] = {"version": "1.0", "oldState": old, "newState": _state_of(alarm)}
        summary = f"Alarm updated from {before} to {state}"
        self._history.append(AlarmHistoryItem(now_ns, "StateUpdate", alarm.name, summary, data, before, state, reason))
        return True

    def _act(self, alarm: Alarm) -> None:
        if alarm.state != ALARM or not alarm.actions_enabled or not alarm.actions:
            return
        for action in alarm.actions:
            data: dict[str, object] = {"actionState": "Succeeded", "notificationResource": action}
            self._note("Action", alarm.name, f"Successfully executed action {action}", data)
        for act in self.on_action:
            act(alarm)

    def _note(self, kind: str, name: str, summary: str, data: dict[str, object]) -> None:
        self._history.append(AlarmHistoryItem(self._event_queue.now_ns, kind, name, summary, data))

    def _reason(self, alarm: Alarm, state: str, n: int, m: int, values: list[float]) -> str:
        if state == INSUFFICIENT_DATA:
            return f"Insufficient Data: {n} datapoints were unknown."
        breaching = sum(_COMPARISONS[alarm.comparison](value, alarm.threshold) for value in values)
        if state == ALARM:
            counted, negation, needed, change = breaching, "", m, "OK -> ALARM"
        else:
            counted, negation, needed, change = len(values) - breaching, "not ", n - m + 1, "ALARM -> OK"
        shown = ", ".join(repr(round(value, 6)) for value in reversed(values))
        return (
            f"Threshold Crossed: {counted} out of the last {len(values)} datapoints [{shown}] "
            f"{'was' if counted == 1 else 'were'} {negation}{_WORDS[alarm.comparison]} the threshold "
            f"({alarm.threshold}) (minimum {needed} datapoint{'' if needed == 1 else 's'} for {change} transition)."
        )

    def _reason_data(self, alarm: Alarm, recent: list[tuple[Datapoint, float]]) -> dict[str, object]:
        data: dict[str, object] = {
            "version": "1.0",
            "queryDate": self._stamp(self._event_queue.now_ns),
            "statistic": alarm.statistic,
            "period": alarm.period_s,
            "recentDatapoints": [value for _, value in recent],
            "threshold": alarm.threshold,
            "evaluatedDatapoints": [
                {"timestamp": self._stamp(point.start_ns), "sampleCount": point.sample_count, "value": value}
                for point, value in reversed(recent)
            ],
        }
        if recent:
            data["startDate"] = self._stamp(recent[0][0].start_ns)
        return data

    def _stamp(self, at_ns: int) -> str:
        utc_ms = (self._metrics.epoch_ns + at_ns) // 1_000_000
        at = datetime.fromtimestamp(utc_ms // 1000, UTC).replace(microsecond=utc_ms % 1000 * 1000)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "+0000")


def _state_of(alarm: Alarm) -> dict[str, object]:
    return {
        "stateValue": alarm.state,
        "stateReason": alarm.state_reason,
        "stateReasonData": alarm.state_reason_data,
    }
