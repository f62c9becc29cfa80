"""Goal: what Inference Recommender is asked is what AWS takes, and what it answers is kept as it was said.

Method: the real command in this process against the emulated service; requests and recorded answers are held against
botocore's own shapes.
"""

import dataclasses
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import botocore.session
import polars as pl
import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

import smbench
from buckets import Region, region_with_bucket
from emulation import ACCOUNT
from guarded_region import allowed_by, gated, require_exact
from plain_services import aws_client
from smbench.api.recommend import read_ask, recommend
from smbench.aws.jobs.recommender import Recommender, request_of
from smbench.cli.app import app
from smbench.errors import ScenarioError, TargetError, UsageError
from smbench.processes.interrupts import Interrupts
from smbench.scenario.model import Scenario
from smbench.scenario.recommendation import RecommendationAsk

ROLE = f"arn:aws:iam::{ACCOUNT}:role/job"
MODEL = botocore.session.get_session().get_service_model("sagemaker")
ADVANCED = """\
candidates:
  - instance: ml.c5.xlarge
    environment: {OMP_NUM_THREADS: ["1", "2"]}
  - serverless: {memory: 2048, max_concurrency: 10}
stairs: {steps: 3, users: 2, for: 2m}
stop: {invocations: 600, latency: 500ms, flat: stop}
for: 2h
tests: 5
parallel: 2
"""


@pytest.fixture(scope="module")
def region() -> Iterator[Region]:
    scenario = {
        "name": "x",
        "target": {"emulated": {"instances": {"concurrency": 4}, "service": "500ms"}},
        "load": [{"constant": {"rate": "1/s", "for": "1s"}}],
    }
    with region_with_bucket(Scenario.model_validate(scenario)) as region:
        region.emulator.recommender.test_s = 0.2
        yield region


