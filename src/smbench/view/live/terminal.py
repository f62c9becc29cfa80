"""The live terminal: one screen, four times a second at most, drawn where nothing is measured."""

import contextlib
import os
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self, TextIO

from rich.live import Live

from smbench.clock import real_ns
from smbench.view.console import PlainTextConsole
from smbench.view.live.charts import glyphs_for
from smbench.view.live.gone import let_go
from smbench.view.live.screen import render
from smbench.view.live.state import LiveState

FRAME_EVERY_NS = 250_000_000


class _Console(PlainTextConsole):
    """A console whose reader may leave: rich would end the process and turn its stdout into nothing."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


class LiveView:
    """Draws on the terminal's other screen, so that the text before it comes back at the end.

    Args:
        stream: A terminal.
        now_ns: Real time, for the pace of the frames.
    """

    def __init__(self, stream: TextIO, *, has_colour: bool = True, now_ns: Callable[[], int] = real_ns) -> None:
        self._stream, self._now_ns, self._next_ns = stream, now_ns, 0
        self._is_gone = False
        self._glyphs = glyphs_for(stream.encoding)
        # Told all, because rich would else take it from the environment: FORCE_COLOR, TTY_INTERACTIVE, JUPYTER_*.
        self._console = _Console(
            file=stream, force_terminal=True, force_interactive=True, force_jupyter=False, no_color=not has_colour
        )
        self._live = Live(
            console=self._console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        )

    def __enter__(self) -> Self:
        with self._unless_gone():
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def show(self, state: LiveState) -> None:
        """Draw, unless the last frame is younger than a quarter of a second. A closed terminal is no error."""
        now_ns = self._now_ns()
        if now_ns < self._next_ns or self._is_gone or not self._live.is_started:
            return
        # A frame that comes late does not delay the next: news and frames have the same pace, and would beat.
        self._next_ns = max(self._next_ns, now_ns - FRAME_EVERY_NS) + FRAME_EVERY_NS
        self._console.size = width, height = self._size()
        with self._unless_gone():
            self._live.update(render(state, width, height, self._glyphs), refresh=True)

    def _size(self) -> tuple[int, int]:
        try:
            width, height = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            return 80, 24
        return width or 80, height or 24  # a pseudo-terminal may not know its size

    def close(self) -> None:
        """Give the terminal back as it was, unless it is gone. May be called again."""
        if not self._is_gone:  # a live screen that went in its first instant could not be stopped, either
            with self._unless_gone():
                self._live.stop()

    @contextlib.contextmanager
    def _unless_gone(self) -> Iterator[None]:
        """One failure is the last: what could not be written is dropped."""
        try:
            yield
        except OSError:
            self._is_gone = True
            let_go(self._stream)
