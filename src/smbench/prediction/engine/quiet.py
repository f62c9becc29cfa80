"""Minutes and alarms that change nothing, worked through by compiled loops; the model does all the rest.

Between two changes of the fleet most minutes end and most alarms look without any consequence. `minutes.quiet` takes
such a stretch in one call, with the requests in it. The metric store's datapoints are in arrays that both sides read.
"""

import heapq
import math
from pathlib import Path
from typing import Any, cast

import numpy as np

from smbench.model.monitoring.alarms import ALARM, INSUFFICIENT_DATA, OK, Alarm, AlarmBook
from smbench.model.monitoring.metrics import Dimensions, MetricId, MetricStore
from smbench.model.monitoring.series import MINUTE_NS, Datapoint, Statistics
from smbench.model.scaling.scaler import AutoScaler
from smbench.model.service import Sampler
from smbench.prediction.engine.compiled import CompiledPlane
from smbench.prediction.engine.data_plane import LAST, NEVER
from smbench.prediction.engine.fast_world import KNOWN_METRICS, FastQueue, FastWorld, Minute
from smbench.scenario.emulated import Emulated
from smbench.scenario.model import Scenario
from smbench.scenario.values.seeds import stream

MINUTES_MAX = 100_000  # two months: room for their datapoints, some 15 MB
_STATES = (OK, ALARM, INSUFFICIENT_DATA)
_COMPARISONS = (
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
)
_TREATMENTS = ("missing", "breaching", "notBreaching", "ignore")
_TRACKING_HIGH, _TRACKING_LOW, _STEP, _NO_ACTION = range(4)


def is_quiet(emulated: Emulated) -> bool:
    """Whether these loops know the minutes of an endpoint: all published, none from before the run."""
    return not emulated.initial.minutes and not emulated.faults.metric_gaps


class Timeline:
    """Minutes and turns that are due, and the gauges' minutes: arrays for the compiled loops.

    Args:
        n_minutes: That can end before the run is over.
    """

    def __init__(self, n_minutes: int) -> None:
        n_series = len(KNOWN_METRICS)
        self.clock = np.zeros(7, dtype=np.int64)
        self.roll_due, self.roll_order = np.full(2, NEVER), np.zeros(2, dtype=np.int64)
        self.turn_due, self.turn_order = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        self.area, self.defined = np.zeros(n_series), np.zeros(n_series, dtype=np.int64)
        shape = (n_series, n_minutes)
        self.delays, self.n_published = np.zeros(shape), np.zeros(n_series, dtype=np.int64)
        self.is_there, self.visible = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.int64)
        self.averages, self.sums, self.counts = np.zeros(shape), np.zeros(shape), np.zeros(shape)

    @property
    def n_minutes(self) -> int:
        """Room for so many."""
        return self.delays.shape[1]

    def enter_roll(self, due_ns: int, order: int) -> None:
        """The end of the minute is due."""
        free = 0 if self.roll_due[0] == NEVER else 1
        self.roll_due[free], self.roll_order[free] = due_ns, order

    def next(self) -> tuple[int, int, int]:
        """Due instant, order and alarm of what is due first; -1 and -2: the end of a minute."""
        turns = zip(self.turn_due.tolist(), self.turn_order.tolist(), range(len(self.turn_due)), strict=True)
        rolls = zip(self.roll_due.tolist(), self.roll_order.tolist(), (-1, -2), strict=True)
        return min((*turns, *rolls))


