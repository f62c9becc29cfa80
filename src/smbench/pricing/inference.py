"""What an inference costs: on an instance, serverless, and from how many a month the instance is cheaper."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from smbench.pricing.table import PriceTable
from smbench.records import Unknown

MONTH_H = 730.0  # a twelfth of a year, as AWS's own calculator has it
DATA = ("data in", "data out")
_MB_IN_GB = 1024.0
_BYTES_IN_GB = 2.0**30
_STEPS_MAX = 10


_SIZES_UNKNOWN = "how large the answers were is not known, and data out is paid for"


@dataclass(frozen=True, slots=True)
class ServerlessUse:
    """What was used of a serverless endpoint.

    Args:
        busy_s: Seconds that all inferences took together; AWS bills milliseconds.
        bytes_in: Of all bodies that were sent.
        bytes_out: Of all answers; None: not known.
        provisioned: Environments that are always warm.
        length_s: How long they were.
        warm_busy_s: Of `busy_s`, what ran in them.
    """

    memory_mb: int
    busy_s: float
    bytes_in: int
    bytes_out: int | None
    provisioned: int = 0
    length_s: float = 0.0
    warm_busy_s: float = 0.0


def serverless_parts(use: ServerlessUse, prices: PriceTable) -> dict[str, float] | Unknown:
    """USD by what it is paid for.

    Source: AWS's price list: ServerlessInf:Mem, ProvisionedConcurrency:Mem (inferences in a provisioned environment),
    ProvisionedConcurrency:Usage (that it is there); and `data_parts`.
    """
    names = {"duration": "serverless.gb_second"}
    if use.provisioned:
        names["provisioned"] = "serverless.provisioned_gb_second"
        names["duration, provisioned"] = "serverless.provisioned_busy_gb_second"
    gb, warm_busy_s = use.memory_mb / _MB_IN_GB, use.warm_busy_s if use.provisioned else 0.0
    used = {
        "duration": (use.busy_s - warm_busy_s) * gb,
        "provisioned": use.provisioned * use.length_s * gb,
        "duration, provisioned": warm_busy_s * gb,
    }
    data, time = data_parts(use.bytes_in, use.bytes_out, prices), _parts(names, used, prices)
    if isinstance(data, Unknown) or isinstance(time, Unknown):
        return data if isinstance(data, Unknown) else time
    return {"duration": time.pop("duration"), **data, **time}


def data_parts(bytes_in: int, bytes_out: int | None, prices: PriceTable) -> dict[str, float] | Unknown:
    """USD for the bodies of synchronous calls and of their answers, which a serverless and a real-time endpoint cost.

    Args:
        bytes_out: None: not known.

    Source: AWS's price list: Hosting:IN, Hosting:OUT.
    """
    if bytes_out is None:
        return Unknown(_SIZES_UNKNOWN)
    names = dict(zip(DATA, ("data.gb_in", "data.gb_out"), strict=True))
    return _parts(names, dict(zip(DATA, (bytes_in / _BYTES_IN_GB, bytes_out / _BYTES_IN_GB), strict=True)), prices)


def _parts(names: Mapping[str, str], used: Mapping[str, float], prices: PriceTable) -> dict[str, float] | Unknown:
    known = {what: prices.per.get(name) for what, name in names.items()}
    if missing := next((names[what] for what, usd in known.items() if usd is None), None):
        return Unknown(f"there is no price {missing}: give it with --price {missing}=USD")
    return {what: used[what] * (usd or 0.0) for what, usd in known.items()}


def serverless_usd(use: ServerlessUse, prices: PriceTable) -> float | Unknown:
    """All of `serverless_parts`."""
    parts = serverless_parts(use, prices)
    return parts if isinstance(parts, Unknown) else sum(parts.values())


def month_usd(hour_usd: float) -> float:
    """Of one instance that is always there."""
    return hour_usd * MONTH_H


def break_even(usd_per_inference: float, data_usd: float, prices: PriceTable) -> dict[str, float]:
    """Inferences a month from which one instance of each type is cheaper, cheapest type first.

    Whether one instance can work them off is another question, which a capacity search answers.

    Args:
        data_usd: Of the price of an inference, what its data costs: a real-time instance pays as much for it.
    """
    saved_usd = usd_per_inference - data_usd
    if saved_usd <= 1e-12 * usd_per_inference:  # a difference of rounding
        return {}
    by_price = sorted(prices.instance_hour.items(), key=lambda item: item[1])
    return {name: month_usd(hour_usd) / saved_usd for name, hour_usd in by_price}


def comparable(memory_mb: int, prices: PriceTable) -> str | None:
    """The cheapest instance type with at least as much memory as a serverless endpoint; None: none is listed."""
    gb = memory_mb / _MB_IN_GB
    large = [name for name in prices.instance_hour if prices.instance_gb.get(name, 0.0) >= gb]
    return min(large, key=lambda name: (prices.instance_hour[name], name), default=None)


def strides(n_break_even: float) -> list[int]:
    """Numbers of inferences a month in equal steps, at most a dozen: up to the break-even and one step beyond it.

    A step is 1, 2 or 5 times a power of ten.
    """
    if not 0 < n_break_even < 1e15:
        return []
    for power in range(15):
        for digit in (1, 2, 5):
            step = digit * 10**power
            if n_break_even / step <= _STEPS_MAX:
                return [step * k for k in range(1, math.floor(n_break_even / step) + 2)]
    return []
