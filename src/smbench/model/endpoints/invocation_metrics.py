"""What a synchronous endpoint tells CloudWatch: its invocations, how long the container took, and what went wrong.

Names, units and dimensions are AWS's (developer guide, "Monitor Amazon SageMaker AI with Amazon CloudWatch").
"""

import math
from collections.abc import Callable, Sequence

from smbench.model.endpoints.jobs import CONTAINER_ERROR, Ended
from smbench.model.monitoring.metrics import INSTANCES, SAGEMAKER, Dimensions, MetricId, MetricStore
from smbench.model.monitoring.series import Counter, Statistics
from smbench.records import Outcome

CPU = "CPUUtilization"
PER_INSTANCE = "InvocationsPerInstance"
CONCURRENT = "ConcurrentRequestsPerModel"
CONCURRENT_PREDEFINED = "SageMakerVariantConcurrentRequestsPerModelHighResolution"
CONCURRENT_STATISTIC = "Maximum"  # of predefined policies. Source: docs/methods.md, "The auto-scaler's clock"

_FIRST_CHUNK = ("Latency", "ModelLatency", "OverheadLatency")
_BROKEN = "MidStreamErrors"

Loads = Callable[[int], Sequence[float]]
"""The busy share of each instance since an instant."""


class ConcurrentRequests:
    """The requests that each instance, or copy, has at once: at work, or waiting for it.

    Source: developer guide, "Define a scaling policy": the concurrent requests that a container handles, with those
    that are queued inside of it. Each instance is taken to have its share of those that wait.

    Args:
        per: As of `InvocationMetrics`.
    """

    def __init__(self, dimensions: Dimensions, store: MetricStore, per: str = "Instance") -> None:
        name = CONCURRENT if per == "Instance" else f"ConcurrentRequestsPer{per}"
        self._metric, self._store = MetricId.of(SAGEMAKER, name, dimensions), store
        self._gauge = store.open_fine_gauge(name, dimensions, "Count")

    def observe(self, backlog: int, in_service: int) -> None:
        """From now on there are so many requests and instances; without an instance the metric has no value."""
        self._gauge.set(backlog / in_service if in_service else None)

    def close(self) -> None:
        """Publish nothing any more."""
        self._store.forget(self._metric)


class InvocationMetrics:
    """Publishes one endpoint, or one inference component, into a store.

    Args:
        loads: Of its instances; None where it has none.
        instances: How many are in service.
        per: What one of them is called.
    """

    def __init__(
        self,
        dimensions: Dimensions,
        store: MetricStore,
        loads: Loads | None = None,
        instances: Callable[[], int] = int,
        per: str = "Instance",
    ) -> None:
        self._store, self._loads, self._instances = store, loads, instances
        self._dimensions = dimensions
        self._opened: list[MetricId] = []
        is_on_instances = loads is not None  # whose idle minutes have zeros; a serverless endpoint's have nothing
        self._invocations = self._counter("Invocations", "None", has_zeros=is_on_instances)
        self._per_instance = self._counter(f"InvocationsPer{per}", "None", has_zeros=True) if is_on_instances else None
        self._model_latency = self._counter("ModelLatency", "Microseconds")
        self._overhead = self._counter("OverheadLatency", "Microseconds")
        self._setup = self._counter("ModelSetupTime", "Microseconds") if loads is None else None
        self._server_errors = self._counter("Invocation5XXErrors", "None")
        self._model_errors = self._counter("InvocationModelErrors", "None")
        self._first_chunk: dict[str, Counter] = {}  # of answers in a stream, once there was one
        store.on_minute.append(self._publish_load)

    def close(self) -> None:
        """Publish nothing any more."""
        self._store.on_minute.remove(self._publish_load)
        for metric in self._opened:
            self._store.forget(metric)

    def count_end(self, ended: Ended) -> None:
        """Count one request's end. The wait, or the cold start, is in OverheadLatency."""
        self._invocations.add()
        if self._per_instance is not None:
            # Each request sends 1 / number of instances, so that the sum of a minute is that of one of them.
            self._per_instance.add(1.0 / max(1, self._instances()))
        if ended.outcome is Outcome.FAILED:
            self._model_errors.add()
            if ended.reason == CONTAINER_ERROR:
                self._server_errors.add()
        if ended.start_ns is None:
            return
        if (streamed := ended.job.streamed) is not None:
            first_ns = ended.done_ns if ended.outcome is Outcome.COMPLETED else None
            self._count_stream(ended, ended.start_ns, first_ns if streamed.first_ns is None else streamed.first_ns)
        overhead_us = (ended.start_ns - ended.job.recv_ns) / 1e3
        self._model_latency.add((ended.done_ns - ended.start_ns) / 1e3)
        self._overhead.add(overhead_us)
        if self._setup is not None and overhead_us:
            self._setup.add(overhead_us)

    def _count_stream(self, ended: Ended, start_ns: int, first_ns: int | None) -> None:
        if first_ns is None:  # it failed before its first part: no stream
            return
        if not self._first_chunk:
            self._first_chunk = {name: self._counter(f"FirstChunk{name}", "Microseconds") for name in _FIRST_CHUNK}
            self._first_chunk[_BROKEN] = self._counter(_BROKEN, "None")
        spans_ns = (first_ns - ended.job.recv_ns, first_ns - start_ns, start_ns - ended.job.recv_ns)
        for name, span_ns in zip(_FIRST_CHUNK, spans_ns, strict=True):
            self._first_chunk[name].add(span_ns / 1e3)
        if ended.outcome is not Outcome.COMPLETED:
            self._first_chunk[_BROKEN].add()

    def _publish_load(self, minute_start_ns: int) -> None:
        loads = [100.0 * share for share in self._loads(minute_start_ns)] if self._loads is not None else []
        if loads:
            statistics = Statistics(math.fsum(loads), float(len(loads)), min(loads), max(loads))
            metric = MetricId.of(INSTANCES, CPU, self._dimensions)
            self._store.publish(metric, "Percent", minute_start_ns, statistics)

    def _counter(self, name: str, unit: str, *, has_zeros: bool = False) -> Counter:
        self._opened.append(MetricId.of(SAGEMAKER, name, self._dimensions))
        return self._store.open_counter(name, self._dimensions, unit, has_zeros=has_zeros)
