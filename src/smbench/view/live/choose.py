"""Which view a run gets: the live screen only where there is a terminal that can show it and a person who looks."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Protocol, Self, TextIO

from smbench.clock import real_ns
from smbench.printable import unguarded
from smbench.view.live.plain_lines import PlainView
from smbench.view.live.state import LiveState
from smbench.view.live.terminal import LiveView


class View(Protocol):
    """Shows a run. `show` is cheap, may be called at any pace, and never fails for want of a reader."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...

    def show(self, state: LiveState) -> None:
        """Draw the state, or part of it, where it is time to."""

    def close(self) -> None:
        """Draw no more, and give the terminal back as it was."""


class NoView:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def show(self, state: LiveState) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def choose_view(ui: str, stream: TextIO, environ: Mapping[str, str], *, now_ns: Callable[[], int] = real_ns) -> View:
    """The view for `--ui` (auto, full, plain, none) on this stream.

    `auto` is plain without a terminal, in CI, with NO_COLOR and with TERM=dumb. `full` overrides CI and NO_COLOR
    (there the screen has no colour), but not a stream that cannot move a cursor. FORCE_COLOR changes nothing: a pipe
    never gets control codes. `now_ns` is real time, for the pace.
    """
    if ui == "none":
        return NoView()
    can_redraw = stream.isatty() and environ.get("TERM", "").lower() not in ("dumb", "unknown")
    wants_colour = not environ.get("NO_COLOR")
    is_watched = not _is_set(environ, "CI")
    if can_redraw and (ui == "full" or (ui == "auto" and wants_colour and is_watched)):
        return LiveView(unguarded(stream), has_colour=wants_colour, now_ns=now_ns)
    return PlainView(stream, now_ns=now_ns)


def _is_set(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").lower() not in ("", "0", "false", "no")
