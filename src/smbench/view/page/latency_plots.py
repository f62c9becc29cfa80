"""Pictures of latency: over the run, by percentile, by stage, and how far the two clocks behind it agree."""

import math

import altair as alt
import polars as pl

from smbench import units
from smbench.analysis.latency.over_time import (
    COMPLETED,
    FROM_ACCEPTANCE,
    FROM_SCHEDULE,
    FROM_SEND,
    NOT_COMPLETED,
    OPEN,
    POINTS_MAX,
    clock_over_time,
    percentile_curve,
    percentiles_over_time,
    points,
    sending,
    stretches,
)
from smbench.analysis.latency.stages import INSIDE_THE_ENDPOINT, StageName
from smbench.analysis.numbers.bounds import Distribution
from smbench.analysis.rows.clocks import Agreement
from smbench.analysis.rows.frames import Frames
from smbench.analysis.summary import Summary
from smbench.view.page import theme
from smbench.view.page.pictures import Picture
from smbench.view.page.spec import Spec, layered

_LONGEST = "longest seen"
_ENDS = [COMPLETED, OPEN, NOT_COMPLETED]
_INSIDE = (StageName.SCHEDULE_LAG, StageName.SUBMIT, *INSIDE_THE_ENDPOINT)
_IN_WORDS: dict[str, str] = dict(
    zip(_INSIDE, ("our own lateness", "the call", "waiting in the queue", "service"), strict=True)
)
_FOLLOWED_MIN = 0.9  # of the requests; fewer may be others than the rest
_GRAIN_S = 1e-3  # AWS's stamps are whole milliseconds
_CURVE_TICKS = {0.0: "0 %", 0.5: "50 %", 0.9: "90 %", 0.99: "99 %", 0.999: "99.9 %", 0.9999: "99.99 %"}


# ---- over the run ---------------------------------------------------------------------------------------------


def latency(frames: Frames, summary: Summary, unserved_share: float | None) -> Picture | None:
    """Latency by when a request was due; None when nothing was accepted.

    Args:
        unserved_share: Of all time in the system, that during which no instance served; None when it is not known.
    """
    if not summary.sojourn.n:
        return None
    title = _latency_title(summary.sojourn, unserved_share)
    return _each(frames, title) if summary.sojourn.n <= POINTS_MAX else _stretched(frames, title)


def _latency_title(spread: Distribution, unserved_share: float | None) -> str:
    name, figure = next(
        (name, figure)
        for name in ("p99", "p95", "p90", "p50", "max")
        if (figure := spread.percentile(name)) is not None and (name == "max" or not spread.is_thin(name))
    )
    if name == "max":
        said = f"The one request took {figure.text()}" if spread.n == 1 else f"The slowest took {figure.text()}"
    else:
        said = f"{name} is {figure.text().replace('>', 'more than')}"
    if unserved_share is not None and unserved_share >= 0.05:
        said += f"; {units.share(unserved_share)} of all waiting was for want of any instance"
    elif spread.n_never + spread.n_censored:
        said += f"; {spread.n_never + spread.n_censored:,} of {spread.n:,} did not complete"
    return said


def _each(frames: Frames, title: str) -> Picture:
    data = points(frames)
    y, unit_s = theme.duration_axis(alt.Y, "value_s", "latency from schedule", data["value_s"].to_numpy())
    data = data.with_columns(pl.col("value_s") / unit_s)
    start_ns, end_ns = sending(frames)
    margin_s = max(0.02 * (end_ns - start_ns) / 1e9, 0.01)  # no point on the frame
    domain_s = (start_ns / 1e9 - margin_s, end_ns / 1e9 + margin_s)

    def draw(width: int) -> Spec:
        legend = alt.Legend(title=None, orient="top", direction="vertical" if width < theme.NARROW else "horizontal")
        chart = (
            alt.Chart(data)
            .mark_point(size=28, filled=False, strokeWidth=1.5)
            .encode(
                x=theme.time_axis("at_s", domain_s, width),
                y=y,
                shape=alt.Shape(
                    "ended:N", scale=alt.Scale(domain=_ENDS, range=["circle", "triangle-up", "cross"]), legend=legend
                ),
                color=alt.Color(
                    "ended:N",
                    scale=alt.Scale(domain=_ENDS, range=[theme.BLUE, theme.ORANGE, theme.VERMILLION]),
                    legend=legend,
                ),
            )
        )
        return layered(chart, width=width, height=theme.height(width))

    return Picture(
        "latency",
        title,
        f"Latency of each accepted request, {data.height:,} in all, by when it was due. Circles completed; a triangle "
        "had no end when the run was over, so its latency is more than that; a cross failed or expired then.",
        draw,
    )


