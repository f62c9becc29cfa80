"""The price section of a report: an inference, and serverless against instances."""

from collections.abc import Sequence

from smbench import units
from smbench.analysis.capacity.price import BreakEven, Price, Saving
from smbench.analysis.numbers.known import known
from smbench.pricing.inference import MONTH_H
from smbench.records import Unknown
from smbench.view.sections.blocks import Block, Cell, Column, Detail, Figure, Figures, Judged, Missing, Row, Section
from smbench.view.sections.blocks import Table as TableBlock
from smbench.view.sections.cells import count, rate, share, usd


def price(judged: Judged) -> Section | None:
    """Each inference, a thousand, a million, a month; None where the cost before it says why none is known."""
    found, paid = judged.summary.price, judged.summary.cost
    if isinstance(found.usd, Unknown):
        if found.usd == (paid if isinstance(paid, Unknown) else paid.usd):
            return None
        missing = Missing("Price", f"The price of {found.of}", found.usd.reason, Detail.FULL)
        return Section("price", "Price of an inference", (missing,))
    blocks: list[Block] = [_figures(found)]
    if found.break_even:
        blocks.append(break_even_table(found.break_even))
    if found.savings:
        blocks.append(savings_table(found.savings, found.compared_with))
    return Section("price", "Price of an inference", tuple(blocks))


def _figures(found: Price) -> Figures:
    each, month, per_million = usd(found.usd_per_inference), usd(found.usd_month), usd(found.usd_per_million)
    month_n = known(found.n_month)
    inferences = f"{month_n:,.0f} inferences" if month_n is not None else "a month"
    figures = [
        Figure("an inference, USD", each, f"of {found.n_completed:,} completed", f"{each.text} an inference"),
        Figure("per 1,000, USD", usd(found.usd_per_1000)),
        Figure("per million, USD", per_million, "", f"{per_million.text} a million"),
        Figure("a month, USD", month, inferences, f"{month.text} a month of {inferences}" if month.unit else ""),
        *(Figure(f"of the run: {name}, USD", usd(amount)) for name, amount in found.parts.items()),
    ]
    if found.calls_usd is not None:
        calls = usd(found.calls_usd)
        figures.append(Figure("S3 and SNS of the run, USD", calls, "called by the endpoint; not in the price above"))
    notes = (
        f"{found.of[:1].upper()}{found.of[1:]}, {found.prices_of}. A month is {MONTH_H:g} hours at the rate of "
        "this run; what requests cost that did not complete is in the price of those that did.",
    )
    return Figures("Price", "What an inference costs", tuple(figures), notes)


def break_even_table(points: Sequence[BreakEven], detail: Detail = Detail.FULL) -> TableBlock:
    """From how many inferences a month on one instance is cheaper."""
    rows = tuple(
        Row((Cell(one.instance_type), usd(one.usd_month), count(round(one.n_month), "inferences"), rate(_hz(one))))
        for one in points
    )
    columns = (Column("instance", is_text=True), *map(Column, ("a month", "inferences a month", "that is")))
    note = (
        "A month is of the instance alone, for data costs both the same. Whether one instance can do so many is "
        "another question: `smbench search` answers it."
    )
    return TableBlock("Break-even", "From where on one instance is cheaper", columns, rows, (note,), detail=detail)


def _hz(one: BreakEven) -> float:
    return one.n_month / (MONTH_H * 3600)


def savings_table(savings: Sequence[Saving], name: str, detail: Detail = Detail.FULL) -> TableBlock:
    """What serverless saves against the comparable instance, by inferences a month."""
    rows = tuple(
        Row((count(one.n_month, "inferences"), usd(one.serverless_usd), usd(one.instance_usd), _saved(one)))
        for one in savings
    )
    columns = tuple(map(Column, ("inferences a month", "serverless", name, "saved")))
    note = (
        f"{name} is the cheapest listed instance with as much memory; it runs all the time, and pays for the same data."
    )
    return TableBlock("Savings", f"Serverless against one {name}", columns, rows, (note,), detail=detail)


def _saved(one: Saving) -> Cell:
    if one.saving >= 0:
        return share(one.saving)
    return Cell(f"-{units.share(-one.saving)}", one.saving, "share")
