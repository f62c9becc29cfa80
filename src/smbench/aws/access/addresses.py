"""Checks that an address can be AWS's: before anything is sent there."""

import re
from urllib.parse import urlsplit

from smbench.errors import TargetError
from smbench.printable import printable

ADDRESS_LOOKS_LIKE = "an address looks like http://127.0.0.1:8000"
_BLANK = re.compile(r"[\s\x00-\x1f\x7f]")


def require_usable(whose: str, url: str) -> None:
    """Refuse an address that no request can be sent to.

    Args:
        whose: Who named it, such as `--endpoint-url`.

    Raises:
        TargetError: it is not usable. Its words are not repeated where a password may be among them.
    """
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise TargetError(
            f"{whose} has a user's name or password in it, which are not supported there",
            "AWS is called with signatures: give credentials by the AWS settings, and remove all before the @",
        )
    if why := _why_not(url):
        shown = "an address" if "@" in url else " ".join(printable(url).split()) or "an empty address"
        raise TargetError(f"{whose} is {shown}, which cannot be used: {why}", ADDRESS_LOOKS_LIKE)


def _why_not(url: str) -> str:
    """A clause; empty where the address can be used."""
    if _BLANK.search(url):
        return "there is a blank in it"
    if not re.match(r"(?i)https?:", url):
        return "it does not begin with http:// or https://"
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError as error:  # a port that is no number or too large, brackets around what is no address
        return "its port is not a number from 1 to 65535" if "ort" in str(error) else "its host is not an address"
    if not host:
        return "it names no host"
    if port == 0:
        return "its port is not a number from 1 to 65535"
    return "it has more than a scheme, a host, a port and a path" if parts.query or parts.fragment else ""