def _stretched(frames: Frames, title: str) -> Picture:
    start_ns, end_ns = sending(frames)
    over = stretches(start_ns, end_ns + 1)
    kinds = ((FROM_SCHEDULE, 0.5, "p50"), (FROM_SCHEDULE, 0.95, "p95"), (FROM_SCHEDULE, 1.0, _LONGEST))
    found = [
        percentiles_over_time(frames, age, over, (share,)).with_columns(pl.lit(name).alias("series"))
        for age, share, name in (*kinds, (FROM_SEND, 0.95, "p95 from send"))
    ]
    data = pl.concat(found)
    y, unit_s = theme.duration_axis(alt.Y, "value_s", "latency", data["value_s"].to_numpy())
    data = data.with_columns(pl.col("value_s") / unit_s)
    domain_s = (start_ns / 1e9, float(over.starts_s()[-1]) + over.length_s)
    names = [_LONGEST, "p95", "p95 from send", "p50"]

    def draw(width: int) -> Spec:
        x = theme.time_axis("at_s", domain_s, width)
        told_apart = theme.series(
            names,
            [theme.GREY, theme.VERMILLION, theme.BLACK, theme.BLUE],
            [theme.DOTTED, theme.SOLID, theme.DASHED, theme.DASH_DOT],
            width,
        )
        lines = alt.Chart(data).mark_line().encode(x=x, y=y, **told_apart)
        marks = (
            alt.Chart(data.filter(pl.col("is_bound") & (pl.col("series") != _LONGEST)))
            .mark_point(shape="triangle-up", size=24, filled=False)
            .encode(x=x, y=y, color=told_apart["color"])
        )
        return layered(lines, marks, width=width, height=theme.height(width))

    return Picture(
        "latency",
        title,
        "Percentiles of latency from schedule by when requests were due, and p95 from send beside them: where the two "
        "part, the generator was late and latency from send hides it. Stretches of "
        f"{units.duration(over.length_s)}. A triangle is a lower bound: requests of that stretch never completed, or "
        "had no end when the run was over. The longest seen is the longest that any was watched.",
        draw,
    )


# ---- by percentile --------------------------------------------------------------------------------------------


def percentiles(frames: Frames, summary: Summary) -> Picture | None:
    """Latency by share of requests, the tail stretched; None for fewer than two requests."""
    if summary.sojourn.n < 2:
        return None
    ages = (FROM_SCHEDULE, FROM_SEND, FROM_ACCEPTANCE)
    found = {age.name: percentile_curve(frames, age) for age in ages}
    curves = {name: curve for name, curve in found.items() if curve.height}  # of an imported run one is not known
    data = pl.concat(curve.with_columns(pl.lit(name).alias("series")) for name, curve in curves.items())
    data = data.with_columns((-(1 - pl.col("share")).log(10)).alias("tail"))
    y, unit_s = theme.duration_axis(alt.Y, "value_s", "latency", data["value_s"].to_numpy())
    data = data.with_columns(pl.col("value_s") / unit_s)
    names = list(curves)
    reach = -math.log10(1 / summary.sojourn.n)
    ticks = {
        -math.log10(1 - share): label for share, label in _CURVE_TICKS.items() if share <= 1 - 1 / summary.sojourn.n
    }
    label = theme.labels(ticks)

    def draw(width: int) -> Spec:
        x = alt.X(
            "tail:Q",
            title="requests that were faster",
            scale=alt.Scale(domain=[0, reach], nice=False),
            axis=alt.Axis(values=list(ticks), labelExpr=label, labelOverlap=True),
        )
        told_apart = theme.series(
            names, [theme.VERMILLION, theme.BLACK, theme.SKY], [theme.SOLID, theme.DASHED, theme.DOTTED], width
        )
        lines = alt.Chart(data).mark_line(strokeWidth=2.5).encode(x=x, y=y, **told_apart)
        marks = (
            alt.Chart(data.filter("is_bound"))
            .mark_point(shape="triangle-up", size=70, filled=True)
            .encode(x=x, y=y, color=told_apart["color"])
        )
        return layered(lines, marks, width=width, height=theme.height(width))

    return Picture(
        "percentiles",
        _percentiles_title(summary, frames),
        "Latency against the share of requests that were faster, on a scale that stretches the tail: from schedule "
        "(what a user feels), from send (which hides our own lateness) and from acceptance (the endpoint's view). A "
        "triangle ends a curve: beyond it requests had no end, or a bad one, and latency is only known to be more.",
        draw,
    )


