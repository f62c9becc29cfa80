"""How all pictures look: colours that the colour-blind can distinguish, axes with units, time in minutes and seconds.

Every series differs from its neighbours in dash or shape too, so that it can be distinguished in grey. The colours are
Okabe and Ito's.
"""

import math
from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import numpy.typing as npt
import polars as pl

from smbench.analysis.rows.frames import Frames

BLACK, ORANGE, SKY, GREEN, BLUE, VERMILLION, PURPLE = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
GREY = "#767676"
SOLID, DASHED, DOTTED, DASH_DOT = [1, 0], [7, 4], [2, 3], [9, 3, 2, 3]
NARROW = 480  # plotting areas below it have fewer ticks and their legends in rows

# What all pictures share, in Vega-Lite's words: put into a finished one, for Altair would copy the chart to add it.
CONFIG = {
    "font": "sans-serif",
    "background": "white",
    "padding": 4,
    "aria": False,
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelColor": "#222222",
        "titleColor": "#222222",
        "gridColor": "#e2e2e2",
        "domainColor": "#555555",
        "tickColor": "#555555",
    },
    "legend": {"labelFontSize": 12, "labelColor": "#222222", "offset": 6, "rowPadding": 2},
    "view": {"stroke": "#bbbbbb"},
}

_BELOW_A_SECOND = tuple(figure * 10.0**power for power in (-3, -2, -1) for figure in (1, 2, 5))
_TICKS_S = (
    *_BELOW_A_SECOND,
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    14_400,
    21_600,
    43_200,
    86_400,
)
_LOG_TICKS = {
    **{figure * 10.0**power: f"{figure * 10 ** (power + 6)} us" for power in (-6, -5, -4) for figure in (1, 2, 5)},
    **{figure * 10.0**power: f"{figure * 10 ** (power + 3)} ms" for power in (-3, -2, -1) for figure in (1, 2, 5)},
    **{float(figure): f"{figure} s" for figure in (1, 2, 5, 10, 20, 30)},
    **{60.0 * figure: f"{figure} min" for figure in (1, 2, 5, 10, 20, 30)},
    **{3600.0 * figure: f"{figure} h" for figure in (1, 2, 5, 10)},
    **{86_400.0 * figure: f"{figure} d" for figure in (1, 2, 5, 10, 20, 50, 100)},
}
_DECADES = {
    1e-3: "≤ 1 ms",
    0.01: "10 ms",
    0.1: "100 ms",
    1.0: "1 s",
    10.0: "10 s",
    60.0: "1 min",
    600.0: "10 min",
    3600.0: "1 h",
    36_000.0: "10 h",
    864_000.0: "10 d",
}
_SPREAD_FOR_LOG = 12.0  # the longest over the median
_LOG_REACH = 1e4
_PX_A_TICK, _PX_A_TICK_NARROW = 80, 50
_DURATION_UNITS = (("d", 86_400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3), ("us", 1e-6))


