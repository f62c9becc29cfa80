"""What finished inferences leave in the emulated region's memory: in virtual time, without a client.

    python bench/emulator_memory.py --counts 20000 100000

Inferences arrive 1,000 in a second and end; then the process's memory is looked at. Also: how long one of the oldest
results takes to be found by HeadObject.
"""

import argparse
import gc
import time

import anyio

from machine import host
from smbench.clock import LoopClock, WarpLoop
from smbench.emulator.protocol.http import HttpRequest, HttpResponse
from smbench.emulator.server import BUCKET, Emulator
from smbench.generator.vitals import resident_bytes
from smbench.model.world import EMBEDDED
from smbench.scenario.model import Scenario

EPOCH_NS = 1_767_225_600_000_000_000
BATCH = 1000
SCENARIO = {
    "name": "memory",
    "target": {"emulated": {"instances": {"min": 4, "max": 4, "concurrency": 100}, "service": "10ms", "time": "warp"}},
    "load": [{"constant": {"rate": "1/s", "for": "1s"}}],
}


def invoke(emulator: Emulator, number: int) -> str:
    """Where its result will be."""
    headers = {
        "x-amzn-sagemaker-inference-id": f"smb-0123456789-{number:08d}",
        "x-amzn-sagemaker-inputlocation": f"s3://{BUCKET}/in/x.json",
        "x-amzn-sagemaker-content-type": "application/json",
    }
    path = f"/endpoints/{EMBEDDED}/async-invocations"
    answer = emulator.front.answer(HttpRequest("POST", path, path, path, {}, headers, b""))
    assert isinstance(answer, HttpResponse)
    return str(dict(answer.headers)["x-amzn-sagemaker-outputlocation"])


async def measured(counts: list[int]) -> None:
    emulator = Emulator(Scenario.model_validate(SCENARIO), None, EPOCH_NS)
    await emulator.start()
    clock = LoopClock(EPOCH_NS)
    emulator.go(clock)
    emulator.s3.put(BUCKET, "in/x.json", b"{}")
    before, n_done, first = (0, 0), 0, ""
    print(f"{'inferences':>12}{'memory, MB':>14}{'bytes each':>14}{'HeadObject, ms':>16}")
    for count in counts:
        while n_done < count:
            for number in range(n_done, n_done + BATCH):
                place = invoke(emulator, number)
                first = first or place
            n_done += BATCH
            await clock.sleep_until_ns(clock.now_ns() + 1_000_000_000)
        gc.collect()
        n_bytes = resident_bytes()
        each = (n_bytes - before[1]) / (count - before[0]) if before[0] else float("nan")
        key = first.partition(f"{BUCKET}/")[2]
        began_s = time.perf_counter()
        assert emulator.s3.exists(BUCKET, key)
        print(
            f"{count:>12,}{n_bytes / 1e6:>14,.1f}{each:>14,.0f}{(time.perf_counter() - began_s) * 1e3:>16.2f}",
            flush=True,
        )
        before = count, n_bytes
    await emulator.stop()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--counts", type=int, nargs="+", default=[20_000, 200_000], metavar="N")
    given = options.parse_args()
    print(host())
    anyio.run(measured, given.counts, backend_options={"loop_factory": WarpLoop})


if __name__ == "__main__":
    main()
