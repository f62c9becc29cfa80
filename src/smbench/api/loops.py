"""An event loop of our own: also where the caller's thread has one already."""

import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
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


def waited_for(work: Callable[..., Awaitable[_Result]], *arguments: object) -> _Result:
    """Run an async function on an event loop of its own, and wait for it; see `outside_loops`.

    Raises:
        KeyboardInterrupt: Ctrl-C ended it, in a notebook the stop button; what it had open is closed.
    """
    interrupts = Interrupts()
    outcome: list[_Result] = []
    failure: list[Exception] = []

    async def until_interrupted() -> None:
        async with anyio.create_task_group() as around:
            around.start_soon(_cancel_when_asked, interrupts, around.cancel_scope)
            try:
                outcome.append(await work(*arguments))
            except Exception as error:  # noqa: BLE001  # raised again below, without the group around it
                failure.append(error)
            around.cancel_scope.cancel()

    try:
        outside_loops(lambda: anyio.run(until_interrupted), interrupts)
    except BaseExceptionGroup as group:  # a signal's KeyboardInterrupt is raised wherever Python is, also in a task
        if group.subgroup(KeyboardInterrupt) is None:
            raise
        raise KeyboardInterrupt from group
    if failure:
        raise failure[0]
    if not outcome:
        raise KeyboardInterrupt
    return outcome[0]


async def _cancel_when_asked(interrupts: Interrupts, scope: anyio.CancelScope) -> None:
    await interrupts.wait(1)
    scope.cancel()
