"""Goal: another tool's file becomes a run that every report reads, no row dropped, and what it cannot show is said.
Method: the same twelve requests as each tool writes them; then the figures of the folder."""

import json
import shlex
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

import smbench
from smbench.analysis.comparison.run_metrics import measure
from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.rows.frames import Frames, load
from smbench.analysis.summary import Summary, summarise
from smbench.analysis.verdict.checks import check
from smbench.analysis.verdict.thresholds import evaluate
from smbench.errors import UsageError
from smbench.findings import Verdict, verdict
from smbench.importing.folder import Done, Wanted, import_file
from smbench.importing.roles import Asked
from smbench.results.store import open_run

S = 10**9
T0 = 1_767_225_600
# Start after T0 and latency in seconds, kind: ten that completed, one error, one whose client gave up after 30 s.
ROWS = [(2.0 * k, 0.5 + 0.25 * k, "ok") for k in range(10)] + [(21.0, 0.125, "bad"), (22.0, 30.0, "timeout")]
CODE = {"ok": 200, "bad": 500, "timeout": 0}
ERROR = {"ok": "", "bad": "", "timeout": "request timeout"}


def iso(after_s: float) -> str:
    return datetime.fromtimestamp(T0 + after_s, UTC).isoformat()


def lines(header: str, row: Callable[[float, float, str], str]) -> str:
    return "\n".join([header, *(row(*one) for one in ROWS)]).strip() + "\n"


K6_HEADER = (
    "metric_name,timestamp,metric_value,check,error,error_code,expected_response,group,method,name,proto,scenario,"
    "service,status,subproto,tls_version,url,extra_tags,metadata"
)


def k6_row(start: float, took: float, kind: str) -> str:
    rest = f",{ERROR[kind]},,true,,GET,http://x,HTTP/1.1,default,,{CODE[kind]},,,http://x,,"
    end = f"{(T0 + start + took) * 1e3:.0f}"
    return f"http_reqs,{end},1.000000,{rest}\nhttp_req_duration,{end},{took * 1e3:.6f},{rest}"


def k6_point(start: float, took: float, kind: str) -> str:
    tags = {"status": str(CODE[kind]), "error": ERROR[kind], "name": "http://x"}
    data = {"time": iso(start + took), "value": took * 1e3, "tags": tags}
    return json.dumps({"metric": "http_req_duration", "type": "Point", "data": data})


def vegeta_json(start: float, took: float, kind: str) -> str:
    stamp, latency = iso(start), round(took * S)
    found = {"attack": "a", "seq": 1, "code": CODE[kind], "timestamp": stamp, "latency": latency, "error": ERROR[kind]}
    return json.dumps(found)


def aiperf_json(start: float, took: float, kind: str) -> str:
    span = {"request_start_ns": round((T0 + start) * S), "request_end_ns": round((T0 + start + took) * S)}
    error = {"ok": None, "bad": {"code": 500, "message": "x"}, "timeout": {"message": "Request timed out"}}[kind]
    return json.dumps({"metadata": span, "metrics": {"request_latency": {"value": 1.0, "unit": "ms"}}, "error": error})


def fortio_line(start: float, took: float, kind: str) -> str:
    found = {"latency": took, "timestamp": round((T0 + start) * S), "thread": 0, "ok": kind == "ok"}
    return json.dumps({**found, "details": "request timeout" if kind == "timeout" else "-1"})


def lifecycle_json(start: float, took: float, kind: str) -> str:
    error = {"ok": None, "bad": {"error_type": "ClientError"}, "timeout": {"error_type": "TimeoutError"}}[kind]
    info = {"input_tokens": 5}
    return json.dumps({"start_time": 100.5 + start, "end_time": 100.5 + start + took, "info": info, "error": error})


def in_german(number: float) -> str:
    return f"{number}".replace(".", ",")


JMETER_CODE = {"ok": "200", "bad": "500", "timeout": "Non HTTP response code: java.net.SocketTimeoutException"}
K6_ERROR_CODE = {"ok": "", "bad": "1500", "timeout": "1050"}
FILES = {
    "mine.csv": lines("submitted,ended,status", lambda at, took, kind: f"{iso(at)},{iso(at + took)},{kind}").replace(
        ",bad", ",500"
    ),
    "elapsed.csv": lines(
        "sent_at,elapsed_ms,code,error",
        lambda at, took, kind: f"{T0 + at},{took * 1e3},{CODE[kind]},{ERROR[kind]}",
    ),
    "k6.csv": lines(K6_HEADER, k6_row),
    "k6.json": lines('{"type":"Metric","data":{"name":"http_req_duration"},"metric":"http_req_duration"}', k6_point),
    "jmeter.jtl": lines(
        "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes",
        lambda at, took, kind: (
            f'{(T0 + at) * 1e3:.0f},{took * 1e3:.0f},GET,{JMETER_CODE[kind]},"a, b",t 1,text,'
            f"{str(kind == 'ok').lower()},,9,9"
        ),
    ),
    "vegeta.csv": lines(
        "",
        lambda at, took, kind: (
            f"{(T0 + at) * S:.0f},{CODE[kind]},{took * S:.0f},0,11,{ERROR[kind]},aGk=,load,0,GET,http://x,"
        ),
    ),
    "vegeta_without_name.csv": lines(
        "",
        lambda at, took, kind: (
            f"{(T0 + at) * S:.0f},{CODE[kind]},{took * S:.0f},0,11,{ERROR[kind]},aGk=,,0,GET,http://x,"
        ),
    ),
    "vegeta.json": lines("", vegeta_json),
    "k6_codes.csv": lines(
        "metric_name,timestamp,metric_value,error_code,status",
        lambda at, took, kind: (
            f"http_req_duration,{(T0 + at + took) * 1e3:.0f},{took * 1e3},{K6_ERROR_CODE[kind]},{CODE[kind]}"
        ),
    ),
    "k6_codes.json": lines(
        "",
        lambda at, took, kind: json.dumps(
            {
                "metric": "http_req_duration",
                "type": "Point",
                "data": {
                    "time": iso(at + took),
                    "value": took * 1e3,
                    "tags": {
                        "status": str(CODE[kind]),
                        **({"error_code": K6_ERROR_CODE[kind]} if kind != "ok" else {}),
                    },
                },
            }
        ),
    ),
    "aiperf.jsonl": lines("", aiperf_json),
    "excel.csv": lines(
        "sep=;\nstart_s;took_s;code;error",
        lambda at, took, kind: f"{in_german(T0 + at)};{in_german(took)};{CODE[kind]};{ERROR[kind]}",
    ),
    "without_header.jtl": lines(
        "",
        lambda at, took, kind: (
            f"{(T0 + at) * 1e3:.0f},{took * 1e3:.0f},GET,{JMETER_CODE[kind]},OK,t 1,text,{str(kind == 'ok').lower()}"
        ),
    ),
    "jmeter.xml": '<?xml version="1.0" encoding="UTF-8"?>\n<testResults version="1.2">\n'
    + lines(
        "",
        lambda at, took, kind: (
            f'<httpSample t="{took * 1e3:.0f}" ts="{(T0 + at) * 1e3:.0f}" s="{str(kind == "ok").lower()}" lb="GET" '
            f'rc="{JMETER_CODE[kind]}" rm="OK"/>'
        ),
    )
    + "</testResults>\n",
    "locust.csv": lines(
        "request_type,name,start_time,response_time,response_length,status_code,exception",
        lambda at, took, kind: f"GET,/,{T0 + at},{took * 1e3},5,{CODE[kind] or ''},{ERROR[kind]}",
    ),
    "java.csv": lines(
        "began_at,duration,code,error", lambda at, took, kind: f"{iso(at)},PT{took}S,{CODE[kind]},{ERROR[kind]}"
    ),
    "timedelta.csv": lines(
        "began_at,duration,code,error",
        lambda at, took, kind: f"{iso(at)},{'0 days ' if at % 4 else ''}00:00:{took:08.5f},{CODE[kind]},{ERROR[kind]}",
    ),
    "commented.csv": lines(
        "# made by hand\nstart|elapsed|code|error",  # each cell has the unit that its program liked
        lambda at, took, kind: f"{iso(at)}|{f'{took * 1e3:g}ms' if at % 4 else f'{took} s'}|{CODE[kind]}|{ERROR[kind]}",
    ),
    "pandas.csv": lines(
        "start_s,end_s,latency (\u03bcs),code,error",  # mu, the Greek letter
        lambda at, took, kind: (
            f"{T0 + at},{T0 + at + took},{'NaN' if kind == 'bad' else took * 1e6},{CODE[kind]},{ERROR[kind] or 'NaN'}"
        ),
    ),
}


