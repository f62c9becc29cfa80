"""Goal: a report never copies a million rows to look at a few of their columns. Method: the source, line by line."""

import re
from pathlib import Path

import pytest

import smbench.analysis

_WHOLE_ROWS = re.compile(r"(?:frames\.(?:requests|measured)|self\.(?:requests|measured)|\bmeasured)\.(?:filter|sort)\(")
_ALLOWED = {
    "frames.py": 1,  # what is measured, where there are warm-up phases: every figure is of it
    "slowest.py": 1,  # ten rows
    "steps.py": 1,  # a phase of levels, of which each figure is another column
}


@pytest.mark.slow
def test_no_figure_copies_all_columns_of_the_requests() -> None:
    found: dict[str, int] = {}
    for module in Path(smbench.analysis.__file__).parent.rglob("*.py"):
        if n := len(_WHOLE_ROWS.findall(module.read_text())):
            found[module.name] = n
    assert found == _ALLOWED, "take the columns first: analysis.rows.frames.only"
