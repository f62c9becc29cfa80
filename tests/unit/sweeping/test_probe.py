"""Goal: one run at one rate says whether the backlog grows, what is served, and who misses; or that it does not know.

Method: runs of the model at rates below and above c / s, and shares against Erlang's percentile.
"""

import math
from pathlib import Path

import pytest

from runs import Request, frames_of, span
from searching import probed, queue
from smbench.errors import UsageError
from smbench.records import NotSent, Outcome
from smbench.scenario.load import scenario_of
from smbench.sweeping.demands import demands_of
from smbench.sweeping.offered import offered, steady_rate_hz
from smbench.sweeping.probe import evidence_of
from theory import mmc_sojourn_quantile_s

LOGNORMAL = {"lognormal": {"median": "1s", "sigma": 0.3}}
C_OVER_S = 2 / math.exp(0.3**2 / 2)


@pytest.mark.slow
@pytest.mark.parametrize("arrivals", ["poisson", "constant"])
def test_above_c_over_s_the_backlog_grows_and_c_over_s_is_served(arrivals: str) -> None:
    seen = probed(queue(2, LOGNORMAL, arrivals=arrivals), 1.3 * C_OVER_S, 1500, 1, demands_of([], "async"))
    assert (seen.growth, seen.said) == ("fails", "fails")
    assert seen.served_hz is not None
    assert abs(seen.served_hz.mean - C_OVER_S) < seen.served_hz.half(0.999)
    assert seen.growth_hz is not None
    assert abs(seen.growth_hz.mean - 0.3 * C_OVER_S) < seen.growth_hz.half(0.999)


@pytest.mark.slow
@pytest.mark.parametrize("arrivals", ["poisson", "constant"])
def test_well_below_c_over_s_a_rate_is_kept(arrivals: str) -> None:
    seen = probed(queue(2, LOGNORMAL, arrivals=arrivals), 0.5 * C_OVER_S, 1500, 1, demands_of(["p95 < 8s"], "async"))
    assert (seen.growth, seen.shares, seen.served_hz) == ("keeps", "keeps", None)


@pytest.mark.slow
def test_evenly_spaced_requests_of_constant_service_grow_no_backlog_up_to_c_over_s() -> None:
    scenario = queue(2, "1s", arrivals="constant")
    demands = demands_of([], "async")
    assert probed(scenario, 1.99, 1500, 1, demands).said == "keeps"
    assert probed(scenario, 2.1, 1500, 1, demands).growth == "fails"


@pytest.mark.slow
def test_a_percentile_beyond_the_demanded_one_fails_and_one_within_keeps() -> None:
    scenario, rate_hz = queue(4, {"exponential": {"mean": "1s"}}), 2.4
    true_s = mmc_sojourn_quantile_s(4, rate_hz, 1.0, 0.95)
    demands = demands_of([f"p95 < {1.5 * true_s:.3f}s", f"p95 < {0.6 * true_s:.3f}s"], "async")
    loose, strict, _ = probed(scenario, rate_hz, 4000, 1, demands).misses
    assert (loose.said, strict.said) == ("keeps", "fails")


def test_a_run_too_short_for_how_busy_it_was_does_not_say_that_latency_is_kept() -> None:
    seen = probed(queue(2, LOGNORMAL), 0.97 * C_OVER_S, 1000, 1, demands_of(["p95 < 10m"], "async"))
    assert seen.misses[0].said == "unsure"


@pytest.mark.parametrize(
    ("load", "said"),
    [
        ([{"closed": {"outstanding": 2, "requests": 10}}], "load.0 is a closed loop"),
        ([{"users": {"initial": 2, "for": "1m"}}], "load.0 is a closed loop of users"),
        ([{"stairs": {"users": 2, "steps": 2, "each": "1m"}}], "load.0 is a closed loop of users"),
        ([{"ramp": {"from": "1/s", "to": "2/s", "for": "1m"}}], "load.0 is a ramp"),
        ([{"poisson": {"rate": "1/s", "for": "1m"}}, {"burst": {"requests": 3}}], "load.1 is a burst"),
        ([{"poisson": {"rate": "1/s", "for": "1m"}}] * 2, "2 measured phases"),
    ],
)
def test_a_load_without_one_steady_rate_is_one_sentence(load: list[object], said: str) -> None:
    scenario = scenario_of({"name": "other", "load": load}, Path())
    with pytest.raises(UsageError) as failed:
        steady_rate_hz(scenario)
    assert said in failed.value.message


def test_a_probe_offers_the_rate_after_a_time_to_settle_and_each_has_chances_of_its_own() -> None:
    scenario = queue(2, "1s")
    one, two = (offered(scenario, 4.0, 1000, 100.0, number, ()) for number in (1, 2))
    settle, measured = one.load
    assert (settle.settings.warmup, settle.planned_s) == (True, 100.0)
    assert (measured.settings.warmup, measured.planned_s, measured.expected_requests) == (False, 250.0, 1000)
    assert one.seed != two.seed
    assert offered(scenario, 4.0, 1000, 0.0, 1, ()).load[0].planned_s == 62.5


@pytest.mark.parametrize("why", [NotSent.ERROR_LIMIT, NotSent.REQUEST_LIMIT, NotSent.RUN_ENDED])
def test_a_rate_that_was_not_offered_to_the_end_is_not_kept(why: NotSent) -> None:
    rows = [Request(float(k), done=k + 1.0) for k in range(200)]
    demands = demands_of(["error_share < 50%"], "async")
    for n_sent, said in ((200, "keeps"), (60, "unsure")):
        left = [Request(row.sched, Outcome.NOT_SENT, why_not_sent=why) for row in rows[n_sent:]]
        frames = frames_of([*rows[:n_sent], *left], spans=[span(200, end_s=200.0)])
        assert evidence_of(frames, 1.0, demands, "async").growth == said
