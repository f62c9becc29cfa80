"""A minute's datapoint, by hand: time averages, UTC minutes, delay, gaps."""

import pytest

from modelling import SECOND
from smbench.model.event_queue import EventQueue
from smbench.model.monitoring.metrics import SAGEMAKER, Datapoint, MetricId, MetricStore, Statistics, combine
from smbench.model.service import Seeds
from smbench.scenario.values.distributions import Distribution

DIMENSIONS = (("EndpointName", "e"),)
MINUTE = 60 * SECOND


def store(epoch_s: float = 0.0, delay: object = "0s", gap_share: float = 0.0) -> MetricStore:
    return MetricStore(
        EventQueue(),
        round(epoch_s * SECOND),
        delay=Distribution.model_validate(delay),
        gap_share=gap_share,
        seeds=Seeds(capacity=1, faults=1),
    )


def points(metrics: MetricStore, name: str = "m") -> list[Datapoint]:
    return metrics.datapoints(SAGEMAKER, name, DIMENSIONS, -MINUTE, 10**18)


def test_half_a_minute_at_ten_averages_five() -> None:
    metrics = store()
    gauge = metrics.open_gauge("m", DIMENSIONS, "Count", initial=0.0)
    metrics.event_queue.advance(30 * SECOND)
    gauge.set(10)
    metrics.event_queue.advance(2 * MINUTE)
    first, second = points(metrics)
    assert (first.start_ns, first.period_s, first.unit) == (0, 60, "Count")
    assert (first.average, first.minimum, first.maximum) == (5, 0, 10)
    assert (first.sum, first.sample_count) == (300, 60)
    assert (second.average, second.minimum, second.maximum) == (10, 10, 10)


def test_minutes_are_those_of_utc() -> None:
    metrics = store(epoch_s=1_000_000_002)  # 42 s into its minute: the first one ends at 18 s
    gauge = metrics.open_gauge("m", DIMENSIONS, "Count", initial=0.0)
    metrics.event_queue.advance(9 * SECOND)
    gauge.set(12)
    metrics.event_queue.advance(80 * SECOND)
    first, second = points(metrics)
    assert (first.start_ns, first.average) == (-42 * SECOND, 12 * 9 / 60)
    assert (second.start_ns, second.average) == (18 * SECOND, 12)


def test_what_happens_on_the_stroke_belongs_to_the_new_minute() -> None:
    metrics = store()
    counter = metrics.open_counter("n", DIMENSIONS, "Count")
    # Entered before the tick of this minute's end is: a long service that ends right on it.
    early = EventQueue()
    late = MetricStore(early, 0, delay=Distribution.model_validate("0s"))
    early_counter = late.open_counter("n", DIMENSIONS, "Count")
    early.advance(0)
    early.at(2 * MINUTE, early_counter.add)  # before the second minute's tick is entered, at 60 s
    early.advance(4 * MINUTE)
    assert [point.start_ns for point in points(late, "n")] == [2 * MINUTE]
    metrics.event_queue.advance(MINUTE)
    counter.add()
    metrics.event_queue.advance(3 * MINUTE)
    assert [point.start_ns for point in points(metrics, "n")] == [MINUTE]


def test_a_value_that_stood_for_no_time_counts_for_nothing() -> None:
    metrics = store()
    gauge = metrics.open_gauge("m", DIMENSIONS, "Count", initial=1.0)
    metrics.event_queue.advance(10 * SECOND)
    gauge.set(1_000)
    gauge.set(2)
    metrics.event_queue.advance(MINUTE)
    (only,) = points(metrics)
    assert (only.minimum, only.maximum) == (1, 2)


def test_a_rising_gauge_averages_the_middle_and_ends_at_the_top() -> None:
    metrics = store()
    gauge = metrics.open_gauge("m", DIMENSIONS, "Seconds")
    gauge.set(5.0, slope_hz=1.0)
    metrics.event_queue.advance(2 * MINUTE)
    first, second = points(metrics)
    assert (first.minimum, first.average, first.maximum) == (5, 35, 65)
    assert (second.minimum, second.average, second.maximum) == (65, 95, 125)


