"""Goal: AWS's clock is believed where it can be, corrected where it is a constant off, and doubted where it is neither.

Method: acknowledgements of 20 ms with `recv` in the middle, shifted; then the same through a whole run.
"""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs import Request, frames_of
from smbench.analysis.rows.clocks import Agreement, Clocks, compare_clocks
from smbench.results.manifest import ShardFacts

MS = 1_000_000
SEND = np.arange(0, 100_000 * MS, 1000 * MS, dtype=np.int64)  # a hundred
ACK = SEND + 20 * MS


def shifted(by_ms: int) -> Clocks:
    return compare_clocks(SEND, ACK, SEND + 10 * MS + by_ms * MS)


@pytest.mark.parametrize("by_ms", [-14, -3, 0, 3, 14])
def test_a_stamp_between_send_and_ack_is_agreement(by_ms: int) -> None:
    assert shifted(by_ms).agreement is Agreement.AGREE  # 5 ms beyond either end are forgiven
    assert shifted(by_ms).ours_ns(1_000 * MS) == 1_000 * MS


@pytest.mark.parametrize("by_ms", [-3_600_000, -120, 120, 2_000])
def test_a_constant_offset_is_found_and_taken_off(by_ms: int) -> None:
    clocks = shifted(by_ms)
    assert clocks.agreement is Agreement.OFFSET
    assert clocks.ours_ns(0) == -by_ms * MS
    assert clocks.violation_share == 0.0
    assert clocks.uncertainty_s == 0.01


def test_an_offset_that_wanders_is_no_offset() -> None:
    wandering = np.linspace(0, 2_000 * MS, len(SEND)).astype(np.int64)
    clocks = compare_clocks(SEND, ACK, SEND + wandering)
    assert clocks.agreement is Agreement.DISAGREE
    assert clocks.ours_ns(0) == 0
    assert clocks.violation_share > 0.9


@pytest.mark.slow
@given(st.floats(-1000, 1000).filter(lambda ppm: abs(ppm) > 2), st.integers(-5_000, 5_000))
def test_a_clock_that_runs_faster_is_found_and_its_stamps_are_ours_again(ppm: float, by_ms: int) -> None:
    middle = np.arange(0, 7_200_000 * MS, 60_000 * MS, dtype=np.int64)  # two hours, a request a minute
    ahead = np.rint(middle * ppm / 1e6).astype(np.int64) + by_ms * MS
    clocks = compare_clocks(middle - 10 * MS, middle + 10 * MS, middle + ahead)
    if clocks.agreement is Agreement.AGREE:
        assert np.abs(ahead).max() <= 15 * MS  # within send..ack, with what is forgiven
        return
    if clocks.agreement is Agreement.OFFSET:  # a constant explains it as well
        assert np.ptp(ahead) <= 31 * MS
        return
    assert clocks.agreement is Agreement.DRIFT
    assert clocks.drift == pytest.approx(ppm / 1e6, rel=1e-3)
    stamps = pl.DataFrame({"done_ns": middle + ahead})
    ours = stamps.select(clocks.ours("done_ns"))
    assert np.abs(ours["done_ns"].to_numpy() - middle).max() <= 2
    assert [clocks.ours_ns(int(one)) for one in stamps["done_ns"]] == ours["done_ns"].to_list()
    assert np.abs(ours.select(clocks.aws("done_ns"))["done_ns"].to_numpy() - stamps["done_ns"].to_numpy()).max() <= 2


def test_one_stray_stamp_in_a_hundred_is_no_disagreement() -> None:
    recv = SEND + 10 * MS
    recv[50] += 10_000 * MS
    assert compare_clocks(SEND, ACK, recv).agreement is Agreement.AGREE


def test_without_a_notice_nothing_is_known_of_the_clocks() -> None:
    nothing = np.empty(0, dtype=np.int64)
    assert compare_clocks(nothing, nothing, nothing) == Clocks(agreement=Agreement.UNKNOWN)


@pytest.mark.parametrize("by_s", [-3.0, -0.2, 0.2, 3.0])
def test_machines_whose_clocks_differ_have_the_true_latencies_and_one_time_line(by_s: float) -> None:
    # Even rows are of a machine whose clock is AWS's, odd ones of one that is `by_s` behind it.
    rows = []
    for n in range(40):
        due = float(n) - by_s * (n % 2)
        rows.append(Request(due, send=due, ack=due + 0.02, recv=n + 0.01, done=n + 1.5, seen=due + 1.6))
    found = (0.0, by_s)
    shards = [ShardFacts(shard=n, ending="finished", clock_offset_s=found[n], clock_uncertainty_s=0.01) for n in (0, 1)]
    frames = frames_of([replace(row, worker=n % 2) for n, row in enumerate(rows)], shards=shards)
    assert frames.clocks.agreement is Agreement.AGREE
    assert frames.requests["sched_ns"].to_list() == [n * 1000 * MS for n in range(40)]
    assert frames.requests["sojourn_ns"].to_list() == [1_500 * MS] * 40
    alone = frames_of([replace(row, worker=n % 2) for n, row in enumerate(rows)])
    assert alone.clocks.agreement is Agreement.DISAGREE


def test_a_difference_within_what_can_be_known_moves_nothing() -> None:
    rows = [Request(float(n), send=n, ack=n + 0.02, recv=n + 0.01, done=n + 1.5) for n in range(20)]
    found = (0.0, 0.019)
    shards = [ShardFacts(shard=n, ending="finished", clock_offset_s=found[n], clock_uncertainty_s=0.01) for n in (0, 1)]
    frames = frames_of([replace(row, worker=n % 2) for n, row in enumerate(rows)], shards=shards)
    assert frames.requests["sched_ns"].to_list() == [n * 1000 * MS for n in range(20)]


def test_latencies_of_a_run_with_a_skewed_clock_are_the_true_ones() -> None:
    # AWS is 2 s ahead: received at 0.01 by our clock, 2.01 by its own; done 1.5 s after that.
    rows = [Request(float(due), send=due, ack=due + 0.02, recv=due + 2.01, done=due + 3.51) for due in range(20)]
    frames = frames_of(rows)
    assert frames.clocks.agreement is Agreement.OFFSET
    assert frames.requests["sojourn_ns"].to_list() == [1_510 * MS] * 20
    assert frames.requests["service_view_ns"].to_list() == [1_500 * MS] * 20  # one clock: no offset in it
    # seen is ours, stamped with `done` as AWS wrote it, and so is pub: 2 s later by our clock
    assert frames.requests["hearing_ns"].to_list() == [2_000 * MS] * 20
    assert frames.requests["observer_lag_ns"].to_list() == [2_000 * MS] * 20
    assert frames.requests["notification_ns"].to_list() == [0] * 20  # both AWS's


def test_retried_and_unanswered_submissions_say_nothing_of_the_clocks() -> None:
    rows = [Request(0.0, done=1.0, attempts=2), Request(0.0, done=1.0, changes={"status_code": None})]
    assert frames_of(rows).clocks.agreement is Agreement.UNKNOWN
