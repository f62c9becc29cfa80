"""Goal: from a real-time scenario to a scaling target that was tried, in virtual time.

Method: an instance that serves one request in two seconds; the policy of the emulated endpoint does the scaling.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from smbench.cli.app import app


@pytest.mark.slow  # eight runs, two pages
def test_a_target_is_derived_from_saturation_and_tried_under_two_ramps(tmp_path: Path) -> None:
    scenario: dict[str, Any] = {
        "name": "slow",
        "target": {
            "kind": "realtime",
            "emulated": {"instances": {"min": 1, "max": 2}, "service": "2s", "provision": "60s", "time": "warp"},
        },
        "load": [{"burst": {"requests": 1}}],
        "thresholds": ["p95 < 20s"],
    }
    (tmp_path / "slow.json").write_text(json.dumps(scenario))
    command = ["scaling-target", str(tmp_path / "slow.json"), "--users", "1,2", "--ramp", "6m", "--ui", "none"]
    shown = CliRunner().invoke(app, [*command, "--results", str(tmp_path), "--output", "json"])
    found = json.loads(shown.stdout)
    assert found["per_instance_per_second"] == pytest.approx(0.5, rel=0.02)
    assert found["saturated_at_users"] == 1
    assert [one["invocations_per_instance"] for one in found["targets"]] == pytest.approx([12, 15, 21], rel=0.02)
    assert all(set(one["ramps"]) == {"1x", "3x"} for one in found["targets"])
    assert shown.exit_code == 0, found
    assert found["put_scaling_policy"]["PolicyType"] == "TargetTrackingScaling"
