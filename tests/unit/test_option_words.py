"""Goal: what is wrong is said in our words, never in those of the library that checked it.

Method: every option of every command, given a word and numbers that many cannot take; and data
of each kind that a user or another version wrote.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.main
from pydantic import BaseModel, ValidationError

from smbench.api.scenarios import with_endpoint
from smbench.api.sweeping.sweep import resume_sweep
from smbench.cli.app import app
from smbench.errors import ResultsError, UsageError
from smbench.scenario.explain import first_in_words
from smbench.scenario.model import Scenario
from smbench.sweeping.question import benchmarks_of

FOREIGN = ("Value error", "Input should", "Extra inputs", "Field required", "validation error", "pydantic")
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # it is a group
OPTIONS = sorted(
    (name, option.opts[0])
    for name, command in COMMANDS.items()
    for option in command.params
    if option.param_type_name == "option" and not option.is_flag and option.opts[0] != "--help"
)


@pytest.mark.slow
def test_no_option_answers_in_the_words_of_a_library() -> None:
    refused = [
        f"{command} {option} {value}: {said}"
        for command, option in OPTIONS
        for value in ("no such word!", "-1", "nan")
        if (said := what_is_said(command, option, value))
    ]
    assert len(refused) > 20
    assert not [said for said in refused if any(word in said for word in FOREIGN)]


def what_is_said(command: str, option: str, value: str) -> str:
    """Of a value that is refused; the line is read, and nothing is started. Empty where it is taken."""
    try:
        COMMANDS[command].make_context(command, [option, value])
    except typer.BadParameter as error:
        return error.message
    except UsageError:  # the value was taken, and something else is missing
        return ""
    return ""


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"cold_start": {"idle": "soon"}}, "benchmarks.cold_start.idle: must be a duration"),
        ({"stabilty": {}}, "benchmarks.stabilty: unknown key"),
        ({"stability": 5}, "benchmarks.stability: must be a mapping"),
        ({"saturation": {"users": ["x", 2]}}, "benchmarks.saturation.users.0: must be a whole number"),
    ],
)
def test_what_is_wrong_with_benchmarks_is_said_where_it_is(written: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        benchmarks_of(written, "m.yaml")
    assert said in refused.value.message


def test_the_first_mistake_of_other_data_has_its_place_and_our_words() -> None:
    class Two(BaseModel):
        n: int
        share: float = 0.0

    for data, said in (
        ({}, "n: is missing"),
        ({"n": "x"}, "n: must be a whole number"),
        ({"n": 1, "share": "x"}, "share: must be a number"),
        (5, "must be a mapping"),
    ):
        with pytest.raises(ValidationError) as caught:
            Two.model_validate(data)
        assert first_in_words(caught.value) == said
    with pytest.raises(ValidationError) as caught:
        Scenario.model_validate({"name": "a", "load": [{"poisson": {"rate": "1/s", "for": "x"}}]})
    assert first_in_words(caught.value).startswith("load.0.poisson.for: must be a duration")


def test_a_sweep_whose_question_was_damaged_says_so_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text(json.dumps({"question": {}, "prices": {}}))
    with pytest.raises(ResultsError) as refused:
        resume_sweep(tmp_path, progress="none")
    assert "is damaged: " in refused.value.message
    assert "\n" not in refused.value.message


@pytest.mark.parametrize("endpoint", ["", "no name", "-x", "a" * 64])
def test_a_name_that_no_endpoint_can_have_is_refused_in_a_sentence(endpoint: str) -> None:
    with pytest.raises(UsageError, match="must be an endpoint name: at most 63 letters, digits, dashes"):
        with_endpoint(
            Scenario.model_validate({"name": "a", "load": [{"constant": {"rate": "1/s", "for": "1s"}}]}), endpoint
        )
