"""One worker's share of a scenario's limits and rates: all shares add up to exactly what the scenario asks for.

The rows and the outstanding places of closed phases are dealt out by `Schedule.shard`; the limits are here. The limit
of time needs no dealing, because all workers have the same zero. The share of errors cannot be dealt: some worker's
answers may be bad by chance while all workers' are not; the parent judges it on the sum.
"""

from dataclasses import dataclass

import numpy as np

from smbench.clock import TimeKind
from smbench.errors import UsageError
from smbench.generator.plan import RunPlan
from smbench.scenario.model import Limits
from smbench.schedule.base import Shard


@dataclass(frozen=True, slots=True)
class Share:
    """Which part of a run a worker has: number `worker` (from 0) of `of`, in the run `run_id`."""

    run_id: str
    worker: int = 0
    of: int = 1

    @property
    def id_prefix(self) -> str:
        """How the InferenceIds of this share begin; a row's `seq` follows."""
        return f"{self.run_id}-{self.worker}-"


def share_of(limits: Limits, shard: Shard, *, is_alone: bool = False) -> Limits:
    """The limits of one worker. A share of `requests` may be 0: the worker then sends nothing.

    Args:
        is_alone: No parent judges the sum: the worker holds the share of errors against its own answers.
    """
    if shard.of == 1:
        return limits
    own_requests = None if limits.requests is None else int(np.searchsorted(shard.seq, limits.requests))
    in_flight, errors = in_flight_share(limits, shard.index, shard.of), limits.errors if is_alone else None
    share = {"in_flight": in_flight, "requests": own_requests, "errors": errors}
    return limits.model_copy(update=share)  # unchecked, for 0 requests is nothing a file may ask for


def in_flight_share(limits: Limits, index: int, of: int) -> int:
    """Places are dealt out one by one, as the outstanding places of a closed phase are."""
    return len(range(index, limits.in_flight, of))


def check_workers(plan: RunPlan, n_workers: int, option: str = "--workers") -> None:
    """Refuse what cannot be shared.

    Args:
        option: Which one of the command line asked for so many.

    Raises:
        UsageError: one process is all this run can have, or some worker would have nothing to do.
    """
    if n_workers == 1:
        return
    asked = f"{option} {n_workers}"
    if plan.time_kind is TimeKind.WARP:
        raise UsageError(
            f"{asked} cannot share virtual time: in warp time the emulator and the one worker are one process",
            f"set `time: real` in the scenario's target, or leave {option} out",
        )
    if plan.scenario.collector.queue is not None:
        raise UsageError(
            f"{asked} cannot share the queue that collector.queue names: each worker would take the others' notices",
            f"leave collector.queue out, and every worker makes a queue of its own; or leave {option} out",
        )
    in_flight = plan.scenario.limits.in_flight
    if n_workers > in_flight:
        raise UsageError(
            f"{asked}: limits.in_flight allows {in_flight:,} unanswered submissions, and every worker needs one",
            f"raise limits.in_flight, or use at most {in_flight:,} workers",
        )
    rows = [len(plan.schedule.shard(index, n_workers)) for index in range(n_workers)]
    if 0 in rows:
        raise UsageError(
            f"{asked}: worker {rows.index(0)} would have nothing to send, of {len(plan.schedule):,} requests "
            "(a closed phase has work for as many workers as it keeps outstanding)",
            "use fewer workers",
        )
