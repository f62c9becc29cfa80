"""What a report says of a prediction: that it is one, how far its model can be trusted, and the band of each metric."""

from smbench.analysis.comparison.run_metrics import RUN_METRICS
from smbench.analysis.summary import Summary
from smbench.findings import Verdict
from smbench.results.manifest import Band
from smbench.view.sections.blocks import Cell, Column, Judged, Row, Section, Table
from smbench.view.sections.cells import WRITE, count, written

_MEASURED = {
    Verdict.VALID: "the figures are the endpoint's",
    Verdict.UNKNOWN: "these figures allow no conclusion, see the checks",
    Verdict.INVALID: "these figures are not the endpoint's, see the checks",
}
_PREDICTED = {
    Verdict.VALID: "a prediction, nothing was sent",
    Verdict.UNKNOWN: "a prediction that allows no conclusion, see the checks",
    Verdict.INVALID: "a prediction that contradicts itself, see the checks",
}


def meaning(summary: Summary, judged: Verdict) -> str:
    """What a verdict says of the figures: the endpoint's, or the model's with its label."""
    if summary.prediction is None:
        return _MEASURED[judged]
    return f"{_PREDICTED[judged]}; model {summary.prediction.label}"


def replications(judged: Judged) -> Section | None:
    """The band of each metric over a prediction's replications; None where there is none."""
    prediction = judged.summary.prediction
    if prediction is None or not prediction.bands:
        return None
    columns = (Column("metric", is_text=True), *map(Column, ("median", "5 %", "95 %", "n")))
    caption = f"Over {prediction.replications:,} replications (model {prediction.label})"
    table = Table("Replications", caption, columns, tuple(Row(_cells(band)) for band in prediction.bands))
    return Section("replications", "The prediction's band", (table,))


def _cells(band: Band) -> tuple[Cell, ...]:
    run_metric = RUN_METRICS[band.metric]
    values = (band.median, band.low, band.high)
    figures = (
        Cell("unbounded") if value is None else written(value, WRITE[run_metric.unit], run_metric.unit)
        for value in values
    )
    return (Cell(run_metric.label), *figures, count(band.n, "replications"))
