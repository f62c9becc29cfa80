"""Goal: a trace is read as its writer meant it, or refused with the line that is wrong.
Method: small files, one peculiarity each; excerpts and the whole of two public traces."""

from pathlib import Path

import numpy as np
import pytest

from smbench.errors import UsageError
from smbench.schedule.base import Instants
from smbench.schedule.trace import Wanted, read_trace, trace_span_ns

S = 10**9
MS = 10**6
DATA = Path(__file__).parents[2] / "data"
SHIPPED = Path(__file__).parents[3] / "scenarios" / "traces"


def trace(folder: Path, text: str | bytes, name: str = "trace.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def arrivals(path: Path, *, column: str | None = None, counts: str | None = None, unit: str = "auto") -> Instants:
    return read_trace(path, Wanted(column, counts, unit)).arrivals_ns


# --- the public ones ---------------------------------------------------------------------------------------------


def test_azure_excerpt_keeps_seven_digits_through_crlf_and_no_zone() -> None:
    # First rows: 03.9799600, 04.0319600, 04.0781490.
    instants = arrivals(DATA / "azure_llm_code_2023_excerpt.csv")
    assert len(instants) == 39
    assert instants[:3].tolist() == [0, 52_000_000, 98_189_000]


def test_mooncake_excerpt_keeps_its_ties() -> None:
    instants = arrivals(DATA / "mooncake_conversation_excerpt.csv")
    at_ms, n = np.unique(instants // MS, return_counts=True)
    assert dict(zip(at_ms.tolist(), n.tolist(), strict=True)) == {0: 10, 3000: 16, 5999: 3, 9000: 9, 12_000: 1}


@pytest.mark.parametrize(
    ("name", "n", "last_ns", "n_ties"),
    [
        ("azure_llm_code_2023.csv", 8_819, 3_435_948_056_000, 0),
        ("mooncake_conversation.csv", 12_031, 3_536_999 * MS, 10_851),
    ],
)
def test_the_shipped_traces_have_the_published_size_and_length(name: str, n: int, last_ns: int, n_ties: int) -> None:
    instants = arrivals(SHIPPED / name)
    assert (len(instants), int(instants[-1]), int((np.diff(instants) == 0).sum())) == (n, last_ns, n_ties)


# --- how a file is written ---------------------------------------------------------------------------------------

SAME = [0, 250 * MS, 250 * MS, 2 * S]  # what each of the files below says


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("header", "timestamp_ms,size\n0,1\n250,2\n250,3\n2000,4\n"),
        ("unsorted", "timestamp_ms,size\n2000,4\n250,2\n0,1\n250,3\n"),
        ("not from 0", "timestamp_ms,size\n5000,1\n5250,2\n5250,3\n7000,4\n"),
        ("negative", "time_ms\n-250\n0\n0\n1750\n"),
        ("byte order mark", b"\xef\xbb\xbftimestamp_ms,size\n0,1\n250,2\n250,3\n2000,4\n"),
        ("CRLF and empty lines", "\r\ntimestamp_ms,size\r\n\r\n0,1\r\n250,2\r\n,\r\n250,3\r\n2000,4\r\n\r\n"),
        ("no last line end", "timestamp_ms\n0\n250\n250\n2000"),
        ("blanks around cells", " timestamp_ms , size\n 0 , 1\n 250, 2\n 250 ,3\n 2000,4\n"),
        ("semicolons", "size;timestamp_ms\n1;0\n2;250\n3;250\n4;2000\n"),
        ("tabs", "size\ttimestamp_ms\n1\t0\n2\t250\n3\t250\n4\t2000\n"),
        ("quotes", '"user","arrival ms"\n"a,b","0"\n"c",250\n"d",250\n"e",2000\n'),
        ("no header, one column", "1700158623\n1700158623.25\n1700158623.25\n1700158625\n"),
        ("no header", "7,2023-11-16\n7,2023-11-16 00:00:00.25\n7,2023-11-16 00:00:00.25\n7,2023-11-16 00:00:02\n"),
        ("zones", "x,y\n1,2023-11-16Z\n2,2023-11-16T00:00:00.25Z\n3,2023-11-16T02:00:00.25+02\n4,2023-11-16T00:00:02"),
        ("epoch seconds", "ts\n1700158623.5\n1700158623.75\n1700158623.75\n1700158625.5\n"),
        ("the likelier name", "start_s,timestamp_s\n9,0.0\n9,0.25\n9,0.25\n9,2.0\n"),
        ("midnight", "date\n2023-12-31 23:59:59\n2023-12-31 23:59:59.25\n2023-12-31 23:59:59.25\n2024-01-01 00:00:01"),
    ],
)  # fmt: skip
def test_however_it_is_written_it_is_the_same_trace(tmp_path: Path, name: str, text: str | bytes) -> None:
    instants = arrivals(trace(tmp_path, text))
    assert instants.tolist() == SAME
    assert instants.dtype == np.int64


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", '{"t_ms": 0}\n{"t_ms": 250, "x": [1]}\n{"t_ms": 250}\n{"t_ms": 2000}\n'),
        ("a.txt", '\n{"t_s": 0.0}\n{"t_s": 0.25}\n\n{"t_s": 0.25}\n{"t_s": 2.0}'),
        ("a.ndjson", '{"at": "2023-11-16Z"}\r\n{"at": "2023-11-16T00:00:00.25Z"}\r\n'
                     '{"at": "2023-11-16 00:00:00.250"}\r\n{"at": "2023-11-16T00:00:02Z"}\r\n'),
        ("a.json", '{"ts": 1700158623.500}\n{"ts": 1700158623.750}\n{"ts": "1700158623.75"}\n{"ts": 17001586255e-1}\n'),
    ],
)  # fmt: skip
def test_json_lines_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    assert arrivals(trace(tmp_path, text, name)).tolist() == SAME


