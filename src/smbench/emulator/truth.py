"""What really happened to every InvokeEndpointAsync call: the file a client's account is checked against."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from smbench.records import Outcome
from smbench.results.schema import TRUTH, polars_schema


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
        call = Call(len(self.calls), inference_id, at_ns)
        self.calls.append(call)
        return call

    def frame(self) -> pl.DataFrame:
        """The schema `TRUTH`; who was accepted and has not ended is `pending`."""
        calls, epoch_ns = self.calls, self.epoch_ns

        def utc(at_ns: int | None) -> int | None:
            return None if at_ns is None else epoch_ns + at_ns

        columns = {
            "call": [call.number for call in calls],
            "inference_id": [call.inference_id for call in calls],
            "arrived": [utc(call.arrived_ns) for call in calls],
            "accepted": [call.accepted for call in calls],
            "status_code": [call.status_code for call in calls],
            "fault": [call.fault for call in calls],
            "started": [utc(call.started_ns) for call in calls],
            "ended": [utc(call.ended_ns) for call in calls],
            "outcome": [_outcome(call) for call in calls],
            "instance": [call.instance for call in calls],
            "attempts": [call.attempts for call in calls],
            "notice": [call.notice for call in calls],
            "copies": [call.copies for call in calls],
            "published": [utc(call.published_ns) for call in calls],
            "output_location": [call.output_location for call in calls],
        }
        return pl.DataFrame(columns, schema=polars_schema(TRUTH))

    def write(self, path: Path) -> None:
        """Whole or not at all: a reader never meets a truth cut short."""
        part = path.with_name(path.name + ".tmp")
        self.frame().write_parquet(part)
        part.replace(path)


def _outcome(call: Call) -> str | None:
    if not call.accepted:
        return None
    return (call.outcome or Outcome.PENDING).value
