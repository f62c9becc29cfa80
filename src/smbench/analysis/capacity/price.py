"""Price of an inference of a run: at list prices, for a month, and from how many an instance is cheaper.

Source: docs/methods.md#price.
"""

from typing import Any

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from smbench.analysis.capacity.cost import NOTHING_MEASURED, Cost, instance_hour_usd
from smbench.analysis.capacity.instances import measured_from_ns
from smbench.analysis.numbers.known import Missing, ratio, then
from smbench.analysis.rows.columns import only
from smbench.analysis.rows.frames import Frames
from smbench.pricing.inference import (
    DATA,
    MONTH_H,
    ServerlessUse,
    break_even,
    comparable,
    data_parts,
    month_usd,
    serverless_parts,
    strides,
)
from smbench.pricing.table import PriceTable
from smbench.records import Outcome, Unknown

_MONTH_S = MONTH_H * 3600
NOTHING_COMPLETED = "nothing completed"
GIVEN = "target.instance_hour"  # in the place of a price list


class BreakEven(BaseModel):
    """An instance that is always there, against serverless."""

    model_config = ConfigDict(frozen=True)

    instance_type: str
    usd_month: float
    n_month: float  # inferences a month, from which on it is cheaper, if it can do them


class Saving(BaseModel):
    """So many inferences a month, by serverless and on one instance."""

    model_config = ConfigDict(frozen=True)

    n_month: int
    serverless_usd: float
    instance_usd: float
    saving: float  # of serverless against the instance, as a share; below zero: it is dearer


class Price(BaseModel):
    """At list prices, from the first measured phase on; each completed inference carries what all requests cost."""

    model_config = ConfigDict(frozen=True)

    of: str  # what is paid for
    prices_of: str  # where and when
    usd: float | Missing
    parts: dict[str, float]  # USD, of a serverless or a real-time endpoint; empty: not known, or of an asynchronous one
    n_completed: int
    usd_per_inference: float | Missing
    usd_per_1000: float | Missing
    usd_per_million: float | Missing
    n_month: float | Missing  # inferences, at the run's rate
    usd_month: float | Missing  # 730 hours of the run
    calls_usd: float | None = None  # of `n_completed`: S3 and SNS, called by an asynchronous endpoint; not in `usd`
    break_even: tuple[BreakEven, ...] = ()  # of a serverless endpoint, cheapest instance first
    compared_with: str = ""  # the cheapest instance with as much memory; empty: none is listed
    savings: tuple[Saving, ...] = ()

    @property
    def data_usd_per_inference(self) -> float:
        """Of an inference's price, what its data in and out costs; 0 where it is not known or not paid for."""
        usd = sum(self.parts.get(name, 0.0) for name in DATA)
        return usd / self.n_completed if self.n_completed else 0.0


def price(frames: Frames, cost: Cost | Unknown) -> Price:
    """What a run's inferences cost.

    Args:
        cost: Of the run's instances.
    """
    target = frames.manifest.scenario.get("target") or {}
    if target.get("kind") == "serverless":
        return _serverless(frames, _memory_mb(frames))
    prices = frames.prices
    hour = instance_hour_usd(frames)
    usd = then(hour, lambda one: then(cost, lambda paid: one * paid.instance_s / 3600))
    machine = str(frames.manifest.target.get("instance_type") or "")
    given = target.get("instance_hour") is not None
    parts: dict[str, float] | Unknown = {}
    if target.get("kind") == "realtime":
        parts = then(usd, lambda one: then(data_usd(frames), lambda data: {"instances": one, **data}))
        usd = then(parts, lambda of: sum(of.values()))
    calls = None if isinstance(cost, Unknown) or cost.endpoint_calls is None else sum(cost.endpoint_calls.values())
    return _price(
        frames,
        of=f"instances{f' of {machine}' if machine else ''}",
        prices_of=GIVEN if given else prices.source,
        usd=usd,
        parts={} if isinstance(parts, Unknown) else parts,
        calls_usd=calls,
    )


def data_usd(frames: Frames) -> dict[str, float] | Unknown:
    """What the bodies of a run's synchronous calls and of their answers cost, in and out."""
    return data_parts(*_bytes(frames), frames.prices)


def length_s(frames: Frames) -> float:
    """From the first measured phase, as what is paid, to the end of the run; 0 where nothing is measured."""
    return max(0.0, (frames.end_ns - measured_from_ns(frames)) / 1e9) if frames.measured.height else 0.0


def _price(frames: Frames, *, usd: float | Unknown, of: str, prices_of: str, **more: Any) -> Price:
    usd = usd if frames.measured.height else Unknown(NOTHING_MEASURED)
    n, span_s = int((frames.measured["outcome"] == Outcome.COMPLETED.value).sum()), length_s(frames)
    each = ratio(usd, n, NOTHING_COMPLETED)
    return Price(
        of=of,
        prices_of=prices_of,
        usd=usd,
        parts=more.pop("parts", {}),
        n_completed=n,
        usd_per_inference=each,
        usd_per_1000=then(each, lambda one: 1000 * one),
        usd_per_million=then(each, lambda one: 1e6 * one),
        n_month=ratio(n * _MONTH_S, span_s, "the run has no length"),
        usd_month=ratio(then(usd, lambda one: one * _MONTH_S), span_s, "the run has no length"),
        **more,
    )


