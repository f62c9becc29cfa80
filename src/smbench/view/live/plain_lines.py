"""Progress of a run in plain lines: for logs, pipes, CI and screen readers; ASCII, no control codes."""

from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from smbench.clock import TimeKind, real_ns
from smbench.records import Outcome, Stage
from smbench.view.live import figures, sentences
from smbench.view.live.gone import let_go
from smbench.view.live.state import LiveState

LINE_EVERY_NS = 5_000_000_000
_STILL_OPEN = (Outcome.LOST, Outcome.PENDING)


class PlainView:
    """One line every five real seconds; a change of stage or phase, scaling and trouble have lines of their own.

    The time at the head of a line never goes back: what is read late has the time of the line before it.

    Args:
        now_ns: Real time, for the pace of the lines.
    """

    def __init__(self, stream: TextIO, *, now_ns: Callable[[], int] = real_ns) -> None:
        self._stream, self._now_ns = stream, now_ns
        self._next_ns: int | None = None
        self._note = ""
        self._at = ("", -1)  # stage and phase last told
        self._n_events = 0
        self._latest_s = 0.0  # at the head of the last line
        self._remarked: set[str] = set()
        self._judged: set[str] = set()  # thresholds whose verdict was told
        self._has_begun = self._is_over = self._is_gone = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def show(self, state: LiveState) -> None:
        """Write what is new. A reader that has closed the pipe is no error."""
        lines = self._lines(state)
        if not lines or self._is_gone:
            return
        text = "".join(f"{line}\n" for line in lines)
        try:
            self._stream.write(text.encode("ascii", "replace").decode("ascii"))
            self._stream.flush()
        except BrokenPipeError:
            self._is_gone = True
            let_go(self._stream)
        except OSError:
            self._is_gone = True

    def close(self) -> None:
        """Nothing to give back; lines already written stay."""

    def _lines(self, state: LiveState) -> list[str]:
        lines = []
        now_ns = self._now_ns()
        if self._next_ns is None:
            self._next_ns = now_ns + LINE_EVERY_NS
            lines.append(sentences.opening(state.header))
        if state.now is not None and not self._has_begun:  # until then a refusal leaves no folder
            self._has_begun = True
            lines.append(f"results: {state.header.results}")
        if state.note != self._note:
            self._note = state.note
            lines += [sentences.plain(state.note)] if state.note else []
        if state.now is None:
            return lines
        now_s = state.elapsed_s
        dated = [(now_s, text) for text in (*self._turns(state), *self._trouble(state), *self._verdicts(state))]
        dated += self._scaling(state)
        was_over = self._is_over
        self._is_over = state.now.stage is Stage.DONE
        if not was_over and (self._is_over or now_ns >= self._next_ns):  # what is over is summed up once
            self._next_ns = now_ns + LINE_EVERY_NS
            dated.append((now_s, _summary(state)))
        return lines + [self._stamped(at_s, text) for at_s, text in sorted(dated, key=lambda one: one[0])]

    def _stamped(self, at_s: float, text: str) -> str:
        self._latest_s = max(self._latest_s, at_s)
        return f"{figures.stopwatch(self._latest_s)} {text}"

    def _turns(self, state: LiveState) -> list[str]:
        now = state.now
        at = ("", -1) if now is None else (now.stage, now.phase_index)
        if now is None or at == self._at:
            return []
        self._at = at
        if now.stage is Stage.SENDING and now.phase_index < len(state.header.phases):
            phase = state.header.phases[now.phase_index]
            n_phases = len(state.header.phases)
            return [f"phase {phase.index + 1} of {n_phases}, {sentences.plain(f'{phase.name}: {phase.description}')}"]
        return [now.stage]

    def _trouble(self, state: LiveState) -> list[str]:
        new = [remark for remark in sentences.remarks(state) if remark.about not in self._remarked]
        self._remarked |= {remark.about for remark in new}
        return [f"warning: {remark.seen}; {remark.advice}" for remark in new]

    def _verdicts(self, state: LiveState) -> list[str]:
        new = [one for one in state.judged if one.verdict is not None and one.text not in self._judged]
        self._judged |= {one.text for one in new}
        return [
            f"threshold {'met' if one.verdict else 'missed'} for certain: {sentences.plain(one.text)}"
            + (f" ({one.so_far} so far)" if one.so_far else "")
            for one in new
        ]

    def _scaling(self, state: LiveState) -> list[tuple[float, str]]:
        """When each event was seen, in seconds, and what it was."""
        n_new, self._n_events = state.n_events - self._n_events, state.n_events
        events = list(state.events)[-n_new:] if n_new else []
        found = []
        for event in events:
            kind, *rest = sentences.event_words(event)
            happened = figures.stopwatch(event.at_ns / 1e9)
            found.append((event.seen_ns / 1e9, f"{kind} at {happened}: {', '.join(part for part in rest if part)}"))
        return found


def _progress(state: LiveState) -> list[str]:
    """`12 % of the schedule, 112 x real time, 3 m left until the last send`; nothing where it is not known."""
    if state.progress is None:
        return []
    parts = [f"{figures.percent(state.progress)} of the schedule"]
    if state.header.time_kind is not TimeKind.REAL and state.speed is not None:
        parts.append(f"{state.speed:,.0f} x real time")
    if state.left_s is not None:
        parts.append(f"{figures.seconds(round(state.left_s))} left until the last send")
    return [", ".join(parts)]


def _summary(state: LiveState) -> str:
    now, told = state.now, state.rates
    if now is None:
        return ""
    others = ((one, now.outcomes.get(one, 0)) for one in Outcome if one not in (*_STILL_OPEN, Outcome.COMPLETED))
    ends = [f"completed {now.outcomes.get(Outcome.COMPLETED, 0):,}"]
    ends += [f"{one.replace('_', ' ')} {n:,}" for one, n in others if n]
    n_open = sum(now.outcomes.get(outcome, 0) for outcome in _STILL_OPEN)
    current = state.gauges.get(("instances_current", "value"))
    desired = state.gauges.get(("instances_desired", "value"))
    parts = [
        f"sent {now.n_sent:,} of {now.n_scheduled:,}",
        *_progress(state),
        f"offered {figures.hertz(told.offered_hz)} achieved {figures.hertz(told.achieved_hz)} "
        f"completed {figures.hertz(told.completed_hz)}",
        ", ".join(ends),
        f"{n_open:,} open" if now.stage is Stage.DONE else f"backlog {now.backlog_seen:,}",
        *filter(None, [sentences.awaited(now)]),
        f"sojourn p50 {figures.seconds(now.sojourn.quantile(0.5))} p99 {figures.seconds(now.sojourn.quantile(0.99))}",
    ]
    if current is not None:
        wanted = "" if desired is None else f" of {desired.value:,.0f} wanted"
        parts.append(f"instances {current.value:,.0f}{wanted}")
    return " | ".join(parts)
