"""What an asynchronous endpoint reports to CloudWatch: its backlog as gauges, its ends as counts, its instances' load.

Names, units and dimensions are AWS's (developer guide, "Monitoring asynchronous endpoint", and "Monitor Amazon
SageMaker AI with Amazon CloudWatch"); what the guide leaves open is a setting.
"""

import math
from collections.abc import Sequence
from typing import Protocol

from smbench.model.endpoints.jobs import Ended
from smbench.model.endpoints.settings import EndpointSettings
from smbench.model.monitoring.metrics import INSTANCES, SAGEMAKER, Dimensions, MetricId, MetricStore
from smbench.model.monitoring.series import MINUTE_NS, MINUTE_S, Counter, Gauge, Statistics
from smbench.records import Outcome

BACKLOG = "ApproximateBacklogSize"
BACKLOG_PER_INSTANCE = "ApproximateBacklogSizePerInstance"
BACKLOG_WITHOUT_CAPACITY = "HasBacklogWithoutCapacity"
OLDEST_AGE = "ApproximateAgeOfOldestRequest"
PROCESSED = "InvocationsProcessed"
FAILURES = "InvocationFailures"
EXPIRED = "ExpiredRequests"
TIME_IN_BACKLOG = "TimeInBacklog"
TOTAL_TIME = "TotalProcessingTime"
MODEL_LATENCY = "ModelLatency"
CPU = "CPUUtilization"

ENDPOINT_METRICS = (BACKLOG, BACKLOG_PER_INSTANCE, BACKLOG_WITHOUT_CAPACITY, OLDEST_AGE)
PUBLISHED = (
    *ENDPOINT_METRICS,
    PROCESSED,
    FAILURES,
    EXPIRED,
    TIME_IN_BACKLOG,
    TOTAL_TIME,
    MODEL_LATENCY,
    CPU,
)


def metric_of(name: str, endpoint: str, variant: str) -> MetricId:
    """The series that an endpoint publishes under a name: the namespace and dimensions differ by name."""
    per_endpoint: Dimensions = (("EndpointName", endpoint),)
    per_variant: Dimensions = (*per_endpoint, ("VariantName", variant))
    if name in ENDPOINT_METRICS:
        return MetricId.of(SAGEMAKER, name, per_endpoint)
    if name.endswith("Utilization"):
        return MetricId.of(INSTANCES, name, per_variant)
    return MetricId.of(SAGEMAKER, name, per_variant)


class Observed(Protocol):
    """What of an endpoint its metrics are made from."""

    @property
    def name(self) -> str: ...

    @property
    def variant(self) -> str: ...

    @property
    def settings(self) -> EndpointSettings: ...

    @property
    def in_service(self) -> int: ...

    @property
    def queued(self) -> int: ...

    @property
    def running(self) -> int: ...

    @property
    def oldest_recv_ns(self) -> int | None:
        """When the oldest request of the queue was accepted; None where the queue is empty."""

    def utilisations(self, since_ns: int) -> Sequence[float]:
        """Of each instance, the share of its slots that worked since an instant."""


def remember_backlogs(settings: EndpointSettings, capacity: int, store: MetricStore, backlogs: Sequence[float]) -> None:
    """Publish an endpoint's gauges of the whole minutes before this one.

    Args:
        capacity: Instances that served in them.
        backlogs: A minute's each, the oldest first.
    """
    questions = settings.open_questions
    start_ns = store.minute_start_ns - len(backlogs) * MINUTE_NS
    for backlog in backlogs:
        at_zero = backlog if questions.per_instance_at_zero == "as_one" else None
        values = {
            BACKLOG: backlog,
            BACKLOG_PER_INSTANCE: backlog / capacity if capacity else at_zero,
            BACKLOG_WITHOUT_CAPACITY: float(bool(backlog) and not capacity),
            OLDEST_AGE: None if backlog else 0.0,  # of a backlog the scenario does not say how old it was
        }
        for name, value in values.items():
            if value is not None and (value or questions.zeros_when_idle):
                statistics = Statistics(value * MINUTE_S, float(MINUTE_S), value, value)
                unit = "Seconds" if name == OLDEST_AGE else "Count"
                store.remember(metric_of(name, settings.name, settings.variant), unit, start_ns, statistics)
        start_ns += MINUTE_NS


