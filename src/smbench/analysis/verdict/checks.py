"""Checks of a run: does it measure what it says? Each check answers: what was expected, what was seen, what to do.

Three verdicts. Invalid: the generator or the bookkeeping was at fault, the figures are not the endpoint's. Unknown:
something keeps the figures from a conclusion. Valid: nothing was found. A check is a function from the run to
a Finding, or to None where it does not apply; one that crashes is unknown. Bad ends of requests are no fault of the
run: they are what it was to find out, and thresholds judge them.
"""

import math
from collections.abc import Sequence

import polars as pl

from smbench import units
from smbench.analysis.numbers.bounds import PERCENTILES
from smbench.analysis.numbers.ordered import commonest
from smbench.analysis.rows.backlog import backlog, time_in_system_ns
from smbench.analysis.rows.clocks import Agreement
from smbench.analysis.rows.cloudwatch import MINUTE_NS, minutes_of_load
from smbench.analysis.rows.columns import only
from smbench.analysis.rows.frames import Frames
from smbench.analysis.summary import Summary
from smbench.analysis.verdict.generator_checks import (
    collector_kept_up,
    emulator_kept_up,
    ends_looked_for,
    generator_healthy,
    load_taken,
    no_throttling,
    offered_achieved,
    places_freed,
    schedule_kept,
    users_kept_sending,
)
from smbench.analysis.verdict.judged_run import Check, Run
from smbench.findings import Finding, Verdict
from smbench.records import Ending
from smbench.scenario.thresholds import ABOVE_MIN, parse_threshold

ENDED_BY_ITSELF = "ended by itself"  # a run that did not fails a gate, whatever else is known
GAPS_MAX = 0.1
LITTLE_RANGE = (0.9, 1.1)  # docs/methods.md#backlog
LITTLE_MINUTES_MIN = 3
_NOT_IN_FILES = ("drained", "ended by itself", "nothing dropped")  # checks of what another tool's file does not say
_OUR_BUG = "report this as a bug in smbench, with the results folder"
APART_MAX_S = 1.0  # between the time zeros of machines that share a load; clocks that follow a time server are closer
_TO_READ_GAUGES = (
    "what scaling did, and AWS's own backlog and utilisation, may have holes: see the permissions and limits of the "
    "calls named, and in CloudWatch whether the metrics are there; latencies are not affected"
)
LITTLE_MEAN_MIN = 1.0  # requests; a smaller backlog is all rounding


def check(
    frames: Frames, summary: Summary, checks: Sequence[Check] | None = None, asked: Sequence[str] = ()
) -> list[Finding]:
    """All findings, in the order of `CHECKS`, without those that mean nothing for the run's kind of target.

    Args:
        asked: Thresholds that are judged beside those of the scenario.
    """
    run = Run(frames, summary, tuple(asked))
    imported_lack = () if frames.manifest.imported is None else _NOT_IN_FILES
    inapplicable = (*frames.manifest.inapplicable, *imported_lack)
    found = (_checked(one, run) for one in (CHECKS if checks is None else checks))
    return [finding for finding in found if finding is not None and finding.name not in inapplicable]


def _checked(one: Check, run: Run) -> Finding | None:
    try:
        return one(run)
    except Exception as error:  # noqa: BLE001  # a verdict must not be lost to a bug in one of its checks
        return Finding(
            name=one.__name__.replace("_", " "),
            verdict=Verdict.UNKNOWN,
            expected="the check runs",
            seen=f"it crashed: {type(error).__name__}: {error}",
            advice=_OUR_BUG,
        )


# ---- the books ------------------------------------------------------------------------------------------------


def conservation(run: Run) -> Finding:
    """Invalid where a request is in two places, or in none."""
    broken = run.summary.violations
    bad = Verdict.UNKNOWN if run.frames.damage else Verdict.INVALID  # what was left out explains what is missing
    advice = "restore the damaged files" if run.frames.damage else _OUR_BUG
    return Finding(
        name="conservation",
        verdict=bad if broken else Verdict.VALID,
        expected="every scheduled request in exactly one place",
        seen="; ".join(broken) or f"{units.counted(run.summary.counts.scheduled, 'request')}, none missing, none twice",
        advice=advice if broken else "",
    )


def files_whole(run: Run) -> Finding | None:
    """Unknown where a file of the results is damaged and was left out."""
    damage = run.frames.damage
    if not damage:
        return None
    return Finding(
        name="files whole",
        verdict=Verdict.UNKNOWN,
        expected="every file of the results as it was written",
        seen="; ".join(damage),
        advice="restore them from a copy; the figures are of the rest",
    )


