"""Instances by name: each container of an endpoint writes its log into a stream of its own, begun when it starts.

No other public call says which instance joined. Source: developer guide, "Logs and metrics", read 2026-11.
"""

from typing import Any

from botocore.exceptions import ClientError

from smbench.aws.access.causes import code_of, reason_of
from smbench.aws.endpoint.description import TargetFound
from smbench.clock import Clock
from smbench.records import Event, Reading

LOG_GROUPS = "/aws/sagemaker/Endpoints/"
_PAGES = 5  # of fifty streams: those of instances long gone stay, and are listed after those that still write
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnrecognizedClientException")
_NO_GROUP = "ResourceNotFoundException"  # nothing was ever written


class LogStreams:
    """The log streams that began during the run, each reported once. Where they may not be read, that is said once."""

    def __init__(self, client: Any, target: TargetFound, clock: Clock) -> None:
        self.client, self.clock, self._group = client, clock, LOG_GROUPS + target.endpoint
        self._prefix = f"{target.variant}/"
        self._known: set[str] = set()
        self._is_denied = False

    async def read(self) -> tuple[list[Reading], list[Event]]:
        """The instances that are new, oldest first; a reading without a value where AWS refuses to say.

        Raises:
            ClientError: AWS answered with another error.
        """
        if self._is_denied:
            return [], []
        try:
            listed = await self._listed()
        except ClientError as error:
            if code_of(error) == _NO_GROUP:
                return [], []
            if code_of(error) not in _DENIED:
                raise
            self._is_denied = True
            now_ns = self.clock.now_ns()
            return [Reading("logs", "DescribeLogStreams", "value", None, now_ns, now_ns, reason_of(error))], []
        begun = sorted((self._at_ns(one), self._instance(one)) for one in listed if self._is_news(one))
        return [], [self._event(name, at_ns) for at_ns, name in begun]

    async def _listed(self) -> list[dict[str, Any]]:
        """The streams that wrote during the run, and some others."""
        listed: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        for _ in range(_PAGES):
            page = await self.client.describe_log_streams(
                logGroupName=self._group, orderBy="LastEventTime", descending=True, **token
            )
            streams = page["logStreams"]
            listed += streams
            # Those that wrote last come first: from one that was silent all through the run on, none is ours.
            is_silent = any(one.get("lastEventTimestamp", one["creationTime"]) < self._begin_ms for one in streams)
            if is_silent or "nextToken" not in page:
                break
            token = {"nextToken": page["nextToken"]}
        return listed

    @property
    def _begin_ms(self) -> int:
        return self.clock.epoch_ns // 1_000_000

    def _instance(self, stream: dict[str, Any]) -> str:
        return str(stream["logStreamName"].removeprefix(self._prefix))

    def _at_ns(self, stream: dict[str, Any]) -> int:
        return int(stream["creationTime"]) * 1_000_000 - self.clock.epoch_ns

    def _is_news(self, stream: dict[str, Any]) -> bool:
        name = stream["logStreamName"]
        is_container = name.startswith(self._prefix) and "/" not in self._instance(stream)  # not its data-log
        if not is_container or name in self._known or stream["creationTime"] < self._begin_ms:
            return False
        self._known.add(name)
        return True

    def _event(self, instance: str, at_ns: int) -> Event:
        return Event("instance", instance, at_ns, self.clock.now_ns(), "log begun", source="logs")
