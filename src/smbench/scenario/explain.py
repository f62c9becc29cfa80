"""From what the validator found to what an author should read: where it is written, what is wrong, what was meant.

The validator speaks of its own types and of keys as the model has them; a reader has a file. Places the model adds by
itself (a plain duration is a law, one law is a law by class) do not appear.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from smbench.errors import Problem
from smbench.scenario.schema import homes_of, keys_at, keyword_at, schemas_at, words_at
from smbench.scenario.source import Source, Where, dotted
from smbench.scenario.values.quantities import format_duration, format_rate

_IN_UNIT: dict[str, Callable[[float], str]] = {
    "seconds": format_duration,
    "requests per second": format_rate,
    "share": lambda share: f"{share:.0%}",
}
PROBLEMS_MAX = 100  # described one by one; the others are counted
_WORD_MAX = 64  # of a longer one no setting is meant
_MEANT_SWITCH = {"yes": "true", "on": "true", "y": "true", "1": "true", "no": "false", "off": "false", "n": "false"}


@dataclass(frozen=True, slots=True)
class Explained:
    """The first problems in the order of the file, by their places, how many more there are, and in which sections."""

    problems: dict[Where, Problem]
    n_more: int
    sections: frozenset[str]


def explain(error: ValidationError, source: Source, others: Sequence[str] = ()) -> Explained:
    """One problem a place; a place already known to be wrong, or one that only suffers from such, is left out.

    Args:
        others: Where the document is no scenario, the keys that it may have: a scenario's are not proposed then.
    """
    found: dict[Where, Problem] = {}
    n_more = 0
    # Not said again: what is wrong or wrong inside already, and settings that are there under a misspelt name.
    known = _with_enclosing(source.problems)
    keys = _keys_by_parent(source)
    details = _in_order(error.errors(include_url=False), source)
    for where, detail in details:
        if where in found or where in known:
            continue
        if len(found) == PROBLEMS_MAX:
            n_more += 1
            continue
        problem = _problem(detail, where, source, keys) if not others else _of_another(detail, where, source, others)
        found[where] = problem
        if detail["type"] == "extra_forbidden" and problem.meant:
            known.add((*where[:-1], problem.meant))
    # A list whose only entry is bad is not also too short.
    enclosing = _with_enclosing(where[:-1] for where in found if where)
    sections = frozenset(str(where[0]) for where, _ in details if where)
    return Explained({where: problem for where, problem in found.items() if where not in enclosing}, n_more, sections)


def _in_order(details: list[ErrorDetails], source: Source) -> list[tuple[Where, ErrorDetails]]:
    """As the file has them, what is missing from it last."""

    def place(item: tuple[Where, ErrorDetails]) -> tuple[bool, tuple[int, int]]:
        where, detail = item
        return detail["type"] == "missing", source.key_places.get(where) or source.places.get(where) or (0, 0)

    return sorted(((_as_written(detail, source.value), detail) for detail in details), key=place)


def _keys_by_parent(source: Source) -> dict[Where, list[str]]:
    keys: dict[Where, list[str]] = {}
    for where in source.key_places:
        keys.setdefault(where[:-1], []).append(str(where[-1]))
    return keys


def _with_enclosing(places: Iterable[Where]) -> set[Where]:
    return {where[:length] for where in places for length in range(len(where) + 1)}


def _as_written(detail: ErrorDetails, value: Any) -> Where:
    """The model's path without the steps the file does not have; a missing key is kept as the last."""
    where: list[str | int] = []
    for step in detail["loc"]:
        is_entry = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if is_entry or (isinstance(value, dict) and step in value):
            where.append(step)
            value = value[step]
    if detail["type"] == "missing":
        where.append(detail["loc"][-1])
    return tuple(where)


def _problem(detail: ErrorDetails, where: Where, source: Source, keys: Mapping[Where, list[str]]) -> Problem:
    kind, ctx = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        return source.problem(where, _missing(where))
    if kind == "extra_forbidden":
        message, meant = _unknown_key(where, keys.get(where[:-1], []))
        return source.problem(where, message, at_key=True, show=False, meant=meant)
    message, meant = _wrong_value(kind, ctx, where, detail["input"])
    is_whole = isinstance(detail["input"], dict | list | tuple) and kind == "value_error"
    return source.problem(where, message, show=not is_whole, meant=meant)


def _of_another(detail: ErrorDetails, where: Where, source: Source, known: Sequence[str]) -> Problem:
    is_unknown = detail["type"] == "extra_forbidden"
    meant = unknown_word(str(where[-1]), list(known)) if is_unknown and len(where) == 1 else ""
    listed = f"; known here: {', '.join(known)}" if is_unknown and len(where) == 1 and not meant else ""
    is_shown = not is_unknown and not isinstance(detail["input"], dict | list | tuple)
    return source.problem(where, _in_general(detail) + listed, at_key=is_unknown, show=is_shown, meant=meant)


def in_words(detail: ErrorDetails, where: Where) -> str:
    """What is wrong with a value that is not from a scenario's file.

    Args:
        where: Where a scenario would have it; its last key is the one that is missing or not known.
    """
    if detail["type"] == "missing":
        return _missing(where)
    if detail["type"] == "extra_forbidden":
        return f"unknown key; known here: {', '.join(keys_at(where[:-1]))}"
    return _wrong_value(detail["type"], detail.get("ctx", {}), where, detail["input"])[0]


def first_in_words(error: ValidationError) -> str:
    """The first thing that is wrong with data of another kind than a scenario, and where: `a.b: must be a number`."""
    detail = error.errors(include_url=False)[0]
    place = dotted(tuple(detail["loc"]))
    return f"{place}: {_in_general(detail)}" if place else _in_general(detail)


