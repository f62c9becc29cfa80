"""What really happened to every InvokeEndpointAsync call: the file a client's account is checked against."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from smbench.records import Outcome
from smbench.results.schema import TRUTH, plain_schema, stamped


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


class Truth:
    """The calls in the order of their arrival."""

    def __init__(self, epoch_ns: int) -> None:
        self.epoch_ns = epoch_ns
        self.calls: list[Call] = []

    def arrive(self, inference_id: str, at_ns: int) -> Call:
        """The record of a new call, to be filled in as it goes on."""
        call = Call(len(self.calls), inference_id, at_ns)
        self.calls.append(call)
        return call

    def frame(self) -> pl.DataFrame:
        """The schema `TRUTH`; who was accepted and has not ended is `pending`."""
        calls, epoch_ns = self.calls, self.epoch_ns

        def utc(at_ns: int | None) -> int | None:
            return None if at_ns is None else epoch_ns + at_ns

        columns: dict[str, Callable[[Call], Any]] = {
            "call": lambda call: call.number,
            "inference_id": lambda call: call.inference_id,
            "arrived": lambda call: utc(call.arrived_ns),
            "accepted": lambda call: call.accepted,
            "status_code": lambda call: call.status_code,
            "fault": lambda call: call.fault,
            "started": lambda call: utc(call.started_ns),
            "ended": lambda call: utc(call.ended_ns),
            "outcome": _outcome,
            "instance": lambda call: call.instance,
            "attempts": lambda call: call.attempts,
            "notice": lambda call: call.notice,
            "copies": lambda call: call.copies,
            "published": lambda call: utc(call.published_ns),
            "output_location": lambda call: call.output_location,
        }
        schema = plain_schema(TRUTH)
        # A column at a time: as Python lists all of them together would take more than the calls themselves.
        plain = pl.DataFrame([pl.Series(name, map(read, calls), schema[name]) for name, read in columns.items()])
        return stamped(plain)

    def write(self, path: Path) -> None:
        """Whole or not at all: a reader never meets a truth cut short."""
        part = path.with_name(path.name + ".tmp")
        self.frame().write_parquet(part)
        part.replace(path)


def _outcome(call: Call) -> str | None:
    if not call.accepted:
        return None
    return (call.outcome or Outcome.PENDING).value
