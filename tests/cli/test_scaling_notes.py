"""Goal: what of a scenario's scaling would mislead is said before the run, and found again in its report and files.

Method: one story with a policy on a metric that is never published, on an endpoint that was idle for long before.
"""

import json
from pathlib import Path

import pytest

from commands import in_here
from smbench.cli.scenarios import validate_command

STORY = """\
name: misled
target:
  emulated:
    instances: {min: 0, max: 2, start: 2}
    service: 1s
    initial: {idle: 20m}
    policies:
      - target_tracking: {backlog_per_instance: 5}
      - step: {metric: InvocationsPerInstance, threshold: 1, steps: [{lower: 0, change: 1}]}
    time: warp
load:
  - burst: {requests: 20, within: 1s}
drain: 5m
"""


@pytest.fixture
def story(tmp_path: Path) -> Path:
    file = tmp_path / "misled.yaml"
    file.write_text(STORY, encoding="utf-8")
    return file


def test_validate_says_what_would_mislead(story: Path, capsys: pytest.CaptureFixture[str]) -> None:
    validate_command(story)
    notes = [line for line in capsys.readouterr().out.splitlines() if line.startswith("note: ")]
    assert len(notes) == 2
    assert "no asynchronous endpoint publishes InvocationsPerInstance" in notes[0]
    assert "phase burst begins after 20m without requests" in notes[1]


@pytest.mark.slow
def test_a_run_says_it_before_it_sends_and_in_its_report_and_manifest(story: Path) -> None:
    ran = in_here("run", story.name, "--ui", "plain", cwd=story.parent)
    assert ran.returncode == 0
    before, _, _ = ran.stderr.partition("phase 1 of 1")
    assert "publishes InvocationsPerInstance" in before
    assert "is in ALARM before the load" in before
    assert "alarm without data" in ran.stdout
    (manifest,) = story.parent.glob("results/misled-*/manifest.json")
    notes = " ".join(json.loads(manifest.read_text())["notes"])
    assert "never has data" in notes
    assert "AlarmLow" in notes
