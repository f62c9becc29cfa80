"""A template as the emulator reads it: resources in the order in which they can be made, and what it cannot make."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

import orjson

from smbench.emulator.cloudformation.intrinsics import chosen, decided, invalid, references, resolved
from smbench.emulator.cloudformation.parameters import Parameters, read_parameters
from smbench.emulator.cloudformation.rules import check_rules
from smbench.emulator.cloudformation.template_text import document_of
from smbench.emulator.protocol.codecs import beyond
from smbench.emulator.site import Site

_SECTIONS = {
    *("AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings", "Conditions"),
    *("Resources", "Outputs", "Rules", "Transform"),
}
_OF_MAPS = ("Parameters", "Mappings", "Conditions", "Rules", "Resources", "Outputs")
_SAM = "AWS::Serverless-2016-10-31"
_OF_A_RESOURCE = {
    *("Type", "Properties", "DependsOn", "Condition", "Metadata", "DeletionPolicy", "UpdateReplacePolicy"),
}
_OF_AN_OUTPUT = {"Value", "Description", "Condition", "Export"}
_POLICIES = ("Delete", "Retain", "RetainExceptOnCreate")
_SUFFIX = "amazonaws.com"


@dataclass(frozen=True, slots=True)
class Described:
    """One resource as the template has it."""

    name: str
    kind: str
    properties: dict[str, Any]
    needs: frozenset[str]  # resources that must be made before it
    deletion: str = "Delete"  # or Retain, RetainExceptOnCreate
    replacement: str = "Delete"  # of what was replaced
    metadata: str = ""  # JSON


@dataclass(frozen=True, slots=True)
class Template:
    """A template that can be carried out.

    Args:
        resources: In the order of making.
        outputs: Those whose condition holds: their values, and what is said of them.
        text: As it came.
    """

    text: str
    description: str
    resources: dict[str, Described]
    outputs: dict[str, Any]
    parameters: Parameters
    metadata: str  # JSON; empty without any
    transforms: tuple[str, ...] = ()  # macros that its caller must acknowledge; none of them changes anything here


def read_template(
    text: str,
    given: Mapping[str, str] | None,
    pseudo: Mapping[str, str],
    stored: Callable[[str], str | None],
) -> Template:
    """A template with the values of its parameters; None: without any, as it is validated.

    Args:
        pseudo: What it may refer to without declaring it.
        stored: What the Parameter Store has under a name; None: nothing.

    Raises:
        ServiceError: it is no template, refers to what is not there, or needs what the emulator has not.
    """
    document = _document(text)
    parameters = read_parameters(document.get("Parameters", {}), given, stored)
    known = parameters.values | dict(pseudo)

    def lookup(name: str, attribute: str) -> Any:
        if attribute == "" and name in known:
            return known[name]
        raise invalid(f"Template format error: Unresolved dependencies [{name}]. Cannot reference resources here")

    def find(*keys: Any) -> Any:
        found: Any = document.get("Mappings", {})
        names = [str(resolved(key, lookup)) for key in keys]
        for name in names:
            if not isinstance(found, dict) or name not in found:
                if given is None:
                    return ""
                raise invalid(f"Template error: Unable to get mapping for {'::'.join(names)}")
            found = found[name]
        return found

    check_rules(document.get("Rules", {}), lookup, is_given=given is not None)
    conditions = decided(chosen(document.get("Conditions", {}), {}, find), lookup)
    taken = {name: one for name, one in document["Resources"].items() if _is_taken(one, conditions, "Resources")}
    there = {*document["Resources"]}
    read = {
        name: _described(name, chosen(one, conditions, find), {*taken}, {*known}, there) for name, one in taken.items()
    }
    try:
        order = tuple(TopologicalSorter({name: one.needs for name, one in read.items()}).static_order())
    except CycleError as error:
        raise invalid(f"Circular dependency between resources: [{', '.join(sorted(set(error.args[1])))}]") from None
    texts = {name: one for name, one in document.get("Outputs", {}).items() if _is_taken(one, conditions, "Outputs")}
    outputs = {name: _output(name, chosen(one, conditions, find)) for name, one in texts.items()}
    if unresolved := {name for name, _ in references(outputs)} - {*taken, *known}:
        raise invalid(f"Unresolved resource dependencies [{', '.join(sorted(unresolved))}] in the Outputs block")
    return Template(
        text,
        str(document.get("Description", "")),
        {name: read[name] for name in order},
        outputs,
        parameters,
        orjson.dumps(document["Metadata"]).decode() if document.get("Metadata") else "",
        _transforms(document),
    )


def _transforms(document: Mapping[str, Any]) -> tuple[str, ...]:
    """SAM's alone, of a template in which it has nothing to transform. Raises ServiceError 501: any other."""
    given = document.get("Transform", [])
    names = given if isinstance(given, list) else [given]
    for name in names:
        if name != _SAM:
            raise beyond(f"carry out the transform {name}")
    kinds = {str(one.get("Type")) for one in document["Resources"].values() if isinstance(one, dict)}
    if names and (serverless := {kind for kind in kinds if kind.startswith("AWS::Serverless::")}):
        raise beyond(f"make resources of type {min(serverless)}")
    return tuple(names)


