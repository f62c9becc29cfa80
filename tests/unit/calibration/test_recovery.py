"""Goal: a fit finds the endpoint that made the run, and says so where the run cannot tell.

Method: a simulated run of a known endpoint, its notices blurred by 50 ms and AWS's clock half a second away, as if
SageMaker had chosen the concurrency. What is found is compared with what the simulation drew.
"""

from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

from calibrating import TRACKING, calibration_load, run_of, truth
from modelling import scenario
from smbench.calibration.alarm_seconds import alarm_seconds, as_initial
from smbench.calibration.concurrency import concurrency
from smbench.calibration.configured import configured
from smbench.calibration.detection import _as_the_alarm_saw, detection
from smbench.calibration.fit import Fit, fit
from smbench.calibration.parameter import Parameter, Source
from smbench.calibration.runs import MeasuredRun
from smbench.calibration.written import in_words

CONCURRENCIES = (1, 2, 4, 8)


@cache
def run(slots: int) -> MeasuredRun:
    skew_s = 0.5 if slots > 2 else -0.5
    return run_of(truth(calibration_load(slots), slots, seed=slots + 10), noise_s=0.05, skew_s=skew_s)


@cache
def fitted(slots: int) -> Fit:
    return fit([run(slots)])


def named(found: Fit, name: str) -> Parameter:
    return next(each for each in found.parameters if each.name == name)


@pytest.mark.slow  # four runs of up to 7,000 requests, simulated once
@pytest.mark.parametrize("slots", CONCURRENCIES)
def test_the_concurrency_is_found(slots: int) -> None:
    found = named(fitted(slots), "concurrency of an instance")
    assert (found.value, found.source) == (slots, Source.NOTICES)


@pytest.mark.slow  # as above
@pytest.mark.parametrize("slots", CONCURRENCIES)
def test_the_mean_service_is_within_two_percent(slots: int) -> None:
    found = named(fitted(slots), "service")
    assert isinstance(found.value, float)
    assert found.error is not None
    assert found.value == pytest.approx(2.0, rel=0.02, abs=2 * found.error)
    assert found.error < 0.03


@pytest.mark.slow  # as above
@pytest.mark.parametrize("slots", CONCURRENCIES)
def test_provisioning_is_within_ten_percent(slots: int) -> None:
    found = named(fitted(slots), "provisioning")
    assert found.value == pytest.approx(150.0, rel=0.1)
    assert found.n >= 3


@pytest.mark.slow  # as above
def test_notification_lag_removal_and_action_are_found() -> None:
    found = fitted(8)
    assert found.notification.mean_s == pytest.approx(0.08 * np.exp(0.3**2 / 2), abs=0.01)
    assert found.removal.mean_s == pytest.approx(95.0, abs=35.0)
    assert found.detection.action.mean_s == pytest.approx(5.0, abs=0.1)
    assert named(found, "scale-in of target tracking").value == "one_step"


@pytest.mark.slow
@pytest.mark.parametrize("slots", CONCURRENCIES)
@pytest.mark.parametrize("within", ["0s", "30s"])
def test_from_a_burst_alone_the_concurrency_is_not_identifiable(slots: int, within: str) -> None:
    load: list[dict[str, Any]] = [
        {"burst": {"requests": 100 * slots, "within": within}},
        {"pause": {"for": "15m"}},
    ]
    burst = run_of(truth(load, slots), noise_s=0.05)
    found = concurrency([burst])
    assert found.value is None
    assert found.at_least <= slots
    stated = named(fit([burst]), "concurrency of an instance")
    assert stated.value is None
    assert "not identifiable" in in_words(stated)
    assert named(fit([burst]), "service").value is None
    over = named(fit([burst]), "service over concurrency").value
    assert over == pytest.approx(2.0 / slots, rel=0.1)


def test_requests_that_never_waited_leave_the_concurrency_open() -> None:
    alone = run_of(truth([{"closed": {"outstanding": 1, "requests": 60}}], 4, policies=[]))
    found = concurrency([alone])
    assert (found.value, found.at_least) == (None, 1)
    assert "fewer than 30 requests waited" in found.why


@pytest.mark.slow
def test_a_concurrency_that_is_set_is_taken_and_held_against_the_run() -> None:
    # Two slots are set; the container serves one after another.
    serial = run_of(truth(calibration_load(1), 1))
    said = serial.frames.manifest.model_copy(update={"target": {**serial.frames.manifest.target, "concurrency": 2}})
    frames = type(serial.frames)(**{**vars(serial.frames), "manifest": said})
    found = named(
        fit([MeasuredRun(serial.name, frames, serial.capacity, serial.classes)]), "concurrency of an instance"
    )
    assert (found.value, found.source) == (2, Source.SET)
    assert "as if it were 1" in found.note


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.0, 0.2])
def test_the_spread_of_speeds_is_found_where_there_is_one(spread: float) -> None:
    load = [{"poisson": {"rate": "4/s", "for": "5m"}}]
    of = scenario(
        load,
        instances={"min": 4, "max": 4},
        service={"lognormal": {"mean": "1s", "sigma": 0.1}},
        host_speeds=[1 - spread, 1, 1, 1 + spread],
    )
    found = fit([run_of(of, is_told=True)])
    assert found.spread == pytest.approx(spread / 2**0.5, abs=0.06)


