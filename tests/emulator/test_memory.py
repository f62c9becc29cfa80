"""Goal: a million requests fit beside everything else. Method: what finished requests leave, counted by tracemalloc."""

import gc
import tracemalloc
from typing import Any

import pytest

from emulation import FAST, advance, emulating, scenario
from smbench.clock import WarpLoop
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.sagemaker import truth
from smbench.emulator.server import BUCKET, Emulator
from smbench.model.world import EMBEDDED

pytestmark = pytest.mark.slow
LEFT_MAX_BYTES = 60  # the row of the truth and the object in S3 are in a file; what finds them is in memory


@pytest.fixture
def anyio_backend() -> Any:
    return "asyncio", {"loop_factory": WarpLoop}


def invoke(emulator: Emulator, number: int) -> None:
    headers = {
        "x-amzn-sagemaker-inference-id": f"smb-{number:08d}",
        "x-amzn-sagemaker-inputlocation": "s3://smbench-emulated/in/" + "0" * 64 + ".json",
        "x-amzn-sagemaker-content-type": "application/json",
    }
    path = f"/endpoints/{EMBEDDED}/async-invocations"
    emulator.front.answer(HttpRequest("POST", path, path, path, {}, headers, b""))


RARE = 1e-9
FAULTS = {"throttled": RARE, "server_errors": RARE, "resets": RARE, "lost_replies": RARE, "container_errors": RARE}
FAULTS |= {"notices_lost": RARE, "notices_duplicated": RARE, "messages_redelivered": RARE, "malformed_messages": RARE}


@pytest.mark.parametrize(
    ("more", "most_bytes"),
    [
        ({}, LEFT_MAX_BYTES),
        ({"results_kept": "1s"}, 200),  # a thousand keys of deleted objects stay until they are worth looking through
        ({"faults": FAULTS}, LEFT_MAX_BYTES),
    ],
)
async def test_a_finished_request_leaves_in_memory_what_finds_its_row_and_its_object_again(
    more: dict[str, Any], most_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(truth, "_SPILLED_TOGETHER", 512)  # in five thousands a measurement takes seconds
    fast = FAST | {"instances": {"min": 1, "concurrency": 100}, "service": "10ms"} | more
    async with emulating(scenario(fast)) as emulator:
        emulator.s3.put(BUCKET, "in/" + "0" * 64 + ".json", b"{}")

        async def work(first: int, n: int) -> int:
            for number in range(first, first + n):
                invoke(emulator, number)
            await advance(emulator, 10)
            gc.collect()
            return tracemalloc.get_traced_memory()[0]

        tracemalloc.start()
        try:  # blocks of 512 results are packed, so both times as many are not
            before_bytes = await work(0, 1536)
            after_bytes = await work(1536, 2048)
        finally:
            tracemalloc.stop()
        frame = emulator.truth.frame()
        assert frame["outcome"].to_list() == ["completed"] * 3584
    left_bytes = (after_bytes - before_bytes) / 2048
    assert left_bytes < most_bytes
