"""JSON in the forms that people have: one object a line, a list of objects, a table, or CloudWatch's answer.

A column is a key, or a path of keys with dots between them, `request.arrival_time`. Numbers keep every digit that the
file has: a float would lose those of microseconds.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import polars as pl

from smbench.errors import UsageError
from smbench.tables.json_documents import refuse_document
from smbench.tables.json_frames import rows_of
from smbench.tables.opening import Watch, blocks
from smbench.tables.table import HEAD_ROWS, Batch, Table

Keys: TypeAlias = tuple[str, ...]

_KEYED_ITEMS = 50_000  # of a document
_KEYED_ROWS = 1_000  # of a block, that differ in their keys
_KEY = re.compile(rb'"([^"\\]+)"\s*:')
_DOCUMENT_MAX_BYTES = 512 << 20
_ADVICE = "write one JSON object a line, a list of objects, or what `aws cloudwatch get-metric-data` answers"
_NULL = msgspec.Raw(b"null")
JSON_LINES = "JSON lines"
_NO_TEXT = "\x1f"  # stands in no JSON text: control characters are escaped there
_OF_REQUESTS = ("details", "requests", "results", "samples")  # of several lists in a document, the one of requests


@dataclass(frozen=True, slots=True)
class JsonLines:
    """One object a line."""

    path: Path
    keys: tuple[Keys, ...]  # of each column
    watch: Watch | None

    def batches(self, columns: Sequence[int]) -> Iterator[Batch]:
        """See `table.Rows`."""
        wanted = [self.keys[index] for index in columns]
        decoder = _decoder(wanted)
        line = 1
        for piece in blocks(self.path, self.watch):
            batch = None if decoder is None else _plain(decoder, piece, wanted, line)
            if batch is None:
                batch = _one_by_one(self.path, piece, wanted, line)
            if batch is not None:
                yield batch
            line += piece.count(b"\n")


@dataclass(frozen=True, slots=True)
class Items:
    """Objects that are in memory already."""

    items: Sequence[dict[str, Any]]
    keys: tuple[Keys, ...]

    def batches(self, columns: Sequence[int]) -> Iterator[Batch]:
        """See `table.Rows`."""
        cells = [[text_at(item, self.keys[index]) for item in self.items] for index in columns]
        yield Batch(tuple(pl.Series(column, dtype=pl.String) for column in cells), lambda row: f", item {row + 1}")


def json_table(path: Path, watch: Watch | None = None) -> Table | None:
    """The table of a JSON file; None when it begins like none.

    Raises:
        UsageError: it begins like JSON and is none, or is of no form that holds rows.
    """
    first = next(blocks(path), b"")
    start = first.lstrip()[:1]
    if start not in (b"{", b"["):
        return None
    place, line = _first_line(first)
    try:
        value = _loaded(line)
    except ValueError as error:
        return _document(path, _whole(path, watch), f"{path}:{place}: not JSON: {error}", place)
    is_alone = len(first.split()) == len(line.split())  # the file's only line
    if not isinstance(value, dict) or _is_document(value, is_alone=is_alone):
        return _document(path, _whole(path, watch), f"{path}:{place}: not a JSON object but {_kind(value)}", place)
    refuse_document(path, value)
    lines = first.split(b"\n")
    head = _objects(lines[: HEAD_ROWS + 1])
    keys = _keys([*head, *_objects(_of_other_keys(lines))])
    return _table(path, JSON_LINES, head, JsonLines(path, keys, watch), keys)


def _objects(lines: Iterable[bytes]) -> list[dict[str, Any]]:
    """Up to a line that is no JSON: reading it says so, with its place."""
    found = []
    for written in lines:
        try:
            item = _loaded(written) if written.strip() else None
        except ValueError:
            break
        if isinstance(item, dict):
            found.append(item)
    return found


def _of_other_keys(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines with keys that no line before had together: what went wrong has a key that only few rows have."""
    seen: set[tuple[bytes, ...]] = set()
    for line in lines:
        keys = tuple(_KEY.findall(line))
        if keys not in seen and len(seen) < _KEYED_ROWS:
            seen.add(keys)
            yield line


def text_at(item: Any, keys: Keys) -> str | None:
    """The text of a value by its path; None where there is none."""
    for key in keys:
        item = item.get(key) if isinstance(item, dict) else None
    if item is None or item == "":
        return None
    return (item if isinstance(item, str) else json.dumps(item)).strip() or None


# ---- one object a line ----------------------------------------------------------------------------------------


def _first_line(piece: bytes) -> tuple[int, bytes]:
    lines = piece.split(b"\n")
    return next((number, line) for number, line in enumerate(lines, 1) if line.strip())


def _loaded(written: bytes) -> Any:
    """What JSON says, numbers as text.

    Raises:
        ValueError: it is not JSON; the words hold nothing of its content.
    """
    try:
        return json.loads(written, parse_float=_Number, parse_int=_Number)
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 text: {error.reason}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


