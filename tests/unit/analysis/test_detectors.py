"""Goal: each detector finds its story, says when it began, and is silent on a run in which nothing stands out.

Method: the same steady run for all, with one thing done to it.
"""

import heapq
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from modelling import scenario
from runs import EPOCH_NS, Request, frames_of, reading, span, sure
from simulated import simulated_run
from smbench.analysis.detectors import DETECTORS
from smbench.analysis.observations import Observation
from smbench.analysis.rows.frames import derive
from smbench.analysis.summary import Summary, summarise
from smbench.records import Event, Outcome, Reading

S = 1_000_000_000


def looks(*seen: tuple[float, int, int]) -> list[Reading]:
    return [
        reading(name, float(count), at)
        for at, there, desired in seen
        for name, count in (("instances_current", there), ("instances_desired", desired))
    ]


def activity(at: float, end: float | None, before: int, after: int, *, state: str = "", **detail: Any) -> Event:
    state = state or ("Successful" if end is not None else "InProgress")
    seen_ns = round((at if end is None else end) * S)
    end_ns = None if end is None else round(end * S)
    text = orjson.loads(orjson.dumps(detail))
    return Event("scaling_activity", f"a{at}", round(at * S), seen_ns, state, end_ns, before, after, detail=text)


def steady(n: int = 100, takes_s: float = 1.5, start_s: float = 0.0) -> list[Request]:
    """One request every two seconds, each with an instance to itself."""
    return [Request(start_s + 2.0 * k, done=start_s + 2.0 * k + takes_s + 0.001 * (k % 7)) for k in range(n)]


def observed(rows: list[Request], seen: list[Reading], events: list[Event] | None = None, **more: Any) -> Summary:
    of = {"target": {"emulated": {"instances": {"concurrency": more.pop("slots", 1)}}}}
    more.setdefault("clock", "real")
    return summarise(
        frames_of(rows, readings=seen, events=events or [], scenario=of, spans=[span(len(rows), end_s=200.0)], **more)
    )


def named(summary: Summary, name: str) -> Observation:
    (found,) = [one for one in summary.observations if one.name == name]
    return found


def test_nothing_stands_out_of_a_steady_run() -> None:
    assert observed(steady(), looks((0.0, 1, 1), (100.0, 1, 1))).observations == ()


def test_without_anything_known_nothing_is_observed() -> None:
    assert summarise(frames_of([], spans=[])).observations == ()
    assert observed([Request(0.0, Outcome.PENDING)], []).observations == ()


def test_a_stall_is_requests_and_instances_and_no_end() -> None:
    # Nothing ends between 99.5 s and 160 s although the only slot has work from 100 s on and another request waits.
    rows = [*steady(50), Request(100.0, done=160.0), Request(100.0, done=161.0), *steady(20, start_s=170.0)]
    found = named(observed(rows, looks((0.0, 1, 1))), "stall")
    assert found.at_s == 100.0
    assert "60.0 s" in found.seen


def test_long_jobs_for_which_nobody_waits_are_no_stall() -> None:
    rows = [Request(0.0, done=1800.0), Request(0.0, done=1800.0)]
    found = observed(rows, looks((0.0, 1, 1), (1800.0, 1, 1)), slots=2)
    assert "stall" not in {one.name for one in found.observations}


def test_a_container_that_fails_everything_stands_out_with_its_words_in_full() -> None:
    words = "ModelError: CUDA error: out of memory while the batch of 64 images was copied to the device"
    rows = [Request(float(k), Outcome.FAILED, done=k + 0.5, error=words) for k in range(12)]
    seen = named(observed(rows, looks((0.0, 1, 1))), "container failures").seen
    assert "12 of 12" in seen
    assert words in seen


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("ClientError: Received server error (500) from model. See the SageMaker Endpoint logs.", "container failures"),
        ("ClientError: Received client error (400) from model.", "container failures"),
        ("ClientError: Failed to upload the response to the S3 output path.", "failed requests"),
        ("ClientError: Failed to download the request payload from s3://my-models/x", "failed requests"),
        ("ClientError: The instance that processed the request was lost.", "failed requests"),
        (None, "failed requests"),
    ],
)
def test_only_a_failure_whose_words_name_the_container_is_called_the_containers(words: str | None, name: str) -> None:
    rows = [*steady(50), *(Request(200.0 + k, Outcome.FAILED, done=k + 200.5, error=words) for k in range(12))]
    found = observed(rows, looks((0.0, 1, 1)))
    assert {"container failures", "failed requests"} & {one.name for one in found.observations} == {name}


