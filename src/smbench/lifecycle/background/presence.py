"""How a run of the command line is there for others: entered in the registry, served, and able to lose its terminal."""

import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from smbench.errors import ExitCode, ResultsError, SmbenchError
from smbench.held_folder import HeldFolder
from smbench.lifecycle.background.leaving import OUTPUT, Leaving
from smbench.lifecycle.background.registry import Entry, registry_place
from smbench.lifecycle.background.serving import Server
from smbench.printable import guard_streams
from smbench.processes.interrupts import Interrupts
from smbench.view.live.state import LiveState

_SOCKET_BYTES_MAX = 100  # of its path; Linux takes 107, macOS 103


class Presence:
    """One run, from its folder's making to the end of its process. To be entered: a `with` block.

    A terminal that goes away ends nothing: from then on the output goes to a file in the run's folder. SIGHUP says so,
    or the terminal itself where no signal comes.

    Args:
        leaving: Of a run that is to go on without the command that started it; None: it stays.
    """

    def __init__(self, leaving: Leaving | None = None) -> None:
        self._leaving = leaving
        self._folder: Path | None = None
        self._entry: Entry | None = None
        self._socket_folder: HeldFolder | None = None
        self._hang_up_before: signal._HANDLER = None
        self._on_terminal: list[str] = []  # of our streams, those that would be lost with it
        self._has_begun = self._has_ended = self._has_lost_terminal = False

    def __enter__(self) -> Self:
        streams = {name: getattr(sys, name) for name in ("stdout", "stderr")}
        self._on_terminal = [name for name, stream in streams.items() if stream is not None and stream.isatty()]
        if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under `nohup`
            self._hang_up_before = signal.signal(signal.SIGHUP, self._lose_terminal)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is not None and not self._has_ended:
            self.ended(_status_of(error))
        if self._entry is not None:
            self._entry.close()
        if self._hang_up_before is not None:
            signal.signal(signal.SIGHUP, self._hang_up_before)

    def opened(self, folder: Path, scenario: str) -> None:
        """The run has a folder.

        Raises:
            ResultsError: it is to go on without a terminal, and could not be found again or could not write.
        """
        self._folder = folder
        if sys.platform == "win32":
            return
        if self._leaving is not None:
            self._leaving.output_to(folder.resolve())
        elif self._has_lost_terminal:
            self._write_to_file()
        try:
            self._socket_folder = _socket_folder()
            self._entry = Entry.make(registry_place(), folder, scenario, self._socket)
        except (OSError, ResultsError) as error:
            self._remove_socket_folder()
            if self._leaving is None:  # it can be watched here
                return
            if isinstance(error, ResultsError):
                raise
            raise ResultsError(f"could not make the socket for `smbench attach`: {error.strerror or error}") from error

    def begun(self) -> None:
        """The run has found its target, and is about to send."""
        self._has_begun = True
        if self._leaving is not None:
            self._leaving.let_go()

    @contextlib.asynccontextmanager
    async def served(self, state: LiveState, interrupts: Interrupts) -> AsyncIterator[None]:
        """While the block lasts the run can be watched and stopped."""
        if self._entry is None:
            yield
            return
        try:
            async with Server(state, interrupts).at(self._socket):
                yield
        finally:
            self._remove_socket_folder()

    def withdrawn(self) -> None:
        """The run ended by an error; one that never began leaves nothing."""
        if self._has_begun:
            return
        if self._leaving is not None:
            self._leaving.come_back()
        if self._folder is not None:
            with contextlib.suppress(OSError):  # a folder that cannot be written any more: why the run ended is said
                (self._folder / OUTPUT).unlink(missing_ok=True)
        if self._entry is not None:
            self._entry.remove()
            self._entry = None

    def ended(self, status: ExitCode) -> None:
        """Note what the process will exit with; what it prints after this must have a reader."""
        self._has_ended = True
        if self._leaving is None and not self._has_lost_terminal and any(map(_is_lost, self._on_terminal)):
            self._has_lost_terminal = True
            self._write_to_file()
        if self._entry is not None:
            self._entry.ended(status)

    @property
    def _socket(self) -> str:
        return "" if self._socket_folder is None else str(self._socket_folder.path / "run")

    def _remove_socket_folder(self) -> None:
        if self._socket_folder is not None:
            self._socket_folder.remove()

    def _lose_terminal(self, _number: int, _frame: FrameType | None) -> None:
        self._has_lost_terminal = True
        if self._leaving is None:
            self._write_to_file()

    def _write_to_file(self) -> None:
        """What still goes to the terminal has no reader; what draws there keeps its own stream, which fails."""
        path = os.devnull if self._folder is None else self._folder / OUTPUT
        for name in self._on_terminal:
            with contextlib.suppress(OSError):
                setattr(sys, name, open(path, "a", encoding="utf-8"))  # noqa: SIM115  # until the process ends
        guard_streams()


def _is_lost(name: str) -> bool:
    """Whether the terminal of this stream, which it had at the start, has gone."""
    stream = getattr(sys, name)
    try:
        return not stream.isatty()
    except ValueError:  # closed, because it could not be written
        return True


def _socket_folder() -> HeldFolder:
    """A new folder, with a path short enough for a socket's."""
    usual = tempfile.gettempdir()
    return HeldFolder.make("run", Path(usual if len(usual) < _SOCKET_BYTES_MAX - 32 else "/tmp"))


def _status_of(error: BaseException) -> ExitCode:
    if isinstance(error, SmbenchError):
        return ExitCode(error.exit_code)
    return ExitCode.INTERRUPTED if isinstance(error, KeyboardInterrupt) else ExitCode.BUG
