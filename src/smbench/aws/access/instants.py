"""Between the datetimes of the AWS client and integer nanoseconds, exactly."""

import datetime
from email.utils import parsedate_to_datetime

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)


def datetime_utc_ns(instant: datetime.datetime) -> int:
    """UTC nanoseconds of an aware datetime; it has whole microseconds."""
    return (instant - _EPOCH) // _MICROSECOND * 1000


def utc_datetime(utc_ns: int) -> datetime.datetime:
    """The datetime of a UTC instant, cut to microseconds."""
    return _EPOCH + utc_ns // 1000 * _MICROSECOND


def http_date(text: str) -> datetime.datetime:
    """The aware datetime of a header such as `Date`; one that names no zone is in GMT, as all of HTTP's are (RFC 9110).

    Raises:
        ValueError: it is not a date.
    """
    try:
        at = parsedate_to_datetime(text)
    except (IndexError, OverflowError, TypeError) as error:  # of numbers too large, and of pieces that are missing
        raise ValueError(f"{text!r} is not a date") from error
    return at if at.tzinfo else at.replace(tzinfo=datetime.UTC)
