"""A scenario in one paragraph: what a person checks before paying for it."""

from collections import Counter
from collections.abc import Iterator

from smbench import units
from smbench.scenario.emulated import Emulated, Policy, Scaled
from smbench.scenario.model import Payloads, PayloadSet, Scenario, Target
from smbench.scenario.phases import (
    CLOSED_KINDS,
    Burst,
    Closed,
    Constant,
    Pause,
    Phase,
    Poisson,
    Ramp,
    Replay,
    Sine,
    Stairs,
    Steps,
    Users,
)
from smbench.scenario.serverless import Serverless
from smbench.scenario.values.distributions import Distribution, Think
from smbench.scenario.values.quantities import format_duration, format_rate
from smbench.scenario.values.request import Request


def describe(scenario: Scenario) -> str:
    """What is sent, when, how many requests in all, to what, in which time, and what must hold."""
    return " ".join(sentences(scenario))


def sentences(scenario: Scenario) -> list[str]:
    """The same, sentence by sentence."""
    parts = [
        f"Load: {', then '.join(describe_phase(phase) for phase in scenario.load)}; {_total(scenario)}",
        f"payloads are {_payloads(scenario.payloads, is_synchronous=scenario.target.is_synchronous)}",
        *(("each answer is taken in a stream",) if scenario.request.stream else ()),
        f"target: {_target(scenario)}",
        *(() if scenario.target.is_synchronous else (_drain(scenario),)),
    ]
    if fate := _fate(scenario.request):
        parts.append(f"each request {fate}")
    if stops := _stops(scenario):
        parts.append(f"stop sending {stops}")
    if scenario.thresholds:
        parts.append(f"must hold: {', '.join(scenario.thresholds)}")
    return [f"{part[:1].upper()}{part[1:]}." for part in parts]


def _drain(scenario: Scenario) -> str:
    return f"after the last send, wait at most {format_duration(scenario.drain)} for ends"


def expected_requests(scenario: Scenario) -> float | None:
    """How many requests the load asks for, on average where chance decides; None where a trace decides."""
    counts = [phase.expected_requests for phase in scenario.load]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def describe_phase(phase: Phase) -> str:
    """One phase in a few words: `Poisson 3/s for 10m`."""
    text = _phase(phase)
    return f"{text} (warm-up, left out of the figures)" if phase.settings.warmup else text


def _phase(phase: Phase) -> str:
    return _kind(phase) + ("" if phase.stop is None else ", unless a stop condition ends it before")


def _kind(phase: Phase) -> str:
    match phase.settings:
        case Constant() as p:
            return f"constant {format_rate(p.rate)} for {format_duration(p.for_s)}"
        case Poisson() as p:
            return f"Poisson {format_rate(p.rate)} for {format_duration(p.for_s)}"
        case Ramp() as p:
            return f"a ramp from {format_rate(p.from_hz)} to {format_rate(p.to_hz)} over {format_duration(p.for_s)}"
        case Steps() as p:
            return f"steps of {', '.join(map(format_rate, p.rates))}, each for {format_duration(p.each)}"
        case Burst() as p:
            span = f"within {format_duration(p.within)}" if p.within else "at one instant"
            return f"a burst of {p.requests:,} {span}"
        case Sine() as p:
            wave = f"{format_rate(p.mean)} ± {format_rate(p.amplitude)}, one wave in {format_duration(p.period)}"
            return f"a sine of {wave}, for {format_duration(p.for_s)}"
        case Replay() as p:
            return _replay(p)
        case Closed() as p:
            until = "" if p.for_s is None else f", for at most {format_duration(p.for_s)}"
            pauses = f", {law} after each end" if (law := _thinking(p.think)) else ""
            return f"a closed loop of {p.outstanding:,} outstanding until {p.requests:,} are sent{until}{pauses}"
        case Users() as p:
            joining = f", {p.per_minute:g} more a minute" if p.per_minute else ""
            return f"{_users(p.initial, p.think)}{joining}, for {format_duration(p.for_s)}"
        case Stairs() as p:
            steps = units.counted(p.steps, "step")
            return f"{_users(p.users, p.think)} more with each of {steps} of {format_duration(p.each)}"
        case Pause() as p:
            return f"nothing for {format_duration(p.for_s)}"


def _users(n: int, think: Think) -> str:
    law = _thinking(think)
    return units.counted(n, "user") + (f" who think for {law}" if law else "")


def _thinking(think: Think) -> str:
    """Empty: not at all."""
    if not think.mean_s:
        return ""
    if think.exponential is not None:
        return f"{format_duration(think.exponential.mean)} on average (exponential)"
    if think.uniform is not None:
        low, high = map(format_duration, (think.uniform.low, think.uniform.high))
        return f"{low} to {high}"
    return format_duration(think.mean_s)


