"""CloudWatch metrics by kind of endpoint: what is published, and how each metric is asked for.

Source: developer guide, async-inference-monitor and monitoring-cloudwatch, read 2026-11. `Unit` is never part of a
query: one that differs from the metric's gives silence.
"""

from dataclasses import dataclass
from typing import Any

PERIOD_S = 60

_ENDPOINT = "AWS/SageMaker"
_INSTANCES = "/aws/sagemaker/Endpoints"
_READING_STAT = {
    "Average": "average",
    "Maximum": "maximum",
    "Sum": "sum",
    "SampleCount": "sample_count",
}


@dataclass(frozen=True, slots=True)
class Metric:
    """One statistic of one metric, minute by minute.

    Args:
        spelling: As CloudWatch may name it; `name` is what we call it.
    """

    name: str
    statistic: str
    namespace: str = _ENDPOINT
    by_variant: bool = True
    spelling: str = ""

    @property
    def stat(self) -> str:
        """The statistic's name in a Reading."""
        return _READING_STAT[self.statistic]

    def query(self, query_id: str, endpoint: str, variant: str) -> dict[str, Any]:
        """One entry of GetMetricData's MetricDataQueries."""
        dimensions = [{"Name": "EndpointName", "Value": endpoint}]
        if self.by_variant:
            dimensions.append({"Name": "VariantName", "Value": variant})
        metric = {"Namespace": self.namespace, "MetricName": self.spelling or self.name, "Dimensions": dimensions}
        return {"Id": query_id, "MetricStat": {"Metric": metric, "Period": PERIOD_S, "Stat": self.statistic}}


def _backlog(name: str, *statistics: str) -> tuple[Metric, ...]:
    """Of the endpoint as a whole: what waits."""
    return tuple(Metric(name, statistic, by_variant=False) for statistic in statistics)


def _work(name: str, *statistics: str) -> tuple[Metric, ...]:
    """Of the variant: what was done. Absent, not 0, in a minute in which nothing of the kind happened."""
    return tuple(Metric(name, statistic) for statistic in statistics)


def _use(name: str, *statistics: str) -> tuple[Metric, ...]:
    """Of the instances."""
    return tuple(Metric(name, statistic, namespace=_INSTANCES) for statistic in statistics)


ASYNC_METRICS = (
    *_backlog("ApproximateBacklogSize", "Average", "Maximum"),
    *_backlog("ApproximateBacklogSizePerInstance", "Average"),
    *_backlog("ApproximateAgeOfOldestRequest", "Maximum"),
    *_backlog("HasBacklogWithoutCapacity", "Average"),
    *_work("InvocationsProcessed", "Sum"),
    # The developer guide spells it with a third s; what is emitted was only seen with two.
    Metric("InvocationsProcessed", "Sum", spelling="InvocationsProcesssed"),
    *_work("InvocationFailures", "Sum"),
    *_work("ExpiredRequests", "Sum"),
    *_work("NotificationFailures", "Sum"),
    *_work("RequestDownloadFailures", "Sum"),
    *_work("ResponseUploadFailures", "Sum"),
    *_work("Invocation4XXErrors", "Sum"),
    *_work("Invocation5XXErrors", "Sum"),
    *_work("TimeInBacklog", "Average", "Maximum", "SampleCount"),
    *_work("TotalProcessingTime", "Average", "Maximum"),
    *_work("ModelLatency", "Average"),
    *_work("RequestDownloadLatency", "Average"),
    *_work("ResponseUploadLatency", "Average"),
    # One sample a minute from each instance: the count of samples is the count of instances.
    *_use("CPUUtilization", "Average", "SampleCount"),
    *_use("MemoryUtilization", "Average"),
    *_use("DiskUtilization", "Average"),
    *_use("GPUUtilization", "Average"),
    *_use("GPUMemoryUtilization", "Average"),
)

_SYNCHRONOUS = (
    *_work("Invocations", "Sum"),
    *_work("ModelLatency", "Average", "Maximum"),
    *_work("OverheadLatency", "Average", "Maximum"),
    *_work("Invocation4XXErrors", "Sum"),
    *_work("Invocation5XXErrors", "Sum"),
    *_work("InvocationModelErrors", "Sum"),
)
METRICS = {
    "async": ASYNC_METRICS,
    "serverless": (
        *_SYNCHRONOUS,
        *_work("ModelSetupTime", "Average", "Maximum", "SampleCount"),
        *_work("MemoryUtilization", "Average"),
        *_work("ServerlessConcurrentExecutionsUtilization", "Maximum"),
        *_work("ServerlessProvisionedConcurrencyUtilization", "Maximum"),
        *_work("ServerlessProvisionedConcurrencySpilloverInvocations", "Sum"),
    ),
    "realtime": (
        *_SYNCHRONOUS,
        *_work("InvocationsPerInstance", "Sum"),
        *(metric for metric in ASYNC_METRICS if metric.namespace == _INSTANCES),
    ),
}
"""By the kind of endpoint."""

_STREAMED = (
    *_work("FirstChunkLatency", "Average", "Maximum"),
    *_work("FirstChunkModelLatency", "Average"),
    *_work("FirstChunkOverheadLatency", "Average"),
    *_work("MidStreamErrors", "Sum"),
)


def metrics_of(kind: str, *, in_stream: bool) -> tuple[Metric, ...]:
    """Of an endpoint of this kind, whose answers are taken at once or in a stream."""
    return (*METRICS[kind], *_STREAMED) if in_stream else METRICS[kind]


# Published in every minute, so that a minute without it, followed by one with it, was lost on the way.
CONTINUOUS = "ApproximateBacklogSize"
