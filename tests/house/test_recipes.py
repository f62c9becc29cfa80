"""Goal: every recipe in the docs works, and polars and DuckDB answer each question alike.

Method: the code blocks are cut out of the page and run on the sample run; both answers are compared row by row.
"""

import re
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(python|sql)\n(.*?)^```$", re.DOTALL | re.MULTILINE)

OPENING, *SECTIONS = re.split(r"^## ", PAGE, flags=re.MULTILINE)
QUESTIONS = {section.splitlines()[0]: dict(BLOCK.findall(section)) for section in SECTIONS}


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # where the page says `results/sample`


@pytest.fixture
def names() -> dict[str, Any]:
    """What the page's opening defines; `duckdb` is a database of this test's own."""
    known: dict[str, Any] = {"duckdb": duckdb.connect()}
    for _, code in BLOCK.findall(OPENING):
        exec(code.replace("import duckdb\n", ""), known)
    return known


def asked_of_polars(code: str, names: dict[str, Any]) -> pl.DataFrame:
    answer = eval(code.strip(), names)
    assert isinstance(answer, pl.DataFrame)
    return answer


Rows = list[tuple[object, ...]]


def asked_of_duckdb(code: str, names: dict[str, Any]) -> tuple[list[str], Rows]:
    """Its columns and rows; instants as microseconds, so that no package for time zones is needed."""
    answer = names["duckdb"].sql(code)
    plain = (
        f'epoch_us("{name}")' if "TIMESTAMP" in str(dtype) else f'"{name}"'
        for name, dtype in zip(answer.columns, answer.types, strict=True)
    )
    return answer.columns, answer.project(", ".join(plain)).fetchall()


def rows_of(frame: pl.DataFrame) -> Rows:
    instants = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Datetime)]
    return frame.with_columns(pl.col(name).dt.epoch("us") for name in instants).rows()


@pytest.mark.parametrize("question", QUESTIONS)
def test_both_readers_answer_alike(question: str, names: dict[str, Any]) -> None:
    codes = QUESTIONS[question]
    by_polars = asked_of_polars(codes["python"], names)
    columns, rows = asked_of_duckdb(codes["sql"], names)
    assert by_polars.columns == columns
    assert rows_of(by_polars) == rows


@pytest.mark.parametrize("question", [question for question in QUESTIONS if "went wrong" not in question])
def test_the_sample_run_has_an_answer(question: str, names: dict[str, Any]) -> None:
    assert asked_of_polars(QUESTIONS[question]["python"], names).height


def test_there_are_eleven_questions() -> None:
    assert len(QUESTIONS) == 11
