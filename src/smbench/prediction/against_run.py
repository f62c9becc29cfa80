"""A run held against what was predicted of it, figure by figure."""

import math
from collections.abc import Sequence

from smbench.analysis.comparison.run_metrics import RUN_METRICS, measure
from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.numbers.known import then
from smbench.analysis.numbers.prediction_check import PredictedFigure, PredictionCheck
from smbench.analysis.rows.frames import Frames
from smbench.analysis.summary import Summary
from smbench.analysis.verdict.objectives import figure
from smbench.prediction.replications import share_of
from smbench.records import Unknown
from smbench.results.manifest import Band, Prediction
from smbench.scenario.thresholds import parse_threshold

_ROUNDING = 2e-6  # instants in files are whole microseconds, so a difference of two is within one


_OF_AN_INVALID_RUN = "the run is INVALID: its figures are not the endpoint's, so they are neither inside nor outside"


def against_run(
    prediction: Prediction,
    name: str,
    frames: Frames,
    summary: Summary,
    notes: Sequence[str] = (),
    *,
    is_invalid: bool = False,
) -> PredictionCheck:
    """Every figure that was predicted, beside the run's own.

    Args:
        name: Of the prediction's folder.
        notes: What the run had other than what was predicted.
        is_invalid: Nothing is inside or outside then, as no threshold is met or missed.
    """
    own = measure(frames, summary)
    return PredictionCheck(
        prediction=name,
        label=prediction.label,
        replications=prediction.replications,
        band_share=share_of(prediction.bands),
        figures=tuple(
            one.model_copy(update={"is_inside": None}) if is_invalid else one
            for one in (_figure(band, own, frames, summary) for band in prediction.bands)
        ),
        notes=(_OF_AN_INVALID_RUN, *notes) if is_invalid else tuple(notes),
    )


def _figure(band: Band, own: dict[str, Bounded], frames: Frames, summary: Summary) -> PredictedFigure:
    run_metric = RUN_METRICS.get(band.metric)
    measured: Bounded | Unknown
    if run_metric is not None:
        measured = own.get(band.metric, Unknown("the run does not have it"))
        label, unit = run_metric.label, run_metric.unit
    else:
        threshold = parse_threshold(band.metric)
        measured = then(figure(threshold, frames, summary), lambda one: one.bounds)
        label, unit = band.metric, threshold.unit if threshold.lasting_s is None else "s"
    return PredictedFigure(
        metric=band.metric,
        label=label,
        unit=unit,
        median=band.median,
        low=band.low,
        high=band.high,
        measured=measured,
        is_inside=None if isinstance(measured, Unknown) else is_within(measured, band),
    )


def is_within(measured: Bounded, band: Band) -> bool | None:
    """Whether a figure is within a band; None where that depends on what is not known of it."""
    low, high = (math.inf if bound is None else bound for bound in (band.low, band.high))
    low, high = low - _ROUNDING, high + _ROUNDING
    least = math.inf if measured.never else measured.low
    most = math.inf if measured.high is None else measured.high
    if low <= least and most <= high:
        return True
    return False if most < low or least > high else None
