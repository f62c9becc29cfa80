"""An event loop of our own, also where the caller's thread has one already."""

import threading
from collections.abc import Callable
from typing import TypeVar

import anyio.lowlevel

from smbench.processes.interrupts import Interrupts

_Result = TypeVar("_Result")


def outside_loops(call: Callable[[], _Result], interrupts: Interrupts) -> _Result:
    """Call a function that runs an event loop of its own; in another thread where one runs in this already.

    Args:
        interrupts: Receives the signals of this thread while it waits for the other.
    """
    try:
        anyio.lowlevel.current_token()
    except RuntimeError:
        return call()
    outcome: list[_Result] = []
    failure: list[BaseException] = []

    def kept() -> None:
        try:
            outcome.append(call())
        except BaseException as error:  # noqa: BLE001  # raised again below, in the thread that asked
            failure.append(error)

    thread = threading.Thread(target=kept, name="smbench-run")
    with interrupts.from_signals():
        thread.start()
        thread.join()
    if failure:
        raise failure[0]
    return outcome[0]
