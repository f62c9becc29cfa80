"""How many workers fit on this machine: beside the emulated endpoint, and how many of them a plan needs.

A worker that keeps its schedule wants a core while it sends, and so does an emulated endpoint in real time. More
processes than cores take turns: two workers on two cores, beside the emulator, send less than one does.
"""

import math
import os
from dataclasses import dataclass
from typing import Literal

from smbench.ceiling.headroom import SAFE_SHARE, UNASKED_HZ, planned_peak
from smbench.clock import TimeKind
from smbench.errors import UsageError
from smbench.generator.plan import RunPlan
from smbench.results.ceiling import Found, Machine, ceilings_file, find_ceiling
from smbench.results.manifest import Host

AUTO: Literal["auto"] = "auto"


@dataclass(frozen=True, slots=True)
class Crew:
    """How many workers share a load, and the line that says why; empty when nothing was to be decided."""

    n_workers: int
    why: str = ""


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def fitting(plan: RunPlan, n_cores: int) -> int:
    """How many workers have a core each beside the emulated endpoint, where there is one; at least one."""
    return max(1, n_cores - plan.is_emulated)


def crew_of(plan: RunPlan, asked: int | Literal["auto"], place: str) -> Crew:
    """The workers of a run by what this machine was found to keep.

    Args:
        place: Where they run, as `--on` names it.

    Raises:
        UsageError: the cores of another place are not known here.
    """
    if place != "local":
        if asked == AUTO:
            raise UsageError(f"--workers auto counts the cores of this machine, not those of {place}", "say how many")
        return Crew(asked)
    if asked != AUTO:
        return Crew(asked, crowding(plan, asked, cores()))
    return sized(plan, cores(), find_ceiling(ceilings_file(), plan.scenario.transport, Machine.of(Host.this())))


def sized(plan: RunPlan, n_cores: int, found: Found) -> Crew:
    """As many as the fullest second of the plan needs, and no more than fit."""
    if plan.time_kind is TimeKind.WARP:
        return Crew(1, "workers: 1, for virtual time cannot be shared")
    if plan.scenario.collector.queue is not None:
        return Crew(1, "workers: 1, for a queue that is given cannot be shared")
    fits = min(fitting(plan, n_cores), plan.scenario.limits.in_flight)
    peak_hz = planned_peak(plan).n
    if peak_hz <= UNASKED_HZ:
        return Crew(1, f"workers: 1, for at most {peak_hz:,} requests/s are planned")
    room = f"{fits} {'has' if fits == 1 else 'have'} a core of {_where(plan, n_cores)}"
    if found.ceiling is None:
        return Crew(fits, f"workers: {fits}, for {room}; what one keeps is not known, and `smbench bench` measures it")
    safe_hz = SAFE_SHARE * found.ceiling.rate_hz
    wanted = math.ceil(peak_hz / safe_hz)
    return Crew(
        min(wanted, fits),
        f"workers: {min(wanted, fits)}, for up to {peak_hz:,} requests/s are planned, one worker is safe up to "
        f"{safe_hz:,.0f}/s, and {room}",
    )


def crowding(plan: RunPlan, n_workers: int, n_cores: int) -> str:
    """A line for more workers than fit; empty where they do."""
    fits = fitting(plan, n_cores)
    if n_workers <= fits or n_workers == 1:
        return ""
    return (
        f"{n_workers} workers on {_where(plan, n_cores)}: {fits} {'has' if fits == 1 else 'have'} a core, more take "
        f"turns and send later; use --workers {fits}, or auto"
    )


def _where(plan: RunPlan, n_cores: int) -> str:
    shared = ", one of them the emulated endpoint's" if plan.is_emulated and n_cores > 1 else ""
    return f"{n_cores} core{'s' if n_cores > 1 else ''}{shared}"
