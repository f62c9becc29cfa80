"""An observation about a run: and what detectors look at to find one."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from smbench.analysis.capacity.elasticity import Elasticity
from smbench.analysis.capacity.hosts import HostSpread
from smbench.analysis.capacity.scaling import ScalingStep
from smbench.analysis.capacity.system import System
from smbench.analysis.numbers.bounds import Distribution
from smbench.analysis.rows.frames import Frames
from smbench.records import Unknown
from smbench.results.law import Counts


class Observation(BaseModel):
    """One notable thing: what was seen, what to do about it, and when it began, seconds of the run."""

    model_config = ConfigDict(frozen=True)

    name: str
    seen: str
    advice: str = ""
    at_s: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What detectors look at: a run, and what is known of it already."""

    frames: Frames
    system: System
    counts: Counts  # without warm-up phases
    steps: tuple[ScalingStep, ...]
    service: Distribution  # reconstructed; empty where it is unknown
    elasticity: Elasticity | Unknown
    host_spread: HostSpread | Unknown
