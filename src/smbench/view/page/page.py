"""A run's report as one page that needs nothing but itself: no script, no network, no font.

Verdict, thresholds, checks and observations come first, then the report's other sections with their pictures. Each
picture is drawn twice, for a wide page and for a telephone's, and the style sheet shows one.
"""

from collections.abc import Sequence

import orjson

from smbench import units
from smbench.analysis.rows.frames import Frames
from smbench.analysis.summary import Summary
from smbench.analysis.verdict.thresholds import ThresholdResult
from smbench.findings import Finding, verdict
from smbench.records import Ending
from smbench.results.manifest import Manifest
from smbench.view.page.document import Drawing, Part, drawn, written
from smbench.view.page.gallery import gallery
from smbench.view.page.vega import Vega
from smbench.view.report.text import identity
from smbench.view.sections.blocks import Judged, Table, table_of_texts
from smbench.view.sections.judgement import tally
from smbench.view.sections.order import sections
from smbench.view.sections.prediction import meaning

_FIRST = ("thresholds", "checks", "observations")


def page(
    frames: Frames, summary: Summary, findings: Sequence[Finding], thresholds: Sequence[ThresholdResult], vega: Vega
) -> str:
    """The whole HTML document."""
    judged = verdict(findings)
    parts = _parts(frames, Judged(summary, findings, thresholds), vega)
    return written(
        "page.html.j2",
        name=summary.name or summary.run_id,
        verdict=judged.value,
        meaning=_sentence(meaning(summary, judged)),
        what=_what(summary),
        description=summary.description.strip(),
        tally=_sentence(tally(thresholds)) if thresholds else "",
        first=[part for name in _FIRST for part in parts if part.anchor == name],
        parts=[part for part in parts if part.anchor not in _FIRST],
        made=_made(frames.manifest),
        scenario=orjson.dumps(frames.manifest.scenario, option=orjson.OPT_INDENT_2).decode(),
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _what(summary: Summary) -> str:
    why = f": {summary.reason}" if summary.reason else ""
    ending = "killed" if summary.ending == Ending.RUNNING else summary.ending
    return f"{identity(summary)}; {ending}{why}"


def _parts(frames: Frames, judged: Judged, vega: Vega) -> list[Part]:
    """The report's sections, each behind its pictures."""
    of = gallery(frames, judged.summary)
    pictures = {
        "load": (of.rates, of.lag),
        "latency": (of.latency, of.percentiles),
        "stages": (of.stages, of.clocks),
        "endpoint": (of.system,),
    }
    parts = []
    for section in sections(judged):
        drawings = [drawn(picture, vega) for picture in pictures.get(section.name, ())]
        shown = [drawing for drawing in drawings if isinstance(drawing, Drawing)]
        parts.append(Part(section.name, section.title, (*shown, *section.blocks)))
    return parts


def _made(manifest: Manifest) -> Table:
    host = manifest.host
    packages = ", ".join(f"{name} {version}" for name, version in host.packages.items())
    rows = [
        ("run", manifest.run_id),
        ("began", manifest.started.isoformat(timespec="seconds")),
        ("smbench", manifest.smbench or "-"),
        ("transport", manifest.transport or "-"),
        ("machine", f"{host.platform}, {units.counted(host.cpu_count, 'core')}" if host.platform else "-"),
        ("python", host.python or "-"),
        ("packages", packages or "-"),
        ("schedule's digest", manifest.schedule_digest or "-"),
        ("scenario's digest", manifest.scenario_digest or "-"),
    ]
    return table_of_texts("What it takes to repeat this run", ("", "value"), rows, n_text=2)
