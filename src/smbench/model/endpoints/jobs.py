"""A request inside the endpoint: from its acceptance to its end, with the instance that works on it."""

from dataclasses import dataclass

from smbench.model.endpoints.streaming import Streamed
from smbench.model.event_queue import Entry
from smbench.records import Outcome

CONTAINER_ERROR = "container_error"
OUT_OF_MEMORY = "out_of_memory"
TIMEOUT = "timeout"
TTL = "ttl"
INSTANCE_LOST = "instance_lost"  # and no other begins with it: an open question, and always so where a caller waits
OVERLOADED = "overloaded"  # too many were waiting for the instances of a real-time endpoint


@dataclass(slots=True)  # one a request: freezing would double what it costs
class Job:
    """A request as the endpoint sees it: accepted, waiting for a slot.

    Where its caller waits for the answer (`is_awaited`), `ttl_s` is all the time it has, waiting and work together.
    """

    index: int  # order of acceptance
    inference_id: str
    payload_class: str
    ttl_s: float
    timeout_s: float
    recv_ns: int
    context: object = None  # whatever the driver wants back at the end
    is_awaited: bool = False
    streamed: Streamed | None = None  # None: the answer comes at once

    def lasts_s(self, work_s: float, *, has_container_error: bool) -> float:
        """How long it keeps a slot of an average instance. A container's error comes in the place of the first part."""
        return work_s if self.streamed is None or has_container_error else self.streamed.offsets_s(work_s)[-1]


@dataclass(slots=True)
class Ended:
    """How a request ended. `reason` is empty for the completed."""

    job: Job
    outcome: Outcome  # completed, failed or expired
    reason: str
    start_ns: int | None  # the last time an instance began with it; None: never
    done_ns: int
    instance: int | None
    attempts: int  # times an instance began with it


def end_of_work(duration_s: float, limit_s: float, *, has_container_error: bool) -> tuple[float, Outcome, str]:
    """How long a container works on a request, how that ends, and why.

    Args:
        duration_s: What the work would take.
        limit_s: What it may take.
    """
    if duration_s > limit_s:
        return limit_s, Outcome.FAILED, TIMEOUT
    if has_container_error:
        return duration_s, Outcome.FAILED, CONTAINER_ERROR
    return duration_s, Outcome.COMPLETED, ""


@dataclass(slots=True, eq=False)
class Held:
    """An accepted request until its end."""

    job: Job
    work_s: float  # on an instance of average speed
    has_container_error: bool
    is_queued: bool = False
    start_ns: int | None = None
    attempts: int = 0
    instance: "Instance | None" = None
    entry: Entry | None = None  # its expiry while it waits, its end while it runs

    @property
    def expires_ns(self) -> int:
        """When its time to live is over, counted from its receipt."""
        return self.job.recv_ns + round(self.job.ttl_s * 1e9)


@dataclass(slots=True, eq=False)
class Instance:
    """One machine. All its chances are drawn at launch: the n-th launched has the same under every policy."""

    index: int
    slowness: float  # service times are this much longer than on an average instance
    provision_ns: int
    remove_ns: int
    life_ns: int | None
    is_stillborn: bool
    running: "dict[Held, None]"  # in order of start
    slots: int = 1  # requests that it works on at once
    is_leaving: bool = False
    is_gone: bool = False
    entry: Entry | None = None  # its readiness, or its death
    is_paid_off: bool = False  # leaving, and its removal time is over
    busy_ns: int = 0  # slot-nanoseconds worked in this minute, up to `since_ns`
    since_ns: int = 0

    def settle(self, now_ns: int) -> None:
        """Account for the work done until now; before the number running changes."""
        self.busy_ns += len(self.running) * (now_ns - self.since_ns)
        self.since_ns = now_ns
