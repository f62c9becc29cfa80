"""The report of a run: verdict first, then the law, then the figures in the order in which a reader doubts them.

Tables are at most 80 columns wide and say the same without colour. `summary_file` has the same numbers.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from smbench import units
from smbench.analysis.capacity.scaling import ScalingStep
from smbench.analysis.latency.over_time import FROM_ACCEPTANCE, FROM_SCHEDULE, FROM_SEND
from smbench.analysis.latency.stages import INSIDE_THE_ENDPOINT, StageName
from smbench.analysis.numbers.bounds import Distribution
from smbench.analysis.rows.clocks import Agreement
from smbench.analysis.rows.rates import Rates
from smbench.analysis.summary import Summary
from smbench.analysis.verdict.thresholds import ThresholdResult
from smbench.findings import Finding, Verdict, verdict
from smbench.records import Ending, Unknown
from smbench.view.report.behaviour import behaviour, instant, interval_notes, observations, slowest, stage_notes
from smbench.view.report.predicted import band_table, meaning
from smbench.view.report.whole_table import WholeTable

_STYLE = {Verdict.VALID: "bold green", Verdict.UNKNOWN: "bold yellow", Verdict.INVALID: "bold red"}
_PASSED = {True: ("met", "green"), False: ("missed", "bold red"), None: ("unknown", "yellow")}
CLOSED_NOTE = "closed: each end released the next request, so the endpoint set the rate; this hides waiting."
_SCALING_NOTE = (
    "breach: the first minute beyond the alarm's threshold; first end: the first completion once the capacity served; "
    "instants are minutes:seconds of the run."
)
_CAUSES_SHOWN = 8
_STEPS_SHOWN = 16
_ERROR_WIDTH = 52


def render(
    summary: Summary,
    findings: Sequence[Finding],
    thresholds: Sequence[ThresholdResult],
    run_dir: Path | None = None,
) -> RenderableType:
    """The whole report."""
    blocks: list[RenderableType | None] = [
        _head(summary, findings, thresholds),
        _law(summary),
        _thresholds(thresholds),
        band_table(summary),
        _rates(summary),
        _latencies(summary),
        _causes(summary),
        _scaling(summary),
        _facts(summary),
        behaviour(summary),
        observations(summary),
        slowest(summary),
        _checks(findings),
        Text(f"Files: {run_dir}", style="dim") if run_dir is not None else None,
    ]
    return Group(*(Padding(block, (0, 0, 1, 0)) for block in blocks if block is not None))


# ---- head -----------------------------------------------------------------------------------------------------


def _head(summary: Summary, findings: Sequence[Finding], thresholds: Sequence[ThresholdResult]) -> Text:
    judged = verdict(findings)
    text = Text()
    text.append(judged.value.upper(), _STYLE[judged])
    text.append(f"  {summary.name or summary.run_id}: {meaning(summary, judged)}\n")
    if thresholds:
        n_met = sum(result.passed is True for result in thresholds)
        n_missed = sum(result.passed is False for result in thresholds)
        style = "bold red" if n_missed else "green" if n_met == len(thresholds) else "yellow"
        text.append(f"{n_met} of {len(thresholds)} thresholds met\n", style)
    if summary.description:
        text.append(f"{summary.description.strip()}\n", "dim")
    time = {"real": "real time", "warp": "virtual time"}.get(summary.clock, f"time scaled {summary.scale:g} times")
    seed = "" if summary.seed is None else f", seed {summary.seed}"
    by = "" if summary.workers == 1 else f", {summary.workers} workers"
    length = units.duration(summary.length_s)
    text.append(f"{summary.target}, {time}, {length}{by}{seed}, {_ending(summary)}", "dim")
    return text


def _ending(summary: Summary) -> str:
    """Finished, or why it was not as planned."""
    if summary.reason and summary.ending == Ending.FAILED:
        return f"{summary.ending}: {summary.reason}"
    return summary.reason or summary.ending


def _law(summary: Summary) -> Table:
    """Three lines, aligned at the equals sign; a long one is continued behind it."""
    table = Table.grid(padding=(0, 1))
    for equation in summary.counts.equations():
        sign = " != " if " != " in equation else " = "
        whole, parts = equation.split(sign)
        table.add_row(whole, sign.strip(), parts, style="bold red" if sign == " != " else "")
    return table


def _thresholds(thresholds: Sequence[ThresholdResult]) -> WholeTable | None:
    if not thresholds:
        return None
    table = WholeTable(("Thresholds", "left"), ("", "left"), ("seen", "right"))
    for result in thresholds:
        word, style = _PASSED[result.passed]
        table.add_row(Text(word, style), result.text, result.seen)
        if result.note:
            table.add_row("", "", Text(result.note, style="dim"))
    return table


# ---- rates and latencies --------------------------------------------------------------------------------------


def _rates(summary: Summary) -> RenderableType | None:
    if not summary.counts.scheduled:
        return None
    columns = ("due", "length", "offered", "achieved", "accepted", "completed")
    table = WholeTable(("Rates", "left"), *((name, "right") for name in columns))
    for phase in summary.phases:
        name = f"{phase.name} (warm-up)" if phase.warmup else phase.name
        table.add_row(name, *rate_cells(phase.rates), style="dim" if phase.warmup else "")
    if len(summary.phases) != 1:
        table.add_row("all" if not summary.n_warmup else "all but warm-up", *rate_cells(summary.rates))
    if any(phase.kind == "closed" for phase in summary.phases):
        return Group(table, Text(CLOSED_NOTE, style="dim"))
    return table


def rate_cells(rates: Rates) -> tuple[str, ...]:
    """How many were due, over what time, and the four rates, in the order of the columns."""
    per_second = (rates.offered_hz, rates.achieved_hz, rates.accepted_hz, rates.completed_hz)
    length = units.duration(rates.length_s) if rates.offered_hz is not None else "at once"
    return (f"{rates.n_offered:,}", length, *(units.rate(hertz) for hertz in per_second))


def _latencies(summary: Summary) -> RenderableType | None:
    if not summary.measured.sent:
        return None
    shown = [name for name in ("p50", "p90", "p95", "p99", "p999", "max") if _any_has(summary, name)]
    heads = [(name.replace("p999", "p99.9"), "right") for name in shown]
    table = WholeTable(("Latency", "left"), ("n", "right"), *heads)
    for name, spread in _spreads(summary):
        table.add_row(name, f"{spread.n:,}", *(_percentile(spread, one) for one in shown))
    return Group(table, *(Text(note, style="dim") for note in _latency_notes(summary, shown)))


def _spreads(summary: Summary) -> list[tuple[str, Distribution]]:
    """The rows; the parts of one only where they are known."""
    reconstructed = {stage.name: stage.spread for stage in summary.stages if stage.name in INSIDE_THE_ENDPOINT}
    rows = [
        (FROM_SCHEDULE.name, summary.sojourn),
        (FROM_SEND.name, summary.from_send),
        (FROM_ACCEPTANCE.name, summary.service_view),
        *((f"  {name}", spread) for name, spread in reconstructed.items() if spread.n),
        ("acknowledgement", summary.ack),
        ("end to notice", summary.hearing),
    ]
    parts = [("  notification", summary.notification), (f"  {StageName.OBSERVER_LAG}", summary.observer_lag)]
    return rows + [part for part in parts if part[1].n]


def _any_has(summary: Summary, name: str) -> bool:
    return any(spread.percentile(name) is not None for _, spread in _spreads(summary))


def _percentile(spread: Distribution, name: str) -> str:
    figure = spread.percentile(name)
    if figure is None:
        return "-"
    return f"~{figure.text()}" if spread.is_thin(name) else figure.text()


def _latency_notes(summary: Summary, shown: Iterable[str]) -> list[str]:
    spread = summary.sojourn
    notes = []
    if spread.n_never or spread.n_censored:
        notes.append(
            f"Of {spread.n:,} accepted, {spread.n_never:,} failed or expired and {spread.n_censored:,} had no end yet. "
            "They count in every percentile: > is as long as was watched."
        )
    if any(spread.n and spread.is_thin(name) for name in shown):
        notes.append("~ fewer than ten requests lie above it.")
    if summary.notices.n_from_outputs:
        notes.append(f"Ends found in S3, known to the second only: {summary.notices.n_from_outputs:,}.")
    return notes + stage_notes(summary) + interval_notes(summary)


# ---- outcomes, backlog, scaling -------------------------------------------------------------------------------


def _causes(summary: Summary) -> WholeTable | None:
    if not summary.causes:
        return None
    table = WholeTable(("Errors", "left"), ("n", "right"), ("status", "right"), ("cause", "left"))
    for cause in summary.causes[:_CAUSES_SHOWN]:
        status = "" if cause.status_code is None else str(cause.status_code)
        table.add_row(cause.outcome, f"{cause.n:,}", status, _shortened(cause.error, _ERROR_WIDTH))
    if rest := summary.causes[_CAUSES_SHOWN:]:
        table.add_row("others", f"{sum(cause.n for cause in rest):,}", "", "of other causes")
    return table


def _scaling(summary: Summary) -> RenderableType | None:
    steps = summary.scaling.steps
    if not steps:
        return None
    columns = ("breach", "alarm", "decided", "serving", "first end", "detection", "provision")
    table = WholeTable(("Scaling", "left"), *((name, "right") for name in columns))
    for step in steps[:_STEPS_SHOWN]:
        table.add_row(_change(step), *_step_cells(step), style="" if step.is_out else "dim")
    if len(steps) > _STEPS_SHOWN:
        table.add_row(f"{len(steps) - _STEPS_SHOWN} more")
    return Group(table, Text(_SCALING_NOTE, style="dim"))


def _change(step: ScalingStep) -> str:
    before = "?" if step.before is None else str(step.before)
    state = "" if step.state in ("", "Successful") else f" {step.state}"
    return f"{before} -> {step.after}{state}"


def _step_cells(step: ScalingStep) -> tuple[str, ...]:
    instants = (step.breach_at_s, step.alarm_at_s, step.decided_at_s, step.in_service_at_s)
    first_end = step.first_completion_at_s if step.is_out else None
    delays = (step.detection_s, step.provisioning_s)
    return tuple("-" if seconds is None else instant(seconds) for seconds in (*instants, first_end)) + tuple(
        "-" if seconds is None else units.duration(seconds) for seconds in delays
    )


def _facts(summary: Summary) -> Table:
    """Each a line of words: what has few numbers needs no table."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column()
    backlog = summary.backlog
    if backlog.peak_at_s is not None:
        table.add_row("Backlog", f"peak {backlog.peak:,} at {instant(backlog.peak_at_s)}{_oldest(summary)}")
    if not isinstance(backlog.drain, Unknown):
        table.add_row("Drain", f"{backlog.drain.text()} from the last send to the last end")
    notices = summary.notices
    table.add_row(
        "Notices",
        f"{notices.n:,} received, {notices.n_duplicates:,} duplicates, {notices.n_foreign:,} foreign, "
        f"{notices.n_malformed:,} unreadable{_receivers(summary)}",
    )
    if (clocks := _clocks(summary)) is not None:
        table.add_row("Clocks", clocks)
    table.add_row("Generator", _generator(summary))
    return table