@pytest.mark.slow  # twelve runs, 2 s
@pytest.mark.parametrize("delay", [{"uniform": {"low": "0s", "high": "5s"}}, "45s", "90s"])
def test_the_fitted_delays_decide_when_the_endpoint_did(delay: object) -> None:
    """Where an alarm's second lies within the spread of its delay, chance decides whether it waits another minute, in
    the endpoint as in what was fitted: there the fitted law has to leave it open, and a minute is no error."""
    load = [{"constant": {"rate": "4/s", "for": "12m"}}]
    open_s = (0.0, 5.0) if isinstance(delay, dict) else (0.0, 0.0)
    n_certain = 0
    for seed in range(1, 5):
        questions = {"alarm_phase": {"uniform": {"low": 0, "high": 60}}}
        true = truth(load, 1, seed=seed, metric_delay=delay, open_questions=questions)
        first = run_of(true, is_told=True)
        seen = detection([first])
        seconds = as_initial(alarm_seconds([first], configured(first.frames)))
        initial = {"alarm_seconds": [one.model_dump() for one in seconds]}
        again = truth(load, 1, seed=seed + 50, metric_delay=seen.metric_delay.law, initial=initial)
        error_s = abs(detection([run_of(again, is_told=True)]).whole.mean_s - seen.whole.mean_s)
        second_s = seconds[0].high
        assert second_s is not None
        if open_s[0] < second_s < open_s[1]:
            assert isinstance(seen.metric_delay.law, dict)
            law = seen.metric_delay.law["uniform"]
            assert float(law["low"][:-1]) < second_s < float(law["high"][:-1])
            error_s = min(error_s, abs(error_s - 60.0))
        else:
            n_certain += 1
        assert error_s <= 15.0, (seed, second_s)
    assert n_certain >= 3


@pytest.mark.slow  # two runs of an hour, half a second
def test_each_alarm_has_its_own_second_and_one_that_never_changed_has_none() -> None:
    wake = {"step_from_zero": {"add": 1, "minutes": 1}}
    known = [{"policy": 0, "high": 11.5, "low": 44.25}]
    load = [{"constant": {"rate": "4/s", "for": "8m"}}, {"pause": {"for": "25m"}}]
    of = truth(load, 1, policies=[TRACKING, wake], initial={"alarm_seconds": known})
    scaled = run_of(of, is_told=True)
    found = alarm_seconds([scaled], configured(scaled.frames))
    assert {(one.policy, one.which): one.second_s for one in found} == {
        (0, "high"): 11.5,
        (0, "low"): 44.25,
        (1, "high"): 0.0,
    }
    quiet = run_of(truth([{"constant": {"rate": "1/s", "for": "20s"}}], 1), is_told=True)
    found = alarm_seconds([quiet], configured(quiet.frames))
    assert [one.second_s for one in found] == [None, None]
    assert as_initial(found) == ()
    text = in_words(named(fit([quiet]), "second of the high alarm of policy 0"))
    assert "drawn from 0 to 60 s" in text
    assert "[assumed]" in text


def test_alarms_that_were_never_seen_fresh_may_still_be() -> None:
    lows_s, highs_s = np.arange(0, 5.1, 0.5), np.arange(5, 10.1, 0.5)
    low_s, high_s = _as_the_alarm_saw(lows_s, highs_s, np.full(4, 62.5))  # a minute late, four times
    assert 0.05 < (2.5 - low_s) / (high_s - low_s) < 0.3


@pytest.mark.slow
def test_services_come_by_class_and_rare_classes_together() -> None:
    laws = {"by_class": {"small": "1s", "": "4s"}}
    of = truth([{"constant": {"rate": "0.2/s", "for": "20m"}}], 2, service=laws, policies=[])
    found = run_of(of, is_told=True, classes=("small", "big"))
    assert {one.payload_class: round(one.mean_s, 2) for one in fit([found]).services.by_class} == {
        "big": 4.0,
        "small": 1.0,
    }
    few = found.classes.with_columns(
        pl.when(pl.int_range(pl.len()) < 5).then(pl.lit("odd")).otherwise("payload").alias("payload")
    )
    by_class = fit([MeasuredRun(found.name, found.frames, found.capacity, few)]).services.by_class
    assert [(one.payload_class, len(one.services_s)) for one in by_class if len(one.services_s) < 30] == [("", 5)]
