"""Quantities as people write them: `30s`, `5m`, `3/s`, `2KiB`, `5%`; numbers inside the program.

Each type accepts its own canonical number too, so a resolved scenario can be read back. A bool is never a number,
and a number is never text: YAML would otherwise turn `yes` and `1.10` into something that was not written. What is
read is the float nearest to what is written, as a measured figure is the nearest to its nanoseconds: so `p95 < 9ms` is
missed by exactly 9 ms.
"""

import math
import re
from fractions import Fraction
from typing import Annotated

from pydantic import BeforeValidator, Field, Strict, WithJsonSchema

_SECONDS = {
    "ns": Fraction(1, 10**9), "us": Fraction(1, 10**6), "µs": Fraction(1, 10**6), "\u03bcs": Fraction(1, 10**6),
    "ms": Fraction(1, 1000), "s": Fraction(1), "min": Fraction(60), "m": Fraction(60), "h": Fraction(3600),
    "d": Fraction(86400),
}  # fmt: skip  # micro has two characters, a sign of its own and the Greek letter
_BYTES = {
    "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30,
}  # fmt: skip
_PER_SECOND = {"s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hour": 3600}

SECONDS_MAX = 366 * 86400.0  # a run of a year; far below what int64 nanoseconds can hold
HERTZ_MAX = 1e6

# One source for the parsers and for the JSON schema, whose dialect has [0-9] but no named groups.
_NUMBER = r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?"
_DURATION = rf"({_NUMBER})\s*({'|'.join(_SECONDS)})"
_UNITS_DESCEND = ("d", "h", "min|m", "s", "ms", "us|µs|\u03bcs", "ns")  # each at most once: `1m1m` is a slip
_DURATIONS = "(?=[0-9])" + "".join(rf"({_NUMBER}\s*({unit})\s*)?" for unit in _UNITS_DESCEND)
_RATE = rf"({_NUMBER})\s*(/|per )\s*({'|'.join(_PER_SECOND)})"
_SIZE = rf"({_NUMBER})\s*({'|'.join(_BYTES)})"
_SHARE = rf"({_NUMBER})\s*%"


_EXACT_MAX = 40  # characters: a longer number is not read exactly


def _exact(number: str) -> Fraction | float:
    """As written; a number without end, or far too long, as a float is."""
    value = float(number)
    return Fraction(number) if 0 < value < math.inf and len(number) <= _EXACT_MAX else value


def _nearest(quantity: Fraction | float) -> float:
    try:
        return float(quantity)
    except OverflowError:
        return math.inf


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError("must be a finite number")
    return number


def parse_duration_s(value: object) -> float:
    """Seconds from `90s`, `1m30s`, `250ms`, `1h`, or a plain number of seconds; each unit once, the largest first.

    Raises:
        ValueError: anything else; says what a duration looks like.
    """
    if (number := _finite(value)) is not None:
        return number
    text = str(value).strip()
    sign, body = (-1, text[1:]) if text.startswith("-") else (1, text)
    if not re.fullmatch(_DURATIONS, body):
        if re.fullmatch(rf"({_DURATION}\s*)+", body):
            raise ValueError("must have each unit once and the largest first, as 1h30m")
        raise ValueError("must be a duration such as 30s, 5m, 1h30m or 250ms")
    parts = [_exact(part[1]) * _SECONDS[part[4]] for part in re.finditer(_DURATION, body)]
    return sign * _nearest(sum(parts[1:], parts[0]))


def parse_rate_hz(value: object) -> float:
    """Requests per second from `3/s`, `90/m`, `1000/h`, or a plain number per second."""
    if (number := _finite(value)) is not None:
        return number
    match = re.fullmatch(_RATE, str(value).strip())
    if not match:
        raise ValueError("must be a rate such as 3/s, 90/m or 1000/h")
    return _nearest(_exact(match[1]) / _PER_SECOND[match[5]])


def parse_size_bytes(value: object) -> int:
    """Bytes from `2KiB`, `1MB`, or a plain number of bytes."""
    if (number := _finite(value)) is None:
        match = re.fullmatch(_SIZE, str(value).strip())
        if not match:
            raise ValueError("must be a size such as 512B, 2KiB or 1MB")
        number = _finite(_nearest(_exact(match[1]) * _BYTES[match[4]]))
    if number is None or number != int(number):
        raise ValueError("must be a whole number of bytes")
    return int(number)


