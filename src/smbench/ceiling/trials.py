"""The generator's process while its ceiling is sought: one short run after another against the null target.

Each is put together as a worker puts together its shard, from a scenario of one constant phase: engine, tracker,
collector, journal and clients are those of a run, with the defaults of a run.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import numpy as np

from smbench.analysis.latency.lateness import LAG_MAX_S
from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.aws.transport.invoke import SdkTransport
from smbench.aws.transport.notices import SqsNotices
from smbench.aws.transport.wire_clients import wire_clients
from smbench.aws.transport.wire_invoke import WireTransport
from smbench.aws.transport.wire_notices import WireNotices
from smbench.ceiling.null_target import ENDPOINT, INPUT_LOCATION, QUEUE_PATH
from smbench.ceiling.search import Search
from smbench.clock import MonotonicClock, process_cpu_ns, real_ns, wall_ns
from smbench.generator.assembly import ShareRun
from smbench.generator.control import Control
from smbench.generator.plan import RunPlan, make_plan
from smbench.generator.runner import Outside, Runner
from smbench.generator.shares import Share
from smbench.generator.tracking.ledger import State
from smbench.held_folder import HeldFolder
from smbench.processes.channel import Channel
from smbench.processes.descriptors import require_descriptors
from smbench.processes.messages import Done, Tried
from smbench.processes.worker import freeze_collections
from smbench.records import OutputFound
from smbench.results.ceiling import Trial
from smbench.scenario.model import Scenario

_HEAD_START_S = 0.1  # the receivers are on their way before the first request is due
_DRAIN_S = 3.0  # beyond its ceiling a worker hears of ends late; how late says no more about it
_WARM_UP_S = 0.3  # of sending, not counted: connections are opened, what is imported late is imported


def trials_main(channel: Channel, url: str, transport: str, search: Search, trial_s: float) -> None:
    """Try rate after rate and report each, until the search is over or the parent has ended."""
    with HeldFolder.make("bench") as folder:
        arguments = (channel, url, transport, search, trial_s, folder)
        anyio.run(_try_all, *arguments, backend_options={"use_uvloop": sys.platform != "win32"})


async def _try_all(channel: Channel, url: str, transport: str, search: Search, trial_s: float, folder: Path) -> None:
    async with anyio.create_task_group() as around:
        around.start_soon(_end_with_parent, channel, around.cancel_scope)
        async with outside_of(url, transport) as outside:
            trials = Trials(outside, folder)
            await trials.run(search.first_hz, _WARM_UP_S)
            rates = search.rates()
            try:
                rate_hz = next(rates)
                while True:
                    trial = await trials.run(rate_hz, trial_s)
                    channel.send(Tried(trial))
                    rate_hz = rates.send(trial.is_kept)
            except StopIteration:
                channel.send(Done())
        around.cancel_scope.cancel()


async def _end_with_parent(channel: Channel, around: anyio.CancelScope) -> None:
    await channel.receive()  # it says nothing; this is its end
    around.cancel()


class NoOutputs:
    """A store with nothing in it: what was not reported in time is not looked up."""

    async def look_up(self, output_location: str | None, failure_location: str | None) -> OutputFound | None:
        """None always: the null target writes no outputs."""
        del output_location, failure_location
        return None


@asynccontextmanager
async def outside_of(url: str, transport: str) -> AsyncIterator[Outside]:
    """The ports of a run by this transport, leading to the null target at this URL."""
    queue_url = f"{url}{QUEUE_PATH}"
    async with AwsClients(AwsSettings(endpoint_url=url, emulated=True)) as clients:
        if transport == "sdk":
            notices = SqsNotices(clients.sqs, queue_url)
            yield Outside(SdkTransport(clients.runtime, ENDPOINT), notices, NoOutputs(), None)
            return
        async with wire_clients(clients) as wire:
            lean = WireNotices(wire.sqs, queue_url)
            yield Outside(WireTransport(wire.runtime, ENDPOINT), lean, NoOutputs(), None)


class Trials:
    """Runs trials; each has a folder and InferenceIds of its own."""

    def __init__(self, outside: Outside, folder: Path) -> None:
        self.outside, self.folder, self.n = outside, folder, 0

    async def run(self, rate_hz: float, for_s: float) -> Trial:
        """Plan, send, receive, and say what came of it."""
        self.n += 1
        plan = make_plan(_scenario(rate_hz, for_s), self.folder)
        require_descriptors(plan)
        epoch_ns = wall_ns() + round(_HEAD_START_S * 1e9)
        clock = MonotonicClock(real_ns() + round(_HEAD_START_S * 1e9), epoch_ns)
        share_run = ShareRun(plan, Share(f"smb-bench{self.n}"), self.folder / f"trial-{self.n}")
        share_run.write_first_versions(epoch_ns)
        locations = [INPUT_LOCATION] * len(plan.payloads)
        runner = share_run.runner(self.outside, clock, locations, Control())
        freeze_collections()
        cpu_ns = process_cpu_ns()
        await runner.run()
        share_run.close()
        return _trial(runner, plan, rate_hz, for_s, process_cpu_ns() - cpu_ns)


def _scenario(rate_hz: float, for_s: float) -> Scenario:
    return Scenario.model_validate(
        {
            "name": "ceiling",
            "target": {"endpoint": ENDPOINT},
            "load": [{"constant": {"rate": f"{rate_hz}/s", "for": f"{for_s}s"}}],
            "drain": f"{_DRAIN_S}s",
        }
    )


def _trial(runner: Runner, plan: RunPlan, rate_hz: float, for_s: float, cpu_ns: int) -> Trial:
    tracker, ledger = runner.tracker, runner.ledger
    sched_ns, send_ns = np.asarray(ledger.sched_ns), np.asarray(ledger.send_ns)
    is_sent = np.asarray(ledger.state) != State.NOT_SENT
    lag_ns = (send_ns - sched_ns)[is_sent]
    p50_ns, p99_ns = np.quantile(lag_ns, [0.5, 0.99], method="inverted_cdf")
    n_not_sent = tracker.counts[State.NOT_SENT]
    n_not_completed = tracker.n_sent - tracker.counts[State.COMPLETED]
    return Trial(
        planned_hz=rate_hz,
        achieved_hz=tracker.n_sent / max(for_s, int(send_ns[is_sent].max()) / 1e9),
        lag_p50_s=float(p50_ns) / 1e9,
        lag_p99_s=float(p99_ns) / 1e9,
        cpu_s=cpu_ns / tracker.n_sent / 1e9,
        n=len(plan.schedule),
        n_not_sent=n_not_sent,
        n_not_completed=n_not_completed,
        is_kept=p99_ns <= LAG_MAX_S * 1e9 and not n_not_sent and not n_not_completed,
    )
