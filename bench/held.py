"""What a process of a run holds, looked at once a second from a thread: memory, descriptors, tasks, threads.

Seconds are those of the machine's monotonic clock, the same in all processes.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from smbench.generator.vitals import resident_bytes
from smbench.processes.channel import Channel
from smbench.processes.child import Child, start_child

_EVERY_S = 1.0


def observed_start(folder: Path) -> Callable[..., Child]:
    """A `StartChild` whose processes write what they hold into a file each in this folder."""

    def start(name: str, main: Callable[..., None], *arguments: Any) -> Child:
        return start_child(name, _observed, main, folder / f"{name}.txt", *arguments)

    return start


def _observed(channel: Channel, main: Callable[..., None], file: Path, *arguments: Any) -> None:
    observe(file)
    main(channel, *arguments)


def observe(file: Path) -> None:
    """Begin to write what this process holds: a line of second, bytes, descriptors, tasks and threads."""
    threading.Thread(target=_observe, args=(file,), daemon=True).start()


def _observe(file: Path) -> None:
    with file.open("w", buffering=1) as lines:
        while True:
            n_descriptors = len(os.listdir("/proc/self/fd"))
            values = (time.monotonic(), resident_bytes(), n_descriptors, _tasks(), threading.active_count())
            lines.write(" ".join(f"{value:.1f}" for value in values) + "\n")
            time.sleep(_EVERY_S)


def _tasks() -> int:
    """Of all loops of this process. The loop may change its set meanwhile; then the look is repeated."""
    known: Any = getattr(asyncio.tasks, "_all_tasks", None) or getattr(
        asyncio.tasks, "_scheduled_tasks", ()
    )  # from 3.12 on
    for _ in range(1000):
        try:
            return sum(not task.done() for task in list(known))
        except RuntimeError:
            continue
    return 0
