"""A serverless endpoint as theory: execution environments of one request each, made when needed, kept warm a while.

Rules of the whole file. A request takes a warm environment if one is idle: a provisioned one first, then the one that
was used last. Else a new one is made, whose cold start comes before the work. Beyond MaxConcurrency a request is
refused at once, for nothing waits here. An environment whose memory a request exceeds dies of it. Two requests that
come at one instant are served in order of arrival.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from smbench.model.endpoints.invocation_metrics import InvocationMetrics
from smbench.model.endpoints.jobs import OUT_OF_MEMORY, Ended, Job, end_of_work
from smbench.model.endpoints.provisioned import ProvisionedConcurrency, ProvisionedMetrics
from smbench.model.endpoints.settings import EndpointSettings
from smbench.model.event_queue import Entry, EventQueue
from smbench.model.monitoring.metrics import MetricStore
from smbench.model.service import Sampler, Seeds, ServiceSampler
from smbench.records import Outcome
from smbench.scenario.serverless import Serverless
from smbench.scenario.values.seeds import stream


@dataclass(slots=True, eq=False)
class _Environment:
    """One execution environment: warm from its cold start on, until it was idle for too long."""

    index: int  # counted from 0 in order of making
    is_provisioned: bool
    expiry: Entry | None = None  # while it is idle and not provisioned


class ServerlessEndpoint:
    """The endpoint. Conservation: accepted = running + ended, at every instant, and running <= MaxConcurrency, but for
    requests that ran already when `replace` lowered it.

    Args:
        metrics: Where CloudWatch's view is kept; None for none.

    Attributes:
        on_end: Called once for each accepted request, when it is over.
        provisioned: Its provisioned environments, as a capacity that a scalable target sets.
    """

    def __init__(
        self,
        event_queue: EventQueue,
        settings: EndpointSettings,
        serverless: Serverless,
        *,
        seeds: Seeds,
        metrics: MetricStore | None = None,
    ) -> None:
        self._event_queue, self.settings, self.serverless = event_queue, settings, serverless
        self.on_end: list[Callable[[Ended], None]] = []
        self.accepted = self.running = self.ended = self.throttled = self.cold_starts = 0
        self._service = ServiceSampler(settings.service, seeds.service, settings.base_dir)
        self._container_errors = stream(seeds.faults, "faults.container_errors")
        self._cold_start = Sampler(
            serverless.cold_start, stream(seeds.capacity, "capacity.cold_start"), settings.base_dir
        )
        self._n_made = self._n_replaced = self._n_leaving = 0
        self._provisioned = [self._make(is_provisioned=True) for _ in range(serverless.provisioned)]
        self._idle: list[_Environment] = []  # on demand, the one used last at the end
        dimensions = (("EndpointName", settings.name), ("VariantName", settings.variant))
        self._store = metrics
        self._metrics = None if metrics is None else InvocationMetrics(dimensions, metrics)
        self._provisioned_metrics: ProvisionedMetrics | None = None
        self.provisioned = ProvisionedConcurrency(event_queue, self, seeds)
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
    def warm(self) -> int:
        """Environments that are idle and would serve a request without a cold start."""
        return len(self._provisioned) + len(self._idle)

    def close(self) -> None:
        """The endpoint is deleted: it publishes nothing any more."""
        if self._metrics is not None:
            self._metrics.close()
            self._metrics = self._store = None
        if self._provisioned_metrics is not None:
            self._provisioned_metrics.close()
            self._provisioned_metrics = None

    def replace(self, serverless: Serverless) -> None:
        """Take another configuration: no environment stays warm, and those at work end with their request."""
        for environment in self._idle:
            assert environment.expiry is not None, "an idle environment has its expiry on the event_queue"
            environment.expiry.cancel()
        self._idle.clear()
        self.serverless, self._n_replaced, self._n_leaving = serverless, self._n_made, 0
        self._provisioned = [self._make(is_provisioned=True) for _ in range(serverless.provisioned)]
        self._observe()

    def adjust(self, serverless: Serverless) -> None:
        """Take another concurrency: what is warm stays warm, and provisioned environments too many end when idle."""
        n_more = serverless.provisioned - self.serverless.provisioned
        self.serverless = serverless
        n_staying = min(max(n_more, 0), self._n_leaving)
        n_idle = min(max(-n_more, 0), len(self._provisioned))
        self._n_leaving += max(-n_more, 0) - n_idle - n_staying
        del self._provisioned[len(self._provisioned) - n_idle :]
        self._provisioned += [self._make(is_provisioned=True) for _ in range(n_more - n_staying)]
        self._observe()

    def arrive(self, job: Job) -> bool:
        """Take a request; False where it is throttled, and then nothing of it remains."""
        if self.running >= self.serverless.max_concurrency:
            self.throttled += 1
            return False
        share = self.settings.faults.container_errors
        is_killed = not self.serverless.has_enough_memory
        has_error = is_killed or (bool(self._container_errors.random() < share) if share else False)
        self.accepted += 1
        self.running += 1
        self._observe()
        environment, setup_ns = self._warm_environment(), 0
        if environment is None:
            environment = self._make(is_provisioned=False)
            setup_ns = round(self._cold_start.draw_s() * 1e9)
            self.cold_starts += 1
        work_s = self._service.work_s(job.payload_class) * self.serverless.slowness
        lasts_s = job.lasts_s(work_s, has_container_error=has_error)
        worked_s, outcome, reason = end_of_work(lasts_s, job.timeout_s, has_container_error=has_error)
        if is_killed and outcome is Outcome.FAILED:
            reason = OUT_OF_MEMORY
        start_ns = self._event_queue.now_ns + setup_ns
        done_ns = start_ns + round(worked_s * 1e9)
        ended = Ended(job, outcome, reason, start_ns, done_ns, environment.index, attempts=1)
        self._event_queue.at(done_ns, partial(self._finish, environment, ended))
        if job.streamed is not None and not has_error:
            offsets_ns = [round(offset_s * 1e9) for offset_s in job.streamed.offsets_s(work_s)]
            job.streamed.begin(self._event_queue, start_ns, offsets_ns, done_ns)
        return True

    def _warm_environment(self) -> _Environment | None:
        if self._provisioned:
            return self._provisioned.pop()
        if not self._idle:
            return None
        environment = self._idle.pop()
        assert environment.expiry is not None, "an idle environment has its expiry on the event_queue"
        environment.expiry.cancel()
        return environment

    def _observe(self) -> None:
        """Tell CloudWatch of the provisioned environments, once there are or were any."""
        provisioned = self.serverless.provisioned
        if self._provisioned_metrics is None and provisioned and self._store is not None:
            self._provisioned_metrics = ProvisionedMetrics(self.settings, self._store)
        if self._provisioned_metrics is not None:
            self._provisioned_metrics.observe(self.running, provisioned)

    def _make(self, *, is_provisioned: bool) -> _Environment:
        self._n_made += 1
        return _Environment(self._n_made - 1, is_provisioned)

    def _finish(self, environment: _Environment, ended: Ended) -> None:
        self.running -= 1
        self.ended += 1
        if environment.is_provisioned and environment.index >= self._n_replaced:
            if self._n_leaving:
                self._n_leaving -= 1
            else:
                self._provisioned.append(environment)
        elif environment.index >= self._n_replaced and ended.reason != OUT_OF_MEMORY:
            due_ns = self._event_queue.now_ns + round(self.serverless.keep_warm * 1e9)
            environment.expiry = self._event_queue.at(due_ns, partial(self._idle.remove, environment))
            self._idle.append(environment)
        if self._metrics is not None:
            self._metrics.count_end(ended)
        if self._provisioned_metrics is not None and self.serverless.provisioned:
            self._provisioned_metrics.count_end(was_provisioned=environment.is_provisioned)
        self._observe()
        for tell in self.on_end:
            tell(ended)
