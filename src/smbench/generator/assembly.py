"""One worker's share of a run, put together: first its rows on disk, then the runner that sends them."""

from pathlib import Path

from smbench.clock import Clock
from smbench.generator.control import Control
from smbench.generator.engine import Load
from smbench.generator.monitors import OnRead
from smbench.generator.plan import RunPlan
from smbench.generator.requests import invocations
from smbench.generator.runner import Bounds, Outside, Runner
from smbench.generator.shares import Share, share_of
from smbench.generator.stopping import SeenWindow, stopping_phases
from smbench.generator.tracking.journal import Journal
from smbench.generator.tracking.ledger import Ledger
from smbench.ports import LOOKS_HZ
from smbench.records import Event
from smbench.results.marks import Mark
from smbench.results.store import PartWriter
from smbench.scenario.model import Limits
from smbench.scenario.values.seeds import stream
from smbench.schedule.base import PhaseSpan, Shard


class ShareRun:
    """The ledger and the journal of a share, and what sends it.

    Args:
        plan: The whole run.
        share: Which part of it.
        folder: Where part files go.
        is_alone: No parent judges the share of errors: this share does, by its own answers.
    """

    def __init__(self, plan: RunPlan, share: Share, folder: Path, *, is_alone: bool = False) -> None:
        self.plan, self.share = plan, share
        shard = plan.schedule.shard(share.worker, share.of)
        # Not the shard itself: the ledger has its rows, and copies of a million cost eight megabytes a column.
        self.spans, self._think_ns = shard.spans, shard.think_ns
        self.limits = share_of(plan.scenario.limits, shard, is_alone=is_alone)
        self._parts = {file: PartWriter(folder, file, share.worker) for file in ("requests", "readings", "events")}
        self._folder = folder
        self._mark: Mark | None = None
        self._ledger: Ledger | None = None
        self._journal: Journal | None = None
        self._seen: list[SeenWindow] = []

    def take_seen(self) -> list[SeenWindow]:
        """What this worker saw of windows that others judge, since the last call."""
        seen, self._seen[:] = list(self._seen), []
        return seen

    def write_first_versions(self, epoch_ns: int, later_ns: int = 0) -> None:
        """Write every row before anything is sent; a later call with another epoch writes them again.

        Args:
            epoch_ns: UTC nanoseconds at scenario time zero.
            later_ns: Of a run that is continued; a new one has its schedule from its time zero.

        Raises:
            ResultsError: the disk is full, or the folder cannot be written to.
        """
        assert not later_ns, "a new run is not late"
        self._journal = self._journal_of(self.plan.ledger(self._rows(), self.share.run_id, epoch_ns))
        self._journal.write_all()
        self._marked().begin(-1)

    def close(self) -> None:
        """The worker has ended its work on the folder: another may take it up."""
        if self._mark is not None:
            self._mark.close()
            self._mark = None

    def _rows(self) -> Shard:
        return self.plan.schedule.shard(self.share.worker, self.share.of)

    def _marked(self) -> Mark:
        if self._mark is None:
            self._mark = Mark.open(self._folder, self.share.worker)
        return self._mark

    def _journal_of(self, ledger: Ledger) -> Journal:
        self._ledger, parts = ledger, self._parts
        return Journal(ledger, parts["requests"], parts["readings"], parts["events"], ledger.epoch_ns)

    def runner(
        self,
        outside: Outside,
        clock: Clock,
        locations: list[str] | None,
        control: Control,
        on_read: OnRead = lambda _readings, _events: None,
    ) -> Runner:
        """What sends the rows, after their first versions were written.

        Args:
            locations: Where the inputs are, as `targets.base.Prepared` has them.
            on_read: Called with what this worker's gauges read.
        """
        assert self._ledger is not None
        assert self._journal is not None
        for span in self.spans:
            phase = Event(
                "phase", span.name, span.start_ns, span.start_ns, span.kind, span.end_ns, detail={"n": span.n}
            )
            self._journal.happened(phase)
        return Runner(
            self._ledger,
            self._load(locations, self.spans, self.limits),
            outside,
            self._bounds(),
            clock=clock,
            control=control,
            journal=self._journal,
            on_read=on_read,
        )

    def _load(self, locations: list[str] | None, spans: tuple[PhaseSpan, ...], limits: Limits) -> Load:
        assert self._ledger is not None
        assert self._journal is not None
        scenario = self.plan.scenario
        return Load(
            spans=spans,
            invocation=invocations(scenario, self.plan.payloads, self._ledger, locations),
            limits=limits,
            retry=scenario.request.retry,
            jitter=stream(scenario.seed_of("faults"), f"retry.{self.share.worker}"),
            patience_s=scenario.drain,
            reached=self._marked().reached,
            refused=self._journal.happened,
            think_ns=self._think_ns.tolist(),
            stops=stopping_phases(scenario.load, spans),
            on_seen=None if self.share.of == 1 else self._seen.append,
        )

    def _bounds(self) -> Bounds:
        plan = self.plan
        scenario = plan.scenario
        receivers = 0 if scenario.target.is_synchronous else scenario.collector.receivers
        return Bounds(
            scenario.drain,
            plan.longest_life_s,
            scenario.gauges_every,
            receivers,
            look_every_s=scenario.collector.look_every,
            looks_hz=LOOKS_HZ / self.share.of,
        )
