"""Presigned URLs of S3: what their query must say, and how long they are good.

The front looks at them whether it verifies signatures or not. A URL's time is the machine's, as it was where the URL
was made, whatever time it is in the scenario.

Source: "Authenticating requests: using query parameters" and "Error responses", S3 API reference (2026-11).
"""

from datetime import UTC, datetime

from smbench.emulator.protocol.codecs import ServiceError
from smbench.emulator.protocol.digits import whole
from smbench.emulator.protocol.http import HttpRequest
from smbench.wire.sigv4 import ALGORITHM

GOOD_FOR_MAX_S = 604_800  # a week
SKEW_S = 900  # how far ahead of our clock its maker's may be
_OF_V4 = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-Date",
    "X-Amz-SignedHeaders",
    "X-Amz-Expires",
)
_OF_V2 = ("Signature", "Expires", "AWSAccessKeyId")
_ONE_MECHANISM = (
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or "
    "the Authorization header should be specified"
)


def is_of_version_2(request: HttpRequest) -> bool:
    """Whether a request carries a signature of version 2 in its query, as boto3 makes URLs for us-east-1."""
    return "AWSAccessKeyId" in request.query or "Signature" in request.query


def refuse_stale(request: HttpRequest, now_s: float) -> None:
    """Let pass what is not presigned, and a URL that is whole and good now.

    Args:
        now_s: UTC, seconds since 1970.

    Raises:
        ServiceError: S3's own: AuthorizationQueryParametersError, AccessDenied or InvalidArgument.
    """
    query = request.query
    if not query:
        return
    is_v4 = any(name in query for name in _OF_V4[:3])
    if not is_v4 and not is_of_version_2(request):
        return
    if "authorization" in request.headers:
        raise ServiceError("InvalidArgument", _ONE_MECHANISM)
    (_refuse_stale_v4 if is_v4 else _refuse_stale_v2)(query, now_s)


def malformed(why: str, region: str = "") -> ServiceError:
    """S3's answer to a query that cannot be a signature, to be raised; `region` is the one that it should name."""
    return ServiceError("AuthorizationQueryParametersError", why, details={"Region": region} if region else None)


def signed_at_s(stamp: str) -> float | None:
    """Seconds since 1970 of `20261121T090000Z`; None for anything else."""
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def utc(seconds: float) -> str:
    """Seconds since 1970 as S3's documents have them."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _refuse_stale_v4(query: dict[str, str], now_s: float) -> None:
    if any(not query.get(name) for name in _OF_V4):
        listed = f"{', '.join(_OF_V4[:-1])}, and {_OF_V4[-1]}"
        raise malformed(f"Query-string authentication version 4 requires the {listed} parameters.")
    if query["X-Amz-Algorithm"] != ALGORITHM:
        raise malformed(f'X-Amz-Algorithm only supports "{ALGORITHM} and AWS4-ECDSA-P256-SHA256"')
    signed_s = signed_at_s(query["X-Amz-Date"])
    if signed_s is None:
        raise malformed("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
    good_for_s = _whole(query["X-Amz-Expires"])
    if good_for_s is None:
        raise malformed("X-Amz-Expires should be a number")
    if good_for_s < 0:
        raise malformed("X-Amz-Expires must be non-negative")
    if good_for_s > GOOD_FOR_MAX_S:
        raise malformed(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
            f"{GOOD_FOR_MAX_S} seconds"
        )
    if signed_s - now_s > SKEW_S:
        raise ServiceError("AccessDenied", "Request is not valid yet", 403, details={"ServerTime": utc(now_s)})
    if now_s - signed_s > good_for_s:
        raise _expired(signed_s + good_for_s, now_s, {"X-Amz-Expires": str(good_for_s)})


def _refuse_stale_v2(query: dict[str, str], now_s: float) -> None:
    if any(not query.get(name) for name in _OF_V2):
        listed = f"{', '.join(_OF_V2[:-1])} and {_OF_V2[-1]}"
        raise ServiceError("AccessDenied", f"Query-string authentication requires the {listed} parameters", 403)
    ends_s = _whole(query["Expires"])
    if ends_s is None:
        text = f"Invalid date (should be seconds since epoch): {query['Expires']}"
        raise ServiceError("AccessDenied", text, 403)
    if now_s > ends_s:
        raise _expired(ends_s, now_s, {})


def _expired(ended_s: float, now_s: float, details: dict[str, str]) -> ServiceError:
    details = details | {"Expires": utc(max(ended_s, 0)), "ServerTime": utc(now_s)}
    return ServiceError("AccessDenied", "Request has expired", 403, details=details)


def _whole(text: str) -> int | None:
    digits = text.removeprefix("-")
    return None if whole(digits) is None else int(text)
