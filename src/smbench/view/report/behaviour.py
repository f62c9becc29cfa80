"""The report's part on the endpoint's behaviour: capacity against demand, cost, what stands out, the slowest."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from smbench import units
from smbench.analysis.capacity.elasticity import Elasticity, Provisioning
from smbench.analysis.capacity.hosts import HostSpread
from smbench.analysis.latency.intervals import Interval
from smbench.analysis.latency.slowest import Slow
from smbench.analysis.latency.stages import INSIDE_THE_ENDPOINT
from smbench.analysis.numbers.known import known
from smbench.analysis.summary import Summary
from smbench.records import Unknown
from smbench.view.report.whole_table import WholeTable

_SLOWEST_SHOWN = 5
_PERCENTILES = {"p999": "p99.9"}


def interval_notes(summary: Summary) -> list[str]:
    """How far the percentiles from schedule may be from the endpoint's own; one sentence where none can be had."""
    estimated = [(name, one) for name, one in summary.intervals.items() if isinstance(one, Interval)]
    lines = []
    if estimated:
        method = ", ".join(dict.fromkeys(_worth(one, summary.sojourn.n) for _, one in estimated))
        texts = (f"{_PERCENTILES.get(name, name)} {_interval(one)}" for name, one in estimated)
        lines.append(f"95 % intervals, from schedule ({method}): {'; '.join(texts)}.")
    why: dict[str, list[str]] = {}
    for name, one in summary.intervals.items():
        if isinstance(one, Unknown):
            why.setdefault(one.reason, []).append(_PERCENTILES.get(name, name))
    lines += [f"Interval of {', '.join(names)}: {reason}." for reason, names in why.items()]
    return lines


def _worth(one: Interval, n: int) -> str:
    """How the interval was had, and how many independent requests the run is worth for it."""
    return f"{one.method}, N_eff {one.n_eff:,.0f} of {n:,}"


def _interval(one: Interval) -> str:
    low = units.duration(one.low_s)
    return f"> {low}" if one.high_s is None else f"{low} to {units.duration(one.high_s)}"


def stage_notes(summary: Summary) -> list[str]:
    """Why queue wait and service are not known, or not of all requests."""
    why: dict[str, list[str]] = {}
    for stage in summary.stages:
        if stage.name in INSIDE_THE_ENDPOINT and stage.reason:
            why.setdefault(stage.reason, []).append(stage.name)
    return [f"{' and '.join(names).capitalize()}: {reason}." for reason, names in why.items()]


