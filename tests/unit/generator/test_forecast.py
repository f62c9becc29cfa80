"""Goal: what is said of a plan before it starts is what the arithmetic of queues says, phase by phase.

Method: scenarios whose answers follow from a line of arithmetic, in the comment; sentences as a person reads them.
"""

import tracemalloc
from pathlib import Path
from textwrap import dedent

import pytest

from smbench.api.scenarios import validate
from smbench.generator.forecast import Forecast, forecast
from smbench.generator.forecast_text import facts, length, warnings
from smbench.generator.plan import RunPlan, make_plan
from smbench.scenario.load import parse_scenario

DAY_AND_NIGHT = """\
name: day-and-night
target:
  instance_hour: 1.2
  emulated:
    instances: {min: 0, max: 6, concurrency: 2}
    service: {lognormal: {median: 4s, sigma: 0.4}}
    provision: 4m
    policies: [target_tracking: {backlog_per_instance: 5}]
    time: warp
load:
  - poisson: {rate: 0.5/s, for: 8h, name: night}
  - poisson: {rate: 3/s, for: 16h, name: day}
"""


def planned(text: str) -> RunPlan:
    return make_plan(parse_scenario(dedent(text), "x.yaml"), Path())


def emulated(settings: str, load: str = "burst: {requests: 3}", rest: str = "") -> RunPlan:
    return planned(f"name: x\ntarget: {{emulated: {{{settings}}}}}\nload: [{{{load}}}]\n{rest}")


def told(plan: RunPlan) -> tuple[list[str], list[str]]:
    found = forecast(plan)
    return warnings(found), facts(found, plan.time_kind, plan.scenario.target.instance_hour)


@pytest.fixture(scope="module")
def day_and_night() -> RunPlan:
    return planned(DAY_AND_NIGHT)


def test_a_phase_that_needs_more_slots_than_there_can_be_is_named_with_growth_backlog_and_what_would_do(
    day_and_night: RunPlan,
) -> None:
    # Mean service 4 s x e^0.08 = 4.333 s; 3/s x 4.333 s = 13.0 of 12 slots; 12 / 4.333 s = 2.769/s leave; 0.231/s stay:
    # 14 a minute, 13,290 in 16 h; 7 instances have 14 slots. What is left is 13,290 x 4.333 s / 12 = 80 m of work.
    wrong, fine = told(day_and_night)
    assert wrong[0] == (
        "phase day: the endpoint cannot keep up: it needs 13.0 slots, and 6 instances have 12; the backlog grows by "
        "14 a minute, to about 13,300 at its end; 7 instances would do"
    )
    assert "with `drain` at 20m the run ends before" in wrong[1]
    assert fine[0] == "phase night: 2.2 of 12 slots busy (18%); 2 instances would do"


def test_what_is_needed_has_the_decimals_that_show_that_it_is_more_than_there_is() -> None:
    # 1.02 requests a second that work for 1 s: 0.02/s stay, which are 72 after an hour and none after ten seconds.
    one = "service: {constant: 1s}, instances: {min: 1, max: 1, concurrency: 1}"
    wrong, _ = told(emulated(one, "constant: {rate: 1.02/s, for: 1h}"))
    assert "it needs 1.02 slots, and 1 instance has 1; the backlog grows by 1.2 a minute, to about 72" in wrong[0]
    wrong, fine = told(emulated(one, "constant: {rate: 1.02/s, for: 10s}"))
    assert (wrong, fine[0]) == (
        [],
        "phase constant: 1.0 of 1 slot busy (102%): the endpoint hardly keeps up, and waits are long",
    )


@pytest.mark.parametrize(
    ("load", "words"),
    [
        # Each request works for 1 s, so a rate is a number of slots; 2 slots an instance.
        ("ramp: {from: 2/s, to: 9/s, for: 10m}", "5.5 of 12 slots busy on average (46%), 9.0 at its highest rate; 5"),
        ("steps: {rates: [8/s, 2/s], each: 5m}", "5.0 of 12 slots busy on average (42%), 8.0 at its highest rate; 5"),
        (
            "sine: {mean: 4/s, amplitude: 3/s, period: 4m, for: 8m}",
            "4.0 of 12 slots busy on average (33%), 7.0 at its highest rate; 4",
        ),
        # 30 s of a wave of 4 m: it has risen to 4 + 3 x sin(pi / 4) = 6.1, and has asked for 4 x 30 + 3 x 240 x
        # (1 - cos(pi / 4)) / (2 pi) = 153.6 requests, 5.1 a second.
        (
            "sine: {mean: 4/s, amplitude: 3/s, period: 4m, for: 30s}",
            "5.1 of 12 slots busy on average (43%), 6.1 at its highest rate; 4",
        ),
    ],
)
def test_a_phase_whose_rate_changes_is_told_what_would_do_where_it_is_highest(load: str, words: str) -> None:
    _, fine = told(emulated("service: 1s, instances: {min: 6, max: 6, concurrency: 2}", load))
    assert fine[0].removeprefix(f"phase {load.split(':')[0]}: ") == f"{words} instances would do"


