"""Signatures as AWS checks them, for an emulator that was told to: one key pair, and each service's words of refusal.

Source: "Troubleshoot AWS Signature Version 4", IAM user guide; "Error responses", S3 API reference (2026-11).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hmac import compare_digest
from urllib.parse import unquote

from smbench.clock import wall_ns
from smbench.emulator.protocol import aws_chunked, presigned, sigv2
from smbench.emulator.protocol.codecs import ServiceError
from smbench.emulator.protocol.digits import whole
from smbench.emulator.protocol.http import HttpRequest
from smbench.wire.sigv4 import (
    ALGORITHM,
    UNSIGNED_PAYLOAD,
    Credentials,
    Signer,
    canonical_path,
    canonical_query,
    canonical_request,
    canonical_value,
    payload_hash,
)

# What smbench's own clients sign with, see `aws.access.clients`. The secret is too short for `results.secrets` to look
# for it: that would blot out words of results, as it did with the emulated endpoint's name.
CREDENTIALS = Credentials("smbench", "smbench")
S3_SKEW_S, SKEW_S = presigned.SKEW_S, 300  # how far a stamp may be from our clock: S3, all others
_PARAMETER = re.compile(r"(Credential|SignedHeaders|Signature)=([^,\s]+)")
# Services that spoke AWS query first, where the same refusals have other names.
_QUERY_ERA = {"sqs", "sns", "sts", "monitoring"}
_MISMATCH = "The request signature we calculated does not match the signature you provided. "


@dataclass(frozen=True, slots=True)
class Temporary:
    """Credentials that STS issued."""

    credentials: Credentials
    is_over: bool


def access_key_of(request: HttpRequest) -> str:
    """The key that a request says it is signed with; empty where it is not signed by version 4."""
    claimed = (
        request.query.get("X-Amz-Credential") or request.headers.get("authorization", "").partition("Credential=")[2]
    )
    return claimed.partition("/")[0]


def _none_issued(_access_key: str) -> None:
    """No credentials were issued under any key."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a request says of its signature. `query` is the signed part of the query, as sent."""

    credential: str
    signed_names: tuple[str, ...]
    signature: str
    stamp: str
    query: str
    good_for_s: int | None = None  # of a presigned URL

    @property
    def access_key(self) -> str:
        return self.credential.rpartition("/aws4_request")[0].rsplit("/", 3)[0]


class Signatures:
    """Checks calls to the services of one region.

    Args:
        now_utc_ns: The clock that stamps are compared with: the machine's, as the clients' is, whatever time it is in
            the scenario.
        temporary: What STS issued under a key beside these.
    """

    def __init__(
        self,
        region: str,
        credentials: Credentials = CREDENTIALS,
        now_utc_ns: Callable[[], int] = wall_ns,
        temporary: Callable[[str], Temporary | None] = _none_issued,
    ) -> None:
        self.region, self.credentials, self._now_utc_ns, self._temporary = region, credentials, now_utc_ns, temporary
        self._signers: dict[str, Signer] = {}

    def check(self, request: HttpRequest, service: str) -> None:
        """Let a call pass that is signed for `service`, the name in the credential scope.

        Raises:
            ServiceError: it is not signed, not by our key, not for this, not now, or not this.
        """
        words = _S3Words() if service == "s3" else _Words(service)
        if service == "s3" and _is_form(request):
            return  # its signature is among its fields; S3 here answers that it takes none
        if service == "s3":
            now_s = self._now_utc_ns() / 1e9
            presigned.refuse_stale(request, now_s)
            if sigv2.is_used(request):
                sigv2.check(request, self.region, self.credentials, now_s)
                return
        claim = _claim(request, words)
        credentials = self._credentials(request, claim, words)
        self._check_scope(claim, service, words)
        self._check_time(claim, words)
        body_sha256 = _body_sha256(request, service, claim, words)
        _check_names(request, claim, words)
        headers = request.headers
        canonical = canonical_request(
            request.method,
            canonical_path(request.raw_path, service=service),
            canonical_query(claim.query),
            [(name, canonical_value(headers.get(name, ""))) for name in claim.signed_names],
            body_sha256,
        )
        if not compare_digest(self._signer(service).signature(credentials, claim.stamp, canonical), claim.signature):
            raise words.mismatch(claim, canonical)
        if body_sha256.startswith(aws_chunked.SIGNED):

            def sign(algorithm: str, signed: str) -> str:
                return self._signer(service).sign_next(credentials, claim.stamp, algorithm, signed)

            if not aws_chunked.is_signed_throughout(aws_chunked.read(request.body), claim.signature, sign):
                raise words.mismatch(claim, canonical)

    def _credentials(self, request: HttpRequest, claim: _Claim, words: "_Words") -> Credentials:
        """What a request must be signed with. Raises ServiceError: no such key, another token, or its time is over."""
        if claim.access_key == self.credentials.access_key:
            return self.credentials
        found = self._temporary(claim.access_key)
        if found is None:
            raise words.unknown_key(claim.access_key)
        token = request.headers.get("x-amz-security-token") or request.query.get("X-Amz-Security-Token")
        if token != found.credentials.token:
            raise words.unknown_token()
        if found.is_over:
            raise words.expired_token()
        return found.credentials

    def _signer(self, service: str) -> Signer:
        if service not in self._signers:
            self._signers[service] = Signer(self.region, service)
        return self._signers[service]

    def _check_scope(self, claim: _Claim, service: str, words: "_Words") -> None:
        _, day, region, scoped, _ = claim.credential.rsplit("/", 4)
        if region != self.region:
            raise words.scope(claim, f"the region '{region}' is wrong; expecting '{self.region}'", self.region)
        if scoped != service:
            raise words.scope(claim, f'incorrect service "{scoped}". This endpoint belongs to "{service}"')
        if day != claim.stamp[:8]:
            raise words.scope(claim, f"the date '{day}' is not that of '{claim.stamp}'")

    def _check_time(self, claim: _Claim, words: "_Words") -> None:
        now_s = self._now_utc_ns() / 1e9
        signed_s = _seconds(claim.stamp)
        if signed_s is None:
            raise words.malformed(f"'{claim.stamp}' is not a date")
        allowed_s = words.skew_s if claim.good_for_s is None else claim.good_for_s
        if now_s - signed_s > allowed_s or signed_s - now_s > words.skew_s:
            raise words.skewed(claim, now_s)


