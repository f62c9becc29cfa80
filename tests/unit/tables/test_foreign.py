"""Goal: the same rows are the same table in every form, and a bad cell is named by its place, its content kept back.
Method: one set of rows written in each way; small files with one peculiarity each."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from smbench.errors import UsageError
from smbench.tables import csv_rows, opening
from smbench.tables.foreign import open_table
from smbench.tables.instants import dates_ns, numbers_ns
from smbench.tables.table import BadCell, Table

START = datetime(2023, 11, 16, 18, 17, 3, tzinfo=UTC)
ROWS = [(START + timedelta(microseconds=979_960 + 250_001 * k), k, f"text {k}") for k in range(7)]
WANTED_NS = [int(at.timestamp()) * 10**9 + at.microsecond * 1000 for at, _, _ in ROWS]
FRAME = pl.DataFrame({"at": [row[0] for row in ROWS], "n": [row[1] for row in ROWS], "x": [row[2] for row in ROWS]})


def as_csv(separator: str = ",", quote: str = "", end: str = "\n") -> bytes:
    lines = [separator.join(("at", "n", "x"))]
    lines += [separator.join((at.isoformat(), str(n), f"{quote}{x}{quote}")) for at, n, x in ROWS]
    return end.join(lines).encode()


def as_json_lines(nested: bool = False) -> bytes:
    items = [{"at": at.isoformat(), "n": n, "x": x} for at, n, x in ROWS]
    return "\n".join(json.dumps({"request": item} if nested else item) for item in items).encode()


def written(write: Callable[[io.BytesIO], object]) -> bytes:
    out = io.BytesIO()
    write(out)
    return out.getvalue()


FORMS = {
    "commas": as_csv(),
    "semicolons, CRLF": as_csv(";", end="\r\n"),
    "tabs, no last line end": as_csv("\t"),
    "carriage returns alone": as_csv(end="\r"),
    "quotes": as_csv(quote='"'),
    "JSON lines": as_json_lines(),
    "a list": json.dumps([json.loads(line) for line in as_json_lines().splitlines()], indent=2).encode(),
    "a list in a document": json.dumps({"v": 1, "rows": list(map(json.loads, as_json_lines().splitlines()))}).encode(),
    "parquet": written(FRAME.write_parquet),
    "parquet, no zone": written(FRAME.with_columns(pl.col("at").dt.replace_time_zone(None)).write_parquet),
    "parquet, nanoseconds": written(FRAME.with_columns(pl.col("at").cast(pl.Datetime("ns", "UTC"))).write_parquet),
    "parquet, text": written(FRAME.with_columns(pl.col("at").dt.strftime("%+")).write_parquet),
    "parquet, another zone": written(FRAME.with_columns(pl.col("at").dt.convert_time_zone("Asia/Tokyo")).write_parquet),
    "Arrow": written(FRAME.write_ipc),
    "Arrow, packed inside": written(lambda out: FRAME.write_ipc(out, compression="zstd")),
    "Arrow stream": written(FRAME.write_ipc_stream),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_the_same_rows_in_every_form_are_the_same_instants(tmp_path: Path, form: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(FORMS[form])
    table = open_table(path)
    assert table.names == ("at", "n", "x")
    batches = list(table.rows.batches([table.find("at"), table.find("n")]))
    assert [at for batch in batches for at in dates_ns(batch.cells[0]).tolist()] == WANTED_NS
    assert [n for batch in batches for n in numbers_ns(batch.cells[1], "ns").tolist()] == list(range(7))


@pytest.mark.parametrize(
    "content",
    [
        as_json_lines(nested=True),
        written(FRAME.select(request=pl.struct("at", "n", "x")).write_parquet),
        b'{"request.at": "2023-11-16T18:17:03.979960Z"}\n',
    ],
)
def test_a_nested_key_is_a_path(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    table = open_table(path)
    batch = next(table.rows.batches([table.find("request.at")]))
    assert dates_ns(batch.cells[0]).tolist()[0] == WANTED_NS[0]


def test_a_key_that_comes_in_later_rows_is_a_column(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n{"a": 2, "b": {"c": null}}\n{"a": 3, "b": {"c": "x\\"y\\n"}}\n')
    table = open_table(path)
    assert table.names == ("a", "b", "b.c") or table.names == ("a", "b.c")
    (batch,) = table.rows.batches([table.find("b.c"), table.find("a")])
    assert batch.cells[0].to_list() == [None, None, 'x"y']
    assert batch.cells[1].to_list() == ["1", "2", "3"]


def test_a_cell_may_be_as_long_as_a_prompt(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('t_ms,prompt\n0,"' + "x, y\n" * 100_000 + '"\n5,' + "z" * 500_000 + "\n")
    (batch,) = open_table(path).rows.batches([0])
    assert batch.cells[0].to_list() == ["0", "5"]
    assert batch.place(1) == ":100003"


@pytest.mark.parametrize("quote", [0, 3, 40])
def test_both_ways_through_a_csv_meet_where_the_first_quote_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quote: int
) -> None:
    monkeypatch.setattr(opening, "BLOCK_BYTES", 64)
    monkeypatch.setattr(csv_rows, "_BATCH_ROWS", 7)
    lines = [f"{k},{k}" if k != quote else f'"{k}","a\nb"' for k in range(50)]
    path = tmp_path / "a.csv"
    path.write_text("t_ms,n\n" + "\n".join(lines))
    rows = [
        (batch.place(at), cell)
        for batch in open_table(path).rows.batches([0])
        for at, cell in enumerate(batch.cells[0])
    ]
    assert [cell for _, cell in rows] == [str(k) for k in range(50)]
    assert [place for place, _ in rows] == [f":{k + 2 + (k >= quote)}" for k in range(50)]


def read_all(table: Table) -> None:
    for batch in table.rows.batches([0]):
        try:
            numbers_ns(batch.cells[0], "ms")
        except BadCell as bad:
            raise table.bad(batch.place, 0, bad) from None


def test_a_bad_cell_is_named_by_its_line_in_any_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "BLOCK_BYTES", 64)
    for name, text in (
        ("a.csv", "t_ms,x\n" + "".join(f"{k},secret\n" if k != 30 else "root:x:0,secret\n" for k in range(50))),
        ("a.jsonl", "\n" + "".join('{"t_ms": %s}\n' % (k if k != 30 else '"root:x:0"') for k in range(50))),
    ):  # fmt: skip
        path = tmp_path / name
        path.write_text(text)
        table = open_table(path)
        with pytest.raises(
            UsageError, match=f"{name}:32: text of 8 characters in column 't_ms' is no number"
        ) as caught:
            read_all(table)
        assert "root:" not in str(caught.value)
        assert "secret" not in str(caught.value)


def test_a_name_with_escapes_reaches_no_terminal(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\x1b]0;x\x07,b\n1,2\n")
    assert "\x1b" not in open_table(path).listed()


@pytest.mark.parametrize("cut", [4, 100, -1])
def test_a_cut_parquet_file_is_refused_in_one_sentence(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(FORMS["parquet"][:cut])
    with pytest.raises(UsageError, match="is damaged, or was cut short"):
        open_table(path)


def test_a_column_of_intervals_is_named_and_not_taken_for_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "of-duckdb.parquet").write_bytes(FORMS["parquet"])

    def schema(_: pl.LazyFrame) -> pl.Schema:
        raise pl.exceptions.PanicException("could not import from `month_day_millisecond_interval` type")

    monkeypatch.setattr(pl.LazyFrame, "collect_schema", schema)
    with pytest.raises(UsageError, match="has a column of intervals"):
        open_table(tmp_path / "of-duckdb.parquet")


def test_reading_a_long_cell_leaves_the_librarys_limit_as_it_was(tmp_path: Path) -> None:
    """The limit is one for the process, and other code in it may count on its own."""
    before = csv.field_size_limit()
    (tmp_path / "long.csv").write_text(f'at,text\n1,"{"x" * (before + 1)}"\n2,"y"\n')
    for batch in open_table(tmp_path / "long.csv").rows.batches([0, 1]):
        assert csv.field_size_limit() == before
        assert batch is not None
    assert csv.field_size_limit() == before
