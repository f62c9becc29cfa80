"""JSON lines of invoke arguments: each line one payload, its keys those of botocore's `invoke_endpoint_async`."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from smbench.scenario.model import HEADER_MAX, TIMEOUT_MAX_S, TIMEOUT_MIN_S, TTL_MAX_S, TTL_MIN_S
from smbench.scenario.values.quantities import parse_whole

_OURS = ("EndpointName", "InferenceId")


@dataclass(frozen=True, slots=True)
class InvokeLine:
    """One line. Exactly one of `body` and `input_location` is set; `is_text` tells a body given as text."""

    number: int
    body: bytes | None = None
    is_text: bool = False
    input_location: str | None = None
    content_type: str | None = None
    accept: str | None = None
    custom_attributes: str | None = None
    ttl_s: int | None = None
    timeout_s: int | None = None


def read_lines(path: Path) -> tuple[list[InvokeLine], list[str]]:
    """The lines of a file, and what is wrong with the others, each sentence beginning with its line's number.

    Raises:
        OSError: the file cannot be read.
    """
    lines: list[InvokeLine] = []
    wrong: list[str] = []
    for number, text in enumerate(path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not text.strip():
            continue
        try:
            lines.append(_read_line(number, text))
        except ValueError as error:
            wrong.append(f"line {number}: {error}")
    if not lines and not wrong:
        wrong.append("holds no line")
    return lines, wrong


def _read_line(number: int, text: bytes) -> InvokeLine:
    try:
        arguments: Any = json.loads(text)
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"is no JSON: {error.msg[:1].lower()}{error.msg[1:]}, at column {error.colno}") from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    if not isinstance(arguments, dict):
        raise ValueError("must be a JSON object of invoke arguments")  # noqa: TRY004  # one kind for the reader
    if ("Body" in arguments) == ("InputLocation" in arguments):
        raise ValueError("must have exactly one of Body and InputLocation")
    read: dict[str, Any] = {}
    for key, value in arguments.items():
        if key not in _ARGUMENTS:
            raise ValueError(_unknown(key))
        name, parse = _ARGUMENTS[key]
        try:
            read[name] = parse(value)
        except ValueError as error:
            raise ValueError(f"{key} {error}") from None
    return InvokeLine(number, is_text=isinstance(arguments.get("Body"), str), **read)


def _unknown(key: str) -> str:
    if key in _OURS:
        return f"{key} is not for a payload to say: smbench sets it"
    near = get_close_matches(key, _ARGUMENTS, n=1)
    return f"unknown key {key}" + (f"; did you mean '{near[0]}'?" if near else f"; known are {', '.join(_ARGUMENTS)}")


def _body(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict) and set(value) == {"base64"} and isinstance(value["base64"], str):
        try:
            return base64.b64decode(value["base64"], validate=True)
        except ValueError:
            raise ValueError("is no base64") from None
    raise ValueError('must be text, or {"base64": "..."}')


def _header(value: object) -> str:
    if not isinstance(value, str) or len(value) > HEADER_MAX or not _fits_header(value):
        raise ValueError(f"must be text of at most {HEADER_MAX} characters of printable ASCII")
    return value


def _fits_header(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _location(value: object) -> str:
    if not isinstance(value, str) or not value.startswith("s3://") or "/" not in value[5:].strip("/"):
        raise ValueError("must be an S3 object such as s3://bucket/key")
    if not _fits_header(value):
        raise ValueError("must be printable ASCII: it travels in an HTTP header")
    return value


def _seconds_between(least: int, most: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        seconds = parse_whole(value)
        if not least <= seconds <= most:
            raise ValueError(f"must lie between {least} and {most}")
        return seconds

    return parse


_ARGUMENTS: dict[str, tuple[str, Callable[[object], object]]] = {
    "Body": ("body", _body),
    "InputLocation": ("input_location", _location),
    "ContentType": ("content_type", _header),
    "Accept": ("accept", _header),
    "CustomAttributes": ("custom_attributes", _header),
    "RequestTTLSeconds": ("ttl_s", _seconds_between(TTL_MIN_S, TTL_MAX_S)),
    "InvocationTimeoutSeconds": ("timeout_s", _seconds_between(TIMEOUT_MIN_S, TIMEOUT_MAX_S)),
}