class _Words:
    """How the JSON and query services refuse."""

    skew_s = SKEW_S

    def __init__(self, service: str) -> None:
        self._service = service

    def _error(self, code: str, query_code: str, message: str) -> ServiceError:
        return ServiceError(code, message, 403, query_error_code=query_code if self._service in _QUERY_ERA else None)

    def missing(self) -> ServiceError:
        text = "Request is missing Authentication Token"
        return self._error("MissingAuthenticationTokenException", "MissingAuthenticationToken", text)

    def malformed(self, why: str) -> ServiceError:
        return self._error("IncompleteSignatureException", "IncompleteSignature", f"Authorization: {why}.")

    def malformed_query(self, why: str, region: str = "") -> ServiceError:
        return self.malformed(why)

    def unknown_key(self, access_key: str) -> ServiceError:
        text = "The security token included in the request is invalid."
        return self._error("UnrecognizedClientException", "InvalidClientTokenId", text)

    def unknown_token(self) -> ServiceError:
        return self.unknown_key("")

    def expired_token(self) -> ServiceError:
        text = "The security token included in the request is expired"
        return self._error("ExpiredTokenException", "ExpiredToken", text)

    def scope(self, claim: _Claim, what: str, region: str = "") -> ServiceError:
        """Signed for another place; `region` is the one that would be right, where it is wrong."""
        return self._invalid(f"Credential should be scoped to what is asked: {what}.")

    def skewed(self, claim: _Claim, now_s: float) -> ServiceError:
        signed_s, now = _seconds(claim.stamp) or 0.0, _stamp(now_s)
        if signed_s > now_s:
            latest = _stamp(now_s + SKEW_S)
            return self._invalid(
                f"Signature not yet current: {claim.stamp} is still later than {latest} ({now} + 5 min.)"
            )
        allowed_s = SKEW_S if claim.good_for_s is None else claim.good_for_s
        earliest, minutes = _stamp(now_s - allowed_s), f"{allowed_s / 60:g}"
        return self._invalid(
            f"Signature expired: {claim.stamp} is now earlier than {earliest} ({now} - {minutes} min.)"
        )

    def unsigned_header(self, name: str) -> ServiceError:
        return self._invalid(f"'{name}' must be a 'SignedHeader' in the AWS Authorization.")

    def wrong_body(self, sent: str, computed: str) -> ServiceError:
        return self._invalid(_MISMATCH + f"The body's SHA-256 is {computed}, x-amz-content-sha256 says {sent}.")

    def mismatch(self, claim: _Claim, canonical: str) -> ServiceError:
        return self._invalid(
            _MISMATCH + "Check your AWS Secret Access Key and signing method. Consult the service documentation for "
            f"details.\n\nThe Canonical String for this request should have been\n'{canonical}'\n"
        )

    def _invalid(self, text: str) -> ServiceError:
        return self._error("InvalidSignatureException", "SignatureDoesNotMatch", text)


