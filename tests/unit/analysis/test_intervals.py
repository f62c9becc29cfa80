"""Goal: an interval covers the truth as often as it says, or is withheld with a reason.

Method: queues in their steady state (`queues`), whose percentiles Erlang's formula has. Then runs that have none by
their design. The whole grid of queues and lengths: `python bench/intervals.py`.
"""

from typing import Any

import numpy as np
import pytest
from scipy.stats import t as student_t

from modelling import scenario
from queues import System, simulated
from runs import Request, frames_of, reading, span, sure
from simulated import simulated_run
from smbench.analysis.capacity.instances import capacity
from smbench.analysis.latency.intervals import (
    _MEMORY_ERRORS,
    ALONE_MIN,
    MEMORIES_MIN,
    N_BATCHES_MIN,
    Inflation,
    Intervals,
    _pooled,
    intervals,
    of_arrivals,
    of_series,
)
from smbench.analysis.numbers.congestion import Congestion
from smbench.analysis.numbers.student import p_beyond, quantile
from smbench.analysis.rows.frames import derive
from smbench.records import Outcome, Unknown
from smbench.schedule.base import PhaseSpan
from theory import mmc_sojourn_quantile_s

SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


def of_queue(system: System, n: int, seeds: int, slots: int | Unknown) -> dict[str, tuple[int, int]]:
    """Of each percentile: how many runs have an interval, and of how many of these it covers."""
    truths_s = {name: mmc_sojourn_quantile_s(system.servers, system.arrival_hz, 1.0, at) for name, at in SHARES.items()}
    found = dict.fromkeys(SHARES, (0, 0))
    for arrived_s, takes_s in zip(*simulated(system, n, seeds, seed=3), strict=True):
        of_run = of_arrivals(arrived_s, takes_s, (takes_s, takes_s), list(SHARES), slots)
        for name, interval in of_run.items():
            if isinstance(interval, Unknown):
                assert interval.reason.startswith("not estimable")
                continue
            assert interval.high_s is not None
            given, covering = found[name]
            found[name] = given + 1, covering + (interval.low_s <= truths_s[name] <= interval.high_s)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("servers", "utilisation", "n", "given"),
    [
        (1, 0.5, 1_000, "p50 p90"),
        (4, 0.5, 1_000, "p50 p90 p99"),
        (8, 0.7, 5_000, "p50 p90 p99"),
        (4, 0.8, 5_000, "p50"),
    ],
)
def test_intervals_cover_as_often_as_they_say(servers: int, utilisation: float, n: int, given: str) -> None:
    # Of 100 runs, misses of 5 % are more than 12 once in five hundred times.
    found = of_queue(System(servers, utilisation), n, 100, servers)
    for name, (n_given, n_covering) in found.items():
        assert n_given - n_covering <= 12, found
        assert name not in given or n_given >= 85, found


@pytest.mark.slow
@pytest.mark.parametrize(("servers", "utilisation", "n"), [(8, 0.9, 300), (4, 0.8, 300), (1, 0.9, 1_000)])
def test_a_run_shorter_than_its_queue_remembers_has_no_interval(servers: int, utilisation: float, n: int) -> None:
    # What happened there does not show: a queue that stayed away for so short a time looks like independent latencies.
    found = of_queue(System(servers, utilisation), n, 15, servers)
    assert sum(given for given, _ in found.values()) <= 1, found


@pytest.mark.slow
def test_without_slots_known_a_long_run_shows_its_memory_and_a_short_one_is_withheld() -> None:
    long = of_queue(System(4, 0.7), 5_000, 40, NO_LOOKS)
    assert long["p50"][0] >= 30
    assert long["p50"][0] - long["p50"][1] <= 6
    assert not any(given for given, _ in of_queue(System(8, 0.9), 1_000, 10, NO_LOOKS).values())


