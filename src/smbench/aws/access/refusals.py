"""Why AWS would not let us, and what to do about it: the errors of set-up as `TargetError`.

No text made here carries a credential: AWS repeats the signed request, session token included, in some messages.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from urllib.parse import urlsplit

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.session import Session

from smbench.aws.access.causes import NO_ANSWER, cause_of, code_of, distrust_of
from smbench.errors import TargetError
from smbench.printable import printable

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_SIGNATURE = {
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "IncompleteSignature",
    "IncompleteSignatureException",
}
_UNKNOWN_KEY = {
    "AuthFailure",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidToken",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "UnrecognizedClientException",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException", "403"}
_THROTTLED = {
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
_MOVED = {"301", "307", "400", "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed"}
_LONG_LIST = re.compile(r"\[((?:[^][,]+, ){4}[^][,]+)((?:, [^][,]+){6,})\]")  # of more than ten
_SECRET = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b|(?i:x-amz-security-token\s*[:=]\s*)\S+|(?i:credential=)[^,\s]+")


def told_by(error: ClientError) -> str:
    """AWS's message, fit to be kept: empty when it sent none (a throttle's is null) or repeats the signed request."""
    if code_of(error) in _SIGNATURE:
        return ""
    return without_long_lists(_SECRET.sub("[removed]", str(error.response.get("Error", {}).get("Message") or "")))


def without_long_lists(text: str) -> str:
    """A message of AWS's with the first of the values that it lists, where there are many: instance types are 300."""
    return _LONG_LIST.sub(lambda found: f"[{found[1]}, and {found[2].count(',')} more]", text)


@contextmanager
def explained(doing: str, *, profile: str | None, region: str, url: str | None = None) -> Iterator[None]:
    """Turn whatever AWS or the network says against `doing` ("describe the endpoint x") into a TargetError."""
    try:
        yield
    except ClientError as error:
        raise _refused(doing, error, profile, region, url) from error
    except (NoCredentialsError, PartialCredentialsError, ProfileNotFound, NoRegionError) as error:
        raise _unset(error, profile) from error
    except (CredentialRetrievalError, SSOError, TokenRetrievalError) as error:
        # Their texts may quote what a credential process printed: say only which step failed.
        raise TargetError(f"the credentials could not be fetched ({type(error).__name__})", sign_in(profile)) from error
    except NO_ANSWER as error:
        raise _unreached(doing, error, url or _named_by(error), region) from error
    except BotoCoreError as error:
        raise TargetError(f"could not {doing}: {_SECRET.sub('[removed]', str(error))}") from error


@contextmanager
def fetching(profile: str | None, region: str) -> Iterator[None]:
    """A block in which a session finds its credentials: from files, from processes, or from AWS, as a profile says.

    Raises:
        TargetError: also where a program or a file that the profile names is not there, or says what it should not.
    """
    try:
        with explained("fetch the credentials", profile=profile, region=region):
            try:
                yield
            except OSError as error:  # a network's have no file
                if error.filename is None:
                    raise
                why = f"{printable(str(error.filename))}: {error.strerror or type(error).__name__}"
                raise TargetError(f"the credentials could not be fetched: {why}", _profiles_own(profile)) from error
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        # botocore trusts what a credential process prints; what it printed may be a secret.
        why = "the credential process printed what are no credentials"
        raise TargetError(f"the credentials could not be fetched: {why}", _profiles_own(profile)) from error


def _profiles_own(profile: str | None) -> str:
    named = f" --profile {profile}" if profile else ""
    return f"correct the profile; `aws sts get-caller-identity{named}` shows whether it works"


def _named_by(error: Exception) -> str | None:
    """The address that an error of botocore's names, where a setting put another in AWS's place."""
    kept = getattr(error, "kwargs", {})
    parts = urlsplit(str(kept.get("endpoint_url", "")))
    is_set = parts.hostname is not None and not parts.hostname.endswith((".amazonaws.com", ".amazonaws.com.cn"))
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if is_set else None


