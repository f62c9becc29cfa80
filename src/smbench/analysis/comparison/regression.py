"""A gate on a comparison: `slower-than 5%` fails when a group is surely worse than the baseline by more than that."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from smbench.analysis.comparison.contrasts import CONFIDENCE, Beyond, Comparison, Contrast, Row
from smbench.analysis.comparison.run_metrics import RUN_METRICS
from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.numbers.rank_tests import cut
from smbench.scenario.values.quantities import parse_share

_ROUNDING = 1e-9  # of a ratio: 8.08 s over 8 s is 1 % more, and by logarithms 2e-16 beyond it
BEYOND: dict[Beyond, str] = {
    "longer": "never reached, as the baseline's is",
    "shorter": "0, or reached where the baseline's never is",
}


class Outcome(StrEnum):
    """`inconclusive`: the interval has the limit inside, so these runs do not decide it."""

    HELD = "held"
    REGRESSED = "regressed"
    INCONCLUSIVE = "inconclusive"


class GateResult(BaseModel):
    """What the gate says of one contrast."""

    model_config = ConfigDict(frozen=True)

    text: str
    label: str
    metric: str
    outcome: Outcome
    seen: str


@dataclass(frozen=True, slots=True)
class Gate:
    """Slower by more than `share` is a regression."""

    share: float
    text: str  # as written


class GateError(ValueError):
    """A gate that cannot be read; a sentence for its author."""


def parse_gate(text: str) -> Gate:
    """The gate that `text` writes: `slower-than 5%`.

    Raises:
        GateError: it is none.
    """
    match = re.fullmatch(r"\s*slower-than\s+(\S+)\s*", text)
    if not match:
        raise GateError(f"'{text}' is not a gate: write `slower-than 5%`")
    try:
        share = share_of(match[1])
    except ValueError as error:
        raise GateError(f"'{match[1]}' {error}") from None
    if not 0 <= share <= 10:
        raise GateError(f"'{match[1]}' must lie between 0% and 1000%")
    return Gate(share, text.strip())


def share_of(text: str) -> float:
    """A share as a command line has it: `5%`, or `0.05`, which a file would have as a number.

    Raises:
        ValueError: it is neither.
    """
    try:
        return parse_share(float(text))
    except ValueError:
        return parse_share(text)


def judge(gate: Gate, comparison: Comparison) -> list[GateResult]:
    """Every metric that was named beforehand, of every contrast, against the gate, in order.

    By the interval; where there is none because a side has one run, by the ratio itself, and `seen` says so. Of
    a metric where more is better, slower means less.
    """
    return [_judge(gate, contrast, metric) for contrast in comparison.contrasts for metric in comparison.named]


def _judge(gate: Gate, contrast: Contrast, metric: str) -> GateResult:
    row, limit = contrast.row(metric), 1 + gate.share
    if row is not None and row.beyond is not None:
        is_slower = (row.beyond == "longer") is not RUN_METRICS[metric].more_is_better
        outcome = Outcome.REGRESSED if is_slower else Outcome.HELD
        return _result(gate, contrast, metric, outcome, f"{BEYOND[row.beyond]}, {_sure(contrast)}")
    times = None if row is None else _times(row, is_single=min(contrast.n, contrast.n_baseline) == 1)
    if times is None or row is None:
        why = f": {row.reason}" if row is not None and row.reason else ""
        return _result(gate, contrast, metric, Outcome.INCONCLUSIVE, f"not estimable{why}")
    low, high = _inverse(times) if RUN_METRICS[metric].more_is_better else (times.low, times.high)
    outcome, limit = Outcome.INCONCLUSIVE, limit * (1 + _ROUNDING)
    if low > limit:
        outcome = Outcome.REGRESSED
    elif high is not None and high <= limit:
        outcome = Outcome.HELD
    sure = "one run a side: no inference, the bare ratio" if row.interval is None else _with(row.interval.confidence)
    return _result(gate, contrast, metric, outcome, f"{times.text(lambda ratio: f'{ratio:.3f}')} times, {sure}")


def _sure(contrast: Contrast) -> str:
    """How sure it is that one side lies beyond every ratio."""
    n, m = (len(contrast.pairs),) * 2 if contrast.pairs else (contrast.n, contrast.n_baseline)
    return "one run a side: no inference" if min(n, m) == 1 else _with(cut(n, m, CONFIDENCE).confidence)


def _with(confidence: float) -> str:
    return f"with {100 * confidence:.0f} % confidence"


def _times(row: Row, *, is_single: bool) -> Bounded | None:
    if is_single:
        return row.ratio
    return None if row.interval is None else Bounded(low=row.interval.low, high=row.interval.high)


def _inverse(times: Bounded) -> tuple[float, float | None]:
    return 1 / times.high if times.high else 0.0, 1 / times.low if times.low else None


def _result(gate: Gate, contrast: Contrast, metric: str, outcome: Outcome, seen: str) -> GateResult:
    return GateResult(text=gate.text, label=contrast.label, metric=metric, outcome=outcome, seen=seen)


def worst(results: Sequence[GateResult]) -> Outcome:
    """Regressed before inconclusive before held."""
    order = (Outcome.HELD, Outcome.INCONCLUSIVE, Outcome.REGRESSED)
    return max((result.outcome for result in results), key=order.index, default=Outcome.HELD)