def time_axis(column: str, domain_s: tuple[float, float], width: int, *, titled: bool = True) -> alt.X:
    """Time since the run began, ticks at round instants, over the same domain whatever the data."""
    start_s, end_s = domain_s
    end_s = max(end_s, start_s + 1e-3)
    n_max = max(2, width // (_PX_A_TICK if width >= NARROW else _PX_A_TICK_NARROW))
    step_s = next((step for step in _TICKS_S if (end_s - start_s) / step <= n_max), _TICKS_S[-1])
    first, last = math.ceil(start_s / step_s - 1e-9), math.floor(end_s / step_s + 1e-9)
    ticks = [round(place * step_s, 9) for place in range(first, last + 1)][:100]
    label, unit = _clock_label(end_s, step_s)
    return alt.X(
        f"{column}:Q",
        scale=alt.Scale(domain=[start_s, end_s], nice=False, zero=False),
        axis=alt.Axis(values=ticks, labelExpr=label, labelOverlap=True, grid=False),
        title=f"time since the run began ({unit})" if titled else None,
    )


def _clock_label(end_s: float, step_s: float) -> tuple[str, str]:
    """Vega's expression for a tick, and what it is written in."""
    if step_s < 1:
        return "datum.value", "s"
    minutes = "floor(datum.value / 60) + ':' + pad(datum.value % 60, 2, '0', 'left')"
    hours = "floor(datum.value / 3600) + ':' + pad(floor(datum.value / 60) % 60, 2, '0', 'left')"
    return (hours, "h:min") if step_s >= 60 and end_s > 7200 else (minutes, "min:s")


def duration_unit(longest_s: float) -> tuple[str, float]:
    """The unit in which the longest of an axis is a small number, and how many seconds it is."""
    return next((unit for unit in _DURATION_UNITS if longest_s >= 2 * unit[1]), _DURATION_UNITS[-1])


def duration_axis(
    channel: type[alt.X] | type[alt.Y], column: str, title: str, values_s: npt.NDArray[np.float64]
) -> tuple[alt.X | alt.Y, float]:
    """An axis of durations, logarithmic where they spread so far that most would lie on a straight line's foot.

    Returns:
        The encoding, and how many seconds its unit is: what `column` is to be divided by.
    """
    longest_s = float(values_s.max(initial=0.0))
    above = values_s[values_s > 0]
    if not len(above) or longest_s < _SPREAD_FOR_LOG * float(np.median(above)):
        unit, unit_s = duration_unit(longest_s)
        return channel(f"{column}:Q", title=f"{title} ({unit})", scale=alt.Scale(zero=True)), unit_s
    return _log_axis(channel, column, title, (max(float(above.min()), longest_s / _LOG_REACH), longest_s)), 1.0


def _log_axis(
    channel: type[alt.X] | type[alt.Y], column: str, title: str, domain_s: tuple[float, float]
) -> alt.X | alt.Y:
    """Each tick with its own unit; what is shorter than the axis is drawn at its foot."""
    ticks = [tick for tick in _LOG_TICKS if domain_s[0] <= tick <= domain_s[1]]
    return channel(
        f"{column}:Q",
        title=f"{title} (log scale)",
        scale=alt.Scale(type="log", domain=list(domain_s), nice=False, clamp=True),
        axis=alt.Axis(values=ticks, labelExpr=labels({tick: _LOG_TICKS[tick] for tick in ticks}), labelOverlap=True),
    )


def labels(texts: dict[float, str]) -> str:
    """Vega's expression for these labels of these ticks; the empty text where there is none."""
    cases = [f"abs(datum.value - {at!r}) <= {abs(at) * 1e-6!r} ? '{text}'" for at, text in texts.items()]
    return " : ".join([*cases, "''"])


def decades(channel: type[alt.X] | type[alt.Y], column: str, title: str, longest_s: float) -> alt.X | alt.Y:
    """From a millisecond, better than which AWS's stamps are not; shorter values are drawn at the foot."""
    last = next((tick for tick in _DECADES if tick >= longest_s), max(_DECADES))
    shown = {tick: text for tick, text in _DECADES.items() if tick <= last}
    return channel(
        f"{column}:Q",
        title=title,
        scale=alt.Scale(type="log", domain=[min(shown), last], nice=False, clamp=True),
        axis=alt.Axis(values=list(shown), labelExpr=labels(shown), labelOverlap=True),
    )


def series(
    names: Sequence[str], colours: Sequence[str], dashes: Sequence[list[int]], width: int, symbol: int = 400
) -> dict[str, Any]:
    """Encodings of lines that differ by colour and by dash, with one legend for both, above the plot."""
    legend = alt.Legend(
        title=None,
        orient="top",
        direction="vertical" if width < NARROW else "horizontal",
        symbolSize=symbol,
        labelLimit=0,
        columnPadding=24,  # else a name touches the stroke of the next
    )
    field, domain = "series:N", list(names)
    return {
        "color": alt.Color(field, scale=alt.Scale(domain=domain, range=list(colours)), legend=legend),
        "strokeDash": alt.StrokeDash(field, scale=alt.Scale(domain=domain, range=list(dashes)), legend=legend),
    }


def long(series_name: str, **columns: Any) -> pl.DataFrame:
    """Rows of one series, to be put under those of others."""
    return pl.DataFrame(columns).with_columns(pl.lit(series_name).alias("series"))


def warm_ups(frames: Frames) -> pl.DataFrame:
    """Where warm-up phases lay: what pictures over time shade."""
    spans = [span for span in frames.spans if span.warmup and span.n and span.end_ns is not None]
    return pl.DataFrame(
        {
            "from_s": [span.start_ns / 1e9 for span in spans],
            "to_s": [(span.end_ns or 0) / 1e9 for span in spans],
            "label": ["warm-up"] * len(spans),
        },
        schema={"from_s": pl.Float64, "to_s": pl.Float64, "label": pl.String},
    )


def shading(bands: pl.DataFrame, x: alt.X) -> list[alt.Chart]:
    """Layers for warm-up phases, each a grey band with its name; none where there is no such phase."""
    if not bands.height:
        return []
    start = x.copy()
    start.shorthand = "from_s:Q"
    band = alt.Chart(bands).mark_rect(color="#ececec").encode(x=start, x2="to_s:Q")
    name = alt.Chart(bands).mark_text(align="left", baseline="top", dx=3, fontSize=11, color="#444444")
    return [band, name.encode(x=start, y=alt.value(2), text="label:N")]


def height(width: int, wide: int = 240) -> int:
    """Of a plotting area: a narrow one is not as high."""
    return wide if width >= NARROW else min(wide, 200)
