"""`smbench run` and `report` as a CI job uses them: asserted thresholds, files for the job, exit status, early stop.

Method: the real command on small scenarios; what it left is read back, and reported again with other demands.
"""

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from commands import WARP, in_here
from smbench.cli.app import app
from smbench.errors import UsageError

pytestmark = pytest.mark.slow

OVERLOAD = """\
name: overload
target:
  emulated:
    instances: {min: 1, max: 1, start: 1, concurrency: 1}
    service: 2s
    time: {scaled: 20}
load:
  - constant: {rate: 3/s, for: 10m}
drain: 30m
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run in virtual time with a met, a missed and an unknown threshold."""
    folder = tmp_path_factory.mktemp("gate")
    (folder / "scenario.yaml").write_text(WARP + "thresholds: ['failed == 0']\n")
    done = in_here(
        *("run", "scenario.yaml", "--ui", "none", "--junit", "ci/smbench.xml", "--summary-md", "page.md"),
        *("--assert", "max < 1ms", "--assert", "failed == 0", "--assert", "cost_per_1000 < 1"),
        cwd=folder,
    )
    assert done.returncode == 99, done.stderr
    return folder


def run_of(folder: Path) -> Path:
    (run,) = (folder / "results").iterdir()
    return run


def test_asserted_thresholds_join_the_scenario_s_each_once(ran: Path) -> None:
    told = json.loads((run_of(ran) / "summary.json").read_text())
    assert [(one["text"], one["passed"]) for one in told["thresholds"]] == [
        ("failed == 0", True),
        ("max < 1ms", False),
        ("cost_per_1000 < 1", None),
    ]
    assert told["exit_status"] == 99


def test_the_job_s_files_are_written(ran: Path) -> None:
    suites = ElementTree.parse(ran / "ci" / "smbench.xml").getroot()
    assert (suites.attrib["failures"], suites.attrib["errors"], suites.attrib["skipped"]) == ("1", "0", "1")
    assert "| **missed** | `max < 1ms` |" in (ran / "page.md").read_text()


def test_a_report_says_the_same_and_may_demand_more(ran: Path) -> None:
    run = run_of(ran)
    before = sorted((path.name, path.stat().st_mtime_ns) for path in run.iterdir())
    again = in_here("report", run, "--output", "json", cwd=ran)
    assert json.loads(again.stdout)["thresholds"] == json.loads((run / "summary.json").read_text())["thresholds"]
    more = in_here("report", run, "--output", "json", "--assert", "within(1h) >= 100%", cwd=ran)
    assert json.loads(more.stdout)["thresholds"][-1]["passed"] is True
    assert sorted((path.name, path.stat().st_mtime_ns) for path in run.iterdir()) == before


def test_the_step_summary_of_github_is_added_to(ran: Path) -> None:
    page = ran / "step.md"
    page.write_text("# before\n")
    told = in_here("report", run_of(ran), cwd=ran, environ={"GITHUB_STEP_SUMMARY": str(page)})
    assert told.returncode == 99
    assert page.read_text().startswith("# before\n## smbench: ")


@pytest.mark.parametrize("command", ["run", "report"])
def test_an_unreadable_assertion_is_told_before_anything_starts(ran: Path, command: str) -> None:
    what = "scenario.yaml" if command == "run" else run_of(ran)
    told = in_here(command, what, "--assert", "withn(8m) >= 99%", cwd=ran)
    assert told.returncode == 2
    assert "--assert 'withn(8m) >= 99%': there is no metric 'withn'" in told.stderr
    assert "did you mean 'within'?" in told.stderr
    assert told.stdout == ""
    assert len(list((ran / "results").iterdir())) == 1


def test_a_threshold_of_a_later_smbench_is_no_bug_of_this_one(ran: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(run_of(ran), tmp_path / "run"))
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["scenario"]["thresholds"] = ["carbon < 1kg"]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    told = in_here("report", copy, cwd=tmp_path)
    assert told.returncode == 2
    assert "has a threshold that this smbench cannot read: there is no metric 'carbon'" in told.stderr


def test_a_file_that_cannot_be_written_is_one_sentence(ran: Path) -> None:
    told = in_here("report", run_of(ran), "--junit", "page.md/x.xml", cwd=ran)
    assert told.returncode == 2
    assert "cannot write page.md/x.xml" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize("place", ["page.md/x.xml", "ci"])
@pytest.mark.parametrize(
    "command", [("run", "--junit"), ("run", "--summary-md"), ("sweep", "--html"), ("search", "--html")]
)
def test_a_file_of_the_end_that_cannot_be_written_is_refused_before_anything_begins(
    ran: Path, command: tuple[str, str], place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ran)
    name, option = command
    refused = CliRunner().invoke(app, [name, "scenario.yaml", option, place, "--results", "none"]).exception
    assert isinstance(refused, UsageError)
    assert refused.message.startswith(f"cannot write {place}: ")
    assert not (ran / "none").exists()


def test_a_run_stops_early_only_when_asked_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "scenario.yaml").write_text(OVERLOAD)
    done = in_here(
        *("run", "scenario.yaml", "--ui", "plain", "--output", "json"),
        *("--assert", "backlog <= 20 for 10s", "--stop-when-certain"),
        cwd=tmp_path,
    )
    told = json.loads(done.stdout)
    assert done.returncode in (98, 99), done.stderr  # 98 on a busy machine: the run is then not to be believed
    assert told["summary"]["reason"] == "stopped early, certain to miss backlog <= 20 for 10s"
    assert told["summary"]["ending"] == "finished"
    assert 0 < told["summary"]["counts"]["sent"] < 1800
    assert told["summary"]["counts"]["pending"] == 0  # what was sent was followed to its end
    assert told["thresholds"][0]["passed"] is (False if done.returncode == 99 else None)
    assert "threshold missed for certain: backlog <= 20 for 10s" in done.stderr


def test_the_schema_of_the_summary_is_printed() -> None:
    told = in_here("schema", "summary", cwd=Path.cwd())
    assert json.loads(told.stdout)["title"] == "smbench summary"
