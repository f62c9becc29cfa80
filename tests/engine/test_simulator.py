"""The simulator against queueing theory, against hand-computed stories, and against the schemas of a run."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from modelling import SECOND, scenario
from smbench.results.schema import FILES, polars_schema
from smbench.schedule.plan import plan
from smbench.simulator.simulate import Simulated, simulate
from theory import ddc_burst_sojourns_s, mmc_wait_mean_s, mmc_wait_quantile_s

EPOCH_NS = 1_767_225_600 * SECOND  # 2026-01-01: a whole minute


def run(load: list[dict[str, Any]], *, start_of_minute_s: float = 0.0, **changes: Any) -> Simulated:
    """A scenario of `modelling.PLAIN` with this load."""
    of = scenario(load, **changes)
    schedule = plan(of, Path(), [1.0])
    epoch_ns = EPOCH_NS + round(start_of_minute_s * SECOND)
    return simulate(of, None, schedule, ["a"], epoch_ns=epoch_ns, run_id="run", size_bytes=[100])


def fixed(n: int, concurrency: int = 1) -> dict[str, int]:
    """A fleet that never changes."""
    return {"min": n, "max": n, "start": n, "concurrency": concurrency}


def seconds(frame: pl.DataFrame, until: str, since: str) -> np.ndarray:
    span = frame[until] - frame[since]
    return span.dt.total_nanoseconds().to_numpy() / SECOND


def at_s(frame: pl.DataFrame, column: str) -> list[float]:
    """Scenario seconds of an instant column."""
    return [(utc_ns - EPOCH_NS) / SECOND for utc_ns in frame[column].dt.timestamp("ns").to_list() if utc_ns is not None]


BURST = [{"burst": {"requests": 20, "within": "0s"}}]


# Theory


@pytest.mark.slow
@pytest.mark.parametrize("servers", [1, 4, 8])
def test_waits_of_mmc_are_those_of_erlang_c(servers: int) -> None:
    # Utilisation 0.8, service 1 s. One seed says little (M/M/1: the mean of 10,000 waits has a standard deviation of
    # 11 %, by Daley's formula), so the mean of eight seeds, held to five of its own standard errors.
    waits_s = []
    shares = []
    quantile_s = mmc_wait_quantile_s(servers, 0.8 * servers, 1.0, 0.9)
    for seed in range(8):
        done = run(
            [{"poisson": {"rate": 0.8 * servers, "for": 10_000 / (0.8 * servers)}}],
            seed=seed,
            instances=fixed(servers),
            service={"exponential": {"mean": "1s"}},
            drain="1h",
        )
        wait_s = seconds(done.truth, "started", "arrived")
        waits_s.append(wait_s.mean())
        shares.append((wait_s <= quantile_s).mean())
    for measured, theory in ((waits_s, mmc_wait_mean_s(servers, 0.8 * servers, 1.0)), (shares, 0.9)):
        error = np.std(measured, ddof=1) / len(measured) ** 0.5
        assert np.mean(measured) == pytest.approx(theory, abs=5 * error)
        assert error < 0.07 * theory  # else the line above would accept anything


@pytest.mark.slow
def test_slots_of_one_instance_are_servers_like_instances_are() -> None:
    waits_s = []
    for instances in (fixed(4), fixed(1, concurrency=4)):
        done = run(
            [{"poisson": {"rate": "3/s", "for": "500s"}}],
            instances=instances,
            service={"exponential": {"mean": "1s"}},
        )
        waits_s.append(seconds(done.truth, "started", "arrived"))
    assert np.array_equal(waits_s[0], waits_s[1])


@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_burst_is_served_in_rounds(concurrency: int) -> None:
    done = run(BURST, instances=fixed(2, concurrency), service="3s")
    sojourns_s = seconds(done.requests, "done", "sched")
    assert sojourns_s.tolist() == ddc_burst_sojourns_s(20, 2 * concurrency, 3.0)


def test_the_reported_backlog_obeys_littles_law() -> None:
    done = run(
        [{"poisson": {"rate": "2/s", "for": "5m"}}],
        instances=fixed(3),
        service={"exponential": {"mean": "1s"}},
        notify_lag="300s",  # the run hears of the last end when its last minute has been read
        gauges_every="10s",
    )
    average = done.readings.filter(
        (pl.col("name") == "ApproximateBacklogSize") & (pl.col("stat") == "average"), pl.col("source") == "cloudwatch"
    )
    sojourn_s = seconds(done.truth, "ended", "arrived").sum()
    assert 60 * average["value"].sum() == pytest.approx(sojourn_s, abs=1e-6 * done.truth.height)


# A story by hand: 20 requests at zero instances, tracking 5 a minute, alarms 3 of 3, everything constant.


def story(**changes: Any) -> Simulated:
    return run(
        BURST,
        instances={"min": 0, "max": 3, "concurrency": 2},
        service="10s",
        policies=[{"target_tracking": {"backlog_per_instance": 5}}],
        **changes,
    )


def test_a_burst_at_zero_instances_waits_for_detection_and_provisioning() -> None:
    # Minutes end at 60, 120, 180 s; alarm at 180 s, decision at 185 s: ceil(20 / 5) = 4, of which 3 are allowed; in
    # service at 285 s, six slots, four rounds of 10 s.
    done = story()
    expected_s = [285 + sojourn_s for sojourn_s in ddc_burst_sojourns_s(20, 6, 10.0)]
    assert at_s(done.requests, "done") == expected_s
    assert done.end_ns == 325 * SECOND


def test_events_tell_the_story_in_order() -> None:
    done = story()
    told = [
        (kind, at, state)
        for kind, at, state in zip(done.events["kind"], at_s(done.events, "at"), done.events["state"], strict=True)
    ]
    assert told == [
        ("phase", 0, "burst"),
        ("alarm", 60, "INSUFFICIENT_DATA -> OK"),  # AlarmHigh: one datapoint of three
        ("alarm", 60, "INSUFFICIENT_DATA -> OK"),  # AlarmLow
        ("alarm", 180, "OK -> ALARM"),
        ("capacity", 185, "Updating"),
        ("scaling_activity", 185, "InProgress"),
        ("scaling_activity", 245, "Failed"),  # the alarm goes on firing, at the most there may be
        ("scaling_activity", 185, "Successful"),  # seen when a look finds it over
        ("capacity", 285, "InService"),
    ]
    activities = done.events.filter(pl.col("kind") == "scaling_activity", pl.col("state") != "Failed")
    assert at_s(activities, "seen") == [190, 290]
    assert activities["before"].to_list() == [0, 0]
    assert activities["after"].to_list() == [3, 3]
    assert at_s(activities, "end") == [285]  # the first look found none


def test_gauges_show_what_a_look_every_ten_seconds_would_have_shown() -> None:
    done = story()
    endpoint = done.readings.filter(pl.col("source") == "endpoint")
    desired = endpoint.filter(pl.col("name") == "instances_desired")
    current = endpoint.filter(pl.col("name") == "instances_current")
    seen_s = [10 * look for look in range(33)]
    assert at_s(desired, "seen") == seen_s
    assert desired["value"].to_list() == [3.0 if at >= 185 else 0.0 for at in seen_s]
    assert current["value"].to_list() == [3.0 if at >= 285 else 0.0 for at in seen_s]


def test_a_datapoint_is_read_at_the_first_look_after_it_is_visible() -> None:
    done = story(metric_delay="65s")
    backlog = done.readings.filter(pl.col("name") == "ApproximateBacklogSizePerInstance", pl.col("stat") == "average")
    assert at_s(backlog, "at")[:2] == [0, 60]
    assert at_s(backlog, "seen")[:2] == [130, 190]  # 60 + 65, 120 + 65, on a beat of ten seconds
    assert backlog["value"].to_list()[:2] == [20, 20]
    assert max(at_s(done.readings, "seen")) * SECOND <= done.end_ns  # what came later nobody read


def test_what_the_alarms_remember_from_before_the_run_is_no_reading_of_it() -> None:
    done = story(initial={"backlog": [7], "idle": "20m"})
    assert min(at_s(done.readings, "at")) == 0
    low = done.events.filter(pl.col("kind") == "alarm", pl.col("name").str.contains("AlarmLow"))
    assert low["state"].to_list()[:1] == ["ALARM -> OK"]


def test_the_ledgers_backlog_and_oldest_age_are_the_clients() -> None:
    done = story(notify_lag="2s")
    ledger = done.readings.filter(pl.col("source") == "ledger")
    backlog = ledger.filter(pl.col("name") == "backlog_seen")
    by_time = dict(zip(at_s(backlog, "at"), backlog["value"], strict=True))
    assert [by_time[at] for at in (0, 296, 297, 306, 307, 327)] == [20, 20, 14, 14, 8, 0]
    ages = ledger.filter(pl.col("name") == "oldest_age_s")
    assert ages["value"].to_list() == at_s(ages, "at")  # the oldest open was due at zero until the last has ended
    assert max(at_s(ages, "at")) == 326


def test_the_oldest_age_is_that_of_the_oldest_open_request_even_when_younger_ones_ended() -> None:
    done = run(
        [{"poisson": {"rate": "1/s", "for": "60s"}}], instances=fixed(4), service={"exponential": {"mean": "3s"}}
    )
    sent_ns = done.requests["send"].cast(pl.Int64).to_numpy()
    seen_ns = done.requests["seen"].cast(pl.Int64).to_numpy()
    ages = done.readings.filter(pl.col("name") == "oldest_age_s")
    shown = dict(zip(ages["at"].cast(pl.Int64), ages["value"], strict=True))
    for at_ns in range(EPOCH_NS, EPOCH_NS + done.end_ns + 1, SECOND):
        is_open = (sent_ns <= at_ns) & (at_ns < seen_ns)
        expected_s = (at_ns - sent_ns[is_open].min()) / SECOND if is_open.any() else None
        assert shown.get(at_ns) == expected_s


# The tables of a run


@pytest.mark.parametrize("file", FILES)
def test_every_table_has_its_schema(file: str) -> None:
    done = story()
    assert getattr(done, file).schema == polars_schema(FILES[file])


def test_requests_and_truth_tell_the_same() -> None:
    done = run(
        [{"poisson": {"rate": "2/s", "for": "2m"}}],
        instances=fixed(2),
        service={"by_class": {"a": {"exponential": {"mean": "1s"}}}},
        notify_lag={"lognormal": {"median": "80ms", "sigma": 0.3}},
    )
    pairs = (("inference_id", "inference_id"), ("arrived", "recv"), ("ended", "done"), ("published", "seen"))
    for of_truth, of_requests in (*pairs, ("outcome", "outcome")):
        assert done.truth[of_truth].to_list() == done.requests[of_requests].to_list()
    assert done.requests["inference_id"][3] == "run-0-3"
    assert set(done.requests["payload"]) == {"a"}
    assert set(done.requests["size_in_bytes"]) == {100}
    assert (done.truth["notice"] == "sent").all()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_tables() -> None:
    chance: dict[str, Any] = {
        "service": {"lognormal": {"median": "1s", "sigma": 0.5}},
        "provision": {"lognormal": {"median": "60s", "sigma": 0.3}},
        "metric_delay": {"uniform": {"low": "60s", "high": "90s"}},
        "notify_lag": {"lognormal": {"median": "80ms", "sigma": 0.3}},
        "faults": {"container_errors": 0.1, "instance_life": {"exponential": {"mean": "400s"}}, "metric_gaps": 0.1},
        "service_spread": 0.1,
        "instances": {"min": 1, "max": 6},
        "policies": [{"target_tracking": {"backlog_per_instance": 5, "out_cooldown": "30s"}}],
    }
    load = [{"poisson": {"rate": "2/s", "for": "10m"}}]
    first, second, other = (run(load, seed=seed, **chance) for seed in (7, 7, 8))
    for file in FILES:
        assert_frame_equal(getattr(first, file), getattr(second, file))
        assert not getattr(first, file).equals(getattr(other, file))


def test_another_policy_leaves_the_service_times_alone() -> None:
    # Common random numbers: what differs between two policies is the policies' doing.
    durations_s = []
    for n in (1, 5):
        done = run(
            [{"poisson": {"rate": "1/s", "for": "2m"}}],
            instances=fixed(n),
            service={"exponential": {"mean": "1s"}},
        )
        durations_s.append(seconds(done.truth, "ended", "started"))
    assert np.abs(durations_s[0] - durations_s[1]).max() < 1.5e-6  # files have whole microseconds


def test_a_closed_phase_keeps_its_number_outstanding_and_ends() -> None:
    done = run([{"closed": {"outstanding": 3, "requests": 12}}], instances=fixed(3), service="4s", notify_lag="1s")
    # An end is heard 1 s after it happens and releases the next: three every 5 s.
    assert at_s(done.requests, "sched") == [5.0 * (row // 3) for row in range(12)]
    assert (done.requests["outcome"] == "completed").all()
    assert done.end_ns == 20 * SECOND


def test_a_closed_phase_with_an_end_leaves_the_rest_unsent() -> None:
    done = run(
        [{"closed": {"outstanding": 2, "requests": 100, "for": "10s"}}, {"constant": {"rate": "1/s", "for": "3s"}}],
        instances=fixed(2),
        service="3s",
    )
    closed, constant = (done.requests.filter(pl.col("phase") == name) for name in ("closed", "constant"))
    sent = closed.filter(pl.col("accepted"))
    assert at_s(sent, "sched") == [0, 0, 3, 3, 6, 6, 9, 9]
    unsent = closed.filter(~pl.col("accepted"))
    assert set(unsent["outcome"]) == {"not_sent"}
    assert set(unsent["error"]) == {"the closed phase ended first"}
    assert unsent["inference_id"].null_count() == unsent["sched"].null_count() == 92
    assert at_s(constant, "send") == [10, 11, 12]


def test_a_closed_phase_whose_ends_take_longer_than_the_drain_gives_up_and_a_user_who_thinks_does_not() -> None:
    closed = [{"closed": {"outstanding": 3, "requests": 12}}]
    done = run(closed, instances=fixed(1), service="30s", drain="20s", notify_lag="0s")
    # Nothing is heard of until 20 s: no more is sent, and what is sent is waited for until 40 s.
    assert done.requests["outcome"].to_list() == ["completed", *["pending"] * 2, *["not_sent"] * 9]
    assert set(done.requests["why_not_sent"].drop_nulls()) == {"phase_ended"}
    assert done.end_ns == 40 * SECOND
    users = [{"users": {"initial": 1, "for": "100s", "think": "40s"}}]
    done = run(users, instances=fixed(1), service="5s", drain="20s", notify_lag="0s")
    assert at_s(done.requests.filter(pl.col("accepted")), "sched") == [0, 45, 90]


def test_an_end_at_the_instant_of_giving_up_comes_too_late() -> None:
    closed = [{"closed": {"outstanding": 1, "requests": 3}}]
    done = run(closed, instances=fixed(1), service="20s", drain="20s", notify_lag="0s")
    assert done.requests["outcome"].to_list() == ["completed", "not_sent", "not_sent"]


def test_users_join_think_and_come_back() -> None:
    load = [{"users": {"initial": 1, "per_minute": 6, "for": "30s", "think": "2s"}}]
    done = run(load, instances=fixed(3), service="4s", notify_lag="0s")
    sent = done.requests.filter(pl.col("accepted"))
    assert sorted(at_s(sent, "sched")) == sorted([0, 6, 12, 18, 24, 10, 16, 22, 28, 20, 26])
    assert set(done.requests.filter(~pl.col("accepted"))["error"]) == {"the closed phase ended first"}


@pytest.mark.slow
@pytest.mark.parametrize("n_users", [1, 3, 8])
def test_one_server_and_users_who_think_are_the_machine_repairman(n_users: int) -> None:
    # M/M/1//N: p_k is proportional to N! / (N - k)! (s / Z)^k; throughput = (1 - p_0) / s (Kleinrock I, 3.9).
    service_s, think_s, span_s = 1.0, 4.0, 20_000
    load = [{"users": {"initial": n_users, "for": span_s, "think": {"exponential": {"mean": think_s}}}}]
    done = run(
        load, instances=fixed(1), service={"exponential": {"mean": service_s}}, notify_lag="0s", seed=4, drain="1h"
    )
    weights = [math.perm(n_users, k) * (service_s / think_s) ** k for k in range(n_users + 1)]
    expected_hz = (1 - weights[0] / sum(weights)) / service_s
    sent = done.requests.filter(pl.col("accepted"))
    assert sent.height / span_s == pytest.approx(expected_hz, rel=0.03)
    # The response time law, X = N / (R + Z), holds whatever the laws are.
    response_s = seconds(sent, "done", "send").mean()
    assert sent.height / span_s == pytest.approx(n_users / (response_s + think_s), rel=0.02)


@pytest.mark.parametrize(
    ("limits", "n_sent", "why"), [({"requests": 4}, 4, "request limit"), ({"time": "6s"}, 6, "time limit")]
)
def test_a_limit_stops_the_sending_and_leaves_the_rest_unsent(limits: Any, n_sent: int, why: str) -> None:
    done = run([{"constant": {"rate": "1/s", "for": "10s"}}], instances=fixed(1), limits=limits)
    assert done.requests["accepted"].to_list() == [True] * n_sent + [False] * (10 - n_sent)
    assert set(done.requests["error"].drop_nulls()) == {why}
    (stop,) = done.events.filter(pl.col("kind") == "stop")["name"]
    assert stop == why
    assert len(done.truth) == n_sent


@pytest.mark.parametrize(("limits", "end_s"), [({"time": "6s"}, 6 + 20), ({"requests": 4}, 10 + 20)])
def test_after_a_limit_the_drain_begins_when_a_run_s_does(limits: Any, end_s: int) -> None:
    # At a limit of time at once; at one of requests at the end of the phase, of which no more is sent.
    load = [{"constant": {"rate": "1/s", "for": "10s"}}, {"pause": {"for": "1m"}}]
    done = run(load, instances=fixed(1), service="15s", notify_lag="0s", limits=limits, drain="20s")
    assert done.end_ns == end_s * SECOND
    assert done.requests["outcome"].to_list()[:2] == ["completed", "completed" if end_s == 30 else "pending"]


def test_the_drain_gives_up_and_what_is_open_is_pending() -> None:
    done = run([{"burst": {"requests": 3, "within": "0s"}}], instances=fixed(1), service="30s", drain="70s")
    assert done.end_ns == 70 * SECOND
    assert done.requests["outcome"].to_list() == ["completed", "completed", "pending"]
    assert done.truth["outcome"].to_list() == ["completed", "completed", "pending"]


def test_an_end_that_nobody_tells_of_is_unknown_to_the_client() -> None:
    questions = {"expiry_notifies": False}
    for drain, outcome in (("10m", "pending"), ("2h", "lost")):  # 60 s to live and 15 minutes to run
        done = run(
            [{"burst": {"requests": 1, "within": "0s"}}],
            instances=fixed(0) | {"max": 1},
            request={"ttl": "60s"},
            open_questions=questions,
            drain=drain,
        )
        assert done.requests["outcome"].to_list() == [outcome]
        assert done.truth["outcome"].to_list() == ["expired"]
        assert done.truth["notice"].to_list() == ["none"]


def test_a_warm_up_is_marked() -> None:
    load: list[dict[str, Any]] = [
        {"constant": {"rate": "1/s", "for": "2s", "warmup": True, "name": "warm"}},
        {"constant": {"rate": "1/s", "for": "2s"}},
    ]
    done = run(load, instances=fixed(1))
    assert done.requests["warmup"].to_list() == [True, True, False, False]
    assert done.requests["phase"].to_list() == ["warm", "warm", "constant", "constant"]


def test_the_ledgers_law_holds() -> None:
    done = run(
        [{"poisson": {"rate": "6/s", "for": "3m"}}],
        instances=fixed(2),
        service={"exponential": {"mean": "1s"}},
        request={"ttl": "60s", "timeout": "3s"},
        faults={"container_errors": 0.1},
        limits={"requests": 400},
        drain="5m",
    )
    counts = dict(done.requests["outcome"].value_counts().iter_rows())
    assert counts.pop("not_sent") == len(done.requests) - 400
    assert set(counts) == {"completed", "failed", "expired"}
    assert sum(counts.values()) == 400


# Ends that are looked for in S3


def looking(load: list[dict[str, Any]], **changes: Any) -> Simulated:
    return run(load, collector={"tracking": "s3", "look_every": "10s"}, service="1s", **changes)


def test_a_look_finds_what_ended_before_it_one_call_after_the_other() -> None:
    simulated = looking([{"constant": {"rate": "1/s", "for": "5s"}}], instances=fixed(10))
    # Ends at 1 to 5 s; the round at 10 s asks for each, at 100 calls a second.
    assert at_s(simulated.requests, "seen") == [10.0, 10.01, 10.02, 10.03, 10.04]
    assert at_s(simulated.requests, "done") == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert simulated.requests["pub"].null_count() == 5
    assert set(simulated.requests["end_from"]) == {"output"}


@pytest.mark.slow
def test_many_are_found_by_pages_of_a_thousand_which_are_fewer_calls() -> None:
    simulated = looking([{"burst": {"requests": 2500, "within": "0s"}}], instances=fixed(10, concurrency=250))
    calls = dict(simulated.readings.filter(pl.col("source") == "generator").select("name", "value").iter_rows())
    assert calls == {"look_heads": 0.0, "look_lists": 3.0}
    assert set(at_s(simulated.requests, "seen")) == {10.0, 10.01, 10.02}


def test_what_s3_no_longer_keeps_is_never_found() -> None:
    burst = [{"burst": {"requests": 3, "within": "0s"}}]
    simulated = looking(burst, instances=fixed(1), results_kept="5s", drain="60s")
    assert simulated.requests["seen"].null_count() == 3
    assert set(simulated.truth["outcome"]) == {"completed"}


def test_the_backlog_of_a_client_without_notices_falls_when_it_looks() -> None:
    simulated = looking([{"constant": {"rate": "1/s", "for": "5s"}}], instances=fixed(10))
    backlog = simulated.readings.filter(pl.col("name") == "backlog_seen").sort("at")
    assert backlog["value"].to_list() == [1.0, 2.0, 3.0, 4.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 4.0]
