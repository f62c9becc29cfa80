"""CloudFormation's intrinsic functions: what a value refers to, and what it is once that is known."""

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

from smbench.emulator.protocol.codecs import ServiceError, beyond

_PLACE = re.compile(r"\$\{([^!}][^}]*)\}")
_ESCAPED = re.compile(r"\$\{!([^}]*)\}")
IMPORT = "Fn::ImportValue"
_KNOWN = ("Ref", "Fn::GetAtt", "Fn::Sub", "Fn::Join", "Fn::Select", "Fn::Split", "Fn::Base64", IMPORT)
_CONDITIONS = ("Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or", "Condition")
_NO_VALUE = "AWS::NoValue"
NOTHING = object()  # a member that AWS::NoValue leaves out

Lookup = Callable[[str, str], Any]
"""Gives a resource's attribute, or what Ref gives where the attribute is empty; under IMPORT, an export's value."""


def invalid(message: str) -> ServiceError:
    """CloudFormation's one error for what it understood and will not do."""
    return ServiceError("ValidationError", message)


def references(value: Any) -> set[tuple[str, str]]:
    """Names that a value refers to, each with the attribute; empty where it is a Ref.

    Raises:
        ServiceError: a reference that is none.
    """
    if isinstance(value, list):
        return {one for item in value for one in references(item)}
    if not isinstance(value, dict):
        return set()
    if "Ref" in value:
        if not isinstance(value["Ref"], str):
            raise invalid("Template format error: Every Ref object must have a single String value.")
        return {(value["Ref"], "")}
    if "Fn::GetAtt" in value:
        return {_attribute(value["Fn::GetAtt"])}
    if "Fn::Sub" in value:
        text, own = _substitution(value["Fn::Sub"])
        named = {_parted(place) for place in _PLACE.findall(text) if place not in own}
        return named | references(list(own.values()))
    return {one for item in value.values() for one in references(item)}


