"""A phase's own stop conditions: judged window by window, on what the ledger says of the ends within each.

A window is a step of stairs or of steps, and a minute of users. What is open for longer than a limit of latency counts
as beyond it, and so does what failed, so that an endpoint that answers nothing is not fast. Nothing is asked of the
ledger between two windows. Where several workers share the load, each says what it saw of a window, and their parent
judges all of it together.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from smbench.clock import Clock
from smbench.generator.control import Control
from smbench.generator.tracking.ledger import NO_INSTANT, Ledger, State
from smbench.records import NotSent
from smbench.scenario.phases import Phase, Stairs, Steps, Stop
from smbench.schedule.base import PhaseSpan
from smbench.units import duration, rate, share

ENDS_MIN = 10  # fewer ends decide nothing about a percentile or a share
_USERS_WINDOW_S = 60.0
_OPEN = (State.IN_FLIGHT, State.WAITING)
_BAD = (State.REJECTED, State.TRANSPORT_ERROR, State.FAILED, State.EXPIRED, State.UNKNOWN_END)


@dataclass(frozen=True, slots=True)
class Window:
    """Between these instants one level of load was offered.

    Args:
        name: For a person: `step 3`, `minute 2`.
        level: Users or requests a second; None: not by steps.
    """

    name: str
    start_ns: int
    end_ns: int
    level: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a window showed.

    Args:
        latencies_s: From due to done, of those that completed in it, ascending.
        n_bad: Ends in it that were no completions.
        ages_s: Of what was open at its end, since it was due.
    """

    n_sent: int
    latencies_s: np.ndarray
    n_bad: int
    ages_s: np.ndarray


@dataclass(frozen=True, slots=True)
class SeenWindow:
    """What one worker saw of a window: of which phase, and which of its windows, from 0."""

    phase: int
    number: int
    seen: Seen


