"""Dead-letter queues of the emulated SQS: which queues use one, who may, and messages moved back from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from smbench.emulator.messaging.hosted_queue import HostedQueue
from smbench.emulator.messaging.queue import Message
from smbench.emulator.messaging.sqs_rules import ranged, sqs_error
from smbench.emulator.protocol.codecs import beyond
from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.site import Site

_TASKS_MAX = 10
_SOURCE = "DeadLetterQueueSourceArn"


class Hosts(Protocol):
    """What holds the queues."""

    queues: dict[str, HostedQueue]

    def find(self, arn: str) -> HostedQueue | None: ...
    def at(self, params: dict[str, Any], /) -> HostedQueue: ...
    def url(self, hosted: HostedQueue, /) -> str: ...


@dataclass(frozen=True, slots=True)
class _Task:
    destination: str
    n_moved: int
    n_to_move: int
    failure: str
    started_ms: int


class DeadLetters:
    """ListDeadLetterSourceQueues, StartMessageMoveTask and ListMessageMoveTasks; a move takes no time.

    Args:
        resend: Puts what a message says into a queue, as a new message.
    """

    def __init__(self, site: Site, sqs: Hosts, resend: Callable[[HostedQueue, Message], Any]) -> None:
        self._site, self._sqs, self._resend = site, sqs, resend
        self._tasks: dict[str, list[_Task]] = {}  # by the ARN of the source, oldest first
        self.operations: dict[str, Operation] = {
            "ListDeadLetterSourceQueues": self._list_sources,
            "StartMessageMoveTask": self._start_move,
            "ListMessageMoveTasks": self._list_moves,
        }

    def _sources(self, arn: str) -> list[HostedQueue]:
        return [hosted for _, hosted in sorted(self._sqs.queues.items()) if hosted.dead_letters == arn]

    def _list_sources(self, params: dict[str, Any], _request: HttpRequest) -> dict[str, Any]:
        found = self._sources(self._sqs.at(params).arn)
        limit, after = ranged(params, "MaxResults", 1, 1000, 1000), params.get("NextToken", "")
        rest = [hosted for hosted in found if hosted.name > after]
        result: dict[str, Any] = {"queueUrls": [self._sqs.url(hosted) for hosted in rest[:limit]]}
        return result | ({"NextToken": rest[limit - 1].name} if len(rest) > limit else {})

    def _start_move(self, params: dict[str, Any], _request: HttpRequest) -> dict[str, Any]:
        if "MaxNumberOfMessagesPerSecond" in params:
            raise beyond("move messages at a rate (MaxNumberOfMessagesPerSecond)")
        source, wanted = self._found(params["SourceArn"]), params.get("DestinationArn", "")
        if not self._sources(source.arn):
            raise sqs_error("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
        if wanted:
            self._found(wanted)
        now_ns, failure, n_moved = self._site.now_ns, "", 0
        n_to_move = source.queue.statistics(now_ns).n_visible
        for _ in range(n_to_move):
            message = source.queue.first_visible(now_ns)
            if message is None:
                break
            target = self._sqs.find(wanted or message.system_attributes.get(_SOURCE, ""))
            if target is None:
                failure = "CouldNotDetermineMessageSource"
                break
            source.queue.remove(message)
            self._resend(target, message)
            n_moved += 1
        task = _Task(wanted, n_moved, n_to_move, failure, self._site.utc_ns() // 1_000_000)
        self._tasks.setdefault(source.arn, []).append(task)
        return {"TaskHandle": self._site.new_id()}

    def _list_moves(self, params: dict[str, Any], _request: HttpRequest) -> dict[str, Any]:
        limit, arn = ranged(params, "MaxResults", 1, _TASKS_MAX, 1), self._found(params["SourceArn"]).arn
        return {"Results": [_shown(arn, task) for task in reversed(self._tasks.get(arn, [])[-limit:])]}

    def _found(self, arn: str) -> HostedQueue:
        hosted = self._sqs.find(arn)
        if hosted is None:
            raise sqs_error("ResourceNotFoundException", "The resource that you specified doesn't exist.", 404)
        return hosted


def _shown(arn: str, task: _Task) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "Status": "FAILED" if task.failure else "COMPLETED",
        "SourceArn": arn,
        "ApproximateNumberOfMessagesMoved": task.n_moved,
        "ApproximateNumberOfMessagesToMove": task.n_to_move,
        "StartedTimestamp": task.started_ms,
    }
    optional = {"DestinationArn": task.destination, "FailureReason": task.failure}
    return shown | {key: value for key, value in optional.items() if value}


def check_redrive(find: Callable[[str], HostedQueue | None], source_arn: str, attributes: Mapping[str, str]) -> None:
    """Raises ServiceError: there is no such dead-letter queue, or it does not let this queue use it."""
    policy = attributes.get("RedrivePolicy")
    if not policy:
        return
    target = find(str(orjson.loads(policy)["deadLetterTargetArn"]))
    reason = "Dead letter target does not exist." if target is None else ""
    if target is not None and not _allows(target.attributes.get("RedriveAllowPolicy", ""), source_arn):
        reason = "The redrive allow policy of the dead letter target does not allow this source queue."
    if reason:
        text = f"Value {policy} for parameter RedrivePolicy is invalid. Reason: {reason}"
        raise sqs_error("InvalidParameterValue", text)


def _allows(policy: str, source_arn: str) -> bool:
    document = orjson.loads(policy) if policy else {}
    permission = document.get("redrivePermission", "allowAll")
    if permission == "byQueue":
        return source_arn in document.get("sourceQueueArns", [])
    return bool(permission == "allowAll")
