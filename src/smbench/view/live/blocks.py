"""The parts of the live screen, each a few rows of text. A row has a rank: where room is short the highest go first."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.text import Text

from smbench.clock import TimeKind
from smbench.records import Event, Outcome, Stage
from smbench.snapshot import LogHistogram, Snapshot
from smbench.units import size
from smbench.view.live import figures, sentences
from smbench.view.live.charts import Glyphs, bar, columns
from smbench.view.live.state import Gauge, LiveState

GUTTER = 12  # cells before a row's content: a blank and the row's label
DIM, GOOD, WARN, BAD, STRONG = "dim", "green", "yellow", "red", "bold"
_BAR_MAX = 60
_NAME, _QUANTILE = 26, 11  # cells of the latency table: up to the count, and of each percentile
_SHORTEST_S = 1e-5  # the histograms' first bucket: this, or less
_OLD_READING_S = 90.0
_HINTS = {
    Stage.SENDING: "Ctrl-C: send no more, drain, report",
    Stage.DRAINING: "Ctrl-C twice: stop waiting, report",
    Stage.LOOKING_UP: "Ctrl-C twice: stop waiting, report",
}
_OF_A_VIEWER = "Ctrl-C: leave, the run goes on; smbench stop ends it"
_BAD_ENDS = (Outcome.FAILED, Outcome.EXPIRED, Outcome.UNKNOWN_END, Outcome.LOST)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the screen. Rank 0 is the last to go."""

    rank: int
    text: Text


@dataclass(frozen=True, slots=True)
class Field:
    """A name and a value in a row; one that `is_minor` goes first where the row is too narrow."""

    name: str
    value: str
    style: str = ""
    is_minor: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """What the parts are drawn from, and how wide."""

    state: LiveState
    now: Snapshot
    width: int
    glyphs: Glyphs


BLANK = Row(9, Text())


def title(state: LiveState, width: int, glyphs: Glyphs) -> Row:
    """Scenario, target, kind of time; at the right how far time has come."""
    planned_s = state.header.planned_s
    clock = figures.stopwatch(state.elapsed_s)
    if planned_s is not None and (state.now is None or state.now.stage is Stage.SENDING):
        clock += f" / {figures.stopwatch(planned_s)}"
    rest = f" {glyphs.between} {sentences.plain(state.header.target)} {glyphs.between} {sentences.kind_of_time(state)}"
    left = Text.assemble(" ", (state.header.scenario, STRONG), (rest, DIM))
    room = width - len(clock) - 2
    left.truncate(max(0, room), overflow="ellipsis" if glyphs.between == "·" else "crop", pad=True)
    return Row(0, left.append(f" {clock}", STRONG))


def progress(page: Page) -> Row:
    """The stage, and how much of it is over."""
    state, now = page.state, page.now
    if now.stage is Stage.SENDING and state.header.phases:
        n_phases = len(state.header.phases)
        what = f"phase {now.phase_index + 1} of {n_phases}, " if n_phases > 1 else ""
        what += sentences.plain(now.phase)
        done, tail = state.phase_progress or 0.0, f"{now.n_due:,} of {now.n_scheduled:,} due"
    elif now.stage in (Stage.DRAINING, Stage.LOOKING_UP):
        what = ""
        done = 1.0 - now.backlog_seen / now.n_accepted if now.n_accepted else 1.0
        tail = sentences.awaited(now) or f"{now.backlog_seen:,} of {now.n_accepted:,} have not ended"
        if now.stage is Stage.DRAINING:
            tail += f", waits at most {figures.seconds(state.header.drain_s)}"
    else:
        return Row(0, _labelled(now.stage, WARN).append(sentences.plain(state.note), DIM))
    head = _labelled(now.stage, GOOD if now.stage is Stage.SENDING else WARN).append(f"{what}  " if what else "")
    room = page.width - len(head.plain) - len("  100 %") - 1
    tail = f"   {tail}" if len(tail) + 3 <= room else ""
    room = min(_BAR_MAX, room - len(tail))
    if room >= 5:
        head.append(bar(done, room, page.glyphs), "cyan").append("  ")
    return Row(0, head.append(f"{figures.percent(done):>5}").append(tail, DIM))


