"""A run's report as one page that needs nothing but itself: no script, no network, no font.

Verdict and findings come first, then what was asked and sent, latency, the endpoint at work, cost, bad ends, the
slowest. A section whose figures are not known says why. Each picture is drawn twice, for a wide page and for a
telephone's, and the style sheet shows one.
"""

from collections.abc import Sequence

import orjson

from smbench import units
from smbench.analysis.numbers.known import why_unknown
from smbench.analysis.rows.frames import Frames
from smbench.analysis.summary import Summary
from smbench.analysis.verdict.thresholds import ThresholdResult
from smbench.findings import Finding, Verdict, verdict
from smbench.records import Ending, Unknown
from smbench.results.manifest import Manifest
from smbench.view.page import tables
from smbench.view.page.document import Block, Section, drawn, written
from smbench.view.page.gallery import gallery
from smbench.view.page.load_plots import clock
from smbench.view.page.tables import Table
from smbench.view.page.vega import Vega
from smbench.view.report.behaviour import host_spread
from smbench.view.report.predicted import meaning


def page(
    frames: Frames, summary: Summary, findings: Sequence[Finding], thresholds: Sequence[ThresholdResult], vega: Vega
) -> str:
    """The whole HTML document."""
    judged = verdict(findings)
    bad = [finding for finding in findings if finding.verdict is not Verdict.VALID]
    return written(
        "page.html.j2",
        name=summary.name or summary.run_id,
        verdict=judged.value,
        meaning=_sentence(meaning(summary, judged)),
        what=_what(summary),
        description=summary.description.strip(),
        bad=sorted(bad, key=lambda one: one.verdict is not Verdict.INVALID),
        good=[finding.name for finding in findings if finding.verdict is Verdict.VALID],
        thresholds=tables.thresholds(thresholds),
        n_met=sum(result.passed is True for result in thresholds),
        n_thresholds=len(thresholds),
        observations=[(one, "" if one.at_s is None else clock(one.at_s)) for one in summary.observations],
        sections=_sections(frames, summary, vega),
        made=_made(frames.manifest),
        scenario=orjson.dumps(frames.manifest.scenario, option=orjson.OPT_INDENT_2).decode(),
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _what(summary: Summary) -> str:
    time = {"real": "real time", "warp": "virtual time"}.get(summary.clock, f"time scaled {summary.scale:g} times")
    seed = "" if summary.seed is None else f", seed {summary.seed}"
    by = "" if summary.workers == 1 else f", {summary.workers} workers"
    why = f": {summary.reason}" if summary.reason else ""
    ending = "killed" if summary.ending == Ending.RUNNING else summary.ending
    return f"{summary.target}, {time}, {units.duration(summary.length_s)}{by}{seed}; {ending}{why}"


def _sections(frames: Frames, summary: Summary, vega: Vega) -> list[Section]:
    pictures = gallery(frames, summary)
    elasticity, cost, spread = tables.elasticity(summary), tables.cost(summary), summary.host_spread
    sections = [
        Section("replications", "The prediction's band", _blocks(tables.replications(summary))),
        Section(
            "load",
            "What was asked, and what was sent",
            _blocks(*_law(summary), drawn(pictures.rates, vega), tables.rates(summary), drawn(pictures.lag, vega)),
        ),
        Section(
            "latency",
            "Latency",
            _blocks(
                drawn(pictures.latency, vega),
                tables.latencies(summary),
                tables.intervals(summary),
                tables.why_no_intervals(summary),
                drawn(pictures.percentiles, vega),
            ),
        ),
        Section(
            "stages",
            "Where the time went",
            _blocks(drawn(pictures.stages, vega), tables.stages(summary), drawn(pictures.clocks, vega)),
        ),
        Section(
            "endpoint",
            "Backlog, instances and scaling",
            _blocks(
                drawn(pictures.system, vega),
                _backlog(summary),
                tables.scaling(summary),
                elasticity,
                _why(summary.elasticity, "How capacity followed load"),
                "" if isinstance(spread, Unknown) else f"Hosts: {host_spread(spread)}.",
                _why(spread, "How much instances differ in speed"),
            ),
        ),
        Section("cost", "Cost", _blocks(cost, _why(summary.cost, "Cost"))),
        Section(
            "errors",
            "Bad ends",
            _blocks(tables.causes(summary) or ("No request had a bad end." if summary.counts.sent else "")),
        ),
        Section("slowest", "The slowest requests", _blocks(tables.slowest(summary))),
        Section("generator", "How well it was measured", _blocks(tables.generator(summary))),
    ]
    return [section for section in sections if section.blocks]


def _blocks(*blocks: Block | None) -> tuple[Block, ...]:
    return tuple(block for block in blocks if block)


def _why(figure: object, what: str) -> str:
    reason = why_unknown(figure)
    return f"{what}: not known, {reason}." if reason else ""


def _law(summary: Summary) -> tuple[str, ...]:
    """Every request in one place: the equations, and what breaks them."""
    return (*(f"{equation}." for equation in summary.counts.equations()), *summary.violations)


def _backlog(summary: Summary) -> str:
    backlog = summary.backlog
    if backlog.peak_at_s is None:
        return ""
    said = f"The backlog peaked at {backlog.peak:,} at {clock(backlog.peak_at_s)}."
    if backlog.oldest_age_s is not None:
        said += f" The oldest request grew {units.duration(backlog.oldest_age_s)} old."
    if not isinstance(backlog.drain, Unknown):
        said += f" From the last send to the last end: {backlog.drain.text()}."
    return said


def _made(manifest: Manifest) -> Table:
    host = manifest.host
    packages = ", ".join(f"{name} {version}" for name, version in host.packages.items())
    rows = [
        ("run", manifest.run_id),
        ("began", manifest.started.isoformat(timespec="seconds")),
        ("smbench", manifest.smbench or "-"),
        ("transport", manifest.transport or "-"),
        ("machine", f"{host.platform}, {host.cpu_count} cores" if host.platform else "-"),
        ("python", host.python or "-"),
        ("packages", packages or "-"),
        ("schedule's digest", manifest.schedule_digest or "-"),
        ("scenario's digest", manifest.scenario_digest or "-"),
    ]
    return Table("What it takes to repeat this run", ("", "value"), tuple(rows), n_text=2)
