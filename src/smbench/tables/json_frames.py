"""A table that is one JSON document: by columns, by rows, or names and values apart, as pandas and polars write it."""

from collections.abc import Mapping, Sequence
from typing import Any

Row = dict[str, Any]


def rows_of(document: Mapping[str, Any]) -> list[Row] | None:
    """The rows of a document that is made like a table; None where it is none.

    `DataFrame.to_json()` has five forms: `{column: {row: value}}`, `{row: {column: value}}`, `{column: [value]}`, names
    beside rows of values (`split`), and a list of rows, which needs no reading here. Older polars wrote names with
    their values.
    """
    names, values = document.get("columns"), document.get("data")
    if isinstance(names, list) and isinstance(values, list):
        return _split(names, values)
    if isinstance(names, list) and len(document) == 1:
        return _named(names)
    if not document:
        return None
    parts = list(document.values())
    if all(isinstance(part, list) for part in parts):
        return _of_columns(list(document), parts)
    if not all(isinstance(part, dict) and part.keys() == parts[0].keys() for part in parts) or not parts[0]:
        return None
    outer, inner = _are_numbers(document), _are_numbers(parts[0])
    if outer is inner:
        return None
    if outer:
        return [dict(part) for part in parts]
    return [{name: part[row] for name, part in document.items()} for row in parts[0]]


def _are_numbers(names: Mapping[str, Any]) -> bool:
    return all(name.isdecimal() for name in names)


def _split(names: Sequence[Any], rows: Sequence[Any]) -> list[Row] | None:
    if not all(isinstance(row, list) and len(row) == len(names) for row in rows):
        return None
    return [dict(zip(map(str, names), row, strict=True)) for row in rows]


def _named(columns: Sequence[Any]) -> list[Row] | None:
    if not all(isinstance(one, dict) and isinstance(one.get("values"), list) for one in columns):
        return None
    return _of_columns([str(one.get("name", at)) for at, one in enumerate(columns)], [one["values"] for one in columns])


def _of_columns(names: Sequence[str], columns: Sequence[list[Any]]) -> list[Row] | None:
    """None also where they have not one length, or the first row holds more than single values."""
    if not columns or len({len(column) for column in columns}) > 1:
        return None
    if any(isinstance(column[0], dict | list) for column in columns if column):
        return None
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