def imported(folder: Path, name: str, text: str | None = None, wanted: Wanted | None = None) -> Done:
    path = folder / name
    path.write_text(FILES[name] if text is None else text)
    return import_file(path, folder / "results", wanted or Wanted())


def read(done: Done) -> tuple[Frames, Summary]:
    frames = load(open_run(done.path))
    return frames, summarise(frames)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("fortio.log", lines("", fortio_line)),
        ("lifecycle.json", f"[{','.join(lines('', lifecycle_json).split(chr(10))[:-1])}]"),
    ],
)
def test_a_file_without_codes_has_failures_and_time_outs_all_the_same(tmp_path: Path, name: str, text: str) -> None:
    frames, summary = read(imported(tmp_path, name, text))
    counts = summary.counts
    assert (counts.sent, counts.completed, counts.failed, counts.pending) == (12, 10, 1, 1)
    done = frames.requests.filter(pl.col("outcome") == "completed").sort("sched_ns")
    assert (done["sched_ns"] / S).round(3).to_list() == [start for start, _, kind in ROWS if kind == "ok"]
    assert (done["sojourn_ns"] / S).round(3).to_list() == [took for _, took, kind in ROWS if kind == "ok"]


@pytest.mark.parametrize(
    "text",
    [
        "day,latency_ms\n2026-01-01,5\n2026-01-02,5\n",
        "date,time,latency_ms\n2026-01-01,00:00:03,5\n2026-01-01,00:00:04,5\n",
        "start,end,due\n" + "2026-01-01 00:00:03,2026-01-01 00:00:04,2026-01-01\n" * 2,
    ],
)
def test_dates_without_a_time_of_day_are_no_instants_in_any_form(tmp_path: Path, text: str) -> None:
    """Else all requests of a day are one burst at midnight, in silence."""
    with pytest.raises(UsageError, match="holds dates without a time of day"):
        imported(tmp_path, "a.csv", text)
    path = tmp_path / "a.parquet"
    pl.DataFrame(
        {"start": [datetime(2026, 1, k, tzinfo=UTC).date() for k in (1, 2)], "latency_ms": [5, 5]}
    ).write_parquet(path)
    with pytest.raises(UsageError, match="'start' holds dates without a time of day"):
        import_file(path, tmp_path / "results", Wanted())


@pytest.mark.slow
def test_columns_that_contradict_each_other_and_coarse_instants_are_said(tmp_path: Path) -> None:
    text = "start,end,latency_ms\n" + "".join(f"{iso(k)},{iso(k + 0.5)},{500 if k else 100}\n" for k in range(3))
    done = imported(tmp_path, "a.csv", text)
    assert "in 1 row the latency is not end - start, by up to 400 ms: end - start counts" in done.lines
    assert not [line for line in done.lines if "whole second" in line]
    done = imported(tmp_path, "b.csv", f"end,latency_ms\n{iso(1)},200\n{iso(2)},200\n")
    assert "every end is a whole second: rates and backlog are no finer" in done.lines


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_each_tools_file_is_the_same_run(tmp_path: Path, name: str) -> None:
    frames, summary = read(imported(tmp_path, name))
    assert not summary.violations
    counts = summary.counts
    assert (counts.sent, counts.completed, counts.rejected, counts.pending) == (12, 10, 1, 1)
    rows = frames.requests.sort("sched_ns")
    assert (rows["sched_ns"] / S).round(3).to_list() == [start for start, _, _ in ROWS]
    assert (rows["sojourn_ns"] / S).round(3).drop_nulls().to_list() == [took for _, took, kind in ROWS if kind == "ok"]


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_request_that_timed_out_is_as_old_as_it_was_then_and_counts(tmp_path: Path, name: str) -> None:
    frames, summary = read(imported(tmp_path, name))
    aged = frames.requests.filter(pl.col("outcome") == "pending")
    assert (aged["age_ns"] / S).round(3).to_list() == [30.0]
    assert summary.sojourn.n == 11
    assert summary.sojourn.max is not None
    assert (round(summary.sojourn.max.low, 3), summary.sojourn.max.high) == (30.0, None)


