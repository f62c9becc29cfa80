"""A replay phase: the part of a trace that is asked for, at the rate that is asked for."""

from pathlib import Path

import numpy as np

from smbench.errors import UsageError
from smbench.scenario.phases import REQUESTS_MAX, Replay
from smbench.schedule.arrivals import too_many
from smbench.schedule.base import Drawn, span_of
from smbench.schedule.trace import Wanted, read_trace, resample, trace_span_ns
from smbench.schedule.trace_words import trace_words
from smbench.tables.opening import Watch


def replayed(settings: Replay, base_dir: Path, rng: np.random.Generator, watch: Watch | None) -> Drawn:
    """The arrivals of one replay phase.

    Raises:
        UsageError: the trace cannot be read, or has nothing in the part that is asked for.
    """
    path = base_dir / settings.trace
    trace = read_trace(
        path,
        Wanted(
            column=settings.column,
            counts=settings.counts,
            unit=settings.unit,
            duration=settings.duration,
            gap_max_ns=None if settings.gap_max is None else span_of(settings.gap_max),
        ),
        watch,
    )
    all_ns = trace.arrivals_ns
    start_ns = span_of(settings.start)
    left_ns = trace_span_ns(all_ns) - start_ns
    span_ns = left_ns if settings.for_s is None else span_of(settings.for_s)
    if span_ns > left_ns or left_ns < 0:
        asked = f"from {settings.start:g} s" + ("" if settings.for_s is None else f" for {settings.for_s:g} s")
        raise UsageError(f"{path} lasts {trace_span_ns(all_ns) / 1e9:,.1f} s and cannot be replayed {asked}")
    first, end = np.searchsorted(all_ns, [start_ns, start_ns + max(1, span_ns)])
    recorded_ns = all_ns[first:end] - start_ns
    n = len(recorded_ns)
    if not n:
        raise UsageError(f"{path} has no arrival in the part to be replayed")
    if settings.rate is not None and not span_ns:
        raise UsageError(f"all arrivals of {path} are simultaneous: there is no rate", "use scale instead of rate")
    factor = (settings.scale or 1.0) if settings.rate is None else settings.rate * (span_ns / 1e9) / n
    if factor * n > REQUESTS_MAX:
        raise too_many(factor * n)
    offsets_ns = resample(recorded_ns, span_ns, factor, rng)
    text = f"{settings.trace}: {n} arrivals in {span_ns / 1e9:g} s, {factor:.4g} times"
    return Drawn(offsets_ns, span_ns, text, trace_words(trace))
