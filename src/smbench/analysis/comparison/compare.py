"""Groups of runs against a baseline: how many times as long, how sure that is, and whether it could be called the same.

Per run_metric and per contrast (one group against the baseline) from one value a run:

    ratio         Hodges and Lehmann's: the median over all pairs of runs of other / baseline
    interval      by inverting the rank test: no law assumed; where runs are too few for 95 %, the range of the pairs
                  with the confidence it has
    p             exact permutation test of the ranks, two-sided
    p_same        two one-sided tests: how likely such closeness would be if the ratio lay outside the margin

One run_metric, the primary, was named before anybody looked: its p stands as it is. The others are looked at together,
and Holm's correction makes up for that. A value that is known within bounds only (runs with requests that never ended)
gives a ratio within bounds, an interval that holds whatever the truth is, and a p only where the order of the runs does
not depend on what is not known. Source: docs/methods.md#comparison; why: docs/decisions/0015-comparison.md.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from smbench.analysis.comparison.comparability import Difference
from smbench.analysis.comparison.run_metrics import RUN_METRICS
from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.numbers.rank_tests import Values, cliffs_delta, cut, holm, p_greater, p_least, p_two_sided

CONFIDENCE = 0.95
ALPHA = 0.05
Effect = Literal["negligible", "small", "medium", "large"]
# Of Cliff's |delta| below each limit (Romano et al. 2006).
EFFECTS: tuple[tuple[float, Effect], ...] = (
    (0.147, "negligible"),
    (0.33, "small"),
    (0.474, "medium"),
    (math.inf, "large"),
)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="null")


class RunFigures(_Part):
    """One run: a value of each run_metric that could be laid on it."""

    run: str  # its folder
    run_id: str
    seed: int | None
    verdict: str
    reasons: tuple[str, ...] = ()  # of a verdict that is not valid
    n_accepted: int
    figures: dict[str, Bounded]
    thin: tuple[str, ...] = ()  # run_metrics with fewer than ten requests above them


class Group(_Part):
    """Runs of one configuration."""

    label: str
    runs: tuple[RunFigures, ...]


class Interval(_Part):
    """Of a ratio. `high` None: nothing bounds it above. `confidence` is what it has, not what was wanted."""

    low: float
    high: float | None
    confidence: float

    @property
    def is_narrow_enough(self) -> bool:
        """Whether the runs were enough for an interval of 95 %."""
        return self.confidence >= CONFIDENCE - 1e-12


class Row(_Part):
    """One run_metric in one contrast. None: not estimable, and `reason` says why."""

    metric: str
    baseline: Bounded | None  # median over the runs
    other: Bounded | None
    ratio: Bounded | None  # other / baseline
    interval: Interval | None
    cliffs_delta: float | None
    effect: Effect | None
    p: float | None
    p_holm: float | None  # as one of those looked at; the primary's is its own p
    p_same: float | None
    p_same_holm: float | None
    is_thin: bool
    reason: str = ""

    @property
    def is_different(self) -> bool:
        """Whether a difference is shown at 5 % after Holm's correction; False too where nothing could be tested."""
        return self.p_holm is not None and self.p_holm <= ALPHA

    @property
    def is_same(self) -> bool:
        """Shown to lie within the margin; not merely: not shown to differ."""
        return self.p_same_holm is not None and self.p_same_holm <= ALPHA


class Contrast(_Part):
    """One group against the baseline."""

    label: str
    n_baseline: int
    n: int
    varies: tuple[Difference, ...]  # what is not the same in the two groups
    rows: tuple[Row, ...]

    def row(self, metric: str) -> Row | None:
        """The row of a metric; None where no run of either group has it."""
        return next((row for row in self.rows if row.metric == metric), None)


class Comparison(_Part):
    """All that was compared, in one value that says the same as a table and as JSON."""

    baseline: str
    primary: str  # the run_metric named beforehand
    margin: float  # of sameness: the ratio within 1 / (1 + margin) .. 1 + margin
    groups: tuple[Group, ...]
    contrasts: tuple[Contrast, ...]
    notes: tuple[str, ...]

    def group(self, label: str) -> Group:
        """The group with this label; StopIteration where there is none."""
        return next(group for group in self.groups if group.label == label)


