"""JMeter's results as XML: its samples as rows, under the names that its CSV has.

A sample within another is a part of it (a redirect, a request of a transaction) and no row, as in JMeter's CSV. A
document type is refused, so no entity can be declared, and none grows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

import polars as pl

from smbench.errors import UsageError
from smbench.tables.opening import Watch, blocks
from smbench.tables.table import HEAD_ROWS, Batch, Table

_SAMPLES = ("httpSample", "sample")
_FAILURE = "failureMessage"
_COLUMNS = {
    "ts": "timeStamp",
    "t": "elapsed",
    "lb": "label",
    "rc": "responseCode",
    "rm": "responseMessage",
    "tn": "threadName",
    "s": "success",
    _FAILURE: _FAILURE,
    "by": "bytes",
    "sby": "sentBytes",
    "lt": "Latency",
    "ct": "Connect",
}  # attribute of a sample to name
_ROWS_MIN = 1_000  # of a batch
_ADVICE = "write it again as CSV: -Jjmeter.save.saveservice.output_format=csv"


@dataclass(slots=True)
class _Samples:
    """What a parser has found: rows of attributes, each with its line."""

    parser: expat.XMLParserType
    rows: list[dict[str, str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    depth: int = 0
    failure: list[str] | None = None  # the text of a failed assertion under way

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth == 2 and name in _SAMPLES:
            self.rows.append(attributes)
            self.lines.append(self.parser.CurrentLineNumber)
        elif self.depth == 4 and name == _FAILURE and self.rows:  # testResults, sample, assertionResult
            self.failure = []

    def text(self, data: str) -> None:
        if self.failure is not None:
            self.failure.append(data)

    def end(self, _name: str) -> None:
        self.depth -= 1
        if self.failure is not None:
            self.rows[-1].setdefault(_FAILURE, "".join(self.failure))
            self.failure = None


@dataclass(frozen=True, slots=True)
class XmlRows:
    """The samples of a file."""

    path: Path
    watch: Watch | None

    def batches(self, columns: Sequence[int]) -> Iterator[Batch]:
        """See `table.Rows`."""
        wanted = [tuple(_COLUMNS)[index] for index in columns]
        for rows, lines in _samples(self.path, self.watch):
            cells = (pl.Series([row.get(name, "").strip() or None for row in rows], dtype=pl.String) for name in wanted)
            yield Batch(tuple(cells), lambda row, lines=lines: f":{lines[row]}")  # type: ignore[misc]  # the loop's own


def jmeter_table(path: Path, watch: Watch | None = None) -> Table:
    """The table of a file that begins with `<testResults>`.

    Raises:
        UsageError: it is not well formed, was cut short, or holds no sample.
    """
    found = (row for rows, _ in _samples(path, None) for row in rows)
    head = tuple(tuple(row.get(name) or None for name in _COLUMNS) for row in islice(found, HEAD_ROWS))
    if not head:
        raise UsageError(f"{path} holds no sample of JMeter's", _ADVICE)
    return Table(path, "JMeter's XML", tuple(_COLUMNS.values()), head, XmlRows(path, watch))


def _samples(path: Path, watch: Watch | None) -> Iterator[tuple[list[dict[str, str]], list[int]]]:
    """The attributes of each sample and its line, some hundreds at a time."""

    def refuse(*_: object) -> NoReturn:
        raise UsageError(f"{path} has a document type, which no results of JMeter's have", _ADVICE)

    parser = expat.ParserCreate()
    parser.buffer_text = True
    found = _Samples(parser)
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = found.start, found.end
    parser.CharacterDataHandler = found.text
    try:
        for piece in blocks(path, watch):
            parser.Parse(piece, False)
            if len(found.rows) > _ROWS_MIN:  # the last one may have a failure to come
                yield found.rows[:-1], found.lines[:-1]
                found.rows, found.lines = found.rows[-1:], found.lines[-1:]
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        what = "JMeter was killed, or still writes it" if error.code == _CUT_SHORT else expat.ErrorString(error.code)
        advice = "write </testResults> behind its last sample" if error.code == _CUT_SHORT else _ADVICE
        raise UsageError(f"{path}:{error.lineno}: not the whole of an XML document: {what}", advice) from error
    if found.rows:
        yield found.rows, found.lines


_CUT_SHORT = expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS]
