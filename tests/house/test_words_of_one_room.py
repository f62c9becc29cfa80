"""A text of two words or more stands in one room: what two rooms must agree on is a name, which a type checker sees.

Method: every string constant of the source by the room it stands in; docstrings apart, and the parts of f-strings, for
those are pieces of a sentence, and nothing is ever compared with one.
"""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "smbench"
TWO_WORDS = re.compile(r"[A-Za-z]{2,}[ ,]+[A-Za-z]{2,}")
SCHEMA_1 = "results of schema 1 hold these words, and a map reads them; the new words may change"
LABEL = "a label or an advice for a person, which nothing compares"
ALLOWED = {
    "Number of instances across active endpoints": "AWS's own name of a quota, in a reply and in its reader",
    **dict.fromkeys(
        (
            *("in-flight limit", "request limit", "time limit", "error limit"),
            *("the closed phase ended first", "the run ended first"),
        ),
        SCHEMA_1,
    ),
    **dict.fromkeys(
        (
            *("ahead of", "at once", "not sent", "capacity hole", "emulated endpoint", "requests per second"),
            *("set payloads.prefix", "from the last send until nothing was open"),
        ),
        LABEL,
    ),
    "a policy is tracking or steps": "an assertion in either room",
}
"""Texts that may stand in several rooms, each with the reason."""


def texts_of(source: str) -> set[str]:
    """The string constants of two words or more in a module's text, stripped; see the head."""
    tree = ast.parse(source)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    pieces = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    constants = (
        node.value.strip()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings | pieces
    )
    return {text for text in constants if TWO_WORDS.search(text)}


@cache
def rooms_of_texts() -> dict[str, set[str]]:
    """In which rooms each text stands; a module on the ground floor is a room of its own."""
    rooms: dict[str, set[str]] = defaultdict(set)
    for path in SOURCE.rglob("*.py"):
        for text in texts_of(path.read_text(encoding="utf-8")):
            rooms[text].add(path.relative_to(SOURCE).parts[0])
    return rooms


def test_a_text_stands_in_one_room() -> None:
    shared = {text: sorted(rooms) for text, rooms in rooms_of_texts().items() if len(rooms) > 1}
    assert {text: rooms for text, rooms in shared.items() if text not in ALLOWED} == {}


def test_no_text_is_allowed_that_stands_in_one_room() -> None:
    rooms = rooms_of_texts()
    assert [text for text in ALLOWED if len(rooms.get(text, ())) < 2] == []
    assert all(ALLOWED.values()), "each with its reason"


def test_texts_are_whole_constants() -> None:
    code = 'return f"{x} left out", "one", "a b", ["left in", g("so it is")]'
    source = f'"""Two words."""\ndef f(x):\n    """Two more."""\n    {code}\n'
    assert texts_of(source) == {"left in", "so it is"}
