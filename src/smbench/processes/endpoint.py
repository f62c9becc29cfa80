"""The emulator in a process of its own: for real and scaled time, where it must not share the generator's core."""

from multiprocessing.connection import Connection
from pathlib import Path

from smbench.clock import MonotonicClock, process_cpu_ns, real_ns
from smbench.emulator.process import run_alone, spare_collections
from smbench.emulator.server import Emulator
from smbench.processes.messages import Done, Finish, Go, Ready, receive
from smbench.results.manifest import EmulatorEffort
from smbench.scenario.model import Scenario


def endpoint_main(pipe: Connection, scenario_json: str, base_dir: Path, epoch_ns: int) -> None:
    """Serve until told to finish or the parent is gone."""
    scenario = Scenario.model_validate_json(scenario_json)
    run_alone(_serve, pipe, scenario, base_dir, epoch_ns)


async def _serve(pipe: Connection, scenario: Scenario, base_dir: Path, epoch_ns: int) -> None:
    emulator = Emulator(scenario, base_dir, epoch_ns)
    url = await emulator.start()
    spare_collections()
    try:
        pipe.send(Ready(url=url))
        cpu_ns, begun_ns = process_cpu_ns(), real_ns()
        while True:
            message = await receive(pipe)
            if isinstance(message, Go):
                emulator.go(MonotonicClock(message.anchor_ns, message.epoch_ns, message.scale))
                cpu_ns, begun_ns = process_cpu_ns(), real_ns()
            elif isinstance(message, Finish):
                effort = EmulatorEffort(cpu_s=(process_cpu_ns() - cpu_ns) / 1e9, elapsed_s=(real_ns() - begun_ns) / 1e9)
                emulator.write_truth(Path(message.run_dir) / "truth.parquet")
                pipe.send(Done(effort=effort))
                return
            elif message is None:
                return
    finally:
        await emulator.stop()
