"""Goal: who decides reads how many instances would do, what they cost, and how many requests waited."""

from typing import Any

import pytest

from runs import Request, frames_of, reading, span, sure
from smbench.analysis.capacity.sizing import Sizing, keeping_pace
from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.summary import Summary, summarise
from smbench.analysis.verdict.checks import check
from smbench.records import Outcome, Unknown
from smbench.scenario.model import Scenario
from smbench.view.report.summary_file import to_json


def busy(**scenario: Any) -> Summary:
    """One request a second for 100 s, of 4 s each; two at once on each of the three instances."""
    rows = [Request(float(k), done=k + 4.0) for k in range(100)]
    looks = [reading("instances_current", 3.0, float(at)) for at in range(0, 110, 10)]
    target = {"emulated": {"instances": {"concurrency": 2}}, "instance_hour": 0.5}
    load = [{"constant": {"rate": 1.0, "for": 100.0}}]
    scenario = {"load": load, "target": target, **scenario}
    return summarise(frames_of(rows, spans=[span(100, end_s=100.0)], readings=looks, scenario=scenario))


@pytest.mark.parametrize(
    ("offered_hz", "service_s", "slots", "enough"),
    [
        (3.0, 4.3324, 2, 7),  # a lognormal of median 4 s and sigma 0.4: 13.0 busy slots, 6.5 instances
        (1.0, 4.0, 2, 3),  # 4.0 busy slots keep two instances all busy, and then a queue never ends
        (0.1, 1.0, 4, 1),
        (0.0, 1.0, 1, 1),
    ],
)
def test_enough_instances_have_more_slots_than_the_offered_load(
    offered_hz: float, service_s: float, slots: int, enough: int
) -> None:
    assert keeping_pace(offered_hz, service_s, slots) == enough


def test_each_phase_has_its_instances_and_their_price() -> None:
    (phase,) = busy().sizing.phases
    assert (sure(phase.offered_hz), sure(phase.instances), sure(phase.usd_per_hour)) == (1.0, 3, 1.5)


def test_without_a_price_the_instances_are_known_and_the_cost_is_not() -> None:
    (phase,) = busy(target={"emulated": {"instances": {"concurrency": 2}}}).sizing.phases
    assert phase.instances == 3
    assert isinstance(phase.usd_per_hour, Unknown)


def test_a_burst_at_one_instant_has_no_rate_to_keep_pace_with() -> None:
    rows = [Request(0.0, done=1.0) for _ in range(10)]
    (phase,) = summarise(frames_of(rows, spans=[span(10, end_s=0.0)])).sizing.phases
    assert phase.instances == Unknown("all requests were due at once")


def waited(sizing: Sizing) -> dict[float, Bounded]:
    return {one.over_s: one.n for one in sizing.waited}


@pytest.mark.slow
def test_who_waited_is_counted_at_the_deadline_or_else_at_round_times() -> None:
    rows = [Request(0.0, done=done) for done in (1.0, 59.0, 61.0, 400.0)]
    rows += [Request(0.0, Outcome.FAILED, done=1.0), Request(300.0, Outcome.PENDING)]  # pending: 100 s old at the end
    assert waited(summarise(frames_of(rows)).sizing) == {
        60.0: Bounded(low=4, high=4),  # 61 s, 400 s, the failed one, the one that is 100 s old
        300.0: Bounded(low=2, high=3),
        900.0: Bounded(low=1, high=2),
        3600.0: Bounded(low=1, high=2),
    }
    asked = frames_of(rows, scenario={"thresholds": ["p95 < 2m"]})
    assert waited(summarise(asked).sizing) == {120.0: Bounded(low=2, high=3)}


@pytest.mark.slow
def test_the_scenario_is_there_in_words_and_of_one_that_cannot_be_read_nothing() -> None:
    written = Scenario.model_validate({"name": "s", "load": [{"constant": {"rate": 1.0, "for": 100.0}}]})
    assert (
        "Load: constant 1/s for 1m 40s"
        in busy(**written.model_dump(mode="json", by_alias=True)).sizing.scenario_in_words
    )
    assert busy(load="of another version").sizing.scenario_in_words == ""


@pytest.mark.slow
def test_the_page_says_what_was_assumed_and_what_was_measured() -> None:
    summary = busy()
    sections = {one["name"]: one for one in to_json(summary, check(frames_of([]), summary), [])["sections"]}
    enough, known = sections["decision"]["tables"][0], sections["decision"]["tables"][-1]
    assert [cell["text"] for cell in enough["rows"][0]] == [
        "load",
        "1.00/s",
        "3",
        "1.50 USD",
        "36.00 USD",
        "1,095.00 USD",
    ]
    assert "0.5 USD an hour" in enough["notes"][-1].replace("0.50", "0.5")
    assert {row[0]["text"]: row[1]["text"] for row in known["rows"]} == {
        "latency": "measured",
        "endpoint": "assumed",
        "service time": "reconstructed",
        "instances": "computed",
        "price": "given",
        "paid time": "assumed",
    }
