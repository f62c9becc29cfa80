"""Goal: slots that differ in speed are found and told by how much, and slots that do not are left alone.

Method: chains by hand; two hosts whose services are fixed; then the simulator, whose hosts are drawn, over many seeds:
with no spread, where the test must call wolf as seldom as it says, and with one, beside the truth.
"""

import dataclasses
import heapq
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from modelling import scenario
from runs import Request, frames_of, reading
from simulated import simulated_run, simulated_with_truth
from smbench.analysis.capacity import hosts
from smbench.analysis.capacity.hosts import ALPHA, CHAIN_MIN, HostSpread, chains, host_spread
from smbench.analysis.capacity.instances import capacity, concurrency
from smbench.analysis.capacity.slots import Slots, slots
from smbench.analysis.latency.stages import StageName
from smbench.analysis.rows.frames import Frames, derive
from smbench.analysis.summary import summarise
from smbench.records import Event, Outcome, Reading, Unknown

S = 1_000_000_000
LOGNORMAL = {"lognormal": {"median": "1s", "sigma": 0.4}}
BURST = [{"burst": {"requests": 400, "within": "10s"}}]


def counts(*looks: tuple[float, int]) -> list[Reading]:
    """Looks at the endpoint: when, and instances there."""
    return [
        reading(name, float(there), at) for at, there in looks for name in ("instances_current", "instances_desired")
    ]


def frames(rows: list[Request], looks: list[Reading], slots_each: int = 1) -> Frames:
    of = {"target": {"emulated": {"instances": {"concurrency": slots_each}}}}
    return frames_of(rows, readings=looks, scenario=of)


def reconstructed(of: Frames) -> Slots:
    found = slots(of, capacity(of), concurrency(of))
    assert isinstance(found, Slots), found
    return found


def spread(of: Frames) -> HostSpread | Unknown:
    served = capacity(of)
    return host_spread(slots(of, served, concurrency(of)), served)


def known(of: Frames) -> HostSpread:
    found = spread(of)
    assert isinstance(found, HostSpread), found
    return found


def worked_off(n: int, n_slots: int, service_s: Callable[[int, float], float], *, bursts: int = 1) -> list[Request]:
    """Bursts an hour apart, each request by the first slot to become free.

    Args:
        n: Requests in a burst, a hundredth of a second apart.
        service_s: How long one takes, by its slot and begin.
    """
    free = [(0.0, slot) for slot in range(n_slots)]
    rows = []
    for at_s in (3600.0 * burst + 0.01 * k for burst in range(bursts) for k in range(n)):
        since_s, slot = heapq.heappop(free)
        began_s = max(at_s, since_s)
        done_s = round(began_s + service_s(slot, began_s), 3)
        heapq.heappush(free, (done_s, slot))
        rows.append(Request(at_s, done=done_s))
    return rows


def queued(n: int, n_slots: int, service_s: Callable[[int, float], float], *, bursts: int = 1) -> Frames:
    """The same on instances of one slot."""
    return frames(worked_off(n, n_slots, service_s, bursts=bursts), counts((0.0, n_slots)))


def fast_and_slow(slot: int, _began_s: float) -> float:
    """No two ends share an instant for more than a thousand requests."""
    return (2.0, 3.007)[slot]


def simulated(seed: int, classes: tuple[str, ...] = ("a",), **changes: Any) -> Frames:
    load = changes.pop("load", BURST)
    return derive(*simulated_run(scenario(load, seed=seed, drain="2h", **changes), classes))


def fixed(n: int, slots_each: int = 1) -> dict[str, int]:
    return {"min": n, "max": n, "start": n, "concurrency": slots_each}


def test_who_waited_follows_the_one_that_ended_when_it_began() -> None:
    # Two instances. 0 and 1 begin at once; 2 takes 1's slot at 2 s, 3 takes 0's at 3 s, 4 takes 2's at 4 s.
    rows = [Request(0.1 * k, done=done) for k, done in enumerate((3.0, 2.0, 4.0, 7.0, 6.0))]
    found = reconstructed(frames(rows, counts((0.0, 2))))
    assert found.follows.tolist() == [-1, -1, 1, 0, 2]
    assert chains(found.follows).tolist() == [0, 1, 1, 0, 1]


