"""The model's own scaling around the fast data plane: its alarms, its auto scaler and its fleet, unchanged.

Alarms, decisions, launches and removals are entries of the model's event queue, as in `model.world`. Before each of
them the data plane works up to that instant, so the minutes that the alarms look at are those of the model.
"""

import heapq
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol, cast

from smbench.model.endpoints.endpoint import CapacityChange, Endpoint, EndpointSettings
from smbench.model.endpoints.fleet import Fleet
from smbench.model.endpoints.jobs import Instance
from smbench.model.endpoints.telemetry import (
    BACKLOG,
    BACKLOG_PER_INSTANCE,
    BACKLOG_WITHOUT_CAPACITY,
    metric_of,
    remember_backlogs,
)
from smbench.model.event_queue import EventQueue
from smbench.model.monitoring.metrics import MetricId, MetricStore
from smbench.model.monitoring.series import Statistics
from smbench.model.service import Seeds
from smbench.model.world import EMBEDDED, World
from smbench.prediction.engine.data_plane import LAST, DataPlane
from smbench.scenario.model import Scenario

KNOWN_METRICS = (BACKLOG, BACKLOG_PER_INSTANCE, BACKLOG_WITHOUT_CAPACITY)


class FastWorld(World):
    """The world of one scenario, whose endpoint is a `FastEndpoint`. Make it with `around`."""

    @classmethod
    def around(cls, plane: DataPlane, epoch_ns: int, scenario: Scenario, base_dir: Path | None) -> "FastWorld":
        """The scenario's world with the requests of a data plane, at time zero.

        Args:
            epoch_ns: UTC nanoseconds at scenario time zero.
            base_dir: Where empirical laws' files are looked for.
        """
        return cls.of(FastQueue(plane), epoch_ns, scenario, base_dir)

    @property
    def endpoint(self) -> "FastEndpoint":
        """The only one there is."""
        return cast(FastEndpoint, self.endpoints[EMBEDDED])

    def add_endpoint(
        self,
        settings: EndpointSettings,
        *,
        instances_at_start: int,
        seeds: Seeds | None = None,
        is_further_variant: bool = False,
    ) -> Endpoint:
        """The endpoint of the data plane."""
        assert not is_further_variant, "the scenario's endpoint has one variant"
        queue = cast(FastQueue, self.event_queue)
        endpoint = FastEndpoint(
            queue, queue.plane, settings, instances_at_start, seeds or self.seeds, self.metrics, self._minute
        )
        queue.endpoint = endpoint
        # What the world and the auto scaler use of an endpoint, it has.
        self.endpoints[settings.name] = cast(Endpoint, endpoint)
        return cast(Endpoint, endpoint)

    def _minute(self, metric: MetricId, *, omits_zeros: bool) -> "Minute":
        minute = IntegralMinute(omits_zeros=omits_zeros)
        self.metrics.feed(metric, "Count", minute)
        return minute


class FastQueue(EventQueue):
    """Lets the data plane work before each entry. Entries and starts of requests share one order."""

    endpoint: "FastEndpoint"

    def __init__(self, plane: DataPlane) -> None:
        super().__init__()
        self.plane = plane

    def dispatch(self) -> None:
        """Start the requests that wait, now."""
        self.plane.n_entered = self._n_entered
        self.plane.dispatch()
        self._n_entered = self.plane.n_entered

    def advance(self, to_ns: int) -> None:
        """As every event queue; requests of the last instant have arrived when it returns."""
        heap, plane = self._heap, self.plane
        while heap and heap[0][0] <= to_ns:
            due_ns, order, entry = heapq.heappop(heap)
            action, entry.action = entry.action, None
            if action is None:
                self._n_cancelled -= 1
                continue
            plane.n_entered = self._n_entered
            self.endpoint.catch_up(due_ns, order)
            self._n_entered = plane.n_entered
            self.now_ns = due_ns
            action()
        plane.n_entered = self._n_entered
        self.endpoint.catch_up(to_ns, LAST)
        self._n_entered = plane.n_entered
        self.now_ns = to_ns


