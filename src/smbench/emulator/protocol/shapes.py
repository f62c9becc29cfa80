"""Members by AWS's own shapes: the installed botocore models, compiled into readers and writers when first used.

A reader turns what a codec decoded into Python values (datetime, bytes, int, float) and collects what is wrong with
it; a writer turns an operation's result into what JSON can carry. Members without a need for either cost nothing.
"""

import base64
import binascii
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import (
    ListShape,
    MapShape,
    OperationModel,
    OperationNotFoundError,
    ServiceModel,
    Shape,
    StructureShape,
)

from smbench.emulator.protocol import sqs_query_names
from smbench.service_models import ModelFiles

Path = tuple[Any, str] | None  # (parent, name): rendered only when there is something to complain about


class Fault(Enum):
    """What can be wrong with a member."""

    MISSING = auto()
    TYPE = auto()
    CONSTRAINT = auto()


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong member. `path` is as AWS writes it: `metricData.1.member.unit`; `member` is the last name as sent."""

    fault: Fault
    path: str
    member: str
    value: str
    text: str  # "Member must not be null"


_LONG_END = 1 << 63

Reader = Callable[[Any, Path, list[Problem]], Any]
Writer = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class OperationShapes:
    """One operation, compiled. `write` is None when JSON can carry the result as it is."""

    name: str
    model: OperationModel
    read: Reader | None
    write: Writer | None


class ServiceShapes:
    """One service of the installed botocore."""

    def __init__(self, name: str) -> None:
        loaded = Loader(file_loader=ModelFiles()).load_service_model(name, "service-2")
        if name == "sqs":
            sqs_query_names.give_back(loaded)
        self.model = ServiceModel(loaded, name)
        self.namespace: str = self.model.metadata.get("xmlNamespace", "")
        self._operations: dict[str, OperationShapes | None] = {}
        self._readers: dict[str, Reader] = {}

    def operation(self, name: str) -> OperationShapes | None:
        """The operation's shapes; None when AWS has no such operation."""
        if name not in self._operations:
            self._operations[name] = self._compile(name)
        return self._operations[name]

    def _compile(self, name: str) -> OperationShapes | None:
        try:
            model = self.model.operation_model(name)
        except OperationNotFoundError:
            return None
        read = None if model.input_shape is None else self._reader(model.input_shape)
        write = None if model.output_shape is None else _writer(model.output_shape)
        return OperationShapes(name, model, read, write)

    def _reader(self, shape: Shape) -> Reader:
        if shape.name not in self._readers:
            # A shape may contain itself: until it is compiled, its own members look it up by name.
            self._readers[shape.name] = lambda value, path, problems: self._readers[shape.name](value, path, problems)
            self._readers[shape.name] = self._compile_reader(shape)
        return self._readers[shape.name]

    def _compile_reader(self, shape: Shape) -> Reader:
        if isinstance(shape, StructureShape):
            members = {name: self._reader(member) for name, member in shape.members.items()}
            return _structure_reader(members, frozenset(shape.required_members))
        if isinstance(shape, ListShape):
            return _list_reader(self._reader(shape.member), shape.metadata)
        if isinstance(shape, MapShape):
            return _map_reader(self._reader(shape.key), self._reader(shape.value), shape.metadata)
        if shape.type_name in ("string", "character"):
            return _string_reader(shape.metadata)
        return _SCALARS.get(shape.type_name) or _number_reader(shape)


@cache
def service_shapes(name: str) -> ServiceShapes:
    """The shapes of a service by botocore's name for it; loaded once a process."""
    return ServiceShapes(name)


def render(path: Path) -> str:
    """`endpointName`, `tags.1.member.key`: AWS's spelling of where a member is."""
    names: list[str] = []
    while path is not None:
        path, name = path
        names.append(name[:1].lower() + name[1:])
    return ".".join(reversed(names))


def _problem(fault: Fault, path: Path, value: Any, text: str) -> Problem:
    shown = "null" if value is None else f"'{str(value)[:200]}'"
    return Problem(fault, render(path), path[1] if path else "", shown, text)


# Readers