@pytest.mark.slow
@pytest.mark.parametrize("nothing", [{"error": None}, {"error": {}}, {"error": ""}, {}])
@pytest.mark.parametrize("error", [{"code": 5, "message": "x"}, {"code": 5, "kind": "x"}, {"message": "x"}, "x"])
def test_an_error_that_is_an_object_is_a_failure_whatever_the_other_rows_have_there(
    tmp_path: Path, nothing: dict[str, object], error: object
) -> None:
    rows = [{"start": iso(k), "latency_ms": 5, **nothing} for k in range(3)]
    rows.append({"start": iso(3), "latency_ms": 5, "error": error})
    _, summary = read(imported(tmp_path, "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows)))
    assert (summary.counts.completed, summary.counts.failed) == (3, 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("header", "bad", "role"),
    [
        ("status,country_code", "500,DE", "status"),
        ("status_code,status_text", "500,oh", "status"),
        ("error_code,error_message", "7,oh", "error"),
        ("error,error_rate", "oh,0.5", "error"),
        ("ok,ok_so_far", "false,true", "success"),
    ],
)
def test_of_several_columns_with_a_word_for_how_it_ended_the_one_that_is_meant_counts(
    tmp_path: Path, header: str, bad: str, role: str
) -> None:
    good = {"status": "200,", "error": ",", "success": "true,true"}[role]
    text = f"start,latency_ms,{header}\n{iso(1)},5,{good}\n{iso(2)},5,{good}\n{iso(3)},5,{bad}\n"
    _, summary = read(imported(tmp_path, "a.csv", text))
    assert (summary.counts.completed, summary.counts.failed + summary.counts.rejected) == (2, 1)


NESTED = {
    "GuideLLM's requests": {
        "benchmarks": [
            {
                "requests": {
                    "total": None,
                    "successful": [{"start_time": T0, "end_time": T0 + 0.5}],
                    "incomplete": [],
                    "errored": [{"request_start_time": T0 + 1, "request_end_time": T0 + 1.25}],
                }
            }
        ]
    },
    "OpenTelemetry's spans": {
        "resourceSpans": [
            {
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "name": "a",
                                "startTimeUnixNano": f"{T0 * S}",
                                "endTimeUnixNano": f"{T0 * S + 5}",
                                "status": {},
                            },
                            {
                                "name": "a",
                                "startTimeUnixNano": f"{T0 * S}",
                                "endTimeUnixNano": f"{T0 * S + 9}",
                                "status": {"code": 2},
                            },
                        ]
                    }
                ]
            }
        ]
    },
    "X-Ray's segments": {
        "Traces": [
            {
                "Segments": [
                    {
                        "Document": json.dumps(
                            {"start_time": T0, "end_time": T0 + 1, "http": {"response": {"status": code}}}
                        )
                    }
                ]
            }
            for code in (200, 500)
        ]
    },
    "Jaeger's spans": {
        "data": [
            {"spans": [{"operationName": "a", "startTime": T0 * 1_000_000, "duration": 5, "tags": tags}]}
            for tags in ([], [{"key": "error", "value": True}])
        ]
    },
    "Athena's answer": {
        "ResultSet": {
            "Rows": [
                {"Data": [{"VarCharValue": cell} for cell in row]}
                for row in (["start", "latency_ms", "status"], [iso(0), "5", "200"], [iso(1), "5", "500"])
            ]
        }
    },
    "the answer of CloudWatch Logs Insights": {
        "results": [
            [
                {"field": "start", "value": iso(1)},
                {"field": "latency_ms", "value": "5"},
                {"field": "status", "value": code},
            ]
            for code in ("200", "500")
        ]
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("form", NESTED)
def test_the_advice_for_rows_within_others_makes_a_file_that_is_read(tmp_path: Path, form: str) -> None:
    with pytest.raises(UsageError, match=form) as caught:
        imported(tmp_path, "nested.json", json.dumps(NESTED[form], indent=1))
    command = shlex.split(caught.value.advice[caught.value.advice.index("jq ") :])
    assert command[0] == "jq"
    if shutil.which("jq"):
        command[-1] = str(tmp_path / "nested.json")
        made = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        _, summary = read(imported(tmp_path, "made.jsonl", made))
        assert (summary.counts.completed, summary.counts.failed + summary.counts.rejected) == (1, 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "between", ["\t\tfirst\t", "\t1\t\tfirst\t", "\tscenario\t1\t\tfirst\t"], ids=["3.4", "3.0", "2.3"]
)
def test_the_advice_for_gatlings_log_makes_a_file_that_is_read(tmp_path: Path, between: str) -> None:
    log = "RUN\tx.Simulation\tx\t1767225600000\t \t3.9.5\nUSER\tx\tSTART\t1767225600000\n" + "".join(
        f"REQUEST{between}{1767225600000 + k}\t{1767225600100 + k}\t{'OK' if k else 'KO'}\t{'x' if k else ' '}\n"
        for k in range(3)
    )
    with pytest.raises(UsageError, match="is Gatling's log") as caught:
        imported(tmp_path, "simulation.log", log)
    command = caught.value.advice[caught.value.advice.index("awk ") :].replace("LOG", str(tmp_path / "simulation.log"))
    made = subprocess.run(shlex.split(command), capture_output=True, text=True, check=True).stdout
    _, summary = read(imported(tmp_path, "made.csv", made))
    assert (summary.counts.completed, summary.counts.failed) == (2, 1)


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"start": "at", "end": "at"}, "column 'at' is named for start and end"),
        ({"end": "took_ms", "latency": "took_ms"}, "column 'took_ms' is named for end and latency"),
        ({"start": "at", "latency": "at"}, "column 'at'"),
        ({"latency": "at"}, "column 'at' holds dates, and no latencies"),
    ],
)
def test_a_column_is_not_two_things_and_a_date_is_no_latency(tmp_path: Path, named: dict[str, str], said: str) -> None:
    text = f"at,took_ms\n{iso(1)},5\n{iso(2)},5\n"
    with pytest.raises(UsageError, match=said):
        imported(tmp_path, "a.csv", text, Wanted(asked=Asked(columns=named, unit="ms")))


@pytest.mark.parametrize(
    ("header", "row", "said"),
    [
        (
            "start,end",
            lambda k: f"{T0 + k},{iso(k + 1)[:19]}",
            "'start' counts from 1970 in UTC, and .* 'end'",
        ),
        (
            "start,end",
            lambda k: f"{iso(k)[:19]},{T0 + k + 1}",
            "'end' counts from 1970 in UTC, and .* 'start'",
        ),
        ("start_s,end", lambda k: f"{k}.5,{iso(k + 1)}", "'end' has dates of today, and 'start_s' counts from another"),
        (
            "start,latency_ms,scheduled_delay_ms",
            lambda k: f"{iso(k)},5,{k}",
            "'start' has dates of today, and 'scheduled_delay_ms' counts from another",
        ),
    ],
)
def test_instants_of_two_clocks_are_refused(tmp_path: Path, header: str, row: Callable[[int], str], said: str) -> None:
    """Else the hours or decades between them are latency."""
    with pytest.raises(UsageError, match=said):
        imported(tmp_path, "a.csv", "\n".join([header, *map(row, range(3))]) + "\n")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["queue_latency_ms", "ttft_latency_ms", "interTokenLatency_ms", "connect_duration_ms"])
def test_a_part_of_a_request_is_not_taken_for_the_whole(tmp_path: Path, name: str) -> None:
    text = f"start,{name}\n" + "".join(f"{iso(k)},5\n" for k in range(3))
    with pytest.raises(UsageError, match=f"by their names only parts of a request: {name}"):
        imported(tmp_path, "a.csv", text)
    _, summary = read(
        imported(tmp_path, "a.csv", text, Wanted(asked=Asked(columns={"start": "start", "latency": name})))
    )
    assert summary.sojourn.max == Bounded.exactly(0.005)
    text = f"start,{name},latency_ms,queue_end\n" + "".join(f"{iso(k)},5,9,{iso(k + 1)}\n" for k in range(3))
    _, summary = read(imported(tmp_path, "b.csv", text))
    assert summary.sojourn.max == Bounded.exactly(0.009)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["latency_mean_ms", "p99_latency_ms", "avgLatency_ms", "max_duration_ms"])
