"""Goal: a figure of many policies is the figure that the report of one prediction has.

Method: the same scenario through `smbench.simulate`, whose thresholds are judged from tables.
"""

import math
from pathlib import Path
from typing import Any

import pytest

import smbench
from foretold import EPOCH_NS
from smbench.errors import UsageError
from smbench.prediction.engine.foresee import Foreseen, foresee
from smbench.prediction.figures import Measured, figure, instance_s, require_known
from smbench.records import Unknown
from smbench.scenario.model import Scenario
from smbench.scenario.thresholds import parse_threshold
from smbench.schedule.plan import plan

STORY: dict[str, Any] = {
    "name": "story",
    "target": {
        "instance_hour": 2.0,
        "emulated": {
            "instances": {"min": 0, "max": 3, "concurrency": 2},
            "service": {"exponential": {"mean": "4s"}},
            "policies": [{"target_tracking": {"backlog_per_instance": 4}}, {"step_from_zero": {}}],
            "faults": {"container_errors": 0.05},
            "time": "warp",
        },
    },
    "request": {"ttl": "300s", "timeout": "15s"},
    "load": [{"burst": {"requests": 20, "warmup": True}}, {"poisson": {"rate": "1/s", "for": "12m"}}],
    "drain": "1h",
}
TEXTS = (
    "p50 < 1s", "p95 < 1s", "p99 from acceptance < 1s", "max < 1s", "within(5m) > 50%", "goodput(5m) > 1/s",
    "failed < 1%", "failed < 3", "expired < 5%", "completed > 10", "error_share < 3%", "backlog_max < 9", "drain < 1m",
    "first_completion < 1m", "pending == 0", "lost < 1%", "lost == 0", "backlog <= 12 for 1m", "backlog < 3 for 1m",
)  # fmt: skip


SILENT: dict[str, Any] = {  # ends that are found in S3 when the drain is over, or not at all
    "notify_lag": {"uniform": {"low": "0s", "high": "200s"}},
    "open_questions": {"timeout_notifies": False, "expiry_notifies": False},
    "results_kept": "100s",
}


@pytest.mark.slow  # a report of its own for the reference
@pytest.mark.parametrize(("drain", "emulated"), [("1h", {}), ("0s", {}), ("30s", SILENT), ("1h", SILENT)])
def test_figures_are_those_of_the_report(drain: str, emulated: dict[str, Any]) -> None:
    target = {**STORY["target"], "emulated": STORY["target"]["emulated"] | emulated}
    document = {**STORY, "target": target, "drain": drain, "thresholds": TEXTS}
    run = smbench.simulate(document)
    scenario = Scenario.model_validate(document)
    schedule = plan(scenario, Path(), [1.0])
    seen = foresee(scenario, None, schedule, ["synthetic"], epoch_ns=EPOCH_NS)
    measured = Measured.of(schedule.spans)
    for text, judged in zip(TEXTS, run.thresholds, strict=True):
        threshold = parse_threshold(text)
        threshold = threshold if threshold.lasting_s is None else threshold.of_its_duration()
        value = figure(threshold, seen, measured, None)
        assert judged.low is not None, text
        # Where the report has bounds, the figure is on the worse side.
        wanted = judged.low if threshold.op == ">" else float("inf") if judged.high is None else judged.high
        if judged.high is None and value < float("inf"):
            assert threshold.metric in ("backlog_max", "drain"), text
            continue
        assert value == pytest.approx(wanted, rel=1e-6), text
    assert not isinstance(run.summary.cost, Unknown)
    assert instance_s(seen, measured.from_ns) == pytest.approx(run.summary.cost.instance_s, rel=1e-6)


def foretold(document: dict[str, Any]) -> tuple[Foreseen, Measured]:
    scenario = Scenario.model_validate(document)
    schedule = plan(scenario, Path(), [1.0])
    return foresee(scenario, None, schedule, ["synthetic"], epoch_ns=EPOCH_NS), Measured.of(schedule.spans)


@pytest.mark.slow
@pytest.mark.parametrize(
    "load",
    [
        [
            {"constant": {"rate": "1/s", "for": "20s"}},
            {"pause": {"for": "100s"}},
            {"constant": {"rate": "2/s", "for": "20s"}},
        ],
        [
            {"constant": {"rate": "1/s", "for": "20s"}},
            {"constant": {"rate": "1/s", "for": "60s", "warmup": True}},
            {"burst": {"requests": 9}},
        ],
        [{"closed": {"outstanding": 2, "requests": 40}}],
    ],
    ids=["pause", "a warm-up between", "closed"],
)
def test_goodput_is_over_the_time_that_the_report_s_rates_are(load: list[Any]) -> None:
    emulated = {"instances": {"min": 1, "max": 1}, "service": {"constant": "100ms"}, "policies": [], "time": "warp"}
    document = {"name": "rate", "target": {"emulated": emulated}, "load": load, "drain": "1h"}
    threshold = parse_threshold("goodput(5m) > 1000/s")
    (judged,) = smbench.simulate(document, thresholds=[threshold.text]).thresholds
    assert figure(threshold, *foretold(document), None) == pytest.approx(judged.low, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "load",
    [
        [
            {"burst": {"requests": 100, "warmup": True}},
            {"pause": {"for": "30s"}},
            {"constant": {"rate": "1/s", "for": "60s"}},
        ],
        [
            {"constant": {"rate": "8/s", "for": "20s", "warmup": True}},
            {"constant": {"rate": "1/s", "for": "60s"}},
        ],
    ],
    ids=["a burst and a pause", "a warm-up that leaves some"],
)
@pytest.mark.parametrize("text", ["backlog_max < 9", "backlog < 9 for 1s"])
def test_the_backlog_of_a_warm_up_is_left_out_as_in_the_report(load: list[Any], text: str) -> None:
    emulated = {"instances": {"min": 1, "max": 1}, "service": {"constant": "400ms"}, "policies": [], "time": "warp"}
    document = {"name": "warm", "target": {"emulated": emulated}, "load": load, "drain": "1h"}
    (judged,) = smbench.simulate(document, thresholds=[text]).thresholds
    threshold = parse_threshold(text)
    asked = threshold if threshold.lasting_s is None else threshold.of_its_duration()
    value = figure(asked, *foretold(document), None)
    assert value > 0
    assert value == pytest.approx(judged.high, rel=1e-6)


def test_a_burst_at_one_instant_has_no_goodput() -> None:
    document = {**STORY, "load": [{"burst": {"requests": 9}}]}
    assert math.isnan(figure(parse_threshold("goodput(5m) > 1/s"), *foretold(document), None))


@pytest.mark.parametrize("text", ["ack_p95 < 1s", "rejected == 0"])
def test_a_metric_that_a_prediction_does_not_have_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(UsageError, match="a prediction of many policies has no"):
        require_known(parse_threshold(text))


def test_a_reaction_that_some_policies_do_not_have_is_refused_with_what_to_ask_for() -> None:
    with pytest.raises(UsageError, match="policies cannot be ranked by it") as failed:
        require_known(parse_threshold("scale_out < 6m"))
    assert "backlog_max" in failed.value.advice