def run_ended_by_itself(run: Run) -> Finding:
    """Unknown where the run was cancelled, failed or killed; invalid where it is over and requests are unknown."""
    summary, events = run.summary, run.frames.events
    stops = events.filter(pl.col("kind") == "stop")["name"].unique(maintain_order=True).to_list()
    why = "; ".join(dict.fromkeys([*([summary.reason] if summary.reason else []), *stops]))
    is_over, n_unknown = summary.ending != Ending.RUNNING, summary.counts.unknown
    seen = summary.ending + (f": {why}" if why else "") if is_over else "killed: it never said that it was over"
    if summary.n_cut_short:
        seen += f"; {_sent_of_the_schedule(run)}"
    if n_unknown:
        seen += f"; whether {units.requests_were(n_unknown)} sent is not known"
    good = summary.ending in (Ending.FINISHED, Ending.STOPPED) and not summary.n_cut_short and not n_unknown
    return Finding(
        name=ENDED_BY_ITSELF,
        verdict=Verdict.VALID if good else Verdict.INVALID if n_unknown and is_over else Verdict.UNKNOWN,
        expected="the whole schedule was sent, up to a limit of the scenario's or to a certain verdict",
        seen=seen,
        advice="" if good else "run it again; what is here is what was known at that instant",
    )


def _sent_of_the_schedule(run: Run) -> str:
    counts, measured = run.summary.measured, run.frames.measured
    begun = set(only(measured, pl.col("send_ns").is_not_null(), "phase")["phase"].unique())
    never = [f"'{span.name}'" for span in run.frames.spans if span.n and not span.warmup and span.name not in begun]
    share = units.share(counts.sent / counts.scheduled)
    return f"{counts.sent:,} of {counts.scheduled:,} requests were sent ({share})" + (
        f", none of {', '.join(never)}" if never else ""
    )


def sent_in_one_go(run: Run) -> Finding | None:
    """Unknown where a resume sent a part of the load: in the break before it the endpoint had time that it never has.

    No finding where no resume was asked to send.
    """
    rows = run.frames.measured
    if "resume" not in rows.columns or not (later := only(rows, pl.col("resume").is_not_null(), "send_ns")).height:
        return None
    first_ns = later["send_ns"].min()
    before_ns = only(rows, pl.col("resume").is_null() & (pl.col("send_ns") < first_ns), "send_ns")["send_ns"].max()
    pause = ""
    if isinstance(first_ns, int) and isinstance(before_ns, int):
        pause = f", after a break of {units.duration((first_ns - before_ns) / 1e9)}"
    return Finding(
        name="sent in one go",
        verdict=Verdict.UNKNOWN,
        expected="the schedule was sent without a break, so that the endpoint met the load that it describes",
        seen=f"{later.height:,} of {rows.height:,} requests were sent by `smbench resume --continue`{pause}",
        advice="the figures are of the load that there was: a backlog could be worked off in the break; for the "
        "scenario's load run it again",
    )


def something_measured(run: Run) -> Finding | None:
    """Unknown where the endpoint accepted no request of a measured phase; else no finding."""
    counts = run.summary.measured
    if counts.accepted:
        return None
    if counts.sent:
        met = ", ".join(dict.fromkeys(cause.error for cause in run.summary.causes))
        advice = f"see why every submission failed: {met}" if met else "look at the endpoint"
    elif run.summary.n_warmup:
        advice = "every request belongs to a warm-up phase: mark fewer phases `warmup`"
    else:
        advice = "nothing was sent: see how the run ended"
    return Finding(
        name="something measured",
        verdict=Verdict.UNKNOWN,
        expected="at least one accepted request",
        seen=f"{counts.sent:,} sent, none accepted",
        advice=advice,
    )


def drained(run: Run) -> Finding | None:
    """Unknown where accepted requests were still open at the end of the run."""
    counts = run.summary.counts
    if not counts.accepted:
        return None
    open_text = f"{counts.pending:,} of {counts.accepted:,} accepted requests had no end when the run was over"
    lost_text = f"; {counts.lost:,} are lost: too old to end, no notice, no output" if counts.lost else ""
    return Finding(
        name="drained",
        verdict=Verdict.UNKNOWN if counts.pending else Verdict.VALID,
        expected="every accepted request has an end",
        seen=open_text + lost_text,
        advice="give `drain` more time; until then percentiles are bounds" if counts.pending else "",
    )


def ends_observable(run: Run) -> Finding | None:
    """Unknown where the endpoint does not publish how some of the open requests ended."""
    counts, reasons = run.summary.measured, dict.fromkeys(run.frames.unobservable.values())
    if not counts.accepted or not reasons:
        return None
    n_open = counts.pending + counts.lost
    return Finding(
        name="ends observable",
        verdict=Verdict.UNKNOWN if n_open else Verdict.VALID,
        expected="the endpoint publishes every end",
        seen="; ".join(reasons)
        + (f"; {units.counted(n_open, 'request has', 'requests have')} no known end" if n_open else ""),
        advice="add SuccessTopic and ErrorTopic to AsyncInferenceConfig.OutputConfig.NotificationConfig"
        if n_open
        else "",
    )


