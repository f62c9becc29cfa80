"""Goal: what an inference costs is what the price list says of what was used, and unknown where that is not known.

Method: a few requests by hand, prices of one dollar and its tens, sums on paper.
"""

from dataclasses import replace
from typing import Any

import pytest

from runs import Request, frames_of, reading, span
from smbench.analysis.capacity.cost import NOTHING_MEASURED, Cost
from smbench.analysis.capacity.price import price
from smbench.analysis.rows.frames import Frames
from smbench.analysis.summary import summarise
from smbench.pricing.table import shipped_prices
from smbench.records import Outcome, Unknown
from smbench.view.report.section_data import section_data
from smbench.view.sections.blocks import Figures, Judged, Table
from smbench.view.sections.order import sections
from smbench.view.sections.price import price as section

PRICES = shipped_prices().with_own(
    {
        "serverless.gb_second": 1.0,
        "serverless.provisioned_gb_second": 10.0,
        "serverless.provisioned_busy_gb_second": 100.0,
        "data.gb_in": 0.0,
        "data.gb_out": 0.0,
        "ml.m5.large": 3.6,
    }
)
CALLS = [
    Request(0.0, done=4.0, changes={"size_in_bytes": 2**29, "answer_size_in_bytes": 2**30}),
    Request(1.0, done=3.0, changes={"size_in_bytes": 2**29, "answer_size_in_bytes": 2**31}),
    Request(2.0, outcome=Outcome.REJECTED),
]

UNKNOWN = Unknown("not of interest here")
PAID = Cost(
    instance_s=7.0,
    useful_s=UNKNOWN,
    cold_s=0.0,
    idle_s=UNKNOWN,
    n_completed=2,
    deadline_s=None,
    deadline_from="",
    n_within_deadline=None,
    instance_s_per_1000=UNKNOWN,
    price_usd=UNKNOWN,
    usd=UNKNOWN,
    useful_usd=UNKNOWN,
    usd_per_1000=UNKNOWN,
    usd_per_1000_within_deadline=UNKNOWN,
    harness=None,
)


def frames(
    target: dict[str, Any], prices: dict[str, float] | None = None, found: dict[str, Any] | None = None
) -> Frames:
    made = frames_of(CALLS, scenario={"target": target}, target={"kind": target["kind"], **(found or {})})
    return replace(made, prices=PRICES.with_own(prices or {}))


def serverless(memory: int = 2048, provisioned: int = 0) -> dict[str, Any]:
    return {"kind": "serverless", "emulated": {"serverless": {"memory": memory, "provisioned": provisioned}}}


def test_serverless_is_the_time_of_the_accepted_calls_by_memory_and_the_bytes_of_both_ways() -> None:
    found = price(frames(serverless(), {"data.gb_in": 5.0, "data.gb_out": 1.0}), Unknown("none"))
    assert found.parts == {"duration": 12.0, "data in": 5.0, "data out": 3.0}
    assert found.usd == 20.0
    assert found.usd_per_inference == 10.0
    assert found.usd_per_1000 == 10_000.0
    assert found.usd_per_million == 10e6
    assert found.n_month == pytest.approx(2 / 4.0 * 730 * 3600)
    assert found.usd_month == pytest.approx(20.0 / 4.0 * 730 * 3600)


@pytest.mark.parametrize(("first_s", "provisioned"), [(0.0, 0), (6.0, 0), (6.0, 3)])
def test_a_month_is_of_the_time_that_was_paid_for_also_where_the_first_request_came_late(
    first_s: float, provisioned: int
) -> None:
    late = [Request(first_s, done=8.0, changes={"size_in_bytes": 0, "answer_size_in_bytes": 0})]
    for target, usd in (
        ({"kind": "async", "instance_hour": 3600.0}, 8.0),
        (serverless(1024, provisioned), 8.0 * 10.0 * provisioned + (8.0 - first_s) * (100.0 if provisioned else 1.0)),
    ):
        made = replace(frames_of(late, scenario={"target": target}), prices=PRICES)
        found = price(made, PAID.model_copy(update={"instance_s": 8.0}))
        assert found.usd == pytest.approx(usd)
        assert found.n_month == pytest.approx(1 / 8.0 * 730 * 3600)
        assert found.usd_month == pytest.approx(usd / 8.0 * 730 * 3600)


def test_a_real_time_endpoint_costs_its_instances_and_the_bytes_of_both_ways() -> None:
    target = {"kind": "realtime", "instance_hour": 3600.0}
    made = frames(target, {"data.gb_in": 5.0, "data.gb_out": 1.0})
    found = price(made, PAID)
    assert found.parts == {"instances": 7.0, "data in": 5.0, "data out": 3.0}
    assert found.usd == 15.0
    queued = price(frames({"kind": "async", "instance_hour": 3600.0}), PAID)  # its bodies go through S3
    assert (queued.usd, queued.parts) == (7.0, {})


