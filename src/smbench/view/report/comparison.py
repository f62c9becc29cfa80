"""A comparison as tables at most 80 columns wide, one a contrast; `to_json` has the same numbers and all the others."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from smbench import units
from smbench.analysis.comparison.advice import is_better, which_to_take
from smbench.analysis.comparison.contrasts import ALPHA, CONFIDENCE, Comparison, Contrast, Interval, Row
from smbench.analysis.comparison.regression import BEYOND, GateResult, Outcome
from smbench.analysis.comparison.run_metrics import RUN_METRICS
from smbench.analysis.numbers.bounds import Bounded
from smbench.view.report.whole_table import WholeTable
from smbench.view.sections.cells import WRITE

SCHEMA_VERSION = 1
_OUTCOME_STYLE = {Outcome.HELD: "green", Outcome.REGRESSED: "bold red", Outcome.INCONCLUSIVE: "yellow"}
_VARIES_SHOWN = 8
_UNSURE = "no difference shown"  # which is not: the same
_TOO_FEW = "too few runs to show it"
THIN_NOTE = "~ in some run fewer than ten requests lie above it."
NOTE = (
    "One value a run; ratio: the median over all pairs of runs; p: exact permutation test of the ranks. * was named "
    "beforehand; the others' p are corrected for being many (Holm)."
)
PAIRED_NOTE = (
    "One value a run; ratio: the geometric mean of the pairs'; p: Student's t on their logarithms. * was named "
    "beforehand; the others' p are corrected for being many (Holm)."
)


def render(comparison: Comparison, gate: Sequence[GateResult] = ()) -> RenderableType:
    """Verdicts first, then what was compared, then the figures."""
    blocks: list[RenderableType] = [_head(comparison, gate), _groups(comparison)]
    blocks += [_contrast(comparison, contrast) for contrast in comparison.contrasts]
    blocks.append(_footnotes(comparison))
    return Group(*(Padding(block, (0, 0, 1, 0)) for block in blocks))


def to_json(comparison: Comparison, gate: Sequence[GateResult] = ()) -> dict[str, Any]:
    """The same as plain JSON values; they have no NaN and no infinity."""
    return {
        "schema_version": SCHEMA_VERSION,
        "run_metrics": {name: asdict(run_metric) for name, run_metric in RUN_METRICS.items()},
        "gate": [result.model_dump(mode="json") for result in gate],
        "comparison": comparison.model_dump(mode="json"),
    }


def says(row: Row, margin: float) -> str:
    """What a row shows, in a few words; `-` where nothing could be tested."""
    if row.p is None and row.p_same is None:
        return row.reason or "-"
    within = f"within {units.share(margin)}"
    direction = "better" if is_better(row) else "worse"
    if row.is_different:
        effect = f" ({row.effect})" if row.effect is not None else ""
        return f"{direction}, but {within}" if row.is_same else f"{direction}{effect}"
    if row.is_same:
        return f"same {within}"
    if row.p is not None and row.p <= ALPHA:
        return f"{direction} alone, not as one of {row.n_looked_at} (Holm)"
    return row.reason or (_UNSURE if row.beyond is None else _TOO_FEW)


def note(comparison: Comparison) -> str:
    """What the columns of the figures mean; empty where nothing was tested."""
    rows = [row for contrast in comparison.contrasts for row in contrast.rows if row.p is not None]
    notes = {True: PAIRED_NOTE, False: NOTE}
    return " ".join(notes[is_paired] for is_paired in sorted({row.is_paired for row in rows}, reverse=True)[:1])


# ---- the parts ------------------------------------------------------------------------------------------------


def _head(comparison: Comparison, gate: Sequence[GateResult]) -> Text:
    text = Text()
    for result in gate:
        text.append(result.outcome.value.upper(), _OUTCOME_STYLE[result.outcome])
        label = RUN_METRICS[result.metric].label
        text.append(f"  {result.label} {result.text}: {label} is {result.seen}\n")
    for contrast in comparison.contrasts:
        for metric in comparison.named:
            text.append(f"{contrast.label} against {comparison.baseline}: ", "bold")
            text.append(f"{sentence(comparison, contrast.row(metric), metric)}\n")
    for advice in which_to_take(comparison):
        text.append(f"{advice}.\n")
    text.rstrip()
    return text


def sentence(comparison: Comparison, row: Row | None, metric: str) -> str:
    """What a metric that was named beforehand shows; None where no run has it."""
    label = RUN_METRICS[metric].label
    if row is None:
        return f"{label} is not known"
    said = says(row, comparison.margin)
    if row.beyond is not None:
        return f"{label} is {BEYOND[row.beyond]}; {'no inference possible' if said == '-' else said}"
    if row.ratio is None:
        return f"{label} not estimable, {row.reason}"
    sure = "" if row.interval is None else f" ({_interval(row.interval)}{_less_sure(row.interval, ', ')})"
    return f"{label} {row.ratio.text(_times)} times{sure}; {'no inference possible' if said == '-' else said}"


def _groups(comparison: Comparison) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for group in comparison.groups:
        n = len(group.runs)
        role = "baseline, " if group.label == comparison.baseline else ""
        runs = ", ".join(run.run for run in group.runs)
        table.add_row(group.label, f"{role}{units.counted(n, 'run')}: {runs}")
    return table


def _contrast(comparison: Comparison, contrast: Contrast) -> RenderableType:
    first, *figures, last = heads(comparison, contrast)
    table = WholeTable((first, "left"), *((head, "right") for head in figures), (last, "left"))
    for row in contrast.rows:
        table.add_row(*cells(comparison, contrast, row))
    return Group(table, *_varies(comparison, contrast))


def heads(comparison: Comparison, contrast: Contrast) -> tuple[str, ...]:
    """Of the columns of a contrast's table; the first and the last are words, the others figures."""
    can_infer = _can_infer(contrast)
    sure = (_confidence(contrast), "p") if can_infer else ()
    against = f"{contrast.label} against {comparison.baseline}"
    return (against, comparison.baseline, contrast.label, "ratio", *sure, "shows" if can_infer else "")


