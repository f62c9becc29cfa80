"""The emulated Inference Recommender: one test after another, each of the same service, so only prices tell them apart.

What it finds is a closed form of the emulated endpoint: an instance of `c` slots and mean service time `s` answers
60 c / s requests a minute, each in `s`. AWS's own choice of instances is not known; a Default job tries three.
"""

import itertools
from collections.abc import Callable
from typing import Any

from smbench.emulator.protocol.codecs import Params, ServiceError
from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.sagemaker.control_plane import invalid
from smbench.emulator.site import Site, utc_datetime
from smbench.model.law_facts import mean_s
from smbench.pricing.table import shipped_prices
from smbench.scenario.emulated import Emulated

TEST_S = 300.0
_DEFAULT_TYPES = ("ml.c5.xlarge", "ml.m5.xlarge", "ml.g4dn.xlarge")
_TESTS_MAX = 10


class Recommender:
    """Operations on recommendation jobs. How far one is follows from the time.

    Args:
        has_model: Whether a model of this name exists.

    Attributes:
        test_s: Scenario time that one test takes.
    """

    def __init__(self, site: Site, has_model: Callable[[str], bool], emulated: Emulated) -> None:
        self._site, self._has_model, self._emulated = site, has_model, emulated
        self.test_s = TEST_S
        self._jobs: dict[str, dict[str, Any]] = {}
        self._tests: dict[str, list[dict[str, Any]]] = {}
        self._ended_ns: dict[str, int] = {}  # of those that were stopped
        self._began_ns: dict[str, int] = {}
        self.operations: dict[str, Operation] = {
            "CreateInferenceRecommendationsJob": self.create,
            "DescribeInferenceRecommendationsJob": self.describe,
            "StopInferenceRecommendationsJob": self.stop,
            "ListInferenceRecommendationsJobSteps": self.list_steps,
        }

    def create(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Raises ServiceError: the name is taken, or the model is not there."""
        name, config = params["JobName"], params["InputConfig"]
        if name in self._jobs:
            raise ServiceError("ResourceInUse", f"Job {name} already exists")
        if ("ModelName" in config) == ("ModelPackageVersionArn" in config):
            raise invalid("Exactly one of ModelName and ModelPackageVersionArn must be provided")
        if "ModelName" in config and not self._has_model(config["ModelName"]):
            raise invalid(f'Could not find model "{config["ModelName"]}".')
        arn = self._site.arn("sagemaker", f"inference-recommendations-job/{name}")
        self._jobs[name] = {**params, "JobArn": arn, "CreationTime": self._site.now()}
        self._jobs[name].pop("Tags", None)
        self._tests[name] = self._planned(name, config)
        self._began_ns[name] = self._site.now_ns
        return {"JobArn": arn}

    def describe(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """With what was recommended once all tests have ended. Raises ServiceError: no such job."""
        name = self._named(params)
        n_over, status = self._progress(name)
        shown = {**self._jobs[name], "Status": status, "LastModifiedTime": self._site.now()}
        if status == "COMPLETED":
            ended_ns = self._began_ns[name] + round(len(self._tests[name]) * self.test_s * 1e9)
            shown["CompletionTime"] = utc_datetime(self._site.utc_ns(ended_ns))
        tests = [one for one in self._tests[name][:n_over] if "Metrics" in one]
        if status == "COMPLETED" and tests:
            best = sorted(tests, key=lambda one: one["Metrics"].get("CostPerInference", 1e9))
            shown["InferenceRecommendations"] = [
                {"RecommendationId": f"{name}/{one['EndpointConfiguration']['EndpointName']}", **one} for one in best
            ]
        if status == "COMPLETED" and (loaded := self._jobs[name]["InputConfig"].get("Endpoints")):
            shown["EndpointPerformances"] = [{"Metrics": self._speed(), "EndpointInfo": one} for one in loaded]
        return shown

    def stop(self, params: Params, _request: HttpRequest) -> None:
        """Raises ServiceError: no such job, or it has ended."""
        name = self._named(params)
        if self._progress(name)[1] != "IN_PROGRESS":
            raise invalid(f"The job {name} is in a status that cannot be stopped.")
        self._ended_ns[name] = self._site.now_ns

    def list_steps(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Every test that has begun, in one page. Raises ServiceError: no such job."""
        name = self._named(params)
        n_over, status = self._progress(name)
        steps = [self._step(name, "COMPLETED", one) for one in self._tests[name][:n_over]]
        if n_over < len(self._tests[name]):
            tried = {key: one for key, one in self._tests[name][n_over].items() if not key.endswith("Metrics")}
            steps.append(self._step(name, status, tried))
        return {"Steps": [one for one in steps if one["Status"] == params.get("Status", one["Status"])]}

    def _step(self, name: str, status: str, tried: dict[str, Any]) -> dict[str, Any]:
        return {"StepType": "BENCHMARK", "JobName": name, "Status": status, "InferenceBenchmark": tried}

    def _progress(self, name: str) -> tuple[int, str]:
        """Tests that have ended, and the job's status."""
        until_ns = self._ended_ns.get(name, self._site.now_ns)
        n_tests = len(self._tests[name])
        n_over = min(n_tests, int((until_ns - self._began_ns[name]) / 1e9 // self.test_s))
        if name in self._ended_ns:
            return n_over, "STOPPED"
        return n_over, "COMPLETED" if n_over == n_tests else "IN_PROGRESS"

    def _planned(self, name: str, config: Params) -> list[dict[str, Any]]:
        """One test a candidate and combination of its variables; one alone of an endpoint that exists."""
        if config.get("Endpoints"):
            return [{"EndpointMetrics": self._speed(), "ModelConfiguration": {}}]
        candidates = config.get("EndpointConfigurations") or [{"InstanceType": one} for one in _DEFAULT_TYPES]
        n_max = config.get("ResourceLimit", {}).get("MaxNumberOfTests", _TESTS_MAX)
        tests = [(one, chosen) for one in candidates for chosen in _combinations(one)]
        return [self._test(f"sm-epc-{name}-{n}"[:63], *test) for n, test in enumerate(tests[: min(n_max, _TESTS_MAX)])]

    def _test(self, endpoint: str, candidate: Params, chosen: list[tuple[str, str]]) -> dict[str, Any]:
        kept = {key: candidate[key] for key in ("InstanceType", "ServerlessConfig") if key in candidate}
        variables = [{"Key": key, "ValueType": "string", "Value": value} for key, value in chosen]
        metrics: dict[str, Any] = dict(self._speed())
        hour = shipped_prices().instance_hour.get(candidate.get("InstanceType", ""))
        if hour is not None:
            metrics |= {"CostPerHour": hour, "CostPerInference": hour / 60 / metrics["MaxInvocations"]}
        count = {} if "ServerlessConfig" in candidate else {"InitialInstanceCount": 1}
        return {
            "Metrics": metrics,
            "EndpointConfiguration": {"EndpointName": endpoint, "VariantName": "AllTraffic", **kept, **count},
            "ModelConfiguration": {"EnvironmentParameters": variables} if variables else {},
        }

    def _speed(self) -> dict[str, int]:
        emulated = self._emulated
        (law, *_) = emulated.service.by_class.values()
        service_s = mean_s(law)
        n_a_minute = max(1, int(60 * emulated.instances.concurrency / service_s))
        return {"MaxInvocations": n_a_minute, "ModelLatency": round(service_s * 1000)}

    def _named(self, params: Params) -> str:
        name: str = params["JobName"]
        if name not in self._jobs:
            raise ServiceError("ResourceNotFound", f"Could not find inference recommendations job {name}")
        return name


def _combinations(candidate: Params) -> list[list[tuple[str, str]]]:
    ranges = candidate.get("EnvironmentParameterRanges", {}).get("CategoricalParameterRanges", ())
    values = [[(one["Name"], value) for value in one["Value"]] for one in ranges]
    return [list(chosen) for chosen in itertools.product(*values)]
