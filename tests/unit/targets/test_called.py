"""Goal: a synchronous endpoint that has not what the calls name is refused in one sentence, before anything is sent.

Method: descriptions of a real-time endpoint in memory, and what a scenario's calls name.
"""

from pathlib import Path
from typing import Any

import pytest

from fake_aws import FakeClient, fake_clients
from smbench.aws.access.clients import AwsClients
from smbench.errors import TargetError
from smbench.generator.plan import RunPlan, make_plan
from smbench.scenario.model import Scenario
from smbench.targets.called import described


def plan(**request: str) -> RunPlan:
    target = {"endpoint": "ep", "kind": "realtime"}
    document = {"name": "asked", "target": target, "request": request, "load": [{"burst": {"requests": 1}}]}
    return make_plan(Scenario.model_validate(document), Path())


def region(*names: str, model: str | None = "model") -> AwsClients:
    """A real-time endpoint with these variants, the first of which has weight 3 and the others 1."""
    variants = [{"VariantName": one, "CurrentWeight": 1.0 + 2 * (one == names[0])} for one in names]
    made: list[dict[str, Any]] = [{"VariantName": one, "InstanceType": "ml.m5.large"} for one in names]
    if model is not None:
        made = [one | {"ModelName": model} for one in made]
    endpoint = {
        "EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/ep",
        "EndpointConfigName": "config",
        "EndpointStatus": "InService",
        "ProductionVariants": variants,
    }
    tables: dict[str, Any] = {"describe_scalable_targets": {}, "describe_scaling_policies": {}, "describe_alarms": {}}
    return fake_clients(
        sagemaker=FakeClient({"describe_endpoint": endpoint, "describe_endpoint_config": {"ProductionVariants": made}}),
        autoscaling=FakeClient(tables),
        cloudwatch=FakeClient(tables),
    )


async def refused(clients: AwsClients, **request: str) -> str:
    with pytest.raises(TargetError) as error:
        await described(clients, plan(**request))
    assert error.value.advice
    return error.value.message


async def test_the_variant_that_the_calls_name_is_watched_and_nothing_is_split() -> None:
    found = await described(region("blue", "green"), plan(target_variant="green"))
    assert (found.variant, found.notes) == ("green", ())


async def test_calls_that_name_no_variant_are_split_and_the_shares_are_said() -> None:
    found = await described(region("blue", "green"), plan())
    assert found.variant == "blue"
    (note,) = found.notes
    assert "has 2 variants" in note
    assert "split by weight: blue 75 %, green 25 %; readings are those of blue" in note
    assert (await described(region("blue"), plan())).notes == ()


async def test_a_variant_that_the_endpoint_has_not_is_refused_by_name() -> None:
    assert await refused(region("blue"), target_variant="red") == "the endpoint ep has no variant red"


async def test_an_endpoint_of_inference_components_needs_the_name_of_one_and_another_has_none() -> None:
    of_components = region("blue", model=None)
    assert "inference components, and the call names none" in await refused(of_components)
    assert (await described(of_components, plan(inference_component="part"))).has_components
    assert await refused(region("blue"), inference_component="part") == (
        "the endpoint ep has no inference components, and the call names part"
    )
