"""The emulator in a process of its own: for real and scaled time, where it must not share the generator's core."""

from collections.abc import Callable

import anyio

from smbench.clock import MonotonicClock, process_cpu_ns, real_ns
from smbench.emulator.process import freeze_collections, run_alone
from smbench.emulator.server import Emulator
from smbench.generator.vitals import Vitals
from smbench.processes.channel import Channel
from smbench.processes.messages import Acknowledged, Alive, Announce, Done, Finish, Go, Ready, Workplace
from smbench.results.manifest import EmulatorEffort
from smbench.scenario.model import Scenario

_BEAT_S = 1.0


def serve(channel: Channel, scenario_json: str, workplace: Workplace, epoch_ns: int) -> None:
    """Serve until the parent asks for the truth, or has ended.

    Args:
        epoch_ns: UTC nanoseconds at scenario time zero.
    """
    scenario = Scenario.model_validate_json(scenario_json)
    run_alone(_serve, channel, scenario, workplace, epoch_ns)


async def _serve(channel: Channel, scenario: Scenario, workplace: Workplace, epoch_ns: int) -> None:
    emulator, vitals = Emulator(scenario, workplace.base_dir, epoch_ns), Vitals()
    url = await emulator.start()
    freeze_collections()
    try:
        async with anyio.create_task_group() as watching:
            watching.start_soon(vitals.run)
            await _follow(channel, emulator, vitals, workplace, url, lambda: watching.start_soon(_beat, channel))
            watching.cancel_scope.cancel()
    finally:
        await emulator.stop()


async def _follow(
    channel: Channel,
    emulator: Emulator,
    vitals: Vitals,
    workplace: Workplace,
    url: str,
    on_go: Callable[[], object],
) -> None:
    """Do what the parent says until it says that the run is over, or has ended itself."""
    channel.send(Ready(url=url))
    cpu_ns, begun_ns = process_cpu_ns(), real_ns()
    while True:
        message = await channel.receive()
        if isinstance(message, Announce):
            channel.send(Acknowledged())
        elif isinstance(message, Go):
            emulator.go(MonotonicClock.beginning(message.begins_utc_ns, message.epoch_ns, message.scale))
            cpu_ns, begun_ns = process_cpu_ns(), real_ns()
            on_go()
            vitals.take()  # what was late before the load began touches nothing
        elif isinstance(message, Finish):
            effort = EmulatorEffort(
                cpu_s=(process_cpu_ns() - cpu_ns) / 1e9,
                elapsed_s=(real_ns() - begun_ns) / 1e9,
                loop_lag_max_s=vitals.take().loop_lag_max_s,
            )
            emulator.write_truth(workplace.run_dir / "truth.parquet")
            trouble = emulator.front.statistics().trouble
            channel.send(Done(notes=(trouble,) if trouble else (), effort=effort))
            return
        elif message is None:
            return


async def _beat(channel: Channel) -> None:
    """Tell the parent that this process lives, until cancelled; from the loop that serves, so that a hang shows."""
    while True:
        channel.send(Alive())
        await anyio.sleep(_BEAT_S)
