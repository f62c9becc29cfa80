"""Goal: text, page, Markdown, JSON, JUnit, Python and the exit status say the same of a run, whatever became of it.

Method: a run of every kind by hand; each form is searched for every verdict, figure, reason and note of the report,
and each figure that a program reads is written again in its unit and held against what a person reads.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import cache
from html import unescape
from typing import Any
from xml.etree import ElementTree

import pytest

from pages import parsed
from runs import Request, frames_of, instant, reading, span
from smbench import units
from smbench.analysis.rows.frames import Frames
from smbench.api.report import judged
from smbench.api.result import Run
from smbench.errors import ExitCode
from smbench.findings import Verdict
from smbench.records import Ending, NotSent, Outcome
from smbench.results.manifest import ImportedFrom, Prediction
from smbench.scenario.thresholds import METRICS
from smbench.view.page.gallery import Gallery
from smbench.view.page.vega import Vega
from smbench.view.sections.blocks import (
    Block,
    Cell,
    Detail,
    Equations,
    Figures,
    Judged,
    Missing,
    Remarks,
    Sentence,
    Table,
)
from smbench.view.sections.order import sections

pytestmark = pytest.mark.slow  # two dozen runs in six forms

WRITE = {
    "s": units.duration,
    "1/s": units.rate,
    "share": units.share,
    "USD": units.usd,
    "instance-s": "{:,.0f}".format,
    "bytes": units.size,
}
NOT_SENT = Outcome.NOT_SENT
EVERY = [one.example for one in METRICS.values()]
PRICED = {"target": {"emulated": {"instances": {"concurrency": 2}}, "instance_hour": 0.23}}
SERVING = [reading("instances_current", 1.0, float(at)) for at in range(0, 600, 10)]


def steady(n: int = 300, **other: object) -> list[Request]:
    return [Request(k * 0.1, done=k * 0.1 + 1.0, **other) for k in range(n)]  # type: ignore[arg-type]  # of Request


def bad_ends() -> list[Request]:
    return [
        Request(1.0, Outcome.FAILED, done=5.0, error="model | <b>broke</b>"),
        Request(1.5, Outcome.EXPIRED, done=90.0, error="the request expired in the queue"),
        Request(2.0, Outcome.REJECTED, error="ThrottlingException"),
        Request(2.5, Outcome.TRANSPORT_ERROR, ack=60.0, error="read timeout"),
        Request(3.0, Outcome.LOST),
        Request(3.5, Outcome.PENDING),
        Request(4.0, Outcome.UNKNOWN_END, done=9.0, error="Paused"),
    ]


def cut_short(n: int, why: NotSent) -> list[Request]:
    return steady(n) + [Request(k * 0.1, NOT_SENT, why_not_sent=why) for k in range(n, 300)]


def parts() -> Frames:
    """Two phases after a warm-up, one of nothing, two classes."""
    rows = [Request(k * 0.1, done=k * 0.1 + 1, phase="warm", warmup=True) for k in range(20)]
    for at, name in ((2.0, "calm"), (32.0, "busy")):
        rows += [
            Request(at + k * 0.1, done=at + k * 0.1 + 2, phase=name, changes={"payload": "ab"[k % 2]})
            for k in range(300)
        ]
    spans = [
        span(20, name="warm", end_s=2.0, warmup=True),
        span(300, name="calm", index=1, start_s=2.0, end_s=32.0, first_seq=20),
        span(300, name="busy", index=2, start_s=32.0, end_s=62.0, first_seq=320),
        span(0, name="nothing", index=3, start_s=62.0, end_s=62.0, first_seq=620),
    ]
    return frames_of(rows, spans=spans, readings=SERVING, scenario={**PRICED, "thresholds": ["p95 < 1500ms"]})


def burst_and_stream() -> Frames:
    """Instances that would do are unknown of both, of each for a reason of its own."""
    rows = [Request(0.0, done=1.0, phase="burst")] * 20
    rows += [Request(k * 0.1, done=k * 0.1 + 1, phase="stream") for k in range(100)]
    spans = [span(20, name="burst", end_s=0.0), span(100, name="stream", index=1, first_seq=20)]
    return frames_of(rows, spans=spans)


SOURCE = ImportedFrom(file="k6.csv", digest="0", tool="k6", lacking={"cost": "no client has it"}, has_unanswered=False)


def by_hand(rows: list[Request], thresholds: list[str] | None = None, **manifest: Any) -> Run:
    return judged(frames_of(rows, **manifest), EVERY if thresholds is None else thresholds)


def of_manifest(frames: Frames, **changes: object) -> Run:
    return judged(replace(frames, manifest=frames.manifest.model_copy(update=changes)), EVERY)


def calls() -> list[Request]:
    return [*steady(200, ack=5.0), Request(20.0, Outcome.TRANSPORT_ERROR, ack=50.0, error="read timeout")]


def streams() -> list[Request]:
    gaps = {"parts": 3, "gap_mean_ns": 9, "gap_max_ns": 9}
    at = (k * 0.1 for k in range(100))
    return [Request(s, done=s + 1, ack=s + 1, changes={**gaps, "first_part": instant(s + 0.5)}) for s in at]


def looked_for() -> list[Request]:
    return [Request(k * 0.1, done=k + 2.0, seen=k + 4.5, end_from="output", notices=0) for k in range(100)]


STOPPED, FAILED, WARM = Ending.STOPPED, Ending.FAILED, [span(300, warmup=True)]
SYNCHRONOUS: dict[str, Any] = {
    "target": {"kind": "realtime"},
    "inapplicable": ("acknowledged", "notification", "observer lag"),
}
KINDS: dict[str, Callable[[], Run]] = {
    "fine": lambda: by_hand(steady(), readings=SERVING, scenario=PRICED),
    "near its limits": lambda: by_hand(steady(), ["p50 < 1.0001s", "p50 <= 999.9ms", "p50 < 1s", "p50 == 1s"]),
    "missed": lambda: by_hand(steady(), ["p50 < 500ms", "failed == 0"]),
    "every bad end": lambda: by_hand(steady() + bad_ends(), clock="real"),
    "dropped": lambda: by_hand([*steady(), Request(30.0, NOT_SENT, why_not_sent=NotSent.IN_FLIGHT_LIMIT)]),
    "a request in no row": lambda: by_hand(steady(), spans=[span(301)]),
    "late": lambda: by_hand([Request(k * 0.1, send=k * 0.1 + 2, done=k + 3.0) for k in range(300)], clock="real"),
    "strict": lambda: replace(by_hand(steady(), ["cost_per_1000 < 1", "p50 < 5s"]), is_strict=True),
    "cut short": lambda: by_hand(cut_short(50, NotSent.STOPPED), ending=STOPPED),
    "by the error limit": lambda: by_hand(cut_short(50, NotSent.ERROR_LIMIT), ending=STOPPED),
    "by its own thresholds": lambda: by_hand(cut_short(250, NotSent.CERTAIN), ending=STOPPED),
    "interrupted in its drain": lambda: replace(
        by_hand(steady(), ["p95 < 2s"], ending=STOPPED, reason="stopped by SIGINT"), interrupted=True
    ),
    "killed": lambda: by_hand([*steady(5), *bad_ends()], ending=Ending.RUNNING),
    "a full disk": lambda: replace(
        by_hand(cut_short(50, NotSent.RUN_ENDED), ending=FAILED, reason="no space"), ended_with=ExitCode.DISK
    ),
    "a lost worker": lambda: by_hand([*steady(), Request(40.0, Outcome.UNKNOWN)], ending=FAILED),
    "phases and classes": lambda: judged(parts(), EVERY),
    "a burst and a stream": lambda: judged(burst_and_stream(), EVERY),
    "predicted": lambda: of_manifest(
        frames_of(steady(), readings=SERVING, scenario=PRICED),
        kind="simulated",
        prediction=Prediction(label="untested"),
    ),
    "imported": lambda: of_manifest(frames_of(steady()), imported=SOURCE),
    "real time": lambda: by_hand(calls(), **SYNCHRONOUS),
    "streamed": lambda: by_hand(streams(), scenario={"request": {"stream": True}}, **SYNCHRONOUS),
    "looked for in S3": lambda: by_hand(looked_for(), target={"tracking": "s3"}, clock="real"),
    "all refused": lambda: by_hand([Request(0.0, Outcome.REJECTED, error="ValidationError")] * 20),
    "all open": lambda: by_hand([Request(k * 0.1, Outcome.PENDING) for k in range(20)]),
    "nothing sent": lambda: by_hand([Request(0.0, NOT_SENT, why_not_sent=NotSent.TIME_LIMIT)]),
    "only warm-up": lambda: by_hand(steady(warmup=True), spans=WARM),
    "at one instant": lambda: by_hand([Request(0.0, done=1.0)] * 20, spans=[span(20, end_s=0.0)]),
    "nothing": lambda: by_hand([], spans=[]),
}


@pytest.fixture(scope="module", autouse=True)
def _without_pictures() -> Iterator[None]:
    """They have tests of their own, and take longer than all the rest."""
    nothing = Gallery(**dict.fromkeys(one.name for one in fields(Gallery)))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("smbench.view.page.page.gallery", lambda _frames, _summary: nothing)
        yield


class NoVega(Vega):
    """For a page without pictures."""

    def __init__(self) -> None: ...


def words(text: str) -> str:
    return " ".join(unescape(text).replace("\\|", "|").split())


class Told:
    """A run in each form, as text without markup."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.text, self.markdown = words(str(run)), words(run.to_markdown())
        self.page = words(parsed(run.to_html(NoVega())).whole_text())
        self.json = json.loads(json.dumps(run.to_json(), allow_nan=False))
        self.document = words(json.dumps(self.json, ensure_ascii=False).replace('\\"', '"'))
        self.junit = ElementTree.fromstring(run.to_junit())
        self.is_red = any(self.junit.attrib[kind] != "0" for kind in ("failures", "errors"))

    @staticmethod
    @cache
    def of(kind: str) -> "Told":
        return Told(KINDS[kind]())

    def case(self, name: str) -> ElementTree.Element:
        """What became of a test case: its first child."""
        return next(case for case in self.junit.iter("testcase") if case.attrib["name"] == name)[0]


