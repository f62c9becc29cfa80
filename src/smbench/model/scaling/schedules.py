"""When a scheduled action of Application Auto Scaling is due: `at(...)`, `rate(...)` and `cron(...)`, as instants."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_RATE = re.compile(r"rate\(([1-9]\d*) (minute|hour|day)(s?)\)")
_CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_YEARS = (1970, 2199)
_LOOKED_AHEAD = timedelta(days=3_000)  # the rarest day of a calendar, 29 February, is at most eight years away


class UnknownSchedule(ValueError):  # noqa: N818  # a refusal that the service words itself
    """It is a schedule for AWS, and not understood here: cron's `W` and `#`, and `L` of a weekday."""


class Schedule(ABC):
    """Instants, all of them in UTC."""

    @abstractmethod
    def next_after(self, at: datetime) -> datetime | None:
        """The first instant later than this one; None where there is none any more."""


@dataclass(frozen=True, slots=True)
class Once(Schedule):
    """`at(yyyy-mm-ddThh:mm:ss)`."""

    due: datetime

    def next_after(self, at: datetime) -> datetime | None:
        return self.due if self.due > at else None


@dataclass(frozen=True, slots=True)
class Rate(Schedule):
    """`rate(value unit)`: again and again from an instant on, which is none of them."""

    every: timedelta
    since: datetime

    def next_after(self, at: datetime) -> datetime | None:
        try:
            return self.since + self.every * max(1, (at - self.since) // self.every + 1)
        except OverflowError:  # later than the calendar goes
            return None


@dataclass(frozen=True, slots=True)
class Cron(Schedule):
    """`cron(minutes hours day-of-month month day-of-week year)`, on the wall clock of a time zone.

    Args:
        days: Of the month, 0 for its last; None: `weekdays` counts.
        weekdays: 1 for Sunday; None: `days` counts.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int] | None
    months: frozenset[int]
    weekdays: frozenset[int] | None
    years: frozenset[int]
    zone: tzinfo

    def next_after(self, at: datetime) -> datetime | None:
        day = at.astimezone(self.zone).date()
        last = day + _LOOKED_AHEAD
        while day <= last:
            if self._is_on(datetime(day.year, day.month, day.day)):  # noqa: DTZ001  # a date of that zone's calendar
                for hour in self.hours:
                    for minute in self.minutes:
                        local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone)
                        due = local.astimezone(UTC)
                        if due > at:
                            return due
            day += timedelta(days=1)
        return None

    def _is_on(self, day: datetime) -> bool:
        if day.month not in self.months or day.year not in self.years:
            return False
        if self.weekdays is not None:
            return day.isoweekday() % 7 + 1 in self.weekdays
        assert self.days is not None
        is_last = (day + timedelta(days=1)).month != day.month
        return day.day in self.days or (is_last and 0 in self.days)


def read_schedule(text: str, zone: tzinfo, since: datetime) -> Schedule:
    """A schedule as AWS writes it.

    Args:
        zone: Of `at` and of `cron`.
        since: From when on a rate counts.

    Raises:
        ValueError: it is none; in words that say what is wrong.
        UnknownSchedule: it is one, and not understood here.
    """
    try:
        return _read(text, zone, since)
    except OverflowError:
        raise ValueError(f"{text} is beyond the calendar") from None


def _read(text: str, zone: tzinfo, since: datetime) -> Schedule:
    if found := _AT.fullmatch(text):
        return Once(datetime.fromisoformat(found[1]).replace(tzinfo=zone).astimezone(UTC))
    if found := _RATE.fullmatch(text):
        if (found[1] == "1") == bool(found[3]):
            raise ValueError(f"{text}: one {found[2]}, or several {found[2]}s")
        return Rate(timedelta(**{f"{found[2]}s": int(found[1])}), since)
    if found := _CRON.fullmatch(text):
        return _cron(text, found.groups(), zone)
    raise ValueError(f"{text} is none of at(yyyy-mm-ddThh:mm:ss), rate(value unit) and cron(six fields)")


def _cron(text: str, fields: tuple[str, ...], zone: tzinfo) -> Cron:
    minutes, hours, days, months, weekdays, years = fields
    if (days == "?") == (weekdays == "?"):
        raise ValueError(f"{text}: exactly one of day-of-month and day-of-week is ?")
    return Cron(
        minutes=tuple(sorted(_field(minutes, 0, 59))),
        hours=tuple(sorted(_field(hours, 0, 23))),
        days=None if days == "?" else _field("0" if days == "L" else days, 0 if days == "L" else 1, 31),
        months=_field(months, 1, 12, _MONTHS),
        weekdays=None if weekdays == "?" else _field(weekdays, 1, 7, _DAYS),
        years=_field(years, *_YEARS),
        zone=zone,
    )


def _field(text: str, low: int, high: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    """The values of one field: `*`, `5`, `1-5`, `0/15`, `MON-FRI`, and lists of these."""
    found: set[int] = set()
    for part in text.upper().split(","):
        for number, name in enumerate(names, start=low):
            part = part.replace(name, str(number))
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if re.search(r"[LW#]", part):
            raise UnknownSchedule(f"{text} in a cron expression")
        if (
            not re.fullmatch(r"([1-9]\d*)?", step)
            or not (span == "*" or first.isdecimal())
            or not (last or "1").isdecimal()
        ):
            raise ValueError(f"{text} in a cron expression is not a field of {low} to {high}")
        begin = low if span == "*" else int(first)
        end = int(last) if last else high if span == "*" or step else begin
        values = range(begin, end + 1, int(step or "1"))
        if not low <= begin <= end <= high:
            raise ValueError(f"{text} in a cron expression is not within {low} to {high}")
        found |= set(values)
    return frozenset(found)
