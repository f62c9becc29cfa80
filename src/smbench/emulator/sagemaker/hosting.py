"""Endpoints as SageMaker hosts them: a configuration, a modelled fleet, and test messages at every change."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smbench.emulator.logs import LogStream
from smbench.emulator.messaging.sns import Sns
from smbench.emulator.protocol.codecs import ServiceError
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
from smbench.emulator.sagemaker.notifications import TEST_NOTIFICATION
from smbench.emulator.site import Site
from smbench.model.endpoints.endpoint import CapacityChange, Endpoint, EndpointSettings, over_quota
from smbench.model.endpoints.serverless import ServerlessEndpoint
from smbench.model.scaling.scaler import UnknownTarget
from smbench.model.service import Sampler
from smbench.model.world import World, resource_id_of
from smbench.scenario.emulated import Emulated
from smbench.scenario.values.seeds import stream

_LOG_GROUPS = "/aws/sagemaker/Endpoints/"
_SERVING_BEFORE_NS = 3_600_000_000_000  # an endpoint that is there already has served for an hour
# From a kind to a kind. The guide's "Update a serverless endpoint" excludes instances to serverless, not the way back.
_UPDATES = {("async", "async"), ("realtime", "realtime"), ("serverless", "serverless"), ("serverless", "realtime")}


@dataclass(frozen=True, slots=True)
class Change:
    """A capacity change under way."""

    before: int
    after: int
    start_utc_ns: int


@dataclass(frozen=True, slots=True)
class Deployment:
    """A configuration on its way to an endpoint."""

    config: dict[str, Any]
    start_utc_ns: int

    @property
    def config_name(self) -> str:
        """Its name."""
        return str(self.config["EndpointConfigName"])


@dataclass(slots=True)
class Hosted:
    """One endpoint. `fleet` is None until its first instances serve."""

    name: str
    config: dict[str, Any]
    delivery: Delivery
    created_utc_ns: int
    modified_utc_ns: int
    weight: float = 1.0
    fleet: Endpoint | ServerlessEndpoint | None = None
    pending: Deployment | None = None
    change: Change | None = None
    is_deleted: bool = False
    failure: str = ""  # why it never came into service
    logs: dict[str, LogStream] = field(default_factory=dict)  # `<variant>/<instance id>`
    components: dict[str, dict[str, Any]] = field(default_factory=dict)  # inference components, as they are described
    others: "list[Hosted]" = field(default_factory=list)  # of further variants, each as an endpoint of one

    @property
    def config_name(self) -> str:
        """The name of the configuration it runs."""
        return str(self.config["EndpointConfigName"])

    @property
    def kind(self) -> str:
        """`async`, `serverless` or `realtime`, as its configuration has it."""
        return kind_of(self.config)

    @property
    def variant(self) -> dict[str, Any]:
        """The first production variant of its configuration."""
        variant: dict[str, Any] = self.config["ProductionVariants"][0]
        return variant

    @property
    def variant_name(self) -> str:
        """The name of that variant."""
        return str(self.variant["VariantName"])

    @property
    def status(self) -> str:
        """As DescribeEndpoint says it: Creating, Updating, InService, Failed."""
        if self.fleet is None:
            return "Failed" if self.failure else "Creating"
        if self.pending is not None:
            return "Updating"
        if any(other.status != "InService" for other in self.others):
            return "Updating"
        return self.fleet.status if isinstance(self.fleet, Endpoint) else "InService"

    @property
    def variants(self) -> "list[Hosted]":
        """Itself for its first variant, and those of the others."""
        return [self, *self.others]

    def of_variant(self, name: str) -> "Hosted | None":
        """The part that is this variant."""
        return next((one for one in self.variants if one.variant_name == name), None)

    @property
    def current(self) -> int:
        """Instances there are now; 0 while it is being created, and where there are none."""
        return self.fleet.current if isinstance(self.fleet, Endpoint) else 0

    @property
    def desired(self) -> int:
        """Instances asked for; the initial count while it is being created."""
        return self.fleet.desired if isinstance(self.fleet, Endpoint) else initial_count(self.config)


class Hosting:
    """Every endpoint of one emulator. What a scenario says of the emulated endpoint holds for each of them.

    Args:
        emulated: Laws and faults for endpoints that API calls make.
    """

    def __init__(
        self,
        site: Site,
        world: World,
        sns: Sns,
        emulated: Emulated,
        base_dir: Path | None = None,
    ) -> None:
        self.site, self.world, self.sns = site, world, sns
        self.emulated, self.base_dir = emulated, base_dir
        self.endpoints: dict[str, Hosted] = {}
        self.on_launch: list[Callable[[Hosted], None]] = []
        self._failures = stream(world.seeds.faults, "faults.provision_failures.deployments")
        self._deploy_time = Sampler(emulated.provision, stream(world.seeds.capacity, "deployments"), base_dir)

    def create(self, name: str, config: dict[str, Any]) -> None:
        """Begin to host; the endpoint serves after one provisioning time.

        Raises:
            ServiceError: the emulator cannot host such a configuration.
        """
        self._check_topics(delivery_of(config, self.site))
        self._check_quota(config)
        hosted = self._hosted(name, config)
        hosted.pending = Deployment(config, hosted.created_utc_ns)
        for one in hosted.variants:
            one.change = Change(0, initial_count(one.config), hosted.created_utc_ns)
        self._after_deploy_time(lambda: self._launch(hosted))
        self.test_notify(hosted)

    def adopt(self, name: str, config: dict[str, Any], fleet: Endpoint | ServerlessEndpoint) -> None:
        """Host a fleet that serves already: the scenario's own endpoint."""
        self._attach(self._hosted(name, config), fleet, for_ns=_SERVING_BEFORE_NS)

    def update(self, hosted: Hosted, config: dict[str, Any], *, keep_capacity: bool) -> None:
        """Bring a new configuration to a serving endpoint; until it is there the old one serves.

        Raises:
            ServiceError: instances would become serverless or are more than the quota, or the endpoint's variant is a
                scalable target and would be removed or get another instance type, or the emulator cannot host this.
        """
        if hosted.kind != "serverless" and kind_of(config) == "serverless":
            text = f"Endpoint {hosted.name} has instances: it cannot be updated to a serverless configuration."
            raise ServiceError("ValidationException", text)  # source: developer guide, "Update a serverless endpoint"
        if (hosted.kind, kind_of(config)) not in _UPDATES:
            raise unsupported("an update to another kind of endpoint: delete it and create it again")
        if hosted.others or len(config["ProductionVariants"]) > 1:
            raise unsupported("an update of an endpoint of several variants, or to one")
        delivery = delivery_of(config, self.site)
        variant = config["ProductionVariants"][0]
        is_renamed = variant["VariantName"] != hosted.variant_name
        if is_renamed or variant.get("InstanceType") != hosted.variant.get("InstanceType"):
            self._refuse_if_scaled(hosted)
        if is_renamed:
            raise unsupported("an update that renames the variant")
        if concurrency(config, self.emulated) != concurrency(hosted.config, self.emulated):
            raise unsupported("an update that changes MaxConcurrentInvocationsPerInstance")
        self._check_topics(delivery)
        begins_instances = kind_of(config) != hosted.kind
        if begins_instances:
            self._check_quota(config)
        hosted.pending = Deployment(config, self.site.utc_ns())
        count = hosted.desired if keep_capacity and not begins_instances else initial_count(config)
        hosted.change = Change(0 if begins_instances else hosted.desired, count, self.site.utc_ns())
        self._touch(hosted)
        self._after_deploy_time(lambda: self._finish_update(hosted, config, delivery, count))
        self.test_notify(hosted)

    def resize(self, hosted: Hosted, count: int) -> None:
        """Ask for another number of instances; the test messages follow from the change itself.

        Raises:
            UpdateInProgress: a change is under way and the scenario has them serialise.
            QuotaReached: the account may not have so many.
        """
        if not isinstance(hosted.fleet, Endpoint):
            raise unsupported("a change of a serverless endpoint's capacity")
        before = hosted.desired
        hosted.fleet.set_desired(count, "UpdateEndpointWeightsAndCapacities")
        if count == before:
            self.test_notify(hosted)  # SageMaker accepts the call, changes nothing, and still sends them

    def delete(self, hosted: Hosted) -> None:
        """Gone at once; what was queued or running is dropped without a message."""
        hosted.is_deleted = True
        del self.endpoints[hosted.name]
        for one in hosted.variants:
            one.is_deleted = True
            with suppress(UnknownTarget):
                self.world.scaler.deregister(resource_id_of(one.name, one.variant_name))
        if hosted.fleet is not None:  # one that never came up is not in the world
            self.world.remove_endpoint(hosted.name)

    def test_notify(self, hosted: Hosted) -> None:
        """Tell both topics that messages can reach them; one that was deleted meanwhile is passed over."""
        for topic in hosted.delivery.topics:
            with suppress(ServiceError):
                self.sns.publish(topic, TEST_NOTIFICATION)

    def _refuse_if_scaled(self, hosted: Hosted) -> None:
        """Source: developer guide, "Update endpoints that use auto scaling"."""
        if self.world.scaler.describe_targets([resource_id_of(hosted.name, hosted.variant_name)]):
            text = (
                f'The variant(s) "{hosted.variant_name}" must be deregistered as scalable targets with AWS Application '
                "Auto Scaling before they can be removed or have their instance type updated."
            )
            raise ServiceError("ValidationException", text)

    def _check_topics(self, delivery: Delivery) -> None:
        for topic in delivery.topics:
            if not self.sns.exists(topic):
                text = f'SNS topic "{topic}" does not exist, or SageMaker is not authorized to publish to it.'
                raise ServiceError("ValidationException", text)

    def _hosted(self, name: str, config: dict[str, Any]) -> Hosted:
        now_ns = self.site.utc_ns()
        delivery = delivery_of(config, self.site)
        hosted, *hosted_too = (
            Hosted(name, part, delivery, now_ns, now_ns, variant.get("InitialVariantWeight", 1.0))
            for part, variant in zip(by_variant(config), config["ProductionVariants"], strict=True)
        )
        hosted.others = hosted_too
        for other in hosted_too:
            other.logs = hosted.logs
        self.endpoints[name] = hosted
        return hosted

    def _check_quota(self, config: dict[str, Any]) -> None:
        quota = self.emulated.faults.instance_quota
        if quota is None or kind_of(config) == "serverless":
            return
        hosted = [one for endpoint in self.endpoints.values() for one in endpoint.variants]
        n_used = sum(one.desired for one in hosted if one.kind != "serverless")
        n_more = sum(initial_count(part) for part in by_variant(config))
        if n_used + n_more > quota:
            raise ServiceError("ResourceLimitExceeded", over_quota(quota, n_used, n_more))

    def _launch(self, hosted: Hosted) -> None:
        hosted.pending = None
        failures = self._failures.random(initial_count(hosted.config))
        if hosted.kind != "serverless" and (failures < self.emulated.faults.provision_failures).any():
            hosted.failure = (
                f"The primary container for production variant {hosted.variant_name} did not pass the ping health "
                "check. Please check CloudWatch logs for this endpoint."
            )
            self._touch(hosted)
            return
        for one in hosted.variants:
            self._launch_variant(one, is_further=one is not hosted)

    def _launch_variant(self, hosted: Hosted, *, is_further: bool) -> None:
        settings = EndpointSettings.of(
            self.emulated,
            name=hosted.name,
            variant=hosted.variant_name,
            concurrency=concurrency(hosted.config, self.emulated),
            is_synchronous=hosted.kind != "async",
            base_dir=self.base_dir,
        )
        if hosted.kind == "serverless":
            serverless = serverless_of(hosted.variant, self.emulated)
            self._attach(hosted, self.world.add_serverless(settings, serverless))
            return
        count = initial_count(hosted.config)
        fleet = self.world.add_endpoint(settings, instances_at_start=count, is_further_variant=is_further)
        self._attach(hosted, fleet)

    def logs(self, group: str) -> Mapping[str, LogStream] | None:
        """The streams of an endpoint's containers, of those that are gone too; None for another group."""
        name = group.removeprefix(_LOG_GROUPS)
        hosted = self.endpoints.get(name) if name != group else None
        return None if hosted is None else hosted.logs

    def _attach(self, hosted: Hosted, fleet: Endpoint | ServerlessEndpoint, for_ns: int = 0) -> None:
        hosted.fleet = fleet
        self._touch(hosted)
        if isinstance(fleet, Endpoint):
            for instance in range(fleet.in_service):
                self._begin_log(hosted, instance, self.site.utc_ns() - for_ns)
            fleet.on_capacity.append(lambda change: self._on_capacity(hosted, change))
        for launched in self.on_launch:
            launched(hosted)

    def _on_capacity(self, hosted: Hosted, change: CapacityChange) -> None:
        if hosted.is_deleted:
            return
        self._touch(hosted)
        if change.kind == "in_service" and change.instance is not None:
            self._begin_log(hosted, change.instance, self.site.utc_ns(change.at_ns))
        if change.kind == "desired":
            hosted.change = Change(change.desired_before, change.desired_after, self.site.utc_ns(change.at_ns))
            self.test_notify(hosted)

    @staticmethod
    def _begin_log(hosted: Hosted, instance: int, at_utc_ns: int) -> None:
        """A container's log begins when it serves; the model knows nothing of it before."""
        hosted.logs[f"{hosted.variant_name}/i-{instance:017x}"] = LogStream(at_utc_ns)

    def _finish_update(self, hosted: Hosted, config: dict[str, Any], delivery: Delivery, count: int) -> None:
        fleet = hosted.fleet
        if isinstance(fleet, ServerlessEndpoint):
            self._finish_serverless_update(hosted, config, fleet)
            return
        assert fleet is not None, "only a serving endpoint is updated"
        if fleet.is_updating:  # a scaling action came between: it goes first
            self._after_deploy_time(lambda: self._finish_update(hosted, config, delivery, count))
            return
        hosted.pending, hosted.config, hosted.delivery = None, config, delivery
        self._touch(hosted)
        if count != hosted.desired:
            fleet.set_desired(count, "UpdateEndpoint")

    def _finish_serverless_update(self, hosted: Hosted, config: dict[str, Any], fleet: ServerlessEndpoint) -> None:
        hosted.pending, hosted.config = None, config
        if hosted.kind == "serverless":
            fleet.replace(serverless_of(hosted.variant, self.emulated))
            self._touch(hosted)
            return
        self.world.remove_endpoint(hosted.name)  # what it runs ends as it would have
        self._launch_variant(hosted, is_further=False)

    def _after_deploy_time(self, action: Callable[[], None]) -> None:
        delay_ns = round(self._deploy_time.draw_s() * 1e9)
        self.site.event_queue.at(self.site.now_ns + delay_ns, action)

    def _touch(self, hosted: Hosted) -> None:
        hosted.modified_utc_ns = self.site.utc_ns()
