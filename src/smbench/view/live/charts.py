"""Charts out of characters: a bar that fills, columns of any number of rows. ASCII where the stream has no blocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters a stream can carry.

    Args:
        levels: A cell's fill from the least to full; nothing is a blank.
        full, empty: The done and the open part of a bar.
    """

    levels: str
    full: str
    empty: str
    dash: str
    between: str  # parts of a sentence
    warning: str


BLOCKS = Glyphs("▁▂▃▄▅▆▇█", "█", "░", "─", "·", "▲")
ASCII = Glyphs(".:-=+*%#", "#", ".", "-", "|", "!")


def glyphs_for(encoding: str | None) -> Glyphs:
    """Blocks where the encoding has them, else ASCII."""
    try:
        "".join((BLOCKS.levels, BLOCKS.empty, BLOCKS.dash, BLOCKS.between, BLOCKS.warning)).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return BLOCKS


def bar(done: float, width: int, glyphs: Glyphs) -> str:
    """A bar of `width` cells, the share `done` of it full; only all fills it whole."""
    n_full = min(width, int(done * width)) if done > 0 else 0
    return glyphs.full * n_full + glyphs.empty * (width - n_full)


def columns(values: Sequence[float], rows: int, top: float, glyphs: Glyphs) -> list[str]:
    """One character column a value, `rows` high, the first row the highest; `top` fills a column.

    A value that is not zero shows at least the least mark, so that "little" never reads as "none".
    """
    ramp, n_levels = " " + glyphs.levels, len(glyphs.levels)
    steps = rows * n_levels
    heights = [0 if value <= 0 or top <= 0 else min(steps, ceil(value / top * steps)) for value in values]
    lines = []
    for floor in range(steps - n_levels, -1, -n_levels):
        full = floor + n_levels
        cells = [0 if height <= floor else (n_levels if height >= full else height - floor) for height in heights]
        lines.append("".join([ramp[cell] for cell in cells]))
    return lines
