"""The emulated STS: who the caller is, and credentials for a role; nothing is ever refused for its signature."""

from datetime import timedelta
from typing import Any

from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.site import Site

_USER_ID = "AIDAEXAMPLEEXAMPLE000"
_DEFAULT_S = 3600


class Sts:
    """GetCallerIdentity and AssumeRole."""

    service = "sts"

    def __init__(self, site: Site) -> None:
        self._site = site
        self.operations: dict[str, Operation] = {
            "GetCallerIdentity": self._get_caller_identity,
            "AssumeRole": self._assume_role,
        }

    def _get_caller_identity(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        account = self._site.account
        return {"UserId": _USER_ID, "Account": account, "Arn": f"arn:aws:iam::{account}:user/smbench"}

    def _assume_role(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        role, session = params["RoleArn"].rpartition("/")[2], params["RoleSessionName"]
        expires = self._site.now() + timedelta(seconds=params.get("DurationSeconds", _DEFAULT_S))
        return {
            "Credentials": {
                "AccessKeyId": "ASIAEXAMPLEEXAMPLE00",
                "SecretAccessKey": "emulated",
                "SessionToken": f"emulated-{self._site.new_id()}",
                "Expiration": expires,
            },
            "AssumedRoleUser": {
                "AssumedRoleId": f"AROAEXAMPLEEXAMPLE000:{session}",
                "Arn": f"arn:aws:sts::{self._site.account}:assumed-role/{role}/{session}",
            },
        }
