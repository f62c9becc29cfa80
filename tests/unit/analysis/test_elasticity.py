"""Goal: each figure of elasticity and cost equals its closed form, and what rests on the unknown is absent.

Method: deterministic bursts and steps whose integrals are products, then M/M/c against queueing theory.
"""

from typing import Any

import numpy as np
import pytest

from modelling import scenario
from runs import Request, frames_of, reading, span, sure
from simulated import simulated_run
from smbench.analysis.capacity.cost import Cost
from smbench.analysis.capacity.elasticity import Elasticity, demand, possible_hz, soon_undone
from smbench.analysis.capacity.scaling import ScalingStep
from smbench.analysis.rows.frames import Frames, derive
from smbench.analysis.summary import Summary, summarise
from smbench.records import Outcome, Reading, Unknown
from theory import mmc_wait_mean_s


def simulated(load: list[dict[str, Any]], **changes: Any) -> Frames:
    """What a run of this load against a modelled endpoint leaves."""
    return derive(*simulated_run(scenario(load, **changes)))


def fixed(n: int, slots: int = 1) -> dict[str, int]:
    return {"min": n, "max": n, "start": n, "concurrency": slots}


def looks(*seen: tuple[float, int, int]) -> list[Reading]:
    return [
        reading(name, float(count), at)
        for at, there, desired in seen
        for name, count in (("instances_current", there), ("instances_desired", desired))
    ]


def by_hand(rows: list[Request], seen: list[Reading], slots: int = 1, **more: Any) -> Summary:
    of = {"target": {"emulated": {"instances": {"concurrency": slots}}, **more.pop("target", {})}, **more}
    return summarise(frames_of(rows, readings=seen, scenario=of, spans=[span(len(rows), end_s=100.0)]))


def elastic(summary: Summary) -> Elasticity:
    return sure(summary.elasticity)


def priced(summary: Summary) -> Cost:
    return sure(summary.cost)


@pytest.mark.slow
def test_a_burst_on_a_fleet_that_stays_is_its_closed_form() -> None:
    # 100 requests at once, four slots, 1 s each: 25 rounds. The backlog falls by four a second, from 100 to 0.
    summary = summarise(simulated([{"burst": {"requests": 100, "within": "0s"}}], instances=fixed(2, 2)))
    found = elastic(summary)
    assert found.utilisation == pytest.approx(1.0)
    assert found.throughput_hz == pytest.approx(4.0)
    assert found.throughput_bound_hz == pytest.approx(4.0)
    assert found.drain_bound_s == pytest.approx(25.0)
    assert found.drain_efficiency == pytest.approx(1.0)
    assert sure(found.time_to_drain).value == pytest.approx(24.0)  # four are left, and all of them work
    assert found.backlog_area_s == pytest.approx(sum(96 - 4 * k for k in range(24)))
    assert (found.hole_s, found.oscillations) == (0.0, 0)
    cost = priced(summary)
    assert (cost.instance_s, cost.cold_s) == (50.0, 0.0)
    assert cost.useful_s == pytest.approx(50.0)
    assert cost.idle_s == pytest.approx(0.0)
    assert cost.instance_s_per_1000 == pytest.approx(500.0)


def test_what_was_achieved_never_exceeds_what_was_possible() -> None:
    # A slow host served alone before the scale-in: its requests say little of the others'.
    assert possible_hz(0.2, 0.25, 90, 100) == 0.25
    assert possible_hz(0.25, 0.25, 100, 100) == 0.25
    few, beyond = possible_hz(0.1, 0.25, 30, 100), possible_hz(12 / 60, 11 / 60, 90, 100)
    assert isinstance(few, Unknown)
    assert "30 of 100 requests only" in few.reason
    assert isinstance(beyond, Unknown)
    assert "more was achieved" in beyond.reason


def test_supply_below_and_above_demand_is_the_area_between_the_curves() -> None:
    # One arrival a second for 100 s, of 2 s each, one slot an instance: from 60 s on two instances are needed; before,
    # the window is not full, and the arrivals up to t are t + 1 over 60 s. One instance till 70.5 s, three after.
    # 2 (t + 1) / 60 > 1 from t = 30 on: 30 samples need one, t = 30..100 two.
    rows = [Request(float(k), done=k + 2.0) for k in range(99)]
    frames = frames_of(
        [*rows, Request(99.0, done=100.0)],
        readings=looks((0.0, 1, 1), (70.0, 1, 3), (71.0, 3, 3)),
        scenario={"target": {"emulated": {"instances": {"concurrency": 2}}}},
        spans=[span(100, end_s=100.0)],
    )
    needed = demand(frames, 2.0, 1, 60.0)
    assert needed.instances.tolist() == [1] * 30 + [2] * 71
    summary = by_hand([*rows, Request(99.0, done=100.0)], looks((0.0, 1, 1), (70.0, 1, 3), (71.0, 3, 3)), slots=2)
    found = sure(elastic(summary).provisioning)
    # With two slots an instance one is needed throughout: never too few, and two too many at 71..100 s.
    assert found.under_instances == 0.0
    assert found.over_instances == pytest.approx(2 * 30 / 101)
    assert found.over_share == pytest.approx(2 * 30 / 101)
    assert found.over_time_share == pytest.approx(30 / 101)
    assert found.idle_share == pytest.approx(2 * 30 / (71 + 3 * 30))
    assert found.instability == pytest.approx(1 / 100)  # the one step up, of a hundred
    assert found.jitter_per_hour == pytest.approx(3600 / 100)  # one change more than was needed, in a hundred seconds


