"""Reads a queue message as a Notice: or as Unreadable; never an exception, whatever the text.

Pure. The formats: SageMaker's result message (its keys differ with what the caller sent and the endpoint is
configured for, so everything but status and id is optional), either as it is (raw delivery, which a run's own queue
asks for) or inside SNS's envelope (which an existing queue may get).
"""

import datetime
import re
from typing import Any

import msgspec
import orjson

from smbench.records import Notice, Outcome, Unreadable

_EPOCH_DAY = datetime.date(1970, 1, 1).toordinal()
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:([Zz])|([+-])(\d\d):(\d\d))", re.ASCII
)

# A guess. AWS does not say how a message words the end of a time to live; docs only say that the request expires and
# is counted in ExpiredRequests. So the words must be about the request and its time to live: a container may say of a
# licence, a token or a key of its own that it expires.
_TIME_TO_LIVE = r"(?:ttl|time[ -]to[ -]live)"
_EXPIRED = r"(?:expired?s?|expiry|expiration)"
_EXPIRY = re.compile(
    rf"""
    \brequest_?ttl | \brequest(?:'s)?\s+{_TIME_TO_LIVE}\b            # RequestTTLSeconds, by AWS's own name
    | ^\W*(?:(?:the|its|this|an?)\s+)*{_TIME_TO_LIVE}\b               # the message is about the request
    | \b(?:its|the)\s+(?:\w+\s+)?{_TIME_TO_LIVE}\b
    | ^\W*(?:(?:the|this|an?|your)\s+)*(?:\w+\s+)?request\s+(?:(?:has|had|was|is)\s+)?{_EXPIRED}\b
    | ^\W*(?:(?:the|this|an?)\s+)*(?:expired\s+request|{_EXPIRED}(?:\s+of\s+(?:the|this)\s+request)?\W*$)
    """,
    re.IGNORECASE | re.VERBOSE,
)
# SageMaker begins messages of its own so, and a container may: only AWS's own name for the time to live decides.
_SAGEMAKERS_OR_NOT = re.compile(r"^\W*ClientError:(?P<rest>.*)", re.DOTALL)
_TTL_OF_THE_REQUEST = re.compile(rf"\brequest_?ttl | \brequest(?:'s)?\s+{_TIME_TO_LIVE}\b", re.IGNORECASE | re.VERBOSE)
# What follows is the container's own: `ModelError: ...`, `KeyError: 'expiry_date'`, `botocore.exceptions.X: ...`.
_CONTAINERS_WORDS = re.compile(r"^\W*(?:[\w.]*(?:Error|Exception|Warning)\b|Traceback\b|[\w.]+\.\w+:)")


class _Location(msgspec.Struct, gc=False):
    outputLocation: str | None = None  # noqa: N815  # SageMaker's names


class _Completion(msgspec.Struct, gc=False):
    """What a completion is read from in a result message; the rest of it is passed over unread."""

    invocationStatus: str  # noqa: N815
    inferenceId: str  # noqa: N815
    eventName: Any = None  # noqa: N815
    receivedTime: str | None = None  # noqa: N815
    eventTime: str | None = None  # noqa: N815
    responseParameters: _Location | None = None  # noqa: N815
    failureReason: Any = None  # noqa: N815  # a completion has none,
    Type: Any = None  # and an envelope has this


_RESULT = "InferenceResult"  # may be left out: then the id and the status say what it is
_completion = msgspec.json.Decoder(_Completion).decode


def parse_message(body: str, pub_utc_ns: int | None = None, run_prefix: str = "") -> Notice | Unreadable:
    """What a message says.

    Args:
        pub_utc_ns: Since when it has been in the queue, which the message itself does not say.
        run_prefix: Ids that do not begin with it are foreign; empty takes every id.
    """
    # Nearly every message is a completion of ours, delivered raw: read as such first, in half the time of any other.
    try:
        told = _completion(body)
    except (msgspec.DecodeError, UnicodeError, TypeError, RecursionError):  # the last: deeper than the stack
        return parse_any(body, pub_utc_ns, run_prefix)
    location = None if told.responseParameters is None else told.responseParameters.outputLocation
    if (
        told.eventName not in (None, _RESULT)
        or told.invocationStatus != "Completed"
        or not location
        or told.failureReason is not None
        or told.Type is not None
        or not told.inferenceId.startswith(run_prefix)
    ):
        return parse_any(body, pub_utc_ns, run_prefix)
    return Notice(
        told.inferenceId,
        Outcome.COMPLETED,
        utc_ns(told.receivedTime),
        utc_ns(told.eventTime),
        pub_utc_ns,
        location,
    )


