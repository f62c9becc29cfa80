"""The priority of processes that must be on time: raised where the system permits it.

On a busy machine a generator that waits for a core sends late, and an emulated endpoint that waits answers late.
Why by niceness, and for which processes: docs/decisions/0023-priority.md.
"""

import os
from contextlib import suppress

_ORDINARY, _RAISED = 0, -10


def raise_priority() -> None:
    """Let this process go before ordinary ones; called in its main thread, before it has others: on Linux a thread
    inherits its creator's priority and no other is changed.

    Nothing changes where the system refuses (mostly: the user is not root), and where somebody chose a priority.
    """
    if niceness() == _ORDINARY:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, _RAISED)


def niceness() -> int | None:
    """Of this thread: below 0 it goes before ordinary ones; None: the system has no such thing (Windows)."""
    return os.getpriority(os.PRIO_PROCESS, 0) if hasattr(os, "getpriority") else None
