"""The priority of processes that must be on time: raised where the system permits it.

On a busy machine a generator that waits for a core sends late, and an emulated endpoint that waits answers late.
Why by niceness, and for which processes: docs/decisions/0023-priority.md.
"""

import os
from contextlib import suppress

_ORDINARY, _RAISED = 0, -10


def raise_priority(pid: int) -> None:
    """Let a process that was just started go before ordinary ones.

    At once, because Linux changes its first thread alone, from which those to come inherit; a library's thread of
    ordinary priority keeps the others waiting. Nothing changes where the system refuses (mostly: the
    user is not root), and where somebody chose a priority.
    """
    if niceness(pid) == _ORDINARY:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, _RAISED)


def niceness(pid: int = 0) -> int | None:
    """Of a process, 0 is this one: below 0 it goes before ordinary ones; None: it has none (it ended, or Windows)."""
    try:
        return os.getpriority(os.PRIO_PROCESS, pid) if hasattr(os, "getpriority") else None
    except OSError:
        return None