def phases(page: Page, rows: int) -> list[Row]:
    """All phases with their own bars, as many as there are rows for, those around the present one."""
    state, spans = page.state, page.state.header.phases
    first = max(0, min(page.now.phase_index - rows // 2, len(spans) - rows))
    lines = []
    for phase in spans[first : first + rows]:
        done = state.progress_of(phase)
        span = figures.seconds(None if phase.end_ns is None else (phase.end_ns - phase.start_ns) / 1e9)
        style = STRONG if 0 < done < 1 else ("" if done else DIM)
        warmup = " (warm-up)" if phase.warmup else ""
        text = Text(" " * GUTTER).append(f"{sentences.plain(phase.name)[:22] + warmup:<32.32}", style)
        text.append(bar(done, 30, page.glyphs), "cyan").append(f" {figures.percent(done):>5}   ")
        text.append(f"{phase.n:>9,} requests   {span:>10}   ", style).append(sentences.plain(phase.description), DIM)
        lines.append(Row(7, text))
    return lines


def rates(page: Page) -> Row:
    """Offered beside achieved beside completed."""
    told = page.state.rates
    is_behind = told.offered_hz and told.achieved_hz is not None and told.achieved_hz < 0.95 * told.offered_hz
    fields = [
        Field("offered", figures.hertz(told.offered_hz)),
        Field("achieved", figures.hertz(told.achieved_hz), WARN if is_behind else ""),
        Field("completed", figures.hertz(told.completed_hz)),
    ]
    over = f"{told.over_s:.0f} s" if told.over_s < 60 else figures.seconds(told.over_s)
    fields.append(Field("in the last", over, DIM, is_minor=True))
    return Row(1, _fields("Rates", fields, page.width))


def rate_courses(page: Page, rows: int) -> tuple[list[Row], list[Row]]:
    """What was asked for and what was completed, per second, each to a scale of its own."""
    width, end_ns = page.width - GUTTER - 1, page.now.at_ns
    offered = _chart(page.state.offered.columns(width, end_ns), rows, page.glyphs, "cyan")
    completed = _chart(page.state.completed.columns(width, end_ns), rows, page.glyphs, "green")
    return [Row(6, Text.styled(" Offered/s", STRONG)), *offered], [
        Row(6, Text.styled(" Completed/s", STRONG)),
        *completed,
    ]


def requests(page: Page) -> list[Row]:
    """What became of the requests: submitted, then ended; errors by cause when there are any."""
    now, ended = page.now, page.now.outcomes
    submitted = [
        Field("", f"{now.n_sent:,}"),
        Field("accepted", f"{now.n_accepted:,}"),
        _bad("rejected", ended.get(Outcome.REJECTED, 0)),
        _bad("transport errors", ended.get(Outcome.TRANSPORT_ERROR, 0)),
        _bad("not sent", ended.get(Outcome.NOT_SENT, 0)),
    ]
    completed = Field("completed", f"{ended.get(Outcome.COMPLETED, 0):,}")
    notices = [
        _bad(name, n, WARN)
        for name, n in (
            ("duplicate notices", now.n_duplicates),
            ("foreign", now.n_foreign),
            ("malformed", now.n_malformed),
        )
        if n
    ]
    ends = [completed, *(_bad(outcome.value, ended.get(outcome, 0)) for outcome in _BAD_ENDS), *notices]
    rows = [Row(2, _fields("Sent", submitted, page.width)), Row(2, _fields("Ended", ends, page.width))]
    if now.errors:
        causes = [Field(sentences.plain(cause), f"{n:,}", is_minor=True) for cause, n in now.errors.items()]
        rows.append(Row(3, _fields("Errors", causes, page.width)))
    return rows


def thresholds(page: Page) -> list[Row]:
    """Each with its figure so far, and its verdict as soon as nothing can change it; no row where there are none."""
    if not page.state.judged:
        return []
    words = {True: ("met", GOOD), False: ("missed", BAD)}
    fields = []
    for one in sorted(page.state.judged, key=lambda judged: judged.verdict is not False):
        word, style = ("", "") if one.verdict is None else words[one.verdict]
        value = " ".join(part for part in (word, one.so_far) if part) or "-"
        fields.append(Field(sentences.plain(one.text), value, style, is_minor=one.verdict is not False))
    return [Row(3, _fields("Thresholds", fields, page.width))]


def latency(page: Page) -> list[Row]:
    """Percentiles of what has ended so far. What has not ended yet is not in them: they can only get worse."""
    now, width = page.now, page.width
    head = _labelled("Latency").append(f"{'of the ended':<{_NAME - GUTTER}}{'count':>9}", DIM)
    for name in ("p50", "p90", "p99", "max")[: _n_quantiles(width)]:
        head.append(f"{name:>{_QUANTILE}}", DIM)
    return [
        Row(3, head),
        Row(3, _quantiles("sojourn, due to ended", now.sojourn, width)),
        Row(7, _quantiles("acknowledgement", now.ack, width)),
        Row(8, _quantiles("end to notice, ours", now.hearing, width)),
        Row(5, _quantiles("schedule lag, ours", now.schedule_lag, width)),
    ]


def backlog(page: Page, chart_rows: int) -> list[Row]:
    """Accepted and not yet ended: now, at its highest, its course."""
    state, now = page.state, page.now
    fields = [
        Field("", f"{now.backlog_seen:,}", STRONG),
        Field("peak", f"{state.backlog_peak:,}"),
        Field("oldest", figures.seconds(now.oldest_age_s)),
    ]
    reported = state.gauges.get(("ApproximateBacklogSize", "average"))
    if reported is not None:
        minute = figures.stopwatch(reported.at_ns / 1e9)[:5]
        fields.append(Field("CloudWatch", f"{reported.value:,.0f} at {minute}", is_minor=True))
    course = state.backlog.columns(page.width - GUTTER - 1, now.at_ns)
    chart = _chart(course, chart_rows, page.glyphs, "magenta")
    return [Row(1, _fields("Backlog", fields, page.width)), *chart]


def time_axis(page: Page) -> Row:
    """Where the charts above begin and end."""
    begin, end = figures.stopwatch(0), figures.stopwatch(page.state.elapsed_s)
    return Row(7, Text.styled(" " * GUTTER + begin + end.rjust(page.width - GUTTER - 1 - len(begin)), DIM))


def capacity(page: Page, chart_rows: int = 0) -> list[Row]:
    """Instances in service and wanted, and their course: beside the figures, or in rows of its own."""
    state = page.state
    current = state.gauges.get(("instances_current", "value"))
    if current is None:
        return [Row(4, _labelled("Instances").append("not reported yet", DIM))]
    desired = state.gauges.get(("instances_desired", "value"), current)
    text = _labelled("Instances").append(f"{current.value:,.0f}", STRONG).append(" in service, ")
    text.append(f"{desired.value:,.0f}", STRONG if desired.value == current.value else WARN).append(" wanted   ")
    if age := _age_if_old(current, state.elapsed_s):
        text.append(f"read {age} ago   ", WARN)
    end_ns = page.now.at_ns
    if chart_rows:
        course = state.instances.columns(page.width - GUTTER - 1, end_ns)
        return [Row(4, text), *_chart(course, chart_rows, page.glyphs, "blue")]
    room = page.width - len(text.plain) - 1
    if room >= 8:
        course = state.instances.columns(room, end_ns)
        top = max(course, default=0.0)
        text.append(columns(course, 1, top, page.glyphs)[0], "blue")
    return [Row(4, text)]


def scaling(page: Page, n: int) -> list[Row]:
    """The last events that changed capacity, or could have, the latest last."""
    return [Row(6, _event(event)) for event in page.state.latest_events(n)]


def generator(page: Page, n_lines: int) -> list[Row]:
    """Our own health: the figures, then in words what is wrong and what to try, in so many lines at most."""
    state, now = page.state, page.now
    limit = state.header.in_flight_limit
    fields = [
        Field("in flight", f"{now.n_in_flight:,} of {limit:,}"),
        _bad("dropped", now.n_dropped),
        Field("receivers", f"{now.receivers} of {now.receivers_max}", is_minor=True),
        Field("memory", size(now.rss_bytes), is_minor=True),
    ]
    if state.header.time_kind is not TimeKind.WARP:
        fields += [
            Field("loop lag", figures.seconds(now.loop_lag_max_s), is_minor=True),
            Field("cpu", figures.percent(now.cpu_share)),
        ]
    rows = [Row(5, _fields("Generator", fields, page.width))]
    found = sentences.remarks(state)
    if not found:
        rows.append(Row(8, Text(" " * GUTTER).append(sentences.kept(state), GOOD)))
    shown = found[:n_lines]
    spare = n_lines - len(shown)
    for remark in shown:
        lines = _remark(page, remark, 1 + spare)
        spare -= len(lines) - 1
        rows += [Row(1 if line is lines[0] else 7, line) for line in lines]
    return rows


def _remark(page: Page, remark: sentences.Remark, n_lines: int) -> list[Text]:
    """Broken between words; the last of the lines may be longer than the screen is wide, and is cut there."""
    words = f"{remark.seen}; {remark.advice}"
    broken = textwrap.wrap(words, max(20, page.width - GUTTER - 1))
    broken[n_lines - 1 :] = [" ".join(broken[n_lines - 1 :])] if broken[n_lines - 1 :] else []
    lines, n_strong = [], len(remark.seen)
    for place, line in enumerate(broken):
        sign = f"{page.glyphs.warning:>{GUTTER - 1}} " if place == 0 else " " * GUTTER
        text = Text.styled(sign, BAD).append(line[:n_strong], f"{BAD} {STRONG}")
        lines.append(text.append(line[n_strong:]))
        n_strong = max(0, n_strong - len(line) - 1)
    return lines


def foot(state: LiveState, width: int, glyphs: Glyphs) -> Row:
    """What the user can do, or what the run says it is doing; and where the results are, whose end matters most."""
    offered = "" if state.now is None else _HINTS.get(state.now.stage, "")
    hint = sentences.plain(state.note) or (_OF_A_VIEWER if offered and state.is_watched else offered)
    results = sentences.plain(state.header.results)
    room = width - len(hint) - 5
    if len(results) > room:
        results = "..." + results[len(results) - room + 3 :] if room > 20 else ""
    parts = [part for part in (hint, results) if part]
    return Row(8, Text.styled(f" {f' {glyphs.between} '.join(parts)}", DIM))


# ---- rows ---------------------------------------------------------------------------------------------------------


def _labelled(label: str, style: str = STRONG) -> Text:
    return Text.assemble((f" {label:<{GUTTER - 1}}", style))


def _bad(name: str, n: int, style: str = BAD) -> Field:
    """A count that is fine at zero."""
    return Field(name, f"{n:,}", style if n else DIM, is_minor=not n)


def _fields(label: str, fields: Sequence[Field], width: int) -> Text:
    """The fields in a row. Where it is too narrow, minor ones go first, then others, from the right: a field that is
    cut in two would show another number. The last one keeps its number, and its name is cut."""
    shown, room = list(fields), width - GUTTER - 1
    gap = "   " if _length(shown, 3) <= room else "  "
    while len(shown) > 1 and _length(shown, len(gap)) > room:
        minor = [one for one in shown if one.is_minor]
        shown.remove((minor or shown)[-1])
    if shown and _length(shown, 0) > room:
        name_room = room - len(shown[0].value) - 1
        shown = [replace(shown[0], name=shown[0].name[: name_room - 3] + "...")] if name_room > 3 else []
    text = _labelled(label)
    for place, field in enumerate(shown):
        text.append(gap if place else "")
        text.append(f"{field.name} " if field.name else "", DIM).append(field.value, field.style)
    return text


def _length(fields: Sequence[Field], gap: int) -> int:
    return sum(len(one.value) + (len(one.name) + 1 if one.name else 0) for one in fields) + gap * (len(fields) - 1)


def _n_quantiles(width: int) -> int:
    return max(0, min(4, (width - _NAME - 9) // _QUANTILE))


def _quantiles(name: str, histogram: LogHistogram, width: int) -> Text:
    values = [histogram.quantile(0.5), histogram.quantile(0.9), histogram.quantile(0.99), histogram.maximum]
    text = Text(f"   {name:<{_NAME - 3}}").append(f"{histogram.total:>9,}", DIM)
    return text.append("".join(f"{_bucket(value):>{_QUANTILE}}" for value in values[: _n_quantiles(width)]))


def _bucket(value_s: float | None) -> str:
    return "<10 us" if value_s is not None and value_s <= _SHORTEST_S else figures.seconds(value_s)


def _chart(course: Sequence[float], rows: int, glyphs: Glyphs, style: str) -> list[Row]:
    """A chart with its highest value and zero at the left; one row has no room for a scale."""
    top = max(course, default=0.0)
    marks = [""] * rows
    if rows > 1:
        marks[0], marks[-1] = (f"{top:,.0f}" if top >= 10 else f"{top:.3g}") if top else "", "0"
    cells = columns(course, rows, top, glyphs)
    return [
        Row(6, Text.styled(f"{mark:>{GUTTER - 1}} ", DIM).append(line, style))
        for mark, line in zip(marks, cells, strict=True)
    ]


def _age_if_old(gauge: Gauge, elapsed_s: float) -> str:
    age_s = elapsed_s - gauge.seen_ns / 1e9
    return figures.seconds(round(age_s)) if age_s > _OLD_READING_S else ""


def _event(event: Event) -> Text:
    kind, what, why = sentences.event_words(event)
    is_bad = event.state in ("Failed", "Unfulfilled")
    text = Text("   ").append(f"{figures.stopwatch(event.at_ns / 1e9)}  ", DIM).append(f"{kind:<8} ")
    return text.append(what, BAD if is_bad else STRONG).append(f"  {why}", DIM)
