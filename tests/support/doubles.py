"""The fakes: time that is ours, an endpoint that answers as told, part files in memory, a whole run on them."""

from array import array
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
import numpy as np
import polars as pl

from smbench.clock import Clock, LoopClock
from smbench.generator.control import Control
from smbench.generator.engine import Load
from smbench.generator.runner import Bounds, Outside, Runner
from smbench.generator.tracking.journal import Journal
from smbench.generator.tracking.ledger import NO_INSTANT, Ledger
from smbench.generator.tracking.rows import requests_frame
from smbench.records import Accepted, Delivery, FolderPage, Invocation, Notice, Outcome, OutputFound, Rejected
from smbench.scenario.model import Limits
from smbench.scenario.values.request import Retry
from smbench.schedule.base import PhaseSpan

RUN = "smb-test"
SECOND = 1_000_000_000
PAGE = 10  # objects in a page of a fake folder


def span(
    n: int, *, index: int = 0, end_ns: int | None = None, outstanding: int | None = None, start_ns: int = 0
) -> PhaseSpan:
    """One phase of a load."""
    kind = "constant" if outstanding is None else "closed"
    return PhaseSpan(index, f"{kind}-{index}", kind, False, start_ns, end_ns, 0, n, outstanding, "")


def ledger(
    sched_ns: Sequence[int], *, phase: Sequence[int] | None = None, n_phases: int = 1, has_streams: bool = False
) -> Ledger:
    """A ledger of one worker whose rows are due at these instants."""
    n = len(sched_ns)
    return Ledger(
        np.arange(n, dtype=np.int64),
        np.asarray(sched_ns, dtype=np.int64),
        np.asarray(phase if phase is not None else [0] * n, dtype=np.int16),
        np.zeros(n, dtype=np.int32),
        phase_names=[f"phase-{index}" for index in range(n_phases)],
        warmup=[False] * n_phases,
        payload_names=["json"],
        size_bytes=[10],
        id_prefix=f"{RUN}-0-",
        worker=0,
        epoch_ns=0,
        has_streams=has_streams,
    )


def invocation_of(rows: Ledger) -> Callable[[int], Invocation]:
    """What each row of a ledger submits."""
    return lambda index: Invocation(index, rows.inference_id(index), input_location="s3://bucket/in.json")


class TickingClock(LoopClock):
    """Time passes between two readings, as it does outside of tests."""

    n_readings = 0

    def now_ns(self) -> int:
        self.n_readings += 1
        return super().now_ns() + self.n_readings


@dataclass
class KeptParts:
    """Part files, in memory."""

    frames: list[pl.DataFrame] = field(default_factory=list)

    def write(self, frame: pl.DataFrame) -> None:
        self.frames.append(frame)

    def latest(self) -> pl.DataFrame:
        """The last version of every row."""
        return pl.concat(self.frames).unique("seq", keep="last", maintain_order=True).sort("seq")


