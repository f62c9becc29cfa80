"""A real-time endpoint: its callers wait, for so long and in such numbers, and then have an answer of some kind."""

from functools import partial
from typing import Any

import numpy as np
import pytest

from modelling import SECOND, Stand
from smbench.model.endpoints.answers import called
from smbench.model.endpoints.endpoint import CONTAINER_ERROR, INSTANCE_LOST, OVERLOADED, TIMEOUT
from smbench.model.endpoints.streaming import Streamed
from smbench.model.service import Seeds
from smbench.records import Outcome
from theory import ddc_burst_sojourns_s, mmc_sojourn_quantile_s, mmc_wait_mean_s

LIMIT_S = 60.0


def realtime(n: int = 1, **changes: Any) -> Stand:
    return Stand(n, is_synchronous=True, **changes)


def call(stand: Stand, n: int = 1) -> None:
    stand.arrive(n, ttl_s=LIMIT_S, timeout_s=LIMIT_S)


def fates(stand: Stand) -> list[tuple[float, str]]:
    """When each call was over and why, by index; no reason where it completed."""
    return [(end.done_ns / SECOND, end.reason) for end in sorted(stand.ends, key=lambda end: end.job.index)]


def test_a_burst_is_answered_in_rounds() -> None:
    stand = realtime(2, instances={"min": 2, "concurrency": 3}, service="2s")
    call(stand, 20)
    stand.go_to(100)
    assert list(stand.dones_s().values()) == ddc_burst_sojourns_s(20, 6, 2.0)


@pytest.mark.parametrize("work_s", [25, 35])
def test_the_limit_covers_the_wait_and_the_work_together(work_s: int) -> None:
    stand = realtime(service=f"{work_s}s")
    call(stand, 3)
    stand.go_to(200)
    if work_s == 25:  # the second ends after 50 s, the third is at work when its 60 s are over
        assert fates(stand) == [(25, ""), (50, ""), (60, TIMEOUT)]
        assert stand.ended(2).start_ns == 50 * SECOND
    else:  # the third never began
        assert fates(stand) == [(35, ""), (60, TIMEOUT), (60, TIMEOUT)]
        assert stand.ended(2).start_ns is None
    assert {end.outcome for end in stand.ends} == {Outcome.COMPLETED, Outcome.FAILED}


def test_a_time_out_frees_the_slot() -> None:
    stand = realtime(service="70s")
    call(stand)
    stand.go_to(61)
    call(stand)
    stand.go_to(300)
    assert fates(stand) == [(60, TIMEOUT), (121, TIMEOUT)]


def test_beyond_the_bound_of_those_who_wait_a_call_is_answered_at_once() -> None:
    stand = realtime(waiting=2, service="10s")
    call(stand, 5)
    assert fates(stand) == [(0, OVERLOADED), (0, OVERLOADED)]
    stand.go_to(100)
    assert fates(stand) == [(10, ""), (20, ""), (30, ""), (0, OVERLOADED), (0, OVERLOADED)]
    endpoint = stand.endpoint
    assert (endpoint.accepted, endpoint.queued, endpoint.running, endpoint.ended) == (5, 0, 0, 5)


def test_nobody_waits_where_the_bound_is_nothing() -> None:
    stand = realtime(waiting=0)
    call(stand, 2)
    stand.go_to(10)
    assert fates(stand) == [(1, ""), (0, OVERLOADED)]


def test_a_call_whose_instance_dies_is_over() -> None:
    stand = realtime(service="50s", faults={"instance_life": "20s"})
    call(stand)
    stand.go_to(30)
    assert fates(stand) == [(20, INSTANCE_LOST)]


def test_a_container_that_fails_has_done_its_work() -> None:
    stand = realtime(faults={"container_errors": 1.0})
    call(stand)
    stand.go_to(10)
    assert fates(stand) == [(1, CONTAINER_ERROR)]


def test_its_metrics_are_those_of_a_synchronous_endpoint() -> None:
    stand = realtime(service="10s")
    call(stand, 8)
    stand.go_to(121)
    assert {metric.name for metric, _ in stand.metrics.history()} == {
        *("Invocations", "InvocationsPerInstance", "ModelLatency", "OverheadLatency", "InvocationModelErrors"),
        *("CPUUtilization", "ConcurrentRequestsPerModel"),
    }

    def sums(name: str) -> list[float]:
        return [point.value("Sum") for point in stand.points(name) if point.value("SampleCount")]

    assert sum(sums("Invocations")) == 8
    assert sum(sums("InvocationModelErrors")) == 2  # of eight calls of 10 s, two are not over after 60 s
    assert sums("ModelLatency") == pytest.approx([50e6, 10e6])  # the sixth ends with the first minute
    assert sum(sums("OverheadLatency")) == pytest.approx((0 + 10 + 20 + 30 + 40 + 50) * 1e6)