@pytest.fixture
def command(tmp_path: Path, region: Region, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.yaml").write_text(ADVANCED)
    return lambda *options: CliRunner().invoke(app, ["recommend", "--endpoint-url", region.url, *options])


def is_valid(shape: Any, value: Any) -> bool:
    report = ParamValidator().validate(value, shape)
    assert not report.has_errors(), report.generate_report()
    return True


# ---- jobs -------------------------------------------------------------------------------------------------------


def test_a_default_job_is_followed_and_its_answer_is_a_table_and_a_file(
    command: Callable[..., Result], tmp_path: Path
) -> None:
    done = command("--model", "smbench-emulated", "--role", ROLE)
    assert done.exit_code == 0, done.output
    assert "COMPLETED, 3 of 3 tests so far have ended" in done.stderr
    (path,) = tmp_path.glob("results/recommend-*")
    table = pl.read_parquet(path / "recommendations.parquet")
    assert table["what"].to_list() == ["recommended"] * 3 + ["step"] * 3
    best = table.row(0, named=True)
    assert (best["instance"], best["max_invocations_per_minute"], best["model_latency_ms"]) == (
        "ml.c5.xlarge",
        480,
        500,
    )
    assert best["usd_per_inference"] == pytest.approx(0.204 / 60 / 480)
    assert table["usd_per_inference"][:3].is_sorted()
    assert "ml.g4dn.xlarge" in done.stdout


def test_an_advanced_job_tries_every_combination_that_its_file_names(
    command: Callable[..., Result], tmp_path: Path
) -> None:
    done = command("--model", "smbench-emulated", "--role", ROLE, "--job", "job.yaml", "--output", "json")
    assert done.exit_code == 0, done.output
    table = pl.read_parquet(next(tmp_path.glob("results/*/recommendations.parquet")))
    steps = table.filter(pl.col("what") == "step")
    assert steps["environment"].to_list() == ["OMP_NUM_THREADS=1", "OMP_NUM_THREADS=2", ""]
    assert steps["memory_mb"].to_list() == [None, None, 2048]
    assert steps["usd_per_hour"].to_list()[2] is None, "a serverless endpoint has no price an hour"


def test_an_endpoint_that_exists_is_loaded_and_its_performance_is_the_answer(command: Callable[..., Result]) -> None:
    done = command("--model", "smbench-emulated", "--role", ROLE, "--endpoint", "smbench-emulated")
    assert done.exit_code == 0, done.output
    assert "endpoint" in done.stdout
    assert "480" in done.stdout


def interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let somebody have pressed Ctrl-C."""
    interrupts = Interrupts()
    interrupts.give("SIGINT")
    monkeypatch.setattr("smbench.api.recommend.Interrupts", lambda: interrupts)


def test_it_makes_the_calls_that_its_policy_allows_and_uses_each(
    command: Callable[..., Result], region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = smbench.policy(purpose="recommend", role=ROLE, endpoint_url=region.url)
    with gated() as gate:
        gate.allows = lambda call: allowed_by(policy, call)
        assert command("--model", "smbench-emulated").exit_code == 0
        monkeypatch.setattr(region.emulator.recommender, "test_s", 3600.0)
        interrupted(monkeypatch)
        command("--model", "smbench-emulated", "--role", ROLE)
    require_exact(policy, gate, {"iam:PassRole"})  # for the role; SageMaker asks, and no call has its name


def test_ctrl_c_stops_the_job_and_keeps_what_was_found(
    command: Callable[..., Result], tmp_path: Path, region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(region.emulator.recommender, "test_s", 3600.0)
    interrupted(monkeypatch)
    done = command("--model", "smbench-emulated", "--role", ROLE)
    assert done.exit_code == 130, done.output
    assert "STOPPED" in done.stderr
    table = pl.read_parquet(next(tmp_path.glob("results/*/recommendations.parquet")))
    assert table["status"].to_list() == ["STOPPED"]


# ---- what is refused --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "name what to recommend for"),
        (["--model", "a", "--package", "b"], "name what to recommend for"),
        (["--package", "b"], "a job needs a role"),
        (["--model", "a", "--job", "job.yaml"], "a job needs a role"),
        (["--model", "a", "--role", "me"], "--role me is not the ARN of a role"),
        (["--model", "a", "--role", "arn:aws:iam::123456789012:user/me"], "is not the ARN of a role"),
    ],
)
def test_what_is_not_clear_is_asked_for_before_anything_is_called(
    command: Callable[..., Result], options: list[str], words: str
) -> None:
    done = command(*options)
    assert isinstance(done.exception, UsageError), done.output
    assert words in done.exception.message


def test_a_model_that_there_is_not_is_said_in_a_sentence(command: Callable[..., Result], tmp_path: Path) -> None:
    done = command("--model", "nothing", "--role", ROLE)
    assert isinstance(done.exception, TargetError), done.output
    assert 'Could not find model "nothing"' in done.exception.message
    assert not list(tmp_path.glob("results/*"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("candidates: []", "candidates"),
        ("candidates: [{instance: ml.c5.xlarge, serverless: {}}]", "either instance or serverless"),
        (ADVANCED + "phases: [{users: 1, for: 1m}]", "either phases or stairs"),
        (ADVANCED.replace("users: 2", "users: 4"), "stairs.users"),
        (ADVANCED + "fro: 1h", "fro: unknown key; did you mean 'for'?"),
        (ADVANCED + "phase: []", "did you mean 'phases'?"),
        (ADVANCED + "name: a\nload: []", "name: unknown key; known here: candidates, phases"),
        (ADVANCED + "name: a\nload: []", "load: unknown key; known here: candidates, phases"),
        ("candidates: [", "job.yaml:"),
    ],
)
def test_a_file_that_asks_for_what_aws_does_not_take_is_explained_by_its_line(
    tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "job.yaml").write_text(text)
    with pytest.raises(ScenarioError) as refused:
        read_ask(tmp_path / "job.yaml")
    assert words in refused.value.message


# ---- shapes -----------------------------------------------------------------------------------------------------

seconds = st.integers(1, 100_000)
candidates = st.one_of(
    st.fixed_dictionaries(
        {"instance": st.sampled_from(["ml.c5.xlarge", "ml.g5.2xlarge"])},
        optional={
            "environment": st.dictionaries(
                st.text("ABC_", min_size=1, max_size=8),
                st.lists(st.text(max_size=5), min_size=1, max_size=3),
                max_size=5,
            )
        },
    ),
    st.fixed_dictionaries({"serverless": st.just({"memory": 1024, "max_concurrency": 5})}),
)
counts = st.integers(1, 1000)
asks = st.fixed_dictionaries(
    {"candidates": st.lists(candidates, min_size=1, max_size=10)},
    optional={
        "stairs": st.fixed_dictionaries({"steps": counts, "for": seconds}, optional={"users": st.integers(1, 3)}),
        "stop": st.fixed_dictionaries({}, optional={"latency": seconds, "invocations": counts}),
        "for": seconds,
        "tests": counts,
        "parallel": counts,
    },
)
phases = st.lists(st.fixed_dictionaries({"for": seconds}, optional={"users": counts, "spawn": counts}), max_size=3)


@given(asks, phases)
def test_whatever_is_asked_is_a_request_that_aws_takes(values: dict[str, Any], phases: list[dict[str, int]]) -> None:
    more = {} if "stairs" in values else {"phases": phases}
    ask = RecommendationAsk.model_validate({**values, **more})
    request = request_of("job", ROLE, "model", None, None, ask)
    assert is_valid(MODEL.operation_model("CreateInferenceRecommendationsJob").input_shape, request)
    assert len(request["InputConfig"]["EndpointConfigurations"]) == len(values["candidates"])


RECORDED = {
    "ModelName": "mine",
    "CreationTime": "2026-11-29T12:00:00Z",
    "ModelArn": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model/mine",
    "DeploymentRecommendation": {
        "RecommendationStatus": "COMPLETED",
        "RealTimeInferenceRecommendations": [
            {"RecommendationId": "mine/1", "InstanceType": "ml.c6i.xlarge", "Environment": {"B": "2", "A": "1"}},
            {"RecommendationId": "mine/2", "InstanceType": "ml.m5.xlarge", "Environment": {}},
        ],
    },
}


@dataclasses.dataclass
class Recorded:
    """Answers each call with one recording."""

    clients: Any

    def answer(self, _doing: str, call: Callable[[], Awaitable[Any]], *_: Any) -> Any:
        return anyio.run(call)


def test_what_sagemaker_recommends_without_a_test_is_read_from_the_model() -> None:
    async def describe_model(**_: Any) -> dict[str, Any]:
        return RECORDED

    assert is_valid(MODEL.operation_model("DescribeModel").output_shape, RECORDED)
    loop: Any = Recorded(SimpleNamespace(sagemaker=SimpleNamespace(describe_model=describe_model)))
    status, rows = Recommender(loop).instant("mine")
    assert status == "COMPLETED"
    assert [(row["what"], row["instance"], row["environment"]) for row in rows] == [
        ("instant", "ml.c6i.xlarge", "A=1 B=2"),
        ("instant", "ml.m5.xlarge", ""),
    ]


def test_a_model_for_which_nothing_is_recommended_says_so(region: Region, command: Callable[..., Result]) -> None:
    found = recommend(model="smbench-emulated", endpoint_url=region.url)
    assert (found.status, found.table.height, found.path) == ("NOT_APPLICABLE", 0, None)
    assert "--role ARN asks for a job that tests" in command("--model", "smbench-emulated").output


async def test_a_job_that_has_ended_is_shaped_as_aws_has_it(region: Region) -> None:
    wanted = {"JobName": "shaped", "JobType": "Default", "RoleArn": ROLE}
    async with aws_client("sagemaker", region.url) as sagemaker:
        loaded = [{"EndpointName": "smbench-emulated"}]
        for name, more in (("new", {}), ("old", {"Endpoints": loaded})):
            config: dict[str, Any] = {"ModelName": "smbench-emulated", **more}
            await sagemaker.create_inference_recommendations_job(**{**wanted, "JobName": name, "InputConfig": config})
        await anyio.sleep(0.7)
        for name in ("new", "old"):
            seen = await sagemaker.describe_inference_recommendations_job(JobName=name)
            steps = await sagemaker.list_inference_recommendations_job_steps(JobName=name)
            assert (seen["Status"], {one["Status"] for one in steps["Steps"]}) == ("COMPLETED", {"COMPLETED"})
            with pytest.raises(ClientError, match="cannot be stopped"):
                await sagemaker.stop_inference_recommendations_job(JobName=name)
