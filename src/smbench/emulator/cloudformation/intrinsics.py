"""CloudFormation's intrinsic functions: what a value refers to, and what it is once that is known."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from smbench.emulator.protocol.codecs import ServiceError, beyond

_PLACE = re.compile(r"\$\{([^!}][^}]*)\}")
_ESCAPED = re.compile(r"\$\{!([^}]*)\}")
_KNOWN = ("Ref", "Fn::GetAtt", "Fn::Sub", "Fn::Join", "Fn::If", "Fn::Select", "Fn::Split")
_CONDITIONS = ("Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or", "Condition")
_NO_VALUE = "AWS::NoValue"
NOTHING = object()  # a member that AWS::NoValue leaves out

Lookup = Callable[[str, str], Any]
"""Gives a resource's attribute, or what Ref gives where the attribute is empty."""


def invalid(message: str) -> ServiceError:
    """CloudFormation's one error for what it understood and will not do."""
    return ServiceError("ValidationError", message)


def references(value: Any) -> set[tuple[str, str]]:
    """Names that a value refers to, each with the attribute; empty where it is a Ref."""
    if isinstance(value, list):
        return {one for item in value for one in references(item)}
    if not isinstance(value, dict):
        return set()
    if "Ref" in value:
        return {(value["Ref"], "")}
    if "Fn::GetAtt" in value:
        return {_attribute(value["Fn::GetAtt"])}
    if "Fn::Sub" in value:
        text, own = _substitution(value["Fn::Sub"])
        named = {_parted(place) for place in _PLACE.findall(text) if place not in own}
        return named | references(list(own.values()))
    return {one for item in value.values() for one in references(item)}


def resolved(value: Any, lookup: Lookup, conditions: Mapping[str, bool]) -> Any:
    """The value with every function carried out.

    Raises:
        ServiceError: a function that the emulator does not know (501), or arguments that do not fit.
    """

    def of(inner: Any) -> Any:
        return resolved(inner, lookup, conditions)

    if isinstance(value, list):
        return [item for item in map(of, value) if item is not NOTHING]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        name, argument = next(iter(value.items()))
        if name in _KNOWN:
            return _carried_out(name, argument, of, lookup, conditions)
        if name.startswith("Fn::"):
            raise beyond(f"carry out the intrinsic function {name}")
    members = {key: of(item) for key, item in value.items()}
    return {key: item for key, item in members.items() if item is not NOTHING}


def _carried_out(
    name: str, argument: Any, of: Callable[[Any], Any], lookup: Lookup, conditions: Mapping[str, bool]
) -> Any:
    match name:
        case "Ref":
            return NOTHING if argument == _NO_VALUE else lookup(argument, "")
        case "Fn::GetAtt":
            return lookup(*_attribute(argument))
        case "Fn::Sub":
            text, own = _substitution(argument)
            values = {key: of(item) for key, item in own.items()}
            filled = _PLACE.sub(lambda m: str(values[m[1]] if m[1] in values else lookup(*_parted(m[1]))), text)
            return _ESCAPED.sub(r"${\1}", filled)
        case "Fn::Join":
            separator, items = argument
            return separator.join(map(str, of(items)))
        case "Fn::Select":
            return of(argument[1])[int(of(argument[0]))]
        case "Fn::Split":
            return str(of(argument[1])).split(argument[0])
        case _:
            condition, so, otherwise = argument
            if condition not in conditions:
                raise invalid(f"Template format error: Unresolved condition {condition}")
            return of(so if conditions[condition] else otherwise)


def decided(texts: Mapping[str, Any], lookup: Lookup) -> dict[str, bool]:
    """The template's conditions, each true or false; one may name another that comes before it."""
    known: dict[str, bool] = {}
    for name, text in texts.items():
        known[name] = _holds(text, lookup, known)
    return known


def _holds(text: Any, lookup: Lookup, known: Mapping[str, bool]) -> bool:
    if not isinstance(text, dict) or len(text) != 1 or next(iter(text)) not in _CONDITIONS:
        raise invalid("Template format error: Every Condition member must be one intrinsic function")
    name, argument = next(iter(text.items()))
    match name:
        case "Fn::Equals":
            left, right = resolved(argument, lookup, known)
            return str(left) == str(right)
        case "Fn::Not":
            return not _holds(argument[0], lookup, known)
        case "Fn::And":
            return all(_holds(one, lookup, known) for one in argument)
        case "Fn::Or":
            return any(_holds(one, lookup, known) for one in argument)
        case _:
            if argument not in known:
                raise invalid(f"Template format error: Unresolved condition {argument}")
            return known[argument]


def _attribute(argument: Any) -> tuple[str, str]:
    if isinstance(argument, str):
        return _parted(argument)
    resource, attribute = argument
    return str(resource), str(attribute)


def _parted(place: str) -> tuple[str, str]:
    if place.startswith("AWS::"):
        return place, ""
    resource, _, attribute = place.partition(".")
    return resource, attribute


def _substitution(argument: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(argument, str):
        return argument, {}
    text, own = argument
    return str(text), dict(own)
