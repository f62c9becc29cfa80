"""What does not fit a kind of endpoint is said in one sentence at its place, before anything is spent."""

from pathlib import Path
from textwrap import dedent

import pytest

from smbench.errors import Problem, ScenarioError
from smbench.scenario.describe import describe
from smbench.scenario.load import parse_scenario
from smbench.scenario.model import Scenario

LOAD = "load: [{burst: {requests: 1}}]\n"


def problem(text: str, folder: Path | None = None) -> Problem:
    file = str((folder or Path("nowhere")) / "x.yaml")
    with pytest.raises(ScenarioError) as caught:
        parse_scenario("name: x\n" + LOAD + dedent(text), file)
    (found,) = caught.value.problems
    return found


@pytest.mark.parametrize(
    ("target", "where", "says"),
    [
        (
            "{emulated: {policies: [{step_from_zero: {}}, {target_tracking: {backlog_per_instance: 5}}], "
            "initial: {alarm_seconds: [{policy: 2, high: 3s}]}}}",
            "target.emulated.initial.alarm_seconds.0.policy",
            "there is no policy 2: `policies` has places 0 to 1",
        ),
        (
            "{emulated: {initial: {alarm_seconds: [{policy: 0, high: 3s}]}}}",
            "target.emulated.initial.alarm_seconds.0.policy",
            "there is no policy 0: `policies` has none",
        ),
        (
            "{emulated: {policies: [{step_from_zero: {}}], "
            "initial: {alarm_seconds: [{policy: 0, high: 3s}, {policy: 0, high: 4s}]}}}",
            "target.emulated.initial.alarm_seconds.1.policy",
            "policy 0 is named above already",
        ),
        (
            "{emulated: {policies: [{step_from_zero: {}}], initial: {alarm_seconds: [{policy: 0, low: 3s}]}}}",
            "target.emulated.initial.alarm_seconds.0.low",
            "policy 0 has one alarm, whose second is `high`",
        ),
        (
            "{emulated: {faults: {plan: [{calls: ['sqs:*', 'sagemaker:InvokeEndpoint'], trouble: error}]}}}",
            "target.emulated.faults.plan.0.calls.1",
            "a run of an endpoint of kind async never calls sagemaker:InvokeEndpoint",
        ),
        (
            "{kind: realtime, emulated: {faults: {plan: [{calls: ['*', 'sqs:*'], trouble: error}]}}}",
            "target.emulated.faults.plan.0.calls.1",
            "a run of an endpoint of kind realtime without `request.stream` never calls sqs:*",
        ),
        (
            "{kind: serverless, emulated: {faults: {plan: [{calls: "
            "['sagemaker:InvokeEndpoint', 'sagemaker:InvokeEndpointWithResponseStream'], trouble: error}]}}}",
            "target.emulated.faults.plan.0.calls.1",
            "never calls sagemaker:InvokeEndpointWithResponseStream",
        ),
        (
            "{kind: serverless, emulated: {serverless: {memory: 1500}}}",
            "target.emulated.serverless.memory",
            "must be one of 1024, 2048, 3072, 4096, 5120, 6144: AWS has no other memory size",
        ),
        (
            "{kind: serverless, emulated: {serverless: {max_concurrency: 0}}}",
            "target.emulated.serverless.max_concurrency",
            "must be at least 1",
        ),
        (
            "{kind: serverless, emulated: {serverless: {max_concurrency: 201}}}",
            "target.emulated.serverless.max_concurrency",
            "must be at most 200",
        ),
        (
            "{kind: serverless, emulated: {serverless: {max_concurrency: 5, provisioned: 6}}}",
            "target.emulated.serverless",
            "provisioned 6 is above max_concurrency 5",
        ),
        (
            "{kind: serverless, emulated: {instances: {min: 2}}}",
            "target.emulated.instances",
            "means nothing for a serverless endpoint, which has no queue and no instances",
        ),
        (
            "{kind: realtime, emulated: {serverless: {memory: 1024}}}",
            "target.emulated.serverless",
            "means nothing for a real-time endpoint",
        ),
        (
            "{kind: realtime, emulated: {policies: [{step_from_zero: {add: 1}}]}}",
            "target.emulated.policies.0.step_from_zero",
            "has no backlog to scale by",
        ),
        (
            "{kind: realtime, emulated: {policies: [{step: {threshold: 1, steps: [{lower: 0, change: 1}]}}]}}",
            "target.emulated.policies.0.step",
            "ApproximateBacklogSizePerInstance is not published",
        ),
        (
            "{kind: async, emulated: {policies: [{invocations_tracking: {invocations_per_instance: 9}}]}}",
            "target.emulated.policies.0.invocations_tracking",
            "never publishes InvocationsPerInstance",
        ),
        (
            "{kind: serverless, emulated: {policies: [{invocations_tracking: {invocations_per_instance: 9}}]}}",
            "target.emulated.policies",
            "means nothing for a serverless endpoint",
        ),
        (
            "{kind: realtime, emulated: {faults: {notices_lost: 1%}}}",
            "target.emulated.faults.notices_lost",
            "means nothing for a real-time endpoint",
        ),
        (
            "{kind: realtime, emulated: {instances: {start: 0}}}",
            "target.emulated.instances.start",
            "must be at least 1: a real-time endpoint has no queue",
        ),
        (
            "{emulated: {waiting: 5}}",
            "target.emulated.waiting",
            "means nothing for an asynchronous endpoint, whose requests wait in its queue",
        ),
        (
            "{kind: realtime, emulated: {stream: {parts: 5}}}",
            "target.emulated.stream",
            "is of streamed answers: set `request.stream: true` as well",
        ),
        (
            "{kind: realtime, emulated: {faults: {plan: [{calls: ['sagemaker:*'], trouble: torn_stream}]}}}",
            "target.emulated.faults.plan.0",
            "`trouble: torn_stream` is of sagemaker:InvokeEndpointWithResponseStream alone",
        ),
        (
            '{kind: realtime, emulated: {service: {by_class: {synthetic: 1s, "": 2s}}}}',
            "target.emulated.service.by_class",
            "must have one law: of a body in the call the emulated endpoint does not know the class",
        ),
        ("{kind: batch}", "target.kind", "did you mean"),
    ],
)
def test_a_target_that_aws_has_not(target: str, where: str, says: str) -> None:
    found = problem(f"target: {target}\n")
    assert (found.where, says in found.message or bool(says == "did you mean")) == (where, True), found


