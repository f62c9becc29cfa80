"""Goal: what pictures are drawn from says the same as the figures, and depends on nothing but the rows.

Method: laws that tie a stretch's counts and percentiles to those of the whole, hypothesis where there is an order;
runs by hand for what is seen only there: a stall of the generator, a clock ahead, requests without an end.
"""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from runs import Request, frames_of, reading, span, sure
from smbench.analysis.capacity.instances import capacity
from smbench.analysis.latency.over_time import (
    FROM_SCHEDULE,
    FROM_SEND,
    clock_over_time,
    counts,
    highest,
    lag_over_time,
    percentile_curve,
    percentiles_over_time,
    points,
    sending,
    stretches,
    unserved_share,
)
from smbench.analysis.numbers.bounds import PERCENTILES
from smbench.analysis.rows.backlog import Backlog, backlog
from smbench.analysis.rows.frames import Frames
from smbench.analysis.summary import summarise
from smbench.records import Outcome

S = 1_000_000_000

ends = st.sampled_from([Outcome.COMPLETED, Outcome.COMPLETED, Outcome.FAILED, Outcome.PENDING])
rows_of_any_end = st.lists(st.tuples(st.integers(0, 60_000), st.integers(1, 90_000), ends), min_size=1, max_size=60)


def frames_from(drawn: list[tuple[int, int, Outcome]]) -> Frames:
    """Rows with instants in milliseconds; a pending one never ends."""
    rows = [
        Request(at / 1e3, end, done=None if end is Outcome.PENDING else (at + took) / 1e3) for at, took, end in drawn
    ]
    return frames_of(rows, spans=[span(len(rows), end_s=60.0)])


# ---- stretches ------------------------------------------------------------------------------------------------


@pytest.mark.slow
@given(start_ns=st.integers(0, 10**15), length_ns=st.integers(0, 10**15), n_max=st.integers(1, 500))
def test_stretches_cover_all_and_are_no_more_than_asked(start_ns: int, length_ns: int, n_max: int) -> None:
    over = stretches(start_ns, start_ns + length_ns, n_max)
    assert over.n * over.length_ns >= length_ns
    assert 1 <= over.n <= n_max
    assert (over.n - 1) * over.length_ns <= max(length_ns - 1, 0)  # the last one is needed


@pytest.mark.parametrize(("span_s", "length_s"), [(10, 0.05), (240, 1.0), (241, 2.0), (3600, 15.0), (86_400, 600.0)])
def test_a_stretch_has_a_length_that_a_person_would_choose(span_s: int, length_s: float) -> None:
    assert stretches(0, span_s * S).length_s == length_s


@pytest.mark.slow
@given(drawn=rows_of_any_end)
def test_every_instant_is_counted_once(drawn: list[tuple[int, int, Outcome]]) -> None:
    frames = frames_from(drawn)
    over = stretches(*sending(frames), 7)
    assert counts(frames.requests, "sched_ns", over).sum() == frames.requests.height
    assert counts(frames.requests, "done_ns", over).sum() == frames.requests["done_ns"].count()


# ---- percentiles ----------------------------------------------------------------------------------------------


@pytest.mark.slow
@given(drawn=rows_of_any_end)
def test_one_stretch_has_the_percentiles_of_the_run(drawn: list[tuple[int, int, Outcome]]) -> None:
    frames = frames_from(drawn)
    whole = stretches(0, 60 * S, 1)
    spread = summarise(frames).sojourn
    for name in ("p50", "p90", "p95", "p99", "max"):
        told = spread.percentile(name)
        (row,) = percentiles_over_time(frames, FROM_SCHEDULE, whole, (PERCENTILES[name],)).to_dicts()
        assert told is not None
        assert row["n"] == spread.n
        assert row["is_bound"] == (told.high is None)
        if told.value is not None:
            assert row["value_s"] == pytest.approx(told.value)


@pytest.mark.slow
@given(drawn=rows_of_any_end)
def test_a_curve_rises_and_ends_where_requests_have_no_end(drawn: list[tuple[int, int, Outcome]]) -> None:
    frames = frames_from(drawn)
    curve = percentile_curve(frames, FROM_SCHEDULE)
    assert curve["share"].is_sorted()
    assert curve["value_s"].is_sorted()
    assert not curve["is_bound"][:-1].any()
    n_completed = sum(end is Outcome.COMPLETED for *_, end in drawn)
    assert curve["is_bound"][-1] == (n_completed < len(drawn))


def test_the_curve_of_ten_by_hand() -> None:
    # 1..10 s, all sent at once: 90 % were faster than the slowest, 10 s.
    curve = percentile_curve(frames_of([Request(0.0, done=float(k)) for k in range(1, 11)]), FROM_SCHEDULE)
    assert curve.row(-1) == (0.9, 10.0, False)
    assert curve.row(0) == (0.0, 1.0, False)


def test_a_generators_stall_shows_from_the_schedule_and_not_from_the_send() -> None:
    # Due 0.1 s apart, served in 1 s each; those due in the stall from 3.0 s all leave at 4.4 s.
    rows = []
    for k in range(100):
        send = 4.4 if 3.0 <= 0.1 * k < 4.4 else 0.1 * k
        rows.append(Request(0.1 * k, send=send, done=send + 1.0))
    frames = frames_of(rows)
    over = stretches(0, 10 * S, 10)
    from_schedule, from_send = (
        percentiles_over_time(frames, age, over, (1.0,))["value_s"].to_numpy() for age in (FROM_SCHEDULE, FROM_SEND)
    )
    assert from_send == pytest.approx(np.full(10, 1.0))
    assert from_schedule[3] == pytest.approx(2.4)
    assert lag_over_time(frames, over)["max_s"].max() == pytest.approx(1.4)