def test_json_numbers_keep_digits_a_float_would_lose(tmp_path: Path) -> None:
    path = trace(tmp_path, '{"t": 1700158623.979960001}\n{"t": 1700158623.979960002}\n', "a.jsonl")
    assert arrivals(path).tolist() == [0, 1]


def test_a_column_may_be_named_or_numbered_and_its_unit_told(tmp_path: Path) -> None:
    named = trace(tmp_path, "timestamp,other\n9,0\n9,250\n9,250\n9,2000\n")
    assert arrivals(named, column="other", unit="ms").tolist() == SAME
    bare = trace(tmp_path, "9,0\n9,250\n9,250\n9,2000\n", "bare.csv")
    assert arrivals(bare, column="2", unit="ms").tolist() == SAME


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    marked = trace(tmp_path, b"\xef\xbb\xbfwhen,x\n2023-11-16,1\n")
    assert arrivals(marked, column="when").tolist() == [0]


def test_a_first_row_with_a_wanted_name_is_a_header_even_beside_a_number(tmp_path: Path) -> None:
    path = trace(tmp_path, "2023,at\n7,0.5\n7,0.75\n")
    assert arrivals(path, column="at", unit="s").tolist() == [0, 250 * MS]


def test_one_arrival_is_a_trace(tmp_path: Path) -> None:
    assert arrivals(trace(tmp_path, "timestamp_ms\n17\n")).tolist() == [0]


# --- counts per bin ----------------------------------------------------------------------------------------------


def test_counts_are_spread_evenly_inside_their_bin(tmp_path: Path) -> None:
    # Bins of 60 s: two arrivals at 15 and 45 s, one at 60 + 30 s, none, one at 180 + 30 s; from the first at 15 s.
    path = trace(tmp_path, "minute,n\n2023-11-16 00:00,2\n2023-11-16 00:01,1\n2023-11-16 00:02,0\n2023-11-16 00:03,1\n")
    assert arrivals(path, counts="n").tolist() == [0, 30 * S, 75 * S, 195 * S]