def test_a_rare_failure_of_the_container_does_not_stand_out() -> None:
    rows = [*steady(99), Request(198.0, Outcome.FAILED, done=199.0, error="x")]
    assert "container failures" not in {one.name for one in observed(rows, looks((0.0, 1, 1))).observations}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("outcome", "name"),
    [
        (Outcome.EXPIRED, "expired requests"),
        (Outcome.UNKNOWN_END, "ends of unknown kind"),
        (Outcome.REJECTED, "refused submissions"),
        (Outcome.TRANSPORT_ERROR, "unanswered submissions"),
    ],
)
def test_every_kind_of_bad_end_stands_out_where_it_is_common(outcome: Outcome, name: str) -> None:
    def run(n_bad: int) -> Summary:
        bad = [Request(200.0 + k, outcome, done=210.0, error="the words of it") for k in range(n_bad)]
        return observed(steady() + bad, looks((0.0, 1, 1)))

    seen = named(run(10), name).seen
    assert "10 of 110" in seen
    assert "the words of it" in seen
    assert name not in {one.name for one in run(2).observations}


def test_wrong_answers_stand_out_and_are_no_failure_of_the_container() -> None:
    wrong = [
        Request(float(k), Outcome.FAILED, done=k + 0.5, error="no JSON", changes={"wrong_answer": "json"})
        for k in range(12)
    ]
    found = observed(wrong, looks((0.0, 1, 1)))
    assert "12 of 12" in named(found, "wrong answers").seen
    assert "container failures" not in {one.name for one in found.observations}


@pytest.mark.parametrize(("n_warm", "n_measured", "is_notable"), [(30, 100, True), (5, 100, False), (30, 900, False)])
def test_a_warm_up_whose_backlog_the_measured_requests_meet_is_notable(
    n_warm: int, n_measured: int, is_notable: bool
) -> None:
    # One slot, a second each: 30 requests are worked off at 30 s, and 25 measured ones, one a second, come before.
    warm = [Request(0.0, done=k + 1.0, warmup=True, phase="warm") for k in range(n_warm)]
    measured = [Request(5.0 + k, done=max(n_warm, 5) + k + 1.0) for k in range(n_measured)]
    found = observed(warm + measured, looks((0.0, 1, 1))).observations
    assert ("warm-up not over" in {one.name for one in found}) == is_notable


def test_an_idle_endpoint_does_not_stall() -> None:
    rows = steady(20) + steady(20, start_s=2000.0)
    assert observed(rows, looks((0.0, 1, 1))).observations == ()


def test_a_capacity_hole_says_how_long_nobody_served() -> None:
    rows = [Request(20.0, done=101.5), *steady(20, start_s=110.0)]
    seen = looks((0.0, 0, 0), (59.999, 0, 0), (60.001, 0, 1), (99.999, 0, 1), (100.001, 1, 1))
    found = named(observed(rows, seen), "capacity hole")
    assert found.at_s == 20.0
    assert "80.0 s" in found.seen


@pytest.mark.slow
def test_stuck_at_zero_is_a_hole_in_which_nobody_asked_for_an_instance() -> None:
    rows = [Request(20.0, Outcome.PENDING), Request(700.0, Outcome.REJECTED, error="x")]
    found = named(observed(rows, looks((0.0, 0, 0), (700.0, 0, 0))), "stuck at zero")
    assert found.at_s == 20.0
    asked = observed(rows, looks((0.0, 0, 0), (30.0, 0, 1), (700.0, 0, 1)))
    assert [one.name for one in asked.observations] == ["capacity hole", "refused submissions"]


