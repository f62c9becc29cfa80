"""Goal: a date of HTTP is the same instant on every machine, and what is none is refused, however it is broken."""

import time
from datetime import UTC, datetime

import pytest

from smbench.wire.dates import http_date


def test_a_date_that_names_no_zone_is_in_gmt_wherever_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert http_date("Thu, 01 Jan 2026 00:00:00 -0000") == datetime(2026, 1, 1, tzinfo=UTC)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "Mon", "1 2 3", "Mon, 1 Jan", "Mon, 32 Jan 2026 00:00:00 GMT"),
        *(f"Mon, 1 Jan {'9' * 20} 00:00:00 GMT", f"Mon, 1 Jan 2026 00:00:00 +{'9' * 14}"),
    ],
)
def test_what_is_no_date_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"date|range|int"):
        http_date(text)
