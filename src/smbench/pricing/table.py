"""The table of list prices: the dated one that ships, or a newer one that was read from AWS; a caller's own prices
replace single ones.

A price that is not known is None.
"""

import functools
import json
import os
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from smbench.errors import UsageError

Usd = Annotated[float, Field(ge=0, lt=1e6)]

INSTANCE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9]+")


class PriceTable(BaseModel):
    """Prices of one region in USD.

    Args:
        as_of: Year and month of the youngest source, or the day on which AWS's list was read.
        note: What is not in it, and what is older.
        per: A unit's price by its name, `serverless.gb_second`; None: not known.
        instance_hour: By instance type, `ml.m5.large`; the same for asynchronous and real-time endpoints.
        instance_gb: Memory by instance type; a type may be missing.
        own: The names that a caller gave another price.
    """

    model_config = ConfigDict(frozen=True)

    region: str
    as_of: str
    note: str = ""
    per: dict[str, Usd | None]
    instance_hour: dict[str, Usd]
    instance_gb: dict[str, Usd] = {}
    own: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """Where and when, with what was given by the caller."""
        given = f"; given: {', '.join(self.own)}" if self.own else ""
        return f"{self.region}, {self.as_of}{given}"

    @property
    def own_prices(self) -> dict[str, float]:
        """What the caller gave, by name."""
        both = {**self.per, **self.instance_hour}
        return {name: usd for name in self.own if (usd := both[name]) is not None}

    def with_own(self, prices: Mapping[str, float]) -> "PriceTable":
        """The table with other prices; an instance type that it lacks is added.

        Raises:
            UsageError: a name is neither in `per` nor an instance type, or a price is no number from 0 to a million.
        """
        per, hours = dict(self.per), dict(self.instance_hour)
        for name, usd in prices.items():
            if not 0 <= usd < 1e6:
                raise UsageError(f"the price {name}={usd} is not between 0 and a million USD")
            if name in per:
                per[name] = usd
            elif INSTANCE.fullmatch(name):
                hours[name] = usd
            else:
                near = get_close_matches(name, [*per, *hours], 1)
                meant = f"did you mean '{near[0]}'?" if near else "`smbench prices` lists the names"
                raise UsageError(f"there is no price '{name}'", meant)
        own = tuple(dict.fromkeys((*self.own, *prices)))
        return self.model_copy(update={"per": per, "instance_hour": hours, "own": own})


@functools.cache
def shipped_prices() -> PriceTable:
    """The table in the package."""
    return PriceTable.model_validate(json.loads((files("smbench.pricing") / "prices.json").read_bytes()))


def prices_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Where prices that were read from AWS are kept: below $XDG_CACHE_HOME, else below ~/.cache."""
    named = Path(environ.get("XDG_CACHE_HOME", ""))
    return (named if named.is_absolute() else Path(os.path.expanduser("~/.cache"))) / "smbench" / "prices.json"


def current_prices() -> PriceTable:
    """The table that was read from AWS last, on this machine; else the one in the package. Both say where and when."""
    try:
        return PriceTable.model_validate_json(prices_file().read_bytes())
    except (OSError, ValueError):  # none, or one that another version wrote
        return shipped_prices()


def prices_from_options(options: Sequence[str]) -> dict[str, float]:
    """What `--price name=USD` options say.

    Raises:
        UsageError: one has no `=`, or its value is no number.
    """
    found: dict[str, float] = {}
    for option in options:
        name, equals, value = option.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            raise UsageError(f"--price '{option}': write a name and USD, such as ml.m5.large=0.115") from None
        if not equals or not name.strip():
            raise UsageError(f"--price '{option}': write a name and USD, such as ml.m5.large=0.115")
    return found