def test_a_light_load_has_intervals_however_short_the_run() -> None:
    # Poisson 1/s for 50 s on four instances, 0.3 s each: no two requests are alike.
    rng = np.random.default_rng(1)
    arrived_s, takes_s = np.sort(rng.uniform(0, 50, 50)), rng.exponential(0.3, 50)
    found = of_arrivals(arrived_s, takes_s, (takes_s, takes_s), ["p50", "p99"], 4)
    median, rare = sure(found["p50"]), found["p99"]
    assert median.high_s is not None
    assert median.low_s < np.median(takes_s) < median.high_s
    assert 25 <= median.n_eff <= 50
    assert isinstance(rare, Unknown)
    assert "too few of 50 requests lie above it" in rare.reason


def test_without_slots_known_a_very_light_load_is_taken_as_if_there_was_one() -> None:
    rng = np.random.default_rng(1)
    arrived_s, takes_s = np.sort(rng.uniform(0, 200, 200)), rng.exponential(0.1, 200)
    found = sure(of_arrivals(arrived_s, takes_s, (takes_s, takes_s), ["p50"], NO_LOOKS)["p50"])
    assert found.high_s is not None
    assert found.low_s < np.median(takes_s) < found.high_s


def test_slots_that_never_rest_have_no_steady_percentiles() -> None:
    arrived_s = np.arange(1000.0)
    found = of_arrivals(arrived_s, 2 + arrived_s, (2 + arrived_s,) * 2, ["p50"], 2)
    assert "busy 100% of the time" in found["p50"].reason


def test_the_way_to_the_endpoint_takes_no_slot() -> None:
    """Two slots serve one request a second in 0.1 s or so; each is three seconds on its way."""
    rng = np.random.default_rng(2)
    services_s = 0.1 * rng.exponential(size=400)
    rows = [Request(i, recv=i + 3, ack=i + 3.1, done=i + 3 + took_s) for i, took_s in enumerate(services_s.tolist())]
    frames = frames_of(rows, spans=[phase("poisson", 400)], readings=[reading("instances_current", 2.0, 0.0)])
    found = intervals(frames, capacity(frames), 1)
    assert 3 < sure(found["p50"]).low_s < 3 + float(np.median(services_s))


def test_requests_due_at_one_instant_have_none() -> None:
    at_once = np.zeros(10)
    assert "one instant" in of_arrivals(at_once, at_once + 1, (at_once, at_once), ["p50"], 2)["p50"].reason


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
@pytest.mark.parametrize(
    ("slots", "utilisation"), [(32, 0.05), (64, 0.05), (64, 0.13), (512, 0.5), (5000, 0.01), (5000, 0.8)]
)
def test_where_hardly_a_request_waits_latencies_are_independent(slots: int, utilisation: float, share: float) -> None:
    services = -np.log1p(-(np.arange(100) + 0.5) / 100)
    queue = Congestion(1, slots, utilisation, 1.0, 1.0, services / services.mean())
    assert queue.inflation(share, utilisation) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("servers", "utilisation", "share", "shown"),
    [
        (1, 0.5, 0.5, 3.55),
        (1, 0.5, 0.9, 7.2),
        (1, 0.8, 0.5, 26.1),
        (4, 0.5, 0.5, 1.9),
        (4, 0.7, 0.5, 6.9),
        (8, 0.7, 0.5, 4.4),
    ],
)
def test_the_inflation_of_a_queue_is_what_long_runs_of_it_show(
    servers: int, utilisation: float, share: float, shown: float
) -> None:
    # By 800 runs, half of 5,000 and half of 20,000 requests, to some 5 %. Without what a long service does to
    # those after it the first would be 2.6, the last 3.1.
    services = -np.log1p(-(np.arange(100) + 0.5) / 100)
    queue = Congestion(1, servers, utilisation, 1.0, 1.0, services / services.mean())
    assert queue.inflation(share, utilisation) == pytest.approx(shown, rel=0.16)


