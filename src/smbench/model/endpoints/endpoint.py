"""An endpoint on instances as theory: a queue, instances with slots, and every request's one end.

Asynchronous or real-time: the two differ in who waits. Rules of the whole file. Requests start in order of acceptance.
A request that waits expires at its time to live, on that instant and not when somebody looks; one whose caller waits
for the answer has that time for waiting and work together, and then has timed out. State changes first, metrics next,
callbacks last, so that a callback sees a consistent endpoint and may bring the next arrival.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from smbench.model.endpoints.fleet import CapacityChange, Fleet, QuotaReached, UpdateInProgress, over_quota
from smbench.model.endpoints.invocation_metrics import ConcurrentRequests, InvocationMetrics
from smbench.model.endpoints.jobs import (
    CONTAINER_ERROR,
    INSTANCE_LOST,
    OVERLOADED,
    TIMEOUT,
    TTL,
    Ended,
    Held,
    Instance,
    Job,
    end_of_work,
)
from smbench.model.endpoints.settings import EndpointSettings
from smbench.model.endpoints.telemetry import EndpointMetrics
from smbench.model.event_queue import EventQueue
from smbench.model.monitoring.metrics import MetricStore
from smbench.model.service import Seeds, ServiceSampler
from smbench.records import Outcome
from smbench.scenario.values.seeds import stream

__all__ = [
    "CONTAINER_ERROR",
    "INSTANCE_LOST",
    "OVERLOADED",
    "TIMEOUT",
    "TTL",
    "CapacityChange",
    "Ended",
    "Endpoint",
    "EndpointSettings",
    "Job",
    "QuotaReached",
    "UpdateInProgress",
    "over_quota",
]


class Endpoint:
    """The endpoint. Conservation: accepted = queued + running + ended, at every instant.

    Args:
        metrics: Where CloudWatch's view is kept; None for none.

    Attributes:
        on_end: Called once for each request, when it is over.
        on_capacity: Called for each thing that happens to the fleet.
        is_busy_elsewhere: Whether the service is at something else of the endpoint, such as another of its variants: it
            refuses a change of capacity then.
        refusal: Why the service would not take so many instances, beside what is known here; empty: it would.
    """

    def __init__(
        self,
        event_queue: EventQueue,
        settings: EndpointSettings,
        *,
        instances_at_start: int,
        seeds: Seeds,
        metrics: MetricStore | None = None,
    ) -> None:
        self._event_queue, self.settings = event_queue, settings
        self.on_end: list[Callable[[Ended], None]] = []
        self.on_capacity: list[Callable[[CapacityChange], None]] = []
        self.is_busy_elsewhere: Callable[[], bool] = bool  # never
        self.refusal: Callable[[int], str] = lambda _n: ""
        self.accepted = self.queued = self.running = self.ended = 0
        self._queue: deque[Held] = deque()  # may hold some that expired; `is_queued` tells
        self._service = ServiceSampler(settings.service, seeds.service, settings.base_dir)
        self._container_errors = stream(seeds.faults, "faults.container_errors")
        self._fleet = Fleet(
            event_queue,
            settings,
            instances_at_start=instances_at_start,
            seeds=seeds,
            on_ready=self._dispatch_and_observe,
            on_orphans=self._take_back,
            on_capacity=self._on_capacity_change,
        )
        self._gauges: EndpointMetrics | None = None  # of the backlog, which only an asynchronous endpoint publishes
        self._metrics: EndpointMetrics | InvocationMetrics | None = None
        self._concurrent: ConcurrentRequests | None = None  # of a synchronous one
        if metrics is not None and settings.is_synchronous:
            dimensions = (("EndpointName", self.name), ("VariantName", self.variant))
            self._metrics = InvocationMetrics(dimensions, metrics, self.utilisations, lambda: self.in_service)
            self._concurrent = ConcurrentRequests(dimensions, metrics)
        elif metrics is not None:
            self._metrics = self._gauges = EndpointMetrics(self, metrics)
        self._observe()

    @property
    def name(self) -> str:
        """As created."""
        return self.settings.name

    @property
    def variant(self) -> str:
        """The name of its one variant."""
        return self.settings.variant

    @property
    def backlog(self) -> int:
        """Accepted, not yet ended."""
        return self.queued + self.running

    @property
    def in_service(self) -> int:
        """Instances able to take work."""
        return self._fleet.in_service

    @property
    def current(self) -> int:
        """Instances as DescribeEndpoint counts them: in service, or still leaving."""
        return self._fleet.current

    @property
    def billed(self) -> int:
        """Instances paid for: from launch until they have left."""
        return self._fleet.billed

    @property
    def desired(self) -> int:
        """Instances asked for."""
        return self._fleet.desired

    @property
    def is_updating(self) -> bool:
        """A capacity change is under way."""
        return self._fleet.is_updating

    @property
    def status(self) -> str:
        """Updating while a change of capacity is under way, else InService."""
        return "Updating" if self.is_updating else "InService"

    @property
    def oldest_recv_ns(self) -> int | None:
        """When the request that waits longest was accepted; None when none waits."""
        queue = self._queue
        while queue and not queue[0].is_queued:
            queue.popleft()
        return queue[0].job.recv_ns if queue else None

    def utilisations(self, minute_start_ns: int) -> list[float]:
        """The busy share of each existing instance since the last call, 0..1."""
        return self._fleet.utilisations(minute_start_ns)

    def close(self) -> None:
        """The endpoint is deleted: it publishes nothing any more. What it held is forgotten."""
        if self._metrics is not None:
            self._metrics.close()
            self._metrics = self._gauges = None
        if self._concurrent is not None:
            self._concurrent.close()
            self._concurrent = None

    def publish_as(self, concurrent: ConcurrentRequests) -> None:
        """Publish the requests that its instances have as those of the copies of an inference component."""
        self._concurrent = concurrent
        self._observe()

    def remember(self, backlogs: Sequence[float]) -> None:
        """Publish what the backlog was in the whole minutes before this one, the oldest first."""
        if self._gauges is not None:
            self._gauges.remember(backlogs)

    def arrive(self, job: Job) -> bool:
        """Accept a request; always True, for one without room has been taken and is over. Call in order of
        `job.index`."""
        share = self.settings.faults.container_errors
        has_error = bool(self._container_errors.random() < share) if share else False
        held = Held(job, self._service.work_s(job.payload_class), has_error)
        self.accepted += 1
        # Whoever waits goes first; with nobody waiting there may be a slot at once.
        if self.queued or (instance := self._fleet.take()) is None:
            if self.settings.waiting_max is not None and self.queued >= self.settings.waiting_max:
                self._tell(self._end(held, Outcome.FAILED, OVERLOADED))
                return True
            self._enqueue(held)
        else:
            self._start(held, instance)
        self._observe()
        return True

    def check_desired(self, n: int) -> None:
        """Whether so many instances may be asked for now. Raises as `set_desired`."""
        if self.settings.open_questions.serialise_updates and self.is_busy_elsewhere():
            raise UpdateInProgress(f"cannot set {n} instances: the endpoint is being updated")
        self._fleet.check_desired(n)
        if n != self.desired and (why_not := self.refusal(n)):
            raise QuotaReached(why_not)

    def count_end(self, ended: Ended) -> None:
        """Count the end of a request that a copy on its instances served."""
        if self._metrics is not None:
            self._metrics.count_end(ended)

    def set_desired(self, n: int, cause: str = "", *, under_way_ns: int = 0) -> None:
        """Ask for another number of instances; nothing happens when it is the present one.

        Args:
            under_way_ns: For so long the change has been under way already.

        Raises:
            UpdateInProgress: updates serialise and one is under way.
            QuotaReached: the account may not have so many.
        """
        self.check_desired(n)
        self._fleet.set_desired(n, cause, under_way_ns=under_way_ns)
        self._dispatch_and_observe()

    def renew(self, concurrency: int, n: int) -> None:
        """New instances of another concurrency in the place of all there are; the old ones end what they work on."""
        self.settings.concurrency = concurrency
        self._fleet.renew(concurrency, n)
        self._dispatch_and_observe()

    def _enqueue(self, held: Held) -> None:
        held.is_queued = True
        self.queued += 1
        held.entry = self._event_queue.at(held.expires_ns, partial(self._expire, held))
        self._queue.append(held)

    def _dispatch(self) -> None:
        """Start what can start, the head of the queue first."""
        now_ns = self._event_queue.now_ns
        while self.queued and (instance := self._fleet.take()) is not None:
            held = self._queue.popleft()
            if not held.is_queued:
                continue  # it expired where it stood
            if now_ns >= held.expires_ns:
                self._expire(held)  # at this very instant, whichever of the two entries came first
                continue
            held.is_queued = False
            self.queued -= 1
            assert held.entry is not None, "a waiting request has its expiry on the event_queue"
            held.entry.cancel()
            self._start(held, instance)

    def _start(self, held: Held, instance: Instance) -> None:
        self.running += 1
        held.attempts += 1
        held.start_ns, held.instance = self._event_queue.now_ns, instance
        self._fleet.begin(instance, held)
        job, has_error = held.job, held.has_container_error
        lasts_s, limit_s = job.lasts_s(held.work_s, has_container_error=has_error), job.timeout_s
        if job.is_awaited:
            limit_s = min(limit_s, (held.expires_ns - held.start_ns) / 1e9)
        worked_s, outcome, reason = end_of_work(lasts_s * instance.slowness, limit_s, has_container_error=has_error)
        done_ns = held.start_ns + round(worked_s * 1e9)
        held.entry = self._event_queue.at(done_ns, partial(self._finish, held, outcome, reason))
        if job.streamed is not None and not has_error:
            offsets_s = job.streamed.offsets_s(held.work_s)
            offsets_ns = [round(offset_s * instance.slowness * 1e9) for offset_s in offsets_s]
            job.streamed.begin(self._event_queue, held.start_ns, offsets_ns, done_ns)

    def _finish(self, held: Held, outcome: Outcome, reason: str) -> None:
        assert held.instance is not None, "a running request has an instance"
        self.running -= 1
        self._fleet.end(held.instance, held)
        ended = self._end(held, outcome, reason)
        self._dispatch()
        self._tell(ended)

    def _expire(self, held: Held) -> None:
        held.is_queued = False
        self.queued -= 1
        if held.entry is not None:
            held.entry.cancel()
        outcome, reason = (Outcome.FAILED, TIMEOUT) if held.job.is_awaited else (Outcome.EXPIRED, TTL)
        self._tell(self._end(held, outcome, reason))

    def _end(self, held: Held, outcome: Outcome, reason: str) -> Ended:
        self.ended += 1
        return Ended(
            job=held.job,
            outcome=outcome,
            reason=reason,
            start_ns=held.start_ns,
            done_ns=self._event_queue.now_ns,
            instance=None if held.instance is None else held.instance.index,
            attempts=held.attempts,
        )

    def _tell(self, ended: Ended) -> None:
        if self._metrics is not None:
            self._metrics.count_end(ended)
        self._observe()
        for tell in self.on_end:
            tell(ended)

    def _take_back(self, orphans: Iterable[Held]) -> None:
        """Requests whose instance has left: back to the front, in order of acceptance, or over."""
        lost = sorted(orphans, key=lambda held: held.job.index)
        self.running -= len(lost)
        for held in lost:
            assert held.entry is not None, "a running request has its end on the event_queue"
            held.entry.cancel()
        if self.settings.is_synchronous or not self.settings.open_questions.redeliver_on_death:
            for ended in [self._end(held, Outcome.FAILED, INSTANCE_LOST) for held in lost]:
                self._tell(ended)
            return
        for held in reversed(lost):
            held.is_queued = True
            self.queued += 1
            held.entry = self._event_queue.at(held.expires_ns, partial(self._expire, held))
            self._queue.appendleft(held)
        self._dispatch_and_observe()

    def _dispatch_and_observe(self) -> None:
        self._dispatch()
        self._observe()

    def _on_capacity_change(self, change: CapacityChange) -> None:
        self._observe()
        for tell in self.on_capacity:
            tell(change)

    def _observe(self) -> None:
        if self._gauges is not None:
            self._gauges.observe()
        elif self._concurrent is not None:
            self._concurrent.observe(self.queued + self.running, self._fleet.in_service)
