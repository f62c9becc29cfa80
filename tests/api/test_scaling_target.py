"""Goal: the saturation that was found becomes the targets that are tried, and what came of them is said.

Method: the command, with sweeps whose figures are made by hand; that they run is shown in tests/api/test_sweep.py.
"""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from smbench.api.deciding import scaling_target as module
from smbench.cli.app import app
from smbench.errors import UsageError
from smbench.sweeping.figures import Figures, Throughput
from smbench.sweeping.ranking import Group
from smbench.sweeping.scaling_target import saturated

SCENARIO: dict[str, Any] = {
    "name": "slow",
    "target": {"kind": "realtime", "emulated": {"instances": {"min": 1, "max": 2}, "time": "warp"}},
    "load": [{"burst": {"requests": 1}}],
}


def figures(hertz: float, *, kept: bool | None) -> Figures:
    unknown = dict.fromkeys(("p50", "p95", "p99", "iqr_s", "mean_s", "usd", "usd_per_1000", "usd_day"))
    throughput = Throughput(mean=hertz, p25=hertz, p50=hertz, p75=hertz, max=hertz)
    known = {"verdict": "valid", "missed": (), "n": 9, "completed": 9, "errors": {"throttle": 2}, "usd_why": ""}
    return Figures.model_validate({**unknown, **known, "throughput": throughput, "kept": kept})


class Sweeps:
    """In the place of `sweep`: stairs of which the second adds nothing, then a policy that a steep ramp breaks."""

    def __init__(self, *hertz: float, at_best: bool | None = True) -> None:
        self.hertz, self.at_best = hertz, at_best
        self.asked: list[dict[str, Any]] = []

    def __call__(self, scenario: Any, **asked: Any) -> Any:
        self.asked.append(asked)
        if "benchmarks" in asked:
            groups = [
                Group("instances=one", "saturation", {"users": str(users)}, {1: figures(hertz, kept=True)})
                for users, hertz in zip(asked["benchmarks"]["saturation"]["users"], self.hertz, strict=True)
            ]
        else:
            groups = [
                Group(
                    f"policy={name} ramp={ramp}",
                    "load",
                    {},
                    {1: figures(1.0, kept=False if (name, ramp) == ("cost", "3x") else self.at_best)},
                )
                for name in asked["matrix"]["policy"]
                for ramp in asked["matrix"]["ramp"]
            ]
        return SimpleNamespace(groups=groups, interrupted=False, path=Path("sweep"))


def command(tmp_path: Path, *more: str) -> Any:
    (tmp_path / "slow.json").write_text(json.dumps(SCENARIO))
    return CliRunner().invoke(app, ["scaling-target", str(tmp_path / "slow.json"), "--users", "1,2,4", *more])


def test_a_target_is_derived_from_saturation_and_tried_under_two_ramps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweeps = Sweeps(0.5, 0.5, 0.5)
    monkeypatch.setattr(module, "sweep", sweeps)
    found = json.loads(command(tmp_path, "--output", "json", "--ramp", "6m").stdout)
    assert (found["per_instance_per_second"], found["saturated_at_users"]) == (0.5, 1)
    assert [one["invocations_per_instance"] for one in found["targets"]] == [12, 15, 21]
    assert [one["kept"] for one in found["targets"]] == [True, True, False]
    assert found["targets"][2]["ramps"]["3x"]["errors"] == 2
    assert found["put_scaling_policy"]["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 15
    alone, check = sweeps.asked
    assert alone["matrix"]["instances"]["one"]["target.emulated.instances.max"] == 1
    assert check["thresholds"] == ("error_share < 1%",)
    shown = command(tmp_path)
    assert "Take: 15 invocations a minute for each instance (balanced)" in " ".join(shown.stdout.split())
    assert shown.exit_code == 0


@pytest.mark.parametrize(("at_best", "status"), [(True, 0), (None, 98), (False, 99)])
def test_a_target_of_which_nothing_is_known_is_not_one_that_misses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_best: bool | None, status: int
) -> None:
    monkeypatch.setattr(module, "sweep", Sweeps(0.5, 0.51, 0.52, at_best=at_best))
    ended = command(tmp_path, "--output", "json")
    assert (ended.exit_code, json.loads(ended.stdout)["exit_status"]) == (status, status)


def test_what_an_instance_serves_is_told_by_all_saturated_stairs_together() -> None:
    """50 requests at 1.1/s, 100 at 0.9/s and 200 at 1/s; of the last stair calls were given up."""
    stairs = [(1.1, {"n": 50, "completed": 50}), (0.9, {"n": 100, "completed": 100})]
    stairs += [(1.0, {"n": 200, "completed": 200}), (0.2, {"n": 400, "completed": 90})]
    groups = [
        Group("one", "saturation", {"users": str(2**place)}, {1: figures(hertz, kept=None).model_copy(update=changes)})
        for place, (hertz, changes) in enumerate(stairs)
    ]
    at, served_hz = saturated(groups, "slow", "results/sweep")
    assert at is groups[0]
    assert served_hz == pytest.approx(350 / (50 / 1.1 + 100 / 0.9 + 200))


def test_users_that_do_not_saturate_an_instance_are_too_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "sweep", Sweeps(1.0, 2.0, 4.0))
    error = command(tmp_path).exception
    assert isinstance(error, UsageError)
    assert "4 users do not saturate one instance of slow" in error.message


@pytest.mark.parametrize(
    ("stairs", "message"),
    [
        ([{"verdict": "invalid"}] * 3, "no stair of users measured what one instance of slow serves: invalid run"),
        ([{"throughput": None}] * 3, "one instance of slow completed nothing, with any number of users"),
        ([{}, {}, {"has_failed": True}], "2 users do not saturate one instance of slow"),
        ([{}, {}, {}], "4 users do not saturate one instance of slow"),
    ],
)
def test_where_no_stair_shows_saturation_the_reason_is_the_stairs_own(
    stairs: list[dict[str, Any]], message: str
) -> None:
    groups = [
        Group("one", "saturation", {"users": str(users)}, {1: figures(hertz, kept=None).model_copy(update=changes)})
        for users, hertz, changes in zip((1, 2, 4), (1.0, 2.0, 4.0), stairs, strict=True)
    ]
    with pytest.raises(UsageError, match=message):
        saturated(groups, "slow", "results/sweep")
