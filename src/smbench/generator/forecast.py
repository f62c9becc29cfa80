"""What a plan promises before it starts: whether the endpoint keeps up, how long the run takes, what it may cost.

Only the emulated endpoint's capacity is known beforehand, so of a real one the forecast says how long the run lasts.
The backlog is a fluid: work comes when the schedule says and leaves at the rate of all slots there can be, from the
first second on. The endpoint of the run has fewer for a while, so every backlog given here is the least there will be.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from smbench.generator.plan import RunPlan
from smbench.model.law_facts import mean_s, mean_within_s, share_beyond
from smbench.scenario.emulated import Emulated, Policy
from smbench.scenario.model import Scenario
from smbench.scenario.payloads.bodies import Payload
from smbench.scenario.values.request import DEFAULT_TIMEOUT_S, DEFAULT_TTL_S
from smbench.schedule.base import PhaseSpan
from smbench.units import counted

WARP_REQUEST_S = 2.5e-3  # of the wall's time, a request of a whole run in warp time on two cores of 2026
WARP_PART_S = 1e-4  # and as much for each part of a streamed answer
TIGHT_SHARE = 0.95  # of the slots busy: waits are long, and a run of hours is needed to see how long
CERTAIN_SHARE, _NAMED_SHARE = 0.999, 0.01  # of requests whose service outlasts their time-out
VARYING = ("ramp", "steps", "sine", "replay")  # phases in which the rate is now above, now below its mean
_BACKLOG_METRICS = ("ApproximateBacklogSize", "ApproximateBacklogSizePerInstance", "HasBacklogWithoutCapacity")
_PER_INSTANCE = "ApproximateBacklogSizePerInstance"


@dataclass(frozen=True, slots=True)
class PhaseForecast:
    """What one phase asks of the endpoint.

    Attributes:
        busy_slots: Slots its load keeps busy on average; None where its length is not known, or is nothing.
        growth_hz: Requests a second by which the backlog grows in it; 0 where it does not.
        backlog_at_end: Requests waiting when it ends, those of phases before included.
        most_left_s: Seconds of work for all slots that wait in it at most, those of phases before included.
        before_s: And when it begins.
        peak_slots: Slots kept busy where its rate is highest; None where the rate does not change by design.
        enough_instances: The fewest that keep up with it, also where its rate is highest, if that is known; None where
            `busy_slots` is.
        work_s: Seconds that all slots need for what it sends.
    """

    name: str
    kind: str
    n: int
    length_s: float | None
    busy_slots: float | None
    growth_hz: float
    backlog_at_end: float
    enough_instances: int | None
    work_s: float
    peak_slots: float | None = None
    before_s: float = 0.0
    most_left_s: float = 0.0


@dataclass(frozen=True, slots=True)
class TimeOut:
    """Requests that are sure to fail, or likely to, because their service outlasts their time-out."""

    payload_class: str
    mean_s: float
    timeout_s: float
    is_default: bool
    share: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """The whole plan. Durations are scenario time; `scale` of its seconds pass in one of the wall's.

    Attributes:
        phases: Empty for a real endpoint.
        slots_max: Requests that all instances there can be work on at once; 0 for a real endpoint.
        never_serves: Why no instance will ever serve; empty where one may.
        least_s, most_s: How long the run lasts, from the first request to the end of its drain; `most_s` is None where
            a closed loop decides.
        instance_hours: The least and the most that are paid for; None for a real endpoint, and with `most_s`.
        kind: `async`, `serverless` or `realtime`. The slots of a serverless endpoint are execution environments.
        parts: Of each answer; 0 where it does not come in a stream, or the endpoint is a real one.
    """

    phases: tuple[PhaseForecast, ...]
    slots_max: int
    instances_max: int
    n_classes: int  # of payloads
    timeouts: tuple[TimeOut, ...]
    never_serves: str
    left_s: float  # of work for all slots, when the last request has been sent
    ttl_s: float
    drain_s: float
    least_s: float
    most_s: float | None
    scale: float
    instance_hours: tuple[float, float] | None
    kind: str = "async"
    parts: int = 0


def forecast(plan: RunPlan) -> Forecast:
    """What can be said of the plan before it starts.

    Raises:
        UsageError: an empirical law's file cannot be read.
    """
    scenario = plan.scenario
    span_s = plan.schedule.span_ns / 1e9
    request_ttl_s = scenario.answer_max_s or scenario.request.ttl or DEFAULT_TTL_S
    kind = scenario.target.kind
    if not plan.is_emulated:
        most_s: float | None = None if plan.schedule.spans[-1].end_ns is None else span_s + scenario.drain
        return Forecast((), 0, 0, 0, (), "", 0.0, request_ttl_s, scenario.drain, span_s, most_s, 1.0, None, kind)
    emulated = scenario.target.emulated
    capacity = _Capacity.of(emulated, kind)
    service_s = np.array([_service_s(payload, scenario, plan.base_dir) for payload in plan.payloads])
    phases, left_s = _phases(plan, service_s, capacity)
    never = "" if kind == "serverless" else why_never_served(emulated, len(plan.schedule))
    wake_s = _wake_s(emulated, plan.base_dir) if kind == "async" and not emulated.instances.at_start else 0.0
    if kind == "serverless":
        left_s = 0.0  # nothing waits there
    after_s = scenario.drain if never else min(scenario.drain, left_s + float(np.min(service_s)))
    span_s += sum(phase.work_s for phase in phases if phase.kind == "closed" and phase.length_s is None)
    least_s = max(span_s + after_s, min(wake_s, span_s + scenario.drain))
    most_s = None if plan.schedule.spans[-1].end_ns is None else span_s + scenario.drain
    work_h = sum(phase.work_s for phase in phases) * capacity.instances_max / 3600
    hours = None
    if most_s is not None and not never and kind != "serverless":
        most_h = _hours(capacity.instances_max, most_s)
        least_h = max(_hours(capacity.instances_min, least_s), min(work_h, _hours(capacity.instances_max, least_s)))
        hours = (min(least_h, most_h), most_h)
    return Forecast(
        phases,
        capacity.slots_max,
        capacity.instances_max,
        len({payload.payload_class for payload in plan.payloads}),
        _timeouts(plan.payloads, scenario, plan.base_dir),
        never,
        left_s,
        request_ttl_s,
        scenario.drain,
        least_s,
        most_s,
        plan.scale,
        hours,
        kind,
        emulated.stream.parts if scenario.request.stream else 0,
    )


@dataclass(frozen=True, slots=True)
class _Capacity:
    """What the emulated endpoint can have."""

    instances_min: int
    instances_max: int
    concurrency: int

    @classmethod
    def of(cls, emulated: Emulated, kind: str) -> "_Capacity":
        if kind == "serverless":
            return cls(0, emulated.serverless.max_concurrency, 1)
        instances = emulated.instances
        there = [instances.at_start, *_under_way(emulated)]
        limits = () if "scheduled" in emulated.suspended else emulated.scheduled
        lows = [one.min for one in limits if one.min is not None]
        highs = [one.max for one in limits if one.max is not None]
        least, most = min(*there, *highs, instances.at_start), max(*there, *lows, instances.at_start)
        if emulated.policies and "in" not in emulated.suspended:
            least = min(least, instances.min, *lows)
        if emulated.policies and "out" not in emulated.suspended:
            most = max(most, instances.max, *highs)
        return cls(least, most, instances.concurrency)

    @property
    def slots_max(self) -> int:
        return self.instances_max * self.concurrency


def _under_way(emulated: Emulated) -> list[int]:
    """The instances that a change under way at the start leads to; empty: none is."""
    return [] if emulated.initial.activity is None else [emulated.initial.activity.to]


def _hours(instances: int, length_s: float) -> float:
    return instances * length_s / 3600


def _service_s(payload: Payload, scenario: Scenario, base_dir: Path) -> float:
    """How long a request of this payload keeps its slot, on average: its time-out ends it at the latest."""
    emulated = scenario.target.emulated
    law = emulated.service.of(payload.payload_class)
    streaming_s, timeout_s = _streaming_s(scenario, base_dir), _timeout_s(payload, scenario)
    if streaming_s >= timeout_s:
        return timeout_s
    slowness = _slowness(scenario)
    return slowness * mean_within_s(law, (timeout_s - streaming_s) / slowness, base_dir) + streaming_s


def _slowness(scenario: Scenario) -> float:
    """How many times as long as the law says a request works."""
    return scenario.target.emulated.serverless.slowness if scenario.target.kind == "serverless" else 1.0


def _streaming_s(scenario: Scenario, base_dir: Path) -> float:
    """From the first part of an answer to its last, on average; 0 where it does not come in a stream."""
    wanted = scenario.target.emulated.stream
    return (wanted.parts - 1) * mean_s(wanted.gap, base_dir) if scenario.request.stream else 0.0


def _timeout_s(payload: Payload, scenario: Scenario) -> float:
    return float(scenario.answer_max_s or payload.timeout_s or DEFAULT_TIMEOUT_S)


def _phases(
    plan: RunPlan, service_s: NDArray[np.float64], capacity: _Capacity
) -> tuple[tuple[PhaseForecast, ...], float]:
    """Each phase's forecast, and the seconds of work for all slots that are left when the last one ends."""
    slots = max(1, capacity.slots_max)
    work_s = service_s[plan.schedule.payload] / slots  # of all slots together, a request
    usual_s = float(service_s[plan.schedule.payload].mean()) if len(plan.schedule) else 0.0
    phases: list[PhaseForecast] = []
    left_s = 0.0
    for span, phase in zip(plan.schedule.spans, plan.scenario.load, strict=True):
        rows = plan.schedule.rows(span.index)
        of_phase_s = work_s[rows]
        before_s = left_s
        left_s, most_s = _left_s(span, plan.schedule.sched_ns[rows], of_phase_s, before_s)
        mean = float(of_phase_s.mean()) * slots if span.n else usual_s
        # What is asked for, where that is known: what chance makes of it differs from seed to seed.
        asked = float(span.n) if phase.expected_requests is None else phase.expected_requests
        one = _phase(span, asked, mean, before_s, left_s, capacity, phase.peak_hz)
        phases.append(replace(one, before_s=before_s, most_left_s=most_s))
    return tuple(phases), left_s


