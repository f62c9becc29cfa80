"""Goal: a public function says what its signature cannot: units, order, what empty means, which errors.

Method: read every module; a function or method without a leading underscore, in a class without one, needs a docstring.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "smbench"
SHARE_MIN = 0.95

Function = ast.FunctionDef | ast.AsyncFunctionDef


def public_functions(body: list[ast.stmt]) -> Iterator[Function]:
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body)
        elif isinstance(node, Function) and not node.name.startswith("_") and not is_overload(node):
            yield node


def is_overload(function: Function) -> bool:
    return any(isinstance(mark, ast.Name) and mark.id == "overload" for mark in function.decorator_list)


def test_public_functions_have_docstrings() -> None:
    bare: dict[str, list[str]] = defaultdict(list)
    n_all = 0
    for path in sorted(SOURCE.rglob("*.py")):
        place = path.relative_to(SOURCE)
        for function in public_functions(ast.parse(path.read_text(encoding="utf-8")).body):
            n_all += 1
            if not ast.get_docstring(function):
                bare[place.parts[0]].append(f"  {place.as_posix()}:{function.lineno} {function.name}")
    n_bare = sum(map(len, bare.values()))
    by_room = "\n".join(f"{room}: {len(names)}\n" + "\n".join(names) for room, names in bare.items())
    assert n_bare <= (1 - SHARE_MIN) * n_all, f"{n_bare} of {n_all} have no docstring\n{by_room}"
