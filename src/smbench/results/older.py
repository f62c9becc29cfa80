"""Reads what older versions wrote: instants in nanoseconds, and why a request was not sent in words only."""

import polars as pl

from smbench.records import NotSent, Outcome
from smbench.results.schema import FILES, INSTANT, polars_schema

_FINER = pl.Datetime("ns", "UTC")
_CASTS = pl.ScanCastOptions(datetime_cast="nanosecond-downcast")

# As schema 1 worded them in `error`; every other text was the reason of a stop.
_WORDED = {
    "in-flight limit": NotSent.IN_FLIGHT_LIMIT,
    "request limit": NotSent.REQUEST_LIMIT,
    "time limit": NotSent.TIME_LIMIT,
    "the closed phase ended first": NotSent.PHASE_ENDED,
    "the run ended first": NotSent.RUN_ENDED,
}
_ERROR_LIMIT = "error limit"  # and the numbers after it


def is_read_as(found: pl.DataType, wanted: pl.DataType | type[pl.DataType]) -> bool:
    """Whether a column of this type is read as one of the schema's."""
    return found == wanted or (wanted == INSTANT and found == _FINER)


def scan(file: str, paths: list[str], path_column: str | None = None) -> pl.LazyFrame:
    """Rows of these parquet files, one after another, with the schema's columns, whichever schema wrote them.

    Args:
        file: One of `results.schema.FILES`; a column that came after the first schema may be missing.
        path_column: Name of a column to add with the file each row is from; None: no such column.
    """
    rows = pl.scan_parquet(
        paths,
        schema=polars_schema(FILES[file]),
        missing_columns="insert",
        extra_columns="ignore",
        cast_options=_CASTS,
        include_file_paths=path_column,
    )
    return rows.with_columns(_why_not_sent()) if file == "requests" else rows


def _why_not_sent() -> pl.Expr:
    error = pl.col("error")
    of_words = (
        pl.when(error.str.starts_with(_ERROR_LIMIT))
        .then(pl.lit(NotSent.ERROR_LIMIT.value))
        .otherwise(
            error.replace_strict(list(_WORDED), [why.value for why in _WORDED.values()], default=NotSent.STOPPED.value)
        )
    )
    is_untold = pl.col("why_not_sent").is_null() & (pl.col("outcome") == Outcome.NOT_SENT.value)
    return pl.when(is_untold).then(of_words).otherwise("why_not_sent").alias("why_not_sent")
