"""Goal: of several workers the slow one is named. Method: one slow snapshot among several, the remarks in words."""

from dataclasses import replace
from typing import Any

import pytest

from histograms import record
from live_story import HEADER
from smbench.clock import TimeKind
from smbench.records import Stage
from smbench.snapshot import LogHistogram, Snapshot
from smbench.view.live.sentences import remarks
from smbench.view.live.state import LiveState


def late(*lags_s: float) -> LogHistogram:
    return record(LogHistogram(), *lags_s)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"cpu_share": 0.99}, "worker 1 uses 99 % of its core"),
        ({"loop_lag_max_s": 0.8}, "worker 1 stalled for 800 ms"),
        ({"schedule_lag": late(9.0, 9.0)}, "requests go out late, most of all those of worker 1, p99 "),
    ],
)
def test_the_worker_that_is_slow_is_named(facts: dict[str, Any], words: str) -> None:
    state = LiveState(replace(HEADER, time_kind=TimeKind.REAL))
    state.update([Snapshot(0, 1, 1.0, Stage.SENDING), Snapshot(1, 1, 1.0, Stage.SENDING, **facts)])
    assert any(words in remark.seen for remark in remarks(state)), remarks(state)