def comparison(
    groups: Sequence[Group],
    *,
    baseline: str,
    primary: str = "sojourn_p95",
    margin: float = 0.1,
    varies: dict[str, tuple[Difference, ...]] | None = None,
    notes: Sequence[str] = (),
) -> Comparison:
    """Compare every other group with the baseline.

    Args:
        groups: Labels distinct, at least one run each; together at most `rank_tests.N_MAX` runs in a contrast.
        baseline: The label of one of them.
        primary: The run_metric whose p needs no correction.
        margin: Ratios nearer to 1 than this do not matter.
        varies: What differs between each group and the baseline, by label; for the reader.
        notes: What else a reader must know; put before our own.
    """
    base = next(group for group in groups if group.label == baseline)
    contrasts = [
        Contrast(
            label=group.label,
            n_baseline=len(base.runs),
            n=len(group.runs),
            varies=(varies or {}).get(group.label, ()),
            rows=_rows(base, group, margin),
        )
        for group in groups
        if group.label != baseline
    ]
    corrected = _corrected(contrasts, primary)
    return Comparison(
        baseline=baseline,
        primary=primary,
        margin=margin,
        groups=tuple(groups),
        contrasts=corrected,
        notes=(*notes, *_notes(corrected, primary)),
    )


# ---- one run_metric --------------------------------------------------------------------------------------------


class _Sample:
    """The values of one group: as logarithms within bounds, and as what they rank by."""

    def __init__(self, figures: Sequence[Bounded]) -> None:
        self.figures = figures
        self.low = _logs([figure.low for figure in figures])
        self.high = _logs([_range(figure)[1] for figure in figures])
        self.rank = _logs([_range(figure)[0] for figure in figures])

    def __len__(self) -> int:
        return len(self.figures)

    @property
    def median(self) -> Bounded:
        lows, highs = [figure.low for figure in self.figures], [_range(figure)[1] for figure in self.figures]
        return _bounded(float(np.median(lows)), float(np.median(highs)))


def _rows(base: Group, other: Group, margin: float) -> tuple[Row, ...]:
    rows = []
    for metric in RUN_METRICS:
        mine, theirs = (
            _Sample([run.figures[metric] for run in group.runs if metric in run.figures]) for group in (base, other)
        )
        if not len(mine) and not len(theirs):
            continue
        is_thin = any(metric in run.thin for group in (base, other) for run in group.runs)
        if len(mine) < len(base.runs) or len(theirs) < len(other.runs):
            rows.append(_not_estimable(metric, mine, theirs, is_thin))
        else:
            rows.append(_row(metric, mine, theirs, margin, is_thin=is_thin))
    return tuple(rows)


def _not_estimable(metric: str, base: _Sample, other: _Sample, is_thin: bool) -> Row:
    medians = [sample.median if len(sample) else None for sample in (base, other)]
    return Row(
        metric=metric,
        baseline=medians[0],
        other=medians[1],
        ratio=None,
        interval=None,
        cliffs_delta=None,
        effect=None,
        p=None,
        p_holm=None,
        p_same=None,
        p_same_holm=None,
        is_thin=is_thin,
        reason="some runs have no such figure",
    )


def _row(metric: str, base: _Sample, other: _Sample, margin: float, *, is_thin: bool) -> Row:
    has_zero = any(figure.high == 0 for sample in (base, other) for figure in sample.figures)
    ratio = None if has_zero else _ratio(base, other)
    is_ordered = _is_ordered(base, other)
    is_one_a_side = min(len(base), len(other)) == 1
    can_bound = not is_one_a_side and ratio is not None
    delta = cliffs_delta(other.rank, base.rank) if is_ordered else None
    return Row(
        metric=metric,
        baseline=base.median,
        other=other.median,
        ratio=ratio,
        interval=_interval(base, other) if can_bound else None,
        cliffs_delta=delta,
        effect=None if delta is None else _effect(delta),
        p=None if is_one_a_side or delta is None else p_two_sided(other.rank, base.rank),
        p_holm=None,
        p_same=_p_same(base, other, margin) if can_bound else None,
        p_same_holm=None,
        is_thin=is_thin,
        reason=_reason(has_zero=has_zero, has_ratio=ratio is not None, is_ordered=is_ordered),
    )


def _reason(*, has_zero: bool, has_ratio: bool, is_ordered: bool) -> str:
    if has_zero:
        return "0 in some runs: no ratio"
    if not has_ratio:
        return "too many requests without an end on both sides"
    return "" if is_ordered else "the order of the runs depends on requests without an end"


def _ratio(base: _Sample, other: _Sample) -> Bounded | None:
    """The median of the pairwise ratios is monotone in every value, so bounds on them are bounds on it."""
    low, high = (float(np.exp(np.median(sides))) for sides in _differences(base, other))
    return None if low == 0 and high == math.inf else _bounded(low, high)


def _interval(base: _Sample, other: _Sample) -> Interval | None:
    where = cut(len(other), len(base), CONFIDENCE)
    lows, highs = _differences(base, other)
    low, high = math.exp(lows[where.n]), math.exp(highs[len(highs) - 1 - where.n])
    if low == 0 and high == math.inf:
        return None
    return Interval(low=low, high=None if high == math.inf else high, confidence=where.confidence)


