"""What an inference costs, and from how many a month on an instance is cheaper than a serverless endpoint."""

from dataclasses import dataclass

from smbench.pricing.table import PriceTable
from smbench.records import Unknown

MONTH_H = 730.0  # a twelfth of a year, as AWS's own calculator has it
_MB_IN_GB = 1024.0
_BYTES_IN_GB = 2.0**30


@dataclass(frozen=True, slots=True)
class ServerlessUse:
    """What was used of a serverless endpoint.

    Args:
        busy_s: Seconds that all inferences took together; AWS bills milliseconds.
        bytes_in: Of all bodies that were sent.
        provisioned: Environments that are always warm.
        length_s: How long they were.
    """

    memory_mb: int
    busy_s: float
    bytes_in: int
    provisioned: int = 0
    length_s: float = 0.0


def serverless_usd(use: ServerlessUse, prices: PriceTable) -> float | Unknown:
    """USD of it: duration by memory, data in, and provisioned concurrency. Data out is not counted.

    Source: AWS's price list (ServerlessInf:Mem, ProvisionedConcurrency:Mem and :Usage, Hosting:IN).
    """
    gb = use.memory_mb / _MB_IN_GB
    names = ["serverless.gb_second", "data.gb_in"]
    if use.provisioned:
        names.append("serverless.provisioned_gb_second")
    known = {name: prices.per.get(name) for name in names}
    if missing := next((name for name, usd in known.items() if usd is None), None):
        return Unknown(f"the price {missing} is not known: give it with --price {missing}=USD")
    # Which inferences a provisioned environment served is not reported: all of them are taken at the on-demand price.
    on_demand = use.busy_s * gb * (known["serverless.gb_second"] or 0.0)
    data = use.bytes_in / _BYTES_IN_GB * (known["data.gb_in"] or 0.0)
    kept = use.provisioned * use.length_s * gb * (known.get("serverless.provisioned_gb_second") or 0.0)
    return on_demand + data + kept


def month_usd(hour_usd: float) -> float:
    """Of one instance that is always there."""
    return hour_usd * MONTH_H


def break_even(usd_per_inference: float, prices: PriceTable) -> dict[str, float]:
    """Inferences a month from which one instance of each type is cheaper, cheapest type first.

    Whether one instance can work them off is another question, which a capacity search answers.
    """
    if usd_per_inference <= 0:
        return {}
    by_price = sorted(prices.instance_hour.items(), key=lambda item: item[1])
    return {name: month_usd(hour_usd) / usd_per_inference for name, hour_usd in by_price}
