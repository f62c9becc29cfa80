"""Goal: traces as public archives, CloudWatch and other tools write them are read as meant, or asked about.
Method: small files after the real ones, one of each; the right arrivals worked out by hand."""

import gzip
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from smbench.errors import UsageError
from smbench.schedule.trace import Trace, Wanted, read_trace
from smbench.schedule.trace_words import trace_words

S = 10**9
SHIPPED = Path(__file__).parents[3] / "scenarios" / "traces"


def read(folder: Path, text: str, name: str = "trace.csv", **wanted: str | int) -> Trace:
    path = folder / name
    path.write_text(text)
    return read_trace(path, Wanted(**wanted))  # type: ignore[arg-type]  # each test gives what its field takes


# --- counts ------------------------------------------------------------------------------------------------------

METRIC_DATA: dict[str, list[dict[str, object]]] = {
    "MetricDataResults": [
        {
            "Id": "m1",
            "Label": "Invocations",
            "Timestamps": ["2026-11-01T10:03:00+00:00", "2026-11-01T10:01:00+00:00", "2026-11-01T10:00:00+00:00"],
            "Values": [1.0, 1.0, 2.0],
            "StatusCode": "Complete",
        }
    ],
    "Messages": [],
}
# Bins of 60 s: two arrivals at 15 and 45 s, one at 90 s, none, one at 210 s; from the first at 15 s.
THEIRS = [0, 30 * S, 75 * S, 195 * S]
CONSOLE = "2026/11/01 10:00:00,2\n2026/11/01 10:01:00,1\n2026/11/01 10:02:00,\n2026/11/01 10:03:00,1\n"
POINTS = [
    {"Timestamp": "2026-11-01T10:01:00+00:00", "Sum": 1.0, "Unit": "None"},
    {"Timestamp": "2026-11-01T10:00:00+00:00", "Sum": 2.0, "Unit": "None"},
    {"Timestamp": "2026-11-01T10:03:00+00:00", "Sum": 1.0, "Unit": "None"},
]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("get-metric-data", json.dumps(METRIC_DATA, indent=4)),
        ("get-metric-data on one line", json.dumps(METRIC_DATA)),
        ("get-metric-statistics", json.dumps({"Label": "Invocations", "Datapoints": POINTS}, indent=4)),
        ("console", "Timestamp,Invocations\n" + CONSOLE),
        ("console with lines above", "Full label,Invocations\nLabel,Invocations\nPeriod,60\nId,m1\n\n" + CONSOLE),
        ("console with other lines above", '"Label","Invocations"\n"Region","eu-west-1"\n' + CONSOLE),
    ],
)
def test_what_cloudwatch_wrote_is_read_as_counts_a_bin(tmp_path: Path, name: str, text: str) -> None:
    trace = read(tmp_path, text)
    assert trace.arrivals_ns.tolist() == THEIRS
    assert "bins of 60.0 s with counts in column" in trace.source


def test_the_width_of_a_bin_is_said_for_an_answer_without_empty_minutes_does_not_hold_it(tmp_path: Path) -> None:
    times = [f"2026-11-01T10:{minute:02}:00Z" for minute in (0, 5, 10)]
    result = {"Id": "m1", "Label": "Invocations", "Timestamps": times, "Values": [1, 1, 1], "StatusCode": "Complete"}
    assert "bins of 5 m with counts" in read(tmp_path, json.dumps({"MetricDataResults": [result]})).source


def test_an_answer_that_is_not_complete_says_so(tmp_path: Path) -> None:
    partial = {**METRIC_DATA["MetricDataResults"][0], "StatusCode": "PartialData"}
    trace = read(tmp_path, json.dumps({"MetricDataResults": [partial], "NextToken": "x"}))
    assert trace.notes == (
        "m1 is not complete: CloudWatch answered PartialData",
        "the answer has a NextToken: it is the first page only",
    )


def test_an_answer_whose_pages_were_joined_is_complete_when_its_last_part_is(tmp_path: Path) -> None:
    whole = METRIC_DATA["MetricDataResults"][0]
    times, values = whole["Timestamps"], whole["Values"]
    assert isinstance(times, list)
    assert isinstance(values, list)
    parts = [
        {**whole, "Timestamps": times[:1], "Values": values[:1], "StatusCode": "PartialData"},
        {**whole, "Timestamps": times[1:], "Values": values[1:]},
    ]
    trace = read(tmp_path, json.dumps({"MetricDataResults": parts}))
    assert trace.arrivals_ns.tolist() == THEIRS
    assert not trace.notes


def test_of_several_metrics_one_is_asked_for(tmp_path: Path) -> None:
    first = METRIC_DATA["MetricDataResults"][0]
    text = json.dumps({"MetricDataResults": [first, {**first, "Id": "m2", "Values": [0.5, 0.5, 0.5]}]})
    with pytest.raises(UsageError, match="with several metrics") as caught:
        read(tmp_path, text)
    assert caught.value.advice == "say counts: one of Timestamps, m1, m2"
    assert read(tmp_path, text, counts="m1").arrivals_ns.tolist() == THEIRS
    with pytest.raises(UsageError, match=r"'0\.5' in column 'm2' is not a count"):
        read(tmp_path, text, counts="m2")


