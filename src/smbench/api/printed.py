"""A result that a script prints and a notebook shows: the same lines as the command line's."""

import html
import io
from abc import ABC, abstractmethod

from rich.console import RenderableType

from smbench.view.console import PlainTextConsole

_COLUMNS = 100


class Printed(ABC):
    """What prints itself as the command line prints it."""

    @abstractmethod
    def to_text(self) -> RenderableType:
        """What `rich` prints."""

    def __str__(self) -> str:
        """As text of 100 columns, without colours and without blanks at the ends of lines."""
        text = io.StringIO()
        PlainTextConsole(file=text, width=_COLUMNS, color_system=None).print(self.to_text())
        return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())

    def _repr_html_(self) -> str:
        """For a notebook: the same lines, their columns kept."""
        return f'<pre style="line-height:1.2;overflow-x:auto">{html.escape(str(self))}</pre>'
