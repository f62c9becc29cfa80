"""The plan of faults: it strikes the calls, counts and instants it names, in the service's own words, and no other.

Method: aiobotocore's clients without retries against a whole emulator in virtual time; what was carried out is asked
of the service afterwards.
"""

from contextlib import AsyncExitStack
from typing import Any

import anyio
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import given
from hypothesis import strategies as st

from emulation import FAST, advance, clients, emulating, scenario
from smbench.clock import WarpLoop
from smbench.emulator.faults import Decision, FaultKind, Faults
from smbench.emulator.server import BUCKET
from smbench.scenario.faults import Faults as Settings
from smbench.scenario.faults import PlannedFault
from smbench.scenario.model import Scenario

S = 1_000_000_000
KEY = "in/a.json"


@pytest.fixture
def anyio_backend() -> Any:
    return "asyncio", {"loop_factory": WarpLoop}


def planned(*calls: str, trouble: str, **more: Any) -> dict[str, Any]:
    return {"calls": list(calls), "trouble": trouble, **more}


def troubled(*plan: dict[str, Any], **faults: Any) -> Scenario:
    return scenario(FAST | {"faults": {"plan": list(plan), **faults}})


def fates(*plan: dict[str, Any], seed: int = 1) -> Faults:
    return Faults(Settings(plan=tuple(PlannedFault.model_validate(one) for one in plan)), seed)


async def test_the_nth_call_alone_fails_and_the_next_is_as_ever() -> None:
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(
            emulating(troubled(planned("sqs:CreateQueue", trouble="error", nth=[2])))
        )
        (sqs,) = await clients(stack, emulator, "sqs")
        await sqs.create_queue(QueueName="one")
        with pytest.raises(ClientError, match=r"InternalFailure|ServiceUnavailable"):
            await sqs.create_queue(QueueName="two")
        await sqs.create_queue(QueueName="three")
        urls = (await sqs.list_queues())["QueueUrls"]
        assert [url.rpartition("/")[2] for url in urls] == ["one", "three"]


@pytest.mark.parametrize(
    ("trouble", "raised", "is_carried_out"),
    [
        ("error", "InternalError|ServiceUnavailable", False),
        ("throttle", "SlowDown", False),
        ("denied", "AccessDenied.*s3:PutObject", False),
        ("reset", "closed|reset|could not connect", False),
        ("lost_reply", "closed|reset|could not connect", True),
        ("no_answer", "timeout|^$", True),
        ("unreachable", "timeout|^$", False),
    ],
)
async def test_each_trouble_is_what_it_says_and_is_carried_out_or_not(
    trouble: str, raised: str, *, is_carried_out: bool
) -> None:
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(emulating(troubled(planned("s3:PutObject", trouble=trouble))))
        (s3,) = await clients(stack, emulator, "s3")
        with pytest.raises((ClientError, BotoCoreError, TimeoutError), match=f"(?i){raised}"), anyio.fail_after(100):
            await s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"{}")
        assert emulator.s3.exists(BUCKET, KEY) is is_carried_out


async def test_a_denial_is_each_services_own_and_names_the_permission() -> None:
    calls = ["sqs:DeleteMessageBatch", "sns:ListSubscriptions", "s3:ListObjectsV2", "tag:GetResources"]
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(emulating(troubled(planned(*calls, trouble="denied"))))
        sqs, sns, s3, tagging = await clients(stack, emulator, "sqs", "sns", "s3", "resourcegroupstaggingapi")
        url = (await sqs.create_queue(QueueName="one"))["QueueUrl"]
        entries = [{"Id": "1", "ReceiptHandle": "x"}]
        refused = {
            "AccessDeniedException.* sqs:DeleteMessage ": sqs.delete_message_batch(QueueUrl=url, Entries=entries),
            "AuthorizationError.* sns:ListSubscriptions ": sns.list_subscriptions(),
            "AccessDenied.* s3:ListBucket ": s3.list_objects_v2(Bucket=BUCKET),
            "AccessDeniedException.* tag:GetResources ": tagging.get_resources(),
        }
        for says, call in refused.items():
            with pytest.raises(ClientError, match=says):
                await call


async def test_each_of_several_objects_that_may_not_be_deleted_is_refused_for_itself() -> None:
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(emulating(troubled(planned("s3:DeleteObjects", trouble="denied"))))
        (s3,) = await clients(stack, emulator, "s3")
        await s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"{}")
        answer = await s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": KEY}], "Quiet": True})
        assert [(one["Key"], one["Code"]) for one in answer["Errors"]] == [(KEY, "AccessDenied")]
        assert emulator.s3.exists(BUCKET, KEY)


