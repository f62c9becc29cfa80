"""Goal: a run as a processing job ends as any other, and what cannot be a job is refused in one sentence.

Method: the real command in this process, an emulated region beside it, whose jobs are real processes with the folders
that SageMaker lays out; the image is this test's own Python.
"""

import datetime
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import orjson
import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner, Result

import smbench
from buckets import BUCKET, Region, region_with_bucket
from emulation import ACCOUNT
from guarded_region import allowed_by, gated, require_exact
from plain_services import aws_client
from smbench.aws.access.clients import AwsSettings
from smbench.aws.access.own_loop import own_loop
from smbench.aws.jobs.processing import SERVICES, ProcessingJobs
from smbench.cli.app import app
from smbench.errors import NotBegunError, TargetError, UsageError
from smbench.generator.plan import make_plan
from smbench.lifecycle.order import ORDER, write_order
from smbench.lifecycle.processing.carry_out import JobRun
from smbench.lifecycle.processing.job import JobWanted, image_of, job_name, price_of, request_of
from smbench.processes.interrupts import Interrupts
from smbench.results.law import Counts
from smbench.results.place import Place
from smbench.results.store import open_run
from smbench.scenario.model import Scenario

ROLE = f"arn:aws:iam::{ACCOUNT}:role/job"
ENDPOINT = {"target": {"emulated": {"instances": {"min": 1, "max": 1, "concurrency": 20}, "service": "50ms"}}}
LOAD: dict[str, Any] = {"name": "small", "load": [{"constant": {"rate": "10/s", "for": "1s"}}], "drain": "20s"}
GOOD, WITHOUT, OTHER = "with-python", "without-python", "with-an-old-python"


def folder_with(folder: Path, **programs: str) -> str:
    """A folder of programs, each a shell script; what every image has is in it, too."""
    folder.mkdir()
    for name in ("sh", "dirname", "mkdir"):
        (folder / name).symlink_to(f"/bin/{name}" if os.path.exists(f"/bin/{name}") else f"/usr/bin/{name}")
    for name, script in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return str(folder)


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    images = tmp_path_factory.mktemp("images")
    paths = {
        GOOD: folder_with(images / "good", python3=f'exec {sys.executable} "$@"'),
        WITHOUT: folder_with(images / "without"),
        OTHER: folder_with(images / "other", python3="exit 1"),
    }
    with region_with_bucket(Scenario.model_validate(LOAD | ENDPOINT), paths) as region:
        yield region


