"""What a run is before it starts: the scenario with its payloads and its schedule."""

from dataclasses import dataclass
from pathlib import Path

from smbench.clock import TimeKind, wall_ns
from smbench.errors import UsageError
from smbench.generator.tracking.ledger import Ledger
from smbench.scenario.emulated import Scaled
from smbench.scenario.model import Scenario
from smbench.scenario.payloads.bodies import Payload, read_payloads
from smbench.scenario.values.request import DEFAULT_TIMEOUT_S, DEFAULT_TTL_S
from smbench.schedule.base import Schedule, Shard
from smbench.schedule.plan import plan as plan_schedule
from smbench.tables.opening import Watch

_MINUTE_NS = 60_000_000_000


@dataclass(frozen=True, slots=True)
class RunPlan:
    """Everything fixed before the run. Parent and worker each make it from the same file and compare digests."""

    scenario: Scenario
    base_dir: Path
    payloads: tuple[Payload, ...]
    schedule: Schedule
    notes: tuple[str, ...] = ()  # what was left out of the files that were read

    @property
    def is_emulated(self) -> bool:
        """Whether the scenario names no endpoint of AWS."""
        return self.scenario.target.endpoint is None

    @property
    def time_kind(self) -> TimeKind:
        """The clock of the run; always real for an endpoint of AWS."""
        if not self.is_emulated:
            return TimeKind.REAL
        time = self.scenario.target.emulated.time
        return TimeKind.SCALED if isinstance(time, Scaled) else TimeKind(time)

    @property
    def scale(self) -> float:
        """Scenario seconds per real second; 1 but for scaled time."""
        return self.scenario.target.emulated.time_scale if self.is_emulated else 1.0

    def loop_s(self, asked_s: float | None, default_s: float) -> float:
        """A time-out of the client in seconds of its loop: as asked for, in scenario time; else the default, as it is.

        A default leaves room beyond what AWS takes, which a busy machine needs at any speed.
        """
        return default_s if asked_s is None else asked_s / self.scale

    @property
    def longest_life_s(self) -> float:
        """After this long an accepted request can no longer end: its time to live, then its time-out."""
        request = self.scenario.request
        return (request.ttl or DEFAULT_TTL_S) + (request.timeout or DEFAULT_TIMEOUT_S)

    def virtual_epoch_ns(self) -> int:
        """Scenario time zero where it is not the wall's: this minute's beginning, plus what the scenario asks for."""
        now_ns = wall_ns()
        return now_ns - now_ns % _MINUTE_NS + round(self.scenario.target.emulated.start_of_minute * 1e9)

    def ledger(self, shard: Shard, run_id: str, epoch_ns: int) -> Ledger:
        """The books of one worker, all rows still to be sent."""
        return Ledger(
            shard.seq,
            shard.sched_ns,
            shard.phase,
            shard.payload,
            phase_names=[span.name for span in self.schedule.spans],
            warmup=[span.warmup for span in self.schedule.spans],
            payload_names=[payload.payload_class for payload in self.payloads],
            size_bytes=[payload.size_bytes for payload in self.payloads],
            id_prefix=f"{run_id}-{shard.index}-",
            worker=shard.index,
            epoch_ns=epoch_ns,
            has_streams=self.scenario.request.stream,
        )


def make_plan(scenario: Scenario, base_dir: Path, watch: Watch | None = None) -> RunPlan:
    """Read the payloads and traces, draw every arrival.

    Args:
        watch: Called while a trace is read.

    Raises:
        ScenarioError, UsageError: a file the scenario names cannot be used.
    """
    read = read_payloads(scenario, base_dir)
    payloads = read.sound(scenario.name)
    if not payloads:  # of a file just read they were there; a run planned again may find another folder
        raise UsageError(f"none of the payload files of {scenario.name} is in {base_dir}", "copy them there")
    schedule = plan_schedule(scenario, base_dir, [payload.weight for payload in payloads], watch)
    return RunPlan(scenario, base_dir, payloads, schedule, tuple(read.notes))
