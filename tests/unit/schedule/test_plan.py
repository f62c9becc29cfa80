"""Goal: phases lie end to end, each chance is its own, and what cannot be planned is refused with its place.
Method: scenarios made in memory; joins are tested on many short phases."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from smbench.errors import UsageError
from smbench.scenario.model import Scenario
from smbench.schedule.base import NOT_TIMED_NS, Schedule
from smbench.schedule.plan import plan

S = 10**9
DATA = Path(__file__).parents[2] / "data"


def scenario(*load: dict[str, Any], **rest: Any) -> Scenario:
    return Scenario.model_validate({"name": "planned", "load": load, **rest})


def planned(*load: dict[str, Any], weights: tuple[float, ...] = (1.0,), **rest: Any) -> Schedule:
    return plan(scenario(*load, **rest), DATA, weights)


CONSTANT = {"constant": {"rate": "2/s", "for": "3s"}}
POISSON = {"poisson": {"rate": "50/s", "for": "4s"}}
SINE = {"sine": {"mean": "20/s", "amplitude": "20/s", "period": "5s", "for": "10s"}}
RAMP = {"ramp": {"from": "0/s", "to": "20/s", "for": "10s", "arrivals": "constant"}}
STEPS = {"steps": {"rates": ["3/s", "0/s", "6/s"], "each": "2s", "arrivals": "constant"}}
BURST = {"burst": {"requests": 7, "within": "2s"}}
REPLAY = {"replay": {"trace": "azure_llm_code_2023_excerpt.csv"}}
PAUSE = {"pause": {"for": "5s"}}
CLOSED = {"closed": {"outstanding": 3, "requests": 10, "for": "8s"}}


def test_phases_lie_end_to_end_and_arrivals_inside_them() -> None:
    schedule = planned(CONSTANT, PAUSE, POISSON, SINE, RAMP, STEPS, BURST, REPLAY)
    assert [span.kind for span in schedule.spans] == [
        "constant", "pause", "poisson", "sine", "ramp", "steps", "burst", "replay",
    ]  # fmt: skip
    assert [span.n for span in schedule.spans][:2] == [6, 0]
    assert [span.n for span in schedule.spans][4:] == [100, 18, 7, 39]
    for span, after in itertools.pairwise(schedule.spans):
        assert (span.end_ns, span.first_seq + span.n) == (after.start_ns, after.first_seq)
    for span in schedule.spans:
        assert span.end_ns is not None
        mine = schedule.sched_ns[schedule.rows(span.index)]
        assert ((mine >= span.start_ns) & (mine < span.end_ns)).all()
        assert (schedule.phase[schedule.rows(span.index)] == span.index).all()
    assert (np.diff(schedule.sched_ns) >= 0).all()
    assert [str(array.dtype) for array in (schedule.sched_ns, schedule.phase, schedule.payload)] == [
        "int64",
        "int16",
        "int32",
    ]
    assert schedule.span_ns == schedule.spans[-1].end_ns
    assert all(span.description for span in schedule.spans)


def test_a_burst_without_a_span_and_the_phase_after_it_begin_together() -> None:
    schedule = planned({"burst": {"requests": 3}}, CONSTANT)
    assert schedule.sched_ns[:4].tolist() == [0, 0, 0, 0]
    assert [span.start_ns for span in schedule.spans] == [0, 0]


def test_names_are_the_kinds_made_unique_around_the_given_ones() -> None:
    named = {"poisson": {"rate": "1/s", "for": "1s", "name": "poisson-2"}}
    soak = {"poisson": {"rate": "1/s", "for": "1s", "name": "soak"}}
    schedule = planned(POISSON, POISSON, named, PAUSE, soak, soak, POISSON)
    assert [span.name for span in schedule.spans] == [
        "poisson", "poisson-3", "poisson-2", "pause", "soak", "soak-2", "poisson-4",
    ]  # fmt: skip


def test_a_warm_up_is_marked() -> None:
    warm = {"constant": {"rate": "2/s", "for": "3s", "warmup": True}}
    assert [span.warmup for span in planned(warm, CONSTANT).spans] == [True, False]


def test_limits_leave_the_schedule_whole() -> None:
    limited = planned(CONSTANT, POISSON, limits={"requests": 1, "time": "1s"})
    assert limited.digest == planned(CONSTANT, POISSON).digest


# --- chance ------------------------------------------------------------------------------------------------------


def test_the_same_scenario_has_the_same_digest_and_another_seed_another() -> None:
    load = (POISSON, SINE, REPLAY)
    assert planned(*load).digest == planned(*load).digest
    assert planned(*load).digest != planned(*load, seed=2).digest


def test_changing_one_phase_leaves_the_others_alone() -> None:
    faster = {"poisson": {"rate": "80/s", "for": "4s"}}
    before, after = planned(SINE, POISSON, SINE, weights=(1, 1)), planned(SINE, faster, SINE, weights=(1, 1))
    for index in (0, 2):
        for name in ("sched_ns", "payload"):
            assert (
                getattr(before, name)[before.rows(index)].tolist() == getattr(after, name)[after.rows(index)].tolist()
            )
    assert before.sched_ns[before.rows(1)].tolist() != after.sched_ns[after.rows(1)].tolist()


def test_equal_phases_have_chance_of_their_own() -> None:
    schedule = planned(POISSON, POISSON, weights=(1, 1))
    assert schedule.payload[schedule.rows(0)][:20].tolist() != schedule.payload[schedule.rows(1)][:20].tolist()
    first, second = (schedule.sched_ns[schedule.rows(index)] - schedule.spans[index].start_ns for index in (0, 1))
    assert first[:20].tolist() != second[:20].tolist()


def test_the_payload_seed_leaves_arrivals_alone_and_the_arrival_seed_payloads() -> None:
    base = planned(RAMP, POISSON, weights=(1, 2, 3))
    other_payloads = planned(RAMP, POISSON, weights=(1, 2, 3), seeds={"payloads": 9})
    assert other_payloads.sched_ns.tolist() == base.sched_ns.tolist()
    assert other_payloads.payload.tolist() != base.payload.tolist()
    other_arrivals = planned(RAMP, POISSON, weights=(1, 2, 3), seeds={"arrivals": 9})
    assert other_arrivals.sched_ns.tolist() != base.sched_ns.tolist()
    n = min(len(base), len(other_arrivals))
    assert other_arrivals.payload[:n].tolist() == base.payload[:n].tolist()


def test_payloads_are_drawn_in_proportion_to_their_weights() -> None:
    schedule = planned({"constant": {"rate": "1000/s", "for": "12s"}}, weights=(1, 0, 2, 3, 0))
    counts = np.bincount(schedule.payload, minlength=5)
    assert counts[[1, 4]].tolist() == [0, 0]
    assert stats.chisquare(counts[[0, 2, 3]], [2000, 4000, 6000]).pvalue > 1e-3


@pytest.mark.parametrize("weights", [(), (0.0, 0.0), (1.0, -1.0), (float("nan"),), (float("inf"), 1.0)])
def test_weights_that_are_no_shares_are_refused(weights: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="are not shares"):
        planned(CONSTANT, weights=weights)


# --- joins -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_joins_of_poisson_phases_cannot_be_found_in_the_arrivals() -> None:
    # 1,500 phases of 1 s at 5/s are one Poisson process of 1,500 s.
    schedule = planned(*[{"poisson": {"rate": "5/s", "for": "1s"}}] * 1500)
    gaps = np.diff(schedule.sched_ns) / S * 5
    assert stats.kstest(gaps, "expon").pvalue > 1e-3
    assert stats.kstest((schedule.sched_ns % S + 0.5) / S, "uniform").pvalue > 1e-3
    joins_ns = np.arange(1, 1490) * S
    next_row = np.searchsorted(schedule.sched_ns, joins_ns)
    after_join = (schedule.sched_ns[next_row] - joins_ns) / S * 5
    before_join = (joins_ns - schedule.sched_ns[next_row - 1]) / S * 5
    assert stats.kstest(after_join, "expon").pvalue > 1e-3
    assert stats.kstest(before_join, "expon").pvalue > 1e-3
    counts = np.bincount(schedule.sched_ns // S, minlength=1500)
    assert abs(counts.var(ddof=1) / counts.mean() - 1) < 4.5 * np.sqrt(2 / 1499)


def test_a_constant_rate_runs_on_over_a_join() -> None:
    assert set(np.diff(planned(CONSTANT, CONSTANT).sched_ns).tolist()) == {S // 2}


# --- closed phases -----------------------------------------------------------------------------------------------


def test_a_closed_phase_has_rows_without_instants() -> None:
    schedule = planned(CONSTANT, CLOSED, CONSTANT)
    assert set(schedule.sched_ns[schedule.rows(1)].tolist()) == {NOT_TIMED_NS}
    span = schedule.spans[1]
    assert (span.n, span.outstanding, span.start_ns, span.end_ns) == (10, 3, 3 * S, 11 * S)
    assert schedule.sched_ns[schedule.rows(2)].tolist() == [11 * S + k * S // 2 for k in range(6)]


def test_a_closed_loop_pauses_after_each_end_as_its_law_says() -> None:
    schedule = planned({"closed": {"outstanding": 3, "requests": 10, "think": "2s"}})
    assert schedule.think_ns.tolist() == [2 * 10**9] * 10


def test_a_closed_phase_without_for_has_no_end_and_comes_last() -> None:
    endless = {"closed": {"outstanding": 3, "requests": 10}}
    schedule = planned(CONSTANT, endless)
    assert (schedule.spans[1].start_ns, schedule.spans[1].end_ns) == (3 * S, None)
    with pytest.raises(UsageError, match=r"load\.2\.pause: when this phase begins is not known") as caught:
        planned(CONSTANT, endless, PAUSE)
    assert "put it last" in caught.value.advice


# --- users -------------------------------------------------------------------------------------------------------


def test_users_join_evenly_and_a_step_at_a_time() -> None:
    users = {"users": {"initial": 2, "per_minute": 6, "for": "30s"}}
    stairs = {"stairs": {"users": 2, "steps": 3, "each": "20s"}}
    first, second = planned(users, stairs).spans
    assert first.joins_ns == (0, 0, 10 * S, 20 * S)  # one who would join at the phase's end does not
    assert (first.outstanding, first.end_ns) == (4, 30 * S)
    assert second.joins_ns == (0, 0, 20 * S, 20 * S, 40 * S, 40 * S)
    assert (second.outstanding, second.start_ns, second.end_ns) == (6, 30 * S, 90 * S)


def test_users_who_are_all_there_from_the_start_are_a_closed_loop_with_an_end() -> None:
    (span,) = planned({"users": {"initial": 3, "for": "8s", "requests": 10}}).spans
    assert (span.joins_ns, span.outstanding, span.n, span.end_ns) == ((), 3, 10, 8 * S)


@pytest.mark.parametrize(
    ("settings", "n"),
    [({}, 1200), ({"think": "900ms"}, 120), ({"think": {"uniform": {"low": "0s", "high": "1800ms"}}}, 120)],
)
def test_unless_they_are_told_how_many_users_may_send_ten_a_second_less_what_they_think(settings: Any, n: int) -> None:
    # Two users for 40 s, one more for 20 s of a minute's three.
    (span,) = planned({"users": {"initial": 2, "per_minute": 3, "for": "40s", **settings}}).spans
    assert span.n == pytest.approx(n * (2 * 40 + 20) / 120, abs=1)


@pytest.mark.parametrize(
    ("think", "mean", "deviation"),
    [
        ("2s", 2.0, 0.0),
        ({"uniform": {"low": "1s", "high": "3s"}}, 2.0, 12**-0.5 * 2),
        ({"exponential": {"mean": "2s"}}, 2.0, 2.0),
    ],
)
def test_users_think_as_their_law_says_and_the_same_for_the_same_seed(
    think: Any, mean: float, deviation: float
) -> None:
    load = {"users": {"initial": 5, "for": "10m", "requests": 20_000, "think": think}}
    schedule = planned(PAUSE, load)
    thought_s = schedule.think_ns / S
    assert thought_s.mean() == pytest.approx(mean, rel=0.03)
    assert thought_s.std() == pytest.approx(deviation, rel=0.03)
    assert schedule.digest == planned(PAUSE, load).digest
    assert schedule.digest != planned(PAUSE, load, seed=2).digest or not deviation


def test_where_no_user_thinks_a_schedule_holds_no_pauses() -> None:
    assert not len(planned(CLOSED, {"users": {"initial": 1, "for": "1s"}}).think_ns)


def test_users_need_a_request_each() -> None:
    with pytest.raises(UsageError, match=r"load\.0\.users: 3 requests are not one for each of the 4 users"):
        planned({"users": {"initial": 4, "for": "1s", "requests": 3}})


@pytest.mark.parametrize(
    "load",
    [
        {"users": {"initial": 9_999, "per_minute": 2, "for": "1m"}},
        {"stairs": {"users": 101, "steps": 100, "each": "1s"}},
    ],
)
def test_a_phase_has_ten_thousand_users_at_most(load: Any) -> None:
    with pytest.raises(ValueError, match="a phase has at most 10,000"):
        planned(load)


# --- replay ------------------------------------------------------------------------------------------------------


def test_a_replay_keeps_the_recorded_instants() -> None:
    schedule = planned(PAUSE, REPLAY)
    assert (schedule.sched_ns[:3] - 5 * S).tolist() == [0, 52_000_000, 98_189_000]


def test_a_part_of_a_trace_keeps_its_place_in_time() -> None:
    # Rows of the excerpt at 0, 3000 and 5999 ms, ...; from 2.5 s for 4 s: those at 3.0 and 5.999 s.
    part = {"replay": {"trace": "mooncake_conversation_excerpt.csv", "start": "2.5s", "for": "4s"}}
    schedule = planned(part)
    assert np.unique(schedule.sched_ns).tolist() == [S // 2, 3_499_000_000]
    assert (len(schedule), schedule.span_ns) == (19, 4 * S)


def test_a_wanted_rate_is_reached_over_the_same_span() -> None:
    # 39 arrivals in 34.9 s; 30/s need 26 whole copies and most of another.
    schedule = planned({"replay": {"trace": "azure_llm_code_2023_excerpt.csv", "rate": "30/s"}})
    assert schedule.span_ns == planned(REPLAY).span_ns
    assert len(schedule) / (schedule.span_ns / S) == pytest.approx(30, abs=39 / 34.9)


def test_a_scale_multiplies_the_number() -> None:
    assert len(planned({"replay": {"trace": "azure_llm_code_2023_excerpt.csv", "scale": 3}})) == 3 * 39


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"for": "1h"}, "cannot be replayed from 0 s for 3600 s"),
        ({"start": "1h"}, "cannot be replayed from 3600 s"),
        ({"start": "1s", "for": "1s"}, "has no arrival in the part"),
        ({"column": "nothing"}, "has no column 'nothing'"),
    ],
)
def test_a_replay_that_cannot_be_is_refused_with_its_place(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        planned(CONSTANT, {"replay": {"trace": "mooncake_conversation_excerpt.csv", **settings}})
    assert caught.value.message.startswith("load.1.replay: ")


def test_a_trace_without_a_length_has_no_rate(tmp_path: Path) -> None:
    (tmp_path / "ties.csv").write_text("t_ms\n5\n5\n")
    assert (
        plan(scenario({"replay": {"trace": str(tmp_path / "ties.csv"), "scale": 3}}), DATA, [1]).sched_ns.tolist()
        == [0] * 6
    )
    with pytest.raises(UsageError, match="there is no rate"):
        plan(scenario({"replay": {"trace": str(tmp_path / "ties.csv"), "rate": "1/s"}}), DATA, [1])


# --- too much ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("load", "said"),
    [
        ([{"constant": {"rate": "1/s", "for": "200d"}}], r"load\.0\.constant: .* more than 104 days"),
        ([{"pause": {"for": "60d"}}, {"pause": {"for": "60d"}}], r"load\.1\.pause: .* more than 104 days"),
        ([{"poisson": {"rate": "1000000/s", "for": "1h"}}], r"load\.0\.poisson: about 3,600,000,000 requests"),
        ([{"sine": {"mean": "1/s", "amplitude": "1/s", "period": "1e-12s", "for": "1s"}}], "shorter than a nanosecond"),
    ],
)
def test_more_than_can_be_run_is_refused_before_it_is_drawn(load: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        planned(*load)


def test_phases_that_together_are_too_many_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smbench.schedule.plan.REQUESTS_MAX", 12)
    monkeypatch.setattr("smbench.schedule.replay.REQUESTS_MAX", 12)
    assert len(planned(CONSTANT, CONSTANT)) == 12
    with pytest.raises(UsageError, match=r"load\.1\.burst: with this phase the load has 13 requests; at most 12"):
        planned(CONSTANT, BURST)
    with pytest.raises(UsageError, match=r"load\.0\.replay: about 117 requests are more than can be run"):
        planned({"replay": {"trace": "azure_llm_code_2023_excerpt.csv", "scale": 3}})


def test_more_phases_than_the_phase_column_counts_are_refused() -> None:
    many = scenario(PAUSE).model_copy(update={"load": scenario(PAUSE).load * 40_000})
    with pytest.raises(UsageError, match="40,000 phases"):
        plan(many, DATA, [1])


def test_a_load_shorter_than_a_nanosecond_has_no_arrivals() -> None:
    assert len(planned({"ramp": {"from": "0/s", "to": "1/s", "for": "1e-10s"}})) == 0


def test_order_once_sends_each_payload_one_time_in_the_order_of_its_source() -> None:
    phases = (BURST, PAUSE, CONSTANT)  # 7 and 6 requests
    schedule = planned(*phases, weights=(0.05,) * 20, payloads={"order": "once"})
    assert schedule.payload.tolist() == list(range(13))


def test_order_once_needs_as_many_payloads_as_requests_that_may_be_sent() -> None:
    with pytest.raises(UsageError, match="asks for 7 requests, and there are 5 payloads") as caught:
        planned(BURST, weights=(0.2,) * 5, payloads={"order": "once"})
    assert "limits.requests to 5" in caught.value.advice
    schedule = planned(BURST, weights=(0.2,) * 5, payloads={"order": "once"}, limits={"requests": 5})
    assert schedule.payload.tolist()[:5] == [0, 1, 2, 3, 4]
    assert max(schedule.payload) < 5


def test_order_once_changes_no_arrival() -> None:
    once = planned(POISSON, weights=(0.001,) * 1000, payloads={"order": "once"})
    assert (once.sched_ns == planned(POISSON, weights=(0.001,) * 1000).sched_ns).all()
