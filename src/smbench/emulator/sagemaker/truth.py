"""What really happened to every InvokeEndpointAsync call: the file a client's account is checked against.

A call is an object while anything may still happen to it; then it is a row of compact columns, some 200 bytes, which a
temporary file takes together with some thousand others. What has no upper limit in a run is that file and the objects
in S3 (`target.emulated.results_kept`).
"""

import pickle
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from smbench.emulator.spilled import Spilled
from smbench.records import Outcome
from smbench.results.files import sync_file, sync_folder
from smbench.results.schema import TRUTH, plain_schema, stamped

_SPILLED_TOGETHER = 5_000  # closed calls: a megabyte, which the system takes in a millisecond
_ROWS_AT_ONCE = 50_000  # made into a frame together: half a million took 250 MB, by lots 130 MB
_NONE = -1  # in a column of whole numbers; no instant of a run and no count is negative


@dataclass(slots=True)
class Call:
    """One InvokeEndpointAsync call, from its arrival to its last message. Instants are scenario time."""

    number: int  # calls seen before this one
    inference_id: str
    arrived_ns: int
    accepted: bool = False
    status_code: int | None = None
    fault: str | None = None
    started_ns: int | None = None
    ended_ns: int | None = None
    outcome: Outcome | None = None
    instance: int | None = None
    attempts: int = 0
    notice: str | None = None  # sent, late, lost or none
    copies: int = 0
    published_ns: int | None = None
    output_location: str | None = None
    n_unpublished: int = 0  # messages that are still to come


class Truth:
    """The calls by the order of their arrival.

    Args:
        is_kept: Whether anybody will ask; without, a call is forgotten when nothing more can happen to it.
    """

    def __init__(self, epoch_ns: int, *, is_kept: bool = True) -> None:
        self.epoch_ns, self._is_kept = epoch_ns, is_kept
        self._n_calls = 0
        self._open: dict[int, Call] = {}
        self._closed = _Rows()
        self._spilled = Spilled()
        self._spans: list[tuple[int, int]] = []  # of the spilled: the lowest and the highest number of a call

    def arrive(self, inference_id: str, at_ns: int) -> Call:
        """The record of a new call, to be filled in as it goes on."""
        call = Call(self._n_calls, inference_id, at_ns)
        self._n_calls += 1
        self._open[call.number] = call
        return call

    def close(self, call: Call) -> None:
        """Nothing more can happen to this call: its record is not looked at again."""
        if self._open.pop(call.number, None) is None or not self._is_kept:
            return
        self._closed.add(call)
        if len(self._closed) == _SPILLED_TOGETHER:
            self._spans.append(self._closed.span)
            self._spilled.add(pickle.dumps(self._closed, pickle.HIGHEST_PROTOCOL))
            self._closed = _Rows()

    def frame(self) -> pl.DataFrame:
        """The schema `TRUTH`; who was accepted and has not ended is `pending`."""
        return pl.concat(self._frames())

    def write(self, path: Path) -> None:
        """Whole or not at all: a reader never meets a truth cut short."""
        whole = path.with_name(path.name + ".tmp")
        lots: list[Path] = []
        try:
            for frame in self._frames():
                lots.append(path.with_name(f"{path.name}-{len(lots)}.tmp"))
                frame.write_parquet(lots[-1])
            pl.scan_parquet(lots).sink_parquet(whole)
            sync_file(whole)
            whole.replace(path)
        finally:
            for left in (*lots, whole):
                left.unlink(missing_ok=True)
        sync_folder(path.parent)

    def _frames(self) -> Iterator[pl.DataFrame]:
        """The same in lots, by the order of arrival; a single one without rows where nothing has arrived."""
        still_open = _Rows()
        for call in self._open.values():
            still_open.add(call)
        for first in range(0, max(1, self._n_calls), _ROWS_AT_ONCE):
            end = first + _ROWS_AT_ONCE
            lot = [rows.frame(self.epoch_ns, first, end) for rows in self._all_between(first, end, still_open)]
            yield stamped(pl.concat(lot).sort("call"))

    def _all_between(self, first: int, end: int, still_open: "_Rows") -> "Iterator[_Rows]":
        """Those that have calls from one number to before another, one in memory at a time; and two always."""
        for number, (lowest, highest) in enumerate(self._spans):
            if lowest < end and highest >= first:
                yield pickle.loads(self._spilled[number])  # we wrote it, in a file without a name
        yield self._closed
        yield still_open


