"""A comparison as one page, made as a run's report is: what it shows first, then every run, then all figures."""

from collections.abc import Sequence

from smbench.analysis.comparison.advice import which_to_take
from smbench.analysis.comparison.contrasts import Comparison, Contrast
from smbench.analysis.comparison.regression import GateResult
from smbench.analysis.comparison.run_metrics import RUN_METRICS
from smbench.view.page import comparison_plots
from smbench.view.page.document import Drawing, Part, drawn, written
from smbench.view.page.vega import Vega
from smbench.view.report.comparison import THIN_NOTE, cells, heads, note, sentence
from smbench.view.sections.blocks import Block, Sentence, Table, table_of_texts


def comparison_page(comparison: Comparison, gate: Sequence[GateResult], vega: Vega) -> str:
    """The whole HTML document."""
    return written(
        "comparison.html.j2",
        title=" against ".join((", ".join(one.label for one in comparison.contrasts), comparison.baseline)),
        verdicts=_verdicts(comparison, gate),
        sections=_sections(comparison, vega),
    )


def _verdicts(comparison: Comparison, gate: Sequence[GateResult]) -> tuple[Sentence, ...]:
    told = [
        f"{result.outcome.value.upper()}: {result.label} {result.text}; "
        f"{RUN_METRICS[result.metric].label} is {result.seen}."
        for result in gate
    ]
    told += [
        f"{contrast.label} against {comparison.baseline}: {sentence(comparison, contrast.row(metric), metric)}."
        for contrast in comparison.contrasts
        for metric in comparison.named
    ]
    told += [f"{advice}." for advice in which_to_take(comparison)]
    return tuple(map(Sentence, (*told, *comparison.notes)))


def _sections(comparison: Comparison, vega: Vega) -> list[Part]:
    pictures = (drawn(draw(comparison), vega) for draw in (comparison_plots.runs, comparison_plots.ratios))
    shown: list[Block | Drawing] = [picture for picture in pictures if picture is not None]
    return [
        Part("runs", "The runs", (*shown, _groups(comparison))),
        *(
            Part(
                f"contrast-{place}", f"{contrast.label} against {comparison.baseline}", _contrast(comparison, contrast)
            )
            for place, contrast in enumerate(comparison.contrasts)
        ),
    ]


def _groups(comparison: Comparison) -> Table:
    rows = tuple(
        (run.run, group.label, run.verdict, f"{run.n_accepted:,}") for group in comparison.groups for run in group.runs
    )
    return table_of_texts("Every run", ("run", "group", "verdict", "accepted"), rows, n_text=3)


def _contrast(comparison: Comparison, contrast: Contrast) -> tuple[Block, ...]:
    rows = tuple(cells(comparison, contrast, row) for row in contrast.rows)
    varies = tuple(
        f"Varies: {one.key}: {one.baseline} in {comparison.baseline}, {one.other} in {contrast.label}."
        for one in contrast.varies
    )
    notes = (note(comparison),) if any(row.p is not None for row in contrast.rows) else ()
    thin = (THIN_NOTE,) if any(row.is_thin for row in contrast.rows) else ()
    return (table_of_texts("Metric by metric", heads(comparison, contrast), rows, (*notes, *thin, *varies)),)