def _left_s(
    span: PhaseSpan, due_ns: NDArray[np.int64], work_s: NDArray[np.float64], before_s: float
) -> tuple[float, float]:
    """Work left at the phase's end, and the most in it: Lindley's recursion, unfolded into a running minimum."""
    if span.outstanding is not None or span.end_ns is None:
        return 0.0, 0.0  # a closed loop waits for its ends, so nothing is left but what is outstanding
    if not span.n:
        return max(0.0, before_s - (span.end_ns - span.start_ns) / 1e9), before_s
    since_s = (due_ns - span.start_ns) / 1e9
    before_each_s = before_s + np.cumsum(work_s) - work_s - since_s  # as if the slots never stood idle
    idle_s = np.minimum(0.0, np.minimum.accumulate(before_each_s))
    with_each_s = before_each_s - idle_s + work_s
    left_s = float(with_each_s[-1]) - ((span.end_ns - span.start_ns) / 1e9 - float(since_s[-1]))
    return max(0.0, left_s), max(before_s, float(with_each_s.max()))


def _phase(
    span: PhaseSpan,
    asked: float,
    service_s: float,
    before_s: float,
    left_s: float,
    capacity: _Capacity,
    peak_hz: float | None,
) -> PhaseForecast:
    length_s = None if span.end_ns is None else (span.end_ns - span.start_ns) / 1e9
    slots = max(1, capacity.slots_max)
    if span.outstanding is not None:
        slots = min(slots, span.outstanding)
    per_request_s = service_s / slots
    backlog = left_s / per_request_s if per_request_s else 0.0
    busy: float | None = None
    peak = None if peak_hz is None else peak_hz * service_s
    growth_hz, enough = 0.0, None
    if span.outstanding is None and length_s and asked:
        busy = asked * service_s / length_s
        enough = math.floor(max(busy, peak or 0.0) / capacity.concurrency) + 1
        if busy > slots:
            growth_hz = asked / length_s - 1 / per_request_s
            if span.kind not in VARYING:
                backlog = before_s / per_request_s + growth_hz * length_s
    return PhaseForecast(
        span.name, span.kind, span.n, length_s, busy, growth_hz, backlog, enough, asked * per_request_s, peak
    )


