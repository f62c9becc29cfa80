"""Whether the endpoint met the load of the schedule: else its figures are of another.

The generator, the emulator or this machine may have been the bottleneck, and AWS may not have taken what was sent.
"""

import polars as pl

from smbench import units
from smbench.analysis.capacity.cost import looks_for_ends, looks_usd
from smbench.analysis.latency.lateness import lag_limit_s, touched
from smbench.analysis.numbers.bounds import Bounded, distribution
from smbench.analysis.rows.columns import only
from smbench.analysis.rows.frames import Frames
from smbench.analysis.summary import Generator, Summary
from smbench.analysis.verdict.judged_run import Run
from smbench.findings import Finding, Verdict
from smbench.records import Outcome, is_throttle
from smbench.schedule.base import PhaseSpan

THROTTLED_MAX = 0.1
REFUSED_MAX = 0.1
SATURATED_MAX_S = 5.0  # a burst that was over in less was taken soon enough
OBSERVER_LAG_MAX_S = 10.0  # later news is no harm to a latency, but to what was known when the run was over
CLOSED_LAG_FLOOR_S, CLOSED_LAG_SHARE = 1.0, 0.1  # in a closed loop our own lag is part of every turn
LOOP_LAG_MAX_S = 0.5  # a loop that hung for longer stamped answers late by as much
CPU_SHARE_MAX = 0.95
PLACES_STUCK_MAX = 0.01  # of a closed phase: so many fewer requests were open than planned
EMULATOR_LAG_MIN_S = 0.05  # a process that shares two cores is late by less now and then
EMULATOR_CPU_SHARE_MAX = 0.85  # a mean over the drain, too: in the busiest seconds it has no rest

_OF_AN_END = ("send_ns", "done_ns", "doubt_ns", "seen_ns", "is_impossible")
_OF_A_PLACE = ("phase", "end_from", "done_ns", "seen_ns")
LATE_ADVICE, BUSY_ADVICE = "lower the rate, or free the machine", "free the machine, or use a larger one"


def schedule_kept(run: Run) -> Finding | None:
    """Invalid where p99 of the schedule lag is beyond `lag_limit_s`; unknown where a rarer lag reaches a percentile."""
    summary, lag = run.summary, run.summary.generator.schedule_lag
    if run.is_virtual or lag.p99 is None or lag.max is None:
        return None
    limit_s = lag_limit_s(None if summary.sojourn.p50 is None else summary.sojourn.p50.low)
    late, reached = lag.p99.low > limit_s, touched(run.frames, limit_s)
    seen = f"p99 {lag.p99.text()} late, at most {lag.max.text()}"
    if reached:
        seen += "; without it " + ", ".join(_without(name, bounds) for name, bounds in reached.items())
    free = f"lower the scale of time, {summary.scale:g}" if summary.clock == "scaled" else LATE_ADVICE
    if any(niceness >= 0 for niceness in run.frames.manifest.niceness.values()):
        free += ", or permit a higher priority than ordinary processes have (root, or CAP_SYS_NICE)"
    return Finding(
        name="schedule kept",
        verdict=Verdict.INVALID if late else Verdict.UNKNOWN if reached else Verdict.VALID,
        expected=f"99 % of requests sent within {units.duration(limit_s)} of when they were due, and no percentile "
        "of latency longer for our lateness",
        seen=seen,
        advice=free if late or reached else "",
    )


def _without(name: str, bounds: Bounded) -> str:
    assert bounds.high is not None
    return f"{name} is {units.duration(bounds.low)} instead of {units.duration(bounds.high)}"


def offered_achieved(run: Run) -> Finding | None:
    """Invalid where our own in-flight limit dropped requests."""
    dropped, due = run.summary.generator.n_dropped, run.summary.measured.scheduled
    if not due:
        return None
    return Finding(
        name="nothing dropped",
        verdict=Verdict.INVALID if dropped else Verdict.VALID,
        expected="no request held back by our own limit",
        seen=f"{dropped:,} of {due:,} were not sent: the in-flight limit was reached"
        if dropped
        else f"none of {due:,}",
        advice="raise `limits.in_flight`, or ask why the endpoint answers so slowly" if dropped else "",
    )


