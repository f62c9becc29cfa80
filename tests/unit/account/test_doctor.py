"""Goal: `doctor` says of each thing that would stop or spoil a run what it is and what to do, and leaves nothing.

Method: the emulated region in virtual time, behind a gate that refuses one action after the other; clients in memory
for what the region cannot be.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from emulated_aws import EPOCH_NS, WARP
from fake_aws import FakeClient, client_error, fake_clients, target
from guarded_region import Gate, gated
from plain_services import isolate_aws
from smbench.account.doctor import Waits, examine
from smbench.account.questions import answered
from smbench.account.quotas import quota_questions
from smbench.account.receiving import receiving_questions
from smbench.account.scaling import scaling_questions, unrest
from smbench.aws.access.clients import AwsClients
from smbench.aws.access.instants import utc_datetime
from smbench.clock import LoopClock
from smbench.emulator.server import Emulator
from smbench.findings import Finding, Verdict
from smbench.generator.plan import RunPlan, make_plan
from smbench.scenario.model import Scenario
from smbench.targets.base import AwsAccess

ENDPOINT = "smbench-emulated"
POLICIES = [
    {"target_tracking": {"backlog_per_instance": 5}},
    {"step": {"metric": "HasBacklogWithoutCapacity", "threshold": 1, "steps": [{"lower": 0, "change": 1}]}},
]
OPTIONAL = {"cloudwatch", "application-autoscaling", "servicequotas", "sns:GetTopicAttributes", "s3:ListBucket"}


@pytest.fixture
def anyio_backend() -> Any:
    return WARP


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    isolate_aws(monkeypatch)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-to-be-seen")
    monkeypatch.setenv("AWS_REGION", "us-east-1")


@pytest.fixture
async def region() -> AsyncIterator[tuple[Emulator, Gate]]:
    emulated = {"instances": {"min": 0, "max": 2, "start": 1}, "service": "1s", "policies": POLICIES}
    document = {"name": "asked", "target": {"emulated": emulated}, "load": [{"burst": {"requests": 1}}]}
    emulator = Emulator(Scenario.model_validate(document), None, EPOCH_NS)
    with gated() as gate:
        await emulator.start()
        emulator.go(LoopClock(EPOCH_NS))
        yield emulator, gate
        await emulator.stop()


def plan(**target_changes: Any) -> RunPlan:
    document = {
        "name": "asked",
        "target": {"endpoint": ENDPOINT} | target_changes,
        "load": [{"burst": {"requests": 1}}],
    }
    return make_plan(Scenario.model_validate(document), Path())


async def findings(emulator: Emulator, **target_changes: Any) -> list[Finding]:
    return await examine(plan(**target_changes), AwsAccess(endpoint_url=emulator.url))


def not_sound(found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.verdict is not Verdict.VALID and one.name != "clock"]


@pytest.mark.slow
async def test_nothing_is_wrong_with_a_sound_endpoint_and_nothing_is_left(region: tuple[Emulator, Gate]) -> None:
    emulator, _ = region
    found = await findings(emulator)
    assert not_sound(found) == []
    names = [one.name for one in found]
    for name in ("credentials", "identity", "endpoint", "bucket", "inputs", "topic", "queue", "from zero", "metrics"):
        assert name in names
    assert emulator.sqs.queues == {}
    assert emulator.sns._subscriptions == {}
    assert "not-to-be-seen" not in str(found)


@pytest.mark.slow  # some fifteen examinations, each with clients of its own
async def test_each_action_that_is_refused_is_one_finding_that_names_it(region: tuple[Emulator, Gate]) -> None:
    emulator, gate = region
    await findings(emulator)
    asked = sorted(gate.actions)
    assert len(asked) > 12
    for denied in asked:
        gate.allows = lambda call, denied=denied: call.action != denied  # type: ignore[misc]
        wrong = not_sound(await findings(emulator))
        if denied == "s3:GetObject":  # outputs and failures are two places
            assert {one.name for one in wrong} == {"outputs"}
        elif denied == "cloudwatch:DescribeAlarmHistory":  # one alarm each
            assert {one.name for one in wrong} == {"alarm in the last 30 minutes"}
        else:
            assert len({one.name for one in wrong}) == 1, (denied, wrong)
        said = f"{wrong[0].seen} {wrong[0].advice}".replace(" ", "").casefold()
        assert denied.partition(":")[2].casefold() in said, (denied, wrong)
        assert wrong[0].advice
        is_optional = denied in OPTIONAL or denied.partition(":")[0] in OPTIONAL or denied == "s3:GetObject"
        assert wrong[0].verdict is (Verdict.UNKNOWN if is_optional else Verdict.INVALID), denied


@pytest.mark.slow
async def test_a_proxy_that_would_end_the_run_is_found_before_it(
    region: tuple[Emulator, Gate], monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator, _ = region
    monkeypatch.setattr(AwsClients, "is_loopback", False)
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "nowhere.example")
    (wrong,) = not_sound(await findings(emulator))
    assert (wrong.name, wrong.verdict) == ("way to the runtime", Verdict.INVALID)
    assert "proxy.example:3128, and the wire speaks to AWS directly" in wrong.seen
    assert "--transport sdk" in wrong.advice


async def test_an_endpoint_that_is_not_there_ends_the_questions_about_it(region: tuple[Emulator, Gate]) -> None:
    emulator, _ = region
    found = await findings(emulator, endpoint="gone")
    (wrong,) = not_sound(found)
    assert wrong.name == "endpoint" == found[-1].name
    assert "there is no endpoint gone" in wrong.seen
    assert "list-endpoints" in wrong.advice


@pytest.mark.slow
async def test_without_credentials_the_one_finding_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    (wrong,) = not_sound(await examine(plan(), AwsAccess(endpoint_url="http://127.0.0.1:1")))
    assert (wrong.name, wrong.verdict) == ("access", Verdict.INVALID)
    assert "aws sso login" in wrong.advice


@pytest.mark.slow
@pytest.mark.parametrize("is_late", [False, True])
async def test_credentials_of_variables_that_end_amid_the_run_are_wrong(
    region: tuple[Emulator, Gate], monkeypatch: pytest.MonkeyPatch, is_late: bool
) -> None:
    emulator, _ = region
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", "2099-01-01T00:00:00Z")
    if not is_late:
        monkeypatch.setattr("smbench.account.identity.wall_ns", lambda: 4_070_908_800_000_000_000 - 60_000_000_000)
    found = await findings(emulator)
    (credentials,) = [one for one in found if one.name == "credentials"]
    assert credentials.verdict is (Verdict.VALID if is_late else Verdict.INVALID)
    if not is_late:
        assert "credential_process" in credentials.advice


@pytest.mark.slow
async def test_a_clock_that_is_off_is_named(region: tuple[Emulator, Gate]) -> None:
    emulator, _ = region
    found = await findings(emulator)  # the region lives in another minute than this machine
    (clock,) = [one for one in found if one.name == "clock"]
    assert clock.verdict is Verdict.INVALID
    assert "set the clock" in clock.advice


ARN = "arn:aws:sns:us-east-1:123456789012:"


@pytest.mark.parametrize(
    ("topic", "key", "verdict", "word"),
    [
        (f"{ARN}ends.fifo", "", Verdict.INVALID, "FIFO"),
        ("arn:aws:sns:us-east-1:999999999999:ends", "", Verdict.UNKNOWN, "999999999999"),
        ("arn:aws:sns:eu-west-1:123456789012:ends", "", Verdict.INVALID, "another region"),
        (f"{ARN}ends", "alias/aws/sns", Verdict.INVALID, "own key"),
        (f"{ARN}ends", "1234abcd", Verdict.UNKNOWN, "encrypted with"),
        (f"{ARN}ends", "", Verdict.VALID, "not encrypted"),
    ],
)
async def test_a_topic_that_ends_cannot_reach_us_through_is_named(
    topic: str, key: str, verdict: Verdict, word: str
) -> None:
    sns = FakeClient({"get_topic_attributes": {"Attributes": {"KmsMasterKeyId": key} if key else {}}})
    question, _ = receiving_questions(fake_clients(sns=sns), target(success_topic=topic, error_topic=None), None)
    finding = await answered(question)
    assert (finding.verdict, word in finding.seen) == (verdict, True), finding


async def test_a_topic_that_does_not_exist_is_wrong_and_not_only_unread() -> None:
    sns = FakeClient({"get_topic_attributes": client_error("NotFound")})
    found = target(success_topic=f"{ARN}ends", error_topic=None)
    question, _ = receiving_questions(fake_clients(sns=sns), found, None)
    finding = await answered(question)
    assert finding.verdict is Verdict.INVALID
    assert "does not exist" in finding.seen
    assert "aws sns create-topic --name ends" in finding.advice


async def test_a_change_of_capacity_that_is_under_way_is_to_be_waited_for() -> None:
    activity = {"StatusCode": "InProgress", "Description": "Setting desired instance count to 1."}
    scaling = FakeClient({"describe_scaling_activities": {"ScalingActivities": [activity]}})
    metrics = FakeClient({"get_metric_data": client_error("Throttling")})
    found = target(scalable_target={"MinCapacity": 1, "MaxCapacity": 2})
    asked = scaling_questions(fake_clients(autoscaling=scaling, cloudwatch=metrics), found)
    (finding,) = [await answered(one) for one in asked if one.name.startswith("activities")]
    assert finding.verdict is Verdict.INVALID
    assert "to 1" in finding.seen
    assert "wait" in finding.advice


TOTAL, OF_TYPE = "Number of instances across active endpoints", "ml.m5.large for endpoint usage"
SERVERLESS = "Maximum total concurrency that can be allocated across all serverless endpoints"


@pytest.mark.parametrize(
    ("listed", "changes", "verdict", "word"),
    [
        ({OF_TYPE: 4.0, TOTAL: 8.0}, {}, Verdict.VALID, f"has 1; {OF_TYPE}: 4 allowed; {TOTAL}: 8 allowed"),
        ({OF_TYPE: 4.0}, {"scalable_target": {"MaxCapacity": 4}}, Verdict.VALID, "has 1, and may have 4;"),
        ({OF_TYPE: 4.0}, {"scalable_target": {"MaxCapacity": 5}}, Verdict.UNKNOWN, "has 1, and may have 5;"),
        ({OF_TYPE: 4.0, TOTAL: 2.0}, {"scalable_target": {"MaxCapacity": 3}}, Verdict.UNKNOWN, f"{TOTAL}: 2 allowed"),
        ({"ml.m5.large for training job usage": 0.0}, {}, Verdict.VALID, f"none by the name {OF_TYPE} or {TOTAL}"),
        ({SERVERLESS: 10.0}, {"kind": "serverless", "serverless": {"MaxConcurrency": 20}}, Verdict.UNKNOWN, "has 20;"),
    ],
)
async def test_a_quota_below_what_the_endpoint_may_grow_to_is_named(
    listed: dict[str, float], changes: dict[str, Any], verdict: Verdict, word: str
) -> None:
    quotas = FakeClient({"list_service_quotas": {"Quotas": [{"QuotaName": n, "Value": v} for n, v in listed.items()]}})
    (question,) = quota_questions(fake_clients(quotas=quotas), target(**changes))
    finding = await answered(question)
    assert (finding.verdict, word in finding.seen) == (verdict, True), finding
    assert bool(finding.advice) is (verdict is Verdict.UNKNOWN)


async def test_quotas_that_may_not_be_read_are_not_known() -> None:
    quotas = FakeClient({"list_service_quotas": client_error("AccessDeniedException")})
    (question,) = quota_questions(fake_clients(quotas=quotas), target())
    finding = await answered(question)
    assert finding.verdict is Verdict.UNKNOWN
    assert finding.seen.startswith("they cannot be read: ")
    assert "servicequotas:ListServiceQuotas" in finding.seen


async def test_no_quota_is_asked_for_where_the_size_is_not_known() -> None:
    assert quota_questions(fake_clients(), target(instances_desired=None)) == []


NOW_NS = EPOCH_NS
BY_KEEP = {
    "StatusCode": "Successful",
    "Description": "Setting desired instance count to 2.",
    "Cause": "monitor alarm high in state ALARM triggered policy keep",
    "StartTime": utc_datetime(NOW_NS) - timedelta(seconds=290),
}


@pytest.mark.parametrize(
    ("policy", "ended_s_ago", "cools"),
    [
        ({"StepScalingPolicyConfiguration": {"Cooldown": 60}}, 50, True),
        ({"StepScalingPolicyConfiguration": {"Cooldown": 60}}, 70, False),
        ({"TargetTrackingScalingPolicyConfiguration": {"ScaleOutCooldown": 30, "ScaleInCooldown": 200}}, 190, True),
        ({"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 5}}, 280, True),
        ({"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 5}}, None, True),
        ({"StepScalingPolicyConfiguration": {}, "PolicyName": "another"}, 10, False),
    ],
)
async def test_a_cooldown_that_lasts_on_is_named_with_its_end(
    policy: dict[str, Any], ended_s_ago: float | None, cools: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smbench.account.scaling.wall_ns", lambda: NOW_NS)
    ended = {} if ended_s_ago is None else {"EndTime": utc_datetime(NOW_NS) - timedelta(seconds=ended_s_ago)}
    scaling = FakeClient({"describe_scaling_activities": {"ScalingActivities": [BY_KEEP | ended]}})
    capacity = {"MinCapacity": 1, "MaxCapacity": 2}
    found = target(scalable_target=capacity, policies=({"PolicyName": "keep"} | policy,), instances_desired=2)
    clients = fake_clients(autoscaling=scaling, cloudwatch=FakeClient({"get_metric_data": {}}))
    (finding,) = [await answered(one) for one in scaling_questions(clients, found) if one.name.startswith("activities")]
    assert finding.verdict is (Verdict.UNKNOWN if cools else Verdict.VALID)
    assert ("cooldown lasts until" in finding.seen) == cools
    assert bool(await unrest(clients, found)) == cools


@pytest.mark.parametrize(
    ("operator", "desired", "name"),
    [
        ("GreaterThanThreshold", 1, "pending scale-out"),
        ("GreaterThanThreshold", 2, None),
        ("LessThanThreshold", 2, "pending scale-in"),
        ("LessThanThreshold", 1, None),
    ],
)
async def test_an_alarm_that_changes_the_capacity_is_to_be_waited_for(
    operator: str, desired: int, name: str | None
) -> None:
    alarm = {"AlarmName": "watched", "StateValue": "ALARM", "ComparisonOperator": operator}
    found = target(scalable_target={"MinCapacity": 1, "MaxCapacity": 2}, alarms=(alarm,), instances_desired=desired)
    quiet = FakeClient({"describe_scaling_activities": {"ScalingActivities": []}, "get_metric_data": {}})
    quiet.table["describe_alarm_history"] = {"AlarmHistoryItems": []}
    clients = fake_clients(autoscaling=quiet, cloudwatch=quiet)
    asked = [await answered(one) for one in scaling_questions(clients, found) if one.name.startswith("pending")]
    wrong = [one for one in asked if one.verdict is Verdict.INVALID]
    assert [one.name for one in wrong] == ([] if name is None else [name])
    assert all("--wait" in one.advice for one in wrong)
    assert len(await unrest(clients, found)) == len(wrong)


@pytest.mark.slow  # an hour of the region's time, looked at every 20 s
async def test_it_waits_until_the_scale_in_is_over_and_no_longer_than_its_patience(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    emulated = {"instances": {"min": 0, "max": 2, "start": 1}, "service": "1s", "policies": POLICIES, "remove": "90s"}
    document = {"name": "asked", "target": {"emulated": emulated}, "load": [{"burst": {"requests": 1}}]}
    emulator, clock = Emulator(Scenario.model_validate(document), None, EPOCH_NS), LoopClock(EPOCH_NS)
    await emulator.start()
    try:
        emulator.go(clock)
        monkeypatch.setattr("smbench.account.scaling.wall_ns", lambda: EPOCH_NS + clock.now_ns())
        access, said = AwsAccess(endpoint_url=emulator.url), list[str]()
        await clock.sleep_until_ns(16 * 60_000_000_000)  # AlarmLow has seen its fifteen minutes
        wrong = not_sound(await examine(plan(), access))
        assert {one.name for one in wrong} == {"pending scale-in"}
        begun_ns = clock.now_ns()
        await examine(plan(), access, Waits(30.0, said.append))
        assert clock.now_ns() - begun_ns < 40_000_000_000
        assert said
        found = await examine(plan(), access, Waits(3600.0, said.append))
        assert not_sound(found) == []
        assert clock.now_ns() - begun_ns < 20 * 60_000_000_000
    finally:
        await emulator.stop()