def _timeouts(payloads: Sequence[Payload], scenario: Scenario, base_dir: Path) -> tuple[TimeOut, ...]:
    service, streaming_s = scenario.target.emulated.service, _streaming_s(scenario, base_dir)
    slowness = _slowness(scenario)
    found: dict[tuple[str, float], TimeOut] = {}
    for payload in payloads:
        timeout_s = _timeout_s(payload, scenario)
        key = payload.payload_class, timeout_s
        if key in found:
            continue
        law = service.of(payload.payload_class)
        share = share_beyond(law, (timeout_s - streaming_s) / slowness, base_dir)
        service_s = slowness * mean_s(law, base_dir) + streaming_s
        found[key] = TimeOut(payload.payload_class, service_s, timeout_s, payload.timeout_s is None, share)
    return tuple(one for one in found.values() if one.share >= _NAMED_SHARE)


def why_never_served(emulated: Emulated, n_requests: int) -> str:
    """Why no instance will ever serve: none at the start, and none that any policy would add; empty otherwise.

    Args:
        n_requests: Of the whole schedule: the backlog is never larger.
    """
    suspended = emulated.suspended
    is_scheduled = "scheduled" not in suspended and any(action.min for action in emulated.scheduled)
    if emulated.instances.at_start or any(_under_way(emulated)) or is_scheduled or not n_requests:
        return ""
    if not emulated.policies:
        return "no instance is there at the start, and without a policy none will be added"
    if "out" in suspended:
        return "no instance is there at the start, and none will be added, for scaling out is suspended"
    reasons = [_why_not_from_zero(policy, emulated, n_requests) for policy in emulated.policies]
    return "" if "" in reasons else "no instance is there at the start, and " + "; ".join(dict.fromkeys(reasons))


