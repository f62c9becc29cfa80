"""The picture of the endpoint at work: backlog, throughput, instances and scaling on one time axis."""

import itertools

import altair as alt
import numpy as np
import polars as pl

from smbench import units
from smbench.analysis.capacity.elasticity import demand
from smbench.analysis.capacity.instances import Capacity
from smbench.analysis.latency.over_time import COMPLETED, NOT_COMPLETED, Stretches, counts, highest, stretches
from smbench.analysis.numbers.known import known, then
from smbench.analysis.rows.columns import only
from smbench.analysis.rows.frames import Frames
from smbench.analysis.summary import Summary
from smbench.records import Outcome, Unknown
from smbench.view.page import theme
from smbench.view.page.pictures import Picture
from smbench.view.page.spec import Spec, layered, stacked
from smbench.view.sections.cells import instant

_MINUTE_S = 60.0
_LABEL_PX = 32


def system(frames: Frames, summary: Summary, capacity: Capacity | None) -> Picture | None:
    """Backlog over throughput over instances; None when nothing was accepted.

    Args:
        capacity: None when the number of instances is not known: then there is no such panel.
    """
    if not summary.counts.accepted:
        return None
    over = stretches(0, max(frames.end_ns, 1))
    domain_s = (0.0, frames.end_ns / 1e9)
    own = pl.concat(
        [theme.long("ours, the highest of each stretch", at_s=over.starts_s(), n=_held(frames, over)), _told(frames)],
        how="vertical_relaxed",
    )
    ended = _ended(frames, over)
    needed = _needed(frames, summary, over)
    instances = None if capacity is None else _instances(capacity, needed, domain_s[1])
    steps, bands = _steps(summary, domain_s[1]), theme.warm_ups(frames)

    def draw(width: int) -> Spec:
        rules = (
            alt.Chart(steps)
            .mark_rule(strokeDash=theme.DOTTED, color=theme.GREY, strokeWidth=1)
            .encode(x=theme.time_axis("at_s", domain_s, width))
        )
        panels = [_backlog_panel(own, domain_s, width), _ended_panel(ended, domain_s, width, titled=instances is None)]
        if instances is not None:
            panels.append(_instances_panel(instances, steps, domain_s, width))
        below = [rules] if steps.height else []
        shading = theme.shading(bands, theme.time_axis("at_s", domain_s, width, titled=False))
        height = theme.height(width, 150)
        return stacked(
            *(
                layered(*(shading if panel is panels[0] else ()), *below, *panel, width=width, height=height)
                for panel in panels
            )
        )

    return Picture("system", _title(summary), _text(summary, capacity, needed, over, own), draw)


def _held(frames: Frames, over: Stretches) -> pl.Series:
    return pl.Series(highest(frames.backlog, over).astype(np.float64))