@pytest.mark.slow
def test_the_advice_for_an_endpoint_at_zero_does_not_ask_for_a_policy_that_is_there() -> None:
    rows = [Request(20.0, Outcome.PENDING), Request(700.0, Outcome.REJECTED, error="x")]
    alarm: dict[str, Any] = {
        "MetricName": "HasBacklogWithoutCapacity",
        "Namespace": "AWS/SageMaker",
        "AlarmActions": ["p"],
    }
    alarm["Dimensions"] = [{"Name": "EndpointName", "Value": "ep"}]
    step = {"PolicyARN": "p", "StepScalingPolicyConfiguration": {"StepAdjustments": [{"ScalingAdjustment": 1}]}}
    at_zero = looks((0.0, 0, 0), (700.0, 0, 0))
    with_it = observed(rows, at_zero, target={"policies": [step], "alarms": [alarm]})
    assert "why the alarm did not act" in named(with_it, "stuck at zero").advice
    without = observed(rows, at_zero, target={"policies": [], "alarms": []})
    assert "add a step policy" in named(without, "stuck at zero").advice


@pytest.mark.slow
def test_scaling_in_below_the_work_there_is() -> None:
    # Eight in the system when four instances become one.
    rows = [Request(0.0, done=50.0 + k) for k in range(8)]
    seen = looks((0.0, 4, 4), (20.0, 4, 1), (30.0, 1, 1))
    found = named(observed(rows, seen, [activity(15.0, 30.0, 4, 1)]), "scale-in during work")
    assert found.at_s == 15.0
    assert "4 -> 1 instances with 8 requests" in found.seen
    idle = observed(steady(5), seen, [activity(15.0, 30.0, 4, 1)])
    assert idle.observations == ()


LOW = "TargetTracking-endpoint/e/variant/v-AlarmLow-1"


def scaled_in_by(alarm_s: float | None, began_s: float, *, was_on: bool = False) -> Observation:
    """Two instances become one at 1,000 s, amid a load of eight that began then; AlarmLow went off then."""
    cause = f"monitor alarm {LOW} in state ALARM triggered policy p"
    decided = Event("scaling_activity", "a", 1000 * S, 1080 * S, "Successful", 1080 * S, 2, 1, cause=cause)
    off = [] if alarm_s is None else [Event("alarm", LOW, round(alarm_s * S), round(alarm_s * S), "OK -> ALARM")]
    rows = [*steady(5), *(Request(began_s, done=1100.0 + k) for k in range(8))]
    seen = looks((0.0, 2, 2), (1000.0, 2, 1), (1080.0, 1, 1), (1200.0, 1, 1))
    target = {"alarms": [{"AlarmName": LOW, "StateValue": "ALARM" if was_on else "OK", "ComparisonOperator": "Less"}]}
    return named(observed(rows, seen, [*off, decided], target=target), "scale-in during work")


@pytest.mark.parametrize(("alarm_s", "was_on"), [(960.0, False), (None, True)])
def test_a_scale_in_by_an_alarm_that_had_not_seen_the_load_names_that_cause(
    alarm_s: float | None, was_on: bool
) -> None:
    found = scaled_in_by(alarm_s, 970.0, was_on=was_on)
    assert "AlarmLow's points are from before the load" in found.seen
    assert "MinCapacity" in found.advice
    assert "does not help" in found.advice


@pytest.mark.slow
@pytest.mark.parametrize(
    ("alarm_s", "began_s"),
    [
        (960.0, 950.0),  # it went off amid the load
        (960.0, 700.0),
        (500.0, 700.0),  # it had five minutes to see it
        (None, 970.0),  # nothing is known of it
    ],
)
def test_a_scale_in_by_an_alarm_that_had_seen_the_load_is_the_policys(alarm_s: float | None, began_s: float) -> None:
    found = scaled_in_by(alarm_s, began_s)
    assert "from before the load" not in found.seen
    assert "lower the target" in found.advice


def test_a_story_of_a_burst_that_meets_yesterdays_alarm_names_it() -> None:
    # AlarmLow is evaluated at second 20 of each minute. It goes off at 15:20 after the first burst was worked off, and
    # takes the last instance at 15:25, twelve seconds after the second burst.
    of = scenario(
        [
            {"burst": {"requests": 3, "within": "0s"}},
            {"pause": {"for": "913s"}},
            {"burst": {"requests": 60, "within": "0s"}},
        ],
        instances={"min": 0, "max": 1, "start": 1},
        policies=[{"target_tracking": {"backlog_per_instance": 5}}],
        open_questions={"alarm_phase": "20s"},
        drain="20m",
    )
    found = named(summarise(derive(*simulated_run(of))), "scale-in during work")
    assert found.at_s == 925.0
    assert "1 -> 0 instances with 48 requests there; AlarmLow's points are from before the load" in found.seen


