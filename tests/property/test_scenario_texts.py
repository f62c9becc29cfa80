"""Goal: whatever stands in a scenario file, the loader answers with a scenario or with problems at their places.

Method: hypothesis breaks a sound scenario in the ways people and editors do; loader and JSON schema are asked alike.
"""

import copy
import io
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from smbench.errors import Problem, ScenarioError
from smbench.scenario.load import parse_scenario
from smbench.scenario.model import Scenario
from smbench.scenario.schema import json_schema
from smbench.scenario.starter import starter_scenario

TEXT = starter_scenario("sound")
SOUND: dict[str, Any] = YAML(typ="safe", pure=True).load(TEXT)
SCHEMA = jsonschema.Draft7Validator(json_schema())

pytestmark = pytest.mark.slow

Where = tuple[str | int, ...]


def places(value: Any, where: Where = ()) -> list[Where]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [where, *(place for key, part in inner for place in places(part, (*where, key)))]


def at(value: Any, where: Where) -> Any:
    for step in where:
        value = value[step]
    return value


PLACES = places(SOUND)
MAPPINGS = [where for where in PLACES if isinstance(at(SOUND, where), dict)]
WHERE = [where for where in PLACES if where]


def dumped(value: Any) -> str:
    stream = io.StringIO()
    YAML(typ="safe", pure=True).dump(value, stream)
    return stream.getvalue()


def loads(text: str) -> Scenario | None:
    problems: list[Problem] = []
    try:
        return parse_scenario(text, "sound.yaml")
    except ScenarioError as error:
        problems = error.problems
    n_lines = text.count("\n") + 1
    assert problems
    assert all(problem.message and 1 <= problem.line <= n_lines and problem.column >= 1 for problem in problems)
    return None


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(TEXT)), st.integers(0, 30), st.text("\t\n {}[]:-&*!|>'\"%@`#,?<=~x0é\x00", max_size=6))
def test_any_text_is_a_scenario_or_has_problems_at_its_places(at_char: int, n_cut: int, put: str) -> None:
    loads(TEXT[:at_char] + put + TEXT[at_char + n_cut :])


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(WHERE),
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.just([])
    | st.just({})
    | st.just([{}]),
)
def test_what_the_loader_accepts_the_schema_accepts(where: Where, put: Any) -> None:
    changed = copy.deepcopy(SOUND)
    at(changed, where[:-1])[where[-1]] = put
    if loads(dumped(changed)) is not None:
        SCHEMA.validate(changed)


@settings(deadline=None)
@given(st.sampled_from(MAPPINGS), st.sampled_from(["zzz", "rates", "", "for_s", "Name", "<<"]))
def test_loader_and_schema_both_refuse_an_unknown_key(where: Where, key: str) -> None:
    changed = copy.deepcopy(SOUND)
    at(changed, where)[key] = 1
    assert loads(dumped(changed)) is None
    assert not SCHEMA.is_valid(changed)


@settings(deadline=None)
@given(st.sampled_from(WHERE), st.sampled_from([None, object, "§§§", -7, True]))
def test_loader_and_schema_both_refuse_what_is_obviously_no_value(where: Where, put: Any) -> None:
    wrong = {"no": "such"} if put is object else put
    is_text = isinstance(at(SOUND, where), str) and where[0] == "description"
    is_switch = isinstance(at(SOUND, where), bool)
    changed = copy.deepcopy(SOUND)
    at(changed, where[:-1])[where[-1]] = wrong
    if (is_text and isinstance(wrong, str)) or (is_switch and wrong is True):
        return
    assert loads(dumped(changed)) is None
    assert not SCHEMA.is_valid(changed)


@pytest.mark.parametrize("where", [where for where in MAPPINGS if where])
def test_a_problem_inside_a_mapping_points_at_its_line(where: Where) -> None:
    changed = copy.deepcopy(SOUND)
    at(changed, where)["zzz"] = 1
    text = dumped(changed)
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, "sound.yaml")
    told = next(problem for problem in caught.value.problems if problem.where.endswith("zzz"))
    assert text.splitlines()[told.line - 1][told.column - 1 :].startswith("zzz")
    assert told.where == ".".join(map(str, (*where, "zzz")))


def test_a_resolved_scenario_reads_back_as_itself() -> None:
    scenario = parse_scenario(TEXT, "sound.yaml")
    assert Scenario.model_validate_json(scenario.model_dump_json()) == scenario
    assert parse_scenario(dumped(scenario.model_dump(mode="json", exclude_none=True)), "x.yaml") == scenario
