"""Pictures of a comparison: every run's own value, and each metric's ratio with its interval."""

import altair as alt
import polars as pl

from smbench.analysis.comparison.contrasts import Comparison
from smbench.analysis.comparison.run_metrics import RUN_METRICS
from smbench.view.page import theme
from smbench.view.page.pictures import Picture
from smbench.view.page.spec import Spec, layered
from smbench.view.report.comparison import sentence
from smbench.view.sections.cells import WRITE

_AXIS_UNITS = {
    "s": "s",
    "hz": "per second",
    "requests": "requests",
    "instance_s": "instance-seconds",
    "usd": "USD",
    "share": "share",
}
_COLOURS = (theme.BLACK, theme.VERMILLION, theme.BLUE, theme.GREEN, theme.PURPLE, theme.ORANGE, theme.SKY)
_SHAPES = ("circle", "diamond", "square", "triangle-up", "cross", "triangle-right", "triangle-down")


def runs(comparison: Comparison) -> Picture | None:
    """The primary metric of every run, group by group: a run is a point. None where no run has it."""
    rows = [
        {"group": group.label, "value": figure.low, "is_bound": figure.value is None}
        for group in comparison.groups
        for run in group.runs
        if (figure := run.figures.get(comparison.primary)) is not None
    ]
    if not rows:
        return None
    data = pl.DataFrame(rows)
    run_metric = RUN_METRICS[comparison.primary]
    order = [group.label for group in comparison.groups]

    def draw(width: int) -> Spec:
        x = alt.X("value:Q", title=f"{run_metric.label} ({_AXIS_UNITS[run_metric.unit]})", scale=alt.Scale(zero=True))
        chart = (
            alt.Chart(data)
            .mark_point(size=90, strokeWidth=2, opacity=1)
            .encode(
                x=x,
                y=alt.Y("group:N", sort=order, title=None, axis=alt.Axis(grid=True)),
                color=alt.Color("group:N", sort=order, scale=_scale(order, _COLOURS), legend=None),
                shape=alt.Shape("group:N", sort=order, scale=_scale(order, _SHAPES), legend=None),
            )
        )
        bounds = alt.Chart(data.filter("is_bound")).mark_text(text=">", dx=-10, fontSize=13)
        marks = bounds.encode(x=x, y=alt.Y("group:N", sort=order, title=None))
        return layered(chart, marks, width=width - 20, height={"step": 44})

    contrast = comparison.contrasts[0]
    shown = sentence(comparison, contrast.row(comparison.primary), comparison.primary)
    said = f"{contrast.label} against {comparison.baseline}: {shown}"
    values = "; ".join(
        f"{label}: "
        + ", ".join(
            figure.text(WRITE[run_metric.unit])
            for run in comparison.group(label).runs
            if (figure := run.figures.get(comparison.primary)) is not None
        )
        for label in order
    )
    return Picture(
        "runs",
        said,
        f"{run_metric.label} of every run, a point each; > where it is only known to be more. {values}.",
        draw,
    )


def _scale(order: list[str], looks: tuple[str, ...]) -> alt.Scale:
    return alt.Scale(domain=order, range=[looks[place % len(looks)] for place in range(len(order))])


def ratios(comparison: Comparison) -> Picture | None:
    """Each metric's ratio to the baseline, with its interval and the margin within which nothing matters."""
    rows = [
        {
            "metric": RUN_METRICS[row.metric].label,
            "group": contrast.label,
            "ratio": row.ratio.low,
            "low": row.interval.low if row.interval is not None else row.ratio.low,
            "high": row.interval.high if row.interval is not None and row.interval.high is not None else row.ratio.low,
        }
        for contrast in comparison.contrasts
        for row in contrast.rows
        if row.ratio is not None and row.ratio.low > 0 and (row.interval is None or row.interval.low > 0)
    ]
    if not rows:
        return None
    data = pl.DataFrame(rows)
    metrics = list(dict.fromkeys(data["metric"]))
    order = [contrast.label for contrast in comparison.contrasts]
    margin = pl.DataFrame({"from": [1 / (1 + comparison.margin)], "to": [1 + comparison.margin], "one": [1.0]})

    def draw(width: int) -> Spec:
        legend = None if len(order) == 1 else alt.Legend(title=None, orient="top")
        x = alt.X(
            "ratio:Q",
            title=f"times {comparison.baseline} (log scale)",
            scale=alt.Scale(type="log", nice=False, padding=14),
        )
        y = alt.Y("metric:N", sort=metrics, title=None, axis=alt.Axis(grid=True, labelLimit=120))
        offset = alt.YOffset("group:N", sort=order)
        band = alt.Chart(margin).mark_rect(color="#ececec").encode(x=alt.X("from:Q"), x2="to:Q")
        same = alt.Chart(margin).mark_rule(strokeDash=theme.DASHED, color=theme.GREY).encode(x=alt.X("one:Q"))
        color = alt.Color("group:N", scale=_scale(order, _COLOURS[1:]), legend=legend)
        lines = (
            alt.Chart(data)
            .mark_rule(strokeWidth=2)
            .encode(x=alt.X("low:Q"), x2="high:Q", y=y, yOffset=offset, color=color)
        )
        dots = (
            alt.Chart(data)
            .mark_point(size=70, filled=True, opacity=1)
            .encode(
                x=x,
                y=y,
                yOffset=offset,
                color=color,
                shape=alt.Shape("group:N", scale=_scale(order, _SHAPES[1:]), legend=legend),
            )
        )
        high = (18 + 12 * len(order)) * len(metrics)
        return layered(band, same, lines, dots, width=max(150, width - 90), height=high)

    different = [row for contrast in comparison.contrasts for row in contrast.rows if row.is_different]
    n_rows = sum(len(contrast.rows) for contrast in comparison.contrasts)
    can_infer = any(row.p is not None for contrast in comparison.contrasts for row in contrast.rows)
    title = (
        f"Of {n_rows} metrics, {len(different)} differ beyond chance"
        if can_infer
        else "One run a side: what differs between these runs, and nothing about the next"
    )
    return Picture(
        "ratios",
        title,
        f"Ratio of each metric to {comparison.baseline}'s, with its interval where there is one. The grey band is the "
        "margin within which a difference does not matter; 1 is no difference. "
        + "; ".join(f"{row['group']}, {row['metric']}: {row['ratio']:.2f} times" for row in rows)
        + ".",
        draw,
    )
