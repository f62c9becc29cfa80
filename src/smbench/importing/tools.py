"""Known tools: the columns that their files have, and the units in which they count."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool whose files are known by the names of their columns; without `form`, in every form."""

    name: str
    columns: Mapping[str, str]  # role to the name of its column; those it may lack are left out
    needs: tuple[str, ...]  # names that make a file this tool's
    unit: str = "auto"
    latency_unit: str = "auto"
    where: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    leaves_out: str = ""  # requests of which it writes no row
    has_notices_only: bool = False  # it leaves out whatever ended without a notice
    sums: tuple[str, str] | None = None  # a column, and what it holds in rows that are sums of other rows
    form: str = ""  # of the file, where names alone would not make it this tool's
    stand_ins: Mapping[str, str] = field(default_factory=dict)  # role to the column for it where its own is missing
    meanings: Mapping[str, str] = field(default_factory=dict)  # of its codes of errors, where they say more than words
    lacks: str = ""  # why its files cannot be a run


UNANSWERED = "requests without an answer"
_K6_TIMEOUTS = {"1050": "request timeout (error_code 1050)", "1211": "dial timeout (error_code 1211)"}
_K6_NOTES = (
    "k6 stamps a request when it ends: starts are ends less durations",
    "k6's http_req_duration leaves out looking up, connecting and TLS",
)
JMETER_NOTE = "JMeter's timeStamp is taken as the start, as its shipped jmeter.properties says"
TOOLS = (
    Tool(
        "k6",
        {
            "end": "timestamp",
            "latency": "metric_value",
            "status": "status",
            "success": "expected_response",
            "error": "error",
            "label": "name",
        },
        ("metric_name", "timestamp", "metric_value"),
        latency_unit="ms",
        where={"metric_name": "http_req_duration"},
        notes=_K6_NOTES,
        stand_ins={"error": "error_code"},
        meanings=_K6_TIMEOUTS,
    ),
    Tool(
        "k6",
        {
            "end": "data.time",
            "latency": "data.value",
            "status": "data.tags.status",
            "success": "data.tags.expected_response",
            "error": "data.tags.error",
            "label": "data.tags.name",
        },
        ("metric", "type", "data.time", "data.value"),
        latency_unit="ms",
        where={"metric": "http_req_duration", "type": "Point"},
        notes=_K6_NOTES,
        stand_ins={"error": "data.tags.error_code"},
        meanings=_K6_TIMEOUTS,
    ),
    Tool(
        "JMeter",
        {
            "start": "timeStamp",
            "latency": "elapsed",
            "status": "responseCode",
            "success": "success",
            "error": "failureMessage",
            "label": "label",
            "size": "sentBytes",
        },
        ("timeStamp", "elapsed"),
        latency_unit="ms",
        sums=("responseMessage", r"^Number of samples in transaction : "),
        notes=(JMETER_NOTE,),
    ),
    Tool(
        "ab",
        {"start": "seconds", "latency": "ttime"},
        ("starttime", "seconds", "ctime", "dtime", "ttime", "wait"),
        unit="s",
        latency_unit="ms",
        notes=(
            "ab stamps starts in whole seconds",
            "ab has no status, and a row for every request: one that got no answer looks like the others",
        ),
    ),
    Tool(
        "vegeta",
        {"start": "timestamp", "latency": "latency", "status": "code", "error": "error", "label": "attack"},
        ("timestamp", "latency", "code", "attack", "seq"),
        latency_unit="ns",
    ),
    Tool(
        "hey",
        {"start": "offset", "latency": "response-time", "status": "status-code"},
        ("response-time", "status-code", "offset"),
        unit="s",
        latency_unit="s",
        leaves_out=UNANSWERED,
    ),
    Tool(
        "oha",
        {"start": "request-start", "latency": "request-duration", "status": "status"},
        ("request-start", "request-duration", "status"),
        unit="s",
        latency_unit="s",
        leaves_out=UNANSWERED,
    ),
    Tool(
        "ghz",
        {"end": "timestamp", "latency": "latency", "status": "status", "error": "error"},
        ("timestamp", "latency", "error", "status"),
        latency_unit="ns",
        notes=("ghz stamps a call when it ends: starts are ends less latencies",),
        form="one JSON document, its details",
    ),
    Tool(
        "Fortio",
        {"start": "timestamp", "latency": "latency", "success": "ok", "error": "details"},
        ("latency", "timestamp", "thread", "ok", "details"),
        unit="ns",
        latency_unit="s",
    ),
    Tool(
        "inference-perf",
        {"start": "start_time", "end": "end_time", "error": "error.error_type"},
        ("start_time", "end_time", "info.input_tokens"),
        unit="s",
        form="one JSON document",
    ),
    Tool(
        "Locust",
        {
            "start": "start_time",
            "latency": "response_time",
            "status": "status_code",
            "error": "exception",
            "label": "name",
        },
        ("request_type", "name", "response_time", "response_length", "exception"),
        latency_unit="ms",
    ),
    Tool(
        "AIPerf",
        {
            "start": "metadata.request_start_ns",
            "end": "metadata.request_end_ns",
            "status": "error.code",
            "error": "error.message",
            "phase": "metadata.benchmark_phase",
        },
        ("metadata.request_start_ns", "metadata.request_end_ns"),
        unit="ns",
    ),
    Tool(
        "LLMeter",
        {"start": "request_time", "latency": "time_to_last_token", "error": "error"},
        ("request_time", "time_to_last_token", "time_to_first_token"),
        latency_unit="s",
    ),
    Tool(
        "llmperf",
        {"latency": "end_to_end_latency_s", "error": "error_msg"},
        ("end_to_end_latency_s", "ttft_s", "error_msg"),
        latency_unit="s",
        lacks="when its requests were sent",
    ),
    Tool(
        "SageMaker",  # its notices to SNS, kept by somebody
        {"start": "receivedTime", "end": "eventTime", "status": "invocationStatus", "error": "failureReason"},
        ("receivedTime", "eventTime", "invocationStatus"),
        leaves_out=UNANSWERED,
        has_notices_only=True,
        notes=("SageMaker's receivedTime is when it took a request: the client's call before it is in no notice",),
    ),
)
SUMS = (  # names that a table of sums has
    ({"Request Count", "Median Response Time"}, "Locust's table of sums"),
    ({"User Count", "Requests/s"}, "Locust's history of sums"),
    ({"Method", "Name", "Error", "Occurrences"}, "Locust's table of failures"),
    ({"Count", "Message", "Traceback", "Nodes"}, "Locust's table of exceptions"),
    ({"num_none_requests", "total_response_time"}, "Locust's list of sums"),
    ({"# Samples", "Average", "Median"}, "JMeter's aggregate report"),
    ({"Metric", "avg", "min", "max"}, "the table of sums of GenAI-Perf or AIPerf"),
    ({"Trans", "Elap Time", "Resp Time"}, "siege's log of sums"),
    ({"Percentage served", "Time in ms"}, "ab's table of percentiles"),
)
