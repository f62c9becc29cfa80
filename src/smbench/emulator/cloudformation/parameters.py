"""The parameters of a template: what each may be, and the values that a stack gives them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smbench.emulator.cloudformation.intrinsics import invalid, text_of
from smbench.emulator.protocol.codecs import beyond

_LISTS = ("CommaDelimitedList", "List<Number>", "List<String>")
_TYPES = ("String", "Number", *_LISTS)
_ALLOWED = {
    *("Type", "Default", "Description", "NoEcho", "AllowedValues", "AllowedPattern", "ConstraintDescription"),
    *("MinLength", "MaxLength", "MinValue", "MaxValue"),
}


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a template declares and what it was given.

    Args:
        texts: As a caller writes them.
        values: What Ref gives: a list for the types of lists.
    """

    declared: Mapping[str, Mapping[str, Any]]
    texts: dict[str, str]
    values: dict[str, Any]


def is_secret(declared: Mapping[str, Any]) -> bool:
    """Whether the value of a parameter is not shown; JSON templates say it as a truth value or as text."""
    return str(declared.get("NoEcho", False)).lower() == "true"


def read_parameters(declared: Mapping[str, Any], given: Mapping[str, str] | None) -> Parameters:
    """Checked values; without `given`, defaults and empty texts, unchecked.

    Raises:
        ServiceError: one is not declared, missing, or not as its declaration wants it; or of a type unknown here (501).
    """
    for name, one in declared.items():
        if not isinstance(one, dict) or "Type" not in one:
            raise invalid(f"Template format error: Every Parameters object must contain a Type member. [{name}]")
        if one["Type"] not in _TYPES:
            raise beyond(f"know parameters of type {one['Type']}")
        if unknown := one.keys() - _ALLOWED:
            raise invalid(f"Invalid template parameter property '{min(unknown)}'")
    if given is None:
        texts = {name: text_of(one.get("Default", "")) for name, one in declared.items()}
        return Parameters(declared, texts, {name: _value(declared[name], text) for name, text in texts.items()})
    if unknown := given.keys() - declared.keys():
        raise invalid(f"Parameters: [{', '.join(sorted(unknown))}] do not exist in the template")
    missing = [name for name, one in declared.items() if name not in given and "Default" not in one]
    if missing:
        raise invalid(f"Parameters: [{', '.join(missing)}] must have values")
    texts = {name: given[name] if name in given else text_of(one["Default"]) for name, one in declared.items()}
    for name, text in texts.items():
        try:
            _check(name, declared[name], text)
        except (TypeError, ValueError, re.error):
            raise invalid(f"Template format error: the constraints of parameter {name} cannot be read") from None
    return Parameters(declared, texts, {name: _value(declared[name], text) for name, text in texts.items()})


def _value(declared: Mapping[str, Any], text: str) -> Any:
    return [one.strip() for one in text.split(",")] if declared["Type"] in _LISTS else text


def _check(name: str, declared: Mapping[str, Any], text: str) -> None:
    items = _value(declared, text) if declared["Type"] in _LISTS else [text]
    wrong = next(filter(None, (_complaint(declared, item) for item in items)), "")
    if wrong and "ConstraintDescription" in declared:
        raise invalid(f"Parameter {name} failed to satisfy constraint: {declared['ConstraintDescription']}")
    if wrong.startswith("match"):
        raise invalid(f"Parameter {name} failed to satisfy constraint: must {wrong}")
    if wrong:
        raise invalid(f"Parameter '{name}' must {wrong}")


def _complaint(declared: Mapping[str, Any], text: str) -> str:
    """What one value must do or be, and is not; empty where nothing is wrong."""
    if declared["Type"] in ("Number", "List<Number>"):
        try:
            number = float(text)
        except ValueError:
            return "be a number"
        if "MinValue" in declared and number < float(declared["MinValue"]):
            return f"be a number not less than {declared['MinValue']}"
        if "MaxValue" in declared and number > float(declared["MaxValue"]):
            return f"be a number not greater than {declared['MaxValue']}"
    if "AllowedValues" in declared and text not in map(text_of, declared["AllowedValues"]):
        return "be one of AllowedValues"
    if "MinLength" in declared and len(text) < int(declared["MinLength"]):
        return f"contain at least {declared['MinLength']} characters"
    if "MaxLength" in declared and len(text) > int(declared["MaxLength"]):
        return f"contain at most {declared['MaxLength']} characters"
    pattern = declared.get("AllowedPattern")
    if pattern is not None and not re.fullmatch(str(pattern), text):
        return f"match pattern {pattern}"
    return ""