def _structure_reader(members: dict[str, Reader], required: frozenset[str]) -> Reader:
    def read(value: Any, path: Path, problems: list[Problem]) -> Any:
        if not isinstance(value, dict):
            problems.append(_problem(Fault.TYPE, path, value, "a structure"))
            return {}
        result = {}
        for name, item in value.items():
            reader = members.get(name)
            if reader is _read_text and type(item) is str:  # most members of most calls
                result[name] = item
            elif reader is not None and item is not None:  # AWS ignores members it does not know
                result[name] = reader(item, (path, name), problems)
        if not required <= result.keys():
            missing = (name for name in members if name in required and name not in result)
            problems += [_problem(Fault.MISSING, (path, name), None, "Member must not be null") for name in missing]
        return result

    return read


def _list_reader(member: Reader, limits: dict[str, Any]) -> Reader:
    check = _length_check(limits)

    def read(value: Any, path: Path, problems: list[Problem]) -> Any:
        if not isinstance(value, list):
            problems.append(_problem(Fault.TYPE, path, value, "a list"))
            return []
        check(value, path, problems)
        return [member(item, ((path, str(i)), "member"), problems) for i, item in enumerate(value, 1)]

    return read


def _map_reader(name: Reader, member: Reader, limits: dict[str, Any]) -> Reader:
    check = _length_check(limits)

    def read(value: Any, path: Path, problems: list[Problem]) -> Any:
        if not isinstance(value, dict):
            problems.append(_problem(Fault.TYPE, path, value, "a map"))
            return {}
        check(value, path, problems)
        result = {}
        for key, item in value.items():
            result[name(str(key), path, problems)] = member(item, ((path, str(key)), "member"), problems)
        return result

    return read


def _read_text(value: Any, path: Path, problems: list[Problem]) -> Any:
    if isinstance(value, str):
        return value
    problems.append(_problem(Fault.TYPE, path, value, "a String"))
    return ""


def _string_reader(limits: dict[str, Any]) -> Reader:
    if limits.keys().isdisjoint(("min", "max", "enum", "pattern")):
        return _read_text
    length = _length_check(limits)
    allowed = limits.get("enum")
    fits = _pattern(limits["pattern"]) if "pattern" in limits else None

    def read(value: Any, path: Path, problems: list[Problem]) -> Any:
        if not isinstance(value, str):
            return _read_text(value, path, problems)
        length(value, path, problems)
        if allowed is not None and value not in allowed:
            text = f"Member must satisfy enum value set: [{', '.join(allowed)}]"
            problems.append(_problem(Fault.CONSTRAINT, path, value, text))
        if fits is not None and not fits(value):
            text = f"Member must satisfy regular expression pattern: {limits['pattern']}"
            problems.append(_problem(Fault.CONSTRAINT, path, value, text))
        return value

    return read


