"""Goal: the choice among policies is by every objective in nine of ten replications, whatever a first look left behind.

Method: costs and figures of each policy and replication written by hand in the place of predictions.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from foretold import EPOCH_NS
from smbench.errors import UsageError
from smbench.prediction.advice import keeping
from smbench.prediction.space import Point, Space
from smbench.prediction.sweep import Foresee, Note, Question, Row, Sweep
from smbench.scenario.emulated import Emulated
from smbench.scenario.model import Scenario
from smbench.scenario.thresholds import parse_threshold
from smbench.schedule.plan import plan

Written = dict[int, Sequence[tuple[float, Sequence[float]]]]
"""By the least number of instances, which names a policy: cost and figures of each replication."""


def asked(written: Written, slo: Sequence[str]) -> tuple[Question, Space, Foresee]:
    n = len(written[0])
    scenario = Scenario.model_validate({"name": "written", "load": [{"constant": {"rate": "1/s", "for": "5s"}}]})
    schedule = plan(scenario, Path(), [1.0])
    question = Question(
        (scenario,) * n, (schedule,) * n, ("synthetic",), Path(), EPOCH_NS, tuple(map(parse_threshold, slo)), None
    )
    points = [
        Point({}, Emulated.model_validate({"instances": {"min": number, "max": 500}, "policies": []}))
        for number in written
    ]

    def foresee(number: int, endpoints: Sequence[Emulated]) -> Iterator[Note]:
        for emulated in endpoints:
            cost, figures = written[emulated.instances.min][number]
            yield Note(cost, list(figures), 1, ())

    return question, Space(tuple(points[1:]), points[0], 0), foresee


def kept(written: Written, slo: Sequence[str]) -> tuple[Sweep, list[Row]]:
    question, space, foresee = asked(written, slo)
    return keeping(question, space, foresee=foresee)


@pytest.mark.parametrize("seed", range(20))
def test_the_cheapest_that_keeps_every_objective_is_found_whatever_the_first_look_left_behind(seed: int) -> None:
    chance = np.random.default_rng(seed)
    written: Written = {}
    for number in range(30):
        cost, own = chance.uniform(1, 10), chance.exponential(40, 3)
        written[number] = [(cost, list(own * chance.uniform(0.8, 1.25, 3))) for _ in range(3)]
    written[0] = [(100.0, [1.0, 1.0, 1.0])] * 3  # the target itself keeps all, and is dear
    right = {number: each[0][0] for number, each in written.items() if all(max(figures) < 40 for _, figures in each)}
    _, found = kept(written, ["p50 < 40s", "p90 < 40s", "p99 < 40s"])
    assert found[0].cost == pytest.approx(min(right.values()))


@pytest.mark.parametrize(
    ("slo", "values", "is_kept"),
    [
        ("completed == 100", [100.0] * 9 + [99.0], True),
        ("completed == 100", [100.0] * 5 + [90.0] * 5, False),
        ("completed != 100", [99.0] * 5 + [100.0] * 4 + [101.0], False),
        ("failed == 0", [0.0] * 9 + [1.0], True),
        ("failed == 0", [0.0] * 8 + [1.0] * 2, False),
        ("p95 < 9s", [1.0] * 8 + [math.inf] * 2, False),
    ],
)
def test_an_objective_is_kept_where_it_holds_in_nine_of_ten_replications(
    slo: str, values: Sequence[float], is_kept: bool
) -> None:
    _, found = kept({0: [(1.0, [value]) for value in values]}, [slo])
    assert bool(found) is is_kept


def test_the_bound_of_an_exact_number_of_completions_is_the_few() -> None:
    threshold = parse_threshold("completed == 100")
    row = Row(Point({}, Emulated()), figures=[[100.0 - k] for k in range(10)])
    assert row.bound(0, threshold) == 92.0


def test_a_replication_in_which_nothing_is_measured_is_refused() -> None:
    question, space, foresee = asked({0: [(1.0, [5.0]), (1.0, [math.nan])], 1: [(1.0, [5.0])] * 2}, ["p95 < 9s"])
    with pytest.raises(UsageError, match=r"'p95 < 9s' has no figure: replication 2 of the load"):
        keeping(question, space, foresee=foresee)
