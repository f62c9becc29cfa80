"""What is looked at together: the correction for many metrics, and what a reader of a comparison must know."""

from collections.abc import Callable, Sequence

from smbench import units
from smbench.analysis.comparison.contrasts import ALPHA, CONFIDENCE, Contrast, Row
from smbench.analysis.comparison.run_metrics import RUN_METRICS
from smbench.analysis.numbers.rank_tests import cut, holm, p_least


def corrected(contrasts: Sequence[Contrast], named: Sequence[str]) -> tuple[Contrast, ...]:
    """Holm over the named metrics of all contrasts, and apart from them over everything else that was looked at."""
    p_holm = _adjusted(contrasts, named, lambda row: row.p)
    p_same_holm = _adjusted(contrasts, named, lambda row: row.p_same)
    tested = [row.metric in named for contrast in contrasts for row in contrast.rows if row.p is not None]

    def of_row(contrast: Contrast, row: Row) -> Row:
        place = (contrast.label, row.metric)
        changed: dict[str, object] = {"p_holm": p_holm.get(place), "p_same_holm": p_same_holm.get(place)}
        held = row.model_copy(update=changed | {"n_looked_at": max(1, tested.count(row.metric in named))})
        is_settled = held.is_different or held.is_same
        return held.model_copy(update={"n_needed": None}) if is_settled else held

    return tuple(
        contrast.model_copy(update={"rows": tuple(of_row(contrast, row) for row in contrast.rows)})
        for contrast in contrasts
    )


def _adjusted(
    contrasts: Sequence[Contrast], named: Sequence[str], read: Callable[[Row], float | None]
) -> dict[tuple[str, str], float]:
    known = [(contrast.label, row.metric, read(row)) for contrast in contrasts for row in contrast.rows]
    adjusted: dict[tuple[str, str], float] = {}
    for is_named in (True, False):
        family = [(label, metric, p) for label, metric, p in known if (metric in named) is is_named and p is not None]
        places = [(label, metric) for label, metric, _ in family]
        adjusted |= dict(zip(places, holm([p for _, _, p in family]), strict=True))
    return adjusted


def notes(contrasts: Sequence[Contrast], named: Sequence[str]) -> list[str]:
    notes = []
    for contrast in contrasts:
        if contrast.pairs:
            notes += _of_twins(contrast)
            continue
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
            notes += _out_of_reach(contrast, contrasts, named)
    return notes


def _of_twins(contrast: Contrast) -> list[str]:
    """That runs were compared pair by pair, which, and in how many pairs nothing at all differed."""
    n = len(contrast.pairs)
    notes = [
        f"{contrast.label}: compared pair by pair, {units.counted(n, 'pair')} of runs that share {contrast.shared}."
    ]
    if left := contrast.n_baseline + contrast.n - 2 * n:
        notes.append(f"{contrast.label}: {units.counted(left, 'run')} without a twin left out.")
    if contrast.n_alike:
        notes.append(
            f"{contrast.label}: in {contrast.n_alike} of {n} pairs every metric is the same: what varies decided the "
            "same there."
        )
    if any(row.ratio is not None and not row.is_paired for row in contrast.rows):
        notes.append(f"{contrast.label}: metrics that are 0 or known within bounds in some run are compared unpaired.")
    return notes


def _out_of_reach(contrast: Contrast, contrasts: Sequence[Contrast], named: Sequence[str]) -> list[str]:
    """What even groups that do not overlap could not show, for everything else that is looked at."""
    tested = [row.metric for one in contrasts for row in one.rows if row.p is not None]
    n_named = sum(metric in named for metric in tested)
    n_others = len(tested) - n_named
    least = p_least(contrast.n, contrast.n_baseline)
    if not n_others or n_others * least <= ALPHA:
        return []
    labels = " and ".join(RUN_METRICS[metric].label for metric in named)
    what = f"only {labels}" if 0 < n_named * least <= ALPHA else "nothing"
    return [
        f"{contrast.label}: {what} can be shown to differ. {n_others} others are looked at as well, and with "
        f"{contrast.n_baseline} and {contrast.n} runs none of them can get below p = {min(1.0, n_others * least):.2g}."
    ]