def notices_unique_and_ours(run: Run) -> Finding | None:
    """Unknown where notices of another run or user arrived; duplicates are counted once and do no harm."""
    notices = run.summary.notices
    if not notices.n and not notices.n_foreign:
        return None
    return Finding(
        name="notices ours",
        verdict=Verdict.UNKNOWN if notices.n_foreign else Verdict.VALID,
        expected="only notices of this run; a notice may come twice, it counts once",
        seen=f"{units.counted(notices.n, 'notice')}, {units.counted(notices.n_duplicates, 'duplicate')}, "
        f"{notices.n_foreign:,} foreign, {notices.n_malformed:,} unreadable",
        advice="another user of endpoint or queue: their load is in these figures" if notices.n_foreign else "",
    )


def imported(run: Run) -> Finding | None:
    """Unknown for a run that another tool sent: whether that tool kept its schedule is in no file."""
    source = run.frames.manifest.imported
    if source is None:
        return None
    return Finding(
        name="imported",
        verdict=Verdict.UNKNOWN,
        expected="smbench sent the requests, and watched itself",
        seen=source.in_words,
        advice="compare it with runs of the same tool, or send the same load by smbench",
    )


def shards_together(run: Run) -> Finding | None:
    """Unknown where the machines that shared the load did not begin together: it was never the scenario's load."""
    began = [shard.began for shard in run.frames.manifest.shards if shard.began is not None]
    if not began:
        return None
    apart_s = (max(began) - min(began)).total_seconds()
    apart = apart_s > APART_MAX_S
    shards = units.counted(len(began), "shard")
    return Finding(
        name="shards together",
        verdict=Verdict.UNKNOWN if apart else Verdict.VALID,
        expected="all shards have one time zero, so that their loads add up to the scenario's",
        seen=f"{shards} began, up to {units.duration(apart_s)} apart" if apart else "they have",
        advice="the figures show the load that was sent; for the scenario's load set a start: `smbench order --go`"
        if apart
        else "",
    )


# ---- the endpoint's side --------------------------------------------------------------------------------------


def clocks_agree(run: Run) -> Finding | None:
    """Unknown where AWS's clock differs from ours neither by a constant nor by a line; those are corrected."""
    clocks = run.summary.clocks
    if clocks.agreement is Agreement.UNKNOWN:
        return None
    ahead = "ahead of" if clocks.offset_s >= 0 else "behind"
    offset = f"AWS's clock is {units.duration(abs(clocks.offset_s))} {ahead} ours"
    outside = f"{units.share(clocks.violation_share)} of {clocks.n:,} requests were received outside send..ack"
    seen = {
        Agreement.AGREE: f"within {units.duration(max(abs(clocks.offset_s), clocks.uncertainty_s))}",
        Agreement.OFFSET: f"{offset}, always; latencies are corrected by that",
        Agreement.DRIFT: f"{offset} halfway, and gains {1e6 * clocks.drift:+.3g} ppm; latencies are corrected",
        Agreement.DISAGREE: f"{offset} in the median, but not always: {outside}",
    }[clocks.agreement]
    bad = clocks.agreement is Agreement.DISAGREE
    return Finding(
        name="clocks agree",
        verdict=Verdict.UNKNOWN if bad else Verdict.VALID,
        expected="AWS received each request between our send and its acknowledgement, or away by a constant or a line",
        seen=seen,
        advice="latencies mix two clocks: let this machine follow a time server" if bad else "",
    )


def gauges_without_gaps(run: Run) -> Finding | None:
    """Unknown where more than `GAPS_MAX` of the readings of AWS are missing, or of the minutes that CloudWatch owed."""
    is_of_aws = pl.col("source").is_in(["cloudwatch", "endpoint"])
    readings = only(run.frames.readings, is_of_aws, "value", "detail")
    if not readings.height:
        return None
    gaps = readings.filter(readings["value"].is_null())
    minutes = minutes_of_load(run.frames)
    is_silent = minutes is not None and minutes.n_missing > GAPS_MAX * minutes.n_due
    bad = is_silent or gaps.height > GAPS_MAX * readings.height
    why = commonest(gaps["detail"].filter(gaps["detail"] != ""))
    seen = f"{gaps.height:,} of {readings.height:,} readings missing" + (f", mostly: {why}" if why else "")
    return Finding(
        name="gauges read",
        verdict=Verdict.UNKNOWN if bad else Verdict.VALID,
        expected=f"at most {units.share(GAPS_MAX)} of the readings missing, and of CloudWatch's minutes with load",
        seen=f"{minutes}; {seen}" if minutes is not None and minutes.n_missing else seen,
        advice=_TO_READ_GAUGES if bad else "",
    )