def test_a_statistic_of_several_requests_is_not_taken_for_the_latency_of_one(tmp_path: Path, name: str) -> None:
    text = f"timestamp,{name}\n" + "".join(f"{iso(k)},5\n" for k in range(3))
    with pytest.raises(UsageError, match=f"by their names statistics of several requests: {name}"):
        imported(tmp_path, "a.csv", text)
    _, summary = read(
        imported(tmp_path, "a.csv", text, Wanted(asked=Asked(columns={"start": "timestamp", "latency": name})))
    )
    assert summary.sojourn.max == Bounded.exactly(0.005)
    text = f"timestamp,{name},latency_ms\n" + "".join(f"{iso(k)},5,9\n" for k in range(3))
    _, summary = read(imported(tmp_path, "b.csv", text))
    assert summary.sojourn.max == Bounded.exactly(0.009)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "cells"),
    [("errors", "0 1 0"), ("failed", "false true false"), ("is_error", "0 1 0"), ("err", "- EOF -"),
     ("failures", "0 2 0"), ("succeeded", "true false true"), ("succeeded", "1 0 1")],
)  # fmt: skip
def test_a_column_of_failures_is_found_in_each_of_its_names(tmp_path: Path, name: str, cells: str) -> None:
    """Else what failed would be counted as completed."""
    rows = "".join(f"{iso(k)},5,{cell}\n" for k, cell in enumerate(cells.split()))
    _, summary = read(imported(tmp_path, "a.csv", f"start,latency_ms,{name}\n{rows}"))
    assert (summary.counts.completed, summary.counts.completed + summary.counts.failed) in ((2, 3), (2, 2))
    assert summary.counts.scheduled - summary.counts.completed == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["count", "SampleCount", "num_requests"])
def test_a_row_that_sums_up_several_requests_is_refused(tmp_path: Path, name: str) -> None:
    for counts, is_refused in (((1, 1, 3), True), ((1, 1, 1), False), ((1, 2, 3), False)):  # the last numbers the rows
        text = f"start,latency_ms,{name}\n" + "".join(f"{iso(k)},5,{n}\n" for k, n in enumerate(counts))
        if is_refused:
            with pytest.raises(UsageError, match=rf"a\.csv:4: 3 in column '{name}': the row sums up several"):
                imported(tmp_path, "a.csv", text)
        else:
            imported(tmp_path, "a.csv", text)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "bad"), [("exit_code", "1"), ("grpc_code", "14"), ("code", "7"), ("grpc_code", "")])
def test_of_codes_that_are_no_http_status_it_is_asked_which_are_good(tmp_path: Path, name: str, bad: str) -> None:
    text = f"start,latency_ms,{name}\n{iso(0)},5,0\n{iso(1)},5,0\n{iso(2)},5,{bad}\n"
    with pytest.raises(UsageError, match=f"'{name}' holds codes that are no HTTP status: 0") as caught:
        imported(tmp_path, "a.csv", text)
    assert "--ok 0" in caught.value.advice
    _, summary = read(imported(tmp_path, "a.csv", text, Wanted(good=frozenset("0"))))
    assert (summary.counts.completed, summary.counts.unknown_end) == (2, 1)


@pytest.mark.slow
def test_phases_that_go_on_at_the_same_time_have_their_own_completions(tmp_path: Path) -> None:
    text = "start,latency_ms,phase\n" + "".join(f"{iso(k)},100,{'ab'[k % 2]}\n" for k in range(20))
    _, summary = read(imported(tmp_path, "a.csv", text))
    assert [(one.name, one.rates.offered_hz, one.rates.completed_hz) for one in summary.phases] == [
        ("a", 0.5, 0.5),
        ("b", 0.5, 0.5),
    ]


@pytest.mark.slow
def test_rows_that_share_an_id_each_count_and_it_is_said(tmp_path: Path) -> None:
    text = "id,start,latency_ms,status\n" + "".join(f"{k // 2},{iso(k)},5,{200 if k % 2 else 503}\n" for k in range(5))
    done = imported(tmp_path, "a.csv", text)
    assert any(line.startswith("4 rows have an 'id' that others have too") for line in done.lines)


@pytest.mark.slow
def test_what_k6_did_not_expect_has_failed(tmp_path: Path) -> None:
    text = FILES["k6.csv"].replace(",true,", ",false,", 2)  # of the first request, whose status is 200
    _, summary = read(imported(tmp_path, "k6.csv", text))
    counts = summary.counts
    assert (counts.completed, counts.failed, counts.rejected, counts.pending) == (9, 1, 1, 1)


@pytest.mark.slow
def test_two_columns_that_could_say_how_it_ended_are_asked_about(tmp_path: Path) -> None:
    text = f"start,latency_ms,code,outcome\n{iso(1)},5,200,ok\n{iso(2)},5,200,failed\n"
    with pytest.raises(UsageError, match=r"which column is the status: code, outcome\?") as caught:
        imported(tmp_path, "a.csv", text)
    assert caught.value.advice == "name it: --status"
    _, summary = read(imported(tmp_path, "a.csv", text, Wanted(asked=Asked(columns={"status": "outcome"}))))
    assert (summary.counts.completed, summary.counts.failed) == (1, 1)


@pytest.mark.slow
def test_what_cannot_be_known_is_unknown_and_said(tmp_path: Path) -> None:
    done = imported(tmp_path, "k6.csv")
    frames, summary = read(done)
    findings = check(frames, summary)
    (finding,) = [one for one in findings if one.name == "imported"]
    assert verdict(findings) is Verdict.UNKNOWN
    assert "k6 did, k6.csv; 1 timed out" in finding.seen
    assert "lateness of the tool" in finding.seen
    assert not [one for one in findings if one.name in ("schedule kept", "generator healthy", "drained")]
    assert summary.generator.schedule_lag.n == summary.ack.n == summary.service_view.n == 0
    asked = ("p50 < 5s", "max < 10s", "lost == 0", "schedule_lag_p99 < 1s", "ack_p50 < 1s", "p95 from acceptance < 9s")
    judged = evaluate(asked, frames, summary)
    assert [one.passed for one in judged] == [None, False, None, None, None, None]
    assert judged[0].note == "5 of 11 requests lie above"
    assert any(line.startswith("not known: acceptance, queue wait and service") for line in done.lines)


