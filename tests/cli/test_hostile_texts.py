"""Goal: what a scenario or a container says reaches no terminal and no file as anything but text.

Method: the real command with names made of markup and of control characters, and with mistakes that quote them; every
stream and every file that it writes is looked through.
"""

import json
import unicodedata
from pathlib import Path

import pytest

from commands import WARP, in_here

pytestmark = pytest.mark.slow

OSC = "\\e]0;x\\a\\u009b2J"  # as YAML's double quotes write it
NAMES = ["a[/b]", "warm[red]up", ":smile:[/INST]"]
HOSTILE = (
    WARP.replace("load:\n  - constant: {rate: 10/s, for: 2s}", "load:")
    + f'description: "{OSC}[/b]"\n'
    + "payloads: {mix: [{name: one, synthetic: 9}]}\n"
)
LOAD = "".join(f'  - constant: {{rate: 10/s, for: 2s, name: "{name}"}}\n' for name in [*NAMES, OSC])
HOSTILE = HOSTILE.replace("load:\n", f"load:\n{LOAD}")


def controls(text: str) -> set[str]:
    return {one for one in text if unicodedata.category(one) in ("Cc", "Zl", "Zp") and one not in "\n\t"}


def test_hostile_names_are_printed_as_they_are_in_every_report(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(HOSTILE)
    ran = in_here("run", "x.yaml", "--ui", "plain", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    (run,) = (tmp_path / "results").iterdir()
    wanted = ["--junit", "j.xml", "--summary-md", "s.md", "--html", "p.html"]
    shown = in_here("report", run, *wanted, cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    as_json = in_here("report", run, "--output", "json", cwd=tmp_path)
    assert all(name in shown.stdout for name in NAMES), shown.stdout
    said = [ran.stdout, ran.stderr, shown.stdout, shown.stderr, as_json.stdout]
    files = [tmp_path / "j.xml", tmp_path / "s.md", tmp_path / "p.html", run / "summary.json", run / "manifest.json"]
    for text in [*said, *(path.read_text(encoding="utf-8") for path in files)]:
        assert not controls(text)
    json.loads(as_json.stdout)


@pytest.mark.parametrize(
    "text",
    [
        f'name: "{OSC}"\nload: []\n',
        f'name: x\n"{OSC}": 1\nload: [{{pause: {{for: 1s}}}}]\n',
        f'name: x\nload: [{{pause: {{for: 1s}}}}]\npayloads: {{files: ["{OSC}*"]}}\n',
        f'name: x\nload: [{{pause: {{for: 1s}}}}]\nthresholds: ["{OSC} < 5"]\n',
        "name: \x1b]0;x\x07\n",
        "name: x \u202e\x9b2J\n",
    ],
)
def test_no_message_about_a_scenario_carries_what_it_quotes_raw(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    ran = in_here("validate", "x.yaml", cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.strip()
    assert not controls(ran.stdout + ran.stderr)


@pytest.mark.parametrize(
    "arguments",
    [
        ("validate", "\x1b]0;x\x07.yaml"),
        ("run", "--\x1b]0;x\x07"),
        ("report", "\x1b[2J"),
        ("report", ".", "--assert", "\x1b[2J < 1"),
        ("compare", "\x1b[2J", "b"),
        ("schema", "\x1b[2J"),
    ],
)
def test_no_message_about_the_command_line_carries_it_raw(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ran = in_here(*arguments, cwd=tmp_path)
    assert ran.returncode == 2
    assert "\\x1b" in ran.stderr
    assert not controls(ran.stdout + ran.stderr)
