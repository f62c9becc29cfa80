"""What a report says of a prediction: that it is one, how far its model can be trusted, and the band of each metric."""

from smbench.analysis.comparison.run_metrics import RUN_METRICS
from smbench.analysis.summary import Summary
from smbench.findings import Verdict
from smbench.results.manifest import Band
from smbench.view.report.comparison import WRITE
from smbench.view.report.whole_table import WholeTable

BAND_HEADS = ("metric", "median", "5 %", "95 %", "n")

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


def band_caption(summary: Summary) -> str:
    """What the table of bands shows; empty where there is none."""
    prediction = summary.prediction
    if prediction is None or not prediction.bands:
        return ""
    return f"Over {prediction.replications:,} replications (model {prediction.label})"


def band_rows(summary: Summary) -> list[tuple[str, ...]]:
    """The cells of each band under `BAND_HEADS`."""
    return [] if summary.prediction is None else [_cells(band) for band in summary.prediction.bands]


def band_table(summary: Summary) -> WholeTable | None:
    """The bands for a terminal; None where there are none."""
    if not band_caption(summary):
        return None
    table = WholeTable(("Replications", "left"), *((head, "right") for head in BAND_HEADS[1:]))
    for cells in band_rows(summary):
        table.add_row(*cells)
    return table


def _cells(band: Band) -> tuple[str, ...]:
    run_metric = RUN_METRICS[band.metric]
    write = WRITE[run_metric.unit]
    values = (band.median, band.low, band.high)
    return (run_metric.label, *("unbounded" if value is None else write(value) for value in values), f"{band.n:,}")
