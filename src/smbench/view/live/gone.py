"""Output to a terminal or reader that has closed: it must not fail again when the interpreter ends."""

import contextlib
import os
from typing import TextIO


def let_go(stream: TextIO) -> None:
    """Drop what a stream still holds where it cannot be written any more; later texts are dropped as well.

    Left in the stream's buffer it would make Python end the process with status 120 in place of the run's own.
    """
    with contextlib.suppress(OSError, ValueError):  # a stream without a descriptor holds nothing back
        try:
            stream.flush()  # its descriptor may have another end by now
        except OSError:
            null = os.open(os.devnull, os.O_WRONLY)
            try:
                os.dup2(null, stream.fileno())
            finally:
                os.close(null)
            stream.flush()
