"""What every page is made of: sections of tables, pictures and sentences, written by a template, cleaned of secrets."""

from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from smbench.results.secrets import redacted
from smbench.view.page.pictures import Picture, to_inline_svg
from smbench.view.page.tables import Table

WIDE, NARROW = 800, 250  # of the plotting areas, CSS pixels: a page of 900, and one of 360 less axes and margins


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture as it stands in a page."""

    name: str
    title: str
    text: str
    wide: Markup
    narrow: Markup


Block = Table | Figure | str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page: tables, figures and sentences in the order in which they are read."""

    anchor: str
    title: str
    blocks: tuple[Block, ...]


def drawn(picture: Picture | None) -> Figure | None:
    """The picture at both widths; None for none."""
    if picture is None:
        return None
    # vl-convert escapes what it draws, and the title and text are escaped beside it.
    wide, narrow = (Markup(to_inline_svg(picture, width, name)) for width, name in ((WIDE, "w"), (NARROW, "n")))
    return Figure(picture.name, picture.title, picture.text, wide, narrow)


def written(template: str, **told: Any) -> str:
    """The whole HTML document."""
    environment = Environment(
        loader=PackageLoader("smbench.view"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    document = environment.get_template(template).render(
        **told, is_figure=lambda block: isinstance(block, Figure), is_table=lambda block: isinstance(block, Table)
    )
    # Of all texts in it an error's might hold a signed address: the page is what people pass on.
    clean: str = redacted(document)
    return clean
