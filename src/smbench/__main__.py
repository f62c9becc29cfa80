"""The `smbench` command, also `python -m smbench`: from its first instant on, Ctrl-C leaves no traceback."""

import gc
import os
import sys

_INTERRUPTED = 130  # as errors.ExitCode has it, which is not imported yet
_YOUNG = 50_000  # objects before the first collection: imports make many, drop few, and were collected 70 times


def main() -> None:
    """Import the command and run it."""
    gc.set_threshold(_YOUNG)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # to find them it reads every package's metadata
    try:
        from smbench.cli.app import main as command

        command()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