def _why_not_from_zero(policy: Policy, emulated: Emulated, n_requests: int) -> str:
    questions = emulated.open_questions
    if policy.target_tracking is not None:
        target = policy.target_tracking.backlog_per_instance
        if not questions.tracking_leaves_zero:
            return "target tracking does not leave zero (open_questions.tracking_leaves_zero is false)"
        if questions.per_instance_at_zero == "missing":
            return f"at zero instances {_PER_INSTANCE} has no datapoint (open_questions.per_instance_at_zero)"
        if n_requests <= target:
            return f"{counted(n_requests, 'request')} will never be a backlog above the target of {target:g}"
    step = policy.step
    if step is not None:
        if all(one.change <= 0 for one in step.steps) or (step.adjustment == "percent" and not step.min_magnitude):
            return "its step policy adds nothing to zero instances"
        is_above = step.comparison in (">", ">=")
        if step.metric in _BACKLOG_METRICS and is_above and n_requests < step.threshold:
            few = counted(n_requests, "request")
            return f"{few} will never reach the threshold of {step.threshold:g} of its step policy"
        if step.metric == _PER_INSTANCE and questions.per_instance_at_zero == "missing" and step.missing != "breaching":
            return f"at zero instances {_PER_INSTANCE} has no datapoint (open_questions.per_instance_at_zero)"
    return ""


def _wake_s(emulated: Emulated, base_dir: Path) -> float:
    """From zero instances to the first that serves, at the earliest, on average: the alarm's minutes and the start."""
    minutes = []
    for policy in emulated.policies:
        if policy.target_tracking is not None:
            minutes.append(emulated.open_questions.tracking_points_out)
        elif policy.step_from_zero is not None:
            minutes.append(policy.step_from_zero.minutes)
        elif policy.step is not None:
            minutes.append(policy.step.datapoints)
    if not minutes:
        return 0.0
    seen_s = 60.0 * min(minutes) + mean_s(emulated.metric_delay, base_dir)
    return seen_s + emulated.action_delay + mean_s(emulated.provision, base_dir)
