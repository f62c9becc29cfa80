"""A sweep as one page: cost against latency, latency by configuration, and the tables."""

import math

import altair as alt
import numpy as np
import polars as pl

from smbench import units
from smbench.sweeping.ranking import Group
from smbench.view.page import theme
from smbench.view.page.document import Drawing, Part, drawn, written
from smbench.view.page.pictures import Picture
from smbench.view.page.spec import Spec, layered
from smbench.view.page.vega import Vega
from smbench.view.report.sweep import (
    HEADS,
    RECOMMENDER_HEADS,
    THROUGHPUT_HEADS,
    Looked,
    against_instances_of,
    benchmarks,
    notes,
    recommendations,
    recommender_notes,
    recommender_rows,
    sentences,
    table_rows,
    throughput_rows,
)
from smbench.view.sections.blocks import Block, Sentence, table_of_texts
from smbench.view.sections.price import break_even_table, savings_table

_ROW_PX = 22
_BINS = 60


def sweep_page(looked: Looked, vega: Vega) -> str:
    """The whole HTML document. It says nothing of when and where the runs were made."""
    sections = []
    for benchmark in benchmarks(looked):
        groups = [group for group in looked.groups if group.benchmark == benchmark]
        pictures = (picture(benchmark, groups) for picture in (cost_picture, latency_picture, density_picture))
        drawings = [one for one in (drawn(picture, vega) for picture in pictures) if one is not None]
        tables = [table_of_texts(benchmark, HEADS, table_rows(looked, benchmark))]
        if rows := throughput_rows(looked, benchmark):
            tables.append(table_of_texts("completions in a second", THROUGHPUT_HEADS, rows))
        sections.append(Part(benchmark, benchmark, (*drawings, *tables)))
    if recommended := recommendations(looked):
        table = table_of_texts("recommendations", RECOMMENDER_HEADS, recommender_rows(recommended))
        said = tuple(Sentence(note) for note in recommender_notes(recommended))
        sections.append(Part("recommendations", "Recommendations", (table, *said)))
    if against := against_instances_of(looked):
        compared: list[Block | Drawing] = [break_even_table(against.break_even)]
        if against.savings:
            compared.append(savings_table(against.savings, against.compared_with))
        sections.append(Part("against-instances", "Against instances", tuple(compared)))
    sections.append(Part("notes", "Notes", tuple(Sentence(note) for note in notes(looked))))
    return written(
        "comparison.html.j2",
        title=f"{looked.name}: a sweep of {units.counted(len(looked.cells), 'cell')}",
        verdicts=tuple(Sentence(sentence) for sentence in sentences(looked)),
        sections=sections,
    )


def cost_picture(benchmark: str, groups: list[Group]) -> Picture | None:
    """Cost per 1,000 completions against p95, a point a configuration; None where fewer than two have both."""
    rows = [
        {"configuration": group.configuration, "p95": group.p95_s[1], "usd": group.usd_per_1000}
        for group in groups
        if group.p95_s is not None and math.isfinite(group.p95_s[1]) and group.usd_per_1000 is not None
    ]
    if len(rows) < 2:
        return None
    data = pl.DataFrame(rows)

    def draw(width: int) -> Spec:
        x = alt.X("p95:Q", title="p95 (s)", scale=alt.Scale(zero=False))
        y = alt.Y("usd:Q", title="USD per 1,000", scale=alt.Scale(zero=False))
        base = alt.Chart(data)
        points = base.mark_point(filled=True, opacity=1, size=60, color=theme.BLUE).encode(x=x, y=y)
        names = base.mark_text(align="left", dx=6, fontSize=10).encode(x=x, y=y, text="configuration:N")
        layers = (points, names) if width > 400 else (points,)
        return layered(*layers, width=max(150, width - 60), height=280)

    priced = [group for group in groups if not group.why_unfit and group.usd_per_1000 is not None]
    cheapest = min(priced, key=lambda group: group.usd_per_1000 or 0.0, default=None)
    return Picture(
        f"cost-{benchmark}",
        f"{benchmark}: cheapest is {_called(cheapest)}" if cheapest else f"{benchmark}: cost against latency",
        "Cost per 1,000 completions against the 95th percentile of latency, a point a configuration that has both.",
        draw,
    )