@pytest.mark.parametrize("kind", KINDS)
def test_verdict_thresholds_and_exit_status_are_the_same_in_every_form(kind: str) -> None:
    told = Told.of(kind)
    run, status = told.run, told.run.exit_status
    assert told.json["verdict"] == run.verdict
    assert told.text.startswith(f"{run.verdict.upper()} ")
    assert f"**{run.verdict.upper()}**" in told.markdown
    assert f" {run.verdict.upper()} " in told.page
    assert told.json["exit_status"] == status
    assert told.is_red == (status is not ExitCode.OK)
    assert run.verdict is not Verdict.INVALID or status not in (ExitCode.OK, ExitCode.THRESHOLD)
    for result, written in zip(run.thresholds, told.json["thresholds"], strict=True):
        assert written["passed"] is result.passed
        word = {True: "met", False: "missed", None: "unknown"}[result.passed]
        for form in (told.text, told.page):
            assert words(f"{word} {result.text} {result.seen}") in form
            assert words(result.note) in form
        marked = "**missed**" if result.passed is False else word
        noted = f" ({result.note})" if result.note else ""
        assert words(f"| {marked} | `{result.text}` | {result.seen}{noted} |") in told.markdown
        tags = {True: ("system-out",), False: ("failure",), None: ("skipped", "error")}[result.passed]
        found = told.case(result.text)
        assert found.tag in tags
        assert words(result.seen) in words(found.attrib.get("message") or found.text or "")
    for finding in run.findings:
        assert finding.name in told.text
        assert (
            told.case(finding.name).tag
            in {
                Verdict.VALID: ("system-out",),
                Verdict.UNKNOWN: ("skipped", "error"),
                Verdict.INVALID: ("error",),
            }[finding.verdict]
        )


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_reason_and_note_is_in_every_form_that_has_its_block(kind: str) -> None:
    told = Told.of(kind)
    run, expected = told.run, {words(one.expected) for one in told.run.findings}  # a job's page has no room for it
    for section in sections(Judged(run.summary, run.findings, run.thresholds)):
        for block in section.blocks:
            for cell in cells(block):
                if cell.value is not None and cell.unit in WRITE:
                    assert cell.text.endswith(WRITE[cell.unit](cell.value)), cell
            for said in texts(block):
                assert said in told.page, (section.name, said)
                assert said in told.document, (section.name, said)
                if block.detail <= Detail.REPORT and not isinstance(block, Figures):
                    assert said in told.text, (section.name, said)
                if block.detail <= Detail.BRIEF and said not in expected:
                    assert said in told.markdown, (section.name, said)


def cells(block: Block) -> list[Cell]:
    if isinstance(block, Table):
        return [cell for row in block.rows for cell in row.cells]
    return [one.cell for one in block.figures] if isinstance(block, Figures) else []


def texts(block: Block) -> list[str]:
    """What a block says, in any form; what a form shortens for want of room is left out."""
    found = [said for cell in cells(block) if not cell.brief for said in (cell.text, cell.reason, cell.note)]
    match block:
        case Table():
            found = found if block.n_brief is None else []
            found += block.notes
        case Missing():
            found = [block.reason]
        case Remarks():
            found = [said for one in block.remarks for said in (one.name, one.seen, one.expected, one.advice)]
        case Equations():
            found = list(block.lines)
        case Sentence():
            found = [block.text]
    return [words(said) for said in found if said.strip()]