@pytest.mark.slow
@pytest.mark.parametrize("more", ["", "\t7\tx"], ids=["", "more columns, as its manual announces"])
def test_the_log_of_h2load_has_starts_and_durations_and_a_failed_stream_is_no_answer(tmp_path: Path, more: str) -> None:
    text = lines("", lambda at, took, kind: f"{(T0 + at) * 1e6:.0f}\t{CODE[kind] or -1}\t{took * 1e6:.0f}{more}")
    done = imported(tmp_path, "h2load.log", text)
    frames, summary = read(done)
    counts = summary.counts
    assert (counts.sent, counts.completed, counts.rejected, counts.transport_error) == (12, 10, 1, 1)
    rows = frames.requests.filter(pl.col("outcome") == "completed").sort("sched_ns")
    assert (rows["sched_ns"] / S).round(3).to_list() == [start for start, _, kind in ROWS if kind == "ok"]
    assert (rows["sojourn_ns"] / S).round(3).to_list() == [took for _, took, kind in ROWS if kind == "ok"]
    lost = "requests whose connection was lost or timed out"  # a failed stream has its row, -1
    assert any(line.startswith(f"not known: {lost}: h2load leaves them out") for line in done.lines)
    assert not any("without an answer" in line for line in done.lines)


@pytest.mark.parametrize(
    ("text", "columns", "option"),
    [("a,b\n1,2\n3,4\n", {}, "--start"), ("a,b\n1,2\n3,4\n", {"start": "a", "latency": "b"}, "--unit")],
)
def test_advice_names_options_of_this_command_not_keys_of_a_scenario(
    tmp_path: Path, text: str, columns: dict[str, str], option: str
) -> None:
    with pytest.raises(UsageError) as error:
        imported(tmp_path, "mine.csv", text, Wanted(asked=Asked(columns=columns)))
    assert option in error.value.advice
    assert "say unit" not in error.value.advice


@pytest.mark.slow
def test_sizes_are_read_where_pandas_made_them_floats(tmp_path: Path) -> None:
    text = f"start,latency_ms,status,size\n{T0},5,200,1024.0\n{T0 + 1},5,200,2048\n{T0 + 2},5,200,\n"
    rows = open_run(imported(tmp_path, "a.csv", text).path).requests.collect()
    assert rows["size_in_bytes"].to_list() == [1024, 2048, None]


def test_a_size_that_the_file_does_not_say_is_not_known(tmp_path: Path) -> None:
    rows = open_run(imported(tmp_path, "a.csv", f"start,latency_ms\n{T0},5\n").path).requests.collect()
    assert rows["size_in_bytes"].to_list() == [None]


@pytest.mark.parametrize(
    "cells",
    [
        ["9" * 5000, "200", "1.5", "x"],
        [f"{T0}000000000", "9" * 5000, "1000000", ""],
        ["\u0663" * 13, "200", "5", "x", "", "", "", "true"],
    ],
)
def test_digits_that_make_no_number_of_a_tools_are_asked_about(tmp_path: Path, cells: list[str]) -> None:
    with pytest.raises(UsageError):
        imported(tmp_path, "a.csv", f"{','.join(cells)}\n" * 3)


@pytest.mark.slow
def test_due_instants_show_how_late_the_other_tool_was(tmp_path: Path) -> None:
    text = "due,start,end,status\n" + "".join(f"{iso(k)},{iso(k + 0.5)},{iso(k + 2)},ok\n" for k in range(5))
    frames, summary = read(imported(tmp_path, "due.csv", text))
    assert (frames.requests["sojourn_ns"] / S).to_list() == [2.0] * 5
    assert (frames.requests["from_send_ns"] / S).to_list() == [1.5] * 5
    (kept,) = [one for one in check(frames, summary) if one.name == "schedule kept"]
    assert kept.verdict is Verdict.INVALID
    assert "500 ms" in kept.seen


@pytest.mark.slow
def test_phases_are_the_values_of_a_column(tmp_path: Path) -> None:
    text = "start,end,stage\n" + "".join(f"{iso(k)},{iso(k + 1)},{'b' if k > 3 else 'a'}\n" for k in range(8))
    frames, summary = read(imported(tmp_path, "a.csv", text, Wanted(Asked({"phase": "stage"}))))
    assert [(phase.name, phase.rates.n_sent) for phase in summary.phases] == [("a", 4), ("b", 4)]
    assert frames.requests["seq"].to_list() == list(range(8))


@pytest.mark.slow
def test_a_phase_that_warms_up_is_left_out_of_the_figures(tmp_path: Path) -> None:
    text = "start,latency_s,benchmark_phase\n" + "".join(
        f"{iso(k)},{9 if k < 3 else 1},{'warmup' if k < 3 else 'profiling'}\n" for k in range(8)
    )
    frames, summary = read(imported(tmp_path, "a.csv", text))
    assert summary.n_warmup == 3
    assert [(phase.name, phase.warmup) for phase in summary.phases] == [("warmup", True), ("profiling", False)]
    assert frames.measured["sojourn_ns"].unique().to_list() == [S]


@pytest.mark.slow
def test_a_failure_without_an_end_is_a_failure(tmp_path: Path) -> None:
    text = "start,latency_s,status\n" + "".join(
        f"{iso(k)},{'' if k < 2 else 1},{200 if k else 'error'}\n" for k in range(9)
    )
    frames, summary = read(imported(tmp_path, "a.csv", text))
    counts = summary.counts
    assert (counts.failed, counts.completed, counts.unknown_end) == (1, 7, 1)  # of the second no end is known
    asked = ["failed == 0", "max < 1h", "backlog < 2", "completed <= 7"]
    assert [one.passed for one in evaluate(asked, frames, summary)] == [False, False, None, None]


@pytest.mark.slow
def test_an_empty_status_is_not_taken_for_success(tmp_path: Path) -> None:
    text = "start,latency_s,status\n" + "".join(f"{iso(k)},1,{'' if k < 2 else 200}\n" for k in range(9))
    frames, summary = read(imported(tmp_path, "a.csv", text))
    assert (summary.counts.completed, summary.counts.unknown_end) == (7, 2)
    assert [one.passed for one in evaluate(["error_share < 5%", "failed == 0"], frames, summary)] == [None, None]


@pytest.mark.slow
def test_notices_of_sagemaker_are_read_as_they_are_and_leave_open_what_has_none(tmp_path: Path) -> None:
    def notice(k: int) -> str:
        end = {"invocationStatus": "Failed", "failureReason": "boom"} if k == 3 else {"invocationStatus": "Completed"}
        at = {"receivedTime": iso(k), "eventTime": iso(k + 2.5)}
        return json.dumps({"inferenceId": f"i{k}", **at, **end, "requestParameters": {"endpointName": "e"}})

    frames, summary = read(imported(tmp_path, "notices.jsonl", "\n".join(map(notice, range(9)))))
    assert (summary.counts.completed, summary.counts.failed) == (8, 1)
    assert frames.requests["sojourn_ns"].drop_nulls().unique().to_list() == [2.5 * S]
    asked = ["p50 < 5s", "p50 < 2s", "failed == 0"]
    assert [one.passed for one in evaluate(asked, frames, summary)] == [None, False, False]
    # Whoever subscribed to the topic of successes alone has no failure in the file.
    successes = [notice(k) for k in range(9) if k != 3]
    frames, summary = read(imported(tmp_path, "successes.jsonl", "\n".join(successes)))
    asked = ["failed == 0", "failed < 1%", "expired == 0", "lost == 0", "rejected == 0", "error_share < 5%"]
    assert [one.passed for one in evaluate(asked, frames, summary)] == [None] * 6


