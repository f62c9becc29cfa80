"""Goal: while a run goes on, its thresholds are shown with what is certain of them, and certain news is told once."""

import io
from dataclasses import replace

import pytest

from live_story import HEADER
from smbench.analysis.verdict.early_verdict import ThresholdSoFar
from smbench.records import Stage
from smbench.snapshot import Snapshot
from smbench.view.live.plain_lines import PlainView
from smbench.view.live.screen import render
from smbench.view.live.state import LiveState

OPEN = ThresholdSoFar("p95 < 8m", "~3.10 s", None)
MISSED = ThresholdSoFar("failed == 0", "2", verdict=False)
MET = ThresholdSoFar("completed >= 10", "12", verdict=True)


def state(*judged: ThresholdSoFar) -> LiveState:
    made = LiveState(HEADER)
    made.update([Snapshot(0, 10**9, 1.0, Stage.SENDING, n_sent=5)])
    made.judged = judged
    return made


def test_a_log_tells_a_verdict_once_and_nothing_of_what_is_open() -> None:
    stream = io.StringIO()
    with PlainView(stream, now_ns=lambda: 0) as view:
        view.show(state(OPEN, replace(MISSED, verdict=None)))
        view.show(state(OPEN, MISSED))
        view.show(state(OPEN, MISSED))
    told = [line for line in stream.getvalue().splitlines() if "threshold" in line]
    assert told == ["00:00:01 threshold missed for certain: failed == 0 (2 so far)"]


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
def test_the_screen_has_every_threshold_in_a_row_the_missed_first(size: tuple[int, int]) -> None:
    lines = [line.plain for line in render(state(OPEN, MET, MISSED), *size).lines]
    (row,) = [line for line in lines if line.startswith(" Thresholds")]
    assert row[12:].startswith("failed == 0 missed 2")
    assert "p95 < 8m ~3.10 s" in row
    assert "completed >= 10 met 12" in row


def test_a_run_without_thresholds_has_no_row_for_them() -> None:
    assert not any(line.plain.startswith(" Thresholds") for line in render(state(), 80, 24).lines)
