"""Everything AWS tells of an endpoint while it works, as Gauges: metrics, instances, activities, alarms.

Each source is asked on its own; one that fails gives a gap, with the reason, and the others go on. What was told
before is not told again, except when AWS has changed it: then the later reading or event is the true one.
"""

from collections.abc import Awaitable, Callable

import anyio
from botocore.exceptions import ClientError

from smbench.aws.alarms import AlarmHistory
from smbench.aws.causes import NO_ANSWER, reason_of
from smbench.aws.clients import AwsClients
from smbench.aws.datapoints import Datapoints
from smbench.aws.scaling import Activities, Capacity
from smbench.aws.target import TargetFound
from smbench.clock import Clock
from smbench.records import Event, Reading

_News = tuple[list[Reading], list[Event]]


class AwsGauges:
    """Reads one endpoint.

    Args:
        clock: Gives `seen`; AWS's own stamps are turned into its time by its epoch.
    """

    def __init__(self, clients: AwsClients, target: TargetFound, clock: Clock) -> None:
        self.clock = clock
        sources = [
            ("cloudwatch", "GetMetricData", Datapoints(clients.cloudwatch, target, clock).read),
            ("endpoint", "DescribeEndpoint", Capacity(clients.sagemaker, target, clock).read),
        ]
        if target.scalable_target is not None:
            sources.append(
                ("endpoint", "DescribeScalingActivities", Activities(clients.autoscaling, target, clock).read)
            )
        if target.alarm_names:
            sources.append(("cloudwatch", "DescribeAlarmHistory", AlarmHistory(clients.cloudwatch, target, clock).read))
        self._sources = sources

    async def read(self) -> _News:
        news: list[_News] = []
        async with anyio.create_task_group() as asking:
            for source, call, ask in self._sources:
                asking.start_soon(self._ask, source, call, ask, news)
        return [reading for readings, _ in news for reading in readings], [
            event for _, events in news for event in events
        ]

    async def _ask(self, source: str, call: str, ask: Callable[[], Awaitable[_News]], news: list[_News]) -> None:
        try:
            news.append(await ask())
        except (ClientError, *NO_ANSWER) as error:
            now_ns = self.clock.now_ns()
            news.append(([Reading(source, call, "value", None, now_ns, now_ns, reason_of(error))], []))