@pytest.fixture
def run(tmp_path: Path, region: Region, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command, in an empty folder with the scenario and its payload."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "body.json").write_text('{"a": 1}')
    (tmp_path / "mine.yaml").write_bytes(orjson.dumps(LOAD | {"payloads": {"files": ["body.json"]}}))

    def command(*options: str, image: str = GOOD, to: str = f"s3://{BUCKET}/{tmp_path.name}") -> Result:
        fixed = ["run", "mine.yaml", "--on", "processing", "--endpoint", "smbench-emulated", "--role", ROLE]
        where = ["--endpoint-url", region.url, "--to", to, "--image", image]
        return CliRunner().invoke(app, [*fixed, *where, "--ui", "none", *options])

    return command


@pytest.mark.slow  # a container's process sends in real time
def test_a_run_as_a_job_of_two_hosts_is_packed_sent_followed_brought_back_and_priced(
    run: Callable[..., Result], tmp_path: Path, region: Region
) -> None:
    done = run("--wait", "--workers", "2", "--output", "json", "--price", "ml.m5.xlarge=36")
    assert done.exit_code in (0, 98), done.output  # a busy machine may call so short a run in doubt
    for said in ("is started: 2 x ml.m5.xlarge", ": InProgress", "algo-2: smbench: shard 1/2: begins", ": Completed"):
        assert said in done.stderr
    assert "2 x ml.m5.xlarge at the list price of an endpoint's instance" in done.stderr
    assert "given: ml.m5.xlarge): 72.00 USD an hour" in done.stderr
    results = open_run(next(tmp_path.glob("results/*")))
    assert results.manifest.prices == {"ml.m5.xlarge": 36.0}
    rows = results.requests.collect()
    assert Counts.of(rows).violations() == []
    assert rows["outcome"].to_list() == ["completed"] * 10
    assert [one.ending for one in results.manifest.shards] == ["finished"] * 2
    assert len({one.zero for one in results.manifest.shards}) == 1, "both hosts begin together"
    assert "algo-1: smbench: shard 0/2: ready; begins when all shards are" in done.stderr
    put = {key.removeprefix(f"{tmp_path.name}/") for key in region.objects(tmp_path.name)}
    assert {"order.json", "files/body.json", "code/entry.sh", "code/entry.py"} <= put
    assert b"profile" not in region.objects(f"{tmp_path.name}/code")[f"{tmp_path.name}/code/entry.sh"].read()


@pytest.mark.slow  # a container's process sends in real time
def test_a_job_from_python_returns_the_run_and_a_place_that_is_none_says_how(
    region: Region, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    to = f"s3://{BUCKET}/{tmp_path.name}"
    wanted: dict[str, Any] = {"endpoint": "smbench-emulated", "endpoint_url": region.url}
    done = smbench.run_job(LOAD, role=ROLE, image=GOOD, to=to, **wanted)
    assert done.requests.collect()["outcome"].to_list() == ["completed"] * 10
    assert [one.ending for one in done.manifest.shards] == ["finished"]
    with pytest.raises(UsageError) as refused:
        smbench.run(LOAD, on="processing", **wanted)
    assert "`smbench.run_job`" in refused.value.advice


@pytest.mark.slow  # three containers are started
@pytest.mark.parametrize(
    ("image", "words"),
    [
        (WITHOUT, "has failed, and sent nothing: the image has no python3"),
        (OTHER, "has failed, and sent nothing: the image's python3 is older than 3.11"),
        ("elsewhere/nothing", "Cannot pull image elsewhere/nothing"),
    ],
)
def test_an_image_that_will_not_do_is_said_in_a_sentence(run: Callable[..., Result], image: str, words: str) -> None:
    done = run("--wait", image=image)
    assert isinstance(done.exception, TargetError), done.output
    assert words in done.exception.message
    assert done.exception.exit_code == 3
    assert not list(Path().glob("results/*"))


@pytest.mark.slow  # a container is started
def test_whoever_starts_a_job_makes_the_calls_that_the_policy_allows_and_uses_each(
    run: Callable[..., Result], tmp_path: Path, region: Region
) -> None:
    place = f"s3://{BUCKET}/{tmp_path.name}"
    asked = {"endpoint": "smbench-emulated", "to": place, "endpoint_url": region.url}
    policy = smbench.policy("mine.yaml", purpose="processing", role=ROLE, **asked)
    with gated() as gate:
        gate.allows = lambda call: allowed_by(policy, call)
        done = run("--wait", image=WITHOUT)
        run("--role", "arn:aws:iam::210987654321:role/elsewhere", to=f"{place}/refused")
    assert isinstance(done.exception, TargetError), done.output
    elsewhere = {"sagemaker:StopProcessingJob", "s3:ListBucket", "iam:PassRole"}  # Ctrl-C, collect, SageMaker itself
    require_exact(policy, gate, elsewhere)
    assert smbench.policy("mine.yaml", purpose="processing", **asked)["Statement"][1]["Resource"].endswith(":role/*")


@pytest.mark.slow  # a container is started, and reads the order
@pytest.mark.parametrize(
    ("change", "words"),
    [({"checksum": "x"}, "was changed after it was written"), ({"smbench": "0.0.1"}, "is of smbench 0.0.1")],
)
def test_what_the_worker_says_before_it_sends_is_what_the_command_says(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, change: dict[str, str], words: str
) -> None:
    def write_another(place: Place, *arguments: Any, **named: Any) -> None:
        write_order(place, *arguments, **named)
        place.write(ORDER, orjson.dumps({**orjson.loads(place.read(ORDER) or b""), **change}))

    monkeypatch.setattr("smbench.lifecycle.processing.carry_out.write_order", write_another)
    done = run("--wait")
    assert isinstance(done.exception, TargetError), done.output
    assert "has failed, and sent nothing: s3://" in done.exception.message
    assert words in done.exception.message


def test_what_the_machines_may_cost_is_foreseen_and_can_be_too_much(
    run: Callable[..., Result], region: Region, tmp_path: Path
) -> None:
    price = ("--workers", "2", "--price", "ml.m5.xlarge=36")
    planned = json.loads(run("--dry-run", "--output", "json", *price).stdout)
    longest_h = (1 + 20 + 3600) / 3600  # load, drain, and the hour after which SageMaker ends a job that hangs
    assert planned["machines_usd"] == pytest.approx(2 * 36 * longest_h)
    assert planned["usd"] > planned["machines_usd"]
    refused = run("--max-cost", "72", *price)
    assert isinstance(refused.exception, UsageError)
    assert "more than --max-cost 72" in refused.exception.message
    unknown = run("--max-cost", "72", "--instance-type", "ml.new.xlarge")
    assert isinstance(unknown.exception, UsageError)
    assert "there is no price of ml.new.xlarge" in unknown.exception.message
    assert not region.objects(tmp_path.name)


def test_a_role_that_cannot_be_assumed_starts_nothing_and_leaves_nothing(
    run: Callable[..., Result], region: Region, tmp_path: Path
) -> None:
    done = run("--role", "arn:aws:iam::210987654321:role/elsewhere")
    assert isinstance(done.exception, TargetError), done.output
    assert "Could not assume role" in done.exception.message
    assert not region.objects(tmp_path.name)


def test_without_a_place_the_files_go_to_sagemakers_default_bucket_and_where_it_is_missing_that_is_said(
    region: Region,
) -> None:
    bucket = "sagemaker-us-east-1-123456789012"
    wanted: dict[str, Any] = {"endpoint": "smbench-emulated", "endpoint_url": region.url, "image": GOOD}
    elsewhere = "arn:aws:iam::210987654321:role/elsewhere"  # refused once all is put
    with pytest.raises(TargetError, match="Could not assume role"):
        smbench.run_job(LOAD, role=elsewhere, **wanted)
    region.emulator.s3.delete_bucket(bucket)
    with pytest.raises(TargetError, match=f"put s3://{bucket}/.*NoSuchBucket") as refused:
        smbench.run_job(LOAD, role=elsewhere, **wanted)
    assert f"`aws s3 mb s3://{bucket}` makes it" in refused.value.advice


def test_a_job_whose_answer_was_lost_is_started_once(region: Region) -> None:
    """The next try of the same call finds the name taken: by the try before."""
    plan = make_plan(Scenario.model_validate(LOAD | {"target": {"endpoint": "mine"}}), Path())
    wanted = JobWanted(ROLE, "no-image")
    request = request_of(wanted, "smbench-once", "s3://b/p", plan, "us-east-1", None, has_files=False)
    with own_loop(AwsSettings(endpoint_url=region.url, services=SERVICES)) as loop:
        jobs = ProcessingJobs(loop)
        jobs.start(request)
        jobs.start(request)
        assert jobs.look("smbench-once").status == "Failed"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--role", "me"], "--role me is not the ARN of a role"),
        (["--to", "/tmp/x"], "/tmp/x is not a location for an order"),
        (["--to", "s3://bucket"], "s3://bucket is not a location for an order"),
        (["--image", " "], "is not the URI of an image"),
        (["--image", "a b"], "--image a b is not the URI of an image"),
        (["--image", "https://x"], "--image https://x is not the URI of an image"),
        (["--instance-type", "m5"], "--instance-type m5 is none of SageMaker's"),
        (["--instance-type", ""], "is none of SageMaker's"),
        (["--detach"], "takes no --detach"),
        (["--on", "local"], "are of a processing job"),
    ],
)
def test_what_cannot_be_a_job_is_refused_before_anything_is_put(
    run: Callable[..., Result], region: Region, tmp_path: Path, options: list[str], words: str
) -> None:
    done = run(*options)
    assert isinstance(done.exception, UsageError), done.output
    assert words in done.exception.message
    assert not region.objects(tmp_path.name)