@pytest.mark.parametrize(
    ("kind", "settings", "where", "says"),
    [
        (
            "realtime",
            "request: {ttl: 1h, timeout: 1m}",
            "payloads.synthetic",
            "has RequestTTLSeconds and InvocationTimeoutSeconds, which only an asynchronous endpoint takes",
        ),
        ("async", "request: {stream: true}", "request.stream", "means nothing for an asynchronous endpoint"),
        (
            "realtime",
            "request: {stream: true, explanations: '`true`'}",
            "payloads.synthetic",
            "payload synthetic-1024 has EnableExplanations, which a call for a stream has not",
        ),
        (
            "realtime",
            "thresholds: [first_part_p95 < 1s]",
            "thresholds.0",
            "is of streamed answers: set `request.stream: true` as well",
        ),
        ("realtime", "payloads: {prefix: s3://b/p}", "payloads.prefix", "means nothing for a real-time endpoint"),
        (
            "async",
            "request: {target_variant: blue}",
            "payloads.synthetic",
            "payload synthetic-1024 has TargetVariant, which an asynchronous endpoint does not take",
        ),
        (
            "serverless",
            "request: {target_model: a.tar.gz}",
            "payloads.synthetic",
            "payload synthetic-1024 has TargetModel, which a serverless endpoint does not take",
        ),
        (
            "serverless",
            "payloads: {synthetic: 5MiB}",
            "payloads.synthetic",
            "has 5,242,880 bytes; a serverless endpoint takes at most 4,194,304",
        ),
        (
            "realtime",
            "payloads: {synthetic: 26MiB}",
            "payloads.synthetic",
            "has 27,262,976 bytes; a real-time endpoint takes at most 26,214,400",
        ),
    ],
)
def test_what_is_sent_and_this_kind_does_not_take(kind: str, settings: str, where: str, says: str) -> None:
    found = problem(f"target: {{kind: {kind}}}\n{settings}\n")
    assert (found.where, says in found.message) == (where, True), found