def test_equal_counts_leave_no_seam_between_bins(tmp_path: Path) -> None:
    path = trace(tmp_path, "t_s,n\n0,4\n1,4\n2,4\n")
    assert set(np.diff(arrivals(path, counts="n")).tolist()) == {250 * MS}


def test_rows_of_the_same_bin_add_up_in_any_order(tmp_path: Path) -> None:
    path = trace(tmp_path, "t_s,n,function\n20,1,a\n0,1,a\n0,1,b\n10,0,a\n20,1.0,b\n")
    assert arrivals(path, counts="n").tolist() == [0, 5 * S, 20 * S, 25 * S]


def test_the_narrowest_distance_is_the_bins_width(tmp_path: Path) -> None:
    path = trace(tmp_path, "t_s,n\n0,1\n30,1\n40,1\n")
    assert arrivals(path, counts="n").tolist() == [0, 30 * S, 40 * S]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("t_s,n\n0,1\n10,1\n25,1\n", "trace.csv:4: this bin begins 15 s after the one before it, no multiple"),
        ("t_s,n\n0,1\n", "one bin does not say how wide it is"),
        ("t_s,n\n0,1\n10,-1\n", "trace.csv:3: '-1' in column 'n' is not a count"),
        ("t_s,n\n0,1\n10,1.5\n", "trace.csv:3: '1.5' in column 'n' is not a count"),
        ("t_s,n\n0,1\n10,many\n", "trace.csv:3: text of 4 characters in column 'n' is not a count"),
        ("t_s,n\n0,1\n10,99999999999999999999\n", "is more than can be scheduled"),
        ("t_s,n\n0,40000000\n10,40000000\n", "holds 80,000,000 arrivals; at most"),
        ("t_s,n\n0,0\n10,0\n", "all counts in column 'n' are 0"),
        ("t_s,n\n0,1\n10\n", "trace.csv:3: the row has nothing in column 'n'"),
        ("t_s,m\n0,1\n10,1\n", "has no column 'n'"),
    ],
)
def test_bins_that_are_none_are_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        arrivals(trace(tmp_path, text), counts="n")
    assert said in caught.value.message


