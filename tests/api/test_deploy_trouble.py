"""Goal: whatever happens to deploy and destroy, a sentence says what to do, and either may be repeated from any stage.

Method: both in virtual time on the embedded region, behind a gate that refuses, throttles or interrupts at the calls of
each action in turn. A kill and a Ctrl-C are the same to an account: no call comes after it, and the last may have been
carried out or not.
"""

import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import anyio
import pytest

from emulated_aws import WARP
from guarded_region import Call, Gate, gated
from smbench.api.deploy import Deployed, Deployment, Destroyed, Stage, destroyed
from smbench.aws.access.clients import DEPLOYING, AwsClients, AwsSettings
from smbench.aws.stacks.stack import find_stack, make_change_set
from smbench.emulator.protocol.codecs import ServiceError
from smbench.emulator.protocol.front import Front
from smbench.errors import ExitCode, TargetError
from smbench.scenario.deploy import Deploy, DeployedScaling
from smbench.scenario.emulated import Emulated
from smbench.scenario.faults import Faults
from smbench.scenario.values.distributions import Distribution
from smbench.stack.cost import hourly_cost
from smbench.stack.packing import pack
from smbench.stack.template import template
from whole_story import any_keys, region

pytestmark = pytest.mark.slow  # stacks up and down, once for each call that may fail
QUICK = Emulated(provision=Distribution(constant=1.0), provision_common=Distribution(constant=0.0))
WANTED = Deploy.model_validate({"model": {"image": "demo", "folder": "model"}})


@pytest.fixture
def anyio_backend() -> Any:
    return WARP


class Account:
    """A region that can be deployed to."""

    def __init__(self, clients: AwsClients, gate: Gate, folder: Path) -> None:
        self.clients, self.gate, self.packed = clients, gate, pack(folder)
        self.stage = Stage("")

    async def deploy(self, wanted: Deploy = WANTED) -> Deployed:
        whole = template("demo", wanted, self.packed.key)
        self.stage = Stage("nothing was made or changed")
        cost, nothing = hourly_cost(wanted), lambda _event: None
        deployment = Deployment(self.clients, "demo", whole, self.packed, cost, lambda _plan: True, nothing, self.stage)
        return await deployment.carried_out(wanted.kind)

    async def destroy(self) -> Destroyed:
        self.stage = Stage("nothing was removed")
        return await destroyed(self.clients, "demo", lambda _stack: True, lambda _event: None, self.stage)

    async def actions_of(self, command: Callable[[], Any]) -> list[str]:
        """Each action that a command calls, in the order of the first calls."""
        seen: dict[str, None] = {}
        self.gate.allows = lambda call: seen.setdefault(call.action) is None
        await command()
        self.gate.allows = lambda _call: True
        return list(seen)

    async def interrupted(
        self, command: Callable[[], Any], action: str, nth: int = 1, *, is_carried_out: bool = True
    ) -> bool:
        """End a command at the n-th call of an action, carried out or lost on its way; whether it came so far."""
        seen: Counter[str] = Counter()
        with anyio.CancelScope() as scope:

            def allows(call: Call) -> bool:
                seen[call.action] += 1
                if scope.cancel_called:  # it was on its way already
                    return False
                if call.action == action and seen[action] == nth:
                    scope.cancel()
                    return is_carried_out
                return True

            self.gate.allows = allows
            await command()
        self.gate.allows = lambda _call: True
        return scope.cancelled_caught

    async def has_stack(self) -> bool:
        return (await find_stack(self.clients, "smbench-demo")) is not None

    async def require_empty(self) -> None:
        buckets = (await self.clients.s3.list_buckets())["Buckets"]
        endpoints = (await self.clients.sagemaker.list_endpoints())["Endpoints"]
        topics = (await self.clients.sns.list_topics())["Topics"]
        assert [one for one in (*buckets, *endpoints, *topics) if "demo" in str(one)] == []


@asynccontextmanager
async def deployable(folder: Path, monkeypatch: pytest.MonkeyPatch, defaults: Emulated) -> AsyncIterator[Account]:
    any_keys(monkeypatch)
    (folder / "code").mkdir()
    (folder / "code" / "inference.py").write_text("def model_fn(folder): ...\n")
    with gated() as gate:
        async with (
            region(defaults=defaults) as here,
            AwsClients(AwsSettings(endpoint_url=here.emulator.url, services=DEPLOYING)) as clients,
        ):
            yield Account(clients, gate, folder)


@pytest.fixture
async def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Account]:
    async with deployable(tmp_path, monkeypatch, QUICK) as made:
        yield made