class QuietQueue(FastQueue):
    """As `FastQueue`, with minutes and turns in a timeline."""

    store: "ArrayStore"
    book: "QuietBook"
    scaler: AutoScaler

    def __init__(self, plane: CompiledPlane, n_minutes: int) -> None:
        from smbench.prediction.engine import minutes  # numba takes a second to load

        super().__init__(plane)
        self.minutes: Any = minutes
        self.timeline = Timeline(n_minutes)

    def order(self) -> int:
        """That of something that is entered now."""
        self._n_entered += 1
        return self._n_entered

    def next_due_ns(self) -> int | None:
        """When the next entry, minute's end or turn is due."""
        entered, (due_ns, _, _) = super().next_due_ns(), self.timeline.next()
        return due_ns if entered is None else min(entered, due_ns)

    def advance(self, to_ns: int) -> None:
        """As every event queue."""
        heap = self._heap
        while True:
            super().next_due_ns()  # drops what was cancelled
            limit_ns, limit_order = heap[0][:2] if heap else (NEVER, LAST)
            stopped = self._run_quietly(to_ns, limit_ns, limit_order)
            if stopped >= 0:
                self.book.finish_turn(stopped)
            elif stopped == self.minutes.UNKNOWN_TO_IT:
                self._take_the_next()
            elif limit_ns <= to_ns:
                _, _, entry = heapq.heappop(heap)
                action, entry.action = entry.action, None
                self._catch_up(limit_ns, limit_order)
                if action is not None:
                    action()
            else:
                break
        self._catch_up(to_ns, LAST)

    def _take_the_next(self) -> None:
        """The earliest minute's end or turn, by the model."""
        due_ns, order, which = self.timeline.next()
        self._catch_up(due_ns, order)
        if which < 0:
            self.timeline.roll_due[-1 - which] = NEVER
            self.store.roll()
        else:
            self.book.take_turn(which)

    def _catch_up(self, due_ns: int, order: int) -> None:
        self.plane.n_entered = self._n_entered
        self.endpoint.catch_up(due_ns, order)
        self._n_entered = self.plane.n_entered
        self.now_ns = due_ns

    def _run_quietly(self, to_ns: int, limit_ns: int, limit_order: int) -> int:
        """Work through minutes and turns; what `minutes.quiet` returns."""
        plane, line, endpoint, minutes = cast(CompiledPlane, self.plane), self.timeline, self.endpoint, self.minutes
        alarms = self.book.settings()
        plane.n_entered = self._n_entered
        line.clock[minutes.NOW] = self.now_ns
        line.clock[minutes.ARRIVED], line.clock[minutes.BACKLOG_NOW] = plane.n_arrived, plane.backlog
        line.clock[minutes.OVER] = 0
        stopped = int(
            minutes.quiet(
                to_ns, limit_ns, limit_order, line.clock, endpoint.in_service, endpoint.at_zero_as_one,
                *self.book.skips(self.scaler, endpoint.desired, is_updating=endpoint.is_updating),
                line.roll_due, line.roll_order, line.turn_due, line.turn_order,
                *alarms, self.store.omits_zeros, line.area, line.defined, line.delays, line.n_published,
                line.is_there, line.averages, line.sums, line.counts, line.visible, *plane.lend(),
            )
        )  # fmt: skip
        now_ns, _, _, _, n_arrived, backlog, n_over = line.clock.tolist()
        plane.take_back(now_ns, n_arrived, backlog, n_over)
        self.now_ns = now_ns
        self._n_entered = plane.n_entered
        self.book.read_values()
        return stopped


class _ArrayMinute:
    """A gauge's minute in the timeline."""

    def __init__(self, line: Timeline, series: int) -> None:
        self._line, self._series = line, series

    def add(self, area: float, defined_ns: int) -> None:
        self._line.area[self._series] += area
        self._line.defined[self._series] += defined_ns