def test_slots_that_become_free_within_one_instant_break_the_chain() -> None:
    # 2 and 3 both begin at 2 s, when both slots became free: nobody knows which took which. 4 can be followed again.
    rows = [Request(0.1 * k, done=done) for k, done in enumerate((2.0, 2.0, 4.0, 7.0, 6.0))]
    assert reconstructed(frames(rows, counts((0.0, 2)))).follows.tolist() == [-1, -1, -1, -1, 2]


def test_an_instance_that_comes_at_the_instant_of_an_end_breaks_the_chain() -> None:
    # An activity tells the instant. At 2 s, 1 takes the new slot and 2 the one that 0 frees at 3 s; at 3 s, either.
    rows = [Request(0.1 * k, done=done) for k, done in enumerate((3.0, 6.0, 7.0))]
    for came, follows in ((2, [-1, -1, 0]), (3, [-1, -1, -1])):
        told = Event("scaling_activity", "a", S, came * S, "Successful", came * S, 1.0, 2.0)
        of = {"target": {"emulated": {"instances": {"concurrency": 1}}}}
        found = reconstructed(frames_of(rows, readings=counts((0.0, 1), (10.0, 2)), events=[told], scenario=of))
        assert found.follows.tolist() == follows


def test_who_finds_a_slot_free_begins_a_chain() -> None:
    rows = [Request(0.0, done=2.0), Request(2.0, done=4.0), Request(9.0, done=10.0)]
    assert reconstructed(frames(rows, counts((0.0, 2)))).follows.tolist() == [-1, -1, -1]


def test_nobody_is_followed_to_a_slot_that_may_have_left() -> None:
    rows = [Request(0.1 * k, done=done) for k, done in enumerate((3.0, 4.0, 6.0, 9.0))]
    found = reconstructed(frames(rows, counts((0.0, 2), (4.999, 2), (5.001, 1))))
    assert found.follows.tolist() == [-1, -1, 0, 1]
    found = reconstructed(frames(rows, counts((0.0, 2), (1.999, 2), (2.001, 1))))
    assert found.follows.tolist() == [-1, -1, -1, -1]


def test_who_ended_too_early_is_followed_by_nobody() -> None:
    # One slot, a second each; in truth 51 was taken before 50. By the order of receipt it would have begun as it ended.
    rows = [Request(0.001 * k, done=k + 1.0) for k in range(200)]
    rows[50].done, rows[51].done = rows[51].done, rows[50].done
    follows = reconstructed(frames(rows, counts((0.0, 1)))).follows
    assert follows[49:54].tolist() == [48, 49, -1, 50, 52]


def test_hosts_of_fixed_speeds_differ_by_their_closed_form() -> None:
    # Of five requests the fast one gets three: the logarithms spread by that of the ratio times the root of 0.6 * 0.4.
    found = known(queued(500, 2, fast_and_slow))
    assert (found.n_chains, found.n_requests) == (2, 500)
    assert found.share == pytest.approx(np.log(1.5035) * np.sqrt(0.24), rel=0.01)
    assert found.slowest / found.fastest == pytest.approx(1.5035, rel=0.01)
    assert found.slowest_at_s == 0.01  # the second to come took the other host
    assert found.is_beyond_chance


def test_the_order_and_the_numbers_of_rows_are_of_no_consequence() -> None:
    of, rng = queued(200, 2, fast_and_slow), np.random.default_rng(3)
    numbers = pl.Series("seq", rng.permutation(200))
    again = dataclasses.replace(of, requests=of.requests[rng.permutation(200)].with_columns(numbers))
    assert known(again) == known(of)


def test_warm_up_and_failures_link_but_are_not_compared() -> None:
    rows = worked_off(500, 2, fast_and_slow)
    for row in rows[:100]:
        row.warmup = True
    for row in rows[200:220]:
        row.outcome = Outcome.FAILED
    found = known(frames(rows, counts((0.0, 2))))
    assert (found.n_chains, found.n_requests) == (2, 379)  # the last one is alone in its block


def test_nothing_is_compared_from_before_there_was_a_second_instance() -> None:
    # Two slots of one host until 1000 s, when nobody is there any more.
    looks = counts((0.0, 1), (999.0, 1), (1001.0, 2))
    assert spread(frames(worked_off(100, 2, fast_and_slow), looks, slots_each=2)) == Unknown(
        f"no two slots could be followed at the same time over {CHAIN_MIN} requests each"
    )