@pytest.mark.slow
def test_too_little_ends_when_capacity_comes_and_is_censored_when_it_never_does() -> None:
    # Four a second of 1 s each: four needed once the window is full. Two serve until 80 s, four from then on.
    rows, free = [], [0.0, 0.0, 80.0, 80.0]
    for k in range(400):
        at = k / 4
        starts = max(at, min(free))
        free[free.index(min(free))] = starts + 1.0
        rows.append(Request(at, done=starts + 1.0))
    enough = by_hand(rows, looks((0.0, 2, 2), (79.999, 2, 4), (80.001, 4, 4)))
    found = sure(elastic(enough).provisioning)
    assert found.service_s == pytest.approx(1.0, abs=0.01)
    assert (found.reaction.n, found.reaction.n_censored) == (1, 0)
    assert found.reaction.max is not None
    # 4 t + 1 arrivals up to t, over 60 s: more than two needed from t = 30 on.
    assert found.reaction.max.value == pytest.approx(80.0 - 30.0, abs=1.0)
    rows = [row if row.done and row.done < 80 else Request(row.sched, Outcome.PENDING) for row in rows]
    never = sure(elastic(by_hand(rows, looks((0.0, 2, 2)))).provisioning)
    assert never.reaction.n_censored == 1


def test_a_hole_is_the_time_with_requests_and_no_instance() -> None:
    # Two requests from 5 s on, an instance at 30 s; nothing between 33 and 60 s, when a third finds none until 70 s.
    rows = [Request(5.0, done=31.5), Request(5.0, done=33.0), Request(60.0, done=71.5)]
    found = elastic(
        by_hand(
            rows,
            looks((0.0, 0, 1), (29.999, 0, 1), (30.001, 1, 1), (39.999, 1, 1), (40.001, 0, 0))
            + looks((69.999, 0, 1), (70.001, 1, 1)),
        )
    )
    assert found.hole_s == pytest.approx(25.0 + 10.0, abs=0.01)
    assert found.hole_longest_s == pytest.approx(25.0, abs=0.01)
    assert found.hole_at_s == 5.0


@pytest.mark.slow
def test_a_lost_notice_leaves_no_hole_at_an_endpoint_that_rightly_sleeps() -> None:
    rows = [Request(0.0, Outcome.PENDING), Request(1.0, done=3.0), Request(2.0, Outcome.LOST)]
    sleeping = looks((0.0, 1, 1), (9.999, 1, 1), (10.001, 0, 0), (900.0, 0, 0))
    # The first was taken up before the second completed, and the last is given up: over, whoever failed to say so.
    assert elastic(by_hand(rows, sleeping)).hole_s == 0.0
    waiting = [*rows, Request(4.0, Outcome.PENDING)]
    assert elastic(by_hand(waiting, sleeping)).hole_s == pytest.approx(890.0, abs=0.01)


def step(at: float, before: int, after: int) -> ScalingStep:
    return ScalingStep(decided_at_s=at, before=before, after=after, state="Successful")


def test_a_scale_in_soon_undone_is_an_oscillation_and_one_undone_late_is_none() -> None:
    steps = [step(0.0, 1, 4), step(1000.0, 4, 1), step(1500.0, 1, 4), step(3000.0, 4, 1), step(9000.0, 1, 4)]
    assert soon_undone(steps, 900.0) == [steps[1]]
    assert soon_undone(steps, 6000.0) == [steps[1], steps[3]]
    assert soon_undone(steps[:2], 900.0) == []


@pytest.mark.slow
def test_paid_time_is_useful_cold_or_idle_and_nothing_besides() -> None:
    # One instance from 0 s; a second is decided at 10 s and serves from 40 s: 30 s cold. Fifty requests of 1 s.
    rows = [Request(2.0 * k, done=2.0 * k + 1.0) for k in range(50)]
    seen = looks((0.0, 1, 1), (9.999, 1, 1), (10.001, 1, 2), (39.999, 1, 2), (40.001, 2, 2))
    summary = by_hand(rows, seen, target={"instance_hour": 3.6}, thresholds=["sojourn_p95 < 1s"])
    cost = priced(summary)
    assert cost.instance_s == pytest.approx(10 + 2 * 89, abs=0.01)
    assert cost.cold_s == pytest.approx(30.0, abs=0.01)
    assert cost.useful_s == pytest.approx(50.0)
    assert cost.idle_s == pytest.approx(188 - 30 - 50, abs=0.01)
    assert cost.usd == pytest.approx(0.001 * 188, abs=1e-4)  # 3.60 an hour is a tenth of a cent a second
    assert cost.usd_per_1000 == pytest.approx(0.001 * 188 / 50 * 1000, abs=1e-3)
    assert (cost.deadline_s, cost.n_within_deadline) == (1.0, 50)
    assert cost.usd_per_1000_within_deadline == cost.usd_per_1000
    assert cost.harness is None  # an emulated endpoint costs nothing to ask