def test_a_recorded_trace_is_told_what_would_do_on_average(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time\n" + "".join(f"{second}\n" for second in range(600)))
    target = "{emulated: {service: 1s, instances: {min: 4, max: 4}}}"
    text = f"name: x\ntarget: {target}\nload: [{{replay: {{trace: a.csv, unit: s}}}}]\n"
    plan = make_plan(parse_scenario(text, str(tmp_path / "x.yaml")), tmp_path)
    assert "; 2 instances would do on average" in told(plan)[1][0]


def test_time_and_cost_have_bounds(day_and_night: RunPlan) -> None:
    found = forecast(day_and_night)
    # 86,400 s and what the drain of 1,200 s may add; at most 6 instances for all of it, at least the work that is done.
    assert (found.least_s, found.most_s) == (87_600, 87_600)
    assert found.instance_hours is not None
    least_h, most_h = found.instance_hours
    assert most_h == pytest.approx(6 * 87_600 / 3600)
    assert 0.5 * most_h < least_h < most_h
    _, fine = told(day_and_night)
    assert fine[-1].startswith("it pays for 113 to 146 instance hours: 135.")
    assert fine[-1].endswith(" to 175.20 USD")


def test_the_backlog_of_one_phase_is_carried_into_the_next() -> None:
    # 2/s on one slot of 1 s: 1/s stays, 600 in 10 m, which a pause of 4 m works off to 360.
    load = "[{constant: {rate: 2/s, for: 10m}}, {pause: {for: 4m}}, {constant: {rate: 0.5/s, for: 10m}}]"
    plan = planned(f"name: x\ntarget: {{emulated: {{service: 1s}}}}\nload: {load}\n")
    backlogs = [phase.backlog_at_end for phase in forecast(plan).phases]
    assert backlogs == pytest.approx([600, 360, 60], abs=2)


def test_service_times_follow_the_payload_classes_that_were_drawn() -> None:
    plan = planned("""\
        name: x
        target: {emulated: {service: {by_class: {small: 1s, large: 5s}}, instances: {min: 3, max: 3}}}
        payloads: {mix: [{name: small, synthetic: 9}, {name: large, synthetic: 9}]}
        load: [{constant: {rate: 1/s, for: 20m}}]
        """)
    (phase,) = forecast(plan).phases
    assert phase.busy_slots == pytest.approx(3.0, abs=0.15)  # 1/s x (1 s + 5 s) / 2


def test_a_time_out_cuts_the_long_services_off_and_not_the_mean_alone() -> None:
    # Exponential with 40 s on average, cut off at 60 s: 40 s x (1 - e^-1.5) = 31.07 s, so that 2 slots keep up.
    plan = emulated(
        "service: {exponential: {mean: 40s}}, instances: {min: 2, max: 2}",
        "constant: {rate: 0.055/s, for: 1h}",
        "request: {timeout: 60s}",
    )
    (phase,) = forecast(plan).phases
    assert phase.busy_slots == pytest.approx(0.055 * 31.07, rel=1e-3)
    assert not [text for text in told(plan)[0] if "cannot keep up" in text]


def test_less_memory_than_the_service_was_measured_at_makes_it_as_many_times_longer() -> None:
    plan = planned("""\
        name: x
        target: {kind: serverless, emulated: {service: 40s, serverless: {memory: 1024, measured_at: 2048}}}
        load: [{constant: {rate: 0.055/s, for: 1h}}]
        """)
    found = forecast(plan)
    (phase,) = found.phases
    assert phase.busy_slots == pytest.approx(0.055 * 60, rel=1e-3)  # 80 s, which the container's limit cuts off
    assert [one.share for one in found.timeouts] == [1.0]


@pytest.mark.parametrize(
    ("settings", "rest", "words"),
    [
        ("service: 20m", "", "each request will fail after 15m in the container (InvocationTimeoutSeconds is 15m by"),
        ("service: 90s", "request: {timeout: 60s}", "each request will fail after 1m in the container (the time-out"),
        ("service: {exponential: {mean: 5m}}", "", "about 5% of the requests will fail after 15m"),
    ],
)
def test_service_that_outlasts_its_time_out_is_named(settings: str, rest: str, words: str) -> None:
    wrong, _ = told(emulated(settings, rest=rest))
    assert wrong[0].startswith(words)
    assert "request.timeout, at most 1h" in wrong[0]


def test_service_within_its_time_out_is_not_named() -> None:
    assert told(emulated("service: 14m"))[0] == []
    assert told(emulated("service: 20m", rest="request: {timeout: 30m}"))[0] == []


ZERO = "instances: {min: 0}"
TRACKED = f"{ZERO}, policies: [{{target_tracking: {{backlog_per_instance: 5}}}}]"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (ZERO, "without a policy none will be added"),
        ("instances: {start: 0}", "without a policy none will be added"),
        (TRACKED, "3 requests will never be a backlog above the target of 5"),
        (TRACKED.replace("5", "2") + ", open_questions: {tracking_leaves_zero: false}", "does not leave zero"),
        (TRACKED.replace("5", "2") + ", open_questions: {per_instance_at_zero: missing}", "has no datapoint"),
        (f"{ZERO}, policies: [{{step: {{threshold: 4, steps: [{{change: 1}}]}}}}]", "never reach the threshold of 4"),
        (f"{ZERO}, policies: [{{step: {{threshold: 1, steps: [{{change: -1}}]}}}}]", "adds nothing to zero"),
        (TRACKED.replace("5", "2") + ", suspended: [out]", "scaling out is suspended"),
        (f"{ZERO}, scheduled: [{{at: 5m, min: 1}}], suspended: [scheduled]", "without a policy none will be added"),
        (f"{ZERO}, scheduled: [{{at: 5m, max: 3}}]", "without a policy none will be added"),
    ],
)
def test_an_endpoint_that_can_never_serve_is_named_before_the_run(settings: str, words: str) -> None:
    (only,) = told(emulated(settings))[0]
    assert only.startswith("nothing will be served: no instance is there at the start, and ")
    assert words in only


