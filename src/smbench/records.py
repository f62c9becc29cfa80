"""Facts of a run as types: what was asked, what was answered, what was noticed, what was read.

Instants inside a run are integer nanoseconds since the run began (`_ns`); instants that AWS stamped are UTC
nanoseconds since 1970 (`_utc_ns`) until the tracker turns them into the former. What is made for every request is a
Struct, an eighth of the cost of a frozen dataclass.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

import msgspec

AMID_THE_RUN = "amid the run"  # begins a note on what was changed or removed while the run went on


class Outcome(StrEnum):
    """How a scheduled request ended. Every request has exactly one, and the counts obey the ledger's law:

    scheduled = not_sent + unknown + sent
    sent      = accepted + rejected + transport_error
    accepted  = completed + failed + expired + unknown_end + lost + pending
    """

    NOT_SENT = "not_sent"  # our own limit, or the run stopped first
    UNKNOWN = "unknown"  # its worker was lost, or works still: whether it was sent is not known
    REJECTED = "rejected"  # answered with an error: a throttle, a validation error, a 5xx
    TRANSPORT_ERROR = "transport_error"  # no answer came and nothing proved that it was accepted: unknown
    COMPLETED = "completed"
    FAILED = "failed"  # the container answered with an error or a wrong answer, or its time-out struck
    EXPIRED = "expired"  # its time to live ended in the queue
    UNKNOWN_END = "unknown_end"  # AWS reported an end of a kind that smbench does not know; the row's error names it
    LOST = "lost"  # older than time to live plus time-out, no notice, no output: nobody knows
    PENDING = "pending"  # accepted, and the run ended before its end could be known


ENDED = (Outcome.COMPLETED, Outcome.FAILED, Outcome.EXPIRED, Outcome.UNKNOWN_END)  # what a notice can report
NEVER_COMPLETED = (Outcome.FAILED, Outcome.EXPIRED)
MAY_HAVE_COMPLETED = (Outcome.UNKNOWN_END, Outcome.LOST, Outcome.PENDING)  # accepted, and nothing proves or excludes it
ACCEPTED = (*ENDED, Outcome.LOST, Outcome.PENDING)


class NotSent(StrEnum):
    """Why a scheduled request was never submitted. The values are stored in results and do not change."""

    IN_FLIGHT_LIMIT = "in_flight_limit"  # `limits.in_flight` requests were unanswered: the generator dropped it
    REQUEST_LIMIT = "request_limit"  # `limits.requests` were sent
    TIME_LIMIT = "time_limit"  # `limits.time` was over
    ERROR_LIMIT = "error_limit"  # more answers than `limits.errors` were errors
    PHASE_ENDED = "phase_ended"  # a closed phase ended before it released the request
    STOPPED = "stopped"  # a person or a lost process stopped the sending
    STOP_CONDITION = "stop_condition"  # a phase's `stop` was met
    CERTAIN = "certain"  # the thresholds were decided, and the run was asked to stop then
    RUN_ENDED = "run_ended"  # the run ended before the request was due, or was killed

    @property
    def ends_sending(self) -> bool:
        """Whether nothing that was due later was sent either."""
        return self not in (NotSent.IN_FLIGHT_LIMIT, NotSent.PHASE_ENDED)

    @property
    def cuts_short(self) -> bool:
        """Whether the question of the scenario stays open: neither its author's limits nor its thresholds ended it."""
        return self in (NotSent.STOPPED, NotSent.ERROR_LIMIT, NotSent.RUN_ENDED)

    @property
    def text(self) -> str:
        """The reason in words, for a person. No code compares it."""
        return _NOT_SENT_TEXTS[self]


_NOT_SENT_TEXTS = {
    NotSent.IN_FLIGHT_LIMIT: "in-flight limit",
    NotSent.REQUEST_LIMIT: "request limit",
    NotSent.TIME_LIMIT: "time limit",
    NotSent.ERROR_LIMIT: "error limit",
    NotSent.PHASE_ENDED: "the closed phase ended first",
    NotSent.STOPPED: "the sending was stopped",
    NotSent.STOP_CONDITION: "a stop condition was met",
    NotSent.CERTAIN: "the thresholds were decided",
    NotSent.RUN_ENDED: "the run ended first",
}


class WrongAnswer(StrEnum):
    """In what an answer differs from what `request.expect` says. The values are stored in results."""

    SIZE = "size"
    CONTENT_TYPE = "content_type"
    JSON = "json"  # no JSON, nothing at the path, or another value there


