"""The emulated STS: who the caller is, and temporary credentials; any caller may take any role."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.protocol.signatures import Temporary, access_key_of
from smbench.emulator.site import Site
from smbench.wire.sigv4 import Credentials

_USER_ID = "AIDAEXAMPLEEXAMPLE000"
_ROLE_S, _SESSION_S = 3600, 43_200  # how long credentials last where the caller does not say


@dataclass(frozen=True, slots=True)
class _Issued:
    credentials: Credentials
    expires: datetime
    arn: str
    user_id: str


class Sts:
    """GetCallerIdentity, AssumeRole, AssumeRoleWithWebIdentity and GetSessionToken."""

    service = "sts"

    def __init__(self, site: Site) -> None:
        self._site = site
        self._issued: dict[str, _Issued] = {}
        self.operations: dict[str, Operation] = {
            "GetCallerIdentity": self._get_caller_identity,
            "AssumeRole": self._assume_role,
            "AssumeRoleWithWebIdentity": self._assume_role,  # any token is taken, and whose it is is not said
            "GetSessionToken": self._get_session_token,
        }

    def temporary(self, access_key: str) -> Temporary | None:
        """The credentials that were issued under a key; None: none were."""
        found = self._issued.get(access_key)
        return None if found is None else Temporary(found.credentials, found.expires <= self._site.now())

    def _get_caller_identity(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        account, found = self._site.account, self._issued.get(access_key_of(request))
        if found is not None:
            return {"UserId": found.user_id, "Account": account, "Arn": found.arn}
        return {"UserId": _USER_ID, "Account": account, "Arn": f"arn:aws:iam::{account}:user/smbench"}

    def _assume_role(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        role, session = params["RoleArn"].rpartition("/")[2], params["RoleSessionName"]
        arn = f"arn:aws:sts::{self._site.account}:assumed-role/{role}/{session}"
        user_id = f"AROAEXAMPLEEXAMPLE000:{session}"
        issued = self._issue(params.get("DurationSeconds", _ROLE_S), arn, user_id)
        return {"Credentials": issued, "AssumedRoleUser": {"AssumedRoleId": user_id, "Arn": arn}}

    def _get_session_token(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        arn = f"arn:aws:iam::{self._site.account}:user/smbench"
        return {"Credentials": self._issue(params.get("DurationSeconds", _SESSION_S), arn, _USER_ID)}

    def _issue(self, lasts_s: int, arn: str, user_id: str) -> dict[str, Any]:
        key = f"ASIA{len(self._issued) + 1:016X}"
        token = f"emulated-{self._site.new_id()}"
        issued = _Issued(
            Credentials(key, "emulated", token), self._site.now() + timedelta(seconds=lasts_s), arn, user_id
        )
        self._issued[key] = issued
        return {
            "AccessKeyId": key,
            "SecretAccessKey": issued.credentials.secret_key,
            "SessionToken": token,
            "Expiration": issued.expires,
        }
