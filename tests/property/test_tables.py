"""Goal: reading a whole column at once gives what reading each cell alone gives, for every way to write an instant.
Method: hypothesis over the ways that people and programs write numbers and dates, and over some that are wrong."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbench.tables.instants import counts, dates_ns, numbers_ns
from smbench.tables.table import BadCell
from smbench.tables.timestamps import DIGITS, date_ns, number_ns, parse_number

INT64_MAX = 2**63 - 1

whole = st.integers(-(10**18), 10**18).map(str)
fractions = st.builds("{}.{}".format, whole, st.from_regex(r"[0-9]{0,14}", fullmatch=True))
halves = st.builds("{}{}5".format, st.integers(-99, 99), st.sampled_from([".", ".0", ".000000000", ".12345678"]))
odd = st.sampled_from(
    [
        "",
        "+5",
        ".5",
        "5.",
        "1e3",
        "1.5E-7",
        "nan",
        "inf",
        "1_000",
        "٣",
        "0x1",
        "-",
        "1,5",
        "-0.4",
        "99999999999999999999",
    ]
)
numbers = st.one_of(whole, fractions, halves, odd)  # fmt: skip

days = st.builds(
    "{:04d}{}{:02d}{}{:02d}".format,
    st.integers(1600, 2300),
    st.sampled_from("-/"),
    st.integers(1, 13),
    st.sampled_from("-/"),
    st.integers(1, 31),
)
times = st.builds(
    "{}{:02d}:{:02d}:{:02d}{}".format,
    st.sampled_from(" Tt"),
    st.integers(0, 24),
    st.integers(0, 60),
    st.integers(0, 60),
    st.sampled_from(["", ".5", ",25", ".9799607", ".123456789123", "."]),
)
zones = st.sampled_from(["", "Z", " UTC", "+02:00", "-0430", "+01", " CET"])
dates = st.one_of(st.builds("{}{}{}".format, days, times, zones), days, st.builds("{} 18:17".format, days))


def one_by_one(cells: list[str], read) -> list[int] | int:  # type: ignore[no-untyped-def]  # any reader of a cell
    """The values, or the place of the first cell that has none."""
    values = []
    for at, cell in enumerate(cells):
        try:
            value = read(cell)
        except ValueError:
            return at
        if abs(value) > INT64_MAX:
            return at
        values.append(value)
    return values


def at_once(cells: list[str], read) -> list[int] | int:  # type: ignore[no-untyped-def]  # any reader of a column
    try:
        values: list[int] = read(pl.Series(cells, dtype=pl.String)).tolist()
    except BadCell as bad:
        return bad.row
    return values


@pytest.mark.slow
@given(st.lists(numbers, min_size=1, max_size=6), st.sampled_from(sorted(DIGITS)))
def test_a_column_of_numbers_is_its_cells(cells: list[str], unit: str) -> None:
    expected = one_by_one(cells, lambda cell: number_ns(parse_number(cell), unit))
    assert at_once(cells, lambda series: numbers_ns(series, unit)) == expected


@pytest.mark.slow
@given(st.lists(dates, min_size=1, max_size=6))
def test_a_column_of_dates_is_its_cells(cells: list[str]) -> None:
    assert at_once(cells, dates_ns) == one_by_one(cells, date_ns)


@pytest.mark.slow
@given(
    st.lists(
        st.one_of(st.integers(0, 50).map(str), st.sampled_from(["7.0", "0.5", "-1", "x", "1e1", "3."])), min_size=1
    )
)
def test_counts_are_whole_numbers_from_zero(cells: list[str]) -> None:
    def one(cell: str) -> int:
        number = parse_number(cell)
        if number < 0 or number != number.to_integral_value() or number > 40:
            raise ValueError
        return int(number)

    assert at_once(cells, lambda series: counts(series, 40)) == one_by_one(cells, one)
