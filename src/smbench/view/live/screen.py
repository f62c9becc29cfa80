"""The live screen: which parts go where at which size.

A frame is pre-formatted lines, because a rich table of thirty rows costs ten times as much.
"""

import textwrap

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.text import Text

from smbench.view.live import blocks, sentences
from smbench.view.live.blocks import BLANK, Page, Row
from smbench.view.live.charts import BLOCKS, Glyphs
from smbench.view.live.state import LiveState

_WIDE_COLUMNS, _WIDE_ROWS = 140, 34
_EVENTS_MIN, _EVENTS_MAX = 3, 8
_CHART_ROWS_MAX = 14
_EVENTS_HEAD = Row(4, Text.styled(" Scaling", "bold"))


class Frame:
    """Lines that are already as wide as they may be: nothing is wrapped or measured again."""

    def __init__(self, lines: list[Text]) -> None:
        self.lines = lines

    def __rich_console__(self, console: Console, _options: ConsoleOptions) -> RenderResult:
        for place, line in enumerate(self.lines):
            if place:
                yield Segment.line()
            yield from line.render(console)


def render(state: LiveState, width: int, height: int, glyphs: Glyphs = BLOCKS) -> Frame:
    """One screen of exactly `height` lines, none wider than `width` cells."""
    lines = _lines(state, width, height, glyphs)
    for line in lines:
        if line.cell_len > width:
            line.truncate(width, overflow="crop")
    return Frame(lines)


def _lines(state: LiveState, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    if state.now is None:
        middle = [BLANK, Row(0, Text(f" {sentences.plain(state.note) or 'preparing'}"))]
        lines = textwrap.wrap(state.header.length, max(1, width - 1))
        middle += [Row(1, Text(f" {line}", "dim")) for line in lines]
    else:
        page = Page(state, state.now, width, glyphs)
        is_wide = width >= _WIDE_COLUMNS and height >= _WIDE_ROWS
        middle = _wide(page, height - 2) if is_wide else _standard(page, height - 2)
    rows = [blocks.title(state, width, glyphs), *middle, blocks.foot(state, width, glyphs)]
    kept = [row.text for row in _most_important(rows, height)]
    kept[-1:-1] = [Text()] * (height - len(kept))  # the foot stands on the last line
    return kept


def _most_important(rows: list[Row], height: int) -> list[Row]:
    """The `height` rows of the lowest rank, in their order; of equals the upper ones."""
    by_rank = sorted(range(len(rows)), key=lambda place: rows[place].rank)
    return [rows[place] for place in sorted(by_rank[:height])]


def _standard(page: Page, height: int) -> list[Row]:
    """One column; what is left of the height goes to scaling events, then to the backlog's chart, then to remarks."""
    above = [
        blocks.progress(page),
        BLANK,
        blocks.rates(page),
        *blocks.requests(page),
        BLANK,
        *blocks.latency(page),
        *blocks.thresholds(page),
        BLANK,
    ]
    ours = [BLANK, *blocks.generator(page, 1 + max(0, height - 24) // 4)]
    instances = blocks.capacity(page)
    spare = height - len(above) - len(ours) - len(instances) - 1
    scaling = blocks.scaling(page, max(_EVENTS_MIN, min(_EVENTS_MAX, spare // 3)))
    chart_rows = max(1, min(_CHART_ROWS_MAX, spare - len(scaling)))
    return [*above, *blocks.backlog(page, chart_rows), *instances, *scaling, *ours]


def _wide(page: Page, height: int) -> list[Row]:
    """Two columns where things belong side by side, and everything in full."""
    half = page.width // 2
    left = Page(page.state, page.now, half, page.glyphs)
    rates = blocks.rate_courses(left, max(2, min(6, (height - 30) // 3)))
    above = [
        blocks.progress(page),
        *blocks.phases(page, min(6, len(page.state.header.phases))),
        BLANK,
        *_beside([blocks.rates(left), *blocks.requests(left)], blocks.latency(left), half),
        *blocks.thresholds(page),
        BLANK,
        *_beside(*rates, half),
        BLANK,
    ]
    below = [
        BLANK,
        *_beside(blocks.capacity(left, 4), [_EVENTS_HEAD, *blocks.scaling(left, _EVENTS_MAX)], half),
        BLANK,
        *blocks.generator(page, 4),
    ]
    chart_rows = max(3, height - len(above) - len(below) - 2)
    return [*above, *blocks.backlog(page, chart_rows), blocks.time_axis(page), *below]


def _beside(left: list[Row], right: list[Row], width: int) -> list[Row]:
    """Two lists of rows next to each other, the right one beginning at `width`."""
    rows = []
    for place in range(max(len(left), len(right))):
        here = left[place] if place < len(left) else BLANK
        there = right[place] if place < len(right) else BLANK
        text = here.text.copy()
        text.truncate(width - 1, overflow="crop", pad=True)
        other = there.text.copy()
        other.truncate(width - 1, overflow="crop")
        rows.append(Row(min(here.rank, there.rank), text.append(" ").append_text(other)))
    return rows