@pytest.mark.parametrize(
    ("kind", "line", "says"),
    [
        ("realtime", '{"InputLocation": "s3://b/k"}', "is an object in S3, which a real-time endpoint does not read"),
        ("serverless", '{"Body": "x", "Filename": "a"}', "has Filename, which only an asynchronous endpoint takes"),
        ("async", '{"Body": "x", "InferenceComponentName": "a"}', "has InferenceComponentName, which an asynchronous"),
        ("realtime", '{"Body": "x", "TargetVariant": "a b"}', "TargetVariant must be at most 63 characters such as"),
    ],
)
def test_a_line_of_arguments_of_the_other_call(tmp_path: Path, kind: str, line: str, says: str) -> None:
    (tmp_path / "calls.jsonl").write_text(line + "\n")
    found = problem(f"target: {{kind: {kind}}}\npayloads: {{lines: calls.jsonl}}\n", tmp_path)
    assert says in found.message, found


def test_what_is_sound_at_the_limits() -> None:
    for kind, size in (("serverless", "4MiB"), ("realtime", "25MiB")):
        text = f"name: x\n{LOAD}target: {{kind: {kind}}}\npayloads: {{synthetic: {size}}}\n"
        assert parse_scenario(text, "x.yaml").target.kind == kind


def test_defaults_that_are_written_out_are_not_held_against_a_scenario() -> None:
    scenario = parse_scenario(f"name: x\n{LOAD}target: {{kind: serverless}}\n", "x.yaml")
    assert Scenario.model_validate_json(scenario.model_dump_json(by_alias=True)) == scenario
    written = "{instances: {min: 1, max: 4, concurrency: 1}}"
    again = parse_scenario(f"name: x\n{LOAD}target: {{kind: serverless, emulated: {written}}}\n", "x.yaml")
    assert again.target.kind == "serverless"


def test_a_synchronous_target_is_described_by_what_it_has() -> None:
    serverless = parse_scenario(f"name: x\n{LOAD}target: {{kind: serverless}}\n", "x.yaml")
    said = describe(serverless)
    assert "sent in the call" in said
    assert "an emulated serverless endpoint, 2,048 MB, at most 20 requests at once, cold starts about 4s" in said
    assert "instance" not in said
    assert "ends" not in said
    realtime = parse_scenario(f"name: x\n{LOAD}target: {{kind: realtime, emulated: {{waiting: 7}}}}\n", "x.yaml")
    assert "1 instance, 1 request at once on each, at most 7 waiting, service time" in describe(realtime)
    stream = "request: {stream: true}"
    streamed = parse_scenario(f"name: x\n{LOAD}target: {{kind: realtime}}\n{stream}\n", "x.yaml")
    assert "Each answer is taken in a stream." in describe(streamed)
    assert "until the first of 10 parts of the answer, always 50ms from one to the next" in describe(streamed)
    tracking = "policies: [{invocations_tracking: {invocations_per_instance: 9}}]"
    scaled = parse_scenario(f"name: x\n{LOAD}target: {{kind: realtime, emulated: {{{tracking}}}}}\n", "x.yaml")
    assert "scaled by target tracking of 9 invocations a minute per instance" in describe(scaled)


@pytest.mark.parametrize(
    "load",
    [
        "closed: {outstanding: 6, requests: 9}",
        "users: {initial: 2, per_minute: 60, for: 4.5s}",
        "stairs: {users: 2, steps: 3, each: 1s}",
    ],
)
def test_users_whom_our_own_limit_would_hold_back_are_refused_and_those_of_a_queue_are_not(load: str) -> None:
    def written(kind: str, in_flight: int) -> str:
        rest = f"target: {{kind: {kind}}}\nlimits: {{in_flight: {in_flight}}}\nload:\n  - {load}\n"
        return "name: x\n" + rest

    with pytest.raises(ScenarioError) as caught:
        parse_scenario(written("realtime", 5), "x.yaml")
    (found,) = caught.value.problems
    assert found.message.endswith("keeps 6 calls open, and `limits.in_flight` drops those beyond 5: raise it")
    parse_scenario(written("realtime", 6), "x.yaml")
    parse_scenario(written("async", 5), "x.yaml")


def test_steps_that_send_nothing_are_refused() -> None:
    with pytest.raises(ScenarioError, match="steps of 0 alone send nothing"):
        parse_scenario("name: x\nload: [{steps: {rates: [0/s, 0/s], each: 9s}}]\n", "x.yaml")
