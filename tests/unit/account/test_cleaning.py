"""Goal: what a killed run left is found, removed and shown to be gone, with its folder or without; nothing else is.

Method: runs that are abandoned as a kill leaves them, on the embedded region in virtual time, beside things of others.
"""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from emulated_aws import ENDPOINT, WARP
from guarded_region import Call, gated
from smbench.account.cleaning import Found, Whose, find, remove
from smbench.account.doctor import describe
from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.aws.endpoint.description import TargetFound
from smbench.aws.setup.claim import Holder
from smbench.aws.setup.run_queue import filter_policy, run_queue
from smbench.results.manifest import Manifest
from smbench.results.store import open_run
from smbench.targets.kinds import target_of
from whole_story import Region, any_keys, plan_of, region, sent, story

HOSTED = story("async", {"faults": {"container_errors": 0.3}})
pytestmark = pytest.mark.slow  # each has clients of its own several times


@pytest.fixture
def anyio_backend() -> Any:
    return WARP


class Left:
    """A region with what two runs left, and what others have there."""

    def __init__(self, here: Region, clients: AwsClients, target: TargetFound) -> None:
        self.here, self.clients, self.target = here, clients, target

    async def find(self, whose: Whose) -> Found:
        return await find(self.clients, whose)

    async def queues(self) -> set[str]:
        return {url.rpartition("/")[2] for url in (await self.clients.sqs.list_queues()).get("QueueUrls", ())}

    async def subscribers(self) -> set[str]:
        shown = (await self.clients.sns.list_subscriptions())["Subscriptions"]
        return {one["Endpoint"].rpartition(":")[2] for one in shown}

    async def keys(self) -> set[str]:
        bucket = str(self.target.output_path).removeprefix("s3://").partition("/")[0]
        shown = await self.clients.s3.list_objects_v2(Bucket=bucket)
        return {one["Key"] for one in shown.get("Contents", ())}


@pytest.fixture
async def left(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Left]:
    any_keys(monkeypatch)
    async with region(HOSTED) as here, AwsClients(AwsSettings(endpoint_url=here.emulator.url)) as clients:
        target = await describe(clients, plan_of(HOSTED))
        for run_id, worker in (("first", 0), ("first", 1), ("second", 0)):
            async with run_queue(clients, target, run_id=run_id, worker=worker) as queue:
                queue.is_abandoned = True
        await clients.sqs.create_queue(QueueName="smbench-first-7")  # somebody's: it has no tag
        theirs = "arn:aws:sqs:us-east-1:123456789012:smbench-first-7"
        await clients.sns.subscribe(TopicArn=target.topics[0], Protocol="sqs", Endpoint=theirs)
        yield Left(here, clients, target)


THEIRS = "smbench-first-7"


async def test_one_run_is_removed_and_the_other_stays(left: Left) -> None:
    everything = await left.find(Whose())
    n_topics = len(left.target.topics)
    assert [one.what for one in everything.things] == 3 * n_topics * ["subscription"] + 3 * ["queue"]
    first = await left.find(Whose("first"))
    assert [one for one in everything.things if one.run_id == "first"] == list(first.things)
    assert await remove(left.clients, first) == []
    assert await left.queues() == {THEIRS, "smbench-second-0"} == await left.subscribers()
    assert await remove(left.clients, first) == []  # what is removed already is no error
    assert not await left.find(Whose("first"))


async def test_what_was_interrupted_is_found_again_and_removed(left: Left) -> None:
    n_interrupted = 0
    with gated() as gate:
        while found := await left.find(Whose("first")):
            calls: list[Call] = []
            with anyio.CancelScope() as scope:

                def allows(call: Call, calls: list[Call] = calls, scope: anyio.CancelScope = scope) -> bool:
                    calls.append(call)
                    if len(calls) == 2:
                        scope.cancel()
                    return True

                gate.allows = allows
                await remove(left.clients, found)
            n_interrupted += scope.cancelled_caught
            gate.allows = lambda _call: True
    assert n_interrupted > 2
    assert await left.queues() == {THEIRS, "smbench-second-0"} == await left.subscribers()


async def test_a_subscription_whose_queue_is_removed_is_found_by_its_filter(left: Left) -> None:
    found = await left.find(Whose("second"))
    queues = Found(tuple(one for one in found.things if one.what == "queue"))
    assert await remove(left.clients, queues) == []
    rest = await left.find(Whose("second"))
    assert {one.what for one in rest.things} == {"subscription"}
    for one in rest.things:
        await left.clients.sns.set_subscription_attributes(
            SubscriptionArn=one.where,
            AttributeName="FilterPolicy",
            AttributeValue=json.dumps(filter_policy("another-0-")),
        )
    assert not await left.find(Whose("second"))  # no longer what a run made


async def test_what_may_not_be_removed_is_named_and_the_rest_is_removed(left: Left) -> None:
    found = await left.find(Whose("second"))
    with gated() as gate:
        gate.allows = lambda call: call.action != "sqs:DeleteQueue"
        (named,) = await remove(left.clients, found)
    assert "smbench-second-0" in named
    assert "AccessDenied" in named
    assert await left.subscribers() == {THEIRS, "smbench-first-0", "smbench-first-1"}