class EndpointMetrics:
    """Publishes one endpoint into a store."""

    def __init__(self, endpoint: Observed, store: MetricStore) -> None:
        self._endpoint, self._store = endpoint, store
        questions = endpoint.settings.open_questions
        self._counts_running = questions.backlog_counts_running
        self._at_zero_as_one = questions.per_instance_at_zero == "as_one"
        self._omit_zeros = not questions.zeros_when_idle
        self._opened: list[MetricId] = []
        self._backlog = self._gauge(BACKLOG, "Count")
        is_undefined = not (self._at_zero_as_one or endpoint.in_service)
        self._per_instance = self._gauge(BACKLOG_PER_INSTANCE, "Count", None if is_undefined else 0.0)
        self._without_capacity = self._gauge(BACKLOG_WITHOUT_CAPACITY, "Count")
        self._oldest_age = self._gauge(OLDEST_AGE, "Seconds")
        self._processed = self._counter(PROCESSED, "Count")
        self._failures = self._counter(FAILURES, "Count")
        self._expired = self._counter(EXPIRED, "Count")
        self._time_in_backlog = self._counter(TIME_IN_BACKLOG, "Milliseconds")
        self._total_time = self._counter(TOTAL_TIME, "Milliseconds")
        self._model_latency = self._counter(MODEL_LATENCY, "Microseconds")
        self._seen_backlog, self._seen_capacity = 0, -1
        self._seen_oldest_ns: int | None = None
        self._seen_without_capacity = False
        store.on_minute.append(self._publish_load)

    def close(self) -> None:
        """Publish nothing any more."""
        self._store.on_minute.remove(self._publish_load)
        for metric in self._opened:
            self._store.forget(metric)

    def remember(self, backlogs: Sequence[float]) -> None:
        """The endpoint's gauges in the whole minutes before this one, by its backlog then, the oldest first."""
        remember_backlogs(self._endpoint.settings, self._endpoint.in_service, self._store, backlogs)

    def observe(self) -> None:
        """Bring the gauges to the present state; sets only what differs, for every request calls it twice."""
        endpoint = self._endpoint
        queued, capacity = endpoint.queued, endpoint.in_service
        backlog = queued + endpoint.running if self._counts_running else queued
        oldest_ns = endpoint.oldest_recv_ns if queued else None
        if oldest_ns != self._seen_oldest_ns:
            self._seen_oldest_ns = oldest_ns
            if oldest_ns is None:
                self._oldest_age.set(0.0)
            else:
                self._oldest_age.set((self._store.event_queue.now_ns - oldest_ns) / 1e9, slope_hz=1.0)
        if backlog != self._seen_backlog:
            self._backlog.set(backlog)
        elif capacity == self._seen_capacity:
            return
        self._seen_backlog, self._seen_capacity = backlog, capacity
        if capacity:
            self._per_instance.set(backlog / capacity)
        else:
            self._per_instance.set(backlog if self._at_zero_as_one else None)
        is_without_capacity = bool(backlog) and not capacity
        if is_without_capacity != self._seen_without_capacity:
            self._seen_without_capacity = is_without_capacity
            self._without_capacity.set(float(is_without_capacity))

    def count_end(self, ended: Ended) -> None:
        """Count one request's end."""
        recv_ns = ended.job.recv_ns
        if ended.outcome is Outcome.EXPIRED:
            self._expired.add()
            return
        (self._processed if ended.outcome is Outcome.COMPLETED else self._failures).add()
        self._total_time.add((ended.done_ns - recv_ns) / 1e6)
        if ended.start_ns is not None:
            self._time_in_backlog.add((ended.start_ns - recv_ns) / 1e6)
            self._model_latency.add((ended.done_ns - ended.start_ns) / 1e3)

    def _publish_load(self, minute_start_ns: int) -> None:
        # Each instance reports once a minute: SampleCount is the way to count them (AWS's own advice).
        loads = [100.0 * share for share in self._endpoint.utilisations(minute_start_ns)]
        if loads:
            statistics = Statistics(math.fsum(loads), float(len(loads)), min(loads), max(loads))
            self._store.publish(self._id(CPU), "Percent", minute_start_ns, statistics)

    def _id(self, name: str) -> MetricId:
        return metric_of(name, self._endpoint.name, self._endpoint.variant)

    def _gauge(self, name: str, unit: str, initial: float | None = 0.0) -> Gauge:
        metric = self._id(name)
        self._opened.append(metric)
        # An endpoint is older than the run: until now this minute it was idle, which is not the same as undefined.
        return self._store.open_gauge(name, metric.dimensions, unit, initial=initial, omit_zeros=self._omit_zeros)

    def _counter(self, name: str, unit: str) -> Counter:
        metric = self._id(name)
        self._opened.append(metric)
        return self._store.open_counter(name, metric.dimensions, unit)
