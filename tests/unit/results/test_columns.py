"""Goal: docs/columns.md is the schema. Method: print it again and compare; look for columns nobody explains."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pytest

from runs import Request, requests_frame
from smbench.results.schema import FILES
from the_columns import GAUGES, columns_markdown

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs" / "columns.md"


def test_the_documented_columns_are_those_of_the_schema(is_golden: Callable[[Path, str], bool]) -> None:
    assert is_golden(DOCS, columns_markdown()), "draw it again: pytest tests/unit/results --update-golden"


def test_every_column_says_what_it_means_in_one_cell() -> None:
    for file, columns in FILES.items():
        assert len({column.name for column in columns}) == len(columns)
        for column in columns:
            assert column.meaning, f"{file}.{column.name}"
            assert "|" not in column.meaning + column.null + column.unit, f"{file}.{column.name}"


@pytest.mark.slow
def test_duckdb_subtracts_the_instants_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "requests.parquet"
    requests_frame([Request(1.0, done=2.5)]).write_parquet(path)
    rows = duckdb.connect().execute(f"select epoch_us(done - sched) from '{path}'").fetchall()
    assert rows == [(1_500_000,)]


@pytest.mark.slow
def test_every_gauge_of_a_run_is_documented() -> None:
    readings = pl.read_parquet(ROOT / "results" / "sample" / "readings.parquet")
    ours = readings.filter(pl.col("source") != "cloudwatch").select("source", "name").unique().rows()
    assert set(ours) <= set(GAUGES)
    theirs = readings.filter(pl.col("source") == "cloudwatch")["name"].unique()
    assert all(f"| `{name}` |" in columns_markdown() for name in theirs)


def test_the_way_to_seconds_of_the_run_that_is_documented_works() -> None:
    code = columns_markdown().split("```python\n")[1].split("```")[0]
    names: dict[str, pl.DataFrame] = {}
    exec(code.replace("results/sample", str(ROOT / "results" / "sample")), names)
    assert 0 <= names["seconds"]["at"].max() < 3600  # type: ignore[operator]
