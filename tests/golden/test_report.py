"""Goal: the report a person reads and the JSON a program reads say the same, and stay as they were looked at.

Method: one run by hand that has something in every section, printed 80 columns wide without colour and compared with
the files beside this one. `pytest tests/golden --update-golden` writes them anew; a person reads the difference.
"""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from runs import Request, frames_of, reading, span
from smbench.analysis.capacity.hosts import HostSpread
from smbench.analysis.summary import Summary, summarise
from smbench.analysis.verdict.checks import check
from smbench.analysis.verdict.thresholds import ThresholdResult, evaluate
from smbench.findings import Finding, Verdict
from smbench.records import Event, NotSent, Outcome
from smbench.view.console import PlainTextConsole
from smbench.view.report.summary_file import to_json
from smbench.view.report.text import render

HERE = Path(__file__).parent
S = 1_000_000_000
HIGH = "TargetTracking-endpoint/e/variant/v-AlarmHigh-1"


@pytest.fixture(scope="module")
def everything() -> tuple[Summary, list[Finding], list[ThresholdResult]]:
    """A burst that wakes an endpoint, with some of every bad end."""
    warm = [Request(2.0 * k, ack=2.0 * k + 0.02, done=2.0 * k + 1.0, phase="warm", warmup=True) for k in range(5)]
    burst = [
        Request(
            10.0 + 0.01 * k,
            send=10.002 + 0.01 * k,
            ack=10.03 + 0.01 * k,
            done=200.0 + 0.5 * k,
            pub=200.07 + 0.5 * k,
            seen=200.1 + 0.5 * k,
        )
        for k in range(900)
    ]
    bad = [
        Request(22.0, Outcome.REJECTED, ack=22.01, error="ThrottlingException"),
        Request(22.1, Outcome.TRANSPORT_ERROR, ack=82.1, error="read timeout"),
        Request(22.2, Outcome.NOT_SENT, why_not_sent=NotSent.IN_FLIGHT_LIMIT),
        Request(22.3, Outcome.FAILED, done=300.0, error="Received server error (500) from primary with message: " * 3),
        Request(22.4, Outcome.EXPIRED, done=82.4, error="the request expired in the queue"),
        Request(22.5, Outcome.PENDING),
        Request(22.6, done=400.0, seen=900.0, end_from="output", notices=0),
        Request(22.7, done=400.0, notices=2),
    ]
    cause = f"monitor alarm {HIGH} in state ALARM triggered policy keep-backlog"
    events = [
        Event("scaling_activity", "a", 70 * S, 190 * S, "Successful", 190 * S, after=4.0, cause=cause),
        Event("scaling_activity", "b", 850 * S, 850 * S, "InProgress", None, after=1.0, cause=cause),
        Event("alarm", HIGH, 65 * S, 66 * S, "OK -> ALARM"),
        Event("malformed_message", "malformed", 5 * S, 5 * S),
    ]
    readings = [
        reading("instances_current", 0.0, 0.0),
        reading("instances_current", 4.0, 195.0),
        reading("GetMetricData", None, 60.0, source="cloudwatch", detail="AccessDenied"),
        reading("cpu_share", 0.31, 60.0, source="generator"),
        reading("loop_lag_max_s", 0.012, 60.0, source="generator"),
        reading("rss_bytes", 128.0 * 2**20, 60.0, source="generator"),
        reading("receivers", 3.0, 60.0, source="generator"),
        reading("receivers_max", 16.0, 60.0, source="generator"),
        reading("receivers_saturated_s", 0.0, 60.0, source="generator"),
    ]
    rows = warm + [Request(**{**vars(row), "phase": "burst"}) for row in burst + bad]
    spans = [
        span(5, name="warm", end_s=10.0, warmup=True),
        span(len(rows) - 5, name="burst", index=1, start_s=10.0, end_s=23.0, first_seq=5),
    ]
    thresholds = ["sojourn_p95 < 15m", "expired == 0", "drain_s < 1h", "sojourn_p99 < 1h"]
    described = {"description": "Can the endpoint wake from zero for a burst?", "thresholds": thresholds}
    frames = frames_of(rows, spans=spans, events=events, readings=readings, clock="real", scenario=described)
    summary = summarise(frames)
    return summary, check(frames, summary), evaluate(thresholds, frames, summary)


def printed(width: int, *report: object) -> str:
    console = PlainTextConsole(file=io.StringIO(), width=width, color_system=None)
    console.print(render(*report))  # type: ignore[arg-type]  # the fixture's three, in order
    text = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