@pytest.mark.parametrize("place", ["lambda", " processing", "RAY", "ray:", "local,ray"])
def test_where_no_workers_run_is_refused_before_anything_is_asked_of_aws(place: str) -> None:
    done = CliRunner().invoke(app, ["run", "--on", place, "--endpoint", "mine"])
    assert isinstance(done.exception, UsageError), done.output
    assert "is not a place for workers" in done.exception.message


def test_a_job_without_a_role_has_nowhere_to_run_and_ends_with_3_like_a_run_without_a_region() -> None:
    done = CliRunner().invoke(app, ["run", "--on", "processing", "--endpoint", "mine"])
    assert isinstance(done.exception, TargetError)
    assert "needs a role" in done.exception.message
    assert done.exception.exit_code == 3


def test_a_file_outside_of_the_scenarios_folder_is_not_packed(
    run: Callable[..., Result], region: Region, tmp_path: Path
) -> None:
    beside = tmp_path.parent / f"{tmp_path.name}-beside"
    beside.mkdir()
    (beside / "body.json").write_text("{}")
    scenario = LOAD | {"payloads": {"files": [f"../{beside.name}/body.json"]}}
    (tmp_path / "mine.yaml").write_bytes(orjson.dumps(scenario))
    done = run("--allow-files", str(beside))
    assert isinstance(done.exception, UsageError), done.output
    assert "lies outside of the scenario's folder" in done.exception.message
    assert not region.objects(tmp_path.name)