class Stage(StrEnum):
    """What a run is doing, in this order."""

    PREPARING = "preparing"
    SENDING = "sending"
    DRAINING = "draining"  # waits for the ends of accepted requests
    LOOKING_UP = "looking up"  # asks S3 for the ends that no notice reported
    CLOSING = "closing"
    DONE = "done"

    @property
    def place(self) -> int:
        """In the order of a run, from 0."""
        return tuple(Stage).index(self)


class Ending(StrEnum):
    """How a run ended. `RUNNING` in a file at rest: the run was killed."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"  # sending ended early, by a limit or a person; what was sent was followed
    CANCELLED = "cancelled"  # ended at once, by a person
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Unknown:
    """Takes the place of a figure that cannot be known, and says why."""

    reason: str  # a clause for a person


_THROTTLES = ("Throttl", "TooManyRequests", "SlowDown", "RequestLimitExceeded")


def is_throttle(code: str) -> bool:
    """Whether an AWS error code says that requests come too fast."""
    return code.startswith(_THROTTLES)


_LONG_VALUE = re.compile(r"'([^']{41,})'", re.DOTALL)
_REASON_MAX = 300


class Invocation(msgspec.Struct, frozen=True, gc=False):
    """One InvokeEndpointAsync or InvokeEndpoint, ready to go. Exactly one of `input_location` and `body` is set.

    What only one of the two calls has is None for the other: time to live, time-out, location, extension and file name
    are InvokeEndpointAsync's; the five from `target_model` on are InvokeEndpoint's.
    """

    seq: int
    inference_id: str
    input_location: str | None = None
    body: bytes | None = None
    content_type: str | None = None
    accept: str | None = None
    custom_attributes: str | None = None
    ttl_s: int | None = None  # RequestTTLSeconds, 60..21600
    timeout_s: int | None = None  # InvocationTimeoutSeconds, 1..3600
    output_extension: str | None = None  # S3OutputPathExtension: folders between the output path and the object
    filename: str | None = None  # Filename: the object's name
    target_model: str | None = None  # TargetModel
    target_variant: str | None = None  # TargetVariant
    target_container: str | None = None  # TargetContainerHostname
    inference_component: str | None = None  # InferenceComponentName
    explanations: str | None = None  # EnableExplanations


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """The endpoint answered 202: it has taken the request."""

    output_location: str | None
    failure_location: str | None = None
    status_code: int = 202


class Parts(msgspec.Struct, frozen=True, gc=False):
    """The parts of one streamed answer. What came with one read of the connection came at one instant."""

    n: int
    first_ns: int | None = None  # when the first was there; None: none came
    gap_mean_ns: int | None = None  # between one part and the next; None: fewer than two came
    gap_max_ns: int | None = None


class PartsSeen:
    """The parts of one streamed answer as they come."""

    __slots__ = ("_first_ns", "_gap_max_ns", "_last_ns", "_n")

    def __init__(self) -> None:
        self._n = self._first_ns = self._last_ns = self._gap_max_ns = 0

    def came(self, at_ns: int) -> None:
        """The next part is there. Instants never decrease."""
        if self._n:
            self._gap_max_ns = max(self._gap_max_ns, at_ns - self._last_ns)
        else:
            self._first_ns = at_ns
        self._last_ns = at_ns
        self._n += 1

    def so_far(self) -> Parts:
        """What came until now."""
        if self._n < 2:
            return Parts(self._n, self._first_ns if self._n else None)
        mean_ns = round((self._last_ns - self._first_ns) / (self._n - 1))
        return Parts(self._n, self._first_ns, mean_ns, self._gap_max_ns)


class Answered(msgspec.Struct, frozen=True, gc=False):
    """A synchronous endpoint answered: it took the request, and the request is over.

    `outcome` is completed, or failed: then the container's own error came back, or an answer that is `wrong`, and
    `failure_reason` says which.
    """

    outcome: Outcome = Outcome.COMPLETED
    status_code: int = 200
    failure_reason: str | None = None
    size_bytes: int | None = None  # of the body; None: an error came back
    wrong: WrongAnswer | None = None
    parts: Parts | None = None  # None: it did not come in a stream
    variant: str | None = None  # which production variant answered; None: the answer does not say, or there is but one


class Rejected(Exception):  # noqa: N818  # a refusal is an expected end, not an error of the program
    """The service answered with an error.

    Args:
        status_code: HTTP status.
        code: AWS's error code, `ThrottlingException`.
        message: AWS's message; empty when it sent none (a throttle's is null).
        original_status: What the container answered, where the error is the container's own (OriginalStatusCode).
    """

    def __init__(self, status_code: int, code: str, message: str = "", original_status: int | None = None) -> None:
        super().__init__(f"{status_code} {code}: {message}")
        self.status_code, self.code, self.message = status_code, code, message
        self.original_status = original_status

    @property
    def reason(self) -> str:
        """Code and message on one line of at most 300 characters; long values that the message quotes are cut, so
        that refusals for the same reason read the same."""
        code = self.code if self.original_status is None else f"{self.code} {self.original_status}"
        if not self.message:
            return code
        message = " ".join(_LONG_VALUE.sub(lambda quoted: f"'{quoted[1][:12]}…'", self.message).split())
        return f"{code}: {message}"[:_REASON_MAX]


CONNECT_TIMEOUT, READ_TIMEOUT = "connect timeout", "read timeout"  # causes of no answer
TORN_STREAM = "torn stream"  # what `error` says first of a stream that did not come to its end


class Unacknowledged(Exception):  # noqa: N818  # as above
    """No answer came: time-out, reset, refused. Whether the request was taken is not known.

    Args:
        cause: A short stable name, `read timeout`, `connection reset`, `connection refused`.
    """

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause

    @property
    def is_timeout(self) -> bool:
        """Whether time was up, for the connection or for the answer."""
        return self.cause in (CONNECT_TIMEOUT, READ_TIMEOUT)


Answer: TypeAlias = Accepted | Answered | Rejected | Unacknowledged
"""What comes of one submission."""


class Notice(msgspec.Struct, frozen=True, gc=False):
    """The end of one inference as SNS reported it. `outcome` is one of `ENDED`."""

    inference_id: str
    outcome: Outcome
    recv_utc_ns: int | None  # receivedTime, whole milliseconds
    done_utc_ns: int | None  # eventTime, whole milliseconds
    pub_utc_ns: int | None  # when SNS had put it into the queue (SQS's SentTimestamp), whole milliseconds
    output_location: str | None = None
    failure_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that is no inference result: a TestNotification, foreign JSON, or no JSON at all."""

    kind: str  # "test_notification" | "foreign" | "malformed"
    body: str


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """One message taken from the queue; it must be deleted by its receipt or it comes again."""

    receipt: str
    content: Notice | Unreadable


