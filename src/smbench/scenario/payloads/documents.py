"""JSON documents with something binary in them: found in a list or in lines, and base64 put in or taken out."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

_SPACE = re.compile(r"[ \t\n\r]*")
_DATA_URI = re.compile(r"data:(?P<type>[\w.+-]+/[\w.+-]+)?(;[^,;]*)*;base64,", re.ASCII)
# What an image begins with, and what it is then.
_IMAGES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)


def texts_of(text: str) -> Iterator[tuple[int, str]]:
    """Each document as it is written, with its number: an element of a list, else a line; blank lines are passed over.

    A file that is one document in several lines is that document.
    """
    listed = _elements(text)
    if listed is not None:
        yield from enumerate(listed, start=1)
    elif _is_json(text):
        yield 1, text.strip()
    else:
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                yield number, line.removesuffix("\r")


def _elements(text: str) -> list[str] | None:
    """Of a file that is one list; None where it is not. One element at a time is parsed, and none is kept parsed."""
    decoder = json.JSONDecoder()
    found: list[str] = []
    at = _after_space(text, 0)
    if text[at : at + 1] != "[":
        return None
    at = _after_space(text, at + 1)
    try:
        while text[at : at + 1] != "]":
            if found:
                if text[at : at + 1] != ",":
                    return None
                at = _after_space(text, at + 1)
            _, end = decoder.raw_decode(text, at)
            found.append(text[at:end])
            at = _after_space(text, end)
    except (ValueError, RecursionError):
        return None
    return found if _after_space(text, at + 1) == len(text) else None


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return at if match is None else match.end()


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def decoded(text: str, path: str) -> tuple[bytes, str | None]:
    """The bytes that a document has as base64 under a path, and what type they are where that is seen.

    Raises:
        ValueError: there is none; the rest of a sentence about the document.
    """
    found = _at(text, path)
    if not isinstance(found, str):
        raise ValueError(f"has no text under '{path}'")  # noqa: TRY004  # one kind for the reader
    media_type = None
    if uri := _DATA_URI.match(found):
        media_type, found = uri["type"], found[uri.end() :]
    try:
        content = base64.b64decode("".join(found.split()), validate=True)
    except ValueError:
        raise ValueError(f"has no base64 under '{path}'") from None
    seen = next((kind for magic, kind in _IMAGES if content.startswith(magic)), None)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        seen = "image/webp"
    return content, media_type or seen


def _at(text: str, path: str) -> Any:
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("is not JSON") from None
    for step in path.split("."):
        if isinstance(found, dict):
            found = found.get(step)
        elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found


def encoded(content: bytes, path: str) -> bytes:
    """A JSON document with these bytes as base64 under a path; a step `0` makes a list of one."""
    document: Any = base64.b64encode(content).decode()
    for step in reversed(path.split(".")):
        document = [document] if step == "0" else {step: document}
    return json.dumps(document, ensure_ascii=False).encode()
