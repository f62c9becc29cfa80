"""Inference components: made on a variant, with so many copies on its instances, described, named by calls, deleted.

Copies come up and leave by the laws of instances, and each has an instance's slots. They are placed on the instances
that there are; where these have no room the count is refused. AWS's words for that are not known in public.
"""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from types import MappingProxyType
from typing import Any

from smbench.emulator.protocol.codecs import Params, ServiceError, beyond
from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.sagemaker.control_plane import SageMaker, invalid, listed
from smbench.emulator.sagemaker.hosted import Component, Hosted
from smbench.emulator.site import utc_datetime
from smbench.model.endpoints.copies import CopyMetrics, Resources, fits, resources_of
from smbench.model.endpoints.endpoint import CapacityChange, Endpoint, EndpointSettings, QuotaReached, UpdateInProgress
from smbench.model.scaling.scaler import UnknownTarget
from smbench.model.world import COMPONENT

_LOG_GROUPS = "/aws/sagemaker/InferenceComponents/"
_KEPT = ("ModelName", "ComputeResourceRequirements", "StartupParameters")  # of a specification: described as given
_NOTHING = Resources()


class Components:
    """Operations on inference components."""

    def __init__(self, sagemaker: SageMaker) -> None:
        self._sagemaker, self._site, self._hosting = sagemaker, sagemaker.site, sagemaker.hosting
        self.operations: dict[str, Operation] = {
            "CreateInferenceComponent": self.create,
            "DescribeInferenceComponent": self.describe,
            "ListInferenceComponents": self.list,
            "UpdateInferenceComponentRuntimeConfig": self.update_runtime_config,
            "DeleteInferenceComponent": self.delete,
        }
        self._hosting.on_delete.append(self._forget_all)

    def create(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Creating until its copies have come up.

        Raises:
            ServiceError: the name is taken, no such endpoint in service, variant or model, no room, or beyond us (501).
        """
        name, endpoint = params["InferenceComponentName"], params["EndpointName"]
        specification, n_copies = params.get("Specification", {}), params.get("RuntimeConfig", {}).get("CopyCount", 1)
        if unknown := [key for key in specification if key not in _KEPT]:
            raise beyond(f"know {unknown[0]} of inference components")
        if not n_copies:  # source: a public report of CreateInferenceComponent
            raise invalid("Inference components copy count an integer larger than 0")
        arn = self._site.arn("sagemaker", f"inference-component/{name}")
        if self._hosts(name) is not None:
            raise invalid(f'Cannot create already existing inference component "{arn}".')
        hosted = self._hosting.endpoints.get(endpoint)
        if hosted is None or hosted.status != "InService":
            raise invalid(
                f'Could not find endpoint "{self._site.arn("sagemaker", f"endpoint/{endpoint}")}" in service.'
            )
        variant = params.get("VariantName", hosted.variant_name)
        host = hosted.of_variant(variant)
        if host is None or "ModelName" in host.variant or not isinstance(host.fleet, Endpoint):
            raise invalid(f"The variant {variant} of endpoint {endpoint} takes no inference components.")
        model = specification.get("ModelName")
        if model is not None and model not in self._sagemaker.models:
            raise invalid(f'Could not find model "{self._site.arn("sagemaker", f"model/{model}")}".')
        needs = _needs(specification, host)
        if why_not := _lack(hosted, host, host.desired, {name: (needs, n_copies)}):
            raise ServiceError("ResourceLimitExceeded", why_not)
        described = {
            "InferenceComponentName": name,
            "InferenceComponentArn": arn,
            "EndpointName": endpoint,
            "EndpointArn": self._site.arn("sagemaker", f"endpoint/{endpoint}"),
            "VariantName": variant,
            "Specification": specification,
            "CreationTime": self._site.now(),
        }
        self._begin(hosted, host, described, needs, n_copies)
        return {"InferenceComponentArn": arn}

    def _begin(self, hosted: Hosted, host: Hosted, described: dict[str, Any], needs: Resources, n_copies: int) -> None:
        name, fleet, hosting = described["InferenceComponentName"], host.fleet, self._hosting
        assert isinstance(fleet, Endpoint), "looked at before"
        settings = EndpointSettings.of(
            hosting.emulated,
            name=hosted.name,
            variant=host.variant_name,
            is_synchronous=True,
            base_dir=hosting.base_dir,
        )
        settings.faults = settings.faults.model_copy(update={"instance_quota": None})  # of instances, not of copies
        copies = hosting.world.add_component(name, settings, n_copies)
        metrics = CopyMetrics(name, copies, hosting.world.metrics)
        now_ns = self._site.utc_ns()
        part = Hosted(hosted.name, host.config, hosted.delivery, now_ns, now_ns)
        component = Component(described, part, copies, needs, metrics)
        hosting.attach(part, copies)
        copies.on_end += [metrics.count_end, fleet.count_end]
        copies.refusal = lambda n: _lack(hosted, host, host.desired, {name: (needs, n)})
        fleet.refusal = partial(_lack, hosted, host)
        hosted.components[name] = component

        def settled(_change: CapacityChange) -> None:
            component.is_created = component.is_created or not copies.is_updating

        copies.on_capacity.append(settled)

    def describe(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Raises ServiceError: there is none of that name."""
        return _described(self._component(params))

    def list(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Filtered, sorted and paged as ListInferenceComponents asks."""
        rows = [
            {key: value for key, value in _described(one).items() if key not in ("Specification", "RuntimeConfig")}
            for hosted in self._hosting.endpoints.values()
            for one in hosted.components.values()
        ]
        asked = {name: params.get(f"{name}Equals") for name in ("EndpointName", "VariantName")}
        asked["InferenceComponentStatus"] = params.get("StatusEquals")
        kept = [row for row in rows if all(value in (None, row[name]) for name, value in asked.items())]
        return listed(params, kept, "InferenceComponents", "InferenceComponentName", "InferenceComponentStatus")

    def update_runtime_config(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Raises ServiceError: there is none of that name, it is being updated, or there is no room for so many."""
        component = self._component(params)
        arn = str(component.described["InferenceComponentArn"])
        try:
            component.copies.set_desired(
                params["DesiredRuntimeConfig"]["CopyCount"], "UpdateInferenceComponentRuntimeConfig"
            )
        except UpdateInProgress:  # in the words that SageMaker has for endpoints
            raise invalid(f'Cannot update in-progress inference component "{arn}".') from None
        except QuotaReached as refused:
            raise ServiceError("ResourceLimitExceeded", str(refused)) from None
        return {"InferenceComponentArn": arn}

    def logs(self, group: str) -> None:
        """Raises ServiceError 501: the group is a component's own."""
        name = group.removeprefix(_LOG_GROUPS)
        if name != group and self._hosts(name) is not None:
            raise beyond(f"write the log of an inference component ({name})")

    def delete(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """With its scalable target; gone at once. Raises ServiceError: there is none of that name."""
        component = self._component(params)
        self._forget(component)
        hosted = self._hosting.endpoints[component.part.name]
        del hosted.components[params["InferenceComponentName"]]
        return {}

    def _forget_all(self, hosted: Hosted) -> None:
        for component in hosted.components.values():
            self._forget(component)

    def _forget(self, component: Component) -> None:
        name = str(component.described["InferenceComponentName"])
        component.part.is_deleted = True
        component.metrics.close()
        with suppress(UnknownTarget):
            self._hosting.world.scaler.deregister(f"{COMPONENT}/{name}")
        del self._hosting.world.components[name]

    def _hosts(self, name: str) -> Hosted | None:
        return next((one for one in self._hosting.endpoints.values() if name in one.components), None)

    def _component(self, params: Params) -> Component:
        name = params["InferenceComponentName"]
        hosted = self._hosts(name)
        if hosted is None:
            raise invalid(f'Could not find inference component "{name}".')
        return hosted.components[name]


def _needs(specification: Params, host: Hosted) -> Resources:
    """Raises ServiceError 501: of an instance type whose resources are not known here."""
    asked = specification.get("ComputeResourceRequirements")
    if not asked:
        return _NOTHING
    instance_type = host.variant.get("InstanceType", "")
    if resources_of(instance_type) is None:
        raise beyond(
            f"place copies on {instance_type or 'pools of instances'}, whose cores and memory it does not know"
        )
    return Resources(
        cores=asked.get("NumberOfCpuCoresRequired", 0.0),
        memory_mb=asked.get("MinMemoryRequiredInMb", 0),
        accelerators=asked.get("NumberOfAcceleratorDevicesRequired", 0.0),
    )


def _lack(
    hosted: Hosted, host: Hosted, n_instances: int, wishes: Mapping[str, tuple[Resources, int]] = MappingProxyType({})
) -> str:
    """Why so many instances of a variant do not hold the copies on it; empty where they do.

    Args:
        wishes: Needs and counts by component, in place of what there is or beside it.
    """
    asked = {
        name: (one.needs, one.copies.desired)
        for name, one in hosted.components.items()
        if one.variant_name == host.variant_name
    } | dict(wishes)
    copies = [needs for needs, n in asked.values() for _ in range(n)]
    each = resources_of(host.variant.get("InstanceType", ""))
    has_instances = n_instances or not copies
    if has_instances and (each is None or fits(copies, n_instances, each)):
        return ""
    return (
        f"The {n_instances} instance(s) of the variant {host.variant_name} have no room for the {len(copies)} "
        "copies of its inference components."
    )


def _described(component: Component) -> dict[str, Any]:
    counts = {"DesiredCopyCount": component.copies.desired, "CurrentCopyCount": component.copies.current}
    return component.described | {
        "RuntimeConfig": counts,
        "LastModifiedTime": utc_datetime(component.part.modified_utc_ns),
        "InferenceComponentStatus": component.status,
    }
