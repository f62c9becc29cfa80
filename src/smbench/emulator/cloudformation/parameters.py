"""The parameters of a template: what each may be, and the values that a stack gives them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from smbench.emulator.cloudformation.intrinsics import invalid, text_of
from smbench.emulator.protocol.codecs import beyond

_LISTS = ("CommaDelimitedList", "List<Number>", "List<String>")
_STORED = {  # types whose value is the name of a parameter in the Parameter Store, and what they give
    "AWS::SSM::Parameter::Value<String>": "String",
    "AWS::SSM::Parameter::Value<List<String>>": "CommaDelimitedList",
    "AWS::SSM::Parameter::Value<CommaDelimitedList>": "CommaDelimitedList",
}
_TYPES = ("String", "Number", *_LISTS, *_STORED, "AWS::SSM::Parameter::Name")
_ALLOWED = {
    *("Type", "Default", "Description", "NoEcho", "AllowedValues", "AllowedPattern", "ConstraintDescription"),
    *("MinLength", "MaxLength", "MinValue", "MaxValue"),
}


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a template declares and what it was given.

    Args:
        texts: As a caller writes them.
        values: What Ref gives: a list for the types of lists, what is stored for a name in the Parameter Store.
    """

    declared: Mapping[str, Mapping[str, Any]]
    texts: dict[str, str]
    values: dict[str, Any]


def is_secret(declared: Mapping[str, Any]) -> bool:
    """Whether the value of a parameter is not shown; JSON templates say it as a truth value or as text."""
    return str(declared.get("NoEcho", False)).lower() == "true"


def is_stored(declared: Mapping[str, Any]) -> bool:
    """Whether a parameter's value is read from the Parameter Store, by the name that it is given."""
    return declared["Type"] in _STORED


def read_parameters(
    declared: Mapping[str, Any], given: Mapping[str, str] | None, stored: Callable[[str], str | None]
) -> Parameters:
    """Checked values; without `given`, defaults and empty texts, unchecked.

    Args:
        stored: What the Parameter Store has under a name; None: nothing.

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
    looked_up = {name: stored(text) if is_stored(declared[name]) else text for name, text in texts.items()}
    if absent := [texts[name] for name, text in looked_up.items() if text is None]:
        raise invalid(f"Unable to fetch parameters [{','.join(absent)}] from parameter store for this account.")
    return Parameters(declared, texts, {name: _value(declared[name], text or "") for name, text in looked_up.items()})


def _value(declared: Mapping[str, Any], text: str) -> Any:
    kind = _STORED.get(declared["Type"], declared["Type"])
    return [one.strip() for one in text.split(",")] if kind in _LISTS else text


def _check(name: str, declared: Mapping[str, Any], text: str) -> None:
    items = _value(declared, text) if declared["Type"] in _LISTS else [text]  # of a stored one, its name
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
