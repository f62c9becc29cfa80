"""Goal: a worker that died before it wrote its rows leaves a ledger that adds up. Method: parts written as far as a
worker came, by hypothesis; the rest written by the parent."""

from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from runs import EPOCH_NS, manifest_of
from smbench.generator.plan import make_plan
from smbench.generator.rows import requests_frame
from smbench.processes.leftovers import write_missing_rows
from smbench.results.law import Counts, row_violations
from smbench.results.store import PartWriter, open_run
from smbench.scenario.model import Scenario
from smbench.schedule.base import Shard

pytestmark = pytest.mark.slow

N = 12
PLAN = make_plan(Scenario.model_validate({"name": "x", "load": [{"constant": {"rate": 2, "for": 6}}]}), Path())


def first_versions(shard: Shard) -> pl.DataFrame:
    return pl.concat(requests_frame(versions) for versions in PLAN.ledger(shard, "r", EPOCH_NS).take_all())


@settings(max_examples=25)  # each writes and reads files
@given(st.sets(st.integers(0, N // 2 - 1)), st.booleans())
def test_rows_of_which_nothing_is_on_disk_are_written_as_never_sent(on_disk: set[int], is_other_there: bool) -> None:
    lost, other = (PLAN.schedule.shard(index, 2) for index in (1, 0))
    with TemporaryDirectory() as folder:
        run_dir = Path(folder)
        manifest_of(PLAN.schedule.spans).write(run_dir)
        if is_other_there:
            PartWriter(run_dir, "requests", 0).write(first_versions(other))
        written = first_versions(lost)[sorted(on_disk)]
        written = written.with_columns(pl.lit("as it was").alias("error"))
        if on_disk:
            PartWriter(run_dir, "requests", 1).write(written)
        assert write_missing_rows(PLAN, lost, run_dir, "r", EPOCH_NS) == N // 2 - len(on_disk)
        assert write_missing_rows(PLAN, lost, run_dir, "r", EPOCH_NS) == 0
        rows = open_run(run_dir).requests.collect()
        assert Counts.of(rows).violations() == []
        assert row_violations(rows, N if is_other_there else N // 2) == []
        own = rows.filter(pl.col("worker") == 1)
        assert own["seq"].to_list() == lost.seq.tolist()
        assert own["sched"].dt.epoch("ns").to_list() == (lost.sched_ns + EPOCH_NS).tolist()
        assert_frame_equal(own.filter(pl.col("error") == "as it was"), written)
