"""Provisioned environments of a serverless endpoint: a capacity that scales, and its metrics.

Names, units and dimensions are AWS's (developer guide, "Monitor a serverless endpoint"). The guide divides the
concurrent executions by the provisioned concurrency and excepts none: here those on demand count too, so that beyond
the provisioned environments the utilization is above 1.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from smbench.model.endpoints.fleet import CapacityChange, QuotaReached, UpdateInProgress
from smbench.model.endpoints.settings import EndpointSettings
from smbench.model.event_queue import Entry, EventQueue
from smbench.model.monitoring.metrics import SAGEMAKER, MetricId, MetricStore
from smbench.model.service import Sampler, Seeds
from smbench.scenario.serverless import Serverless
from smbench.scenario.values.seeds import stream

PROVISIONED_UTILIZATION = "ServerlessProvisionedConcurrencyUtilization"
_EXECUTIONS = "ServerlessProvisionedConcurrencyExecutions"
_INVOCATIONS = "ServerlessProvisionedConcurrencyInvocations"
_SPILLOVER = "ServerlessProvisionedConcurrencySpilloverInvocations"


class _Serving(Protocol):
    """What of a serverless endpoint is needed here."""

    serverless: Serverless

    @property
    def settings(self) -> EndpointSettings: ...

    def adjust(self, serverless: Serverless) -> None: ...


class ProvisionedConcurrency:
    """The count of provisioned environments, as a scalable target sets it. One change at a time.

    A change takes one provisioning time: until then the endpoint serves with what it had.

    Attributes:
        on_capacity: Called when another count was asked for, and when it is there.
        is_busy_elsewhere: Whether the service is at something else of the endpoint: it refuses a change then.
    """

    def __init__(self, event_queue: EventQueue, endpoint: _Serving, seeds: Seeds) -> None:
        self._event_queue, self._endpoint = event_queue, endpoint
        self.on_capacity: list[Callable[[CapacityChange], None]] = []
        self.is_busy_elsewhere: Callable[[], bool] = bool  # never
        settings = endpoint.settings
        self._provision = Sampler(
            settings.provision, stream(seeds.capacity, "capacity.provisioned_concurrency"), settings.base_dir
        )
        self._coming: tuple[int, Entry] | None = None

    @property
    def desired(self) -> int:
        """Environments asked for."""
        return self._endpoint.serverless.provisioned if self._coming is None else self._coming[0]

    @property
    def most(self) -> int:
        """No more can be provisioned than requests can run at once."""
        return self._endpoint.serverless.max_concurrency

    @property
    def is_updating(self) -> bool:
        """A change is under way."""
        return self._coming is not None

    def set_desired(self, n: int, cause: str = "", *, under_way_ns: int = 0) -> None:
        """Ask for another number of environments; nothing happens when it is the present one.

        Args:
            under_way_ns: For so long the change has been under way already.

        Raises:
            UpdateInProgress: updates serialise and one is under way.
            QuotaReached: the endpoint's MaxConcurrency is below it.
        """
        if n == self.desired:
            return
        serialises = self._endpoint.settings.open_questions.serialise_updates
        if serialises and (self.is_updating or self.is_busy_elsewhere()):
            raise UpdateInProgress(f"cannot provision {n} environments: the endpoint is being updated")
        if n > self.most:
            raise QuotaReached(f"ProvisionedConcurrency {n} must not be greater than MaxConcurrency {self.most}.")
        before = self.desired
        if self._coming is not None:
            self._coming[1].cancel()
        due_ns = self._event_queue.now_ns + max(0, round(self._provision.draw_s() * 1e9) - under_way_ns)
        self._coming = n, self._event_queue.at(due_ns, partial(self._take_effect, n))
        self._tell("desired", before, cause)

    def _take_effect(self, n: int) -> None:
        self._coming = None
        before = self._endpoint.serverless
        # Another MaxConcurrency may have come meanwhile, where updates need not serialise.
        n = min(n, before.max_concurrency)
        self._endpoint.adjust(before.model_copy(update={"provisioned": n}))
        self._tell("in_service" if n >= before.provisioned else "removed", n)

    def _tell(self, kind: str, before: int, cause: str = "") -> None:
        there = self._endpoint.serverless.provisioned
        change = CapacityChange(self._event_queue.now_ns, before, self.desired, there, kind, cause=cause)
        for tell in self.on_capacity:
            tell(change)


class ProvisionedMetrics:
    """Publishes the use of the provisioned environments into a store, while there are any."""

    def __init__(self, settings: EndpointSettings, store: MetricStore) -> None:
        dimensions = (("EndpointName", settings.name), ("VariantName", settings.variant))
        omits_zeros = not settings.open_questions.zeros_when_idle
        self._store = store
        self._utilization = store.open_gauge(PROVISIONED_UTILIZATION, dimensions, "None", omit_zeros=omits_zeros)
        self._executions = store.open_gauge(_EXECUTIONS, dimensions, "Count", omit_zeros=omits_zeros)
        self._invocations = store.open_counter(_INVOCATIONS, dimensions, "Count")
        self._spillover = store.open_counter(_SPILLOVER, dimensions, "Count")
        names = (PROVISIONED_UTILIZATION, _EXECUTIONS, _INVOCATIONS, _SPILLOVER)
        self._opened = [MetricId.of(SAGEMAKER, name, dimensions) for name in names]

    def observe(self, running: int, provisioned: int) -> None:
        """So many requests run from now on, with so many environments provisioned."""
        self._utilization.set(running / provisioned if provisioned else None)
        self._executions.set(float(running) if provisioned else None)

    def count_end(self, *, was_provisioned: bool) -> None:
        """Count one request, by the environment that served it."""
        (self._invocations if was_provisioned else self._spillover).add()

    def close(self) -> None:
        """Publish nothing any more."""
        for metric in self._opened:
            self._store.forget(metric)
