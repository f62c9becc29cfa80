"""The scenario's JSON schema: for editors while writing, and for our own messages when something is wrong.

It says no more than the loader does: what the loader accepts, the schema accepts. What needs two values at once, or a
look at the disk, only the loader refuses.
"""

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import Any

from smbench.scenario.model import Scenario

JsonSchema = dict[str, Any]

DRAFT = "http://json-schema.org/draft-07/schema#"  # what the YAML language server speaks
_REF = "#/definitions/"
_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def json_schema() -> JsonSchema:
    """Draft-07, closed to unknown keys; each property with a description, quantities with their `unit`."""
    generated = Scenario.model_json_schema(ref_template=_REF + "{model}")
    definitions = {name: _tidy(part) for name, part in generated.pop("$defs").items()}
    definitions["Distribution"] = _or_duration(definitions["Distribution"])
    definitions["ServiceLaw"] = {
        "description": "One law for every payload, or one for each payload class under `by_class`.",
        "anyOf": [*definitions["Distribution"]["anyOf"], definitions["ServiceLaw"]],
        "unit": "seconds",
    }
    root = _tidy(generated)
    return {"$schema": DRAFT, "title": "smbench scenario", **root, "definitions": dict(sorted(definitions.items()))}


def _or_duration(law: JsonSchema) -> JsonSchema:
    duration = law["properties"]["constant"]
    return {"description": law["description"], "anyOf": [*duration["anyOf"], law], "unit": "seconds"}


def _tidy(schema: Any) -> Any:
    """Pydantic's dialect to draft-07's, without what an author never writes: titles, nulls, empty defaults."""
    if isinstance(schema, list):
        return [_tidy(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if key not in ("title", "default", "properties")}
    # Pydantic leaves a bound under its own name where a validator stands before it.
    tidy = {_BOUNDS.get(key, key): _tidy(value) for key, value in kept.items()}
    if "properties" in schema:  # names of settings, not of keywords: `title` would be one like any other
        tidy["properties"] = {name: _tidy(part) for name, part in schema["properties"].items()}
    if (default := _without_nulls(schema.get("default"))) not in (None, {}, [], "") and not _is_part(default):
        tidy["default"] = default
    if "anyOf" in tidy:
        branches = [branch for branch in tidy["anyOf"] if branch != {"type": "null"}]
        tidy["anyOf"] = branches
        if len(branches) == 1:
            tidy = {**branches[0], **{key: value for key, value in tidy.items() if key != "anyOf"}}
    if "oneOf" in tidy:
        tidy["anyOf"] = tidy.pop("oneOf")
    if "$ref" in tidy and len(tidy) > 1:  # draft-07 ignores what stands beside a $ref
        tidy = {"allOf": [{"$ref": tidy.pop("$ref")}], **tidy}
    return tidy


def _is_part(default: Any) -> bool:
    """Whether this default only repeats the defaults of the part's own settings."""
    return isinstance(default, dict) and len(default) > 1


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_nulls(item) for item in value]
    return value


@cache
def _root() -> JsonSchema:
    return json_schema()


def _branches(schema: JsonSchema) -> Iterator[JsonSchema]:
    """The schema and every alternative in it, references followed."""
    if "$ref" in schema:
        yield from _branches(_root()["definitions"][schema["$ref"].removeprefix(_REF)])
        return
    yield schema
    for keyword in ("anyOf", "allOf"):
        for branch in schema.get(keyword, ()):
            yield from _branches(branch)


def schemas_at(path: Sequence[str | int]) -> list[JsonSchema]:
    """Every alternative that is allowed at a place in a scenario; none where nothing is."""
    return _schemas_at(tuple(0 if isinstance(step, int) else step for step in path))


@lru_cache(maxsize=4096)  # a long list of bad entries asks for the same place over and over
def _schemas_at(path: tuple[str | int, ...]) -> list[JsonSchema]:
    found = list(_branches(_root()))
    for step in path:
        inner: list[JsonSchema] = []
        for schema in found:
            part = schema.get("items") if isinstance(step, int) else schema.get("properties", {}).get(step)
            if part is None and isinstance(step, str) and isinstance(schema.get("additionalProperties"), dict):
                part = schema["additionalProperties"]
            if part is not None:
                inner.extend(_branches(part))
        found = inner
    return found


def keys_at(path: Sequence[str | int]) -> list[str]:
    """The settings a mapping at this place may have, in the order the schema lists them."""
    return list(dict.fromkeys(key for schema in schemas_at(path) for key in schema.get("properties", {})))


def words_at(path: Sequence[str | int]) -> list[str]:
    """The words that are allowed at this place, where only certain words are."""
    words = [
        word for schema in schemas_at(path) for word in (schema["enum"] if "enum" in schema else [schema.get("const")])
    ]
    return list(dict.fromkeys(word for word in words if word is not None))


def keyword_at(path: Sequence[str | int], keyword: str) -> str:
    """The first value of a keyword at this place; empty when it has none."""
    return next((str(schema[keyword]) for schema in schemas_at(path) if keyword in schema), "")


def homes_of(key: str) -> tuple[str, ...]:
    """Every place outside of lists where a setting of this name belongs, as dotted paths."""
    return _homes().get(key, ())


@cache
def _homes() -> dict[str, tuple[str, ...]]:
    homes: dict[str, dict[str, None]] = {}

    def visit(schema: JsonSchema, path: tuple[str, ...]) -> None:
        for branch in _branches(schema):
            for name, part in branch.get("properties", {}).items():
                homes.setdefault(name, {})[".".join((*path, name))] = None
                visit(part, (*path, name))

    visit(_root(), ())
    return {key: tuple(places) for key, places in homes.items()}
