"""Where a command's results go: tables and JSON to stdout, a page to the file that was asked for."""

import errno
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import typer

from smbench.errors import ResultsError, UsageError
from smbench.printable import json_document, unguarded
from smbench.results.files import write_whole
from smbench.view.console import PlainTextConsole, WithoutPadding

_PIPED_WIDTH = 100  # columns where neither a terminal nor COLUMNS says how many there are
_WIDTH_MIN = 40  # fewer would cut figures


def on_stdout() -> PlainTextConsole:
    """For tables, as wide as the terminal; elsewhere as wide as COLUMNS says, without blanks at the ends of lines."""
    out = unguarded(sys.stdout)
    if sys.stdout.isatty():
        return PlainTextConsole(file=out)
    columns = os.environ.get("COLUMNS", "")
    width = max(_WIDTH_MIN, int(columns)) if columns.isdecimal() else _PIPED_WIDTH
    return PlainTextConsole(file=WithoutPadding(out), width=width)


def print_json(told: dict[str, Any]) -> None:
    """To stdout as UTF-8 with a final newline, whatever the locale."""
    sys.stdout.buffer.write(json_document(told))


def require_writable(*paths: Path | None) -> None:
    """Make the folders of files that come at the end: what may cost an hour and money does not begin without them.

    Raises:
        UsageError: one of them could not be written.
    """
    for path in filter(None, paths):
        try:
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_file() or not path.exists():  # a device or a pipe is written where it is
                with tempfile.TemporaryFile(dir=path.parent):
                    pass
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror or error}", "name another place") from error


def write_page(path: Path, document: str) -> None:
    """Put a page where it was asked for, its folder made where it is missing, whole or not at all; say where.

    Raises:
        ResultsError: it could not be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, document.encode())
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror or error}", "name another place") from error
    typer.echo(f"smbench: wrote {path}", err=True)
