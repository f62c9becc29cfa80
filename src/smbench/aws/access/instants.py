"""Between the datetimes of the AWS client and integer nanoseconds, exactly."""

import datetime

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)


def datetime_utc_ns(instant: datetime.datetime) -> int:
    """UTC nanoseconds of an aware datetime; it has whole microseconds."""
    return (instant - _EPOCH) // _MICROSECOND * 1000


def utc_datetime(utc_ns: int) -> datetime.datetime:
    """The datetime of a UTC instant, cut to microseconds."""
    return _EPOCH + utc_ns // 1000 * _MICROSECOND
