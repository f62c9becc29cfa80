"""Goal: scheduled actions are due when AWS's expressions say, on the wall clock of their time zone.

Method: instants from a calendar, by hand; and the law that the instants of any expression ascend and fit it.
"""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbench.model.scaling.schedules import UnknownSchedule, read_schedule

ZERO = datetime(2026, 1, 1, tzinfo=UTC)  # a Thursday
BERLIN = ZoneInfo("Europe/Berlin")


def due(text: str, zone: tzinfo = UTC, after: datetime = ZERO, n: int = 3) -> list[str]:
    schedule, found = read_schedule(text, zone, ZERO), list[str]()
    at: datetime | None = after
    while at is not None and len(found) < n:
        at = schedule.next_after(at)
        if at is not None:
            found.append(f"{at:%Y-%m-%dT%H:%M}")
    return found


@pytest.mark.parametrize(
    ("text", "instants"),
    [
        ("at(2026-01-02T03:04:05)", ["2026-01-02T03:04"]),
        ("at(2025-12-31T23:59:59)", []),
        ("rate(1 minute)", ["2026-01-01T00:01", "2026-01-01T00:02", "2026-01-01T00:03"]),
        ("rate(12 hours)", ["2026-01-01T12:00", "2026-01-02T00:00", "2026-01-02T12:00"]),
        ("cron(0 22 ? * MON-FRI *)", ["2026-01-01T22:00", "2026-01-02T22:00", "2026-01-05T22:00"]),
        ("cron(0/20 9 1 * ? *)", ["2026-01-01T09:00", "2026-01-01T09:20", "2026-01-01T09:40"]),
        ("cron(5,10 8-9 15 JUL ? 2027)", ["2027-07-15T08:05", "2027-07-15T08:10", "2027-07-15T09:05"]),
        ("cron(0 0 L * ? *)", ["2026-01-31T00:00", "2026-02-28T00:00", "2026-03-31T00:00"]),
        ("cron(0 0 29 2 ? *)", ["2028-02-29T00:00", "2032-02-29T00:00", "2036-02-29T00:00"]),
        ("cron(0 0 30 2 ? *)", []),
    ],
)
def test_an_expression_is_due_when_the_calendar_says(text: str, instants: list[str]) -> None:
    assert due(text) == instants


def test_a_wall_clock_keeps_its_hour_over_the_change_of_summer_time() -> None:
    before = datetime(2026, 3, 27, 12, tzinfo=UTC)
    assert due("cron(0 9 * * ? *)", BERLIN, before) == ["2026-03-28T08:00", "2026-03-29T07:00", "2026-03-30T07:00"]
    assert due("at(2026-07-01T09:00:00)", BERLIN) == ["2026-07-01T07:00"]


@pytest.mark.slow
@given(st.lists(st.integers(0, 59), min_size=1, max_size=4), st.lists(st.integers(1, 7), min_size=1, max_size=3))
def test_instants_ascend_and_each_fits_its_expression(minutes: list[int], weekdays: list[int]) -> None:
    text = f"cron({','.join(map(str, minutes))} * ? * {','.join(map(str, weekdays))} *)"
    schedule, at = read_schedule(text, BERLIN, ZERO), ZERO
    for _ in range(10):
        following = schedule.next_after(at)
        assert following is not None
        assert at < following <= at + timedelta(days=8)
        local = following.astimezone(BERLIN)
        assert local.minute in minutes
        assert local.isoweekday() % 7 + 1 in weekdays
        at = following


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("every day", "none of"),
        ("rate(0 minutes)", "none of"),
        ("rate(1 minutes)", "one minute"),
        ("rate(5 hour)", "several hours"),
        ("at(2026-13-01T00:00:00)", "month"),
        ("cron(0 0 * * * *)", r"exactly one .* is \?"),
        ("cron(60 0 * * ? *)", "0 to 59"),
        ("cron(0 0 ? * FUN *)", "1 to 7"),
        ("cron(0 5-1 * * ? *)", "0 to 23"),
        ("cron(0 0 * * ?)", "none of"),
        ("cron(0/0 0 * * ? *)", "0 to 59"),
        ("rate(999999999999 days)", "beyond the calendar"),
    ],
)
def test_what_is_no_schedule_is_said(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_schedule(text, UTC, ZERO)


@pytest.mark.parametrize(("at", "ahead"), [("0001-01-01T00:00:00", 9), ("9999-12-31T23:00:00", -9)])
def test_what_the_calendar_does_not_have_in_utc_is_said(at: str, ahead: int) -> None:
    with pytest.raises(ValueError, match="beyond the calendar"):
        read_schedule(f"at({at})", timezone(timedelta(hours=ahead)), ZERO)


def test_a_rate_beyond_the_calendar_is_never_due() -> None:
    assert due("rate(9999999 days)") == []


@pytest.mark.parametrize("text", ["cron(0 0 15W * ? *)", "cron(0 0 ? * 6#3 *)"])
def test_what_is_a_schedule_and_not_understood_is_told_apart(text: str) -> None:
    with pytest.raises(UnknownSchedule):
        read_schedule(text, UTC, ZERO)
