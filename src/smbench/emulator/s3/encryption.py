"""Encryption at rest as S3 reports it: asked for in headers, stored with the object and described by them.

Nothing is encrypted here. An object for which nothing was asked is described as AES256, S3's own default since 2023.
"""

import base64
import hashlib
import re
from collections.abc import Mapping

from smbench.emulator.protocol.codecs import ServiceError
from smbench.emulator.site import Site

SSE = "x-amz-server-side-encryption"
_KMS_KEY, _BUCKET_KEY = f"{SSE}-aws-kms-key-id", f"{SSE}-bucket-key-enabled"
_CUSTOMER = f"{SSE}-customer"
_CUSTOMER_ALGORITHM, _CUSTOMER_KEY, _CUSTOMER_MD5 = (f"{_CUSTOMER}-{part}" for part in ("algorithm", "key", "key-md5"))
_OWN_KEY, _KMS = "AES256", ("aws:kms", "aws:kms:dsse")
_AWS_MANAGED = "alias/aws/s3"
_KEY_ID = re.compile(r"(mrk-)?[0-9a-f-]{32,36}")


def asked(headers: Mapping[str, str], site: Site) -> dict[str, str]:
    """What to store of the encryption that an upload asks for; empty for S3's default.

    Raises:
        ServiceError: InvalidArgument, for what S3 does not know or for two kinds at once.
    """
    if _CUSTOMER_ALGORITHM in headers or _CUSTOMER_KEY in headers:
        return _with_customers_key(headers)
    kind = headers.get(SSE, _OWN_KEY)
    if kind in _KMS:
        return of_key(headers.get(_KMS_KEY, ""), site, kind) | (
            {_BUCKET_KEY: "true"} if headers.get(_BUCKET_KEY, "").lower() == "true" else {}
        )
    if kind != _OWN_KEY:
        raise ServiceError("InvalidArgument", "The encryption method specified is not supported")
    if _KMS_KEY in headers:
        text = "Server Side Encryption with AWS KMS managed key requires HTTP header"
        raise ServiceError("InvalidArgument", f"{text} {SSE} : aws:kms")
    return {}


def of_key(key: str, site: Site, kind: str = "aws:kms") -> dict[str, str]:
    """Under a key of KMS: an ARN, an id, an alias, or nothing for the one that AWS manages."""
    if not key.startswith("arn:"):
        name = key or _AWS_MANAGED
        if not _KEY_ID.fullmatch(name):  # an alias is described by the key behind it
            digest = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
            name = "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:]))
        key = site.arn("kms", f"key/{name}")
    return {SSE: kind, _KMS_KEY: key}


def described(stored: Mapping[str, str]) -> list[tuple[str, str]]:
    """The headers that say how an object with these stored headers is encrypted."""
    kept = [(name, value) for name, value in stored.items() if name.startswith(SSE)]
    return kept or [(SSE, _OWN_KEY)]


def check_customers_key(headers: Mapping[str, str], stored: Mapping[str, str]) -> None:
    """Refuse to read what was stored under a customer's key without that key, and with a key what has none.

    Raises:
        ServiceError: InvalidRequest or AccessDenied.
    """
    wanted, given = stored.get(_CUSTOMER_MD5), headers.get(_CUSTOMER_MD5)
    if wanted is None and given is None:
        return
    if given is None:
        text = "The object was stored using a form of Server Side Encryption. "
        raise ServiceError("InvalidRequest", text + "The correct parameters must be provided to retrieve the object.")
    if wanted is None:
        raise ServiceError("InvalidRequest", "The encryption parameters are not applicable to this object.")
    if _with_customers_key(headers)[_CUSTOMER_MD5] != wanted:
        raise ServiceError("AccessDenied", "Access Denied", 403)


def _with_customers_key(headers: Mapping[str, str]) -> dict[str, str]:
    if SSE in headers:
        text = "Server Side Encryption with Customer provided key is incompatible with the encryption method specified"
        raise ServiceError("InvalidArgument", text)
    if headers.get(_CUSTOMER_ALGORITHM) != _OWN_KEY:
        raise ServiceError("InvalidEncryptionAlgorithmError", "The encryption request you specified is not valid.")
    try:
        key = base64.b64decode(headers.get(_CUSTOMER_KEY, ""), validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ServiceError("InvalidArgument", "The secret key was invalid for the specified algorithm.")
    digest = base64.b64encode(hashlib.md5(key, usedforsecurity=False).digest()).decode("ascii")
    if headers.get(_CUSTOMER_MD5) != digest:
        text = "The calculated MD5 hash of the key did not match the hash that was provided."
        raise ServiceError("InvalidArgument", text)
    return {_CUSTOMER_ALGORITHM: _OWN_KEY, _CUSTOMER_MD5: digest}
