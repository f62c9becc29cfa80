"""JSON documents that hold no rows of requests: each refused by its name, with what to do instead.

A summary's percentiles cannot be made a distribution again. Which spans of a document are requests only its author
knows, so the command that takes them out is shown instead.
"""

from pathlib import Path
from typing import Any, TypeAlias

from smbench.errors import UsageError

Keys: TypeAlias = tuple[str, ...]

_SUMMARIES: dict[Keys, str] = {  # a path that only such a document has
    ("aggregate", "summaries"): "Artillery's report of sums",
    ("metrics", "http_req_duration"): "k6's summary",
    ("latencies", "mean"): "vegeta's report",
    ("latencyPercentiles",): "oha's summary",
    ("latency", "p99"): "autocannon's summary",
    ("result", "latency", "stddev"): "bombardier's summary",
    ("aggregate", "latency", "p95"): "Artillery's report of sums",
    ("Summary", "Elapsed"): "plow's summary",
    ("DurationHistogram",): "Fortio's histogram",
    ("mean_ttft_ms",): "vLLM's benchmark summary",
}
_NESTED: dict[Keys, tuple[str, str]] = {
    way: (f"{what}, which lie within others", f"write those that are requests as JSON lines: jq -c '{query}' FILE")
    for way, what, query in (
        (
            ("benchmarks", "requests", "successful"),
            "GuideLLM's requests",
            '.benchmarks[].requests | to_entries[] | {successful: "ok", errored: "error", incomplete: "pending"}'
            "[.key] as $status | select($status) | .value[]? | {start_s: (.request_start_time // .start_time), "
            "end_s: (.request_end_time // .end_time), status: $status}",
        ),
        (
            ("experiments", "requests", "response_timestamps"),
            "GenAI-Perf's requests",
            ".experiments[].requests[] | {start_ns: .timestamp, end_ns: .response_timestamps[-1]}",
        ),
        (
            ("resourceSpans", "scopeSpans", "spans"),
            "OpenTelemetry's spans",
            ".resourceSpans[].scopeSpans[].spans[] | {start: .startTimeUnixNano, end: .endTimeUnixNano, label: .name, "
            'status: (.status.code // "ok" | if . == 2 then "error" elif . == 1 or . == 0 then "ok" else . end)}',
        ),
        (
            ("Traces", "Segments", "Document"),
            "X-Ray's segments",
            ".Traces[].Segments[].Document | fromjson | {start: .start_time, end: .end_time, label: .name, "
            "status: .http.response.status}",
        ),
        (
            ("data", "spans", "startTime"),
            "Jaeger's spans",
            ".data[].spans[] | {start_us: .startTime, latency_us: .duration, label: .operationName, "
            'success: (.tags | any(.key == "error" and .value == true) | not)}',
        ),
        (
            ("ResultSet", "Rows", "Data"),
            "Athena's answer",
            ".ResultSet.Rows | map([.Data[].VarCharValue]) | .[0] as $names | .[1:][] | [$names, .] | transpose "
            "| map({(.[0]): .[1]}) | add",
        ),
    )
}
_INSIGHTS = (
    "the answer of CloudWatch Logs Insights, whose rows are lists",
    "write them as JSON lines: jq -c '.results[] | map({(.field): .value}) | add' FILE",
)


def no_rows(path: Path, what: str) -> UsageError:
    """The refusal of a file that holds figures of many requests, where a row for each is needed."""
    return UsageError(f"{path} is {what}: percentiles cannot be made of percentiles", "give it a row for each request")


def refuse_document(path: Path, value: Any) -> None:
    """Name what is known to hold no rows, or to hold them within others.

    Raises:
        UsageError: it is such a document; says how to get rows out of it.
    """
    for way, what in _SUMMARIES.items():
        if _has(value, way):
            raise no_rows(path, what)
    rows = value.get("results") if isinstance(value, dict) else None
    if isinstance(rows, list) and rows and isinstance(rows[0], list) and _has(rows[0], ("field",)):
        raise UsageError(f"{path} is {_INSIGHTS[0]}", _INSIGHTS[1])
    for way, (what, advice) in _NESTED.items():
        if _has(value, way):
            raise UsageError(f"{path} is {what}", advice)


def _has(value: Any, way: Keys) -> bool:
    """Whether a path leads anywhere; a list is looked at by its first item."""
    for key in way:
        value = value[0] if isinstance(value, list) and value else value
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return True
