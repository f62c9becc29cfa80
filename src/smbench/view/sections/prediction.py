"""What a report says of a prediction: that it is one, how far its model can be trusted, and the band of each metric."""

from smbench import units
from smbench.analysis.comparison.run_metrics import RUN_METRICS, Unit
from smbench.analysis.numbers.prediction_check import PredictedFigure
from smbench.analysis.summary import Summary
from smbench.findings import Verdict
from smbench.prediction.replications import share_of
from smbench.results.manifest import Band
from smbench.view.sections.blocks import Cell, Column, Judged, Row, Section, Table, Tone
from smbench.view.sections.cells import WRITE, bounded, count, written

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
    share = share_of(prediction.bands)
    columns = (Column("metric", is_text=True), *map(Column, ("median", f"{100 * share:.0f} % from", "to", "n")))
    n = units.counted(prediction.replications, "replication")
    caption = f"Over {n} (model {prediction.label})"
    table = Table("Replications", caption, columns, tuple(Row(_cells(band)) for band in prediction.bands))
    return Section("replications", "The prediction's band", (table,))


def _cells(band: Band) -> tuple[Cell, ...]:
    run_metric = RUN_METRICS[band.metric]
    figures = (_bound(value, run_metric.unit) for value in (band.median, band.low, band.high))
    return (Cell(run_metric.label), *figures, count(band.n, "replications"))


def against_run(judged: Judged) -> Section | None:
    """What was predicted beside what was measured; None where the run is held against no prediction."""
    found = judged.summary.prediction_check
    if found is None:
        return None
    heads = ("predicted", "from", "to", "measured")
    columns = (Column("metric", is_text=True), *map(Column, heads), Column("", is_text=True))
    n = units.counted(found.replications, "replication")
    notes = (
        f"{found.n_inside} of {found.n_known} figures lie within their bands, from .. to, which hold "
        f"{units.share(found.band_share)} of the runs of an endpoint that is like its model: "
        f"{n}; model {found.label}.",
        *(f"{note}." for note in found.notes),
    )
    caption = f"Predicted in {found.prediction}"
    rows = tuple(Row(_beside(one)) for one in found.figures)
    return Section("prediction_check", "Predicted and measured", (Table("Prediction", caption, columns, rows, notes),))


def _beside(one: PredictedFigure) -> tuple[Cell, ...]:
    predicted = (_bound(value, one.unit) for value in (one.median, one.low, one.high))
    said = {True: Cell("inside"), False: Cell("outside", tone=Tone.DOUBTFUL), None: Cell("not known", tone=Tone.MINOR)}
    return (Cell(one.label), *predicted, bounded(one.measured, WRITE[one.unit], one.unit), said[one.is_inside])


def _bound(value: float | None, unit: Unit) -> Cell:
    return Cell("unbounded") if value is None else written(value, WRITE[unit], unit)
