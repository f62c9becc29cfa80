"""Goal: whatever the repository refers to is in the repository: documents, their sections, modules, tests.

Method: read every tracked source and document, collect what looks like a reference, and look for it.
"""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "smbench"
KINDS = (".py", ".md", ".toml", ".yaml", ".yml", ".txt", "")
DRAWN_FROM_RUNS = ("tests/data/", "tests/golden/", "results/", "src/smbench/aws/access/models/")
HISTORY = {"CHANGELOG.md"}  # names modules as they were called at the time

DOCUMENT = re.compile(r"(?<![\w/.*<-])([A-Za-z0-9_][\w./-]*\.md)(?:#([\w-]+))?(?![\w*])")
USERS_OWN = "code/inference.py"  # what AWS calls the script in a model of the user
MODULE = re.compile(r"(?<![\w/.*<-])([a-z_][a-z0-9_]*(?:/[A-Za-z0-9_.-]+)+\.py)\b")
LINK = re.compile(r"\]\(([^)\s#]+)(?:#([\w-]+))?\)")


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    files = [ROOT / name for name in listed.split("\0") if name]
    return [
        file
        for file in files
        if file.suffix in KINDS
        and file.exists()
        and not file.relative_to(ROOT).as_posix().startswith(DRAWN_FROM_RUNS)
        and file.name not in ("LICENSE", Path(__file__).name)
    ]


FILES = tracked()
DOCUMENTS = [file for file in FILES if file.suffix == ".md" and file.name not in HISTORY]
pytestmark = pytest.mark.skipif(not FILES, reason="not a git checkout")


def found(name: str, cited_by: Path) -> Path | None:
    """The file a reference means: below the root, the package, the tests or docs, or beside the one that cites it."""
    places = (ROOT, cited_by.parent, SOURCE, ROOT / "tests", ROOT / "docs")
    return next((place / name for place in places if (place / name).exists()), None)


def anchors(document: Path) -> set[str]:
    """The names under which a document's headings can be linked to, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_known(name: str, anchor: str, cited_by: Path) -> bool:
    file = found(name, cited_by)
    return file is not None and (not anchor or anchor in anchors(file))


def is_test_data(name: str, cited_by: Path) -> bool:
    """A test's own file: in the tests only a path is a reference."""
    return "/" not in name and (ROOT / "tests") in cited_by.parents


def test_every_cited_document_exists_and_has_the_cited_section() -> None:
    missing = [
        f"{file.relative_to(ROOT)}: {name}{'#' if anchor else ''}{anchor}"
        for file in FILES
        for name, anchor in DOCUMENT.findall(file.read_text(encoding="utf-8"))
        if not (is_test_data(name, file) or is_known(name, anchor, file))
    ]
    assert not missing, "\n".join(missing)


def test_every_module_that_a_document_names_exists() -> None:
    missing = [
        f"{file.relative_to(ROOT)}: {name}"
        for file in DOCUMENTS
        for name in MODULE.findall(file.read_text(encoding="utf-8"))
        if not name.endswith(USERS_OWN) and found(name, file) is None
    ]
    assert not missing, "\n".join(missing)


def test_every_link_of_a_document_leads_somewhere() -> None:
    broken = [
        f"{file.relative_to(ROOT)}: {name}{'#' if anchor else ''}{anchor}"
        for file in DOCUMENTS
        for name, anchor in LINK.findall(file.read_text(encoding="utf-8"))
        if ":" not in name and not is_known(name, anchor, file)
    ]
    assert not broken, "\n".join(broken)