def parse_share(value: object) -> float:
    """A share 0..1 from `5%` or a plain number."""
    if (number := _finite(value)) is not None:
        return number
    match = re.fullmatch(_SHARE, str(value).strip())
    if not match:
        raise ValueError("must be a share such as 5% or 0.05")
    return _nearest(_exact(match[1]) / 100)


def parse_number(value: object) -> float:
    """A finite number, or its digits as text; no booleans. Raises ValueError."""
    if (number := _finite(value)) is None:
        raise ValueError("must be a number")
    return number


def parse_whole(value: object) -> int:
    """An integer; `1e6` is one too, as it is in JSON schema."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    number = _finite(value)
    if number is None or number != int(number):
        raise ValueError("must be a whole number")
    return int(number)


def format_duration(seconds: float) -> str:
    """`1h 30m`, `1m 30s`, `2.5s`, `250ms`: what a person would write, read back within rounding."""
    if seconds < 0:
        return f"-{format_duration(-seconds)}"
    if seconds < 0.99995:  # what rounds up to the next unit is written in it
        return f"{seconds * 1000:.4g}ms" if seconds else "0s"
    if seconds < 59.995:
        return f"{seconds:.4g}s"
    whole = round(seconds)
    parts = ((whole // 86400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "m"), (whole % 60, "s"))
    return " ".join(f"{count}{unit}" for count, unit in parts if count)


def format_rate(hertz: float) -> str:
    """`50/s`, `0.5/s`, `3/m`, `12/h`: per second while that is a readable number."""
    for unit, factor in (("s", 1.0), ("m", 60.0)):
        if hertz * factor >= 0.1 or not hertz:
            return f"{hertz * factor:.4g}/{unit}"
    return f"{hertz * 3600:.4g}/h"


def _quantity(pattern: str, unit: str, example: str, **bounds: float) -> WithJsonSchema:
    """The schema of a quantity: text in its own notation, or a plain number in `unit` within the same bounds."""
    text = {"type": "string", "pattern": rf"^\s*{pattern}\s*$"}
    return WithJsonSchema({"anyOf": [text, {"type": "number", **bounds}], "unit": unit, "examples": [example]})


def _seconds(**bounds: float) -> WithJsonSchema:
    return _quantity(_DURATIONS, "seconds", "30s", **bounds)


Seconds = Annotated[
    float, BeforeValidator(parse_duration_s), Field(ge=0, le=SECONDS_MAX), _seconds(minimum=0, maximum=SECONDS_MAX)
]
PositiveSeconds = Annotated[
    float,
    BeforeValidator(parse_duration_s),
    Field(gt=0, le=SECONDS_MAX),
    _seconds(exclusiveMinimum=0, maximum=SECONDS_MAX),
]
SignedSeconds = Annotated[
    float,
    BeforeValidator(parse_duration_s),
    Field(ge=-SECONDS_MAX, le=SECONDS_MAX),
    _quantity("-?" + _DURATIONS, "seconds", "-250ms", minimum=-SECONDS_MAX, maximum=SECONDS_MAX),
]
Hertz = Annotated[
    float,
    BeforeValidator(parse_rate_hz),
    Field(ge=0, le=HERTZ_MAX),
    _quantity(_RATE, "requests per second", "3/s", minimum=0, maximum=HERTZ_MAX),
]
PositiveHertz = Annotated[
    float,
    BeforeValidator(parse_rate_hz),
    Field(gt=0, le=HERTZ_MAX),
    _quantity(_RATE, "requests per second", "3/s", exclusiveMinimum=0, maximum=HERTZ_MAX),
]
Bytes = Annotated[int, BeforeValidator(parse_size_bytes), Field(ge=0), _quantity(_SIZE, "bytes", "2KiB", minimum=0)]
Share = Annotated[
    float, BeforeValidator(parse_share), Field(ge=0, le=1), _quantity(_SHARE, "share", "5%", minimum=0, maximum=1)
]

# Bounds come from the field: `Whole = Field(ge=1)`. The types only refuse what is no number.
Whole = Annotated[int, BeforeValidator(parse_whole)]
Number = Annotated[float, BeforeValidator(parse_number)]
Switch = Annotated[bool, Strict()]