def users_kept_sending(run: Run) -> Finding | None:
    """Unknown where users ran out of requests before their phase was over, and the scenario had set no such bound."""
    crowds = [span for span in run.frames.spans if span.kind in ("users", "stairs") and not span.warmup]
    if not crowds:
        return None
    released = only(run.frames.measured, pl.col("sched_ns").is_not_null(), "phase")
    n_released = dict(released.group_by("phase").len().iter_rows())
    load = run.frames.manifest.scenario.get("load", [])
    ran_out = [
        f"the {span.n:,} requests of '{span.name}'"
        for span in crowds
        if n_released.get(span.name, 0) >= span.n
        and not (span.index < len(load) and load[span.index].get(span.kind, {}).get("requests"))
    ]
    return Finding(
        name="users kept sending",
        verdict=Verdict.UNKNOWN if ran_out else Verdict.VALID,
        expected="a next request for every user until the phase's end",
        seen=f"{' and '.join(ran_out)} were all sent before its end" if ran_out else "requests were left",
        advice="set `requests` of the phase to more than its users can send" if ran_out else "",
    )


def places_freed(run: Run) -> Finding | None:
    """Invalid where lost or late notices kept so many places of a closed phase taken that the load was another."""
    frames = run.frames
    if run.summary.notices.looked_every_s is not None:
        return None
    ends = only(frames.measured, pl.col("end_from").is_in(["output", "notice"]), *_OF_A_PLACE)
    limit_ns = round(_lag_limit_s(run.summary) * 1e9)
    found: list[str] = []
    for span in frames.spans:
        if not span.outstanding:
            continue
        n_stuck = _n_stuck(ends.filter(pl.col("end_from") == "output"), span)
        if n_stuck > PLACES_STUCK_MAX * span.outstanding:
            found.append(
                f"{n_stuck:,} of the {span.outstanding:,} places of '{span.name}' stayed taken: the requests ended, "
                "and no notice said so"
            )
        elif (
            idle := _idle_share(frames, ends.filter(pl.col("end_from") == "notice"), span, limit_ns)
        ) > PLACES_STUCK_MAX:
            found.append(
                f"the places of '{span.name}' stayed taken for {units.share(idle)} of their time by requests that had "
                "ended: notices came late"
            )
    if not found:
        return None
    return Finding(
        name="places freed",
        verdict=Verdict.INVALID,
        expected="in a closed loop, each end frees the place of its request",
        seen="; ".join(found),
        advice="see why notices were lost or late (topics, subscriptions, queue): the load was lower than planned",
    )


def _n_stuck(unheard: pl.DataFrame, span: PhaseSpan) -> int:
    """Of a phase's places, those whose request had ended before the phase did."""
    is_it = pl.col("phase") == span.name
    return unheard.filter(is_it if span.end_ns is None else is_it & (pl.col("done_ns") < span.end_ns)).height


def _idle_share(frames: Frames, heard: pl.DataFrame, span: PhaseSpan, limit_ns: int) -> float:
    """Of the time of a phase's places, how much passed between an end and a notice later than the limit; 0 to 1.

    Until the phase is over: until its last send, where all of its requests were sent.
    """
    rows = only(frames.requests, pl.col("phase") == span.name, "send_ns")
    last_send_ns = rows["send_ns"].max()
    is_all_sent = not rows["send_ns"].null_count()
    over_ns = last_send_ns if is_all_sent or span.end_ns is None else span.end_ns
    if not isinstance(over_ns, int) or over_ns <= span.start_ns:
        return 0.0
    is_late = (pl.col("phase") == span.name) & (pl.col("seen_ns") - pl.col("done_ns") > limit_ns)
    late = only(heard, is_late, pl.min_horizontal("seen_ns", pl.lit(over_ns)) - pl.col("done_ns"))
    return float(late.to_series().clip(0).sum()) / ((span.outstanding or 1) * (over_ns - span.start_ns))


