"""Goal: what a report says is written once, and text, page, Markdown and JSON all have it.

Method: a section with one block of every kind, put among the report's own; every rendering is searched for it.
"""

import io
import json
import re

import pytest

from pages import parsed
from runs import Request, frames_of, reading
from smbench.analysis.latency.intervals import Interval
from smbench.analysis.summary import summarise
from smbench.analysis.verdict.checks import check
from smbench.analysis.verdict.thresholds import evaluate
from smbench.records import Event, Unknown
from smbench.view.console import PlainTextConsole
from smbench.view.page.page import page
from smbench.view.page.vega import Vega
from smbench.view.report.markdown import to_markdown
from smbench.view.report.summary_file import to_json
from smbench.view.report.text import render
from smbench.view.sections import order
from smbench.view.sections.blocks import (
    Block,
    Cell,
    Column,
    Detail,
    Equations,
    Figure,
    Figures,
    Judged,
    Missing,
    Remark,
    Remarks,
    Row,
    Section,
    Sentence,
    Table,
)
from smbench.view.sections.cells import at_fine, duration, rate
from smbench.view.sections.endpoint import scaling
from smbench.view.sections.requests import latency, stages

FRAMES = frames_of([Request(float(k), done=k + 0.5) for k in range(20)])
SUMMARY = summarise(FRAMES)
RUN = (SUMMARY, check(FRAMES, SUMMARY), evaluate(["p95 < 1s"], FRAMES, SUMMARY))

EVERY_KIND: dict[str, tuple[Block, tuple[str, ...]]] = {
    "table": (
        Table(
            "Penguins",
            "Penguins by island",
            (Column("island", is_text=True), Column("n")),
            (
                Row((Cell("Torgersen"), Cell("5,217", 5217, "penguins"))),
                Row((Cell("Dream"), Cell("-", reason="the ice was thin"))),
            ),
            detail=Detail.BRIEF,
        ),
        ("Penguins", "Torgersen", "5,217", "the ice was thin"),
    ),
    "figures": (
        Figures(
            "Swim", "How they swim", (Figure("depth", Cell("531 m", 531, "m"), "", "531 m deep"),), (), Detail.BRIEF
        ),
        ("531 m",),
    ),
    "missing": (Missing("Diet", "What they eat", "no krill was counted", Detail.BRIEF), ("no krill was counted",)),
    "remarks": (Remarks("Seen", (Remark("moult", "feathers fly"),), Detail.BRIEF), ("moult", "feathers fly")),
    "equations": (Equations(("eggs 7 = chicks 4 + lost 3",)), ("4 + lost 3",)),
    "sentence": (Sentence("The colony is loud."), ("The colony is loud.",)),
}


def renderings(vega: Vega) -> dict[str, str]:
    """The report in each form, as text without markup."""
    console = PlainTextConsole(file=io.StringIO(), width=100, color_system=None)
    console.print(render(*RUN))
    return {
        "text": console.file.getvalue(),  # type: ignore[attr-defined]  # the StringIO above
        "page": parsed(page(FRAMES, *RUN, vega)).whole_text(),
        "markdown": to_markdown(*RUN),
        "json": json.dumps(to_json(*RUN)["sections"]),
    }


@pytest.mark.slow  # four pages with their pictures
def test_a_section_is_in_every_rendering_once_it_is_in_the_list(vega: Vega, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [text for _, said in EVERY_KIND.values() for text in said]
    for form, before in renderings(vega).items():
        assert not [text for text in texts if text in before], form
    blocks = tuple(block for block, _ in EVERY_KIND.values())
    colony = Section("colony", "A colony of penguins", blocks)
    monkeypatch.setattr(order, "SECTIONS", (*order.SECTIONS, lambda _judged: colony))
    for form, after in renderings(vega).items():
        assert [text for text in texts if text not in after] == [], form


def test_a_section_without_content_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "SECTIONS", (lambda _judged: None, lambda _judged: Section("empty", "Empty", ())))
    assert order.sections(Judged(*RUN)) == []


def test_every_section_of_the_report_has_a_name_of_its_own() -> None:
    names = [section.name for section in order.sections(Judged(*RUN))]
    assert len(names) == len(set(names))
    assert all(re.fullmatch("[a-z]+", name) for name in names)