def behaviour(summary: Summary) -> RenderableType | None:
    """Capacity, demand and cost, each a line of words."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    rows = [*_elastic(summary), *_cost(summary)]
    if not isinstance(summary.host_spread, Unknown):
        rows.append(("Hosts", host_spread(summary.host_spread)))
    for name, text in rows:
        table.add_row(name, text)
    return table if rows else None


def _elastic(summary: Summary) -> Iterable[tuple[str, str]]:
    found = summary.elasticity
    if isinstance(found, Unknown):
        yield "Capacity", f"not known: {found.reason}"
        return
    yield "Capacity", _capacity(found)
    need = found.provisioning
    yield "Demand", f"not known: {need.reason}" if isinstance(need, Unknown) else _demand(need)
    peak = known(found.time_to_drain)  # of no length where the peak fitted into the slots
    drained = [f"the peak was worked off in {peak.text()}"] if peak is not None and peak.value != 0 else []
    efficiency, bound_s = known(found.drain_efficiency), known(found.drain_bound_s)
    if efficiency is not None and bound_s is not None:
        drained.append(
            f"after the last send at {units.share(efficiency)} of the speed of slots that never idle "
            f"({units.duration(bound_s)})"
        )
    if drained:
        yield "Draining", "; ".join(drained)


def _capacity(found: Elasticity) -> str:
    parts = [f"{found.instances_mean:.2f} instances served in the mean, {found.instances_max:,} at most"]
    if not isinstance(found.utilisation, Unknown):
        parts.append(f"their slots worked {units.share(found.utilisation)} of the time")
    if not isinstance(found.throughput_bound_hz, Unknown):
        parts.append(f"{units.rate(known(found.throughput_hz))} of {units.rate(found.throughput_bound_hz)} possible")
    if found.hole_s:
        parts.append(f"none served for {units.duration(found.hole_s)} with requests there")
    return "; ".join(parts)


def _demand(found: Provisioning) -> str:
    idle = "" if isinstance(found.idle_share, Unknown) else f", {units.share(found.idle_share)} of all that served"
    parts = [
        f"too few instances {units.share(found.under_time_share)} of the time ({found.under_instances:.2f} in mean)"
        if found.under_instances
        else "never too few instances",
        f"too many {units.share(found.over_time_share)} of the time ({found.over_instances:.2f}{idle})"
        if found.over_instances
        else "never too many",
    ]
    if found.reaction.n and found.reaction.max is not None:
        times = "once" if found.reaction.n == 1 else f"{found.reaction.n:,} times"
        parts.append(f"{times} too few, for {found.reaction.max.text()} at most")
    parts.append(
        f"needed: what came in {units.duration(found.window_s)}, at {units.duration(found.service_s)} each, "
        f"{found.concurrency:,} at once"
    )
    return "; ".join(parts)


def _cost(summary: Summary) -> Iterable[tuple[str, str]]:
    found = summary.cost
    if isinstance(found, Unknown):
        return
    split = "" if isinstance(found.useful_s, Unknown) else f"{_instance_s(found.useful_s)} useful, "
    idle = "" if isinstance(found.idle_s, Unknown) else f", {_instance_s(found.idle_s)} idle"
    parts = [f"{_instance_s(found.instance_s)} instance-seconds: {split}{_instance_s(found.cold_s)} cold{idle}"]
    if not isinstance(found.usd, Unknown):
        parts.append(units.usd(found.usd))
    within = "" if found.deadline_s is None else f"1,000 within {units.duration(found.deadline_s)}"
    for per, amount in (
        ("1,000 completions", found.usd_per_1000),
        (within, found.usd_per_1000_within_deadline),
    ):
        if not isinstance(amount, Unknown):
            parts.append(f"{units.usd(amount)} per {per}")
    if isinstance(found.usd, Unknown) and not isinstance(found.instance_s_per_1000, Unknown):
        parts.append(f"{_instance_s(found.instance_s_per_1000)} per 1,000 completions")
    if found.harness is not None:
        parts.append(f"measuring it {units.usd(found.harness.usd)} beside")
    yield "Cost", "; ".join(parts)


def host_spread(found: HostSpread) -> str:
    """How much slots differ in speed, in one line."""
    if not found.is_beyond_chance:
        return "speeds of slots followed: no difference beyond chance"
    interval = f"{units.share(found.share_low)} to {units.share(found.share_high)}"
    return f"speeds of slots followed: s. d. {units.share(found.share)} (95 %: {interval})"


def _instance_s(amount: float) -> str:
    return f"{amount:,.0f}"


def observations(summary: Summary) -> Table | None:
    """What stands out, and what to do about it."""
    if not summary.observations:
        return None
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for one in summary.observations:
        when = "" if one.at_s is None else f", from {instant(one.at_s)} on"
        text = Text(f"{one.seen}{when}.")
        if one.advice:
            text.append(f"\nto do: {one.advice}", "dim")
        table.add_row(one.name, text)
    return table


def slowest(summary: Summary) -> RenderableType | None:
    """The slowest few; the JSON has ten."""
    if not summary.slowest:
        return None
    figures = ((head, "right") for head in ("due", "took", "ahead", "instances"))
    table = WholeTable(("Slowest", "left"), *figures, ("capacity then", "left"))
    for one in summary.slowest[:_SLOWEST_SHOWN]:
        open_or_bad = "" if one.outcome == "completed" else "> "
        table.add_row(
            f"{one.phase} {one.seq:,}",
            instant(one.sched_s),
            f"{open_or_bad}{units.duration(one.age_s)}",
            f"{one.ahead:,}",
            "-" if one.instances is None else f"{one.instances:,}",
            _then(one),
        )
    return Group(table, Text("ahead: in the system when it was received; instances: serving then.", style="dim"))


def _then(one: Slow) -> str:
    served = "" if one.served_after_s is None else f"none for {units.duration(one.served_after_s)}"
    return "; ".join(part for part in (served, one.event, "" if one.outcome == "completed" else one.outcome) if part)


def instant(seconds: float) -> str:
    """An instant of the run as minutes and seconds, 12:05."""
    sign, whole = ("-", round(-seconds)) if round(seconds) < 0 else ("", round(seconds))
    return f"{sign}{whole // 60}:{whole % 60:02d}"
