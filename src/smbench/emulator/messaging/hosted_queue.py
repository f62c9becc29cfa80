"""A queue of the emulated SQS: messages, attributes, and those who wait at it."""

from dataclasses import dataclass

import orjson

from smbench.emulator.messaging.polls import Polls
from smbench.emulator.messaging.queue import Queue


@dataclass(slots=True)
class HostedQueue:
    """A queue with its name, its attributes and those who wait at it."""

    name: str
    arn: str
    serial: int
    queue: Queue
    attributes: dict[str, str]
    tags: dict[str, str]
    created_ns: int
    modified_ns: int
    polls: Polls
    purged_ns: int | None = None

    def number(self, attribute: str) -> int:
        """An attribute that SQS writes as digits."""
        return int(self.attributes[attribute])

    @property
    def dead_letters(self) -> str:
        """The ARN of the queue for what was received too often; empty without one."""
        policy = self.attributes.get("RedrivePolicy")
        return str(orjson.loads(policy)["deadLetterTargetArn"]) if policy else ""
