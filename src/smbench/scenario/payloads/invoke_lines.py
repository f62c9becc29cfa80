"""Invoke arguments, as JSON lines or as a pickled list: each one payload, its keys those of botocore's calls.

These are `invoke_endpoint_async` and `invoke_endpoint`; which of the two takes a key is looked at with the scenario.
"""

import base64
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from smbench.scenario.payloads.pickled import plain_values
from smbench.scenario.values.files import read_regular
from smbench.scenario.values.quantities import parse_whole
from smbench.scenario.values.request import HEADER_MAX, TIMEOUT_MAX_S, TIMEOUT_MIN_S, TTL_MAX_S, TTL_MIN_S

FILE_MAX_BYTES = 2**30
LOCATION_MAX = 1024  # InputLocation (botocore service model 1.44.8)
EXTENSION_MAX, FILENAME_MAX = 512, 32  # S3OutputPathExtension, Filename: in the API since 2026-02-20
NAME_MAX, EXPLANATIONS_MAX = 63, 64  # of variants, containers and components; EnableExplanations
WRONG_MAX = 100  # lines named one by one
ENTRIES_MAX = 1_000_000  # of a pickle, whose entries may be two bytes each

_OURS = ("EndpointName", "InferenceId")  # in recorded calls; smbench sets both
_LOCATION = re.compile(r"s3://[^/@]+/+[^/].*|https://[^/@]+\.amazonaws\.com(\.cn)?/+[^/].*", re.DOTALL)
_EXTENSION = re.compile(r"(?!s3:|https:)[a-zA-Z0-9!_.*'()/-]+")
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_PRINTED = re.compile(r"[!-~][ -~]*")
_FILENAME = re.compile(r"(?!.*\..*\.)[a-zA-Z0-9][a-zA-Z0-9-_.]*")


@dataclass(frozen=True, slots=True)
class InvokeLine:
    """One line. Exactly one of `body` and `input_location` is set; `is_text` marks a body given as text."""

    number: int
    body: bytes | None = None
    is_text: bool = False
    input_location: str | None = None
    content_type: str | None = None
    accept: str | None = None
    custom_attributes: str | None = None
    ttl_s: int | None = None
    timeout_s: int | None = None
    output_extension: str | None = None
    filename: str | None = None
    target_model: str | None = None
    target_variant: str | None = None
    target_container: str | None = None
    inference_component: str | None = None
    explanations: str | None = None


@dataclass(slots=True)
class InvokeLines:
    """A file's lines; what is wrong with the others; what was left out of those that are taken."""

    lines: list[InvokeLine] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)  # sentences that begin with the line's number, in the file's order
    notes: list[str] = field(default_factory=list)


def read_lines(path: Path, *, is_shown: bool = True) -> InvokeLines:
    """The lines of a file as invoke arguments. At most `WRONG_MAX` bad ones are described, the others counted.

    Args:
        is_shown: Whether what is wrong may quote the file.

    Raises:
        OSError: the file cannot be read.
    """
    return _read(numbered_lines(path), "line", is_shown, lambda number, text: _read_arguments(number, _of_json(text)))


def read_pickled(path: Path, *, is_shown: bool = True) -> InvokeLines:
    """A pickled list of dictionaries, each the arguments of one invocation, as `read_lines` gives lines.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        listed = _listed(read_regular(path, FILE_MAX_BYTES))
    except ValueError as error:
        return InvokeLines(wrong=[str(error) if is_shown else "is not a pickled list of plain invoke arguments"])
    read = _read(enumerate(listed, start=1), "entry", is_shown, _read_arguments)
    # One body may be named by many entries, so the file's size alone does not bound them.
    if sum(len(line.body or b"") for line in read.lines) > FILE_MAX_BYTES:
        return InvokeLines(wrong=[f"has bodies of more than {FILE_MAX_BYTES:,} bytes in all"])
    return read


def _listed(content: bytes) -> Sequence[Any]:
    found = plain_values(content)
    if not isinstance(found, list | tuple):
        raise ValueError("must hold a list of invoke arguments")  # noqa: TRY004  # one kind for the reader
    if len(found) > ENTRIES_MAX:
        raise ValueError(f"holds {len(found):,} entries; at most {ENTRIES_MAX:,} are read")
    return found


_T = TypeVar("_T")


def _read(
    entries: Iterable[tuple[int, _T]], called: str, is_shown: bool, parse: Callable[[int, _T], tuple[InvokeLine, bool]]
) -> InvokeLines:
    read, n_wrong, n_with_ours = InvokeLines(), 0, 0
    for number, entry in entries:
        try:
            line, has_ours = parse(number, entry)
        except ValueError as error:
            n_wrong += 1
            if n_wrong <= WRONG_MAX:
                message = error if is_shown else "is not the arguments of one invocation"
                read.wrong.append(f"{called} {number}: {message}")
            continue
        read.lines.append(line)
        n_with_ours += has_ours
    many = {"line": "lines", "entry": "entries"}[called]
    if n_wrong > WRONG_MAX:
        read.wrong.append(f"has {n_wrong - WRONG_MAX:,} more {many} that are wrong")
    if not read.lines and not n_wrong:
        read.wrong.append(f"holds no {called}")
    if n_with_ours:
        read.notes.append(f"{' and '.join(_OURS)} of {n_with_ours:,} {many} are left out: smbench sets its own")
    return read


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that are not blank, each with its number from 1 and without its line end.

    Raises:
        OSError: the file cannot be read.
    """
    content = read_regular(path, FILE_MAX_BYTES).removeprefix(b"\xef\xbb\xbf")
    for number, text in enumerate(content.split(b"\n"), start=1):
        if text.strip():
            yield number, text.removesuffix(b"\r")


