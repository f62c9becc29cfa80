"""What S3, SNS, SQS and CloudWatch take beside the endpoint: list prices of the calls, nothing free."""

from dataclasses import dataclass

from smbench.pricing.table import PriceTable


@dataclass(frozen=True, slots=True)
class Calls:
    """How many calls a run makes, or an endpoint.

    Args:
        writes: Objects put into S3.
        reads: Objects read or looked for.
        notices: Published to a topic; what SNS delivers to SQS is free.
        queue: Requests to SQS.
        metrics: Asked of CloudWatch, each in each question.
    """

    writes: float = 0.0
    reads: float = 0.0
    notices: float = 0.0
    queue: float = 0.0
    metrics: float = 0.0


def calls_usd(calls: Calls, prices: PriceTable) -> dict[str, float]:
    """USD by service."""
    usd = {name: price for name, price in prices.per.items() if price is not None}
    return {
        "S3 writes": calls.writes * usd["s3.put"],
        "S3 reads": calls.reads * usd["s3.get"],
        "SNS": calls.notices * usd["sns.publish"],
        "CloudWatch": calls.metrics * usd["cloudwatch.metric"],
        "SQS": calls.queue * usd["sqs.request"],
    }
