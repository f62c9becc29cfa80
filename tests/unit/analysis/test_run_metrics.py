"""Goal: one value a run and metric, from the run's own rows; what is not known is absent, and what is open is a bound.

Method: a run of three requests with the arithmetic beside it, then runs in which something is missing.
"""

import math

import pytest

from runs import Request, frames_of, reading, shared, span, summary_of
from smbench.analysis.comparison.run_metrics import RUN_METRICS, measure, thin
from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.summary import summarise
from smbench.analysis.verdict.objectives import Figure, figure
from smbench.records import Outcome
from smbench.scenario.thresholds import parse_threshold


def measured(rows: list[Request], **told: object) -> dict[str, Bounded]:
    frames = frames_of(rows, **told)  # type: ignore[arg-type]
    return measure(frames, summarise(frames))


def test_every_figure_of_a_small_run_is_as_counted_by_hand() -> None:
    found = measured([Request(1.0, recv=1.5, done=4.0), Request(2.0, recv=2.0, done=3.0), Request(3.0, done=9.0)])
    exactly = {name: figure.value for name, figure in found.items()}
    assert exactly == {
        "sojourn_p50": 3.0,  # of 3, 1, 6
        "sojourn_p90": 6.0,
        "sojourn_p95": 6.0,
        "sojourn_p99": 6.0,
        "service_view_p50": 2.5,  # of 2.5, 1, 6
        "service_view_p95": 6.0,
        "completed_hz": 0.3,  # three in the phase's ten seconds
        "makespan_s": 8.0,  # 1 to 9
        "backlog_max": 2,
        "drain_s": 6.0,  # 3 to 9
        "first_completion_s": 2.0,  # 1 to 3
    }


@pytest.mark.slow
def test_an_open_request_leaves_bounds_and_a_run_without_any_leaves_nothing() -> None:
    found = measured([Request(0.0, done=2.0), Request(1.0, Outcome.PENDING), Request(2.0, done=7.0)])
    assert found["makespan_s"] == Bounded(low=7.0, high=None)
    assert found["drain_s"] == Bounded(low=5.0, high=None)
    assert found["first_completion_s"] == Bounded.exactly(2.0)
    none = measured([Request(0.0, Outcome.FAILED, done=3.0, error="x")])
    assert none["first_completion_s"] == Bounded(low=3.0, high=None, never=True)
    open_one = measured([Request(0.0, Outcome.FAILED, done=3.0, error="x"), Request(0.0, Outcome.PENDING)])
    assert open_one["first_completion_s"] == Bounded(low=3.0, high=None)
    assert measured([], spans=[]) == {}


def test_a_lost_request_was_over_some_time_before_the_run_was() -> None:
    """The endpoint may have failed it at once, so the makespan is at least that of the others and not the run's."""
    rows = [Request(1.0, done=3.0), Request(1.0, Outcome.LOST), Request(2.0, Outcome.REJECTED, ack=90.0)]
    frames = frames_of(rows)
    assert measure(frames, summarise(frames))["makespan_s"] == Bounded(low=2.0, high=None)


def test_warm_up_is_left_out_and_a_burst_at_once_has_no_rate() -> None:
    warm = Request(0.0, done=100.0, phase="warm", warmup=True)
    spans = [span(1, name="warm", warmup=True, end_s=5.0), span(1, index=1, start_s=5.0, end_s=5.0, first_seq=1)]
    found = measured([warm, Request(5.0, done=7.0)], spans=spans)
    assert found["makespan_s"] == Bounded.exactly(2.0)
    assert "completed_hz" not in found


def test_misfit_is_the_geometric_mean_of_too_few_and_too_many() -> None:
    # One a second, its end 2 s later; one slot serves until 60 s, three after, so 1.40 s of slot each in the mean, and
    # from t = 42 on, 1.40 x 43 / 60 > 1, two are needed: 18 of 101 samples have one too few of two, 41 one too many.
    rows = [Request(float(k), done=k + 2.0) for k in range(99)]
    looks = ((0.0, 1), (59.0, 1), (61.0, 3))
    frames = frames_of(
        [*rows, Request(99.0, done=100.0)],
        readings=[reading("instances_current", float(n), at) for at, n in looks],
        scenario={"target": {"emulated": {"instances": {"concurrency": 1}}}},
        spans=[span(100, end_s=100.0)],
    )
    shares = (9 / 101, 20.5 / 101, 18 / 101, 41 / 101)
    assert measure(frames, summarise(frames))["misfit_share"].value == pytest.approx(
        math.prod(shares) ** 0.25, rel=0.02
    )


def test_thin_percentiles_are_named() -> None:
    frames = frames_of([Request(0.01 * k, done=0.01 * k + 1) for k in range(200)])
    # Ten above: p50 and p90 and p95 of 200; p99 has two.
    assert thin(summarise(frames)) == ("sojourn_p99",)


@pytest.mark.parametrize("name", RUN_METRICS)
def test_every_yardstick_has_its_unit_in_its_name_or_is_a_percentile_of_seconds(name: str) -> None:
    unit = RUN_METRICS[name].unit
    assert name.endswith(("_s", "_hz", "_usd", "_share")) or "_p" in name or unit == "requests"


FOUND_IN_S3 = [
    Request(1.0 * k, done=2.0 * k + 3.0, seen=2.0 * k + 9.0, end_from="output", notices=0) for k in range(20)
]


@pytest.mark.parametrize(
    "rows",
    [
        [Request(1.0 * k, done=2.0 * k + 3.0) for k in range(20)],
        [*(Request(1.0 * k, done=2.0 * k + 3.0) for k in range(20)), Request(5.0, Outcome.PENDING)],
        [*(Request(1.0 * k, done=2.0 * k + 3.0) for k in range(20)), Request(5.0, Outcome.LOST, seen=40.0)],
        [*(Request(1.0 * k, Outcome.FAILED, done=2.0 * k + 3.0, error="x") for k in range(20))],
        FOUND_IN_S3,
        [*FOUND_IN_S3, Request(5.0, Outcome.LOST, seen=40.0)],
    ],
)
@pytest.mark.parametrize(
    ("name", "text"),
    [
        *((f"sojourn_{one}", f"{one} < 1s") for one in ("p50", "p95")),
        ("service_view_p50", "p50 from acceptance < 1s"),
        ("backlog_max", "backlog < 1"),
        ("drain_s", "drain < 1s"),
        ("first_completion_s", "first_completion < 1s"),
    ],
)
def test_a_comparison_has_the_figure_that_a_threshold_judges(name: str, text: str, rows: list[Request]) -> None:
    frames = shared(rows, target={"tracking": "s3"})
    summary = summary_of(frames)
    judged = figure(parse_threshold(text), frames, summary)
    assert isinstance(judged, Figure)
    assert measure(frames, summary)[name] == judged.bounds


@pytest.mark.slow
def test_ends_that_are_known_to_the_second_leave_the_length_of_a_run_within_it() -> None:
    assert measured(FOUND_IN_S3)["makespan_s"] == Bounded(low=41.0, high=42.0)
    summary = summarise(frames_of(FOUND_IN_S3))
    assert summary.backlog.oldest_age_s == 22.0  # due at 19 s, done at 41 s at the earliest