class _S3Words(_Words):
    """How S3 refuses."""

    skew_s = S3_SKEW_S

    def __init__(self) -> None:
        super().__init__("s3")

    def missing(self) -> ServiceError:
        return ServiceError("AccessDenied", "Access Denied", 403)

    def malformed(self, why: str) -> ServiceError:
        return ServiceError("AuthorizationHeaderMalformed", f"The authorization header is malformed; {why}.")

    def malformed_query(self, why: str, region: str = "") -> ServiceError:
        return presigned.malformed(f"Error parsing the X-Amz-Credential parameter; {why}.", region)

    def unknown_key(self, access_key: str) -> ServiceError:
        text = "The AWS Access Key Id you provided does not exist in our records."
        return ServiceError("InvalidAccessKeyId", text, 403, details={"AWSAccessKeyId": access_key})

    def unknown_token(self) -> ServiceError:
        return ServiceError("InvalidToken", "The provided token is malformed or otherwise invalid.")

    def expired_token(self) -> ServiceError:
        return ServiceError("ExpiredToken", "The provided token has expired.")

    def scope(self, claim: _Claim, what: str, region: str = "") -> ServiceError:
        if claim.good_for_s is not None:
            return self.malformed_query(what, region)
        error = self.malformed(what)
        if region:  # where clients read it: s3cmd signs everything for "US" at first
            error.details, error.headers = {"Region": region}, {"x-amz-bucket-region": region}
        return error

    def skewed(self, claim: _Claim, now_s: float) -> ServiceError:
        return ServiceError(
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
            403,
            details={
                "RequestTime": claim.stamp,
                "ServerTime": presigned.utc(now_s),
                "MaxAllowedSkewMilliseconds": str(S3_SKEW_S * 1000),
            },
        )

    def unsigned_header(self, name: str) -> ServiceError:
        text = "There were headers present in the request which were not signed"
        return ServiceError("AccessDenied", text, 403, details={"HeadersNotSigned": name})

    def wrong_body(self, sent: str, computed: str) -> ServiceError:
        return ServiceError(
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
            details={"ClientComputedContentSHA256": sent, "S3ComputedContentSHA256": computed},
        )

    def mismatch(self, claim: _Claim, canonical: str) -> ServiceError:
        details = {
            "AWSAccessKeyId": claim.access_key,
            "SignatureProvided": claim.signature,
            "CanonicalRequest": canonical,
        }
        return ServiceError(
            "SignatureDoesNotMatch", _MISMATCH + "Check your key and signing method.", 403, details=details
        )


def _claim(request: HttpRequest, words: _Words) -> _Claim:
    """The signature a request carries, in its Authorization header or, presigned, in its query."""
    query = request.query
    sent_query = request.target.partition("?")[2]
    if "X-Amz-Signature" in query:
        signed = [part for part in sent_query.split("&") if unquote(part.partition("=")[0]) != "X-Amz-Signature"]
        claim = _Claim(
            query.get("X-Amz-Credential", ""),
            tuple(query.get("X-Amz-SignedHeaders", "").split(";")),
            query["X-Amz-Signature"],
            query.get("X-Amz-Date", ""),
            "&".join(signed),
            whole(query.get("X-Amz-Expires", "")) or 0,
        )
    else:
        header = request.headers.get("authorization", "")
        if not header:
            raise words.missing()
        if not header.startswith(ALGORITHM):
            raise words.malformed(f"the algorithm must be {ALGORITHM}")
        given = dict(_PARAMETER.findall(header))
        for name in ("Credential", "SignedHeaders", "Signature"):
            if name not in given:
                raise words.malformed(f"it requires the parameter '{name}'")
        stamp = request.headers.get("x-amz-date", "")
        names = tuple(given["SignedHeaders"].split(";"))
        claim = _Claim(given["Credential"], names, given["Signature"], stamp, sent_query)
    if len(claim.credential.split("/")) < 5 or not claim.credential.endswith("/aws4_request"):
        why = f"the Credential '{claim.credential}' is not key/date/region/service/aws4_request"
        raise words.malformed(why) if claim.good_for_s is None else words.malformed_query(why)
    return claim


def _is_form(request: HttpRequest) -> bool:
    """Whether it is a browser's form, which names no operation in its query."""
    is_form = request.headers.get("content-type", "").startswith("multipart/form-data")
    return is_form and request.method == "POST" and not request.query


def _body_sha256(request: HttpRequest, service: str, claim: _Claim, words: _Words) -> str:
    """The digest that was signed, as far as it is the body's."""
    if service == "s3" and claim.good_for_s is not None:
        return UNSIGNED_PAYLOAD
    sent = request.headers.get("x-amz-content-sha256", "")
    if service == "s3" and (sent == UNSIGNED_PAYLOAD or sent.startswith(aws_chunked.STREAMING)):
        return sent
    computed = payload_hash(request.body)
    if sent and sent != computed:
        raise words.wrong_body(sent, computed)
    return computed


def _check_names(request: HttpRequest, claim: _Claim, words: _Words) -> None:
    """The host and everything of AWS's own must be signed, or anybody could change it on the way."""
    signed = set(claim.signed_names)
    for name in request.headers:
        if name not in signed and (name == "host" or name.startswith("x-amz-")):
            raise words.unsigned_header(name)


@lru_cache(maxsize=64)  # a second's requests share a stamp
def _seconds(stamp: str) -> float | None:
    return presigned.signed_at_s(stamp)


def _stamp(utc_s: float) -> str:
    return datetime.fromtimestamp(int(utc_s), UTC).strftime("%Y%m%dT%H%M%SZ")
