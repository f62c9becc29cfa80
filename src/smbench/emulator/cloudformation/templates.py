"""A template as the emulator reads it: resources in the order in which they can be made, and what it cannot make."""

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

import orjson

from smbench.emulator.cloudformation.intrinsics import decided, invalid, references
from smbench.emulator.protocol.codecs import beyond
from smbench.emulator.site import Site

_SECTIONS = {"AWSTemplateFormatVersion", "Description", "Parameters", "Conditions", "Resources", "Outputs", "Metadata"}
_OF_A_RESOURCE = {"Type", "Properties", "DependsOn", "Condition", "Metadata"}
_SUFFIX = "amazonaws.com"


@dataclass(frozen=True, slots=True)
class Described:
    """One resource as the template has it."""

    name: str
    kind: str
    properties: dict[str, Any]
    needs: frozenset[str]  # resources that must be made before it


@dataclass(frozen=True, slots=True)
class Template:
    """A template that can be carried out.

    Args:
        resources: In the order of making.
        parameters: With their values.
        text: As it came.
    """

    text: str
    description: str
    resources: dict[str, Described]
    outputs: dict[str, Any]
    conditions: dict[str, bool]
    parameters: dict[str, str]
    declared: dict[str, dict[str, Any]]


def read_template(text: str, given: Mapping[str, str], stack: str, stack_id: str, site: Site) -> Template:
    """Raises ServiceError: it is no template, refers to what is not there, or needs what the emulator has not."""
    document = _document(text)
    declared = document.get("Parameters", {})
    parameters = _parameters(declared, given)
    pseudo = pseudo_parameters(stack, stack_id, site)

    def lookup(name: str, attribute: str) -> Any:
        if attribute == "" and name in parameters:
            return parameters[name]
        if attribute == "" and name in pseudo:
            return pseudo[name]
        raise invalid(f"Template format error: Unresolved dependencies [{name}]. Cannot reference resources here")

    conditions = decided(document.get("Conditions", {}), lookup)
    texts = {name: one for name, one in document["Resources"].items() if conditions.get(one.get("Condition", ""), True)}
    known = {*document["Resources"], *parameters, *pseudo}
    read = {name: _described(name, one, known, {*texts}) for name, one in texts.items()}
    try:
        order = tuple(TopologicalSorter({name: one.needs for name, one in read.items()}).static_order())
    except CycleError as error:
        raise invalid(f"Circular dependency between resources: [{', '.join(sorted(set(error.args[1])))}]") from None
    outputs = document.get("Outputs", {})
    if unresolved := {name for name, _ in references(outputs)} - known:
        raise invalid(f"Unresolved resource dependencies [{', '.join(sorted(unresolved))}] in the Outputs block")
    return Template(
        text,
        document.get("Description", ""),
        {name: read[name] for name in order},
        outputs,
        conditions,
        parameters,
        declared,
    )


def unfilled(text: str) -> dict[str, str]:
    """An empty value for each parameter without a default: a template is validated without any. Raises as above."""
    declared = _document(text).get("Parameters", {})
    return {name: "" for name, one in declared.items() if "Default" not in one}


def is_secret(declared: Mapping[str, Any]) -> bool:
    """Whether the value of a parameter is not shown; JSON templates say it as a truth value or as text."""
    return str(declared.get("NoEcho", False)).lower() == "true"


def pseudo_parameters(stack: str, stack_id: str, site: Site) -> dict[str, str]:
    """What a template may refer to without declaring it."""
    return {
        "AWS::AccountId": site.account,
        "AWS::Region": site.region,
        "AWS::Partition": "aws",
        "AWS::URLSuffix": _SUFFIX,
        "AWS::StackName": stack,
        "AWS::StackId": stack_id,
        "AWS::NoValue": "",
    }


def _document(text: str) -> dict[str, Any]:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise beyond("read templates that are not JSON") from None
    if not isinstance(document, dict) or not document.get("Resources"):
        raise invalid("Template format error: At least one Resources member must be defined.")
    if unknown := document.keys() - _SECTIONS:
        raise beyond(f"know the section {min(unknown)} of a template")
    return document


def _parameters(declared: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    if unknown := given.keys() - declared.keys():
        raise invalid(f"Parameters: [{', '.join(sorted(unknown))}] do not exist in the template")
    for name, one in declared.items():
        if one.get("Type") not in ("String", "Number"):
            raise beyond(f"know parameters of type {one.get('Type')}")
        if name not in given and "Default" not in one:
            raise invalid(f"Parameters: [{name}] must have values")
    return {name: str(given.get(name, one.get("Default"))) for name, one in declared.items()}


def _described(name: str, text: dict[str, Any], known: set[str], resources: set[str]) -> Described:
    if unknown := text.keys() - _OF_A_RESOURCE:
        raise beyond(f"know {min(unknown)} of a resource ({name})")
    if "Type" not in text:
        raise invalid(f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member.")
    properties = text.get("Properties", {})
    referred = {one for one, _ in references(properties)}
    if unresolved := referred - known:
        missing = ", ".join(sorted(unresolved))
        raise invalid(f"Template format error: Unresolved resource dependencies [{missing}] in the Resources block")
    after = text.get("DependsOn", [])
    needs = (referred | {*([after] if isinstance(after, str) else after)}) & resources
    return Described(name, text["Type"], properties, frozenset(needs))
