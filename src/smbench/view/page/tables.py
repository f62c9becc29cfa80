"""The tables of a page: the figures of a summary as rows of text, with what each column is."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from smbench import units
from smbench.analysis.latency.intervals import Interval
from smbench.analysis.latency.over_time import FROM_ACCEPTANCE, FROM_SCHEDULE, FROM_SEND
from smbench.analysis.numbers.bounds import PERCENTILES, Bounded, Distribution
from smbench.analysis.numbers.known import then, why_unknown
from smbench.analysis.summary import Summary
from smbench.analysis.verdict.thresholds import ThresholdResult
from smbench.records import Unknown
from smbench.view.page.load_plots import clock
from smbench.view.report.predicted import BAND_HEADS, band_caption, band_rows
from smbench.view.report.text import CLOSED_NOTE, rate_cells

_PASSED = {True: "met", False: "missed", None: "unknown"}
_PERCENTILE_HEADS = {"p50": "p50", "p90": "p90", "p95": "p95", "p99": "p99", "p999": "p99.9", "max": "max"}

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under heads. The first cell of a row is its head; `n_text` columns are words, the others figures."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    n_text: int = 1


def thresholds(results: Sequence[ThresholdResult]) -> Table | None:
    """Each threshold with its verdict; None where the scenario has none."""
    if not results:
        return None
    rows = tuple((result.text, _PASSED[result.passed], result.seen) for result in results)
    return Table("Thresholds of the scenario", ("threshold", "", "seen"), rows, n_text=2)


def replications(summary: Summary) -> Table | None:
    """The band of each metric of a prediction; None where there is none."""
    if not (caption := band_caption(summary)):
        return None
    return Table(caption, BAND_HEADS, tuple(band_rows(summary)))


def rates(summary: Summary) -> Table | None:
    """Rates by phase and of the run; None where nothing was scheduled."""
    if not summary.counts.scheduled:
        return None
    rows = [
        (f"{phase.name} (warm-up)" if phase.warmup else phase.name, *rate_cells(phase.rates))
        for phase in summary.phases
    ]
    if len(summary.phases) != 1:
        rows.append(("all but warm-up" if summary.n_warmup else "all", *rate_cells(summary.rates)))
    notes = []
    if any(phase.kind == "closed" for phase in summary.phases):
        notes.append(CLOSED_NOTE)
    heads = ("phase", "due", "length", "offered", "achieved", "accepted", "completed")
    return Table("Rates, phase by phase", heads, tuple(rows), tuple(notes))


# ---- latency --------------------------------------------------------------------------------------------------


def latencies(summary: Summary) -> Table | None:
    """Percentiles of each latency; None where nothing was sent."""
    if not summary.measured.sent:
        return None
    rows = [
        (FROM_SCHEDULE.name, summary.sojourn),
        (FROM_SEND.name, summary.from_send),
        (FROM_ACCEPTANCE.name, summary.service_view),
        ("acknowledgement", summary.ack),
        ("end to notice", summary.hearing),
    ]
    spread = summary.sojourn
    notes = []
    if spread.n_never or spread.n_censored:
        notes.append(
            f"Of {spread.n:,} accepted, {spread.n_never:,} failed or expired and {spread.n_censored:,} had no end yet. "
            "They count in every percentile: > is as long as was watched."
        )
    if summary.notices.n_from_outputs:
        notes.append(f"Ends found in S3, known to the second only: {summary.notices.n_from_outputs:,}.")
    return _spreads("Latency and what is beside it", "", rows, notes)


def stages(summary: Summary) -> Table | None:
    """Percentiles of each stage, with what each means; None where none is known."""
    rows = [(stage.name, stage.spread) for stage in summary.stages]
    notes = [
        f"{stage.name.capitalize()}: {stage.meaning}" + (f". {stage.reason.capitalize()}." if stage.reason else ".")
        for stage in summary.stages
    ]
    is_known = any(spread.n for _, spread in rows)
    return _spreads("A request's time, stage by stage", "stage", rows, notes) if is_known else None


def _spreads(caption: str, head: str, rows: Sequence[tuple[str, Distribution]], notes: Iterable[str]) -> Table:
    shown = [name for name in PERCENTILES if any(spread.percentile(name) is not None for _, spread in rows)]
    cells = tuple((name, f"{spread.n:,}", *(_percentile(spread, one) for one in shown)) for name, spread in rows)
    is_thin = any(spread.n and spread.is_thin(name) for _, spread in rows for name in shown)
    thin = ("~ fewer than ten requests lie above it.",) if is_thin else ()
    return Table(caption, (head, "n", *(_PERCENTILE_HEADS[name] for name in shown)), cells, (*notes, *thin))


def _percentile(spread: Distribution, name: str) -> str:
    figure = spread.percentile(name)
    if figure is None:
        return "-"
    return f"~{figure.text()}" if spread.is_thin(name) else figure.text()


def intervals(summary: Summary) -> Table | None:
    """Each percentile with its interval, or why it has none; one reason for all is said once."""
    if not summary.intervals or all(isinstance(one, Unknown) for one in summary.intervals.values()):
        return None
    rows = tuple(
        (_PERCENTILE_HEADS[name], _percentile(summary.sojourn, name), *_interval(interval))
        for name, interval in summary.intervals.items()
    )
    heads = ("percentile", "of this run", "95 % interval", "by")
    return Table("Latency from schedule: how far the percentiles may be from the endpoint's own", heads, rows)


def _interval(interval: Interval | Unknown) -> tuple[str, str]:
    if isinstance(interval, Unknown):
        return "none", interval.reason
    high = "no bound" if interval.high_s is None else units.duration(interval.high_s)
    return f"{units.duration(interval.low_s)} to {high}", interval.method


def why_no_intervals(summary: Summary) -> str:
    """One sentence where no percentile has an interval; empty where one has, or there are no percentiles."""
    reasons = [one.reason for one in summary.intervals.values() if isinstance(one, Unknown)]
    if not reasons or len(reasons) < len(summary.intervals):
        return ""
    return "Intervals of these percentiles: " + "; ".join(dict.fromkeys(reasons)) + "."


# ---- the endpoint ---------------------------------------------------------------------------------------------


def scaling(summary: Summary) -> Table | None:
    """The changes of capacity; None where there were none."""
    steps = summary.scaling.steps
    if not steps:
        return None
    rows = []
    for step in steps:
        before = "?" if step.before is None else str(step.before)
        state = "" if step.state in ("", "Successful") else f" {step.state}"
        instants = (step.breach_at_s, step.alarm_at_s, step.decided_at_s, step.in_service_at_s)
        first_end_s = step.first_completion_at_s if step.is_out else None
        delays = (step.detection_s, step.provisioning_s)
        rows.append(
            (
                f"{before} → {step.after}{state}",
                *("-" if at_s is None else clock(at_s) for at_s in (*instants, first_end_s)),
                *("-" if delay_s is None else units.duration(delay_s) for delay_s in delays),
            )
        )
    note = (
        "Breach: the first minute beyond the alarm's threshold; first end: the first completion once the capacity "
        "served. Instants are minutes:seconds of the run."
    )
    heads = ("instances", "breach", "alarm", "decided", "serving", "first end", "detection", "provision")
    return Table("Scaling, decision by decision", heads, tuple(rows), (note,))


def elasticity(summary: Summary) -> Table | None:
    """How capacity followed load, one figure a row."""
    found = summary.elasticity
    if isinstance(found, Unknown):
        return None
    rows: list[tuple[str, str, str]] = [
        ("instances serving", f"{found.instances_mean:.2f} in the mean, {found.instances_max:,} at most", "over time"),
        _row("detection", found.detection_s, units.duration, "breach to decision, mean of the scale-outs"),
        _row(
            "provisioning",
            found.provision_s,
            units.duration,
            "decision to capacity that serves, mean of the scale-outs",
        ),
        _row("utilisation", found.utilisation, units.share, "slot-seconds worked, of those there were"),
        _row("throughput", found.throughput_hz, units.rate, "completions over time"),
        _row("throughput bound", found.throughput_bound_hz, units.rate, "with every slot always busy"),
        _row(
            "time to drain", found.time_to_drain, Bounded.text, "from the peak until the backlog fitted into the slots"
        ),
        _row("drain bound", found.drain_bound_s, units.duration, "after the last send, with every slot busy"),
        _row("drain efficiency", found.drain_efficiency, units.share, "the bound over the time it took"),
        _row("backlog area", found.backlog_area_s, lambda area: f"{area:,.0f} request-s", "waited for a slot"),
        (
            "oscillations",
            f"{found.oscillations:,}",
            f"scale-ins undone within {units.duration(found.oscillation_window_s)}",
        ),
        (
            "capacity hole",
            f"{units.duration(found.hole_s)}, the longest {units.duration(found.hole_longest_s)}",
            "requests in the system and no instance serving"
            + (f"; the longest from {clock(found.hole_at_s)}" if found.hole_at_s is not None else ""),
        ),
    ]
    against = found.provisioning
    if not isinstance(against, Unknown):
        rows += [
            (
                "too few instances",
                f"{against.under_instances:.2f}; {units.share(against.under_time_share)} of the time",
                "mean over time",
            ),
            (
                "too many instances",
                f"{against.over_instances:.2f}; {units.share(against.over_time_share)} of the time",
                "mean over time",
            ),
            _row("idle share", against.idle_share, units.share, "too many, of those that served"),
            _row(
                "instability",
                against.instability,
                units.share,
                why_unknown(against.instability) or "of the time, supply and need went different ways",
            ),
            _row(
                "jitter",
                against.jitter_per_hour,
                lambda per_hour: f"{per_hour:+.1f}/h",
                why_unknown(against.jitter_per_hour) or "changes of supply, less those of need",
            ),
        ]
        note = (
            f"Needed: the arrivals of the last {units.duration(against.window_s)}, times a service of "
            f"{units.duration(against.service_s)}, over {against.concurrency:,} at once on an instance, rounded up."
        )
    else:
        note = f"Against need: {against.reason}."
    return Table("How capacity followed load", ("figure", "value", "what it is"), tuple(rows), (note,), 3)


def _row(name: str, value: _Value | Unknown, write: Callable[[_Value], str], meaning: str) -> tuple[str, str, str]:
    return (name, "-" if isinstance(value, Unknown) else write(value), meaning)


def cost(summary: Summary) -> Table | None:
    """What was paid, in instance-seconds and, where the price is known, in USD."""
    found = summary.cost
    if isinstance(found, Unknown):
        return None
    price_usd = found.price_usd

    def usd(instance_s: float | Unknown) -> str:
        return _usd(then(price_usd, lambda price: then(instance_s, lambda spent: spent * price / 3600)))

    def seconds(value: float | Unknown) -> str:
        return "-" if isinstance(value, Unknown) else f"{value:,.0f}"

    rows = [
        ("paid", seconds(found.instance_s), _usd(found.usd)),
        ("useful: what the work fills, every slot busy", seconds(found.useful_s), usd(found.useful_s)),
        ("cold: paid, not yet serving", seconds(found.cold_s), usd(found.cold_s)),
        ("idle", seconds(found.idle_s), usd(found.idle_s)),
        (
            f"per 1,000 completions ({found.n_completed:,})",
            seconds(found.instance_s_per_1000),
            _usd(found.usd_per_1000),
        ),
    ]
    if found.deadline_s is not None:
        within = "-" if found.n_within_deadline is None else f"{found.n_within_deadline:,}"
        name = f"per 1,000 within {units.duration(found.deadline_s)} ({within}; {found.deadline_from})"
        rows.append((name, "-", _usd(found.usd_per_1000_within_deadline)))
    notes = [
        "Paid time runs from the decision until the last instance has left; that billing begins at launch is assumed."
    ]
    if isinstance(price_usd, Unknown):
        notes.append("No price: set target.instance_hour in the scenario.")
    if found.harness is not None:
        rows.append(("measuring it, beside the endpoint", "-", _usd(found.harness.usd)))
        notes.append(f"Measuring: list prices, nothing free, an upper bound; {found.harness.prices_of}.")
    return Table("What the instances were paid for", ("", "instance-seconds", "USD"), tuple(rows), tuple(notes))


def _usd(value: float | Unknown) -> str:
    if isinstance(value, Unknown):
        return "-"
    return f"{value:,.2f}" if value >= 1 or value == 0 else f"{value:.2g}"


# ---- errors, the slowest, ourselves ---------------------------------------------------------------------------


def causes(summary: Summary) -> Table | None:
    """Why requests did not complete, the most frequent first; None where all did."""
    if not summary.causes:
        return None
    rows = tuple(
        (cause.outcome, cause.error, "-" if cause.status_code is None else str(cause.status_code), f"{cause.n:,}")
        for cause in summary.causes[:_CAUSES_SHOWN]
    )
    rest = summary.causes[_CAUSES_SHOWN:]
    more = (f"{sum(cause.n for cause in rest):,} more, of {len(rest):,} other causes.",) if rest else ()
    return Table("Bad ends, by cause", ("outcome", "cause", "status", "requests"), rows, more, 2)


_CAUSES_SHOWN = 40


def slowest(summary: Summary) -> Table | None:
    """The slowest requests with what they met; None where none ended."""
    if not summary.slowest:
        return None
    rows = tuple(
        (
            f"{slow.seq:,}",
            slow.outcome,
            slow.event or "-",
            clock(slow.sched_s),
            units.duration(slow.age_s) if slow.outcome == "completed" else f"> {units.duration(slow.age_s)}",
            f"{slow.ahead:,}",
            "-" if slow.instances is None else f"{slow.instances:,}",
            "-" if slow.served_after_s is None else units.duration(slow.served_after_s),
        )
        for slow in summary.slowest
    )
    heads = ("request", "outcome", "capacity then", "due", "latency", "ahead of it", "instances", "unserved for")
    note = (
        "Ahead of it: requests in the system when it was received. Unserved for: how long until an instance served, "
        "where none did."
    )
    return Table("The slowest requests, and what delayed them", heads, rows, (note,), 3)


def generator(summary: Summary) -> Table:
    """What measuring did, and what it cost on this machine."""
    own, notices, lag = summary.generator, summary.notices, summary.generator.schedule_lag
    rows = [
        ("sent late by, p50", "-" if lag.p50 is None else lag.p50.text()),
        ("sent late by, p99", "-" if lag.p99 is None else lag.p99.text()),
        ("sent late by, at most", "-" if lag.max is None else lag.max.text()),
        ("dropped at our own limit", f"{own.n_dropped:,}"),
        ("loop late by, at most", "-" if own.loop_lag_max_s is None else units.duration(own.loop_lag_max_s)),
        ("CPU of a core, median", units.share(own.cpu_share_median)),
        ("memory", "-" if own.rss_max_bytes is None else units.size(own.rss_max_bytes)),
        ("notices received", f"{notices.n:,}"),
        (
            "duplicates, foreign, unreadable",
            f"{notices.n_duplicates:,}, {notices.n_foreign:,}, {notices.n_malformed:,}",
        ),
        ("receivers used, of at most", f"{_count(own.receivers_peak)} of {_count(own.receivers_max)}"),
    ]
    return Table("The generator and the collector", ("", "value"), tuple(rows))


def _count(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
