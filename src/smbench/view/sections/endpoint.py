"""What a report says of the endpoint: scaling, backlog, capacity against demand, speed of hosts, cost."""

from collections.abc import Sequence
from itertools import groupby

from smbench import units
from smbench.analysis.capacity.cost import Cost
from smbench.analysis.capacity.elasticity import Elasticity, Provisioning
from smbench.analysis.capacity.hosts import HostSpread
from smbench.analysis.capacity.scaling import FAILED, ScalingStep, alarm_kind
from smbench.analysis.capacity.scaling_events import ScalingEvent, What
from smbench.analysis.numbers.known import known
from smbench.analysis.summary import Summary
from smbench.records import Unknown
from smbench.view.sections.blocks import (
    Block,
    Cell,
    Column,
    Detail,
    Figure,
    Figures,
    Judged,
    Missing,
    Row,
    Section,
    Table,
    Tone,
)
from smbench.view.sections.cells import (
    at,
    at_fine,
    bounded,
    count,
    duration,
    instance_seconds,
    instant,
    rate,
    share,
    shortened,
    usd,
    written,
)

_SCALING_NOTE = (
    "breach: the first minute beyond the alarm's threshold; first end: the first completion once the capacity served; "
    "instants are minutes:seconds of the run."
)
_TIMELINE_NOTE = (
    "An event happened between the two instants, minutes:seconds of the run: as exact as the clocks agree where AWS "
    "stamped it, else between two looks. Sources that exclude each other are all kept."
)
_STEPS_BRIEF = 16
_EVENTS_BRIEF = 40


def scaling(judged: Judged) -> Section | None:
    """The changes of capacity, decision by decision, and each event with its sources; None where there were none.

    What failed again and again is one row: AWS tries every ten seconds what the account's quota refused.
    """
    found = judged.summary.scaling
    alike = [list(group) for _, group in groupby(enumerate(found.steps, 1), _kind_of_step)]
    repeated = {number for group in alike for number, _ in group[1:]}
    events = [event for event in found.events if event.step not in repeated]
    blocks: list[Block] = [_decisions([(group[0][1], len(group)) for group in alike])] if alike else []
    if events:
        blocks.append(_timeline(events))
    if found.unread:
        blocks.append(Missing("Instances", "Which instances came", found.unread, Detail.FULL))
    return Section("scaling", "Scaling", tuple(blocks)) if blocks else None


def _kind_of_step(numbered: tuple[int, ScalingStep]) -> tuple[object, ...]:
    """Equal for steps that failed alike."""
    number, step = numbered
    return (step.before, step.after, step.cause) if step.state == FAILED else (number,)


def _decisions(steps: Sequence[tuple[ScalingStep, int]]) -> Table:
    heads = ("breach", "alarm", "decided", "serving", "first end", "detection", "provision")
    rows = (Row((Cell(_change(step, n)), *_instants(step)), is_minor=not step.is_out) for step, n in steps)
    return Table(
        "Scaling",
        "Scaling, decision by decision",
        (Column("instances", is_text=True), *map(Column, heads)),
        tuple(rows),
        (_SCALING_NOTE,),
        _STEPS_BRIEF,
        Row((Cell(f"{len(steps) - _STEPS_BRIEF} more"), *(Cell("") for _ in heads))),
    )


def _timeline(events: Sequence[ScalingEvent]) -> Table:
    """The terminal has it only where sources exclude each other: else the decisions say the same."""
    in_doubt = any(event.conflict for event in events)
    return Table(
        "Scaling, event by event",
        "Scaling, event by event, from all sources",
        (
            Column("event", is_text=True),
            Column("between"),
            Column("and"),
            Column("as reported by", is_text=True),
            Column("beside", is_text=True),
        ),
        tuple(map(_event_row, events)),
        (_TIMELINE_NOTE,),
        _EVENTS_BRIEF,
        Row((Cell(f"{len(events) - _EVENTS_BRIEF} more"), *(Cell("") for _ in range(4)))),
        Detail.REPORT if in_doubt else Detail.FULL,
    )


