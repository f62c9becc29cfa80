"""All pictures of a run: in the order in which a page shows them."""

from dataclasses import dataclass

from smbench.analysis.capacity.instances import capacity
from smbench.analysis.latency.over_time import unserved_share
from smbench.analysis.numbers.known import known
from smbench.analysis.rows.frames import Frames
from smbench.analysis.summary import Summary
from smbench.view.page import latency_plots, load_plots, system_plots
from smbench.view.page.pictures import Picture


@dataclass(frozen=True, slots=True)
class Gallery:
    """Each None where there is nothing to draw."""

    rates: Picture | None
    lag: Picture | None
    latency: Picture | None
    percentiles: Picture | None
    stages: Picture | None
    clocks: Picture | None
    system: Picture | None

    def shown(self) -> list[Picture]:
        """Those there are, in the order of the page."""
        every = (self.rates, self.lag, self.latency, self.percentiles, self.stages, self.clocks, self.system)
        return [picture for picture in every if picture is not None]


def gallery(frames: Frames, summary: Summary) -> Gallery:
    """What is worth drawing of a run; nothing is drawn yet."""
    served = known(capacity(frames))
    return Gallery(
        rates=load_plots.rates(frames, summary),
        lag=load_plots.lag(frames, summary),
        latency=latency_plots.latency(frames, summary, None if served is None else unserved_share(frames, served)),
        percentiles=latency_plots.percentiles(frames, summary),
        stages=latency_plots.stages(summary),
        clocks=latency_plots.clocks(frames, summary),
        system=system_plots.system(frames, summary, served),
    )
