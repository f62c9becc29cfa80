"""Whether the system allows the files and connections a run may need: asked before the run starts."""

from smbench.clock import TimeKind
from smbench.errors import UsageError
from smbench.generator.plan import RunPlan
from smbench.open_files import allowed

OWN = 100  # of a process without a request: libraries, pipes, files being written, connections to S3


def needed_descriptors(plan: RunPlan, machines: int = 1) -> int:
    """The most that one process of the run may hold open at once.

    A request on its way holds a connection, a long poll another; in warp time both ends of each are in one process.

    Args:
        machines: How many share the load, one process each.
    """
    connections = _in_flight(plan, machines) + plan.scenario.collector.receivers
    return OWN + connections * (2 if plan.time_kind is TimeKind.WARP else 1)


def _in_flight(plan: RunPlan, machines: int) -> int:
    return -(-min(plan.scenario.limits.in_flight, len(plan.schedule)) // machines)


def require_descriptors(plan: RunPlan, machines: int = 1) -> None:
    """Raise this process's limit to what is needed, as far as the system allows; the run's processes inherit it.

    Args:
        machines: How many share the load, one process each.

    Raises:
        UsageError: the system allows too few.
    """
    needed = needed_descriptors(plan, machines)
    if (most := allowed(needed)) < needed:
        raise UsageError(
            f"the run may need {needed:,} open files and connections in one process (limits.in_flight is "
            f"{plan.scenario.limits.in_flight:,}), and this system allows {most:,}",
            f"raise the limit, `ulimit -n {needed}`" + ("" if machines > 1 else _or_fewer(plan, int(most), needed)),
        )


def _or_fewer(plan: RunPlan, most: int, needed: int) -> str:
    each = 2 if plan.time_kind is TimeKind.WARP else 1
    in_flight = min(plan.scenario.limits.in_flight, len(plan.schedule)) - -(-(needed - most) // each)
    return f", or lower limits.in_flight to {in_flight}" if in_flight > 0 else ""
