"""Goal: what a reader copies out of a document is taken by the product.

Method: give every command of the documents to the command line's own parser, and every YAML block to what reads its
kind. Nothing is run: pages with a test of their own are run by it (ci, deploy, python, recipes).
"""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
from ruamel.yaml import YAML
from typer.main import get_command

from smbench.api.recommend import read_ask
from smbench.cli.app import app
from smbench.errors import SmbenchError
from smbench.prediction.space import space_of
from smbench.scenario.emulated import Emulated
from smbench.scenario.model import Scenario
from smbench.sweeping.matrix import axes_of, seeds_of
from smbench.sweeping.question import FILE_KEYS, benchmarks_of

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHELL = re.compile(r"^```(?:console|sh)\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"(?<![\w./-])smbench ([a-z][a-z-]*.*)")
ENDS = re.compile(r" (?:\|\|?|&&|>|2>) ")
DATA = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)
OF_OTHER_PROGRAMS = ({"jobs"}, {"benchmark"}, {"apiVersion"})  # GitHub, GitLab, Kubernetes: valid YAML, no more


def commands(page: Path) -> list[str]:
    lines = "\n".join(SHELL.findall(page.read_text(encoding="utf-8"))).replace("\\\n", " ").splitlines()
    found = [COMMAND.search(line.removeprefix("$ ")) for line in lines]
    return [ENDS.split(match[1])[0] for match in found if match and "smbench: " not in match[0]]


def data(page: Path) -> list[Any]:
    return [YAML(typ="safe", pure=True).load(block) for block in DATA.findall(page.read_text(encoding="utf-8"))]


def id_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def test_the_documents_show_commands_and_data() -> None:
    assert sum(len(commands(page)) for page in PAGES) > 80
    assert sum(len(data(page)) for page in PAGES) > 20


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=id_of)
def test_every_command_that_a_document_shows_is_one_that_the_command_line_takes(page: Path) -> None:
    known = get_command(app).commands  # type: ignore[attr-defined]
    wrong: dict[str, str] = {}
    for line in commands(page):
        name, *arguments = shlex.split(line, comments=True)
        try:
            known[name].make_context(name, arguments)
        except KeyError:
            wrong[line] = "there is no such command"
        except (SmbenchError, click.ClickException) as error:
            wrong[line] = str(error) or type(error).__name__
    assert not wrong


@pytest.mark.parametrize("page", [page for page in PAGES if DATA.search(page.read_text(encoding="utf-8"))], ids=id_of)
def test_every_yaml_block_of_a_document_is_taken_by_what_reads_its_kind(page: Path, tmp_path: Path) -> None:
    for block in data(page):
        keys = set(block) if isinstance(block, dict) else {"load"}
        whole: dict[str, Any] = {"name": "of-a-page", "load": [{"burst": {"requests": 1}}]}
        if isinstance(block, list):
            Scenario.model_validate(whole | {"load": block})
        elif keys <= set(Scenario.model_fields):
            Scenario.model_validate(whole | block)
        elif keys == {"faults"}:
            Scenario.model_validate(whole | {"target": {"emulated": block}})
        elif "matrix" in keys:
            assert keys <= set(FILE_KEYS)
            assert axes_of(block["matrix"], page.name)
            assert seeds_of(str(block.get("seeds", 1)))
            benchmarks_of(block.get("benchmarks", {}), page.name)
            if isinstance(block["scenario"], dict):
                Scenario.model_validate(block["scenario"])
        elif "candidates" in keys:
            (tmp_path / "job.yaml").write_text(json.dumps(block), encoding="utf-8")
            read_ask(tmp_path / "job.yaml")
        elif any(mark <= keys for mark in OF_OTHER_PROGRAMS):
            pass
        else:
            assert space_of(block, Emulated(), page.name).points
