"""Lists in pages: with tokens that mean nothing to the caller."""

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from smbench.emulator.protocol.digits import whole

_Item = TypeVar("_Item")


class TokenError(ValueError):
    """A token this emulator never gave."""


def page(items: Sequence[_Item], token: str | None, limit: int) -> tuple[list[_Item], str | None]:
    """Up to `limit` items from where `token` points, and the token of the rest; None when there is none.

    Raises:
        TokenError: each service answers it with an error of its own.
    """
    start = position(token)
    if start > len(items):
        raise TokenError(token)
    end = start + limit
    return list(items[start:end]), token_for(end) if end < len(items) else None


def position(token: str | None) -> int:
    """The place a token points at; 0 without one.

    Raises:
        TokenError: the same.
    """
    if token is None:
        return 0
    try:
        text = base64.urlsafe_b64decode(token.encode("ascii", "replace")).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        raise TokenError(token) from None
    place = whole(text)
    if place is None:
        raise TokenError(token)
    return place


def token_for(place: int) -> str:
    """An opaque NextToken for the place at which the next page begins."""
    return base64.urlsafe_b64encode(str(place).encode("ascii")).decode("ascii")
