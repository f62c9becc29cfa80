"""A run against the embedded region as against an account: one share, in this process and in virtual time."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import polars as pl
import pytest

from emulated_aws import ENDPOINT, EPOCH_NS
from plain_services import isolate_aws
from smbench.clock import LoopClock
from smbench.emulator.server import Emulator
from smbench.generator.assembly import ShareRun
from smbench.generator.control import Control
from smbench.generator.plan import RunPlan, make_plan
from smbench.generator.shares import Share
from smbench.generator.taking_up import TakenUpShare, TakingUp
from smbench.results.store import compact
from smbench.scenario.model import Scenario
from smbench.targets.base import AwsAccess, Facts
from smbench.targets.kinds import target_of


def any_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials and a region from the environment, and nothing else of this machine's settings."""
    isolate_aws(monkeypatch)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    monkeypatch.setenv("AWS_REGION", "us-east-1")


def story(kind: str = "async", emulated: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A scenario of ten requests, whose endpoint is emulated."""
    return {
        "name": "story",
        "target": {"kind": kind, "emulated": {"service": "50ms", **(emulated or {})}},
        "load": [{"constant": {"rate": "10/s", "for": "1s"}}],
        "drain": "10s",
        "gauges_every": "1s",
        **more,
    }


def sent(hosted: Mapping[str, Any]) -> dict[str, Any]:
    """The same load, against the emulated endpoint as against one of an account."""
    return {**hosted, "target": {"kind": hosted["target"]["kind"], "endpoint": ENDPOINT}}


def plan_of(hosted: Mapping[str, Any]) -> RunPlan:
    return make_plan(Scenario.model_validate(sent(hosted)), Path())


@dataclass
class Region:
    """The embedded region, whose time runs.

    Attributes:
        notes: Of the last run.
    """

    emulator: Emulator
    clock: LoopClock
    notes: Sequence[str] = ()

    @property
    def access(self) -> AwsAccess:
        return AwsAccess(endpoint_url=self.emulator.url)

    async def run(self, plan: RunPlan, folder: Path, run_id: str = "story", *, is_killed: bool = False) -> pl.DataFrame:
        """One run to its end; its requests.

        Args:
            is_killed: It leaves what it made, as a killed worker does.
        """
        share_run = ShareRun(plan, Share(run_id), folder)
        try:
            async with target_of(plan, self.access).prepared(share_run.share, lambda _text: None) as prepared:
                share_run.write_first_versions(EPOCH_NS)
                runner = share_run.runner(
                    prepared.ports(self.clock, watches=True), self.clock, prepared.locations, Control()
                )
                async with anyio.create_task_group() as around:
                    around.start_soon(prepared.keep_ready)
                    await runner.run()
                    around.cancel_scope.cancel()
                if runner.has_unheard:
                    await prepared.examine()
                self.notes = prepared.notes()
                if is_killed:
                    prepared.abandon()
        finally:
            share_run.close()
        compact(folder)
        return pl.read_parquet(folder / "requests.parquet")

    async def leave(self, plan: RunPlan, folder: Path, sends_s: float) -> tuple[Facts, Facts | None]:
        """One run that stops after so long as a kill leaves it; what it found and what it holds."""
        share_run, control = ShareRun(plan, Share("left"), folder), Control()
        async with target_of(plan, self.access).prepared(share_run.share, lambda _text: None) as prepared:
            share_run.write_first_versions(EPOCH_NS)
            runner = share_run.runner(prepared.ports(self.clock, watches=True), self.clock, prepared.locations, control)
            with anyio.move_on_after(sends_s):
                await runner.run()
            prepared.abandon()
            share_run.close()
            return prepared.found, prepared.kept()

    async def take_up(self, plan: RunPlan, folder: Path, found: Facts, held: Facts | None) -> pl.DataFrame:
        """The same run to its end, what was never sent included; its requests."""
        now_ns = self.clock.now_ns()
        how = TakingUp(1, alive_until_ns=now_ns, comes_again_ns=now_ns + 35 * 10**9, sends=True, first_ns=0)
        share_run, target = TakenUpShare(plan, Share("left"), folder, how), target_of(plan, self.access)
        async with target.taken_up(share_run.share, lambda _text: None, found, held, sends=True) as prepared:
            share_run.write_first_versions(EPOCH_NS, how.later_ns(now_ns))
            await share_run.runner(
                prepared.ports(self.clock, watches=True), self.clock, prepared.locations, Control()
            ).run()
            prepared.release()
        share_run.close()
        compact(folder)
        return pl.read_parquet(folder / "requests.parquet")


@asynccontextmanager
async def region(hosted: Mapping[str, Any] | None = None, **settings: Any) -> AsyncIterator[Region]:
    """The region of a scenario; without one it is empty."""
    scenario = None if hosted is None else Scenario.model_validate(hosted)
    emulator = Emulator(scenario, None, EPOCH_NS, **settings)
    await emulator.start()
    clock = LoopClock(EPOCH_NS)
    emulator.go(clock)
    try:
        yield Region(emulator, clock)
    finally:
        await emulator.stop()
