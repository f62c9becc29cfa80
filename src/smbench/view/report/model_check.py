"""A model held against a run, as a table: each error with its band, the noise floor and the naive prediction."""

import math
from collections.abc import Callable

from rich.console import Group, RenderableType

from smbench.calibration.checking.check import LIMITS, ModelCheck
from smbench.view.report.whole_table import WholeTable


def _share(value: float) -> str:
    return f"{value:.3f}"


def _percent(value: float) -> str:
    return f"{100 * value:+.1f} %"


def _seconds(value: float) -> str:
    return f"{value:+.0f} s"


def _points(value: float) -> str:
    return f"{100 * value:+.1f} pp"


def _count(value: float) -> str:
    return f"{value:+.1f}"


_ROWS: dict[str, tuple[str, Callable[[float], str]]] = {
    "ks": ("distribution, KS", _share),
    "w1": ("distribution, W1 over mean", _share),
    "p50": ("p50", _percent),
    "p90": ("p90", _percent),
    "p95": ("p95", _percent),
    "p99": ("p99", _percent),
    "backlog": ("backlog, mean error", lambda value: f"{100 * value:.1f} %"),
    "peak": ("peak of the backlog", _percent),
    "peak_at_s": ("time of the peak", _seconds),
    "drain": ("time to drain", _percent),
    "instance_s": ("instance-seconds", _percent),
    "actions": ("scaling actions", _count),
    "actions_unmatched": ("actions not within 60 s", lambda value: f"{100 * value:.0f} %"),
    "attainment": ("within the deadline", _points),
}


def model_check_text(run: str, found: ModelCheck, label: str, *, is_in_sample: bool) -> RenderableType:
    """The grade first, then the errors."""
    band = f"{100 * found.band_share:.0f} % band"
    table = WholeTable(
        ("predicted against measured", "left"),
        ("error", "right"),
        (band, "right"),
        ("A up to", "right"),
        ("noise", "right"),
        ("as before", "right"),
    )
    for name, (title, write) in _ROWS.items():
        if name in found.figures:
            table.add_row(
                title,
                _or_more(found.figures[name], write),
                " .. ".join(_or_more(end, write) for end in found.bands[name]),
                write(LIMITS[name]).lstrip("+") if name in LIMITS else "",
                write(found.floor.get(name, 0.0)).lstrip("+"),
                _or_more(found.persistence[name], write) if name in found.persistence else "",
            )
    graded = found.grade if len(found.grade) > 1 else f"grade {found.grade}"
    if found.undecided:
        graded = f"{found.grade}, for the run cannot decide: {found.undecided}"
    own = ["In sample: the model was fitted from this very run, so this shows its fit and not how well it predicts."]
    covered = [] if found.covered is None else [f"percentiles within their {band}s: {100 * found.covered:.0f} %"]
    return Group(
        f"{run}: {graded}",
        *(own if is_in_sample else []),
        *(f"By chance: {note}." for note in found.notes),
        f"The model from now on: {label}",
        "",
        table,
        "",
        *covered,
        f"error: of {found.replications} predictions taken as one. band: of single ones, parameters drawn for each.",
        "noise: of one prediction against the others; an error below it is chance, and no model can do better.",
        "as before: the latencies of the runs that the model was fitted from, taken as the prediction.",
        "One endpoint's service drifts by some 4 % between days: that is in the band, and in no error of one run.",
    )


def _or_more(value: float, write: Callable[[float], str]) -> str:
    return write(value) if math.isfinite(value) else "unbounded" if value > 0 else "unknown"
