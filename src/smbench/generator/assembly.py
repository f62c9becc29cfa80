"""One worker's share of a run, put together: first its rows on disk, then the runner that sends them."""

from pathlib import Path

from smbench.clock import Clock
from smbench.generator.control import Control
from smbench.generator.engine import Load
from smbench.generator.journal import Journal
from smbench.generator.ledger import Ledger
from smbench.generator.monitors import OnRead
from smbench.generator.plan import RunPlan
from smbench.generator.requests import invocations
from smbench.generator.runner import Bounds, Outside, Runner
from smbench.generator.shares import Share, share_of
from smbench.records import Event
from smbench.results.store import PartWriter
from smbench.scenario.values.seeds import stream


class ShareRun:
    """The ledger and the journal of a share, and what sends it.

    Args:
        plan: The whole run.
        share: Which part of it.
        folder: Where part files go.
    """

    def __init__(self, plan: RunPlan, share: Share, folder: Path) -> None:
        self.plan, self.share = plan, share
        self.shard = plan.schedule.shard(share.worker, share.of)
        self._parts = {file: PartWriter(folder, file, share.worker) for file in ("requests", "readings", "events")}
        self._ledger: Ledger | None = None
        self._journal: Journal | None = None

    def write_first_versions(self, epoch_ns: int) -> None:
        """Write every row before anything is sent; a later call with another epoch writes them again.

        Args:
            epoch_ns: UTC nanoseconds at scenario time zero.

        Raises:
            ResultsError: the disk is full, or the folder cannot be written to.
        """
        self._ledger = self.plan.ledger(self.shard, self.share.run_id, epoch_ns)
        parts = self._parts
        self._journal = Journal(self._ledger, parts["requests"], parts["readings"], parts["events"], epoch_ns)
        self._journal.write_all()

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
        plan, share, shard = self.plan, self.share, self.shard
        scenario = plan.scenario
        load = Load(
            spans=shard.spans,
            invocation=invocations(scenario, plan.payloads, self._ledger, locations),
            limits=share_of(scenario.limits, shard),
            retry=scenario.request.retry,
            jitter=stream(scenario.seed_of("faults"), f"retry.{share.worker}"),
            patience_s=scenario.drain,
        )
        receivers = 0 if scenario.target.is_synchronous else scenario.collector.receivers
        bounds = Bounds(scenario.drain, plan.longest_life_s, scenario.gauges_every, receivers)
        for span in shard.spans:
            phase = Event(
                "phase", span.name, span.start_ns, span.start_ns, span.kind, span.end_ns, detail={"n": span.n}
            )
            self._journal.happened(phase)
        return Runner(
            self._ledger,
            load,
            outside,
            bounds,
            clock=clock,
            control=control,
            journal=self._journal,
            on_read=on_read,
        )
