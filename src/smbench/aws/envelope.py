"""From the text of a queue message to a Notice, or to Unreadable; never an exception, whatever the text.

Pure. The formats: SageMaker's result message (its keys differ with what the caller sent and the endpoint is
configured for, so everything but status and id is optional), either as it is (raw delivery, which a run's own queue
asks for) or inside SNS's envelope (which an existing queue may get).
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


def parse_message(body: str, *, pub_utc_ns: int | None = None, run_prefix: str | None = None) -> Notice | Unreadable:
    """What a message says.

    Args:
        pub_utc_ns: Since when it has stood in the queue, which the message itself does not say.
        run_prefix: Ids that do not begin with it are foreign; None takes every id.
    """
    try:
        message = orjson.loads(body)
        is_enveloped = isinstance(message, dict) and message.get("Type") == "Notification"
        if is_enveloped and isinstance(inner := message.get("Message"), str):
            message = orjson.loads(inner)
    except orjson.JSONDecodeError:
        return Unreadable("malformed", body)
    if not isinstance(message, dict):
        return Unreadable("foreign", body)
    event = message.get("eventName")
    if event == "TestNotification":
        return Unreadable("test_notification", body)
    inference_id, reason = message.get("inferenceId"), _text(message.get("failureReason"))
    outcome = _outcome(message.get("invocationStatus"), reason)
    if event != "InferenceResult" or not isinstance(inference_id, str) or outcome is None:
        return Unreadable("foreign", body)
    if run_prefix is not None and not inference_id.startswith(run_prefix):
        return Unreadable("foreign", body)
    return Notice(
        inference_id,
        outcome,
        utc_ns(message.get("receivedTime")),
        utc_ns(message.get("eventTime")),
        pub_utc_ns,
        _location(message.get("responseParameters")),
        reason,
    )


def utc_ns(stamp: object) -> int | None:
    """UTC nanoseconds of an RFC 3339 instant, exactly; None for anything else.

    Integers throughout: a float holds a time of day of our century to 200 ns at best.
    """
    # AWS writes `2026-11-21T03:04:05.678Z`, and thousands of stamps share their second.
    if isinstance(stamp, str) and (fraction_ns := _MILLISECONDS_NS.get(stamp[20:])) is not None:
        second_ns = _second_ns(stamp[:20])
        return None if second_ns is None else second_ns + fraction_ns
    return _parsed(stamp)


_MILLISECONDS_NS = {f"{millisecond:03}Z": millisecond * 1_000_000 for millisecond in range(1000)}


@lru_cache(maxsize=1024)
def _second_ns(second: str) -> int | None:
    """Of `2026-11-21T03:04:05.`."""
    return _parsed(f"{second}000Z")


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


def _outcome(status: object, reason: str | None) -> Outcome | None:
    """By `invocationStatus` alone: a failure may carry `responseParameters` too."""
    if status == "Completed":
        return Outcome.COMPLETED
    if status != "Failed":
        return None
    return Outcome.EXPIRED if _EXPIRY.search(reason or "") else Outcome.FAILED


def _location(parameters: object) -> str | None:
    if not isinstance(parameters, dict):
        return None
    return _text(parameters.get("outputLocation")) or _text(parameters.get("failureLocation"))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