def interrupted_when(seen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let somebody press Ctrl-C once the job's log, or its state, says this."""
    interrupts = Interrupts()
    monkeypatch.setattr("smbench.api.machines.processing.Interrupts", lambda: interrupts)
    follow = JobRun.follow

    def pressing(self: JobRun, given: Interrupts, say: Callable[[str], None]) -> Any:
        def hearing(text: str) -> None:
            say(text)
            if seen in text and not interrupts.names:
                interrupts.give("SIGINT")

        return follow(self, given, hearing)

    monkeypatch.setattr(JobRun, "follow", pressing)


@pytest.mark.slow  # a container's process sends in real time
def test_ctrl_c_stops_the_sending_and_what_was_sent_is_followed(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.yaml").write_bytes(orjson.dumps(LOAD | {"load": [{"constant": {"rate": "10/s", "for": "60s"}}]}))
    interrupted_when("shard 0/1: begins", monkeypatch)
    done = run("--wait")
    assert done.exit_code == 130, done.output
    assert ": Stopped" in done.stderr
    results = open_run(next(tmp_path.glob("results/*")))
    rows = results.requests.collect()
    assert Counts.of(rows).violations() == []
    assert set(rows["outcome"].to_list()) <= {"completed", "not_sent"}
    assert (results.manifest.ending, rows.height) == ("stopped", 600)


@pytest.mark.slow  # a container is started, and stopped
def test_ctrl_c_before_anything_is_sent_leaves_no_results(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted_when(": InProgress", monkeypatch)
    done = run("--wait")
    assert isinstance(done.exception, NotBegunError), done.output
    assert not list(tmp_path.glob("results/*"))


@pytest.mark.slow  # a process is started
async def test_a_job_its_states_and_its_log_are_shaped_as_aws_has_them(region: Region) -> None:
    request = {
        "ProcessingJobName": "shaped",
        "RoleArn": ROLE,
        "AppSpecification": {
            "ImageUri": GOOD,
            "ContainerEntrypoint": [
                "/bin/sh",
                "-c",
                "mkdir -p /opt/ml/output; echo said; /bin/sleep 0.05; echo more; echo why >/opt/ml/output/message",
            ],
        },
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 1}
        },
    }
    async with aws_client("sagemaker", region.url) as sagemaker, aws_client("logs", region.url) as logs:
        await sagemaker.create_processing_job(**request)
        with pytest.raises(ClientError, match="must be unique"):
            await sagemaker.create_processing_job(**request)
        for _ in range(400):
            seen = await sagemaker.describe_processing_job(ProcessingJobName="shaped")
            if seen["ProcessingJobStatus"] != "InProgress":
                break
            await anyio.sleep(0.05)
        assert (seen["ProcessingJobStatus"], seen["ExitMessage"]) == ("Completed", "why\n")
        with pytest.raises(ClientError, match="status"):
            await sagemaker.stop_processing_job(ProcessingJobName="shaped")
        group = {"logGroupName": "/aws/sagemaker/ProcessingJobs"}
        streams = await logs.describe_log_streams(**group, logStreamNamePrefix="shaped/")
        (name,) = [one["logStreamName"] for one in streams["logStreams"]]
        page = await logs.get_log_events(**group, logStreamName=name, startFromHead=True)
        assert [event["message"] for event in page["events"]] == ["said", "more"]
        said_ms, more_ms = (event["timestamp"] for event in page["events"])
        assert streams["logStreams"][0]["creationTime"] <= said_ms < more_ms
        assert streams["logStreams"][0]["lastEventTimestamp"] == more_ms
        for start_ms, end_ms, is_got, is_found in (
            (more_ms, more_ms + 1, ["more"], ["more"]),
            (said_ms, more_ms, ["said"], ["said", "more"]),  # GetLogEvents leaves the end itself out
            (more_ms + 1, more_ms + 9, [], []),
        ):
            within = {**group, "startTime": start_ms, "endTime": end_ms}
            got = await logs.get_log_events(**within, logStreamName=name, startFromHead=True)
            assert [event["message"] for event in got["events"]] == is_got
            found = await logs.filter_log_events(**within, logStreamNames=[name])
            assert [event["message"] for event in found["events"]] == is_found
            assert len({event["eventId"] for event in found["events"]}) == len(is_found)
        again = await logs.get_log_events(**group, logStreamName=name, nextToken=page["nextForwardToken"])
        assert (again["events"], again["nextForwardToken"]) == ([], page["nextForwardToken"])
        for pattern, n_found in (("said", 1), ('"said"', 1), ("never", 0)):
            found = await logs.filter_log_events(**group, logStreamNames=[name], filterPattern=pattern)
            assert [(one["logStreamName"], one["message"]) for one in found["events"]] == [(name, "said")] * n_found
        with pytest.raises(ClientError, match="filter pattern"):
            await logs.filter_log_events(**group, filterPattern="{ $.a = 1 }")


# ---- the request ------------------------------------------------------------------------------------------------


def test_the_request_is_as_sagemaker_takes_it_and_bounded_in_time() -> None:
    plan = make_plan(Scenario.model_validate(LOAD | {"target": {"endpoint": "mine"}}), Path())
    wanted = JobWanted(ROLE, n_hosts=3)
    request = request_of(wanted, "job", "s3://b/run", plan, "eu-west-1", None, has_files=False)
    assert request["StoppingCondition"]["MaxRuntimeInSeconds"] == 1 + 20 + 3600
    assert request["AppSpecification"]["ImageUri"].startswith("141502667606.dkr.ecr.eu-west-1.amazonaws.com/")
    assert [one["InputName"] for one in request["ProcessingInputs"]] == ["code"]


def test_where_no_image_is_known_one_must_be_named() -> None:
    with pytest.raises(UsageError, match="knows no image"):
        image_of(JobWanted(ROLE), "eu-north-1")
    assert image_of(JobWanted(ROLE, image="mine:1"), "eu-north-1") == "mine:1"


def test_a_job_of_an_hour_costs_what_its_instances_cost_and_an_unknown_one_is_not_guessed() -> None:
    assert price_of(JobWanted(ROLE, n_hosts=2), 3600).endswith(": 0.46 USD")
    assert price_of(JobWanted(ROLE)).endswith("0.23 USD an hour")
    assert "is not known" in price_of(JobWanted(ROLE, instance_type="ml.none.large"))


def test_a_jobs_name_is_one_that_sagemaker_takes() -> None:
    now = datetime.datetime(2026, 11, 29, 12, tzinfo=datetime.UTC)
    for name in ("a", "a" * 63, "a" * 38 + "-b"):
        plan = make_plan(Scenario.model_validate({**LOAD, "name": name, "target": {"endpoint": "e"}}), Path())
        made = job_name(plan, now)
        assert len(made) <= 63
        assert "--" not in made
        assert re.search(r"-20261129-120000-[0-9a-f]{4}$", made)
        assert made != job_name(plan, now), "two that are started in one second"
