"""Goal: a configuration is described in the columns of AWS's recommender, and what is not known says why.

Method: figures made by hand, for each kind of endpoint.
"""

from typing import Any

import pytest

from smbench.pricing.table import shipped_prices
from smbench.records import Unknown
from smbench.scenario.model import Scenario
from smbench.sweeping.figures import Figures, Throughput
from smbench.sweeping.ranking import Group
from smbench.sweeping.recommended import Recommended, recommended
from smbench.view.report.sweep import RECOMMENDER_HEADS, recommender_notes, recommender_rows


def figures(hertz: float = 2.0, **changes: object) -> Figures:
    known: dict[str, object] = {
        "verdict": "valid", "kept": None, "missed": (), "n": 100, "completed": 100, "p50": None, "p95": None,
        "p99": None, "iqr_s": None, "mean_s": 1.0, "errors": {}, "usd": 0.1, "usd_why": "", "usd_per_1000": 1.0,
        "usd_day": 24.0, "throughput": Throughput(mean=hertz, p25=hertz, p50=hertz, p75=hertz, max=hertz),
    }  # fmt: skip
    return Figures.model_validate({**known, **changes})


def row(target: dict[str, Any], found: Figures, *others: Figures) -> Recommended:
    scenario = Scenario.model_validate({"name": "x", "load": [{"burst": {"requests": 1}}], "target": target})
    groups = [Group("a", "load", {}, {1: one}) for one in (found, *others)]
    return recommended(groups[0], scenario, groups, shipped_prices())


def reason(value: object) -> str:
    assert isinstance(value, Unknown)
    return value.reason


def test_a_real_endpoint_has_its_instances_their_list_price_and_what_cloudwatch_said() -> None:
    seen = figures(instance_type="ml.m5.large", instances=2, model_latency_s=0.4, cpu=1.5, memory=0.25)
    found = row({"kind": "realtime", "endpoint": "mine"}, seen, figures(5.0))
    assert (found.instance_type, found.initial_count) == ("ml.m5.large", 2)
    assert found.usd_per_hour == pytest.approx(2 * shipped_prices().instance_hour["ml.m5.large"])
    assert found.usd_per_inference == pytest.approx(0.001)
    assert found.max_invocations == 300.0
    assert (found.model_latency_s, found.cpu, found.memory) == (0.4, 1.5, 0.25)
    assert "as it is" in reason(found.environment)


def test_an_emulated_endpoint_has_a_count_and_no_type() -> None:
    target = {"kind": "realtime", "instance_hour": 0.5, "emulated": {"instances": {"min": 3, "max": 3}}}
    found = row(target, figures())
    assert "no instance type" in reason(found.instance_type)
    assert (found.initial_count, found.usd_per_hour) == (3, 1.5)
    assert "CPUUtilization" in reason(found.cpu)


def test_a_serverless_endpoint_is_its_size_and_has_no_hourly_price() -> None:
    serverless = {"memory": 3072, "max_concurrency": 5, "provisioned": 2}
    found = row({"kind": "serverless", "emulated": {"serverless": serverless}}, figures(usd_per_1000=None))
    assert found.instance_type == "serverless, 3,072 MB, at most 5 at once, 2 provisioned"
    assert "by inference" in reason(found.usd_per_hour)
    assert reason(found.usd_per_inference) == "nothing completed"
    assert "no instances" in reason(found.initial_count)


def test_every_dash_of_the_table_has_its_reason_below_it() -> None:
    found = row({"kind": "serverless"}, figures())
    (cells,) = recommender_rows([found])
    unknown = [head for head, cell in zip(RECOMMENDER_HEADS, cells, strict=True) if cell == "-"]
    notes = " ".join(recommender_notes([found, found]))
    assert unknown
    assert all(head in notes for head in unknown)
    assert len(recommender_notes([found, found])) == len(recommender_notes([found]))
