"""Pictures of the load: what was due, what was sent, and how late."""

import altair as alt
import polars as pl

from smbench import units
from smbench.analysis.latency.over_time import STRETCHES_MAX, counts, lag_over_time, sending, stretches
from smbench.analysis.rows.columns import only
from smbench.analysis.rows.frames import Frames
from smbench.analysis.summary import Summary
from smbench.view.page import theme
from smbench.view.page.pictures import Picture
from smbench.view.page.spec import Spec, layered
from smbench.view.sections.cells import instant

_POINTS_MAX = 60  # stretches whose points are marked


def rates(frames: Frames, summary: Summary) -> Picture | None:
    """Offered, achieved and accepted over the time in which there was anything to send; None for a burst at once."""
    start_ns, end_ns = sending(frames)
    if end_ns == start_ns:
        return None
    over = stretches(start_ns, end_ns + 1, min(STRETCHES_MAX, max(20, summary.counts.scheduled // 10)))
    instants = {"due": "sched_ns", "sent": "send_ns", "accepted": "send_ns"}
    rows = {
        "due": frames.requests,
        "sent": frames.requests,
        "accepted": only(frames.requests, pl.col("accepted"), "send_ns"),
    }
    data = pl.concat(
        theme.long(name, at_s=over.starts_s(), rate_hz=counts(rows[name], instant, over) / over.length_s)
        for name, instant in instants.items()
    )
    # A last point at the end of the last stretch, so that it is drawn as long as the others.
    last = data.group_by("series", maintain_order=True).last().with_columns(pl.col("at_s") + over.length_s)
    data = pl.concat([data, last.select(data.columns)])
    domain_s = (start_ns / 1e9, float(over.starts_s()[-1]) + over.length_s)

    bands = theme.warm_ups(frames)

    def draw(width: int) -> Spec:
        names = list(instants)
        told_apart = theme.series(
            names, ["#b5b5b5", theme.BLUE, theme.VERMILLION], [theme.SOLID, theme.SOLID, theme.DASHED], width
        )
        x = theme.time_axis("at_s", domain_s, width)
        lines = alt.Chart(data).mark_line(interpolate="step-after")
        chart = lines.encode(
            x=x,
            y=alt.Y("rate_hz:Q", title="requests per second", scale=alt.Scale(zero=True)),
            strokeWidth=alt.StrokeWidth("series:N", scale=alt.Scale(domain=names, range=[6, 2, 2]), legend=None),
            **told_apart,
        )
        return layered(*theme.shading(bands, x), chart, width=width, height=theme.height(width, 200))

    peak_hz = float(data.filter(pl.col("series") == "due")["rate_hz"].to_numpy().max())
    return Picture(
        "rates",
        _rates_title(summary),
        f"Requests per second over the time of sending, in stretches of {units.duration(over.length_s)}: due, sent and "
        f"accepted. At most {units.rate(peak_hz)} were due; {summary.counts.scheduled:,} were due in all, "
        f"{summary.counts.sent:,} sent and {summary.counts.accepted:,} accepted.",
        draw,
    )


def _rates_title(summary: Summary) -> str:
    counts_, lag = summary.counts, summary.generator.schedule_lag
    if counts_.sent < counts_.scheduled:
        sent = f"{counts_.sent:,} of {counts_.scheduled:,} requests were sent"
    else:
        sent = f"All {counts_.scheduled:,} requests were sent"
    is_late = lag.p99 is not None and lag.max is not None and lag.max.high != 0
    late = f", 99 % of them at most {lag.p99.text()} late" if lag.p99 is not None and is_late else ", none late"
    refused = counts_.sent - counts_.accepted
    return f"{sent}{late if lag.p99 is not None else ''}" + (f"; {refused:,} not accepted" if refused else "")


def lag(frames: Frames, summary: Summary) -> Picture | None:
    """How late the generator was; None where it never was, as in virtual time."""
    spread = summary.generator.schedule_lag
    start_ns, end_ns = sending(frames)
    over = stretches(start_ns, end_ns + 1)
    found = lag_over_time(frames, over)
    if spread.max is None or spread.p99 is None or not found.height or not found["max_s"].max():
        return None
    worst = found.row(int(found["max_s"].to_numpy().argmax()), named=True)
    unit, unit_s = theme.duration_unit(worst["max_s"])
    data = pl.concat(
        theme.long(name, at_s=found["at_s"], lag=found[column] / unit_s)
        for name, column in (("latest", "max_s"), ("median", "median_s"))
    )
    domain_s = (start_ns / 1e9, max(end_ns / 1e9, float(found["at_s"].to_numpy().max())))

    def draw(width: int) -> Spec:
        lines = alt.Chart(data).mark_line(point=alt.OverlayMarkDef(size=12) if found.height <= _POINTS_MAX else False)
        chart = lines.encode(
            x=theme.time_axis("at_s", domain_s, width),
            y=alt.Y("lag:Q", title=f"sent late by ({unit})", scale=alt.Scale(zero=True)),
            **theme.series(["latest", "median"], [theme.VERMILLION, theme.BLUE], [theme.SOLID, theme.DASHED], width),
        )
        return layered(chart, width=width, height=theme.height(width, 160))

    return Picture(
        "lag",
        f"The generator was late by at most {spread.max.text()}, near {instant(worst['at_s'])}, "
        f"and by {spread.p99.text()} at p99",
        f"How late requests were sent over the time of sending, in stretches of {units.duration(over.length_s)}: the "
        f"latest and the median of each. p50 {spread.p50.text() if spread.p50 else '-'}, p99 {spread.p99.text()}, "
        f"latest {spread.max.text()}.",
        draw,
    )