def test_slots_whose_services_never_vary_do_not_differ() -> None:
    found = known(queued(200, 4, lambda _slot, _began: 2.0))
    assert (found.share, found.slowest, found.fastest) == (0.0, 1.0, 1.0)
    assert not found.is_beyond_chance


def test_within_one_block_the_test_is_that_of_kruskal_and_wallis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "BLOCK_SERVICES", 10**6)
    of = simulated(5, instances=fixed(4), service=LOGNORMAL, service_spread=0.05)
    found, of_slots = known(of), reconstructed(of)
    chain = chains(of_slots.follows)
    service_ns = of_slots.ended_ns - of_slots.began_ns
    groups = [service_ns[chain == one] for one in np.unique(chain) if (chain == one).sum() >= CHAIN_MIN]
    assert found.n_chains == len(groups)
    assert found.p == pytest.approx(stats.kruskal(*groups).pvalue, rel=0.2)


@pytest.mark.parametrize(
    ("of", "why"),
    [
        (frames([Request(0.0, done=1.0)], []), "how many instances there were"),
        (queued(100, 1, lambda _slot, _began: 1.0), "no two instances"),
        (frames([Request(3.0 * k, done=3.0 * k + 1) for k in range(50)], counts((0.0, 2))), "no request that waited"),
        (queued(CHAIN_MIN, 2, fast_and_slow), f"over {CHAIN_MIN} requests each"),
    ],
    ids=["no capacity", "one instance", "no backlog", "too few"],
)
def test_where_nothing_can_be_compared_there_is_a_reason(of: Frames, why: str) -> None:
    found = spread(of)
    assert isinstance(found, Unknown)
    assert why in found.reason


def test_slots_of_one_host_are_not_compared() -> None:
    of = simulated(1, instances=fixed(1, 4), service=LOGNORMAL)
    assert spread(of) == Unknown("no two instances served at the same time: there is nothing to compare")


def test_chains_that_ran_at_different_times_are_not_compared() -> None:
    # An hour later everything takes three times as long, on both hosts.
    rng = np.random.default_rng(2)
    of = queued(100, 2, lambda _, began_s: rng.lognormal(0, 0.2) * (3 if began_s > 3000 else 1), bursts=2)
    found = known(of)
    assert found.n_chains == 4
    assert found.share < 0.05
    assert not found.is_beyond_chance


def served_alike(seed: int, hosts_there: int, slots_each: int = 1, sigma: float = 0.4) -> Frames:
    """A burst of 400 requests, each by the first slot to become free; all slots draw from one law."""
    rng = np.random.default_rng(seed)
    rows = worked_off(400, hosts_there * slots_each, lambda *_: rng.lognormal(0, sigma))
    return frames(rows, counts((0.0, hosts_there)), slots_each)


