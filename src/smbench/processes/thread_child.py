"""A child as a thread of its parent: for a worker in warp time, which keeps no real time and so needs no core alone.

It begins at once, where a process imports for a second everything that its parent has imported before.
"""

import ctypes
import threading
from collections.abc import Callable
from multiprocessing import Pipe
from typing import Any

from smbench.processes.channel import PipeChannel
from smbench.processes.child import Child, as_failed

_KILLED_S = 5.0  # a thread ends at its next line of Python; one in a call that never returns is left to the process


class ThreadProcess:
    """A thread, as what a child runs in; see `processes.child.Process`.

    Args:
        thread: Not started yet.
    """

    def __init__(self, thread: threading.Thread) -> None:
        self._thread, self._is_killed = thread, False

    @property
    def exitcode(self) -> int | None:
        """None while it runs."""
        return None if self._thread.is_alive() else int(self._is_killed)

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end, so many seconds at most; of one that was killed five seconds at most."""
        self._thread.join(_KILLED_S if timeout is None and self._is_killed else timeout)

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._thread.is_alive()

    def kill(self) -> None:
        """End it at its next line of Python."""
        self._is_killed = True
        if self._thread.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread.ident), ctypes.py_object(SystemExit))


def start_thread(name: str, main: Callable[..., None], *arguments: Any) -> Child:
    """Start `main(channel, *arguments)` in a thread of this process, which does not outlive it."""
    ours, theirs = Pipe()

    def live() -> None:
        channel = PipeChannel(theirs)
        try:
            main(channel, *arguments)
        except BaseException as error:  # noqa: BLE001  # the last line of a child: whatever it is, the parent must know
            channel.send(as_failed(error))
        finally:
            channel.close()

    thread = threading.Thread(target=live, name=f"smbench-{name}", daemon=True)
    child = Child(name, ThreadProcess(thread), PipeChannel(ours))
    thread.start()
    return child
