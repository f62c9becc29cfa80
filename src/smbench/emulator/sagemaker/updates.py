"""Updates of endpoints: another configuration, variants that come and go, another serverless concurrency."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smbench.emulator.protocol.codecs import Params, ServiceError
from smbench.emulator.sagemaker.configurations import (
    Delivery,
    by_variant,
    concurrency,
    delivery_of,
    initial_count,
    kind_of,
    serverless_of,
    unsupported,
)
from smbench.emulator.sagemaker.hosted import Change, Deployment, Hosted
from smbench.emulator.sagemaker.hosting import Hosting
from smbench.model.endpoints.endpoint import Endpoint
from smbench.model.endpoints.serverless import ServerlessEndpoint
from smbench.model.world import resource_id_of

# From a kind to a kind. The guide's "Update a serverless endpoint" excludes instances to serverless, not the way back.
_UPDATES = {("async", "async"), ("realtime", "realtime"), ("serverless", "serverless"), ("serverless", "realtime")}


def check_wish(wish: Params, *, is_serverless: bool) -> None:
    """Raises ServiceError: of one variant what its kind has not. AWS's words for these are not known in public."""
    foreign = "DesiredInstanceCount" if is_serverless else "ServerlessUpdateConfig"
    if foreign in wish:
        what = "is serverless" if is_serverless else "has instances"
        text = f"{foreign} cannot be specified for the variant {wish['VariantName']}, which {what}."
        raise ServiceError("ValidationException", text)


@dataclass(frozen=True, slots=True)
class _Deployed:
    """What an update brings when it is there.

    Args:
        wishes: Counts of the variants that there were; empty: as they are then.
    """

    config: dict[str, Any]
    delivery: Delivery
    keeps_weights: bool
    wishes: list[tuple[Hosted, int]]