SCALED: dict[str, Any] = {
    "instances": {"min": 1, "max": 8, "start": 1, "concurrency": 1},
    "policies": [{"target_tracking": {"backlog_per_instance": 5, "out_cooldown": "20s"}}],
    "load": [{"poisson": {"rate": "3/s", "for": "10m"}}],
}
CLASSES: dict[str, Any] = {
    "instances": fixed(4, 2),
    "classes": ("a", "b"),
    "service": {"by_class": {"a": LOGNORMAL, "b": {"lognormal": {"median": "8s", "sigma": 0.4}}}},
}
ALIKE: dict[str, Callable[[int], Frames]] = {
    "one slot each": lambda seed: served_alike(seed, 4),
    "four slots each": lambda seed: served_alike(seed, 4, 4),
    "many hosts": lambda seed: served_alike(seed, 20),
    "skewed": lambda seed: served_alike(seed, 4, sigma=1.0),
    "scaled out": lambda seed: simulated(seed, service=LOGNORMAL, **SCALED),
    "payloads": lambda seed: simulated(seed, **CLASSES),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", ALIKE)
def test_hosts_that_are_alike_raise_no_more_alarms_than_promised(case: str) -> None:
    n = 100
    found = [known(ALIKE[case](seed)) for seed in range(n)]
    p = np.array([one.p for one in found])
    assert (p < 0.05).sum() <= stats.binom.isf(1e-4, n, 0.05)
    assert (p < ALPHA).sum() <= stats.binom.isf(1e-3, n, ALPHA)
    assert np.mean([one.share_low == 0 for one in found]) >= 0.9


@pytest.mark.slow
def test_a_service_that_drifts_raises_no_alarm() -> None:
    # It triples while the burst is worked off, for all hosts alike.
    def p_of(seed: int) -> float:
        rng = np.random.default_rng(seed)
        return known(queued(400, 8, lambda _, began_s: rng.lognormal(0, 0.4) * (1 + began_s / 50))).p

    p = [p_of(seed) for seed in range(60)]
    assert (np.array(p) < 0.05).sum() <= stats.binom.isf(1e-4, len(p), 0.05)
    assert min(p) > ALPHA / 10


def beside_truth(seed: int, service_spread: float, **changes: Any) -> tuple[HostSpread, float]:
    """What is found, and the standard deviation over requests of the logarithm of how slow their hosts were.

    The same seed gives each request the same work on hosts that are alike: what its service is longer is its host's.
    """
    took = []
    for each in (0.0, service_spread):
        of = scenario(BURST, seed=seed, drain="2h", service=LOGNORMAL, service_spread=each, **changes)
        tables, truth = simulated_with_truth(of)
        took.append((truth["ended"] - truth["started"]).dt.total_nanoseconds().to_numpy())
    found = known(derive(*tables))
    return found, float(np.std(np.log(took[1] / took[0])))


@pytest.mark.slow
@pytest.mark.parametrize(("n", "slots_each"), [(4, 1), (4, 4), (20, 1)])
def test_hosts_that_differ_are_found_and_by_how_much(n: int, slots_each: int) -> None:
    found, true = zip(*(beside_truth(seed, 0.2, instances=fixed(n, slots_each)) for seed in range(60)), strict=True)
    errors = np.array([one.share for one in found]) - np.array(true)
    assert abs(errors.mean()) < 0.01
    assert np.sqrt((errors**2).mean()) < 0.035
    # Four hosts drawn from such a law are sometimes alike by chance: those that do differ are found.
    far = [one.is_beyond_chance for one, by in zip(found, true, strict=True) if by > 0.15]
    assert np.mean(far) > 0.9
    covers = [one.share_low <= by <= one.share_high for one, by in zip(found, true, strict=True)]
    assert np.mean(covers) > 0.86  # of 60 at 95 %: three standard errors below


def burst_at_once(seed: int, within: str | None) -> Frames:
    """150 requests for two warm instances of different speed, stamped to the millisecond as AWS does."""
    burst = {"requests": 150} | ({} if within is None else {"within": within})
    service = {"lognormal": {"median": "10s", "sigma": 0.02}}
    instances = {"min": 2, "max": 2, "start": 2}
    of = scenario(
        [{"burst": burst}], instances=instances, service=service, service_spread=0.0575, seed=seed, drain="1h"
    )
    manifest, requests, readings, events = simulated_run(of)
    stamped = requests.with_columns(pl.col("recv", "done", "pub").dt.truncate("1ms"))
    return derive(manifest, stamped, readings, events)


@pytest.mark.slow
def test_of_requests_received_at_one_instant_it_is_not_known_which_took_which_slot() -> None:
    found = spread(burst_at_once(1, None))
    assert isinstance(found, Unknown)
    assert "received at the same instant" in found.reason
    (service,) = [stage for stage in summarise(burst_at_once(1, None)).stages if stage.name == StageName.SERVICE]
    assert "150 requests were received at the same instant as others" in service.reason


def test_requests_stamped_alike_are_in_order_where_one_was_answered_before_the_next_was_sent() -> None:
    found = known(burst_at_once(1, "1ms"))
    assert found.is_beyond_chance
    assert found.share_low < found.share < found.share_high


def test_answers_that_overlap_the_next_send_leave_the_order_of_equal_stamps_open() -> None:
    def rows(answered_after_s: float) -> Slots:
        work = [
            Request(0.0, send=0.0001 * k, ack=0.0001 * k + answered_after_s, recv=0.0, done=k + 1.0) for k in range(6)
        ]
        return reconstructed(frames(work, counts((0.0, 1))))

    assert rows(0.00005).is_ordered.all()
    assert not rows(0.00015).is_ordered.any()
    assert rows(0.00015).follows.tolist() == [-1] * 6
    assert rows(0.00005).follows.tolist() == [-1, 0, 1, 2, 3, 4]