@pytest.mark.slow
def test_a_comparison_gives_no_number_to_a_latency_that_the_file_leaves_out(tmp_path: Path) -> None:
    """hey writes no row where no answer came: were they the slow ones, every figure of time would be longer."""
    text = "response-time,DNS+dialup,status-code,offset\n" + "".join(f"0.25,0,200,{k}\n" for k in range(20))
    figures = measure(*read(imported(tmp_path, "a.csv", text)))
    assert figures["sojourn_p50"] == Bounded(low=0.25, high=None)
    assert {name for name, one in figures.items() if one.value is not None} == {"completed_hz"}
    figures = measure(*read(imported(tmp_path, "k6.csv")))
    assert figures["sojourn_p50"].value is not None


@pytest.mark.slow
def test_a_timeout_may_be_said(tmp_path: Path) -> None:
    text = "start,latency_s\n" + "".join(f"{iso(k)},{k}\n" for k in range(5))
    _, summary = read(imported(tmp_path, "a.csv", text, Wanted(timeout_ns=3 * S)))
    assert (summary.counts.completed, summary.counts.pending) == (3, 2)


SWF_HEADER = ";\n; The trace of a machine\n;  Version: 2.2\n; UnixStartTime: 843598803\n  1  0  5 100 4 -1 -1\n"
SWF_JOB = "    1        0     -1   1451  128 1446.00   -1   -1     -1   -1  1   1   1  -1 -1 -1 -1 -1\n"
LOG_TIME = "01/Jul/1995:00:00:01 -0400"


@pytest.mark.parametrize(
    ("text", "said", "advice"),
    [
        ("start,status\n2026-01-01,ok\n", "needs a start and an end, or one of them", "--start, --end"),
        ("start,latency\n2026-01-01T00:00:00Z,5\n", "column 'latency' do not say their unit", "--latency-unit"),
        ("start,latency_s\n0,5\n", "column 'start' do not say their unit", "unit"),
        ("start_s,latency_ms\n1,-5\n", "a.csv:2: the latency in column 'latency_ms' is below zero", "empty"),
        ("start,latency_ms\n1761991200,1,234\n", "a.csv:2: the row has 3 cells, and there are 2 columns", "quotes"),
        ("start,latency_ms\n1761991200,1,\n1761991201,2,5\n", "a.csv:3: the row has 3 cells", "quotes"),
        ("start_s,latency_ms,n\n1,12,3\n2,1", "a.csv:3: the last row ends after 2 of 3 cells", "copy it again"),
        ("start,latency_ms\n1761991200,12\n0,0\n", "goes from 1970-01-01T00:00:00 to 2025-11-01T10:00:00", "empty"),
        ("start,end\n2026-11-01T10:00:00+01:00,2026-11-01T10:00:01\n", "say their time zone, and others do not", "all"),
        ("start_s,end_s\n2,1\n", "a.csv:2: the request ends before it starts", "units"),
        ("start_s,end_s\n2,3\n4,soon\n", "a.csv:3: text of 4 characters in column 'end_s' is no", ""),
        ('<?xml version="1.0"?>\n<!DOCTYPE a><testResults/>\n', "is an XML document, and not JMeter's", "CSV"),
        ("#[Histogram log format version 1.3]\n", "a log of histograms", "a row for each"),
        ("       Value   Percentile   TotalCount 1/(1-Percentile)\n", "a table of percentiles", "a row for each"),
        ("\0\0\0\0\x063.13.1\0", "is Gatling's binary log", "REQUEST"),
        ("\x7f\x0a\x01\x06Result\x01\x01\x0b\x01\x06Attack\0", "is what vegeta attack wrote", "vegeta encode"),
        ('{"result": {"latency": {"mean": 1, "max": 2}}}', "is one JSON object, no requests", "for each request"),
        ('{"result": {"latency": {"mean": 1, "stddev": 2}}}', "bombardier's summary", "a row"),
        ('{"aggregate": {"latency": {"p95": 2}}, "intermediate": [{"a": 1}]}', "Artillery's report of sums", "a row"),
        ('{"Summary": {"Elapsed": "1s"}}', "plow's summary", "a row"),
        ('[{"num_none_requests": 0, "total_response_time": 5, "start_time": 1.5}]', "Locust's list of sums", "a row"),
        ("Metric,avg,min,max\nRequest Latency (ms),1,2,3\n", "table of sums of GenAI-Perf or AIPerf", "a row for"),
        ('{"end_to_end_latency_s": 1.5, "ttft_s": 0.1}\n' * 2, "which column is the time", "--all-at-once"),
        (K6_HEADER + "\ngrpc_req_duration,1767225600,1.0,,,,,,,,,,,,,,,,\n", "no row has 'http", "grpc_req_duration"),
        ("RUN\tx.Simulation\tx\t1767225600000\t \t3.9.5\n", "is Gatling's log", "REQUEST"),
        ("Running 30s test @ http://x/\n  2 threads and 10 connections\n", "is what wrk printed", "a row for each"),
        ("\nSummary:\n  Total:\t1.0 secs\n", "is what hey or oha printed", "hey -o csv"),
        (SWF_HEADER, "is a trace of batch jobs (Standard Workload Format)", "fields 2 + 3 + 4"),
        (SWF_JOB * 3, "is a trace of batch jobs (Standard Workload Format)", "print $2"),
        (f'10.0.0.1 - - [{LOG_TIME}] "GET / HTTP/1.1" 200 5\n', "is a web server's access log", "ISO 8601"),
        (f'www.x.org:80 10.0.0.1 - jo [{LOG_TIME}] "GET / HTTP/1.1" 200 5 "-" "x"\n', "web server's access", "latency"),
        (f"owner bucket [{LOG_TIME}] 10.0.0.1 - ID REST.GET.OBJECT k\n", "is a web server's access log", "%D"),
        ("https 2026-07-02T22:23:00.186641Z app/x/1 10.0.0.1:2817 10.0.0.2:80 0.0 0.1 0.0 200\n", "load bal", ""),
        ("2026-05-13T23:39:43.945958Z x 10.0.0.1:2817 10.0.0.2:80 0.000073 0.001048 0.00005 200\n", "load bal", "CSV"),
        ("1157689312.049   5006 10.105.21.199 TCP_MISS/200 19763 CONNECT x:443 jo\n", "is Squid's access log", "CSV"),
        ("#Software: Microsoft IIS\n#Version: 1.0\n#Fields: date time\n", "an access log in W3C's extended", "CSV"),
        ("#Version: 1.0\n#Fields: date\ttime\n", "an access log in W3C's extended format", "CSV"),
        ('{"aggregate": {"summaries": {"http.response_time": {"p95": 10}}}}', "Artillery's report of sums", "a row"),
        ('{"metrics": {"http_req_duration": {"p(95)": 10}}}', "is k6's summary", "a row for each"),
        ('{"latencies": {"mean": 10, "99th": 20}, "requests": 5}', "is vegeta's report", "a row for each"),
        ("Type,Name,Request Count,Median Response Time\nGET,/,5,3\n", "Locust's table of sums", "a row for each"),
        ('{\n"aggregate": {"summaries": 1},\n"intermediate": [{"period": 1}]\n}\n', "Artillery's report of", "a row"),
        ('{\n"DurationHistogram": {"Count": 1, "Data": []}\n}\n', "is Fortio's histogram", "a row for each"),
        ('{"benchmarks": [{"requests": {"successful": []}}]}', "GuideLLM's requests, which lie", "jq -c"),
        ('[{"end_to_end_latency_s": 1.5, "ttft_s": 0.1, "error_msg": ""}]', "llmperf does not write when", "--start"),
        ("start_s,took_s,took_s\n1,2,3\n", "or one of them and a latency; found: start", "--start"),
        ("start_s;took_ms\n1;1,234\n2;5,678\n", "a.csv:2: '1,234' in column 'took_ms' is not a number", ""),
        ("start_s,took_ms\n1,5\n2,inf\n", "a.csv:3: text of 3 characters in column 'took_ms'", "leave the cell"),
        ("start_s,a_rt_s,took_s\n1,2,3\n", "found: start; which is the latency: a_rt_s or took_s?", "--latency"),
        ("start_s,end,ended\n1,2,3\n", "found: start; which is the end: end or ended?", "--end"),
        ("start,took_s\n03/11/2026 10:00,1\n", "is a date with its year last (03 and 11: which is the month?)", ""),
        ("start,took_s\n13.11.2026 10:00,1\n", "is a date with its year last: write year-month-day", ""),
        ("start,took_s\n[03/Nov/2026:10:00:00 +0000],1\n", "is a date with its month as a word", ""),
        ("\x00\x01binary", "is binary, and of no form", "CSV"),
        (K6_HEADER + "\nvus,1767225600,1.0,,,,,,,,,,,,,,,,\n", "holds no request: no row has 'http_req_duration'", ""),
    ],
)  # fmt: skip
def test_what_is_not_plain_is_asked_for(tmp_path: Path, text: str, said: str, advice: str) -> None:
    with pytest.raises(UsageError) as caught:
        imported(tmp_path, "a.csv", text)
    assert said in caught.value.message
    assert advice in caught.value.advice
    assert not (tmp_path / "results").exists()