def _event_row(event: ScalingEvent) -> Row:
    step = "" if event.step is None else f"{event.step}: "
    subject = alarm_kind(event.subject) if event.what is What.ALARM else event.subject
    beside = "; ".join(part for part in (event.conflict, event.note) if part)
    tone = Tone.DOUBTFUL if event.conflict else Tone.PLAIN
    sources = ", ".join(one.source for one in event.witnesses)
    return Row(
        (
            Cell(f"{step}{event.what.value} {subject}".rstrip()),
            at_fine(event.earliest_s),
            at_fine(event.latest_s),
            Cell(sources),
            Cell(shortened(beside, 300), tone=tone),
        )
    )


def _change(step: ScalingStep, n_times: int) -> str:
    before = "?" if step.before is None else str(step.before)
    state = "" if step.state in ("", "Successful") else f" {step.state}"
    return f"{before} -> {step.after}{state}" + ("" if n_times == 1 else f", {n_times:,} times")


def _instants(step: ScalingStep) -> tuple[Cell, ...]:
    instants = (step.breach_at_s, step.alarm_at_s, step.decided_at_s, step.in_service_at_s)
    first_end_s = step.first_completion_at_s if step.is_out else None
    return (*map(at, instants), at(first_end_s), duration(step.detection_s), duration(step.provisioning_s))


# ---- backlog and capacity -------------------------------------------------------------------------------------


def endpoint(judged: Judged) -> Section:
    """The backlog, and how capacity followed it."""
    summary, blocks = judged.summary, list[Block]()
    backlog = summary.backlog
    if backlog.peak_at_s is not None:
        blocks.append(_backlog(summary, backlog.peak_at_s))
    if not isinstance(backlog.drain, Unknown):
        drain = bounded(backlog.drain)
        meaning = "from the last send to the last end"
        blocks.append(
            Figures("Drain", "How long the rest took", (Figure("drain", drain, meaning, f"{drain.text} {meaning}"),))
        )
    found = summary.elasticity
    if isinstance(found, Unknown):
        blocks.append(Missing("Capacity", "How capacity followed load", found.reason))
    else:
        blocks += [_capacity(found), _demand(found.provisioning), _draining(found)]
    spread = summary.host_spread
    if isinstance(spread, Unknown):
        blocks.append(Missing("Hosts", "How much instances differ in speed", spread.reason, Detail.FULL))
    else:
        blocks.append(_hosts(spread))
    return Section("endpoint", "Backlog and instances", tuple(blocks))


def _backlog(summary: Summary, peak_at_s: float) -> Figures:
    backlog, oldest = summary.backlog, duration(summary.backlog.oldest_age_s)
    within = backlog.peak_within
    peak = count(backlog.peak) if within.value is not None else bounded(within, units.whole, "requests")
    figures = [Figure("peak", peak, f"at {instant(peak_at_s)}", f"peak {peak.text} at {instant(peak_at_s)}")]
    if oldest.unit:
        said = f"the oldest request grew {oldest.text} old"
        figures.append(Figure("oldest request", oldest, "since it was due", said))
    return Figures("Backlog", "Requests accepted and not yet ended", tuple(figures))