# Java's classes by Unicode's categories: what ASCII has of each, and one character in place of all beyond it.
_CATEGORIES = {
    "L": ("a-zA-Z", "a"),
    "N": ("0-9", "0"),
    "Z": (" ", " "),
    "M": (r"\x01", "\x01"),
    "S": (r"$+<=>^`|~\x02", "\x02"),
    "P": (r"!-#%-*,-/:;?@\[-\]_{}\x03", "\x03"),
}
_OTHER = "\x04"
_AS_PYTHON = (
    (r"\p{Print}", r"\x20-\x7E"),
    (r"\p{ASCII}", r"\x00-\x7F"),
    (r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF"),  # pairs of surrogates, in Java's way of writing
    (r"\z", r"\Z"),
    (r"[\w-_]", r"[\w_-]"),
)
Fits = Callable[[str], bool]


def _pattern(pattern: str) -> Fits | None:
    """Whether a text fits a pattern, read as Java reads it: `\\w` is ASCII. None: not understood, and not used here."""
    text = pattern
    for java, python in _AS_PYTHON:
        text = text.replace(java, python)
    if text.startswith(r"\x"):  # a class that had no brackets
        text = re.sub(r"^(\\x..-\\x..)", r"[\1]", text)
    of_unicode = r"\p{" in text
    for name, (members, _) in _CATEGORIES.items():
        text = text.replace(rf"\p{{{name}}}", members)
    try:
        found = re.compile(text, re.ASCII)
    except re.error:
        return None
    if not of_unicode:
        return lambda value: found.fullmatch(value) is not None
    return lambda value: found.fullmatch("".join(map(_standing_for, value))) is not None


def _standing_for(char: str) -> str:
    if " " <= char <= "~":
        return char
    known = _CATEGORIES.get(unicodedata.category(char)[0])
    return _OTHER if known is None else known[1]


def _length_check(limits: dict[str, Any]) -> Callable[[Any, Path, list[Problem]], None]:
    low, high = limits.get("min"), limits.get("max")

    def check(value: Any, path: Path, problems: list[Problem]) -> None:
        if low is not None and len(value) < low:
            text = f"Member must have length greater than or equal to {low}"
            problems.append(_problem(Fault.CONSTRAINT, path, value, text))
        if high is not None and len(value) > high:
            text = f"Member must have length less than or equal to {high}"
            problems.append(_problem(Fault.CONSTRAINT, path, value, text))

    return check


def _number_reader(shape: Shape) -> Reader:
    is_whole = shape.type_name in ("integer", "long", "short", "byte")
    low, high = shape.metadata.get("min"), shape.metadata.get("max")

    def read(value: Any, path: Path, problems: list[Problem]) -> Any:
        number = _whole(value) if is_whole else _double(value)
        if number is None:
            problems.append(_problem(Fault.TYPE, path, value, "an Integer" if is_whole else "a Double"))
            return 0
        if low is not None and value < low:
            text = f"Member must have value greater than or equal to {low}"
            problems.append(_problem(Fault.CONSTRAINT, path, value, text))
        if high is not None and value > high:
            text = f"Member must have value less than or equal to {high}"
            problems.append(_problem(Fault.CONSTRAINT, path, value, text))
        return number

    return read


def _double(value: Any) -> float | None:
    """None where it is no number, or beyond every double."""
    try:
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    except OverflowError:
        return None


def _whole(value: Any) -> int | None:
    """None where it is no whole number of 64 bits."""
    double = _double(value)
    return int(value) if double is not None and double.is_integer() and abs(value) < _LONG_END else None


def _read_boolean(value: Any, path: Path, problems: list[Problem]) -> Any:
    if not isinstance(value, bool):
        problems.append(_problem(Fault.TYPE, path, value, "a Boolean"))
    return value


def _read_timestamp(value: Any, path: Path, problems: list[Problem]) -> Any:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        if isinstance(value, str):
            at = datetime.fromisoformat(value)
            return at if at.tzinfo else at.replace(tzinfo=UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    problems.append(_problem(Fault.TYPE, path, value, "a Timestamp"))
    return datetime.fromtimestamp(0, UTC)


def _read_blob(value: Any, path: Path, problems: list[Problem]) -> Any:
    if isinstance(value, bytes):
        return value
    try:
        if isinstance(value, str):
            return base64.b64decode(value, validate=True)
    except binascii.Error:
        pass
    problems.append(_problem(Fault.TYPE, path, value, "a Blob"))
    return b""


_SCALARS: dict[str, Reader] = {"boolean": _read_boolean, "timestamp": _read_timestamp, "blob": _read_blob}


# Writers: None means that JSON carries the value as it is


def _writer(shape: Shape) -> Writer | None:
    if not _needs_writing(shape, set()):
        return None
    if shape.type_name == "timestamp":
        return lambda at: at.timestamp() if isinstance(at, datetime) else at
    if shape.type_name == "blob":
        return lambda data: base64.b64encode(data).decode("ascii")
    if isinstance(shape, StructureShape):
        members = {name: write for name, member in shape.members.items() if (write := _writer(member)) is not None}
        return lambda value: _write_structure(value, members)
    if isinstance(shape, ListShape):
        member = _writer(shape.member)
        assert member is not None
        return lambda value: [member(item) for item in value]
    assert isinstance(shape, MapShape)
    item_writer = _writer(shape.value)
    assert item_writer is not None
    return lambda value: {key: item_writer(item) for key, item in value.items()}


def _write_structure(value: dict[str, Any], members: dict[str, Writer]) -> dict[str, Any]:
    if members.keys().isdisjoint(value):
        return value
    written = dict(value)
    for name, write in members.items():
        if name in written:
            written[name] = write(written[name])
    return written


def _needs_writing(shape: Shape, seen: set[str]) -> bool:
    if shape.type_name in ("timestamp", "blob"):
        return True
    if shape.name in seen:
        return False
    seen.add(shape.name)
    if isinstance(shape, StructureShape):
        return any(_needs_writing(member, seen) for member in shape.members.values())
    if isinstance(shape, ListShape):
        return _needs_writing(shape.member, seen)
    return isinstance(shape, MapShape) and _needs_writing(shape.value, seen)
