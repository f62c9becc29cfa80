"""How far the reading of a large file has come: on stderr, once it takes more than a second."""

import sys
import time
from pathlib import Path
from typing import TextIO

from smbench.printable import printable, unguarded
from smbench.tables.opening import Watch

_QUIET_S = 1.0
_EVERY_S = {True: 0.2, False: 2.0}  # on a terminal one line is written again and again, elsewhere a line each time


def reading_progress(stream: TextIO | None = None) -> Watch:
    """A watcher for one command; each file is named when it is begun."""
    out = unguarded(sys.stderr if stream is None else stream)  # its own carriage returns are meant
    is_terminal = out.isatty()
    begun: dict[Path, float] = {}
    over: set[Path] = set()
    last_s = 0.0

    def watch(path: Path, n_read: int, n_all: int) -> None:
        nonlocal last_s
        now_s = time.monotonic()
        is_over = n_read >= n_all
        if (
            path in over
            or now_s - begun.setdefault(path, now_s) < _QUIET_S
            or (now_s - last_s < _EVERY_S[is_terminal] and not is_over)
        ):
            return
        last_s = now_s
        if is_over:
            over.add(path)
        text = f"reading {printable(path.name)}: {min(1.0, n_read / max(1, n_all)):.0%}"
        out.write(f"\r{text}" + ("\n" if is_over else "") if is_terminal else f"{text}\n")
        out.flush()

    return watch
