"""Goal: of an endpoint with two variants each answer is known with the variant that gave it, and the report shows both.
An inference component is called by its name.

Method: the endpoint made by API calls in the emulated region, one run of each transport on it, in virtual time.
"""

from pathlib import Path
from typing import Any

import anyio
import polars as pl
import pytest
from botocore.exceptions import ClientError

from emulated_aws import WARP
from guarded_region import allowed_by, gated, require_exact
from smbench.account.doctor import describe
from smbench.account.permissions import run_policy
from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.errors import TargetError
from smbench.generator.plan import make_plan
from smbench.scenario.emulated import Emulated
from smbench.scenario.model import Scenario
from whole_story import any_keys, region

QUICK = Emulated.model_validate({"provision": "1s", "service": "50ms"})
LOAD = [{"constant": {"rate": "20/s", "for": "10s"}}]


@pytest.fixture
def anyio_backend() -> Any:
    return WARP


async def two_variants(sagemaker: Any) -> None:
    """`blue` of weight 3 and `green` of weight 1."""
    role = "arn:aws:iam::123456789012:role/r"
    await sagemaker.create_model(ModelName="m", ExecutionRoleArn=role, PrimaryContainer={"Image": "i"})
    variants = [
        {
            "VariantName": name,
            "ModelName": "m",
            "InstanceType": "ml.m5.xlarge",
            "InitialInstanceCount": n,
            "InitialVariantWeight": weight,
        }
        for name, n, weight in (("blue", 2, 3.0), ("green", 1, 1.0))
    ]
    await sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=variants)
    await sagemaker.create_endpoint(EndpointName="two", EndpointConfigName="c")
    await sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="two")


def plan_of(**request: Any) -> Any:
    scenario = {
        "name": "two",
        "target": {"kind": "realtime", "endpoint": "two"},
        "load": LOAD,
        "request": request,
        "gauges_every": "1s",
    }
    return make_plan(Scenario.model_validate(scenario), Path())


@pytest.mark.slow  # clients of its own for each run
@pytest.mark.parametrize("request_of", [{}, {"stream": True}], ids=["whole", "streamed"])
@pytest.mark.parametrize("transport", ["wire", "sdk"])
async def test_each_answer_is_known_with_the_variant_that_gave_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transport: str, request_of: dict[str, Any]
) -> None:
    any_keys(monkeypatch)
    plan = plan_of(**request_of)
    plan = make_plan(plan.scenario.model_copy(update={"transport": transport}), Path())
    async with region(defaults=QUICK) as here:
        async with AwsClients(AwsSettings(endpoint_url=here.emulator.url)) as clients:
            await two_variants(clients.sagemaker)
            shown = (await clients.sagemaker.describe_endpoint(EndpointName="two"))["ProductionVariants"]
            assert [(one["VariantName"], one["CurrentInstanceCount"], one["CurrentWeight"]) for one in shown] == [
                ("blue", 2, 3.0),
                ("green", 1, 1.0),
            ]
        rows = await here.run(plan, tmp_path / "run")
    counts = dict(rows["variant"].value_counts().iter_rows())
    assert set(counts) == {"blue", "green"}
    assert counts["green"] == pytest.approx(50, abs=20)  # a quarter of 200
    assert rows.filter(pl.col("outcome") == "completed").height == 200


@pytest.mark.slow  # clients of their own
async def test_a_call_that_names_its_variant_reaches_no_other_and_scaling_is_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    any_keys(monkeypatch)
    async with region(defaults=QUICK) as here:
        async with AwsClients(AwsSettings(endpoint_url=here.emulator.url)) as clients:
            await two_variants(clients.sagemaker)
            wishes = [{"VariantName": "green", "DesiredInstanceCount": 2, "DesiredWeight": 9.0}]
            await clients.sagemaker.update_endpoint_weights_and_capacities(
                EndpointName="two", DesiredWeightsAndCapacities=wishes
            )
            await clients.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="two")
            shown = (await clients.sagemaker.describe_endpoint(EndpointName="two"))["ProductionVariants"]
        rows = await here.run(plan_of(target_variant="blue"), tmp_path / "run")
    assert [(one["CurrentInstanceCount"], one["CurrentWeight"]) for one in shown] == [(2, 3.0), (2, 9.0)]
    assert rows["variant"].unique().to_list() == ["blue"]


@pytest.mark.slow  # clients of their own
async def test_an_inference_component_is_called_by_its_name_and_a_call_without_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    any_keys(monkeypatch)
    bare = {"VariantName": "AllTraffic", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
    async with region(defaults=QUICK) as here:
        async with AwsClients(AwsSettings(endpoint_url=here.emulator.url)) as clients:
            sagemaker = clients.sagemaker
            await sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[bare])
            await sagemaker.create_endpoint(EndpointName="two", EndpointConfigName="c")
            await sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="two")
            await sagemaker.create_inference_component(
                InferenceComponentName="mine",
                EndpointName="two",
                VariantName="AllTraffic",
                Specification={},
            )
            await anyio.sleep(2.0)  # until its copy has come up
            with pytest.raises(ClientError, match="Inference Component Name header is required"):
                await clients.runtime.invoke_endpoint(EndpointName="two", Body=b"{}")
        with pytest.raises(TargetError, match="are inference components, and the call names none"):
            await here.run(plan_of(), tmp_path / "without")
        with pytest.raises(TargetError, match="there is no inference component other, which the call names"):
            await here.run(plan_of(inference_component="other"), tmp_path / "other")
        plan = plan_of(inference_component="mine")
        with gated() as gate:
            async with AwsClients(AwsSettings(endpoint_url=here.emulator.url)) as clients:
                policy = run_policy(plan, await describe(clients, plan))
            gate.calls.clear()
            gate.allows = lambda call: allowed_by(policy, call)
            rows = await here.run(plan, tmp_path / "run")
    assert rows["outcome"].unique().to_list() == ["completed"]
    require_exact(policy, gate, set())
