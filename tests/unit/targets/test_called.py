"""Goal: a synchronous endpoint that has not what the calls name is refused in one sentence, before anything is sent.

Method: descriptions of a real-time endpoint in memory, and what a scenario's calls name.
"""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

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


PART = {"EndpointName": "ep", "InferenceComponentStatus": "InService", "RuntimeConfig": {"CurrentCopyCount": 1}}


def region(
    *names: str, model: str | None = "model", described: Any = None, component: Any = PART, **config: Any
) -> AwsClients:
    """A real-time endpoint with these variants, the first of which has weight 3 and the others 1.

    Args:
        component: As DescribeInferenceComponent has it, or the refusal.
        described: As DescribeModel has it, or the refusal; None: a model of one container.
    """
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
    about_model = described or {"PrimaryContainer": {"Image": "i"}}
    tables: dict[str, Any] = {"describe_scalable_targets": {}, "describe_scaling_policies": {}, "describe_alarms": {}}
    return fake_clients(
        sagemaker=FakeClient(
            {
                "describe_endpoint": endpoint,
                "describe_endpoint_config": {"ProductionVariants": made, **config},
                "describe_model": about_model,
                "describe_inference_component": component,
            }
        ),
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


def refusal_of(code: str, text: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": text}}, "DescribeInferenceComponent")


@pytest.mark.parametrize(
    ("component", "said"),
    [
        (
            refusal_of("ValidationException", 'Could not find inference component "part".'),
            "there is no inference component part, which the call names",
        ),
        (PART | {"EndpointName": "other"}, "the inference component part is on the endpoint other, not on ep"),
        (PART | {"InferenceComponentStatus": "Creating"}, "the inference component part is Creating"),
        (
            PART | {"InferenceComponentStatus": "Failed", "FailureReason": "no\x1b[31m memory"},
            "the inference component part is Failed: no\\x1b[31m memory",
        ),
        (
            PART | {"RuntimeConfig": {"CurrentCopyCount": 0}},
            "the inference component part has no copy, so SageMaker refuses each call to it",
        ),
    ],
)
async def test_an_inference_component_that_takes_no_call_is_refused_before_anything_is_sent(
    component: Any, said: str
) -> None:
    assert await refused(region("blue", model=None, component=component), inference_component="part") == said


@pytest.mark.parametrize(
    "component",
    [
        PART,
        PART | {"InferenceComponentStatus": "Updating"},
        {key: value for key, value in PART.items() if key != "RuntimeConfig"},
        refusal_of("AccessDeniedException", "not authorized to perform: sagemaker:DescribeInferenceComponent"),
    ],
)
async def test_an_inference_component_that_takes_calls_or_may_not_be_described_is_called(component: Any) -> None:
    found = await described(region("blue", model=None, component=component), plan(inference_component="part"))
    assert found.components == ("part",)


MANY = {"PrimaryContainer": {"Image": "i", "Mode": "MultiModel", "ModelDataUrl": "s3://models/"}}
DIRECT = {
    "Containers": [{"Image": "i", "ContainerHostname": name} for name in ("first", "second")],
    "InferenceExecutionConfig": {"Mode": "Direct"},
}
DENIED = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeModel")


@pytest.mark.parametrize(
    ("model", "names", "said"),
    [
        (MANY, {}, "the endpoint ep has many models, and the call names none"),
        (
            None,
            {"target_model": "a.tar.gz"},
            "the endpoint ep has no models to choose from, and the call names a.tar.gz",
        ),
        (DIRECT, {}, "the containers of the endpoint ep are called one by one, and the call names none"),
        (
            DIRECT,
            {"target_container": "third"},
            "the containers of the endpoint ep are called one by one, and the call names third",
        ),
        (
            None,
            {"target_container": "first"},
            "the endpoint ep has no containers that are called one by one, and the call names first",
        ),
        (
            None,
            {"explanations": "`true`"},
            "the endpoint ep explains nothing: its configuration has no ExplainerConfig",
        ),
    ],
)
async def test_what_the_model_and_the_configuration_of_the_endpoint_do_not_take_is_refused(
    model: Any, names: dict[str, str], said: str
) -> None:
    assert await refused(region("blue", described=model), **names) == said


async def test_what_they_take_or_what_is_not_known_of_them_is_left_to_the_endpoint() -> None:
    answers: tuple[Any, ...] = (MANY, DENIED)
    for model in answers:
        await described(region("blue", described=model), plan(target_model="a.tar.gz"))
    answers = (DIRECT, DENIED)
    for model in answers:
        await described(region("blue", described=model), plan(target_container="second"))
    await described(region("blue", ExplainerConfig={"ClarifyExplainerConfig": {}}), plan(explanations="`true`"))
    for_each = region("blue", "green", described=MANY)  # each variant has a model of its own
    await described(for_each, plan())


@pytest.mark.parametrize(
    "names",
    [
        {"target_variant": "blue"},
        {"target_model": "a.tar.gz"},
        {"target_container": "first"},
        {"inference_component": "part"},
        {"explanations": "`true`"},
    ],
)
async def test_what_the_emulated_endpoint_has_not_is_refused_before_anything_is_sent(names: dict[str, str]) -> None:
    document = {"name": "asked", "target": {"kind": "realtime"}, "request": names, "load": [{"burst": {"requests": 1}}]}
    emulated = make_plan(Scenario.model_validate(document), Path())
    with pytest.raises(TargetError, match=f"and the call has request.{min(names)}"):
        await described(region("AllTraffic"), emulated)
    named = Scenario.model_validate(document | {"request": {"target_variant": "AllTraffic"}})
    assert (await described(region("AllTraffic"), make_plan(named, Path()))).variant == "AllTraffic"