@pytest.mark.parametrize(
    ("of", "seconds", "source"),
    [
        ({"thresholds": ["sojourn_p95 < 8m", "sojourn_p50 <= 2m"]}, 120.0, "sojourn_p50 <= 2m"),
        ({"thresholds": ["sojourn_p95 > 8m", "expired == 0"], "request": {"ttl": 900}}, 900.0, "request.ttl"),
        ({"thresholds": ["within(5m) >= 99%", "sojourn_p95 < 8m"]}, 300.0, "within(5m) >= 99%"),
        ({"thresholds": ["within(5m) from acceptance >= 99%", "p95 from acceptance < 1m"]}, None, ""),
        ({}, None, ""),
    ],
)
def test_the_deadline_is_the_tightest_the_author_set(of: dict[str, Any], seconds: float | None, source: str) -> None:
    cost = priced(by_hand([Request(0.0, done=1.0)], looks((0.0, 1, 1)), **of))
    assert (cost.deadline_s, cost.deadline_from) == (seconds, source)


def test_without_counts_of_instances_there_is_no_figure_and_a_reason() -> None:
    summary = by_hand([Request(0.0, done=1.0)], [])
    assert (
        summary.elasticity
        == summary.cost
        == summary.host_spread
        == Unknown("no reading says how many instances there were")
    )
    assert {"elasticity", "cost", "host_spread"} <= set(summary.absent)
    written = summary.as_json()
    assert (written["elasticity"], written["cost"], written["host_spread"]) == (None, None, None)
    assert written["absent"] == summary.absent


def test_without_the_slots_of_an_instance_what_needs_no_slots_remains() -> None:
    rows = [Request(0.0, done=31.0)]
    frames = frames_of(
        rows, readings=looks((0.0, 0, 1), (30.0, 1, 1)), scenario={"target": {"endpoint": "e", "instance_hour": 1.0}}
    )
    summary = summarise(frames)
    found, cost = elastic(summary), priced(summary)
    assert isinstance(found.provisioning, Unknown)
    assert "MaxConcurrentInvocationsPerInstance" in found.provisioning.reason
    assert found.utilisation == found.backlog_area_s == cost.useful_s == cost.idle_s == found.provisioning
    assert summary.as_json()["elasticity"]["why_no_provisioning"] == found.provisioning.reason
    assert found.hole_s == 15.0
    assert cost.usd == pytest.approx(31 / 3600)
    assert cost.harness is not None  # two objects, one read, one message
    assert cost.harness.usd == pytest.approx(sum(cost.harness.parts.values()))


@pytest.mark.slow
@pytest.mark.parametrize("servers", [1, 4])
def test_mmc_is_as_busy_and_waits_as_long_as_theory_says(servers: int) -> None:
    # Utilisation 0.6, service 1 s; eight seeds, held to five standard errors of their own mean.
    busy: list[float] = []
    waits_s: list[float] = []
    for seed in range(8):
        summary = summarise(
            simulated(
                [{"poisson": {"rate": 0.6 * servers, "for": 5_000 / (0.6 * servers)}}],
                seed=seed,
                instances=fixed(servers),
                service={"exponential": {"mean": "1s"}},
                drain="1h",
            )
        )
        wait = sure(next(one for one in summary.stages if one.name == "queue wait").distribution)
        utilisation = sure(elastic(summary).utilisation)
        assert wait.mean_s is not None
        busy.append(utilisation)
        waits_s.append(wait.mean_s)
        assert sure(priced(summary).useful_s) == pytest.approx(utilisation * priced(summary).instance_s)
    for measured, theory in ((busy, 0.6), (waits_s, mmc_wait_mean_s(servers, 0.6 * servers, 1.0))):
        error = np.std(measured, ddof=1) / len(measured) ** 0.5
        assert np.mean(measured) == pytest.approx(theory, abs=5 * error)


def test_what_measuring_costs_has_every_metric_asked_of_cloudwatch() -> None:
    rows = [Request(0.0, done=600.0)]
    aws = [
        reading(name, 1.0, at, source="cloudwatch", stat=stat)
        for at in (60.0, 120.0)
        for name, stat in (
            ("ApproximateBacklogSize", "average"),
            ("ApproximateBacklogSize", "maximum"),
            ("CPU", "average"),
        )
    ]
    frames = frames_of(rows, readings=[*looks((0.0, 1, 1)), *aws], scenario={"target": {"endpoint": "e"}})
    harness = priced(summarise(frames)).harness
    assert harness is not None
    assert harness.parts["CloudWatch"] == pytest.approx(3 * 20 * 0.01 / 1000)  # every 30 s for 600 s
