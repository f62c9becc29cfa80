"""Follows or ends a run of another process: what `attach` and `stop` do."""

import socket
import time
from dataclasses import dataclass
from pathlib import Path

from smbench.errors import ResultsError, UsageError
from smbench.lifecycle.background.registry import Known, known_run
from smbench.lifecycle.background.serving import LENGTH_BYTES, NO_ROOM, STOP, STOP_NOW, VERSION, WATCH
from smbench.view.live.choose import View
from smbench.view.live.frame import state_from

_LOOK_S = 0.2
_ANSWER_S = 10.0
_BEGINS_S = 1.0  # between a run's entry and its socket: milliseconds


@dataclass(frozen=True, slots=True)
class _Line:
    """An open connection to a run, which has been asked something."""

    connection: socket.socket

    def read(self, n: int) -> bytes:
        """So many bytes; fewer when the other end has closed."""
        parts = bytearray()
        while len(parts) < n:
            try:
                part = self.connection.recv(min(n - len(parts), 1 << 20))
            except ConnectionError:
                break
            if not part:
                break
            parts += part
        return bytes(parts)

    def read_line(self) -> bytes:
        """Up to a line's end, or as far as there is something."""
        line = b""
        while not line.endswith(b"\n") and (byte := self.read(1)):
            line += byte
        return line.strip()


def watch(known: Known, folder: Path, view: View) -> bool:
    """Show a run as its own process would, until its last request has ended; False: it is being closed already.

    Args:
        folder: Of the run, as the user typed it.

    Raises:
        UsageError: too many watch already, or the run's smbench is another one.
        ResultsError: the run cannot be reached.
    """
    line = _asked(known, WATCH)
    if line is None:
        return False
    with line.connection:
        version = line.read_line()
        if version and version != VERSION:
            raise UsageError(
                f"the run was started by smbench {version.decode(errors='replace')}, this is {VERSION.decode()}",
                "use that one",
            )
        with view:
            while len(head := line.read(LENGTH_BYTES)) == LENGTH_BYTES:
                if head == NO_ROOM:
                    raise UsageError("too many viewers watch this run already", "end one of them")
                n_bytes = int.from_bytes(head, "big")
                if len(frame := line.read(n_bytes)) < n_bytes:
                    break  # the run was killed
                view.show(state_from(frame, str(folder)))
    return True


def ask_to_stop(known: Known, *, at_once: bool) -> str | None:
    """Ask a run to end; returns what it says, or None where it is over or closing already.

    Raises:
        ResultsError: the run cannot be reached, or does not answer.
    """
    line = _asked(known, STOP_NOW if at_once else STOP)
    if line is None:
        return None
    with line.connection:
        line.connection.settimeout(_ANSWER_S)
        try:
            line.read_line()
            return line.read_line().decode(errors="replace") or None
        except TimeoutError as error:
            raise ResultsError(
                f"the run in {known.folder} has not answered within {_ANSWER_S:g} s: it hangs, or is suspended",
                _end_by_hand(known),
            ) from error


def wait_for_end(place: Path, folder: Path) -> Known | None:
    """Return what is known of a run when its process has ended, or has said how it will."""
    while (known := known_run(place, folder)) is not None and known.is_alive and known.exit_status is None:
        time.sleep(_LOOK_S)
    return known


def _asked(known: Known, what: bytes) -> _Line | None:
    """None: nothing listens, because the run is being closed.

    Raises:
        ResultsError: the run goes on, and cannot be reached.
    """
    give_up_s = time.monotonic() + _BEGINS_S
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(known.socket)
            connection.sendall(what + b"\n")
        except (FileNotFoundError, ConnectionError):  # it does not listen yet, or no more
            connection.close()
        except OSError as error:
            connection.close()
            raise ResultsError(
                f"the run in {known.folder} cannot be reached: {error.strerror or error}",
                _end_by_hand(known),
            ) from error
        else:
            return _Line(connection)
        if time.monotonic() > give_up_s:
            return None
        time.sleep(_LOOK_S)


def _end_by_hand(known: Known) -> str:
    return f"its process is {known.pid}; `kill -TERM {known.pid}` stops it"
