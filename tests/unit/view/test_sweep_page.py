"""Goal: the titles of a sweep's pictures name the cheapest and the slowest of all configurations, drawn or not.

Method: groups made by hand, one of which has no point in a picture.
"""

from typing import Any

import numpy as np
import pytest

from smbench.analysis.numbers.bounds import Bounded
from smbench.sweeping.figures import Figures
from smbench.sweeping.ranking import Group
from smbench.view.page.sweep_page import cost_picture, density_picture, latency_picture, shares_within

UNKNOWN: dict[str, Any] = {
    **dict.fromkeys(("iqr_s", "mean_s", "throughput", "usd", "usd_day", "kept")),
    "verdict": "valid", "missed": (), "n": 9, "completed": 9, "errors": {}, "usd_why": "",
}  # fmt: skip


def group(name: str, p95: Bounded, usd: float, **more: Any) -> Group:
    latencies = dict.fromkeys(("p50", "p95", "p99"), p95)
    figures = Figures.model_validate({**UNKNOWN, **latencies, "usd_per_1000": usd, **more})
    return Group(name, "load", {}, {1: figures})


GROUPS = [
    group("a", Bounded.exactly(1.0), 2.0),
    group("b", Bounded.exactly(3.0), 4.0),
    group("never", Bounded(low=0.5, high=None), 1.0),
    group("invalid", Bounded.exactly(9.0), 0.1, verdict="invalid"),
]


@pytest.mark.slow
def test_the_cheapest_and_the_slowest_need_no_point_in_the_picture() -> None:
    cost, latency = cost_picture("load", GROUPS), latency_picture("load", GROUPS)
    assert cost is not None
    assert latency is not None
    assert (cost.title, latency.title) == ("load: cheapest is never", "load: slowest by p95 is never")


@pytest.mark.slow
def test_of_runs_that_say_nothing_none_is_the_cheapest_or_the_slowest() -> None:
    unfit = [group(name, Bounded.exactly(1.0), 2.0, verdict="invalid") for name in "ab"]
    cost, latency = cost_picture("load", unfit), latency_picture("load", unfit)
    assert cost is not None
    assert latency is not None
    assert (cost.title, latency.title) == ("load: cost against latency", "load: latency")


def test_the_density_of_a_configuration_is_the_share_of_its_latencies_in_each_bin() -> None:
    even, late = tuple(k / 100 for k in range(101)), (1.0,) * 101
    edges_s = np.array([0.0, 0.25, 0.5, 1.0])
    assert shares_within([even], edges_s) == pytest.approx([0.25, 0.25, 0.5])
    assert shares_within([late], edges_s) == pytest.approx([0.0, 0.0, 1.0])
    assert shares_within([even, late], edges_s) == pytest.approx([0.125, 0.125, 0.75])


@pytest.mark.slow
def test_a_page_shows_the_density_of_each_configuration_in_which_something_completed() -> None:
    spread = tuple(0.5 + k / 100 for k in range(101))
    found = density_picture("load", [group("a", Bounded.exactly(1.0), 2.0, spread_s=spread), GROUPS[1]])
    assert found is not None
    assert "'configuration': 'a'" in str(found.draw(600))
    assert density_picture("load", GROUPS) is None
