"""Makes text from outside safe to print: no character of it moves a cursor, colours a line or reorders it.

Names, descriptions, error texts and messages of AWS may hold anything. Whatever they hold, a reader sees it: a control
character becomes its escape, `\x1b`. It happens at both ends of the product: to the files that it reads, and in the
streams and files that it writes.
"""

import re
import sys
from typing import Any, TextIO, cast

import orjson

# Control characters but for the line end and the tab, line and paragraph separators, what turns the direction of
# writing, the byte order mark, halves of surrogate pairs.
CONTROLS = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]"  # for engines that know no surrogates
_CONTROL = re.compile(CONTROLS.replace("]", r"\ud800-\udfff]"))
_CONTROL_IN_JSON = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]|\xe2\x81[\xa6-\xa9]|\xef\xbb\xbf")


def printable(text: str) -> str:
    """The text with each control character as its escape; line ends and tabs stay."""
    # What Python calls printable has no control character; a frame of the live view asks some 1,500 times.
    return text if text.isprintable() else _CONTROL.sub(_escape, text)


def is_utf8(text: str) -> bool:
    """Whether it can be written as UTF-8, as JSON is: a name that the system gave need not be."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _escape(match: re.Match[str]) -> str:
    point = ord(match[0])
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}"


def printable_values(value: Any) -> Any:
    """What JSON may hold, every text in it printable; keys too."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(key): printable_values(item) for key, item in value.items()}
    if isinstance(value, list):
        return [printable_values(item) for item in value]
    return value


def printable_json(document: bytes) -> bytes:
    """The same JSON, with escapes for those control characters that it may hold as they are."""
    return _CONTROL_IN_JSON.sub(lambda match: rb"\u%04x" % ord(match[0].decode()), document)


def json_document(value: Any) -> bytes:
    """JSON as a person may read it, printable, with a line's end."""
    return printable_json(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


class PrintableStream:
    """A text stream that writes what is printable, in whatever its encoding has; all else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self.unguarded = stream

    def write(self, text: str) -> int:
        encoding = self.unguarded.encoding or "utf-8"
        self.unguarded.write(printable(text).encode(encoding, "backslashreplace").decode(encoding))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unguarded, name)


def guard_streams() -> None:
    """From now on this process's stdout and stderr write only what is printable."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, PrintableStream):
            setattr(sys, name, cast(TextIO, PrintableStream(stream)))


def unguarded(stream: TextIO) -> TextIO:
    """The stream itself, for what draws and guards what it draws."""
    return stream.unguarded if isinstance(stream, PrintableStream) else stream
