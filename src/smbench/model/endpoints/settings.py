"""Settings that an endpoint is made with: by a scenario or by an API call."""

from dataclasses import dataclass
from pathlib import Path

from smbench.scenario.emulated import Emulated, OpenQuestions
from smbench.scenario.faults import Faults
from smbench.scenario.values.distributions import Distribution, ServiceLaw


@dataclass(slots=True)
class EndpointSettings:
    """Everything about an endpoint but its capacity limits, which belong to the scalable target."""

    name: str
    variant: str
    concurrency: int
    service: ServiceLaw
    provision: Distribution
    provision_common: Distribution  # drawn once a capacity change, beside each instance's own
    remove: Distribution
    faults: Faults
    open_questions: OpenQuestions
    service_spread: float = 0.0
    host_speeds: tuple[float, ...] = ()  # of the first launched, over the average
    base_dir: Path | None = None
    is_synchronous: bool = False
    waiting_max: int | None = None  # requests that may wait for an instance; None: any number

    @classmethod
    def of(
        cls,
        emulated: Emulated,
        *,
        name: str,
        variant: str,
        concurrency: int | None = None,
        is_synchronous: bool = False,
        base_dir: Path | None = None,
    ) -> "EndpointSettings":
        """The settings that a scenario describes; `concurrency` where something else says it."""
        return cls(
            name=name,
            variant=variant,
            concurrency=emulated.instances.concurrency if concurrency is None else concurrency,
            service=emulated.service,
            provision=emulated.provision,
            remove=emulated.remove,
            faults=emulated.faults,
            open_questions=emulated.open_questions,
            service_spread=emulated.service_spread,
            host_speeds=emulated.host_speeds,
            provision_common=emulated.provision_common,
            base_dir=base_dir,
            is_synchronous=is_synchronous,
            waiting_max=emulated.waiting if is_synchronous else None,
        )
