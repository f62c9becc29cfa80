"""List prices for computing costs: the table that ships, and a newer one read from AWS."""

import datetime
from collections.abc import Mapping

from smbench.api.loops import waited_for
from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.aws.setup.price_list import SERVED_IN, read_products
from smbench.errors import ResultsError, TargetError
from smbench.pricing.price_list import table_of
from smbench.pricing.table import PriceTable, current_prices, prices_file, shipped_prices
from smbench.results.files import write_whole


def prices(
    own: Mapping[str, float] | None = None,
    *,
    refresh: bool = False,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
) -> PriceTable:
    """The price table, with other prices by their names where `own` has them.

    Args:
        own: USD by name, `ml.m5.large` or `serverless.gb_second`.
        refresh: Read AWS's price list (pricing:GetProducts) and keep it on this machine for all costs to come.
        region: Whose prices are read; None: those of the table that is there.
        profile: AWS profile; None: as the AWS tools find it.
        endpoint_url: Another address of AWS's price list.

    Raises:
        UsageError: a name is no price's.
        TargetError: the list cannot be read; the table stays as it is.
        ResultsError: it was read and could not be kept.
    """
    if refresh:
        _refresh(region or current_prices().region, profile, endpoint_url)
    return current_prices().with_own(own or {})


def _refresh(region: str, profile: str | None, endpoint_url: str | None) -> None:
    settings = AwsSettings(region=SERVED_IN, profile=profile, endpoint_url=endpoint_url, services=("pricing",))

    async def read() -> list[tuple[str, str]]:
        async with AwsClients(settings) as clients:
            return await read_products(clients, region)

    stays = f"the prices of {current_prices().source} stay"
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    try:
        products = waited_for(read)
        table = table_of(products, region, day, shipped_prices())
    except TargetError as error:
        raise TargetError(f"{error.message}; {stays}", error.advice) from error
    except ValueError as error:
        raise TargetError(f"AWS's price list {error}; {stays}") from None
    file = prices_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, table.model_dump_json(indent=2, exclude={"own"}).encode())
    except OSError as error:
        raise ResultsError(
            f"cannot write {file}: {error.strerror or error}; {stays}", "set XDG_CACHE_HOME to a folder of yours"
        ) from error
