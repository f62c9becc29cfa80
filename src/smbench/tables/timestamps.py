"""Time as traces write it, to integer nanoseconds, exactly.

No float on the way: near today's date a float64 of seconds is 240 ns coarse, and traces write seven digits.
"""

import re
import unicodedata
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

DIGITS = {"s": 9, "ms": 6, "us": 3, "ns": 0}  # decimal places of each unit down to the nanosecond

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?", re.ASCII)
_ISO = re.compile(
    r"(\d{4})([-/])(\d\d)\2(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?"
    r"(?: ?(?:(Z|z|UTC)|([+-])(\d\d)(?::?(\d\d))?(?: [A-Z]{3,5})?)(?:\[[\w/+-]+\])?)?",  # Go and Java name it, too
    re.ASCII,
)
_BASIC = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(.*)", re.ASCII | re.DOTALL)  # ISO's form without marks
_TIME_OF_DAY = re.compile(r"\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?", re.ASCII)
_UNIT_WORDS = {
    "s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s",
    "ms": "ms", "msec": "ms", "millis": "ms", "millisecond": "ms", "milliseconds": "ms",
    "us": "us", "µs": "us", "usec": "us", "micros": "us", "microsecond": "us", "microseconds": "us",
    "ns": "ns", "nsec": "ns", "nanos": "ns", "nanosecond": "ns", "nanoseconds": "ns",
}  # fmt: skip
_LENGTH_PART = r"(\d+(?:\.\d+)?)\s*(ns|us|[µ\u03bc]s|ms|sec|s|min|m|h)"
_LENGTH = re.compile(rf"(?:{_LENGTH_PART}\s*)+", re.ASCII)
_OF_LENGTH = {"ns": 1, "us": 10**3, "µs": 10**3, "\u03bcs": 10**3, "ms": 10**6, "s": 10**9, "sec": 10**9}
_OF_LENGTH |= {"min": 60 * 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_CLOCK = re.compile(
    r"(?:(\d+)(?: days?,? |\.))?(\d+):([0-5]\d):([0-5]\d(?:[.,]\d+)?)", re.ASCII
)  # pandas, Python, .NET
_ISO_LENGTH = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:[.,]\d+)?)S)?)?(?<![PT])", re.ASCII)  # Java
_INT64_MAX = 2**63 - 1
_THOUSANDS = re.compile(r"[+-]?\d{1,3}([,.'’_\s]\d{3})+([.,]\d+)?")  # \s: also the narrow and unbroken blanks
_YEAR_LAST = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:[T ,].*)?", re.ASCII)
_MONTH_WORD = re.compile(
    r"[^A-Za-z]*(?:[A-Za-z]{3,9},?[ -])?(?:\d{1,2}[ /.-]*)?"
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)[ /.-]+\d.*",
    re.ASCII | re.IGNORECASE,
)
NO_NUMBER = "is not a number"
NO_TIME = "is not a time: neither a number nor a date such as 2023-11-16 18:17:03.9799600"


def is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def is_date(text: str) -> bool:
    """Whether the text has the form of a date; the month may still be the thirteenth."""
    return _ISO.fullmatch(_with_marks(text)) is not None


def no_date(text: str) -> str | None:
    """What to say of a date that a person reads and `is_date` does not take; None: it is none of these.

    `03/11/2026` is a day in March or in November, so which of them is never guessed.
    """
    if found := _YEAR_LAST.fullmatch(text):
        first, _, second, _ = found.groups()
        which = "" if max(int(first), int(second)) > 12 else f" ({first} and {second}: which is the month?)"
        return f"is a date with its year last{which}: write year-month-day, such as 2023-11-16 18:17:03"
    if _MONTH_WORD.fullmatch(text):
        return "is a date with its month as a word: write it as a number, such as 2023-11-16T18:17:03Z"
    return None


def _with_marks(text: str) -> str:
    match = _BASIC.fullmatch(text)
    return "{}-{}-{}T{}:{}:{}{}".format(*match.groups()) if match else text


def is_time_of_day(text: str) -> bool:
    """Whether the text has the form of a time without a date, `18:17` or `18:17:03.97`."""
    return _TIME_OF_DAY.fullmatch(text) is not None


def has_time_of_day(date: str) -> bool:
    """Whether a date of `is_date` says more than the day."""
    return ":" in _with_marks(date)


