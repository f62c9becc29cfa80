"""Whether a plan exceeds what this machine can send: said before the run starts, from its schedule alone.

A run that went beyond is judged by its lag (`analysis.verdict.checks`), whatever was said here.
"""

import math
from dataclasses import dataclass

import numpy as np

from smbench import units
from smbench.clock import TimeKind
from smbench.generator.plan import RunPlan
from smbench.results.ceiling import Ceiling, Found, Machine, ceilings_file, find_ceiling
from smbench.results.manifest import Host
from smbench.schedule.base import NOT_TIMED_NS, Instants

SAFE_SHARE = 0.7  # the machine does other things, and short bursts within a second go beyond their mean
UNASKED_HZ = 500.0  # below this a machine of today keeps its schedule, and nobody need measure it first


@dataclass(frozen=True, slots=True)
class Peak:
    """The real second in which most is due."""

    n: int
    at_ns: int  # scenario time at which it begins


def peak_of(due_ns: Instants, window_ns: int) -> Peak:
    """The window of this length, its end excluded, that holds the most; the first of several.

    Args:
        due_ns: Ascending.
    """
    if not len(due_ns):
        return Peak(0, 0)
    held = np.searchsorted(due_ns, due_ns + window_ns, side="left") - np.arange(len(due_ns))
    first = int(held.argmax())
    return Peak(int(held[first]), int(due_ns[first]))


def ceiling_warning(plan: RunPlan, n_workers: int) -> str:
    """The same `warning`, by the ceiling that was kept for this machine."""
    found = find_ceiling(ceilings_file(), plan.scenario.transport, Machine.of(Host.this()))
    return warning(plan, n_workers, found)


def warning(plan: RunPlan, n_workers: int, found: Found) -> str:
    """One line for the user before the run; empty when there is nothing to say.

    Virtual time cannot be late. A closed phase sends when a notice arrives, and plans no rate.
    """
    if plan.time_kind is TimeKind.WARP:
        return ""
    peak = planned_peak(plan)
    if found.ceiling is None:
        return _unknown(plan, peak, found.why_not) if peak.n > UNASKED_HZ else ""
    safe_hz = SAFE_SHARE * _reach_hz(found.ceiling, n_workers)
    return _beyond(plan, n_workers, peak, found.ceiling) if peak.n > safe_hz else ""


def planned_peak(plan: RunPlan) -> Peak:
    """The fullest real second of a plan; 0 requests where none has an instant, as in a closed loop."""
    return peak_of(_due_ns(plan), round(plan.scale * 1e9))


def _due_ns(plan: RunPlan) -> Instants:
    """When requests are due, without those that a limit will hold back."""
    limits = plan.scenario.limits
    rows = plan.schedule.sched_ns[: limits.requests]
    last_ns = np.inf if limits.time is None else limits.time * 1e9
    due_ns: Instants = rows[(rows != NOT_TIMED_NS) & (rows < last_ns)]
    return due_ns


def _reach_hz(ceiling: Ceiling, n_workers: int) -> float:
    """What so many workers may keep: those beyond the machine's cores add nothing."""
    return ceiling.rate_hz * max(1, min(n_workers, ceiling.machine.cpu_count))


def _planned(plan: RunPlan, peak: Peak) -> str:
    faster = f", time running {plan.scale:g} times faster" if plan.scale != 1.0 else ""
    return f"up to {peak.n:,} requests/s are planned (in the second from {units.duration(peak.at_ns / 1e9)} on{faster})"


def _unknown(plan: RunPlan, peak: Peak, why_not: str) -> str:
    because = f": {why_not}" if why_not else ""
    command = (
        "smbench bench" if plan.scenario.transport == "wire" else f"smbench bench --transport {plan.scenario.transport}"
    )
    return f"{_planned(plan, peak)}, and what this machine keeps is not known{because}; `{command}` measures it"


def _beyond(plan: RunPlan, n_workers: int, peak: Peak, ceiling: Ceiling) -> str:
    reach_hz = _reach_hz(ceiling, n_workers)
    who = "one worker" if n_workers == 1 else f"{n_workers} workers"
    shared = ", and the emulated endpoint shares it" if plan.is_emulated else ""
    advice = ["lower the scale of time" if plan.time_kind is TimeKind.SCALED else "lower the rate"]
    enough = math.ceil(peak.n / (SAFE_SHARE * ceiling.rate_hz))
    if enough <= ceiling.machine.cpu_count - plan.is_emulated:
        advice.append(f"use --workers {enough}")
    return (
        f"{_planned(plan, peak)}, {units.share(peak.n / reach_hz)} of the {reach_hz:,.0f}/s that {who} of this machine "
        f"kept on {ceiling.measured:%Y-%m-%d} against a target that does nothing{shared}; beyond "
        f"{100 * SAFE_SHARE:.0f} % requests may leave late, which makes a run invalid: {', '.join(advice)}, "
        "or take a larger machine"
    )