def _replay(replay: Replay) -> str:
    parts = [f"a replay of {replay.trace}"]
    if replay.rate is not None:
        parts.append(f"thinned or superposed to {format_rate(replay.rate)}")
    elif replay.scale is not None:
        parts.append(f"at {replay.scale:g} times its rate")
    if replay.start:
        parts.append(f"from {format_duration(replay.start)} on")
    if replay.for_s is not None:
        parts.append(f"for {format_duration(replay.for_s)}")
    return " ".join(parts)


def _total(scenario: Scenario) -> str:
    count = expected_requests(scenario)
    if count is None:
        return "how many requests in all, the trace says"
    is_random = any(phase.kind not in ("burst", *CLOSED_KINDS, "pause", "constant") for phase in scenario.load)
    is_bound = any(phase.kind in ("users", "stairs") for phase in scenario.load)
    about = "at most " if is_bound else "about " if is_random or count != int(count) else ""
    lasts = [phase.planned_s for phase in scenario.load]
    planned_s = sum(last or 0.0 for last in lasts)
    span = f" in {format_duration(planned_s)}" if planned_s and None not in lasts else ""
    return f"{about}{units.counted(round(count), 'request')} in all{span}"


def _payloads(payloads: Payloads, *, is_synchronous: bool) -> str:
    parts = [_payload_set(part) for part in payloads.sets]
    if len(parts) > 1:
        total = sum(part.weight for part in payloads.sets)
        parts = [f"{text} ({part.weight / total:.0%})" for text, part in zip(parts, payloads.sets, strict=True)]
    unique = ", each made different," if payloads.unique else ""
    way = "in the call" if is_synchronous else "inline" if payloads.inline else "through S3"
    return f"{', '.join(parts)}{unique} sent {way}"


def _payload_set(part: PayloadSet) -> str:
    if part.synthetic is not None:
        return f"one JSON document of {part.synthetic:,} bytes"
    (source,) = part.named
    text = " and ".join(part.files) if source == "files" else f"{_EACH[source]} {getattr(part, source)}"
    if part.encode is not None:
        text += f" as base64 under '{part.encode}' of a JSON document"
    return text if part.decode is None else f"{text}, of each the base64 under '{part.decode}' as bytes"


_EACH = {
    "lines": "the lines of",
    "pickled": "the pickled arguments of",
    "documents": "the documents of",
    "archive": "the files in",
    "bodies": "the lines of",
}


def _target(scenario: Scenario) -> str:
    target = scenario.target
    if target.endpoint is not None:
        variant = f", variant {target.variant}" if target.variant else ""
        return f"the real {target.kind} endpoint {target.endpoint}{variant}, in real time"
    streamed = _streamed(target.emulated) if scenario.request.stream else ""
    return f"an emulated {target.kind} endpoint, {_emulated(target, streamed)}"


def _streamed(emulated: Emulated) -> str:
    parts, gap = emulated.stream.parts, emulated.stream.gap
    if parts == 1:
        return " until the only part of the answer"
    return f" until the first of {parts:,} parts of the answer, {describe_law(gap)} from one to the next"


def _emulated(target: Target, streamed: str) -> str:
    emulated = target.emulated
    capacity = _environments(emulated.serverless) if target.kind == "serverless" else _fleet(target)
    laws = [(name, describe_law(law)) for name, law in emulated.service.by_class.items()]
    service = "; ".join(f"{text} for {name or 'all others'}" if len(laws) > 1 else text for name, text in laws)
    faults = sorted(emulated.faults.model_dump(exclude_defaults=True))
    parts = [*capacity, f"service time {service}{streamed}"]
    if target.kind == "async":
        parts += [_policies(emulated.policies), *_circumstances(emulated)]
    elif emulated.policies:
        parts.append(_policies(emulated.policies))
    if faults:
        parts.append(f"with faults ({', '.join(fault.replace('_', ' ') for fault in faults)})")
    match emulated.time:
        case Scaled(scaled=factor):
            parts.append(f"in time {factor:g} times faster than real")
        case kind:
            parts.append(f"in {kind} time")
    return ", ".join(parts)


def _fleet(target: Target) -> list[str]:
    instances = target.emulated.instances
    fleet = units.counted(instances.at_start, "instance")
    if not target.is_synchronous:
        fleet += " at the start"
    if target.emulated.policies:
        fleet += f" and {instances.min} to {instances.max} later"
    parts = [fleet, f"{units.counted(instances.concurrency, 'request')} at once on each"]
    if target.emulated.waiting is not None:
        parts.append(f"at most {target.emulated.waiting:,} waiting")
    return parts


