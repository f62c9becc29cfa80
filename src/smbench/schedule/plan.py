"""From a scenario to its schedule: the phases laid end to end, each with chance of its own."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from smbench import units
from smbench.errors import UsageError
from smbench.scenario.model import Scenario
from smbench.scenario.phases import (
    REQUESTS_MAX,
    Burst,
    Closed,
    Constant,
    Pause,
    Phase,
    Poisson,
    Ramp,
    Replay,
    Sine,
    Stairs,
    Steps,
    Users,
)
from smbench.scenario.values.seeds import stream
from smbench.schedule import arrivals
from smbench.schedule.base import SPAN_MAX_NS, Drawn, Instants, PhaseSpan, Schedule, span_of
from smbench.schedule.users import closed, users
from smbench.tables.opening import Watch


def plan(scenario: Scenario, base_dir: Path, payload_weights: Sequence[float], watch: Watch | None = None) -> Schedule:
    """The scenario's load as rows, the same for ever for the same seeds.

    Each phase draws its arrivals, or how long its users think, from the stream `arrivals.INDEX` and its payloads from
    `payloads.INDEX`: to change
    one phase, or the payloads, leaves every other draw alone. `limits` cut nothing here: they stop the run, and the
    rows that are left are counted as not sent.

    Args:
        base_dir: Where relative trace paths begin: the scenario file's folder.
        payload_weights: One a payload; each row's payload is drawn in proportion to them.
        watch: Called while a trace is read; see `tables.foreign`.

    Raises:
        UsageError: a trace cannot be read, the load is too large, or a phase follows one whose end is unknown.
        ValueError: no weights, or negative ones, or all 0.
    """
    cumulative = _cumulative_shares(payload_weights)
    if len(scenario.load) > np.iinfo(np.int16).max:
        raise UsageError(
            f"the load has {len(scenario.load):,} phases; at most {np.iinfo(np.int16).max:,} can be distinguished"
        )
    spans: list[PhaseSpan] = []
    sched_ns: list[Instants] = []
    payload: list[NDArray[np.int32]] = []
    think_ns: list[Instants] = []
    start_ns: int | None = 0
    n_before = 0
    is_once = scenario.payloads.order == "once"
    for index, (phase, name) in enumerate(zip(scenario.load, _names(scenario.load), strict=True)):
        where = f"load.{index}.{phase.kind}"
        if start_ns is None:
            raise UsageError(
                f"{where}: when this phase begins is not known: the closed phase before it lasts until its last "
                "request has ended",
                "give the closed phase a `for`, or put it last",
            )
        try:
            drawn = _draw(phase, base_dir, stream(scenario.seed_of("arrivals"), f"arrivals.{index}"), watch)
            span = _span(phase, drawn, index, name, start_ns=start_ns, first_seq=n_before)
        except UsageError as error:
            raise UsageError(f"{where}: {error.message}", error.advice) from error
        spans.append(span)
        sched_ns.append(drawn.offsets_ns if span.outstanding else drawn.offsets_ns + start_ns)
        uniform = stream(scenario.seed_of("payloads"), f"payloads.{index}").random(span.n)
        payload.append(np.searchsorted(cumulative, uniform, side="right").astype(np.int32))
        think_ns.append(drawn.think_ns if drawn.think_ns is not None else np.zeros(span.n, dtype=np.int64))
        start_ns, n_before = span.end_ns, n_before + span.n
    return Schedule(
        sched_ns=np.concatenate(sched_ns),
        phase=np.repeat(np.arange(len(spans), dtype=np.int16), [span.n for span in spans]),
        payload=_each_once(scenario, n_before, len(payload_weights)) if is_once else np.concatenate(payload),
        spans=tuple(spans),
        think_ns=np.concatenate(think_ns) if any(each.any() for each in think_ns) else np.zeros(0, dtype=np.int64),
    )


def _each_once(scenario: Scenario, n_requests: int, n_payloads: int) -> NDArray[np.int32]:
    """Every payload one time, in order; of requests beyond `limits.requests` none is sent, whatever it carries."""
    n_sent = min(n_requests, scenario.limits.requests or n_requests)
    if n_sent > n_payloads:
        raise UsageError(
            f"payloads.order is once: the load asks for {n_sent:,} requests, and there are {n_payloads:,} payloads",
            f"make the load shorter, set limits.requests to {n_payloads}, or leave out `order`",
        )
    return np.minimum(np.arange(n_requests), n_payloads - 1).astype(np.int32)


def _cumulative_shares(weights: Sequence[float]) -> NDArray[np.float64]:
    cumulative = np.cumsum(np.asarray(weights, dtype=np.float64))
    if not len(weights) or min(weights) < 0 or not 0 < cumulative[-1] < np.inf:
        raise ValueError(f"payload weights {list(weights)} are not shares")
    shares: NDArray[np.float64] = cumulative / cumulative[-1]
    return shares


def _names(phases: Sequence[Phase]) -> list[str]:
    """A name for each phase: the one given, else its kind; a number is added to one that is taken."""
    taken: set[str] = set()
    given = {phase.settings.name for phase in phases}
    names = []
    for phase in phases:
        base = phase.settings.name or phase.kind
        name, number = base, 1
        while name in taken or (name in given and name != phase.settings.name):
            number += 1
            name = f"{base}-{number}"
        taken.add(name)
        names.append(name)
    return names


def _span(phase: Phase, drawn: Drawn, index: int, name: str, *, start_ns: int, first_seq: int) -> PhaseSpan:
    n = len(drawn.offsets_ns)
    end_ns = None if drawn.span_ns is None else start_ns + drawn.span_ns
    if first_seq + n > REQUESTS_MAX:
        raise UsageError(
            f"with this phase the load has {first_seq + n:,} requests; at most {REQUESTS_MAX:,} can be run"
        )
    if end_ns is not None and end_ns > SPAN_MAX_NS:
        raise UsageError("with this phase the load lasts more than 104 days")
    return PhaseSpan(
        index=index,
        name=name,
        kind=phase.kind,
        warmup=phase.settings.warmup,
        start_ns=start_ns,
        end_ns=end_ns,
        first_seq=first_seq,
        n=n,
        outstanding=drawn.outstanding,
        description=drawn.description,
        notes=drawn.notes,
        joins_ns=drawn.joins_ns,
    )


def _draw(phase: Phase, base_dir: Path, rng: np.random.Generator, watch: Watch | None) -> Drawn:
    match phase.settings:
        case Constant(rate=rate_hz, for_s=for_s):
            span_ns = span_of(for_s)
            return Drawn(arrivals.constant(rate_hz, span_ns), span_ns, f"{rate_hz:g}/s evenly for {for_s:g} s")
        case Poisson(rate=rate_hz, for_s=for_s):
            span_ns = span_of(for_s)
            return Drawn(arrivals.poisson(rate_hz, span_ns, rng), span_ns, f"{rate_hz:g}/s Poisson for {for_s:g} s")
        case Ramp(from_hz=from_hz, to_hz=to_hz, for_s=for_s, arrivals=law):
            span_ns = span_of(for_s)
            text = f"{from_hz:g}/s to {to_hz:g}/s, {_LAWS[law]}, in {for_s:g} s"
            return Drawn(arrivals.ramp(from_hz, to_hz, span_ns, _points(law, rng)), span_ns, text)
        case Steps(rates=rates_hz, each=each_s, arrivals=law):
            each_ns = span_of(each_s)
            rates = ", ".join(f"{rate_hz:g}" for rate_hz in rates_hz)
            text = f"{rates}/s, {_LAWS[law]}, {each_s:g} s each"
            return Drawn(arrivals.steps(rates_hz, each_ns, _points(law, rng)), len(rates_hz) * each_ns, text)
        case Burst(requests=n, within=within_s):
            span_ns = span_of(within_s)
            text = f"{units.counted(n, 'request')} " + (f"within {within_s:g} s" if span_ns else "at once")
            return Drawn(arrivals.burst(n, span_ns), span_ns, text)
        case Sine(mean=mean_hz, amplitude=amplitude_hz, period=period_s, for_s=for_s, arrivals=law):
            span_ns = span_of(for_s)
            if not span_of(period_s):
                raise UsageError(f"a period of {period_s:g} s is shorter than a nanosecond")
            text = f"{mean_hz:g}/s ± {amplitude_hz:g}/s each {period_s:g} s, {_LAWS[law]}, for {for_s:g} s"
            offsets_ns = arrivals.sine(mean_hz, amplitude_hz, period_s, span_ns, _points(law, rng))
            return Drawn(offsets_ns, span_ns, text)
        case Replay() as settings:
            from smbench.schedule.replay import replayed  # with it come readers of files of every kind

            return replayed(settings, base_dir, rng, watch)
        case Closed() as settings:
            return closed(settings, rng)
        case Users() | Stairs() as settings:
            return users(settings, rng)
        case Pause(for_s=for_s):
            return Drawn(np.zeros(0, dtype=np.int64), span_of(for_s), f"nothing for {for_s:g} s")


_LAWS = {"poisson": "Poisson", "constant": "evenly"}


def _points(law: str, rng: np.random.Generator) -> arrivals.Points:
    return arrivals.evenly if law == "constant" else arrivals.at_random(rng)
