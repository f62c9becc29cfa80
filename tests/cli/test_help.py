"""Goal: `--help` answers what a user asks: what it does, what an option takes, what to type.

Method: the help of every command as it is printed, and its examples through the command's own parser. What is wrong on
the command line is refused in our words, not in those of a library.
"""

import re
import shlex
from inspect import unwrap
from pathlib import Path
from typing import get_type_hints

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from commands import in_here
from smbench.cli.app import app
from smbench.cli.signatures.examples import EXAMPLES
from smbench.errors import UsageError
from smbench.scenario.starter import shipped_names

GROUP = get_command(app)
COMMANDS = sorted(GROUP.commands)  # type: ignore[attr-defined]
OF_A_LIBRARY = re.compile(r"Input should|Value error|unable to parse|valid (integer|number)")


def help_of(command: str) -> str:
    return CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "80"}).output


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_s_parser_takes_each_example(command: str) -> None:
    for line, meaning in EXAMPLES[command]:
        assert meaning
        arguments = shlex.split(line.partition("> ")[0])
        context = GROUP.commands[command].make_context(command, arguments)  # type: ignore[attr-defined]
        scenario = Path(str(context.params.get("scenario") or "."))
        assert scenario.suffix or scenario.name in ("", *shipped_names()), f"no scenario that ships: {scenario}"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_in_a_user_s_words(command: str) -> None:
    shown = help_of(command)
    assert not re.search(r"<(str|path|int|float|list\[\w+\])( range)?>|\{[A-Z]+\}", shown), "a type of Python's"
    assert not [line for line in shown.splitlines() if len(line) > 80]
    texts = [param.help for param in GROUP.commands[command].params]  # type: ignore[attr-defined]
    assert len(set(texts)) == len(texts), "two options of one meaning"
    for text in texts:
        assert re.fullmatch(r"[A-Z`](?!f ).*\.(  \[default: .*\])?", text), f"no sentence: {text}"


def test_on_a_narrow_terminal_only_commands_to_copy_are_wider() -> None:
    for command in COMMANDS:
        shown = CliRunner().invoke(app, [command, "--help"], terminal_width=58).output
        wider = [line for line in shown.splitlines() if len(line) > 60 and not line.startswith("  smbench ")]
        assert wider in ([], ["  --for <run|resume|doctor|clean|deploy|sweep|order|processing|recommend>"]), command
    # A table keeps its second column: what is folded begins below it.
    status = CliRunner().invoke(app, ["deploy", "--help"], terminal_width=58).output
    assert "    3    AWS refuses, or the stack failed and was rolled\n         back\n" in status


@pytest.mark.parametrize("command", COMMANDS)
def test_each_option_is_listed_once(command: str) -> None:
    _, _, lists = re.split(r"\n((?:What is|Results and|Arguments|Options)[^\n]*:)\n", help_of(command), maxsplit=1)
    listed = re.findall(r"^  (?:-., )?(--[a-z-]+)", lists, re.MULTILINE)
    params = GROUP.commands[command].params  # type: ignore[attr-defined]
    known = [param.opts[0] for param in params if param.param_type_name == "option"]
    assert sorted(listed) == sorted([*known, "--help"])


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--seed", "x", "'x' is not a whole number"),
        ("--seed", "-1", "-1 is too small: at least 0 is possible"),
        ("--max-cost", "cheap", "'cheap' is not a number"),
        ("--ui", "fancy", "'fancy' is not one of 'auto', 'full', 'plain', 'none'"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_in_our_words(option: str, value: str, said: str, tmp_path: Path) -> None:
    done = in_here("run", option, value, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert not OF_A_LIBRARY.search(done.stderr)


PATHS = [
    (name, param.opts[0] if param.param_type_name == "option" else param.metavar, param.param_type_name == "option")
    for name, command in GROUP.commands.items()  # type: ignore[attr-defined]
    for param in command.params
    if "Path" in str(get_type_hints(unwrap(command.callback)).get(param.name)) or param.metavar in ("PLACE", "S3")
]


@pytest.mark.parametrize(("command", "name", "is_option"), PATHS)
def test_an_empty_path_is_refused_and_never_taken_for_the_present_folder(
    command: str, name: str, is_option: bool
) -> None:
    words = [command, name, ""] if is_option else [command, "", "", ""]
    refused = CliRunner().invoke(app, words).exception
    assert isinstance(refused, UsageError), refused
    assert refused.message.endswith(" is empty")


@pytest.mark.parametrize("word", ["", "quick", "mine", "sub/", "nothing"])
@pytest.mark.parametrize("command", ["run", "validate", "simulate", "search", "emulate", "what-if"])
def test_a_shell_completes_shipped_scenarios_files_and_folders(
    command: str, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    for name in ("mine.yaml", "notes.txt", "sub/other.yml"):
        (tmp_path / name).touch()
    words = {"COMP_WORDS": f"smbench {command} {word}", "COMP_CWORD": "2", "_SMBENCH_COMPLETE": "complete_bash"}
    shown = CliRunner().invoke(app, [], prog_name="smbench", env=words).stdout.split()
    every = [*shipped_names(), "mine.yaml", "sub/"]
    expected = ["sub/other.yml"] if word == "sub/" else [one for one in every if one.startswith(word)]
    assert shown == expected


def test_a_missing_argument_is_explained_with_an_example_of_here(tmp_path: Path) -> None:
    for folder in ("b-20260101T000000Z", "a-20260102T000000Z"):
        (tmp_path / "results" / folder).mkdir(parents=True)
        (tmp_path / "results" / folder / "manifest.json").touch()
    done = in_here("report", cwd=tmp_path)
    assert done.returncode == 2
    assert "`smbench report` needs RUN: the results folder of a run" in done.stderr
    assert "smbench report results/a-20260102T000000Z" in done.stderr, "the latest"


@pytest.mark.parametrize("command", ["search", "scaling-target"])
def test_a_command_that_refuses_the_quick_start_asks_for_a_scenario(command: str) -> None:
    asked = CliRunner().invoke(app, [command]).exception
    assert isinstance(asked, UsageError)
    assert f"{command}` needs SCENARIO" in asked.message


def test_a_missing_argument_keeps_the_capitals_of_an_abbreviation(tmp_path: Path) -> None:
    assert "`smbench import` needs FILE: CSV, JSON lines" in in_here("import", cwd=tmp_path).stderr


@pytest.mark.parametrize("command", ["report", "plot", "attach", "stop", "resume", "calibrate"])
def test_a_run_s_folder_that_is_not_there_is_said_to_be_missing_with_the_latest_runs(
    command: str, tmp_path: Path
) -> None:
    for folder in ("b-20260101T000000Z", "a-20260102T000000Z"):
        (tmp_path / "results" / folder).mkdir(parents=True)
        (tmp_path / "results" / folder / "manifest.json").touch()
    for missing in ("results/c", "elsewhere/c"):
        done = in_here(command, missing, cwd=tmp_path)
        assert done.returncode == 2
        assert f"there is no folder {missing}" in done.stderr
        assert "the latest runs in results: a-20260102T000000Z, b-20260101T000000Z" in done.stderr
