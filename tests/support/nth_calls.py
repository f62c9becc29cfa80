"""The n-th call of each kind fails: a run in virtual time for every operation that a run calls, every n and trouble.

    python tests/support/nth_calls.py 200        # every n up to 200, several in a run, ten good calls between them
    python tests/support/nth_calls.py 200 --alone  # each in a run of its own: some twelve times as long

The first five fail in runs of their own. After each run the ledger's law holds, nothing hung, nothing was sent twice,
and what the endpoint completed and announced is completed in the files too. One process a core.
"""

import argparse
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
from smbench.scenario.faults import CallOfRun
from smbench.scenario.model import Scenario
from smbench.targets.base import AwsAccess
from smbench.targets.kinds import target_of

EPOCH_NS = 1_767_225_600_000_000_000
TROUBLES = ("error", "no_answer", "reset")  # refused, timed out, cut
WITHOUT_NOTICES = ("s3:HeadObject", "s3:GetObject", "sqs:GetQueueAttributes", "sns:GetSubscriptionAttributes")
_SYNCHRONOUS = ("sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream")
CALLS = tuple(  # a run against an asynchronous endpoint makes no other calls, and no stack
    call for call in get_args(CallOfRun) if not call.endswith("*") and call not in _SYNCHRONOUS
)
ALONE, APART = 5, 11  # the first fail in runs of their own; between others lie ten good calls
REAL_MAX_S, VIRTUAL_MAX_S = 300, 3600.0


@dataclass(frozen=True)
class Sweep:
    """One run: which calls failed how, how often it was called at all, and what was wrong afterwards."""

    call: str
    trouble: str
    numbers: tuple[int, ...]
    n_calls: int
    did_begin: bool
    wrong: tuple[str, ...]

    @property
    def struck(self) -> set[int]:
        """Those of the numbers that there were; of a run that did not begin the first."""
        return {n for n in self.numbers if n <= self.n_calls} if self.did_begin else {self.numbers[0]}


def document(call: str, trouble: str, numbers: tuple[int, ...], n_requests: int) -> dict[str, Any]:
    faults: dict[str, Any] = {"plan": [{"calls": [call], "trouble": trouble, "nth": list(numbers)}]}
    if call in WITHOUT_NOTICES:
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


def swept(call: str, trouble: str, *numbers: int) -> Sweep:
    """Carry out one run in virtual time, in which each of these calls fails, and judge it."""
    n_requests = 12 + max(numbers) * 8 // 5  # enough for n calls of each kind that follows the requests
    seen = _counts_calls()
    seen.clear()
    signal.signal(signal.SIGALRM, _hung)
    signal.alarm(REAL_MAX_S)
    wrong: list[str] = []
    did_begin = False
    try:
        with tempfile.TemporaryDirectory() as folder:
            plan = make_plan(Scenario.model_validate(document(call, trouble, numbers, n_requests)), Path(folder))
            rows, truth = anyio.run(_carried_out, plan, Path(folder), backend_options={"loop_factory": WarpLoop})
            wrong, did_begin = judged(rows, truth, n_requests), True
    except SmbenchError:
        pass  # it did not begin, said so, and sent nothing
    except Exception as error:  # noqa: BLE001  # whatever it is, it is a finding
        wrong = [f"{type(error).__name__}: {error}"]
    finally:
        signal.alarm(0)
    return Sweep(call, trouble, numbers, seen[call], did_begin, tuple(wrong))


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
            runner = share_run.runner(prepared.ports(clock, watches=True), clock, prepared.locations, Control())
            with anyio.fail_after(VIRTUAL_MAX_S):
                await runner.run()
                if runner.has_unheard:
                    await prepared.examine()
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


def sweeps(call: str, trouble: str, most: int, apart: int) -> Iterator[Sweep]:
    """Runs until every call up to `most` that there is has failed once; `apart` 0: each in a run of its own."""
    left = list(range(1, most + 1))
    while left:
        first = left[0]
        together = range(first, most + 1, apart) if apart and first > ALONE else (first,)
        found = swept(call, trouble, *(n for n in together if n in left))
        yield found
        if found.did_begin and found.n_calls < first:
            return  # there is no such call, nor any later
        left = [n for n in left if n not in found.struck]


def _all_of(call: str, trouble: str, most: int, apart: int) -> list[Sweep]:
    return list(sweeps(call, trouble, most, apart))


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("most", type=int, nargs="?", default=200)
    options.add_argument("--alone", action="store_true")
    given = options.parse_args()
    apart = 0 if given.alone else APART
    began_s, n_wrong, n_runs, n_struck = time.monotonic(), 0, 0, 0
    with ProcessPoolExecutor() as pool:
        kinds = [(call, trouble) for call in CALLS for trouble in TROUBLES]
        jobs = {kind: pool.submit(_all_of, *kind, given.most, apart) for kind in kinds}
        for (call, trouble), job in jobs.items():
            runs = job.result()
            struck: set[int] = set().union(*(one.struck for one in runs))
            n_runs, n_struck = n_runs + len(runs), n_struck + len(struck)
            n_not_begun = sum(not one.did_begin for one in runs)
            found = [f"n={one.numbers}: {text}" for one in runs for text in one.wrong]
            n_wrong += len(found)
            said = f"{call} {trouble}: {len(struck)} calls failed in {len(runs)} runs, {n_not_begun} did not begin, "
            sys.stdout.write("\n  ".join([f"{said}{len(found)} wrong", *found[:5]]) + "\n")
            sys.stdout.flush()
    took_s = time.monotonic() - began_s
    sys.stdout.write(f"{n_struck:,} failed calls in {n_runs:,} runs, {n_wrong} wrong, {took_s:,.0f} s\n")
    return int(n_wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
