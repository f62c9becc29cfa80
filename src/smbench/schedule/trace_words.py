"""A trace described in words: how long, how busy and how bursty it is, for a person to check before a replay."""

import numpy as np

from smbench import units
from smbench.schedule.base import SPAN_MAX_NS, Instants
from smbench.schedule.trace import Trace, trace_span_ns

_SECOND_NS = 10**9
_BUSIEST_S = 10
_WINDOWS_S = (1, 60)
_WINDOWS_MIN = 10  # fewer give no index of dispersion
_IDLE_MIN_NS = 60 * _SECOND_NS
_IDLE_SHARE = 0.01  # of the span
_IDLE_TIMES = 10  # the mean gap


def trace_words(trace: Trace) -> tuple[str, ...]:
    """Sentences without a full stop: what was read, span and rates, burstiness and ties, then what is unusual."""
    arrivals_ns = trace.arrivals_ns
    n, span_ns = len(arrivals_ns), trace_span_ns(arrivals_ns)
    read = f"read {trace.source}"
    if not span_ns or span_ns > SPAN_MAX_NS:
        lasts = f"lasting {units.duration(span_ns / 1e9)}" if span_ns else "all at one instant"
        return (read, f"{n:,} arrivals, {lasts}", *trace.notes)
    mean_hz = n / (span_ns / 1e9)
    figures = [f"{n:,} arrivals in {units.duration(span_ns / 1e9)}", f"{units.rate(mean_hz)} on average"]
    if span_ns >= 2 * _BUSIEST_S * _SECOND_NS:
        busiest_hz = _busiest(arrivals_ns) / _BUSIEST_S
        figures.append(
            f"{units.rate(busiest_hz)} in the busiest {_BUSIEST_S} s ({busiest_hz / mean_hz:.3g} times the mean)"
        )
    ties = float((np.diff(arrivals_ns) == 0).sum()) / n
    shape = [f"{units.share(ties)} of them at the instant of another", *_dispersions(arrivals_ns, span_ns)]
    return (read, ", ".join(figures), "; ".join(shape), *_idle(arrivals_ns, span_ns), *trace.notes)


def _busiest(arrivals_ns: Instants) -> int:
    """The most arrivals within `_BUSIEST_S` of one of them, wherever it lies."""
    ends = np.searchsorted(arrivals_ns, arrivals_ns + _BUSIEST_S * _SECOND_NS)
    return int((ends - np.arange(len(arrivals_ns))).max())


def _counts(arrivals_ns: Instants, span_ns: int, width_s: int) -> Instants:
    """Arrivals in each whole window of the span; at least one."""
    width_ns = width_s * _SECOND_NS
    n = max(1, span_ns // width_ns)
    return np.bincount(np.minimum(arrivals_ns // width_ns, n), minlength=n + 1)[:n].astype(np.int64)


def _dispersions(arrivals_ns: Instants, span_ns: int) -> list[str]:
    """The index of dispersion of counts: variance over mean in windows of a width; 1 for a Poisson process."""
    said = []
    for width_s in _WINDOWS_S:
        if span_ns // (width_s * _SECOND_NS) < _WINDOWS_MIN:
            continue
        counts = _counts(arrivals_ns, span_ns, width_s)
        if mean := float(counts.mean()):
            said.append(f"{float(counts.var()) / mean:.3g} at {width_s} s")
    return [f"index of dispersion {', '.join(said)} (a Poisson process has 1)"] if said else []


def _idle(arrivals_ns: Instants, span_ns: int) -> tuple[str, ...]:
    """Long times without an arrival: at least a minute, a hundredth of the span, and ten times the mean gap."""
    gaps_ns = np.diff(arrivals_ns)
    least_ns = max(_IDLE_MIN_NS, _IDLE_SHARE * span_ns, _IDLE_TIMES * span_ns / len(arrivals_ns))
    long = np.flatnonzero(gaps_ns >= least_ns)
    if not long.size:
        return ()
    longest = int(gaps_ns.argmax())
    begins = units.duration(int(arrivals_ns[longest]) / 1e9)
    idle = "one time" if long.size == 1 else f"{long.size:,} times"
    return (
        f"idle {idle} for {units.duration(int(gaps_ns[long].sum()) / 1e9)} in all, the longest "
        f"{units.duration(int(gaps_ns[longest]) / 1e9)} from {begins} on; `gap_max: 5m` would cut each to that",
    )