# --- what is wrong is named --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("timestamp_ms\n0\n\nsoon\n5\n", "trace.csv:4: text of 4 characters in column 'timestamp_ms' is not a number"),
        (
            "timestamp,x\n2023-11-16,1\nyesterday,2\n",
            "trace.csv:3: text of 9 characters in column 'timestamp' is not a date and time",
        ),
        ("timestamp,x\n2023-11-16,1\n2023-11-31,2\n", "trace.csv:3: '2023-11-31' in column 'timestamp' is not a date"),
        ("timestamp_ms,x\n0,1\nnan,2\n", "trace.csv:3: text of 3 characters in column 'timestamp_ms' is not a number"),
        ("timestamp_ms,x\n0,1\n,2\n", "trace.csv:3: the row has nothing in column 'timestamp_ms'"),
        ("x,timestamp_ms\n0,1\n2\n", "trace.csv:3: the row has nothing in column 'timestamp_ms'"),
        ("timestamp_s\n0\n99999999999\n", "trace.csv:3: '99999999999' in column 'timestamp_s' is beyond 292 years"),
        ("timestamp_s\n-9000000000\n9000000000\n", "spans more than 292 years"),
        ("t_s\n1761991200\n0\n1761991201\n", "goes from 1970-01-01T00:00:00 to 2025-11-01T10:00:01"),
        ("t\n2026-11-01T10:00:00Z\n1970-01-01T00:00:00Z\n", "goes from 1970-01-01T00:00:00 to 2026-11-01T10:00:00"),
        ("timestamp_ms\n0\n1" + "0" * 100 + "e\n", "trace.csv:3: '1" + "0" * 36 + "...' in column"),
        ('timestamp_ms\n0\n"1"2\n', "trace.csv:3: not CSV"),
        ("timestamp\n0\n12.5\n3000.25\n", "the numbers of column 'timestamp' do not say their unit"),
        ("timestamp\n0\n500\n", "the numbers of column 'timestamp' do not say their unit"),
        ("a,b\n1,2\n", "which column is the time? neither names nor values show it"),
        ("1,2\n3,4\n", "which column is the time? neither names nor values show it"),
        ("a,b\n2023-11-16,2023-11-17\n", "which column is the time? neither names nor values show it"),
        ("", "holds no rows"),
        ("\r\n \r\n", "holds no rows"),
        ("timestamp_ms,x\n", "holds no rows"),
        (b"timestamp_ms\n\xff\xfe\n", "is not UTF-8 text"),
        (b"\xff\xfet\x00s\x00\n", "begins as utf-16-le and is damaged or cut short"),
    ],
)
def test_a_bad_trace_is_refused_by_file_line_and_value(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        arrivals(trace(tmp_path, text))
    assert said in caught.value.message
    assert "trace.csv" in caught.value.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"timestamp_ms": 0}\n{"timestamp_ms": tomorrow}\n', "a.jsonl:2: not JSON"),
        ('{"timestamp_ms": 0}\n[5]\n', "a.jsonl:2: not a JSON object but a list"),
        ('[{"timestamp_ms": 0},\n{"timestamp_ms": 1]', "a.jsonl:1: not JSON"),
        ('{"timestamp_ms": 0}\n{"timestamp": 5}\n', "a.jsonl:2: the row has nothing in column 'timestamp_ms'"),
        ('{"timestamp_ms": 0}\n{"timestamp_ms": null}\n', "a.jsonl:2: the row has nothing in column 'timestamp_ms'"),
        (
            '{"timestamp_ms": 0}\n{"timestamp_ms": true}\n',
            "a.jsonl:2: text of 4 characters in column 'timestamp_ms' is not a number",
        ),
        (
            '{"timestamp_ms": 0}\n{"timestamp_ms": NaN}\n',
            "a.jsonl:2: text of 3 characters in column 'timestamp_ms' is not a number",
        ),
        (
            '{"timestamp_ms": 0}\n{"timestamp_ms": {"a": 1}}\n',
            "a.jsonl:2: text of 8 characters in column 'timestamp_ms'",
        ),
        ("\n", "a.jsonl holds no rows"),
        ("[" * 100_000, "a.jsonl:1: not JSON"),
    ],
)
def test_bad_json_lines_are_refused_by_file_line_and_value(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        arrivals(trace(tmp_path, text, "a.jsonl"))
    assert said in caught.value.message


def test_a_column_that_is_not_there_is_answered_with_the_one_that_was_meant(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no column 'timstamp'; did you mean 'timestamp'") as caught:
        arrivals(trace(tmp_path, "timestamp,x\n2023-11-16,1\n"), column="timstamp")
    assert caught.value.advice == "its columns: timestamp, x"


def test_a_named_column_without_times_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match="text of 3 characters in column 'colour' is not a time: neither a number nor a date"
    ):
        arrivals(trace(tmp_path, "timestamp,colour\n2023-11-16,red\n"), column="colour")


@pytest.mark.parametrize("column", ["3", "0", "time"])
def test_a_file_without_a_header_has_numbered_columns_only(tmp_path: Path, column: str) -> None:
    with pytest.raises(UsageError, match="has no header") as caught:
        arrivals(trace(tmp_path, "0.5,1\n0.7,1\n"), column=column)
    assert caught.value.advice == "name a column as 1 to 2"


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.csv cannot be read: No such file"):
        arrivals(tmp_path / "nowhere.csv")
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        arrivals(tmp_path)


# --- its span ----------------------------------------------------------------------------------------------------


def test_a_trace_lasts_one_mean_gap_beyond_its_last_arrival() -> None:
    assert trace_span_ns(np.array([0, 2 * S, 4 * S, 9 * S])) == 12 * S
    assert trace_span_ns(np.array([0, 1])) == 2
    assert trace_span_ns(np.array([0, 0, 0])) == 0
    assert trace_span_ns(np.array([0])) == 0