def cells(comparison: Comparison, contrast: Contrast, row: Row) -> tuple[str, ...]:
    """One metric of a contrast, under `heads`."""
    can_infer, run_metric = _can_infer(contrast), RUN_METRICS[row.metric]
    mark = " *" if row.metric in comparison.named else ""
    return (
        f"{run_metric.label}{mark}",
        *(_figure(figure, row, WRITE[run_metric.unit]) for figure in (row.baseline, row.other)),
        "-" if row.ratio is None else row.ratio.text(_times),
        *(_sure(row, contrast) if can_infer else ()),
        says(row, comparison.margin).replace(_UNSURE, "nothing") if can_infer else row.reason,
    )


def _can_infer(contrast: Contrast) -> bool:
    return min(contrast.n, contrast.n_baseline) > 1


def _sure(row: Row, contrast: Contrast) -> tuple[str, str]:
    """The interval, with its confidence where that is not the column's, and p."""
    is_other = row.interval is not None and _per_cent(row.interval) != _confidence(contrast)
    return (
        "-" if row.interval is None else _interval(row.interval) + (_less_sure(row.interval) if is_other else ""),
        "-" if row.p_holm is None else _probability(row.p_holm),
    )


def _varies(comparison: Comparison, contrast: Contrast) -> list[Text]:
    lines = [
        f"varies: {one.key}: {one.baseline} in {comparison.baseline}, {one.other} in {contrast.label}"
        for one in contrast.varies[:_VARIES_SHOWN]
    ]
    if rest := len(contrast.varies) - _VARIES_SHOWN:
        lines += [f"varies: {rest} more, see --output json"] if rest > 0 else []
    return [Text(line, style="dim") for line in lines]


def _footnotes(comparison: Comparison) -> Group:
    notes = [note(comparison)] if note(comparison) else []
    if any(row.is_thin for contrast in comparison.contrasts for row in contrast.rows):
        notes.append(THIN_NOTE)
    return Group(*(Text(note) for note in comparison.notes), *(Text(note, style="dim") for note in notes))


# ---- cells ----------------------------------------------------------------------------------------------------


def _figure(figure: Bounded | None, row: Row, write: Callable[[float], str]) -> str:
    if figure is None:
        return "-"
    return f"~{figure.text(write)}" if row.is_thin else figure.text(write)


def _times(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 9.995 else f"{ratio:,.0f}"


def _interval(interval: Interval) -> str:
    return f"> {_times(interval.low)}" if interval.high is None else f"{_times(interval.low)}-{_times(interval.high)}"


def _confidence(contrast: Contrast) -> str:
    """The head of the intervals' column. Pairs and ranks may differ in it: then that of those with more."""
    intervals = [row.interval for row in contrast.rows if row.interval is not None]
    return _per_cent(max(intervals, key=lambda one: one.confidence)) if intervals else f"{100 * CONFIDENCE:.0f} %"


def _per_cent(interval: Interval) -> str:
    return f"{100 * min(interval.confidence, CONFIDENCE):.0f} %"


def _less_sure(interval: Interval, before: str = " at ") -> str:
    """The confidence of an interval for which the runs were too few; empty where it is what was wanted."""
    return "" if interval.is_narrow_enough else f"{before}{_per_cent(interval)}"


def _probability(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.3f}"
