"""Goal: quantities mean what a person who writes them means, and the program never reads more into them.

Method: hypothesis writes quantities from known numbers; what is read back must be those numbers.
"""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbench.scenario.values.quantities import (
    format_duration,
    format_rate,
    parse_duration_s,
    parse_number,
    parse_rate_hz,
    parse_share,
    parse_size_bytes,
    parse_whole,
)

UNITS_S = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
PARSERS = (parse_duration_s, parse_rate_hz, parse_size_bytes, parse_share, parse_number, parse_whole)


PARTS = st.lists(
    st.tuples(st.integers(0, 999), st.sampled_from(sorted(UNITS_S))), min_size=1, max_size=4,
    unique_by=lambda part: UNITS_S[part[1]],
)  # fmt: skip


@pytest.mark.slow
@given(PARTS.map(lambda parts: sorted(parts, key=lambda part: -UNITS_S[part[1]])), st.booleans())
def test_a_duration_is_the_sum_of_its_parts(parts: list[tuple[int, str]], spaced: bool) -> None:
    text = (" " if spaced else "").join(f"{count}{unit}" for count, unit in parts)
    assert parse_duration_s(text) == pytest.approx(sum(count * UNITS_S[unit] for count, unit in parts))
    assert parse_duration_s("-" + text) == -parse_duration_s(text)


@pytest.mark.parametrize(
    ("text", "is_slip"),
    [("1m1m", True), ("30m1h", True), ("1min 1m", True), ("1us1µs", True), ("1s 2ms 3s", True), ("1h30", False)],
)
def test_a_unit_that_comes_twice_or_after_a_smaller_one_is_refused(text: str, is_slip: bool) -> None:
    for written in (text, "-" + text):
        with pytest.raises(ValueError, match="largest first" if is_slip else "such as"):
            parse_duration_s(written)


@pytest.mark.slow
@given(st.floats(0, 1e6), st.sampled_from([("s", 1), ("m", 60), ("min", 60), ("h", 3600), ("hour", 3600)]))
def test_a_rate_is_per_second(number: float, unit: tuple[str, int]) -> None:
    for text in (f"{number:f}/{unit[0]}", f"{number:f} / {unit[0]}", f"{number:f} per {unit[0]}"):
        assert parse_rate_hz(text) == pytest.approx(float(f"{number:f}") / unit[1])


@pytest.mark.slow
@given(st.floats(0, 100))
def test_a_share_is_a_hundredth_of_its_percent(percent: float) -> None:
    assert parse_share(f"{percent:f}%") == pytest.approx(float(f"{percent:f}") / 100)


@pytest.mark.slow
@given(st.integers(0, 10**6), st.sampled_from([("us", 1_000), ("ms", 10**6), ("s", 10**9), ("m", 60 * 10**9)]))
def test_a_duration_is_the_figure_of_as_many_nanoseconds(thousandths: int, unit: tuple[str, int]) -> None:
    """So that a threshold and what was measured meet where they are the same."""
    written = f"{thousandths // 1000}.{thousandths % 1000:03d}{unit[0]}"
    assert parse_duration_s(written) == thousandths * (unit[1] // 1000) / 1e9


@pytest.mark.slow
@given(st.integers(0, 10**6), st.integers(0, 4))
def test_a_share_is_the_figure_of_as_many_of_all(n: int, digits: int) -> None:
    whole = 10 ** (digits + 2)
    assert parse_share(f"{n // 10**digits}.{n % 10**digits:0{digits}d}0%") == n / whole


@pytest.mark.slow
@given(st.integers(0, 10**6), st.sampled_from([("B", 1), ("kB", 1000), ("KiB", 1024), ("MB", 10**6), ("MiB", 2**20)]))
def test_a_size_is_in_bytes(count: int, unit: tuple[str, int]) -> None:
    assert parse_size_bytes(f"{count}{unit[0]}") == count * unit[1]


@pytest.mark.slow
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_plain_number_is_itself(number: float) -> None:
    for parse in (parse_duration_s, parse_rate_hz, parse_share, parse_number):
        assert parse(number) == number


@pytest.mark.slow
@given(st.text(max_size=12) | st.booleans() | st.none() | st.floats() | st.integers() | st.lists(st.integers()))
def test_anything_is_a_finite_number_or_a_value_error(value: object) -> None:
    for parse in PARSERS:
        try:
            read: float | str = parse(value)
        except ValueError as error:
            read = str(error)
        if isinstance(read, str):
            assert read.startswith("must be ")
        else:
            assert math.isfinite(read) or isinstance(value, str)  # "1e999s" is out of bounds, not unreadable


@pytest.mark.parametrize(
    "value", [True, False, None, [], {}, "", "x", "1", "s", "5 parsecs", "1.5.3s", "1e", "٣s", "1s!"]
)
def test_what_is_no_quantity_is_refused(value: object) -> None:
    for parse in PARSERS:
        with pytest.raises(ValueError, match="must be "):
            parse(value)


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, 10**400])
def test_numbers_without_end_are_refused(number: float) -> None:
    for parse in (parse_duration_s, parse_rate_hz, parse_size_bytes, parse_share, parse_number):
        with pytest.raises(ValueError, match="must be a finite number"):
            parse(number)


@pytest.mark.slow
@given(st.floats(-1e6, 1e6))
def test_a_formatted_duration_reads_back_within_its_rounding(seconds: float) -> None:
    read = parse_duration_s(format_duration(seconds))
    # Three digits after the first below a minute, whole seconds above it.
    assert math.isclose(read, seconds, rel_tol=5e-4, abs_tol=0.5 if abs(seconds) >= 59.9 else 1e-12)


@pytest.mark.slow
@given(st.floats(1e-3, 1e6))
def test_a_formatted_rate_reads_back_within_its_rounding(hertz: float) -> None:
    assert math.isclose(parse_rate_hz(format_rate(hertz)), hertz, rel_tol=5e-4)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.25, "250ms"),
        (2.5, "2.5s"),
        (59.99, "59.99s"),
        (0.99996, "1s"),
        (59.999, "1m"),
        (90, "1m 30s"),
        (3600, "1h"),
        (93784, "1d 2h 3m 4s"),
        (-90, "-1m 30s"),
    ],
)
def test_durations_are_written_as_a_person_would(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
