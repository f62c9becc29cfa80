"""A modelled endpoint on a stand: everything in seconds, nothing drawn unless a test asks for it."""

from typing import Any

from smbench.model.endpoints.endpoint import CapacityChange, Ended, Endpoint, EndpointSettings, Job
from smbench.model.endpoints.telemetry import metric_of
from smbench.model.event_queue import EventQueue
from smbench.model.monitoring.metrics import Datapoint, MetricStore
from smbench.model.service import Seeds
from smbench.scenario.emulated import Emulated
from smbench.scenario.model import Scenario
from smbench.scenario.values.distributions import Distribution

SECOND = 1_000_000_000
PLAIN: dict[str, Any] = {
    "instances": {"min": 0},
    "service": "1s",
    "provision": "100s",
    "remove": "50s",
    "metric_delay": "0s",
    "notify_lag": "0s",
}
ON_THE_STROKE = {"alarm_phase": "0s"}  # every alarm is evaluated when a minute ends


def _plain(changes: dict[str, Any]) -> dict[str, Any]:
    return PLAIN | changes | {"open_questions": ON_THE_STROKE | changes.get("open_questions", {})}


def emulated(**changes: Any) -> Emulated:
    """An endpoint of one slot an instance, without chance: service 1 s, provisioning 100 s, removal 50 s."""
    return Emulated.model_validate(_plain(changes))


def scenario(load: list[dict[str, Any]], **changes: Any) -> Scenario:
    """A scenario on such an endpoint; `changes` are of the endpoint, but for the keys of a scenario."""
    own = {key: changes.pop(key) for key in list(changes) if key in Scenario.model_fields}
    document = {"name": "test", "target": {"emulated": _plain(changes)}, "load": load}
    return Scenario.model_validate(document | own)


class Stand:
    """One endpoint, its metrics, and note of all it tells.

    Args:
        n: Instances in service at the start.
        epoch_s: UTC at scenario time zero; gives the phase of the minutes.
        is_synchronous: A real-time endpoint, whose callers wait.
    """

    def __init__(
        self,
        n: int = 1,
        *,
        seeds: Seeds | None = None,
        epoch_s: float = 0.0,
        is_synchronous: bool = False,
        **changes: Any,
    ) -> None:
        self.is_synchronous = is_synchronous
        self.event_queue = EventQueue()
        self.metrics = MetricStore(
            self.event_queue, round(epoch_s * SECOND), delay=Distribution.model_validate("0s"), seeds=seeds
        )
        self.endpoint = Endpoint(
            self.event_queue,
            EndpointSettings.of(emulated(**changes), name="e", variant="v", is_synchronous=is_synchronous),
            instances_at_start=n,
            seeds=seeds or Seeds(),
            metrics=self.metrics,
        )
        self.ends: list[Ended] = []
        self.changes: list[CapacityChange] = []
        self.endpoint.on_end.append(self.ends.append)
        self.endpoint.on_capacity.append(self.changes.append)
        self.jobs: list[Job] = []

    def arrive(self, n: int = 1, *, ttl_s: float = 21_600.0, timeout_s: float = 900.0, payload_class: str = "") -> None:
        for _ in range(n):
            index = len(self.jobs)
            now_ns, is_awaited = self.event_queue.now_ns, self.is_synchronous
            job = Job(index, f"id-{index}", payload_class, ttl_s, timeout_s, now_ns, is_awaited=is_awaited)
            self.jobs.append(job)
            self.endpoint.arrive(job)

    def go_to(self, at_s: float) -> None:
        self.event_queue.advance(round(at_s * SECOND))

    def ended(self, index: int) -> Ended:
        """How a request ended."""
        return next(end for end in self.ends if end.job.index == index)

    def starts_s(self) -> dict[int, float]:
        """When each ended request began, by index."""
        return {end.job.index: end.start_ns / SECOND for end in self.ends if end.start_ns is not None}

    def dones_s(self) -> dict[int, float]:
        """When each ended request was over, by index."""
        return {end.job.index: end.done_ns / SECOND for end in self.ends}

    def kinds(self) -> list[tuple[float, str]]:
        """What happened to the fleet, and when."""
        return [(change.at_ns / SECOND, change.kind) for change in self.changes]

    def points(self, name: str) -> list[Datapoint]:
        """The endpoint's datapoints under a name, of all closed minutes."""
        metric = metric_of(name, "e", "v")
        return self.metrics.datapoints(*metric, -60 * SECOND, self.event_queue.now_ns)