def _is_taken(one: Any, conditions: Mapping[str, bool], block: str) -> bool:
    """Whether the condition of a resource or output holds. Raises ServiceError: it is none, or no such condition."""
    if not isinstance(one, dict):
        raise invalid(f"Template format error: Every member of {block} must be an object")
    if "Condition" not in one:
        return True
    if one["Condition"] not in conditions:
        text = f"Unresolved condition dependency {one['Condition']} in the {block} block of the template"
        raise invalid(f"Template format error: {text}")
    return conditions[one["Condition"]]


def _output(name: str, one: dict[str, Any]) -> dict[str, Any]:
    if unknown := one.keys() - _OF_AN_OUTPUT:
        raise beyond(f"know {min(unknown)} of an output ({name})")
    export = one.get("Export", {"Name": ""})
    if not isinstance(export, dict) or export.keys() != {"Name"}:
        raise invalid(f"Template format error: [/Outputs/{name}/Export] Export must have a Name")
    if one.get("Value") is None:
        raise invalid(f"Template format error: Every Outputs member must contain a Value object [/Outputs/{name}]")
    return one


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
    document = document_of(text)
    if not isinstance(document, dict):
        raise invalid("Template format error: unsupported structure.")
    if unknown := document.keys() - _SECTIONS:
        raise beyond(f"know the section {min(unknown)} of a template")
    for name in _OF_MAPS:
        if not isinstance(document.get(name, {}), dict):
            raise invalid(f"Template format error: {name} must be an object")
    if not document.get("Resources"):
        raise invalid("Template format error: At least one Resources member must be defined.")
    return document


def _described(name: str, text: dict[str, Any], taken: set[str], known: set[str], there: set[str]) -> Described:
    """One resource.

    Args:
        taken: Resources that are made; `there`: also those whose condition does not hold, which may be waited for.
        known: Parameters.
    """
    if unknown := text.keys() - _OF_A_RESOURCE:
        raise beyond(f"know {min(unknown)} of a resource ({name})")
    if not isinstance(text.get("Type"), str):
        raise invalid(f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member.")
    properties = text.get("Properties") or {}
    if not isinstance(properties, dict):
        raise invalid(f"Template format error: [/Resources/{name}] Properties must be an object")
    after = text.get("DependsOn", [])
    after = {after} if isinstance(after, str) else {str(one) for one in after}
    referred = {one for one, _ in references(properties)}
    if unresolved := (referred - taken - known) | (after - there):
        missing = ", ".join(sorted(unresolved))
        raise invalid(f"Template format error: Unresolved resource dependencies [{missing}] in the Resources block")
    deletion, replacement = text.get("DeletionPolicy", "Delete"), text.get("UpdateReplacePolicy", "Delete")
    for policy in (deletion, replacement):
        if policy not in _POLICIES:
            raise beyond(f"know the policy {policy} of a resource ({name})")
    metadata = orjson.dumps(text["Metadata"]).decode() if text.get("Metadata") else ""
    return Described(
        name, text["Type"], properties, frozenset((referred | after) & taken), deletion, replacement, metadata
    )
