"""Goal: the schema an editor uses says what the loader does, and explains every setting.

Method: walk the schema; hold the committed file against it. Agreement on broken texts: property/test_scenario_texts.py.
"""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from smbench.scenario.schema import homes_of, json_schema, keys_at, words_at
from smbench.scenario.starter import shipped_folder


@pytest.mark.slow
def test_the_schema_is_valid_draft_7() -> None:
    jsonschema.Draft7Validator.check_schema(json_schema())


@pytest.mark.slow
def test_the_committed_file_is_the_schema() -> None:
    committed = (shipped_folder() / "scenario.schema.json").read_text(encoding="utf-8")
    assert committed == json.dumps(json_schema(), indent=2) + "\n", (
        "run `smbench schema > scenarios/scenario.schema.json`"
    )


def mappings(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for part in schema.values():
            yield from mappings(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from mappings(part)


def test_no_mapping_takes_unknown_keys() -> None:
    for mapping in mappings(json_schema()):
        assert mapping.get("additionalProperties", True) is not True, mapping


@pytest.mark.slow
def test_every_setting_is_described() -> None:
    definitions = json_schema()["definitions"]
    for mapping in mappings(json_schema()):
        for name, part in mapping.get("properties", {}).items():
            refs = [branch["$ref"] for branch in [part, *part.get("allOf", [])] if "$ref" in branch]
            described = [part, *(definitions[ref.rpartition("/")[2]] for ref in refs)]
            assert any(each.get("description") for each in described), name


@pytest.mark.slow
def test_quantities_say_their_unit() -> None:
    properties = json_schema()["definitions"]
    assert properties["Poisson"]["properties"]["rate"]["unit"] == "requests per second"
    assert properties["Poisson"]["properties"]["for"]["unit"] == "seconds"
    assert properties["Limits"]["properties"]["errors"]["unit"] == "share"
    assert properties["Payloads"]["properties"]["synthetic"]["unit"] == "bytes"


def test_nothing_of_python_is_left_in_it() -> None:
    text = json.dumps(json_schema())
    assert not any(word in text for word in ('"null"', "$defs", '"ge"', '"le"', "for_s", "oneOf"))


@pytest.mark.parametrize(
    ("where", "keys"),
    [
        ((), ["name", "description", "seed"]),
        (("load", 3), ["constant", "poisson", "ramp"]),
        (("load", 3, "poisson"), ["name", "warmup", "rate"]),
        (("target", "emulated", "service"), ["constant", "lognormal", "gamma"]),
        (("target", "emulated", "service", "by_class", "any", "gamma"), ["mean", "cv"]),
        (("target", "emulated", "time"), ["scaled"]),
        (("seed",), []),
        (("nowhere", 1), []),
    ],
)
def test_the_keys_of_a_place_are_known(where: tuple[str | int, ...], keys: list[str]) -> None:
    assert keys_at(where)[:3] == keys


def test_the_words_of_a_place_are_known() -> None:
    assert words_at(("target", "emulated", "time")) == ["real", "warp"]
    assert words_at(("load", 0, "ramp", "arrivals")) == ["poisson", "constant"]
    assert words_at(("target", "kind")) == ["async", "serverless", "realtime"]


def test_the_home_of_a_setting_is_known() -> None:
    assert homes_of("instances") == ("target.emulated.instances", "deploy.instances")
    assert homes_of("zzz") == ()