@pytest.mark.parametrize("width", [60, 80, 200])
def test_what_a_reader_should_know_of_a_figure_is_printed_whole(
    width: int, everything: tuple[Summary, list[Finding], list[ThresholdResult]]
) -> None:
    summary, findings, (first, *_) = everything
    note = "; ".join(f"reason {n} why nothing of this can be known" for n in range(5))
    seen = "no source reports when the alarm was breached, so nothing can be said of the reaction"
    text = printed(width, summary, findings, [first.model_copy(update={"seen": seen, "note": note})])
    assert f"{seen} {note}" in " ".join(text.split())


Golden = Callable[[Path, str], bool]


def test_the_report_reads_as_it_was_read(
    everything: tuple[Summary, list[Finding], list[ThresholdResult]], is_golden: Golden
) -> None:
    assert is_golden(HERE / "report.txt", printed(80, *everything, Path("results/by-hand-20261121T031200Z")))


def test_the_json_report_is_as_it_was_read(
    everything: tuple[Summary, list[Finding], list[ThresholdResult]], is_golden: Golden
) -> None:
    assert is_golden(HERE / "report.json", json.dumps(to_json(*everything), indent=1, allow_nan=False) + "\n")


def test_no_line_is_wider_than_the_terminal(everything: tuple[Summary, list[Finding], list[ThresholdResult]]) -> None:
    for width in (80, 100, 200):
        assert max(map(len, printed(width, *everything).splitlines())) <= width


@pytest.mark.parametrize(
    ("p", "said"), [(1e-9, "s. d. 12.3 % (95 %: 9.88 % to 15.5 %)"), (0.2, "no difference beyond")]
)
def test_the_speeds_of_hosts_are_one_line(
    everything: tuple[Summary, list[Finding], list[ThresholdResult]], p: float, said: str
) -> None:
    summary, *rest = everything
    spread = HostSpread(
        n_chains=45,
        n_requests=12_345,
        share=0.123,
        share_low=0.0988,
        share_high=0.155,
        p=p,
        slowest=1.31,
        fastest=0.9,
        slowest_at_s=12.0,
    )
    lines = printed(80, summary.model_copy(update={"host_spread": spread}), *rest).splitlines()
    (place,) = [place for place, line in enumerate(lines) if line.startswith("Hosts ")]
    assert said in lines[place]
    assert not lines[place + 1].startswith(" ")


def test_a_terminal_that_knows_only_ascii_can_show_it(
    everything: tuple[Summary, list[Finding], list[ThresholdResult]],
) -> None:
    assert printed(80, *everything).isascii()


def test_the_verdict_comes_first_and_then_the_law(
    everything: tuple[Summary, list[Finding], list[ThresholdResult]],
) -> None:
    text = printed(80, *everything)
    assert text.startswith("INVALID")
    assert re.search(r"scheduled 913 = .*\nsent 912 +=.*\naccepted 910 +=", text)
    assert text.index("scheduled 913") < text.index("Rates") < text.index("Latency")


def test_the_json_has_the_numbers_of_the_report(
    everything: tuple[Summary, list[Finding], list[ThresholdResult]],
) -> None:
    summary, findings, thresholds = everything
    told = to_json(summary, findings, thresholds, Path("results/x"))
    assert told["verdict"] == Verdict.INVALID.value
    assert told["law"] == list(summary.counts.equations())
    # Rank 860 of 905. The two stragglers (377 s) rank before it, so it is the burst's 858th: 190 + 0.49 * 857.
    assert told["summary"]["sojourn"]["p95"] == {"low": 609.93, "high": 609.93, "never": False}
    assert [one["passed"] for one in told["thresholds"]] == [one.passed for one in thresholds]
    assert Summary.model_validate(told["summary"]) == summary  # nothing is lost on the way


@pytest.mark.parametrize(("wander_s", "said"), [(0.0, "corrected by that"), (0.1, "not corrected")])
def test_clocks_that_differ_are_told_beside_the_latencies(wander_s: float, said: str) -> None:
    rows = [Request(k, ack=k + 0.02, recv=k + 2 + wander_s * k, done=k + 9 + wander_s * k) for k in range(50)]
    summary = summarise(frames_of(rows))
    assert said in printed(120, summary, [], [])
    agreeing = summarise(frames_of([Request(0.0, done=1.0)]))
    assert "Clocks" not in printed(120, agreeing, [], [])


def test_a_run_of_which_nothing_is_known_has_a_report() -> None:
    frames = frames_of([], spans=[])
    summary = summarise(frames)
    text = printed(80, summary, check(frames, summary), [])
    assert text.startswith("UNKNOWN")
    assert "nan" not in text.lower()
