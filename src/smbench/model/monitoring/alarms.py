"""CloudWatch alarms in the model: M of N datapoints; each alarm is evaluated once a minute, at its own second, on what
is visible. One whose period is ten seconds is evaluated every ten seconds.

Rules of the whole file. An alarm keeps its second as long as it exists. When points are missing, the alarm looks
further back than N; real points count before the treatment of missing ones does; each state has its actions, and those
that are scaling policies are repeated every minute while the state lasts. Other actions are not carried out here.

Source: CloudWatch user guide, "Using Amazon CloudWatch alarms" and "Configuring how alarms treat missing data"; for
the second of the minute the `queryDate`s of public alarm histories (docs/methods.md, "The auto-scaler's clock").
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from smbench.model.event_queue import Entry, EventQueue
from smbench.model.monitoring.metrics import Dimensions, MetricId, MetricStore
from smbench.model.monitoring.series import FINE_NS, MINUTE_NS, MINUTE_S
from smbench.model.monitoring.watched import MetricQuery, Point, Watched
from smbench.model.service import Sampler, Seeds
from smbench.scenario.emulated import OpenQuestions
from smbench.scenario.values.distributions import Distribution
from smbench.scenario.values.seeds import stream

OK = "OK"
ALARM = "ALARM"
INSUFFICIENT_DATA = "INSUFFICIENT_DATA"

_NOT_CARRIED_OUT = "the emulator carries out actions that are scaling policies, and no others"
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
    """One alarm: what PutMetricAlarm said, and the state it is in.

    Attributes:
        queries: `Metrics`, in place of namespace, metric, dimensions and statistic, which are empty then.
        phase_key: What the second of its evaluations is drawn by; empty: its name.
    """

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
    actions: tuple[str, ...] = ()  # ARNs, in ALARM
    ok_actions: tuple[str, ...] = ()
    insufficient_actions: tuple[str, ...] = ()
    actions_enabled: bool = True
    description: str | None = None
    unit: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    queries: tuple[MetricQuery, ...] = ()
    phase_key: str = ""
    state: str = INSUFFICIENT_DATA
    state_reason: str = "Unchecked: Initial alarm creation"
    state_reason_data: dict[str, object] = field(default_factory=dict)
    updated_ns: int = 0  # of the state
    configured_ns: int = 0
    acted_ns: int = 0  # when its actions were carried out last
    value: float | None = None  # the newest datapoint of the last evaluation; what a scaling policy goes by

    @property
    def beat_ns(self) -> int:
        """From one evaluation to the next."""
        return FINE_NS if self.period_s < MINUTE_S else MINUTE_NS

    @property
    def metric_id(self) -> MetricId:
        """The metric it watches."""
        return MetricId.of(self.namespace, self.metric, self.dimensions)

    @property
    def points_to_alarm(self) -> int:
        return self.evaluation_periods if self.datapoints_to_alarm is None else self.datapoints_to_alarm

    @property
    def actions_now(self) -> tuple[str, ...]:
        """Those of the state that it is in."""
        return {OK: self.ok_actions, ALARM: self.actions}.get(self.state, self.insufficient_actions)

    @property
    def all_actions(self) -> tuple[str, ...]:
        """Those of every state."""
        return (*self.actions, *self.ok_actions, *self.insufficient_actions)

    @property
    def watched(self) -> Watched:
        return Watched(None if self.queries else self.metric_id, self.statistic, self.queries, self.period_s)

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
    """The state that a row of datapoints means.

    Args:
        points: Oldest first, the whole evaluation range; True: breaching, None: missing.
        n: Evaluation periods.
        m: Datapoints to alarm.
        treatment: Of missing data.

    Returns:
        The state; None to keep the present one.

    Source: the two tables of "Configuring how CloudWatch alarms treat missing data", whose ten rows all hold here.
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

    Args:
        phase: The second of the minute at which an alarm is evaluated; drawn once for each.
        seconds: Those that are known, by phase key or name.

    Attributes:
        on_action: Called for each alarm whose actions are enabled and, in its state, have a scaling policy among them,
            on the change and every minute after.
    """

    def __init__(
        self,
        event_queue: EventQueue,
        metrics: MetricStore,
        *,
        phase: Distribution | None = None,
        seconds: Mapping[str, float] | None = None,
        seeds: Seeds | None = None,
        base_dir: Path | None = None,
    ) -> None:
        self._event_queue, self._metrics = event_queue, metrics
        self._phase = OpenQuestions().alarm_phase if phase is None else phase
        self._seconds = seconds or {}
        self._seeds, self._base_dir = seeds or Seeds(), base_dir
        self._alarms: dict[str, Alarm] = {}
        self._turns: dict[str, Entry] = {}  # the next evaluation of each
        self._history: list[AlarmHistoryItem] = []
        self.on_action: list[Callable[[Alarm], None]] = []

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
            alarm.acted_ns = known.acted_ns
        alarm.configured_ns = now_ns
        self._alarms[alarm.name] = alarm
        if alarm.name not in self._turns:
            self._take_turns(alarm)
        verb = "created" if known is None else "updated"
        kind = "Create" if known is None else "Update"
        self._note("ConfigurationUpdate", alarm.name, f'Alarm "{alarm.name}" {verb}', {"version": "1.0", "type": kind})

    def delete(self, name: str) -> None:
        """Forget an alarm, if there is one; its history stays."""
        if self._alarms.pop(name, None) is not None:
            self._turns.pop(name).cancel()
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
        self._look(alarm)
        if self._change(alarm, state, reason, reason_data or {}):
            self._act(alarm, has_changed=True)

    def remember(self) -> None:
        """Bring every alarm into the state that what is visible now means, as if long ago: without any action."""
        for alarm in self._alarms.values():
            state, points = self._judged(alarm)
            if state is not None:
                alarm.state = state
                alarm.state_reason = self._reason(alarm, state, points)
                alarm.state_reason_data = self._reason_data(alarm, points)

    def _take_turns(self, alarm: Alarm) -> None:
        key = alarm.phase_key or alarm.name
        sampler = Sampler(self._phase, stream(self._seeds.capacity, f"capacity.alarm_phase.{key}"), self._base_dir)
        second_s = self._seconds[key] if key in self._seconds else sampler.draw_s()
        beat_ns = alarm.beat_ns
        phase_ns = round(second_s * 1e3) * 1_000_000 % beat_ns  # a stamp of CloudWatch's has milliseconds
        now_ns = self._event_queue.now_ns
        since_ns = (self._metrics.epoch_ns + now_ns - phase_ns) % beat_ns
        self._next_turn(alarm.name, now_ns + beat_ns - since_ns)

    def _next_turn(self, name: str, due_ns: int) -> None:
        self._turns[name] = self._event_queue.at(due_ns, partial(self._turn, name))

    def _turn(self, name: str) -> None:
        self._metrics.roll()  # on the stroke, the minute that is over counts
        alarm = self._alarms[name]
        self._next_turn(name, self._event_queue.now_ns + alarm.beat_ns)
        self._evaluate(alarm)

    def _evaluate(self, alarm: Alarm) -> None:
        state, points = self._judged(alarm)
        has_changed = state is not None and state != alarm.state
        if state is not None and has_changed:
            self._change(alarm, state, self._reason(alarm, state, points), self._reason_data(alarm, points))
        self._act(alarm, has_changed=has_changed)

    def _look(self, alarm: Alarm) -> list[Point | None]:
        """The evaluation range, the oldest first; the alarm's value is its newest."""
        points = alarm.watched.newest(self._metrics, alarm.evaluation_periods + _EXTRA_POINTS)
        alarm.value = next((point.value for point in reversed(points) if point is not None), None)
        return points

    def _judged(self, alarm: Alarm) -> tuple[str | None, list[Point]]:
        """The state that what is visible now means, None to keep the present one; and the newest real points."""
        points = self._look(alarm)
        is_breaching = _COMPARISONS[alarm.comparison]
        breaches = [None if point is None else is_breaching(point.value, alarm.threshold) for point in points]
        state = judge(breaches, alarm.evaluation_periods, alarm.points_to_alarm, alarm.treat_missing_data)
        return state, [point for point in points if point is not None][-alarm.evaluation_periods :]

    def _change(self, alarm: Alarm, state: str, reason: str, reason_data: dict[str, object]) -> bool:
        if state == alarm.state:
            return False
        now_ns, before, old = self._event_queue.now_ns, alarm.state, _state_of(alarm)
        alarm.state, alarm.state_reason, alarm.state_reason_data, alarm.updated_ns = state, reason, reason_data, now_ns
        data: dict[str, object] = {"version": "1.0", "oldState": old, "newState": _state_of(alarm)}
        summary = f"Alarm updated from {before} to {state}"
        self._history.append(AlarmHistoryItem(now_ns, "StateUpdate", alarm.name, summary, data, before, state, reason))
        return True

    def _act(self, alarm: Alarm, *, has_changed: bool) -> None:
        if not alarm.actions_enabled or not (actions := alarm.actions_now):
            return
        now_ns = self._event_queue.now_ns
        if alarm.beat_ns < MINUTE_NS and not has_changed and now_ns < alarm.acted_ns + MINUTE_NS:
            return  # source: the guide, whose "once per minute" is of every alarm
        alarm.acted_ns = now_ns
        for action in actions:
            if _is_policy(action):
                data: dict[str, object] = {"actionState": "Succeeded", "notificationResource": action}
                self._note("Action", alarm.name, f"Successfully executed action {action}", data)
            elif has_changed:  # source: the guide, which excepts Auto Scaling's actions alone from acting but once
                data = {"actionState": "Failed", "notificationResource": action, "error": _NOT_CARRIED_OUT}
                summary = f'Failed to execute action {action}. Received error: "{_NOT_CARRIED_OUT}"'
                self._note("Action", alarm.name, summary, data)
        if any(map(_is_policy, actions)):
            for act in self.on_action:
                act(alarm)

    def _note(self, kind: str, name: str, summary: str, data: dict[str, object]) -> None:
        self._history.append(AlarmHistoryItem(self._event_queue.now_ns, kind, name, summary, data))

    def _reason(self, alarm: Alarm, state: str, recent: Sequence[Point]) -> str:
        """In CloudWatch's words; those of missing datapoints as public alarm histories have them."""
        n, m = alarm.evaluation_periods, alarm.points_to_alarm
        if state == INSUFFICIENT_DATA:
            return f"Insufficient Data: {n} datapoints were unknown."
        treated = {"breaching": "Breaching", "notBreaching": "NonBreaching"}.get(alarm.treat_missing_data)
        if treated is not None and (n_missing := n - len(recent)):
            return (
                f"Threshold Crossed: {len(recent) or 'no'} datapoint{_s_were(len(recent))} received for {n} "
                f"period{'' if n == 1 else 's'} and {n_missing} missing datapoint{_s_were(n_missing)} treated as "
                f"[{treated}]."
            )
        breaching = sum(_COMPARISONS[alarm.comparison](point.value, alarm.threshold) for point in recent)
        if state == ALARM:
            counted, negation, needed, change = breaching, "", m, "OK -> ALARM"
        else:
            counted, negation, needed, change = len(recent) - breaching, "not ", n - m + 1, "ALARM -> OK"
        shown = ", ".join(f"{round(point.value, 6)!r} ({self._second(point.start_ns)})" for point in reversed(recent))
        return (
            f"Threshold Crossed: {counted} out of the last {len(recent)} datapoints [{shown}] "
            f"{'was' if counted == 1 else 'were'} {negation}{_WORDS[alarm.comparison]} the threshold "
            f"({alarm.threshold}) (minimum {needed} datapoint{'' if needed == 1 else 's'} for {change} transition)."
        )

    def _reason_data(self, alarm: Alarm, recent: Sequence[Point]) -> dict[str, object]:
        data: dict[str, object] = {
            "version": "1.0",
            "queryDate": self._stamp(self._event_queue.now_ns),
            **({} if alarm.queries else {"statistic": alarm.statistic}),
            "period": alarm.period_s,
            "recentDatapoints": [point.value for point in recent],
            "threshold": alarm.threshold,
            "evaluatedDatapoints": [
                {
                    "timestamp": self._stamp(point.start_ns),
                    **({} if point.sample_count is None else {"sampleCount": point.sample_count}),
                    "value": point.value,
                }
                for point in reversed(recent)
            ],
        }
        if recent:
            data["startDate"] = self._stamp(recent[0].start_ns)
        return data

    def _second(self, at_ns: int) -> str:
        at = datetime.fromtimestamp((self._metrics.epoch_ns + at_ns) // 1_000_000_000, UTC)
        return at.strftime("%d/%m/%y %H:%M:%S")

    def _stamp(self, at_ns: int) -> str:
        utc_ms = (self._metrics.epoch_ns + at_ns) // 1_000_000
        at = datetime.fromtimestamp(utc_ms // 1000, UTC).replace(microsecond=utc_ms % 1000 * 1000)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "+0000")


def _is_policy(action: str) -> bool:
    return action.split(":")[2:3] == ["autoscaling"]


def _s_were(n: int) -> str:
    """What follows "datapoint" for so many of them."""
    return " was" if n == 1 else "s were"


def _state_of(alarm: Alarm) -> dict[str, object]:
    return {
        "stateValue": alarm.state,
        "stateReason": alarm.state_reason,
        "stateReasonData": alarm.state_reason_data,
    }
