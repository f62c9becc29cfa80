"""The command `prices`: the price table that costs are computed with."""

from collections.abc import Mapping
from typing import Any

from smbench import units
from smbench.api.deciding.prices import prices
from smbench.cli.given_out import on_stdout, print_json
from smbench.pricing.inference import month_usd
from smbench.pricing.table import PriceTable, prices_from_options
from smbench.view.report.whole_table import WholeTable


def prices_command(options: tuple[str, ...], output: str, refreshing: Mapping[str, Any]) -> None:
    """Print the table with what `--price` options replace.

    Args:
        refreshing: What `smbench.prices` takes by name.

    Raises:
        UsageError: an option names no price.
        TargetError, ResultsError: AWS's list cannot be read, or not be kept.
    """
    table = prices(prices_from_options(options), **refreshing)
    if output == "json":
        print_json(table.model_dump(mode="json"))
        return
    out = on_stdout()
    out.print(f"List prices in USD: {table.source}")
    out.print(_of_units(table))
    out.print(_of_instances(table))
    out.print(f"Note: {table.note}")


def _of_units(table: PriceTable) -> WholeTable:
    shown = WholeTable(("name", "left"), ("USD each", "right"))
    for name, usd in table.per.items():
        shown.add_row(name, "not known: give it with --price" if usd is None else f"{usd:.10f}".rstrip("0"))
    return shown


def _of_instances(table: PriceTable) -> WholeTable:
    shown = WholeTable(("instance", "left"), ("USD an hour", "right"), ("a month", "right"))
    for name, usd in sorted(table.instance_hour.items(), key=lambda item: item[1]):
        shown.add_row(name, f"{usd:.4f}", units.usd(month_usd(usd)))
    return shown
