"""Goal: the control plane answers an SDK as SageMaker does, in states, texts and counts.

Method: every call goes through aiobotocore over HTTP on the warp loop; each reply is checked against its shape.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from itertools import pairwise
from typing import Any

import anyio
import pytest
from botocore.exceptions import ClientError

from emulation import ACCOUNT, FAST, REGION, ROLE, advance, body_of, client, emulating, scenario
from smbench.clock import WarpLoop
from smbench.emulator.protocol.paging import token_for
from smbench.emulator.server import Emulator
from smbench.model.endpoints.endpoint import UpdateInProgress
from smbench.model.endpoints.jobs import Ended, Job

ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
SCALED = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/ep/variant/AllTraffic",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}


@pytest.fixture
def anyio_backend() -> Any:
    return "asyncio", {"loop_factory": WarpLoop}


class Account:
    """An emulator, a SageMaker client, and the things most tests need made."""

    def __init__(self, emulator: Emulator, sagemaker: Any, stack: AsyncExitStack) -> None:
        self.emulator, self.sagemaker, self.stack = emulator, sagemaker, stack

    async def client(self, service: str) -> Any:
        return await self.stack.enter_async_context(client(self.emulator, service))

    async def model(self, name: str = "m") -> None:
        await self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "repo:1"})

    async def config(
        self,
        name: str = "c",
        *,
        count: int = 1,
        variant: str = "AllTraffic",
        instance_type: str = "ml.m5.xlarge",
        slots: int | None = None,
        **output: Any,
    ) -> None:
        bounded = {} if slots is None else {"ClientConfig": {"MaxConcurrentInvocationsPerInstance": slots}}
        await self.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[
                {
                    "VariantName": variant,
                    "ModelName": "m",
                    "InstanceType": instance_type,
                    "InitialInstanceCount": count,
                }
            ],
            AsyncInferenceConfig=bounded | {"OutputConfig": {"S3OutputPath": "s3://out/results"} | output},
        )

    async def endpoint(self, name: str = "ep", config: str = "c") -> None:
        await self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)

    async def status(self, name: str = "ep") -> str:
        described = await self.sagemaker.describe_endpoint(EndpointName=name)
        return str(described["EndpointStatus"])


@pytest.fixture
async def account() -> AsyncIterator[Account]:
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(emulating(scenario(FAST)))
        sagemaker = await stack.enter_async_context(client(emulator, "sagemaker"))
        yield Account(emulator, sagemaker, stack)


@pytest.fixture
async def slow_account() -> AsyncIterator[Account]:
    """Whose endpoints work 90 s on a request."""
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(emulating(scenario(FAST | {"service": "90s"})))
        yield Account(emulator, await stack.enter_async_context(client(emulator, "sagemaker")), stack)


@pytest.fixture
async def free_account() -> AsyncIterator[Account]:
    """Whose endpoints take a change while another is under way."""
    async with AsyncExitStack() as stack:
        free = scenario(FAST | {"open_questions": {"serialise_updates": False}})
        emulator = await stack.enter_async_context(emulating(free))
        yield Account(emulator, await stack.enter_async_context(client(emulator, "sagemaker")), stack)


async def refused(call: Any) -> tuple[str, str]:
    """Code and text of the error a call ends in."""
    with pytest.raises(ClientError) as caught:
        await call
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


async def test_the_scenarios_endpoint_is_in_service_from_the_beginning(account: Account) -> None:
    described = await account.sagemaker.describe_endpoint(EndpointName="smbench-emulated")
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointArn"] == f"{ARN}:endpoint/smbench-emulated"
    (variant,) = described["ProductionVariants"]
    assert (variant["VariantName"], variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (
        "AllTraffic",
        1,
        1,
    )
    output = described["AsyncInferenceConfig"]["OutputConfig"]
    assert output["S3OutputPath"] == "s3://smbench-emulated/async-outputs"
    assert output["S3FailurePath"] == "s3://smbench-emulated/async-failures"
    assert output["NotificationConfig"]["SuccessTopic"] == f"arn:aws:sns:{REGION}:{ACCOUNT}:smbench-success"


async def test_an_endpoint_is_creating_for_one_provisioning_time(account: Account) -> None:
    await account.model()
    await account.config(count=2)
    await account.endpoint()
    described = await account.sagemaker.describe_endpoint(EndpointName="ep")
    assert described["EndpointStatus"] == "Creating"
    (variant,) = described["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (0, 2)
    assert variant["VariantStatus"][0]["StatusMessage"] == "Launching 2 instance(s)."
    await advance(account.emulator, 59.0)
    assert await account.status() == "Creating"
    await advance(account.emulator, 1.5)
    described = await account.sagemaker.describe_endpoint(EndpointName="ep")
    assert described["EndpointStatus"] == "InService"
    (variant,) = described["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (2, 2)
    assert variant["DeployedImages"][0]["SpecifiedImage"] == "repo:1"
    assert "VariantStatus" not in variant


async def test_the_waiter_of_the_sdk_sees_it_come_into_service(account: Account) -> None:
    await account.model()
    await account.config()
    await account.endpoint()
    await account.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="ep")
    assert await account.status() == "InService"


async def test_a_resized_endpoint_is_updating_until_the_last_instance_serves(account: Account) -> None:
    sagemaker, name = account.sagemaker, "smbench-emulated"

    async def resize(count: int) -> None:
        wish = {"VariantName": "AllTraffic", "DesiredInstanceCount": count}
        await sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=[wish])

    await resize(3)
    described = await sagemaker.describe_endpoint(EndpointName=name)
    assert described["EndpointStatus"] == "Updating"
    (variant,) = described["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (1, 3)
    assert await refused(resize(2)) == (
        "ValidationException",
        f'Cannot update in-progress endpoint "{ARN}:endpoint/smbench-emulated".',
    )
    await advance(account.emulator, 61.0)
    assert await account.status(name) == "InService"
    await resize(0)
    await advance(account.emulator, 31.0)
    described = await sagemaker.describe_endpoint(EndpointName=name)
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 0


async def test_whether_changes_wait_for_each_other_is_a_setting() -> None:
    free = scenario(FAST | {"open_questions": {"serialise_updates": False}})
    async with emulating(free) as emulator, client(emulator, "sagemaker") as sagemaker:
        for count in (3, 2):
            await sagemaker.update_endpoint_weights_and_capacities(
                EndpointName="smbench-emulated",
                DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": count}],
            )
        described = await sagemaker.describe_endpoint(EndpointName="smbench-emulated")
        assert described["ProductionVariants"][0]["DesiredInstanceCount"] == 2


async def test_an_endpoint_that_is_updating_is_neither_updated_nor_deleted(account: Account) -> None:
    await account.model()
    await account.config()
    name, wish = "smbench-emulated", {"VariantName": "AllTraffic", "DesiredInstanceCount": 2}
    await account.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[wish]
    )
    busy = ("ValidationException", f'Cannot update in-progress endpoint "{ARN}:endpoint/{name}".')
    assert await refused(account.sagemaker.delete_endpoint(EndpointName=name)) == busy
    assert await refused(account.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName="c")) == busy


async def test_an_update_waits_for_a_scaling_action_that_came_between(free_account: Account) -> None:
    account = free_account
    await account.model()
    await account.config()
    await account.config("c2", count=2)
    await account.endpoint()
    await advance(account.emulator, 61.0)
    await account.sagemaker.update_endpoint(EndpointName="ep", EndpointConfigName="c2")
    await advance(account.emulator, 30.0)
    account.emulator.world.endpoints["ep"].set_desired(4)  # serves at 151 s; the update would be done at 121 s
    await advance(account.emulator, 40.0)
    described = await account.sagemaker.describe_endpoint(EndpointName="ep")
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("Updating", "c")
    await advance(account.emulator, 120.0)
    described = await account.sagemaker.describe_endpoint(EndpointName="ep")
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", "c2")
    assert described["ProductionVariants"][0]["DesiredInstanceCount"] == 2


async def test_while_an_endpoint_is_updated_its_capacity_is_not_scaled(account: Account) -> None:
    await account.model()
    await account.config()
    await account.config("c2", S3FailurePath="s3://out/failures")
    await account.endpoint()
    await advance(account.emulator, 61.0)
    await account.sagemaker.update_endpoint(EndpointName="ep", EndpointConfigName="c2")
    autoscaling = await account.client("application-autoscaling")
    await autoscaling.register_scalable_target(**SCALED, MinCapacity=2, MaxCapacity=3)
    with pytest.raises(UpdateInProgress):
        account.emulator.world.endpoints["ep"].set_desired(2)
    described = await account.sagemaker.describe_endpoint(EndpointName="ep")
    assert described["ProductionVariants"][0]["DesiredInstanceCount"] == 1
    await advance(account.emulator, 61.0)
    described = await account.sagemaker.describe_endpoint(EndpointName="ep")
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("Updating", "c2")
    (activity,) = (await autoscaling.describe_scaling_activities(ServiceNamespace="sagemaker"))["ScalingActivities"]
    assert activity["Cause"] == "minimum capacity was set to 2"


async def test_every_change_of_an_endpoint_sends_test_notifications_to_both_topics(account: Account) -> None:
    sns, sqs = await account.client("sns"), await account.client("sqs")
    queue = (await sqs.create_queue(QueueName="q"))["QueueUrl"]
    queue_arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"
    policy = (
        '{"Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},'
        f'"Action":"sqs:SendMessage","Resource":"{queue_arn}"}}]}}'
    )
    await sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    topics = {}
    for key in ("SuccessTopic", "ErrorTopic"):
        topics[key] = (await sns.create_topic(Name=key))["TopicArn"]
        await sns.subscribe(TopicArn=topics[key], Protocol="sqs", Endpoint=queue_arn)

    async def heard() -> int:
        received = await sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        for message in received.get("Messages", []):
            assert body_of(message) == {
                "eventVersion": "1.0",
                "eventSource": "aws:sagemaker",
                "eventName": "TestNotification",
            }
            await sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return len(received.get("Messages", []))

    await account.model()
    await account.config(NotificationConfig=topics)
    await account.config("c2", NotificationConfig=topics)
    await account.endpoint()
    assert await heard() == 2
    await advance(account.emulator, 61.0)
    wish = {"VariantName": "AllTraffic", "DesiredInstanceCount": 2}
    await account.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="ep", DesiredWeightsAndCapacities=[wish]
    )
    assert await heard() == 2
    await advance(account.emulator, 61.0)
    await account.sagemaker.update_endpoint(EndpointName="ep", EndpointConfigName="c2", RetainAllVariantProperties=True)
    assert await heard() == 2
    await advance(account.emulator, 61.0)
    await account.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="ep", DesiredWeightsAndCapacities=[wish]
    )
    assert await heard() == 2  # even where it changed nothing


async def test_an_update_of_the_concurrency_replaces_the_instances_and_what_is_at_work_finishes(
    slow_account: Account,
) -> None:
    account = slow_account
    await account.model()
    for name, slots in (("narrow", 1), ("wide", 3)):
        await account.config(name, slots=slots)
    await account.endpoint("ep", "narrow")
    await advance(account.emulator, 61.0)
    fleet = account.emulator.world.endpoints["ep"]
    fleet.on_end.clear()  # nobody waits for what is put into the model itself
    ends: list[Ended] = []
    fleet.on_end.append(ends.append)

    for index in range(5):
        fleet.arrive(Job(index, f"id-{index}", "", 3600.0, 3600.0, account.emulator.site.event_queue.now_ns))
    await account.sagemaker.update_endpoint(EndpointName="ep", EndpointConfigName="wide")
    await advance(account.emulator, 59.0)
    assert (await account.status(), fleet.running) == ("Updating", 1)
    await advance(account.emulator, 2.0)
    assert (await account.status(), fleet.running, fleet.in_service) == ("Updating", 1 + 3, 1)
    await advance(account.emulator, 40.0)
    assert await account.status() == "InService"
    assert [(end.attempts, end.instance) for end in ends] == [(1, 0)]
    await advance(account.emulator, 150.0)
    assert [(end.attempts, end.instance) for end in ends[1:]] == [(1, 1)] * 4


async def test_an_update_takes_effect_when_it_is_done(account: Account) -> None:
    await account.model()
    await account.config()
    await account.config("c2", count=2, S3FailurePath="s3://out/failures")
    await account.endpoint()
    await advance(account.emulator, 61.0)
    await account.sagemaker.update_endpoint(EndpointName="ep", EndpointConfigName="c2")
    described = await account.sagemaker.describe_endpoint(EndpointName="ep")
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("Updating", "c")
    assert described["PendingDeploymentSummary"]["EndpointConfigName"] == "c2"
    await advance(account.emulator, 150.0)
    described = await account.sagemaker.describe_endpoint(EndpointName="ep")
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", "c2")
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    assert "S3FailurePath" in described["AsyncInferenceConfig"]["OutputConfig"]


async def test_a_variant_that_is_a_scalable_target_keeps_its_instance_type_and_its_name(account: Account) -> None:
    await account.model()
    await account.config()
    await account.config("larger", instance_type="ml.m5.4xlarge")
    await account.config("renamed", variant="Other")
    await account.config("results", S3FailurePath="s3://out/failures")
    await account.endpoint()
    await advance(account.emulator, 61.0)
    autoscaling = await account.client("application-autoscaling")
    await autoscaling.register_scalable_target(**SCALED, MinCapacity=1, MaxCapacity=2)
    update = account.sagemaker.update_endpoint
    for name in ("larger", "renamed"):
        code, text = await refused(update(EndpointName="ep", EndpointConfigName=name))
        assert (code, '"AllTraffic" must be deregistered' in text) == ("ValidationException", True)
    await update(EndpointName="ep", EndpointConfigName="results")  # the model and where it writes may change
    await advance(account.emulator, 150.0)
    await autoscaling.deregister_scalable_target(**SCALED)
    await update(EndpointName="ep", EndpointConfigName="larger")
    await advance(account.emulator, 150.0)
    assert await account.status() == "InService"


async def test_a_deleted_endpoint_is_gone(account: Account) -> None:
    await account.model()
    await account.config()
    await account.endpoint()
    in_progress = await refused(account.sagemaker.delete_endpoint(EndpointName="ep"))
    assert in_progress == ("ValidationException", f'Cannot update in-progress endpoint "{ARN}:endpoint/ep".')
    await advance(account.emulator, 61.0)
    await account.sagemaker.delete_endpoint(EndpointName="ep")
    await account.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="ep")
    gone = await refused(account.sagemaker.describe_endpoint(EndpointName="ep"))
    assert gone == ("ValidationException", f'Could not find endpoint "{ARN}:endpoint/ep".')


async def test_what_is_missing_or_there_already_is_said_in_sagemakers_words(account: Account) -> None:
    sagemaker = account.sagemaker
    await account.model()
    await account.config()
    await account.endpoint()
    texts = [
        (account.model(), f'Cannot create already existing model "{ARN}:model/m".'),
        (account.config(), f'Cannot create already existing endpoint configuration "{ARN}:endpoint-config/c".'),
        (account.endpoint(), f'Cannot create already existing endpoint "{ARN}:endpoint/ep".'),
        (account.endpoint("x", "no"), f'Could not find endpoint configuration "{ARN}:endpoint-config/no".'),
        (sagemaker.describe_model(ModelName="no"), f'Could not find model "{ARN}:model/no".'),
        (sagemaker.delete_model(ModelName="no"), f'Could not find model "{ARN}:model/no".'),
        (
            sagemaker.describe_endpoint_config(EndpointConfigName="no"),
            f'Could not find endpoint configuration "{ARN}:endpoint-config/no".',
        ),
        (
            sagemaker.delete_endpoint_config(EndpointConfigName="no"),
            f'Could not find endpoint configuration "{ARN}:endpoint-config/no".',
        ),
        (
            sagemaker.update_endpoint(EndpointName="no", EndpointConfigName="c"),
            f'Could not find endpoint "{ARN}:endpoint/no".',
        ),
        (sagemaker.list_endpoints(NextToken="!"), "Invalid pagination token."),
        (sagemaker.list_endpoints(NextToken=token_for(99)), "Invalid pagination token."),
    ]
    for call, text in texts:
        assert await refused(call) == ("ValidationException", text)


def of_instances(name: str, count: int = 1, **more: Any) -> dict[str, Any]:
    made = {"VariantName": name, "ModelName": "m", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": count}
    return made | more


async def variants_endpoint(account: Account, **configs: list[dict[str, Any]]) -> None:
    """These configurations, and `ep` of the first, in service."""
    await account.model()
    for name, variants in configs.items():
        await account.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
    await account.endpoint("ep", next(iter(configs)))
    await advance(account.emulator, 61.0)


async def counts_of(account: Account) -> dict[str, tuple[int, float]]:
    """Desired instances and weight of each variant."""
    described = await account.sagemaker.describe_endpoint(EndpointName="ep")
    return {
        one["VariantName"]: (one["DesiredInstanceCount"], one["DesiredWeight"])
        for one in described["ProductionVariants"]
    }


async def test_an_update_brings_removes_and_changes_variants_by_their_names(account: Account) -> None:
    before = [of_instances("a"), of_instances("gone"), of_instances("kept", 2)]
    after = [of_instances("new", 3, InitialVariantWeight=5.0), of_instances("kept"), of_instances("a", 2)]
    await variants_endpoint(account, before=before, after=after)
    await account.sagemaker.update_endpoint(EndpointName="ep", EndpointConfigName="after")
    assert await counts_of(account) == {"a": (1, 1.0), "gone": (1, 1.0), "kept": (2, 1.0)}
    await advance(account.emulator, 61.0)
    assert await counts_of(account) == {"a": (2, 1.0), "kept": (1, 1.0), "new": (3, 5.0)}
    await advance(account.emulator, 61.0)
    assert await account.status() == "InService"
    runtime = await account.client("sagemaker-runtime")
    called = runtime.invoke_endpoint
    answer = await called(EndpointName="ep", Body=b"{}", TargetVariant="new")
    assert answer["InvokedProductionVariant"] == "new"
    assert (await refused(called(EndpointName="ep", Body=b"{}", TargetVariant="gone")))[0] == "ValidationError"
    await account.sagemaker.update_endpoint(
        EndpointName="ep", EndpointConfigName="before", RetainAllVariantProperties=True
    )
    await advance(account.emulator, 61.0)
    assert await counts_of(account) == {"a": (2, 1.0), "kept": (1, 1.0), "gone": (1, 1.0)}


async def test_a_variant_that_is_changing_keeps_the_others_from_it_but_one_call_changes_several(
    account: Account,
) -> None:
    await variants_endpoint(account, two=[of_instances("v"), of_instances("w")])

    async def wish(**wanted: int) -> None:
        wishes = [{"VariantName": name, "DesiredInstanceCount": count} for name, count in wanted.items()]
        await account.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName="ep", DesiredWeightsAndCapacities=wishes
        )

    await wish(v=2, w=3)
    assert {name: count for name, (count, _) in (await counts_of(account)).items()} == {"v": 2, "w": 3}
    await advance(account.emulator, 61.0)
    await wish(v=1)
    assert (await refused(wish(w=1)))[1].startswith("Cannot update in-progress endpoint")
    with pytest.raises(UpdateInProgress):
        account.emulator.world.endpoints["ep/w"].set_desired(1)
    assert {name: count for name, (count, _) in (await counts_of(account)).items()} == {"v": 1, "w": 3}


async def test_counts_beyond_the_quota_change_no_variant() -> None:
    async with AsyncExitStack() as stack:
        little = scenario(FAST | {"faults": {"instance_quota": 4}})
        emulator = await stack.enter_async_context(emulating(little))
        account = Account(emulator, await stack.enter_async_context(client(emulator, "sagemaker")), stack)
        await variants_endpoint(account, two=[of_instances("v"), of_instances("w")], more=[of_instances("v", 5)])
        wishes = [{"VariantName": name, "DesiredInstanceCount": count} for name, count in (("v", 2), ("w", 5))]
        change = account.sagemaker.update_endpoint_weights_and_capacities
        code, _ = await refused(change(EndpointName="ep", DesiredWeightsAndCapacities=wishes))
        assert code == "ResourceLimitExceeded"
        update = account.sagemaker.update_endpoint(EndpointName="ep", EndpointConfigName="more")
        assert (await refused(update))[0] == "ResourceLimitExceeded"
        assert await counts_of(account) == {"v": (1, 1.0), "w": (1, 1.0)}
        assert await account.status() == "InService"


async def test_what_the_emulator_cannot_host_is_refused_by_name(account: Account) -> None:
    await variants_endpoint(account, two=[of_instances("v"), of_instances("w")], other=[of_instances("w")])
    update = account.sagemaker.update_endpoint(EndpointName="ep", EndpointConfigName="other")
    assert await refused(update) == (
        "NotImplemented",
        "the emulator does not host an update that removes or renames the first variant",
    )


ON_INSTANCES = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 2}
WITHOUT = {"MemorySizeInMB": 3072, "MaxConcurrency": 7, "ProvisionedConcurrency": 2}


@pytest.mark.parametrize("kind", ["realtime", "serverless"])
async def test_a_synchronous_endpoint_is_created_described_called_and_deleted(account: Account, kind: str) -> None:
    await account.model()
    serverless = {"VariantName": "v", "ModelName": "m", "ServerlessConfig": WITHOUT}
    variant = ON_INSTANCES if kind == "realtime" else serverless
    await account.sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    await account.endpoint("ep", "c")
    assert await account.status() == "Creating"
    runtime = await account.stack.enter_async_context(client(account.emulator, "sagemaker-runtime"))
    assert (await refused(runtime.invoke_endpoint(EndpointName="ep", Body=b"{}")))[0] == "ValidationError"
    await advance(account.emulator, 60)
    assert await account.status() == "InService"
    described = await account.sagemaker.describe_endpoint(EndpointName="ep")
    assert "AsyncInferenceConfig" not in described
    (found,) = described["ProductionVariants"]
    if kind == "realtime":
        assert (found["CurrentInstanceCount"], found["DesiredInstanceCount"]) == (2, 2)
    else:
        assert found["CurrentServerlessConfig"] == found["DesiredServerlessConfig"] == WITHOUT
        assert "CurrentInstanceCount" not in found
    answer = await runtime.invoke_endpoint(EndpointName="ep", Body=b"{}", ContentType="application/json")
    assert (answer["InvokedProductionVariant"], answer["ContentType"]) == ("v", "application/json")
    async with answer["Body"] as body:
        assert b"inferenceId" in await body.read()
    await account.sagemaker.delete_endpoint(EndpointName="ep")
    assert (await refused(runtime.invoke_endpoint(EndpointName="ep", Body=b"{}")))[0] == "ValidationError"


async def test_a_call_names_a_model_where_the_container_has_many_and_nothing_that_the_endpoint_has_not(
    account: Account,
) -> None:
    runtime = await account.stack.enter_async_context(client(account.emulator, "sagemaker-runtime"))
    container = {"Image": "i", "ModelDataUrl": "s3://models/"}
    for name, mode in (("one", "SingleModel"), ("many", "MultiModel")):
        await account.sagemaker.create_model(
            ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container | {"Mode": mode}
        )
        variant = ON_INSTANCES | {"ModelName": name}
        await account.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        await account.endpoint(name, name)
    await account.sagemaker.delete_model(ModelName="many")  # its endpoint goes on
    await advance(account.emulator, 60)
    taken = {"EndpointName": "many", "Body": b"{}", "TargetModel": "a.tar.gz"}
    async with (await runtime.invoke_endpoint(**taken))["Body"] as body:
        assert await body.read()
    for name, names, said in (
        ("one", {"TargetModel": "a"}, "Endpoint one is not a multi-model endpoint and does not support target model"),
        ("many", {}, "is missing a target model header"),
        ("one", {"TargetContainerHostname": "c"}, "does not support target container hostname header"),
        ("one", {"EnableExplanations": "`true`"}, "does not support enable explanations header"),
    ):
        code, text = await refused(runtime.invoke_endpoint(EndpointName=name, Body=b"{}", **names))
        assert (code, said in text) == ("ValidationError", True), text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"MemorySizeInMB": 1500}, "MemorySizeInMB 1500 is not valid: it must be one of 1024, 2048, 3072"),
        ({"ProvisionedConcurrency": 8}, "ProvisionedConcurrency 8 must not be greater than MaxConcurrency 7"),
    ],
)
async def test_a_serverless_configuration_that_aws_has_not_is_refused(
    account: Account, changes: dict[str, int], says: str
) -> None:
    await account.model()
    variant = {"VariantName": "v", "ModelName": "m", "ServerlessConfig": WITHOUT | changes}
    code, text = await refused(
        account.sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    )
    assert (code, says in text) == ("ValidationException", True), text


@pytest.mark.parametrize(
    ("variants", "says"),
    [
        ([{"InstanceType": None}], "InstanceType"),
        ([{}, {}], "unique"),
        ([{"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 1}}], "ServerlessConfig"),
    ],
)
async def test_variants_that_nothing_could_serve_are_refused(
    account: Account, variants: list[dict[str, Any]], says: str
) -> None:
    await account.model()
    whole = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
    made = [{name: value for name, value in (whole | own).items() if value is not None} for own in variants]
    code, text = await refused(
        account.sagemaker.create_endpoint_config(
            EndpointConfigName="c",
            ProductionVariants=made,
            AsyncInferenceConfig={"OutputConfig": {"S3OutputPath": "s3://out/results"}},
        )
    )
    assert (code, says in text) == ("ValidationException", True)


async def test_a_topic_that_does_not_exist_is_noticed_at_creation(account: Account) -> None:
    await account.model()
    await account.config(NotificationConfig={"SuccessTopic": f"arn:aws:sns:{REGION}:{ACCOUNT}:nobody"})
    code, text = await refused(account.endpoint())
    assert code == "ValidationException"
    assert "nobody" in text


async def test_lists_are_filtered_sorted_and_paged(account: Account) -> None:
    for index in range(12):
        await account.model(f"model-{index:02}")
        await advance(account.emulator, 1.0)
    first = await account.sagemaker.list_models(NameContains="model-")
    assert [row["ModelName"] for row in first["Models"]] == [f"model-{index:02}" for index in range(11, 1, -1)]
    rest = await account.sagemaker.list_models(NameContains="model-", NextToken=first["NextToken"])
    assert [row["ModelName"] for row in rest["Models"]] == ["model-01", "model-00"]
    assert "NextToken" not in rest
    by_name = await account.sagemaker.list_models(SortBy="Name", SortOrder="Ascending", MaxResults=2)
    assert [row["ModelName"] for row in by_name["Models"]] == ["model-00", "model-01"]
    in_service = await account.sagemaker.list_endpoints(StatusEquals="InService")
    assert [row["EndpointName"] for row in in_service["Endpoints"]] == ["smbench-emulated"]
    configs = await account.sagemaker.list_endpoint_configs()
    assert [row["EndpointConfigName"] for row in configs["EndpointConfigs"]] == ["smbench-emulated"]


async def test_tags_are_added_listed_and_removed(account: Account) -> None:
    arn, container = f"{ARN}:model/m", {"Image": "repo:1"}
    born_with = [{"Key": "b", "Value": "1"}]
    await account.sagemaker.create_model(
        ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer=container, Tags=born_with
    )
    assert "Tags" not in account.emulator.sagemaker.models["m"]  # Describe does not show them
    added = await account.sagemaker.add_tags(
        ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    )
    assert added["Tags"] == [{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "1"}]
    await account.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["a", "never"])
    listed = await account.sagemaker.list_tags(ResourceArn=arn)
    assert listed["Tags"] == [{"Key": "b", "Value": "2"}]
    code, _ = await refused(account.sagemaker.list_tags(ResourceArn=f"{ARN}:model/no"))
    assert code == "ValidationException"


async def test_an_unknown_operation_is_501_with_its_name(account: Account) -> None:
    code, text = await refused(account.sagemaker.list_training_jobs())
    assert (code, text) == ("NotImplemented", "the emulator does not implement sagemaker:ListTrainingJobs")


ON_IT = {"EndpointName": "ep", "VariantName": "AllTraffic"}
COPIES = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "inference-component/a",
    "ScalableDimension": "sagemaker:inference-component:DesiredCopyCount",
}


def needing(cores: float) -> dict[str, Any]:
    needs = {"MinMemoryRequiredInMb": 1024, "NumberOfCpuCoresRequired": cores}
    return {"ModelName": "m", "ComputeResourceRequirements": needs}


async def components_endpoint(account: Account, n_instances: int) -> Any:
    """`ep` of so many instances of four cores, in service; its runtime."""
    await account.model()
    bare = {"VariantName": "AllTraffic", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": n_instances}
    await account.sagemaker.create_endpoint_config(EndpointConfigName="bare", ProductionVariants=[bare])
    await account.endpoint(config="bare")
    await advance(account.emulator, 61.0)
    return await account.client("sagemaker-runtime")


async def called_at_once(runtime: Any, n: int) -> None:
    """So many calls of the component `a`, all of them answered."""

    async def call() -> None:
        answer = await runtime.invoke_endpoint(EndpointName="ep", InferenceComponentName="a", Body=b"{}")
        assert answer["InvokedProductionVariant"] == "AllTraffic"

    async with anyio.create_task_group() as calls:
        for _ in range(n):
            calls.start_soon(call)


async def component(account: Account, name: str = "a") -> tuple[str, int, int]:
    """Its status, desired and current copies."""
    described = await account.sagemaker.describe_inference_component(InferenceComponentName=name)
    counts = described["RuntimeConfig"]
    return described["InferenceComponentStatus"], counts["DesiredCopyCount"], counts["CurrentCopyCount"]


async def test_inference_components_are_described_listed_and_what_is_beyond_them_is_501_with_its_name(
    account: Account,
) -> None:
    await components_endpoint(account, 1)
    sagemaker, logs = account.sagemaker, await account.client("logs")
    scaling = await account.client("application-autoscaling")
    for name in ("b", "a"):
        await sagemaker.create_inference_component(InferenceComponentName=name, Specification=needing(1), **ON_IT)
    assert await component(account) == ("Creating", 1, 0)
    await advance(account.emulator, 61.0)
    assert await component(account) == ("InService", 1, 1)
    named = {"InferenceComponentName": "a"}
    assert (await sagemaker.describe_inference_component(**named))["Specification"] == needing(1)
    listed = await sagemaker.list_inference_components(EndpointNameEquals="ep", SortBy="Name", SortOrder="Ascending")
    assert [one["InferenceComponentName"] for one in listed["InferenceComponents"]] == ["a", "b"]
    assert (await sagemaker.list_inference_components(EndpointNameEquals="other"))["InferenceComponents"] == []
    await scaling.register_scalable_target(**COPIES, MinCapacity=0, MaxCapacity=2)
    another = {"InferenceComponentName": "c", "Specification": {"Container": {"Image": "i"}}}
    beyond = {
        "Container": sagemaker.create_inference_component(**another, **ON_IT),
        "log of an inf": logs.describe_log_streams(logGroupName="/aws/sagemaker/InferenceComponents/a"),
    }
    for said, call in beyond.items():
        with pytest.raises(ClientError, match=said) as refused_by:
            await call
        assert refused_by.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    with pytest.raises(ClientError, match="ResourceNotFound"):
        await logs.describe_log_streams(logGroupName="/aws/sagemaker/InferenceComponents/c")
    await sagemaker.delete_inference_component(**named)
    found = await scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[COPIES["ResourceId"]])
    assert found["ScalableTargets"] == []


async def test_copies_serve_beside_each_other_as_far_as_the_instances_have_room(account: Account) -> None:
    """Two instances of four cores hold four copies of two cores."""
    runtime, sagemaker = await components_endpoint(account, 2), account.sagemaker
    create, change = sagemaker.create_inference_component, sagemaker.update_inference_component_runtime_config
    a, b = {"InferenceComponentName": "a"}, {"InferenceComponentName": "b"}
    await create(**a, Specification=needing(2), RuntimeConfig={"CopyCount": 3}, **ON_IT)
    await advance(account.emulator, 61.0)
    assert await component(account) == ("InService", 3, 3)
    code, text = await refused(create(**b, Specification=needing(3), **ON_IT))
    assert (code, "have no room for the 4 copies" in text) == ("ResourceLimitExceeded", True)
    none = create(**b, Specification=needing(1), RuntimeConfig={"CopyCount": 0}, **ON_IT)
    assert (await refused(none))[1] == "Inference components copy count an integer larger than 0"

    began_ns = account.emulator.site.now_ns
    await called_at_once(runtime, 6)
    assert round((account.emulator.site.now_ns - began_ns) / 1e9) == 2  # a second each, three at a time
    assert (await refused(change(**a, DesiredRuntimeConfig={"CopyCount": 5})))[0] == "ResourceLimitExceeded"
    wish = {"VariantName": "AllTraffic", "DesiredInstanceCount": 1}
    resize = sagemaker.update_endpoint_weights_and_capacities
    less = resize(EndpointName="ep", DesiredWeightsAndCapacities=[wish])
    assert (await refused(less))[0] == "ResourceLimitExceeded"
    await change(**a, DesiredRuntimeConfig={"CopyCount": 1})
    assert await component(account) == ("Updating", 1, 3)
    assert "in-progress" in (await refused(change(**a, DesiredRuntimeConfig={"CopyCount": 2})))[1]
    await advance(account.emulator, 31.0)
    assert await component(account) == ("InService", 1, 1)
    await resize(EndpointName="ep", DesiredWeightsAndCapacities=[wish])


async def test_copies_scale_with_their_concurrent_requests_within_a_minute_and_are_read_by_ten_seconds(
    account: Account,
) -> None:
    runtime = await components_endpoint(account, 1)
    scaling, cloudwatch = await account.client("application-autoscaling"), await account.client("cloudwatch")
    await account.sagemaker.create_inference_component(InferenceComponentName="a", Specification=needing(1), **ON_IT)
    await advance(account.emulator, 119.0)  # to a full minute of the scenario's
    await scaling.register_scalable_target(**COPIES, MinCapacity=1, MaxCapacity=4)
    tracked = {"PredefinedMetricType": "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution"}
    await scaling.put_scaling_policy(
        **COPIES,
        PolicyName="keep",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"PredefinedMetricSpecification": tracked, "TargetValue": 4.0},
    )
    await advance(account.emulator, 10.0)

    await called_at_once(runtime, 55)  # of one second each; the client has ten of them open at a time
    await advance(account.emulator, 10.0)
    activities = (await scaling.describe_scaling_activities(**COPIES))["ScalingActivities"]
    assert [one["Description"] for one in activities] == ["Setting desired copy count to 3."]  # ceil(10 / 4)
    end = account.emulator.site.now()
    found = await cloudwatch.get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="ConcurrentRequestsPerCopy",
        Dimensions=[{"Name": "InferenceComponentName", "Value": "a"}],
        StartTime=end - timedelta(seconds=120),
        EndTime=end + timedelta(seconds=60),
        Period=10,
        Statistics=["Maximum"],
    )
    seen = sorted((one["Timestamp"], one["Maximum"]) for one in found["Datapoints"])
    assert {later - sooner for (sooner, _), (later, _) in pairwise(seen)} == {timedelta(seconds=10)}
    assert max(value for _, value in seen) == 10.0


async def test_copies_scale_with_their_invocations_down_to_none_and_a_step_policy_wakes_them(account: Account) -> None:
    runtime = await components_endpoint(account, 1)
    scaling, cloudwatch = await account.client("application-autoscaling"), await account.client("cloudwatch")
    await account.sagemaker.create_inference_component(InferenceComponentName="a", Specification=needing(1), **ON_IT)
    await advance(account.emulator, 119.0)  # to a full minute of the scenario's
    await scaling.register_scalable_target(**COPIES, MinCapacity=0, MaxCapacity=4)
    tracked = {"PredefinedMetricType": "SageMakerInferenceComponentInvocationsPerCopy"}
    tracking = {"PredefinedMetricSpecification": tracked, "TargetValue": 10.0, "ScaleInCooldown": 0}
    await scaling.put_scaling_policy(
        **COPIES,
        PolicyName="keep",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=tracking,
    )
    steps = [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}]
    wake = await scaling.put_scaling_policy(
        **COPIES,
        PolicyName="wake",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={"AdjustmentType": "ChangeInCapacity", "StepAdjustments": steps},
    )
    await cloudwatch.put_metric_alarm(
        AlarmName="asleep",
        Namespace="AWS/SageMaker",
        MetricName="NoCapacityInvocationFailures",
        Dimensions=[{"Name": "InferenceComponentName", "Value": "a"}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[wake["PolicyARN"]],
    )

    for _ in range(3):  # 25 a minute on one copy: after three minutes ceil(1 * 25 / 10) = 3
        await called_at_once(runtime, 25)
        await advance(account.emulator, 60.0 - 25.0)
    await advance(account.emulator, 10.0)
    activities = (await scaling.describe_scaling_activities(**COPIES))["ScalingActivities"]
    assert [one["Description"] for one in activities] == ["Setting desired copy count to 3."]
    await advance(account.emulator, 60.0)
    assert await component(account) == ("InService", 3, 3)
    await advance(account.emulator, 60 * 20.0)  # idle: after fifteen minutes of zeros one copy at a time
    assert await component(account) == ("InService", 0, 0)
    nobody = runtime.invoke_endpoint(EndpointName="ep", InferenceComponentName="a", Body=b"{}")
    code, text = await refused(nobody)
    assert (code, text[:33]) == ("ValidationError", "Inference Component has no capaci")
    await advance(account.emulator, 200.0)
    assert (await component(account))[1] >= 1
    newest = (await scaling.describe_scaling_activities(**COPIES))["ScalingActivities"][0]
    assert newest["Cause"] == "monitor alarm asleep in state ALARM triggered policy wake"


async def test_each_container_has_a_log_stream_since_it_serves_which_outlives_it(account: Account) -> None:
    group = {"logGroupName": "/aws/sagemaker/Endpoints/ep"}
    logs = await account.client("logs")
    await account.model()
    await account.config(count=2)
    await account.endpoint()
    assert (await refused(logs.describe_log_streams(**group)))[0] == "ResourceNotFoundException"
    mine = {"logGroupNamePrefix": group["logGroupName"]}
    assert (await logs.describe_log_groups(**mine))["logGroups"] == []
    await advance(account.emulator, 61.0)
    wish = {"VariantName": "AllTraffic", "DesiredInstanceCount": 1}
    await account.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="ep", DesiredWeightsAndCapacities=[wish]
    )
    await advance(account.emulator, 120.0)
    first = await logs.describe_log_streams(**group, orderBy="LastEventTime", descending=True, limit=1)
    (second,) = (await logs.describe_log_streams(**group, nextToken=first["nextToken"], limit=1))["logStreams"]
    assert first["logStreams"][0]["logStreamName"] == "AllTraffic/i-00000000000000001"
    assert second["creationTime"] == account.emulator.site.epoch_ns // 1_000_000 + 60_000
    (shown,) = (await logs.describe_log_groups(**mine))["logGroups"]
    assert (shown["logGroupName"], shown["creationTime"]) == (group["logGroupName"], second["creationTime"])
    assert second["arn"] == f"{shown['logGroupArn']}:log-stream:{second['logStreamName']}"
    for none in ({"logGroupNamePrefix": "/aws/lambda"}, {"logGroupClass": "DELIVERY"}):
        assert (await logs.describe_log_groups(**none))["logGroups"] == []
    both = logs.describe_log_groups(**mine, logGroupNamePattern="ep")
    assert (await refused(both))[0] == "InvalidParameterException"
    asked = logs.describe_log_streams(**group, orderBy="LastEventTime", logStreamNamePrefix="AllTraffic/")
    assert (await refused(asked))[1] == "Cannot order by LastEventTime with a logStreamNamePrefix."


async def test_a_model_without_a_container_is_refused(account: Account) -> None:
    made = account.sagemaker.create_model(ModelName="empty", ExecutionRoleArn=ROLE)
    assert "either PrimaryContainer or Containers" in (await refused(made))[1]


async def test_instances_never_become_serverless(account: Account) -> None:
    await account.model()
    await account.config()
    await account.endpoint()
    await advance(account.emulator, 61.0)
    variant = {"VariantName": "AllTraffic", "ModelName": "m", "ServerlessConfig": WITHOUT}
    await account.sagemaker.create_endpoint_config(EndpointConfigName="less", ProductionVariants=[variant])
    update = account.sagemaker.update_endpoint(EndpointName="ep", EndpointConfigName="less")
    assert await refused(update) == (
        "ValidationException",
        "Endpoint ep has instances: it cannot be updated to a serverless configuration.",
    )


async def serverless_endpoint(account: Account, **config: int) -> Any:
    """Its runtime; the configurations `before` and `after`, and `ep` of the former, in service."""
    await account.model()
    for name, serverless in (("before", WITHOUT), ("after", WITHOUT | config)):
        variant = {"VariantName": "v", "ModelName": "m", "ServerlessConfig": serverless}
        await account.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    await account.endpoint("ep", "before")
    await advance(account.emulator, 61.0)
    return await account.stack.enter_async_context(client(account.emulator, "sagemaker-runtime"))


async def called(runtime: Any) -> bytes:
    answer = await runtime.invoke_endpoint(EndpointName="ep", Body=b"{}", ContentType="application/json")
    async with answer["Body"] as body:
        content: bytes = await body.read()
        return content


async def test_a_serverless_endpoint_gets_another_memory_and_concurrency_and_serves_meanwhile(
    account: Account,
) -> None:
    runtime = await serverless_endpoint(account, MemorySizeInMB=1024, MaxConcurrency=1, ProvisionedConcurrency=1)
    await account.sagemaker.update_endpoint(EndpointName="ep", EndpointConfigName="after")
    assert await account.status() == "Updating"
    described = await account.sagemaker.describe_endpoint(EndpointName="ep")
    assert described["PendingDeploymentSummary"]["EndpointConfigName"] == "after"
    (variant,) = described["ProductionVariants"]
    assert (variant["CurrentServerlessConfig"], variant["DesiredServerlessConfig"]["MemorySizeInMB"]) == (WITHOUT, 1024)
    assert (await refused(account.sagemaker.delete_endpoint(EndpointName="ep")))[1].startswith("Cannot update in-prog")
    assert await called(runtime)
    await advance(account.emulator, 61.0)
    assert await account.status() == "InService"
    described = await account.sagemaker.describe_endpoint(EndpointName="ep")
    (variant,) = described["ProductionVariants"]
    assert described["EndpointConfigName"] == "after"
    assert variant["CurrentServerlessConfig"] == variant["DesiredServerlessConfig"]
    assert variant["CurrentServerlessConfig"]["MaxConcurrency"] == 1
    fleet = account.emulator.world.serverless["ep"]
    assert (fleet.serverless.max_concurrency, fleet.warm) == (1, 1)
    assert await called(runtime)


async def test_a_serverless_endpoint_gets_another_concurrency_without_another_configuration(account: Account) -> None:
    runtime = await serverless_endpoint(account)
    for _ in range(2):
        assert await called(runtime)

    async def change(variant: str = "v", **wish: Any) -> None:
        await account.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName="ep", DesiredWeightsAndCapacities=[{"VariantName": variant} | wish]
        )

    assert "must not be greater" in (await refused(change(ServerlessUpdateConfig={"MaxConcurrency": 1})))[1]
    assert (await refused(change(DesiredInstanceCount=1)))[0] == "ValidationException"
    await change(ServerlessUpdateConfig={"MaxConcurrency": 5, "ProvisionedConcurrency": 4})
    described = await account.sagemaker.describe_endpoint(EndpointName="ep")
    (variant,) = described["ProductionVariants"]
    assert (described["EndpointStatus"], variant["CurrentServerlessConfig"]) == ("Updating", WITHOUT)
    assert variant["DesiredServerlessConfig"] == {
        "MemorySizeInMB": 3072,
        "MaxConcurrency": 5,
        "ProvisionedConcurrency": 4,
    }
    assert (await refused(change(ServerlessUpdateConfig={"MaxConcurrency": 6})))[1].startswith("Cannot update in-prog")
    await advance(account.emulator, 61.0)
    described = await account.sagemaker.describe_endpoint(EndpointName="ep")
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", "before")
    assert described["ProductionVariants"][0]["CurrentServerlessConfig"]["MaxConcurrency"] == 5
    config = await account.sagemaker.describe_endpoint_config(EndpointConfigName="before")
    assert config["ProductionVariants"][0]["ServerlessConfig"] == WITHOUT
    fleet = account.emulator.world.serverless["ep"]
    assert (fleet.serverless.max_concurrency, fleet.warm) == (5, 4)
    await change(ServerlessUpdateConfig={"ProvisionedConcurrency": 1})
    await advance(account.emulator, 61.0)
    assert (fleet.serverless.max_concurrency, fleet.warm) == (5, 1)


async def test_instances_have_no_serverless_concurrency(account: Account) -> None:
    wish = {"VariantName": "AllTraffic", "ServerlessUpdateConfig": {"MaxConcurrency": 2}}
    change = account.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="smbench-emulated", DesiredWeightsAndCapacities=[wish]
    )
    assert (await refused(change))[0] == "ValidationException"


async def test_a_serverless_endpoint_may_get_instances_and_never_becomes_serverless_again(account: Account) -> None:
    runtime = await serverless_endpoint(account)
    await account.sagemaker.create_endpoint_config(EndpointConfigName="two", ProductionVariants=[ON_INSTANCES])
    await account.sagemaker.update_endpoint(
        EndpointName="ep", EndpointConfigName="two", RetainAllVariantProperties=True
    )
    assert await account.status() == "Updating"
    assert await called(runtime)
    await advance(account.emulator, 61.0)
    described = await account.sagemaker.describe_endpoint(EndpointName="ep")
    (variant,) = described["ProductionVariants"]
    assert (described["EndpointStatus"], variant["CurrentInstanceCount"]) == ("InService", 2)
    assert "CurrentServerlessConfig" not in variant
    assert await called(runtime)
    back = account.sagemaker.update_endpoint(EndpointName="ep", EndpointConfigName="after")
    assert (await refused(back))[1].endswith("it cannot be updated to a serverless configuration.")
    await account.sagemaker.delete_endpoint(EndpointName="ep")
    assert (await refused(runtime.invoke_endpoint(EndpointName="ep", Body=b"{}")))[0] == "ValidationError"


async def test_no_synchronous_endpoint_becomes_asynchronous_here(account: Account) -> None:
    await serverless_endpoint(account)
    await account.config("queued", variant="v")
    update = account.sagemaker.update_endpoint(EndpointName="ep", EndpointConfigName="queued")
    assert await refused(update) == (
        "NotImplemented",
        "the emulator does not host an update to another kind of endpoint: delete it and create it again",
    )


async def test_the_quotas_that_are_listed_are_those_that_refuse() -> None:
    little = scenario(FAST | {"faults": {"instance_quota": 4}})
    async with emulating(little) as emulator, client(emulator, "service-quotas") as quotas:
        pages = [
            page["Quotas"]
            async for page in quotas.get_paginator("list_service_quotas").paginate(
                ServiceCode="sagemaker", PaginationConfig={"PageSize": 1}
            )
        ]
        assert [(one["QuotaName"], one["Value"]) for (one,) in pages] == [
            ("Number of instances across active endpoints", 4.0),
            ("ml.m5.xlarge for endpoint usage", 4.0),
        ]
        code = pages[0][0]["QuotaCode"]
        (one,) = (await quotas.list_service_quotas(ServiceCode="sagemaker", QuotaCode=code))["Quotas"]
        assert (await quotas.get_service_quota(ServiceCode="sagemaker", QuotaCode=code))["Quota"] == one
        for refused in (
            {"ServiceCode": "ec2", "QuotaCode": code},
            {"ServiceCode": "sagemaker", "QuotaCode": "L-1"},
        ):
            with pytest.raises(ClientError, match="NoSuchResourceException"):
                await quotas.get_service_quota(**refused)
    async with emulating(scenario(FAST)) as unbound, client(unbound, "service-quotas") as quotas:
        assert (await quotas.list_service_quotas(ServiceCode="sagemaker"))["Quotas"] == []
