"""What a report says of the requests: rates, latency, stages, errors and the slowest."""

from collections.abc import Iterable, Sequence

from smbench import units
from smbench.analysis.latency.intervals import Interval, Intervals
from smbench.analysis.latency.over_time import FROM_ACCEPTANCE, FROM_SCHEDULE, FROM_SEND
from smbench.analysis.latency.slowest import Slow
from smbench.analysis.latency.stages import INSIDE_THE_ENDPOINT, StageName
from smbench.analysis.numbers.bounds import PERCENTILES, Distribution
from smbench.analysis.rows.rates import Rates
from smbench.analysis.summary import Summary
from smbench.records import Unknown
from smbench.scenario.phases import CLOSED_KINDS
from smbench.view.sections.blocks import (
    Block,
    Cell,
    Column,
    Detail,
    Figure,
    Figures,
    Judged,
    Row,
    Section,
    Sentence,
    Table,
)
from smbench.view.sections.cells import at, count, duration, percentile, rate, shortened

_CLOSED_NOTE = "closed: each end released the next request, so the endpoint set the rate; this hides waiting."
_THIN_NOTE = "~ fewer than ten requests lie above it."
_HEADS = {"p999": "p99.9"}
_CAUSES, _CAUSES_BRIEF, _ERROR_WIDTH = 40, 8, 52
_SLOWEST_BRIEF = 5


def load(judged: Judged) -> Section | None:
    """Rates by phase and of the run; None where nothing was scheduled."""
    summary = judged.summary
    if not summary.counts.scheduled:
        return None
    rows = [
        Row((Cell(f"{phase.name} (warm-up)" if phase.warmup else phase.name), *_rates(phase.rates)), phase.warmup)
        for phase in summary.phases
    ]
    if len(summary.phases) != 1:
        rows.append(Row((Cell("all but warm-up" if summary.n_warmup else "all"), *_rates(summary.rates))))
    heads = ("due", "length", "offered", "achieved", "accepted", "completed")
    notes = (_CLOSED_NOTE,) if any(phase.kind in CLOSED_KINDS for phase in summary.phases) else ()
    columns = (Column("phase", is_text=True), *map(Column, heads))
    table = Table("Rates", "Rates, phase by phase", columns, tuple(rows), notes)
    return Section("load", "What was asked, and what was sent", (table,))


def _rates(rates: Rates) -> tuple[Cell, ...]:
    length = duration(rates.length_s)
    if isinstance(rates.offered_hz, Unknown):
        length = Cell("at once" if rates.n_offered else "-")
    per_second = (rates.offered_hz, rates.achieved_hz, rates.accepted_hz, rates.completed_hz)
    return (count(rates.n_offered), length, *map(rate, per_second))


# ---- latency --------------------------------------------------------------------------------------------------


def latency(judged: Judged) -> Section | None:
    """Percentiles of each latency, and how far they can be relied on; None where nothing was sent."""
    summary = judged.summary
    if not summary.measured.sent:
        return None
    spread = summary.sojourn
    notes = []
    if spread.n_never or spread.n_censored:
        ends = (
            f"Of {spread.n:,} accepted, {spread.n_never:,} failed or expired and {spread.n_censored:,} had no end yet."
        )
        answers = f"Of {spread.n:,} calls, {spread.n_never:,} failed and {spread.n_censored:,} had no answer."
        which = answers if summary.is_synchronous else ends
        notes.append(f"{which} They count in every percentile: > is as long as was watched.")
    if (every_s := summary.notices.looked_every_s) is not None:
        notes.append(
            f"No notices: ends were looked for in S3 every {units.duration(every_s)}, and "
            f"{summary.notices.n_from_outputs:,} found. "
            + (
                "S3's clock and ours contradict each other: each lies between its send and when it was seen."
                if summary.notices.is_stamp_wrong
                else "Each is known to the second: latencies are bounds 1 s wide."
            )
        )
    elif summary.notices.n_from_outputs:
        notes.append(f"Ends found in S3, known to the second only: {summary.notices.n_from_outputs:,}.")
    notes += [*_why_no_stage(summary), *_intervals(summary.intervals, FROM_SCHEDULE.name, spread.n)]
    table = percentiles("Latency", "Latency and what is beside it", "", _latencies(summary), notes, Detail.BRIEF)
    return Section("latency", "Latency", (table,))


