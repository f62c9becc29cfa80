"""Which group of runs to take: by the metrics that were named beforehand, and what would settle an open choice."""

from smbench import units
from smbench.analysis.comparison.contrasts import Comparison, Contrast, Row
from smbench.analysis.comparison.run_metrics import RUN_METRICS


def is_better(row: Row) -> bool:
    """Whether the other group's values lie on the better side of the baseline's; says nothing of chance."""
    if row.beyond is not None:
        return (row.beyond == "longer") is RUN_METRICS[row.metric].more_is_better
    if row.ratio is not None and row.ratio.value is not None and row.ratio.value != 1:
        return (row.ratio.value > 1) is RUN_METRICS[row.metric].more_is_better
    return ((row.cliffs_delta or 0.0) > 0) is RUN_METRICS[row.metric].more_is_better


def which_to_take(comparison: Comparison) -> tuple[str, ...]:
    """One sentence a contrast, in order; none for a contrast in which a side has one run."""
    return tuple(
        f"{contrast.label} or {comparison.baseline}: {_sentence(comparison, contrast)}"
        for contrast in comparison.contrasts
        if min(contrast.n, contrast.n_baseline) > 1
    )


def _sentence(comparison: Comparison, contrast: Contrast) -> str:
    rows = [row for metric in comparison.named if (row := contrast.row(metric)) is not None]
    # What differs by less than the margin does not matter, however sure it is.
    apart = [row for row in rows if row.is_different and not row.is_same]
    better, worse = [row for row in apart if is_better(row)], [row for row in apart if not is_better(row)]
    unsure = [row for row in rows if not row.is_different and not row.is_same]
    rest = "".join(f"; {_unsettled(contrast, row)}" for row in unsure)
    if better and worse:
        both = f"{_labels(better)} better with {contrast.label}, {_labels(worse)} worse"
        return f"{both}: which counts more is yours to say{rest}"
    if better:
        return f"take {contrast.label}, with which {_labels(better)} better{rest}"
    if worse:
        return f"take {comparison.baseline}, for with {contrast.label} {_labels(worse)} worse{rest}"
    if rows and not unsure:
        return f"take either, {_labels(rows)} the same within {units.share(comparison.margin)}"
    return f"not decided{rest}" if unsure else "not decided: no metric that was named is known"


def _unsettled(contrast: Contrast, row: Row) -> str:
    label = RUN_METRICS[row.metric].label
    one, several = ("pair", "pairs") if row.is_paired else ("run a side", "runs a side")
    if row.p is None:
        return f"{label} cannot be tested ({row.reason})" if row.reason else f"{label} cannot be tested"
    n = len(contrast.pairs) or min(contrast.n, contrast.n_baseline)
    if row.n_needed is not None:
        more = units.counted(row.n_needed - n, f"more {one}", f"more {several}")
        return f"{label} is open: {more} would probably settle it"
    return f"{label} is open, and no number of {several} up to a hundred is known to settle it"


def _labels(rows: list[Row]) -> str:
    labels = [RUN_METRICS[row.metric].label for row in rows]
    verb = "is" if len(labels) == 1 else "are"
    return f"{' and '.join(labels)} {verb}"
