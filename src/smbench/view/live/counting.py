"""How far a calculation has come: on stderr, once it takes more than a second."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

from smbench.printable import unguarded

_QUIET_S = 1.0
_EVERY_S = {True: 0.2, False: 5.0}  # on a terminal one line is written again and again, elsewhere a line each time


class Counting:
    """Shows one calculation, which may have several parts one after another; the second it may take is theirs together.

    Use it as a context, so that what was on the line is removed at the end.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._out = unguarded(sys.stderr if stream is None else stream)
        self._is_terminal = self._out.isatty()
        self._begun_s = self._last_s = time.monotonic()
        self._width = 0

    def __enter__(self) -> "Counting":
        return self

    def __exit__(self, *_failure: object) -> None:
        if self._is_terminal and self._width:
            self._out.write(f"\r{' ' * self._width}\r")
            self._out.flush()

    def __call__(self, what: str) -> Callable[[int, int], None]:
        """A watcher of one part: call it with how many are done, and of how many."""

        def watch(n_done: int, n_all: int) -> None:
            now_s = time.monotonic()
            if now_s - self._begun_s < _QUIET_S or now_s - self._last_s < _EVERY_S[self._is_terminal]:
                return
            self._last_s = now_s
            text = f"{what}: {min(1.0, n_done / max(1, n_all)):.0%}"
            if self._is_terminal:
                self._out.write(f"\r{text:<{self._width}}")
                self._width = max(self._width, len(text))
            else:
                self._out.write(f"{text}\n")
            self._out.flush()

        return watch
