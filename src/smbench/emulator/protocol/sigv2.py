"""Signatures of version 2, which S3 takes in its older regions: boto3's URLs for us-east-1, and `s3cmd signurl`.

Source: "Signing and authenticating REST requests", S3 API reference (2026-11); the regions are those to which botocore
gives signature version `s3`.
"""

import base64
import hmac
import re
from hmac import compare_digest
from urllib.parse import unquote

from smbench.emulator.protocol import presigned
from smbench.emulator.protocol.codecs import ServiceError
from smbench.emulator.protocol.http import HttpRequest
from smbench.wire.dates import http_date
from smbench.wire.sigv4 import Credentials

SCHEME = "AWS "  # at the head of an Authorization header
_REGIONS = {
    *("us-east-1", "us-west-1", "us-west-2", "eu-west-1", "sa-east-1"),
    *("ap-northeast-1", "ap-southeast-1", "ap-southeast-2"),
}
_SUBRESOURCES = frozenset(
    (
        *("accelerate", "acl", "analytics", "cors", "delete", "inventory", "lifecycle", "location", "logging"),
        *("metrics", "notification", "object-lock", "partNumber", "policy", "replication", "requestPayment", "restore"),
        *("select", "select-type", "storageClass", "tagging", "torrent", "uploadId", "uploads"),
        *("versionId", "versioning", "versions", "website"),
        *("response-content-type", "response-content-language", "response-content-encoding"),
        *("response-content-disposition", "response-cache-control", "response-expires"),
    )
)  # of a query; all else in it is not signed
_VIRTUAL_HOST = re.compile(r"(.+)\.(?:localhost|s3[.-][a-z0-9.-]*amazonaws\.com(?:\.cn)?)(?::\d+)?")


def bucket_of_host(host: str) -> str:
    """The bucket that a host name begins with; empty where it names none."""
    match = _VIRTUAL_HOST.fullmatch(host)
    return "" if match is None else match[1]


def is_used(request: HttpRequest) -> bool:
    """Whether a request carries a signature of this version."""
    return presigned.is_of_version_2(request) or request.headers.get("authorization", "").startswith(SCHEME)


def check(request: HttpRequest, region: str, credentials: Credentials, now_s: float) -> None:
    """Let a request pass that is signed with this key pair, now. A URL's own time is `presigned.refuse_stale`'s.

    Raises:
        ServiceError: as S3 refuses.
    """
    if region not in _REGIONS:
        text = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
        raise ServiceError("InvalidRequest", text)
    headers, query = request.headers, request.query
    if presigned.is_of_version_2(request):
        key, given, date = query.get("AWSAccessKeyId", ""), query.get("Signature", ""), query.get("Expires", "")
    else:
        key, _, given = headers["authorization"].removeprefix(SCHEME).strip().partition(":")
        date = _date(headers, now_s)
    if key != credentials.access_key:
        text = "The AWS Access Key Id you provided does not exist in our records."
        raise ServiceError("InvalidAccessKeyId", text, 403, details={"AWSAccessKeyId": key})
    signed = _signed(request, date)
    digest = hmac.digest(credentials.secret_key.encode(), signed.encode(), "sha1")
    if not compare_digest(base64.b64encode(digest), given.encode()):
        details = {"AWSAccessKeyId": key, "StringToSign": signed, "SignatureProvided": given}
        text = "The request signature we calculated does not match the signature you provided. "
        raise ServiceError("SignatureDoesNotMatch", text + "Check your key and signing method.", 403, details=details)


def _date(headers: dict[str, str], now_s: float) -> str:
    """The date as it is signed: empty where it is among Amazon's own headers."""
    sent = headers.get("x-amz-date") or headers.get("date", "")
    try:
        at_s = http_date(sent).timestamp()
    except ValueError:
        text = "AWS authentication requires a valid Date or x-amz-date header"
        raise ServiceError("AccessDenied", text, 403) from None
    if abs(now_s - at_s) > presigned.SKEW_S:
        text = "The difference between the request time and the current time is too large."
        details = {"RequestTime": sent, "ServerTime": presigned.utc(now_s)}
        details["MaxAllowedSkewMilliseconds"] = str(presigned.SKEW_S * 1000)
        raise ServiceError("RequestTimeTooSkewed", text, 403, details=details)
    return "" if "x-amz-date" in headers else sent


def _signed(request: HttpRequest, date: str) -> str:
    """What is signed of a request: its head, Amazon's own headers (in a URL, parameters), and what it is about."""
    headers = request.headers
    of_query = {name: value for name, value in request.query.items() if name.startswith("x-amz-")}
    of_amazon = of_query | {name: value for name, value in headers.items() if name.startswith("x-amz-")}
    lines = [request.method, headers.get("content-md5", ""), headers.get("content-type", ""), date]
    lines += [f"{name}:{value.strip()}" for name, value in sorted(of_amazon.items())]
    bucket = bucket_of_host(headers.get("host", ""))
    resource = (f"/{bucket}" if bucket else "") + request.raw_path
    parts = (part.partition("=") for part in request.target.partition("?")[2].split("&"))
    chosen = sorted((name, equals + unquote(value)) for name, equals, value in parts if name in _SUBRESOURCES)
    asked = "&".join(name + value for name, value in chosen)
    return "\n".join([*lines, resource + (f"?{asked}" if asked else "")])
