"""A child process of a run: started by spawn, deaf to Ctrl-C (the parent decides), gone when the parent is gone."""

import contextlib
import multiprocessing
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

from smbench.clock import real_ns
from smbench.errors import ExitCode, SmbenchError
from smbench.printable import guard_streams
from smbench.processes.messages import Failed, Message, receive

_LEAVE_S = 30.0  # removing a queue on AWS takes its time
_GONE_S = 1.0  # from hanging up to the end of the process: milliseconds, and the caller's loop stands still meanwhile


@dataclass(slots=True)
class Child:
    """A running child and our end of its pipe. `name` is what it is, "emulator", and which: "worker 1"."""

    name: str
    process: SpawnProcess
    pipe: Connection

    async def receive(self) -> Message | None:
        """The next message; None when the child is gone."""
        return await receive(self.pipe)

    def tell(self, message: Message) -> None:
        """Send; a child that is gone hears nothing, and its end is seen by `receive`."""
        try:
            self.pipe.send(message)
        except OSError:
            return

    def how_it_ended(self) -> str:
        """In words, of a child that has hung up; one that lives on all the same is not waited for."""
        self.process.join(_GONE_S)
        code = self.process.exitcode
        if code is None:
            return f"{self._called} hung up without a word, and is still there"
        if code < 0:
            return f"{self._called} was killed by signal {signal.Signals(-code).name}"
        return f"{self._called} ended with exit code {code}"

    @property
    def _called(self) -> str:
        return self.name if self.name[-1].isdigit() else f"the {self.name}"

    def leave(self) -> None:
        """Hang up, which tells a child that still works to close its books; wait for its end a while, then end it."""
        leave_all([self])


def leave_all(children: Sequence[Child]) -> None:
    """Leave them together: they close their books side by side, and the longest wait is that of one."""
    for child in children:
        child.pipe.close()
    give_up_ns = real_ns() + round(_LEAVE_S * 1e9)
    for child in children:
        child.process.join(max(0, give_up_ns - real_ns()) / 1e9)
        if child.process.is_alive():
            child.process.kill()
            child.process.join()


def start_child(name: str, main: Callable[..., None], *arguments: Any) -> Child:
    """Start `main(pipe, *arguments)` in a new process."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(main, theirs, arguments), name=f"smbench-{name}")
    # Ignored signals stay ignored in the new process, so a Ctrl-C during its start is not its own.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process.start()
    finally:
        signal.signal(signal.SIGINT, before)
    theirs.close()
    return Child(name, process, ours)


def _run(main: Callable[..., None], pipe: Connection, arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    guard_streams()
    try:
        main(pipe, *arguments)
    except BaseException as error:  # noqa: BLE001  # the last line of a process: whatever it is, the parent must hear it
        with contextlib.suppress(OSError):  # the parent may be gone
            pipe.send(_as_failed(error))
        sys.exit(1)


def sole_error(error: BaseException) -> BaseException:
    """What stands inside groups of one: task groups wrap whatever ends them."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _as_failed(error: BaseException) -> Failed:
    error = sole_error(error)
    if isinstance(error, SmbenchError):
        return Failed(error.message, error.advice, ExitCode(error.exit_code))
    text = "".join(traceback.format_exception(error))
    return Failed(f"{type(error).__name__}: {error}", "this is a bug in smbench", ExitCode.BUG, text)
