"""The rules of a template: what must hold of its parameters before anything is made."""

from collections.abc import Mapping
from typing import Any

from smbench.emulator.cloudformation.intrinsics import Lookup, invalid, resolved, text_of
from smbench.emulator.protocol.codecs import beyond

_FUNCTIONS = (
    *("Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals"),
    *("Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn"),
)


def check_rules(rules: Mapping[str, Any], lookup: Lookup, *, is_given: bool) -> None:
    """Hold every assertion of every rule whose condition is met against the parameters.

    Args:
        is_given: The parameters have values; without them the rules are read only.

    Raises:
        ServiceError: an assertion that does not hold, a rule that is none, or a function that is not known here (501).
    """
    for name, rule in rules.items():
        if not isinstance(rule, dict) or not isinstance(rule.get("Assertions"), list):
            raise invalid(f"Template format error: [/Rules/{name}] Every Rules object must have Assertions")
        if unknown := rule.keys() - {"RuleCondition", "Assertions"}:
            raise invalid(f"Template format error: Unresolved member {min(unknown)} of rule {name}")
        is_met = "RuleCondition" not in rule or _holds(name, rule["RuleCondition"], lookup)
        for one in rule["Assertions"]:
            if not isinstance(one, dict) or "Assert" not in one:
                raise invalid(f"Template format error: [/Rules/{name}] Every assertion must have Assert")
            if not _holds(name, one["Assert"], lookup) and is_met and is_given:
                said = one.get("AssertDescription", f"an assertion of rule {name} does not hold")
                raise invalid(f"Template validation error: {said}")


def _holds(rule: str, text: Any, lookup: Lookup) -> bool:
    if not isinstance(text, dict) or len(text) != 1:
        raise invalid(f"Template format error: rule {rule} must be made of intrinsic functions")
    name, argument = next(iter(text.items()))
    if name not in _FUNCTIONS:
        raise beyond(f"carry out the rule function {name}")
    least, most = (1, 1) if name == "Fn::Not" else (2, 10 if name in ("Fn::And", "Fn::Or") else 2)
    if not isinstance(argument, list) or not least <= len(argument) <= most:
        raise invalid(f"Template error: {name} of rule {rule} requires a list of {least} to {most} elements")
    if name in ("Fn::And", "Fn::Or", "Fn::Not"):
        held = [_holds(rule, one, lookup) for one in argument]
        return not held[0] if name == "Fn::Not" else all(held) if name == "Fn::And" else any(held)
    left, right = resolved(argument, lookup)
    if name == "Fn::Equals":
        return text_of(left) == text_of(right)
    if name == "Fn::Contains":
        return text_of(right) in _texts(left)
    if name == "Fn::EachMemberEquals":
        return all(one == text_of(right) for one in _texts(left))
    return all(one in _texts(right) for one in _texts(left))


def _texts(value: Any) -> list[str]:
    return [text_of(one) for one in value] if isinstance(value, list) else [text_of(value)]