async def refusal(command: Callable[[], Any]) -> TargetError | None:
    try:
        await command()
    except TargetError as error:
        return error
    return None


async def test_each_action_that_is_refused_is_named_with_how_to_go_on(account: Account) -> None:
    deploying = await account.actions_of(account.deploy)
    destroying = await account.actions_of(account.destroy)
    assert len(deploying) > 8
    assert len(destroying) > 6
    for command, actions in ((account.deploy, deploying), (account.destroy, destroying)):
        for denied in actions:
            account.gate.allows = lambda call, denied=denied: call.action != denied  # type: ignore[misc]
            if (error := await refusal(command)) is not None:
                assert denied.partition(":")[2] in error.message, error.message
                assert error.exit_code is ExitCode.TARGET
                assert error.advice, denied
        account.gate.allows = lambda _call: True
        await command()
    await account.require_empty()


async def test_a_deployment_that_ends_at_any_call_can_be_destroyed(account: Account) -> None:
    actions = await account.actions_of(account.deploy)
    assert (await account.destroy()).left == ()
    stages: list[str] = []
    for place, action in enumerate(actions):
        assert await account.interrupted(account.deploy, action, is_carried_out=place % 2 == 0), action
        stages.append(account.stage.left)
        if account.stage.left == "nothing was made or changed":
            assert not await account.has_stack(), action
        assert (await account.destroy()).left == (), action
        await account.require_empty()
    assert len(set(stages)) > 3, stages
    assert any("bucket smbench-demo-bucket" in stage for stage in stages)


async def test_where_a_removal_ends_it_says_what_there_still_is(account: Account) -> None:
    await account.deploy()
    for action in await account.actions_of(account.destroy):
        await account.deploy()
        assert await account.interrupted(account.destroy, action), action
        whole = await find_stack(account.clients, "smbench-demo")
        said = account.stage.left
        if said == "nothing was removed" or "perhaps without its objects" in said:
            assert whole is not None, (action, said)
            assert not whole.is_busy, (action, said)
        elif whole is not None:
            assert "goes on deleting smbench-demo" in said, (action, said)
        assert (whole is None) == ("what may still carry its tag was not looked for" in said), (action, said)


async def test_both_go_on_from_wherever_they_ended(account: Account) -> None:
    deploying = await account.actions_of(account.deploy)
    destroying = await account.actions_of(account.destroy)
    for nth in (1, 2):  # of both change sets
        for action in deploying:
            await account.interrupted(account.deploy, action, nth, is_carried_out=nth % 2 == 0)
    assert (await account.deploy()).endpoint == "smbench-demo"
    for nth in (2, 1):
        for action in destroying:
            await account.interrupted(account.destroy, action, nth, is_carried_out=nth % 2 == 1)
    assert (await account.destroy()).left == ()
    await account.require_empty()


async def test_a_change_that_ends_at_any_call_leaves_what_the_next_can_change_or_remove(account: Account) -> None:
    def wanted(value: str) -> Deploy:
        model = WANTED.model.model_copy(update={"environment": {"A": value}})
        return WANTED.model_copy(update={"model": model})

    async def served() -> str:
        """The environment of what the endpoint runs."""
        sagemaker = account.clients.sagemaker
        described = await sagemaker.describe_endpoint(EndpointName="smbench-demo")
        config = await sagemaker.describe_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
        model = await sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
        return str(model["PrimaryContainer"]["Environment"]["A"])

    await account.deploy(wanted("before"))
    actions = await account.actions_of(partial(account.deploy, wanted("after")))
    assert await served() == "after"
    for place, action in enumerate(actions):  # each finds what the one before it left
        now, change = await served(), partial(account.deploy, wanted(str(place)))
        assert await account.interrupted(change, action, is_carried_out=place % 2 == 0), action
        said = account.stage.left
        if said == "nothing was made or changed" or "is there as it was" in said or "the model perhaps" in said:
            await anyio.sleep(60.0)
            assert await served() == now, (action, said)
    assert (await account.deploy(wanted("then"))).endpoint == "smbench-demo"
    assert await served() == "then"
    assert await account.interrupted(partial(account.deploy, wanted("last")), "cloudformation:ExecuteChangeSet")
    assert (await account.destroy()).left == ()
    await account.require_empty()


async def test_a_control_plane_that_throttles_now_and_then_is_asked_again(account: Account) -> None:
    routed, seen = Front._shaped_result, set[str]()

    def throttled(front: Front, protocol: Any, name: str, request: Any) -> Any:
        if name and name not in seen:
            seen.add(name)
            raise ServiceError("Throttling", "Rate exceeded", 400)
        return routed(front, protocol, name, request)

    with patch.object(Front, "_shaped_result", throttled):
        await account.deploy()
        assert (await account.destroy()).left == ()
    assert {"CreateChangeSet", "ExecuteChangeSet", "DescribeStackEvents", "DeleteStack"} <= seen