@pytest.mark.slow
def test_ghz_keeps_its_calls_in_one_list_of_several(tmp_path: Path) -> None:
    calls = [{"timestamp": iso(k + 0.5), "latency": 500_000_000, "error": "", "status": "OK"} for k in range(5)]
    late = {"timestamp": iso(30), "latency": 20 * S, "error": "deadline exceeded", "status": "DeadlineExceeded"}
    other = {"latencyDistribution": [{"percentage": 50, "latency": 1}], "histogram": [{"mark": 1, "count": 6}]}
    _, summary = read(
        imported(tmp_path, "ghz.json", json.dumps({"count": 6, **other, "details": [*calls, late]}, indent=1))
    )
    assert (summary.counts.completed, summary.counts.pending) == (5, 1)
    assert summary.sojourn.p50 == Bounded.exactly(0.5)


@pytest.mark.slow
def test_a_key_that_only_failures_have_is_found_behind_a_hundred_rows(tmp_path: Path) -> None:
    rows = [json.dumps({"start": T0 + k, "latency_s": 0.5, **({"error": "x"} if k > 150 else {})}) for k in range(200)]
    _, summary = read(imported(tmp_path, "a.jsonl", "\n".join(rows)))
    assert (summary.counts.completed, summary.counts.failed) == (151, 49)


@pytest.mark.slow
def test_a_column_of_durations_has_its_unit_and_instants_in_32_bits_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    at = [datetime.fromtimestamp(T0 + k, UTC) for k in range(3)]
    for unit in ("ms", "us", "ns"):
        took = pl.Series([250_000_000] * 3).cast(pl.Duration("ns")).cast(pl.Duration(unit))
        pl.DataFrame({"start": at, "latency_s": took}).write_parquet(path)
        _, summary = read(import_file(path, tmp_path / "results", Wanted()))
        assert summary.sojourn.max == Bounded.exactly(0.25)
    coarse = pl.Series([float(T0 + k) for k in range(3)], dtype=pl.Float32)
    pl.DataFrame({"start": coarse, "latency_s": [0.25] * 3}).write_parquet(path)
    with pytest.raises(UsageError, match="kept in 32 bits, which is 128 s coarse"):
        import_file(path, tmp_path / "results", Wanted())


