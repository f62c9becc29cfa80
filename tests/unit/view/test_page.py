"""Goal: the page says what the report says, to everyone, and asks nobody for anything.

Method: the document taken apart by `html.parser`, for runs with something in every section and for runs with nothing
in most: one request, no completion, nothing at all, cut off, no gauges.
"""

import itertools
import re
import subprocess
import sys

import pytest

from modelling import scenario
from pages import Element, fetched, parsed
from runs import Request, frames_of, reading, span
from simulated import simulated_run
from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.rows.frames import Frames, derive
from smbench.analysis.summary import summarise
from smbench.analysis.verdict.checks import check
from smbench.analysis.verdict.thresholds import evaluate
from smbench.records import Ending, Event, NotSent, Outcome
from smbench.view.page import vega as vega_process
from smbench.view.page.page import page
from smbench.view.page.vega import Vega

pytestmark = pytest.mark.slow

S = 1_000_000_000
SECRET = "AKIA" + "IOSFODNN7EXAMPLE"  # in two pieces, so that nobody's scanner takes it for one
HIGH = "TargetTracking-endpoint/e/variant/v-AlarmHigh-1"


def everything() -> Frames:
    """A burst that wakes an endpoint, a warm-up before it, and some of every bad end."""
    warm = [Request(2.0 * k, ack=2.0 * k + 0.02, done=2.0 * k + 1.0, phase="warm", warmup=True) for k in range(5)]
    burst = [
        Request(10.0 + 0.01 * k, send=10.002 + 0.01 * k, ack=10.03 + 0.01 * k, done=200.0 + 0.5 * k, phase="burst")
        for k in range(900)
    ]
    bad = [
        Request(22.0, Outcome.REJECTED, ack=22.01, error="<b>Throttling & co</b>", phase="burst"),
        Request(22.1, Outcome.FAILED, done=300.0, error=f"https://u:{SECRET}@host/?x={SECRET}", phase="burst"),
        Request(22.2, Outcome.PENDING, phase="burst"),
        Request(22.3, Outcome.NOT_SENT, why_not_sent=NotSent.IN_FLIGHT_LIMIT, phase="burst"),
    ]
    cause = f"monitor alarm {HIGH} in state ALARM triggered policy keep-backlog"
    events = [
        Event("scaling_activity", "a", 70 * S, 190 * S, "Successful", 190 * S, after=4.0, cause=cause),
        Event("alarm", HIGH, 65 * S, 66 * S, "OK -> ALARM"),
    ]
    readings = [
        *(reading("instances_current", 0.0 if at < 190 else 4.0, at) for at in range(0, 700, 10)),
        *(reading("instances_desired", 0.0 if at < 70 else 4.0, at) for at in range(0, 700, 10)),
        *(
            reading("ApproximateBacklogSize", 600.0, at, source="cloudwatch", stat="average")
            for at in range(0, 600, 60)
        ),
    ]
    spans = [
        span(5, name="warm", end_s=10.0, warmup=True),
        span(904, name="burst", index=1, start_s=10.0, end_s=23.0, first_seq=5),
    ]
    scenario = {
        "name": "wake <from> zero",
        "description": "Can it wake?",
        "thresholds": ["sojourn_p95 < 1m", "drain_s < 1h"],
        "target": {"emulated": {"instances": {"concurrency": 2}}, "instance_hour": 0.23},
    }
    return frames_of(warm + burst + bad, spans=spans, events=events, readings=readings, clock="real", scenario=scenario)


def page_of(frames: Frames, vega: Vega) -> str:
    summary = summarise(frames)
    return page(
        frames,
        summary,
        check(frames, summary),
        evaluate(frames.manifest.scenario.get("thresholds", ()), frames, summary),
        vega,
    )