async def test_a_call_whose_answer_is_lost_is_made_once_however_often_it_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each action the first call and the second: both change sets of a new stack, and both commands."""
    calls = ["CreateChangeSet", "ExecuteChangeSet", "DeleteChangeSet", "DeleteStack"]
    plan = [
        {"calls": [f"cloudformation:{one}"], "trouble": "lost_reply", "nth": [nth]} for one in calls for nth in (1, 3)
    ]
    faults = Faults.model_validate({"plan": plan})
    async with deployable(tmp_path, monkeypatch, QUICK.model_copy(update={"faults": faults})) as account:
        assert (await account.deploy()).endpoint == "smbench-demo"
        assert (await account.destroy()).left == ()
        await account.require_empty()


TROUBLE: dict[str, tuple[dict[str, Any], str]] = {
    "an endpoint that never comes up": (
        {"provision_failures": 1},
        "rolled back: Endpoint could not be made: .*did not pass the ping health check",
    ),
    "a quota that is reached": (
        {"instance_quota": 0},
        "rolled back: Endpoint could not be made: The account-level service limit .* is 0 Instances.*"
        "Error Code: ResourceLimitExceeded",
    ),
    "a control plane that throttles": (
        {"plan": [{"calls": ["cloudformation:ExecuteChangeSet"], "trouble": "throttle", "for": "60s"}]},
        "carry out the change set of smbench-demo in us-east-1: Throttling",
    ),
    "a control plane that breaks while the stack is made": (
        {"plan": [{"calls": ["cloudformation:DescribeStackEvents"], "trouble": "error", "for": "60s"}]},
        "(read the events of|follow) the stack.*",
    ),
    "an identity for which CloudFormation may not create an endpoint": (
        {"plan": [{"calls": ["sagemaker:CreateEndpoint"], "trouble": "denied"}]},
        "rolled back: Endpoint could not be made: User: .* is not authorized to perform: sagemaker:CreateEndpoint ",
    ),
    "a bucket that does not answer": (
        {"plan": [{"calls": ["s3:PutObject"], "trouble": "error", "for": "60s"}]},
        "models/",
    ),
}


@pytest.mark.parametrize("faulty", TROUBLE)
async def test_each_trouble_of_the_region_is_a_sentence_and_leaves_nothing(
    faulty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults, said = TROUBLE[faulty]
    defaults = QUICK.model_copy(update={"faults": Faults.model_validate(faults)})
    async with deployable(tmp_path, monkeypatch, defaults) as account:
        error = await refusal(account.deploy)
        assert error is not None
        assert re.search(said, error.message), error.message
        assert error.exit_code is ExitCode.TARGET
        assert "smbench destroy demo" in error.advice
        await anyio.sleep(60)
        assert (await account.destroy()).left == ()
        await account.require_empty()


async def test_a_change_that_cannot_be_taken_back_is_named_and_what_there_is_can_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new scalable target is put, the policy refused, and the old scalable target refused, too."""
    target, policy = "application-autoscaling:RegisterScalableTarget", "application-autoscaling:PutScalingPolicy"
    plan = [{"calls": [one], "trouble": "denied", "nth": [3]} for one in (target, policy)]
    faults = Faults.model_validate({"plan": plan})
    async with deployable(tmp_path, monkeypatch, QUICK.model_copy(update={"faults": faults})) as account:
        await account.deploy()
        changed = WANTED.model_copy(update={"scaling": DeployedScaling(max=3, target=7.0)})
        error = await refusal(partial(account.deploy, changed))
        assert error is not None
        assert re.search(
            "TrackingPolicy could not be changed: .*PutScalingPolicy.* could not be rolled back "
            r"\(UPDATE_ROLLBACK_FAILED\): ScalableTarget: .*RegisterScalableTarget",
            error.message,
        ), error.message
        assert error.advice == "`smbench destroy demo` removes what there is: correct this and deploy again"
        error = await refusal(account.deploy)
        assert error is not None
        assert "is in UPDATE_ROLLBACK_FAILED and takes no change" in error.message
        assert (await account.destroy()).left == ()
        await account.require_empty()


async def grow(account: Account, count: int) -> None:
    """As its scaling policies do; it is Updating for minutes."""
    wish = {"VariantName": "AllTraffic", "DesiredInstanceCount": count}
    sagemaker = account.clients.sagemaker
    await sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="smbench-demo", DesiredWeightsAndCapacities=[wish]
    )
    assert (await sagemaker.describe_endpoint(EndpointName="smbench-demo"))["EndpointStatus"] == "Updating"


