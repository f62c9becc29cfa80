"""Goal: a worker that died before it wrote its rows leaves a ledger that adds up. Method: parts written as far as a
worker came, by hypothesis; the rest written by the parent."""

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from runs import EPOCH_NS, manifest_of
from smbench.generator.plan import make_plan
from smbench.generator.shares import Share
from smbench.generator.tracking.rows import requests_frame
from smbench.generator.tracking.tracker import Tracker
from smbench.processes.leftovers import settle_rows
from smbench.records import Answered
from smbench.results.law import Counts, row_violations
from smbench.results.store import PartWriter, open_run
from smbench.scenario.model import Scenario
from smbench.schedule.base import Shard

pytestmark = pytest.mark.slow

N = 12
PLAN = make_plan(Scenario.model_validate({"name": "x", "load": [{"constant": {"rate": 2, "for": 6}}]}), Path())


def first_versions(shard: Shard) -> pl.DataFrame:
    return pl.concat(requests_frame(versions) for versions in PLAN.ledger(shard, "r", EPOCH_NS).take_all())


def written_by(run_dir: Path, worker: int, on_disk: set[int]) -> pl.DataFrame:
    rows = first_versions(PLAN.schedule.shard(worker, 2))[sorted(on_disk)]
    rows = rows.with_columns(pl.lit("as it was").alias("error"))
    if on_disk:
        PartWriter(run_dir, "requests", worker).write(rows)
    return rows


@settings(max_examples=25)  # each writes and reads files
@given(st.sets(st.integers(0, N // 2 - 1)), st.booleans())
def test_rows_that_no_part_has_are_written_and_the_law_holds(on_disk: set[int], is_other_there: bool) -> None:
    lost = PLAN.schedule.shard(1, 2)
    with TemporaryDirectory() as folder:
        run_dir = Path(folder)
        manifest_of(PLAN.schedule.spans).write(run_dir)
        if is_other_there:
            written_by(run_dir, 0, set(range(N // 2)))
        written = written_by(run_dir, 1, on_disk)
        for _ in range(2):  # to settle them again changes nothing
            assert settle_rows(PLAN, Share("r", 1, 2), run_dir, EPOCH_NS, None) == N // 2
        rows = open_run(run_dir).requests.collect()
        assert Counts.of(rows).violations() == []
        assert row_violations(rows, N if is_other_there else N // 2) == []
        own = rows.filter(pl.col("worker") == 1)
        assert own["seq"].to_list() == lost.seq.tolist()
        assert own["sched"].dt.epoch("ns").to_list() == (lost.sched_ns + EPOCH_NS).tolist()
        assert_frame_equal(own.filter(pl.col("error") == "as it was"), written)


def test_what_was_due_when_the_worker_was_lost_is_unknown_and_what_was_due_later_was_not_sent(tmp_path: Path) -> None:
    manifest_of(PLAN.schedule.spans).write(tmp_path)
    written_by(tmp_path, 1, {0, 1, 3, 4})
    lost_ns = 2_600_000_000  # rows of worker 1 are due at 0.5 s, 1.5 s, 2.5 s, 3.5 s, 4.5 s and 5.5 s
    assert settle_rows(PLAN, Share("r", 1, 2), tmp_path, EPOCH_NS, lost_ns) == 3
    rows = open_run(tmp_path).requests.collect()
    assert rows["outcome"].to_list() == ["unknown"] * 3 + ["not_sent"] * 3
    assert rows["why_not_sent"].to_list() == [None] * 3 + ["run_ended"] * 3
    assert Counts.of(rows).violations() == []


def test_a_call_whose_worker_was_lost_was_waited_for_until_its_rows_end_and_no_longer(tmp_path: Path) -> None:
    target = {"kind": "serverless", "emulated": {"serverless": {}}}
    plan = make_plan(Scenario.model_validate(PLAN.scenario.model_dump(by_alias=True) | {"target": target}), Path())
    manifest_of(plan.schedule.spans).write(tmp_path)
    ledger = plan.ledger(plan.schedule.shard(1, 2), "r", EPOCH_NS)
    tracker = Tracker(ledger)
    for row, send_ns in ((0, 500_000_000), (1, 1_500_000_000)):
        tracker.sent(row, send_ns)
    tracker.answered(0, 1_600_000_000, Answered())
    PartWriter(tmp_path, "requests", 1).write(pl.concat(requests_frame(one) for one in ledger.take_all()))
    settle_rows(plan, Share("r", 1, 2), tmp_path, EPOCH_NS, 2_600_000_000)
    waited = open_run(tmp_path).requests.collect()[1]
    assert waited.select("outcome", "error").row(0) == ("transport_error", "unanswered when the run ended")
    assert (waited["ack"] - waited["send"]).to_list() == [timedelta(milliseconds=100)]
