"""Goal: what CI reads of a run says what the report says: JUnit XML, the job's Markdown page, summary.json.

Method: runs by hand whose verdicts are known; the XML counted and parsed again, the JSON held against its own schema.
"""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs import Request, frames_of, reading, span
from smbench.analysis.observations import Observation
from smbench.analysis.summary import Summary, summarise
from smbench.analysis.verdict.checks import check
from smbench.analysis.verdict.gate import exit_status
from smbench.analysis.verdict.thresholds import ThresholdResult, evaluate
from smbench.api.report import judged
from smbench.errors import ExitCode
from smbench.findings import Finding, Verdict, verdict
from smbench.records import Ending, NotSent, Outcome
from smbench.view.report.junit import to_junit
from smbench.view.report.markdown import to_markdown
from smbench.view.report.summary_file import HISTORY, SCHEMA_VERSION, summary_schema, to_json

Told = tuple[Summary, list[Finding], list[ThresholdResult]]
THRESHOLDS = ["p95 < 1h", "failed == 0", "drain < 1h", "max < 1s"]  # met, missed, unknown, missed


def told(rows: list[Request], thresholds: list[str], **manifest: Any) -> Told:
    frames = frames_of(rows, **manifest)
    summary = summarise(frames)
    return summary, check(frames, summary), evaluate(thresholds, frames, summary)


@pytest.fixture(scope="module")
def mixed() -> Told:
    """Completed, failed and open requests: every word a threshold can get."""
    rows = [Request(0.0, done=float(k)) for k in range(1, 300)]
    rows += [Request(0.0, Outcome.FAILED, done=5.0, error="model | <b>broke</b>"), Request(0.0, Outcome.PENDING)]
    return told(rows, THRESHOLDS)


@pytest.fixture(scope="module")
def invalid() -> Told:
    rows = [Request(0.0, done=1.0), Request(0.0, Outcome.NOT_SENT, why_not_sent=NotSent.IN_FLIGHT_LIMIT)]
    return told(rows, ["p50 < 1ms", "completed == 1"])


def cases(document: bytes, suite: str) -> dict[str, str]:
    """What became of each test case: its first child's tag."""
    found = ElementTree.fromstring(document).find(f"testsuite[@name='smbench.by-hand.{suite}']")
    assert found is not None
    return {case.attrib["name"]: case[0].tag for case in found}


@pytest.mark.slow
def test_of_an_invalid_run_nothing_is_met_in_any_form() -> None:
    rows = [Request(float(k), done=k + 1.0) for k in range(300)]
    for n, met in ((300, True), (301, None)):  # a request that is in no row
        run = judged(frames_of(rows, spans=[span(n, end_s=300)]), ["p95 < 5s"])
        assert [one.passed for one in run.thresholds] == [met]
        assert f"{int(met is True)} of 1 thresholds met" in str(run)
        assert f"{int(met is True)} of 1 thresholds met" in run.to_markdown()
        assert run.to_json()["thresholds"][0]["passed"] is met


def test_a_missed_threshold_is_a_failure_and_an_unknown_one_is_skipped(mixed: Told) -> None:
    tags = ["system-out", "failure", "skipped", "failure"]
    assert cases(to_junit(*mixed), "thresholds") == dict(zip(THRESHOLDS, tags, strict=True))


def test_an_invalid_check_is_an_error_and_then_no_threshold_passes_or_fails(invalid: Told) -> None:
    document = to_junit(*invalid)
    assert cases(document, "checks")["nothing dropped"] == "error"
    assert set(cases(document, "thresholds").values()) == {"skipped"}
    assert ElementTree.fromstring(document).attrib["failures"] == "0"


@pytest.mark.parametrize("ending", [Ending.RUNNING, Ending.FAILED, Ending.CANCELLED])
def test_a_run_that_did_not_end_by_itself_is_an_error(ending: Ending) -> None:
    document = to_junit(*told([Request(0.0, done=1.0)], [], ending=ending))
    assert cases(document, "checks")["ended by itself"] == "error"


def test_the_sums_of_a_suite_are_its_cases(mixed: Told, invalid: Told) -> None:
    for one in (mixed, invalid):
        root = ElementTree.fromstring(to_junit(*one))
        for element in (root, *root):
            for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
                assert int(element.attrib[attribute]) == len(list(element.iter(tag)))
            assert int(element.attrib["tests"]) == len(list(element.iter("testcase")))
        assert all(case.attrib["classname"] for case in root.iter("testcase"))


@pytest.mark.slow
@given(st.text(max_size=30))
def test_whatever_an_endpoint_says_the_xml_can_be_read(text: str) -> None:
    finding = Finding(name="a check", verdict=Verdict.UNKNOWN, expected=text, seen=text, advice=text)
    summary = summarise(frames_of([]))
    root = ElementTree.fromstring(to_junit(summary, [finding], []))
    assert root.find(".//skipped") is not None


def test_the_page_has_the_verdict_each_threshold_and_each_doubt(mixed: Told) -> None:
    page = to_markdown(*mixed)
    assert page.splitlines()[2] == "**UNKNOWN**; 1 of 4 thresholds met, 2 missed, 1 unknown"
    assert "| met | `p95 < 1h` |" in page
    assert "| **missed** | `failed == 0` | 1 to 2 (1 accepted request has no known end) |" in page
    assert "| unknown | `drain < 1h` |" in page
    assert "| unknown | drained |" in page
    assert "accepted 301 = completed 299 + failed 1" in page


def test_the_page_of_an_invalid_run_says_that_nothing_counts(invalid: Told) -> None:
    assert "**INVALID**" in to_markdown(*invalid)
    assert "nothing passes or fails" in to_markdown(*invalid)