def parse_any(body: str, pub_utc_ns: int | None, run_prefix: str) -> Notice | Unreadable:
    """The same for any message at all."""
    try:
        message = orjson.loads(body)
        is_enveloped = isinstance(message, dict) and message.get("Type") == "Notification"
        if is_enveloped and isinstance(inner := message.get("Message"), str):
            message = orjson.loads(inner)
    except orjson.JSONDecodeError:
        return Unreadable("malformed", body)
    if not isinstance(message, dict):
        return Unreadable("foreign", body)
    event, inference_id = message.get("eventName"), message.get("inferenceId")
    if event == "TestNotification":
        return Unreadable("test_notification", body)
    is_ours = isinstance(inference_id, str) and inference_id.startswith(run_prefix)
    if event not in (None, _RESULT) or not isinstance(inference_id, str) or not is_ours:
        return Unreadable("foreign", body)
    outcome, reason = _end(message)
    return Notice(
        inference_id,
        outcome,
        utc_ns(message.get("receivedTime")),
        utc_ns(message.get("eventTime")),
        pub_utc_ns,
        _location(message.get("responseParameters")),
        reason,
    )


_MILLISECONDS_NS = {f"{millisecond:03}Z": millisecond * 1_000_000 for millisecond in range(1000)}
_SECONDS_MAX = 1024
_seconds_ns: dict[str, int] = {}  # of `2026-11-21T03:04:05.`: thousands of stamps share their second


def utc_ns(stamp: Any) -> int | None:
    """UTC nanoseconds of an RFC 3339 instant, exactly; None for anything else.

    Integers throughout: a float holds a time of day of our century to 200 ns at best.
    """
    try:  # AWS writes `2026-11-21T03:04:05.678Z`
        return _seconds_ns[stamp[:20]] + _MILLISECONDS_NS[stamp[20:]]
    except (KeyError, TypeError):
        return _read(stamp)


def _read(stamp: object) -> int | None:
    read_ns = _parsed(stamp)
    if isinstance(stamp, str) and read_ns is not None and (fraction_ns := _MILLISECONDS_NS.get(stamp[20:])) is not None:
        if len(_seconds_ns) >= _SECONDS_MAX:
            _seconds_ns.clear()
        _seconds_ns[stamp[:20]] = read_ns - fraction_ns
    return read_ns


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


def _end(message: dict[str, Any]) -> tuple[Outcome, str | None]:
    """How it ended and why, by `invocationStatus` alone: a failure may carry `responseParameters` too.

    A status that we do not know is an end of an unknown kind, and the reason begins with its name.
    """
    status, reason = message.get("invocationStatus"), _text(message.get("failureReason"))
    if status == "Completed":
        return Outcome.COMPLETED, reason
    if status == "Expired":  # not known of AWS; other products that speak its format have it
        return Outcome.EXPIRED, reason
    if status == "Failed":
        return (Outcome.EXPIRED if is_about_time_to_live(reason or "") else Outcome.FAILED), reason
    named = "no invocationStatus" if status is None else f"invocationStatus {status}"
    return Outcome.UNKNOWN_END, f"{named}: {reason}" if reason else named


def is_about_time_to_live(reason: str) -> bool:
    """Whether a failure's reason says that the request's time to live ended; a container's own words never do."""
    if (either := _SAGEMAKERS_OR_NOT.match(reason)) is not None:
        rest = either["rest"]
        return not _CONTAINERS_WORDS.search(rest) and _TTL_OF_THE_REQUEST.search(rest) is not None
    return not _CONTAINERS_WORDS.search(reason) and _EXPIRY.search(reason) is not None


def _location(parameters: object) -> str | None:
    if not isinstance(parameters, dict):
        return None
    return _text(parameters.get("outputLocation")) or _text(parameters.get("failureLocation"))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
