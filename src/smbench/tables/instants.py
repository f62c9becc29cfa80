"""A column of instants as integer nanoseconds: read a batch at a time, exactly as `timestamps` reads one cell.

The usual ways of writing are read by polars, all rows at once; a cell that is written otherwise is read by
`timestamps` alone, which also says what is wrong with it. No float on the way, unless the file itself holds floats.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from smbench.tables.table import BadCell
from smbench.tables.timestamps import DIGITS, date_ns, length_ns, number_ns, parse_number

Nanoseconds: TypeAlias = npt.NDArray[np.int64]

_INT64_MAX = 2**63 - 1
_NUMBER = r"^-?[0-9]{1,18}(\.[0-9]+)?$"
_DATE = (
    r"^[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-5][0-9]([.,][0-9]+)?"
    r"( ?(Z|z|UTC|[+-][0-9]{2}(:?[0-9]{2})?))?$"
)
_DAY_CHARS = 8  # of `20261101T100000`, and up to the last `-` of `2026-11-01`
_ZONE = r"[Zz+-]|UTC"
_COARSE_MAX_NS = 1e6
_DAY_NS = 86_400 * 10**9
_FOREVER = "is beyond what 64 bits of nanoseconds can hold: the years 1678 to 2261"


def dates_ns(cells: pl.Series) -> Nanoseconds:
    """UTC nanoseconds since 1970 of dates: text, or a date or datetime type.

    Raises:
        BadCell: one is none.
    """
    if cells.dtype == pl.String:
        return _checked(cells, _plain_dates_ns, date_ns)
    present = _present(cells)
    if cells.dtype == pl.Date:
        return _scaled(present.cast(pl.Int32).cast(pl.Int64) * 86_400, 9)
    unit = getattr(cells.dtype, "time_unit", "us")
    return _scaled(present.to_physical().cast(pl.Int64), {"ns": 0, "us": 3, "ms": 6}[unit])


def zones_said(cells: pl.Series) -> frozenset[bool]:
    """Whether dates say their time zone: True, False, or both where some do and some do not; empty without a date."""
    if cells.dtype == pl.String:
        if len(cells) and cells.str.ends_with("Z").all(ignore_nulls=False):
            return frozenset([True])
        said = cells.str.slice(_DAY_CHARS).str.contains(_ZONE).unique().drop_nulls()
        return frozenset(said.to_list())
    is_zoned = isinstance(cells.dtype, pl.Datetime) and cells.dtype.time_zone is not None
    return frozenset() if cells.null_count() == len(cells) else frozenset([is_zoned])


def numbers_ns(cells: pl.Series, unit: str) -> Nanoseconds:
    """Nanoseconds of numbers in a unit: text, integers, floats, decimals or durations (whose type has a unit).

    Raises:
        BadCell: one is no finite number, or lies beyond 292 years.
    """
    digits = DIGITS[unit]
    if isinstance(cells.dtype, pl.Decimal):
        cells = cells.cast(pl.String)
    if cells.dtype == pl.String:
        return _checked(
            cells, lambda text: _plain_numbers_ns(text, digits), lambda text: number_ns(parse_number(text), unit)
        )
    present = _present(cells)
    if isinstance(cells.dtype, pl.Duration):
        return _scaled(present.to_physical(), {"ns": 0, "us": 3, "ms": 6}[cells.dtype.time_unit or "us"])
    if cells.dtype.is_integer():
        return _scaled(present.cast(pl.Int128), digits)
    if cells.dtype == pl.Float32:
        _check_fine(present, digits)
    return _of_floats(present, digits)


def _check_fine(cells: pl.Series, digits: int) -> None:
    """Raises BadCell: 32 bits hold seven digits, and an instant of today's date is two minutes coarse in them."""
    coarse_ns = np.spacing(cells.to_numpy()).astype(np.float64) * 10.0**digits
    if (worst := coarse_ns > _COARSE_MAX_NS).any():
        row = int(np.flatnonzero(worst)[0])
        text = f"is kept in 32 bits, which is {coarse_ns[row] / 1e9:.3g} s coarse there: write 64-bit numbers"
        raise BadCell(row, str(cells[row]), text)


def lengths_ns(cells: pl.Series) -> Nanoseconds:
    """Nanoseconds of durations of which each says its own unit, as text.

    Raises:
        BadCell: one is none.
    """
    return _checked(cells, lambda text: pl.Series([None] * len(text), dtype=pl.Int64), length_ns)


def counts(cells: pl.Series, most: int) -> Nanoseconds:
    """Whole numbers from 0, as CloudWatch writes them too: `12.0`.

    Raises:
        BadCell: one is none, or above `most`.
    """
    text = cells if cells.dtype == pl.String else cells.cast(pl.String)
    return _checked(text, _plain_counts, lambda cell: _count(cell, most), most=most)


def _count(text: str, most: int) -> int:
    try:
        number = parse_number(text)
    except ValueError:
        raise ValueError("is not a count: a whole number from 0") from None
    if number < 0 or number != number.to_integral_value():
        raise ValueError("is not a count: a whole number from 0")
    if number > most:
        raise ValueError(f"is more than can be scheduled, {most:,}")
    return int(number)


def _plain_counts(cells: pl.Series) -> pl.Series:
    return pl.select(
        pl.when(cells.str.contains(r"^[0-9]{1,15}(\.0*)?$")).then(
            cells.str.extract(r"^([0-9]+)", 1).cast(pl.Int64, strict=False)
        )
    ).to_series()


