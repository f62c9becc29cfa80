"""Shards of an order in virtual time, against an endpoint in memory: everything is real but the clock and AWS."""

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest
from msgspec.structs import replace

from doubles import FakeEndpoint
from smbench.clock import LoopClock, WarpLoop, real_ns
from smbench.errors import TargetError
from smbench.generator.plan import RunPlan, make_plan
from smbench.generator.runner import Outside
from smbench.lifecycle import shard as shard_module
from smbench.lifecycle.order import Order, write_order
from smbench.lifecycle.origin import Origin
from smbench.lifecycle.shard import work_shard
from smbench.processes import worker as worker_module
from smbench.processes.interrupts import Interrupts
from smbench.records import Delivery, Notice
from smbench.results.place import FolderPlace, Place
from smbench.results.shards import ShardState
from smbench.scenario.model import Scenario
from smbench.targets.base import AwsAccess

SCENARIO: dict[str, Any] = {
    "name": "shared",
    "target": {"endpoint": "mine"},
    "load": [{"constant": {"rate": "48/s", "for": "1s"}}, {"poisson": {"rate": "40/s", "for": "2s"}}],
    "drain": "20s",
}


class MemoryTarget:
    """What every shard of a test measures.

    Attributes:
        is_there: Else no shard can be prepared.
        watched_by: Shards that read the gauges.
        ahead_s: How far AWS's clock is ahead of the machine of a shard.
        on_submit: Called before the n-th submission of a shard leaves, from 0, with the shard.
    """

    inapplicable: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.is_there = True
        self.watched_by: list[int] = []
        self.ahead_s: dict[int, float] = {}
        self.on_submit: Callable[[int, int], None] = lambda _shard, _n: None
        self.verdict: Callable[[int], Exception | None] = lambda _n: None

    @asynccontextmanager
    async def prepared(self, share: Any, progress: Callable[[str], None]) -> AsyncIterator["_Prepared"]:
        if not self.is_there:
            raise TargetError("there is no endpoint mine")
        progress("looking")
        yield _Prepared(self, share.worker)


class _Prepared:
    def __init__(self, target: MemoryTarget, shard: int) -> None:
        self.target, self.shard = target, shard
        self.found, self.held, self.locations = {"endpoint": "mine"}, {"url": f"queue-{shard}"}, ["s3://b/in.json"]

    def ports(self, clock: Any, *, watches: bool = False) -> Outside:
        if watches:
            self.target.watched_by.append(self.shard)
        n_submitted = 0

        def verdict(n: int) -> Exception | None:
            nonlocal n_submitted
            self.target.on_submit(self.shard, n_submitted)
            n_submitted += 1
            return self.target.verdict(n)

        ahead_ns = round(self.target.ahead_s.get(self.shard, 0.0) * 1e9)
        endpoint = _Endpoint(_VirtualClock.latest, ahead_ns, verdict)
        return Outside(endpoint, endpoint, endpoint, None)

    async def keep_ready(self) -> None:
        await anyio.sleep_forever()

    async def examine(self) -> None:
        """Everything is heard."""

    def abandon(self) -> None:
        """Nothing is held."""

    def notes(self) -> list[str]:
        return []

    def kept(self) -> None:
        return None


class _VirtualClock(LoopClock):
    anchor_ns = 0
    latest: ClassVar["_VirtualClock"]

    @classmethod
    def beginning(cls, _begins_utc_ns: int, epoch_ns: int, _scale: float) -> "_VirtualClock":
        cls.latest = clock = cls(epoch_ns)
        clock.anchor_ns = real_ns()
        return clock


class _Endpoint(FakeEndpoint):
    """Its stamps are UTC, by a clock of its own."""

    def __init__(self, clock: LoopClock, ahead_ns: int, verdict: Callable[[int], Exception | None]) -> None:
        super().__init__(clock, verdict=verdict)
        self._stamp_ns = clock.epoch_ns + ahead_ns

    async def receive(self) -> list[Delivery]:
        return [replace(delivery, content=self._stamped(delivery.content)) for delivery in await super().receive()]

    def _stamped(self, notice: Any) -> Notice:
        stamps = ("recv_utc_ns", "done_utc_ns", "pub_utc_ns")
        stamped: Notice = replace(notice, **{stamp: getattr(notice, stamp) + self._stamp_ns for stamp in stamps})
        return stamped


@pytest.fixture
def memory_target(monkeypatch: pytest.MonkeyPatch) -> MemoryTarget:
    """The target of `send`, whose time is virtual."""
    target = MemoryTarget()

    def work(*arguments: Any) -> None:
        anyio.run(worker_module._in_real, *arguments, backend_options={"loop_factory": WarpLoop})

    monkeypatch.setattr(worker_module, "target_of", lambda _plan, _access: target)
    monkeypatch.setattr(worker_module, "MonotonicClock", _VirtualClock)
    monkeypatch.setattr(shard_module, "work", work)
    return target


def plan_of(scenario: dict[str, Any] = SCENARIO) -> RunPlan:
    return make_plan(Scenario.model_validate(scenario), Path())


def place_of(where: Path | Place) -> Place:
    return FolderPlace(where) if isinstance(where, Path) else where


def ordered(where: Path | Place, n_shards: int, go_utc_ns: int | None = None, **scenario: Any) -> Order:
    """An order in that place."""
    origin = Origin(Path(), "shared.yaml", "digest")
    plan = plan_of({**SCENARIO, **scenario})
    return write_order(place_of(where), plan, origin, AwsAccess("eu-west-1"), n_shards, go_utc_ns, ("smbench", "order"))


def send(where: Path | Place, shard: int, of: int, interrupts: Interrupts | None = None) -> ShardState:
    """Send one shard, in virtual time."""
    return work_shard(place_of(where), shard, of, None, interrupts or Interrupts(), lambda _text: None)


def kill_at(target: MemoryTarget, folder: Path, shard: int, n: int) -> Callable[[], None]:
    """Keep the files of a shard as they are when its n-th request (from 0) leaves.

    Returns:
        What puts them back, as a SIGKILL at that instant would have left them.
    """
    kept = folder.parent / "kept"

    def files(of: Path) -> list[Path]:
        return [*of.glob(f"parts/*-{shard}-*"), *of.glob(f"parts/reached-{shard}"), *of.glob(f"shards/{shard}.*")]

    def keep(submitting: int, at: int) -> None:
        if (submitting, at) == (shard, n):
            for file in files(folder):
                copy = kept / file.relative_to(folder)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)

    target.on_submit = keep

    def put_back() -> None:
        for file in files(folder):
            if not (kept / file.relative_to(folder)).exists():
                file.unlink()
        for copy in files(kept):
            (folder / copy.relative_to(kept)).write_bytes(copy.read_bytes())  # a file that was there stays the same one

    return put_back
