"""Goal: two runs of one question on one kind of machine are alike whatever their seeds; anything else is named.

Method: manifests that differ in one thing at a time.
"""

from typing import Any

import pytest

from runs import manifest_of
from smbench.analysis.comparison.comparability import differences, is_repetition
from smbench.results.manifest import ClockFacts, Host, ImportedFrom, Manifest
from smbench.scenario.model import Scenario

POLICY = {"target_tracking": {"backlog_per_instance": 5.0}}


IMPORTED = ImportedFrom(file="a.csv", digest="", tool="k6")  # which file it was makes no difference


def manifest(**changes: Any) -> Manifest:
    emulated = {"instances": {"min": 0, "max": 4}, "policies": [POLICY], "time": "warp"}
    scenario = {"target": {"endpoint": None, "emulated": emulated}, "load": [{"burst": {"requests": 9}}]}
    host = Host(name="here", platform="Linux-6", cpu_count=2, python="CPython 3.11.7")
    plain = manifest_of(scenario=scenario).model_copy(update={"host": host, "seeds": {"arrivals": 1}, "smbench": "1"})
    return plain.model_copy(update=changes)


def keys(one: Manifest, other: Manifest) -> list[str]:
    return [difference.key for difference in differences(one, other)]


def scenario_with(**changes: Any) -> Manifest:
    return manifest(scenario={**manifest().scenario, **changes})


def test_what_names_and_judges_a_run_and_its_seeds_make_no_difference() -> None:
    other = scenario_with(name="x", description="y", seed=9, seeds={"arrivals": 9}, thresholds=["expired == 0"])
    elsewhere = Host(name="there", platform="Linux-6", cpu_count=2, python="CPython 3.11.9")
    assert keys(manifest(), other.model_copy(update={"host": elsewhere, "run_id": "z", "seeds": {"arrivals": 9}})) == []


def test_a_setting_is_named_with_both_values() -> None:
    emulated = {
        **manifest().scenario["target"]["emulated"],
        "policies": [{"target_tracking": {"backlog_per_instance": 9.0}}],
    }
    (found,) = differences(manifest(), scenario_with(target={"endpoint": None, "emulated": emulated}))
    assert found.key == "target.emulated.policies.0.target_tracking.backlog_per_instance"
    assert (found.baseline, found.other) == ("5.0", "9.0")
    assert found.lies_under(["target.emulated.policies"])
    assert found.lies_under([found.key])
    assert not found.lies_under(["target.emulated.pol", "load"])


def test_lists_of_another_length_differ_as_a_whole() -> None:
    emulated = {**manifest().scenario["target"]["emulated"], "policies": []}
    assert keys(manifest(), scenario_with(target={"emulated": emulated})) == ["target.emulated.policies"]


def test_a_default_that_an_older_smbench_did_not_write_is_no_difference() -> None:
    assert keys(manifest(), scenario_with(collector={}, new_setting=None)) == []


def test_a_default_that_an_older_smbench_did_not_know_is_no_difference() -> None:
    written = Scenario.model_validate(manifest().scenario | {"name": "x"}).model_dump(mode="json", by_alias=True)
    later = manifest(scenario=written)
    older = manifest(scenario={key: value for key, value in written.items() if key != "request"})
    assert keys(older, later) == []
    assert keys(older, manifest(scenario=written | {"drain": 7.0})) == ["drain"]


def test_a_build_of_the_kernel_is_no_other_machine_and_in_virtual_time_no_machine_is() -> None:
    hosts = [
        Host(name="a", platform=f"Linux-6.1.{build}-x86_64-with-glibc2.41", cpu_count=2, python="CPython 3.11.7")
        for build in ("12-a-v1", "128")
    ]
    real, warp = ClockFacts(kind="real"), ClockFacts(kind="warp")
    assert keys(manifest(host=hosts[0], clock=real), manifest(host=hosts[1], clock=real)) == []
    newer = hosts[0].model_copy(update={"platform": "Linux-6.8-x86_64-with-glibc2.41", "cpu_count": 64})
    found = keys(manifest(host=hosts[0], clock=real), manifest(host=newer, clock=real))
    assert found == ["host.cpu_count", "host.platform"]
    assert keys(manifest(host=hosts[0], clock=warp), manifest(host=newer, clock=warp)) == []


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"host": Host(platform="Linux-6", cpu_count=8, python="CPython 3.11.7")}, "host.cpu_count"),
        ({"host": Host(platform="macOS", cpu_count=2, python="CPython 3.11.7")}, "host.platform"),
        ({"host": Host(platform="Linux-6", cpu_count=2, python="CPython 3.13.0")}, "host.python"),
        ({"smbench": "2"}, "run.smbench"),
        ({"transport": "wire"}, "run.transport"),
        ({"workers": 2}, "run.workers"),
        ({"clock": ClockFacts(kind="real")}, "run.clock"),
        ({"payload_digests": {"a.json": "1"}}, "payload_digests.a.json"),
        ({"imported": IMPORTED.model_copy(update={"tool": "vegeta"})}, "imported.tool"),
        ({"imported": IMPORTED.model_copy(update={"is_due_known": True})}, "imported.latency_from"),
        ({"imported": IMPORTED.model_copy(update={"has_unanswered": False})}, "imported.has_unanswered"),
        ({"imported": IMPORTED.model_copy(update={"has_failures": False})}, "imported.has_failures"),
    ],
)
def test_what_the_figures_depend_on_is_looked_at(changes: dict[str, Any], key: str) -> None:
    scaled = manifest(clock=ClockFacts(kind="scaled"), imported=IMPORTED)
    assert keys(scaled, scaled.model_copy(update=changes)) == [key]


def test_of_a_real_endpoint_its_capacity_and_policies_are_looked_at_and_not_its_names() -> None:
    def real(target_value: float, name: str) -> Manifest:
        policy = {
            "PolicyARN": f"arn:{name}",
            "PolicyName": name,
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {"TargetValue": target_value, "Dimensions": [{"Value": name}]},
        }
        target = {
            "endpoint": name,
            "instance_type": "ml.m5.xlarge",
            "scalable_target": {"MaxCapacity": 4},
            "policies": [policy],
        }
        return scenario_with(target={"endpoint": "mine"}).model_copy(update={"target": target})

    assert keys(real(5.0, "a"), real(5.0, "b")) == []
    assert keys(real(5.0, "a"), real(9.0, "a")) == [
        "found.policies.0.TargetTrackingScalingPolicyConfiguration.TargetValue"
    ]


def test_virtual_time_with_the_same_seeds_is_a_repetition_and_nothing_else_is() -> None:
    assert is_repetition(manifest(), manifest(run_id="z"))
    assert not is_repetition(manifest(), manifest(seeds={"arrivals": 2}))
    assert not is_repetition(manifest(), manifest(clock=ClockFacts(kind="warp", epoch_ns=7)))
    real = manifest(clock=ClockFacts(kind="real"))
    assert not is_repetition(real, real)
    assert not is_repetition(manifest(), real)
    assert is_repetition(*[real.model_copy(update={"transport": "simulated"})] * 2)