def _checked(
    cells: pl.Series,
    plain: Callable[[pl.Series], pl.Series],
    one: Callable[[str], int],
    most: int = _INT64_MAX,
) -> Nanoseconds:
    """All cells by `plain`, which leaves null what it does not know; those again by `one`, cell by cell."""
    known = plain(cells)
    if not known.null_count() and (most == _INT64_MAX or (known <= most).all()):
        return known.to_numpy()
    values = known.fill_null(0).to_numpy().copy()
    doubtful = known.is_null() if most == _INT64_MAX else known.is_null() | (known > most)
    for row in doubtful.arg_true().to_list():
        text = cells[row]
        if text is None:
            raise BadCell(row, None, "")
        try:
            value = one(text)
        except ValueError as error:
            raise BadCell(row, text, str(error)) from None
        if abs(value) > _INT64_MAX:
            raise BadCell(row, text, _FOREVER)
        values[row] = value
    return values


def _present(cells: pl.Series) -> pl.Series:
    if cells.null_count():
        raise BadCell(int(cells.is_null().arg_true()[0]), None, "")
    return cells


def _scaled(whole: pl.Series, digits: int) -> Nanoseconds:
    factor = 10**digits
    beyond = (whole > _INT64_MAX // factor) | (whole < -(_INT64_MAX // factor))
    if beyond.any():
        row = int(beyond.arg_true()[0])
        raise BadCell(
            row,
            str(whole[row]),
            "is beyond 292 years" if factor == 1 else f"is beyond 292 years when its unit is {_unit(digits)}",
        )
    scaled: Nanoseconds = whole.cast(pl.Int64).to_numpy() * factor
    return scaled


def _unit(digits: int) -> str:
    return next(unit for unit, places in DIGITS.items() if places == digits)


def _of_floats(cells: pl.Series, digits: int) -> Nanoseconds:
    numbers = cells.cast(pl.Float64).to_numpy()
    factor = 10**digits
    bad = ~np.isfinite(numbers)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise BadCell(row, str(numbers[row]), "is not a number")
    if (beyond := np.abs(numbers) >= _INT64_MAX // factor).any():
        row = int(np.flatnonzero(beyond)[0])
        raise BadCell(row, str(numbers[row]), f"is beyond 292 years when its unit is {_unit(digits)}")
    whole = np.floor(numbers)  # apart, so that the fraction keeps all the digits that the float has
    scaled: Nanoseconds = whole.astype(np.int64) * factor + np.rint((numbers - whole) * factor).astype(np.int64)
    return scaled


def _plain_numbers_ns(cells: pl.Series, digits: int) -> pl.Series:
    """Nanoseconds, to the nearest, half to even; null where a cell is not of the plain form or too large."""
    most = (_INT64_MAX // 10**digits) - 1
    is_plain = cells.str.contains(_NUMBER)
    if not cells.str.contains(".", literal=True).any():
        whole = cells.cast(pl.Int64, strict=False)
        fits = is_plain & whole.is_between(-most, most)
        return pl.select(pl.when(fits).then(whole * 10**digits)).to_series()
    size = cells.str.strip_prefix("-")
    parts = size.str.splitn(".", 2).struct.unnest()
    whole, fraction = parts.to_series(0).cast(pl.Int64, strict=False), parts.to_series(1).fill_null("")
    first = fraction.str.head(digits).str.pad_end(digits, "0").cast(pl.Int64, strict=False) if digits else whole * 0
    rest = fraction.str.slice(digits).str.strip_chars_end("0")
    last = first if digits else whole
    up = (rest > "5") | ((rest == "5") & (last % 2 == 1))
    value = whole * 10**digits + first + up.cast(pl.Int64)
    signed = pl.select(pl.when(cells.str.starts_with("-")).then(-value).otherwise(value)).to_series()
    fits = is_plain & whole.is_between(-most, most)
    return pl.select(pl.when(fits).then(signed)).to_series()


def _plain_dates_ns(cells: pl.Series) -> pl.Series:
    """Null where a cell is not a date with a time to the second, or there is no such day."""
    is_plain = cells.str.contains(_DATE)
    text = pl.select(pl.when(is_plain).then(cells)).to_series()
    day_ns = _by_value(text.str.head(10), lambda day: date_ns(day))
    hours, minutes, seconds = (text.str.slice(at, 2).cast(pl.Int64, strict=False) for at in (11, 14, 17))
    rest = text.str.slice(19)
    value = day_ns + (hours * 3600 + minutes * 60 + seconds) * 10**9
    if (rest != "").any():
        fraction = rest.str.extract(r"^[.,]([0-9]{1,9})", 1).fill_null("").str.pad_end(9, "0").cast(pl.Int64)
        zone_ns = _by_value(rest.str.replace(r"^[.,][0-9]+", ""), lambda zone: -date_ns(f"1970-01-01 00:00:00{zone}"))
        value = value + fraction - zone_ns
    is_time = (hours < 24) & (minutes < 60)
    return pl.select(pl.when(is_plain & is_time).then(value)).to_series()


def _by_value(text: pl.Series, read: Callable[[str], int]) -> pl.Series:
    """Each different text read once: a trace has few days and fewer zones. Null where one cannot be read."""
    found: dict[str, int | None] = {}
    for value in text.drop_nulls().unique().to_list():
        try:
            ns = read(value)
        except ValueError:
            continue
        if abs(ns) < _INT64_MAX - 2 * _DAY_NS:
            found[value] = ns
    if len(found) == 1 and text.n_unique() == 1:
        return pl.Series([next(iter(found.values()))], dtype=pl.Int64).new_from_index(0, len(text))
    return text.replace_strict(list(found), list(found.values()), default=None, return_dtype=pl.Int64)
