"""Goal: a verdict said before the run is over is the report's, and it is said as soon as it is certain.

Method: simulated runs looked at every few seconds as workers would tell of them, some telling late, against the report
of the whole run and against that of a run stopped there; then each bound by hand, on the last snapshot that leaves it
open and the first that does not.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histograms import record
from modelling import SECOND, scenario
from runs import span
from simulated import EPOCH_NS, simulated_run
from smbench.analysis.rows.frames import derive
from smbench.analysis.summary import summarise
from smbench.analysis.verdict.early_verdict import CLOCKS_S, HEARING_MIN_S, EarlyVerdict
from smbench.analysis.verdict.thresholds import evaluate
from smbench.records import Outcome, Stage
from smbench.results.manifest import Manifest
from smbench.scenario.thresholds import parse_threshold
from smbench.snapshot import LogHistogram, Snapshot
from smbench.view.live.state import added


def simulated(load: list[dict[str, Any]], **changes: Any) -> tuple[Manifest, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    return simulated_run(scenario(load, **changes))


def histogram(durations_ns: Sequence[int]) -> LogHistogram:
    return record(LogHistogram(), *(duration_ns / 1e9 for duration_ns in durations_ns))


def last_send_ns(requests: pl.DataFrame) -> int:
    last = requests["send_ns"].max()
    return last if isinstance(last, int) else 0


def told(requests: pl.DataFrame, at_ns: int, worker: int) -> Snapshot:
    """What a worker with these rows would say of itself at an instant."""
    sent = requests.filter(pl.col("send_ns") <= at_ns)
    ended = sent.filter((pl.col("seen_ns") <= at_ns) & pl.col("outcome").is_in(["completed", "failed", "expired"]))
    taken = sent.filter(pl.col("accepted") & (pl.min_horizontal("ack_ns", "seen_ns") <= at_ns))
    is_open = taken.join(ended, on="seq", how="anti")
    completed = ended.filter(pl.col("outcome") == "completed")
    is_sending = at_ns < last_send_ns(requests)
    oldest_ns = is_open["sched_ns"].min()
    counts = ended["outcome"].cast(pl.String).value_counts()
    return Snapshot(
        worker=worker,
        at_ns=at_ns,
        real_elapsed_s=at_ns / 1e9,
        stage=Stage.SENDING if is_sending else Stage.DRAINING,
        n_scheduled=requests.height,
        n_due=int((requests["sched_ns"] <= at_ns).sum()),
        n_sent=sent.height,
        n_accepted=taken.height,
        backlog_seen=is_open.height,
        oldest_age_s=(at_ns - oldest_ns) / 1e9 if isinstance(oldest_ns, int) else None,
        outcomes={Outcome(name): n for name, n in counts.iter_rows()},
        sojourn=histogram((completed["done_ns"] - completed["sched_ns"]).to_list()),
        schedule_lag=histogram((sent["send_ns"] - sent["sched_ns"]).to_list()),
        hearing=histogram((ended["seen_ns"] - ended["done_ns"]).to_list()),
    )


def stopped_at(requests: pl.DataFrame, at_ns: int) -> pl.DataFrame:
    """The same run, had nothing more been sent: in a queue those before do not feel those behind."""
    is_kept = pl.col("send").dt.timestamp("ns") - EPOCH_NS <= at_ns
    emptied = ("inference_id", "send", "ack", "recv", "done", "pub", "seen", "status_code", "end_from")
    return requests.with_columns(
        *(pl.when(is_kept).then(name).alias(name) for name in emptied if name in requests.columns),
        pl.when(is_kept).then("outcome").otherwise(pl.lit("not_sent")).alias("outcome"),
        pl.when(is_kept).then("why_not_sent").otherwise(pl.lit("certain")).alias("why_not_sent"),
        pl.when(is_kept).then("accepted").otherwise(pl.lit(value=False)).alias("accepted"),
        pl.when(is_kept).then("attempts").otherwise(0).cast(requests["attempts"].dtype).alias("attempts"),
        pl.when(is_kept).then("notices").otherwise(0).cast(requests["notices"].dtype).alias("notices"),
    )


LIMITS = st.sampled_from(["1s", "5s", "20s", "1m", "3m"])
SHARES = st.sampled_from(["1%", "10%", "50%", "90%"])
COUNTS = st.sampled_from(["1", "5", "30", "150", "400"])
OPS = st.sampled_from(["<", "<=", ">", ">="])
THRESHOLDS = st.one_of(
    st.builds("{} {} {}".format, st.sampled_from(["p50", "p90", "p99", "max", "p90 from acceptance"]), OPS, LIMITS),
    st.builds("schedule_lag_p99 {} {}".format, OPS, LIMITS),
    st.builds(
        "{} {} {}".format, st.sampled_from(["completed", "failed", "not_sent", "pending", "backlog"]), OPS, COUNTS
    ),
    st.builds("{} {} {}".format, st.sampled_from(["completed", "failed", "rejected", "error_share"]), OPS, SHARES),
    st.builds("backlog {} {} for {}".format, st.sampled_from(["<", "<="]), COUNTS, LIMITS),
    st.builds("{} {} {}".format, st.sampled_from(["oldest_age", "drain", "first_completion"]), OPS, LIMITS),
    st.builds("within({}) {} {}".format, LIMITS, OPS, SHARES),
    st.builds("within({}) from acceptance {} {}".format, LIMITS, OPS, SHARES),
    st.builds("goodput({}) {} 1/s".format, LIMITS, OPS),
)


@pytest.mark.slow
@settings(max_examples=40)
@given(
    rate_hz=st.sampled_from([0.5, 2.0, 4.0]),
    burst=st.integers(1, 200),
    concurrency=st.integers(1, 4),
    service_s=st.sampled_from([0.5, 1.0, 3.0]),
    errors=st.sampled_from([0.0, 0.1, 0.6]),
    notify_s=st.sampled_from([0.0, 0.2, 4.0]),
    has_warmup=st.booleans(),
    n_workers=st.integers(1, 2),
    late_s=st.sampled_from([0.0, 3.0]),
    seed=st.integers(0, 1000),
    texts=st.lists(THRESHOLDS, min_size=10, max_size=20, unique=True),
)
def test_what_was_certain_is_what_the_report_says(
    rate_hz: float,
    burst: int,
    concurrency: int,
    service_s: float,
    errors: float,
    notify_s: float,
    has_warmup: bool,
    n_workers: int,
    late_s: float,
    seed: int,
    texts: list[str],
) -> None:
    manifest, requests, readings, events = simulated(
        [
            {"burst": {"requests": burst, "within": "5s", "warmup": has_warmup}},
            {"poisson": {"rate": rate_hz, "for": "100s"}},
        ],
        seed=seed,
        instances={"min": 1, "max": 1, "start": 1, "concurrency": concurrency},
        service={"exponential": {"mean": service_s}},
        faults={"container_errors": errors},
        notify_lag=notify_s,
        drain="10m",
    )
    frames = derive(manifest, requests, readings, events)
    final = [one.passed for one in evaluate(texts, frames, summarise(frames))]
    foresight = EarlyVerdict([parse_threshold(text) for text in texts], manifest.spans)
    verdicts: list[bool | None] = [None] * len(texts)
    for at_ns in range(0, frames.end_ns + 20 * SECOND, 7 * SECOND):
        shards = [frames.requests.filter(pl.col("seq") % n_workers == worker) for worker in range(n_workers)]
        late_ns = [max(0, at_ns - round(worker * late_s * 1e9)) for worker in range(n_workers)]
        snapshots = [told(shard, late_ns[worker], worker) for worker, shard in enumerate(shards)]
        foresight.update(added(snapshots), min(late_ns))
        before, verdicts = verdicts, [one.verdict for one in foresight.judged]
        for text, was, now, report in zip(texts, before, verdicts, final, strict=True):
            assert was is None or now is was, text
            assert now is None or now is report, (text, at_ns / 1e9)
        if before != verdicts and at_ns < last_send_ns(frames.requests):
            cut = derive(manifest, stopped_at(requests, at_ns), readings, events)
            judged = evaluate(texts, cut, summarise(cut))
            for text, now, of_cut in zip(texts, verdicts, judged, strict=True):
                assert now is None or now is of_cut.passed, (text, "stopped at", at_ns / 1e9)


# ---- bounds by hand -------------------------------------------------------------------------------------------


def foresee(text: str, *snapshots: Snapshot, n: int = 100, n_warmup: int = 0) -> bool | None:
    """The verdict after these snapshots of a run of so many requests."""
    spans = [span(n_warmup, name="warm", end_s=1.0, warmup=True)] if n_warmup else []
    foresight = EarlyVerdict([parse_threshold(text)], [*spans, span(n, index=len(spans), start_s=1.0)])
    for snapshot in snapshots:
        foresight.update(snapshot, snapshot.at_ns)
    return foresight.judged[0].verdict


def at(seconds: float, accepted: int, stage: Stage = Stage.SENDING, /, **facts: Any) -> Snapshot:
    ends = {Outcome(name): n for name, n in facts.items() if name in list(Outcome)}
    others = {name: value for name, value in facts.items() if name not in list(Outcome)}
    made = Snapshot(0, round(seconds * 1e9), seconds, stage, n_sent=accepted, n_due=accepted, n_accepted=accepted)
    made.backlog_seen = accepted - sum(ends.values())
    return replace(made, outcomes=ends, **others)


def taking(seconds: float, n: int) -> LogHistogram:
    return histogram([round(seconds * 1e9)] * n)


@pytest.mark.parametrize(
    ("text", "undecided", "certain", "verdict"),
    [
        ("failed <= 5", {"failed": 5}, {"failed": 6}, False),
        ("failed == 0", {"completed": 99}, {"completed": 100}, True),
        ("completed >= 90", {"failed": 10}, {"failed": 11}, False),
        ("completed >= 90", {"completed": 89}, {"completed": 90}, True),
        ("failed < 5%", {"failed": 4}, {"failed": 5}, False),
        ("completed >= 99%", {"failed": 1}, {"failed": 2}, False),
        ("error_share < 5%", {"expired": 4}, {"expired": 5}, False),
        # rank 90 of 100: eleven that never complete leave none for it
        ("p90 < 1h", {"failed": 10}, {"failed": 11}, False),
    ],
)
def test_counts_decide_as_soon_as_no_other_end_can(
    text: str, undecided: dict[str, int], certain: dict[str, int], verdict: bool
) -> None:
    assert foresee(text, at(30, 100, **undecided)) is None
    assert foresee(text, at(30, 100, **certain)) is verdict


def test_a_refused_or_unanswered_request_may_yet_prove_to_have_been_taken() -> None:
    for outcome in ("rejected", "transport_error"):
        assert foresee(f"{outcome} == 0", at(30, 100, **{outcome: 50})) is None
        assert foresee("completed >= 90", at(30, 100, **{outcome: 50})) is None


def test_of_a_run_with_warm_up_any_of_a_count_may_be_warm_up() -> None:
    assert foresee("failed == 0", at(30, 100, failed=20), n_warmup=20) is None
    assert foresee("failed == 0", at(30, 100, failed=21), n_warmup=20) is False


def test_before_anything_measured_was_sent_even_what_no_count_can_meet_is_open() -> None:
    for n_sent, verdict in ((0, None), (20, None), (21, False)):
        assert foresee("completed > 100", at(30, n_sent), n_warmup=20) is verdict


def test_a_percentile_is_missed_when_too_many_took_longer_and_met_when_enough_did_not() -> None:
    slow, fast = 60.0, 5.0
    assert foresee("p90 < 30s", at(99, 100, completed=10, sojourn=taking(slow, 10))) is None
    assert foresee("p90 < 30s", at(99, 100, completed=11, sojourn=taking(slow, 11))) is False
    assert foresee("p90 < 30s", at(99, 100, completed=89, sojourn=taking(fast, 89))) is None
    assert foresee("p90 < 30s", at(99, 100, completed=90, sojourn=taking(fast, 90))) is True
    assert foresee("p90 < 30s", at(99, 99, completed=90, sojourn=taking(fast, 90))) is None  # nine above are too few


def test_a_latency_as_near_as_the_clocks_may_be_apart_decides_nothing() -> None:
    for seconds in (30 - 0.9 * CLOCKS_S, 30 + 0.9 * CLOCKS_S):
        assert foresee("p50 < 30s", at(99, 100, completed=100, sojourn=taking(seconds, 100))) is None


def test_requests_that_wait_are_over_a_limit_before_they_end() -> None:
    """Sixty accepted by 10 s and nothing heard since: at 10 + 30 + h s they have waited longer than 30 s."""
    limit_s = 10 + 30 + HEARING_MIN_S
    assert foresee("p50 < 30s", at(10, 60), at(limit_s, 60)) is None
    assert foresee("p50 < 30s", at(10, 60), at(limit_s + 1, 60)) is False
    assert foresee("within(30s) >= 50%", at(10, 60), at(limit_s + 1, 60)) is False
    assert foresee("p50 < 30s", at(10, 60), at(limit_s + 1, 60, completed=11)) is None  # 49 of a hundred


def test_ends_that_are_heard_late_are_waited_for_twice_as_long() -> None:
    late = {"completed": 1, "hearing": taking(40, 1)}
    assert foresee("p50 < 30s", at(10, 60), at(60, 60, **late)) is None
    assert foresee("p50 < 30s", at(10, 60), at(130, 60, **late)) is False


def test_a_backlog_is_too_large_for_too_long_only_when_no_end_can_be_unheard() -> None:
    story = [at(seconds, 80) for seconds in range(1, 80)]
    enough_s = round(1 + 30 + CLOCKS_S + HEARING_MIN_S)
    assert foresee("backlog <= 50 for 30s", *story[:enough_s]) is None
    assert foresee("backlog <= 50 for 30s", *story[: enough_s + 1]) is False
    assert foresee("backlog <= 80 for 30s", *story) is None
    assert foresee("backlog <= 50", *story[:12]) is False


def test_a_backlog_that_shrank_between_two_looks_begins_anew() -> None:
    """Eighty, from 25 s on twenty, from 30 s on eighty again."""
    story = [at(seconds, 80 if seconds < 30 else 140, completed=0 if seconds < 25 else 60) for seconds in range(1, 80)]
    enough_s = round(30 + 20 + CLOCKS_S + HEARING_MIN_S)
    assert foresee("backlog <= 50 for 20s", *story[:enough_s]) is None
    assert foresee("backlog <= 50 for 20s", *story[: enough_s + 1]) is False


def test_a_drain_and_a_first_completion_are_missed_while_they_last() -> None:
    open_ = [at(10, 50), at(20, 50, Stage.DRAINING), at(20 + 60 + HEARING_MIN_S + CLOCKS_S, 50, Stage.DRAINING)]
    assert foresee("drain < 1m", *open_) is False
    assert foresee("drain < 2m", *open_) is None
    assert foresee("drain < 1m", *open_[:-1], at(200, 50, Stage.DRAINING, completed=50)) is None
    assert foresee("first_completion < 1m", *open_) is False
    assert foresee("first_completion < 1m", *open_[:-1], at(200, 50, Stage.DRAINING, completed=1)) is None


def test_what_snapshots_do_not_tell_is_left_to_the_report() -> None:
    for text in ("ack_p99 < 1ms", "scale_out < 1s", "cost_per_1000 < 0.01", "goodput(1s) >= 100/s"):
        assert foresee(text, at(500, 100, completed=100, sojourn=taking(400, 100))) is None


def test_one_certain_miss_is_a_conclusion_and_so_are_all_certainly_met() -> None:
    texts = ["completed >= 10", "failed <= 90"]
    foresight = EarlyVerdict([parse_threshold(text) for text in texts], [span(100)])
    foresight.update(at(10, 100, completed=10), 10 * SECOND)
    assert foresight.conclusion == "certain to meet every threshold"
    foresight = EarlyVerdict([parse_threshold(text) for text in [*texts, "failed == 0"]], [span(100)])
    foresight.update(at(10, 100, completed=10), 10 * SECOND)
    assert foresight.conclusion == ""
    foresight.update(at(11, 100, completed=10, failed=1), 11 * SECOND)
    assert foresight.conclusion == "certain to miss failed == 0"
    assert EarlyVerdict([], [span(100)]).conclusion == ""


def test_figures_so_far_say_when_they_are_estimates() -> None:
    texts = ["p50 < 30s", "failed == 0", "failed < 1%", "backlog < 9", "scale_out < 5m"]
    foresight = EarlyVerdict([parse_threshold(text) for text in texts], [span(100)])
    foresight.update(at(10, 100, completed=10, failed=2, sojourn=taking(3, 10)), 10 * SECOND)
    said = [one.so_far for one in foresight.judged]
    assert said[0] == "~2.98 s"  # the middle of a bucket 2 % wide
    assert said[1:] == ["2", "~2.00 %", "88", ""]
