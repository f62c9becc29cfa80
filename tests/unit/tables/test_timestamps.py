"""Goal: every way a trace writes time becomes the same integer. Method: tables; the integers are worked out by hand
or by the standard library's calendar."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from smbench.tables.timestamps import date_ns, is_date, no_date, number_ns, parse_number, split_unit, unit_of_epoch

S = 10**9
AT_S = int(datetime(2023, 11, 16, 18, 17, 3, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("text", "after_ns"),
    [
        ("2023-11-16 18:17:03.9799600", 979_960_000),
        ("2023-11-16T18:17:03.9799607", 979_960_700),
        ("2023-11-16T18:17:03.979960712Z", 979_960_712),
        ("2023-11-16T18:17:03.97996071299Z", 979_960_712),  # the tenth digit is below our unit
        ("2023-11-16 18:17:03,5", 500_000_000),
        ("2023-11-16 18:17:03", 0),
        ("2023-11-16 18:17:03 UTC", 0),
        ("2023-11-16T20:17:03+02:00", 0),
        ("2023-11-16 13:47:03.000000001 -0430", 1),
        ("2023-11-16 19:17:03+01", 0),
        ("2023/11/16 18:17:03", 0),
        ("20231116T181703Z", 0),
        ("20231116T191703.5+0100", 500_000_000),
        ("2023-11-16 19:17:03.5 +0100 CET", 500_000_000),  # Go's
        ("2023-11-16T19:17:03+01:00[Europe/Berlin]", 0),  # Java's
        ("2023-11-16 18:17", -3 * S),
        ("2023-11-16", -(18 * 3600 + 17 * 60 + 3) * S),
    ],
)
def test_a_date_is_read_to_the_nanosecond_and_without_a_zone_is_utc(text: str, after_ns: int) -> None:
    assert date_ns(text) == AT_S * S + after_ns


def test_dates_before_1970_count_backwards() -> None:
    assert date_ns("1969-12-31 23:59:59.25") == -750_000_000


@pytest.mark.parametrize(
    "text",
    [
        "", "18:17:03", "16/11/2023 18:17", "2023-11/16 18:17",
        "2023-11-16 18:17:03 CET", "2023-13-01", "2023-02-29", "2023-11-16 24:00",
        "2023-11-16 18:17:60", "2023-11-16 18:17:03.", "2023-11-16  18:17:03", "2023-11-16 18:17:03.1.2",
        "2023-11-16 18:17:03+1", "2023-11-16 18:17:03+01:",
    ],
)  # fmt: skip
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        date_ns(text)


@pytest.mark.parametrize(
    ("text", "unit", "ns"),
    [
        ("1700158623.9799607", "s", 1_700_158_623_979_960_700),  # a float would give ...960_778
        ("1700158623979", "ms", 1_700_158_623_979_000_000),
        ("1700158623979.9607", "ms", 1_700_158_623_979_960_700),
        ("3536999", "ms", 3_536_999_000_000),
        ("5", "us", 5_000),
        ("7", "ns", 7),
        ("0.0000000005", "s", 0),  # half a nanosecond: to the even neighbour
        ("0.0000000015", "s", 2),
        ("1.5e3", "s", 1500 * S),
        ("-2", "s", -2 * S),
        (".5", "s", 500_000_000),
        ("5.", "s", 5 * S),
    ],
)
def test_a_number_keeps_every_digit(text: str, unit: str, ns: int) -> None:
    assert number_ns(parse_number(text), unit) == ns


@pytest.mark.parametrize("text", ["", "abc", "nan", "inf", "-Infinity", "1_000", "1,5", "0x10", "1e999", "1 2", "٣"])
def test_what_is_no_finite_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        parse_number(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("03/11/2026", "03 and 11: which is the month?"),
        ("3-4-2026 10:00", "3 and 4: which is the month?"),
        ("13.11.2026 10:00:05", "year last: write year-month-day"),
        ("11/13/2026, 10:00 AM", "year last: write year-month-day"),
        ("Tue, 03 Nov 2026 10:00:05 GMT", "month as a word"),
        ("03/Nov/2026:10:00:05 +0000", "month as a word"),
        ("Nov 3 10:00:05", "month as a word"),
        ("November 3, 2026", "month as a word"),
    ],
)
def test_a_date_as_a_person_writes_it_is_refused_with_the_way_to_write_it(text: str, said: str) -> None:
    assert not is_date(text)
    with pytest.raises(ValueError, match=re.escape(said)):
        date_ns(text)


@pytest.mark.parametrize("text", ["2026-11-03", "soon", "mayor 5", "12", "decimal", "1.5.7", "Marching 5 x"])
def test_other_text_is_no_date_that_a_person_would_read(text: str) -> None:
    assert no_date(text) is None


def test_numbers_beyond_what_an_integer_holds_are_refused() -> None:
    with pytest.raises(ValueError, match="beyond 292 years when its unit is s"):
        number_ns(Decimal("1e11"), "s")


@pytest.mark.parametrize(
    ("name", "plain", "unit"),
    [
        ("timestamp_ms", "timestamp", "ms"),
        ("TIMESTAMP", "timestamp", None),
        ("Arrival_Time (s)", "arrivaltime", "s"),
        ("startTimeMs", "starttime", "ms"),
        ("ts.ns", "ts", "ns"),
        ("time µs", "time", "us"),
        ("time (\u03bcs)", "time", "us"),  # the Greek letter: cut away, it left seconds
        ("time \u33b2", "time", "us"),
        ("seconds", "", "s"),
        ("requests", "requests", None),
        ("items", "items", None),
        ("", "", None),
    ],
)
def test_a_unit_is_the_last_word_of_a_name(name: str, plain: str, unit: str | None) -> None:
    assert split_unit(name) == (plain, unit)


@pytest.mark.parametrize(
    ("number", "unit"),
    [
        ("1700158623", "s"),
        ("1700158623.25", "s"),
        ("1700158623979", "ms"),
        ("1700158623979.5", "ms"),
        ("1700158623979960", "us"),
        ("1700158623979960712", "ns"),
        ("0", None),
        ("12.5", None),
        ("999999999", None),
    ],
)
def test_the_size_of_an_epoch_time_tells_its_unit_and_of_no_other_number(number: str, unit: str | None) -> None:
    assert unit_of_epoch(Decimal(number)) == unit
