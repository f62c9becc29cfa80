"""Inference Recommender jobs: started, followed and stopped, with their results as rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from smbench.aws.access.causes import code_of
from smbench.aws.access.own_loop import OwnLoop
from smbench.aws.jobs.making import made_once
from smbench.scenario.recommendation import Candidate, RecommendationAsk

SERVICES = ("sagemaker",)
_ENDED = ("COMPLETED", "FAILED", "STOPPED", "DELETED")
_STEPS_MAX = 1000

Row = dict[str, Any]
"""One thing that was recommended or tried; its keys are columns of `recommendations.parquet`."""


@dataclass(frozen=True, slots=True)
class Recommending:
    """A job as it is now. `rows` are its recommendations, best first, and then its steps."""

    status: str
    why: str
    rows: tuple[Row, ...]

    @property
    def is_over(self) -> bool:
        """It tries nothing more."""
        return self.status in _ENDED

    @property
    def n_steps_over(self) -> int:
        """Tests that have ended."""
        return sum(row["what"] == "step" and row["status"] in _ENDED for row in self.rows)

    @property
    def n_steps(self) -> int:
        """Tests so far, those under way too."""
        return sum(row["what"] == "step" for row in self.rows)


class Recommender:
    """The service of an account."""

    def __init__(self, loop: OwnLoop) -> None:
        self._loop = loop
        self._sagemaker: Any = loop.clients.sagemaker

    def instant(self, model: str) -> tuple[str, tuple[Row, ...]]:
        """What SageMaker recommends of itself for a model, without a test: its status, and rows.

        Raises:
            TargetError: there is no such model.
        """

        async def describe() -> dict[str, Any]:
            described: dict[str, Any] = await self._sagemaker.describe_model(ModelName=model)
            return described

        found = self._loop.answer(f"describe the model {model} (sagemaker:DescribeModel)", describe)
        advised = found.get("DeploymentRecommendation", {})
        rows = (
            _row("instant", InstanceType=one["InstanceType"], environment=one.get("Environment", {}))
            for one in advised.get("RealTimeInferenceRecommendations", ())
        )
        return advised.get("RecommendationStatus", "NOT_APPLICABLE"), tuple(rows)

    def start(self, request: Mapping[str, Any]) -> None:
        """Raises TargetError: SageMaker refuses the job."""

        async def create() -> None:
            with made_once():
                await self._sagemaker.create_inference_recommendations_job(**request)

        doing = f"start the job {request['JobName']} (sagemaker:CreateInferenceRecommendationsJob, iam:PassRole)"
        self._loop.answer(doing, create)

    def look(self, name: str) -> Recommending:
        """Raises TargetError: it cannot be seen."""

        async def describe() -> tuple[dict[str, Any], list[dict[str, Any]]]:
            job: dict[str, Any] = await self._sagemaker.describe_inference_recommendations_job(JobName=name)
            steps: list[dict[str, Any]] = []
            more: dict[str, str] = {}
            while len(steps) < _STEPS_MAX:
                page = await self._sagemaker.list_inference_recommendations_job_steps(JobName=name, **more)
                steps += page.get("Steps", ())
                if "NextToken" not in page:
                    break
                more = {"NextToken": page["NextToken"]}
            return job, steps

        job, steps = self._loop.answer(
            f"look at the job {name} (sagemaker:DescribeInferenceRecommendationsJob, "
            "sagemaker:ListInferenceRecommendationsJobSteps)",
            describe,
        )
        return Recommending(job["Status"], job.get("FailureReason", ""), (*_recommended(job), *map(_step, steps)))

    def stop(self, name: str) -> None:
        """Nothing where it has ended. Raises TargetError: it cannot be stopped."""

        async def stop() -> None:
            try:
                await self._sagemaker.stop_inference_recommendations_job(JobName=name)
            except ClientError as error:
                if code_of(error) not in ("ValidationException", "ResourceNotFound"):
                    raise

        self._loop.answer(f"stop the job {name} (sagemaker:StopInferenceRecommendationsJob)", stop)


def request_of(
    name: str, role: str, model: str | None, package: str | None, endpoint: str | None, ask: RecommendationAsk | None
) -> dict[str, Any]:
    """The parameters of CreateInferenceRecommendationsJob.

    Args:
        model: One of model and package is given.
        endpoint: One that exists, to be loaded instead of new ones.
        ask: Of an Advanced job; None: a Default one.
    """
    source = {"ModelPackageVersionArn": package, "ModelName": model}
    config: dict[str, Any] = {key: value for key, value in source.items() if value is not None}
    if endpoint is not None:
        config["Endpoints"] = [{"EndpointName": endpoint}]
    request: dict[str, Any] = {
        "JobName": name,
        "JobType": "Default" if ask is None else "Advanced",
        "RoleArn": role,
        "InputConfig": config,
    }
    if ask is None:
        return request
    config["EndpointConfigurations"] = [_candidate(one) for one in ask.candidates]
    if ask.for_s is not None:
        config["JobDurationInSeconds"] = round(ask.for_s)
    limits = {"MaxNumberOfTests": ask.tests, "MaxParallelOfTests": ask.parallel}
    if known := {key: value for key, value in limits.items() if value is not None}:
        config["ResourceLimit"] = known
    if traffic := _traffic(ask):
        config["TrafficPattern"] = traffic
    if ask.stop is not None:
        stop: dict[str, Any] = {"FlatInvocations": ask.stop.flat.capitalize()}
        if ask.stop.invocations is not None:
            stop["MaxInvocations"] = ask.stop.invocations
        if ask.stop.latency is not None:
            limit = {"Percentile": ask.stop.percentile, "ValueInMilliseconds": round(ask.stop.latency * 1000)}
            stop["ModelLatencyThresholds"] = [limit]
        request["StoppingConditions"] = stop
    return request


def _traffic(ask: RecommendationAsk) -> dict[str, Any]:
    if ask.stairs is not None:
        stairs = ask.stairs
        steps = {"DurationInSeconds": round(stairs.for_s), "NumberOfSteps": stairs.steps, "UsersPerStep": stairs.users}
        return {"TrafficType": "STAIRS", "Stairs": steps}
    phases = [
        {"InitialNumberOfUsers": one.users, "SpawnRate": one.spawn, "DurationInSeconds": round(one.for_s)}
        for one in ask.phases
    ]
    return {"TrafficType": "PHASES", "Phases": phases} if phases else {}


def _candidate(one: Candidate) -> dict[str, Any]:
    wanted: dict[str, Any] = {} if one.instance is None else {"InstanceType": one.instance}
    if one.serverless is not None:
        config = {"MemorySizeInMB": one.serverless.memory, "MaxConcurrency": one.serverless.max_concurrency}
        if one.serverless.provisioned:
            config["ProvisionedConcurrency"] = one.serverless.provisioned
        wanted["ServerlessConfig"] = config
    if one.environment:
        ranges = [{"Name": name, "Value": list(values)} for name, values in one.environment.items()]
        wanted["EnvironmentParameterRanges"] = {"CategoricalParameterRanges": ranges}
    return wanted


# ---- rows -------------------------------------------------------------------------------------------------------


def _recommended(job: Mapping[str, Any]) -> Iterator[Row]:
    for one in job.get("InferenceRecommendations", ()):
        model = one["ModelConfiguration"]
        yield _row("recommended", environment=_environment(model), **one["EndpointConfiguration"], **one["Metrics"])
    for one in job.get("EndpointPerformances", ()):
        yield _row("endpoint", environment={}, EndpointName=one["EndpointInfo"].get("EndpointName"), **one["Metrics"])


def _step(step: Mapping[str, Any]) -> Row:
    tried = step.get("InferenceBenchmark", {})
    return _row(
        "step",
        step["Status"],
        tried.get("FailureReason", ""),
        environment=_environment(tried.get("ModelConfiguration", {})),
        **tried.get("EndpointConfiguration", {}),
        **(tried.get("Metrics") or tried.get("EndpointMetrics") or {}),
    )


def _environment(model: Mapping[str, Any]) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in model.get("EnvironmentParameters", ())}


def _row(what: str, status: str = "", why: str = "", *, environment: Mapping[str, str], **found: Any) -> Row:
    """As the files have it. AWS gives invocations a minute, milliseconds, shares in per cent and USD."""
    serverless = found.get("ServerlessConfig", {})
    return {
        "what": what,
        "instance": found.get("InstanceType"),
        "n_instances": found.get("InitialInstanceCount"),
        "memory_mb": serverless.get("MemorySizeInMB"),
        "max_concurrency": serverless.get("MaxConcurrency"),
        "environment": " ".join(f"{name}={value}" for name, value in sorted(environment.items())),
        "endpoint": found.get("EndpointName"),
        "max_invocations_per_minute": found.get("MaxInvocations"),
        "model_latency_ms": found.get("ModelLatency"),
        "usd_per_hour": found.get("CostPerHour"),
        "usd_per_inference": found.get("CostPerInference"),
        "cpu_percent": found.get("CpuUtilization"),
        "memory_percent": found.get("MemoryUtilization"),
        "setup_time": found.get("ModelSetupTime"),  # its unit is not documented
        "status": status,
        "why": why,
    }
