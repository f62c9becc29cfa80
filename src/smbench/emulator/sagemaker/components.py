"""Inference components as far as a call needs them: made on a variant, described, named by calls, deleted.

They share the instances of their variant and its one law of service: how AWS places copies is not modelled, so each
has one copy, and what would be about placing is refused by name.
"""

from typing import Any

from smbench.emulator.protocol.codecs import Params, beyond
from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.sagemaker.control_plane import SageMaker, invalid, listed
from smbench.emulator.sagemaker.hosted import Hosted

_LOG_GROUPS = "/aws/sagemaker/InferenceComponents/"
_KEPT = ("ModelName", "ComputeResourceRequirements", "StartupParameters")  # of a specification: described as given


class Components:
    """Operations on inference components; each is in service at once."""

    def __init__(self, sagemaker: SageMaker) -> None:
        self._sagemaker, self._site, self._hosting = sagemaker, sagemaker.site, sagemaker.hosting
        self.operations: dict[str, Operation] = {
            "CreateInferenceComponent": self.create,
            "DescribeInferenceComponent": self.describe,
            "ListInferenceComponents": self.list,
            "UpdateInferenceComponentRuntimeConfig": self.update_runtime_config,
            "DeleteInferenceComponent": self.delete,
        }

    def create(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Raises ServiceError: the name is taken, no such endpoint in service, variant or model, or beyond us (501)."""
        name, endpoint = params["InferenceComponentName"], params["EndpointName"]
        specification, copies = params.get("Specification", {}), params.get("RuntimeConfig", {}).get("CopyCount", 1)
        if unknown := [key for key in specification if key not in _KEPT]:
            raise beyond(f"know {unknown[0]} of inference components")
        _require_one_copy(copies)
        arn = self._site.arn("sagemaker", f"inference-component/{name}")
        if self._hosts(name) is not None:
            raise invalid(f'Cannot create already existing inference component "{arn}".')
        hosted = self._hosting.endpoints.get(endpoint)
        if hosted is None or hosted.status != "InService":
            raise invalid(
                f'Could not find endpoint "{self._site.arn("sagemaker", f"endpoint/{endpoint}")}" in service.'
            )
        variant = params.get("VariantName", hosted.variant_name)
        part = hosted.of_variant(variant)
        if part is None or "ModelName" in part.variant:
            raise invalid(f"The variant {variant} of endpoint {endpoint} takes no inference components.")
        model = specification.get("ModelName")
        if model is not None and model not in self._sagemaker.models:
            raise invalid(f'Could not find model "{self._site.arn("sagemaker", f"model/{model}")}".')
        now = self._site.now()
        hosted.components[name] = {
            "InferenceComponentName": name,
            "InferenceComponentArn": arn,
            "EndpointName": endpoint,
            "EndpointArn": self._site.arn("sagemaker", f"endpoint/{endpoint}"),
            "VariantName": variant,
            "Specification": specification,
            "RuntimeConfig": {"DesiredCopyCount": copies, "CurrentCopyCount": copies},
            "CreationTime": now,
            "LastModifiedTime": now,
            "InferenceComponentStatus": "InService",
        }
        return {"InferenceComponentArn": arn}

    def describe(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Raises ServiceError: there is none of that name."""
        name = params["InferenceComponentName"]
        return self._host_of(name).components[name]

    def list(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Filtered, sorted and paged as ListInferenceComponents asks."""
        rows = [
            {key: value for key, value in one.items() if key not in ("Specification", "RuntimeConfig")}
            for hosted in self._hosting.endpoints.values()
            for one in hosted.components.values()
        ]
        asked = {name: params.get(f"{name}Equals") for name in ("EndpointName", "VariantName")}
        asked["InferenceComponentStatus"] = params.get("StatusEquals")
        kept = [row for row in rows if all(value in (None, row[name]) for name, value in asked.items())]
        return listed(params, kept, "InferenceComponents", "InferenceComponentName", "InferenceComponentStatus")

    def update_runtime_config(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Raises ServiceError: there is none of that name, or another count than one copy (501)."""
        name = params["InferenceComponentName"]
        found = self._host_of(name).components[name]
        _require_one_copy(params["DesiredRuntimeConfig"]["CopyCount"])
        return {"InferenceComponentArn": found["InferenceComponentArn"]}

    def logs(self, group: str) -> None:
        """Raises ServiceError 501: the group is a component's own."""
        name = group.removeprefix(_LOG_GROUPS)
        if name != group and self._hosts(name) is not None:
            raise beyond(f"write the log of an inference component ({name})")

    def delete(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Raises ServiceError: there is none of that name."""
        name = params["InferenceComponentName"]
        del self._host_of(name).components[name]
        return {}

    def _hosts(self, name: str) -> Hosted | None:
        return next((one for one in self._hosting.endpoints.values() if name in one.components), None)

    def _host_of(self, name: str) -> Hosted:
        hosted = self._hosts(name)
        if hosted is None:
            raise invalid(f'Could not find inference component "{name}".')
        return hosted


def _require_one_copy(copies: int) -> None:
    if copies != 1:
        raise beyond(f"place {copies} copies of an inference component, only one")