class ArrayStore(MetricStore):
    """The metric store of one endpoint, whose datapoints are in a timeline."""

    def __init__(self, event_queue: QuietQueue, epoch_ns: int, **settings: Any) -> None:
        self._line, self._minutes, self._queue = event_queue.timeline, event_queue.minutes, event_queue
        self._places: dict[MetricId, int] = {}
        self.omits_zeros = False
        event_queue.store = self
        super().__init__(event_queue, epoch_ns, **settings)
        self._first_ns = self.minute_start_ns

    @property
    def minute_start_ns(self) -> int:
        return int(self._line.clock[self._minutes.MINUTE_START])

    @minute_start_ns.setter
    def minute_start_ns(self, at_ns: int) -> None:
        self._line.clock[self._minutes.MINUTE_START] = at_ns

    @property
    def minute_end_ns(self) -> int:
        return int(self._line.clock[self._minutes.MINUTE_END])

    @minute_end_ns.setter
    def minute_end_ns(self, at_ns: int) -> None:
        self._line.clock[self._minutes.MINUTE_END] = at_ns

    def place_of(self, metric: MetricId) -> int:
        """Of a series in the timeline."""
        return self._places[metric]

    def minute(self, metric: MetricId, *, omits_zeros: bool) -> Minute:
        """That of a gauge, from now on the series' own."""
        place = self._places[metric] = len(self._places)
        use = f"{metric.namespace}.{metric.name}." + ",".join(f"{key}={value}" for key, value in metric.dimensions)
        delay = Sampler(self._delay, stream(self._seeds.capacity, f"capacity.metric_delay.{use}"), self._base_dir)
        self._line.delays[place] = delay.first_s(self._line.n_minutes)
        self.omits_zeros = omits_zeros
        return _ArrayMinute(self._line, place)

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
        """As every store."""
        place, line = self._places[MetricId(namespace, name, dimensions)], self._line
        visible_ns = self._queue.now_ns if visible_at_ns is None else visible_at_ns
        first = max(0, (start_ns - self._first_ns) // MINUTE_NS)
        last = max(first, (end_ns - self._first_ns) // MINUTE_NS)
        found = []
        for minute in range(first, last):
            if line.is_there[place, minute] and line.visible[place, minute] <= visible_ns:
                total, n = float(line.sums[place, minute]), float(line.counts[place, minute])
                at_ns = self._first_ns + minute * MINUTE_NS
                statistics = Statistics(total, n, 0.0, 0.0)
                found.append(Datapoint.of(at_ns, statistics, int(line.visible[place, minute]), "Count"))
        return found

    def newest_known_end_ns(self, metric: MetricId) -> int:
        """As every store."""
        line, minute = self._line, int(self._line.clock[self._minutes.MINUTE])
        end = self._minutes.newest_known(self._places[metric], minute, self._queue.now_ns, line.is_there, line.visible)
        return self.minute_start_ns - (minute - int(end)) * MINUTE_NS

    def _await_end_of_minute(self) -> None:
        self._line.enter_roll(self.minute_end_ns, self._queue.order())

    def _close_minute(self) -> None:
        line = self._line
        self._minutes.close_minute(
            line.clock, self.omits_zeros, line.area, line.defined, line.delays, line.n_published, line.is_there,
            line.averages, line.sums, line.counts, line.visible,
        )  # fmt: skip
        self._await_end_of_minute()


class QuietBook(AlarmBook):
    """The alarms of one endpoint, whose turns are in a timeline."""

    def __init__(self, event_queue: QuietQueue, metrics: ArrayStore, **settings: Any) -> None:
        super().__init__(event_queue, metrics, **settings)
        self._queue, self._line, self._store = event_queue, event_queue.timeline, metrics
        self._names: list[str] = []  # in the order of turns in the timeline
        self._is_apart = False
        self._states, self._watched = np.zeros(0, dtype=np.int64), np.zeros((0, 6), dtype=np.int64)
        self._thresholds, self._values = np.zeros(0), np.zeros(0)
        self._acts = np.zeros(0, dtype=np.int64)
        event_queue.book = self

    def _next_turn(self, name: str, due_ns: int) -> None:
        line = self._line
        if name not in self._names:
            self._names.append(name)
            line.turn_due = np.append(line.turn_due, 0)
            line.turn_order = np.append(line.turn_order, 0)
        place = self._names.index(name)
        line.turn_due[place], line.turn_order[place] = due_ns, self._queue.order()

    def take_turn(self, place: int) -> None:
        """A whole turn, by the model."""
        self._turn(self._names[place])
        self._states = np.zeros(0, dtype=np.int64)  # to be read again

    def finish_turn(self, place: int) -> None:
        """What is left of a turn that the loops began: the state that they found, and the alarm's actions."""
        alarm, state = self._alarms[self._names[place]], _STATES[self._states[place]]
        if state != alarm.state:
            alarm.state, alarm.updated_ns = state, self._queue.now_ns
        if state == ALARM and self._acts[place] != _NO_ACTION:
            for act in self.on_action:
                act(alarm)

    def skips(self, scaler: AutoScaler, desired: int, *, is_updating: bool) -> tuple[int, int, bool, bool, bool]:
        """What the loops need to know to pass over an alarm whose action would change nothing."""
        (target,) = scaler.describe_targets()
        questions, cooldown = scaler.settings.open_questions, target.cooldown
        delay_ns = round(scaler.settings.action_delay_s * 1e9)
        until_ns = 0
        if cooldown is not None and not cooldown.is_out:
            until_ns = NEVER if cooldown.until_ns is None else cooldown.until_ns
        if not self._is_apart:
            return delay_ns, 0, False, False, False
        return (
            delay_ns,
            until_ns,
            desired <= target.min_capacity,
            desired >= target.max_capacity or (not desired and not questions.tracking_leaves_zero),
            is_updating and questions.serialise_updates,
        )

    def settings(self) -> tuple[Any, ...]:
        """States, kinds of action, what is watched, thresholds and values of the alarms, for the loops."""
        if len(self._states) != len(self._names):
            self._read_alarms()
        return self._states, self._acts, self._watched, self._thresholds, self._values

    def read_values(self) -> None:
        """Take over the alarms' values from the loops."""
        for alarm, value in zip(self._listed(), self._values.tolist(), strict=True):
            alarm.value = None if math.isnan(value) else value

    def _listed(self) -> list[Alarm]:
        return [self._alarms[name] for name in self._names]

    def _read_alarms(self) -> None:
        seconds = {due_ns % MINUTE_NS for due_ns in self._line.turn_due.tolist()}
        self._is_apart = len(seconds) == len(self._names)  # no two are looked at at one instant
        self._states = np.array([_STATES.index(alarm.state) for alarm in self._listed()], dtype=np.int64)
        self._watched = np.array(
            [
                (
                    self._store.place_of(alarm.metric_id),
                    ("Average", "Sum").index(alarm.statistic),
                    _COMPARISONS.index(alarm.comparison),
                    alarm.evaluation_periods,
                    alarm.points_to_alarm,
                    _TREATMENTS.index(alarm.treat_missing_data),
                )
                for alarm in self._listed()
            ],
            dtype=np.int64,
        ).reshape(len(self._names), 6)
        self._thresholds = np.array([alarm.threshold for alarm in self._listed()], dtype=np.float64)
        self._values = np.array(
            [math.nan if alarm.value is None else alarm.value for alarm in self._listed()], dtype=np.float64
        )
        self._acts = np.array([_acts(alarm) for alarm in self._listed()], dtype=np.int64)


def _acts(alarm: Alarm) -> int:
    if not alarm.actions or not alarm.actions_enabled:
        return _NO_ACTION
    if alarm.phase_key.endswith("/AlarmLow"):
        return _TRACKING_LOW
    return _TRACKING_HIGH if alarm.phase_key.endswith("/AlarmHigh") else _STEP


class QuietWorld(FastWorld):
    """The world of one scenario whose quiet stretches are compiled. Make it with `around_quietly`."""

    store_type = ArrayStore
    book_type = QuietBook

    @classmethod
    def around_quietly(
        cls, plane: CompiledPlane, n_minutes: int, epoch_ns: int, scenario: Scenario, base_dir: Path | None
    ) -> "QuietWorld":
        """As `FastWorld.around`.

        Args:
            n_minutes: That can end before the run is over.
        """
        queue = QuietQueue(plane, n_minutes)
        world = cls.of(queue, epoch_ns, scenario, base_dir)
        queue.scaler = world.scaler
        return world

    def _minute(self, metric: MetricId, *, omits_zeros: bool) -> Minute:
        return cast(ArrayStore, self.metrics).minute(metric, omits_zeros=omits_zeros)