async def test_objects_are_those_of_the_runs_files_and_inputs_stay_while_another_run_may_send_them(
    left: Left, tmp_path: Path
) -> None:
    plan = plan_of(HOSTED)
    rows = await left.here.run(plan, tmp_path, "story")
    await left.here.run(plan, tmp_path / "other", "other")
    manifest = Manifest(
        run_id="story",
        started=datetime.now(UTC),
        scenario=sent(HOSTED),
        target=left.target.as_json(),
        payload_digests={one.name: one.digest for one in plan.payloads},
    )
    assert {"completed", "failed"} == set(rows["outcome"])
    before = await left.keys()
    found = await left.find(Whose("story", tmp_path, manifest))
    assert found.kept
    assert sum(len(one.keys) for one in found.objects) == len(rows)
    assert await remove(left.clients, found) == []
    after = await left.keys()
    assert len(before - after) == len(rows)
    assert await remove(left.clients, await left.find(Whose("first"))) == []
    assert await remove(left.clients, await left.find(Whose("second"))) == []
    found = await left.find(Whose("story", tmp_path, manifest))
    assert [one.what for one in found.objects] == ["inputs"]
    assert await remove(left.clients, found) == []
    assert len(await left.keys()) == len(after) - 1  # one payload; the other run's outputs are there


async def test_what_the_endpoint_may_still_write_for_a_killed_run_is_counted_and_removed_later(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    any_keys(monkeypatch)
    slow = story("async", {"service": "60s"})
    plan = plan_of(slow)
    async with region(slow) as here, AwsClients(AwsSettings(endpoint_url=here.emulator.url)) as clients:
        target = await describe(clients, plan)
        await here.leave(plan, tmp_path, sends_s=2.0)
        manifest = Manifest(run_id="left", started=datetime.now(UTC), scenario=sent(slow), target=target.as_json())
        whose = Whose("left", tmp_path, manifest)
        found = await find(clients, whose)
        assert found.n_open == len(open_run(tmp_path).requests.collect())
        assert await remove(clients, found) == []
        await anyio.sleep(130)  # the endpoint goes on
        later = await find(clients, whose)
        assert sum(len(one.keys) for one in later.objects if one.what in ("outputs", "failures")) > 0
        assert await remove(clients, later) == []


async def test_without_its_folder_a_runs_inputs_are_found_beside_the_endpoints_outputs(
    left: Left, tmp_path: Path
) -> None:
    await left.here.run(plan_of(HOSTED), tmp_path, "story")
    bucket = str(left.target.output_path).removeprefix("s3://").partition("/")[0]
    await left.clients.s3.put_object(Bucket=bucket, Key="smbench-inputs/notes.txt", Body=b"theirs")
    found = await left.find(Whose(endpoint=ENDPOINT))
    (inputs,) = found.objects
    assert len(inputs.keys) == 1
    before = await left.keys()
    assert await remove(left.clients, found) == []
    assert before - await left.keys() == set(inputs.keys)
    # What SageMaker wrote may be anybody's: it stays, and is named with what to do about it.
    outputs, failures = left.target.output_path, left.target.failure_path
    assert any(f"s3://{bucket}/{key}".startswith(str(outputs)) for key in await left.keys())
    (why,) = found.kept
    assert f"Where only runs write below {outputs} and {failures}, delete what is there" in why
    (why,) = (await left.find(Whose("smb-0123456789"))).kept
    assert "below the endpoint's output and failure paths, delete what is there" in why


async def test_a_bucket_that_keeps_versions_keeps_none_of_what_a_run_left_and_all_of_others(left: Left) -> None:
    bucket = str(left.target.output_path).removeprefix("s3://").partition("/")[0]
    ours, theirs = f"smbench-inputs/class/{64 * 'a'}.json", "smbench-inputs/notes.txt"
    await left.clients.s3.put_object(Bucket=bucket, Key=ours, Body=b"before there were versions")
    versioning = {"Status": "Enabled"}
    await left.clients.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=versioning)
    for key in (ours, theirs):
        for body in (b"one", b"three"):
            await left.clients.s3.put_object(Bucket=bucket, Key=key, Body=body)
        await left.clients.s3.delete_object(Bucket=bucket, Key=key)  # hides the object, and removes nothing
    found = await left.find(Whose(endpoint=ENDPOINT))
    (line,) = (str(one) for one in found.objects)
    assert line.endswith("(1 object in 4 versions, 34 bytes)")
    assert await remove(left.clients, found) == []
    shown = await left.clients.s3.list_object_versions(Bucket=bucket)
    still = [one["Key"] for what in ("Versions", "DeleteMarkers") for one in shown[what]]
    assert still == [theirs, theirs, theirs]
    assert not (await left.find(Whose(endpoint=ENDPOINT))).objects


async def test_the_claim_of_a_run_that_was_continued_is_removed_with_it_and_those_of_others_stay(
    left: Left, tmp_path: Path
) -> None:
    (tmp_path / "parts").mkdir()
    ours, other = "smb-0123456789", "smb-9876543210"
    manifest = Manifest(run_id=ours, started=datetime.now(UTC), scenario=sent(HOSTED), target=left.target.as_json())
    manifest.write(tmp_path)
    for run_id in (ours, other, "notes.txt"):
        async with target_of(plan_of(HOSTED), left.here.access).claim(run_id, left.target.as_json()) as claim:
            assert claim is not None
            await claim.take(Holder("token", "here", "now"), ())
    (one,) = (await left.find(Whose(ours, tmp_path, manifest))).objects
    assert [key.rpartition("/")[2] for key in one.keys] == [ours]
    (every,) = (await left.find(Whose(endpoint=ENDPOINT))).objects
    assert [key.rpartition("/")[2] for key in sorted(every.keys)] == [ours, other]
    assert await remove(left.clients, await left.find(Whose(ours, tmp_path, manifest))) == []
    assert {key.rpartition("/")[2] for key in await left.keys()} == {other, "notes.txt"}
