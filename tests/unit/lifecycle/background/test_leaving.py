"""What a run without a terminal says to the command that started it."""

import os
from pathlib import Path

from smbench.lifecycle.background.leaving import Leaving, _until_begun


def test_a_folder_may_have_any_name_that_a_file_system_takes(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"a name\nbegun \xe9")
    folder.mkdir()
    ours, theirs = os.pipe()
    leaving = Leaving(theirs)
    leaving._say("opened", folder)
    leaving.let_go()
    assert _until_begun(ours) == (folder, True)
    os.close(ours)
