"""Goal: each policy that is printed allows every call of the command that it is for, and nothing that is not used.

Method: the stories against the emulated region behind a gate, which refuses what the policy does not allow; messages
are lost, so that outputs are looked up as well.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

import smbench
from buckets import BUCKET, region_with_bucket
from emulated_aws import ENDPOINT, WARP
from guarded_region import Gate, allowed_by, gated, require_exact
from parliament_lint import findings
from smbench.account.cleaning import Whose, find, remove
from smbench.account.doctor import describe, examine
from smbench.account.left_objects import claims_of, deleted
from smbench.account.permissions import clean_policy, doctor_policy, resume_policy, run_policy
from smbench.account.stack_permissions import CALLED_FOR, stack_policy
from smbench.account.statements import Place
from smbench.api.deploy import Deployment, Stage, destroyed
from smbench.aws.access.clients import DEPLOYING, AwsClients, AwsSettings
from smbench.aws.endpoint.description import TargetFound
from smbench.aws.setup.claim import Holder, claims_below
from smbench.aws.setup.run_queue import run_queue
from smbench.cli.app import app
from smbench.errors import ExitCode, UsageError
from smbench.results.manifest import Manifest
from smbench.scenario.deploy import Deploy
from smbench.scenario.emulated import Emulated
from smbench.scenario.model import Scenario
from smbench.scenario.values.distributions import Distribution
from smbench.stack.cost import hourly_cost
from smbench.stack.packing import pack
from smbench.stack.template import template
from smbench.targets.kinds import target_of
from whole_story import any_keys, plan_of, region, sent, story

STEP = {"step": {"metric": "HasBacklogWithoutCapacity", "threshold": 1, "steps": [{"lower": 0, "change": 1}]}}
LOST = {"notices_lost": 0.6, "container_errors": 0.5}
SCALED = {"instances": {"min": 0, "max": 1, "start": 1}, "policies": [STEP], "faults": LOST}
SCALING = "application-autoscaling"
SEEN_ELSEWHERE = {"s3:ListBucket"}  # makes a missing object a 404; no call of a run has its name
QUICK = Emulated(provision=Distribution(constant=1.0), provision_common=Distribution(constant=0.0))
BY_CLOUDFORMATION = {action for actions in CALLED_FOR.values() for action in actions}


@pytest.fixture
def anyio_backend() -> Any:
    return WARP


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    any_keys(monkeypatch)


@pytest.mark.slow  # clients of its own for each
@pytest.mark.parametrize(
    "hosted",
    [
        story("async", SCALED, transport="wire"),
        story("async", SCALED, transport="sdk"),
        story("serverless", transport="wire"),
        story("realtime", transport="sdk"),
        story("realtime", {"stream": {"parts": 2}}, transport="wire", request={"stream": True}),
    ],
    ids=["async-wire", "async-sdk", "serverless", "realtime", "streamed"],
)
async def test_a_run_makes_the_calls_that_its_policy_allows_and_uses_each(
    tmp_path: Path, hosted: dict[str, Any]
) -> None:
    plan = plan_of(hosted)
    with gated() as gate:
        async with region(hosted) as here:
            async with AwsClients(AwsSettings(endpoint_url=here.emulator.url)) as clients:
                policy = run_policy(plan, await describe(clients, plan))
            gate.calls.clear()
            gate.allows = lambda call: allowed_by(policy, call)
            rows = await here.run(plan, tmp_path)
            assert here.emulator.sqs.queues == {}
    assert set(rows["outcome"].unique()) <= {"completed", "failed"}
    require_exact(policy, gate, SEEN_ELSEWHERE)


@pytest.mark.slow  # two sets of clients
async def test_a_run_that_looks_for_its_outputs_touches_no_topic_and_no_queue_and_knows_every_end(
    tmp_path: Path,
) -> None:
    hosted = story("async", {"faults": {"container_errors": 0.3}})
    looking = hosted | {"collector": {"tracking": "s3", "look_every": "1s"}}
    looking["load"] = [{"constant": {"rate": "30/s", "for": "1s"}}]
    plan = plan_of(looking)
    with gated() as gate:
        async with region(hosted) as here:
            async with AwsClients(AwsSettings(endpoint_url=here.emulator.url)) as clients:
                policy = run_policy(plan, await describe(clients, plan))
            gate.calls.clear()
            gate.allows = lambda call: allowed_by(policy, call)
            rows = await here.run(plan, tmp_path)
    assert {action.partition(":")[0] for action in gate.actions} <= {"s3", "sagemaker", "cloudwatch", "logs", SCALING}
    require_exact(policy, gate, set())  # folders are listed as well
    assert set(rows["outcome"].unique()) == {"completed", "failed"}
    assert rows["end_from"].unique().to_list() == ["output"]
    failed = rows.filter(pl.col("outcome") == "failed")
    assert failed["error"].null_count() == 0


@pytest.mark.slow  # clients of its own for each
@pytest.mark.parametrize("tracking", ["sns", "s3"])
async def test_a_run_that_is_taken_up_makes_the_calls_that_its_policy_allows_and_uses_each(
    tmp_path: Path, tracking: str
) -> None:
    hosted = story("async", SCALED, collector={"tracking": tracking})
    hosted["load"] = [{"constant": {"rate": "30/s", "for": "2s"}}]
    plan = plan_of(hosted)
    with gated() as gate:
        async with region(hosted) as here:
            found, held = await here.leave(plan, tmp_path, 1.0)
            async with AwsClients(AwsSettings(endpoint_url=here.emulator.url)) as clients:  # inputs may be gone by then
                (put,) = [call.resource for call in gate.calls if call.action == "s3:PutObject"]
                bucket, _, key = put.removeprefix("arn:aws:s3:::").partition("/")
                await clients.s3.delete_object(Bucket=bucket, Key=key)
            policy = resume_policy(plan, TargetFound.from_json(found))
            gate.calls.clear()
            gate.allows = lambda call: allowed_by(policy, call)
            rows = await here.take_up(plan, tmp_path, found, held)
            assert here.emulator.sqs.queues == {}
    assert set(rows["outcome"].unique()) == {"completed", "failed"}
    assert rows["resume"].drop_nulls().len() > 20
    listed = {"s3:GetObject"} if tracking == "s3" else set()  # of so many requests at once the outputs are listed
    # A queue is made again only where the run was closed before: tests/unit/lifecycle/test_resume.py.
    made = set() if tracking == "s3" else {"sqs:CreateQueue", "sqs:TagQueue", "sns:Subscribe"}
    require_exact(policy, gate, SEEN_ELSEWHERE | listed | made)


@pytest.mark.slow  # clients of its own
@pytest.mark.parametrize("payloads", [{}, {"inline": True}])
async def test_whoever_sends_the_rest_may_claim_it_whoever_runs_may_see_that_and_whoever_cleans_may_remove_it(
    payloads: dict[str, Any],
) -> None:
    hosted = story(payloads=payloads)
    plan = plan_of(hosted)
    with gated() as gate:
        async with region(hosted) as here, AwsClients(AwsSettings(endpoint_url=here.emulator.url)) as clients:
            found = await describe(clients, plan)
            run, again = run_policy(plan, found), resume_policy(plan, found)
            place = Place.of(found.endpoint_arn)
            gate.calls.clear()
            async with target_of(plan, here.access).claim("smb-0123456789", found.as_json()) as claim:
                assert claim is not None
                gate.allows = lambda call: allowed_by(run, call)
                assert await claim.holder() is None
                gate.allows = lambda call: allowed_by(again, call)
                await claim.take(Holder("token", "here", "now"), ())
            gate.allows = lambda call: allowed_by(clean_policy(place, plan, found), call)
            (claims,) = await claims_of(clients, claims_below(None, found.output_path) or "")
            assert await deleted(clients, [claims]) == []


@pytest.mark.slow  # clients of its own for each
@pytest.mark.parametrize("kind", ["async", "realtime"])
async def test_an_examination_makes_the_calls_that_its_policy_allows_and_uses_each(kind: str) -> None:
    hosted = story(kind, {key: SCALED[key] for key in ("instances", "policies")} if kind == "async" else None)
    plan = plan_of(hosted)
    with gated() as gate:
        async with region(hosted) as here:
            async with AwsClients(AwsSettings(endpoint_url=here.emulator.url)) as clients:
                policy = doctor_policy(plan, await describe(clients, plan))
            gate.calls.clear()
            gate.allows = lambda call: allowed_by(policy, call)
            found = await examine(plan, here.access)
    assert [one for one in found if "not allowed" in one.seen] == []
    require_exact(policy, gate, set())


@pytest.mark.slow  # two sets of clients
async def test_a_queue_of_the_users_own_is_read_and_never_made(tmp_path: Path) -> None:
    hosted = story()
    with gated() as gate:
        async with region(hosted) as here, AwsClients(AwsSettings(endpoint_url=here.emulator.url)) as clients:
            found = await describe(clients, plan_of(hosted))
            async with run_queue(clients, found, run_id="theirs", worker=0) as queue:
                plan = plan_of(hosted | {"collector": {"queue": queue.url}})
                policy = run_policy(plan, found)
                gate.calls.clear()
                gate.allows = lambda call: allowed_by(policy, call)
                await here.run(plan, tmp_path, "theirs")
                gate.allows = lambda _call: True
                run_calls = Gate(calls=set(gate.calls))
    require_exact(policy, run_calls, SEEN_ELSEWHERE | {"s3:GetObject"})


@pytest.mark.slow  # clients of its own for each command
async def test_cleaning_makes_the_calls_that_its_policy_allows_and_uses_each(tmp_path: Path) -> None:
    hosted = story("async", {"faults": {"container_errors": 0.5}})
    plan = plan_of(hosted)
    with gated() as gate:
        async with region(hosted) as here:
            await here.run(plan, tmp_path, is_killed=True)
            async with AwsClients(AwsSettings(endpoint_url=here.emulator.url)) as clients:
                target = await describe(clients, plan)
                policy = clean_policy(Place.of(target.endpoint_arn), plan, target)
                manifest = Manifest(
                    run_id="story", started=datetime.now(UTC), scenario=sent(hosted), target=target.as_json()
                )
                gate.calls.clear()
                gate.allows = lambda call: allowed_by(policy, call)
                for whose in (Whose("story", tmp_path, manifest), Whose(endpoint=ENDPOINT)):
                    assert await remove(clients, await find(clients, whose)) == []
    require_exact(policy, gate, set())


DEPLOYED: dict[str, dict[str, Any]] = {
    "async": {"model": {"image": "demo", "folder": "model"}},
    "async, of a model that is there": {"model": {"name": "theirs"}, "scaling": {"min": 1, "max": 2}},
    "serverless": {
        "kind": "serverless",
        "model": {"image": "demo"},
        "serverless": {"memory": 3072, "max_concurrency": 10, "provisioned": 2},
    },
    "realtime": {"kind": "realtime", "model": {"image": "demo"}, "scaling": {"min": 1, "max": 3}},
}


@pytest.mark.slow  # a stack up and down
@pytest.mark.parametrize("kind", DEPLOYED)
async def test_deploy_and_destroy_make_the_calls_that_their_policy_allows_and_use_each(
    tmp_path: Path, kind: str
) -> None:
    (tmp_path / "model" / "code").mkdir(parents=True)
    (tmp_path / "model" / "code" / "inference.py").write_text("def model_fn(folder): ...\n")
    wanted = Deploy.model_validate(DEPLOYED[kind])
    packed = pack(tmp_path / "model") if wanted.model.folder else None
    with gated() as gate:
        async with (
            region(defaults=QUICK) as here,
            AwsClients(AwsSettings(endpoint_url=here.emulator.url, services=DEPLOYING)) as clients,
        ):
            await clients.sagemaker.create_model(
                ModelName="theirs",
                ExecutionRoleArn="arn:aws:iam::123456789012:role/r",
                PrimaryContainer={"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/theirs:1"},
            )
            gate.calls.clear()
            policy = stack_policy("demo", wanted, Place("aws", "us-east-1", "123456789012"))
            gate.allows = lambda call: allowed_by(policy, call)
            for each in (wanted, wanted.model_copy(update={"include_response": True})):  # the second changes it
                stage = Stage("")
                whole = template("demo", each, None if packed is None else packed.key)
                made = Deployment(
                    clients, "demo", whole, packed, hourly_cost(each), lambda _: True, lambda _: None, stage
                )
                assert (await made.carried_out(wanted.kind)).endpoint == "smbench-demo"
            bucket = next(name for name in here.emulator.s3._buckets if name.startswith("smbench-demo"))
            here.emulator.s3.put(bucket, "async-outputs/one.out", b"{}")
            assert (await destroyed(clients, "demo", lambda _: True, lambda _: None, stage)).left == ()
    require_exact(policy, gate, BY_CLOUDFORMATION | ({"s3:GetObject"} if packed else set()))


@pytest.mark.slow  # the emulator in a thread; a run's processes, in real time
def test_machines_of_an_order_make_the_calls_that_their_policy_allows_and_use_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.json").write_text(json.dumps(story()))
    hosted = Scenario.model_validate(story("async", {"faults": {"container_errors": 0.5}}))
    with gated() as gate, region_with_bucket(hosted, {}) as shared:
        to, where = f"s3://{BUCKET}/run1", ["--endpoint-url", shared.url]
        asked = ["mine.json", "--endpoint", ENDPOINT, "--to", to, *where]
        printed = CliRunner().invoke(app, ["policy", "--for", "order", *asked])
        policy = json.loads(printed.stdout)
        gate.calls.clear()
        gate.allows = lambda call: allowed_by(policy, call)
        for words in (
            ["order", "--shards", "1", *asked],
            ["worker", "--shard", "0/1", "--order", to, *where],
            ["collect", to, *where],
        ):
            done = CliRunner().invoke(app, words)
            assert done.exit_code in (ExitCode.OK, ExitCode.INVALID), (words, done.output, done.exception)
    unheard = {"sns:GetSubscriptionAttributes", "sqs:GetQueueAttributes"}  # asked for where no notice came
    require_exact(policy, gate, SEEN_ELSEWHERE | unheard | {"s3:DeleteObject", "s3:GetObject"})


@pytest.mark.slow  # the emulator in a thread; a run's processes, in real time
def test_a_search_makes_the_calls_that_the_policy_of_its_run_allows(tmp_path: Path) -> None:
    hosted = story("realtime", {"service": "5ms", "instances": {"min": 1, "max": 1, "concurrency": 8}})
    with gated() as gate, smbench.emulate(hosted) as url:
        where: dict[str, Any] = {"endpoint": ENDPOINT, "endpoint_url": url}
        policy = smbench.policy(story("realtime"), **where)
        gate.calls.clear()
        gate.allows = lambda call: allowed_by(policy, call)
        smbench.search(
            story("realtime"),
            **where,
            slo=["p50 < 1s", "error_share < 50%"],
            between=(400, 800),
            requests=400,
            probes=4,
            results=tmp_path,
        )
        folder = next(tmp_path.glob("search-*/cells/*/*"))
        calls = set(gate.calls)
        smbench.report(folder)
        assert gate.calls == calls  # what reads results calls nothing
    require_exact(policy, gate, {"logs:DescribeLogStreams", "sagemaker:DescribeModel"})


@pytest.mark.slow  # the emulator in a thread, and clients of its own for each command
def test_the_command_prints_the_policy_of_the_run_or_of_the_other_command() -> None:
    with smbench.emulate(story()) as url:
        printed = [
            CliRunner().invoke(app, ["policy", "quick-start", *words, "--endpoint-url", url])
            for words in (["--endpoint", ENDPOINT], ["--for", "doctor", "--endpoint", ENDPOINT], ["--for", "deploy"])
        ]
    assert [one.exit_code for one in printed] == [0, 0, 0], printed
    run, doctor, deploy = (str(json.loads(one.stdout)) for one in printed)
    assert "sagemaker:InvokeEndpointAsync" in run
    assert "sagemaker:InvokeEndpointAsync" not in doctor
    assert "arn:aws:cloudformation:us-east-1:123456789012:stack/smbench-*/*" in deploy
    assert [findings(json.loads(one.stdout)) for one in printed[:2]] == [[], []]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"purpose": "sweep"}, "a sweep without stacks makes nothing"),
        ({"purpose": "run", "to": "s3://b/p"}, "says where an order is"),
        ({"purpose": "processing", "to": "b/p"}, "is not a location for an order"),
        ({"purpose": "deploy", "role": "arn:aws:iam::123456789012:role/r"}, "starts none"),
        ({"purpose": "recommend", "role": "r"}, "is not the ARN of a role"),
    ],
)
def test_what_means_nothing_for_a_command_is_refused_before_anything_is_called(
    asked: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        smbench.policy(**asked, endpoint_url="http://127.0.0.1:9")


def test_no_policy_is_printed_for_an_endpoint_that_is_in_no_account() -> None:
    with pytest.raises(UsageError, match="an emulated endpoint needs no permission"):
        smbench.policy()
