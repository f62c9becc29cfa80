"""A scenario's thresholds against a run's figures. What is not known is neither passed nor missed."""

from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict

from smbench import units
from smbench.analysis.rows.frames import Frames
from smbench.analysis.summary import Summary
from smbench.analysis.verdict.objectives import Figure, figure
from smbench.records import Unknown
from smbench.scenario.thresholds import Threshold, Unit, parse_threshold

_INVALID = "the run is invalid"


class ThresholdResult(BaseModel):
    """One threshold as written, what was seen, and whether it was met; None: that depends on what is not known.

    `low` and `high` bound the figure in `unit`, both None where there is none; `high` alone None: more than `low`.
    """

    model_config = ConfigDict(frozen=True)

    text: str
    seen: str
    passed: bool | None
    unit: Unit
    low: float | None = None
    high: float | None = None
    note: str = ""  # what a reader should know of the figure

    def of_an_invalid_run(self) -> "ThresholdResult":
        """Neither met nor missed: the figure is not the endpoint's. Of one that is marked so already the same."""
        note = self.note if self.note.startswith(_INVALID) else "; ".join(filter(None, (_INVALID, self.note)))
        return self.model_copy(update={"passed": None, "note": note})


WRITE: dict[Unit, Callable[[float], str]] = {
    "s": units.duration,
    "requests": units.whole,
    "share": units.share,
    "hz": units.rate,
    "usd": units.usd,
}
"""A figure in the words of its unit."""


def evaluate(texts: Sequence[str], frames: Frames, summary: Summary) -> list[ThresholdResult]:
    """Judge each threshold, in order.

    Raises:
        ThresholdError: one cannot be read; a scenario that was loaded has none such.
    """
    return [_judge(parse_threshold(text), frames, summary) for text in texts]


def _judge(threshold: Threshold, frames: Frames, summary: Summary) -> ThresholdResult:
    found = figure(threshold, frames, summary)
    asked = threshold if threshold.lasting_s is None else threshold.of_its_duration()
    if isinstance(found, Unknown):
        return ThresholdResult(text=threshold.text, seen=found.reason, passed=None, unit=asked.unit)
    parts = (_left_open(found, frames, summary), _rounded_away(found, asked), found.note)
    note = "; ".join(part for part in parts if part)
    seen = found.bounds.text(WRITE[asked.unit])
    passed = found.bounds.meets(asked)
    return ThresholdResult(
        text=threshold.text,
        seen=seen if threshold.lasting_s is None else f"beyond it for {seen}",
        passed=None if passed and found.is_thin else passed,
        unit=asked.unit,
        low=found.bounds.low,
        high=found.bounds.high,
        note=note,
    )


def _rounded_away(found: Figure, asked: Threshold) -> str:
    """By how much a figure that reads like the threshold's value is beyond or below it; empty where it does not."""
    seen, write = found.bounds.value, WRITE[asked.unit]
    if seen is None or seen == asked.value or write(seen) != write(asked.value):
        return ""
    side = "above" if seen > asked.value else "below"
    return f"{write(abs(seen - asked.value))} {side} {write(asked.value)}"


def _left_open(found: Figure, frames: Frames, summary: Summary) -> str:
    """Why a figure is no number; empty where it is one."""
    if found.bounds.value is not None or found.bounds.never:
        return ""
    counts, why = summary.measured, []
    if n_never_sent := frames.n_cut_short + frames.n_left_out:
        why.append(f"never sent: {units.counted(n_never_sent, 'request')} of the schedule")
    if counts.unknown:
        why.append(f"whether {units.requests_were(counts.unknown)} sent is not known")
    n_taken, n_open = frames.n_perhaps_taken, counts.may_have_completed
    if n_taken and n_open:
        why.append(f"{n_taken:,} unanswered and {n_open:,} accepted requests have no known end")
    elif n_taken:
        why.append(f"{units.counted(n_taken, 'unanswered request')} may have been taken")
    elif n_open:
        why.append(f"{units.counted(n_open, 'accepted request has', 'accepted requests have')} no known end")
    if n_open:
        why += dict.fromkeys(frames.unobservable.values())
    return "; ".join(why)