def _told(frames: Frames) -> pl.DataFrame:
    """CloudWatch's, each minute's average in the middle of the minute."""
    is_it = (pl.col("name") == "ApproximateBacklogSize") & (pl.col("stat") == "average") & pl.col("value").is_not_null()
    rows = frames.readings.filter(is_it & (pl.col("at_ns") >= 0)).sort("at_ns")
    every = -(-rows.height // 480)  # a run of days: not every minute
    rows = rows.gather_every(every) if every > 1 else rows
    return theme.long("CloudWatch's, average of a minute", at_s=rows["at_ns"] / 1e9 + _MINUTE_S / 2, n=rows["value"])


def _ended(frames: Frames, over: Stretches) -> pl.DataFrame:
    ended = only(frames.requests, pl.col("done_ns").is_not_null(), "done_ns", "outcome")
    is_completed = pl.col("outcome") == Outcome.COMPLETED.value
    kinds = {COMPLETED: ended.filter(is_completed), NOT_COMPLETED: ended.filter(~is_completed)}
    return pl.concat(
        theme.long(name, at_s=over.starts_s(), rate_hz=counts(rows, "done_ns", over) / over.length_s)
        for name, rows in kinds.items()
        if rows.height or name == COMPLETED
    )


def _needed(frames: Frames, summary: Summary, over: Stretches) -> pl.DataFrame | None:
    """Instances that would have kept pace, the most of each stretch; None where that is not known."""
    against = then(summary.elasticity, lambda one: one.provisioning)
    if isinstance(against, Unknown):
        return None
    found = demand(frames, against.service_s, against.concurrency, against.window_s)
    each_second = pl.DataFrame({"at_ns": found.at_ns, "n": found.instances})
    most = each_second.group_by(over.of("at_ns").alias("stretch")).agg(pl.col("n").max()).sort("stretch")
    at_s = pl.col("stretch") * over.length_s + over.start_ns / 1e9
    return most.select(at_s.alias("at_s"), pl.col("n").cast(pl.Float64))


def _instances(capacity: Capacity, needed: pl.DataFrame | None, end_s: float) -> pl.DataFrame:
    at_s = np.append(capacity.at_ns / 1e9, max(capacity.end_ns / 1e9, end_s))
    series = [
        theme.long(name, at_s=at_s, n=np.append(values, values[-1]).astype(np.float64))
        for name, values in (("serving", capacity.serving), ("desired", capacity.desired))
    ]
    if needed is not None and needed.height:
        held = pl.concat([needed, needed.tail(1).with_columns(pl.lit(end_s).alias("at_s"))])
        series.append(theme.long("needed for the arrivals", at_s=held["at_s"], n=held["n"]))
    return pl.concat(series)


def _steps(summary: Summary, end_s: float) -> pl.DataFrame:
    """Scaling decisions within the run, each with what it changed."""
    steps = [step for step in summary.scaling.steps if 0 <= step.decided_at_s <= end_s]
    labels = [f"{'?' if step.before is None else step.before}→{step.after}" for step in steps]
    return pl.DataFrame(
        {"at_s": [step.decided_at_s for step in steps], "label": labels},
        schema={"at_s": pl.Float64, "label": pl.String},
    )


# ---- panels ---------------------------------------------------------------------------------------------------


def _backlog_panel(data: pl.DataFrame, domain_s: tuple[float, float], width: int) -> list[alt.Chart]:
    names = data["series"].unique(maintain_order=True).to_list()
    told_apart = theme.series(names, [theme.BLUE, theme.VERMILLION], [theme.SOLID, theme.SOLID], width, symbol=80)
    x = theme.time_axis("at_s", domain_s, width, titled=False)
    y = alt.Y("n:Q", title="backlog (requests)", scale=alt.Scale(zero=True))
    shape = alt.Shape("series:N", scale=alt.Scale(domain=names, range=["square", "diamond"]), legend=None)
    own = alt.Chart(data.filter(pl.col("series") == names[0])).mark_line(interpolate="step-after")
    told = alt.Chart(data.filter(pl.col("series") != names[0])).mark_point(size=50, filled=True, opacity=1)
    color = told_apart["color"]
    return [own.encode(x=x, y=y, color=color), told.encode(x=x, y=y, color=color, shape=shape)]


def _ended_panel(data: pl.DataFrame, domain_s: tuple[float, float], width: int, *, titled: bool) -> list[alt.Chart]:
    names = data["series"].unique(maintain_order=True).to_list()
    lines = alt.Chart(data).mark_line(interpolate="step-after")
    chart = lines.encode(
        x=theme.time_axis("at_s", domain_s, width, titled=titled),
        y=alt.Y("rate_hz:Q", title="ends per second", scale=alt.Scale(zero=True)),
        **theme.series(names, [theme.GREEN, theme.VERMILLION], [theme.SOLID, theme.DASHED], width),
    )
    return [chart]


def _instances_panel(
    data: pl.DataFrame, steps: pl.DataFrame, domain_s: tuple[float, float], width: int
) -> list[alt.Chart]:
    names = ["serving", "desired", "needed for the arrivals"]
    shown = [name for name in names if name in set(data["series"])]
    colours = [theme.GREEN, theme.BLACK, theme.VERMILLION][: len(shown)]
    dashes = [theme.SOLID, theme.DASHED, theme.DOTTED][: len(shown)]
    x = theme.time_axis("at_s", domain_s, width)
    most = max(float(data["n"].to_numpy().max()), 1.0)
    step = next(figure * 10**power for power in range(6) for figure in (1, 2, 5) if figure * 10**power * 6 >= most)
    ticks = list(range(0, int(most) + 1, step))
    y = alt.Y(
        "n:Q", title="instances", scale=alt.Scale(domain=[0, most * 1.2]), axis=alt.Axis(values=ticks, format="d")
    )
    lines = (
        alt.Chart(data)
        .mark_line(interpolate="step-after")
        .encode(x=x, y=y, **theme.series(shown, colours, dashes, width))
    )
    labels = alt.Chart(_apart(steps, (domain_s[1] - domain_s[0]) * _LABEL_PX / width))
    texts = labels.mark_text(align="left", dx=3, baseline="top", fontSize=11, color="#222222")
    return [lines, texts.encode(x=x, y=alt.value(2), text="label:N")]


def _apart(steps: pl.DataFrame, least_s: float) -> pl.DataFrame:
    """Those whose labels do not run into the one before."""
    kept: list[int] = []
    for place, at_s in enumerate(steps["at_s"]):
        if not kept or at_s - steps["at_s"][kept[-1]] >= least_s:
            kept.append(place)
    return steps[kept]


# ---- words ----------------------------------------------------------------------------------------------------


def _title(summary: Summary) -> str:
    figures = summary.backlog
    if figures.peak_at_s is None:
        return "Nothing that counts was ever in the system, only warm-ups"
    said = f"The backlog peaked at {figures.peak_within.text(units.whole)} at {instant(figures.peak_at_s)}"
    outs = [step.in_service_at_s for step in summary.scaling.steps if step.is_out]
    if (first_s := next((at_s for at_s in outs if at_s is not None), None)) is not None:
        said += f"; more capacity served at {instant(first_s)}"
    elif outs:
        said += "; no capacity that was added came to serve"
    drain = known(figures.drain)
    if drain is not None:
        is_over = "not drained" if drain.high is None else "drained"
        said += f"; {is_over} {drain.text().removeprefix('> ')} after the last send"
    return said


def _text(
    summary: Summary, capacity: Capacity | None, needed: pl.DataFrame | None, over: Stretches, own: pl.DataFrame
) -> str:
    parts = [
        f"Over the whole run, in stretches of {units.duration(over.length_s)}: requests accepted and not yet ended, "
        "by our own rows"
        + (" and by CloudWatch's ApproximateBacklogSize" if _has_told(own) else "")
        + "; ends per second"
    ]
    if capacity is not None:
        more = ", and needed to keep pace with the arrivals" if needed is not None else ""
        parts.append(f"instances serving, desired{more}")
    steps = ", ".join(
        f"{instant(step.decided_at_s)} {'?' if step.before is None else step.before} to {step.after}"
        for step in itertools.islice(summary.scaling.steps, 12)
    )
    told = f" Scaling decisions, the dotted lines: {steps}." if steps else ""
    return "; ".join(parts) + "." + told


def _has_told(own: pl.DataFrame) -> bool:
    return own["series"].n_unique() > 1
