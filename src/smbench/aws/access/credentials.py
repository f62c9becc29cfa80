"""Credentials for signing by hand: those of the AWS session, looked at again while a run goes on."""

import math
from dataclasses import dataclass
from typing import Any

import anyio
from botocore.exceptions import BotoCoreError, ClientError

from smbench.aws.access.causes import NO_ANSWER, UNREADABLE
from smbench.aws.access.instants import datetime_utc_ns
from smbench.clock import wall_ns
from smbench.wire.sigv4 import Credentials

_LOOK_AT_MOST_EVERY_S = 0.25
_LOOK_EVERY_S = 30.0  # the session itself knows when it must fetch new ones: a quarter of an hour before the end


@dataclass(frozen=True, slots=True)
class CredentialFacts:
    """What is known of credentials beside their secrets.

    Args:
        method: Where they came from, by botocore's name, such as `sso`, `custom-process` or `env`.
        ends_utc_ns: When these end; None: never, or it is not known.
        is_temporary: They have a session token.
    """

    method: str
    ends_utc_ns: int | None
    is_temporary: bool


class SessionCredentials:
    """The session's credentials, at hand without waiting.

    Args:
        source: The session's own, which refresh themselves when asked; None for those that never change.
        now: Those that are valid now.
    """

    def __init__(self, source: Any, now: Credentials) -> None:
        self._source, self._now = source, now

    def current(self) -> Credentials:
        """The last ones fetched; `keep_fresh` renews them."""
        return self._now

    def facts(self) -> CredentialFacts:
        """Where the session's credentials come from, and until when they are good."""
        ends = getattr(self._source, "_expiry_time", None)  # botocore has no other name for it
        return CredentialFacts(
            method=str(getattr(self._source, "method", "") or "the settings"),
            ends_utc_ns=None if ends is None else datetime_utc_ns(ends),
            is_temporary=self._now.token is not None,
        )

    async def keep_fresh(self) -> None:
        """Ask the session from time to time, until cancelled.

        A renewal that fails is tried again. If none succeeds AWS refuses the requests, and that is their outcome.
        """
        while self._source is not None:
            await anyio.sleep(self._look_in_s())
            try:
                self._now = frozen(await self._source.get_frozen_credentials())
            except (BotoCoreError, ClientError, LookupError, *NO_ANSWER, *UNREADABLE):
                continue  # the last: what a credential process printed is not always what it should be

    def _look_in_s(self) -> float:
        """Those that are short-lived are looked at while half of their time is left."""
        ends_ns = self.facts().ends_utc_ns
        left_s = math.inf if ends_ns is None else (ends_ns - wall_ns()) / 1e9
        return min(_LOOK_EVERY_S, max(_LOOK_AT_MOST_EVERY_S, left_s / 2))


def frozen(credentials: Any) -> Credentials:
    """botocore's frozen credentials as ours."""
    return Credentials(credentials.access_key, credentials.secret_key, credentials.token or None)
