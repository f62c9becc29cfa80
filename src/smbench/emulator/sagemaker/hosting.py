"""Endpoints as SageMaker hosts them: a configuration, a modelled fleet, and test messages at every change."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
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
)
from smbench.emulator.sagemaker.hosted import Change, Deployment, Hosted
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
        self.on_delete: list[Callable[[Hosted], None]] = []
        self._failures = stream(world.seeds.faults, "faults.provision_failures.deployments")
        self._deploy_time = Sampler(emulated.provision, stream(world.seeds.capacity, "deployments"), base_dir)

    def create(self, name: str, config: dict[str, Any]) -> None:
        """Begin to host; the endpoint serves after one provisioning time.

        Raises:
            ServiceError: the emulator cannot host such a configuration.
        """
        self.check_topics(delivery_of(config, self.site))
        self.check_quota(config)
        hosted = self._hosted(name, config)
        hosted.pending = Deployment(config, hosted.created_utc_ns)
        for one in hosted.variants:
            one.change = Change(0, initial_count(one.config), hosted.created_utc_ns)
        self.after_deploy_time(lambda: self._launch(hosted))
        self.test_notify(hosted)

    def adopt(self, name: str, config: dict[str, Any], fleet: Endpoint | ServerlessEndpoint) -> None:
        """Host a fleet that serves already: the scenario's own endpoint."""
        self.attach(self._hosted(name, config), fleet, for_ns=_SERVING_BEFORE_NS)

    def resize(self, hosted: Hosted, wishes: Sequence[tuple[Hosted, int]]) -> None:
        """Ask for other numbers of instances; the test messages follow from the changes themselves.

        Args:
            wishes: Variants of the endpoint and the counts they shall have; all of them are set, or none.

        Raises:
            UpdateInProgress: a change is under way and the scenario has them serialise.
            QuotaReached: the account may not have so many.
        """
        self.check_counts(wishes)
        before = [one.desired for one, _ in wishes]
        self.set_counts(hosted, wishes, "UpdateEndpointWeightsAndCapacities")
        if before == [count for _, count in wishes]:
            self.test_notify(hosted)  # SageMaker accepts the call, changes nothing, and still sends them

    @staticmethod
    def check_counts(wishes: Sequence[tuple[Hosted, int]]) -> None:
        """Raises as `resize`."""
        for one, count in wishes:
            if isinstance(one.fleet, Endpoint):
                one.fleet.check_desired(count)

    @staticmethod
    def set_counts(hosted: Hosted, wishes: Sequence[tuple[Hosted, int]], cause: str) -> None:
        hosted.is_resizing = True  # one variant's change is no reason to refuse the next
        try:
            for one, count in wishes:
                if isinstance(one.fleet, Endpoint) and count != one.desired:
                    one.fleet.set_desired(count, cause)
        finally:
            hosted.is_resizing = False

    def delete(self, hosted: Hosted) -> None:
        """Gone at once; what was queued or running is dropped without a message."""
        for forget in self.on_delete:
            forget(hosted)
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

    def check_topics(self, delivery: Delivery) -> None:
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

    def check_quota(self, config: dict[str, Any]) -> None:
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
            self.touch(hosted)
            return
        for one in hosted.variants:
            self.launch_variant(one, is_further=one is not hosted)

    def launch_variant(self, hosted: Hosted, *, is_further: bool) -> None:
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
            self.attach(hosted, self.world.add_serverless(settings, serverless))
            return
        count = initial_count(hosted.config)
        fleet = self.world.add_endpoint(settings, instances_at_start=count, is_further_variant=is_further)
        self.attach(hosted, fleet)

    def logs(self, group: str) -> Mapping[str, LogStream] | None:
        """The streams of an endpoint's containers, of those that are gone too; None for another group."""
        name = group.removeprefix(_LOG_GROUPS)
        hosted = self.endpoints.get(name) if name != group else None
        return None if hosted is None else hosted.logs

    def log_groups(self) -> list[str]:
        """The groups of all endpoints, whether anything was written yet or not."""
        return [f"{_LOG_GROUPS}{name}" for name in self.endpoints]

    def attach(self, hosted: Hosted, fleet: Endpoint | ServerlessEndpoint, for_ns: int = 0) -> None:
        """Let a fleet serve what is hosted: a variant, or the copies of an inference component."""
        hosted.fleet = fleet
        self.touch(hosted)
        if isinstance(fleet, Endpoint):
            for instance in range(fleet.in_service):
                self._begin_log(hosted, instance, self.site.utc_ns() - for_ns)
            fleet.on_capacity.append(lambda change: self._on_capacity(hosted, change))
            fleet.is_busy_elsewhere = partial(self._is_busy, hosted)
        else:
            fleet.provisioned.on_capacity.append(partial(self._on_provisioned, hosted))
            fleet.provisioned.is_busy_elsewhere = lambda: hosted.pending is not None
        for launched in self.on_launch:
            launched(hosted)

    def _on_capacity(self, hosted: Hosted, change: CapacityChange) -> None:
        if hosted.is_deleted:
            return
        self.touch(hosted)
        if change.kind == "in_service" and change.instance is not None:
            self._begin_log(hosted, change.instance, self.site.utc_ns(change.at_ns))
        if change.kind == "desired":
            hosted.change = Change(change.desired_before, change.desired_after, self.site.utc_ns(change.at_ns))
            self.test_notify(hosted)
        if not hosted.is_resized and (endpoint := self.endpoints.get(hosted.name)) is not None:
            self.settle([other for other in endpoint.variants if other is not hosted])

    def _on_provisioned(self, hosted: Hosted, change: CapacityChange) -> None:
        """Auto Scaling has changed a serverless endpoint's ServerlessConfig, or the change is there."""
        if hosted.is_deleted:
            return
        serverless = hosted.variant["ServerlessConfig"] | {"ProvisionedConcurrency": change.desired_after}
        config = hosted.config | {"ProductionVariants": [hosted.variant | {"ServerlessConfig": serverless}]}
        if change.kind == "desired":
            hosted.pending = Deployment(config, self.site.utc_ns(change.at_ns))
            hosted.change = Change(0, 0, self.site.utc_ns(change.at_ns))
        else:
            hosted.pending, hosted.config = None, config
        self.touch(hosted)

    @staticmethod
    def _begin_log(hosted: Hosted, instance: int, at_utc_ns: int) -> None:
        """A container's log begins when it serves; the model knows nothing of it before."""
        hosted.logs[f"{hosted.variant_name}/i-{instance:017x}"] = LogStream(at_utc_ns)

    def settle(self, variants: Sequence[Hosted]) -> None:
        for one in variants:
            self.world.scaler.settle(resource_id_of(one.name, one.variant_name))

    def _is_busy(self, one: Hosted) -> bool:
        """Whether SageMaker is at something else of the endpoint than this variant's instances."""
        hosted = self.endpoints.get(one.name)
        if hosted is None or hosted.is_resizing:
            return False
        return hosted.pending is not None or any(other.is_resized for other in hosted.variants if other is not one)

    def after_deploy_time(self, action: Callable[[], None]) -> None:
        delay_ns = round(self._deploy_time.draw_s() * 1e9)
        self.site.event_queue.at(self.site.now_ns + delay_ns, action)

    def touch(self, hosted: Hosted) -> None:
        hosted.modified_utc_ns = self.site.utc_ns()
