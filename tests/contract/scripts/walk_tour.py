"""Walks the tour (tests/support/tour.py) with the SDK of the environment it runs in, and prints what it found.

Usage: walk_tour.py botocore|aiobotocore SECONDS_PER_MINUTE, with tests/ on the path and the usual AWS variables.
Every parsed reply is checked against its output shape; what CloudWatch answers is asked again in each of its protocols.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore
from botocore import xform_name
from botocore.model import OperationModel
from botocore.validate import ParamValidator

from tour import HOME, TOUR, Call, Kept, Wait

PROTOCOLS = {"json": "application/x-amz-json-1.0", "smithy-rpc-v2-cbor": "application/cbor", "query": "text/xml"}
AGAIN = ("ListMetrics", "GetMetricData", "GetMetricStatistics", "DescribeAlarms", "DescribeAlarmHistory")

Ask = Callable[[str, str, dict[str, Any], str], dict[str, Any]]


def check(problems: list[str], parsed: dict[str, Any], model: OperationModel) -> None:
    body = {key: value for key, value in parsed.items() if key != "ResponseMetadata"}
    if model.output_shape is not None and not model.has_streaming_output:
        report = ParamValidator().validate(body, model.output_shape)
        if report.has_errors():
            problems.append(f"{model.name}: {report.generate_report()}")


def force(session: Any, protocol: str) -> None:
    """Leave the SDK no other protocol for CloudWatch; empty leaves it its choice."""
    if protocol:
        metadata = session.get_component("data_loader").load_service_model("cloudwatch", "service-2")["metadata"]
        metadata["protocol"], metadata["protocols"] = protocol, [protocol]


def asking_botocore(problems: list[str]) -> Ask:
    import botocore.session
    from botocore.config import Config

    made: dict[tuple[str, str], Any] = {}

    def ask(service: str, operation: str, params: dict[str, Any], protocol: str) -> dict[str, Any]:
        if (service, protocol) not in made:
            session = botocore.session.get_session()
            force(session, protocol)
            config = Config(retries={"total_max_attempts": 1})
            api = made[service, protocol] = session.create_client(service, config=config)
            api.meta.events.register("after-call.*", lambda parsed, model, **_: check(problems, parsed, model))
        reply: dict[str, Any] = getattr(made[service, protocol], xform_name(operation))(**params)
        return reply

    return ask


def asking_aiobotocore(problems: list[str], runner: asyncio.Runner, stack: AsyncExitStack) -> Ask:
    from aiobotocore.config import AioConfig
    from aiobotocore.session import get_session

    made: dict[tuple[str, str], Any] = {}

    async def ask(service: str, operation: str, params: dict[str, Any], protocol: str) -> dict[str, Any]:
        if (service, protocol) not in made:
            session: Any = get_session()
            force(session, protocol)
            config = AioConfig(retries={"total_max_attempts": 1})
            api = await stack.enter_async_context(session.create_client(service, config=config))
            api.meta.events.register("after-call.*", lambda parsed, model, **_: check(problems, parsed, model))
            made[service, protocol] = api
        reply: dict[str, Any] = await getattr(made[service, protocol], xform_name(operation))(**params)
        return reply

    return lambda *call: runner.run(ask(*call))


def walk(ask: Ask, seconds_per_minute: float) -> list[str]:
    """The tour; returns where CloudWatch's protocols disagree."""
    start = datetime.now(UTC)
    kept: Kept = {"start": start - timedelta(hours=1), "end": start + timedelta(hours=20)}
    differing: list[str] = []
    for step in TOUR:
        if isinstance(step, Wait):
            time.sleep(step.seconds / 60 * seconds_per_minute)
            continue
        if step is HOME[0]:
            differing = compare_protocols(ask, kept)
        reply = ask(step.service, step.operation, step.arguments(kept), "")
        if step.keep:
            kept[step.keep] = reply
    return differing


def compare_protocols(ask: Ask, kept: Kept) -> list[str]:
    """Asks only for what is over, for time goes on between two calls."""
    calls = {step.operation: step for step in TOUR if isinstance(step, Call) and step.service == "cloudwatch"}
    since = kept["activities"]["ScalingActivities"][-1]["StartTime"]
    kept = kept | {"start": since - timedelta(minutes=5), "end": since}
    until = {"EndDate": kept["alarms"]["MetricAlarms"][0]["AlarmConfigurationUpdatedTimestamp"]}
    differing = []
    for operation in AGAIN:
        params = calls[operation].arguments(kept) | (until if operation == "DescribeAlarmHistory" else {})
        replies = {protocol: ask("cloudwatch", operation, params, protocol) for protocol in PROTOCOLS}
        for protocol, reply in replies.items():
            written = reply["ResponseMetadata"]["HTTPHeaders"]["content-type"]
            if not written.startswith(PROTOCOLS[protocol]):
                differing.append(f"{operation} in {protocol} came as {written}")
        if len({settled(reply) for reply in replies.values()}) != 1:
            differing.append(f"{operation}: {replies}")
    return differing


def settled(answer: dict[str, Any]) -> str:
    """An answer without what may change from one call to the next: ids of requests, and states of alarms."""
    kept = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
    alarms = [
        {key: value for key, value in alarm.items() if not key.startswith("State")}
        for alarm in kept.pop("MetricAlarms", [])
    ]
    return json.dumps([kept, alarms], sort_keys=True, default=str)


def main() -> None:
    problems: list[str] = []
    seconds_per_minute = float(sys.argv[2])
    if sys.argv[1] == "botocore":
        differing = walk(asking_botocore(problems), seconds_per_minute)
    else:
        with asyncio.Runner() as runner:
            stack = AsyncExitStack()
            try:
                differing = walk(asking_aiobotocore(problems, runner, stack), seconds_per_minute)
            finally:
                runner.run(stack.aclose())
    json.dump({"botocore": botocore.__version__, "problems": problems, "differing": differing}, sys.stdout)


if __name__ == "__main__":
    main()
