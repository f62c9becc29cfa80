"""Goal: plain modern English, for users first: who does what, in the words of AWS and of the literature.

Method: a list of words that this code was fond of and that its users do not use. Docstrings may have two of them in
1,000 words in each room, and so may the documents together; what a user reads (messages, labels, help, templates) has
none.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "smbench"
ARCHAIC = re.compile(
    r"\b(told|tells?|nobody|reckon\w*|whoever|hears?|heard|hearing|stands?|stood|rubbish|deaf|thereby|likewise"
    r"|of which|c[ao]mes? to an end|gone)\b",
    re.IGNORECASE,
)
UNIDIOMATIC = re.compile(  # in users' texts
    r"\b(in (?:the )?mean|anew|fores\w+|whatever comes|besides|(?:is|are) wanted|those there are"
    r"|(?:is|are) not there(?! is)|left to itself"
    r"|(?<!there )(?<!difference is )is no (?!longer|more|finer|difference|reason|JSON)(?:\w+'?s? )?\w+)\b",
    re.IGNORECASE,
)
PER_1000_MAX = 2.0
GROUND = "(ground)"
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/*.md", "docs/decisions/*.md")
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def rooms() -> dict[str, list[Path]]:
    by_room: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(SOURCE.rglob("*")):
        if path.suffix in (".py", ".html", ".js", ".jinja", ".j2"):
            parts = path.relative_to(SOURCE).parts
            by_room[parts[0] if len(parts) > 1 else GROUND].append(path)
    return by_room


ROOMS = rooms()


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each in a module; none of a template."""
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node)):
                yield node.body[0].lineno, text


def read_by_users(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each string; docstrings where they are the help; a template's lines."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), start=1)
        return
    tree = ast.parse(text)
    is_help = path == SOURCE / "cli" / "app.py" or path.parent == SOURCE / "cli" / "signatures"
    bare = set() if is_help else {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in bare:
            continue
        yield node.lineno, node.value


def offenders(texts: Iterable[tuple[int, str]], path: Path, words: re.Pattern[str] = ARCHAIC) -> list[str]:
    """Each word found, with its place."""
    place = path.relative_to(ROOT).as_posix()
    return [f"  {place}:{line} {word.group()}" for line, text in texts for word in words.finditer(text)]


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_docstrings_have_few_archaic_words(room: str) -> None:
    found = [one for path in ROOMS[room] for one in offenders(docstrings(path), path)]
    n_words = sum(len(text.split()) for path in ROOMS[room] for _, text in docstrings(path))
    rate = 1000 * len(found) / max(1, n_words)
    assert rate <= PER_1000_MAX, f"{room}: {rate:.1f} in 1,000 words\n" + "\n".join(found)


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_what_users_read_has_no_archaic_word(room: str) -> None:
    texts = {path: list(read_by_users(path)) for path in ROOMS[room]}
    found = [one for path, text in texts.items() for one in offenders(text, path)]
    found += [one for path, text in texts.items() for one in offenders(text, path, UNIDIOMATIC)]
    assert not found, "\n".join(found)


def test_documents_have_few_archaic_words() -> None:
    """All of them together: a quotation may have one."""
    paths = [path for pattern in DOCUMENTS for path in sorted(ROOT.glob(pattern)) if path.name != "map.md"]
    texts = {path: path.read_text(encoding="utf-8") for path in paths}
    found = [one for path, text in texts.items() for one in offenders(enumerate(text.splitlines(), 1), path)]
    never = [
        one for path, text in texts.items() for one in offenders(enumerate(text.splitlines(), 1), path, UNIDIOMATIC)
    ]
    assert not never, "\n".join(never)
    rate = 1000 * len(found) / sum(len(text.split()) for text in texts.values())
    assert rate <= PER_1000_MAX, f"{rate:.1f} in 1,000 words\n" + "\n".join(found)