@pytest.mark.parametrize(
    "settings",
    [
        "",
        TRACKED.replace("5", "2"),
        f"{ZERO}, policies: [{{step_from_zero: {{add: 1}}}}]",
        TRACKED.replace("]", ", {step_from_zero: {add: 1}}]"),
        f"{ZERO}, policies: [{{step: {{threshold: 3, steps: [{{change: 1}}]}}}}]",
        f"{ZERO}, scheduled: [{{at: 5m, min: 1}}]",
        f"{ZERO}, initial: {{activity: {{to: 1}}}}",
        f"{TRACKED}, suspended: [out], initial: {{activity: {{to: 2}}}}",
    ],
)
def test_an_endpoint_that_may_serve_is_not_accused(settings: str) -> None:
    assert told(emulated(settings))[0] == []


SCALED = "instances: {min: 1, max: 4, start: 1, concurrency: 1}, service: 1s"
TRACKING = "policies: [{target_tracking: {backlog_per_instance: 5}}]"


@pytest.mark.parametrize(
    ("settings", "instances"),
    [
        (SCALED, 1),
        (f"{SCALED}, {TRACKING}", 4),
        (f"{SCALED}, {TRACKING}, suspended: [out]", 1),
        (f"{SCALED}, scheduled: [{{at: 1m, min: 2}}]", 2),
        (f"{SCALED}, scheduled: [{{at: 1m, min: 2}}], suspended: [scheduled]", 1),
        (f"{SCALED}, {TRACKING}, scheduled: [{{at: 1m, max: 6}}]", 6),
        (f"{SCALED}, {TRACKING}, suspended: [out], initial: {{activity: {{to: 3}}}}", 3),
    ],
)
def test_the_most_instances_are_those_that_scaling_can_reach(settings: str, instances: int) -> None:
    assert forecast(emulated(settings)).instances_max == instances


@pytest.mark.parametrize(
    ("load", "waits"),
    [
        # One slot of 1 s. From 0 to 2/s in an hour, as much comes as can be done; the second half leaves 900.
        ("ramp: {from: 0/s, to: 2/s, for: 1h}", "work for about 15 m"),
        ("steps: {rates: [0.5/s, 1.4/s], each: 20m, arrivals: constant}", "work for about 8 m"),  # 0.4/s x 20 m
        ("ramp: {from: 0.5/s, to: 0.9/s, for: 1h}", ""),
        ("constant: {rate: 1/s, for: 1h}", ""),
        ("poisson: {rate: 0.9/s, for: 1h}", ""),
    ],
)
def test_a_load_that_is_kept_up_with_on_average_alone_is_named_for_when_it_is_not(load: str, waits: str) -> None:
    wrong, _ = told(emulated("service: 1s, time: warp", load))
    assert bool(wrong) == bool(waits)
    assert not waits or (wrong[0].startswith("phase ") and waits in wrong[0]), wrong