def _differences(base: _Sample, other: _Sample) -> tuple[Values, Values]:
    """The least and the greatest that each log other - log baseline can be, each sorted by itself.

    An infinite value counts as more than what was watched: so a ratio is finite, or at least more than a number.
    """
    low = np.subtract.outer(other.low, base.high)
    high = np.subtract.outer(other.high, base.low)
    return np.sort(low, axis=None), np.sort(high, axis=None)


def _p_same(base: _Sample, other: _Sample, margin: float) -> float:
    """The larger of two one-sided p: not shorter by the margin, not longer by it; at the worst the bounds allow."""
    shift = math.log1p(margin)
    return max(p_greater(other.low + shift, base.high), p_greater(base.low + shift, other.high))


def _is_ordered(base: _Sample, other: _Sample) -> bool:
    """Whether of every pair of runs it is certain which is longer, or that neither is."""
    return all(_is_certain(mine, theirs) for mine, theirs in itertools.product(base.figures, other.figures))


def _is_certain(one: Bounded, other: Bounded) -> bool:
    (low, high), (other_low, other_high) = _range(one), _range(other)
    return high < other_low or other_high < low or (low == high and other_low == other_high)


def _range(figure: Bounded) -> tuple[float, float]:
    """The least and the most it can be; what never comes to be is infinite for certain."""
    return math.inf if figure.never else figure.low, math.inf if figure.high is None else figure.high


def _logs(values: Sequence[float]) -> Values:
    with np.errstate(divide="ignore"):
        logs: Values = np.log(np.asarray(values, dtype=np.float64))
    return logs


def _bounded(low: float, high: float) -> Bounded:
    return Bounded(low=low, high=None if high == math.inf else high)


def _effect(delta: float) -> Effect:
    return next(word for limit, word in EFFECTS if abs(delta) < limit)


# ---- all of them ----------------------------------------------------------------------------------------------


def _corrected(contrasts: Sequence[Contrast], primary: str) -> tuple[Contrast, ...]:
    """Holm over the primary run_metric's contrasts, and apart from it over everything else that was looked at."""
    p_holm = _adjusted(contrasts, primary, lambda row: row.p)
    p_same_holm = _adjusted(contrasts, primary, lambda row: row.p_same)

    def corrected(contrast: Contrast, row: Row) -> Row:
        place = (contrast.label, row.metric)
        return row.model_copy(update={"p_holm": p_holm.get(place), "p_same_holm": p_same_holm.get(place)})

    return tuple(
        contrast.model_copy(update={"rows": tuple(corrected(contrast, row) for row in contrast.rows)})
        for contrast in contrasts
    )


def _adjusted(
    contrasts: Sequence[Contrast], primary: str, read: Callable[[Row], float | None]
) -> dict[tuple[str, str], float]:
    known = [(contrast.label, row.metric, read(row)) for contrast in contrasts for row in contrast.rows]
    adjusted: dict[tuple[str, str], float] = {}
    for is_primary in (True, False):
        family = [
            (label, metric, p) for label, metric, p in known if (metric == primary) is is_primary and p is not None
        ]
        places = [(label, metric) for label, metric, _ in family]
        adjusted |= dict(zip(places, holm([p for _, _, p in family]), strict=True))
    return adjusted


def _notes(contrasts: Sequence[Contrast], primary: str) -> list[str]:
    notes = []
    for contrast in contrasts:
        n, m = contrast.n_baseline, contrast.n
        confidence = cut(m, n, CONFIDENCE).confidence
        if min(n, m) == 1:
            notes.append(
                f"{contrast.label}: no inference possible, one run a side says nothing of how much runs differ by "
                "chance. The ratios describe these runs only; five runs a side are a beginning."
            )
        elif confidence < CONFIDENCE:
            notes.append(
                f"{contrast.label}: {n} and {m} runs are too few for {100 * CONFIDENCE:.0f} %. The interval is the "
                f"range of all pairs, and its confidence {100 * confidence:.0f} %."
            )
        else:
            notes += _out_of_reach(contrast, contrasts, primary)
    return notes


def _out_of_reach(contrast: Contrast, contrasts: Sequence[Contrast], primary: str) -> list[str]:
    """What even groups that do not overlap could not show, for everything else that is looked at."""
    tested = [row.metric for one in contrasts for row in one.rows if row.p is not None]
    n_primary = tested.count(primary)
    n_others = len(tested) - n_primary
    least = p_least(contrast.n, contrast.n_baseline)
    if not n_others or n_others * least <= ALPHA:
        return []
    what = f"only {RUN_METRICS[primary].label}" if 0 < n_primary * least <= ALPHA else "nothing"
    return [
        f"{contrast.label}: {what} can be shown to differ. {n_others} others are looked at as well, and with "
        f"{contrast.n_baseline} and {contrast.n} runs none of them can get below p = {min(1.0, n_others * least):.2g}."
    ]
