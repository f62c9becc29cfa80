"""What every page is made of: pictures and a report's blocks, written by a template, cleaned of secrets."""

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from smbench.printable import printable
from smbench.results.secrets import redacted
from smbench.view.page.pictures import Picture, inline_svg, spec_of
from smbench.view.page.vega import Vega
from smbench.view.sections.blocks import Block, Equations, Figures, Missing, Remarks, Sentence, Table

WIDE, NARROW = 800, 250  # of the plotting areas, CSS pixels: a page of 900, and one of 360 less axes and margins


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture of a page at two widths, each drawn in another process until it is needed."""

    picture: Picture
    drawn_wide: Future[str]
    drawn_narrow: Future[str]

    @property
    def wide(self) -> Markup:
        """For a wide window, as inline SVG; waits until it is drawn."""
        return self._inline(self.drawn_wide, "w")

    @property
    def narrow(self) -> Markup:
        """For a narrow window, as inline SVG; waits until it is drawn."""
        return self._inline(self.drawn_narrow, "n")

    def _inline(self, drawn: Future[str], suffix: str) -> Markup:
        # vl-convert escapes what it draws, and the title and text are escaped beside it.
        return Markup(inline_svg(self.picture, drawn.result(), suffix))


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a page: pictures and a section's blocks in the order in which they are read."""

    anchor: str
    title: str
    blocks: tuple[Block | Drawing, ...]


def drawn(picture: Picture | None, vega: Vega) -> Drawing | None:
    """The picture at both widths; None for none."""
    if picture is None:
        return None
    return Drawing(picture, *(vega.svg(spec_of(picture, width)) for width in (WIDE, NARROW)))


def _kind(block: Block | Drawing) -> str:
    """Which macro of the template draws it."""
    match block:
        case Drawing():
            return "drawing"
        case Table():
            return "table"
        case Figures():
            return "figures"
        case Remarks():
            return "remarks"
        case Equations():
            return "equations"
        case Missing():
            return "missing"
        case Sentence():
            return "sentence"


def _as_printable(value: Any) -> Any:
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def written(template: str, **told: Any) -> str:
    """The whole HTML document."""
    environment = Environment(
        loader=PackageLoader("smbench.view.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_as_printable,
    )
    document = environment.get_template(template).render(**told, kind=_kind)
    # Of all texts in it an error's might hold a signed address: the page is what people pass on.
    clean: str = redacted(document)
    return clean
