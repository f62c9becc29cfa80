"""Stacks, resources, events, changes and parameters as CloudFormation's answers show them."""

from collections.abc import Mapping
from typing import Any

from smbench.emulator.cloudformation.intrinsics import text_of
from smbench.emulator.cloudformation.parameters import Parameters, is_secret, is_stored
from smbench.emulator.cloudformation.stack import ChangeSet, Event, Made, Stack
from smbench.emulator.cloudformation.templates import Template
from smbench.emulator.tags import pairs_of

_NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."
_OF_IAM = ("AWS::IAM::Role", "AWS::IAM::Policy")
_NO_DRIFT = {"StackDriftStatus": "NOT_CHECKED"}


def _given(optional: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is empty."""
    return {key: value for key, value in optional.items() if value}


def capabilities(template: Template) -> list[str]:
    """What a caller must acknowledge; a role with a name of its own needs the stronger one."""
    kinds = [one for one in template.resources.values() if one.kind in _OF_IAM]
    if any("RoleName" in one.properties for one in kinds):
        return ["CAPABILITY_NAMED_IAM"]
    return ["CAPABILITY_IAM"] if kinds else []


def declared(template: Template) -> dict[str, Any]:
    """What ValidateTemplate and GetTemplateSummary say alike: parameters, capabilities, description."""
    needed = capabilities(template)
    kinds = sorted({one.kind for one in template.resources.values() if one.kind in _OF_IAM})
    reason = f"The following resource(s) require capabilities: [{', '.join(kinds)}]" if needed else ""
    optional = {"Description": template.description, "CapabilitiesReason": reason}
    shown = [_declared(name, one) for name, one in template.parameters.declared.items()]
    return {"Parameters": shown, "Capabilities": needed} | _given(optional)


def _declared(name: str, one: Mapping[str, Any]) -> dict[str, Any]:
    optional = {"DefaultValue": one.get("Default"), "Description": one.get("Description")}
    shown = {key: text_of(value) for key, value in optional.items() if value is not None}
    return {"ParameterKey": name, "NoEcho": is_secret(one)} | shown


def summary(template: Template) -> dict[str, Any]:
    """As GetTemplateSummary has it: of each parameter also its type and what it may be."""
    shown = declared(template)
    for one in shown["Parameters"]:
        said = template.parameters.declared[one["ParameterKey"]]
        one["ParameterType"] = said["Type"]
        one["ParameterConstraints"] = _given({"AllowedValues": [text_of(v) for v in said.get("AllowedValues", [])]})
    kinds = sorted({one.kind for one in template.resources.values()})
    return shown | {"ResourceTypes": kinds, "Version": "2010-09-09"} | _given({"Metadata": template.metadata})


def values(parameters: Parameters) -> list[dict[str, str]]:
    """The parameters that a stack was made with; of a secret one stars, as on AWS."""
    return [
        {"ParameterKey": name, "ParameterValue": "****" if is_secret(parameters.declared[name]) else text}
        | ({"ResolvedValue": text_of(parameters.values[name])} if is_stored(parameters.declared[name]) else {})
        for name, text in parameters.texts.items()
    ]


def change_set_entry(stack: Stack, made: ChangeSet) -> dict[str, Any]:
    """As a list has it."""
    status = ("FAILED", "UNAVAILABLE") if made.is_empty else ("CREATE_COMPLETE", "AVAILABLE")
    reason = _NO_CHANGES if made.is_empty else ""
    return {
        "ChangeSetName": made.name,
        "ChangeSetId": made.id,
        "StackId": stack.id,
        "StackName": stack.name,
        "CreationTime": made.created,
        "Status": status[0],
        "ExecutionStatus": status[1],
    } | _given({"StatusReason": reason, "Description": made.description})


def change_set(stack: Stack, made: ChangeSet) -> dict[str, Any]:
    """As it is described."""
    optional = {"Parameters": values(made.template.parameters), "Capabilities": list(made.capabilities)}
    shown = change_set_entry(stack, made) | {"Tags": pairs_of(made.tags), "NotificationARNs": []}
    return shown | {"Changes": [_change(*one) for one in made.changes]} | _given(optional)


def _change(action: str, name: str, kind: str, physical: str, replacement: str) -> dict[str, Any]:
    change = {"Action": action, "LogicalResourceId": name, "ResourceType": kind, "Scope": [], "Details": []}
    optional = {"PhysicalResourceId": physical, "Replacement": replacement}
    return {"Type": "Resource", "ResourceChange": change | _given(optional)}


def stack_entry(stack: Stack) -> dict[str, Any]:
    """As ListStacks has it."""
    shown = {
        "StackId": stack.id,
        "StackName": stack.name,
        "CreationTime": stack.created,
        "StackStatus": stack.status,
        "DriftInformation": _NO_DRIFT,
    }
    optional = {"LastUpdatedTime": stack.updated, "DeletionTime": stack.deleted, "StackStatusReason": stack.reason}
    return shown | _given(optional | {"TemplateDescription": stack.template.description if stack.template else ""})


def whole_stack(stack: Stack) -> dict[str, Any]:
    """As DescribeStacks has it."""
    template = stack.template
    shown: dict[str, Any] = {
        "StackId": stack.id,
        "StackName": stack.name,
        "CreationTime": stack.created,
        "StackStatus": stack.status,
        "DisableRollback": stack.keeps_failed,
        "NotificationARNs": [],
        "Tags": pairs_of(stack.tags),
        "EnableTerminationProtection": stack.is_protected,
        "DriftInformation": _NO_DRIFT,
    }
    optional = {
        "Description": template.description if template else "",
        "Capabilities": list(stack.capabilities),
        "Outputs": stack.outputs,
        "StackStatusReason": stack.reason,
        "LastUpdatedTime": stack.updated,
        "DeletionTime": stack.deleted,
        "Parameters": values(template.parameters) if template else [],
    }
    return shown | _given(optional)


def event(stack: Stack, happened: Event) -> dict[str, Any]:
    """As DescribeStackEvents has it."""
    shown = {
        "StackId": stack.id,
        "EventId": happened.id,
        "StackName": stack.name,
        "LogicalResourceId": happened.name,
        "PhysicalResourceId": happened.physical_id,
        "ResourceType": happened.kind,
        "Timestamp": happened.at,
        "ResourceStatus": happened.status,
    }
    return shown | _given({"ResourceStatusReason": happened.reason})


def resource_entry(made: Made) -> dict[str, Any]:
    """As ListStackResources has it."""
    shown = {
        "LogicalResourceId": made.described.name,
        "ResourceType": made.described.kind,
        "LastUpdatedTimestamp": made.at,
        "ResourceStatus": made.status,
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }
    return shown | _given(
        {"PhysicalResourceId": made.physical.id if made.physical else "", "ResourceStatusReason": made.reason}
    )


def resource(stack: Stack, made: Made) -> dict[str, Any]:
    """As DescribeStackResources has it."""
    shown: dict[str, Any] = {
        "StackName": stack.name,
        "StackId": stack.id,
        "LogicalResourceId": made.described.name,
        "ResourceType": made.described.kind,
        "Timestamp": made.at,
        "ResourceStatus": made.status,
    }
    optional = {"PhysicalResourceId": made.physical.id if made.physical else "", "ResourceStatusReason": made.reason}
    return shown | _given(optional)