class _Number(str):
    """A number as it is written; a text of its own type, so that it is no string of the file."""

    __slots__ = ()


def _keys(items: Sequence[dict[str, Any]]) -> tuple[Keys, ...]:
    """The paths to all values that are no objects, in order of first appearance."""
    found: dict[Keys, None] = {}
    for item in items:
        found |= dict.fromkeys(_leaves(item, ()))
    return tuple(found)


def _leaves(item: dict[str, Any], above: Keys) -> Iterator[Keys]:
    for key, value in item.items():
        if isinstance(value, dict) and value and len(above) < 20:
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key)


def _table(
    path: Path, form: str, head: Sequence[dict[str, Any]], rows: JsonLines | Items, keys: tuple[Keys, ...]
) -> Table:
    if not head or not keys:
        raise UsageError(f"{path} holds no rows")
    texts = tuple(tuple(text_at(item, key) for key in keys) for item in head[:HEAD_ROWS])
    return Table(path, form, tuple(".".join(key) for key in keys), texts, rows)


def _decoder(wanted: Sequence[Keys]) -> msgspec.json.Decoder[Any] | None:
    """Reads the wanted values of a line and nothing else; None where one lies within another."""
    tree: dict[str, Any] = {}
    for keys in wanted:
        node = tree
        for key in keys[:-1]:
            node = node.setdefault(key, {})
            if node is None:
                return None
        if node.setdefault(keys[-1], None) is not None:
            return None
    return msgspec.json.Decoder(_row_type(tree))


def _row_type(tree: dict[str, Any]) -> type[msgspec.Struct]:
    fields: list[Any] = []
    names = {}
    for at, (key, below) in enumerate(tree.items()):
        names[f"f{at}"] = key
        if below is None:
            fields.append((f"f{at}", msgspec.Raw, _NULL))
        else:
            fields.append((f"f{at}", _row_type(below) | None, None))
    return msgspec.defstruct("Row", fields, rename=names, gc=False)


def _plain(decoder: msgspec.json.Decoder[Any], piece: bytes, wanted: Sequence[Keys], line: int) -> Batch | None:
    """The block's cells; None where a line is empty or is not as wanted."""
    try:
        rows = decoder.decode_lines(piece)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if len(rows) != piece.count(b"\n") + (not piece.endswith(b"\n")):
        return None
    try:
        cells = tuple(_column([_raw_at(row, place) for row in rows]) for place in _places(wanted))
    except (UnicodeDecodeError, ValueError, pl.exceptions.PolarsError):
        return None
    return Batch(cells, lambda row: f":{line + row}")


def _places(wanted: Sequence[Keys]) -> list[tuple[str, ...]]:
    """Each path by the fields of `_row_type`."""
    tree: dict[str, Any] = {}
    places = []
    for keys in wanted:
        node, place = tree, []
        for key in keys:
            place.append(f"f{list(node).index(key) if key in node else len(node)}")
            node = node.setdefault(key, {})
        places.append(tuple(place))
    return places


def _raw_at(row: Any, place: tuple[str, ...]) -> msgspec.Raw:
    for name in place:
        if row is None:
            return _NULL
        row = getattr(row, name)
    return _NULL if row is None else row


def _column(raws: Sequence[msgspec.Raw]) -> pl.Series:
    written = b"\n".join(raws)
    texts = pl.read_csv(
        written, has_header=False, schema={"c": pl.String}, separator=_NO_TEXT, quote_char=None, raise_if_empty=False
    ).to_series()
    if len(texts) != len(raws):
        raise ValueError("a value is not one line")
    if b'"' in written:
        if b"\\" in written:
            texts = pl.Series([json.loads(text) if text.startswith('"') else text for text in texts], dtype=pl.String)
        else:
            texts = texts.str.strip_chars('"')
    texts = texts.str.strip_chars()
    return pl.select(pl.when((texts != "null") & (texts != "")).then(texts)).to_series()


def _one_by_one(path: Path, piece: bytes, wanted: Sequence[Keys], line: int) -> Batch | None:
    lines: list[int] = []
    cells: list[list[str | None]] = [[] for _ in wanted]
    for at, written in enumerate(piece.split(b"\n"), line):
        if not written.strip():
            continue
        try:
            item = _loaded(written)
        except ValueError as error:
            raise UsageError(f"{path}:{at}: not JSON: {error}", "one JSON object a line") from error
        if not isinstance(item, dict):
            raise UsageError(f"{path}:{at}: not a JSON object but {_kind(item)}", "one JSON object a line")
        lines.append(at)
        for column, keys in zip(cells, wanted, strict=True):
            column.append(text_at(item, keys))
    if not lines:
        return None
    return Batch(tuple(pl.Series(column, dtype=pl.String) for column in cells), lambda row: f":{lines[row]}")