def _environments(serverless: Serverless) -> list[str]:
    parts = [f"{serverless.memory:,} MB", f"at most {units.counted(serverless.max_concurrency, 'request')} at once"]
    if serverless.provisioned:
        parts.append(f"{units.counted(serverless.provisioned, 'environment')} always warm")
    if serverless.slowness != 1:
        parts.append(f"work takes {serverless.slowness:.3g} times as long as with {serverless.measured_at:,} MB")
    if not serverless.has_enough_memory:
        parts.append(f"every request fails, for it takes {serverless.needed:,} MB")
    parts.append(f"cold starts {describe_law(serverless.cold_start)}")
    return [*parts, f"idle environments kept for {format_duration(serverless.keep_warm)}"]


def _circumstances(emulated: Emulated) -> Iterator[str]:
    """What holds of the scaling beside its policies: limits by the clock, what is suspended, what was before."""
    for action in emulated.scheduled:
        limits = [f"{name} {value}" for name, value in (("min", action.min), ("max", action.max)) if value is not None]
        yield f"{' and '.join(limits)} from {format_duration(action.at)} on"
    if emulated.suspended:
        yield f"scaling suspended ({', '.join(emulated.suspended)})"
    initial = emulated.initial
    if initial.minutes:
        yield f"alarms that remember {units.counted(len(initial.minutes), 'minute')}"
    if initial.cooldown is not None:
        yield f"in a cooldown after scaling {initial.cooldown.after}, {format_duration(initial.cooldown.left)} left"
    if initial.activity is not None:
        under_way = f"during a change to {units.counted(initial.activity.to, 'instance')}"
        yield f"{under_way} that began {format_duration(initial.activity.began)} before"


def _policies(policies: tuple[Policy, ...]) -> str:
    if not policies:
        return "never scaled"
    told: list[str] = []
    for policy in policies:
        if policy.target_tracking is not None:
            told.append(f"target tracking of {policy.target_tracking.backlog_per_instance:g} per instance")
        elif policy.invocations_tracking is not None:
            target = policy.invocations_tracking.invocations_per_instance
            told.append(f"target tracking of {target:g} invocations a minute per instance")
        elif policy.concurrency_tracking is not None:
            target = policy.concurrency_tracking.concurrent_requests
            told.append(f"target tracking of {target:g} concurrent requests per instance, every 10 s")
        elif policy.step_from_zero is not None:
            told.append(f"step from zero by {policy.step_from_zero.add}")
        elif policy.step is not None:
            told.append(f"steps on {policy.step.metric}")
    repeated = Counter(told)
    return "scaled by " + " and ".join(text if n == 1 else f"{n} × {text}" for text, n in repeated.items())


def describe_law(law: Distribution) -> str:
    """A distribution in a few words: `about 1.2s (lognormal, sigma 0.3)`."""
    if law.constant is not None:
        return f"always {format_duration(law.constant)}"
    if law.lognormal is not None:
        law_of = law.lognormal
        centre = format_duration(law_of.median_s)
        if law_of.mean is not None:
            centre = f"{format_duration(law_of.mean)} on average, median {centre}"
        return f"about {centre} (lognormal, sigma {law_of.sigma:g})"
    if law.gamma is not None:
        return f"about {format_duration(law.gamma.mean)} (gamma, cv {law.gamma.cv:g})"
    if law.exponential is not None:
        return f"about {format_duration(law.exponential.mean)} (exponential)"
    if law.uniform is not None:
        return f"{format_duration(law.uniform.low)} to {format_duration(law.uniform.high)}"
    if law.empirical is not None:
        return f"as measured in {law.empirical.file}"
    raise AssertionError("a distribution has exactly one law")


def _fate(request: Request) -> str:
    parts: list[str] = []
    if request.ttl is not None:
        parts.append(f"expires after {format_duration(request.ttl)} in the queue")
    if request.timeout is not None:
        parts.append(f"fails after {format_duration(request.timeout)} in service")
    if request.connect_timeout is not None:
        parts.append(f"is given up after {format_duration(request.connect_timeout)} without a connection")
    if request.read_timeout is not None:
        parts.append(f"is given up after {format_duration(request.read_timeout)} without an answer")
    if request.retry.attempts > 1:
        parts.append(
            f"is tried up to {units.counted(request.retry.attempts, 'time')} after {' or '.join(request.retry.on)}"
        )
    return " and ".join(parts)


def _stops(scenario: Scenario) -> str:
    limits = scenario.limits
    stops: list[str] = []
    if limits.requests is not None:
        stops.append(f"after {units.counted(limits.requests, 'request')}")
    if limits.time is not None:
        stops.append(f"after {format_duration(limits.time)}")
    if limits.errors is not None:
        stops.append(f"when {limits.errors * 100:.3g}% of the answers are errors")
    return " or ".join(stops)