async def test_a_slow_answer_comes_later_in_scenario_time() -> None:
    plan = planned("s3:PutObject", trouble="slow", delay="3s")
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(emulating(troubled(plan)))
        (s3,) = await clients(stack, emulator, "s3")
        began_ns = emulator.site.now_ns
        await s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"{}")
        emulator.driver.advance()
        assert emulator.site.now_ns - began_ns == pytest.approx(3 * S, abs=S // 100)


async def test_a_partition_takes_new_calls_and_the_answers_under_way_and_then_it_is_over() -> None:
    plan = planned("*", trouble="unreachable", at="10s", **{"for": "30s"})
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(emulating(troubled(plan)))
        (sqs,) = await clients(stack, emulator, "sqs")
        url = (await sqs.create_queue(QueueName="one"))["QueueUrl"]
        with pytest.raises(TimeoutError), anyio.fail_after(100):
            await sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)  # parked before, answered within
        await advance(emulator, 45)
        assert (await sqs.list_queues())["QueueUrls"] == [url]


async def test_a_late_result_is_404_and_then_has_the_stamp_of_its_writing() -> None:
    late = {"share": 1, "delay": "40s"}
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(emulating(troubled(outputs_late=late)))
        runtime, s3 = await clients(stack, emulator, "sagemaker-runtime", "s3")
        await s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"{}")
        answer = await runtime.invoke_endpoint_async(
            EndpointName="smbench-emulated", InputLocation=f"s3://{BUCKET}/{KEY}"
        )
        key = answer["OutputLocation"].removeprefix(f"s3://{BUCKET}/")
        await advance(emulator, 30)
        with pytest.raises(ClientError, match="404"):
            await s3.head_object(Bucket=BUCKET, Key=key)
        await advance(emulator, 30)
        written = (await s3.head_object(Bucket=BUCKET, Key=key))["LastModified"]
        assert (written.second, written.minute) == (1, 0)


@given(
    st.lists(st.sampled_from(["sqs:ReceiveMessage", "s3:HeadObject", "sns:Subscribe"]), max_size=60),
    st.integers(0, 5),
)
def test_what_strikes_depends_on_seed_and_count_alone(calls: list[str], seed: int) -> None:
    """Other calls between, and other lines of the plan, move nothing."""
    of_sqs = planned("sqs:*", trouble="reset", share=0.3)
    alone = fates(of_sqs, seed=seed)
    among = fates(of_sqs, planned("*", trouble="error", share=0.5), seed=seed)
    struck = [alone.decide(call, 0).kind is FaultKind.RESET for call in calls if call.startswith("sqs")]
    seen = [(call, among.decide(call, 0).kind) for call in calls]
    assert struck == [kind is FaultKind.RESET for call, kind in seen if call.startswith("sqs")]


def test_a_window_is_from_its_beginning_to_before_its_end() -> None:
    faults = fates(planned("*", trouble="reset", at="1s", **{"for": "2s"}))
    struck = [faults.decide("sqs:ReceiveMessage", at).kind for at in (S - 1, S, 3 * S - 1, 3 * S)]
    assert struck == [FaultKind.NONE, FaultKind.RESET, FaultKind.RESET, FaultKind.NONE]


def test_the_first_line_that_applies_decides() -> None:
    faults = fates(planned("sqs:*", trouble="throttle", nth=[1]), planned("*", trouble="error"))
    assert faults.decide("sqs:ReceiveMessage", 0) == Decision(FaultKind.THROTTLED, status=400)
    assert faults.decide("sqs:ReceiveMessage", 0).kind is FaultKind.SERVER_ERROR


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"calls": ["sqs:RecieveMessage"], "trouble": "reset"}, "ReceiveMessage"),
        ({"calls": ["*"], "trouble": "slow"}, "delay"),
        ({"calls": ["*"], "trouble": "reset", "delay": "1s"}, "delay"),
        ({"calls": [], "trouble": "reset"}, "at least 1"),
        ({"calls": ["*"], "trouble": "reset", "nth": [0]}, "greater than or equal to 1"),
    ],
)
def test_a_line_that_would_strike_nothing_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        PlannedFault.model_validate(wrong)
