"""AddPermission and RemovePermission of the emulated SQS: statements of a queue's policy, by their label."""

import re
from collections.abc import Callable
from typing import Any

import orjson

from smbench.emulator.messaging.hosted_queue import HostedQueue
from smbench.emulator.messaging.sqs_rules import sqs_error
from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest

_LABEL = re.compile(r"[A-Za-z0-9_-]{1,80}", re.ASCII)
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_ACTIONS = {
    *("*", "ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "GetQueueUrl"),
    *("ListDeadLetterSourceQueues", "PurgeQueue", "ReceiveMessage", "SendMessage"),
}
_STATEMENTS_MAX = 7


class Permissions:
    """The two operations. Args: `at` finds the queue that a call is about."""

    def __init__(self, at: Callable[[dict[str, Any]], HostedQueue]) -> None:
        self._at = at
        self.operations: dict[str, Operation] = {"AddPermission": self._add, "RemovePermission": self._remove}

    def _add(self, params: dict[str, Any], _request: HttpRequest) -> None:
        hosted, label = self._at(params), params["Label"]
        policy = _policy(hosted)
        if not _LABEL.fullmatch(label) or any(one.get("Sid") == label for one in policy["Statement"]):
            raise _invalid(label, "Label", "Already exists." if _LABEL.fullmatch(label) else "It is not valid.")
        for account in params["AWSAccountIds"]:
            if not _ACCOUNT.fullmatch(account):
                raise _invalid(account, "PrincipalId", "Unable to verify.")
        for action in params["Actions"]:
            if action not in _ACTIONS:
                text = "Please refer to the appropriate WSDL for a list of valid actions."
                raise _invalid(f"SQS:{action}", "ActionName", text)
        if len(policy["Statement"]) >= _STATEMENTS_MAX:
            text = f"{len(policy['Statement']) + 1} statements were found, maximum allowed is {_STATEMENTS_MAX}."
            raise sqs_error("OverLimit", text, 403)
        principals = [f"arn:aws:iam::{account}:root" for account in params["AWSAccountIds"]]
        policy["Statement"].append(
            {
                "Sid": label,
                "Effect": "Allow",
                "Principal": {"AWS": _one_or_all(principals)},
                "Action": _one_or_all([f"SQS:{action}" for action in params["Actions"]]),
                "Resource": hosted.arn,
            }
        )
        hosted.attributes["Policy"] = orjson.dumps(policy).decode()

    def _remove(self, params: dict[str, Any], _request: HttpRequest) -> None:
        hosted, label = self._at(params), params["Label"]
        policy = _policy(hosted)
        kept = [one for one in policy["Statement"] if one.get("Sid") != label]
        if len(kept) == len(policy["Statement"]):
            raise _invalid(label, "Label", "can't find label on existing policy.")
        hosted.attributes["Policy"] = orjson.dumps(policy | {"Statement": kept}).decode() if kept else ""


def _policy(hosted: HostedQueue) -> dict[str, Any]:
    if text := hosted.attributes.get("Policy"):
        policy: dict[str, Any] = orjson.loads(text)
        statements = policy["Statement"]
        return policy | {"Statement": list(statements) if isinstance(statements, list) else [statements]}
    return {"Version": "2012-10-17", "Id": f"{hosted.arn}/SQSDefaultPolicy", "Statement": []}


def _one_or_all(texts: list[str]) -> str | list[str]:
    return texts[0] if len(texts) == 1 else texts


def _invalid(value: str, name: str, reason: str) -> Exception:
    return sqs_error("InvalidParameterValue", f"Value {value} for parameter {name} is invalid. Reason: {reason}")
