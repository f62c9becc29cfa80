"""A child of a run: a thread in warp time, else a process; it ends by its parent's order or with its parent, not by
Ctrl-C.

A child imports smbench and nothing of the program that started it, so a plain script needs no `__main__` guard.
"""

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any, Protocol

from smbench.clock import real_ns
from smbench.errors import ExitCode, SmbenchError, out_of_groups, signal_name
from smbench.printable import guard_streams
from smbench.processes.channel import Channel, PipeChannel
from smbench.processes.interrupts import let_polars_in
from smbench.processes.messages import Failed, Message, WorkerOrder, Workplace
from smbench.processes.priority import raise_priority

LEAVE_S = 30.0  # removing a queue on AWS takes its time
_ENDED_S = 1.0  # from the closed channel to the end of the process: milliseconds, and the caller's loop waits meanwhile
_KILLED_S = 5.0  # a thread ends at its next line of Python; one in a call that never returns is left to the process
_PRELOADED = ["smbench.processes.worker", "smbench.emulator.server"]  # a worker in warp time needs both
_one_at_a_time = threading.Lock()  # a start replaces the main module for a moment
_PARENTS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name))
"""Signals that a terminal sends to the whole group: what they mean for a run, the parent decides."""


class Process(Protocol):
    """What a child runs in: a process of this machine, or what takes its place elsewhere."""

    @property
    def exitcode(self) -> int | None:
        """None while it runs; minus the signal that ended it."""

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end, so many seconds at most."""

    def is_alive(self) -> bool:
        """Whether it runs."""

    def kill(self) -> None:
        """End it at once."""


@dataclass(slots=True)
class Child:
    """A running child and our end of its channel. `name` is what it is, "emulator", and which: "worker 1"."""

    name: str
    process: Process
    channel: Channel

    async def receive(self) -> Message | None:
        """The next message; None when the child has ended."""
        return await self.channel.receive()

    def tell(self, message: Message) -> None:
        """Send; to a child that has ended nothing is sent, and `receive` shows its end."""
        self.channel.send(message)

    def how_it_ended(self) -> str:
        """In words, of a child whose channel is closed; one that lives on all the same is not waited for."""
        self.process.join(_ENDED_S)
        code = self.process.exitcode
        if code is None:
            return f"{self._called} closed its channel without a word, and still runs"
        if code < 0:
            return f"{self._called} was killed by signal {signal_name(-code)}"
        return f"{self._called} ended with exit code {code}"

    @property
    def _called(self) -> str:
        return self.name if self.name[-1].isdigit() else f"the {self.name}"

    def kill(self) -> None:
        """End it at once; `receive` shows that it has ended."""
        self.process.kill()

    def leave(self, within_s: float = LEAVE_S) -> None:
        """Close the channel, at which a child that still works ends; wait for it a while, then end it."""
        leave_all([self], within_s)


def leave_all(children: Sequence[Child], within_s: float = LEAVE_S) -> None:
    """Leave them together: they end side by side, and the longest wait is that of one."""
    for child in children:
        child.channel.close()
    give_up_ns = real_ns() + round(within_s * 1e9)
    for child in children:
        child.process.join(max(0, give_up_ns - real_ns()) / 1e9)
        if child.process.is_alive():
            child.process.kill()
            child.process.join()


class StartChild(Protocol):
    """A way to start `main(channel, *arguments)` in a new process. May be called in any thread."""

    def __call__(self, name: str, main: Callable[..., None], *arguments: Any) -> Child: ...


def start_child(name: str, main: Callable[..., None], *arguments: Any) -> Child:
    """Start a process that imports everything anew. It keeps real time, so its priority is raised where it may be."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(main, theirs, arguments), name=f"smbench-{name}")
    child = _started(name, process, ours, theirs)
    if process.pid is not None:
        raise_priority(process.pid)
    return child


