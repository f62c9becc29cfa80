"""A capacity search as one page: the answer, what each rate showed, and the probes."""

import altair as alt
import polars as pl

from smbench.sweeping.demands import COMPLETES
from smbench.view.page import theme
from smbench.view.page.document import Drawing, Part, drawn, written
from smbench.view.page.pictures import Picture
from smbench.view.page.spec import Spec, layered
from smbench.view.page.vega import Vega
from smbench.view.report.search import HEADS, Looked, measuring, notes, said, sentences, table_rows
from smbench.view.sections.blocks import Block, Sentence, table_of_texts

_COLOURS = {said("keeps"): theme.BLUE, said("fails"): theme.VERMILLION, said("unsure"): theme.GREY}


def search_page(looked: Looked, vega: Vega) -> str:
    """The whole HTML document. It says nothing of when and where the runs were made."""
    pictures = [drawn(picture, vega) for picture in (growth_picture(looked), misses_picture(looked))]
    table = table_of_texts("probes, by rate", HEADS, table_rows(looked))
    blocks: tuple[Block | Drawing, ...] = (*(one for one in pictures if one is not None), table)
    return written(
        "comparison.html.j2",
        title=f"{looked.name}: the highest rate that is kept",
        verdicts=tuple(Sentence(sentence) for sentence in sentences(looked)),
        sections=[
            Part("probes", "Probes", blocks),
            Part("notes", "Notes", tuple(Sentence(note) for note in notes(looked))),
        ],
    )


def growth_picture(looked: Looked) -> Picture | None:
    """By how much the backlog grew at each rate; None where there is none."""
    rows = [
        {"rate": one.rate_hz, "y": one.growth_hz.mean, "probe": said(one.growth)}
        for one in (probe.kept.evidence for probe in measuring(looked))
        if one.growth_hz is not None
    ]
    if not rows:
        return None
    text = "Growth of the backlog against the offered rate, both each second, a point a probe."
    return _picture(
        looked, "growth", "Where the backlog begins to grow", text, rows, "growth of the backlog (1/s)", None
    )


def misses_picture(looked: Looked) -> Picture | None:
    """The share of requests that missed the demand that matters most; None where no demand but completion is made."""
    places = [place for place, demand in enumerate(looked.demands) if demand.text != COMPLETES]
    if not places or not measuring(looked):
        return None
    found = looked.found.binds
    place = next((one for one in places if looked.demands[one].text == found), places[0])
    demand = looked.demands[place]
    rows = [
        {"rate": one.rate_hz, "y": one.misses[place].least, "probe": said(one.misses[place].said)}
        for one in (probe.kept.evidence for probe in measuring(looked))
    ]
    text = f"Share of requests that miss {demand.text} against the offered rate, a point a probe; a line at what may."
    return _picture(looked, "misses", f"Who misses {demand.text}", text, rows, "share that misses", demand.allowed)


def _picture(
    looked: Looked, name: str, title: str, text: str, rows: list[dict[str, object]], axis: str, limit: float | None
) -> Picture:
    data = pl.DataFrame(rows)
    rate_hz = looked.rate_hz

    def draw(width: int) -> Spec:
        colours = alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values()))
        points = (
            alt.Chart(data)
            .mark_point(filled=True, opacity=1, size=50)
            .encode(
                x=alt.X("rate:Q", title="offered rate (1/s)"),
                y=alt.Y("y:Q", title=axis),
                color=alt.Color("probe:N", scale=colours, legend=alt.Legend(title=None, orient="top")),
            )
        )
        layers = [points]
        if limit is not None:
            line = alt.Chart(pl.DataFrame({"y": [limit]})).mark_rule(strokeDash=[4, 4], color=theme.GREY)
            layers.append(line.encode(y="y:Q"))
        if rate_hz is not None:
            found = alt.Chart(pl.DataFrame({"rate": [rate_hz]})).mark_rule(color=theme.GREY)
            layers.append(found.encode(x="rate:Q"))
        return layered(*layers, width=max(150, width - 60), height=theme.height(width))

    return Picture(f"search-{name}", title, text, draw)
