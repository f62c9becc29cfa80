"""How a run behaved: in the terms in which a prediction is compared with it. Seconds since the run began."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from smbench.analysis.capacity.instances import Capacity, capacity
from smbench.analysis.capacity.scaling import scaling
from smbench.analysis.capacity.timeline import in_system
from smbench.analysis.rows.backlog import Backlog
from smbench.analysis.rows.frames import Frames
from smbench.records import Outcome, Unknown

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Behaviour:
    """Of every accepted request, warm-ups included: the endpoint does not know them from others."""

    latency_s: Values  # from receipt to completion, ascending; infinite where none is known
    backlog: Backlog
    capacity: Capacity | None
    actions: tuple[tuple[float, int], ...]  # changes of capacity: when decided, and to how many

    @property
    def mean_s(self) -> float:
        """Of the completed; 0 where none is."""
        completed = self.latency_s[np.isfinite(self.latency_s)]
        return float(completed.mean()) if len(completed) else 0.0

    def quantile_s(self, share: float) -> float:
        """By the inverse ECDF over all accepted; infinite where fewer completed."""
        n = len(self.latency_s)
        return float(self.latency_s[max(0, int(np.ceil(share * n - 1e-9)) - 1)])

    def attainment(self, deadline_s: float) -> float:
        """The share of accepted requests that completed in time."""
        return float(np.searchsorted(self.latency_s, deadline_s, side="right")) / len(self.latency_s)

    def paid_s(self, until_ns: int) -> float:
        """Instance-seconds paid up to an instant; the last count holds where less is known."""
        if self.capacity is None:
            return 0.0
        knots_ns = np.append(self.capacity.at_ns, max(until_ns, int(self.capacity.at_ns[-1]))).clip(0, until_ns)
        return float(np.sum(self.capacity.paid * np.diff(knots_ns))) / 1e9

    def peak(self) -> tuple[float, float]:
        """The deepest backlog, and when."""
        deepest, at_ns = self.backlog.peak()
        return float(deepest), (at_ns or 0) / 1e9

    def drain_s(self, slots: int) -> float | None:
        """From the deepest backlog to the first instant with no more requests than slots; None: never, or no queue.

        Args:
            slots: Of an instance.
        """
        deepest, at_ns = self.backlog.peak()
        if at_ns is None or self.capacity is None:
            return None
        later = self.backlog.at_ns >= at_ns
        at, count = self.backlog.at_ns[later], self.backlog.backlog[later]
        room = slots * self.capacity.serving_at(at)
        if deepest <= room[0]:
            return None
        drained = np.flatnonzero(count <= room)
        return int(at[drained[0]] - at_ns) / 1e9 if len(drained) else None


def behaviour(frames: Frames) -> Behaviour:
    """Of a measured run, or of one that a model predicts."""
    accepted = frames.requests.filter(pl.col("accepted")).select("outcome", "service_age_ns", "age_ns")
    is_completed = (accepted["outcome"] == Outcome.COMPLETED.value).to_numpy()
    latency_s = accepted.select(pl.coalesce("service_age_ns", "age_ns")).to_series().to_numpy() / 1e9
    known = capacity(frames)
    return Behaviour(
        latency_s=np.sort(np.where(is_completed, latency_s, np.inf)),
        backlog=in_system(frames),
        capacity=None if isinstance(known, Unknown) else known,
        actions=tuple((step.decided_at_s, step.after) for step in scaling(frames).steps),
    )