async def test_an_endpoint_that_is_being_changed_is_waited_for_and_then_changed_or_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = QUICK.model_copy(update={"provision": Distribution(constant=60.0)})
    async with deployable(tmp_path, monkeypatch, slow) as account:
        await account.deploy()
        await grow(account, 2)
        changed = WANTED.model_copy(update={"model": WANTED.model.model_copy(update={"environment": {"A": "b"}})})
        assert (await account.deploy(changed)).has_changed
        await grow(account, 3)
        assert (await account.destroy()).left == ()
        await account.require_empty()


async def test_what_aws_never_makes_serverless_is_refused_before_anything_is_changed(account: Account) -> None:
    await account.deploy()
    whole = Deploy.model_validate({"kind": "serverless", "model": {"image": "demo", "folder": "model"}})
    stack = await find_stack(account.clients, "smbench-demo")
    error = await refusal(partial(account.deploy, whole))
    assert error is not None
    assert "has instances, and AWS cannot change such an endpoint to serverless" in error.message
    assert await find_stack(account.clients, "smbench-demo") == stack


async def test_a_serverless_stack_is_changed_in_place(account: Account) -> None:
    less = {"kind": "serverless", "model": {"image": "demo"}, "serverless": {"memory": 1024, "max_concurrency": 5}}
    await account.deploy(Deploy.model_validate(less))
    more = Deploy.model_validate(less | {"serverless": {"memory": 4096, "max_concurrency": 9}})
    assert (await account.deploy(more)).has_changed
    described = await account.clients.sagemaker.describe_endpoint(EndpointName="smbench-demo")
    (variant,) = described["ProductionVariants"]
    assert variant["CurrentServerlessConfig"] == {"MemorySizeInMB": 4096, "MaxConcurrency": 9}


async def test_what_aws_never_changes_while_it_scales_is_refused_before_anything_is_changed(account: Account) -> None:
    await account.deploy()
    larger = WANTED.model_copy(update={"instance": "ml.m5.2xlarge"})
    stack = await find_stack(account.clients, "smbench-demo")
    error = await refusal(partial(account.deploy, larger))
    assert error is not None
    assert error.message == (
        "the endpoint smbench-demo scales on ml.m5.xlarge, and AWS cannot change the instance type of such an endpoint"
    )
    assert "`smbench destroy demo` first" in error.advice
    assert await find_stack(account.clients, "smbench-demo") == stack


async def test_a_stack_whose_endpoint_was_deleted_by_hand_is_not_said_to_be_there(account: Account) -> None:
    await account.deploy()
    await account.clients.sagemaker.delete_endpoint(EndpointName="smbench-demo")
    error = await refusal(account.deploy)
    assert error is not None
    assert error.message == "the endpoint smbench-demo was deleted outside of its stack"
    assert error.advice == "`smbench destroy demo`, then deploy again"
    assert (await account.destroy()).left == ()
    assert (await account.deploy()).has_changed


async def test_objects_that_may_not_be_deleted_are_named(account: Account) -> None:
    await account.deploy()
    refused = {"Errors": [{"Key": "models/x", "Code": "AccessDenied", "Message": "Access Denied"}]}

    async def delete_objects(**_: Any) -> Any:
        return refused

    with (
        patch.object(account.clients.s3, "delete_objects", delete_objects),
        pytest.raises(TargetError, match=r"models/x, AccessDenied") as found,
    ):
        await account.destroy()
    assert "again goes on" in found.value.advice


async def test_only_what_was_agreed_to_is_carried_out_where_two_deploy_at_once(account: Account) -> None:
    other = template("demo", WANTED.model_copy(update={"include_response": True}), account.packed.key)
    await account.deploy()
    carried_out = account.clients.cloudformation.execute_change_set

    async def execute(**params: Any) -> Any:
        await make_change_set(account.clients, "demo", other, is_new=False)
        return await carried_out(**params)

    changed = WANTED.model_copy(update={"concurrency": 3})
    whole = template("demo", changed, account.packed.key)
    deployment = Deployment(
        account.clients,
        "demo",
        whole,
        account.packed,
        hourly_cost(changed),
        lambda _: True,
        lambda _: None,
        account.stage,
    )
    with (
        patch.object(account.clients.cloudformation, "execute_change_set", execute),
        pytest.raises(
            TargetError, match="another `smbench deploy` or `smbench destroy` is changing the stack"
        ) as found,
    ):
        await deployment.carried_out("async")
    assert "wait for its end" in found.value.advice
    assert (await account.destroy()).left == ()
