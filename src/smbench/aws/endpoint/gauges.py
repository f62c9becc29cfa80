"""Everything AWS reports of an endpoint while it works, as Gauges: metrics, instances, activities, alarms, log streams.

Each source is asked on its own; one that fails or hangs gives a gap, with the reason, and the others go on. What was
reported is not reported again, except when AWS has changed it: then the later reading or event is the true one.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio
from botocore.exceptions import ClientError

from smbench.aws.access.causes import NO_ANSWER, reason_of
from smbench.aws.access.clients import AwsClients
from smbench.aws.endpoint.alarms import AlarmHistory
from smbench.aws.endpoint.datapoints import Datapoints
from smbench.aws.endpoint.description import TargetFound
from smbench.aws.endpoint.log_streams import LogStreams
from smbench.aws.endpoint.scaling import Activities, Capacity
from smbench.clock import Clock
from smbench.ports import CLOUDWATCH_EVERY_S
from smbench.records import Event, Reading

WATCHING = ("cloudwatch", "autoscaling", "sagemaker", "logs")  # services that `AwsGauges` asks
_News = tuple[list[Reading], list[Event]]
_ANSWER_S = 20.0  # for all tries and pages of one source: a look that one of them holds up sees nothing of the others


@dataclass(slots=True)
class _Source:
    """One AWS call that is asked again and again. A gap bears the call's name."""

    name: str
    call: str
    ask: Callable[[], Awaitable[_News]]
    every_s: float = 0.0
    next_ns: int = 0


class AwsGauges:
    """Reads one endpoint.

    Args:
        clock: Gives `seen`; AWS's own stamps are turned into its time by its epoch.
        cloudwatch_every_s: CloudWatch is asked no more often, however often `read` is called.
    """

    def __init__(
        self, clients: AwsClients, target: TargetFound, clock: Clock, *, cloudwatch_every_s: float = CLOUDWATCH_EVERY_S
    ) -> None:
        self.clock = clock
        points, capacity = Datapoints(clients.cloudwatch, target, clock), Capacity(clients.sagemaker, target, clock)
        self._sources = [
            _Source("cloudwatch", "GetMetricData", points.read, cloudwatch_every_s),
            _Source("endpoint", "DescribeEndpoint", capacity.read),
        ]
        if target.scalable_target is not None:
            activities = Activities(clients.autoscaling, target, clock)
            self._sources.append(_Source("endpoint", "DescribeScalingActivities", activities.read))
        if target.alarm_names:
            history = AlarmHistory(clients.cloudwatch, target, clock)
            self._sources.append(_Source("cloudwatch", "DescribeAlarmHistory", history.read, cloudwatch_every_s))
        if target.has_instances:
            streams = LogStreams(clients.logs, target, clock)
            self._sources.append(_Source("logs", "DescribeLogStreams", streams.read, cloudwatch_every_s))

    async def read(self) -> _News:
        """What is new from every source that is due; a source that fails gives a reading without a value."""
        now_ns = self.clock.now_ns()
        news: list[_News] = []
        async with anyio.create_task_group() as asking:
            for source in self._sources:
                if source.next_ns <= now_ns:
                    asking.start_soon(self._ask, source, news)
        readings = [reading for told, _ in news for reading in told]
        return readings, [event for _, told in news for event in told]

    async def _ask(self, source: _Source, news: list[_News]) -> None:
        asked_ns = self.clock.now_ns()
        try:
            with anyio.fail_after(_ANSWER_S):
                news.append(await source.ask())
        except (ClientError, *NO_ANSWER) as error:
            now_ns = self.clock.now_ns()
            news.append(([Reading(source.name, source.call, "value", None, now_ns, now_ns, reason_of(error))], []))
        else:  # a source that failed is due again at the next look
            source.next_ns = asked_ns + round(source.every_s * 1e9)
