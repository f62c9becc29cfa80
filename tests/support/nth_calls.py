"""The n-th call of each kind fails: a run in virtual time for every operation that a run calls, every n and trouble.

    python tests/support/nth_calls.py 200 1      # n up to 200, every one; 200 50: 1 to 5, then every fiftieth

After each run the ledger's law holds, nothing hung, nothing was sent twice, and what the endpoint completed and
announced is completed in the files too. One process a core.
"""

import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, get_args

import anyio
import polars as pl

from smbench.clock import LoopClock, WarpLoop
from smbench.emulator.faults import Faults
from smbench.emulator.server import Emulator
from smbench.errors import SmbenchError
from smbench.generator.assembly import ShareRun
from smbench.generator.control import Control
from smbench.generator.plan import RunPlan, make_plan
from smbench.generator.shares import Share
from smbench.results.law import Counts, row_violations
from smbench.results.store import compact
from smbench.scenario.faults import Call
from smbench.scenario.model import Scenario
from smbench.targets.base import AwsAccess
from smbench.targets.kinds import target_of

EPOCH_NS = 1_767_225_600_000_000_000
TROUBLES = ("error", "no_answer", "reset")  # refused, timed out, cut
LOOKED_UP = ("s3:HeadObject", "s3:GetObject")
CALLS = tuple(
    call for call in get_args(Call) if not call.endswith("*") and call != "sagemaker:InvokeEndpoint"
)  # that one is of synchronous endpoints
REAL_MAX_S, VIRTUAL_MAX_S = 60, 3600.0


@dataclass(frozen=True)
class Sweep:
    """One run: which call failed how, how often it was called at all, and what was wrong afterwards."""

    call: str
    trouble: str
    n: int
    n_calls: int
    did_begin: bool
    wrong: tuple[str, ...]


def document(call: str, trouble: str, n: int, n_requests: int) -> dict[str, Any]:
    faults: dict[str, Any] = {"plan": [{"calls": [call], "trouble": trouble, "nth": [n]}]}
    if call in LOOKED_UP:
        faults |= {"notices_lost": 1, "container_errors": 0.5}
    return {
        "name": "nth",
        "target": {
            "emulated": {
                "instances": {"min": 1, "max": 2, "concurrency": 8},
                "policies": [{"target_tracking": {"backlog_per_instance": 5}}],
                "service": "800ms",
                "time": "warp",
                "faults": faults,
            }
        },
        "load": [{"constant": {"rate": "2/s", "for": f"{n_requests / 2}s"}}],
        "drain": "3m",
        "gauges_every": "5s",
    }


class HungError(Exception):
    """The run made no end in real time."""


