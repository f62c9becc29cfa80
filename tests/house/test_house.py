"""The repository checks itself: documents that speak of code are held against the code.

Method: read the tree; no list here needs keeping, except of what may be forgiven, with the reason beside it.
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from smbench.cli.app import app
from smbench.scenario.schema import json_schema
from smbench.scenario.thresholds import METRICS
from smbench.view.report.summary_file import summary_schema
from the_house import imported
from the_map import the_map, title_of
from the_scenario import scenario_markdown
from the_thresholds import thresholds_markdown

Golden = Callable[[Path, str], bool]

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "smbench"
MODULES = sorted(path for path in SOURCE.rglob("*.py") if path.name not in ("__init__.py", "__main__.py"))
ENTRANCES = {"smbench.lifecycle.processing.entry"}  # modules that are called from outside alone
CHANGELOG_WORDS_MAX = 4000  # a quarter of an hour
TITLE_WORDS_MAX = 12
MAP_WORDS_MAX = 7000  # a map, not a book
FILLER = re.compile(r"\b(comprehensive|robust|flexible|seamless|powerful|orchestrat\w*)\b", re.IGNORECASE)


def test_the_map_has_every_module_with_its_own_title(is_golden: Golden) -> None:
    drawn = the_map(SOURCE)
    assert is_golden(ROOT / "docs" / "map.md", drawn), "draw it again: pytest tests/house --update-golden"
    assert all(f"`{path.relative_to(SOURCE).as_posix()}`" in drawn for path in MODULES), "a room is missing"


def test_the_map_is_short_enough_to_find_a_file_in() -> None:
    titles = {path.relative_to(SOURCE).as_posix(): title_of(path) for path in MODULES}
    too_long = {name: title for name, title in titles.items() if not 2 <= len(title.split()) <= TITLE_WORDS_MAX}
    assert not too_long, "a docstring opens with a title and a colon, then says more"
    assert len(the_map(SOURCE).split()) <= MAP_WORDS_MAX


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_a_module_opens_with_a_sentence_and_stays_readable(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith('"""'), "a module opens with one sentence a newcomer can quote"
    assert not FILLER.search(text), "words that could stand in any docstring"
    assert text.count("\n") <= 450, "two ideas in one place?"


def test_every_metric_of_a_threshold_is_documented_from_its_own_words(is_golden: Golden) -> None:
    drawn = thresholds_markdown()
    assert is_golden(ROOT / "docs" / "thresholds.md", drawn), "draw it again: pytest tests/house --update-golden"
    assert all(f"`{name}" in drawn for name in METRICS)


def test_every_setting_of_a_scenario_is_documented_from_the_schema(is_golden: Golden) -> None:
    drawn = scenario_markdown()
    assert is_golden(ROOT / "docs" / "scenario.md", drawn), "draw it again: pytest tests/house --update-golden"
    for name, part in json_schema()["definitions"].items():
        assert f"## {name}\n" in drawn
        assert all(f"| `{key}` |" in drawn for key in part.get("properties", {}))


def test_the_schema_of_the_summary_is_the_committed_one(is_golden: Golden) -> None:
    """A new field is drawn with `pytest tests/house --update-golden`; one that goes or changes needs a new version."""
    drawn = json.dumps(summary_schema(), indent=2) + "\n"
    assert is_golden(ROOT / "docs" / "summary.schema.json", drawn)


def test_every_console_prints_texts_as_they_are() -> None:
    """A console of rich's own would take `[red]` in a name for a colour."""
    made = [path.name for path in MODULES if re.search(r"\bConsole\([^)]", path.read_text(encoding="utf-8"))]
    assert not set(made) - {"console.py"}, "make it a PlainTextConsole"


def test_what_is_unreleased_is_short_enough_to_be_read_and_each_kind_of_change_is_in_one_place() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    unreleased = text.partition("\n## Unreleased\n")[2].partition("\n## ")[0]
    assert re.findall(r"^### (.*)$", unreleased, re.MULTILINE) == ["Changed", "Added", "Fixed"]
    assert len(unreleased.split()) <= CHANGELOG_WORDS_MAX, "say what changed for a user; the rest is in the commits"


def test_no_module_is_imported_by_nobody() -> None:
    names = {".".join(("smbench", *path.relative_to(SOURCE).with_suffix("").parts)) for path in MODULES}
    assert names - imported() - set(ENTRANCES) == set()


def test_the_list_of_commands_is_whole_and_cuts_no_line() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "80"}).output
    assert "..." not in shown.partition("Options:")[2]
    listed = re.findall(r"^  ([a-z][a-z-]+)  +[A-Z]", shown, re.MULTILINE)
    assert set(listed) == set(get_command(app).commands)  # type: ignore[attr-defined]


def test_the_sample_run_can_be_reported() -> None:
    shown = CliRunner().invoke(app, ["report", str(ROOT / "results" / "sample")])
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.startswith("VALID  quick-start")


def test_each_finding_can_be_run_and_has_its_line_in_the_table() -> None:
    scripts = {path.name: path for path in (ROOT / "findings").glob("*.sh")}
    assert [name for name, path in scripts.items() if not os.access(path, os.X_OK)] == []
    assert set(re.findall(r"`([a-z0-9-]+\.sh)`", (ROOT / "findings" / "README.md").read_text())) == set(scripts)