def test_an_undefined_stretch_is_left_out_of_the_average() -> None:
    metrics = store()
    gauge = metrics.open_gauge("m", DIMENSIONS, "Count")
    metrics.event_queue.advance(45 * SECOND)
    gauge.set(8)
    metrics.event_queue.advance(MINUTE)
    gauge.set(None)
    metrics.event_queue.advance(2 * MINUTE)
    (only,) = points(metrics)  # of the second minute nothing is defined, so it has no datapoint
    assert (only.average, only.sample_count) == (8, 15)


def test_zeros_are_left_out_only_when_told_and_only_for_whole_minutes() -> None:
    metrics = store()
    kept = metrics.open_gauge("kept", DIMENSIONS, "Count", initial=0.0)
    metrics.open_gauge("omitted", DIMENSIONS, "Count", initial=0.0, omit_zeros=True)
    metrics.event_queue.advance(90 * SECOND)
    metrics.open_gauge("omitted", DIMENSIONS, "Count").set(6)
    metrics.event_queue.advance(2 * MINUTE)
    kept.set(0.0)
    assert [point.average for point in points(metrics, "kept")] == [0, 0]
    assert [point.average for point in points(metrics, "omitted")] == [3]


def test_a_counter_is_absent_when_nothing_happened() -> None:
    metrics = store()
    metrics.event_queue.advance(70 * SECOND)
    for value in (2.0, 5.0, 5.0):
        metrics.count("n", DIMENSIONS, "Milliseconds", value)
    metrics.event_queue.advance(4 * MINUTE)
    (only,) = points(metrics, "n")
    assert only.start_ns == MINUTE
    assert (only.sum, only.sample_count, only.minimum, only.maximum, only.average) == (12, 3, 2, 5, 4)


def test_a_datapoint_is_visible_after_its_delay_and_not_before() -> None:
    metrics = store(delay="75s")
    metrics.gauge("m", DIMENSIONS, "Count", 1.0)
    metrics.event_queue.advance(10 * MINUTE)
    (first, *_) = metrics.datapoints(SAGEMAKER, "m", DIMENSIONS, 0, MINUTE)
    assert first.visible_ns == MINUTE + 75 * SECOND
    for at_ns, n in ((first.visible_ns - 1, 0), (first.visible_ns, 1)):
        assert len(metrics.datapoints(SAGEMAKER, "m", DIMENSIONS, 0, 10**18, visible_at_ns=at_ns)) == n


def test_a_delay_is_drawn_for_each_metric_and_minute() -> None:
    metrics = store(delay={"uniform": {"low": "60s", "high": "90s"}})
    for name in ("a", "b"):
        metrics.gauge(name, DIMENSIONS, "Count", 1.0)
    metrics.event_queue.advance(103 * MINUTE)
    delays_s = [
        (point.visible_ns - point.start_ns) / SECOND - 60
        for name in ("a", "b")
        for point in points(metrics, name)[:100]
    ]
    assert len(set(delays_s)) == 200
    assert min(delays_s) >= 60
    assert max(delays_s) <= 90


def test_one_series_more_leaves_the_delays_of_the_others_alone() -> None:
    visible = []
    for names in (("a",), ("x", "a", "y")):
        metrics = store(delay={"uniform": {"low": "60s", "high": "90s"}}, gap_share=0.3)
        for name in names:
            metrics.gauge(name, DIMENSIONS, "Count", 1.0)
        metrics.event_queue.advance(30 * MINUTE)
        visible.append([point.visible_ns for point in points(metrics, "a")])
    assert visible[0] == visible[1]


def test_gaps_lose_their_share_of_minutes() -> None:
    metrics = store(gap_share=0.25)
    metrics.gauge("m", DIMENSIONS, "Count", 1.0)
    metrics.event_queue.advance(1_000 * MINUTE)
    lost = 1_000 - len(points(metrics))
    assert lost == pytest.approx(250, abs=5 * (1_000 * 0.25 * 0.75) ** 0.5)