def _percentiles_title(summary: Summary, frames: Frames) -> str:
    spread = summary.sojourn
    is_thin = spread.p95 is None or spread.is_thin("p95")
    tail = spread.max if is_thin else spread.p95
    lag = summary.generator.schedule_lag
    hidden = (
        lag.max is not None
        and lag.max.value is not None
        and spread.max is not None
        and lag.max.value > 0.05 * spread.max.low
    )
    late = f"; latency from send hides up to {lag.max.text()}" if hidden and lag.max is not None else ""
    n_open = spread.n_censored + spread.n_never
    if spread.p50 is None or spread.p50.high is None:
        return f"Fewer than half of the requests completed: {n_open:,} of {spread.n:,} did not{late}"
    if tail is None or tail.high is None:
        return f"Half of the requests completed within {spread.p50.text()}; {n_open:,} of {spread.n:,} did not{late}"
    slow = f"the slowest took {tail.text()}" if is_thin else f"one in twenty took {tail.text()} or more"
    return f"Half of the requests took {spread.p50.text()} or less; {slow}{late}"


# ---- the clocks -----------------------------------------------------------------------------------------------


def clocks(frames: Frames, summary: Summary) -> Picture | None:
    """AWS's clock against ours, with error bars; None where nothing could be compared."""
    found = summary.clocks
    start_ns, end_ns = sending(frames)
    over = stretches(start_ns, end_ns + 1, 60)
    data = clock_over_time(frames, over)
    if found.agreement is Agreement.UNKNOWN or not data.height:
        return None
    reach_s = float((data["offset_s"].abs() + data["error_s"]).to_numpy().max())
    unit, unit_s = theme.duration_unit(max(reach_s, 2 * _GRAIN_S))
    data = data.with_columns(
        (pl.col("offset_s") / unit_s).alias("offset"),
        ((pl.col("offset_s") - pl.col("error_s")) / unit_s).alias("low"),
        ((pl.col("offset_s") + pl.col("error_s")) / unit_s).alias("high"),
    )
    domain_s = (start_ns / 1e9, float(over.starts_s()[-1]) + over.length_s)
    # Where they are apart the errors are to be seen, not how far zero is; where they agree, that zero is within them.
    has_zero = found.agreement is Agreement.AGREE

    def draw(width: int) -> Spec:
        x = theme.time_axis("at_s", domain_s, width)
        scale = alt.Scale(zero=has_zero, padding=4)
        bars = (
            alt.Chart(data)
            .mark_rule(color=theme.BLUE, strokeWidth=1.5)
            .encode(x=x, y=alt.Y("low:Q", scale=scale), y2="high:Q")
        )
        dots = (
            alt.Chart(data)
            .mark_point(color=theme.BLUE, filled=True, size=24)
            .encode(x=x, y=alt.Y("offset:Q", title=f"AWS's clock ahead by ({unit})", scale=scale))
        )
        zero = (
            alt.Chart(pl.DataFrame({"zero": [0.0]}))
            .mark_rule(strokeDash=theme.DASHED, color=theme.GREY)
            .encode(y="zero:Q")
        )
        layers = [zero, bars, dots] if has_zero else [bars, dots]
        return layered(*layers, width=width, height=theme.height(width, 160))

    return Picture(
        "clocks",
        _clocks_title(summary),
        "AWS's stamp of a request less the middle of our send and its answer, the median of each stretch of "
        f"{units.duration(over.length_s)}; the bars are half the time of an answer either side, within which the truth "
        f"lies. Requests compared: {found.n:,}.",
        draw,
    )


