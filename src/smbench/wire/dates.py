"""HTTP's dates, read: from a header such as `Date` to an instant."""

import datetime
from email.utils import parsedate_to_datetime


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
