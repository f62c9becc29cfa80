"""AWS's price list as a table: which products to ask for, and which price of the table each of them is.

Products are known by their attributes: usage types have a region's prefix or, in us-east-1, often none. Of a price in
steps the dearest counts, so that nothing is free.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from smbench.pricing.table import INSTANCE, PriceTable

NOTE = "AWS's price list; USD, nothing free, no savings plans"
_OPTIONAL = ("serverless.provisioned_gb_second", "serverless.provisioned_busy_gb_second")
_GIB = re.compile(r"([0-9.]+) Gi?B")


@dataclass(frozen=True, slots=True)
class Ask:
    """Products of one service, by their attributes; `contains` has parts of values."""

    service: str
    equal: Mapping[str, str]
    contains: Mapping[str, str]

    def filters(self, region: str) -> list[dict[str, str]]:
        """As GetProducts takes them."""
        return [
            *({"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in self.equal.items()),
            *({"Type": "CONTAINS", "Field": name, "Value": value} for name, value in self.contains.items()),
            {"Type": "TERM_MATCH", "Field": "regionCode", "Value": region},
        ]


ASKS = (
    Ask("AmazonSageMaker", {"component": "Hosting"}, {}),
    Ask("AmazonSageMaker", {"productFamily": "ML Serverless"}, {}),
    Ask("AmazonSageMaker", {"operation": "Invoke-Endpoint"}, {}),
    Ask("AmazonS3", {"group": "S3-API-Tier1"}, {}),
    Ask("AmazonS3", {"group": "S3-API-Tier2"}, {}),
    Ask("AmazonSNS", {"group": "SNS-Requests-Tier1"}, {}),
    Ask("AWSQueueService", {"group": "SQS-APIRequest-Tier1", "queueType": "Standard"}, {}),
    Ask("AmazonCloudWatch", {}, {"usagetype": "GMD-Metrics"}),
)
_BY_GROUP = {
    "ServerlessInf": "serverless.gb_second",
    "ServerlessProvisionedConcurrency-Usage": "serverless.provisioned_gb_second",
    "ServerlessProvisionedConcurrency-Duration": "serverless.provisioned_busy_gb_second",
    "Hosting:IN": "data.gb_in",
    "Hosting:OUT": "data.gb_out",
}
_BY_USAGE = {
    ("AmazonS3", "Requests-Tier1"): "s3.put",
    ("AmazonS3", "Requests-Tier2"): "s3.get",
    ("AmazonSNS", "Requests-Tier1"): "sns.publish",
    ("AWSQueueService", "Requests-RBP"): "sqs.request",
    ("AWSQueueService", "Requests-Tier1"): "sqs.request",
    ("AmazonCloudWatch", "CW:GMD-Metrics"): "cloudwatch.metric",
}


def table_of(products: Iterable[tuple[str, str]], region: str, day: str, shipped: PriceTable) -> PriceTable:
    """The prices of a region.

    Args:
        products: The service's code and a product in JSON, as GetProducts gives it.
        day: On which they were read.
        shipped: Which prices there are; only its memory of instances is kept, where the list has none.

    Raises:
        ValueError: a product cannot be read, or a price is missing; the rest of a sentence about the list.
    """
    per: dict[str, float] = {}
    hours: dict[str, float] = {}
    gb: dict[str, float] = {}
    for service, text in products:
        try:
            product = json.loads(text)
            attributes, usd = product["product"]["attributes"], _dearest(product)
            name, per_gb = _name_of(service, attributes)
            if usd <= 0:
                continue
            if name in shipped.per:
                per[name] = max(per.get(name, 0.0), usd / per_gb)
            elif INSTANCE.fullmatch(name):
                hours[name] = max(hours.get(name, 0.0), usd)
                gb |= _memory(name, attributes)
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError):
            raise ValueError(f"has a product of {service} that cannot be read") from None
    missing = [name for name in shipped.per if name not in per and name not in _OPTIONAL]
    if not hours:
        missing.append("any instance")
    if missing:
        raise ValueError(f"has no price in {region} of {', '.join(missing)}")
    return PriceTable(
        region=region,
        as_of=day,
        note=NOTE,
        per={name: per.get(name) for name in shipped.per},
        instance_hour=dict(sorted(hours.items())),
        instance_gb={name: gb.get(name) or shipped.instance_gb.get(name, 0.0) for name in sorted(hours)},
    )


def _name_of(service: str, attributes: Mapping[str, Any]) -> tuple[str, float]:
    """The name of the price in the table, and the GB that it is of; an empty name: none of ours."""
    if service == "AmazonSageMaker":
        if name := _BY_GROUP.get(str(attributes.get("group"))):
            return name, float(attributes["memorygb"]) if name.startswith("serverless.") else 1.0
        return str(attributes.get("instanceName", "")) if attributes.get("component") == "Hosting" else "", 1.0
    usage = str(attributes.get("usagetype", ""))
    for (of, end), name in _BY_USAGE.items():
        if of == service and (usage == end or usage.endswith(f"-{end}")):
            return name, 1.0
    return "", 1.0


def _dearest(product: Mapping[str, Any]) -> float:
    """USD of one unit; 0 where it is not sold on demand."""
    terms = product.get("terms", {}).get("OnDemand", {})
    return max(
        (
            float(dimension["pricePerUnit"].get("USD", 0.0))
            for term in terms.values()
            for dimension in term["priceDimensions"].values()
        ),
        default=0.0,
    )


def _memory(name: str, attributes: Mapping[str, Any]) -> dict[str, float]:
    found = _GIB.match(str(attributes.get("memory", "")))
    return {name: float(found[1])} if found else {}
