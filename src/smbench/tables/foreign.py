"""One way into a file of another program, whatever its form."""

from collections.abc import Iterable
from pathlib import Path

from smbench.tables.columnar import columnar_table
from smbench.tables.csv_rows import csv_table
from smbench.tables.jmeter_xml import jmeter_table
from smbench.tables.json_rows import json_table
from smbench.tables.opening import Form, Watch, form_of
from smbench.tables.table import Table


def open_table(path: Path, wanted: Iterable[str] = (), watch: Watch | None = None) -> Table:
    """A file as a table: parquet, Arrow, JSON lines, one JSON document, JMeter's XML or CSV.

    Text may be packed by gzip, zstd, bzip2 or xz, and be UTF-16 or UTF-32 with its mark.

    Args:
        wanted: Column names that the caller asks for: a first CSV row that holds one is the header.
        watch: Called after each block with the bytes that were read and those there are.

    Raises:
        UsageError: unreadable, of no form that is known, or without a row.
    """
    if (form := form_of(path)) is Form.JMETER:
        return jmeter_table(path, watch)
    if form is not Form.TEXT:
        return columnar_table(path, form, watch)
    return json_table(path, watch) or csv_table(path, wanted, watch)
