"""Goal: every reply of every operation is valid against botocore's output shape, and has no member it does not know.

Method: the tour (tests/tour.py) is walked once through aiobotocore over HTTP in virtual time, replies recorded as they
came and as they were parsed; each operation is then judged by itself. The tour must know every operation there is.
"""

import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import orjson
import pytest
from botocore import xform_name
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.validate import ParamValidator

from emulation import EPOCH_NS, FAST, advance, client, emulating, scenario
from plain_services import isolate_aws
from smbench.clock import WarpLoop
from tour import CALLS, QUOTA, TOUR, Call, Kept

NAMES = {
    "monitoring": "cloudwatch",
    "tagging": "resourcegroupstaggingapi",
    "servicequotas": "service-quotas",
}  # a service's name in credentials, where botocore has another
OPERATIONS = sorted({(call.service, call.operation) for call in CALLS})


@dataclass
class Walk:
    """What the tour brought home."""

    kept: Kept = field(default_factory=dict)
    parsed: list[tuple[OperationModel, dict[str, Any]]] = field(default_factory=list)
    raw: list[tuple[OperationModel, Mapping[str, Any]]] = field(default_factory=list)
    known: set[tuple[str, str]] = field(default_factory=set)

    def keep_parsed(self, parsed: dict[str, Any], model: OperationModel, **_: Any) -> None:
        self.parsed.append((model, {key: value for key, value in parsed.items() if key != "ResponseMetadata"}))

    def keep_raw(self, operation_model: OperationModel, response_dict: dict[str, Any], **_: Any) -> None:
        body = response_dict["body"]
        if "json" in response_dict["headers"].get("Content-Type", "") and isinstance(body, bytes) and body:
            self.raw.append((operation_model, orjson.loads(body)))


async def walk() -> Walk:
    walked = Walk()
    start = datetime.fromtimestamp(EPOCH_NS / 1e9, UTC)
    walked.kept |= {"start": start, "end": start + timedelta(hours=2)}
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(emulating(scenario(FAST | QUOTA)))
        for service in emulator.services:
            operations = getattr(service, "operations", {})
            walked.known |= {(NAMES.get(service.service, service.service), name) for name in operations}
        clients: dict[str, Any] = {}
        for step in TOUR:
            if not isinstance(step, Call):
                await advance(emulator, step.seconds)
                continue
            if step.service not in clients:
                api = await stack.enter_async_context(client(emulator, step.service))
                api.meta.events.register("after-call.*", walked.keep_parsed)
                api.meta.events.register("before-parse.*", walked.keep_raw)
                clients[step.service] = api
            call = getattr(clients[step.service], xform_name(step.operation))
            reply = await call(**step.arguments(walked.kept))
            if step.keep:
                walked.kept[step.keep] = reply
    return walked


@pytest.fixture(scope="module")
def walked() -> Walk:
    with pytest.MonkeyPatch.context() as patch:
        isolate_aws(patch)
        return anyio.run(walk, backend_options={"loop_factory": WarpLoop})


def unknown_members(shape: Shape | None, value: Any, where: str = "") -> list[str]:
    """Members of raw JSON that the shape does not have."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        members = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        own = [f"{where}.{key}" for key in value if key not in members]
        known = [(key, item) for key, item in value.items() if key in members]
        return own + [found for key, item in known for found in unknown_members(members[key], item, f"{where}.{key}")]
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [found for item in value for found in unknown_members(shape.member, item, f"{where}[]")]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return [found for item in value.values() for found in unknown_members(shape.value, item, f"{where}{{}}")]
    return []


def name_of(model: OperationModel) -> tuple[str, str]:
    return model.service_model.service_name, model.name


def with_policies_as_text(parsed: dict[str, Any]) -> dict[str, Any]:
    """A reply as its shape says: botocore hands out IAM's policies as objects, where the shape has their text."""
    found: dict[str, Any] = {}
    if isinstance(role := parsed.get("Role"), dict):
        found["Role"] = with_text(role)
    if isinstance(roles := parsed.get("Roles"), list):
        found["Roles"] = [with_text(one) for one in roles]
    return parsed | found


def with_text(role: dict[str, Any]) -> dict[str, Any]:
    policy = role.get("AssumeRolePolicyDocument")
    return role | {"AssumeRolePolicyDocument": json.dumps(policy)} if isinstance(policy, dict) else role


@pytest.mark.slow
def test_the_tour_knows_every_operation_there_is(walked: Walk) -> None:
    assert walked.known - set(OPERATIONS) == set()


@pytest.mark.slow
@pytest.mark.parametrize(("service", "operation"), OPERATIONS, ids=[f"{each[0]}-{each[1]}" for each in OPERATIONS])
def test_replies_are_valid_against_their_output_shape(walked: Walk, service: str, operation: str) -> None:
    replies = [(model, parsed) for model, parsed in walked.parsed if name_of(model) == (service, operation)]
    assert replies
    for model, parsed in replies:
        assert "Error" not in parsed
        if model.output_shape is not None and not model.has_streaming_output:
            report = ParamValidator().validate(with_policies_as_text(parsed), model.output_shape)
            assert not report.has_errors(), report.generate_report()
    for model, raw in walked.raw:
        if name_of(model) == (service, operation):
            assert unknown_members(model.output_shape, raw) == []


@pytest.mark.slow
def test_the_tour_saw_what_it_went_out_to_see(walked: Walk) -> None:
    activities = walked.kept["activities"]["ScalingActivities"]
    assert activities[0]["StatusCode"] == "Successful"
    one, more = walked.kept["data"]["MetricDataResults"]
    assert one["Values"]
    assert more["Values"][-1] == one["Values"][-1] + 1
    assert walked.kept["statistics"]["Datapoints"]
    kinds = {item["HistoryItemType"] for item in walked.kept["history"]["AlarmHistoryItems"]}
    assert kinds == {"ConfigurationUpdate", "StateUpdate", "Action"}
    assert {metric["MetricName"] for metric in walked.kept["metrics"]["Metrics"]} >= {"InvocationsProcessed"}
