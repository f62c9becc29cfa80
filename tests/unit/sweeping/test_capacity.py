"""Goal: from what probes show to the next rates and to the answer: the capacity is enclosed, and chance is respected.

Method: probes of a synthetic endpoint whose capacity is known, exact and with the noise of their lengths.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbench.analysis.numbers.batch_means import Estimate
from smbench.sweeping.capacity import BACKLOG, Ask, Found, Seen, Terms, found, next_asks
from smbench.sweeping.probe import DECIDED, Evidence, Misses, Said

REQUESTS = 2000
SLO, ALLOWED = "p95 < 5s", 0.05
Probe = Callable[[Ask], Evidence]


def synthetic(capacity_hz: float, slo_hz: float | None = None, rng: np.random.Generator | None = None) -> Probe:
    """An endpoint whose backlog grows beyond `capacity_hz`; a share of its requests misses, 5 % of them at `slo_hz`."""

    def probe(ask: Ask) -> Evidence:
        n, rate = REQUESTS * ask.length, ask.rate_hz
        noise = rng.normal(size=3) if rng is not None else np.zeros(3)
        error = min(rate, capacity_hz) / math.sqrt(n)
        growth = Estimate(mean=max(0.0, rate - capacity_hz) + error * noise[0], error=error, degrees=19)
        grows: Said = "fails" if growth.mean > growth.half(DECIDED) else "keeps"
        served = Estimate(mean=capacity_hz + error * noise[1], error=error, degrees=19)
        misses = () if slo_hz is None else (_misses(rate, slo_hz, n / 5, float(noise[2])),)
        return Evidence(
            rate_hz=rate,
            n=round(n),
            growth_hz=growth,
            growth=grows,
            served_hz=served if grows == "fails" else None,
            misses=misses,
        )

    return probe


def _misses(rate: float, slo_hz: float, trials: float, noise: float) -> Misses:
    odds = math.log(ALLOWED / (1 - ALLOWED)) + 12 * math.log(rate / slo_hz)
    share = 1 / (1 + math.exp(-max(-20.0, min(20.0, odds))))
    seen = min(1.0, max(0.0, share + noise * math.sqrt(share * (1 - share) / trials)))
    half = 2.8 * math.sqrt(ALLOWED * (1 - ALLOWED) / trials)
    said: Said = "fails" if seen - ALLOWED > half else "keeps" if ALLOWED - seen > half else "unsure"
    return Misses(text=SLO, allowed=ALLOWED, least=seen, most=seen, trials=trials, said=said)


def searched(probe: Probe, terms: Terms) -> tuple[Found, list[Seen]]:
    seen: list[Seen] = []
    while asks := next_asks(seen, terms):
        assert len(asks) <= terms.at_once
        assert all(terms.lowest_hz <= ask.rate_hz <= terms.highest_hz for ask in asks)
        seen += [Seen(ask.purpose, ask.length, probe(ask)) for ask in asks]
        assert len(seen) <= terms.probes_max
    return found(seen), seen


def terms(first_hz: float = 1.0, at_once: int = 2, probes: int = 24) -> Terms:
    return Terms(first_hz, first_hz / 64, first_hz * 64, probes, at_once)


@pytest.mark.slow
@given(st.floats(0.05, 20.0), st.sampled_from([1, 2]))
def test_without_noise_the_interval_has_the_capacity_and_is_narrow(capacity_hz: float, at_once: int) -> None:
    answer, seen = searched(synthetic(capacity_hz), terms(at_once=at_once))
    assert answer.rate_hz == pytest.approx(capacity_hz, rel=1e-6)
    assert answer.low_hz <= capacity_hz <= answer.high_hz <= answer.low_hz * 1.2
    assert answer.binds == BACKLOG
    assert answer.is_confirmed
    assert seen[-1].purpose == "confirm"


@pytest.mark.slow
@given(st.floats(0.1, 10.0), st.floats(1.3, 4.0), st.sampled_from([1, 2]))
def test_a_demand_that_fails_before_the_backlog_grows_decides(slo_hz: float, spare: float, at_once: int) -> None:
    answer, _ = searched(synthetic(slo_hz * spare, slo_hz), terms(at_once=at_once))
    assert answer.binds == SLO
    assert answer.low_hz <= slo_hz <= answer.high_hz
    assert answer.rate_hz == pytest.approx(slo_hz, rel=0.15)


@pytest.mark.slow
@given(st.floats(0.05, 20.0), st.integers(0, 2**32 - 1), st.sampled_from([1, 2]))
def test_the_same_evidence_asks_for_the_same_rates_wherever_it_was_killed(
    capacity_hz: float, seed: int, at_once: int
) -> None:
    within = terms(at_once=at_once, probes=12)
    probe = synthetic(capacity_hz, capacity_hz / 1.5, np.random.default_rng(seed))
    _, seen = searched(probe, within)
    place = 0
    while asks := next_asks(seen[:place], within):
        assert [(ask.rate_hz, ask.length, ask.purpose) for ask in asks] == [
            (one.rate_hz, one.length, one.purpose) for one in seen[place : place + len(asks)]
        ]
        place += len(asks)
    assert place == len(seen)


@pytest.mark.slow
@pytest.mark.parametrize("slo_ratio", [None, 0.7])
def test_with_noise_the_interval_has_the_capacity_95_times_in_100(slo_ratio: float | None) -> None:
    n, covered = 200, 0
    for seed in range(n):
        slo_hz = None if slo_ratio is None else 3.0 * slo_ratio
        answer, _ = searched(synthetic(3.0, slo_hz, np.random.default_rng(seed)), terms(probes=16))
        covered += answer.low_hz <= (slo_hz or 3.0) <= answer.high_hz
    assert covered >= 0.95 * n


def test_a_demand_that_is_open_far_below_what_is_served_has_the_probes_before_what_is_served_is_known_better() -> None:
    def probe(rate: float, grows: Said, said: Said, share: float) -> Seen:
        served = Estimate(mean=4.0, error=0.2, degrees=19) if grows == "fails" else None
        growth = Estimate(mean=max(0.0, rate - 4.0), error=0.1, degrees=19)
        miss = Misses(text=SLO, allowed=ALLOWED, least=share, most=share, trials=0.0, said=said)
        evidence = Evidence(rate_hz=rate, n=2000, growth_hz=growth, growth=grows, served_hz=served, misses=(miss,))
        return Seen("narrow", 1.0, evidence)

    below = [probe(2.0, "keeps", "keeps", 0.01), probe(3.6, "keeps", "unsure", 0.04)]
    seen = [*below, probe(4.6, "fails", "fails", 1.0), probe(4.8, "fails", "fails", 1.0)]
    asks = next_asks(seen, Terms(first_hz=1.0, lowest_hz=0.1, highest_hz=64.0))
    assert all(ask.rate_hz < 4.0 for ask in asks)


def test_an_overload_of_which_it_is_not_certain_that_it_was_one_is_followed_by_a_greater_one() -> None:
    def probe(rate: float, length: float, grows: Said, served_hz: float | None = None) -> Seen:
        served = None if served_hz is None else Estimate(mean=served_hz, error=0.05 * served_hz, degrees=19)
        growth = Estimate(mean=max(0.0, rate - 8.0), error=1.0, degrees=19)
        evidence = Evidence(rate_hz=rate, n=2000, growth_hz=growth, growth=grows, served_hz=served, misses=())
        return Seen("narrow", length, evidence)

    # By chance 7 of the 8 that it can do were served, and 1.25 times as many are hardly an overload.
    seen = [probe(4.0, 0.5, "keeps"), probe(16.0, 0.5, "fails", 7.0), probe(6.3, 1.0, "keeps")]
    tried: list[float] = []
    while asks := next_asks(seen, Terms(first_hz=4.0, lowest_hz=0.1, highest_hz=64.0)):
        rates = [ask.rate_hz for ask in asks]
        if max(rates) > 9.6:
            break
        assert min(rates) > max(tried, default=0.0)
        tried += rates
        seen += [probe(rate, 1.0, "unsure") for rate in rates]
    assert asks


def test_where_even_the_lowest_rate_fails_nothing_is_found() -> None:
    answer, seen = searched(synthetic(0.001), terms())
    assert (answer.rate_hz, answer.low_hz) == (None, 0.0)
    assert min(one.rate_hz for one in seen) == 1 / 64


def test_where_even_the_highest_rate_is_kept_nothing_is_found() -> None:
    answer, seen = searched(synthetic(1000.0), terms())
    assert (answer.rate_hz, answer.high_hz) == (None, math.inf)
    assert answer.low_hz == max(one.rate_hz for one in seen) == 64.0
    assert answer.binds == ""


def test_no_more_probes_are_made_than_there_may_be() -> None:
    answer, seen = searched(synthetic(3.0, 2.0, np.random.default_rng(1)), terms(probes=5))
    assert len(seen) == 5
    assert answer.low_hz <= 2.0 <= answer.high_hz
