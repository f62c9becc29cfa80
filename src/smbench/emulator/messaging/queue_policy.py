"""Whether a queue's policy lets a topic send to it: the part of IAM's policy language that queue policies use.

What is not understood never allows: an Allow with an unknown condition grants nothing.
"""

import re
from functools import lru_cache
from typing import Any

import orjson

_SNS = "sns.amazonaws.com"
_KEYS = {"aws:sourcearn": "topic", "aws:sourceaccount": "account"}


@lru_cache(maxsize=4096)
def allows_topic(policy: str, queue_arn: str, topic_arn: str) -> bool:
    """Whether SNS may send what was published to `topic_arn` into the queue. No policy allows nothing."""
    if not policy:
        return False
    statements = orjson.loads(policy).get("Statement", [])
    context = {"topic": topic_arn, "account": topic_arn.split(":")[4]}
    matching = [
        statement.get("Effect")
        for statement in (statements if isinstance(statements, list) else [statements])
        if isinstance(statement, dict) and _applies(statement, queue_arn, context)
    ]
    return "Allow" in matching and "Deny" not in matching


def _applies(statement: dict[str, Any], queue_arn: str, context: dict[str, str]) -> bool:
    return (
        _names_sns(statement.get("Principal"))
        and any(_like(action.lower(), "sqs:sendmessage") for action in _texts(statement.get("Action")))
        and any(_like(resource, queue_arn) for resource in _texts(statement.get("Resource", queue_arn)))
        and _conditions_hold(statement.get("Condition", {}), context)
    )


def _names_sns(principal: Any) -> bool:
    if not isinstance(principal, dict):
        return bool(principal == "*")
    return _SNS in _texts(principal.get("Service")) or "*" in _texts(principal.get("AWS"))


def _conditions_hold(conditions: Any, context: dict[str, str]) -> bool:
    if not isinstance(conditions, dict):
        return False
    for operator, pairs in conditions.items():
        compare = _OPERATORS.get(operator.lower())
        if compare is None or not isinstance(pairs, dict):
            return False
        for key, values in pairs.items():
            actual = context.get(_KEYS.get(key.lower(), ""))
            if actual is None or not any(compare(value, actual) for value in _texts(values)):
                return False
    return True


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [] if value is None else [str(value)]


def _like(pattern: str, text: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text) is not None


def _equals(pattern: str, text: str) -> bool:
    return pattern == text


_OPERATORS = {
    "arnequals": _like,  # IAM documents ArnEquals and ArnLike as the same
    "arnlike": _like,
    "stringequals": _equals,
    "stringlike": _like,
}