def percentiles(
    title: str,
    caption: str,
    head: str,
    spreads: Sequence[tuple[str, Distribution]],
    notes: Iterable[str] = (),
    detail: Detail = Detail.REPORT,
) -> Table:
    """A distribution a row: its name, how many there are, and each percentile that any of them has."""
    shown = [name for name in PERCENTILES if any(spread.percentile(name) is not None for _, spread in spreads)]
    rows = tuple(
        Row((Cell(name), count(spread.n), *(percentile(spread, one) for one in shown))) for name, spread in spreads
    )
    is_thin = any(spread.n and spread.is_thin(name) for _, spread in spreads for name in shown)
    columns = (Column(head, is_text=True), Column("n"), *(Column(_HEADS.get(name, name)) for name in shown))
    return Table(title, caption, columns, rows, ((_THIN_NOTE,) if is_thin else ()) + tuple(notes), detail=detail)


def _latencies(summary: Summary) -> list[tuple[str, Distribution]]:
    """The parts of a latency below it, only where they are known."""
    reconstructed = {stage.name: stage.spread for stage in summary.stages if stage.name in INSIDE_THE_ENDPOINT}
    parts = [("  notification", summary.notification), (f"  {StageName.OBSERVER_LAG}", summary.observer_lag)]
    if summary.is_synchronous:
        return [(FROM_SCHEDULE.name, summary.sojourn), (FROM_SEND.name, summary.from_send)]
    return [
        (FROM_SCHEDULE.name, summary.sojourn),
        (FROM_SEND.name, summary.from_send),
        (FROM_ACCEPTANCE.name, summary.service_view),
        *((f"  {name}", spread) for name, spread in reconstructed.items() if spread.n),
        ("acknowledgement", summary.ack),
        ("end to notice", summary.hearing),
        *(part for part in parts if part[1].n),
    ]


def _why_no_stage(summary: Summary) -> list[str]:
    """Why queue wait and service are not known, or not of all requests."""
    why: dict[str, list[str]] = {}
    for stage in summary.stages:
        if stage.name in INSIDE_THE_ENDPOINT and stage.reason:
            why.setdefault(stage.reason, []).append(stage.name)
    return [f"{' and '.join(names).capitalize()}: {reason}." for reason, names in why.items()]


def _intervals(found: Intervals, of: str, n: int) -> list[str]:
    """How far percentiles may be from the endpoint's own; one sentence where no interval can be had.

    Args:
        of: The latency that has them.
        n: How many there are of it.
    """
    estimated = [(name, one) for name, one in found.items() if isinstance(one, Interval)]
    lines = []
    if estimated:
        method = ", ".join(dict.fromkeys(one.method for _, one in estimated))
        texts = (
            f"{_HEADS.get(name, name)} {_interval(one)}, N_eff {one.n_eff:,.0f} of {n:,}" for name, one in estimated
        )
        lines.append(f"95 % intervals, {of} ({method}): {'; '.join(texts)}.")
    why: dict[str, list[str]] = {}
    for name, one in found.items():
        if isinstance(one, Unknown):
            why.setdefault(one.reason, []).append(_HEADS.get(name, name))
    return lines + [f"Interval of {', '.join(names)}: {reason}." for reason, names in why.items()]


def _interval(one: Interval) -> str:
    low = units.duration(one.low_s)
    return f"> {low}" if one.high_s is None else f"{low} to {units.duration(one.high_s)}"


def stages(judged: Judged) -> Section | None:
    """Percentiles of each stage, with what each means; None where none is known."""
    found = judged.summary.stages
    if not any(stage.n for stage in found):
        return None
    notes = [
        f"{stage.name.capitalize()}: {stage.meaning}"
        + (f". {stage.reason[:1].upper()}{stage.reason[1:]}." if stage.reason else ".")
        for stage in found
    ]
    spreads = [(stage.name, stage.spread) for stage in found]
    table = percentiles("Stages", "A request's time, stage by stage", "stage", spreads, notes, Detail.FULL)
    return Section("stages", "Where the time went", (table,))


def streams(judged: Judged) -> Section | None:
    """When the first part came, and how far the parts were apart; None where no answer came in a stream."""
    found = judged.summary.streams
    if found is None:
        return None
    spreads = [
        ("first part, from schedule", found.to_first),
        ("first part, from send", found.to_first_from_send),
        ("mean gap of an answer", found.gap_mean),
        ("longest gap of an answer", found.gap_max),
    ]
    gaps = "" if found.gap_of_all_s is None else f", {units.duration(found.gap_of_all_s)} apart on average"
    estimated: Intervals = {name: one for name, one in found.to_first_intervals.items() if isinstance(one, Interval)}
    notes = [
        f"{found.n:,} streams of {found.n_parts:,} parts{gaps}; a stream has {found.parts_p50:,} (p50) to "
        f"{found.parts_max:,} (max).",
        *_intervals(estimated, "first part from schedule", found.to_first.n),
    ]
    table = percentiles("Streams", "Streamed answers", "", spreads, notes, Detail.BRIEF)
    return Section("streams", "Streamed answers", (table,))