def _receivers(summary: Summary) -> str:
    generator = summary.generator
    return f"; {generator.receivers_peak} of {generator.receivers_max} receivers" if generator.receivers_max else ""


def _oldest(summary: Summary) -> str:
    oldest_s = summary.backlog.oldest_age_s
    return "" if oldest_s is None else f"; the oldest request grew {units.duration(oldest_s)} old"


def _clocks(summary: Summary) -> str | None:
    """Only where the two clocks differ: then latencies are not simply the difference of two columns."""
    clocks = summary.clocks
    offset = f"AWS's is {units.duration(abs(clocks.offset_s))} {'ahead of' if clocks.offset_s > 0 else 'behind'} ours"
    if clocks.agreement is Agreement.OFFSET:
        return f"{offset}, and latencies are corrected by that"
    if clocks.agreement is Agreement.DISAGREE:
        return f"{offset} in the median, but not always: latencies are not corrected"
    return None


def _generator(summary: Summary) -> str:
    generator, lag = summary.generator, summary.generator.schedule_lag
    parts = []
    if lag.p50 is not None and lag.p99 is not None and lag.max is not None:
        parts.append(f"sent late by p50 {lag.p50.text()}, p99 {lag.p99.text()}, max {lag.max.text()}")
    parts.append(f"dropped {generator.n_dropped:,}")
    if generator.loop_lag_max_s is not None:
        parts.append(f"loop late by at most {units.duration(generator.loop_lag_max_s)}")
    if generator.cpu_share_median is not None:
        parts.append(f"CPU {units.share(generator.cpu_share_median)} of a core")
    if generator.rss_max_bytes is not None:
        parts.append(f"memory {units.size(generator.rss_max_bytes)}")
    return "; ".join(parts)


# ---- checks ---------------------------------------------------------------------------------------------------


def _checks(findings: Sequence[Finding]) -> RenderableType:
    """Those that found something, whole; the others by name."""
    bad = [finding for finding in findings if finding.verdict is not Verdict.VALID]
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    for finding in sorted(bad, key=lambda one: one.verdict is not Verdict.INVALID):
        text = Text(f"{finding.name}: {finding.seen}.\nexpected: {finding.expected}")
        if finding.advice:
            text.append(f"\nto do: {finding.advice}")
        table.add_row(Text(finding.verdict.value, _STYLE[finding.verdict]), text)
    good = [finding.name for finding in findings if finding.verdict is Verdict.VALID]
    if good:
        table.add_row(Text("valid", "green"), Text(", ".join(good), style="dim"))
    return table


# ---- tables ---------------------------------------------------------------------------------------------------


def _shortened(text: str, width: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 3] + "..."
