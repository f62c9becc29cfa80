"""Goal: the same rows are the same table in every form, and a bad cell is named by its place, its content kept back.
Method: one set of rows written in each way; small files with one peculiarity each."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
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
            UsageError, match=f"{name}:32: text of 8 characters in column 't_ms' is not a number"
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


def columns_of(table: Table) -> dict[str, list[str | None]]:
    """Each column of a small file by its name, as text."""
    assert table.names is not None
    batches = list(table.rows.batches(range(table.width)))
    return {name: [cell for batch in batches for cell in batch.cells[at]] for at, name in enumerate(table.names)}


AS_TABLES = {
    "by columns": '{"t_ms": {"0": 0, "1": 5}, "m": {"0": "a", "1": "b"}}',
    "by columns, indented": '{\n "t_ms": {"0": 0, "1": 5},\n "m": {"0": "a", "1": "b"}\n}',
    "by rows": '{"0": {"t_ms": 0, "m": "a"}, "1": {"t_ms": 5, "m": "b"}}',
    "names and rows apart": '{"columns": ["t_ms", "m"], "index": [0, 1], "data": [[0, "a"], [5, "b"]]}',
    "columns as lists": '{"t_ms": [0, 5], "m": ["a", "b"]}',
    "names with their values": '{"columns": [{"name": "t_ms", "values": [0, 5]}, {"name": "m", "values": ["a", "b"]}]}',
}


@pytest.mark.parametrize("written", AS_TABLES.values(), ids=AS_TABLES)
def test_a_table_that_is_one_document_is_its_rows(tmp_path: Path, written: str) -> None:
    (tmp_path / "a.json").write_text(written)
    assert columns_of(open_table(tmp_path / "a.json")) == {"t_ms": ["0", "5"], "m": ["a", "b"]}


@pytest.mark.parametrize("written", ['{"at": 1}{"at": 2}', '{\n "at": 1\n}\n{\n "at": 2\n}\n'])
def test_documents_one_after_another_are_named_with_a_way_out(tmp_path: Path, written: str) -> None:
    (tmp_path / "a.json").write_text(written)
    with pytest.raises(UsageError, match="is several JSON documents") as caught:
        open_table(tmp_path / "a.json")
    assert "jq -c" in caught.value.advice


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_columns_that_lie_apart_by_blanks_are_columns(tmp_path: Path, end: str) -> None:
    rows = ["t_ms    size", "   0 1", "  10    2  ", " 300    3"]
    (tmp_path / "a.txt").write_text(end.join(rows), newline="")
    assert columns_of(open_table(tmp_path / "a.txt")) == {"t_ms": ["0", "10", "300"], "size": ["1", "2", "3"]}


@pytest.mark.parametrize("cell", ["2026-11-01 10:00:00", "2026-11-01 10:00:00 +00:00", "Nov 1 2026", "next to it"])
def test_one_column_of_dates_or_words_with_blanks_stays_one(tmp_path: Path, cell: str) -> None:
    (tmp_path / "a.txt").write_text(f"t\n{cell}\n{cell}\n")
    assert columns_of(open_table(tmp_path / "a.txt")) == {"t": [cell, cell]}


def test_a_mark_that_may_lie_between_thousands_is_asked_about(tmp_path: Path) -> None:
    cells = [f"{n:,}".replace(",", ".") for n in range(0, 9000, 1000)]
    (tmp_path / "a.csv").write_text("t_ms;n\n" + "".join(f"{cell};1\n" for cell in cells))
    with pytest.raises(UsageError, match="points between thousands"):
        list(open_table(tmp_path / "a.csv").rows.batches([0]))
    assert list(open_table(tmp_path / "a.csv").rows.batches([1]))


@pytest.mark.parametrize("cells", [["0", "0.500", "1.000", "1.500", "2.000", "2.500"], ["1.125", "2", "2.5"]])
def test_three_digits_behind_a_decimal_point_are_no_thousands(tmp_path: Path, cells: list[str]) -> None:
    (tmp_path / "a.csv").write_text("t_s;n\n" + "".join(f"{cell};1\n" for cell in cells))
    assert columns_of(open_table(tmp_path / "a.csv"))["t_s"] == cells


@pytest.mark.parametrize("cell", ["1,234", "1'234", "1 234", "1\u202f234", "1.234.567", "1_234"])
def test_a_number_with_marks_between_thousands_is_told_from_no_number(cell: str) -> None:
    with pytest.raises(BadCell, match="marks between its thousands"):
        numbers_ns(pl.Series([cell]), "ms")


def test_a_time_of_day_keeps_its_fraction(tmp_path: Path) -> None:
    pl.DataFrame({"at": [at.time() for at, _, _ in ROWS]}).write_parquet(tmp_path / "a.parquet")
    wanted = [at.time().isoformat("microseconds") + "000" for at, _, _ in ROWS]
    table = open_table(tmp_path / "a.parquet")
    assert columns_of(table)["at"] == wanted == [row[0] for row in table.head]


def test_yes_and_no_are_no_numbers(tmp_path: Path) -> None:
    pl.DataFrame({"at": [True, False]}).write_parquet(tmp_path / "a.parquet")
    (batch,) = open_table(tmp_path / "a.parquet").rows.batches([0])
    with pytest.raises(BadCell):
        numbers_ns(batch.cells[0], "s")


@pytest.mark.parametrize("cells", [[[1, 2]], [[{"at": 1}]]])
def test_a_column_with_several_values_a_row_is_named(tmp_path: Path, cells: list[list[object]]) -> None:
    pl.DataFrame({"n": [1], "requests": cells}).write_parquet(tmp_path / "a.parquet")
    table = open_table(tmp_path / "a.parquet")
    with pytest.raises(UsageError, match="'requests' holds several values a row"):
        list(table.rows.batches([1]))
    assert list(table.rows.batches([0]))


@pytest.mark.parametrize("rest", ["", '"quoted",7\n'])
@pytest.mark.parametrize("wide", ["1,5,2\n", "3,4,,x\n"])
def test_a_row_with_more_cells_than_names_is_refused_by_its_line(tmp_path: Path, wide: str, rest: str) -> None:
    """Some of its cells lie under the wrong name: `1,5` that was meant as one and a half, say."""
    (tmp_path / "a.csv").write_text(f"t_ms,n\n0,1\n9,9,\n{wide}{rest}")
    with pytest.raises(UsageError, match=r"a\.csv:4: the row has [34] cells, and there are 2 columns"):
        list(open_table(tmp_path / "a.csv").rows.batches([0]))


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_last_row_without_its_end_is_torn_if_it_lacks_cells(tmp_path: Path, end: str) -> None:
    (tmp_path / "a.csv").write_text(f"t_ms,n\n0,1\n12{end}")
    if end:
        (batch,) = open_table(tmp_path / "a.csv").rows.batches([0])
        assert list(batch.cells[0]) == ["0", "12"]
    else:
        with pytest.raises(UsageError, match="was cut short, or is still being written"):
            list(open_table(tmp_path / "a.csv").rows.batches([0]))


def test_a_parquet_file_with_two_columns_of_one_name_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"t_ms": [0, 1], "n_one": [1, 2], "n_two": [3, 4]}).write_parquet(path)
    path.write_bytes(path.read_bytes().replace(b"n_two", b"n_one"))
    with pytest.raises(UsageError, match="has two columns of one name") as caught:
        open_table(path)
    assert caught.value.advice


def test_plain_rows_are_cut_by_polars_and_only_the_head_by_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row a time three million rows take 13 s of CPU, and 0.8 s all at once."""
    (tmp_path / "a.csv").write_text("t_ms,n\n" + "0,1\n" * 200)
    heads: list[int] = []
    read = csv_rows._library_rows

    def counted(path: Path, pieces: Iterable[bytes], separator: str, line: int) -> Iterator[tuple[int, list[str]]]:
        heads.append(line)
        return read(path, pieces, separator, line)

    monkeypatch.setattr(csv_rows, "_library_rows", counted)
    assert sum(len(batch.cells[0]) for batch in open_table(tmp_path / "a.csv").rows.batches([0])) == 200
    assert heads == [1]