def _unreached(doing: str, error: Exception, url: str | None, region: str) -> TargetError:
    cause, where = cause_of(error), url or f"AWS in {region}"
    if (distrust := distrust_of(error)) is not None:
        return TargetError(
            f"could not {doing}: the certificate of {where} is not trusted ({distrust})",
            "name the file of its authority's certificate in AWS_CA_BUNDLE, or `ca_bundle` in the profile",
        )
    if cause == "certificate file not found":
        return TargetError(
            f"could not {doing}: the file of trusted certificates does not exist",
            "correct AWS_CA_BUNDLE, or `ca_bundle` in the profile",
        )
    if cause == "TLS error":
        return TargetError(
            f"could not {doing}: {where} does not speak TLS as it should", "check the address: http, or https?"
        )
    advice = "check the network, the proxy settings and the region"
    if url is None and region not in (known := _regions()):
        near = get_close_matches(region, known, n=5)
        near.sort(key=lambda one: sorted(one) != sorted(region))  # two letters that changed places, before another name
        meant = f"; did you mean {near[0]}?" if near else ""
        advice = f"the AWS SDK knows no region {printable(region)}{meant}"
    return TargetError(f"could not {doing}: {where} did not answer ({cause})", advice)


def _regions() -> list[str]:
    """Every region in which the AWS SDK knows of SageMaker."""
    session = Session()
    partitions = session.get_available_partitions()
    return [region for one in partitions for region in session.get_available_regions("sagemaker", one)]


def sign_in(profile: str | None) -> str:
    """How a person gets fresh credentials."""
    named = f" --profile {profile}" if profile else ""
    return (
        f"sign in again with `aws sso login{named}`, or renew the credentials; "
        f"`aws sts get-caller-identity{named}` shows whether they work"
    )


def _refused(doing: str, error: ClientError, profile: str | None, region: str, url: str | None) -> TargetError:
    code, message = code_of(error), told_by(error)
    text = error.response.get("Error", {}).get("Message") or ""
    if code == "RequestTimeTooSkewed" or (code in _SIGNATURE and ("expired" in text or "not yet current" in text)):
        return TargetError(
            f"could not {doing}: this machine's clock is wrong", "set the clock; AWS allows five minutes"
        )
    if code in _EXPIRED:
        return TargetError(f"could not {doing}: the credentials have expired", sign_in(profile))
    if code in _UNKNOWN_KEY or code in _SIGNATURE:
        return TargetError(f"could not {doing}: AWS does not accept the credentials ({code})", sign_in(profile))
    if (there := _bucket_region(error)) not in (None, region) and code in _MOVED:
        return TargetError(
            f"could not {doing}: the bucket is in {there}, and S3 was asked in {region}"
            + ("" if url is None else f", through {url}"),
            f"use a bucket in {region}; the address of a VPC endpoint reaches the buckets of its own region alone",
        )
    if code in _DENIED:
        return TargetError(
            f"not allowed to {doing}: {message or code}",
            "let your administrator allow the action for this identity, or use another profile",
        )
    advice = "create the bucket, or name one that exists" if code == "NoSuchBucket" else ""
    if code in _THROTTLED:
        advice = "the account sends more of these calls than AWS takes: wait a minute, then repeat the command"
    return TargetError(f"could not {doing} in {region}: {code}{': ' + message if message else ''}", advice)


def _bucket_region(error: ClientError) -> str | None:
    """Where S3 says that the bucket is; None where it does not say."""
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    told = headers.get("x-amz-bucket-region") or error.response.get("Error", {}).get("Region")
    return None if told is None else str(told)


def _unset(error: BotoCoreError, profile: str | None) -> TargetError:
    if isinstance(error, ProfileNotFound):
        return TargetError(
            f"there is no AWS profile named {error.kwargs['profile']}",  # it may have come from AWS_PROFILE
            "`aws configure list-profiles` lists the existing ones",
        )
    if isinstance(error, NoRegionError):
        return TargetError("no AWS region is set", "give --region, set AWS_REGION, or add `region` to the profile")
    if isinstance(error, PartialCredentialsError):
        return TargetError("the AWS credentials are incomplete", "set both the access key id and the secret access key")
    named = f" --profile {profile}" if profile else ""
    return TargetError(
        "no AWS credentials were found",
        f"sign in with `aws sso login{named}`, name a profile that has some (--profile, AWS_PROFILE), or set "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    )
