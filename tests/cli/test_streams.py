"""Goal: a stdout that takes nothing, or takes only ASCII, costs one sentence and never a traceback.

Method: the real command on the sample run, its stdout as the shell would set it.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from commands import WARP, environment
from smbench.__main__ import status_of_command

pytestmark = pytest.mark.slow

SAMPLE = Path(__file__).parents[2] / "results" / "sample"
REPORT = f'"{sys.executable}" -m smbench report "{SAMPLE}"'


def shell(command: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", command],
        cwd=cwd,
        env={**environment(), **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (f"{REPORT} > /dev/full", "No space left on device"),
        (f"{REPORT} -o json > /dev/full", "No space left on device"),
        (f"{REPORT} >&-", "Bad file descriptor"),
    ],
    ids=["full", "full-json", "closed"],
)
def test_a_stdout_that_takes_nothing_is_status_1_and_one_sentence(tmp_path: Path, command: str, words: str) -> None:
    shown = shell(command, tmp_path)
    assert shown.returncode == 1, shown.stderr
    assert shown.stderr.startswith(f"smbench: cannot write to stdout: {words}")
    assert len(shown.stderr.splitlines()) == 2


def test_a_reader_that_has_enough_is_no_error(tmp_path: Path) -> None:
    shown = shell(f"{REPORT} | head -1", tmp_path)
    assert (shown.returncode, shown.stderr) == (0, "")


def test_names_beyond_ascii_are_shown_as_escapes_where_stdout_has_none(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(WARP.replace("constant: {", "constant: {name: crème, "), encoding="utf-8")
    shown = shell(f'"{sys.executable}" -m smbench validate s.yaml', tmp_path, PYTHONIOENCODING="ascii", LC_ALL="C")
    assert shown.returncode == 0, shown.stderr


def interrupted(*_given: object, **_named: object) -> None:
    raise KeyboardInterrupt


def test_an_interrupt_while_the_command_is_imported_is_a_status_and_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("smbench.cli.app.main", interrupted)
    assert status_of_command() == 130
    assert capsys.readouterr().err == "smbench: interrupted\n"


def test_an_interrupt_of_which_a_command_says_nothing_is_a_status_and_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Typer takes it, and ends without one."""
    monkeypatch.setattr("sys.argv", ["smbench", "validate", "quick-start"])
    monkeypatch.setattr("smbench.api.scenarios.load_scenario", interrupted)
    assert status_of_command() == 130
    assert capsys.readouterr().err == "smbench: interrupted\n"
