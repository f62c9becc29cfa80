"""What one run at one rate shows: whether the backlog grew, what was served while it did, and who missed a demand.

A statement is made only where its error says so, at 99 %; else the probe is unsure. Source:
docs/methods.md#capacity-search.
"""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from smbench.analysis.capacity.instances import capacity, concurrency
from smbench.analysis.numbers import student
from smbench.analysis.numbers.batch_means import N_BATCHES, Estimate, Values, batch_means
from smbench.analysis.numbers.congestion import UTILISATION_MAX, Congestion
from smbench.analysis.rows.columns import MAY_BE_ACCEPTED
from smbench.analysis.rows.frames import Frames
from smbench.records import Outcome, Unknown
from smbench.schedule.base import PhaseSpan
from smbench.sweeping.demands import Demand

Said = Literal["keeps", "fails", "unsure"]

DECIDED = 0.99  # confidence of a statement about one probe
GROWTH_MAX = 0.05  # of the rate: a backlog that may grow faster than this is not said to stay
GIVEN_UP_MAX = 0.01  # of synchronous calls
MISSES_MIN = 8  # requests that may miss, and fewer show no share
_RUNS_OF_MEMORY = 8  # lengths of the queue's memory in a run that is taken for steady
_BUSY_ERRORS = 0.5  # standard errors added to the utilisation that was seen
_DEGREES_KNOWN = 20  # degrees of freedom more, where the queue's own law says what requests are worth


class Misses(BaseModel):
    """The share of requests that missed a demand, at least and at most.

    Args:
        trials: Independent requests that those of the run are worth; 0 where the run is too short for how busy it was.
    """

    model_config = ConfigDict(frozen=True)

    text: str
    allowed: float
    least: float
    most: float
    trials: float
    said: Said


class Evidence(BaseModel):
    """What a probe showed.

    Args:
        growth_hz: By how much the backlog grew each second; None: the endpoint has none.
        growth: `keeps`: it does not grow by more than 5 % of the rate; `fails`: it grows.
        served_hz: Completions each second while the backlog grew; None where it did not, or calls were given up.
    """

    model_config = ConfigDict(frozen=True)

    rate_hz: float
    n: int
    growth_hz: Estimate | None
    growth: Said
    served_hz: Estimate | None
    misses: tuple[Misses, ...]

    @property
    def shares(self) -> Said:
        """All demands together."""
        return _worst([one.said for one in self.misses])

    @property
    def said(self) -> Said:
        """Whether the rate is kept."""
        return _worst([self.growth, self.shares])


def evidence_of(frames: Frames, rate_hz: float, demands: Sequence[Demand], kind: str) -> Evidence:
    """The evidence of a run whose one measured phase offered a steady rate.

    Args:
        kind: Of endpoint: async, serverless or realtime.
    """
    (span,) = [span for span in frames.spans if span.n and not span.warmup]
    n_slots = None if kind == "serverless" else _slots(frames, span)
    misses = tuple(_misses(frames, demand, n_slots) for demand in demands)
    growth_hz, growth, served_hz = None, "keeps", None
    if kind != "serverless":
        growth_hz, served_hz = _courses(frames, span)
        growth = _grows(growth_hz, span, rate_hz, n_slots or 1)
    if frames.n_unreached and growth != "fails":  # what was sent was less than the rate
        growth = "unsure"
    # A call that was given up is worked on still: completions are then less than what is served.
    completed = frames.measured.select((pl.col("outcome") == Outcome.COMPLETED.value).mean()).item() or 0.0
    gave_up = kind != "async" and completed < 1 - GIVEN_UP_MAX
    return Evidence(
        rate_hz=rate_hz,
        n=frames.measured.height,
        growth_hz=growth_hz,
        growth=growth,
        served_hz=served_hz if growth == "fails" and not gave_up else None,
        misses=misses,
    )


def _worst(said: Sequence[Said]) -> Said:
    return "fails" if "fails" in said else "unsure" if "unsure" in said else "keeps"


