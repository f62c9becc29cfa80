"""What a stack costs while it is there: at its first count of instances, and at its highest."""

from dataclasses import dataclass

from smbench.scenario.deploy import Deploy


@dataclass(frozen=True, slots=True)
class HourlyCost:
    """USD an hour. `unknown` says why a figure is None; it is empty where both are known."""

    at_start: float | None
    at_most: float | None
    unknown: str = ""

    @property
    def sentence(self) -> str:
        """For a person who is about to pay."""
        if self.at_start is None or self.at_most is None:
            return f"cost an hour: not known ({self.unknown})"
        if self.at_start == self.at_most:
            return f"cost an hour: {self.at_start:.2f} USD"
        return f"cost an hour: {self.at_start:.2f} USD at the start, at most {self.at_most:.2f} USD"


def hourly_cost(deploy: Deploy) -> HourlyCost:
    """Of instances alone: buckets and topics cost by what goes through them."""
    if deploy.kind == "serverless":
        if deploy.serverless is not None and deploy.serverless.provisioned:
            return HourlyCost(None, None, "no price of provisioned concurrency is known here")
        return HourlyCost(0.0, 0.0)
    if deploy.instance_hour is None:
        return HourlyCost(None, None, f"give --instance-hour, the price of one {deploy.instance}")
    most = deploy.scales.max if deploy.scales is not None else deploy.instances
    return HourlyCost(deploy.instance_hour * deploy.instances, deploy.instance_hour * most)
