"""Tables of a simulated run against a synchronous endpoint: from what its caller saw."""

from collections.abc import Sequence

import polars as pl

from smbench.model.endpoints.answers import ANSWERED, MODEL_ERROR, THROTTLED
from smbench.records import Answered, Outcome, Parts, Rejected, Unacknowledged
from smbench.results.schema import REQUESTS, TRUTH
from smbench.schedule.base import Schedule
from smbench.simulator.caller import Call, Caller
from smbench.simulator.tables import columns_of_rows, frame, instants


def called_requests_table(
    client: Caller, schedule: Schedule, payload_classes: Sequence[str], size_bytes: Sequence[int], epoch_ns: int
) -> pl.DataFrame:
    """One row a request, as the client knows it when every call was answered."""
    taken = [answer if isinstance(answer, Answered) else None for answer in client.answers]
    parts: list[Parts | None] = [None if one is None else one.parts for one in taken]
    ends = [None if one is None else at for one, at in zip(taken, client.ack_ns, strict=True)]
    return frame(
        columns_of_rows(client, schedule, payload_classes, size_bytes, epoch_ns)
        | {
            "ack": instants(client.ack_ns, epoch_ns),
            "recv": instants([None] * len(schedule), epoch_ns),
            "done": instants(ends, epoch_ns),
            "pub": instants([None] * len(schedule), epoch_ns),
            "seen": instants(ends, epoch_ns),
            "outcome": [_outcome(answer).value for answer in client.answers],
            "accepted": [one is not None for one in taken],
            "status_code": [_status_code(answer) for answer in client.answers],
            "error": [_error(client, row) for row in range(len(schedule))],
            "wrong_answer": [one and one.wrong and one.wrong.value for one in taken],
            "answer_size_in_bytes": [one and one.size_bytes for one in taken],
            "first_part": instants([None if one is None else one.first_ns for one in parts], epoch_ns),
            "parts": [None if one is None else one.n for one in parts],
            "gap_mean_ns": [None if one is None else one.gap_mean_ns for one in parts],
            "gap_max_ns": [None if one is None else one.gap_max_ns for one in parts],
            "attempts": client.attempts,
            "notices": [0] * len(schedule),
            "end_from": [one and "answer" for one in taken],
        },
        REQUESTS,
    )


def _outcome(answer: Answered | Rejected | Unacknowledged | None) -> Outcome:
    if answer is None:
        return Outcome.NOT_SENT
    if isinstance(answer, Unacknowledged):
        return Outcome.TRANSPORT_ERROR
    return Outcome.REJECTED if isinstance(answer, Rejected) else answer.outcome


def _status_code(answer: Answered | Rejected | Unacknowledged | None) -> int | None:
    return answer.status_code if isinstance(answer, Answered | Rejected) else None


def _error(client: Caller, row: int) -> str | None:
    answer, why = client.answers[row], client.why_not[row]
    if isinstance(answer, Rejected):
        return answer.reason
    if isinstance(answer, Unacknowledged):
        return answer.cause
    if answer is not None:
        return answer.failure_reason
    return why and (client.stop_reason if why is client.stopped and client.stop_reason else why.text)


def called_truth_table(client: Caller, epoch_ns: int) -> pl.DataFrame:
    """One row a call, in order of arrival, as the endpoint knows it."""
    calls = client.calls
    ends = [call.ended for call in calls]
    n = len(calls)
    return frame(
        {
            "call": range(n),
            "inference_id": [client.id_of(call.row) for call in calls],
            "arrived": instants([call.arrived_ns for call in calls], epoch_ns),
            "accepted": [call.is_accepted for call in calls],
            "status_code": [_status(call) for call in calls],
            "fault": [None] * n,
            "started": instants([None if end is None else end.start_ns for end in ends], epoch_ns),
            "ended": instants([None if end is None else end.done_ns for end in ends], epoch_ns),
            "outcome": [_outcome_of(call) for call in calls],
            "instance": [end and end.instance for end in ends],
            "attempts": [0 if end is None else end.attempts for end in ends],
            "notice": [end and "none" for end in ends],
            "copies": [0] * n,
            "published": instants([None] * n, epoch_ns),
            "output_location": [None] * n,
        },
        TRUTH,
    )


def _outcome_of(call: Call) -> str | None:
    """A call that its client gave up may be open when the run is over."""
    if call.ended is None:
        return Outcome.PENDING.value if call.is_accepted else None
    return call.ended.outcome.value


def _status(call: Call) -> int | None:
    if call.ended is None:
        return None if call.is_accepted else THROTTLED
    return ANSWERED if call.is_begun or call.ended.outcome is Outcome.COMPLETED else MODEL_ERROR
