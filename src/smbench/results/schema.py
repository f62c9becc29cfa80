"""Every column of every file a run leaves: name, type, unit, meaning, and when it is null.

The file is the interface between what sends and what reports. `docs/columns.md` is printed from here.
History:
1. The first; instants in nanoseconds, and why a request was not sent only in words, in `error`.
2. Instants in microseconds, for which DuckDB has a minus; `why_not_sent`, `open` and `failure_location`.

A column that came after the first says so (`is_later`), and files without it are still read.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

# Polars loads numpy with the first array it is given. Two threads that give one at the same moment break that, so that
# one of them gets a TypeError (2.1); every thread of ours has imported this first.
pl.Series(np.empty(0))

SCHEMA_VERSION = 2

INSTANT = pl.Datetime("us", "UTC")


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `null` says when it has no value; empty means never.

    `is_later`: files written before it was thought of lack it, which reads as null.
    """

    name: str
    dtype: pl.DataType | type[pl.DataType]
    unit: str
    meaning: str
    null: str = ""
    is_later: bool = False


REQUESTS = (
    Column("seq", pl.Int64, "", "place in the schedule, from 0; unique in a run"),
    Column("phase", pl.String, "", "name of the load phase the request belongs to"),
    Column("warmup", pl.Boolean, "", "the phase is a warm-up: kept here, left out of the figures"),
    Column("inference_id", pl.String, "", "our InferenceId: run, worker and seq", "not sent"),
    Column("payload", pl.String, "", "payload class, or the payload's name where no class was given"),
    Column("size_in_bytes", pl.Int64, "bytes", "size of the input", "another tool's file does not say it"),
    Column("sched", INSTANT, "UTC", "when the request was due", "a closed loop never released it"),
    Column("send", INSTANT, "UTC", "when the submission began, of the first attempt", "not sent"),
    Column(
        "ack",
        INSTANT,
        "UTC",
        "when the last attempt's answer or error was there; of a synchronous call in a killed process until when it is "
        "known to have waited",
        "not sent, or still unanswered at the end",
    ),
    Column("recv", INSTANT, "UTC", "receivedTime of the notice: when AWS says it took the request", "no notice"),
    Column(
        "done",
        INSTANT,
        "UTC",
        "eventTime of the notice, LastModified of the output, or when a synchronous answer was there",
        "not known to have ended",
    ),
    Column(
        "pub",
        INSTANT,
        "UTC",
        "when SNS had put the notice into the queue: SQS's SentTimestamp, whole milliseconds",
        "no notice",
    ),
    Column(
        "seen",
        INSTANT,
        "UTC",
        "when the notice, or the output, reached us; imported: its end, or when its client gave up",
        "neither did",
    ),
    Column("outcome", pl.String, "", "one of `records.Outcome`"),
    Column(
        "accepted",
        pl.Boolean,
        "",
        "the endpoint has taken the request: it answered 202, or 200 or 424 to a synchronous call, or an end proved it",
    ),
    Column("status_code", pl.Int64, "", "HTTP status of the submission", "no answer"),
    Column("error", pl.String, "", "code or cause of an error, reason of a failure, or why not sent, in words", "none"),
    Column(
        "wrong_answer",
        pl.String,
        "",
        "in what the answer differs from `request.expect`: one of `records.WrongAnswer`",
        "it came right, was not checked, or was no answer",
        is_later=True,
    ),
    Column(
        "variant",
        pl.String,
        "",
        "which production variant gave a synchronous answer",
        "no answer but an error, the endpoint has one variant, or not synchronous",
        is_later=True,
    ),
    Column(
        "answer_size_in_bytes",
        pl.Int64,
        "bytes",
        "size of the body of a synchronous answer",
        "no answer but an error, or not synchronous",
        is_later=True,
    ),
    Column(
        "first_part",
        INSTANT,
        "UTC",
        "when the first part of a streamed answer was there",
        "no part came, or the answer did not come in a stream",
        is_later=True,
    ),
    Column(
        "parts", pl.Int64, "", "parts of a streamed answer, of a torn one those that came", "no stream", is_later=True
    ),
    Column(
        "gap_mean_ns",
        pl.Int64,
        "ns",
        "from one part to the next, on average; parts that one read of the connection brought have none between them",
        "fewer than two parts",
        is_later=True,
    ),
    Column(
        "gap_max_ns", pl.Int64, "ns", "the longest from one part to the next", "fewer than two parts", is_later=True
    ),
    Column("why_not_sent", pl.String, "", "one of `records.NotSent`", "sent", is_later=True),
    Column(
        "open",
        pl.Boolean,
        "",
        "the run was not done with it when this was written, so its outcome may not be the last; only after a kill",
        "written before schema 2",
        is_later=True,
    ),
    Column("attempts", pl.Int64, "", "submissions tried, 0 when not sent"),
    Column(
        "output_location",
        pl.String,
        "",
        "where the result is, from the answer or the notice",
        "neither the answer nor a notice named it",
    ),
    Column(
        "failure_location",
        pl.String,
        "",
        "where an error would be, from the answer",
        "the answer named none, or the request has ended",
        is_later=True,
    ),
    Column("notices", pl.Int64, "", "notices that came for this id; more than one are duplicates"),
    Column(
        "end_from",
        pl.String,
        "",
        "`notice`, `output` when the end was found in S3 (whole seconds), `answer` of a synchronous call, `client` "
        "when imported",
        "no end",
    ),
    Column("worker", pl.Int64, "", "which worker sent it, from 0"),
    Column(
        "resume",
        pl.Int64,
        "",
        "which `smbench resume --continue` made it due, from 1: `sched` is later than the schedule had it",
        "the run itself did",
        is_later=True,
    ),
)

