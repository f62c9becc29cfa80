"""A what-if as one page: its picture, cost against what matters, and the front as a table."""

import math

import altair as alt
import polars as pl

from smbench.prediction.space import policy_words
from smbench.view.page import theme
from smbench.view.page.document import Drawing, Part, drawn, written
from smbench.view.page.pictures import Picture
from smbench.view.page.spec import Spec, layered
from smbench.view.page.vega import Vega
from smbench.view.report.what_if import Looked, heads, kind_of, metric_of, sentence, table_notes, table_rows
from smbench.view.sections.blocks import Block, Sentence, table_of_texts

_LAYERS = ("other", "front", "now")
_UNITS = {"s": "s", "requests": "requests", "share": "share", "hz": "per second", "usd": "USD"}


def what_if_page(looked: Looked, vega: Vega) -> str:
    """The whole HTML document."""
    n_text = 1 + len(looked.sweep.rows[-1].point.values)
    table = table_of_texts(
        "The front, cheapest first", heads(looked), table_rows(looked), table_notes(looked), n_text=n_text
    )
    picture = drawn(front_picture(looked), vega)
    blocks: tuple[Block | Drawing, ...] = (table,) if picture is None else (picture, table)
    return written(
        "comparison.html.j2",
        title=f"{looked.name}: what other policies would do",
        verdicts=(
            Sentence(f"A prediction; model {looked.label}."),
            Sentence(f"Now: {policy_words(looked.sweep.current.point.emulated, kind_of(looked.question))}."),
        ),
        sections=[Part("front", "Cost against what matters", blocks)],
    )


def front_picture(looked: Looked) -> Picture | None:
    """Every policy that was foreseen, the front among them; None where no bound is finite."""
    objective = looked.question.objectives[0]
    rows = [
        {
            "cost": row.cost,
            "bound": row.bound(0, objective),
            "kind": "now" if row is looked.sweep.current else "front" if row.is_leader else "other",
        }
        for row in looked.sweep.rows
        if math.isfinite(row.bound(0, objective))
    ]
    if not rows:
        return None
    data = pl.DataFrame(sorted(rows, key=lambda row: _LAYERS.index(str(row["kind"]))))  # what comes last is on top
    unit = _UNITS[objective.unit]
    priced = "USD" if looked.question.is_in_usd else "instance-hours"
    limit = pl.DataFrame({"limit": [objective.value]})

    def draw(width: int) -> Spec:
        x = alt.X("cost:Q", title=f"cost ({priced})", scale=alt.Scale(zero=False))
        y = alt.Y("bound:Q", title=f"{metric_of(objective)}, 90 % bound ({unit})", scale=alt.Scale(zero=False))
        order = list(_LAYERS)
        points = (
            alt.Chart(data)
            .mark_point(filled=True, opacity=1, size=60)
            .encode(
                x=x,
                y=y,
                color=alt.Color(
                    "kind:N",
                    sort=order,
                    scale=alt.Scale(domain=order, range=[theme.GREY, theme.BLUE, theme.VERMILLION]),
                    legend=alt.Legend(title=None, orient="top"),
                ),
                shape=alt.Shape(
                    "kind:N", scale=alt.Scale(domain=order, range=["circle", "diamond", "square"]), legend=None
                ),
            )
        )
        front = data.filter(pl.col("kind") == "front").sort("cost")
        line = alt.Chart(front).mark_line(interpolate="step-after", color=theme.BLUE).encode(x=x, y=y)
        rule = alt.Chart(limit).mark_rule(strokeDash=theme.DASHED, color=theme.BLACK).encode(y=alt.Y("limit:Q"))
        layers = (line, points, rule) if looked.is_demanded else (line, points)
        return layered(*layers, width=max(150, width - 60), height=320)

    return Picture(
        "front",
        f"{sentence(looked)} (model {looked.label})",
        f"Mean cost in {priced} against the 90 % bound of {metric_of(objective)} over the replications; a point a "
        f"policy, the front joined, the target as it is apart. Model {looked.label}.",
        draw,
    )
