"""What must never reach a file: credentials, whether AWS's own shapes, a URL's, or this process's environment."""

import os
import re
from collections.abc import Mapping
from typing import Any

REDACTED = "[redacted]"

_SECRET_VARIABLES = re.compile(r"SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL|ACCESS_KEY|API_KEY", re.IGNORECASE)
_SECRET_KEYS = re.compile(
    r"secret_?access_?key|session_?token|security_?token|^password$|^authorization$|^api_?key$", re.IGNORECASE
)
_SHAPES = re.compile(
    r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b"  # key ids and principal ids: IAM user guide, unique identifiers
    r"|\b(?:IQoJ|FwoG|FQoG)[A-Za-z0-9+/=]{60,}"  # session tokens begin so, for what they encode
    r"|(?<=://)[^/\s:@]+:[^\s@]+(?=@)"  # user and password in a URL
    r"|(?i:X-Amz-(?:Signature|Credential|Security-Token))=[^&\s\"']+"  # a signed URL
    r"|(?i:secret_?access_?key|se(?:ssion|curity)_?token|password)[\"']?\s*[=:]\s*[\"']?[^\s\"',}]+"
)
_SHORTEST = 8  # a shorter value of a variable would redact ordinary words


def redacted(value: Any, environ: Mapping[str, str] | None = None) -> Any:
    """The same JSON value with everything that looks like a credential replaced.

    Args:
        value: Strings, numbers, None, and lists, tuples and dicts of them.
        environ: Whose secrets to look for; default: this process's.
    """
    return _redacted(value, _secrets_of(os.environ if environ is None else environ))


def _secrets_of(environ: Mapping[str, str]) -> list[str]:
    found = {value for name, value in environ.items() if _SECRET_VARIABLES.search(name) and len(value) >= _SHORTEST}
    return sorted(found, key=len, reverse=True)  # a secret inside a longer one must not cut it in two


def _redacted(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, REDACTED)
        return _SHAPES.sub(REDACTED, value)
    if isinstance(value, Mapping):
        return {
            _redacted(key, secrets): REDACTED
            if inner and isinstance(key, str) and _SECRET_KEYS.search(key)
            else _redacted(inner, secrets)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redacted(inner, secrets) for inner in value]
    return value
