"""Goal: as many receivers as the ends need and no more, without to and fro; and too few of them are told.

Method: the rule alone, fed with what receives bring: by hypothesis, and by a queue that is exactly as full as the rate
and the number of receivers make it.
"""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smbench.generator.receiving.receivers import BATCH, Receivers

SECOND = 1_000_000_000


@pytest.mark.slow
@given(receivers_max=st.integers(1, 64), is_prompt=st.booleans(), brought=st.lists(st.integers(0, BATCH), max_size=400))
def test_there_are_never_fewer_than_two_nor_more_than_the_maximum_and_each_change_is_told(
    receivers_max: int, is_prompt: bool, brought: list[int]
) -> None:
    receivers = Receivers(receivers_max, is_prompt=is_prompt)
    for n_messages in brought:
        before = receivers.n
        change = receivers.came_back(n_messages, 0)
        assert change in (-1, 0, 1)
        assert receivers.n == before + change
        assert min(2, receivers_max) <= receivers.n <= receivers_max


def settled(demand: float, receivers_max: int, n_full_before: int) -> tuple[int, int]:
    """Receivers at the end, and the changes after the first 10,000 receives.

    `demand` messages come while one receive is away: each of n brings its share, rounded so that none is lost.
    """
    receivers = Receivers(receivers_max)
    for _ in range(n_full_before):
        receivers.came_back(BATCH, 0)
    waiting, late_changes, n_steps = 0.0, 0, 12_000
    for step in range(n_steps):
        waiting += min(BATCH, demand / receivers.n)
        n_messages = math.floor(waiting + 1e-9)
        waiting -= n_messages
        late_changes += bool(receivers.came_back(n_messages, 0)) and step >= 10_000
    return receivers.n, late_changes


@settings(max_examples=50)
@given(demand=st.floats(1.0, 700.0), receivers_max=st.integers(1, 64), n_full_before=st.integers(0, 2000))
@pytest.mark.slow
def test_at_a_steady_rate_they_become_enough_and_then_change_no_more(
    demand: float, receivers_max: int, n_full_before: int
) -> None:
    n, late_changes = settled(demand, receivers_max, n_full_before)
    assert late_changes == 0
    fewest = min(2, receivers_max)
    assert n == receivers_max or n * BATCH >= demand  # they carry it
    assert n == fewest or demand >= 0.9 * (n - 1) * BATCH - 0.25  # and one fewer would be nearly full; 1 in a round


def test_one_more_comes_when_each_in_turn_has_come_back_full_and_not_before() -> None:
    receivers = Receivers(16)
    assert [receivers.came_back(n, 0) for n in (10, 9, 10, 10)] == [0, 0, 0, 1]
    assert [receivers.came_back(n, 0) for n in (10, 10, 10)] == [0, 0, 1]


def test_a_long_poll_in_vain_retires_its_receiver_down_to_two() -> None:
    receivers = Receivers(16)
    while receivers.n < 5:
        receivers.came_back(BATCH, 0)
    assert [receivers.came_back(0, 0) for _ in range(5)] == [-1, -1, -1, 0, 0]
    assert receivers.n == 2


def test_where_ends_are_waited_for_two_in_a_receive_ask_for_one_more_and_single_ones_keep_them() -> None:
    receivers = Receivers(16, is_prompt=True)
    assert [receivers.came_back(n, 0) for n in (1, 2, 1, 3)] == [0, 1, 0, 1]
    assert {receivers.came_back(1, 0) for _ in range(100)} == {0}
    assert [receivers.came_back(0, 0) for _ in range(3)] == [-1, -1, 0]


def beaten(seconds: list[list[int]], receivers_max: int = 2) -> list[float]:
    """What `saturated_s` tells at each beat, a second apart; receives come back evenly spread, the last on the beat."""
    receivers, told = Receivers(receivers_max), []
    for second, brought in enumerate(seconds):
        for place, n_messages in enumerate(brought, 1):
            receivers.came_back(n_messages, second * SECOND + place * SECOND // len(brought))
        receivers.beat()
        told.append(receivers.saturated_s)
    return told


def test_saturation_lasts_from_the_first_full_receive_to_the_last_while_nearly_all_are_full() -> None:
    full = [BATCH] * 10
    assert beaten([full] * 3) == pytest.approx([0.9, 1.9, 2.9])
    assert beaten([full, [*full[1:], 9], full]) == pytest.approx([0.9, 1.8, 2.9])  # nine of ten are nearly all
    assert beaten([full, [*full[2:], 9, 9], full]) == pytest.approx([0.9, 0.0, 0.9])


def test_a_queue_that_was_emptied_exactly_is_not_saturated_while_nothing_comes_back() -> None:
    assert beaten([[BATCH] * 10, [], [], []]) == pytest.approx([0.9] * 4)


def test_full_receives_are_no_saturation_while_there_may_be_more_receivers() -> None:
    assert beaten([[BATCH] * 10] * 3, receivers_max=64) == [0.0, 0.0, 0.0]


def test_the_share_of_full_receives_is_of_those_since_the_last_beat_and_unknown_without_any() -> None:
    receivers = Receivers(2)
    for n_messages in (10, 3, 10, 0):
        receivers.came_back(n_messages, 0)
    assert receivers.beat() == 0.5
    assert receivers.beat() is None
