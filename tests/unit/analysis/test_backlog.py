"""Goal: the backlog is #{received <= t} - #{ended <= t}, and its area is the time spent in the system, exactly.

Method: D/D/1, whose backlog is arithmetic; ties and open requests by hand; then random stays.
"""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runs import Request, frames_of
from smbench.analysis.rows.backlog import Backlog, backlog, time_in_system_ns
from smbench.analysis.rows.frames import Frames
from smbench.records import Outcome

S = 1_000_000_000


def curve(frames: Frames) -> Backlog:
    return backlog(frames.requests, frames.end_ns)


def stays(*pairs: tuple[int, int | None]) -> pl.DataFrame:
    columns = {"accepted": pl.Boolean, "recv_ns": pl.Int64, "send_ns": pl.Int64, "done_ns": pl.Int64}
    return pl.DataFrame([(True, recv, recv, done) for recv, done in pairs], schema=columns, orient="row")


def test_an_overloaded_server_grows_its_backlog_by_half() -> None:
    # D/D/1: arrivals at 0, 1, .., 9 s, service 2 s: the k-th ends at 2 (k + 1).
    frames = frames_of([Request(float(k), done=2.0 * (k + 1)) for k in range(10)])
    assert curve(frames).peak() == (6, 9 * S)  # at 9 s all ten have come, those ending at 2, 4, 6, 8 have gone
    assert curve(frames).at_ns.tolist()[:4] == [0, 1 * S, 2 * S, 3 * S]
    assert curve(frames).backlog.tolist()[:4] == [1, 2, 2, 3]  # at 2 s one comes and one goes
    assert curve(frames).backlog[-1] == 0
    # Sum of stays: 2 (k + 1) - k = k + 2, over k: 45 + 20 = 65.
    assert curve(frames).area_ns() == time_in_system_ns(frames.requests, frames.end_ns) == 65 * S


def test_one_comes_as_another_goes_and_the_backlog_stays_one() -> None:
    frames = frames_of([Request(float(k), done=k + 1.0) for k in range(5)])
    assert curve(frames).peak() == (1, 0)


def test_what_never_ended_stays_until_the_run_is_over() -> None:
    frames = frames_of([Request(0.0, Outcome.PENDING), Request(0.0, Outcome.LOST), Request(1.0, done=10.0)])
    assert curve(frames).backlog.tolist() == [2, 3, 2]
    assert curve(frames).area_ns() == time_in_system_ns(frames.requests, frames.end_ns) == (10 + 10 + 9) * S


def test_refused_and_unsent_requests_are_never_in_the_backlog() -> None:
    rows = [Request(0.0, Outcome.REJECTED), Request(0.0, Outcome.TRANSPORT_ERROR), Request(0.0, Outcome.NOT_SENT)]
    frames = frames_of(rows)
    assert curve(frames).peak() == (0, None)
    assert curve(frames).area_ns() == 0


def test_instants_may_be_left_out_of_the_peak() -> None:
    frames = frames_of([Request(0.0, done=5.0), Request(1.0, done=5.0), Request(6.0, done=7.0)])
    whole = curve(frames)
    assert whole.peak() == (2, 1 * S)
    assert whole.peak([(0, 5 * S)]) == (1, 6 * S)
    # Two are there when the span is over, though nothing changes then.
    assert whole.peak([(0, 4 * S)]) == (2, 4 * S)
    assert whole.peak([(0, 2 * S), (2 * S, 4 * S)]) == (2, 4 * S)
    assert whole.peak([(0, 7 * S)]) == (0, None)


def test_averages_over_windows_are_time_averages() -> None:
    whole = backlog(stays((0, 30 * S), (0, 60 * S)), 120 * S)  # 2 for half a minute, 1 for the other, then none
    assert whole.means(np.array([-60 * S, 0, 30 * S, 60 * S]), 60 * S).tolist() == [0.0, 1.5, 0.5, 0.0]
    assert backlog(stays(), 60 * S).means(np.array([0]), 60 * S).tolist() == [0.0]


def test_areas_beyond_64_bits_are_exact() -> None:
    # 2,000 requests for a year each: 6.3e19 ns, above 2**63.
    year_ns = 365 * 86_400 * S
    rows = stays(*((k, year_ns + k) for k in range(2_000)))
    assert backlog(rows, year_ns).area_ns() == time_in_system_ns(rows, year_ns) == 2_000 * year_ns


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 10**12), st.none() | st.integers(0, 10**12)), max_size=40),
    st.integers(0, 10**12),
)
def test_littles_law_holds_exactly_on_every_path(pairs: list[tuple[int, int | None]], end_ns: int) -> None:
    rows = stays(*((recv, None if wait is None else recv + wait) for recv, wait in pairs))
    whole = backlog(rows, end_ns)
    assert whole.area_ns() == time_in_system_ns(rows, end_ns)
    assert (whole.backlog >= 0).all()