def start_forked(name: str, main: Callable[..., None], *arguments: Any) -> Child:
    """Start a process by a fork of one that imported the worker before: for many runs one after another.

    Where the system knows no fork, as `start_child`.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return start_child(name, main, *arguments)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    ours, theirs = context.Pipe()
    whole = (dict(os.environ), main, theirs, arguments)
    process = context.Process(target=_run_with, args=whole, name=f"smbench-{name}")
    return _started(name, process, ours, theirs)


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
    """Start `main(channel, *arguments)` in a thread of this process, which does not outlive it.

    For a worker in warp time, which keeps no real time and so needs no core alone: it begins at once, where a process
    imports for a second everything that its parent has imported before.
    """
    ours, theirs = multiprocessing.Pipe()

    def live() -> None:
        channel = PipeChannel(theirs)
        answer_for(channel, main, arguments)
        channel.close()

    thread = threading.Thread(target=live, name=f"smbench-{name}", daemon=True)
    child = Child(name, ThreadProcess(thread), PipeChannel(ours))
    thread.start()
    return child


def _started(name: str, process: BaseProcess, ours: Connection, theirs: Connection) -> Child:
    with theirs:
        try:
            with _one_at_a_time, _signals_held_back(), no_main_module():
                process.start()
        except BaseException:  # whatever it is: there is no child that would need the line; it goes on up
            ours.close()
            raise
    return Child(name, process, PipeChannel(ours))


@contextlib.contextmanager
def _signals_held_back() -> Iterator[None]:
    """A blocked signal stays blocked in the new process, so a Ctrl-C during its start does not end it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # its own start would unblock SIGINT
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _PARENTS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def no_main_module() -> Iterator[None]:
    """Spawn would import the calling program again in the child, and a script without a guard would run twice."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def worker_main(channel: Channel, order: WorkerOrder, workplace: Workplace) -> None:
    """Run one share to its end; every way out but a kill says so through the channel."""
    from smbench.processes.worker import work_ordered  # in the child alone: the parent needs no AWS clients

    work_ordered(channel, order, workplace)


def emulator_main(channel: Channel, scenario_json: str, workplace: Workplace, epoch_ns: int) -> None:
    """Serve until the parent asks for the truth, or has ended.

    Args:
        epoch_ns: UTC nanoseconds at scenario time zero.
    """
    from smbench.processes.endpoint import serve  # in the child alone: the parent needs no emulator

    serve(channel, scenario_json, workplace, epoch_ns)


def _run_with(
    environment: dict[str, str], main: Callable[..., None], connection: Connection, arguments: tuple[Any, ...]
) -> None:
    """What forks has the environment of when it was started itself: region and credentials may have changed since."""
    os.environ.clear()
    os.environ.update(environment)
    _run(main, connection, arguments)


def _run(main: Callable[..., None], connection: Connection, arguments: tuple[Any, ...]) -> None:
    guard_streams()
    let_polars_in()
    for number in _PARENTS:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _PARENTS)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if not answer_for(PipeChannel(connection), main, arguments):
        sys.exit(1)


def answer_for(channel: Channel, main: Callable[..., None], arguments: tuple[Any, ...]) -> bool:
    """Do what a child does; False where it ended in an error, which its parent then has been sent."""
    try:
        main(channel, *arguments)
    except BaseException as error:  # noqa: BLE001  # the last line of a child: whatever it is, the parent must know
        channel.send(as_failed(error))
        return False
    return True


def as_failed(error: BaseException) -> Failed:
    """What ended a child, as its parent should know it."""
    first = out_of_groups(error)
    if isinstance(first, SmbenchError):
        return Failed(first.message, first.advice, ExitCode(first.exit_code))
    if isinstance(first, MemoryError):
        return Failed(
            "a process of the run has no memory left", "use a machine with more, or send less", ExitCode.MACHINE
        )
    text = "".join(traceback.format_exception(error))
    return Failed(f"{type(first).__name__}: {first}", "this is a bug in smbench", ExitCode.BUG, text)
