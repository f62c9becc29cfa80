"""Goal: the run of the scenario that `init --calibration` writes leaves nothing to be assumed that a run can say.

Method: the command within this process; the scenario simulated and fitted.
"""

from pathlib import Path

import pytest
from typer.testing import CliRunner

import smbench
from smbench.calibration.parameter import Source
from smbench.cli.app import app
from smbench.errors import ExitCode

CANNOT_BE_SAID = {"what instances of one change share", "second of the alarm"}


@pytest.mark.slow  # 2,350 requests
def test_the_calibration_scenario_says_all_that_a_run_can_say(tmp_path: Path) -> None:
    file = tmp_path / "calibration.yaml"
    written = CliRunner().invoke(app, ["init", str(file), "--calibration"])
    assert written.exit_code == ExitCode.OK, written.output
    assert "USD" in written.stdout
    assert "the run lasts" in written.stdout
    folder = smbench.simulate(file, results=tmp_path).path
    assert folder is not None
    found = smbench.calibrate(folder)
    assumed = {each.name for each in found.parameters if each.source is Source.ASSUMED}
    assert assumed <= CANNOT_BE_SAID
    named = {each.name: each.value for each in found.parameters}
    assert named["service"] == pytest.approx(1.2 * 1.046, rel=0.03)
    assert named["scale-in of target tracking"] == "one_step"