def test_points_tell_how_each_request_ended() -> None:
    rows = [
        Request(0.0, done=2.0),
        Request(1.0, Outcome.FAILED, done=4.0, error="ModelError"),
        Request(2.0, Outcome.PENDING),
        Request(3.0, Outcome.REJECTED, error="ThrottlingException"),
    ]
    assert points(frames_of(rows)).rows() == [
        (0.0, 2.0, "completed"),
        (1.0, 3.0, "failed or expired"),
        (2.0, 2.0, "no end yet"),  # the run was over at 4 s
    ]


# ---- clocks, backlog, capacity --------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead_s", [-0.5, 0.0, 0.5])
def test_the_clocks_offset_lies_within_its_error_bars(ahead_s: float) -> None:
    rows = [
        Request(float(k), ack=k + 0.02, recv=k + 0.003 * (k % 6) + ahead_s, done=k + 5 + ahead_s) for k in range(60)
    ]
    found = clock_over_time(frames_of(rows), stretches(0, 60 * S, 6))
    assert found["n"].to_list() == [10] * 6
    error = (found["offset_s"] - ahead_s).abs()
    assert (error <= found["error_s"]).all()
    assert found["error_s"].max() == pytest.approx(0.01)  # half the time of an answer


@pytest.mark.slow
@given(drawn=rows_of_any_end)
def test_the_highest_of_all_stretches_is_the_peak(drawn: list[tuple[int, int, Outcome]]) -> None:
    frames = frames_from(drawn)
    curve = backlog(frames.requests, frames.end_ns)
    assert highest(curve, stretches(0, max(frames.end_ns, 1), 5)).max() == curve.peak()[0]


def test_a_backlog_that_stands_is_seen_in_every_stretch() -> None:
    curve = Backlog(np.array([5 * S]), np.array([3]), 40 * S)
    assert highest(curve, stretches(0, 40 * S, 4)).tolist() == [3, 3, 3, 3]
    assert highest(Backlog(np.array([], np.int64), np.array([], np.int64), 0), stretches(0, S, 2)).tolist() == [0, 0]


def test_waiting_without_instances_is_that_share_of_all_waiting() -> None:
    # In the system from 0 to 100 s and from 50 to 150 s, an instance from 100 s: 100 + 50 of 200 s without.
    told = [reading("instances_current", count, at) for at, count in ((0.0, 0.0), (100.0, 1.0), (200.0, 1.0))]
    frames = frames_of([Request(0.0, done=100.0), Request(50.0, done=150.0)], readings=told)
    served = sure(capacity(frames))
    began_s = served.at_ns[1] / 1e9  # halfway between the looks
    assert unserved_share(frames, served) == pytest.approx((began_s + max(0, began_s - 50)) / 200)


@pytest.mark.slow
@given(drawn=rows_of_any_end, seed=st.integers(0, 2**32))
def test_the_order_of_rows_is_of_no_consequence(drawn: list[tuple[int, int, Outcome]], seed: int) -> None:
    frames = frames_from(drawn)
    shuffled = Frames(
        frames.manifest,
        frames.requests.sample(fraction=1.0, shuffle=True, seed=seed),
        frames.readings,
        frames.events,
        frames.clocks,
        frames.spans,
        frames.end_ns,
    )
    over = stretches(*sending(frames), 7)
    for one in (
        lambda of: percentiles_over_time(of, FROM_SCHEDULE, over, (0.5, 0.95)),
        lambda of: percentile_curve(of, FROM_SEND),
        lambda of: lag_over_time(of, over),
        lambda of: clock_over_time(of, over),
        points,
    ):
        assert_frame_equal(one(frames), one(shuffled))


def test_warm_ups_are_left_out_of_latency_and_kept_in_what_was_sent() -> None:
    warm = [Request(float(k), done=k + 50.0, phase="warm", warmup=True) for k in range(5)]
    rows = [*warm, *(Request(10.0 + k, done=11.0 + k) for k in range(5))]
    frames = frames_of(rows, spans=[span(5, name="warm", warmup=True), span(5, start_s=10.0, end_s=20.0, first_seq=5)])
    assert points(frames)["value_s"].max() == 1.0
    assert counts(frames.requests, "send_ns", stretches(0, 20 * S, 1)).sum() == 10
    assert percentile_curve(frames, FROM_SCHEDULE).filter(pl.col("value_s") > 1).height == 0


def test_a_call_without_an_answer_is_in_every_picture_of_latency_as_it_is_in_the_figures() -> None:
    rows = [Request(float(n), done=n + 1.0, end_from="answer", status_code=200) for n in range(90)]
    rows += [Request(float(n), Outcome.TRANSPORT_ERROR, ack=n + 70.0, error="read timeout") for n in range(90, 100)]
    frames = frames_of(rows, spans=[span(100, end_s=100.0)], target={"kind": "realtime"})
    summary = summarise(frames)
    curve = percentile_curve(frames, FROM_SCHEDULE).filter("is_bound")
    assert curve.select("share", "value_s").row(0) == (0.9, 70.0)
    drawn = percentiles_over_time(frames, FROM_SCHEDULE, stretches(0, 100 * S, 1), (0.95,))
    assert drawn.select("n", "value_s", "is_bound").row(0) == (100, 70.0, True)
    assert points(frames)["ended"].value_counts(name="n").sort("n").rows() == [("no end yet", 10), ("completed", 90)]
    assert [one.outcome for one in summary.slowest] == ["transport_error"] * 10
    assert all(getattr(one, "high_s", None) is None for one in summary.intervals.values())
