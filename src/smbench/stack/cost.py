"""What a stack costs while it is there: at its first capacity, and at its highest."""

from dataclasses import dataclass

from smbench.pricing.table import PriceTable, current_prices
from smbench.scenario.deploy import Deploy


@dataclass(frozen=True, slots=True)
class HourlyCost:
    """USD an hour.

    Args:
        unknown: Why a figure is None; empty where both are known.
        source: Where the price is from; empty: it was given.
    """

    at_start: float | None
    at_most: float | None
    unknown: str = ""
    source: str = ""

    @property
    def sentence(self) -> str:
        """For a person who is about to pay."""
        if self.at_start is None or self.at_most is None:
            return f"cost an hour: not known ({self.unknown})"
        source = f" ({self.source})" if self.source else ""
        if self.at_start == self.at_most:
            return f"cost an hour: {self.at_start:.2f} USD{source}"
        return f"cost an hour: {self.at_start:.2f} USD at the start, at most {self.at_most:.2f} USD{source}"


def hourly_cost(deploy: Deploy) -> HourlyCost:
    """Of instances alone, at the price that was given or else the list price: buckets and topics cost by use."""
    table = current_prices()
    if deploy.kind == "serverless":
        return _of_serverless(deploy, table)
    price_usd = deploy.instance_hour or table.instance_hour.get(deploy.instance)
    if price_usd is None:
        return HourlyCost(None, None, f"give --instance-hour, the price of one {deploy.instance}")
    most = deploy.scales.max if deploy.scales is not None else deploy.instances
    source = "" if deploy.instance_hour else f"list prices, {table.source}"
    return HourlyCost(price_usd * deploy.instances, price_usd * most, source=source)


def _of_serverless(deploy: Deploy, table: PriceTable) -> HourlyCost:
    """Only what is provisioned costs anything without inferences."""
    if deploy.serverless is None or not deploy.serverless.provisioned:
        return HourlyCost(0.0, 0.0)
    usd = table.per.get("serverless.provisioned_gb_second")
    if usd is None:
        return HourlyCost(None, None, "no price of provisioned concurrency is known here: `smbench prices --refresh`")
    hourly = usd * 3600 * deploy.serverless.memory / 1024  # of one environment
    at_start, scaling = deploy.serverless.provisioned, deploy.scales_provisioned
    most = at_start if scaling is None else scaling.max
    return HourlyCost(hourly * at_start, hourly * most, source=f"list prices, {table.source}")
