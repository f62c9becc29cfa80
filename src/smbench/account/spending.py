"""What a run will send, and what it may cost at most: from its plan and the endpoint as it is; nothing is sent."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from smbench import units
from smbench.analysis.capacity.cost import LONG_POLL_S
from smbench.analysis.numbers.known import then
from smbench.aws.endpoint.description import TargetFound
from smbench.aws.endpoint.metrics import metrics_of
from smbench.generator.forecast import forecast
from smbench.generator.plan import RunPlan
from smbench.ports import CLOUDWATCH_EVERY_S, LIST_IN_HEADS, LOOKS_HZ
from smbench.pricing.inference import ServerlessUse, data_parts, serverless_usd
from smbench.pricing.measuring import Calls, calls_usd
from smbench.pricing.table import PriceTable
from smbench.records import Unknown
from smbench.scenario.model import SYNCHRONOUS_BODY_MAX_BYTES

_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Spending:
    """A run before it is made. Every figure is the most that can be, but the length at least.

    Args:
        n_bytes: Of all bodies that the endpoint takes.
        n_bytes_put: Of the inputs, where they go through S3; less where they are there already.
        peak_hz: Requests that are due in the busiest second; None where a closed loop decides.
        unanswered: Calls without an answer at once: `limits.in_flight`.
        in_flight: Requests without an end at once.
        most_s: None where a closed loop decides.
        endpoint_usd: Of its instances while the run lasts, or of its inferences.
        endpoint_of: What that is for.
        measuring_usd: Of the calls beside it.
        measuring_of: What those are.
        machines_usd: Of machines that are started for it, those of a processing job.
        machines_of: Which; empty: this machine sends.
        prices_of: Where and when.
    """

    n_requests: int
    n_bytes: int
    n_bytes_put: int
    peak_hz: int | None
    unanswered: int
    in_flight: int
    least_s: float
    most_s: float | None
    endpoint_usd: float | Unknown
    endpoint_of: str
    measuring_usd: float | Unknown
    measuring_of: str
    prices_of: str
    machines_usd: float | Unknown = 0.0
    machines_of: str = ""

    @property
    def usd(self) -> float | Unknown:
        """All of it."""
        total = 0.0
        for part in (self.endpoint_usd, self.measuring_usd, self.machines_usd):
            if isinstance(part, Unknown):
                return part
            total += part
        return total

    @property
    def lines(self) -> list[tuple[str, str]]:
        """For a person: what a line is about, and what it says."""
        peak = "" if self.peak_hz is None else f", at most {self.peak_hz:,} due in one second"
        length = units.duration(self.least_s) + (" or more" if self.most_s is None else "")
        if self.most_s is not None and self.most_s > self.least_s:
            length += f" to {units.duration(self.most_s)}"
        put = f"; {units.size(self.n_bytes_put)} are put into S3" if self.n_bytes_put else ""
        machines = [("machines", f"{_usd(self.machines_usd)}: {self.machines_of}")] if self.machines_of else []
        return [
            ("requests", f"{self.n_requests:,}{peak}"),
            ("bytes", f"{units.size(self.n_bytes)}{put}"),
            ("at once", f"at most {self.in_flight:,} requests in flight, {self.unanswered:,} calls unanswered"),
            ("length", length),
            ("endpoint", f"{_usd(self.endpoint_usd)}: {self.endpoint_of}"),
            ("measuring", f"{_usd(self.measuring_usd)}: {self.measuring_of}"),
            *machines,
            ("cost", f"{_usd(self.usd)} (list prices, {self.prices_of})"),
        ]

    def to_json(self) -> dict[str, Any]:
        """Every figure as a plain JSON value; one that is not known as null, with its reason beside it."""
        values: dict[str, Any] = {}
        for name, value in {**asdict(self), "usd": self.usd}.items():
            if isinstance(getattr(self, name), Unknown):
                values |= {name: None, f"{name}_unknown": getattr(self, name).reason}
            else:
                values[name] = value
        return values


def _usd(amount: float | Unknown) -> str:
    if isinstance(amount, Unknown):
        return f"not known ({amount.reason})"
    return f"at most {units.usd(amount)}" if amount else "nothing"


def spending(plan: RunPlan, found: TargetFound | None, prices: PriceTable) -> Spending:
    """What carrying out the plan means.

    Args:
        found: The endpoint; None where it is emulated, which costs nothing.
    """
    limits, schedule = plan.scenario.limits, plan.schedule
    sizes = np.array([payload.size_bytes for payload in plan.payloads])
    n = min(len(schedule), limits.requests or len(schedule))
    n_bytes = int(sizes[schedule.payload[:n]].sum())
    length = forecast(plan)
    most_s = length.most_s
    endpoint_usd, endpoint_of = _endpoint(plan, found, n, n_bytes, most_s, prices)
    return Spending(
        n_requests=n,
        n_bytes=n_bytes,
        n_bytes_put=_put(plan, n_bytes),
        peak_hz=_most_within(plan, _SECOND_NS, n),
        unanswered=limits.in_flight,
        in_flight=_in_flight(plan, n),
        least_s=length.least_s,
        most_s=most_s,
        endpoint_usd=endpoint_usd,
        endpoint_of=endpoint_of,
        measuring_usd=0.0 if found is None else _measuring(plan, found, n, most_s, prices),
        measuring_of=_measured_by(plan, found),
        prices_of=prices.source,
    )


def most_usd(plan: RunPlan, found: TargetFound, n: int, most_s: float, prices: PriceTable) -> float | Unknown:
    """USD that so many requests within so long may cost at most at any rate: the endpoint, and the calls beside it.

    Args:
        plan: Of a run with the same bodies.
        n: Requests.
        most_s: Seconds.
    """
    n_bytes = n * max(payload.size_bytes for payload in plan.payloads)
    endpoint_usd, _ = _endpoint(plan, found, n, n_bytes, most_s, prices)
    measuring_usd = _measuring(plan, found, n, most_s, prices, looks=LIST_IN_HEADS * LOOKS_HZ * most_s)
    return then(endpoint_usd, lambda endpoint: then(measuring_usd, lambda calls: endpoint + calls))


def _put(plan: RunPlan, n_bytes: int) -> int:
    payloads = plan.scenario.payloads
    if plan.scenario.target.is_synchronous or payloads.inline:
        return 0
    return n_bytes if payloads.unique else sum(payload.size_bytes for payload in plan.payloads)


def _most_within(plan: RunPlan, window_ns: int, n: int) -> int | None:
    """The most requests that are due within any window of this length; None where some are not timed."""
    due_ns = plan.schedule.sched_ns[:n]
    if any(span.outstanding is not None for span in plan.schedule.spans):
        return None
    if not n:
        return 0
    return int((np.arange(n) + 1 - np.searchsorted(due_ns, due_ns - window_ns, side="right")).max())


def _in_flight(plan: RunPlan, n: int) -> int:
    life_s = plan.scenario.answer_max_s or plan.longest_life_s
    within = _most_within(plan, math.ceil(life_s * 1e9), n)
    if within is None:
        within = n
        spans = plan.schedule.spans
        if all(span.outstanding is not None for span in spans):
            within = min(n, max(span.outstanding or 0 for span in spans))
    return min(within, plan.scenario.limits.in_flight) if plan.scenario.target.is_synchronous else within


def _endpoint(
    plan: RunPlan, found: TargetFound | None, n: int, n_bytes: int, most_s: float | None, prices: PriceTable
) -> tuple[float | Unknown, str]:
    if found is None:
        return 0.0, "an emulated endpoint"
    if found.kind == "serverless":
        settings = found.serverless or {}
        memory_mb, provisioned = int(settings.get("MemorySizeInMB", 0)), int(settings.get("ProvisionedConcurrency", 0))
        longest_s = plan.scenario.answer_max_s or 0
        n_out = n * SYNCHRONOUS_BODY_MAX_BYTES["serverless"]  # an answer's limit is a request's
        use = ServerlessUse(memory_mb, n * float(longest_s), n_bytes, n_out, provisioned, most_s or 0.0)
        return serverless_usd(use, prices), f"{n:,} inferences of {longest_s} s with {memory_mb:,} MB, answers of 4 MiB"
    most = int((found.scalable_target or {}).get("MaxCapacity") or 0)
    most = max(most, found.instances_desired or 0, found.instances_current or 0)
    what = f"{most:,} x {found.instance_type}"
    price = plan.scenario.target.instance_hour or prices.instance_hour.get(found.instance_type or "")
    if most_s is None:
        return Unknown("how long the run lasts is not known: a closed loop decides"), what
    if price is None:
        return Unknown(f"there is no price of {found.instance_type}: set target.instance_hour"), what
    paid_usd, paid_for = price * most * most_s / 3600, f"{what} at {price:g} USD an hour"
    if found.kind != "realtime":
        return paid_usd, paid_for
    data = data_parts(n_bytes, n * SYNCHRONOUS_BODY_MAX_BYTES["realtime"], prices)
    return then(data, lambda parts: paid_usd + sum(parts.values())), f"{paid_for}, answers of 25 MiB"


def _measured_by(plan: RunPlan, found: TargetFound | None) -> str:
    if found is None or found.tracking != "s3":
        return "S3, SNS, SQS and CloudWatch"
    every = units.duration(plan.scenario.collector.look_every)
    return f"S3 and CloudWatch; outputs are looked for every {every}, with at most {LOOKS_HZ:g} calls a second"


def _measuring(
    plan: RunPlan, found: TargetFound, n: int, most_s: float | None, prices: PriceTable, looks: float | None = None
) -> float | Unknown:
    """USD; `looks` are HEADs, None: as many as this plan may need."""
    if most_s is None:
        return Unknown("how long the run lasts is not known: a closed loop decides")
    metrics = len(metrics_of(found.kind, in_stream=found.in_stream)) * math.ceil(most_s / CLOUDWATCH_EVERY_S)
    is_async, is_told = found.kind == "async", found.kind == "async" and found.tracking == "sns"
    # Each input by the endpoint, and its output and failure where no notice comes.
    reads = n * is_async + (2 * n if is_told else (_looks(plan, n, most_s) if looks is None else looks) * is_async)
    calls = Calls(
        writes=2 * n * is_async,
        reads=reads,
        notices=n * is_told,
        queue=(2 * n + most_s / LONG_POLL_S) * is_told,
        metrics=metrics,
    )
    return sum(calls_usd(calls, prices).values())


def _looks(plan: RunPlan, n: int, most_s: float) -> float:
    """HEADs at most: two for each open request in each round, twice that where a listing was in vain; and the pace."""
    rounds = math.ceil(most_s / plan.scenario.collector.look_every) + 1
    return min(4.0 * _in_flight(plan, n) * rounds, LIST_IN_HEADS * LOOKS_HZ * most_s)
