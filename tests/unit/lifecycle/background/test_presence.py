"""A run keeps its last words wherever its terminal went. Method: a pseudo terminal whose other end is closed."""

import os
import pty
import sys
from pathlib import Path

import pytest

from smbench.errors import ExitCode
from smbench.lifecycle.background.leaving import OUTPUT
from smbench.lifecycle.background.presence import Presence


@pytest.mark.parametrize("goes", [True, False], ids=["gone", "there"])
def test_what_is_printed_after_a_terminal_went_without_a_signal_is_in_the_folder(
    goes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    run = tmp_path / "run"
    run.mkdir()
    ours, theirs = pty.openpty()
    with open(theirs, "w", encoding="utf-8") as terminal, open(os.devnull, "w", encoding="utf-8") as other:
        monkeypatch.setattr(sys, "stdout", terminal)
        monkeypatch.setattr(sys, "stderr", other)
        with Presence() as presence:
            presence.opened(run, "some")
            presence.begun()
            if goes:
                os.close(ours)
            presence.ended(ExitCode.OK)
            print("the report", flush=True)  # noqa: T201  # as the command does
            if goes:
                sys.stdout.close()
    if goes:
        assert (run / OUTPUT).read_text() == "the report\n"
    else:
        assert not (run / OUTPUT).exists()
        assert os.read(ours, 100) == b"the report\r\n"
        os.close(ours)


def test_a_folder_that_cannot_be_written_any_more_does_not_hide_why_a_run_never_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    run = tmp_path / "run"
    run.mkdir()
    with Presence() as presence:
        presence.opened(run, "some")
        run.rmdir()
        run.write_text("in its place")
        presence.withdrawn()
    assert [path for path in (tmp_path / "state").rglob("*") if path.is_file()] == []  # `ps` does not list it
