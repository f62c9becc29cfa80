"""What there is to show of a run, as bytes and back: from the process that runs it to those that watch it.

A frame is the whole picture, so a viewer may come late, miss frames or leave, and no frame depends on the one before.
"""

from dataclasses import dataclass, replace
from typing import Any

import msgspec

from smbench.analysis.verdict.early_verdict import ThresholdSoFar
from smbench.records import Event
from smbench.snapshot import LogHistogram, Snapshot
from smbench.view.live.history import History
from smbench.view.live.state import Gauge, LiveState, Rates, RunHeader


@dataclass(frozen=True, slots=True)
class Frame:
    """Everything that `LiveState` shows, as values; names as there.

    Args:
        workers: Each worker's latest snapshot, as its channel brought it.
        gauges: With name and statistic.
    """

    header: RunHeader
    workers: list[Snapshot]
    rates: Rates
    backlog: History
    instances: History
    offered: History
    completed: History
    backlog_peak: int
    gauges: list[tuple[str, str, Gauge]]
    events: list[Event]
    n_events: int
    note: str
    judged: tuple[ThresholdSoFar, ...]
    cautions: tuple[str, ...]


def frame_bytes(state: LiveState) -> bytes:
    """The state as it is now."""
    return _ENCODER.encode(
        Frame(
            header=state.header,
            workers=state.workers,
            rates=state.rates,
            backlog=state.backlog,
            instances=state.instances,
            offered=state.offered,
            completed=state.completed,
            backlog_peak=state.backlog_peak,
            gauges=[(*key, gauge) for key, gauge in state.gauges.items()],
            events=list(state.events),
            n_events=state.n_events,
            note=state.note,
            judged=state.judged,
            cautions=state.cautions,
        )
    )


def state_from(frame: bytes, results: str) -> LiveState:
    """A state that shows the same.

    Args:
        results: The run's folder, as the user would type it here.

    Raises:
        ValueError: it is no frame, or another version's.
    """
    found = _DECODER.decode(frame)
    state = LiveState(replace(found.header, results=results))
    state.is_watched = True
    state.update(found.workers)
    state.gauges = {(name, stat): gauge for name, stat, gauge in found.gauges}
    state.events.extend(found.events)
    for name in _TAKEN_AS_THEY_ARE:
        setattr(state, name, getattr(found, name))
    return state


_TAKEN_AS_THEY_ARE = (
    "rates",
    "backlog",
    "instances",
    "offered",
    "completed",
    "backlog_peak",
    "n_events",
    "note",
    "judged",
    "cautions",
)


def _plain(value: Any) -> Any:
    if isinstance(value, LogHistogram):
        return value.longest_ns, value.counts
    if isinstance(value, History):
        return value.kept()
    return str(value)  # what AWS sent with an event may hold anything


def _made(kind: type, value: Any) -> Any:
    if kind is LogHistogram:
        histogram = LogHistogram()
        histogram.longest_ns, histogram.counts = value
        histogram.total = sum(histogram.counts.values())
        return histogram
    if kind is History:
        return History.of(*value)
    return value  # of an event's detail


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_plain)
_DECODER = msgspec.msgpack.Decoder(Frame, dec_hook=_made)
