"""The faults at the front: shares as asked, the same for ever from a seed, and none moved by another.

Method: decisions over many indices; a binomial share within five standard deviations of what was asked.
"""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smbench.emulator.faults import Decision, Draws, FaultKind, InvocationFaults, TokenBucket
from smbench.scenario.faults import Delayed, Throttle
from smbench.scenario.faults import Faults as Settings
from smbench.scenario.values.distributions import Distribution
from smbench.scenario.values.seeds import stream

S = 1_000_000_000
N = 20_000
SHARE = {
    FaultKind.RESET: "resets",
    FaultKind.THROTTLED: "throttled",
    FaultKind.SERVER_ERROR: "server_errors",
    FaultKind.LOST_REPLY: "lost_replies",
}


def decided(settings: Settings, n: int = N, seed: int = 1) -> list[Decision]:
    faults = InvocationFaults(settings, seed)
    return [faults.decide(index, index) for index in range(n)]


def slow(share: float) -> Delayed:
    return Delayed(share=share, delay=Distribution.model_validate({"exponential": {"mean": "2s"}}))


@given(st.lists(st.integers(0, 40_000), max_size=60))
def test_a_draw_is_the_same_whatever_was_asked_before(indices: list[int]) -> None:
    in_order = stream(1, "some").random(41_000)
    draws = Draws(stream(1, "some"))
    assert [draws[index] for index in indices] == [in_order[index] for index in indices]


def test_without_faults_nothing_happens() -> None:
    assert set(decided(Settings(), 100)) == {Decision(FaultKind.NONE)}


@pytest.mark.parametrize(("kind", "name"), SHARE.items())
def test_a_fault_strikes_as_often_as_asked(kind: FaultKind, name: str) -> None:
    share = 0.03
    n_struck = sum(decision.kind is kind for decision in decided(Settings(**{name: share})))
    assert abs(n_struck - N * share) < 5 * math.sqrt(N * share * (1 - share))


def test_one_fault_more_moves_no_other() -> None:
    alone = decided(Settings(resets=0.05))
    together = decided(
        Settings(resets=0.05, throttled=0.3, server_errors=0.3, lost_replies=0.3, slow_answers=slow(0.3))
    )
    resets = [index for index, decision in enumerate(alone) if decision.kind is FaultKind.RESET]
    assert resets == [index for index, decision in enumerate(together) if decision.kind is FaultKind.RESET]


def test_faults_strike_independently() -> None:
    decisions = decided(Settings(resets=0.5, throttled=0.5))
    n_throttled = sum(decision.kind is FaultKind.THROTTLED for decision in decisions)
    assert abs(n_throttled - N / 4) < 5 * math.sqrt(N * 0.25 * 0.75)  # not reset, and then thrown the other coin


def test_a_decision_depends_on_seed_and_index_alone() -> None:
    settings = Settings(resets=0.1, server_errors=0.1, slow_answers=slow(0.5))
    expected = decided(settings, 3000)
    backwards = InvocationFaults(settings, 1)
    assert [backwards.decide(index, 0) for index in reversed(range(3000))] == expected[::-1]
    assert decided(settings, 3000, seed=2) != expected


def test_what_was_refused_was_not_taken() -> None:
    statuses = {decision.status for decision in decided(Settings(server_errors=1.0), 100)}
    assert statuses == {500, 503}
    assert decided(Settings(throttled=1.0), 1) == [Decision(FaultKind.THROTTLED, status=400)]
    assert [kind for kind in FaultKind if kind.is_taken] == [
        FaultKind.LOST_REPLY,
        FaultKind.NO_ANSWER,
        FaultKind.SLOW,
        FaultKind.TORN_STREAM,
        FaultKind.STREAM_ERROR,
        FaultKind.STREAM_FAILURE,
        FaultKind.NONE,
    ]


def test_a_slow_answer_is_late_by_a_draw_from_its_law() -> None:
    delays = [d.delay_s for d in decided(Settings(slow_answers=slow(0.5))) if d.kind is FaultKind.SLOW]
    assert abs(len(delays) - N / 2) < 5 * math.sqrt(N / 4)
    mean_s = sum(delays) / len(delays)
    assert abs(mean_s - 2.0) < 5 * 2.0 / math.sqrt(len(delays))  # an exponential's deviation is its mean


def test_the_bucket_lets_a_burst_through_then_its_rate() -> None:
    faults = InvocationFaults(Settings(throttle=Throttle(rate=2.0, burst=3)), 1)
    kinds = [faults.decide(index, 0).kind for index in range(5)]
    assert [kind is FaultKind.NONE for kind in kinds] == [True, True, True, False, False]
    # Half a second makes one token.
    assert faults.decide(5, S // 2 - 1).kind is FaultKind.THROTTLED
    assert faults.decide(6, S // 2).kind is FaultKind.NONE
    assert faults.decide(7, S // 2).kind is FaultKind.THROTTLED


@settings(max_examples=100, deadline=None)
@given(
    rate=st.floats(0.1, 100),
    burst=st.integers(1, 20),
    gaps_ns=st.lists(st.integers(0, 2 * S), min_size=1, max_size=100),
)
def test_no_window_admits_more_than_burst_and_rate_allow(rate: float, burst: int, gaps_ns: list[int]) -> None:
    bucket, now_ns, admitted = TokenBucket(Throttle(rate=rate, burst=burst)), 0, list[Any]()
    for gap_ns in gaps_ns:
        now_ns += gap_ns
        if bucket.admit(now_ns):
            admitted.append(now_ns)
    for first in range(len(admitted)):
        for last in range(first, len(admitted)):
            allowed = burst + rate * (admitted[last] - admitted[first]) / 1e9
            assert last - first + 1 <= allowed + 1e-6