class FakeEndpoint:
    """Transport, notices, outputs and folders in one, on the test's own time.

    Args:
        ack_s: The answer to a submission comes after this long.
        service_s: The end comes after this long from acceptance.
        verdict: What becomes of a submission, by its number: an exception to raise, or None to accept it.
        copies: How many notices an accepted submission causes, by its number.
        fails: Whether the container answers a submission with an error, by its number.
        n_older: Objects that others left in each folder.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        ack_s: float = 0.01,
        service_s: float = 1.0,
        verdict: Callable[[int], Exception | None] = lambda _n: None,
        copies: Callable[[int], int] = lambda _n: 1,
        delay_s: Callable[[int], float] = lambda _n: 0.0,
        fails: Callable[[int], bool] = lambda _n: False,
        n_older: int = 0,
    ) -> None:
        self.clock, self.ack_s, self.service_s = clock, ack_s, service_s
        self.verdict, self.copies, self.delay_s = verdict, copies, delay_s
        self.fails, self.n_older = fails, n_older
        self.asked: list[tuple[int, str]] = []  # of the store: (instant, what for)
        self.submitted: list[tuple[int, str]] = []  # (instant, inference id)
        self.in_flight = self.in_flight_max = 0
        self.deleted: list[str] = []
        self.ended: dict[str, int] = {}  # inference id -> instant
        self._due: list[tuple[int, Delivery]] = []
        self._woken = anyio.Event()

    async def submit(self, invocation: Invocation) -> Accepted:
        number = len(self.submitted)
        self.submitted.append((self.clock.now_ns(), invocation.inference_id))
        self.in_flight += 1
        self.in_flight_max = max(self.in_flight, self.in_flight_max)
        try:
            refusal = self.verdict(number)
            if not isinstance(refusal, Rejected):
                self._accept(number, invocation)
            await self.clock.sleep_until_ns(self.clock.now_ns() + round(self.ack_s * 1e9))
            if refusal is not None:
                raise refusal
        finally:
            self.in_flight -= 1
        return Accepted(f"s3://bucket/out/{number}.out", f"s3://bucket/fail/{number}-error.out")

    def _accept(self, number: int, invocation: Invocation) -> None:
        recv_ns = self.clock.now_ns()
        done_ns = recv_ns + round(self.service_s * 1e9)
        self.ended[invocation.inference_id] = done_ns
        outcome = Outcome.FAILED if self.fails(number) else Outcome.COMPLETED
        notice = Notice(invocation.inference_id, outcome, recv_ns, done_ns, done_ns)
        seen_ns = done_ns + round(self.delay_s(number) * 1e9)
        for copy in range(self.copies(number)):
            self._due.append((seen_ns, Delivery(f"{number}/{copy}", notice)))
        self._due.sort(key=lambda due: due[0])
        self._woken.set()

    async def receive(self) -> list[Delivery]:
        poll_end_ns = self.clock.now_ns() + 20_000_000_000
        while True:
            now_ns = self.clock.now_ns()
            batch = [delivery for due_ns, delivery in self._due if due_ns <= now_ns][:10]
            if batch or now_ns >= poll_end_ns:
                del self._due[: len(batch)]
                return batch
            next_ns = min([poll_end_ns, *(due_ns for due_ns, _ in self._due[:1])])
            self._woken = anyio.Event()
            await first_of(lambda: self.clock.sleep_until_ns(next_ns), self._woken.wait)  # noqa: B023  # awaited at once

    async def delete(self, receipts: Sequence[str]) -> list[str]:
        self.deleted.extend(receipts)
        return []

    async def look_up(self, output_location: str | None, failure_location: str | None) -> OutputFound | None:
        for location, outcome in ((output_location, Outcome.COMPLETED), (failure_location, Outcome.FAILED)):
            if location is None:
                continue
            self.asked.append((self.clock.now_ns(), location))
            if (done_ns := self._objects(location).get(location.rpartition("/")[2])) is not None:
                return OutputFound(outcome, done_ns)
        return None

    async def page(self, location: str, after: str | None) -> FolderPage:
        self.asked.append((self.clock.now_ns(), f"{location.rpartition('/')[0]}/"))
        older = {f"-{number:06}": 0 for number in range(self.n_older)}
        there = sorted((older | self._objects(location)).items())
        begin = int(after or 0)
        end = begin + PAGE
        return FolderPage(dict(there[begin:end]), str(end) if end < len(there) else None)

    def _objects(self, location: str) -> dict[str, int]:
        """What is in the folder of this location by now: since when, to the whole second."""
        is_failure = location.startswith("s3://bucket/fail/")
        name = "{}-error.out" if is_failure else "{}.out"
        return {
            name.format(number): done_ns // SECOND * SECOND
            for number, (_, inference_id) in enumerate(self.submitted)
            if (done_ns := self.ended.get(inference_id)) is not None
            and done_ns <= self.clock.now_ns()
            and self.fails(number) == is_failure
        }


async def first_of(*waits: Callable[[], Awaitable[object]]) -> None:
    """Return when the first of these has returned; the others are cancelled."""
    async with anyio.create_task_group() as race:

        async def run(wait: Callable[[], Awaitable[object]]) -> None:
            await wait()
            race.cancel_scope.cancel()

        for wait in waits:
            race.start_soon(run, wait)


@dataclass
class World:
    """Everything of one run that a test may look at."""

    runner: Runner
    endpoint: FakeEndpoint
    requests: KeptParts
    readings: KeptParts
    events: KeptParts
    clock: LoopClock

    def outcomes(self) -> dict[str, int]:
        return dict(self.requests.latest()["outcome"].value_counts().iter_rows())


def world(
    n: int = 30,
    *,
    drain_s: float = 600.0,
    requests: KeptParts | None = None,
    clock: LoopClock | None = None,
    tracking: str = "sns",
    looks: Mapping[str, Any] | None = None,
    every_ns: int = SECOND,
    outstanding: int | None = None,
    **endpoint: Any,
) -> World:
    """A run of `n` requests, one a second from zero, against a fake endpoint with these settings; needs a loop.

    Args:
        tracking: `s3`: no notice comes, and outputs are looked for.
        looks: Those settings of `Bounds`.
        every_ns: Between two requests.
        outstanding: As many are open at once, and each is sent at the end of another.
    """
    clock = clock or LoopClock()
    rows = ledger([NO_INSTANT if outstanding else index * every_ns for index in range(n)])
    fake = FakeEndpoint(clock, **endpoint)
    parts = requests or KeptParts()
    readings, events = KeptParts(), KeptParts()
    journal = Journal(rows, parts, readings, events, 0)
    journal.write_all()
    runner = Runner(
        rows,
        Load(
            (span(n, outstanding=outstanding),), invocation_of(rows), Limits(), Retry(), np.random.default_rng(0), 600
        ),
        Outside(fake, fake, fake, None, fake if tracking == "s3" else None),
        Bounds(drain_s, 7200.0, 10.0, receivers=2, **(looks or {})),
        clock=clock,
        control=Control(),
        journal=journal,
    )
    return World(runner, fake, parts, readings, events, clock)


def written(of: Ledger) -> pl.DataFrame:
    return pl.concat(requests_frame(versions) for versions in of.take_all())


def content(of: Ledger) -> dict[str, list[object]]:
    """Every column that a run changes; words and locations as text, for their numbers are the ledger's own affair."""
    columns = {
        name: list(column)
        for name, column in vars(of).items()
        if isinstance(column, bytearray | array) and name not in ("error", "_is_changed")
    }
    rows = range(of.n)
    return columns | {
        "error": [of.words[index] for index in of.error],
        "output": [of.locations.output(row) for row in rows],
        "failure": [of.locations.failure(row) for row in rows],
    }