def _capacity(found: Elasticity) -> Figures:
    serving = f"{found.instances_mean:.2f} instances served on average, {found.instances_max:,} at most"
    used, bound = share(found.utilisation), rate(found.throughput_bound_hz)
    done = units.rate(known(found.throughput_hz))
    hole = duration(found.hole_s)
    since = (
        ""
        if found.hole_at_s is None
        else f"; the longest {units.duration(found.hole_longest_s)}, from {instant(found.hole_at_s)}"
    )
    oscillations = f"scale-ins undone within {units.duration(found.oscillation_window_s)}"
    area = written(found.backlog_area_s, lambda area: f"{area:,.0f} request-s", "request-s")
    return Figures(
        "Capacity",
        "How capacity followed load",
        (
            Figure(
                "instances, mean",
                Cell(f"{found.instances_mean:.2f}", found.instances_mean, "instances"),
                "over time",
                serving,
            ),
            Figure("instances, at most", count(found.instances_max, "instances")),
            Figure("detection", duration(found.detection_s), "breach to decision, mean of the scale-outs"),
            Figure(
                "provisioning", duration(found.provision_s), "decision to capacity that serves, mean of the scale-outs"
            ),
            Figure(
                "utilisation",
                used,
                "slot-seconds worked, of those there were",
                f"their slots worked {used.text} of the time" if used.unit else "",
            ),
            Figure(
                "throughput",
                rate(found.throughput_hz),
                "completions over time",
                f"{done} of {bound.text} possible" if bound.unit else "",
            ),
            Figure("throughput bound", bound, "with every slot always busy"),
            Figure("backlog area", area, "waited for a slot"),
            Figure("oscillations", count(found.oscillations, "scale-ins"), oscillations),
            Figure(
                "capacity hole",
                hole,
                f"requests in the system and no instance serving{since}",
                f"none served for {hole.text} with requests there" if found.hole_s else "",
            ),
        ),
    )


def _demand(found: Provisioning | Unknown) -> Block:
    if isinstance(found, Unknown):
        return Missing("Demand", "Capacity against demand", found.reason)
    window, service = units.duration(found.window_s), units.duration(found.service_s)
    idle = share(found.idle_share)
    of_all = f", {idle.text} of all that served" if idle.unit else ""
    too_few = (
        f"too few instances {units.share(found.under_time_share)} of the time ({found.under_instances:.2f} on average)"
    )
    too_many = f"too many {units.share(found.over_time_share)} of the time ({found.over_instances:.2f}{of_all})"
    reaction = found.reaction
    times = "once" if reaction.n == 1 else f"{reaction.n:,} times"
    slow = f"{times} too few, for {reaction.max.text()} at most" if reaction.n and reaction.max is not None else ""
    needed = f"needed: what came in {window}, at {service} each, {found.concurrency:,} at once"
    jitter = written(found.jitter_per_hour, lambda per_hour: f"{per_hour:+.1f}/h", "1/h")
    return Figures(
        "Demand",
        "Capacity against demand",
        (
            Figure(
                "too few instances, mean",
                _mean(found.under_instances),
                "over time",
                too_few if found.under_instances else f"never too few instances for what came in {window}",
            ),
            Figure("too few, of the time", share(found.under_time_share)),
            Figure(
                "too many instances, mean",
                _mean(found.over_instances),
                "over time",
                too_many if found.over_instances else "never too many",
            ),
            Figure("too many, of the time", share(found.over_time_share)),
            Figure("idle share", idle, "too many, of those that served"),
            Figure("too few, times", count(reaction.n, "times"), "until there were enough again", slow),
            Figure("too few, longest", bounded(reaction.max)),
            Figure("instability", share(found.instability), "of the time, supply and need went different ways"),
            Figure("jitter", jitter, "changes of supply, less those of need"),
            Figure(
                "service assumed",
                duration(found.service_s),
                f"needed: the arrivals of the last {window}, times it, over {found.concurrency:,} slots, rounded up",
                needed,
            ),
        ),
    )


def _mean(instances: float) -> Cell:
    return Cell(f"{instances:.2f}", instances, "instances")


def _draining(found: Elasticity) -> Figures:
    peak = known(found.time_to_drain)  # of no length where the peak fitted into the slots
    after_peak = "" if peak is None or peak.value == 0 else f"the peak was worked off in {peak.text()}"
    efficiency, bound = share(found.drain_efficiency), duration(found.drain_bound_s)
    after_send = f"after the last send at {efficiency.text} of the speed of slots that never idle ({bound.text})"
    return Figures(
        "Draining",
        "How the backlog was worked off",
        (
            Figure(
                "time to drain",
                bounded(found.time_to_drain),
                "from the peak until the backlog fitted into the slots",
                after_peak,
            ),
            Figure("drain bound", bound, "after the last send, with every slot busy"),
            Figure(
                "drain efficiency",
                efficiency,
                "the bound over the time it took",
                after_send if efficiency.unit and bound.unit else "",
            ),
        ),
    )


