"""Inference components as far as a call needs them: made on a variant, described, named by calls, deleted.

They share the instances of their variant and its one law of service: how AWS places copies is not modelled.
"""

from typing import Any

from smbench.emulator.protocol.codecs import Params
from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.sagemaker.control_plane import SageMaker, invalid
from smbench.emulator.sagemaker.hosting import Hosted


class Components:
    """Operations on inference components; each is in service at once."""

    def __init__(self, sagemaker: SageMaker) -> None:
        self._sagemaker, self._site, self._hosting = sagemaker, sagemaker.site, sagemaker.hosting
        self.operations: dict[str, Operation] = {
            "CreateInferenceComponent": self.create,
            "DescribeInferenceComponent": self.describe,
            "DeleteInferenceComponent": self.delete,
        }

    def create(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Raises ServiceError: the name is taken, or there is no such endpoint in service, variant or model."""
        name, endpoint = params["InferenceComponentName"], params["EndpointName"]
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
        model = params.get("Specification", {}).get("ModelName")
        if model is not None and model not in self._sagemaker.models:
            raise invalid(f'Could not find model "{self._site.arn("sagemaker", f"model/{model}")}".')
        now = self._site.now()
        copies = params.get("RuntimeConfig", {}).get("CopyCount", 1)
        hosted.components[name] = {
            "InferenceComponentName": name,
            "InferenceComponentArn": arn,
            "EndpointName": endpoint,
            "EndpointArn": self._site.arn("sagemaker", f"endpoint/{endpoint}"),
            "VariantName": variant,
            "Specification": {} if model is None else {"ModelName": model},
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