class Updates:
    """Brings endpoints from one configuration to another."""

    def __init__(self, hosting: Hosting) -> None:
        self._hosting = hosting

    def update(self, hosted: Hosted, config: dict[str, Any], *, keep_capacity: bool, keep_weights: bool) -> None:
        """Bring a new configuration to a serving endpoint; until it is there the old one serves.

        Variants are known by their names: those of both go on, others come and go when it is there.

        Raises:
            ServiceError: instances would become serverless or are more than the quota, or a variant is a scalable
                target and would be removed or get another instance type, or the emulator cannot host this.
        """
        delivery = self._check_update(hosted, config)
        # The endpoint's own part is that of its first variant, wherever the new configuration has it.
        config = config | {
            "ProductionVariants": sorted(
                config["ProductionVariants"], key=lambda each: each["VariantName"] != hosted.variant_name
            )
        }
        begins_instances = kind_of(config) != hosted.kind
        if begins_instances:
            self._hosting.check_quota(config)
        parts = {part["ProductionVariants"][0]["VariantName"]: part for part in by_variant(config)}
        wishes = []
        for one in hosted.variants:
            part, before = parts.get(one.variant_name), 0 if begins_instances else one.desired
            count = 0 if part is None else initial_count(part)
            if part is not None and keep_capacity and not begins_instances:
                count = before
            wishes.append((one, count))
            one.change = Change(before, count, self._hosting.site.utc_ns())
        if not begins_instances:
            self._hosting.check_counts(wishes)
        hosted.pending = Deployment(config, self._hosting.site.utc_ns())
        self._hosting.touch(hosted)
        deployed = _Deployed(config, delivery, keep_weights, [] if keep_capacity else wishes)
        self._hosting.after_deploy_time(lambda: self._finish_update(hosted, deployed))
        self._hosting.test_notify(hosted)

    def _check_update(self, hosted: Hosted, config: dict[str, Any]) -> Delivery:
        if hosted.kind != "serverless" and kind_of(config) == "serverless":
            text = f"Endpoint {hosted.name} has instances: it cannot be updated to a serverless configuration."
            raise ServiceError("ValidationException", text)  # source: developer guide, "Update a serverless endpoint"
        if (hosted.kind, kind_of(config)) not in _UPDATES:
            raise unsupported("an update to another kind of endpoint: delete it and create it again")
        delivery = delivery_of(config, self._hosting.site)
        coming = {variant["VariantName"]: variant for variant in config["ProductionVariants"]}
        for one in hosted.variants:
            variant = coming.get(one.variant_name)
            if variant is None or variant.get("InstanceType") != one.variant.get("InstanceType"):
                self._refuse_if_scaled(one)
                if any(component.variant_name == one.variant_name for component in hosted.components.values()):
                    raise unsupported("an update of the instances under inference components: delete these first")
        if hosted.variant_name not in coming:
            raise unsupported("an update that removes or renames the first variant")
        if hosted.components and any("ModelName" in variant for variant in coming.values()):
            raise unsupported("an update of an endpoint of inference components to models of its variants")
        self._hosting.check_topics(delivery)
        return delivery

    def reconfigure(self, hosted: Hosted, changes: Mapping[str, int]) -> None:
        """Give a serverless endpoint another MaxConcurrency or ProvisionedConcurrency; what is warm stays so.

        Raises:
            ServiceError: more provisioned than can run at a time.
        """
        variant = hosted.variant | {"ServerlessConfig": hosted.variant["ServerlessConfig"] | dict(changes)}
        wanted = serverless_of(variant, self._hosting.emulated)
        config = hosted.config | {"ProductionVariants": [variant]}
        hosted.pending = Deployment(config, self._hosting.site.utc_ns())
        hosted.change = Change(0, 0, self._hosting.site.utc_ns())
        self._hosting.touch(hosted)

        def finish() -> None:
            assert isinstance(hosted.fleet, ServerlessEndpoint), "it is not updated to another kind meanwhile"
            hosted.pending, hosted.config = None, config
            hosted.fleet.adjust(wanted)
            self._hosting.touch(hosted)
            self._hosting.settle([hosted])

        self._hosting.after_deploy_time(finish)

    def _finish_update(self, hosted: Hosted, deployed: "_Deployed") -> None:
        if isinstance(hosted.fleet, ServerlessEndpoint):
            self._finish_serverless_update(hosted, deployed.config, hosted.fleet)
            return
        if any(one.is_resized for one in hosted.variants):  # where updates need not serialise: that goes first
            self._hosting.after_deploy_time(lambda: self._finish_update(hosted, deployed))
            return
        hosted.pending, hosted.delivery = None, deployed.delivery
        parts = {part["ProductionVariants"][0]["VariantName"]: part for part in by_variant(deployed.config)}
        wishes = [(one, count) for one, count in deployed.wishes if one.variant_name in parts]
        counts = {one.variant_name: count for one, count in wishes}
        for one in hosted.variants:
            part = parts.pop(one.variant_name, None)
            if part is None:
                self._remove_variant(hosted, one)
                continue
            before, one.config = one.config, part
            slots = concurrency(part, self._hosting.emulated)
            if slots != concurrency(before, self._hosting.emulated) and isinstance(one.fleet, Endpoint):
                one.fleet.renew(slots, counts.get(one.variant_name, one.desired))
            if not deployed.keeps_weights:
                one.weight = one.variant.get("InitialVariantWeight", 1.0)
        for part in parts.values():
            self._add_variant(hosted, part)
        self._hosting.touch(hosted)
        self._hosting.set_counts(hosted, wishes, "UpdateEndpoint")
        self._hosting.settle(hosted.variants)

    def _add_variant(self, hosted: Hosted, part: dict[str, Any]) -> None:
        now_ns, variant = self._hosting.site.utc_ns(), part["ProductionVariants"][0]
        weight = variant.get("InitialVariantWeight", 1.0)
        added = Hosted(hosted.name, part, hosted.delivery, now_ns, now_ns, weight, logs=hosted.logs)
        hosted.others.append(added)
        self._hosting.launch_variant(added, is_further=True)

    def _remove_variant(self, hosted: Hosted, one: Hosted) -> None:
        """What it runs ends as it would have."""
        hosted.others = [other for other in hosted.others if other is not one]
        one.is_deleted = True
        self._hosting.world.remove_variant(one.name, one.variant_name)

    def _finish_serverless_update(self, hosted: Hosted, config: dict[str, Any], fleet: ServerlessEndpoint) -> None:
        hosted.pending, hosted.config = None, config
        if hosted.kind == "serverless":
            fleet.replace(serverless_of(hosted.variant, self._hosting.emulated))
            self._hosting.touch(hosted)
            self._hosting.settle([hosted])
            return
        self._hosting.world.remove_endpoint(hosted.name)  # what it runs ends as it would have
        self._hosting.launch_variant(hosted, is_further=False)

    def _refuse_if_scaled(self, hosted: Hosted) -> None:
        """Source: developer guide, "Update endpoints that use auto scaling"."""
        if self._hosting.world.scaler.describe_targets([resource_id_of(hosted.name, hosted.variant_name)]):
            text = (
                f'The variant(s) "{hosted.variant_name}" must be deregistered as scalable targets with AWS Application '
                "Auto Scaling before they can be removed or have their instance type updated."
            )
            raise ServiceError("ValidationException", text)