def test_of_two_columns_of_one_name_none_is_chosen(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has 2 columns 'took'"):
        imported(tmp_path, "a.csv", "start_s,took,took\n1,2,3\n", Wanted(Asked({"latency": "took"}, latency_unit="s")))


JTL = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,success\n"
TRANSACTION = '{at},{took},T,200,"Number of samples in transaction : 2, number of failing samples : 0",t 1,true\n'


@pytest.mark.slow
def test_jmeters_transactions_are_no_requests_beside_their_samples(tmp_path: Path) -> None:
    """Else every request counts twice, once with the sum of several latencies."""
    rows = [f"{1000 * (T0 + k)},{took},GET,200,OK,t 1,true\n" for k, took in ((0, 100), (1, 300))]
    summed = TRANSACTION.format(at=1000 * T0, took=1300)
    done = imported(tmp_path, "a.jtl", JTL + "".join([*rows, summed]))
    _, summary = read(done)
    assert (summary.counts.completed, summary.sojourn.max) == (2, Bounded.exactly(0.3))
    assert "1 other row was left out" in done.lines
    _, summary = read(imported(tmp_path, "only.jtl", JTL + summed))  # "generate parent sample": nothing else is there
    assert summary.sojourn.max == Bounded.exactly(1.3)


def judged(tmp_path: Path, text: str, *thresholds: str) -> list[bool | None]:
    return [one.passed for one in evaluate(thresholds, *read(imported(tmp_path, "a.csv", text)))]


@pytest.mark.slow
def test_of_a_file_without_a_status_no_failure_is_no_merit(tmp_path: Path) -> None:
    text = "start,latency_s\n" + "".join(f"{iso(k)},{k + 1}\n" for k in range(5))
    asked = ("failed == 0", "rejected == 0", "transport_error == 0", "error_share < 5%", "completed >= 99%")
    assert judged(tmp_path, text, *asked) == [None] * 5
    assert judged(tmp_path, text, "expired == 0", "lost == 0", "max < 6s", "completed <= 5") == [None, None, True, True]


@pytest.mark.slow
def test_of_a_file_that_knows_expiries_they_are_counted(tmp_path: Path) -> None:
    text = "start,end,status\n" + "".join(f"{iso(k)},{iso(k + 1)},{'expired' if k < 2 else 'ok'}\n" for k in range(5))
    assert judged(tmp_path, text, "expired <= 2", "expired == 0", "lost == 0") == [True, False, None]


@pytest.mark.slow
def test_what_a_tool_leaves_out_may_be_any_number_of_requests(tmp_path: Path) -> None:
    """hey and oha write no row where no answer came: of all requests half may have timed out."""
    text = "response-time,DNS+dialup,status-code,offset\n" + "".join(f"0.1,0,200,{k}\n" for k in range(20))
    unknown = ("p50 < 1s", "max < 1s", "within(1s) >= 99%", "completed >= 99%", "error_share < 5%", "backlog < 5")
    assert judged(tmp_path, text, *unknown, "transport_error == 0", "pending == 0", "drain < 5s") == [None] * 9
    assert judged(tmp_path, text, "p50 < 50ms", "rejected == 0", "goodput(1s) > 0.5/s") == [False, True, True]


@pytest.mark.slow
def test_ab_writes_a_row_a_request(tmp_path: Path) -> None:
    rows = "".join(f"Thu Jan 01 00:00:0{k} 2026\t{T0 + k}\t0\t{k + 1}\t{k + 1}\t1\n" for k in range(3))
    done = imported(tmp_path, "a.tsv", f"starttime\tseconds\tctime\tdtime\tttime\twait\n{rows}")
    _, summary = read(done)
    assert (summary.counts.completed, summary.sojourn.max) == (3, Bounded.exactly(0.003))
    assert any("one that got no answer looks like the others" in line for line in done.lines)


@pytest.mark.slow
def test_a_folder_is_never_overwritten_and_has_every_file(tmp_path: Path) -> None:
    first, second = imported(tmp_path, "mine.csv"), imported(tmp_path, "mine.csv")
    assert first.path != second.path
    assert {"requests.parquet", "readings.parquet", "events.parquet", "manifest.json"} <= {
        path.name for path in second.path.iterdir()
    }
    assert open_run(second.path).is_compacted


@pytest.mark.slow
def test_python_imports_as_the_command_line_does(tmp_path: Path) -> None:
    rows = "".join(f"{T0 + start},{took},{CODE[kind]}\n" for start, took, kind in ROWS)
    (tmp_path / "calls.csv").write_text(f"began,latency_s,status\n{rows}")
    run = smbench.import_run(
        tmp_path / "calls.csv", tmp_path, columns={"start": "began", "latency": "latency_s"}, timeout="30s"
    )
    assert run.path is not None
    assert run.path.parent == tmp_path
    assert (run.summary.counts.completed, run.summary.counts.scheduled) == (10, 12)
    with pytest.raises(UsageError, match="--timeout 'soon'"):
        smbench.import_run(tmp_path / "calls.csv", tmp_path, timeout="soon")


@pytest.mark.slow
def test_llmeters_responses_have_starts_as_dates_and_a_failure_has_no_latency(tmp_path: Path) -> None:
    def response(k: int, took: float | None, error: str | None) -> str:
        at = {"time_to_first_token": took and took / 2, "time_to_last_token": took, "request_time": iso(k)}
        return json.dumps({"response_text": None, "id": f"{k}", **at, "time_per_output_token": 0.01, "error": error})

    rows = [response(0, None, "ModelError: boom"), response(1, 1.5, None), response(2, 2.5, None)]
    frames, summary = read(imported(tmp_path, "responses.jsonl", "\n".join(rows)))
    assert (summary.counts.completed, summary.counts.failed) == (2, 1)
    assert (frames.requests.sort("sched_ns")["sojourn_ns"].drop_nulls() / S).to_list() == [1.5, 2.5]
    assert summary.sojourn.max is not None
    assert summary.sojourn.max.never  # its latency has no end


@pytest.mark.slow
def test_a_list_with_one_request_is_a_run_of_one(tmp_path: Path) -> None:
    _, summary = read(imported(tmp_path, "a.json", json.dumps([{"start": iso(0), "latency_s": 0.5, "status": 200}])))
    assert (summary.counts.sent, summary.counts.completed) == (1, 1)
    with pytest.raises(UsageError, match="found: latency"):
        imported(tmp_path, "b.json", json.dumps([{"took_s": 0.5}]))


def made(command: str, path: Path) -> str:
    """What the command of a refusal's advice prints."""
    words = [str(path) if word in ("FILE", "LOG") else word for word in shlex.split(command)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("jq") is None, reason="needs jq")
def test_the_advice_for_genai_perfs_profile_makes_a_file_that_is_read(tmp_path: Path) -> None:
    requests = [
        {"timestamp": T0 * S + k * S, "response_timestamps": [T0 * S + k * S + 5, (T0 + 3) * S]} for k in (0, 1)
    ]
    with pytest.raises(UsageError, match="GenAI-Perf's requests, which lie within others") as caught:
        imported(tmp_path, "profile.json", json.dumps({"experiments": [{"requests": requests}]}))
    advice = caught.value.advice
    rows = made(advice[advice.index("jq ") :], tmp_path / "profile.json")
    frames, _ = read(imported(tmp_path, "made.jsonl", rows))
    assert (frames.requests.sort("sched_ns")["sojourn_ns"] / S).to_list() == [3.0, 2.0]


_ALB = (
    'https 2026-01-01T00:00:03.500000Z app/x/1 10.0.0.1:2817 10.0.0.2:80 0.0 0.1 0.0 {status} {status} 1 2 "GET / H" '
    '"curl 1" - - arn:x "Root=1" "x.org" "arn:y" 0 2026-01-01T00:00:0{second}.000000Z "forward" "-" "-"\n'
)
_ELB = '2026-01-01T00:00:0{second}.000000Z x 10.0.0.1:2817 {to} {status} {status} 0 29 "GET / H"\n'
_LOGS = {
    "a load balancer's access log, of ALB": _ALB.format(second=1, status=200) + _ALB.format(second=2, status=502),
    "a load balancer's access log, of ELB": (
        _ELB.format(second=1, to="10.0.0.2:80 0.25 2.0 0.25", status=200)
        + _ELB.format(second=2, to="- -1 -1 -1", status=503)
    ),
    "Squid's access log": (
        "1767225603.500   2500 10.0.0.1 TCP_MISS/200 19763 GET http://x/ jo\n"
        "1767225604.000   1500 10.0.0.1 TCP_MISS/502 19763 GET http://x/ jo\n"
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("log", _LOGS)
def test_the_advice_for_a_log_of_known_fields_makes_a_file_that_is_read(tmp_path: Path, log: str) -> None:
    with pytest.raises(UsageError, match=log.partition(",")[0]) as caught:
        imported(tmp_path, "access.log", _LOGS[log])
    advice = caught.value.advice
    assert "Apache" not in advice
    frames, summary = read(
        imported(tmp_path, "made.csv", made(advice[advice.index("awk ") :], tmp_path / "access.log"))
    )
    assert (summary.counts.completed, summary.counts.rejected) == (1, 1)
    assert frames.requests["sojourn_ns"].drop_nulls().to_list() == [2.5 * S]