def test_batches_and_queue_count_by_how_well_they_know_and_batches_alone_where_they_contradict() -> None:
    of_queue = Inflation(2.0, 20.0, 2.5)
    inflation, degrees = _pooled(3.0, 11, of_queue)
    assert inflation == pytest.approx((10 * 3.0 + 20 * 2.0) / 30)
    assert degrees == 30
    # A ratio of 5 % in the upper tail of F with 10 and 20 degrees is 2.35.
    assert _pooled(2.0 * 2.3, 11, of_queue)[1] == 30
    assert _pooled(2.0 * 2.4, 11, of_queue) == (4.8, 10)
    assert _pooled(0.2, 11, Inflation(1.0, 5.0, 1.0))[0] == 1.0  # fewer than independent ones none is worth
    assert _pooled(3.0, 11, Inflation.at_least(2.0)) == (3.0, 10)
    assert _pooled(1.0, 11, Inflation.at_least(2.0)) == (2.0, 30)


def test_an_idle_queue_leaves_latencies_independent() -> None:
    queue = Congestion(100, 8, 0.01, 1.0, 1.0, -np.log1p(-(np.arange(100) + 0.5) / 100))
    assert queue.inflation(0.5, 0.01) == pytest.approx(1, abs=0.01)
    assert queue.memory(0.01) == 1


def test_work_without_variation_never_queues() -> None:
    # One every second, 0.5 s each: the latencies are one number.
    arrived_s, takes_s = np.arange(200.0), np.full(200, 0.5)
    found = of_arrivals(arrived_s, takes_s, (takes_s, takes_s), ["p50"], 1)["p50"]
    assert (sure(found).low_s, sure(found).high_s) == (0.5, 0.5)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 9, 24, 39])
def test_students_t_is_scipys(degrees: int) -> None:
    for t in (-2.5, 0.0, 0.3, 2.0, 40.0):
        assert p_beyond(t, degrees) == pytest.approx(student_t.sf(t, degrees), abs=1e-13)
    assert quantile(0.95, degrees) == pytest.approx(student_t.ppf(0.975, degrees))
    assert (p_beyond(np.inf, degrees), p_beyond(-np.inf, degrees)) == (0.0, 1.0)


def independent(least_s: np.ndarray, most_s: np.ndarray, names: list[str]) -> Intervals:
    return of_series(least_s, most_s, names, 1.0, lambda share: Inflation.at_least(1.0))


def test_independent_latencies_have_the_ranks_of_the_normal_law() -> None:
    # 950 +- 1.96 * sqrt(1000 * 0.95 * 0.05) = 936.5 to 963.5; a hair more, because the batches say how much they vary.
    latencies_s = np.random.default_rng(0).permutation(np.arange(1.0, 1001.0))
    found = sure(independent(latencies_s, latencies_s, ["p95"])["p95"])
    assert found.low_s == pytest.approx(937, abs=3)
    assert found.high_s == pytest.approx(964, abs=3)


def test_as_many_requests_lie_below_the_medians_interval_as_above_it() -> None:
    for n in (400, 1_000, 2_502):
        latencies_s = np.random.default_rng(n).permutation(np.arange(float(n)))
        found = sure(independent(latencies_s, latencies_s, ["p50"])["p50"])
        assert found.high_s is not None
        assert found.low_s == n - 1 - found.high_s


def test_latencies_that_remember_have_no_interval_and_the_reason_counts_what_they_are_worth() -> None:
    latencies_s = np.random.default_rng(0).permutation(np.arange(1000.0))
    found = of_series(latencies_s, latencies_s, ["p50"], 100.0, lambda share: Inflation.at_least(1.0))["p50"]
    assert isinstance(found, Unknown)
    assert "N_eff = 10" in found.reason
    assert "it takes 2,500" in found.reason


def test_what_never_ended_bounds_an_interval_from_below_only() -> None:
    # 6 % never complete: p95 lies among them, and the upper rank too.
    rng = np.random.default_rng(2)
    least_s = rng.exponential(1.0, 1000)
    most_s = np.where(rng.random(1000) < 0.06, np.inf, least_s)
    found = independent(least_s, most_s, ["p50", "p95"])
    assert sure(found["p50"]).high_s is not None
    assert sure(found["p95"]).high_s is None


def test_too_few_requests_say_how_many_it_takes() -> None:
    # Above p99 of n lie 0.01 n, with a spread of their root: more than 1.96 of it from n = 384 on, and here n = 300.
    latencies_s = np.random.default_rng(0).permutation(np.arange(300.0))
    assert "it takes some 8" in independent(latencies_s, latencies_s, ["p99"])["p99"].reason


