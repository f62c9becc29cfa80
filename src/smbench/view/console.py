"""The consoles that tables and screens are printed on: a text is printed as it is, whatever it looks like.

Rich takes `[red]` in a name for a colour, `[/b]` for an error and `:smile:` for a picture. Here none of it has a
meaning: styles are given as styles.
"""

import io
from collections.abc import Iterable
from typing import Any, TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from smbench.printable import printable


class PlainTextConsole(Console):
    """A console without markup, emoji and highlighting, to which no control character passes but its own."""

    def __init__(self, **settings: Any) -> None:
        # In a notebook's kernel rich would show what is printed below the cell, and write nothing to `file`.
        plain = {"markup": False, "emoji": False, "highlight": False, "force_jupyter": False}
        super().__init__(**plain | settings)

    def render_str(self, text: str, **settings: Any) -> Text:
        return super().render_str(printable(text), **settings)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            text = segment.text if segment.control else printable(segment.text)
            yield segment if text == segment.text else Segment(text, segment.style)


class WithoutPadding(io.TextIOBase):
    """A text stream that leaves out the blanks with which tables fill their lines, for files and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._line = stream, ""

    def write(self, text: str) -> int:
        *whole, self._line = (self._line + text).split("\n")
        self._stream.write("".join(f"{line.rstrip(' ')}\n" for line in whole))
        return len(text)

    def flush(self) -> None:
        """Write what has no line end yet, too."""
        self._stream.write(self._line)
        self._line = ""
        self._stream.flush()
