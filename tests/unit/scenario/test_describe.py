"""Goal: the paragraph says what will happen, in figures a person can check. Method: scenarios in, sentences out."""

from typing import Any, get_args

import pytest

from smbench.scenario.describe import describe, describe_phase, expected_requests
from smbench.scenario.model import Scenario
from smbench.scenario.phases import KINDS, Phase, Settings


def scenario(*load: dict[str, Any], **sections: Any) -> Scenario:
    return Scenario.model_validate({"name": "x", "load": load or [{"burst": {"requests": 1}}], **sections})


def test_a_type_checker_sees_every_kind_of_phase_so_no_match_forgets_one() -> None:
    settings = {get_args(field.annotation)[0] for field in Phase.model_fields.values()}
    assert settings == set(get_args(Settings))
    assert set(KINDS) == set(Phase.model_fields)


@pytest.mark.parametrize(
    ("phase", "n", "span_s"),
    [
        ({"constant": {"rate": "3/s", "for": "10m"}}, 1800, 600),
        ({"poisson": {"rate": "90/m", "for": "1m"}}, 90, 60),
        ({"ramp": {"from": 0, "to": "4/s", "for": "10s"}}, 20, 10),
        ({"steps": {"rates": ["1/s", "3/s"], "each": "10s"}}, 40, 20),
        ({"burst": {"requests": 7, "within": "3s"}}, 7, 3),
        ({"sine": {"mean": "2/s", "amplitude": "2/s", "period": "60s", "for": "120s"}}, 240, 120),
        # Half a wave above the mean: 2 * 30 + 2 * 60 / pi.
        ({"sine": {"mean": "2/s", "amplitude": "2/s", "period": "60s", "for": "30s"}}, 98.197, 30),
        ({"replay": {"trace": "t.csv"}}, None, None),
        ({"replay": {"trace": "t.csv", "rate": "2/s", "for": "1m"}}, 120, 60),
        ({"closed": {"outstanding": 2, "requests": 9}}, 9, None),
        ({"pause": {"for": "1m"}}, 0, 60),
    ],
)
def test_the_requests_and_the_span_of_a_phase_are_its_integral(
    phase: dict[str, Any], n: float | None, span_s: float | None
) -> None:
    made = Phase.model_validate(phase)
    assert made.expected_requests == (None if n is None else pytest.approx(n, abs=1e-3))
    assert made.planned_s == span_s


@pytest.mark.parametrize(
    ("phase", "text"),
    [
        ({"poisson": {"rate": "3/s", "for": "10m", "warmup": True}}, "Poisson 3/s for 10m (warm-up, left out"),
        ({"burst": {"requests": 2000}}, "a burst of 2,000 at one instant"),
        ({"steps": {"rates": [1, 2], "each": "1m"}}, "steps of 1/s, 2/s, each for 1m"),
        ({"sine": {"mean": 1, "amplitude": 0.9, "period": "30m", "for": "1h"}}, "a sine of 1/s ± 0.9/s, one wave"),
        ({"replay": {"trace": "t.csv", "scale": 0.5, "start": "1m"}}, "a replay of t.csv at 0.5 times its rate from"),
        ({"closed": {"outstanding": 8, "requests": 800}}, "a closed loop of 8 outstanding until 800 are sent"),
        ({"pause": {"for": "90s"}}, "nothing for 1m 30s"),
    ],
)  # fmt: skip
def test_a_phase_is_told_in_a_few_words(phase: dict[str, Any], text: str) -> None:
    assert describe_phase(Phase.model_validate(phase)).startswith(text)


def test_requests_add_up_over_the_phases() -> None:
    burst, poisson = {"burst": {"requests": 5}}, {"poisson": {"rate": 1, "for": 10}}
    assert expected_requests(scenario(burst, poisson)) == 15
    assert expected_requests(scenario(burst, {"replay": {"trace": "t.csv"}})) is None


def test_a_count_that_chance_decides_is_about() -> None:
    assert "about 10 requests in all in 10s" in describe(scenario({"poisson": {"rate": 1, "for": 10}}))
    assert "; 10 requests in all in 10s" in describe(scenario({"constant": {"rate": 1, "for": 10}}))
    assert "; 1 request in all." in describe(scenario())


def test_a_count_that_only_the_trace_knows_is_said_so() -> None:
    assert "how many requests in all, the trace says" in describe(scenario({"replay": {"trace": "t.csv"}}))


def test_the_target_is_told_with_its_time() -> None:
    assert "the real async endpoint mine, in real time" in describe(scenario(target={"endpoint": "mine"}))
    emulated = {"time": {"scaled": 20}, "service": "2s", "faults": {"notices_lost": "1%"}}
    told = describe(scenario(target={"emulated": emulated}))
    for words in ("1 instance at the start", "always 2s", "never scaled", "faults (notices lost)", "20 times faster"):
        assert words in told


def test_what_holds_of_the_scaling_beside_its_policies_is_described() -> None:
    emulated = {
        "instances": {"min": 0, "max": 4, "start": 2},
        "scheduled": [{"at": "10m", "min": 2, "max": 8}],
        "suspended": ["in"],
        "initial": {
            "backlog": [3],
            "idle": "20m",
            "cooldown": {"after": "out", "left": "90s"},
            "activity": {"to": 3, "began": "1m"},
        },
    }
    text = describe(scenario(target={"emulated": emulated}))
    for part in (
        "min 2 and max 8 from 10m on",
        "scaling suspended (in)",
        "alarms that remember 21 minutes",
        "in a cooldown after scaling out, 1m 30s left",
        "during a change to 3 instances that began 1m before",
    ):
        assert part in text


def test_the_laws_of_several_classes_are_told_each() -> None:
    laws = {"by_class": {"image": "3s", "": {"uniform": {"low": "1s", "high": "2s"}}}}
    told = describe(scenario(target={"emulated": {"service": laws}}))
    assert "service time always 3s for image; 1s to 2s for all others" in told


def test_payloads_are_told_with_their_shares() -> None:
    mix = [{"name": "a", "synthetic": "1KiB", "weight": 3}, {"name": "b", "lines": "in.jsonl"}]
    told = describe(scenario(payloads={"mix": mix, "inline": True, "unique": True}))
    assert (
        "one JSON document of 1,024 bytes (75%), the lines of in.jsonl (25%), each made different, sent inline" in told
    )


def test_what_ends_a_request_and_what_stops_the_run_are_told() -> None:
    told = describe(
        scenario(
            request={"ttl": "5m", "timeout": "1m", "retry": {"attempts": 3}},
            limits={"requests": 1000, "time": "1h", "errors": "2.5%"},
            thresholds=["lost == 0"],
        )
    )
    assert "Each request expires after 5m in the queue and fails after 1m in service and is tried up to 3 times" in told
    assert "Stop sending after 1,000 requests or after 1h or when 2.5% of the answers are errors." in told
    assert told.endswith("Must hold: lost == 0.")