def parse_number(text: str) -> Decimal:
    """A finite decimal number, no digit lost.

    Raises:
        ValueError: anything else, "nan" and "1_000" included.
    """
    if not is_number(text):
        marked = f"{NO_NUMBER}: it has marks between its thousands, or a decimal comma; write 1234.5"
        raise ValueError(marked if _THOUSANDS.fullmatch(text) else NO_NUMBER)
    return Decimal(text)


def is_length(text: str) -> bool:
    """Whether the text is a duration with its own unit: `12.5ms`, `1m2.3s`, `0:00:00.0125`, `PT0.0125S`."""
    return any(form.fullmatch(text) for form in (_LENGTH, _CLOCK, _ISO_LENGTH))


def length_ns(text: str) -> int:
    """Nanoseconds of a duration with its own unit, to the nearest.

    Raises:
        ValueError: it is none, or beyond 292 years.
    """
    if match := _CLOCK.fullmatch(text) or _ISO_LENGTH.fullmatch(text):
        sizes = (Decimal((part or "0").replace(",", ".")) for part in match.groups())
        total = sum((size * seconds for size, seconds in zip(sizes, (86_400, 3_600, 60, 1), strict=True)), Decimal(0))
        total *= 10**9
    elif _LENGTH.fullmatch(text):
        parts = re.findall(_LENGTH_PART, text, re.ASCII)
        total = sum((Decimal(number) * _OF_LENGTH[unit] for number, unit in parts), Decimal(0))
    else:
        raise ValueError("is not a duration with a unit, such as 12.5ms")
    if total > _INT64_MAX:
        raise ValueError("is beyond 292 years")
    return int(total.to_integral_value())


def number_ns(number: Decimal, unit: str) -> int:
    """Nanoseconds, to the nearest; exact when the number ends there.

    Raises:
        ValueError: beyond 292 years.
    """
    scaled = number.scaleb(DIGITS[unit])
    if abs(scaled) > _INT64_MAX:
        raise ValueError(f"is beyond 292 years when its unit is {unit}")
    return int(scaled.to_integral_value())


def date_ns(text: str) -> int:
    """UTC nanoseconds since 1970 of an ISO date and time, its date written with `-` or `/`, the year first.

    `T` or a space between date and time; seconds, their fraction (any number of digits, the tenth and later cut off)
    and the time itself may be missing; `Z`, `UTC` or an offset, and **with no zone it is taken as UTC**: a replay
    needs differences only, and a zone with summer time would bend them.

    Raises:
        ValueError: no such form, or no such date.
    """
    match = _ISO.fullmatch(_with_marks(text))
    if match is None:
        raise ValueError(no_date(text) or "is not a date and time such as 2023-11-16 18:17:03.9799600")
    year, _, month, day, hour, minute, second, fraction, _zulu, sign, offset_hours, offset_minutes = match.groups()
    try:
        at_s = _minute_s(int(year), int(month), int(day), int(hour or 0), int(minute or 0))
    except ValueError as error:
        raise ValueError(f"is not a date: {error}") from None
    if int(second or 0) > 59:
        raise ValueError("has a second beyond 59")
    if sign:
        offset_s = int(offset_hours) * 3600 + int(offset_minutes or 0) * 60
        at_s -= offset_s if sign == "+" else -offset_s
    return (at_s + int(second or 0)) * 10**9 + int((fraction or "")[:9].ljust(9, "0"))


@lru_cache(maxsize=256)  # a trace has thousands of rows a minute
def _minute_s(year: int, month: int, day: int, hour: int, minute: int) -> int:
    since_1970 = datetime(year, month, day, hour, minute, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return since_1970.days * 86_400 + since_1970.seconds


def words_of(name: str) -> list[str]:
    """The words of a column's name in small letters: `Arrival_Time (ms)` is `arrival`, `time`, `ms`."""
    plain = name if name.isascii() else unicodedata.normalize("NFKC", name).replace("\u03bc", "µ")  # mu, the letter
    camel_apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain)
    return re.sub(r"[^a-zµ]+", " ", camel_apart.lower()).split()


def split_unit(name: str) -> tuple[str, str | None]:
    """A column's name in plain letters, and the unit it ends with: `Arrival_Time (ms)` is `arrivaltime` and `ms`."""
    words = words_of(name)
    unit = _UNIT_WORDS.get(words[-1]) if words else None
    return "".join(words[:-1] if unit else words), unit


def unit_of_epoch(number: Decimal) -> str | None:
    """The unit in which a number is an epoch time of the years 2001 to 2286; None when there is none."""
    return next((unit for unit, digits in DIGITS.items() if 10 ** (18 - digits) <= number < 10 ** (19 - digits)), None)