def _clocks_title(summary: Summary) -> str:
    found = summary.clocks
    apart = f"{units.duration(abs(found.offset_s))} {'ahead of' if found.offset_s > 0 else 'behind'} ours"
    known = f"known to {units.duration(found.uncertainty_s)} either side"
    match found.agreement:
        case Agreement.AGREE:
            return f"The two clocks agree, as far as can be known: to {units.duration(found.uncertainty_s)} either side"
        case Agreement.OFFSET:
            return f"AWS's clock is {apart}, {known}; latencies are corrected by that"
        case Agreement.DRIFT:
            gains = f"gains {found.drift * 1e6:+.3g} ppm"
            return f"AWS's clock is {apart} halfway and {gains}, {known}; latencies are corrected by that"
    unlike = "neither by a constant nor by a line"
    return f"The clocks disagree, and {unlike}: AWS's is {apart} in the median; nothing is corrected"


# ---- by stage -------------------------------------------------------------------------------------------------


def stages(summary: Summary) -> Picture | None:
    """Each stage's p50, p95 and longest on one scale; None when nothing was sent."""
    rows = [
        {"stage": stage.name, "series": name, "low_s": max(figure.low, _GRAIN_S)}
        for stage in summary.stages
        for name in ("p50", "p95", "max")
        if (figure := stage.spread.percentile(name)) is not None
    ]
    if not rows:
        return None
    data = pl.DataFrame(rows)
    order = [stage.name for stage in summary.stages if stage.n]
    longest_s = max(float(data["low_s"].to_numpy().max()), 10 * _GRAIN_S)

    def draw(width: int) -> Spec:
        x = theme.decades(alt.X, "low_s", "duration (log scale)", longest_s)
        y = alt.Y("stage:N", sort=order, title=None, axis=alt.Axis(grid=True, labelLimit=0, minExtent=110))
        legend = alt.Legend(title=None, orient="top", direction="horizontal")
        domain = ["p50", "p95", "max"]
        spread = alt.Chart(data).mark_line(color="#b5b5b5", strokeWidth=3).encode(x=x, y=y, detail="stage:N")
        marks = (
            alt.Chart(data)
            .mark_point(size=80, filled=True, opacity=1)
            .encode(
                x=x,
                y=y,
                shape=alt.Shape(
                    "series:N",
                    scale=alt.Scale(domain=domain, range=["circle", "diamond", "triangle-right"]),
                    legend=legend,
                ),
                color=alt.Color(
                    "series:N",
                    scale=alt.Scale(domain=domain, range=[theme.BLUE, theme.VERMILLION, theme.BLACK]),
                    legend=legend,
                ),
            )
        )
        return layered(spread, marks, width=max(160, width - 110), height={"step": 26})

    return Picture(
        "stages",
        _stages_title(summary),
        "p50, p95 and the longest of each stage of a request, on a logarithmic scale. "
        + "; ".join(
            f"{stage.name}: p50 {stage.spread.p50.text()}, p95 {stage.spread.p95.text()}"
            for stage in summary.stages
            if stage.spread.p50 is not None and stage.spread.p95 is not None
        )
        + ". Nothing is known better than AWS's whole milliseconds.",
        draw,
    )


def _stages_title(summary: Summary) -> str:
    """Which stage took most, by the means of those that add up to a request's latency."""
    means = {
        stage.name: stage.spread.mean_s
        for stage in summary.stages
        if stage.name in _INSIDE and stage.spread.mean_s is not None
    }
    total = sum(means.values())
    if not total or not set(INSIDE_THE_ENDPOINT) <= means.keys():
        return "Queue wait and service are not known apart, the other stages are"
    largest = max(means, key=lambda name: means[name])
    n = min(stage.n for stage in summary.stages if stage.name in INSIDE_THE_ENDPOINT)
    said = f"{units.share(means[largest] / total)} of the time went to {_IN_WORDS[largest]}"
    if n < _FOLLOWED_MIN * summary.sojourn.n:
        return f"{said}, measured on {n:,} of {summary.sojourn.n:,} requests"
    return said
