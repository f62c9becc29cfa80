"""Goal: every open question of the emulated endpoint says what public evidence allows, here and in the methods.

Method: the schema's ranges against the table of docs/methods.md.
"""

from pathlib import Path

import pytest

from smbench.scenario.emulated import Emulated, OpenQuestions
from smbench.scenario.schema import json_schema

METHODS = Path(__file__).parents[3] / "docs" / "methods.md"


def ranges() -> dict[str, str]:
    definitions = json_schema()["definitions"]
    properties = definitions[Emulated.__name__]["properties"] | definitions[OpenQuestions.__name__]["properties"]
    return {name: setting["range"] for name, setting in properties.items() if "range" in setting}


def table() -> dict[str, tuple[str, str]]:
    """Default and range of each setting in the section on open questions."""
    section = METHODS.read_text(encoding="utf-8").split("### Open questions")[1].split("## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {name.strip("`"): (default, allowed) for name, default, allowed, _ in rows}


@pytest.mark.slow
def test_every_open_question_has_a_range() -> None:
    assert set(OpenQuestions.model_fields) <= set(ranges())
    assert {"metric_delay", "action_delay", "provision", "provision_common"} <= set(ranges())


def test_the_methods_give_each_open_question_with_its_range() -> None:
    assert {name: allowed for name, (_, allowed) in table().items()} == ranges()


@pytest.mark.parametrize("name", sorted(OpenQuestions.model_fields))
def test_the_methods_give_the_defaults_that_hold(name: str) -> None:
    default = getattr(OpenQuestions(), name)
    if isinstance(default, bool | str | int | float):
        assert table()[name][0] == (str(default).lower() if isinstance(default, bool) else str(default))
