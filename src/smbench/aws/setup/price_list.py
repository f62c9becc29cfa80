"""AWS's price list, read through its API. It is served in a few regions, for all of them."""

from typing import Any

from smbench.aws.access.clients import AwsClients
from smbench.errors import TargetError
from smbench.pricing.price_list import ASKS

SERVED_IN = "us-east-1"
_PAGES_MAX = 100  # of 100 products: SageMaker lists some hundreds of hosting instances a region


async def read_products(clients: AwsClients, region: str) -> list[tuple[str, str]]:
    """Every product that has one of our prices: the service's code, and the product in JSON.

    Raises:
        TargetError: AWS refuses, cannot be reached or does not come to an end; advice says what to do.
    """
    found: list[tuple[str, str]] = []
    for ask in ASKS:
        wanted: dict[str, Any] = {"ServiceCode": ask.service, "Filters": ask.filters(region), "MaxResults": 100}
        for _ in range(_PAGES_MAX):
            with clients.explained("read AWS's price list (pricing:GetProducts)"):
                page = await clients.pricing.get_products(**wanted)
            found += [(ask.service, str(product)) for product in page.get("PriceList") or ()]
            if not page.get("NextToken"):
                break
            wanted["NextToken"] = page["NextToken"]
        else:
            raise TargetError(f"AWS's price list of {ask.service} has no end: more than {_PAGES_MAX} pages")
    return found
