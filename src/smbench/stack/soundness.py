"""Checks a template before a change set is made: for what AWS would refuse and cfn-lint does not find."""

from collections.abc import Iterator
from typing import Any

from smbench.scenario.serverless import MEMORIES_MB
from smbench.stack.template import Template

# Ref gives an ARN for each of these; the property that names one of them wants GetAtt of the name.
_NAMED_BY = {
    "ModelName": ("AWS::SageMaker::Model", "ModelName"),
    "EndpointConfigName": ("AWS::SageMaker::EndpointConfig", "EndpointConfigName"),
    "EndpointName": ("AWS::SageMaker::Endpoint", "EndpointName"),
}
_FILTER_SCOPES = ("MessageBody", "MessageAttributes")


def problems_of(template: Template) -> list[str]:
    """Sentences, each with the resource and the property; empty where nothing is wrong."""
    resources = template["Resources"]
    types = {name: resource["Type"] for name, resource in resources.items()}
    found: list[str] = []
    for name, resource in resources.items():
        for path, key, value, parent in _members(resource.get("Properties", {})):
            if said := _problem(key, value, parent, types):
                found.append(f"{name}.{path}: {said}")
    return found + _beyond_concurrency(resources)


def _beyond_concurrency(resources: dict[str, Any]) -> list[str]:
    """Scalable targets of provisioned concurrency that SageMaker cannot follow."""
    serverless = [
        value
        for resource in resources.values()
        for _, key, value, _ in _members(resource.get("Properties", {}))
        if key == "ServerlessConfig"
    ]
    found = []
    for name, resource in resources.items():
        given = resource.get("Properties", {})
        if given.get("ScalableDimension") != "sagemaker:variant:DesiredProvisionedConcurrency":
            continue
        if given["MinCapacity"] < 1:
            found.append(f"{name}.MinCapacity: must be at least 1: AWS scales only what is provisioned already")
        for config in serverless:
            if not config.get("ProvisionedConcurrency"):
                found.append(f"{name}.ScalableDimension: the endpoint has no ProvisionedConcurrency to scale")
            if given["MaxCapacity"] > config["MaxConcurrency"]:
                found.append(f"{name}.MaxCapacity: {given['MaxCapacity']} is above MaxConcurrency of the endpoint")
    return found


def _members(value: Any, path: str = "") -> Iterator[tuple[str, str, Any, Any]]:
    """Every member with its path, its name, its value and what it is a member of, depth first."""
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from _members(item, f"{path}.{i}" if path else str(i))
    if isinstance(value, dict):
        for key, item in value.items():
            below = f"{path}.{key}" if path else key
            yield below, key, item, value
            yield from _members(item, below)


def _problem(key: str, value: Any, parent: dict[str, Any], types: dict[str, str]) -> str:
    if key in _NAMED_BY and isinstance(value, dict) and types.get(value.get("Ref", "")) == _NAMED_BY[key][0]:
        return f"Ref gives the ARN of {value['Ref']} where AWS needs its name; Fn::GetAtt of {_NAMED_BY[key][1]} does"
    if key == "Value" and parent.get("Name") in _NAMED_BY and isinstance(value, dict):
        return _problem(parent["Name"], value, {}, types)
    if key == "FilterPolicyScope" and value not in _FILTER_SCOPES:
        return f"must be {' or '.join(_FILTER_SCOPES)}"
    if key == "StepAdjustments":
        bounds = {"MetricIntervalLowerBound", "MetricIntervalUpperBound"}
        if any(bounds.isdisjoint(step) for step in value):
            return "each step needs a lower or an upper bound"
    if key == "MemorySizeInMB" and value not in MEMORIES_MB:
        return f"must be one of {', '.join(map(str, MEMORIES_MB))}"
    if key == "ProvisionedConcurrency" and value > parent.get("MaxConcurrency", value):
        return f"{value} is above MaxConcurrency {parent['MaxConcurrency']}"
    return ""