def test_no_interval_ends_at_the_longest_latency_beyond_which_nothing_was_seen() -> None:
    for n in range(81, 200):
        latencies_s = np.random.default_rng(n).permutation(np.arange(float(n)))
        found = independent(latencies_s, latencies_s, ["p90"])["p90"]
        assert isinstance(found, Unknown) or (found.high_s is not None and found.high_s < n - 1), n


def test_latencies_are_taken_in_order_of_schedule_however_the_file_has_them() -> None:
    rng = np.random.default_rng(6)
    waves = (2 + np.sin(np.arange(400) / 40)).tolist()  # neighbours are alike
    rows = [Request(k * 5.0, done=k * 5.0 + takes) for k, takes in enumerate(waves)]
    shuffled = [rows[k] for k in rng.permutation(len(rows))]
    told, again = (intervals(frames_of(each, spans=[phase("poisson", 400)]), NO_LOOKS, 1) for each in (rows, shuffled))
    assert sure(told["p50"]).n_eff < 20
    assert again == told


def test_latencies_that_wander_longer_than_the_queue_remembers_are_seen() -> None:
    # A twentieth of the load, so no queue; but the service goes up and down twice in the run.
    arrived_s = np.arange(400.0)
    takes_s = 0.05 + 0.04 * np.sin(np.arange(400) / 32)
    found = of_arrivals(arrived_s, takes_s, (takes_s, takes_s), ["p50"], 1)["p50"]
    assert isinstance(found, Unknown) or found.n_eff < 20


NO_LOOKS = Unknown("no reading says how many instances there were")


def test_what_requests_are_worth_allows_for_two_errors_of_the_memory_that_they_show_themselves() -> None:
    """Of equal latencies the memory is 1, summed over Sokal's window of 5, with the variance 2 (2 * 5 + 1) / n."""
    n = ALONE_MIN
    arrived_s, takes_s = np.arange(float(n)), np.full(n, 0.5)
    found = sure(of_arrivals(arrived_s, takes_s, (takes_s, takes_s), ["p50"], NO_LOOKS)["p50"])
    assert found.n_eff == pytest.approx(n / (1 + 2 * np.sqrt(22 / n)))


def test_without_slots_known_five_memories_of_the_queue_are_enough_and_four_are_not() -> None:
    """As if there were one slot, half busy: a batch is five times what the queue remembers, some ten requests."""
    ((arrived_s,), (takes_s,)) = simulated(System(1, 0.5), 400, 1, seed=1)
    given = []
    for n in range(200, 400, 15):
        found = of_arrivals(arrived_s[:n], takes_s[:n], (takes_s[:n], takes_s[:n]), ["p50"], NO_LOOKS)["p50"]
        queue = Congestion.of(arrived_s[:n], arrived_s[:n] + takes_s[:n], 1)
        assert queue is not None
        n_batches = int(n / (MEMORIES_MIN * queue.memory(queue.raised(_MEMORY_ERRORS))))
        if n_batches in (N_BATCHES_MIN - 1, N_BATCHES_MIN):
            is_untold = isinstance(found, Unknown) and "cannot show how busy they were" in found.reason
            assert is_untold is (n_batches < N_BATCHES_MIN), n
            given.append(n_batches)
    assert set(given) == {N_BATCHES_MIN - 1, N_BATCHES_MIN}


@pytest.mark.parametrize("n", [200, 251, 400])
def test_equal_latencies_do_not_resemble_each_other(n: int) -> None:
    """Their mean differs from them in the last digit, for some of these numbers: that is no memory."""
    arrived_s, takes_s = np.arange(float(n)), np.full(n, 0.01)
    found = sure(of_arrivals(arrived_s, takes_s, (takes_s, takes_s), ["p50"], 1)["p50"])
    assert (found.low_s, found.high_s, found.n_eff) == (0.01, 0.01, n)


