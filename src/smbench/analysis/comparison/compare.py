"""Groups of runs against a baseline: how many times as long, how sure that is, and whether it could be called the same.

Per run_metric and per contrast (one group against the baseline) from one value a run:

    ratio         Hodges and Lehmann's: the median over all pairs of runs of other / baseline
    interval      by inverting the rank test: no law assumed; where runs are too few for 95 %, the range of the pairs
                  with the confidence it has
    p             exact permutation test of the ranks, two-sided
    p_same        two one-sided tests: how likely such closeness would be if the ratio lay outside the margin

Runs of both groups that had the same seeds are compared pair by pair: what chance did to both drops out. The ratio is
then the geometric mean of the pairs', its interval and p are Student's (`numbers.paired`).

Some metrics were named before anybody looked: Holm's correction holds for them alone, and a single one needs none. The
others are looked at together, and corrected together. A value that is known within bounds only (runs with requests that
never ended) gives a ratio within bounds, an interval that holds whatever the truth is, and a p only where the order of
the runs does not depend on what is not known. Source: docs/methods.md#comparison; why:
docs/decisions/0015-comparison.md.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np

from smbench.analysis.comparison import together
from smbench.analysis.comparison.comparability import Difference
from smbench.analysis.comparison.contrasts import (
    ALPHA,
    CONFIDENCE,
    EFFECTS,
    Beyond,
    Comparison,
    Contrast,
    Effect,
    Group,
    Interval,
    Row,
    Shared,
)
from smbench.analysis.comparison.run_metrics import RUN_METRICS
from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.numbers.paired import N_SEARCHED, n_to_settle, paired_test, twins
from smbench.analysis.numbers.rank_tests import Values, cliffs_delta, cut, p_greater, p_least, p_two_sided

_LOG_OF_NOTHING = math.log(5e-324)
_ROUNDING = 1e-12  # of a logarithm


def comparison(
    groups: Sequence[Group],
    *,
    baseline: str,
    named: Sequence[str] = ("sojourn_p95",),
    margin: float = 0.1,
    varies: dict[str, tuple[Difference, ...]] | None = None,
    notes: Sequence[str] = (),
) -> Comparison:
    """Compare every other group with the baseline.

    Args:
        groups: Labels distinct, at least one run each; together at most `rank_tests.N_MAX` runs in a contrast.
        baseline: The label of one of them.
        named: The metrics that count, named before looking; corrected among themselves only.
        margin: Ratios nearer to 1 than this do not matter.
        varies: What differs between each group and the baseline, by label; for the reader.
        notes: What else a reader must know; put before our own.
    """
    base = next(group for group in groups if group.label == baseline)
    contrasts = [
        _contrast(base, group, margin, (varies or {}).get(group.label, ())) for group in groups if group is not base
    ]
    held = together.corrected(contrasts, named)
    return Comparison(
        baseline=baseline,
        primary=named[0],
        named=tuple(named),
        margin=margin,
        groups=tuple(groups),
        contrasts=held,
        notes=(*notes, *together.notes(held, named)),
    )


def _contrast(base: Group, other: Group, margin: float, varies: tuple[Difference, ...]) -> Contrast:
    pairs, shared = _paired(base, other)
    mine, theirs = base, other
    if pairs:
        mine = base.model_copy(update={"runs": tuple(base.runs[place] for place, _ in pairs)})
        theirs = other.model_copy(update={"runs": tuple(other.runs[place] for _, place in pairs)})
    together = list(zip(mine.runs, theirs.runs, strict=True)) if pairs else []
    return Contrast(
        label=other.label,
        n_baseline=len(base.runs),
        n=len(other.runs),
        varies=varies,
        rows=_rows(mine, theirs, margin, is_paired=bool(pairs)),
        pairs=tuple((one.run, twin.run) for one, twin in together),
        shared=shared,
        n_alike=sum(one.figures == twin.figures for one, twin in together),
    )


def _paired(base: Group, other: Group) -> tuple[list[tuple[int, int]], Shared | None]:
    """Which runs had the same chances, and which of them; none where some have no twin, or several."""

    def keys(group: Group, dimensions: Sequence[str] | None) -> list[tuple[object, ...]]:
        return [
            tuple(sorted(run.seeds.items())) if dimensions is None else tuple(run.seeds.get(one) for one in dimensions)
            for run in group.runs
        ]

    if not all(run.seeds for group in (base, other) for run in group.runs):
        return [], None
    if pairs := twins(keys(base, None), keys(other, None)):
        return pairs, "all seeds"
    pairs = twins(keys(base, ["arrivals"]), keys(other, ["arrivals"]))
    return pairs, "the seed of arrivals" if pairs else None


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
    def is_exact(self) -> bool:
        """Whether every value is a number above zero."""
        return all(figure.value is not None and not figure.never and figure.low > 0 for figure in self.figures)

    @property
    def median(self) -> Bounded:
        lows, highs = [figure.low for figure in self.figures], [_range(figure)[1] for figure in self.figures]
        return _bounded(float(np.median(lows)), float(np.median(highs)))


def _rows(base: Group, other: Group, margin: float, *, is_paired: bool) -> tuple[Row, ...]:
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
            row = _row(metric, mine, theirs, margin, is_thin=is_thin)
            rows.append(
                _of_pairs(row, mine, theirs, margin) if is_paired and mine.is_exact and theirs.is_exact else row
            )
    return tuple(rows)


def _of_pairs(row: Row, base: _Sample, other: _Sample, margin: float) -> Row:
    """The row with ratio, interval and probabilities of the pairs, in order."""
    differences, shift = other.low - base.low, math.log1p(margin)
    test = paired_test(differences, shift, CONFIDENCE)
    ends = (math.exp(test.mean + side * test.half) for side in (-1, 1))
    delta = float(np.mean(np.sign(np.where(np.abs(differences) < _ROUNDING, 0.0, differences))))
    return row.model_copy(
        update={
            "ratio": Bounded.exactly(math.exp(test.mean)),
            "interval": Interval(low=next(ends), high=next(ends), confidence=CONFIDENCE),
            "cliffs_delta": delta,
            "effect": _effect(delta),
            "p": test.p,
            "p_same": test.p_same,
            "is_paired": True,
            "n_needed": n_to_settle(test.mean, float(differences.std(ddof=1)), shift, len(differences), is_paired=True),
        }
    )


def _n_needed(base: _Sample, other: _Sample, margin: float, delta: float | None) -> int | None:
    if min(len(base), len(other)) < 2:
        return None
    if not (base.is_exact and other.is_exact):  # ranks decide, and they are apart already: too few of them
        is_apart = delta is not None and abs(delta) == 1
        more = range(min(len(base), len(other)) + 1, N_SEARCHED + 1)
        return next((n for n in more if p_least(n, n) <= ALPHA), None) if is_apart else None
    spread = math.sqrt((float(base.low.var(ddof=1)) + float(other.low.var(ddof=1))) / 2)
    mean, n = float(other.low.mean() - base.low.mean()), min(len(base), len(other))
    return n_to_settle(mean, spread, math.log1p(margin), n, is_paired=False)


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
        beyond=_beyond(base, other),
        reason=_reason(has_zero=has_zero, has_ratio=ratio is not None, is_ordered=is_ordered),
        n_needed=_n_needed(base, other, margin, delta),
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


def _beyond(base: _Sample, other: _Sample) -> Beyond | None:
    """On which side of every ratio the other is: one of the two never comes to be, or the other is 0.

    A baseline of 0 says nothing: anything would be infinitely more.
    """
    n = cut(len(other), len(base), CONFIDENCE).n
    with np.errstate(invalid="ignore"):  # infinite, or 0, on both sides: anything may be
        low = np.subtract.outer(other.rank, np.maximum(base.high, _LOG_OF_NOTHING))
        high = np.subtract.outer(other.high, base.rank)
    if np.sort(np.where(np.isnan(low), -math.inf, low), axis=None)[n] == math.inf:
        return "longer"
    highest = np.sort(np.where(np.isnan(high), math.inf, high), axis=None)[high.size - 1 - n]
    return "shorter" if highest == -math.inf else None


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