def test_an_alarm_on_what_is_never_published_is_observed() -> None:
    metric = {"Namespace": "AWS/SageMaker", "MetricName": "InvocationsPerInstance", "Dimensions": []}
    found = named(
        observed(steady(), looks((0.0, 1, 1)), target={"alarms": [{"AlarmName": "a"} | metric]}), "alarm without data"
    )
    assert "do not publish InvocationsPerInstance" in found.seen


def test_a_scale_in_that_is_undone_oscillates() -> None:
    events = [activity(50.0, 60.0, 2, 1), activity(150.0, 170.0, 1, 2)]
    seen = looks((0.0, 2, 2), (50.0, 2, 1), (60.0, 1, 1), (150.0, 1, 2), (170.0, 2, 2))
    assert named(observed(steady(), seen, events), "oscillation").at_s == 50.0


def test_an_oscillation_is_dated_from_the_first_scale_in_that_was_undone() -> None:
    """The first, from 3 to 2, stays; a second one half an hour later is undone."""
    events = [activity(50.0, 60.0, 3, 2), activity(1800.0, 1810.0, 2, 1), activity(1900.0, 1950.0, 1, 2)]
    seen = looks((0.0, 3, 3), (60.0, 2, 2), (1810.0, 1, 1), (1900.0, 1, 2), (1950.0, 2, 2))
    found = named(observed(steady(), seen, events), "oscillation")
    assert found.at_s == 1800.0
    assert found.seen.startswith("1 scale-in was undone")


def test_scaling_that_failed_otherwise_says_why_in_the_words_of_aws_once() -> None:
    message = "Failed to set desired instance count to 3. Reason: 1 of the new instances did not pass."
    tries = [activity(at, at + 10, 1, 3, state="Failed", StatusMessage=message) for at in (50.0, 70.0)]
    found = named(observed(steady(), looks((0.0, 1, 1)), tries), "scaling failed")
    assert (found.seen, found.at_s) == (f"2 scaling activities failed: {message}", 50.0)


@pytest.mark.slow
def test_capacity_that_was_not_to_be_had_is_a_ceiling() -> None:
    message = "The account-level service limit 'ml.g5.xlarge for endpoint usage' is 2 Instances"
    failed = activity(50.0, 70.0, 1, 3, state="Failed", StatusMessage=message)
    found = named(observed(steady(), looks((0.0, 1, 1)), [failed]), "quota ceiling")
    assert found.at_s == 50.0
    assert "ml.g5.xlarge" in found.seen
    at_max = activity(50.0, None, 4, 4, state="Failed", NotScaledReasons=[{"Code": "AlreadyAtMaxCapacity"}])
    assert named(observed(steady(), looks((0.0, 1, 1)), [at_max]), "at MaxCapacity").at_s == 50.0
    waiting = looks((0.0, 1, 1), (10.0, 1, 3), (2000.0, 1, 3))
    assert "desired" in named(observed(steady(), waiting), "quota ceiling").seen