LITTLE = {
    "one request": lambda: frames_of([Request(0.0, done=1.0)], spans=[span(1, end_s=0.0)]),
    "one, never ended": lambda: frames_of([Request(0.0, Outcome.PENDING)]),
    "no completion": lambda: frames_of([Request(k, Outcome.FAILED, done=k + 5.0, error="x") for k in range(20)]),
    "all refused": lambda: frames_of([Request(k, Outcome.REJECTED, error="ThrottlingException") for k in range(3)]),
    "nothing sent": lambda: frames_of(
        [Request(k, Outcome.NOT_SENT, why_not_sent=NotSent.IN_FLIGHT_LIMIT) for k in range(3)]
    ),
    "nothing": lambda: frames_of([], spans=[]),
    "killed": lambda: frames_of([Request(k, Outcome.PENDING) for k in range(9)], ending=Ending.RUNNING),
    "at one instant": lambda: frames_of([Request(5.0, done=5.0) for _ in range(50)], spans=[span(50, end_s=5.0)]),
    "all warm-up": lambda: frames_of([Request(0.5, done=1.0, warmup=True)], spans=[span(1, warmup=True)]),
}


@pytest.fixture(scope="module")
def document(vega: Vega) -> str:
    return page_of(everything(), vega)


@pytest.fixture(scope="module")
def tree(document: str) -> Element:
    return parsed(document)


def test_nothing_is_fetched(document: str) -> None:
    assert fetched(document) == []
    assert "xmlns" not in document  # an element of a page needs no address to say what it is
    assert "<script" not in document


def test_a_browser_is_told_to_fetch_nothing(tree: Element) -> None:
    (policy,) = [one for one in tree.all("meta") if one.attributes.get("http-equiv") == "Content-Security-Policy"]
    assert policy.attributes["content"] == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_the_verdict_comes_first_then_what_to_decide_then_the_sums_and_the_figures(tree: Element) -> None:
    heads = [head.text for head in tree.all("h2")]
    assert heads[:5] == [
        "Verdict and findings",
        "For a decision",
        "Where every request is",
        "What was asked, and what was sent",
        "Latency",
    ]
    main = tree.all("main")[0]
    assert "invalid" in main.all("span")[0].classes()


def test_headings_go_down_one_level_at_a_time(tree: Element) -> None:
    def headings(element: Element) -> list[int]:
        own = [int(element.tag[1])] if re.fullmatch("h[1-6]", element.tag) else []
        return own + [level for child in element.children for level in headings(child)]

    levels = headings(tree)
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_every_picture_has_a_title_that_says_something_and_a_text(tree: Element) -> None:
    figures = tree.all("figure")
    assert {one.attributes["id"].removeprefix("plot-") for one in figures} == {
        "rates", "lag", "latency", "percentiles", "stages", "clocks", "system"
    }  # fmt: skip
    for one in figures:
        (head,), (caption,), (wide, narrow) = one.all("h3"), one.all("figcaption"), one.all("svg")
        assert len(head.text.split()) > 3
        for svg in (wide, narrow):
            title, text = svg.all("title")[0], svg.all("desc")[0]
            assert svg.attributes["role"] == "img"
            assert svg.attributes["aria-labelledby"].split() == [title.attributes["id"], text.attributes["id"]]
            assert title.text == head.text
            assert text.text == caption.text


