"""Everything known, on disk within two seconds: row versions, readings and events as part files.

Where the loop keeps real time only the copying is done on it, a lot of rows at a time; what is copied becomes a frame
and a file in a thread. Where time is virtual it stops meanwhile.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Protocol

import anyio
import anyio.lowlevel
import anyio.to_thread
import orjson
import polars as pl

from smbench.generator.tracking.ledger import Ledger, Versions
from smbench.generator.tracking.rows import requests_frame
from smbench.records import Event, Reading
from smbench.results.schema import EVENTS, READINGS, Column, plain_schema, stamped

FLUSH_EVERY_S = 1.5  # with the write itself, less than two seconds


class Parts(Protocol):
    """Writes one part file; `results.store.PartWriter` does."""

    def write(self, frame: pl.DataFrame) -> None:
        """Write a frame as the next part. Raises ResultsError: the disk refuses it."""


class Journal:
    """Collects readings and events, and writes them with the ledger's changed rows.

    Args:
        ledger: None where only readings and events are kept.

    Attributes:
        check: Called before each write; raises when the ledger does not add up.
        before: Called when a write begins; what it returns is called once all that was new then is on disk.
    """

    def __init__(
        self, ledger: Ledger | None, requests: Parts | None, readings: Parts, events: Parts, epoch_ns: int
    ) -> None:
        self.check: Callable[[], None] = lambda: None
        self.before: Callable[[], Callable[[], None]] = lambda: lambda: None
        self._wanted: anyio.Event | None = None
        self._ledger, self._requests = ledger, requests
        self._readings_parts, self._events_parts, self._epoch_ns = readings, events, epoch_ns
        self._readings: list[Reading] = []
        self._events: list[Event] = []

    def read(self, readings: Iterable[Reading]) -> None:
        """Keep readings for the next write."""
        self._readings.extend(readings)

    def happened(self, event: Event) -> None:
        """Keep an event for the next write."""
        self._events.append(event)

    async def run(self) -> None:
        """Write what is new every `FLUSH_EVERY_S`, in a thread, until cancelled; the last write is the caller's."""
        while True:
            self._wanted = anyio.Event()
            with anyio.move_on_after(FLUSH_EVERY_S):
                await self._wanted.wait()
            is_written = self.before()
            for write in self._lots():
                # Shielded, for what was taken is in no other lot. A cancelled run ends after this one write.
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(write)
                await anyio.lowlevel.checkpoint()
            is_written()

    def hurry(self) -> None:
        """Have `run` write what is new without waiting for its beat."""
        if self._wanted is not None:
            self._wanted.set()

    def write(self) -> None:
        """Write what is new, at once.

        Raises:
            ResultsError: the disk is full, or the folder was removed.
        """
        is_written = self.before()
        for write in self._lots():
            write()
        is_written()

    def write_all(self) -> None:
        """Write every row as it is now: the first versions, before the run begins."""
        assert self._ledger is not None
        for versions in self._ledger.take_all():
            self._write_requests(versions)

    def _lots(self) -> Iterator[Callable[[], None]]:
        """What is new, as calls that write it. Each lot is taken in one step when asked for, so no row is torn."""
        self.check()
        if self._ledger is not None:
            for versions in self._ledger.take_changed():
                yield partial(self._write_requests, versions)
        readings, self._readings = self._readings, []
        if readings:
            yield partial(self._write_readings, readings)
        events, self._events = self._events, []
        if events:
            yield partial(self._write_events, events)

    def _write_requests(self, versions: Versions) -> None:
        assert self._requests is not None
        self._requests.write(requests_frame(versions))

    def _write_readings(self, readings: list[Reading]) -> None:
        worker = None if self._ledger is None else self._ledger.worker
        self._readings_parts.write(readings_frame(readings, self._epoch_ns, worker))

    def _write_events(self, events: list[Event]) -> None:
        self._events_parts.write(events_frame(events, self._epoch_ns))


def readings_frame(readings: list[Reading], epoch_ns: int, worker: int | None = None) -> pl.DataFrame:
    """Readings in the schema of `results.schema.READINGS`, in the order given; `worker` read them, None: the parent."""
    rows = [
        (one.source, one.name, one.stat, one.value, one.at_ns + epoch_ns, one.seen_ns + epoch_ns, one.detail, worker)
        for one in readings
    ]
    return _frame(rows, READINGS)


def events_frame(events: list[Event], epoch_ns: int) -> pl.DataFrame:
    """Events in the schema of `results.schema.EVENTS`, in the order given."""
    rows = [
        (
            one.kind,
            one.name,
            one.at_ns + epoch_ns,
            one.seen_ns + epoch_ns,
            one.state,
            None if one.end_ns is None else one.end_ns + epoch_ns,
            one.before,
            one.after,
            one.cause,
            orjson.dumps(one.detail, default=str).decode(),
            one.source,
            None if one.doubt_ns is None else one.at_ns - one.doubt_ns + epoch_ns,
        )
        for one in events
    ]
    return _frame(rows, EVENTS)


def _frame(rows: Sequence[tuple[object, ...]], columns: tuple[Column, ...]) -> pl.DataFrame:
    return stamped(pl.DataFrame(rows, schema=plain_schema(columns), orient="row"))
