"""Parquet and Arrow files as tables: their columns keep the types they have; a field of a struct is a path, `a.b`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from smbench.errors import UsageError
from smbench.tables.opening import Form, Watch
from smbench.tables.table import HEAD_ROWS, Batch, Table, shown

_BATCH_ROWS = 1_000_000
_CLOCK = "%H:%M:%S%.9f"  # cast to text a time of day loses its fraction


@dataclass(frozen=True, slots=True)
class ColumnarRows:
    """Rows of a file whose columns lie one after another."""

    path: Path
    frame: pl.LazyFrame
    columns: tuple[pl.Expr, ...]
    n: int
    watch: Watch | None
    lists: Mapping[int, str]  # the names of columns whose cells hold several values

    def batches(self, columns: Sequence[int]) -> Iterator[Batch]:
        """See `table.Rows`."""
        if name := next((self.lists[at] for at in columns if at in self.lists), None):
            raise UsageError(
                f"{self.path}: column '{shown(name)}' holds several values a row, and a column needs one",
                "give each a row of its own: `unnest` in DuckDB, `explode` in polars and pandas",
            )
        size = self.path.stat().st_size
        asked = [self.columns[index].alias(str(at)) for at, index in enumerate(columns)]
        for start in range(0, self.n, _BATCH_ROWS):
            cells = _collected(self.path, self.frame.slice(start, _BATCH_ROWS).select(asked))
            yield Batch(tuple(_tidy(series) for series in cells), lambda row, start=start: f", row {start + row + 1}")  # type: ignore[misc]  # the loop's own start
            if self.watch is not None:
                self.watch(self.path, size * min(start + _BATCH_ROWS, self.n) // self.n, size)


def columnar_table(path: Path, form: Form, watch: Watch | None = None) -> Table:
    """The table of a parquet file or of an Arrow file or stream.

    Raises:
        UsageError: it is damaged, or holds no row.
    """
    match form:
        case Form.PARQUET:
            frame = pl.scan_parquet(path, glob=False)
        case Form.ARROW:
            frame = pl.scan_ipc(path, glob=False)
        case _:
            frame = _stream(path)
    schema = _schema(path, frame)
    found = [leaf for name, dtype in schema.items() for leaf in _leaves(pl.col(name), name, dtype)]
    n = int(_collected(path, frame.select(pl.len())).item())
    if not found or not n:
        raise UsageError(f"{path} holds no rows")
    texts = [_as_text(expr, dtype).alias(str(at)) for at, (_, dtype, expr) in enumerate(found)]
    head = _collected(path, frame.head(HEAD_ROWS).select(texts))
    lists = {at: name for at, (name, dtype, _) in enumerate(found) if dtype.is_nested()}
    rows = ColumnarRows(path, frame, tuple(expr for _, _, expr in found), n, watch, lists)
    lengths = frozenset(at for at, (_, dtype, _) in enumerate(found) if isinstance(dtype, pl.Duration))
    return Table(path, form.value, tuple(name for name, _, _ in found), tuple(head.rows()), rows, lengths=lengths)


def _stream(path: Path) -> pl.LazyFrame:
    try:
        return pl.read_ipc_stream(path).lazy()
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise _damaged(path) from error


def _schema(path: Path, frame: pl.LazyFrame) -> pl.Schema:
    try:
        return frame.collect_schema()
    except pl.exceptions.PanicException as error:
        if "interval" in str(error):  # DuckDB writes one for the difference of two instants; polars has no such type
            raise UsageError(
                f"{path} has a column of intervals (whole milliseconds in parquet), which cannot be read",
                "write it as a number; in DuckDB: epoch_us(ended - began)",
            ) from error
        raise _damaged(path) from error
    except pl.exceptions.DuplicateError as error:
        raise UsageError(f"{path} has two columns of one name", "rename one of them") from error
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _damaged(path) from error


def _collected(path: Path, frame: pl.LazyFrame) -> pl.DataFrame:
    try:
        return frame.collect()
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> UsageError:
    return UsageError(f"{path} is damaged, or was cut short: its columns cannot be read", "copy it again")


def _leaves(expr: pl.Expr, name: str, dtype: pl.DataType) -> Iterator[tuple[str, pl.DataType, pl.Expr]]:
    if isinstance(dtype, pl.Struct):
        for field in dtype.fields:
            inner = field.dtype if isinstance(field.dtype, pl.DataType) else field.dtype()
            yield from _leaves(expr.struct.field(field.name), f"{name}.{field.name}", inner)
    else:
        yield name, dtype, expr


def _as_text(expr: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.Datetime):
        return (expr.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if dtype.time_zone else expr).cast(
            pl.String
        )
    if isinstance(dtype, pl.Duration):
        expr = expr.dt.total_nanoseconds()
    if isinstance(dtype, pl.Time):
        return expr.dt.to_string(_CLOCK)
    if dtype.is_nested() or isinstance(dtype, pl.Object | pl.Null):
        return pl.lit(None, dtype=pl.String)
    return expr.cast(pl.String, strict=False)


def _tidy(cells: pl.Series) -> pl.Series:
    """Text without blanks around it, empty is null; so are bytes, categories, times of day, and yes or no."""
    if isinstance(cells.dtype, pl.Time):
        cells = cells.dt.to_string(_CLOCK)
    if isinstance(cells.dtype, pl.Binary | pl.Boolean | pl.Categorical | pl.Enum):
        cells = cells.cast(pl.String, strict=False)
    if cells.dtype != pl.String:
        return cells
    text = cells.str.strip_chars()
    return pl.select(pl.when(text != "").then(text)).to_series()
