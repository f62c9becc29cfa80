"""Goal: of all copies of a run's folder one alone may send the rest, whatever is lost on the way to S3 and back.

Method: the emulated S3, which heeds conditions as S3 does; answers that are lost are lost behind the client.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from botocore.exceptions import ReadTimeoutError

from emulated_aws import WARP
from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.aws.setup.claim import SEEN_S, Claim, Holder, claims_below
from smbench.errors import TargetError
from whole_story import any_keys, region

PLACE = "s3://bucket/smbench-inputs/claims/smb-0123456789"


@pytest.fixture
def anyio_backend() -> Any:
    return WARP


@asynccontextmanager
async def bucket(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AwsClients]:
    any_keys(monkeypatch)
    async with (
        region() as here,
        AwsClients(AwsSettings(endpoint_url=here.emulator.url, services=("s3",))) as clients,
    ):
        await clients.s3.create_bucket(Bucket="bucket")
        yield clients


def resume(token: str) -> Holder:
    return Holder(token, f"folder of {token} on machine", "2026-11-30T10:00:00+00:00")


async def may_send(claim: Claim, token: str, known: tuple[str, ...] = ()) -> bool:
    try:
        await claim.take(resume(token), known)
    except TargetError:
        return False
    return True


@pytest.mark.slow
async def test_of_copies_that_are_continued_at_once_exactly_one_may_send(monkeypatch: pytest.MonkeyPatch) -> None:
    async with bucket(monkeypatch) as clients:
        for known in ((), ("a0",)):
            allowed: list[str] = []

            async def tried(token: str, known: tuple[str, ...], allowed: list[str]) -> None:
                if await may_send(Claim(clients, PLACE), token, known):
                    allowed.append(token)

            async with anyio.create_task_group() as copies:
                for number in range(6):
                    copies.start_soon(tried, f"{'ab'[bool(known)]}{number}", known, allowed)
            assert len(allowed) == 1
            found = await Claim(clients, PLACE).holder()
            assert found == resume(allowed[0])
            await clients.s3.delete_object(Bucket="bucket", Key=PLACE.removeprefix("s3://bucket/"))
            await Claim(clients, PLACE).take(resume("a0"), ())


@pytest.mark.slow
async def test_a_folder_that_sent_goes_on_as_often_as_needed_and_a_copy_from_before_does_not_and_is_told_who_sends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with bucket(monkeypatch) as clients:
        claim = Claim(clients, PLACE)
        assert await claim.holder() is None
        assert await may_send(claim, "one")
        assert await may_send(claim, "two", ("one",))
        assert await may_send(claim, "three", ("one", "two", "never put, for it was killed before"))
        for known in ((), ("one",), ("one", "two")):
            with pytest.raises(TargetError, match="folder of three on machine, which continued it at 2026-11-30") as no:
                await claim.take(resume("stale"), known)
            assert PLACE in no.value.advice
            assert "paid for twice" in no.value.advice
        assert await claim.holder() == resume("three")


async def test_a_claim_whose_answer_was_lost_is_held_and_one_that_never_arrived_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with bucket(monkeypatch) as clients:
        put = clients.s3.put_object
        for is_put in (True, False):
            lost: list[bool] = []

            async def flaky(lost: list[bool], is_put: bool, **given: Any) -> Any:
                if lost:
                    return await put(**given)
                lost.append(True)
                if is_put:
                    await put(**given)
                raise ReadTimeoutError(endpoint_url="s3")

            monkeypatch.setattr(
                clients.s3, "put_object", lambda _lost=lost, _is=is_put, **given: flaky(_lost, _is, **given)
            )
            await Claim(clients, PLACE).take(resume(f"put {is_put}"), () if is_put else ("put True",))
            assert await Claim(clients, PLACE).holder() == resume(f"put {is_put}")


async def test_where_s3_answers_nothing_nobody_holds_the_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    async with bucket(monkeypatch) as clients:

        async def silent(**given: Any) -> Any:
            raise ReadTimeoutError(endpoint_url="s3")

        monkeypatch.setattr(clients.s3, "put_object", silent)
        assert not await may_send(Claim(clients, PLACE), "one")
        await clients.s3.delete_bucket(Bucket="bucket")
        assert await Claim(clients, PLACE).holder() is None


@pytest.mark.slow
async def test_whoever_sends_sees_in_time_that_another_holds_the_claim_and_silence_or_a_refusal_is_no_such_news(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with bucket(monkeypatch) as clients:
        claim, read = Claim(clients, PLACE), clients.s3.get_object
        await claim.take(resume("own"), ())
        seen: list[tuple[Holder, float]] = []

        async def watched() -> None:
            seen.append((await claim.lost(("own",)), anyio.current_time()))

        async with anyio.create_task_group() as watching:
            watching.start_soon(watched)
            await anyio.sleep(60)
            monkeypatch.setattr(clients.s3, "get_object", lambda **_given: anyio.sleep_forever())
            await anyio.sleep(60)

            async def refuses(**_given: Any) -> Any:
                raise ReadTimeoutError(endpoint_url="s3")

            monkeypatch.setattr(clients.s3, "get_object", refuses)
            await anyio.sleep(60)
            assert not seen
            monkeypatch.setattr(clients.s3, "get_object", read)
            await claim.take(resume("theirs"), ("own",))
            since_s = anyio.current_time()
        assert seen[0][0] == resume("theirs")
        assert seen[0][1] - since_s <= SEEN_S


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"token": "one"}', b"x" * 20_000])
async def test_a_claim_that_cannot_be_read_is_somebody_elses(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    async with bucket(monkeypatch) as clients:
        await clients.s3.put_object(Bucket="bucket", Key=PLACE.removeprefix("s3://bucket/"), Body=content)
        assert not await may_send(Claim(clients, PLACE), "two", ("one",))


def test_claims_are_beside_the_inputs_wherever_those_are() -> None:
    assert claims_below(None, "s3://b/deep/outputs/") == "s3://b/deep/smbench-inputs/claims"
    assert claims_below("s3://mine/in/", "s3://b/out") == "s3://mine/in/claims"
    assert claims_below(None, None) is None