def _in_general(detail: ErrorDetails) -> str:
    """Without a schema, which would have more to say."""
    kind, ctx = detail["type"], detail.get("ctx", {})
    match kind:
        case "value_error":
            return str(ctx["error"])
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "unknown key"
        case "int_type" | "int_parsing" | "int_from_float":
            return "must be a whole number"
        case "float_type" | "float_parsing":
            return "must be a number"
        case "string_type":
            return "must be text"
        case "literal_error" | "enum":
            return f"must be {ctx['expected']}"
        case "model_type" | "dict_type":
            return "must be a mapping"
        case _:
            return _out_of_bounds(kind, ctx, ())


def _missing(where: Where) -> str:
    about, example = _as_clause(keyword_at(where, "description")), keyword_at(where, "examples").strip("[]'")
    return "is missing" + (f": {about}" if about else "") + (f", such as {example}" if example else "")


def _as_clause(description: str) -> str:
    """The first sentence of a description without its example, to follow a colon; a name such as MaxCapacity stays."""
    sentence = description.partition(". ")[0].removesuffix(".").partition(", such as ")[0]
    word = sentence.partition(" ")[0]
    return sentence[:1].lower() + sentence[1:] if word[1:] == word[1:].lower() else sentence


def _unknown_key(where: Where, siblings: list[str]) -> tuple[str, str]:
    *parent, last = where
    key, known = str(last), keys_at(parent)
    if inside := [sibling for sibling in siblings if sibling in known and key in keys_at((*parent, sibling))]:
        return "does not belong here: check the indentation", dotted((*parent, inside[0], key))
    # Of a choice, such as a phase of the load, the settings may stand there without the choice.
    if _is_choice(parent) and (choices := [choice for choice in known if key in keys_at((*parent, choice))]):
        others = f" (or {', '.join(choices[1:])})" if choices[1:] else ""
        return f"belongs one level deeper, as in {choices[0]}: {{{key}: …}}{others}", ""
    near = get_close_matches(key[:_WORD_MAX].lower(), known, n=1)
    homes = homes_of(key)
    below = tuple(home for home in homes if home.startswith(dotted((*parent, ""))))
    # The same word below this place is more likely meant than another word that looks like it.
    if len(below) == 1:
        return "does not belong here", below[0]
    if not near and not below and (meant := _nearest_above(homes, parent) or (homes[0] if len(homes) == 1 else "")):
        return "does not belong here", meant
    listed = "" if near else f"; known here: {', '.join(known)}"
    return f"unknown key{listed}", near[0] if near else ""


def _nearest_above(homes: Sequence[str], parent: Sequence[str | int]) -> str:
    """The home that is a key of one of the sections around this place, the innermost; empty where none is."""
    around = [home for home in homes if dotted(tuple(parent)).startswith(home.rpartition(".")[0] + ".")]
    return max(around, key=len, default="")


def unknown_word(word: str, known: list[str]) -> str:
    """The known word that was probably meant; empty when none is near."""
    return next(iter(get_close_matches(word[:_WORD_MAX].lower(), known, n=1)), "")


def _wrong_value(kind: str, ctx: Mapping[str, Any], where: Where, value: Any) -> tuple[str, str]:
    """What is wrong, and what was probably meant."""
    match kind:
        case "value_error":
            return str(ctx["error"]), getattr(ctx["error"], "meant", "")
        case "literal_error":
            words = words_at(where)
            others = [f"{{{key}: …}}" for key in keys_at(where)]
            return f"must be one of {', '.join(words + others)}", unknown_word(str(value), words)
        case "bool_type":
            return "must be true or false", _MEANT_SWITCH.get(str(value).lower(), "")
        case "string_type":
            is_plain = isinstance(value, bool | int | float)
            return "must be text" + (": put it in quotes" if is_plain else ""), ""
        case "model_type" | "dict_type":
            return _must_be_mapping(where), ""
        case "tuple_type":
            return "must be a list: [one, two], or one entry a line behind '- '", ""
        case "string_pattern_mismatch":
            return keyword_at(where, "patternErrorMessage"), ""
        case _:
            return _out_of_bounds(kind, ctx, where), ""


def _is_choice(where: Sequence[str | int]) -> bool:
    """Whether a mapping at this place has exactly one key, which says of what kind it is."""
    return any(schema.get("maxProperties") == 1 for schema in schemas_at(where))


def _must_be_mapping(where: Where) -> str:
    keys = ", ".join(keys_at(where)) if where else "name, load and others"
    if _is_choice(where):
        plain = "a duration such as 30s, or " if keyword_at(where, "unit") == "seconds" else ""
        return f"must be {plain}exactly one of {keys}, with its settings"
    return f"must be a mapping with settings such as {keys}" if keys else "must be a mapping"


def _plain(limit: float) -> str:
    return f"{limit:,}" if isinstance(limit, int) else f"{limit:,.12g}"


def _out_of_bounds(kind: str, ctx: Mapping[str, Any], where: Where) -> str:
    shown = _IN_UNIT.get(keyword_at(where, "unit"), _plain)
    match kind:
        case "greater_than":
            return f"must be above {shown(ctx['gt'])}"
        case "greater_than_equal":
            return f"must be at least {shown(ctx['ge'])}"
        case "less_than":
            return f"must be below {shown(ctx['lt'])}"
        case "less_than_equal":
            return f"must be at most {shown(ctx['le'])}"
        case "too_short":
            return "must have at least one entry"
        case "too_long":
            return f"must have at most {ctx['max_length']} entries, not {ctx['actual_length']}"
        case "string_too_long":
            return f"must be at most {ctx['max_length']:,} characters"
        case "string_unicode":
            return "holds characters that cannot be written as UTF-8"
    return "is not a value for this setting"