def test_no_two_elements_have_one_id_and_every_reference_has_its_target(document: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', document)
    assert len(ids) == len(set(ids))
    named = re.findall(r"url\(#([^)]+)\)", document) + re.findall(r'href="#([^"]+)"', document)
    named += [name for names in re.findall(r'aria-labelledby="([^"]+)"', document) for name in names.split()]
    assert set(named) <= set(ids)


def test_every_axis_of_figures_names_its_unit(tree: Element) -> None:
    texts = " ".join(svg.whole_text() for svg in tree.all("svg"))
    for unit in ("requests per second", "(min:s)", "backlog (requests)", "ends per second", "instances", "(log scale)"):
        assert unit in texts
    assert re.search(r"latency \((s|min|log scale)\)", texts)


def test_a_table_has_a_caption_and_heads_for_its_columns_and_rows(tree: Element) -> None:
    tables = tree.all("table")
    assert len(tables) >= 8
    for table in tables:
        assert table.all("caption")[0].text
        n_columns = len(table.all("thead")[0].all("th"))
        assert all(head.attributes["scope"] == "col" for head in table.all("thead")[0].all("th"))
        for row in table.all("tbody")[0].all("tr"):
            assert [cell.tag for cell in row.children] == ["th"] + ["td"] * (n_columns - 1)
            assert row.children[0].attributes["scope"] == "row"


def test_figures_are_those_of_the_summary(tree: Element) -> None:
    frames = everything()
    summary = summarise(frames)
    text = tree.whole_text()
    for figure in (summary.sojourn.p50, summary.sojourn.p95, summary.backlog.drain):
        assert isinstance(figure, Bounded)
        assert figure.text() in text
    for equation in summary.counts.equations():
        assert equation in text
    assert "missed" in text


def test_the_speeds_of_hosts_are_told_or_why_they_are_not_known(vega: Vega) -> None:
    load = [{"burst": {"requests": 200, "within": "1s"}}]
    of = {"service": {"lognormal": {"median": "1s", "sigma": 0.3}}, "drain": "1h"}
    for n, said in (
        (4, "speeds of slots followed"),
        (1, "How much instances differ in speed: not known, no two"),
    ):
        instances = {"min": n, "max": n, "start": n}
        assert said in page_of(derive(*simulated_run(scenario(load, instances=instances, **of))), vega)


def test_what_a_run_names_is_text_and_no_markup(document: str) -> None:
    assert "<b>Throttling" not in document
    assert "&lt;b&gt;Throttling &amp; co&lt;/b&gt;" in document
    assert "wake &lt;from&gt; zero" in document


def test_no_credential_reaches_the_page(document: str) -> None:
    assert SECRET not in document
    assert "[redacted]" in document


def test_both_widths_are_drawn_and_one_is_shown(document: str, tree: Element) -> None:
    for one in tree.all("figure"):
        wide, narrow = (float(svg.attributes["width"]) for svg in one.all("svg"))
        assert narrow <= 328 < wide <= 900, one.attributes["id"]
    assert ".narrow { display: none; }" in document
    assert re.search(r"@media \(max-width: 640px\) \{ \.wide \{ display: none; \}", document)


@pytest.mark.parametrize("kind", LITTLE)
def test_a_run_with_little_in_it_has_a_page(kind: str, vega: Vega) -> None:
    document = page_of(LITTLE[kind](), vega)
    assert fetched(document) == []
    assert parsed(document).all("h1")
    assert not re.search("NaN|undefined|Infinity", document)
    told = parsed(re.sub("<pre>.*?</pre>", "", document, flags=re.DOTALL)).whole_text()
    assert not re.search(r"\b(nan|inf|None|null)\b", told)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_rows_is_of_no_consequence(seed: int, document: str, vega: Vega) -> None:
    frames = everything()
    rows = frames.requests.sample(fraction=1.0, shuffle=True, seed=seed)
    shuffled = Frames(frames.manifest, rows, frames.readings, frames.events, frames.clocks, frames.spans, frames.end_ns)
    assert page_of(shuffled, vega) == document


def test_a_hundred_thousand_requests_take_a_megabyte_and_a_half_at_most(vega: Vega) -> None:
    of = scenario(
        [{"poisson": {"rate": 28.0, "for": "1h"}}],
        service={"lognormal": {"median": "1s", "sigma": 0.5}},
        instances={"min": 4, "max": 12, "start": 4, "concurrency": 4},
        policies=[{"target_tracking": {"backlog_per_instance": 5}}],
    )
    frames = derive(*simulated_run(of))
    assert frames.requests.height > 100_000
    assert len(page_of(frames, vega).encode()) < 1_500_000


@pytest.mark.slow  # starts Vega, which takes half a second
def test_vega_s_process_ends_without_a_word_once_nobody_reads_it() -> None:
    """A report that is killed leaves it with a chart that no one wants, and with the user's terminal as its stderr."""
    command = [sys.executable, "-P", "-m", vega_process.__name__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, said = process.communicate(b'{"data": {"values": []}, "mark": "point"}\n', timeout=60)
    assert (process.returncode, said) == (0, b"")