def latency_picture(benchmark: str, groups: list[Group]) -> Picture | None:
    """p50, p95 and p99 of each configuration's median seed; None where none is known."""
    rows = []
    for group in groups:
        runs = sorted(group.by_seed.values(), key=lambda one: math.inf if one.p95 is None else one.p95.low)
        middle = runs[(len(runs) - 1) // 2]
        for name in ("p50", "p95", "p99"):
            figure = getattr(middle, name)
            if figure is not None and figure.value is not None:
                rows.append({"configuration": _called(group), "figure": name, "s": figure.value})
    if not rows:
        return None
    data, order = pl.DataFrame(rows), [_called(group) for group in groups]

    def draw(width: int) -> Spec:
        colours = alt.Scale(domain=["p50", "p95", "p99"], range=[theme.GREY, theme.BLUE, theme.VERMILLION])
        points = (
            alt.Chart(data)
            .mark_point(filled=True, opacity=1, size=50)
            .encode(
                x=alt.X("s:Q", title="latency from schedule (s)"),
                y=alt.Y("configuration:N", sort=order, title=None),
                color=alt.Color("figure:N", scale=colours, legend=alt.Legend(title=None, orient="top")),
            )
        )
        return layered(points, width=max(150, width - 160), height=_ROW_PX * len(order) + 20)

    known = [group for group in groups if not group.why_unfit and group.p95_s is not None]
    slowest = max(known, key=lambda group: (group.p95_s or (0.0,) * 3)[1], default=None)
    return Picture(
        f"latency-{benchmark}",
        f"{benchmark}: slowest by p95 is {_called(slowest)}" if slowest else f"{benchmark}: latency",
        "Median, 95th and 99th percentile of latency, a line a configuration; one that is known within bounds only has "
        "no point.",
        draw,
    )


def density_picture(benchmark: str, groups: list[Group]) -> Picture | None:
    """How the latencies of each configuration are spread, a strip of equal bins each; None where nothing completed."""
    spreads = {_called(group): [one.spread_s for one in group.by_seed.values() if one.spread_s] for group in groups}
    known = [spread for of_seeds in spreads.values() for spread in of_seeds]
    if not known:
        return None
    least_s, most_s = min(spread[0] for spread in known), max(spread[-2] for spread in known)
    edges_s = np.linspace(least_s, most_s if most_s > least_s else least_s * 1.01 + 1e-9, _BINS + 1)
    rows = [
        {"configuration": name, "from_s": low_s, "to_s": high_s, "share": share}
        for name, of_seeds in spreads.items()
        if of_seeds
        for low_s, high_s, share in zip(edges_s, edges_s[1:], shares_within(of_seeds, edges_s), strict=False)
        if share > 0
    ]
    data, order = pl.DataFrame(rows), list(spreads)

    def draw(width: int) -> Spec:
        strips = (
            alt.Chart(data)
            .mark_rect(color=theme.BLUE)
            .encode(
                x=alt.X("from_s:Q", title="latency from schedule (s)"),
                x2="to_s:Q",
                y=alt.Y("configuration:N", sort=order, title=None),
                opacity=alt.Opacity("share:Q", scale=alt.Scale(range=[0.06, 1]), legend=None),
            )
        )
        return layered(strips, width=max(150, width - 160), height=_ROW_PX * len(order) + 20)

    return Picture(
        f"density-{benchmark}",
        f"{benchmark}: how latencies are spread",
        "Density of latency of the completed requests, a strip a configuration: the darker, the more of them, up to "
        "the greatest 99th percentile.",
        draw,
    )


def shares_within(spreads_s: list[tuple[float, ...]], edges_s: np.ndarray) -> list[float]:
    """Of the latencies between each two edges, the share; the mean of several distributions."""
    found = []
    for spread_s in spreads_s:
        below = np.searchsorted(np.asarray(spread_s[1:]), edges_s, side="right") / (len(spread_s) - 1)
        below[0] = 0.0
        found.append(np.diff(below))
    return [float(share) for share in np.mean(found, axis=0)]


def _called(group: Group) -> str:
    return group.configuration or "as it is"
