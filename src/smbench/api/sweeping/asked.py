"""What a sweep or a search was asked: kept in its folder, from which `resume` goes on after a kill."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from smbench.api.run import Progress
from smbench.errors import ResultsError
from smbench.lifecycle.cells import left_by_kills
from smbench.printable import json_document
from smbench.results.files import write_whole
from smbench.scenario.explain import first_in_words

Asked = TypeVar("Asked")


def write_asked(file: Path, asked: Any, of: str) -> None:
    """Write a JSON document into the folder of a new search or sweep, before its first run.

    Args:
        file: In the folder.
        asked: Plain JSON values.
        of: Whose folder it is, for the advice: `search` or `sweep`.

    Raises:
        ResultsError: it could not be written.
    """
    try:
        write_whole(file, json_document(asked))
    except OSError as error:
        raise ResultsError(
            f"cannot write {file.parent}: {error.strerror or error}", f"choose another folder for the {of}"
        ) from error


def read_asked(file: Path, read: Callable[[Any], Asked]) -> Asked:
    """What `write_asked` wrote, as `read` makes it of plain JSON values.

    Raises:
        ResultsError: the file is missing, cannot be read, or holds something else.
    """
    try:
        return read(json.loads(file.read_bytes()))
    except ValidationError as error:
        raise ResultsError(f"{file} is damaged: {first_in_words(error)}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultsError(f"{file} cannot be read: {error}") from error


def say_what_was_left(folder: Path, progress: Progress) -> None:
    """On stderr, a sentence for each run of a sweep or a search that a kill left with something in AWS."""
    if progress != "none":
        for sentence in left_by_kills(folder):
            print(f"smbench: {sentence}", file=sys.stderr, flush=True)  # noqa: T201  # what a command says under way