def windows(phase: Phase, span: PhaseSpan) -> tuple[Window, ...]:
    """Of a phase that stops by itself, in order; a last one that is not whole is left out."""
    settings, start_ns = phase.settings, span.start_ns
    if isinstance(settings, Steps | Stairs):
        levels: Sequence[float | None] = settings.levels
        length_ns, word = round(settings.each * 1e9), "step"
    else:
        length_ns, word = round(_USERS_WINDOW_S * 1e9), "minute"
        levels = [None] * int(((span.end_ns or start_ns) - start_ns) // length_ns)
    return tuple(
        Window(f"{word} {k + 1}", start_ns + k * length_ns, start_ns + (k + 1) * length_ns, level)
        for k, level in enumerate(levels)
    )


class Stopping:
    """Looks at every window at its end, and stops the sending when one meets a condition.

    Args:
        phases: Those that stop by themselves, with where they lie.
        last_ns: End of the whole load, at which there is nothing left to stop.
        on_seen: Takes what was seen, for others to judge; None: it is judged here.
    """

    def __init__(
        self,
        phases: Sequence[tuple[Phase, PhaseSpan]],
        last_ns: int,
        ledger: Ledger,
        clock: Clock,
        control: Control,
        on_seen: Callable[[SeenWindow], None] | None = None,
    ) -> None:
        self.phases, self.last_ns = phases, last_ns
        self.ledger, self.clock, self.control = ledger, clock, control
        self._on_seen, self._jury = on_seen, Jury(phases, 1)

    async def run(self) -> None:
        """Look at every window that begins from now on; returns after the last."""
        begun_ns = self.clock.now_ns()
        for phase, span in self.phases:
            for number, window in enumerate(windows(phase, span)):
                if window.start_ns < begun_ns - 1_000_000_000 or window.end_ns >= self.last_ns:
                    continue
                await self.clock.sleep_until_ns(window.end_ns)
                found = SeenWindow(span.index, number, seen_in(self.ledger, span, window))
                if self._on_seen is not None:
                    self._on_seen(found)
                elif why := self._jury.reason(0, found):
                    self.control.stop(NotSent.STOP_CONDITION, why)
                    return


class Jury:
    """Judges windows, each once all workers have said what they saw of it.

    Args:
        phases: As `Stopping`.
    """

    def __init__(self, phases: Sequence[tuple[Phase, PhaseSpan]], n_workers: int) -> None:
        self._phases = {span.index: (phase, span, windows(phase, span)) for phase, span in phases}
        self._n_workers = n_workers
        self._heard: dict[tuple[int, int], dict[int, Seen]] = {}
        self._past: dict[int, list[tuple[Window, Seen]]] = {}

    def reason(self, worker: int, found: SeenWindow) -> str:
        """Why nothing more is to be sent, now that this is known too; empty: no condition is met."""
        heard = self._heard.setdefault((found.phase, found.number), {})
        heard[worker] = found.seen
        if len(heard) < self._n_workers:
            return ""
        phase, span, of_phase = self._phases[found.phase]
        assert phase.stop is not None, "only such phases are given"
        window, past = of_phase[found.number], self._past.setdefault(found.phase, [])
        past.append((window, together(list(heard.values()))))
        why = next(conditions_met(phase.stop, past), "")
        return f"{span.name}, {window.name}: {why}" if why else ""


def together(seen: Sequence[Seen]) -> Seen:
    """What several workers saw of one window, as one."""
    return Seen(
        n_sent=sum(one.n_sent for one in seen),
        latencies_s=np.sort(np.concatenate([one.latencies_s for one in seen])),
        n_bad=sum(one.n_bad for one in seen),
        ages_s=np.concatenate([one.ages_s for one in seen]),
    )


def stopping_phases(load: Sequence[Phase], spans: Sequence[PhaseSpan]) -> list[tuple[Phase, PhaseSpan]]:
    """Those that stop by themselves, with where they lie."""
    return [(load[span.index], span) for span in spans if load[span.index].stop is not None]


def seen_in(ledger: Ledger, span: PhaseSpan, window: Window) -> Seen:
    """What the ledger says of a phase's window at its end; ends at that very instant are in the next one."""
    rows = ledger.rows_of_phase(span.index)
    part = slice(rows.start, rows.stop)
    state = np.asarray(ledger.state)[part]
    sched_ns, send_ns = np.asarray(ledger.sched_ns)[part], np.asarray(ledger.send_ns)[part]
    ack_ns, seen_ns = np.asarray(ledger.ack_ns)[part], np.asarray(ledger.seen_ns)[part]
    known_ns = np.where(np.isin(state, (State.REJECTED, State.TRANSPORT_ERROR)), ack_ns, seen_ns)
    is_within = (known_ns >= window.start_ns) & (known_ns < window.end_ns)
    is_done = is_within & (state == State.COMPLETED) & (sched_ns != NO_INSTANT)
    done_ns = np.asarray(ledger.done_ns)[part]
    done_ns = np.where(done_ns == NO_INSTANT, known_ns, done_ns)
    is_open = np.isin(state, _OPEN) & (sched_ns != NO_INSTANT)
    return Seen(
        n_sent=int(((send_ns >= window.start_ns) & (send_ns < window.end_ns)).sum()),
        latencies_s=np.sort(done_ns[is_done] - sched_ns[is_done]) / 1e9,
        n_bad=int((is_within & np.isin(state, _BAD)).sum()),
        ages_s=(window.end_ns - sched_ns[is_open]) / 1e9,
    )


def conditions_met(stop: Stop, past: Sequence[tuple[Window, Seen]]) -> Iterator[str]:
    """Each condition that the last of these windows meets, in words.

    Args:
        past: The windows of the phase so far, in order.
    """
    window, seen = past[-1]
    length_s = (window.end_ns - window.start_ns) / 1e9
    per_minute = 60 * seen.n_sent / length_s
    if stop.invocations_per_minute is not None and per_minute >= stop.invocations_per_minute:
        yield f"{per_minute:,.0f} invocations a minute, of {stop.invocations_per_minute:,.0f}"
    n_completed = len(seen.latencies_s)
    n_ended = n_completed + seen.n_bad
    if stop.errors is not None and n_ended >= ENDS_MIN and seen.n_bad > stop.errors * n_ended:
        yield f"{share(seen.n_bad / n_ended)} of {n_ended:,} ends were errors, more than {share(stop.errors)}"
    for percent, limit_s in stop.latencies:
        n_overdue = int((seen.ages_s > limit_s).sum())
        n = n_ended + n_overdue
        rank = max(1, math.ceil(percent / 100 * n))  # nearest rank; errors and what is overdue come last
        if n >= ENDS_MIN and (rank > n_completed or seen.latencies_s[rank - 1] > limit_s):
            came = f"> {duration(limit_s)}" if rank > n_completed else duration(float(seen.latencies_s[rank - 1]))
            yield f"p{percent} of {n:,} requests is {came}, above {duration(limit_s)}"
    if stop.flat is not None and len(past) > 1:
        yield from _flat(stop.flat, past)


def _flat(least: float, past: Sequence[tuple[Window, Seen]]) -> Iterator[str]:
    """Whether the last step raised the throughput by too little, beside the step that completed the most before it."""
    rates_hz = [len(seen.latencies_s) / ((window.end_ns - window.start_ns) / 1e9) for window, seen in past]
    best = max(range(len(past) - 1), key=lambda k: rates_hz[k])
    before, now = past[best][0].level, past[-1][0].level
    if not before or now is None or not rates_hz[best]:
        return
    wanted, came = least * (now / before - 1), rates_hz[-1] / rates_hz[best] - 1
    if came < wanted:
        yield f"{rate(rates_hz[-1])} completed, and {rate(rates_hz[best])} at a load {now / before:.3g} times smaller"
