"""No module needs one that needs it, not even for a type: import-linter looks at rooms and at what runs, this at all.

Method: every import of every module, those under TYPE_CHECKING and inside functions too, as a graph; its circles are
its strongly connected parts of more than one module.
"""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"


def imports_of(source: str, package: str, known: set[str]) -> set[str]:
    """The modules of `known` that a module's text imports, however deep in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found & known


def graph_of(texts: dict[str, str]) -> dict[str, set[str]]:
    """What each module imports, by name."""
    return {name: imports_of(text, name.rpartition(".")[0], set(texts)) - {name} for name, text in texts.items()}


def circle_in(graph: dict[str, set[str]]) -> list[str]:
    """One circle, its first module again at its end; empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_needs_one_that_needs_it() -> None:
    texts = {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts): path.read_text(encoding="utf-8")
        for path in SOURCE.rglob("*.py")
        if path.name != "__init__.py"
    }
    assert circle_in(graph_of(texts)) == []


def test_a_circle_for_a_type_alone_is_found() -> None:
    lower = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from room.upper import Upper\n"
    assert circle_in(graph_of({"room.lower": lower, "room.upper": "from room import lower\n"}))
    assert circle_in(
        graph_of({"room.lower": "def f():\n    import room.upper\n", "room.upper": "from .lower import f\n"})
    )
    assert circle_in(graph_of({"room.lower": "import json\n", "room.upper": "from .lower import f\n"})) == []
