"""A picture and its forms: what it shows in words; SVG for a page, SVG or PNG for a file, at any width.

Drawn once by vl-convert, which brings Vega along: a page needs no script and no network (docs/decisions/0016).
"""

import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import vl_convert

from smbench.view.page.spec import Spec
from smbench.view.page.theme import CONFIG

FILE_WIDTH = 760  # of the plotting area, CSS pixels
_PNG_SCALE = 2.0
_TITLE_CHARACTERS = 92  # a line of a title above a plot of that width

# What Vega says of every mark to screen readers: hundreds of unnamed shapes. The picture is one image with a text.
_ARIA = re.compile(r' (?:aria-[a-z]+|role)="[^"]*"')
_NAMESPACES = re.compile(r' xmlns(?::xlink)?="[^"]*"')
_ID = re.compile(r'\bid="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Picture:
    """One plot.

    Args:
        name: Of its file, and its anchor on a page.
        title: What it found, as a sentence.
        text: The same for who cannot see it: what is drawn against what, and the figures to take away.
        draw: From the plotting area's width in CSS pixels to the whole, without a title and a `config`.
    """

    name: str
    title: str
    text: str
    draw: Callable[[int], Spec]


def inline_svg(picture: Picture, svg: str, suffix: str) -> str:
    """An SVG element for a page, which shows the title itself.

    Args:
        svg: As Vega drew it.
        suffix: Makes the ids of two renderings of one picture on one page differ.
    """
    svg = _NAMESPACES.sub("", _ARIA.sub("", svg))
    own = f"{picture.name}-{suffix}"
    for identity in _ID.findall(svg):
        svg = svg.replace(f'id="{identity}"', f'id="{own}-{identity}"').replace(
            f"url(#{identity})", f"url(#{own}-{identity})"
        )
    opening, rest = svg.split(">", 1)
    named = f'{opening} role="img" aria-labelledby="{own}-title {own}-desc">'
    title, text = escape(picture.title), escape(picture.text)
    return f'{named}<title id="{own}-title">{title}</title><desc id="{own}-desc">{text}</desc>{rest}'


def to_svg(picture: Picture) -> str:
    """A whole SVG file, its title in it."""
    svg = vl_convert.vegalite_to_svg(_titled(picture))
    opening, rest = svg.split(">", 1)
    return f"{opening}><title>{escape(picture.title)}</title><desc>{escape(picture.text)}</desc>{rest}"


def to_png(picture: Picture) -> bytes:
    """A PNG file, its title in it, two pixels for one."""
    png: bytes = vl_convert.vegalite_to_png(_titled(picture), scale=_PNG_SCALE)
    return png


def spec_of(picture: Picture, width: int) -> Spec:
    """The picture at a width, looking as all do."""
    return picture.draw(width) | {"config": CONFIG}


def _titled(picture: Picture) -> Spec:
    lines = textwrap.wrap(picture.title, _TITLE_CHARACTERS)
    title = {"text": lines, "anchor": "start", "fontSize": 15, "offset": 12}
    return spec_of(picture, FILE_WIDTH) | {"title": title}