def _hosts(found: HostSpread) -> Figures:
    name, cell = "speeds of slots followed", Cell("no difference beyond chance")
    if found.is_beyond_chance:
        interval = f"{units.share(found.share_low)} to {units.share(found.share_high)}"
        cell = Cell(f"s. d. {units.share(found.share)} (95 %: {interval})", found.share, "share")
    return Figures(
        "Hosts",
        "How much instances differ in speed",
        (Figure(name, cell, "standard deviation", f"{name}: {cell.text}"),),
    )


# ---- cost -----------------------------------------------------------------------------------------------------


def cost(judged: Judged) -> Section:
    """What was paid, in instance-seconds and, where the price is known, in USD."""
    found = judged.summary.cost
    if isinstance(found, Unknown):
        return Section("cost", "Cost", (Missing("Cost", "Cost", found.reason, Detail.FULL),))
    notes = [
        "Paid time runs from the decision until the last instance has left; that billing begins at launch is assumed."
    ]
    if found.harness is not None:
        notes.append(f"Measuring: list prices, nothing free, an upper bound; {found.harness.prices_of}.")
    counts = judged.summary.measured
    if n_open := counts.may_have_completed + counts.transport_error:
        notes.append(f"Whether {units.counted(n_open, 'more request')} completed is not known, so none is counted.")
    lines = _cost_figures(found, is_open=n_open > 0)
    figures = Figures("Cost", "What the instances were paid for", lines, tuple(notes))
    return Section("cost", "Cost", (figures,))


def _cost_figures(found: Cost, *, is_open: bool) -> tuple[Figure, ...]:
    paid, useful, idle = (instance_seconds(each) for each in (found.instance_s, found.useful_s, found.idle_s))
    cold, total, per_1000 = instance_seconds(found.cold_s), usd(found.usd), usd(found.usd_per_1000)
    each_1000, is_priced = instance_seconds(found.instance_s_per_1000), not isinstance(found.usd, Unknown)
    parts = (
        [f"{useful.text} useful"] * bool(useful.unit) + [f"{cold.text} cold"] + [f"{idle.text} idle"] * bool(idle.unit)
    )
    n = units.counted(found.n_completed, "completion")
    completions = "known completions" if is_open else "completions"
    figures = [
        Figure("paid", paid, "instance-seconds", f"{paid.text} instance-seconds: {', '.join(parts)}"),
        Figure(
            "useful",
            useful,
            "instance-seconds that the work fills, every slot busy; that of requests which did not complete counts",
        ),
        Figure("cold", cold, "instance-seconds paid, not yet serving"),
        Figure("idle", idle, "instance-seconds"),
        Figure("paid, USD", total, "at the price given", total.text if is_priced else ""),
    ]
    if is_priced:  # else the figure above says why none of them is known
        said = f"{per_1000.text} per 1,000 {completions}" if per_1000.unit else ""
        figures.append(Figure("useful, USD", usd(found.useful_usd), "no policy can do this work with less"))
        figures.append(Figure("per 1,000 completions, USD", per_1000, n, said))
    if is_priced and found.deadline_s is not None:
        limit, within = units.duration(found.deadline_s), usd(found.usd_per_1000_within_deadline)
        meaning = f"{count(found.n_within_deadline).text} completions; {found.deadline_from}"
        said = f"{within.text} per 1,000 within {limit}" if within.unit else ""
        figures.append(Figure(f"per 1,000 within {limit}, USD", within, meaning, said))
    said = f"{each_1000.text} per 1,000 {completions}" if each_1000.unit and not is_priced else ""
    figures.append(Figure("per 1,000 completions", each_1000, f"instance-seconds; {n}", said))
    if found.harness is not None:
        measuring = usd(found.harness.usd)
        figures.append(Figure("measuring it, USD", measuring, "our own calls", f"measuring it {measuring.text} beside"))
    return tuple(figures)
