"""What a view is given while a run goes on: also when the verdict is certain."""

from collections.abc import Sequence
from pathlib import Path

from smbench.analysis.verdict.early_verdict import EarlyVerdict
from smbench.generator.forecast import forecast
from smbench.generator.forecast_text import length
from smbench.generator.plan import RunPlan
from smbench.records import Event, Reading, Stage
from smbench.scenario.thresholds import parse_threshold
from smbench.snapshot import Snapshot
from smbench.view.live.choose import View
from smbench.view.live.state import LiveState, RunHeader


class Screen:
    """A `processes.workers.Watcher` that shows a run.

    Args:
        folder: Of the run, as the user would type it.
        stops_when_certain: Send no more once the thresholds' verdict cannot change.

    Attributes:
        stopped: Why no more was sent than was needed for a verdict; empty where that was not asked for, or not so.
    """

    def __init__(self, plan: RunPlan, folder: Path, view: View, *, stops_when_certain: bool) -> None:
        self.state, self.view = LiveState(_header(plan, folder)), view
        self.early = EarlyVerdict([parse_threshold(text) for text in plan.scenario.thresholds], plan.schedule.spans)
        self._stops = stops_when_certain
        self.stopped = ""

    def preparing(self, text: str) -> None:
        self.state.preparing(text)
        self.view.show(self.state)

    def caution(self, text: str) -> None:
        """Say before the load what the run will not be able to say after it; the screen keeps it."""
        self.state.cautions = (*self.state.cautions, text)
        self.preparing(f"note: {text}")

    def refresh(self) -> None:
        self.view.show(self.state)

    def update(self, snapshots: Sequence[Snapshot]) -> str:
        self.state.update(snapshots)
        if (now := self.state.now) is not None:
            known_until_ns = min((one.at_ns for one in snapshots if one.stage is not Stage.DONE), default=now.at_ns)
            self.early.update(now, known_until_ns)
            self.state.judged = self.early.judged
            if self._stops and not self.stopped and now.stage is Stage.SENDING and self.early.conclusion:
                self.stopped = f"stopped early, {self.early.conclusion}"
        self.view.show(self.state)
        return self.stopped

    def read(self, readings: Sequence[Reading], events: Sequence[Event]) -> None:
        self.state.read(readings, events)


def _header(plan: RunPlan, folder: Path) -> RunHeader:
    scenario = plan.scenario
    return RunHeader(
        scenario=scenario.name,
        target="emulated endpoint" if plan.is_emulated else f"endpoint {scenario.target.endpoint}",
        time_kind=plan.time_kind,
        phases=plan.schedule.spans,
        n_scheduled=len(plan.schedule),
        drain_s=scenario.drain,
        in_flight_limit=scenario.limits.in_flight,
        results=str(folder),
        scale=plan.scale,
        length=length(forecast(plan), plan.time_kind),
    )