def test_the_least_scenario_there_is_has_one_instance() -> None:
    plan = planned("name: x\nload: [{burst: {requests: 3}}]\n")
    assert plan.scenario.target.emulated.instances.at_start == 1
    assert told(plan)[0] == []


def test_waking_from_zero_is_part_of_the_least_length() -> None:
    # Two minutes of the alarm, 60 s of delay, 5 s of action, 4 m of start.
    settings = f"{ZERO}, policies: [{{step_from_zero: {{}}}}], metric_delay: 60s, provision: 4m, service: 1s"
    found = forecast(emulated(settings))
    assert found.least_s == pytest.approx(120 + 60 + 5 + 240)
    assert found.most_s == 1200


@pytest.mark.parametrize(
    ("time", "words"),
    [
        ("real", "the run lasts 10 m 01 s to 30 m"),
        (
            "{scaled: 20}",
            "the run lasts 10 m 01 s to 30 m of scenario time; at 20 times its speed that takes 30.0 s to 90.0 s",
        ),
        ("warp", "the run lasts 10 m 01 s to 30 m of scenario time; in warp time that takes about 2 s"),
    ],
)
def test_the_length_of_a_run_is_told_in_both_times(time: str, words: str) -> None:
    plan = emulated(f"service: 1s, time: {time}", "constant: {rate: 1/s, for: 10m}")
    assert length(forecast(plan), plan.time_kind) == words


def test_the_wall_s_time_of_a_run_counts_the_parts_of_its_answers() -> None:
    # 400 calls of 2.5 ms, and each 200 parts of 0.1 ms.
    text = """\
    name: x
    target: {kind: realtime, emulated: {service: 1s, stream: {parts: 200, gap: 10ms}, time: warp}}
    request: {stream: true}
    load: [burst: {requests: 400}]
    """
    plan = planned(text)
    assert "in warp time that takes about 9 s" in length(forecast(plan), plan.time_kind)


def test_a_closed_loop_has_no_most() -> None:
    # 800 requests, eight at a time, a second each: 100 s.
    found = forecast(
        emulated("service: 1s, instances: {min: 4, max: 4, concurrency: 2}", "closed: {outstanding: 8, requests: 800}")
    )
    assert found.least_s == pytest.approx(101)
    assert (found.most_s, found.instance_hours) == (None, None)


def test_a_burst_is_work_and_no_overload() -> None:
    wrong, fine = told(emulated("service: 1s", "burst: {requests: 600, within: 10s}"))
    assert wrong == []
    assert fine[0] == "phase burst: 600 requests are about 10 m of work for 1 instance"


@pytest.mark.parametrize(
    "load", ["users: {initial: 3, for: 1m}", "stairs: {users: 1, steps: 3, each: 20s}"], ids=["users", "stairs"]
)
def test_what_users_may_send_at_most_is_no_work_to_be_done(load: str) -> None:
    """Three users of one instance get an answer a second: some sixty requests, not the 1,800 that are provided for."""
    plan = emulated("service: 1s", load)
    wrong, fine = told(plan)
    assert wrong == []
    name = load.partition(":")[0]
    most = len(plan.schedule)
    assert fine[0] == f"phase {name}: at most {most:,} requests: each user waits for an answer before the next"


def test_requests_that_will_expire_are_named() -> None:
    wrong, _ = told(emulated("service: 10s", "constant: {rate: 1/s, for: 30m}", "request: {ttl: 10m}\ndrain: 10h"))
    assert any("expire after 10m" in line for line in wrong)


def test_of_a_real_endpoint_only_the_length_is_known() -> None:
    plan = planned("name: x\ntarget: {endpoint: mine}\nload: [{constant: {rate: 1/s, for: 10m}}]\n")
    found: Forecast = forecast(plan)
    assert (warnings(found), found.phases) == ([], ())
    assert facts(found, plan.time_kind, 1.0) == ["the run lasts 10 m to 30 m"]


def test_a_percentile_that_the_load_cannot_bear_is_named_before_the_run() -> None:
    load = [{"burst": {"requests": 900, "warmup": True}}, {"burst": {"requests": 150}}]
    found = validate({"name": "x", "load": load, "thresholds": ["p99 < 5s", "p90 < 5s", "max < 5s"]})
    told = [note for note in found.notes if "UNKNOWN" in note]
    assert told == ["note: `p99 < 5s` takes 1,000 requests and the load has 150: the run would be UNKNOWN"]


def test_a_load_of_millions_is_described_without_being_drawn() -> None:
    tracemalloc.start()
    found = validate({"name": "x", "load": [{"burst": {"requests": 30_000_000, "within": "20s"}}]})
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
    assert (found.n_requests, found.schedule_digest) == (30_000_000, "")
    assert "not drawn" in found.notes[0]