def _courses(frames: Frames, span: PhaseSpan) -> tuple[Estimate, Estimate]:
    """The growth of the backlog and the completions, each second of the measured phase."""
    assert span.end_ns is not None, "a phase of a steady rate has an end"
    edges_ns = np.linspace(span.start_ns, span.end_ns, N_BATCHES + 1)
    length_s = (span.end_ns - span.start_ns) / 1e9 / N_BATCHES
    curve = frames.backlog
    place = np.searchsorted(curve.at_ns, edges_ns, side="right")
    level = np.concatenate([[0], curve.backlog])[place]
    done_ns = frames.requests.filter(pl.col("outcome") == Outcome.COMPLETED.value)["done_ns"].drop_nulls().to_numpy()
    done, _ = np.histogram(done_ns, edges_ns)
    return batch_means(np.diff(level) / length_s), batch_means(done / length_s)


def _grows(growth: Estimate, span: PhaseSpan, rate_hz: float, n_slots: int) -> Said:
    assert span.end_ns is not None
    length_s, half = (span.end_ns - span.start_ns) / 1e9, growth.half(DECIDED)
    if growth.mean - half > 0 and growth.mean * length_s > n_slots:  # what the slots can hold is no queue
        return "fails"
    return "keeps" if growth.mean + half <= GROWTH_MAX * rate_hz else "unsure"


def _slots(frames: Frames, span: PhaseSpan) -> int | None:
    """Requests that were worked on at once when the phase began; None where it is not known or changed."""
    served, at_once = capacity(frames), concurrency(frames)
    if isinstance(served, Unknown) or isinstance(at_once, Unknown) or span.end_ns is None:
        return None
    if served.changed_within(span.start_ns, span.end_ns):
        return None
    return max(1, int(served.serving_at(np.array([span.start_ns]))[0]) * at_once)


def _misses(frames: Frames, demand: Demand, n_slots: int | None) -> Misses:
    least, most = (series.to_numpy() for series in demand.missed(frames))
    shares = [float(series.mean()) if len(series) else 0.0 for series in (least, most)]
    allowed, trials = demand.allowed, 0.0
    said: Said = "unsure"
    if len(least) >= N_BATCHES:
        worth, usual, degrees, is_steady = _worth(frames, demand, least, n_slots)
        half = student.quantile(DECIDED, degrees) * math.sqrt(allowed * (1 - allowed) / worth)
        trials = usual if is_steady and shares[0] == shares[1] else 0.0
        if len(least) * allowed >= MISSES_MIN:
            is_kept = is_steady and allowed - shares[1] > half
            said = "fails" if shares[0] - allowed > half else "keeps" if is_kept else "unsure"
    return Misses(text=demand.text, allowed=allowed, least=shares[0], most=shares[1], trials=trials, said=said)


def _worth(frames: Frames, demand: Demand, missed: Values, n_slots: int | None) -> tuple[float, float, int, bool]:
    """Independent requests that those seen are worth: at least, and usually; degrees of freedom; are they steady?

    A short run of a busy queue shows neither its steady state nor how much its requests are alike: both follow from
    how busy the slots were.
    """
    n, allowed = len(missed), demand.allowed
    seen = batch_means(missed)
    alone = max(seen.mean * (1 - seen.mean), allowed * (1 - allowed) / 4) / n
    inflation, degrees = max(1.0, seen.error**2 / alone), seen.degrees
    queue = _queue(frames, n_slots) if demand.is_of_latency and n_slots is not None else None
    if queue is None:
        return n / inflation, n / inflation, degrees, True
    busy = queue.raised(_BUSY_ERRORS)
    if busy >= UTILISATION_MAX:
        return n / inflation, 0.0, degrees, False
    usual = queue.inflation(1 - allowed, queue.utilisation)
    if (known := queue.inflation(1 - allowed, busy)) > inflation:
        inflation, degrees = known, degrees + _DEGREES_KNOWN
    return n / inflation, n / usual, degrees, queue.n >= _RUNS_OF_MEMORY * queue.memory(busy)


def _queue(frames: Frames, n_slots: int) -> Congestion | None:
    rows = frames.measured.filter(MAY_BE_ACCEPTED).sort("sched_ns", "send_ns", "age_ns")
    arrived_s = rows["sched_ns"].to_numpy() / 1e9
    is_at_work = (rows["done_ns"].is_null() & rows["accepted"]).to_numpy()  # as `analysis.latency.intervals` has it
    takes_s = np.where(is_at_work, np.inf, rows["age_ns"].to_numpy() / 1e9)
    return Congestion.of(arrived_s, arrived_s + takes_s, n_slots)
