"""Capacity against demand: too little, too much, too late, too often. Source: science.md 2.2 and 2.4.

Shares are 0..1. What needs the service time, or the slots of an instance, is None where these are not known.
"""

from pydantic import BaseModel, ConfigDict

from smbench.analysis.bounds import Bounded, Distribution


class Provisioning(BaseModel):
    """Instances that served against instances needed, sampled each second.

    Needed are the arrivals of a trailing window, per second, times the mean service, over the slots of an instance,
    rounded up: what would keep pace, whatever the backlog.
    """

    model_config = ConfigDict(frozen=True)

    window_s: float
    service_s: float
    concurrency: int
    under_instances: float  # a_U: too few, the mean over time
    over_instances: float  # a_O: too many
    under_share: float  # theta_U: too few, over those needed, at least one
    over_share: float  # theta_O: too many, likewise; large where little is needed, so see the next
    idle_share: float | None  # omega_O: too many, over those that served; None: none ever served
    under_time_share: float  # tau_U: of the time, with too few
    over_time_share: float  # tau_O
    under_time_share_needed: float | None  # the same two over the time in which any was needed
    over_time_share_needed: float | None
    instability: float | None  # upsilon: of the seconds, those in which supply and need went different ways
    why_no_instability: str = ""
    reaction: Distribution  # from too few to enough, each time


class Elasticity(BaseModel):
    """How capacity followed load."""

    model_config = ConfigDict(frozen=True)

    instances_mean: float
    instances_max: int
    provisioning: Provisioning | None
    why_no_provisioning: str = ""
    detection_s: float | None  # from breach to decision, the mean of the scale-outs
    provision_s: float | None  # from decision to capacity that serves, likewise
    utilisation: float | None  # slot-seconds worked over those there were
    throughput_hz: float  # completions over time
    throughput_bound_hz: float | None  # all slots always busy
    time_to_drain: Bounded | None  # from the peak of the backlog until it fitted into the slots
    drain_bound_s: float | None  # after the last send, had every slot been busy
    drain_efficiency: float | None  # that over the time it took
    backlog_area_s: float | None  # request-seconds waited for a slot
    oscillations: int  # scale-ins soon undone
    oscillations_per_hour: float
    oscillation_window_s: float
    hole_s: float  # with requests in the system and no instance serving
    hole_longest_s: float
    hole_at_s: float | None  # where the longest began
