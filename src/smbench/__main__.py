"""The `smbench` command, also `python -m smbench`: from its first instant on, Ctrl-C leaves no traceback.

SIGTERM and SIGHUP end every command as Ctrl-C does, with the same words and the same exit status.
"""

import atexit
import contextlib
import gc
import os
import signal
import sys
import threading
from types import FrameType

_INTERRUPTED = 130  # as errors.ExitCode has it, which is not imported yet
_GIVE_BACK = "dirty_decay_ms:100,muzzy_decay_ms:0"  # polars' allocator keeps for 10 s what it no longer needs
_YOUNG = 50_000  # objects before the first collection: imports make many, drop few, and were collected 70 times


def main() -> None:
    """Run the command, and end the process: nothing of it goes on."""
    _take_other_signals()
    gc.set_threshold(_YOUNG)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # to find them it reads every package's metadata
    os.environ.setdefault("_RJEM_MALLOC_CONF", _GIVE_BACK)
    _end(status_of_command())


def _take_other_signals() -> None:
    """One that the process was started to ignore (`nohup`) stays ignored."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # SIGHUP is not on every system
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _as_ctrl_c)


def _as_ctrl_c(_number: int, frame: FrameType | None) -> None:
    """What takes Ctrl-C at this moment takes this: an event loop or a question, else it is a KeyboardInterrupt."""
    taker = signal.getsignal(signal.SIGINT)
    if not callable(taker):  # a shell starts what it puts into the background with Ctrl-C ignored
        raise KeyboardInterrupt
    taker(signal.SIGINT, frame)


def status_of_command() -> object:
    """Import the command and run it; what `sys.exit` takes."""
    try:
        from smbench.cli.app import main as command

        command()
    except SystemExit as end:
        return end.code
    except KeyboardInterrupt:
        if sys.stderr is not None:
            print("smbench: interrupted", file=sys.stderr)  # noqa: T201  # the command is not there yet
        return _INTERRUPTED
    return 0


def _end(status: object) -> None:
    """End as `sys.exit` does, and leave the memory to the system: to take it apart costs a fifth of a short command."""
    if not isinstance(status, int) or any(not one.daemon for one in threading.enumerate()[1:]):
        sys.exit(status)  # type: ignore[arg-type]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