class _Texts:
    """Texts one behind the other, in UTF-8; a text may be None."""

    def __init__(self) -> None:
        self._bytes, self._ends, self._missing = bytearray(), array("Q"), set[int]()

    def add(self, text: str | None) -> None:
        if text is None:
            self._missing.add(len(self._ends))
        else:
            self._bytes += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._bytes))

    def taken(self, rows: Sequence[int]) -> Iterator[str | None]:
        """Those of some rows."""
        for row in rows:
            start = self._ends[row - 1] if row else 0
            text = self._bytes[start : self._ends[row]]
            yield None if row in self._missing else text.decode("utf-8", "replace")


class _Names:
    """Few different texts, each kept once."""

    def __init__(self) -> None:
        self._codes: dict[str | None, int] = {}
        self._of_rows = array("I")

    def add(self, name: str | None) -> None:
        self._of_rows.append(self._codes.setdefault(name, len(self._codes)))

    def taken(self, rows: Sequence[int]) -> Iterator[str | None]:
        """Those of some rows."""
        names = list(self._codes)
        return (names[self._of_rows[row]] for row in rows)


class _Rows:
    """Closed calls, in the order in which they were closed."""

    def __init__(self) -> None:
        # Instants are scenario nanoseconds; _NONE where there is none.
        self._whole = {name: array("q") for name in ("number", "arrived", "started", "ended", "published")}
        self._small = {name: array("i") for name in ("status_code", "instance", "attempts", "copies")}
        self._accepted = array("b")
        self._names = {name: _Names() for name in ("fault", "outcome", "notice", "folder")}
        self._ids, self._objects = _Texts(), _Texts()  # where a result lies: its folder, and its name in there

    def __len__(self) -> int:
        return len(self._accepted)

    @property
    def span(self) -> tuple[int, int]:
        """The lowest and the highest number of a call; there must be one."""
        numbers = np.asarray(self._whole["number"])
        return int(numbers.min()), int(numbers.max())

    def add(self, call: Call) -> None:
        """One more row."""
        whole, small, names = self._whole, self._small, self._names
        whole["number"].append(call.number)
        whole["arrived"].append(call.arrived_ns)
        whole["started"].append(_NONE if call.started_ns is None else call.started_ns)
        whole["ended"].append(_NONE if call.ended_ns is None else call.ended_ns)
        whole["published"].append(_NONE if call.published_ns is None else call.published_ns)
        small["status_code"].append(_NONE if call.status_code is None else call.status_code)
        small["instance"].append(_NONE if call.instance is None else call.instance)
        small["attempts"].append(call.attempts)
        small["copies"].append(call.copies)
        self._accepted.append(call.accepted)
        names["fault"].add(call.fault)
        names["outcome"].add(_outcome(call))
        names["notice"].add(call.notice)
        folder, slash, name = (call.output_location or "").rpartition("/")
        names["folder"].add(None if call.output_location is None else folder + slash)
        self._ids.add(call.inference_id)
        self._objects.add(None if call.output_location is None else name)

    def frame(self, epoch_ns: int, first: int, end: int) -> pl.DataFrame:
        """The calls from one number to before another, under `plain_schema(TRUTH)`."""
        numbers = np.asarray(self._whole["number"])
        at = np.flatnonzero((numbers >= first) & (numbers < end))
        rows = at.tolist()
        folders = zip(self._names["folder"].taken(rows), self._objects.taken(rows), strict=True)
        columns: dict[str, Any] = {
            "call": numbers[at],
            "inference_id": list(self._ids.taken(rows)),
            "accepted": np.asarray(self._accepted)[at].astype(bool),
            **{name: np.asarray(values)[at] for name, values in self._whole.items() if name != "number"},
            **{name: np.asarray(values)[at] for name, values in self._small.items()},
            **{name: list(self._names[name].taken(rows)) for name in ("fault", "outcome", "notice")},
            "output_location": [None if name is None else f"{folder}{name}" for folder, name in folders],
        }
        schema = plain_schema(TRUTH)
        frame = pl.DataFrame([pl.Series(name, columns[name]).cast(dtype) for name, dtype in schema.items()])
        unknown = {name: pl.col(name) == _NONE for name in ("started", "ended", "published", "status_code", "instance")}
        instants = {name: pl.col(name) + epoch_ns for name in ("arrived", "started", "ended", "published")}
        return frame.with_columns(
            pl.when(unknown.get(name, False)).then(None).otherwise(instants.get(name, pl.col(name))).alias(name)
            for name in unknown.keys() | instants.keys()
        )


def _outcome(call: Call) -> str | None:
    if not call.accepted:
        return None
    return (call.outcome or Outcome.PENDING).value