@pytest.mark.slow
@given(st.text(max_size=30))
def test_no_text_breaks_a_row_of_the_page(text: str) -> None:
    finding = Finding(name="a check", verdict=Verdict.UNKNOWN, expected=text, seen=text, advice=text)
    page = to_markdown(summarise(frames_of([])), [finding], [])
    (row,) = [line for line in page.split("\n") if line.startswith("| unknown |")]
    assert row.replace("\\|", "").count("|") == 5
    assert "<" not in row


@pytest.fixture(scope="module")
def cut_short() -> Told:
    """Interrupted after 5 of 100 requests: what was sent was fast, and says nothing of the rest."""
    rows = [Request(float(k), done=k + 0.1) for k in range(5)]
    rows += [Request(float(k), Outcome.NOT_SENT, why_not_sent=NotSent.STOPPED) for k in range(5, 100)]
    return told(rows, ["p95 < 10m", "failed == 0"], ending=Ending.STOPPED, spans=[span(100, end_s=100)])


def test_a_run_that_was_cut_short_passes_no_gate(cut_short: Told) -> None:
    assert [one.passed for one in cut_short[2]] == [None, None]
    assert verdict(cut_short[1]) is Verdict.UNKNOWN
    assert exit_status(*cut_short[1:]) is ExitCode.INVALID
    document = to_junit(*cut_short)
    assert set(cases(document, "thresholds").values()) == {"error"}
    assert cases(document, "checks")["ended by itself"] == "error"


@pytest.mark.slow
@pytest.mark.parametrize("is_strict", [False, True])
def test_junit_is_red_exactly_where_the_exit_status_is_not_0(
    mixed: Told, invalid: Told, cut_short: Told, *, is_strict: bool
) -> None:
    fine = told([Request(k * 0.1, done=k * 0.1 + 1.0) for k in range(300)], ["p50 < 2s"])
    unknown = told([Request(k * 0.1, done=k * 0.1 + 1.0) for k in range(300)], ["cost_per_1000 < 1"])
    for one in (mixed, invalid, cut_short, fine, unknown):
        root = ElementTree.fromstring(to_junit(*one, is_strict=is_strict))
        is_red = root.attrib["failures"] != "0" or root.attrib["errors"] != "0"
        assert is_red == (exit_status(*one[1:], is_strict=is_strict) is not ExitCode.OK)


def test_only_a_strict_gate_fails_for_what_is_not_known() -> None:
    unknown = told([Request(k * 0.1, done=k * 0.1 + 1.0) for k in range(300)], ["cost_per_1000 < 1"])
    assert exit_status(*unknown[1:]) is ExitCode.OK
    assert exit_status(*unknown[1:], is_strict=True) is ExitCode.INVALID


def test_an_invalid_run_is_98_before_any_threshold_is_99(mixed: Told, invalid: Told) -> None:
    assert exit_status(*invalid[1:]) is ExitCode.INVALID
    assert exit_status(*mixed[1:]) is ExitCode.THRESHOLD
    assert exit_status(mixed[1], [one for one in mixed[2] if one.passed is not False]) is ExitCode.OK


@pytest.mark.slow
def test_what_is_written_is_what_the_schema_says(mixed: Told, invalid: Told) -> None:
    schema = summary_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    nothing = told([], THRESHOLDS, spans=[])
    for one in (mixed, invalid, nothing):
        written = json.loads(json.dumps(to_json(*one), allow_nan=False))
        jsonschema.validate(written, schema)
        assert written["schema_version"] == SCHEMA_VERSION
        assert written["exit_status"] == exit_status(*one[1:])


def test_every_version_of_the_summary_is_in_its_history() -> None:
    assert sorted(HISTORY) == list(range(1, SCHEMA_VERSION + 1))
    assert all(f"version {version}: {what}" in summary_schema()["$comment"] for version, what in HISTORY.items())


def test_a_failure_names_the_run_its_doubts_and_what_is_notable(mixed: Told) -> None:
    summary, findings, thresholds = mixed
    seen = Observation(name="throttling", seen="3 of 9 were throttled")
    document = to_junit(summary.model_copy(update={"observations": (seen,)}), findings, thresholds, Path("results/r-1"))
    failure = ElementTree.fromstring(document).find(".//failure")
    assert failure is not None
    assert failure.attrib["message"].startswith("failed == 0: seen 1 to 2")
    lines = (failure.text or "").splitlines()
    assert lines[:2] == ["run: results/r-1", "verdict: unknown"]
    assert "accepted 301 = completed 299 + failed 1 + expired 0 + lost 0 + pending 1" in lines
    assert any(line.startswith("unknown: drained: ") for line in lines)
    assert lines[-1] == "notable: throttling: 3 of 9 were throttled"


def test_the_time_of_a_suite_is_the_walls_whatever_time_the_scenario_kept() -> None:
    document = to_junit(
        *told([Request(3600.0, done=7200.0)], [])
    )  # two hours of virtual time; a minute by the manifest
    assert {suite.attrib["time"] for suite in ElementTree.fromstring(document)} == {"60.000"}


def test_dollars_are_spelled_as_in_every_table() -> None:
    looks = [reading("instances_current", 1.0, float(at)) for at in range(0, 3601, 100)]
    frames = frames_of(
        [Request(0.0, done=3600.0)], readings=looks, scenario={"target": {"instance_hour": 25.6, "emulated": {}}}
    )
    summary = summarise(frames)
    (result,) = evaluate(["cost_per_1000 < 1"], frames, summary)
    assert result.seen == "25,600.00 USD"