def streamed(stand: Stand, n: int, gaps_s: list[float]) -> list[tuple[int, float]]:
    """Calls for a stream at once; the parts before each end, by call and instant, as they come."""
    came: list[tuple[int, float]] = []

    def note(index: int, place: int) -> None:
        del place
        came.append((index, stand.event_queue.now_ns / SECOND))

    for index in range(n):
        parts = Streamed(gaps_s, partial(note, index))
        stand.endpoint.arrive(called(index, f"id-{index}", stand.event_queue.now_ns, None, parts))
    return came


def test_parts_come_when_the_work_is_done_and_then_by_their_gaps_and_the_last_ends_the_call() -> None:
    stand = realtime(service="2s")
    came = streamed(stand, 2, [1.0, 3.0])
    stand.go_to(100)
    assert came == [(0, 2.0), (0, 3.0), (1, 8.0), (1, 9.0)]
    assert fates(stand) == [(6.0, ""), (12.0, "")]


def test_parts_of_one_instant_come_with_the_end_and_slow_instances_space_them_wider() -> None:
    stand = realtime(service="2s", host_speeds=[0.5])
    came = streamed(stand, 1, [0.5, 0.0])
    stand.go_to(100)
    assert came == [(0, 4.0)]
    assert fates(stand) == [(5.0, "")]


def test_streams_have_metrics_of_their_first_part_and_of_those_that_broke() -> None:
    stand = realtime(service="10s")
    streamed(stand, 2, [400.0])
    stand.go_to(601)
    sums = {metric.name: point.value("Sum") for metric, point in stand.metrics.history()}
    assert fates(stand) == [(410.0, ""), (480.0, TIMEOUT)]
    assert sums["FirstChunkLatency"] == pytest.approx(420e6)  # the second, which waited for the first
    assert (sums["FirstChunkModelLatency"], sums["FirstChunkOverheadLatency"]) == pytest.approx((10e6, 410e6))
    assert sums["MidStreamErrors"] == 1


def test_invocations_per_instance_are_those_of_a_minute_over_the_instances_there_are() -> None:
    stand = realtime(4, instances={"min": 4, "max": 4, "concurrency": 2}, service="1s")
    call(stand, 6)
    stand.go_to(121)
    minute, idle = stand.points("InvocationsPerInstance")
    # A synchronous endpoint on instances publishes zeros while idle, or no policy could scale it in then.
    assert (idle.value("Sum"), idle.value("SampleCount")) == (0, 1)
    assert minute.value("Sum") == pytest.approx(6 / 4)


@pytest.mark.slow  # 8 times 10,000 calls
def test_waits_of_mmc_are_those_of_erlang_c() -> None:
    means_s, medians_s = [], []
    for seed in range(8):
        stand = realtime(
            instances={"min": 1, "concurrency": 4}, service={"exponential": {"mean": "1s"}}, seeds=Seeds(service=seed)
        )
        for gap_s in np.random.default_rng(seed).exponential(1 / 3.2, 10_000):
            stand.event_queue.advance(stand.event_queue.now_ns + round(gap_s * SECOND))
            call(stand)
        stand.event_queue.advance(stand.event_queue.now_ns + 100 * SECOND)
        sojourns_s = np.array([end.done_ns - end.job.recv_ns for end in stand.ends]) / SECOND
        means_s.append(float(sojourns_s.mean()))
        medians_s.append(float(np.median(sojourns_s)))
    for found, expected_s in (
        (means_s, 1.0 + mmc_wait_mean_s(4, 3.2, 1.0)),
        (medians_s, mmc_sojourn_quantile_s(4, 3.2, 1.0, 0.5)),
    ):
        error_s = np.std(found, ddof=1) / np.sqrt(len(found))
        assert abs(np.mean(found) - expected_s) < 5 * error_s
        assert np.mean(found) == pytest.approx(expected_s, rel=0.06)