def _memory_mb(frames: Frames) -> tuple[int, int] | Unknown:
    """Memory and provisioned concurrency, of the scenario's emulated endpoint or of the one that was found."""
    target = frames.manifest.scenario.get("target") or {}
    emulated = (target.get("emulated") or {}).get("serverless") or {}
    found = frames.manifest.target.get("serverless") or {}
    if target.get("endpoint") is None and "memory" in emulated:
        return int(emulated["memory"]), int(emulated.get("provisioned") or 0)
    if "MemorySizeInMB" in found:
        return int(found["MemorySizeInMB"]), int(found.get("ProvisionedConcurrency") or 0)
    return Unknown("the memory size of the endpoint is not known")


def _serverless(frames: Frames, size: tuple[int, int] | Unknown) -> Price:
    prices = frames.prices
    if isinstance(size, Unknown):
        return _price(frames, of="a serverless endpoint", prices_of=prices.source, usd=size)
    memory_mb, provisioned = size
    parts = serverless_parts(_use(frames, memory_mb, provisioned), prices)
    what = f"a serverless endpoint of {memory_mb:,} MB" + (f", {provisioned:,} provisioned" if provisioned else "")
    if isinstance(parts, Unknown):
        return _price(frames, of=what, prices_of=prices.source, usd=parts)
    found = _price(frames, of=what, prices_of=prices.source, usd=sum(parts.values()), parts=parts)
    # What is there all the time costs the same however many there are: then no number of inferences breaks even alone.
    each = found.usd_per_inference
    if isinstance(each, Unknown) or provisioned:
        return found
    against = against_instances(each, found.data_usd_per_inference, memory_mb, prices)
    return found.model_copy(update=dict(against))


class Against(BaseModel):
    """Serverless, for which each inference is paid, against instances that are always there."""

    model_config = ConfigDict(frozen=True)

    break_even: tuple[BreakEven, ...]
    compared_with: str
    savings: tuple[Saving, ...]


def against_instances(each_usd: float, data_usd: float, memory_mb: int, prices: PriceTable) -> Against:
    """What serverless inferences at this price cost less, and from how many a month on they cost more.

    Args:
        data_usd: Of an inference's price, its data in and out, which a real-time instance pays for as well.
    """
    points = tuple(
        BreakEven(instance_type=name, usd_month=month_usd(prices.instance_hour[name]), n_month=n)
        for name, n in break_even(each_usd, data_usd, prices).items()
    )
    name = comparable(memory_mb, prices)
    savings = _savings(each_usd, data_usd, month_usd(prices.instance_hour[name])) if name else ()
    return Against(break_even=points, compared_with=name or "", savings=savings)


def _savings(each_usd: float, data_usd: float, month: float) -> tuple[Saving, ...]:
    if each_usd - data_usd <= 1e-12 * each_usd:
        return ()
    found = []
    for n in strides(month / (each_usd - data_usd)):
        serverless_usd, instance_usd = n * each_usd, month + n * data_usd
        saving = 1 - serverless_usd / instance_usd
        found.append(Saving(n_month=n, serverless_usd=serverless_usd, instance_usd=instance_usd, saving=saving))
    return tuple(found)


def _use(frames: Frames, memory_mb: int, provisioned: int) -> ServerlessUse:
    """The time of each accepted call from the send of its last try: rather too much, for AWS bills the container's."""
    received_ns = pl.coalesce("recv_ns", "send_ns").fill_null(0).alias("received_ns")
    billed = only(frames.measured, pl.col("accepted"), pl.col("service_age_ns").fill_null(0), received_ns)
    bytes_in, bytes_out = _bytes(frames)
    busy_ns, received_at_ns = billed["service_age_ns"].to_numpy(), billed["received_ns"].to_numpy()
    return ServerlessUse(
        memory_mb=memory_mb,
        busy_s=float(busy_ns.sum()) / 1e9,
        bytes_in=bytes_in,
        bytes_out=bytes_out,
        provisioned=provisioned,
        length_s=length_s(frames),
        warm_busy_s=_within(received_at_ns, busy_ns, provisioned) / 1e9,
    )


def _bytes(frames: Frames) -> tuple[int, int | None]:
    """Of the bodies of the accepted calls, and of their answers; None where the size of one is not known.

    Of an answer that was an error the size is not known, and its few words are not counted.
    """
    billed = only(frames.measured, pl.col("accepted"), "outcome", "answer_size_in_bytes", "size_in_bytes")
    answers = billed.filter(pl.col("outcome") == Outcome.COMPLETED.value)["answer_size_in_bytes"]
    n_out = None if answers.has_nulls() else int(billed["answer_size_in_bytes"].sum())
    return int(billed["size_in_bytes"].fill_null(0).sum()), n_out


def _within(start_ns: Any, length_ns: Any, at_once: int) -> float:
    """Of the time of calls, what fits into the first `at_once` places: provisioned environments are used first."""
    if not at_once or not len(start_ns):
        return 0.0
    at_ns = np.concatenate([start_ns, start_ns + length_ns])
    step = np.concatenate([np.ones(len(start_ns), np.int64), -np.ones(len(start_ns), np.int64)])
    order = np.argsort(at_ns, kind="stable")
    running = np.cumsum(step[order])[:-1]
    return float((np.diff(at_ns[order]) * np.minimum(running, at_once)).sum())