@pytest.mark.parametrize("kind", ["serverless", "realtime"])
def test_an_answer_of_unknown_size_makes_the_price_unknown_and_never_free(kind: str) -> None:
    target = serverless() if kind == "serverless" else {"kind": kind, "instance_hour": 1.0}
    made = frames_of([Request(0.0, done=4.0)], scenario={"target": target}, target={"kind": kind})
    found = price(made, PAID)
    assert isinstance(found.usd, Unknown)
    assert "how large the answers were" in found.usd.reason


def test_calls_fill_the_provisioned_environments_first() -> None:
    found = price(frames(serverless(1024, provisioned=1)), Unknown("none"))
    # From 0 to 4 s one call runs in the one that is provisioned; from 1 to 3 s another finds no place there.
    assert found.parts == {
        "duration": 2.0,
        "data in": 0.0,
        "data out": 0.0,
        "provisioned": 40.0,
        "duration, provisioned": 400.0,
    }
    both = price(frames(serverless(1024, provisioned=2)), Unknown("none"))
    assert both.parts["duration, provisioned"] == 600.0
    assert both.break_even == ()


def test_break_even_and_savings_follow_from_the_price_of_one() -> None:
    found = price(frames(serverless(), {"serverless.gb_second": 1e-6}), Unknown("none"))
    assert isinstance(found.usd_per_inference, float)
    by_type = {one.instance_type: one for one in found.break_even}
    assert by_type["ml.m5.large"].n_month == pytest.approx(3.6 * 730 / found.usd_per_inference)
    assert found.compared_with == "ml.t2.medium"
    month_usd = shipped_prices().instance_hour["ml.t2.medium"] * 730
    for row in found.savings:
        assert row.instance_usd == month_usd
        assert row.saving == pytest.approx(1 - row.n_month * found.usd_per_inference / month_usd)
    assert found.savings[-1].saving < 0 <= found.savings[-2].saving


@pytest.mark.parametrize(
    ("target", "found", "words"),
    [
        ({"kind": "serverless", "endpoint": "mine"}, {}, "memory size"),
        (serverless(provisioned=1), {}, "serverless.provisioned_gb_second"),
        ({"kind": "realtime", "endpoint": "mine"}, {"instance_type": "ml.new.large"}, "set target.instance_hour"),
    ],
)
def test_what_cannot_be_priced_says_why(target: dict[str, Any], found: dict[str, Any], words: str) -> None:
    made = replace(frames(target, found=found), prices=shipped_prices())
    usd = price(made, Unknown("nothing is known of the instances")).usd
    assert isinstance(usd, Unknown)
    assert words in usd.reason


def test_a_real_serverless_endpoint_has_the_memory_that_was_found() -> None:
    target = {"kind": "serverless", "endpoint": "mine"}
    found = price(frames(target, found={"serverless": {"MemorySizeInMB": 1024}}), Unknown("none"))
    assert found.usd == 6.0
    assert found.of == "a serverless endpoint of 1,024 MB"


@pytest.mark.parametrize("target", [serverless(), {"kind": "async", "instance_hour": 3600.0}])
def test_a_run_of_warm_ups_alone_has_no_price_no_cost_and_no_capacity(target: dict[str, Any]) -> None:
    rows = [Request(float(k), done=k + 1.0, phase="warm", warmup=True) for k in range(3)]
    instances = [reading("instances_current", 1.0, at) for at in (0.0, 5.0)]
    made = frames_of(
        rows,
        readings=instances,
        spans=[span(3, name="warm", end_s=5.0, warmup=True)],
        scenario={"target": target},
        target={"kind": target["kind"], "concurrency": 1},
    )
    summary = summarise(replace(made, prices=PRICES))
    why = Unknown(NOTHING_MEASURED)
    assert (summary.cost, summary.elasticity, summary.price.usd) == (why, why, why)
    assert section(Judged(summary, (), ())) is None


def test_a_price_that_is_not_known_is_missed_once_for_a_decision_and_once_in_the_cost() -> None:
    instances = [reading("instances_current", 1.0, at) for at in (0.0, 5.0)]
    made = frames_of([Request(float(k), done=k + 1.0) for k in range(3)], readings=instances, target={"concurrency": 1})
    shown = [section_data(one) for one in sections(Judged(summarise(made), (), ()))]
    said = {one.name: one.model_dump_json().count("instance_hour") for one in shown}
    assert {name: n for name, n in said.items() if n} == {"decision": 1, "cost": 1}


def test_the_report_has_every_figure_and_the_tables() -> None:
    made = frames(serverless(), {"serverless.gb_second": 1e-6})
    summary = summarise(made)
    shown = section(Judged(summary, (), ()))
    assert shown is not None
    figures, even, savings = shown.blocks
    assert isinstance(figures, Figures)
    assert [one.cell.value for one in figures.figures[:3]] == pytest.approx([6e-6, 6e-3, 6.0])
    assert isinstance(even, Table)
    assert isinstance(savings, Table)
    assert len(even.rows) == len(made.prices.instance_hour)
    assert savings.rows[-1].cells[-1].text.startswith("-")
