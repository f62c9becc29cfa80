"""The oracles are held against published values, and against each other where two forms must agree."""

import math

import pytest

from theory import (
    ddc_burst_sojourns_s,
    drain_bound_s,
    erlang_b,
    erlang_c,
    little_backlog,
    mg1_wait_mean_s,
    mmc_wait_mean_s,
    mmc_wait_quantile_s,
)


@pytest.mark.parametrize(
    ("servers", "offered_erlang", "blocked"),
    [(1, 1.0, 0.5), (2, 1.0, 0.2), (5, 3.0, 0.1101), (10, 5.0, 0.0184), (10, 7.0, 0.0787)],
)
def test_erlang_b_is_what_the_tables_say(servers: int, offered_erlang: float, blocked: float) -> None:
    assert erlang_b(servers, offered_erlang) == pytest.approx(blocked, abs=5e-5)


def test_erlang_c_of_one_server_is_its_utilisation() -> None:
    assert erlang_c(1, 0.8) == pytest.approx(0.8)


def test_erlang_c_of_two_servers_has_a_closed_form() -> None:
    # 2 rho^2 / (1 + rho)
    assert erlang_c(2, 1.6) == pytest.approx(2 * 0.8**2 / 1.8)


def test_mm4_at_utilisation_08_waits_075_services() -> None:
    # The wait factor of M/M/4 at 0.8 is C / (c - a) = 0.5964 / 0.8 = 0.7455: mean sojourn 1.746 services.
    assert erlang_c(4, 3.2) == pytest.approx(0.5964, abs=5e-5)
    assert mmc_wait_mean_s(4, 3.2, 1.0) == pytest.approx(0.7455, abs=5e-5)


@pytest.mark.parametrize(("servers", "offered_erlang"), [(2, 1.6), (4, 3.2), (8, 6.4), (8, 7.2), (20, 11.0)])
def test_the_recursion_agrees_with_the_textbook_sum(servers: int, offered_erlang: float) -> None:
    # C = (a^c / c!) / (1 - rho) / (sum_(n<c) a^n / n! + (a^c / c!) / (1 - rho)); M/M/8 at 0.8: 0.4576
    tail = offered_erlang**servers / math.factorial(servers) / (1 - offered_erlang / servers)
    head = sum(offered_erlang**n / math.factorial(n) for n in range(servers))
    assert erlang_c(servers, offered_erlang) == pytest.approx(tail / (head + tail))


def test_mm1_waits_rho_over_one_minus_rho_services() -> None:
    assert mmc_wait_mean_s(1, 0.8, 1.0) == pytest.approx(4.0)
    assert mg1_wait_mean_s(0.8, 1.0, 1.0) == pytest.approx(4.0)


def test_constant_service_halves_the_wait() -> None:
    assert mg1_wait_mean_s(0.8, 1.0, 0.0) == pytest.approx(2.0)


def test_the_wait_quantile_inverts_the_tail() -> None:
    wait_s = mmc_wait_quantile_s(4, 3.2, 1.0, 0.95)
    assert erlang_c(4, 3.2) * math.exp(-0.8 * wait_s) == pytest.approx(0.05)
    assert mmc_wait_quantile_s(4, 3.2, 1.0, 0.3) == 0.0  # 40 % do not wait at all


def test_a_saturated_queue_waits_for_ever() -> None:
    assert erlang_c(2, 2.0) == 1.0
    assert mmc_wait_mean_s(2, 2.0, 1.0) == mmc_wait_quantile_s(2, 2.0, 1.0, 0.5) == math.inf
    assert mg1_wait_mean_s(1.0, 1.0, 1.0) == math.inf
    assert drain_bound_s(1, 0, 1.0) == math.inf


def test_a_burst_is_served_in_rounds() -> None:
    assert ddc_burst_sojourns_s(5, 2, 3.0) == [3.0, 3.0, 6.0, 6.0, 9.0]
    assert drain_bound_s(5, 2, 3.0) == 7.5


def test_littles_law() -> None:
    assert little_backlog(3.2, 1.7455) == pytest.approx(5.5856)