def littles_law(run: Run) -> Finding | None:
    """Our rows against themselves, exactly, and AWS's backlog against ours, minute by minute."""
    frames = run.frames
    curve = frames.backlog
    if not len(curve.at_ns):
        return None
    area_ns, stays_ns = curve.area_ns(), time_in_system_ns(frames.requests, frames.end_ns)
    if area_ns != stays_ns:
        return Finding(
            name="little's law",
            verdict=Verdict.INVALID,
            expected=f"the area under the backlog is the time spent in the system, {stays_ns:,} ns",
            seen=f"{area_ns:,} ns",
            advice=_OUR_BUG,
        )
    told = _reported_backlog(frames)
    own = curve.means(told["at_ns"].to_numpy(), MINUTE_NS)
    if len(own) < LITTLE_MINUTES_MIN or own.mean() < LITTLE_MEAN_MIN:
        minutes = minutes_of_load(frames)
        is_silent = minutes is not None and not minutes.n_reported
        return Finding(
            name="little's law",
            verdict=Verdict.VALID,
            expected="the area under the backlog is the time spent in the system",
            seen="it is, to the nanosecond" + (f"; AWS's own backlog is not known: {minutes}" if is_silent else ""),
        )
    ratio = float(told["value"].sum() / own.sum())
    highest = _ratio_at_most(frames, told, ratio)
    good = ratio <= LITTLE_RANGE[1] and highest >= LITTLE_RANGE[0]
    ours = f"{ratio:.2f} to {highest:.2f}" if highest > ratio else f"{ratio:.2f}"
    return Finding(
        name="little's law",
        verdict=Verdict.VALID if good else Verdict.UNKNOWN,
        expected=f"AWS's backlog is ours, within {LITTLE_RANGE[0]:g} to {LITTLE_RANGE[1]:g} times",
        seen=f"{ours} times ours over {units.counted(len(own), 'minute')}",
        advice=""
        if good
        else "other traffic on the endpoint, lost notices, or a backlog that AWS counts without running requests",
    )


def _ratio_at_most(frames: Frames, told: pl.DataFrame, ratio: float) -> float:
    """AWS's backlog over ours, had each request left as early as it may have."""
    if frames.earliest_ends is None:
        return ratio
    least = backlog(frames.earliest_ends, frames.end_ns).means(told["at_ns"].to_numpy(), MINUTE_NS).sum()
    return float(told["value"].sum() / least) if least else math.inf


def _reported_backlog(frames: Frames) -> pl.DataFrame:
    is_it = (pl.col("name") == "ApproximateBacklogSize") & (pl.col("stat") == "average")
    is_inside = (pl.col("at_ns") >= 0) & (pl.col("at_ns") + MINUTE_NS <= frames.end_ns)
    return only(frames.readings, is_it & pl.col("value").is_not_null() & is_inside, "at_ns", "value").sort("at_ns")


def enough_requests(run: Run) -> Finding | None:
    """Percentiles that thresholds name need requests above them; the others are only marked in the report."""
    summary = run.summary
    if not summary.sojourn.n:
        return None
    thin = [name for name in PERCENTILES if name != "p999" and summary.sojourn.is_thin(name)]
    need = _needed((*run.frames.manifest.scenario.get("thresholds", ()), *run.asked))
    thin_asked = sorted(metric for metric, n in need.items() if summary.sojourn.n < n)
    return Finding(
        name="enough requests",
        verdict=Verdict.UNKNOWN if thin_asked else Verdict.VALID,
        expected=f"at least {ABOVE_MIN} requests above each percentile that a threshold names",
        seen=units.counted(summary.sojourn.n, "request") + (f", too few for {', '.join(thin)}" if thin else ""),
        advice=f"{thin_asked[0]} needs {need[thin_asked[0]]:,} requests" if thin_asked else "",
    )


def _needed(thresholds: Sequence[str]) -> dict[str, int]:
    """How many requests each percentile takes that a threshold names."""
    return {asked.metric: asked.n_needed for asked in map(parse_threshold, thresholds) if asked.n_needed}


CHECKS: tuple[Check, ...] = (
    conservation,
    files_whole,
    imported,
    run_ended_by_itself,
    shards_together,
    sent_in_one_go,
    something_measured,
    schedule_kept,
    offered_achieved,
    users_kept_sending,
    places_freed,
    generator_healthy,
    emulator_kept_up,
    collector_kept_up,
    ends_looked_for,
    drained,
    ends_observable,
    notices_unique_and_ours,
    clocks_agree,
    no_throttling,
    load_taken,
    gauges_without_gaps,
    littles_law,
    enough_requests,
)