def chosen(value: Any, conditions: Mapping[str, bool], find: Callable[[Any, Any, Any], Any]) -> Any:
    """The value with what is known before anything is made: Fn::If by its condition, Fn::FindInMap by `find`.

    Raises:
        ServiceError: a condition that is not there, arguments that do not fit, what `find` raises, or a function that
            the emulator does not know (501).
    """

    def of(inner: Any) -> Any:
        return chosen(inner, conditions, find)

    if isinstance(value, list):
        return [of(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "Fn::If" in value and len(value) == 1:
        condition, so, otherwise = _arguments(value, "Fn::If", 3)
        if not isinstance(condition, str) or condition not in conditions:
            raise invalid(f"Template error: unresolved condition dependency {condition} in Fn::If")
        return of(so if conditions[condition] else otherwise)
    if "Fn::FindInMap" in value and len(value) == 1:
        return find(*(of(one) for one in _arguments(value, "Fn::FindInMap", 3)))
    for name in value:
        if name.startswith("Fn::") and name not in _KNOWN and name not in _CONDITIONS:
            raise beyond(f"carry out the intrinsic function {name}")
    return {key: of(item) for key, item in value.items()}


def _arguments(value: dict[str, Any], name: str, n: int) -> list[Any]:
    """A function's list of arguments. Raises ServiceError: it has not so many."""
    given = value[name]
    if not isinstance(given, list) or len(given) != n:
        raise invalid(f"Template error: {name} requires a list argument with {n} elements")
    return given


def resolved(value: Any, lookup: Lookup) -> Any:
    """The value with every other function carried out.

    Raises:
        ServiceError: arguments that do not fit, or what `lookup` raises.
    """

    def of(inner: Any) -> Any:
        return resolved(inner, lookup)

    if isinstance(value, list):
        return [item for item in map(of, value) if item is not NOTHING]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        name, argument = next(iter(value.items()))
        if name in _KNOWN:
            return _fitting(name, argument, of, lookup)
    members = {key: of(item) for key, item in value.items()}
    return {key: item for key, item in members.items() if item is not NOTHING}


def _fitting(name: str, argument: Any, of: Callable[[Any], Any], lookup: Lookup) -> Any:
    """The function carried out. Raises ServiceError: arguments that do not fit it."""
    try:
        return _carried_out(name, argument, of, lookup)
    except (TypeError, ValueError, IndexError, AttributeError):
        raise invalid(f"Template error: the arguments of {name} do not fit it") from None


def _carried_out(name: str, argument: Any, of: Callable[[Any], Any], lookup: Lookup) -> Any:
    match name:
        case "Ref":
            return NOTHING if argument == _NO_VALUE else lookup(argument, "")
        case "Fn::GetAtt":
            return lookup(*_attribute(argument))
        case "Fn::Sub":
            text, own = _substitution(argument)
            values = {key: of(item) for key, item in own.items()}
            filled = _PLACE.sub(lambda m: text_of(values[m[1]] if m[1] in values else lookup(*_parted(m[1]))), text)
            return _ESCAPED.sub(r"${\1}", filled)
        case "Fn::Join":
            separator, items = argument
            return separator.join(map(text_of, _a_list(of(items))))
        case "Fn::Select":
            index, items = int(of(argument[0])), _a_list(of(argument[1]))
            if not 0 <= index < len(items):
                raise invalid(f"Template error: Fn::Select cannot select nonexistent value at index {index}")
            return items[index]
        case "Fn::ImportValue":
            return lookup(IMPORT, text_of(of(argument)))
        case "Fn::Split":
            return text_of(of(argument[1])).split(argument[0])
        case _:
            return base64.b64encode(text_of(of(argument)).encode()).decode("ascii")


def _a_list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def text_of(value: Any) -> str:
    """A value where text is wanted: booleans as JSON has them, a list with commas."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(text_of, value)) if isinstance(value, list) else str(value)


def decided(texts: Mapping[str, Any], lookup: Lookup) -> dict[str, bool]:
    """The template's conditions, each true or false; one may name another, before or after it."""
    known: dict[str, bool] = {}

    def decide(name: str, above: tuple[str, ...]) -> bool:
        if name not in texts:
            raise invalid(f"Template format error: Unresolved condition {name}")
        if name in above:
            raise invalid(f"Template error: Condition {name} is circularly dependent")
        if name not in known:
            known[name] = _holds(texts[name], lookup, lambda other: decide(other, (*above, name)))
        return known[name]

    for name in texts:
        decide(name, ())
    return known


def _holds(text: Any, lookup: Lookup, decide: Callable[[str], bool]) -> bool:
    if not isinstance(text, dict) or len(text) != 1 or next(iter(text)) not in _CONDITIONS:
        raise invalid("Template format error: Every Condition member must be one intrinsic function")
    name, argument = next(iter(text.items()))
    match name:
        case "Fn::Equals":
            left, right = resolved(_arguments(text, name, 2), lookup)
            return text_of(left) == text_of(right)
        case "Fn::Not":
            return not _holds(_arguments(text, name, 1)[0], lookup, decide)
        case "Fn::And" | "Fn::Or":
            if not isinstance(argument, list) or not 2 <= len(argument) <= 10:
                raise invalid(f"Template error: {name} requires a list argument with 2 to 10 elements")
            held = [_holds(one, lookup, decide) for one in argument]
            return all(held) if name == "Fn::And" else any(held)
        case _:
            return decide(str(argument))


def _attribute(argument: Any) -> tuple[str, str]:
    if isinstance(argument, str):
        argument = argument.split(".", 1)
    if not isinstance(argument, list) or len(argument) != 2 or not all(isinstance(one, str) for one in argument):
        raise invalid("Template error: every Fn::GetAtt object requires two non-empty parameters, of text")
    resource, attribute = argument
    return resource, attribute


def _parted(place: str) -> tuple[str, str]:
    if place.startswith("AWS::"):
        return place, ""
    resource, _, attribute = place.partition(".")
    return resource, attribute


def _substitution(argument: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(argument, str):
        return argument, {}
    is_pair = isinstance(argument, list) and len(argument) == 2
    if not is_pair or not isinstance(argument[0], str) or not isinstance(argument[1], dict):
        raise invalid("Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments.")
    return argument[0], dict(argument[1])