def _hung(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise HungError(f"no end within {REAL_MAX_S} s")


@cache
def _counts_calls() -> Counter[str]:
    """How often each call arrived, in this process, since it was cleared."""
    seen: Counter[str] = Counter()
    decide = Faults.decide

    def counted(faults: Faults, call: str, at_ns: int) -> Any:
        seen[call] += 1
        return decide(faults, call, at_ns)

    Faults.decide = counted  # type: ignore[method-assign, assignment]
    return seen


def swept(call: str, trouble: str, n: int) -> Sweep:
    """Carry out one run in virtual time and judge it."""
    n_requests = 12 + n * 8 // 5  # enough for n calls of each kind that follows the requests
    seen = _counts_calls()
    seen.clear()
    signal.signal(signal.SIGALRM, _hung)
    signal.alarm(REAL_MAX_S)
    wrong: list[str] = []
    did_begin = False
    try:
        with tempfile.TemporaryDirectory() as folder:
            plan = make_plan(Scenario.model_validate(document(call, trouble, n, n_requests)), Path(folder))
            rows, truth = anyio.run(_carried_out, plan, Path(folder), backend_options={"loop_factory": WarpLoop})
            wrong, did_begin = judged(rows, truth, n_requests), True
    except SmbenchError:
        pass  # it did not begin, said so, and sent nothing
    except Exception as error:  # noqa: BLE001  # whatever it is, it is a finding
        wrong = [f"{type(error).__name__}: {error}"]
    finally:
        signal.alarm(0)
    return Sweep(call, trouble, n, seen[call], did_begin, tuple(wrong))


async def _carried_out(plan: RunPlan, folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    emulator = Emulator(plan.scenario, folder, EPOCH_NS)
    access = AwsAccess(None, None, await emulator.start())
    share = Share("nth")
    share_run = ShareRun(plan, share, folder)
    try:
        async with target_of(plan, access).prepared(share, lambda _text: None) as prepared:
            share_run.write_first_versions(EPOCH_NS)
            clock = LoopClock(EPOCH_NS)
            emulator.go(clock)
            runner = share_run.runner(prepared.ports(clock), clock, prepared.locations, Control())
            with anyio.fail_after(VIRTUAL_MAX_S):
                await runner.run()
        emulator.write_truth(folder / "truth.parquet")
    finally:
        share_run.close()
        await emulator.stop()
    compact(folder)
    return pl.read_parquet(folder / "requests.parquet"), pl.read_parquet(folder / "truth.parquet")


def judged(rows: pl.DataFrame, truth: pl.DataFrame, n_requests: int) -> list[str]:
    """Every way in which the files contradict the law or what the endpoint saw."""
    wrong = [*Counts.of(rows).violations(), *row_violations(rows, n_requests)]
    if n_twice := truth.height - truth["inference_id"].n_unique():
        wrong.append(f"{n_twice} sent twice")
    both = rows.join(truth, on="inference_id", how="full", suffix="_true", coalesce=True)
    if n_strange := both.filter(pl.col("seq").is_null()).height:
        wrong.append(f"{n_strange} seen by the endpoint alone")
    known = both.filter(pl.col("outcome_true").is_in(["completed", "failed"]))
    is_findable = (pl.col("notice") == "sent") | pl.col("fault").is_null()  # else no answer and no notice told of it
    missed = known.filter(is_findable & (pl.col("outcome") != pl.col("outcome_true")))
    if missed.height:
        seen = missed.group_by("outcome", "outcome_true").len().rows()
        wrong.append(f"ends missed: {seen}")
    return wrong


def ordinals(most: int, step: int) -> list[int]:
    """1 to 5, then every `step`-th."""
    return [n for n in range(1, most + 1) if n <= 5 or n % step == 0]


def _of_call(call: str, trouble: str, numbers: list[int]) -> Iterator[Sweep]:
    for n in numbers:
        found = swept(call, trouble, n)
        yield found
        if found.did_begin and found.n_calls < n:
            return  # there is no such call, nor any later


def _all_of(call: str, trouble: str, numbers: list[int]) -> list[Sweep]:
    return list(_of_call(call, trouble, numbers))


def main() -> int:
    most, step = (int(word) for word in sys.argv[1:3]) if len(sys.argv) == 3 else (200, 1)
    numbers, began_s, n_wrong, n_runs = ordinals(most, step), time.monotonic(), 0, 0
    with ProcessPoolExecutor() as pool:
        jobs = {(call, trouble): pool.submit(_all_of, call, trouble, numbers) for call in CALLS for trouble in TROUBLES}
        for (call, trouble), job in jobs.items():
            runs = job.result()
            n_runs += len(runs)
            n_not_begun = sum(not one.did_begin for one in runs)
            found = [f"n={one.n}: {text}" for one in runs for text in one.wrong]
            n_wrong += len(found)
            said = f"{call} {trouble}: {len(runs)} runs, {n_not_begun} did not begin, {len(found)} wrong"
            sys.stdout.write("\n  ".join([said, *found[:5]]) + "\n")
            sys.stdout.flush()
    sys.stdout.write(f"{n_runs:,} runs, {n_wrong} wrong, {time.monotonic() - began_s:,.0f} s\n")
    return int(n_wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