def test_dimensions_name_a_series_in_any_order() -> None:
    metrics = store()
    metrics.count("n", (("b", "2"), ("a", "1")), "Count")
    metrics.count("n", (("a", "1"), ("b", "2")), "Count")
    metrics.event_queue.advance(MINUTE)
    (only,) = metrics.datapoints(SAGEMAKER, "n", (("b", "2"), ("a", "1")), 0, MINUTE)
    assert only.sum == 2


def test_what_is_put_merges_into_its_minute_and_is_visible_at_once() -> None:
    metrics = store(delay="300s")
    metrics.event_queue.advance(200 * SECOND)
    metrics.put("mine", "m", DIMENSIONS, "Count", 130 * SECOND, 4.0)
    metrics.put("mine", "m", DIMENSIONS, "Count", 10 * SECOND, 9.0)  # late, and out of order
    metrics.put("mine", "m", DIMENSIONS, "Count", 179 * SECOND, Statistics(10.0, 2.0, 1.0, 9.0))
    first, third = metrics.datapoints("mine", "m", DIMENSIONS, 0, 10**18)
    assert (first.start_ns, first.sum) == (0, 9)
    assert (third.start_ns, third.sum, third.sample_count) == (2 * MINUTE, 14, 3)
    assert (third.minimum, third.maximum) == (1, 9)


def test_metrics_are_listed_once_they_can_be_read() -> None:
    metrics = store(delay="60s")
    metrics.count("n", DIMENSIONS, "Count")
    metrics.gauge("m", (*DIMENSIONS, ("VariantName", "v")), "Count", 1.0)
    metrics.event_queue.advance(119 * SECOND)
    assert metrics.list_metrics() == []
    metrics.event_queue.advance(120 * SECOND)
    assert {metric.name for metric in metrics.list_metrics()} == {"n", "m"}
    assert [metric.name for metric in metrics.list_metrics(name="n")] == ["n"]
    assert [metric.name for metric in metrics.list_metrics(dimensions=(("VariantName", "v"),))] == ["m"]
    assert metrics.list_metrics(namespace="other") == []


def test_listeners_hear_of_a_datapoint_when_it_becomes_visible() -> None:
    metrics = store(delay="75s")
    heard: list[tuple[int, str]] = []
    metrics.on_published.append(lambda metric, _point: heard.append((metrics.event_queue.now_ns, metric.name)))
    metrics.count("n", DIMENSIONS, "Count")
    metrics.event_queue.advance(10 * MINUTE)
    assert heard == [(MINUTE + 75 * SECOND, "n")]


def test_the_newest_minute_about_which_all_is_known_ends_before_what_is_on_its_way() -> None:
    metrics = store(delay="75s")
    metric = MetricId.of(SAGEMAKER, "m", DIMENSIONS)
    metrics.gauge("m", DIMENSIONS, "Count", 1.0)
    metrics.event_queue.advance(5 * MINUTE)
    # Visible by now: the minutes that ended at 60, 120, 180 s (at 135, 195, 255 s).
    assert metrics.newest_known_end_ns(metric) == 3 * MINUTE
    # Nothing is on its way for a metric that nobody feeds.
    assert metrics.newest_known_end_ns(MetricId.of(SAGEMAKER, "other", DIMENSIONS)) == 5 * MINUTE


def test_minutes_combine_into_a_longer_period() -> None:
    parts = [
        Datapoint.of(minute * MINUTE, Statistics(total, count, low, high), minute, "Count")
        for minute, (total, count, low, high) in enumerate([(10.0, 2.0, 4.0, 6.0), (3.0, 1.0, 3.0, 3.0)])
    ]
    whole = combine(parts)
    assert (whole.start_ns, whole.period_s, whole.visible_ns) == (0, 120, 1)
    assert (whole.sum, whole.sample_count, whole.minimum, whole.maximum) == (13, 3, 3, 6)
    assert whole.average == pytest.approx(13 / 3)


@pytest.mark.parametrize(
    ("statistic", "value"), [("Average", 2.5), ("Maximum", 4), ("Minimum", 1), ("Sum", 5), ("SampleCount", 2)]
)
def test_a_datapoint_answers_to_cloudwatchs_names(statistic: str, value: float) -> None:
    assert Datapoint.of(0, Statistics(5.0, 2.0, 1.0, 4.0), 0, "Count").value(statistic) == value
