"""An endpoint that SageMaker hosts: what it runs, what it is busy with, and how that is said."""

from dataclasses import dataclass, field
from typing import Any

from smbench.emulator.logs import LogStream
from smbench.emulator.sagemaker.configurations import Delivery, initial_count, kind_of
from smbench.emulator.site import utc_datetime
from smbench.model.endpoints.copies import CopyMetrics, Resources
from smbench.model.endpoints.endpoint import Endpoint
from smbench.model.endpoints.serverless import ServerlessEndpoint


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
    is_resizing: bool = False  # its variants get their counts at this very instant
    failure: str = ""  # why it never came into service
    logs: dict[str, LogStream] = field(default_factory=dict)  # `<variant>/<instance id>`
    components: "dict[str, Component]" = field(default_factory=dict)  # inference components of all its variants
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
    def is_resized(self) -> bool:
        """Whether instances of this variant are still to come or to leave."""
        return isinstance(self.fleet, Endpoint) and self.fleet.is_updating

    @property
    def current(self) -> int:
        """Instances there are now; 0 while it is being created, and where there are none."""
        return self.fleet.current if isinstance(self.fleet, Endpoint) else 0

    @property
    def desired(self) -> int:
        """Instances asked for; the initial count while it is being created."""
        return self.fleet.desired if isinstance(self.fleet, Endpoint) else initial_count(self.config)


@dataclass(slots=True)
class Component:
    """One inference component.

    Args:
        described: As Describe gives it back, but for what changes.
        part: Its copies, as if they were the instances of an endpoint.
        needs: Of each copy.
    """

    described: dict[str, Any]
    part: Hosted
    copies: Endpoint
    needs: Resources
    metrics: CopyMetrics
    is_created: bool = False  # its first copies have come up

    @property
    def variant_name(self) -> str:
        """The variant on whose instances it is."""
        return self.part.variant_name

    @property
    def status(self) -> str:
        """As DescribeInferenceComponent says it: Creating, Updating, InService."""
        if not self.copies.is_updating:
            return "InService"
        return "Updating" if self.is_created else "Creating"


def variant_status(hosted: Hosted) -> dict[str, Any]:
    """What a variant is busy with, in the console's words."""
    change = hosted.change
    assert change is not None, "only a changing endpoint has a status to explain"
    return {
        "Status": "Creating" if hosted.status == "Creating" else "Updating",
        "StatusMessage": _status_message(change),
        "StartTime": utc_datetime(change.start_utc_ns),
    }


def _status_message(change: Change) -> str:
    n = abs(change.after - change.before)
    if change.after > change.before:
        return f"Launching {n} instance(s)."
    return f"Terminating {n} instance(s)." if n else "Updating endpoint configuration."
