"""Quantities as people write them: `30s`, `5m`, `3/s`, `2KiB`, `5%`; numbers inside the program.

Each type accepts its own canonical number too, so a resolved scenario can be read back.
"""

import math
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {
    "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30,
}  # fmt: skip
_NUMBER = r"(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
_DURATION_PART = re.compile(_NUMBER + r"\s*(ns|us|µs|ms|s|min|m|h|d)")
_RATE = re.compile(_NUMBER + r"\s*(?:/|per\s+)\s*(s|sec|second|m|min|minute|h|hour)")
_SIZE = re.compile(_NUMBER + r"\s*(B|kB|KB|MB|GB|KiB|MiB|GiB)")
_PER_SECOND = {"s": 1.0, "sec": 1.0, "second": 1.0, "m": 60.0, "min": 60.0, "minute": 60.0, "h": 3600.0, "hour": 3600.0}


def _finite(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not math.isfinite(value):
        raise ValueError("must be a finite number")
    return float(value)


def parse_duration_s(value: Any) -> float:
    """Seconds from `90s`, `1m30s`, `250ms`, `1h`, or a plain number of seconds.

    Raises:
        ValueError: anything else; says what a duration looks like.
    """
    if (number := _finite(value)) is not None:
        return number
    text = str(value).strip()
    sign, body = (-1.0, text[1:]) if text.startswith("-") else (1.0, text)
    parts = _DURATION_PART.findall(body)
    if not parts or _DURATION_PART.sub("", body).strip():
        raise ValueError("must be a duration such as 30s, 5m, 1h30m or 250ms")
    return sign * math.fsum(float(number) * _SECONDS[unit] for number, unit in parts)


def parse_rate_hz(value: Any) -> float:
    """Requests per second from `3/s`, `90/m`, `1000/h`, or a plain number per second."""
    if (number := _finite(value)) is not None:
        return number
    match = _RATE.fullmatch(str(value).strip())
    if not match:
        raise ValueError("must be a rate such as 3/s, 90/m or 1000/h")
    return float(match[1]) / _PER_SECOND[match[2]]


def parse_size_bytes(value: Any) -> int:
    """Bytes from `2KiB`, `1MB`, or a plain number of bytes."""
    if (number := _finite(value)) is not None:
        if number != int(number):
            raise ValueError("must be a whole number of bytes")
        return int(number)
    match = _SIZE.fullmatch(str(value).strip())
    if not match:
        raise ValueError("must be a size such as 512B, 2KiB or 1MB")
    return round(float(match[1]) * _BYTES[match[2]])


def parse_share(value: Any) -> float:
    """A share 0..1 from `5%` or a plain number."""
    if (number := _finite(value)) is not None:
        return number
    text = str(value).strip()
    if not text.endswith("%"):
        raise ValueError("must be a share such as 5% or 0.05")
    try:
        return float(text[:-1]) / 100
    except ValueError:
        raise ValueError("must be a share such as 5% or 0.05") from None


def _written(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": pattern}, {"type": "number"}], "examples": [example]}
    )


_DURATION_SCHEMA = _written(r"^(\d+(\.\d+)?\s*(ns|us|µs|ms|s|min|m|h|d)\s*)+$", "30s")

Seconds = Annotated[float, BeforeValidator(parse_duration_s), Field(ge=0), _DURATION_SCHEMA]
PositiveSeconds = Annotated[float, BeforeValidator(parse_duration_s), Field(gt=0), _DURATION_SCHEMA]
SignedSeconds = Annotated[
    float, BeforeValidator(parse_duration_s), _written(r"^-?(\d+(\.\d+)?\s*(ns|us|µs|ms|s|min|m|h|d)\s*)+$", "-250ms")
]
Hertz = Annotated[
    float, BeforeValidator(parse_rate_hz), Field(ge=0), _written(r"^\d+(\.\d+)?\s*(/|per )\s*[a-z]+$", "3/s")
]
PositiveHertz = Annotated[
    float, BeforeValidator(parse_rate_hz), Field(gt=0), _written(r"^\d+(\.\d+)?\s*(/|per )\s*[a-z]+$", "3/s")
]
Bytes = Annotated[int, BeforeValidator(parse_size_bytes), Field(ge=0), _written(r"^\d+(\.\d+)?\s*[kKMG]?i?B$", "2KiB")]
Share = Annotated[float, BeforeValidator(parse_share), Field(ge=0, le=1), _written(r"^\d+(\.\d+)?\s*%$", "5%")]