def test_a_cell_has_the_number_for_programs_and_a_reason_where_there_is_none() -> None:
    assert duration(90.0) == Cell("90.0 s", 90.0, "s")
    assert rate(0.5) == Cell("30.0/min", 0.5, "1/s")
    assert duration(Unknown("nothing was sent")) == Cell("-", reason="nothing was sent")
    assert duration(None) == Cell("-")


def test_the_sections_of_the_json_say_the_same_as_its_summary() -> None:
    told = to_json(*RUN)
    (latency,) = [section for section in told["sections"] if section["name"] == "latency"]
    (table,) = latency["tables"]
    column = table["heads"].index("p50")
    assert table["rows"][0][column]["value"] == told["summary"]["sojourn"]["p50"]["low"] == 0.5
    (endpoint,) = [section for section in told["sections"] if section["name"] == "endpoint"]
    assert {one["what"]: one["reason"] for one in endpoint["unknown"]}["How capacity followed load"]


def test_a_change_that_fails_again_and_again_is_one_row() -> None:
    at_s = [*range(10, 40, 10), 60, *range(70, 90, 10)]
    events = [
        Event("scaling_activity", f"a{at}", at * 10**9, at * 10**9, *("Failed", at * 10**9), before=1.0, after=4.0)
        for at in at_s
    ]
    state, end_ns = "Successful", 65 * 10**9
    events[3] = Event("scaling_activity", "a60", 60 * 10**9, 60 * 10**9, state, end_ns, before=1.0, after=2.0)
    frames = frames_of([Request(float(k), done=k + 0.5) for k in range(100)], events=events)
    section = scaling(Judged(summarise(frames), (), ()))
    assert section is not None
    decisions, by_event = (block for block in section.blocks if isinstance(block, Table))
    changes = [row.cells[0].text for row in decisions.rows]
    assert changes == ["1 -> 4 Failed, 3 times", "1 -> 2", "1 -> 4 Failed, 2 times"]
    assert sum("failed" in row.cells[0].text for row in by_event.rows) == 2


@pytest.mark.slow
def test_the_terminal_has_the_events_of_scaling_only_where_sources_exclude_each_other() -> None:
    def text(end_s: int) -> str:
        decided = Event("scaling_activity", "a", 10**10, 10**10, "Successful", end_s * 10**9, after=2.0)
        looks = [reading("instances_current", n, at) for n, at in ((1.0, 0.0), (1.0, 30.0), (2.0, 40.0))]
        frames = frames_of([Request(float(k), done=k + 0.5) for k in range(20)], events=[decided], readings=looks)
        console = PlainTextConsole(file=io.StringIO(), width=200, color_system=None)
        console.print(render(summarise(frames), [], []))
        return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]  # the StringIO above

    assert "event by event" not in text(35)
    assert "scaling activity says 15.0 s later than DescribeEndpoint" in text(55)


def test_each_interval_says_how_many_independent_requests_it_rests_on() -> None:
    found = {name: Interval(low_s=at, high_s=at + 1, method="ranks", n_eff=n) for name, at, n in
             (("p50", 1.0, 15.0), ("p90", 3.0, 11.0))}  # fmt: skip
    section = latency(Judged(SUMMARY.model_copy(update={"intervals": found}), *RUN[1:]))
    assert section is not None
    said = [note for block in section.blocks if isinstance(block, Table) for note in block.notes]
    expected = "(ranks): p50 1.00 s to 2.00 s, N_eff 15 of 20; p90 3.00 s to 4.00 s, N_eff 11 of 20."
    assert any(text.endswith(expected) for text in said), said


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (725.3, "12:05.3"),
        (12.7, "0:12.7"),
        (59.96, "1:00.0"),
        (0.04, "0:00.0"),
        (-0.3, "-0:00.3"),
        (-61.25, "-1:01.2"),
        (-0.01, "0:00.0"),
    ],
)
def test_an_instant_to_a_tenth_of_a_second_is_the_nearest(seconds: float, text: str) -> None:
    assert at_fine(seconds).text == text


def test_a_reason_keeps_its_capitals_where_it_begins_a_sentence() -> None:
    told = [reading("instances_current", 1.0, 0.0)]
    frames = frames_of([Request(0.0, done=1.0)], readings=told, scenario={"target": {"endpoint": "mine"}})
    section = stages(Judged(summarise(frames), (), ()))
    assert section is not None
    (table,) = section.blocks
    assert isinstance(table, Table)
    said = "How many requests an instance takes at once is not set (MaxConcurrentInvocationsPerInstance)."
    assert any(note.endswith(said) for note in table.notes)
