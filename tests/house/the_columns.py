"""docs/columns.md, printed from the schema; a test keeps the two equal."""

from smbench.results.schema import FILES, SCHEMA_VERSION, Column

_OF = {
    "requests": "One row a request, sorted by `seq`. Present in every run.",
    "readings": "One row a reading of a gauge; a gap is a reading without a value.",
    "events": "What happened to the run or to the endpoint, one row each. A scaling activity that was seen twice, "
    "under way and over, has two rows; the one with the later `seen` holds.",
    "truth": "What the emulated endpoint really did, one row a call, to check what the client concluded. Only where "
    "the endpoint was emulated.",
}


def columns_markdown() -> str:
    """Every column of every file: type, unit, meaning, and when it is null."""
    parts = [
        "# Columns\n",
        f"What stands in a run's folder, schema {SCHEMA_VERSION}. Printed from `src/smbench/results/schema.py`.\n",
        "Instants are UTC with microseconds, in scenario time: on an emulated endpoint that may run faster than the "
        "wall's, and `manifest.json` says how (`clock`).\n",
    ]
    for file, columns in FILES.items():
        parts.append(f"## {file}.parquet\n\n{_OF[file]}\n\n{_table(columns)}\n")
    return "\n".join(parts)


def _table(columns: tuple[Column, ...]) -> str:
    head = "| column | type | unit | meaning | null when |\n|---|---|---|---|---|\n"
    return head + "\n".join(
        f"| `{column.name}` | {_type(column)} | {column.unit} | {column.meaning} | {column.null or 'never'} |"
        for column in columns
    )


def _type(column: Column) -> str:
    return str(column.dtype).replace("time_unit='us', time_zone='UTC'", "us, UTC")