# ---- errors and the slowest -----------------------------------------------------------------------------------


def errors(judged: Judged) -> Section | None:
    """Why requests did not complete, the most frequent cause first; None where nothing was sent."""
    causes, blocks = judged.summary.causes, list[Block]()
    if causes:
        rows = tuple(
            Row(
                (
                    Cell(cause.outcome),
                    count(cause.n),
                    Cell("" if cause.status_code is None else str(cause.status_code), cause.status_code),
                    Cell(cause.error, brief=shortened(cause.error, _ERROR_WIDTH)),
                )
            )
            for cause in causes[:_CAUSES]
        )
        n_others = sum(cause.n for cause in causes[_CAUSES_BRIEF:])
        columns = (Column("outcome", is_text=True), Column("n"), Column("status"), Column("cause", is_text=True))
        more = Row((Cell("others"), count(n_others), Cell(""), Cell("of other causes")))
        n_beyond = sum(cause.n for cause in causes[_CAUSES:])
        notes = (f"{n_beyond:,} more, of {len(causes) - _CAUSES:,} other causes.",) if n_beyond else ()
        blocks.append(Table("Errors", "Bad ends, by cause", columns, rows, notes, _CAUSES_BRIEF, more))
    elif judged.summary.counts.sent:
        blocks.append(Sentence("No request had a bad end.", Detail.FULL))
    return Section("errors", "Bad ends", tuple(blocks)) if blocks else None


def retries(judged: Judged) -> Section | None:
    """What retries hid; None where no request was tried again."""
    found = judged.summary.retries
    if found is None:
        return None
    waited = [(name, percentile(found.waited, name)) for name in ("p50", "p99", "max")]
    refused = ", ".join(f"{one.cause} {one.n:,}" for one in found.refused[:_CAUSES_BRIEF])
    waves = ", ".join(f"{one.attempt}: {one.n:,}" for one in found.waves) or "none"
    figures = (
        Figure(
            "calls added",
            count(found.n_added, "calls"),
            f"beside the first of each request, {units.share(found.added_share)} more load",
            f"{units.counted(found.n_added, 'call')} more ({units.share(found.added_share)}): {refused}",
        ),
        Figure(
            "requests tried again",
            count(found.n_requests),
            said=f"{units.counted(found.n_requests, 'request')} tried again, {found.n_accepted:,} accepted in the end",
        ),
        Figure("accepted in the end", count(found.n_accepted)),
        Figure("waves", Cell(waves), "how many were accepted at which try", f"accepted at try {waves}"),
        *(
            Figure(
                f"waited, {name}",
                cell,
                "from the first try to the last",
                "" if number else "waited " + ", ".join(f"{name} {cell.text}" for name, cell in waited),
            )
            for number, (name, cell) in enumerate(waited)
        ),
    )
    return Section("retries", "What retries hid", (Figures("Retries", "What retries hid", figures),))


def slowest(judged: Judged) -> Section | None:
    """The slowest requests with what they met; None where none was accepted."""
    if not judged.summary.slowest:
        return None
    rows = tuple(
        Row(
            (
                Cell(f"{one.phase} {one.seq:,}"),
                at(one.sched_s),
                duration(one.age_s) if one.outcome == "completed" else Cell(f"> {units.duration(one.age_s)}"),
                count(one.ahead),
                count(one.instances, "instances"),
                Cell(_capacity_then(one)),
            )
        )
        for one in judged.summary.slowest
    )
    heads = map(Column, ("due", "took", "ahead", "instances"))
    columns = (Column("request", is_text=True), *heads, Column("capacity then", is_text=True))
    note = "ahead: in the system when it was received; instances: serving then."
    table = Table("Slowest", "The slowest requests, and what delayed them", columns, rows, (note,), _SLOWEST_BRIEF)
    return Section("slowest", "The slowest requests", (table,))


def _capacity_then(one: Slow) -> str:
    served = "" if one.served_after_s is None else f"none for {units.duration(one.served_after_s)}"
    return "; ".join(part for part in (served, one.event, "" if one.outcome == "completed" else one.outcome) if part)