def _kind(value: Any) -> str:
    kinds: tuple[tuple[type, str], ...] = (
        (list, "a list"),
        (dict, "a document"),
        (_Number, "a number"),
        (str, "a text"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "a bare word")


# ---- one document ---------------------------------------------------------------------------------------------


def _whole(path: Path, watch: Watch | None) -> bytes:
    pieces, n = [], 0
    for piece in blocks(path, watch):
        pieces.append(piece)
        n += len(piece)
        if n > _DOCUMENT_MAX_BYTES:
            raise UsageError(
                f"{path} is one JSON document of more than {_DOCUMENT_MAX_BYTES >> 20} MiB", "one JSON object a line"
            )
    return b"".join(pieces)


def _is_document(value: dict[str, Any], *, is_alone: bool) -> bool:
    is_of_cloudwatch = isinstance(value.get("MetricDataResults"), list) or isinstance(value.get("Datapoints"), list)
    if is_of_cloudwatch or not is_alone:
        return is_of_cloudwatch
    return any(_is_list_of_objects(part) for part in value.values()) or rows_of(value) is not None


def _document(path: Path, written: bytes, problem: str, line: int) -> Table:
    try:
        value = _loaded(written)
    except ValueError:
        if _are_several(written):
            several = f"{path} is several JSON documents, one after another"
            raise UsageError(several, "`jq -c . FILE` writes each into a line of its own") from None
        raise UsageError(problem, _ADVICE) from None
    if isinstance(value, dict) and isinstance(value.get("MetricDataResults"), list):
        return _metric_data(path, value)
    if isinstance(value, dict) and isinstance(value.get("Datapoints"), list):
        return _statistics(path, value)
    refuse_document(path, value)
    if isinstance(value, dict) and (rows := rows_of(value)) is not None:
        keys = _keys(rows[:_KEYED_ITEMS])
        return _table(path, "one JSON document, a table", rows, Items(rows, keys), keys)
    named = {"": value} if isinstance(value, list) else {k: v for k, v in value.items() if _is_list_of_objects(v)}
    if len(named) > 1:  # ghz has histograms beside
        named = {name: named[name] for name in _OF_REQUESTS if name in named}
    if len(named) != 1 or not _is_list_of_objects(next(iter(named.values()))):
        raise UsageError(f"{path} is one JSON document without rows", _ADVICE)
    ((name, items),) = named.items()
    keys = _keys(items[:_KEYED_ITEMS])
    return _table(path, f"one JSON document{name and f', its {name}'}", items, Items(items, keys), keys)


def _are_several(written: bytes) -> bool:
    """Whether a document is followed by another, as jq writes them."""
    text = written.decode(errors="replace").lstrip()
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return False
    return text[end:].lstrip()[:1] in ("{", "[")


def _is_list_of_objects(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _metric_data(path: Path, answer: dict[str, Any]) -> Table:
    """What `get-metric-data` answers: for each query its instants and values, the newest first.

    A client that joins pages has one result of a query for each page, partial but for the last: the last one counts.
    """
    items = []
    status: dict[str, str] = {}
    for at, result in enumerate(answer["MetricDataResults"]):
        if not isinstance(result, dict):
            raise UsageError(f"{path}: result {at + 1} of MetricDataResults is not an object", _ADVICE)
        name = str(result.get("Id") or result.get("Label") or at + 1)
        status[name] = str(result.get("StatusCode") or "Complete")
        times, values = result.get("Timestamps") or [], result.get("Values") or []
        if len(times) != len(values):
            raise UsageError(f"{path}: {name} has {len(times):,} Timestamps and {len(values):,} Values", "ask again")
        items += [{"Timestamps": time, name: value} for time, value in zip(times, values, strict=True)]
    notes = [
        f"{name} is not complete: CloudWatch answered {state}" for name, state in status.items() if state != "Complete"
    ]
    if answer.get("NextToken"):
        notes.append("the answer has a NextToken: it is the first page only")
    return _of_cloudwatch(path, "the answer of get-metric-data", items, tuple(status), notes)


def _statistics(path: Path, answer: dict[str, Any]) -> Table:
    """What `get-metric-statistics` answers: datapoints in no order."""
    points = [point for point in answer["Datapoints"] if isinstance(point, dict)]
    counted = [name for name in ("Sum", "SampleCount") if any(name in point for point in points)]
    if points and not counted:
        raise UsageError(f"{path} has no sums: averages do not say how many there were", "ask with --statistics Sum")
    items = [{"Timestamps": point.get("Timestamp"), **{name: point.get(name) for name in counted}} for point in points]
    return _of_cloudwatch(path, "the answer of get-metric-statistics", items, tuple(counted[:1]), [])


def _of_cloudwatch(
    path: Path, form: str, items: list[dict[str, Any]], columns: tuple[str, ...], notes: list[str]
) -> Table:
    if not items:
        raise UsageError(f"{path} is {form} and holds no datapoint")
    names = ("Timestamps", *columns)
    keys = tuple((name,) for name in names)
    head = tuple(tuple(text_at(item, key) for key in keys) for item in items[:HEAD_ROWS])
    only = columns[0] if len(columns) == 1 else None
    return Table(path, form, names, head, Items(items, keys), counts=only, has_gaps=True, notes=tuple(notes))
