"""From the text of a queue message to a Notice, or to Unreadable; never an exception, whatever the text.

Pure. The formats: SageMaker's result message (its keys differ with what the caller sent and the endpoint is
configured for, so everything but status and id is optional), either as it is (raw delivery) or inside SNS's envelope.
"""

import datetime
import re
from functools import lru_cache

import orjson

from smbench.records import Notice, Outcome, Unreadable

_EPOCH_DAY = datetime.date(1970, 1, 1).toordinal()
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:([Zz])|([+-])(\d\d):(\d\d))", re.ASCII
)

# A guess. AWS does not say how a message words the end of a time to live; docs only say that the request expires and
# is counted in ExpiredRequests. These words stand in no failure reason known from a container (2026-11).
_EXPIRY = re.compile(r"expir|\bttl\b|time[ -]to[ -]live", re.IGNORECASE)


def parse_message(body: str, *, run_prefix: str | None = None) -> Notice | Unreadable:
    """What a message says.

    Args:
        run_prefix: Ids that do not begin with it are foreign; None takes every id.
    """
    message = _json(body)
    if message is _NOT_JSON:
        return Unreadable("malformed", body)
    pub_utc_ns = None
    if isinstance(message, dict) and message.get("Type") == "Notification" and isinstance(message.get("Message"), str):
        pub_utc_ns = utc_ns(message.get("Timestamp"))
        message = _json(message["Message"])
        if message is _NOT_JSON:
            return Unreadable("malformed", body)
    if not isinstance(message, dict):
        return Unreadable("foreign", body)
    if message.get("eventName") == "TestNotification":
        return Unreadable("test_notification", body)
    inference_id, outcome = message.get("inferenceId"), _outcome(message)
    if message.get("eventName") != "InferenceResult" or not isinstance(inference_id, str) or outcome is None:
        return Unreadable("foreign", body)
    if run_prefix is not None and not inference_id.startswith(run_prefix):
        return Unreadable("foreign", body)
    return Notice(
        inference_id,
        outcome,
        recv_utc_ns=utc_ns(message.get("receivedTime")),
        done_utc_ns=utc_ns(message.get("eventTime")),
        pub_utc_ns=pub_utc_ns,
        output_location=_location(message),
        failure_reason=_text(message.get("failureReason")),
    )


def utc_ns(stamp: object) -> int | None:
    """UTC nanoseconds of an RFC 3339 instant, exactly; None for anything else.

    Integers throughout: a float holds a time of day of our century to 200 ns at best.
    """
    # AWS writes `2026-11-21T03:04:05.678Z`, and thousands of stamps a second share their minute.
    if isinstance(stamp, str) and len(stamp) == 24 and stamp[19] == "." and stamp[23] == "Z" and stamp.isascii():
        milliseconds = stamp[17:19] + stamp[20:23]
        if milliseconds.isdecimal() and milliseconds < "60" and (minute_ns := _minute_ns(stamp[:17])) is not None:
            return minute_ns + int(milliseconds) * 1_000_000
    return _parsed(stamp)


@lru_cache(maxsize=1024)
def _minute_ns(minute: str) -> int | None:
    """Of `2026-11-21T03:04:`."""
    return _parsed(f"{minute}00Z")


def _parsed(stamp: object) -> int | None:
    match = _RFC3339.fullmatch(stamp) if isinstance(stamp, str) else None
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(match[group]) for group in range(1, 7))
    try:
        days = datetime.date(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
    if hour > 23 or minute > 59 or second > 60:  # 60: a leap second, told as the next minute's first
        return None
    seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
    if match[9]:
        offset_s = (int(match[10]) * 60 + int(match[11])) * 60
        seconds += -offset_s if match[9] == "+" else offset_s
    return seconds * 1_000_000_000 + int((match[7] or "").ljust(9, "0"))


_NOT_JSON = object()


def _json(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return _NOT_JSON


def _outcome(message: dict[str, object]) -> Outcome | None:
    """By `invocationStatus` alone: a failure may carry `responseParameters` too."""
    status = message.get("invocationStatus")
    if status == "Completed":
        return Outcome.COMPLETED
    if status != "Failed":
        return None
    return Outcome.EXPIRED if _EXPIRY.search(_text(message.get("failureReason")) or "") else Outcome.FAILED


def _location(message: dict[str, object]) -> str | None:
    parameters = message.get("responseParameters")
    if not isinstance(parameters, dict):
        return None
    return _text(parameters.get("outputLocation")) or _text(parameters.get("failureLocation"))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
