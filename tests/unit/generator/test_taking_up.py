"""A share of a run that was killed, put back from its files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smbench.generator import taking_up
from smbench.generator.plan import RunPlan, make_plan
from smbench.generator.shares import Share
from smbench.generator.taking_up import put_back
from smbench.generator.tracking.rows import requests_frame
from smbench.generator.tracking.tracker import Tracker
from smbench.records import Accepted, NotSent
from smbench.results.store import PartWriter
from smbench.scenario.model import Scenario

EPOCH_NS = 1_795_251_600 * 10**9
WRITTEN = [0, 1, 2, 5, 9, 10, 11]  # rows of which there is a file


@pytest.fixture
def plan(tmp_path: Path) -> RunPlan:
    emulated = {"instances": {"min": 1, "max": 1}, "service": {"constant": "1s"}}
    load = [{"constant": {"rate": "1/s", "for": "25s"}}]
    return make_plan(
        Scenario.model_validate({"name": "left", "target": {"emulated": emulated}, "load": load}), tmp_path
    )


def left_behind(plan: RunPlan, share: Share, run_dir: Path) -> None:
    """The files of a worker that was killed."""
    ledger = plan.ledger(plan.schedule.shard(share.worker, share.of), share.run_id, EPOCH_NS)
    tracker = Tracker(ledger)
    for row in (0, 5, 10):
        tracker.sent(row, row * 10**9)
        tracker.accepted(row, row * 10**9 + 10**6, Accepted(f"s3://b/{row}.out", f"s3://b/{row}.err", 202))
    tracker.not_sent(11, NotSent.IN_FLIGHT_LIMIT)
    for row in WRITTEN:
        ledger.changed(row)
    for versions in ledger.take_changed():
        PartWriter(run_dir, "requests", share.worker).write(requests_frame(versions))


@pytest.mark.slow
@pytest.mark.parametrize("of", [1, 2])
def test_rows_are_put_back_alike_in_lots_of_any_size(
    plan: RunPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of: int
) -> None:
    share = Share("run", of - 1, of)
    left_behind(plan, share, tmp_path)

    def columns(at_once: int) -> dict[str, Any]:
        monkeypatch.setattr(taking_up, "_ROWS_AT_ONCE", at_once)
        ledger = put_back(plan, share, tmp_path, EPOCH_NS)
        missing = [row for row in range(ledger.n) if row not in WRITTEN]
        assert np.flatnonzero(np.asarray(ledger.is_changed)).tolist() == missing
        places = [(ledger.locations.output(row), ledger.locations.failure(row)) for row in range(ledger.n)]
        held = [bytes(ledger.state), *(list(of) for of in (ledger.send_ns, ledger.ack_ns, ledger.attempts))]
        return {"places": places, "held": held}

    at_once = columns(1_000)
    assert at_once["places"][5] == ("s3://b/5.out", "s3://b/5.err")
    assert all(columns(n) == at_once for n in (1, 3, 4, 13))