def _of_json(text: bytes) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_each_once)
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error.msg[:1].lower()}{error.msg[1:]}, at column {error.colno}") from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except _TwiceError:
        raise
    except ValueError:  # CPython's own limit on digits
        raise ValueError("holds a number of too many digits") from None


class _TwiceError(ValueError):
    """An object has a key twice."""


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object; the library would take the last of two values and not say so.

    Raises:
        _TwiceError: a key is there twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, n in Counter(key for key, _ in pairs).items() if n > 1)
        raise _TwiceError(f"has {_short(twice)} twice")
    return found


def _read_arguments(number: int, arguments: Any) -> tuple[InvokeLine, bool]:
    """One invocation, and whether it had arguments that smbench sets."""
    if not isinstance(arguments, dict):
        raise ValueError("must be a JSON object of invoke arguments")  # noqa: TRY004  # one kind for the reader
    read: dict[str, Any] = {}
    for key, value in arguments.items():
        if key in _OURS or (value is None and key in _ARGUMENTS):  # a table that became JSON lines has null for nothing
            continue
        if key not in _ARGUMENTS:
            raise ValueError(_unknown(key))
        name, parse = _ARGUMENTS[key]
        try:
            read[name] = parse(value)
        except ValueError as error:
            raise ValueError(f"{key} {error}") from None
    if ("body" in read) == ("input_location" in read):
        raise ValueError("must have exactly one of Body and InputLocation")
    line = InvokeLine(number, is_text=isinstance(arguments.get("Body"), str), **read)
    return line, any(key in arguments for key in _OURS)


def _unknown(key: str) -> str:
    plain = {_plain(known): known for known in _ARGUMENTS}
    near = plain.get(_plain(key)) or next(iter(get_close_matches(key[:64], _ARGUMENTS, n=1)), None)
    return f"unknown key {_short(key)}" + (
        f"; did you mean '{near}'?" if near else f"; known are {', '.join(_ARGUMENTS)}"
    )


def _short(key: str) -> str:
    return key if len(key) <= 64 else key[:63] + "…"


def _plain(key: str) -> str:
    """`input_location` and `input-location` are `InputLocation` in other languages."""
    return re.sub(r"[^a-z0-9]", "", key.lower())


def _body(value: object) -> bytes:
    if isinstance(value, bytes | bytearray):  # of a pickle
        return bytes(value)
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError:
            raise ValueError("holds half a surrogate pair, which no UTF-8 text can") from None
    if isinstance(value, dict) and set(value) == {"base64"} and isinstance(value["base64"], str):
        try:
            return base64.b64decode(value["base64"], validate=True)
        except ValueError:
            raise ValueError("is not base64") from None
    raise ValueError('must be text, or {"base64": "..."}')


def _header(value: object) -> str:
    if not isinstance(value, str) or len(value) > HEADER_MAX or not _fits_header(value):
        raise ValueError(f"must be text of at most {HEADER_MAX} characters of printable ASCII")
    return value


def _fits_header(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _location(value: object) -> str:
    if not isinstance(value, str) or not _LOCATION.fullmatch(value):
        raise ValueError(
            "must be an S3 object such as s3://bucket/key or https://bucket.s3.us-east-1.amazonaws.com/key"
        )
    if not _fits_header(value):
        raise ValueError("must be printable ASCII: it travels in an HTTP header")
    if len(value) > LOCATION_MAX:
        raise ValueError(f"has {len(value):,} characters; AWS takes at most {LOCATION_MAX:,}")
    return value


def _text_of(form: re.Pattern[str], most: int, example: str) -> Callable[[object], str]:
    def parse(value: object) -> str:
        if not isinstance(value, str) or len(value) > most or not form.fullmatch(value):
            raise ValueError(f"must be at most {most} characters such as {example}: AWS takes only {form.pattern}")
        return value

    return parse


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
    "S3OutputPathExtension": ("output_extension", _text_of(_EXTENSION, EXTENSION_MAX, "run1/a")),
    "Filename": ("filename", _text_of(_FILENAME, FILENAME_MAX, "result.json")),
    "TargetModel": ("target_model", _text_of(_PRINTED, HEADER_MAX, "model-a.tar.gz")),
    "TargetVariant": ("target_variant", _text_of(_NAME, NAME_MAX, "AllTraffic")),
    "TargetContainerHostname": ("target_container", _text_of(_NAME, NAME_MAX, "second")),
    "InferenceComponentName": ("inference_component", _text_of(_NAME, NAME_MAX, "adapter-a")),
    "EnableExplanations": ("explanations", _text_of(_PRINTED, EXPLANATIONS_MAX, "`true`")),
}
