"""Goal: the jobs of docs/ci.md do what they say.

Method: read them as YAML, and run each `smbench run` of theirs on a small scenario under the name that they use.
"""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from smbench.cli.app import app
from smbench.errors import ExitCode

PAGE = (Path(__file__).parents[2] / "docs" / "ci.md").read_text(encoding="utf-8")
GITHUB, GITLAB = (
    YAML(typ="safe", pure=True).load(block) for block in re.findall(r"```yaml\n(.+?)```", PAGE, re.DOTALL)
)
SCENARIO = """\
name: nightly
target:
  emulated:
    instances: {min: 1, max: 1, start: 1}
    service: {constant: 100ms}
    time: warp
load:
  - constant: {rate: 2/s, for: 10s}
"""


def commands(steps: list[Any]) -> list[str]:
    lines = [step if isinstance(step, str) else step.get("run", "") for step in steps]
    return [line for line in lines if line.startswith("smbench ")]


@pytest.mark.slow
@pytest.mark.parametrize("steps", [GITHUB["jobs"]["benchmark"]["steps"], GITLAB["benchmark"]["script"]])
def test_a_job_of_the_page_passes_and_leaves_its_artifacts(
    steps: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("nightly.yaml").write_text(SCENARIO, encoding="utf-8")
    (command,) = commands(steps)
    done = CliRunner().invoke(app, shlex.split(command)[1:], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert Path("smbench.xml").exists()
    assert len(list(Path("results").iterdir())) == 1


def test_every_exit_status_is_on_the_page() -> None:
    assert {int(number) for number in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)} == {
        int(code) for code in ExitCode
    }