@pytest.mark.slow
def test_requests_that_slow_each_other_down_show_as_effective_concurrency() -> None:
    # Alone a request takes 1.5 s. Four at once are promised, but of a hundred that wait one ends every 1.5 s.
    rows = steady(40) + [Request(100.0, done=100.0 + 1.5 * (k + 1)) for k in range(100)]
    found = named(observed(rows, looks((0.0, 1, 1)), slots=4), "effective concurrency")
    assert "does 1.0 requests" in found.seen
    as_told = steady(40) + [Request(100.0, done=100.0 + 1.5 * (k // 4 + 1)) for k in range(200)]
    assert "effective concurrency" not in {
        one.name for one in observed(as_told, looks((0.0, 1, 1)), slots=4).observations
    }


def backlog_on_two_hosts(factor: float) -> Summary:
    """Eighty requests for two instances; one takes this many times as long as the other, give or take 7 %."""
    rows, free = [], [(0.0, 1.0), (0.0, factor)]
    for k in range(80):
        since, takes_s = heapq.heappop(free)
        done = since + takes_s * (1 + 0.0131 * (k * 7 % 11 - 5))
        heapq.heappush(free, (done, takes_s))
        rows.append(Request(0.001 * k, done=round(done, 3)))
    return observed(rows, looks((0.0, 2, 2)))


@pytest.mark.slow
def test_hosts_that_differ_beyond_chance_and_by_enough_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    found = named(backlog_on_two_hosts(1.5007), "host spread")
    assert "the slowest 1.2" in found.seen
    assert found.at_s == 0.001
    a_little = backlog_on_two_hosts(1.08)
    spread = sure(a_little.host_spread)
    assert spread.is_beyond_chance
    assert spread.share < 0.05
    assert "host spread" not in {one.name for one in a_little.observations}
    monkeypatch.setattr("smbench.analysis.capacity.hosts.ALPHA", 0.0)
    assert "host spread" not in {one.name for one in backlog_on_two_hosts(1.5007).observations}


def test_ends_that_were_never_told_are_a_loss() -> None:
    rows = [*steady(98), Request(196.0, done=197.0, seen=210.0, end_from="output", notices=0)]
    rows.append(Request(198.0, Outcome.LOST))
    assert "2 of 100" in named(observed(rows, looks((0.0, 1, 1))), "notification loss").seen


def test_an_end_that_was_found_before_its_notice_could_come_is_no_loss() -> None:
    rows = [*steady(98), Request(196.0, done=197.0, seen=206.0, end_from="output", notices=0)]
    assert "notification loss" not in {one.name for one in observed(rows, looks((0.0, 1, 1))).observations}


def test_why_notices_were_lost_is_said_where_the_run_found_it_out() -> None:
    frames = frames_of([*steady(98), Request(196.0, done=197.0, seen=210.0, end_from="output", notices=0)])
    notes = ("a note", "amid the run the queue q was removed")
    told = summarise(replace(frames, manifest=frames.manifest.model_copy(update={"notes": notes}))).observations
    (loss,) = [one for one in told if one.name == "notification loss"]
    assert loss.seen.endswith("of 99 requests (1.01 %); amid the run the queue q was removed")


def test_ends_that_the_endpoint_does_not_publish_accuse_no_notification() -> None:
    found_in_s3 = [Request(float(k), done=k + 1.0, seen=60.0, end_from="output", notices=0) for k in range(24)]
    target = {"unobservable": {"completed": "the endpoint has no SuccessTopic"}}
    frames = frames_of(found_in_s3)
    told = replace(frames, manifest=frames.manifest.model_copy(update={"target": target}))
    assert "notification loss" not in {one.name for one in summarise(told).observations}
    assert "notification loss" in {one.name for one in summarise(frames).observations}


def test_stamps_of_whole_seconds_are_told_and_a_models_are_not() -> None:
    whole = [Request(2.0 * k, done=2.0 * k + 1.0) for k in range(100)]
    assert EPOCH_NS % S == 0
    assert "whole second" in named(observed(whole, looks((0.0, 1, 1))), "poll quantisation").seen
    assert observed(whole, looks((0.0, 1, 1)), clock="warp").observations == ()


def test_looks_that_are_far_apart_are_told_where_capacity_changed() -> None:
    seen = looks((0.0, 1, 1), (60.0, 1, 2), (120.0, 2, 2), (180.0, 2, 2))
    found = named(observed(steady(), seen, [activity(55.0, 100.0, 1, 2)]), "poll quantisation")
    assert "60.0 s" in found.seen


def test_throttles_are_counted_from_the_first() -> None:
    rows = [*steady(), Request(70.5, Outcome.REJECTED, error="ThrottlingException")]
    found = named(observed(rows, looks((0.0, 1, 1))), "throttling")
    assert (found.at_s, found.seen) == (70.5, "1 of 101 submissions were throttled")


@pytest.mark.slow
def test_a_detector_that_crashes_takes_nothing_else_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> Observation | None:
        raise ZeroDivisionError("boom")

    detectors: tuple[Callable[[Any], Observation | None], ...] = (broken, *DETECTORS)
    monkeypatch.setattr("smbench.analysis.detectors.DETECTORS", detectors)
    rows = [*steady(), Request(70.5, Outcome.REJECTED, error="ThrottlingException")]
    names = [one.name for one in observed(rows, looks((0.0, 1, 1))).observations]
    assert names == ["broken", "throttling"]