def generator_healthy(run: Run) -> Finding | None:
    """Unknown where the worker's loop hung or its core was always busy; not asked in warp time."""
    generator = run.summary.generator
    lag_s, cpu = generator.loop_lag_max_s, generator.cpu_share_median
    if run.is_virtual or lag_s is None:
        return None
    late, busy = lag_s > LOOP_LAG_MAX_S, cpu is not None and cpu > CPU_SHARE_MAX
    return Finding(
        name="generator healthy",
        verdict=Verdict.UNKNOWN if late or busy else Verdict.VALID,
        expected=f"its loop never later than {units.duration(LOOP_LAG_MAX_S)}, its core not always busy",
        seen=f"loop at most {units.duration(lag_s)} late, CPU {units.share(cpu)} of a core (median)",
        advice=BUSY_ADVICE if late or busy else "",
    )


def emulator_kept_up(run: Run) -> Finding | None:
    """Unknown where the emulated endpoint's process was the limit, or did not run for longer than a lag may be."""
    effort = run.frames.manifest.emulator
    if effort is None:
        return None
    median = run.summary.sojourn.p50
    limit_s = lag_limit_s(None if median is None else median.low)
    busy, lag_s = effort.cpu_share > EMULATOR_CPU_SHARE_MAX, effort.loop_lag_max_s
    paused = lag_s is not None and lag_s > max(limit_s, EMULATOR_LAG_MIN_S)
    advice = ["lower the rate: the emulated endpoint, which is one process, was the limit"] if busy else []
    if paused:
        advice.append("free the machine: latencies hold the time for which the emulated endpoint's process did not run")
    return Finding(
        name="emulator kept up",
        verdict=Verdict.UNKNOWN if busy or paused else Verdict.VALID,
        expected=f"the emulated endpoint's process uses at most {units.share(EMULATOR_CPU_SHARE_MAX)} of a core and is "
        f"never more than {units.duration(max(limit_s, EMULATOR_LAG_MIN_S))} late",
        seen=f"{units.share(effort.cpu_share)} of a core, over the whole run"
        + ("" if lag_s is None else f"; at most {units.duration(lag_s)} late"),
        advice="; ".join(advice),
    )


def collector_kept_up(run: Run) -> Finding | None:
    """Ends bear AWS's own stamps, so a late notice falsifies no latency; but a closed loop sends at a notice."""
    summary, generator = run.summary, run.summary.generator
    saturated_s, lag = generator.receivers_saturated_s or 0.0, summary.observer_lag.p99
    if lag is None and generator.receivers_saturated_s is None:
        return None
    is_closed = any(span.outstanding is not None for span in run.frames.spans)
    limit_s = _lag_limit_s(summary) if is_closed else OBSERVER_LAG_MAX_S
    is_saturated, is_late = saturated_s > SATURATED_MAX_S, lag is not None and lag.low > limit_s
    is_behind = is_saturated or is_late
    bad = Verdict.INVALID if is_closed else Verdict.UNKNOWN
    return Finding(
        name="collector kept up",
        verdict=bad if is_behind else Verdict.VALID,
        expected=f"99 % of notices received within {units.duration(limit_s)}, "
        f"all receivers full for at most {units.duration(SATURATED_MAX_S)}",
        seen=_heard(generator, lag, saturated_s),
        advice=_to_keep_up(run, is_saturated=is_saturated) if is_behind else "",
    )


def ends_looked_for(run: Run) -> Finding | None:
    """Of a run without notices: how well its ends are known. Unknown where S3's clock and ours contradict each other.

    Invalid in a closed loop that saw them too late, because it sends at an end.
    """
    frames, every_s = run.frames, run.summary.notices.looked_every_s
    if every_s is None:
        return None
    found = only(frames.measured, pl.col("end_from") == "output", *_OF_AN_END)
    disagree = run.summary.notices.is_stamp_wrong
    after_s = (found["seen_ns"] - found["done_ns"] + found["doubt_ns"]).to_numpy() / 1e9
    late = None if disagree else distribution(after_s).p99
    limit_s = _lag_limit_s(run.summary)
    is_closed = any(span.outstanding is not None for span in frames.spans)
    is_late = is_closed and late is not None and late.low > limit_s
    n_heads, n_lists = looks_for_ends(frames)
    bounds = "between its send and when it was seen" if disagree else "to the second by S3's stamp"
    seen = [
        f"{units.counted(found.height, 'end')}, each known {bounds}"
        + ("" if disagree else ", so latencies are bounds 1 s wide")
    ]
    seen += [] if late is None else [f"99 % seen within {late.text()} of it"]
    seen.append(f"{n_heads:,} HEAD and {n_lists:,} LIST calls, {units.usd(looks_usd(frames))}")
    if disagree:
        n_impossible = int(found["is_impossible"].sum())
        seen.append(f"S3 stamped {n_impossible:,} after we had seen them, or before they were sent")
    advice = "let this machine follow a time server: latencies mix S3's clock and ours" if disagree else ""
    return Finding(
        name="ends looked for",
        verdict=Verdict.INVALID if is_late else Verdict.UNKNOWN if disagree else Verdict.VALID,
        expected=f"no notice: every output looked for every {units.duration(every_s)}"
        + (f", and seen within {units.duration(limit_s)}, because a closed loop sends at an end" if is_closed else ""),
        seen="; ".join(seen),
        advice="lower `collector.look_every`, or use an endpoint with topics" if is_late else advice,
    )


