"""The `smbench` command, also `python -m smbench`: from its first instant on, Ctrl-C leaves no traceback."""

import sys

_INTERRUPTED = 130  # as errors.ExitCode has it, which is not imported yet


def main() -> None:
    """Import the command and run it."""
    try:
        from smbench.cli.app import main as command

        command()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
