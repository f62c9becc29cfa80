"""What a report says to a person who decides: instances that would do, their price, who waited, what was assumed."""

from collections.abc import Iterable

from smbench import units
from smbench.analysis.capacity.price import GIVEN
from smbench.analysis.capacity.sizing import PhaseSizing, Sizing
from smbench.analysis.latency.breakdown import Part
from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.numbers.known import known
from smbench.analysis.summary import Summary
from smbench.pricing.inference import MONTH_H
from smbench.records import Unknown
from smbench.view.sections.blocks import Block, Cell, Column, Detail, Judged, Row, Section, Sentence, Table
from smbench.view.sections.cells import bounded, count, instance_seconds, percentile, rate, usd

_HOURS = {"an hour": 1, "a day": 24, "a month": MONTH_H}
_PERCENTILES = ("p50", "p95", "p99", "max")


def decision(judged: Judged) -> Section | None:
    """For the page and the JSON; None where nothing was accepted."""
    summary = judged.summary
    sizing = summary.sizing
    if not sizing.n_accepted:
        return None
    blocks: list[Block] = [Sentence(sizing.scenario_in_words, Detail.FULL)] if sizing.scenario_in_words else []
    blocks += [_enough(sizing), *_waited(sizing), _assumed(summary)]
    return Section("decision", "For a decision", tuple(blocks))


def _enough(sizing: Sizing) -> Table:
    price = known(sizing.price_usd)
    spans = {} if price is None else _HOURS
    rows = tuple(
        Row((Cell(phase.name), rate(phase.offered_hz), *_instances(phase, spans.values()))) for phase in sizing.phases
    )
    service, slots = known(sizing.service_s), known(sizing.concurrency)
    notes = []
    if service is not None and slots is not None:
        notes.append(
            f"Enough that the backlog does not grow at the mean rate of the phase, with a mean service of "
            f"{units.duration(service)} and {slots:,} at once on an instance; a burst within the phase still waits."
        )
    if price is not None:
        machine = f" of {sizing.machine}" if sizing.machine else ""
        notes.append(f"At {units.usd(price)} an hour{machine}, running all the time; a month is {MONTH_H:g} hours.")
    columns = (Column("phase", is_text=True), *map(Column, ("offered", "instances", *spans)))
    return Table("Enough", "How many instances would do", columns, rows, tuple(notes), detail=Detail.FULL)


def _instances(phase: PhaseSizing, spans: Iterable[float]) -> tuple[Cell, ...]:
    """How many, and what they cost in each of these numbers of hours."""
    n = phase.instances
    cell = Cell("-", reason=n.reason) if isinstance(n, Unknown) else count(n, "instances")
    an_hour = phase.usd_per_hour
    return (cell, *(usd(an_hour if isinstance(an_hour, Unknown) else an_hour * hours) for hours in spans))


def _waited(sizing: Sizing) -> list[Block]:
    if not sizing.waited:
        return [Sentence("No request waited longer than a minute.", Detail.FULL)]
    rows = tuple(
        Row(
            (
                Cell(units.duration(one.over_s), one.over_s, "s"),
                bounded(one.n, lambda n: f"{n:,.0f}", "requests"),
                bounded(_over(one.n.low, one.n.high, sizing.n_accepted), units.share, "share"),
            )
        )
        for one in sizing.waited
    )
    columns = (Column("longer than", is_text=True), Column("requests"), Column("of the accepted"))
    note = "Counted from when a request was due; one that failed or expired has no result after any time."
    return [Table("Waited", "Requests without a result after so long", columns, rows, (note,), detail=Detail.FULL)]


def _over(low: float, high: float | None, n: int) -> Bounded:
    return Bounded(low=low / n, high=None if high is None else high / n)


def _assumed(summary: Summary) -> Table:
    sizing = summary.sizing
    endpoint = "the scenario's service times, scaling and faults, not those of a real endpoint"
    latency = (
        ("assumed", "the model's prediction; nothing was sent")
        if summary.prediction
        else ("measured", "request by request")
    )
    rows = [
        ("latency", *latency),
        ("endpoint", *(("assumed", endpoint) if sizing.is_emulated else ("measured", "the endpoint as it was then"))),
        ("service time", "reconstructed", "from arrivals, ends and the number of slots"),
        ("instances", "computed", "from rates and the mean service; the load is taken to stay as it was"),
        _price_known(summary),
        ("paid time", "assumed", "it begins with the decision to launch and ends when the instance has left"),
    ]
    columns = tuple(Column(head, is_text=True) for head in ("what", "how it is known", ""))
    return Table(
        "Known",
        "What was measured, and what was assumed",
        columns,
        tuple(Row(tuple(map(Cell, row))) for row in rows),
        detail=Detail.FULL,
    )


def _price_known(summary: Summary) -> tuple[str, str, str]:
    if isinstance(summary.sizing.price_usd, Unknown):
        return "price", "not known", "set target.instance_hour in the scenario"
    if summary.price.prices_of == GIVEN:
        return "price", "given", "target.instance_hour of the scenario"
    return "price", "list price", summary.price.prices_of


# ---- by phase and class ---------------------------------------------------------------------------------------


def parts(judged: Judged) -> Section | None:
    """Latency and cost by phase, by payload class and by variant; None where there is one of each."""
    summary = judged.summary
    blocks: list[Block] = []
    if summary.by_phase:
        blocks.append(_parts("By phase", "Latency from schedule and cost by phase", "phase", summary.by_phase))
    if summary.by_class:
        n_left_out = summary.n_classes - len(summary.by_class)
        note = f"{n_left_out:,} rarer classes are left out." if n_left_out else ""
        blocks.append(
            _parts("By class", "Latency from schedule and cost by payload class", "class", summary.by_class, note)
        )
    if summary.by_variant:
        note = "Of the answers that came; an error names no variant."
        blocks.append(_parts("By variant", "Latency from schedule by variant", "variant", summary.by_variant, note))
    return Section("parts", "By phase, payload class and variant", tuple(blocks)) if blocks else None


def _parts(title: str, caption: str, head: str, parts: tuple[Part, ...], note: str = "") -> Table:
    limit_s = parts[0].deadline_s
    is_priced = any(not isinstance(part.usd, Unknown) for part in parts)
    over = () if limit_s is None else (Column(f"> {units.duration(limit_s)}"),)
    paid = (Column("cost"), Column("per 1,000")) if is_priced else (Column("instance-s"),)
    rows = []
    for part in parts:
        cells = [Cell(part.name), count(part.sojourn.n), *(percentile(part.sojourn, name) for name in _PERCENTILES)]
        cells += [bounded(part.over_deadline, units.share, "share")] if over else []
        cells += [usd(part.usd), usd(part.usd_per_1000)] if is_priced else [instance_seconds(part.instance_s)]
        rows.append(Row(tuple(cells)))
    columns = (Column(head, is_text=True), Column("n"), *map(Column, _PERCENTILES), *over, *paid)
    return Table(title, caption, columns, tuple(rows), (note,) if note else ())
