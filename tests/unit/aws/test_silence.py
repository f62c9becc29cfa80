"""Goal: where notices stop coming amid a run, the run says what was changed, and knows the ends all the same.

Method: the embedded region in virtual time; somebody meddles with the queue or its subscriptions.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from emulated_aws import WARP
from smbench.account.doctor import describe
from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.aws.setup.run_queue import RunQueue, run_queue
from smbench.aws.setup.silence import why_silent
from smbench.emulator.server import Emulator
from whole_story import any_keys, plan_of, region, story


@pytest.fixture
def anyio_backend() -> Any:
    return WARP


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    any_keys(monkeypatch)


def set_policy(change: Callable[[list[Any]], Any]) -> Callable[[Emulator], None]:
    def meddle(emulator: Emulator) -> None:
        for queue in emulator.sqs.queues.values():
            policy = json.loads(queue.attributes["Policy"])
            change(policy["Statement"])
            queue.attributes["Policy"] = json.dumps(policy)

    return meddle


def lose_policy(emulator: Emulator) -> None:
    for queue in emulator.sqs.queues.values():
        del queue.attributes["Policy"]


def lose_subscription(emulator: Emulator) -> None:
    arn = next(iter(emulator.sns._subscriptions))
    emulator.sns.operations["Unsubscribe"]({"SubscriptionArn": arn}, None)  # type: ignore[arg-type]


def change_filter(emulator: Emulator) -> None:
    next(iter(emulator.sns._subscriptions.values())).attributes["FilterPolicy"] = '{"a": ["b"]}'


OURS: dict[str, tuple[Callable[[Emulator], None], str]] = {
    "nothing": (lambda _emulator: None, ""),
    "no policy": (lose_policy, "it lets the topics send no more"),
    "another policy": (set_policy(list.clear), "it lets the topics send no more"),
    "a refusal": (set_policy(lambda statements: statements.append({"Effect": "Deny"})), "it has a Deny"),
    "no queue": (lambda emulator: emulator.sqs.queues.clear(), "the queue http"),
    "no subscription": (lose_subscription, "was removed"),
    "another filter": (change_filter, "the filter of the subscription arn:"),
}


@pytest.mark.slow
async def test_each_change_of_what_a_run_made_is_named_and_nothing_else() -> None:
    async with (
        region(story()) as here,
        AwsClients(AwsSettings(endpoint_url=here.emulator.url)) as clients,
    ):
        found = await describe(clients, plan_of(story()))
        for worker, (meddle, said) in enumerate(OURS.values()):
            async with run_queue(clients, found, run_id="r", worker=worker) as queue:
                meddle(here.emulator)
                names = await why_silent(clients, found, queue, f"r-{worker}-", is_own=True)
            assert (len(names), said in "".join(names)) == (int(bool(said)), True), names
            assert all(name.startswith("amid the run ") for name in names)


@pytest.mark.slow
async def test_of_a_queue_of_the_users_own_its_subscriptions_are_looked_at() -> None:
    async with (
        region(story()) as here,
        AwsClients(AwsSettings(endpoint_url=here.emulator.url)) as clients,
    ):
        found = await describe(clients, plan_of(story()))
        async with run_queue(clients, found, run_id="theirs", worker=0) as made:
            theirs = RunQueue(made.url)
            assert await why_silent(clients, found, theirs, "r-0-", is_own=False) == []
            lose_subscription(here.emulator)
            (said,) = await why_silent(clients, found, theirs, "r-0-", is_own=False)
            assert "lost its subscription to arn:aws:sns:" in said


@pytest.mark.slow  # a whole run, with clients of its own
async def test_a_run_whose_queue_is_closed_to_the_topics_says_so_and_knows_every_end(tmp_path: Path) -> None:
    hosted = story(load=[{"constant": {"rate": "10/s", "for": "2s"}}])
    async with region(hosted) as here:

        async def meddle() -> None:
            await here.clock.sleep_until_ns(1_000_000_000)
            lose_policy(here.emulator)

        async with anyio.create_task_group() as group:
            group.start_soon(meddle)
            rows = await here.run(plan_of(hosted), tmp_path)
    assert set(rows["outcome"]) == {"completed"}
    assert set(rows["end_from"]) == {"notice", "output"}
    (note,) = [one for one in here.notes if one.startswith("amid the run")]
    assert note.endswith("it lets the topics send no more")
