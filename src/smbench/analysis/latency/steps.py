"""What each step of a phase of steps or stairs came to: load, throughput, latency, errors."""

from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict

from smbench.analysis.latency.breakdown import latency
from smbench.analysis.numbers.bounds import Distribution
from smbench.analysis.rows.columns import is_one_of, only
from smbench.analysis.rows.frames import Frames
from smbench.analysis.rows.rates import Rates, rates_between
from smbench.records import NotSent, Outcome
from smbench.scenario.phases import Stairs, Steps
from smbench.schedule.base import PhaseSpan

_BAD = (Outcome.REJECTED, Outcome.TRANSPORT_ERROR, Outcome.FAILED, Outcome.EXPIRED)
_KINDS: dict[str, type[Steps] | type[Stairs]] = {"steps": Steps, "stairs": Stairs}


class Step(BaseModel):
    """The requests that were due in one step; completions are those within it, whichever request they end."""

    model_config = ConfigDict(frozen=True)

    number: int  # from 1
    level: float  # users of stairs, requests a second of steps
    rates: Rates
    sojourn: Distribution  # done - sched
    n_bad: int  # rejected, failed, expired, or without an answer


class StepsOfPhase(BaseModel):
    """The steps of one phase, as far as they began."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: str  # steps or stairs
    n_planned: int
    steps: tuple[Step, ...]
    stopped: str  # why the sending ended, where a stop condition ended it; else empty


def steps_of_phases(frames: Frames) -> tuple[StepsOfPhase, ...]:
    """Of each phase that has steps, warm-ups too, in order."""
    load = frames.manifest.scenario.get("load") or ()
    found = []
    for span in frames.spans:
        settings = _settings(load, span)
        if settings is not None:
            found.append(_of_phase(frames, frames.completed_ns, span, settings))
    return tuple(found)


def _settings(load: Any, span: PhaseSpan) -> Steps | Stairs | None:
    kind = _KINDS.get(span.kind)
    return None if kind is None or span.index >= len(load) else kind.model_validate(load[span.index][span.kind])


def _of_phase(frames: Frames, done_ns: pl.Series, span: PhaseSpan, settings: Steps | Stairs) -> StepsOfPhase:
    rows = frames.requests.filter(pl.col("phase") == span.name)
    each_ns = round(settings.each * 1e9)
    made = []
    for place, level in enumerate(settings.levels):
        start_ns = span.start_ns + place * each_ns
        within = rows.filter(pl.col("sched_ns").is_between(start_ns, start_ns + each_ns, closed="left"))
        rates = rates_between(within, done_ns, start_ns, start_ns + each_ns, is_last=False)
        if not rates.n_offered:
            continue
        n_bad = within.filter(is_one_of(_BAD)).height
        spread = latency(within, "sojourn_ns", "age_ns")
        made.append(Step(number=place + 1, level=level, rates=rates, sojourn=spread, n_bad=n_bad))
    is_stopped = pl.col("why_not_sent") == NotSent.STOP_CONDITION.value
    stop = only(frames.requests, is_stopped, "error")["error"].drop_nulls()
    reason = str(stop[0]) if len(stop) and str(stop[0]).startswith(f"{span.name}, ") else ""
    return StepsOfPhase(
        name=span.name, kind=span.kind, n_planned=len(settings.levels), steps=tuple(made), stopped=reason
    )
