"""Goal: a what-if of a serverless or real-time endpoint says of each policy what a simulation of it alone would say.

Method: short stories with few policies; calls that are refused, so that a policy which refuses them looks quick.
"""

from typing import Any

import pytest

import smbench
from smbench.errors import UsageError
from smbench.prediction.space import space_of
from smbench.records import Unknown
from smbench.scenario.emulated import Emulated

OF_KIND: dict[str, dict[str, Any]] = {
    "serverless": {"serverless": {"memory": 2048, "max_concurrency": 30, "cold_start": "2s"}},
    "realtime": {
        "instances": {"min": 1, "max": 3, "concurrency": 2},
        "policies": [{"invocations_tracking": {"invocations_per_instance": 60}}],
        "provision": "40s",
    },
}
VARY: dict[str, dict[str, Any]] = {
    "serverless": {"max_concurrency": {"from": 30, "to": 40, "step": 10}},
    "realtime": {"invocations_per_instance": [40, 90], "max": [2, 3]},
}


def story(kind: str, **own: Any) -> dict[str, Any]:
    emulated = {"time": "warp", "service": {"exponential": {"mean": "1s"}}} | OF_KIND[kind] | own
    return {
        "name": kind,
        "target": {"kind": kind, "emulated": emulated},
        "load": [{"poisson": {"rate": "2/s", "for": "1m", "warmup": True}}, {"poisson": {"rate": "2/s", "for": "3m"}}],
        "payloads": {"synthetic": "10KiB"},
    }


@pytest.mark.slow  # each policy is simulated with a report of its own
@pytest.mark.parametrize("kind", OF_KIND)
def test_each_policy_comes_out_as_it_would_alone(kind: str) -> None:
    slo = ["p95 < 60s", "error_share <= 1%", "completed >= 99%"]
    found = smbench.what_if(story(kind), vary=VARY[kind], slo=slo, replications=2)
    assert len(found.sweep.rows) + len(found.sweep.screened_out) == 1 + found.sweep.n_points
    for row in found.sweep.rows:
        written = row.point.emulated.model_dump(mode="json", by_alias=True, exclude_unset=True)
        alone = {**story(kind), "target": {"kind": kind, "emulated": written}}
        for number, figures in enumerate(row.figures):
            run = smbench.simulate(alone, seed=1 + number, thresholds=slo)
            assert figures == pytest.approx([judged.low for judged in run.thresholds], rel=1e-6)
            if kind == "serverless":
                assert row.costs[number] == pytest.approx(run.summary.price.usd)
                continue
            assert not isinstance(run.summary.cost, Unknown)
            assert row.costs[number] == pytest.approx(run.summary.cost.instance_s / 3600, rel=1e-6)
    assert found.to_json()["policies"][0]["cost_unit"] == ("USD" if kind == "serverless" else "instance-hours")


def test_a_real_time_policy_costs_its_instances_and_its_data() -> None:
    asked = story("realtime")
    asked["target"]["instance_hour"] = 0.5
    own = {"data.gb_in": 40.0, "data.gb_out": 0.0}
    found = smbench.what_if(asked, vary={"max": [3]}, slo=["p95 < 60s"], replications=1, prices=own)
    run = smbench.simulate(asked, seed=1)
    assert not isinstance(run.summary.cost, Unknown)
    n = run.summary.measured.accepted
    expected = run.summary.cost.instance_s / 3600 * 0.5 + n * 10_240 / 2**30 * 40.0
    assert found.sweep.current.cost == pytest.approx(expected, rel=1e-6)


def test_a_policy_that_refuses_calls_is_not_quick_and_one_too_small_is_not_kept() -> None:
    found = smbench.what_if(story("serverless"), vary={"max_concurrency": [1, 30]}, slo=["p95 < 10s"], replications=1)
    by_size = {row.point.emulated.serverless.max_concurrency: row for row in found.sweep.rows}
    objectives = found.question.objectives
    assert by_size[30].keeps(objectives)
    assert not by_size[1].keeps(objectives)
    assert by_size[1].bound(0, objectives[0]) == float("inf")
    assert "2048 MB, at most 30 at once, 0 provisioned" in str(found)


def test_provisioned_concurrency_costs_what_was_given_and_is_refused_without_a_price() -> None:
    asked: dict[str, Any] = {"vary": {"provisioned": [0, 2]}, "slo": ["p95 < 10s"], "replications": 1}
    with pytest.raises(UsageError, match=r"--price serverless\.provisioned_gb_second=USD"):
        smbench.what_if(story("serverless"), **asked)
    own = {"serverless.provisioned_gb_second": 1.0, "serverless.provisioned_busy_gb_second": 0.0}
    found = smbench.what_if(story("serverless"), prices=own, **asked)
    (kept,) = [row for row in found.sweep.rows if row.point.emulated.serverless.provisioned == 2]
    assert kept.cost == pytest.approx(2 * 180 * 2, rel=0.02)  # environments, seconds, GB


def test_a_memory_size_has_the_service_times_that_are_given_with_it_else_it_is_flagged() -> None:
    vary = {"memory": [1024, {"size": 4096, "service": "500ms"}]}
    found = smbench.what_if(story("serverless"), vary=vary, slo=["p95 < 10s"], replications=1)
    flags = {row.point.emulated.serverless.memory: row.flags for row in found.sweep.rows}
    assert flags[1024] == ("memory 1024 is given the service times of the target's 2048",)
    assert flags[4096] == ()


@pytest.mark.parametrize(
    ("kind", "vary", "words"),
    [
        ("serverless", {"min": [1]}, "'min' cannot be varied"),
        ("serverless", {"memory": [1500]}, "AWS has no other memory size"),
        ("serverless", {"memory": [{"size": 1024}]}, "a memory is a size"),
        ("serverless", {"provisioned": [40], "max_concurrency": [10]}, "no combination makes sense"),
        ("realtime", {"backlog_per_instance": [5]}, "'backlog_per_instance' cannot be varied"),
        ("realtime", {"min": [0], "start": [0]}, "at least one instance"),
        ("realtime", {"policies": [[{"step_from_zero": {}}]]}, "has no backlog to scale by"),
        ("async", {"policies": [[{"invocations_tracking": {"invocations_per_instance": 5}}]]}, "never publishes"),
    ],
)
def test_what_such_an_endpoint_does_not_have_is_refused_in_a_sentence(
    kind: str, vary: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError) as failed:
        space_of(vary, Emulated(), "p.yaml", kind)
    assert words in failed.value.message


def test_figures_loads_and_advice_that_such_an_endpoint_does_not_have_are_refused() -> None:
    for slo in ("backlog_max < 5", "p95 from acceptance < 1s", "first_part_p95 < 1s", "cost_per_1000 < 1"):
        with pytest.raises(UsageError, match="of a synchronous endpoint has no"):
            smbench.what_if(story("realtime"), vary=VARY["realtime"], slo=[slo])
    other = {"name": "other", "load": [{"burst": {"requests": 1}}]}
    with pytest.raises(UsageError, match="the load of other is for the kind async"):
        smbench.what_if(story("realtime"), load=other, vary=VARY["realtime"])
    with pytest.raises(UsageError, match="handles asynchronous endpoints only"):
        smbench.advise(story("realtime"), slo=["p95 < 1s"])
