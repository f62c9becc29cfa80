"""Goal: numbers as a person reads them, at every size, and never rounded into another truth. Method: a table."""

import pytest

from smbench import units


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 s"),
        (3.1e-7, "0.31 us"),
        (4.2e-5, "42.0 us"),
        (0.00999, "9.99 ms"),
        (0.31, "310 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.00 s"),
        (1.24, "1.24 s"),
        (9.999, "10.0 s"),
        (99.96, "100 s"),
        (119.4, "119 s"),
        (119.6, "2 m"),
        (252.0, "4 m 12 s"),
        (252.6, "4 m 13 s"),
        (7199.6, "2 h"),
        (7260.0, "2 h 01 m"),
        (90 * 60, "90 m"),
        (500 * 3600, "20 d 20 h"),
        (-0.31, "-310 ms"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert units.duration(seconds) == text


@pytest.mark.parametrize(
    ("hertz", "text"),
    [(None, "-"), (0.0, "0/s"), (1234.5, "1,234/s"), (15.0, "15.0/s"), (0.5, "30.0/min"), (1 / 7200, "0.5/h")],
)
def test_rates(hertz: float | None, text: str) -> None:
    assert units.rate(hertz) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (None, "-"),
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.035, "3.50 %"),
        (0.99996, "> 99.99 %"),
        (0.9998, "99.98 %"),
        (0.00001, "< 0.01 %"),
    ],
)
def test_shares_are_never_rounded_to_none_or_all(fraction: float | None, text: str) -> None:
    assert units.share(fraction) == text


def test_sizes() -> None:
    assert [units.size(n) for n in (0, 512, 128 * 2**20, 3 * 2**30)] == ["0 B", "512 B", "128 MiB", "3.00 GiB"]


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0.0, "0.00 USD"),
        (1234.5, "1,234.50 USD"),
        (0.996, "1.00 USD"),
        (0.994, "0.99 USD"),
        (0.1, "0.1 USD"),
        (0.0013, "0.0013 USD"),
        (2.577e-05, "0.000026 USD"),
        (1e-05, "0.00001 USD"),
        (9.96e-07, "0.000001 USD"),
        (-0.026, "-0.026 USD"),
        (-3.5, "-3.50 USD"),
    ],
)
def test_dollars(amount: float, text: str) -> None:
    assert units.usd(amount) == text


@pytest.mark.parametrize(
    ("n", "several", "text"),
    [(1, "", "1 cell"), (0, "", "0 cells"), (1234, "", "1,234 cells"), (1, "many", "1 cell"), (2, "many", "2 many")],
)
def test_one_thing_is_counted_in_the_singular(n: int, several: str, text: str) -> None:
    assert units.counted(n, "cell", several) == text