@dataclass(frozen=True, slots=True)
class OutputFound:
    """What a look at a request's output and failure locations showed."""

    outcome: Outcome  # completed or failed
    done_utc_ns: int  # S3 LastModified: whole seconds
    failure_reason: str | None = None  # how the error object begins


@dataclass(frozen=True, slots=True)
class FolderPage:
    """Some objects of a folder: since when each is there, by what follows the folder's name in its location."""

    written_utc_ns: dict[str, int]  # S3 LastModified: whole seconds
    next: str | None  # for the next page; None: this is the last


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one gauge. A gap is a reading whose value is null and whose `detail` says why."""

    source: str  # ledger | generator | cloudwatch | endpoint
    name: str  # `backlog_seen`, `ApproximateBacklogSize`, `instances_current`
    stat: str  # average | maximum | minimum | sum | sample_count | value
    value: float | None
    at_ns: int  # the instant the value speaks of; for a CloudWatch datapoint the period's start
    seen_ns: int  # when we read it first
    detail: str = ""


RETRY = "retry"  # kind of the event that a refused try is, where another follows


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at an instant: a phase began, an alarm changed state, capacity was decided."""

    kind: str  # phase | scaling_activity | alarm | capacity | instance | test_notification | malformed_message | stop
    name: str  # phase name, activity id, alarm name, instance id
    at_ns: int
    seen_ns: int
    state: str = ""  # "Successful", "OK -> ALARM"
    end_ns: int | None = None  # an activity's end
    before: float | None = None  # desired instances before, where known
    after: float | None = None
    cause: str = ""
    detail: dict[str, object] = field(default_factory=dict)  # as AWS sent it
    source: str = "smbench"  # smbench | application-autoscaling | cloudwatch | endpoint | logs
    doubt_ns: int | None = 0  # how much earlier it may have happened; None: no look before it says
