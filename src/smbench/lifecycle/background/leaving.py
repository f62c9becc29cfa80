"""A run without a terminal: how it leaves the one that started it, and where its output goes from then on.

`run --detach` forks before anything heavy is imported. The command in the foreground waits until the run has begun, or
ends as the run did that could not begin; what is said until then is said there.
"""

import contextlib
import os
import select
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from smbench.errors import ExitCode, ResultsError, signal_name

OUTPUT = "output.log"  # in the run's folder
_LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Foreground:
    """What the command that stays behind knows when it may end.

    Args:
        folder: Of the run that goes on; None: it could not begin, and has said why.
        status: To end with.
    """

    folder: Path | None
    status: int


class Leaving:
    """The side of the run that goes on.

    Args:
        pipe: To the command in the foreground.
    """

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._before: tuple[int, int] | None = None  # where stdout and stderr went

    def output_to(self, folder: Path) -> None:
        """From now on stdout and stderr, those of processes that are started too, go to a file in the run's folder.

        Raises:
            ResultsError: it cannot be made.
        """
        path = folder / OUTPUT
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise ResultsError(f"cannot write {path}: {error.strerror or error}") from error
        _flush()
        self._before = os.dup(1), os.dup(2)
        os.dup2(file, 1)
        os.dup2(file, 2)
        os.close(file)
        self._say("opened", folder)

    def let_go(self) -> None:
        """The run has begun: the command in the foreground may end."""
        self._say("begun")
        os.close(self._pipe)
        for descriptor in self._before or ():
            os.close(descriptor)
        self._before = None

    def come_back(self) -> None:
        """The run could not begin: why is said in the foreground."""
        _flush()
        for number, descriptor in enumerate(self._before or (), 1):
            os.dup2(descriptor, number)

    def _say(self, word: str, folder: Path | None = None) -> None:
        """The only byte that no name of a folder has ends each message."""
        named = b"" if folder is None else os.fsencode(folder)
        with contextlib.suppress(OSError):  # the foreground was ended: the run goes on without it
            os.write(self._pipe, b"%b %b\0" % (word.encode(), named))


def leave() -> Leaving | Foreground:
    """Fork. The new process, without a terminal of its own, returns at once; the old one when it may end.

    Ctrl-C or SIGTERM to the old one before that ends the run.
    """
    ours, theirs = os.pipe()
    _flush()
    pid = os.fork()
    if pid == 0:
        os.close(ours)
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        return Leaving(theirs)
    os.close(theirs)
    with _passed_on(pid):
        folder, has_begun = _until_begun(ours)
        if has_begun and folder is not None:
            return Foreground(folder, ExitCode.OK)
        _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        print(f"smbench: killed by signal {signal_name(-code)} before the run began", file=sys.stderr)  # noqa: T201
    return Foreground(None, code if code >= 0 else ExitCode.BUG)


def _until_begun(pipe: int) -> tuple[Path | None, bool]:
    """The run's folder, and whether it has begun. What the run says meanwhile is shown."""
    folder: Path | None = None
    output, said = None, b""
    with contextlib.ExitStack() as files:
        while True:
            readable = select.select([pipe], [], [], _LOOK_S)[0]
            part = os.read(pipe, 65536) if readable else b""
            said += part
            *messages, said = said.split(b"\0")
            for word, _, named in (message.partition(b" ") for message in messages):
                if word == b"opened":
                    folder = Path(os.fsdecode(named))
                    with contextlib.suppress(OSError):  # the run has ended already, and its folder is gone
                        output = files.enter_context((folder / OUTPUT).open(errors="replace"))
            if output is not None and (text := output.read()):
                sys.stderr.write(text)
                sys.stderr.flush()
            if b"begun " in messages:
                return folder, True
            if readable and not part:
                return folder, False


@contextlib.contextmanager
def _passed_on(pid: int) -> Iterator[None]:
    """The run is in another session: what a terminal or the system sends to us is meant for it."""

    def pass_on(number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.flush()
