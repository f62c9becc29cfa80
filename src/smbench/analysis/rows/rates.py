"""Rates of a phase and of the run: offered, achieved, accepted, completed.

Over the same seconds, so that they can be compared: from the phase's start to its planned end, or to its last send
where that came later, because the generator was late or the phase has no planned end. Where the sending ended early,
the time and the requests after that count nowhere: rates are of what took place. `completed` counts the ends within
those seconds, whichever phase the requests belong to: the endpoint's throughput then. Of all but the warm-up it counts
the measured requests', as every other figure does. Phases of another tool's file may go on at the same time, so there
each has its own requests' ends.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from smbench.analysis.numbers.known import Missing
from smbench.analysis.rows.columns import completions
from smbench.analysis.rows.frames import Frames
from smbench.records import NotSent, Unknown

_AT_ONCE, _NOTHING_DUE = "all requests were due at once", "no request was due"

_UNREACHED = pl.col("why_not_sent").is_in([why.value for why in NotSent if why.ends_sending])
_SEEN = {
    "n_unreached": _UNREACHED.sum(),
    "stopped_ns": pl.col("sched_ns").filter(_UNREACHED).min(),  # null too where a closed phase had not released them
    "n_offered": pl.col("sched_ns").count() - pl.col("sched_ns").filter(_UNREACHED).count(),
    "n_sent": pl.col("send_ns").count(),
    "n_accepted": pl.col("accepted").sum(),
    "last_send_ns": pl.col("send_ns").max(),
    "last_end_ns": pl.col("done_ns").max(),
}
"""What the rates of some requests follow from; of none, counts are 0 and instants null."""
_NOTHING_SEEN = {name: 0 if name.startswith("n_") else None for name in _SEEN}


class Rates(BaseModel):
    """Per second; unknown where there is no time to divide by, as in a burst at one instant."""

    model_config = ConfigDict(frozen=True)

    length_s: float
    n_offered: int  # due, a closed loop's: released
    n_sent: int
    n_accepted: int
    n_completed: int  # within the length
    offered_hz: float | Missing
    achieved_hz: float | Missing
    accepted_hz: float | Missing
    completed_hz: float | Missing


class PhaseRates(BaseModel):
    """The rates of one phase."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: str
    warmup: bool
    description: str
    rates: Rates


def phase_rates(frames: Frames) -> tuple[PhaseRates, ...]:
    """In the schedule's order; pauses left out."""
    stopped_ns = _seen(frames.requests)["stopped_ns"]  # for every phase: those after it never began
    by_phase = frames.requests.lazy().group_by("phase").agg(**_SEEN).collect(engine="streaming")  # in little memory
    seen_of = {row["phase"]: row for row in by_phase.to_dicts()}
    for seen in seen_of.values():
        if seen["stopped_ns"] is not None:  # null: its requests have no instants, and it ended with its last send
            seen["stopped_ns"] = stopped_ns
    own_rows = {}
    if frames.manifest.imported is not None:
        own_rows = frames.requests[["phase", "outcome", "done_ns"]].partition_by("phase", as_dict=True)
    phases = []
    for span in frames.spans:
        if not span.n:
            continue
        own = own_rows.get((span.name,))
        done_ns = frames.completed_ns if own is None else completions(own)
        phases.append(
            PhaseRates(
                name=span.name,
                kind=span.kind,
                warmup=span.warmup,
                description=span.description,
                rates=_rates(seen_of.get(span.name, _NOTHING_SEEN), done_ns, span.start_ns, span.end_ns),
            )
        )
    return tuple(phases)


def overall_rates(frames: Frames) -> Rates:
    """From the first measured phase's start to the last one's end, pauses and warm-ups between them included."""
    measured = [span for span in frames.spans if span.n and not span.warmup]
    rows = frames.measured
    start_ns = min((span.start_ns for span in measured), default=_first(rows))
    ends_ns = [span.end_ns for span in measured]
    planned_ns = None if None in ends_ns else max((end for end in ends_ns if end is not None), default=None)
    done_ns = frames.completed_ns if rows is frames.requests else completions(rows)
    return rates_between(rows, done_ns, start_ns, planned_ns)


def rates_between(
    rows: pl.DataFrame, done_ns: pl.Series, start_ns: int, planned_ns: int | None, *, is_last: bool = True
) -> Rates:
    """The rates of some requests.

    Args:
        done_ns: When requests of the run completed, ascending; see `Frames`.
        planned_ns: Until when they were to be sent; None: until the last of them has ended.
        is_last: An end at that very instant counts; else it belongs to the stretch that begins there.
    """
    return _rates(_seen(rows), done_ns, start_ns, planned_ns, is_last=is_last)


def _seen(rows: pl.DataFrame) -> dict[str, Any]:
    return rows.lazy().select(**_SEEN).collect(engine="streaming").row(0, named=True)


def _rates(
    seen: Mapping[str, Any], done_ns: pl.Series, start_ns: int, planned_ns: int | None, *, is_last: bool = True
) -> Rates:
    stopped_ns = seen["stopped_ns"]
    if stopped_ns is None and seen["n_unreached"]:  # a closed phase had not released them: it ended with its last send
        stopped_ns = seen["last_send_ns"]
    if stopped_ns is not None and planned_ns is not None:
        planned_ns = min(planned_ns, max(start_ns, stopped_ns))
    # The planned end or the last send; without a plan the last end, for that is what a closed phase waits for.
    ends_ns = (seen["last_end_ns"] if planned_ns is None else planned_ns, seen["last_send_ns"])
    end_ns = max((end for end in ends_ns if end is not None), default=start_ns)
    length_s = (end_ns - start_ns) / 1e9
    is_long = length_s > 0 and planned_ns != start_ns  # a burst at one instant has no rate, however late it was sent
    n_offered, n_sent, n_accepted = seen["n_offered"], seen["n_sent"], seen["n_accepted"]
    # One end at the very last instant belongs to it: a closed phase ends with it.
    edges = np.searchsorted(done_ns.to_numpy(), [start_ns, end_ns + is_last])
    n_completed = int(edges[1] - edges[0])

    def hertz(count: int) -> float | Unknown:
        return count / length_s if is_long else Unknown(_AT_ONCE if n_offered else _NOTHING_DUE)

    return Rates(
        length_s=length_s,
        n_offered=n_offered,
        n_sent=n_sent,
        n_accepted=n_accepted,
        n_completed=n_completed,
        offered_hz=hertz(n_offered),
        achieved_hz=hertz(n_sent),
        accepted_hz=hertz(n_accepted),
        completed_hz=hertz(n_completed),
    )


def _first(rows: pl.DataFrame) -> int:
    first = rows["sched_ns"].min()
    return first if isinstance(first, int) else 0
