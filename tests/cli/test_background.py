"""A run that has no terminal, or has lost it, goes on, is found, watched and ended by others, and says how it ended.

Method: the real command where processes are the matter; its functions on entries made by hand where they are not.
"""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from commands import LONG, SMALL, environment, has_begun, smbench, start, wait_until
from smbench.cli.background import attach
from smbench.cli.background.attach import attach_command, stop_command
from smbench.cli.background.listing import ps_command
from smbench.errors import ExitCode, InvalidRunError, ResultsError
from smbench.lifecycle.background.following import _asked
from smbench.lifecycle.background.registry import Entry, known_run, known_runs, registry_place
from smbench.records import Ending
from smbench.results.manifest import MANIFEST, read_manifest

SAMPLE = Path(__file__).parents[2] / "results" / "sample"


@pytest.fixture(autouse=True)
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return registry_place()


def write(folder: Path, text: str) -> Path:
    file = folder / "scenario.yaml"
    file.write_text(text)
    return file


@pytest.mark.slow  # a run, and two commands beside it
def test_a_detached_run_is_watched_by_several_stopped_by_one_and_its_status_is_that_of_those_who_waited(
    tmp_path: Path, registry: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    began = smbench("run", write(tmp_path, LONG), "--detach", cwd=tmp_path)  # returns: nobody holds its pipes
    assert began.returncode == 0, began.stderr
    folder = Path(began.stdout.strip())
    assert f"smbench attach {folder}" in began.stderr
    assert "writing down the schedule" in began.stderr
    known = known_run(registry, folder)
    assert known is not None
    assert known.is_alive
    waits = start("attach", folder, cwd=tmp_path)
    wait_until(has_begun(tmp_path / "results"))
    for _ in range(3):  # they come, and go without a word
        gone = _asked(known, b"watch")
        assert gone is not None
        gone.read(100)
        gone.connection.close()
    assert waits.stderr is not None
    assert "results: " in "".join(waits.stderr.readline() for _ in range(2))
    assert stop_command(folder, at_once=False) is ExitCode.OK
    output, said = waits.communicate(timeout=60)
    assert waits.returncode == ExitCode.INTERRUPTED
    assert "stopped by smbench stop" in output
    assert "stopping: no more is sent" in said  # the stage itself may pass between two lines
    assert "has ended: stopped" in said
    assert "completed" in (folder / "output.log").read_text()
    capsys.readouterr()
    ps_command("json")
    (listed,) = json.loads(capsys.readouterr().out)["runs"]
    assert (listed["run"], listed["state"], listed["exit_status"]) == (str(folder), "stopped", 130)
    assert stop_command(folder, at_once=True) is ExitCode.OK
    assert "has ended already" in capsys.readouterr().err


@pytest.mark.slow  # each is a command of its own
@pytest.mark.parametrize(
    ("text", "options", "status", "words"),
    [
        (LONG.replace("constant:", "konstant:"), (), ExitCode.USAGE, "did you mean 'constant'"),
        (
            LONG[: LONG.index("target:")] + LONG[LONG.index("load:") :],
            ("--endpoint", "mine", "--region", "eu-west-1", "--endpoint-url", "http://127.0.0.1:9"),
            ExitCode.TARGET,
            "127.0.0.1:9",
        ),
    ],
    ids=["scenario", "target"],
)
def test_what_cannot_begin_says_so_in_the_foreground_and_leaves_nothing(
    tmp_path: Path, registry: Path, text: str, options: tuple[str, ...], status: ExitCode, words: str
) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_MAX_ATTEMPTS": "1"}
    ran = smbench("run", write(tmp_path, text), *options, "--detach", cwd=tmp_path, environ=keys)
    assert ran.returncode == status, ran.stderr
    assert words in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stdout == ""
    assert known_runs(registry) == []
    assert not list(tmp_path.glob("results/*"))


@pytest.mark.slow  # a run on a terminal of its own
def test_a_terminal_that_goes_away_leaves_the_run_alone(tmp_path: Path, registry: Path) -> None:
    ours, theirs = pty.openpty()
    file = write(tmp_path, SMALL)
    command = [sys.executable, "-m", "smbench", "run", str(file)]
    environ = environment() | {"TERM": "xterm"}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environ, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    drawn = b""
    while b"sending" not in drawn:
        drawn += os.read(ours, 65536)
    os.close(ours)
    os.killpg(process.pid, signal.SIGHUP)
    assert process.wait(60) in (ExitCode.OK, ExitCode.INVALID)
    (folder,) = (tmp_path / "results").iterdir()
    assert read_manifest(folder).ending is Ending.FINISHED
    text = (folder / "output.log").read_text()
    assert "completed 20" in text
    assert "\x1b" not in text
    known = known_run(registry, folder)
    assert known is not None
    assert known.exit_status == process.returncode


def left(folder: Path, registry: Path, ending: Ending) -> None:
    """A run whose process was killed, its manifest as it was then."""
    shutil.copytree(SAMPLE, folder)
    manifest = json.loads((folder / MANIFEST).read_text()) | {"ending": ending.value}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    Entry.make(registry, folder, "quick-start", "/nowhere").close()


def test_a_run_whose_process_was_killed_is_interrupted_and_resume_is_named(
    tmp_path: Path, registry: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left(tmp_path / "run", registry, Ending.RUNNING)
    ps_command("table")
    out, said = capsys.readouterr()
    assert "interrupted" in out
    assert "smbench resume" in said
    with pytest.raises(InvalidRunError, match="was interrupted") as error:
        attach_command(tmp_path / "run", "none", "table")
    assert f"smbench resume {tmp_path / 'run'}" in error.value.advice
    with pytest.raises(InvalidRunError, match="was interrupted"):
        stop_command(tmp_path / "run", at_once=False)


def test_a_run_that_has_ended_is_reported_whether_the_registry_knows_it_or_not(
    tmp_path: Path, registry: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left(tmp_path / "run", registry, Ending.FINISHED)
    for folder in (tmp_path / "run", SAMPLE):
        assert attach_command(folder, "none", "table") is ExitCode.OK
        out, said = capsys.readouterr()
        assert out.startswith("VALID  quick-start")
        assert "has ended: finished" in said


def test_what_is_no_run_is_a_sentence(tmp_path: Path) -> None:
    for folder, said in ((tmp_path, "is not a run"), (tmp_path / "missing", "there is no folder")):
        with pytest.raises(ResultsError, match=said):
            attach_command(folder, "none", "table")
        with pytest.raises(ResultsError, match=said):
            stop_command(folder, at_once=False)


def test_a_run_that_never_began_is_listed_as_such_and_those_that_are_gone_are_counted(
    tmp_path: Path, registry: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ps_command("table")
    assert "no run of this machine is known" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    for name in ("empty", "gone", "gone too"):
        Entry.make(registry, tmp_path / name, "small", "/nowhere").close()
    ps_command("table")
    out, said = capsys.readouterr()
    (empty,) = out.splitlines()
    assert "not begun" in empty
    assert "left out 2 runs whose folders were removed" in said
    ps_command("json")
    states = sorted(run["state"] for run in json.loads(capsys.readouterr().out)["runs"])
    assert states == ["not begun", "removed", "removed"]


def test_two_runs_an_hour_apart_never_have_one_time_also_when_summer_time_ends(
    registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    registry.mkdir(parents=True)
    for hour in (0, 1):  # UTC, of the night in which 02:00 to 03:00 comes twice
        (tmp_path / f"run-{hour}").mkdir()
        known = {"folder": str(tmp_path / f"run-{hour}"), "scenario": "s", "pid": 1, "socket": ""}
        entry = known | {"started": f"2026-10-25T{hour:02}:30:00+00:00"}
        (registry / f"{hour}.jsonl").write_text(json.dumps(entry) + "\n")
    ps_command("table")
    shown = [line[:25] for line in capsys.readouterr().out.splitlines()]
    assert shown == ["2026-10-25 02:30:00+01:00", "2026-10-25 02:30:00+02:00"]
    monkeypatch.delenv("TZ")
    time.tzset()


def test_ctrl_c_leaves_a_watched_run_alone_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_given: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(attach, "known_run", lambda *_given: SimpleNamespace(is_alive=True))
    monkeypatch.setattr(attach, "watch", interrupted)
    assert attach.attach_command(Path("results/a"), "none", "table") == 130
    assert capsys.readouterr().err == "smbench: the run in results/a goes on\n"
