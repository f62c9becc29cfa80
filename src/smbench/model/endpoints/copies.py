"""Copies of inference components: what they need, what an instance has, and whether they fit on those there are.

A copy lies on one instance. First fit, the neediest first: AWS documents no more than that copies are placed where
there is room. An instance is taken to have all of its memory for copies; what AWS keeps for itself is not public.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from smbench.model.endpoints.endpoint import Endpoint
from smbench.model.endpoints.invocation_metrics import ConcurrentRequests, InvocationMetrics
from smbench.model.endpoints.jobs import Ended
from smbench.model.monitoring.metrics import MetricStore

NO_CAPACITY = "NoCapacityInvocationFailures"

_TYPE = re.compile(r"ml\.([a-z0-9-]+)\.(large|(\d*)xlarge)")
_GIB_A_CORE = {
    **dict.fromkeys(("c5", "c5d", "c6i", "c6g", "c7i", "c7g"), 2),
    **dict.fromkeys(("m4", "m5", "m5d", "m6i", "m6g", "m7i", "g4dn", "g5", "g6", "inf2", "t2"), 4),
    **dict.fromkeys(("r5", "r5d", "r6i", "r6g", "r7i", "g6e"), 8),
}
_GPUS = {12: 4, 24: 4, 48: 8}  # by how many times an xlarge; 1 of all others
_INFERENTIA = {24: 6, 48: 12}


@dataclass(frozen=True, slots=True)
class Resources:
    """Cores, MB of memory and accelerators: what a copy needs, or what an instance has."""

    cores: float = 0.0
    memory_mb: float = 0.0
    accelerators: float = 0.0

    def holds(self, other: "Resources") -> bool:
        """Whether there is room for the other."""
        return (
            other.cores <= self.cores and other.memory_mb <= self.memory_mb and other.accelerators <= self.accelerators
        )

    def minus(self, other: "Resources") -> "Resources":
        """What is left."""
        return Resources(
            self.cores - other.cores, self.memory_mb - other.memory_mb, self.accelerators - other.accelerators
        )


def resources_of(instance_type: str) -> Resources | None:
    """What an instance of this type has; None where it is not known here."""
    found = _TYPE.fullmatch(instance_type)
    if found is None or (gib := _GIB_A_CORE.get(family := found[1])) is None:
        return None
    times = 0 if found[2] == "large" else int(found[3] or 1)
    cores = 2 if not times else 4 * times
    accelerators = 0
    if family.startswith("g"):
        accelerators = _GPUS.get(times, 1)
    elif family == "inf2":
        accelerators = _INFERENTIA.get(times, 1)
    return Resources(cores, cores * gib * 1024, accelerators)


def fits(copies: Sequence[Resources], n_instances: int, each: Resources) -> bool:
    """Whether so many instances hold all copies."""
    free = [each] * n_instances
    for copy in sorted(copies, key=lambda copy: (copy.accelerators, copy.memory_mb, copy.cores), reverse=True):
        place = next((place for place, room in enumerate(free) if room.holds(copy)), None)
        if place is None:
            return False
        free[place] = free[place].minus(copy)
    return True


class CopyMetrics:
    """What the copies of one inference component tell CloudWatch.

    Args:
        copies: Those of the component, as instances of an endpoint.
    """

    def __init__(self, component: str, copies: Endpoint, store: MetricStore) -> None:
        dimensions = (("InferenceComponentName", component),)
        self._metrics = InvocationMetrics(
            dimensions, store, loads=lambda _since_ns: (), instances=lambda: copies.in_service, per="Copy"
        )
        copies.publish_as(ConcurrentRequests(dimensions, store, per="Copy"))
        self._copies = copies
        self._no_capacity = store.open_counter(NO_CAPACITY, dimensions, "Count")

    def count_end(self, ended: Ended) -> None:
        """Count one request's end."""
        self._metrics.count_end(ended)

    def refuse(self) -> None:
        """Count a request that met no copy."""
        self._no_capacity.add()

    def close(self) -> None:
        """The component is deleted: it publishes nothing any more."""
        self._metrics.close()
        self._copies.close()