def no_throttling(run: Run) -> Finding | None:
    """Unknown where AWS throttled more than `THROTTLED_MAX` of the submissions."""
    sent = run.summary.measured.sent
    if not sent:
        return None
    throttled = _n_throttled(run)
    much = throttled > THROTTLED_MAX * sent
    return Finding(
        name="not throttled",
        verdict=Verdict.UNKNOWN if much else Verdict.VALID,
        expected=f"at most {units.share(THROTTLED_MAX)} of the submissions throttled",
        seen=f"{throttled:,} of {sent:,}" if throttled else "none",
        advice="the endpoint saw less load than the schedule says: lower the rate or raise the quota" if much else "",
    )


def load_taken(run: Run) -> Finding | None:
    """Unknown where more than `REFUSED_MAX` of the submissions were not taken, throttles apart, which have a check.

    Of a synchronous call without an answer the endpoint may have had all the work.
    """
    counts, throttled = run.summary.measured, _n_throttled(run)
    if not counts.sent or run.frames.manifest.imported is not None:
        return None
    is_called = run.frames.manifest.target.get("kind", "async") != "async"
    n_refused, n_unanswered = counts.rejected - throttled, 0 if is_called else counts.transport_error
    much = n_refused + n_unanswered > REFUSED_MAX * counts.sent
    found = ((n_refused, "refused"), (n_unanswered, "without an answer"))
    seen = " and ".join(f"{n:,} of {counts.sent:,} {what}" for n, what in found if n)
    return Finding(
        name="load taken",
        verdict=Verdict.UNKNOWN if much else Verdict.VALID,
        expected=f"at most {units.share(REFUSED_MAX)} of the submissions refused or without an answer",
        seen=seen or "none",
        advice="the endpoint saw less load than the schedule says: see the errors and mend their cause" if much else "",
    )


def _n_throttled(run: Run) -> int:
    causes = run.summary.causes
    return sum(cause.n for cause in causes if cause.outcome == Outcome.REJECTED and is_throttle(cause.error))


def _heard(generator: Generator, lag: Bounded | None, saturated_s: float) -> str:
    seen = [] if lag is None else [f"p99 {lag.text()} from publication to us"]
    if generator.receivers_max:
        full = f"all full for {units.duration(saturated_s)} on end" if saturated_s else "not all full for long"
        seen.append(f"{generator.receivers_peak} of {generator.receivers_max} receivers, {full}")
    return "; ".join(seen)


def _lag_limit_s(summary: Summary) -> float:
    median = summary.sojourn.p50
    share_s = CLOSED_LAG_SHARE * (median.low if median is not None else 0.0)
    return min(OBSERVER_LAG_MAX_S, max(CLOSED_LAG_FLOOR_S, share_s))


def _to_keep_up(run: Run, *, is_saturated: bool) -> str:
    generator = run.summary.generator
    if is_saturated and generator.n_waits_for_deletion:
        return "deletes were behind, and receivers waited for them: raise `collector.receivers`, or use `--workers N`"
    if is_saturated:
        return "raise `collector.receivers`, or use `--workers N`, each with a queue of its own"
    if generator.n_receive_errors:
        return f"the queue gave no answer {generator.n_receive_errors:,} times: see to the network, and run it again"
    return "SNS, SQS or this machine was slow to pass them on: free the machine, or run it again"