def phase(kind: str, n: int, name: str = "load") -> PhaseSpan:
    plain = span(n, name=name, end_s=1000.0)
    return PhaseSpan(**{field: getattr(plain, field) for field in plain.__slots__} | {"kind": kind})


def of_run(spans: list[PhaseSpan], looks: list[tuple[float, int]], n: int = 400) -> Intervals:
    rng = np.random.default_rng(5)
    rows = [Request(k * 2.0, done=k * 2.0 + takes) for k, takes in enumerate(rng.exponential(1.0, n).tolist())]
    readings: list[Any] = [reading("instances_current", float(count), at) for at, count in looks]
    frames = frames_of(rows, spans=spans, readings=readings)
    return intervals(frames, capacity(frames), 1)


def test_a_steady_phase_on_a_fleet_that_stays_has_intervals() -> None:
    for kind in ("constant", "poisson"):
        found = of_run([phase(kind, 400)], [(0.0, 2)])
        assert sure(found["p50"]).method


def test_a_warm_up_phase_and_a_pause_beside_a_steady_phase_change_nothing() -> None:
    warm, rest = span(5, name="warm", end_s=0.0, warmup=True), span(0, name="rest", start_s=1000.0, end_s=1100.0)
    steady = phase("poisson", 400)
    assert of_run([warm, steady, rest], [(0.0, 2)]) == of_run([steady], [(0.0, 2)])


@pytest.mark.parametrize("kind", ["burst", "ramp", "steps", "sine", "replay"])
def test_a_load_that_changes_by_design_has_none(kind: str) -> None:
    found = of_run([phase(kind, 400)], [(0.0, 2)])
    assert set(found) == {"p50", "p90", "p95", "p99"}
    assert all(isinstance(one, Unknown) and kind in one.reason for one in found.values())


@pytest.mark.slow
def test_a_fleet_that_changes_under_way_or_begins_at_zero_has_none() -> None:
    for looks in ([(0.0, 2), (500.0, 3)], [(0.0, 0), (90.0, 2)]):
        assert "instances" in of_run([phase("poisson", 400)], looks)["p50"].reason


def test_two_phases_are_two_loads_and_have_none() -> None:
    assert isinstance(of_run([phase("poisson", 200), phase("constant", 200, "other")], [(0.0, 2)])["p50"], Unknown)


def test_an_endpoint_that_does_nothing_has_no_intervals() -> None:
    frames = frames_of([Request(0.0, Outcome.REJECTED)])
    assert intervals(frames, NO_LOOKS, 1) == {}
    assert isinstance(intervals(frames_of([Request(0.0, done=1.0)]), NO_LOOKS, 1)["p50"], Unknown)


def test_a_run_in_which_no_instance_ever_served_says_so() -> None:
    of = scenario([{"constant": {"rate": 1.0, "for": "100s"}}], instances={"min": 0, "max": 1, "start": 0}, drain="1m")
    frames = derive(*simulated_run(of))
    served = capacity(frames)
    assert set(intervals(frames, served, 1).values()) == {Unknown("not estimable: no instance served")}


def test_calls_without_an_answer_bound_the_interval_of_the_percentile_that_they_reach() -> None:
    # Of 2,000 calls 60 were given up after 70 s: p50 is of those that were answered, p99 is of those that were not.
    rng = np.random.default_rng(5)
    rows = [
        Request(float(n), Outcome.TRANSPORT_ERROR, ack=n + 70.0)
        if n % 33 == 0
        else Request(float(n), done=n + took, end_from="answer", status_code=200)
        for n, took in enumerate(rng.exponential(0.3, 2_000))
    ]
    looks = [reading(name, 1.0, at) for name in ("instances_current", "instances_desired") for at in (0.0, 2_000.0)]
    frames = frames_of(
        rows, spans=[span(2_000, end_s=2_000.0)], readings=looks, target={"kind": "realtime", "concurrency": 100}
    )
    found = intervals(frames, capacity(frames), 100)
    assert sure(found["p50"]).high_s == pytest.approx(0.21, abs=0.03)
    assert (sure(found["p99"]).low_s, sure(found["p99"]).high_s) == (70.0, None)
