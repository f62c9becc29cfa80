"""Where a command's results go: tables and JSON to stdout, a page to the file that was asked for."""

import sys
from pathlib import Path
from typing import Any

from smbench.errors import ResultsError
from smbench.printable import json_document, unguarded
from smbench.results.files import write_whole
from smbench.view.console import PlainTextConsole

_PIPED_WIDTH = 100  # columns where no terminal says how many it has


def on_stdout() -> PlainTextConsole:
    """For tables, as wide as the terminal where there is one."""
    return PlainTextConsole(file=unguarded(sys.stdout), width=None if sys.stdout.isatty() else _PIPED_WIDTH)


def print_json(told: dict[str, Any]) -> None:
    """To stdout as UTF-8 with a final newline, whatever the locale."""
    sys.stdout.buffer.write(json_document(told))


def write_page(path: Path, document: str) -> None:
    """Put a page where it was asked for, its folder made where it is missing; whole or not at all.

    Raises:
        ResultsError: it could not be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, document.encode())
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror or error}", "name another place") from error
