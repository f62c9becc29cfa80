"""What a report says of the run itself: its sums, thresholds and checks, what is notable, how it was measured."""

from collections.abc import Sequence

from smbench import units
from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.rows.clocks import Agreement
from smbench.analysis.summary import Summary
from smbench.analysis.verdict.thresholds import ThresholdResult
from smbench.findings import Verdict
from smbench.view.sections.blocks import (
    Block,
    Cell,
    Column,
    Detail,
    Equations,
    Figure,
    Figures,
    Judged,
    Remark,
    Remarks,
    Row,
    Section,
    Sentence,
    Table,
    Tone,
)
from smbench.view.sections.cells import bounded, count, duration, instant, share, written

TONE_OF_VERDICT = {Verdict.VALID: Tone.GOOD, Verdict.UNKNOWN: Tone.DOUBTFUL, Verdict.INVALID: Tone.BAD}
_PASSED = {
    True: Cell("met", tone=Tone.GOOD),
    False: Cell("missed", tone=Tone.BAD),
    None: Cell("unknown", tone=Tone.DOUBTFUL),
}


def tally(results: Sequence[ThresholdResult]) -> str:
    """How many thresholds were met, missed and are unknown, in a line; empty where there are none."""
    if not results:
        return ""
    n_met, n_missed, n_unknown = (sum(one.passed is passed for one in results) for passed in (True, False, None))
    rest = (f", {n:,} {word}" for n, word in ((n_missed, "missed"), (n_unknown, "unknown")) if n)
    return f"{n_met:,} of {len(results):,} thresholds met" + "".join(rest)


def law(judged: Judged) -> Section:
    """Every request in exactly one place: the sums, and what breaks them."""
    summary = judged.summary
    blocks: list[Block] = [Equations(tuple(summary.counts.equations()))]
    blocks += [Sentence(text, Detail.FULL) for text in summary.violations]
    return Section("law", "Where every request is", tuple(blocks))


def thresholds(judged: Judged) -> Section | None:
    """Each threshold with what was seen; None where there are none."""
    if not judged.thresholds:
        return None
    rows = tuple(
        Row(
            (
                _PASSED[result.passed],
                Cell(result.text, is_code=True),
                _seen(result),
            )
        )
        for result in judged.thresholds
    )
    columns = (Column("verdict", is_text=True), Column("", is_text=True), Column("seen"))
    table = Table("Thresholds", "What was expected of the endpoint", columns, rows, detail=Detail.BRIEF)
    return Section("thresholds", "Thresholds", (table,))


def _seen(result: ThresholdResult) -> Cell:
    if result.low is None:
        return Cell(result.seen, reason=result.seen, note=result.note)
    return Cell(result.seen, result.low if result.low == result.high else None, result.unit, note=result.note)


def checks(judged: Judged) -> Section:
    """Those that found something, whole, the worst first; the others by name."""
    bad = sorted(
        (finding for finding in judged.findings if finding.verdict is not Verdict.VALID),
        key=lambda finding: finding.verdict is not Verdict.INVALID,
    )
    remarks = [
        Remark(one.name, one.seen, one.verdict.value, TONE_OF_VERDICT[one.verdict], one.expected, one.advice)
        for one in bad
    ]
    blocks: list[Block] = [Remarks("Checks", tuple(remarks), Detail.BRIEF)] if remarks else []
    good = [finding.name for finding in judged.findings if finding.verdict is Verdict.VALID]
    if good:
        blocks.append(Remarks("Checks", (Remark("", ", ".join(good), Verdict.VALID.value, Tone.GOOD),)))
    return Section("checks", "Whether the run measured what it says", tuple(blocks))


def observations(judged: Judged) -> Section | None:
    """What is notable in the endpoint's behaviour, and what to do about it; None where nothing does."""
    found = judged.summary.observations
    if not found:
        return None
    remarks = tuple(
        Remark(one.name, one.seen + ("" if one.at_s is None else f", from {instant(one.at_s)} on"), advice=one.advice)
        for one in found
    )
    return Section("observations", "Notable behaviour of the endpoint", (Remarks("Notable", remarks),))


# ---- how it was measured --------------------------------------------------------------------------------------


def measuring(judged: Judged) -> Section:
    """What came through the queue, how the clocks agree, and what measuring took on this machine."""
    summary = judged.summary
    blocks = [_notices(summary), _clocks(summary), _generator(summary)]
    return Section("generator", "How well it was measured", tuple(block for block in blocks if block is not None))


def _notices(summary: Summary) -> Figures | None:
    if summary.is_synchronous:
        return None
    notices, own = summary.notices, summary.generator
    used = f"; {own.receivers_peak} of {own.receivers_max} receivers" if own.receivers_max else ""
    said = (
        f"{notices.n:,} received, {units.counted(notices.n_duplicates, 'duplicate')}, {notices.n_foreign:,} foreign, "
        f"{notices.n_malformed:,} unreadable{used}"
    )
    return Figures(
        "Notices",
        "What came through the queue",
        (
            Figure("received", count(notices.n, "notices"), said=said),
            Figure("duplicates", count(notices.n_duplicates, "notices")),
            Figure("foreign", count(notices.n_foreign, "notices"), "of no request of this run"),
            Figure("unreadable", count(notices.n_malformed, "notices")),
            Figure("receivers used", count(own.receivers_peak, "receivers"), "of one worker, the most at once"),
            Figure("receivers at most", count(own.receivers_max, "receivers")),
        ),
    )


def _clocks(summary: Summary) -> Figures | None:
    """Only where the two clocks differ: then latencies are not simply the difference of two columns."""
    clocks = summary.clocks
    offset = f"AWS's is {units.duration(abs(clocks.offset_s))} {'ahead of' if clocks.offset_s > 0 else 'behind'} ours"
    said = {
        Agreement.OFFSET: f"{offset}, and latencies are corrected by that",
        Agreement.DRIFT: f"{offset} halfway and gains {1e6 * clocks.drift:+.3g} ppm; latencies are corrected",
        Agreement.DISAGREE: f"{offset} in the median, but not always: latencies are not corrected",
    }.get(clocks.agreement)
    if said is None:
        return None
    return Figures(
        "Clocks", "How AWS's clock differs from ours", (Figure("AWS ahead by", duration(clocks.offset_s), said=said),)
    )


def _generator(summary: Summary) -> Figures:
    own, lag = summary.generator, summary.generator.schedule_lag
    figures = [
        Figure("sent late by, p50", bounded(lag.p50), said=_late(lag.p50, lag.p99, lag.max)),
        Figure("sent late by, p99", bounded(lag.p99)),
        Figure("sent late by, at most", bounded(lag.max)),
        Figure("dropped", count(own.n_dropped), "at our own limit of requests in flight", f"dropped {own.n_dropped:,}"),
    ]
    loop = duration(own.loop_lag_max_s)
    cpu, memory = share(own.cpu_share_median), written(own.rss_max_bytes, units.size, "bytes")
    figures += [
        Figure("loop late by, at most", loop, said=f"loop late by at most {loop.text}" if loop.unit else ""),
        Figure("CPU of a core, median", cpu, said=f"CPU {cpu.text} of a core" if cpu.unit else ""),
        Figure("memory", memory, said=f"memory {memory.text}" if memory.unit else ""),
    ]
    return Figures("Generator", "What measuring took on this machine", tuple(figures))


def _late(p50: Bounded | None, p99: Bounded | None, most: Bounded | None) -> str:
    if p50 is None or p99 is None or most is None:
        return ""
    return f"sent late by p50 {p50.text()}, p99 {p99.text()}, max {most.text()}"