class FastEndpoint:
    """An endpoint as its scalable target and its metrics see it.

    Attributes:
        on_capacity: Called for each thing that happens to the fleet.
        at_zero_as_one: Without an instance the backlog per instance is the backlog.
    """

    def __init__(
        self,
        event_queue: FastQueue,
        plane: DataPlane,
        settings: EndpointSettings,
        instances_at_start: int,
        seeds: Seeds,
        store: MetricStore,
        minute_of: "Callable[..., Minute]",
    ) -> None:
        self._event_queue, self._plane, self._store = event_queue, plane, store
        self.settings, self.variant = settings, settings.variant
        self.on_capacity: list[Callable[[CapacityChange], None]] = []
        self._fleet = _Fleet(self, event_queue, plane, settings, instances_at_start, seeds)
        questions = settings.open_questions
        self.at_zero_as_one = questions.per_instance_at_zero == "as_one"
        omits_zeros = not questions.zeros_when_idle
        # The endpoint is older than the run: until now this minute it was idle.
        idle_ns = event_queue.now_ns - store.minute_start_ns
        self._gauges = {
            name: minute_of(metric_of(name, settings.name, settings.variant), omits_zeros=omits_zeros)
            for name in KNOWN_METRICS
        }
        for name, gauge in self._gauges.items():
            is_defined = name != BACKLOG_PER_INSTANCE or self.at_zero_as_one or self._fleet.in_service
            gauge.add(0.0, idle_ns if is_defined else 0)

    @property
    def desired(self) -> int:
        """Instances asked for."""
        return self._fleet.desired

    @property
    def in_service(self) -> int:
        """Instances able to take work."""
        return self._fleet.in_service

    @property
    def billed(self) -> int:
        """Instances paid for."""
        return self._fleet.billed

    @property
    def is_updating(self) -> bool:
        """A capacity change is under way."""
        return self._fleet.is_updating

    def set_desired(self, n: int, cause: str = "", *, under_way_ns: int = 0) -> None:
        """As the model's endpoint.

        Raises:
            UpdateInProgress: updates serialise and one is under way.
        """
        self._fleet.set_desired(n, cause, under_way_ns=under_way_ns)
        self.dispatch()

    def remember(self, backlogs: Sequence[float]) -> None:
        """Publish what the backlog was in the whole minutes before this one, the oldest first."""
        remember_backlogs(self.settings, self._fleet.in_service, self._store, backlogs)

    def catch_up(self, until_ns: int, order: int) -> None:
        """Let the data plane work up to an instant, and account for the backlog until then."""
        span_ns = until_ns - self._event_queue.now_ns
        area, some_ns = self._plane.serve(until_ns, order)
        capacity = self._fleet.in_service
        self._gauges[BACKLOG].add(area, span_ns)
        if capacity:
            self._gauges[BACKLOG_PER_INSTANCE].add(area / capacity, span_ns)
        elif self.at_zero_as_one:
            self._gauges[BACKLOG_PER_INSTANCE].add(area, span_ns)
        self._gauges[BACKLOG_WITHOUT_CAPACITY].add(0 if capacity else some_ns, span_ns)

    def dispatch(self) -> None:
        """Start what waits, now."""
        self._event_queue.dispatch()


class Minute(Protocol):
    """The minute of a gauge, by its integral."""

    def add(self, area: float, defined_ns: int, /) -> None:
        """So much more of the integral, over so long."""


class IntegralMinute:
    """A gauge by its integral: what the average and the sum of a minute need."""

    def __init__(self, *, omits_zeros: bool) -> None:
        self._omits_zeros = omits_zeros
        self._area, self._defined_ns = 0.0, 0

    def add(self, area: float, defined_ns: int) -> None:
        self._area += area
        self._defined_ns += defined_ns

    def close_minute(self, _end_ns: int) -> Statistics | None:
        """The minute's statistics, and begin the next; None when it has none. Minimum and maximum are not known."""
        area, defined_ns = self._area, self._defined_ns
        self._area, self._defined_ns = 0.0, 0
        if not defined_ns or (self._omits_zeros and not area):
            return None
        return Statistics(area / 1e9, defined_ns / 1e9, 0.0, 0.0)


class _Running:
    """How many requests an instance works on, in the place of the requests themselves."""

    def __init__(self, plane: DataPlane, instance: int) -> None:
        self._plane, self._instance = plane, instance

    def __len__(self) -> int:
        return self._plane.running(self._instance)


class _Fleet(Fleet):
    """The model's fleet, whose requests are in the data plane."""

    def __init__(
        self,
        endpoint: FastEndpoint,
        event_queue: EventQueue,
        plane: DataPlane,
        settings: EndpointSettings,
        instances_at_start: int,
        seeds: Seeds,
    ) -> None:
        self._plane, self._redelivers = plane, settings.open_questions.redeliver_on_death
        self._endpoint = endpoint
        super().__init__(
            event_queue,
            settings,
            instances_at_start=instances_at_start,
            seeds=seeds,
            on_ready=endpoint.dispatch,
            on_orphans=lambda _orphans: None,
            on_capacity=self._pass_on,
        )

    def _pass_on(self, change: CapacityChange) -> None:
        for tell in self._endpoint.on_capacity:
            tell(change)

    def _new_instance(self) -> Instance:
        instance = super()._new_instance()
        running: Any = _Running(self._plane, instance.index)  # of which the fleet only asks how many there are
        instance.running = running
        return instance

    def _serve(self, instance: Instance) -> None:
        self._serving.append(instance)
        self._plane.add(instance.index, instance.slowness)

    def _stop_serving(self, instance: Instance) -> None:
        self._serving.remove(instance)
        self._plane.remove(instance.index)

    def _pay_off(self, instance: Instance) -> None:
        super()._pay_off(instance)
        if not instance.is_gone:  # it takes nothing new, so the end of what it works on is known
            self._event_queue.at(self._plane.drained_ns(instance.index), partial(self._drained, instance))

    def _drained(self, instance: Instance) -> None:
        # As the model: by an entry of its own, after all that was entered for this instant before.
        self._event_queue.at(self._event_queue.now_ns, partial(self._leave_when_drained, instance))

    def _orphan(self, instance: Instance) -> None:
        self._plane.orphan(instance.index, redeliver=self._redelivers)
        self._endpoint.dispatch()