READINGS = (
    Column("source", pl.String, "", "ledger, generator, cloudwatch or endpoint"),
    Column("name", pl.String, "", "the gauge"),
    Column("stat", pl.String, "", "average, maximum, minimum, sum, sample_count, or value"),
    Column("value", pl.Float64, "of the gauge", "the reading", "a gap: the gauge gave nothing; `detail` says why"),
    Column("at", INSTANT, "UTC", "the instant the value speaks of; of a CloudWatch datapoint its period's start"),
    Column("seen", INSTANT, "UTC", "when we read it first"),
    Column("detail", pl.String, "", "why there is a gap; else empty"),
    Column(
        "worker",
        pl.Int64,
        "",
        "which worker read it, from 0: each speaks of itself alone",
        "the parent process read it, or the run is a simulation",
        is_later=True,
    ),
)

EVENTS = (
    Column(
        "kind",
        pl.String,
        "",
        "phase, scaling_activity, alarm, capacity, instance, test_notification, malformed_message, stop, resume, retry",
    ),
    Column("name", pl.String, "", "of the phase, the activity, the alarm, the instance; of a retry the InferenceId"),
    Column("at", INSTANT, "UTC", "when it happened; of what a look found, that look: the latest that it can be"),
    Column("seen", INSTANT, "UTC", "when we learned of it"),
    Column("state", pl.String, "", "the state after it"),
    Column("end", INSTANT, "UTC", "when it was over", "it has no duration, or is still going on"),
    Column("before", pl.Float64, "instances", "desired capacity before", "not about capacity, or not reported"),
    Column("after", pl.Float64, "instances", "desired capacity after", "not about capacity, or not reported"),
    Column("cause", pl.String, "", "as AWS worded it"),
    Column("detail", pl.String, "", "JSON: the rest of what AWS said"),
    Column(
        "source",
        pl.String,
        "",
        "smbench, application-autoscaling, cloudwatch (alarm history), endpoint (DescribeEndpoint) or logs",
        "written by an older version",
        is_later=True,
    ),
    Column(
        "not_before",
        INSTANT,
        "UTC",
        "the earliest instant at which it can have happened: `at` where that is a stamp, else the look before it",
        "there was no look before it, or written by an older version",
        is_later=True,
    ),
)

TRUTH = (
    Column("call", pl.Int64, "", "how many invocations the emulated endpoint had seen before this one"),
    Column("inference_id", pl.String, "", "as the caller gave it, or the service made it"),
    Column("arrived", INSTANT, "UTC", "when the call reached the endpoint"),
    Column("accepted", pl.Boolean, "", "the request was taken into the queue"),
    Column("status_code", pl.Int64, "", "the answer as sent", "the connection was reset instead"),
    Column(
        "fault",
        pl.String,
        "",
        "throttled, server_error, reset, unreachable, lost_reply, no_answer, slow_answer, torn_stream, stream_error, "
        "stream_failure",
        "none",
    ),
    Column("started", INSTANT, "UTC", "when an instance began with it, the last time", "never began"),
    Column("ended", INSTANT, "UTC", "when it was over", "not over when the emulator stopped, or not accepted"),
    Column("outcome", pl.String, "", "completed, failed, expired, pending", "not accepted"),
    Column("instance", pl.Int64, "", "which instance, counted from 0 in order of launch", "never began"),
    Column("attempts", pl.Int64, "", "times an instance began with it"),
    Column("notice", pl.String, "", "sent, late, lost or none", "not accepted or not over"),
    Column("copies", pl.Int64, "", "messages published for it, duplicates included"),
    Column("published", INSTANT, "UTC", "when its message was first put into a queue", "it never was"),
    Column("output_location", pl.String, "", "where the result or the error was written", "not accepted"),
)

FILES = {"requests": REQUESTS, "readings": READINGS, "events": EVENTS, "truth": TRUTH}
_INSTANTS = frozenset(column.name for file in FILES.values() for column in file if column.dtype == INSTANT)


def instant_of(utc_ns: pl.Expr) -> pl.Expr:
    """Nanoseconds since 1970 as files have instants; what is finer than a microsecond is cut off."""
    return (utc_ns // 1000).cast(INSTANT)


def stamped(plain: pl.DataFrame) -> pl.DataFrame:
    """A frame under a schema from one in which instants are still nanoseconds since 1970; see `plain_schema`."""
    return plain.with_columns(instant_of(pl.col(name)) for name in plain.columns if name in _INSTANTS)


def plain_schema(columns: tuple[Column, ...]) -> pl.Schema:
    """As `polars_schema`, with whole numbers in place of instants."""
    return pl.Schema([(one.name, pl.Int64() if one.dtype == INSTANT else one.dtype) for one in columns])


def polars_schema(columns: tuple[Column, ...]) -> pl.Schema:
    """The polars schema of one file, columns in order."""
    return pl.Schema([(column.name, column.dtype) for column in columns])
