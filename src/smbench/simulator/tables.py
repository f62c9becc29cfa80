"""A simulation's client and world as the tables of a run: what a run would have written, had it taken this course."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from smbench.model.endpoints.endpoint import Ended
from smbench.model.endpoints.failures import FAILURE_REASONS, error_object
from smbench.records import Outcome
from smbench.results.schema import REQUESTS, TRUTH, Column, plain_schema, stamped
from smbench.schedule.base import Schedule
from smbench.simulator.client import Client
from smbench.simulator.looks import stamped_ns
from smbench.simulator.sender import Sender

_ACCEPTED_CODE = 202


def instants(at_ns: Sequence[int | None], epoch_ns: int) -> pl.Series:
    """Scenario instants as nanoseconds since 1970."""
    return pl.Series(at_ns, dtype=pl.Int64) + epoch_ns


def frame(columns: dict[str, object], schema: tuple[Column, ...]) -> pl.DataFrame:
    """Columns by name, instants as nanoseconds since 1970, in the order and types of a file's schema."""
    types = plain_schema(schema)
    return stamped(pl.DataFrame({name: columns[name] for name in types}, schema=types))


def requests_table(
    client: Client,
    schedule: Schedule,
    payload_classes: Sequence[str],
    size_bytes: Sequence[int],
    epoch_ns: int,
    end_ns: int,
) -> pl.DataFrame:
    """One row a request, as the client knows it when the run is over and it has looked into S3 for the rest."""
    heard = [ended if pub is not None else None for ended, pub in zip(client.ended, client.pub_ns, strict=True)]
    found = client.found(end_ns)
    stamps_ns = stamped_ns(np.array([0 if ended is None else ended.done_ns for ended in found]), epoch_ns).tolist()
    known = [ended or looked_up for ended, looked_up in zip(heard, found, strict=True)]
    done_ns = [
        at_ns if looked_up is not None else None if ended is None else ended.done_ns
        for ended, looked_up, at_ns in zip(heard, found, stamps_ns, strict=True)
    ]
    seen_ns = [
        end_ns if at_ns is None and looked_up is not None else at_ns
        for looked_up, at_ns in zip(found, client.seen_ns, strict=True)
    ]
    columns = columns_of_rows(client, schedule, payload_classes, size_bytes, epoch_ns)
    is_sent: list[bool] = columns["accepted"]
    return frame(
        columns
        | {
            "ack": columns["send"],
            "recv": instants([None if ended is None else ended.job.recv_ns for ended in heard], epoch_ns),
            "done": instants(done_ns, epoch_ns),
            "pub": instants(client.pub_ns, epoch_ns),
            "seen": instants(seen_ns, epoch_ns),
            "outcome": [
                (_outcome(client, row, ended, end_ns) if sent else Outcome.NOT_SENT).value
                for row, (ended, sent) in enumerate(zip(known, is_sent, strict=True))
            ],
            "status_code": [_ACCEPTED_CODE if sent else None for sent in is_sent],
            "error": [
                _error(ended, looked_up) or (why and why.text)
                for ended, looked_up, why in zip(heard, found, client.why_not, strict=True)
            ],
            "notices": [int(ended is not None) for ended in heard],
            "end_from": [
                "notice" if ended is not None else looked_up and "output"
                for ended, looked_up in zip(heard, found, strict=True)
            ],
        },
        REQUESTS,
    )


def columns_of_rows(
    client: Sender, schedule: Schedule, payload_classes: Sequence[str], size_bytes: Sequence[int], epoch_ns: int
) -> dict[str, Any]:
    """What every client knows of its rows, as columns of `requests`: each that was sent was accepted, at first."""
    n = len(schedule)
    sent = np.zeros(n, dtype=bool)
    sent[client.order] = True
    is_sent: list[bool] = sent.tolist()
    names = np.array([span.name for span in schedule.spans], dtype=object)
    warmups = np.array([span.warmup for span in schedule.spans], dtype=bool)
    classes = np.array(payload_classes, dtype=object)
    sent_ns = [at if of else None for at, of in zip(client.sched_ns, is_sent, strict=True)]
    return {
        "seq": np.arange(n),
        "phase": names[schedule.phase].tolist(),
        "warmup": warmups[schedule.phase],
        "inference_id": [client.id_of(row) if of else None for row, of in enumerate(is_sent)],
        "payload": classes[schedule.payload].tolist(),
        "size_in_bytes": np.asarray(size_bytes, dtype=np.int64)[schedule.payload],
        "sched": instants(client.sched_ns, epoch_ns),
        "send": instants(sent_ns, epoch_ns),
        "accepted": is_sent,
        "wrong_answer": [None] * n,
        "variant": [None] * n,
        "answer_size_in_bytes": [None] * n,
        **{name: [None] * n for name in ("first_part", "parts", "gap_mean_ns", "gap_max_ns")},
        "why_not_sent": [why and why.value for why in client.why_not],
        "open": [False] * n,
        "attempts": sent.astype(np.int64),
        "output_location": [None] * n,
        "failure_location": [None] * n,
        "worker": np.zeros(n, dtype=np.int64),
        "resume": [None] * n,
    }


def _error(heard: Ended | None, found: Ended | None) -> str | None:
    """What the notice said, or the error object in S3; None: nothing went wrong, or it is not known."""
    if heard is not None and heard.reason:
        return FAILURE_REASONS[heard.reason]
    return error_object(found.reason) if found is not None and found.reason else None


def _outcome(client: Client, row: int, ended: Ended | None, end_ns: int) -> Outcome:
    if ended is not None:
        return ended.outcome
    accepted_ns = client.sched_ns[row] or 0
    return Outcome.LOST if end_ns - accepted_ns > client.longest_life_ns else Outcome.PENDING


def truth_table(client: Client, epoch_ns: int) -> pl.DataFrame:
    """One row a request, in order of acceptance, as the endpoint knows it."""
    rows = client.order
    ends = [client.ended[row] for row in rows]
    return frame(
        {
            "call": np.arange(len(rows)),
            "inference_id": [client.id_of(row) for row in rows],
            "arrived": instants([client.sched_ns[row] for row in rows], epoch_ns),
            "accepted": [True] * len(rows),
            "status_code": [_ACCEPTED_CODE] * len(rows),
            "fault": [None] * len(rows),
            "started": instants([None if end is None else end.start_ns for end in ends], epoch_ns),
            "ended": instants([None if end is None else end.done_ns for end in ends], epoch_ns),
            "outcome": [Outcome.PENDING.value if end is None else end.outcome.value for end in ends],
            "instance": [None if end is None else end.instance for end in ends],
            "attempts": [0 if end is None else end.attempts for end in ends],
            "notice": [None if end is None else client.notice_of(row) for row, end in zip(rows, ends, strict=True)],
            "copies": [int(client.is_published[row]) for row in rows],
            "published": instants([client.pub_ns[row] for row in rows], epoch_ns),
            "output_location": [None] * len(rows),
        },
        TRUTH,
    )
