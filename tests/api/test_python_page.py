"""Goal: every block of docs/python.md does what the page says.

Method: the blocks are cut out of the page and executed in order, in one namespace, as a reader would.
"""

import re
from pathlib import Path
from typing import Any

import pytest

import smbench

PAGE = Path(__file__).parents[2] / "docs" / "python.md"


@pytest.mark.slow
def test_every_block_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    for block in blocks:
        exec(block, names)
    assert len(blocks) == 11
    assert len(list((tmp_path / "results").iterdir())) == 3  # two runs and an import


def test_the_page_lists_every_function() -> None:
    text = PAGE.read_text(encoding="utf-8")
    listed = re.findall(r"`(\w+)\(", text.partition("| function |")[2].partition("\n\n")[0])
    functions = {name for name in smbench.__all__ if not isinstance(getattr(smbench, name), type)}
    assert set(listed) == functions
