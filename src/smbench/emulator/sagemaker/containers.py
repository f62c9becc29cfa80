"""Containers of processing jobs: processes of this machine that end with the emulator, and whose log is bounded.

A container is a process group on a leash: the write end of a pipe that the emulator alone holds. Once it is closed, be
it because the emulator was killed, a shell in the group kills the group.
"""

import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from smbench.clock import real_ns
from smbench.emulator.logs import Line

_LEASHED = 'exec 3<&0 </dev/null; (read -r _ <&3; kill -KILL 0) >/dev/null 2>&1 & exec 3<&-; exec "$@"'
_LINE_MAX_BYTES = 65_536
_LOG_MAX_BYTES = 4 << 20
_CUT = f"the emulator keeps no more than {_LOG_MAX_BYTES >> 20} MiB of a container's log"
_MESSAGE_MAX = 1024


class Container:
    """One host's process, started. What it writes to stdout and stderr is its log.

    Args:
        root: In place of `/opt/ml`, and the folder that it starts in.
        begun_utc_ns: When it was started.
        longest_s: Seconds after which it is killed.

    Attributes:
        log: Lines so far; what comes after the first 4 MiB is dropped.

    Raises:
        OSError: there is no such program.
    """

    def __init__(
        self,
        host: str,
        root: Path,
        command: Sequence[str],
        environment: Mapping[str, str],
        begun_utc_ns: int,
        longest_s: float,
    ) -> None:
        self.host, self.begun_utc_ns = host, begun_utc_ns
        self.log: list[Line] = []
        self.was_overdue = False
        self._root, self._begun_ns = root, real_ns()
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _LEASHED, "sh", *command],
            cwd=root,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._limits: list[threading.Timer] = []
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._read, self._attend)]
        for thread in self._threads:
            thread.start()
        self._kill_after(longest_s)

    @property
    def code(self) -> int | None:
        """Its exit status, once it has ended and its log is whole."""
        return None if any(thread.is_alive() for thread in self._threads) else self._process.returncode

    @property
    def message(self) -> str:
        """Its last word, as SageMaker shows it; empty where it left none."""
        file = self._root / "output" / "message"
        if not file.is_file():
            return ""
        with file.open("rb") as content:
            return content.read(4 * _MESSAGE_MAX).decode(errors="replace")[:_MESSAGE_MAX]

    def ask_to_end(self, grace_s: float) -> None:
        """Send SIGTERM to its first process; kill all of them if that still runs after so many seconds."""
        self._process.send_signal(signal.SIGTERM)
        self._kill_after(grace_s)

    def kill(self) -> None:
        """End all of its processes, and wait for the first."""
        self._let_go()
        for thread in self._threads:
            thread.join()

    def _kill_after(self, seconds: float) -> None:
        def overdue() -> None:
            self.was_overdue = self._process.poll() is None
            self._let_go()

        limit = threading.Timer(min(seconds, threading.TIMEOUT_MAX), overdue)
        limit.daemon = True
        limit.start()
        self._limits.append(limit)

    def _let_go(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _read(self) -> None:
        assert self._process.stdout is not None, "it is a pipe"
        n_bytes = 0
        with self._process.stdout as output:
            while line := output.readline(_LINE_MAX_BYTES):
                if n_bytes <= _LOG_MAX_BYTES:
                    n_bytes += len(line)
                    text = _CUT if n_bytes > _LOG_MAX_BYTES else line.decode(errors="replace").rstrip("\r\n")
                    self.log.append(Line(self.begun_utc_ns + real_ns() - self._begun_ns, text))

    def _attend(self) -> None:
        self._process.wait()
        self._let_go()  # what it left running ends with it
        for limit in self._limits:
            limit.cancel()