def test_averages_are_no_counts(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no sums") as caught:
        read(tmp_path, json.dumps({"Datapoints": [{"Timestamp": "2026-11-01T10:01:00Z", "Average": 1.0}]}))
    assert "--statistics Sum" in caught.value.advice


@pytest.mark.slow
def test_a_column_for_each_minute_of_a_day_is_counts_a_minute_added_up_over_the_rows(tmp_path: Path) -> None:
    header = "HashOwner,HashApp,HashFunction,Trigger," + ",".join(map(str, range(1, 1441)))
    rows = [["0"] * 1440, ["0"] * 1440]
    rows[0][0], rows[0][1], rows[1][1], rows[1][3] = "2", "1", "0", "1"
    text = "\n".join([header, *(f"o,a,f{k},http," + ",".join(row) for k, row in enumerate(rows))])
    trace = read(tmp_path, text)
    assert trace.arrivals_ns.tolist() == THEIRS
    assert "counts a minute" in trace.source
    with pytest.raises(UsageError, match=r"trace\.csv:3: text of 4 characters in column '5' is not a count"):
        read(tmp_path, text.replace("http,0,0,0,1,0", "http,0,0,0,1,many"))


def test_columns_of_counts_that_are_no_minutes_are_named_as_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a count in each of the columns 1 to 24, and they do not say how long"):
        read(tmp_path, "day," + ",".join(map(str, range(1, 25))) + "\n1," + ",".join(["1"] * 24))


def test_rows_at_even_distances_beside_a_number_are_asked_about(tmp_path: Path) -> None:
    text = "timestamp,requests\n" + "".join(f"2026-11-01 10:{k:02d}:00,{k}\n" for k in range(10))
    assert read(tmp_path, text).notes == ("its rows lie 60.0 s apart: if each is a bin, say counts: requests",)
    first_empty = text.replace(text.splitlines()[1], text.splitlines()[1].split(",")[0] + ",")
    assert read(tmp_path, first_empty).notes == read(tmp_path, text).notes
    with_units = "\n".join([text.splitlines()[0], *(f"{line} req/s" for line in text.splitlines()[1:])]) + "\n"
    said = "its rows lie 60.0 s apart: if each is a bin, write its count as a plain number: requests"
    assert read(tmp_path, with_units).notes == (said,)
    assert not read(tmp_path, text, counts="requests").notes


# --- date and time -----------------------------------------------------------------------------------------------


def test_a_date_and_a_time_in_two_columns_are_joined(tmp_path: Path) -> None:
    text = "date,time,bytes\n2021-01-31,23:59:59,0\n2021-02-01,00:00:00.25,7\n"
    for column in (None, "date", "time"):
        trace = read_trace(Path(read_path(tmp_path, text)), Wanted(column))
        assert trace.arrivals_ns.tolist() == [0, 1.25 * S]
        assert "columns 'date' and 'time' joined" in trace.source


def read_path(folder: Path, text: str) -> Path:
    path = folder / "trace.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "date,bytes\n2021-01-31,0\n2021-01-31,7\n",
            "holds dates without a time of day in every row: no arrival times",
        ),
        ("date,bytes\n2021-01-31 00:00:00,0\n2021-02-01 00:00:00,7\n", "without a time of day in every row"),
        ("time,bytes\n00:00:03,0\n00:00:04,7\n", "holds times of day without dates, and no column holds the dates"),
        ("date,in,out\n2021-01-31,00:00:03,00:00:09\n", "several hold times of day: in, out"),
    ],
)
def test_days_alone_and_times_alone_are_no_arrivals(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read(tmp_path, text)


def test_days_may_be_bins(tmp_path: Path) -> None:
    assert read(tmp_path, "date,n\n2021-01-31,1\n2021-02-01,1\n", counts="n").arrivals_ns.tolist() == [0, 86_400 * S]


# --- ends, names, units ------------------------------------------------------------------------------------------

ENDS = "app,func,end_timestamp,duration\na,f,10.5,0.5\na,g,11,3\n"


def test_ends_are_no_arrivals_unless_their_durations_are_taken_off(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match="column 'end_timestamp' holds ends by its name, and ends are not arrivals"
    ) as caught:
        read(tmp_path, ENDS, unit="s")
    assert "`duration: COLUMN`" in caught.value.advice
    trace = read(tmp_path, ENDS, unit="s", duration="duration")
    assert trace.arrivals_ns.tolist() == [0, 2 * S]  # from 8 and 10 s
    assert "less column 'duration', seconds" in trace.source
    as_they_are = read(tmp_path, ENDS, unit="s", column="end_timestamp")
    assert as_they_are.arrivals_ns.tolist() == [0, S // 2]
    assert "ends are not arrivals" in as_they_are.notes[0]


def test_a_duration_has_a_unit_of_its_own_where_its_name_has_one(tmp_path: Path) -> None:
    text = "end,duration_ms\n2026-11-01T10:00:10Z,500\n2026-11-01T10:00:11Z,3000\n"
    assert read(tmp_path, text, duration="duration_ms").arrivals_ns.tolist() == [0, 1.5 * S]
    with pytest.raises(UsageError, match="the numbers of column 'duration' do not say their unit"):
        read(tmp_path, text.replace("duration_ms", "duration"), duration="duration")


@pytest.mark.parametrize(
    "name", ["timestamp_anon", "arrival_ts", "gmt_create", "requestTime", "submitted_at", "event.start"]
)
def test_a_column_of_instants_is_known_by_one_of_its_words(tmp_path: Path, name: str) -> None:
    text = f"id,{name},n\nx,2026-11-01 10:00:00,3\ny,2026-11-01 10:00:02.5,4\n"
    trace = read(tmp_path, text)
    assert trace.arrivals_ns.tolist() == [0, 2.5 * S]
    assert f"column '{name}', dates" in trace.source


def test_a_length_of_time_is_proposed_and_not_taken(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="which column is the time") as caught:
        read(tmp_path, "id,elapsed_seconds,n\n7,0.5,3\n8,2.5,4\n")
    assert caught.value.advice.startswith("perhaps elapsed_seconds; say column: one of id, elapsed_seconds, n")


def test_of_two_columns_with_one_name_none_is_taken(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has 2 columns 'timestamp_ms'"):
        read(tmp_path, "timestamp_ms,timestamp_ms\n0,0\n100,1\n")


def test_of_several_instants_none_is_taken(tmp_path: Path) -> None:
    text = "enqueued_at,started_at\n2026-11-01 10:00:00,2026-11-01 10:00:02\n"
    with pytest.raises(UsageError, match="which column is the time") as caught:
        read(tmp_path, text)
    assert caught.value.advice.startswith("perhaps enqueued_at, started_at")


def test_a_unit_against_the_name_is_noted(tmp_path: Path) -> None:
    trace = read(tmp_path, "timestamp_ms\n0\n3536999\n", unit="s")
    assert trace.notes == ("column 'timestamp_ms' is in milliseconds by its name, and was read in seconds",)


# --- packed and nested -------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", ["azure_llm_code_2023.csv", "mooncake_conversation.csv"])
def test_a_shipped_trace_is_the_same_in_every_form(tmp_path: Path, name: str) -> None:
    path = SHIPPED / name
    plain = read_trace(path).arrivals_ns
    frame = pl.read_csv(path, infer_schema=name.startswith("moon"))
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_ndjson(tmp_path / "a.jsonl")
    frame.select(request=pl.struct(frame.columns)).write_ndjson(tmp_path / "nested.jsonl")
    for other in ("a.csv.gz", "a.parquet", "a.jsonl", "nested.jsonl"):
        assert np.array_equal(read_trace(tmp_path / other).arrivals_ns, plain), other


# --- gaps, and the words -----------------------------------------------------------------------------------------


def test_a_long_gap_is_named_and_cut_on_request(tmp_path: Path) -> None:
    text = "t_s\n" + "".join(f"{k}\n" for k in [*range(100), *range(40_000, 40_100)])
    words = " ".join(trace_words(read(tmp_path, text)))
    assert "idle one time for 11 h 05 m in all, the longest 11 h 05 m from 99.0 s on; `gap_max: 5m`" in words
    cut = read(tmp_path, text, gap_max_ns=60 * S)
    assert np.diff(cut.arrivals_ns).max() == 60 * S
    assert len(cut.arrivals_ns) == 200
    assert "1 gaps were cut to 60.0 s, 11 h 04 m in all" in cut.notes[0]


def test_a_shipped_trace_is_described_as_its_publishers_describe_it() -> None:
    # Index of dispersion 13 at 1 s and about 165 at 60 s; the busiest 10 s by numpy over every arrival.
    words = " ".join(trace_words(read_trace(SHIPPED / "azure_llm_code_2023.csv")))
    assert "8,819 arrivals in 57 m 16 s, 2.57/s on average, 41.5/s in the busiest 10 s (16.2 times the mean)" in words
    assert "index of dispersion 13.2 at 1 s, 164 at 60 s" in words
    assert "column 'TIMESTAMP', dates; CSV" in words
    ties = " ".join(trace_words(read_trace(SHIPPED / "mooncake_conversation.csv")))
    assert "90.2 % of them at the instant of another" in ties


@pytest.mark.slow
def test_a_unit_that_makes_a_trace_last_for_weeks_is_seen_in_its_words(tmp_path: Path) -> None:
    words = " ".join(trace_words(read(tmp_path, "timestamp_ms\n0\n3000\n3536999\n", unit="s")))
    assert "61 d" in words
    assert "is in milliseconds by its name" in words
