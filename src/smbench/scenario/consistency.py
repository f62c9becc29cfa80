"""Settings of a scenario that contradict each other: looked for in the sections that are valid on their own."""

from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

from pydantic import BaseModel

from smbench.scenario.emulated import Policy
from smbench.scenario.model import SOURCES, Scenario
from smbench.scenario.payloads.bodies import Payload, read_payloads
from smbench.scenario.phases import REQUESTS_MAX
from smbench.scenario.source import Misfit, Where
from smbench.scenario.thresholds import parse_threshold


def consistency_problems(scenario: Scenario, base_dir: Path, broken: Collection[str] = ()) -> Iterator[Misfit]:
    """Every misfit that involves no section (top-level key) in `broken`, whose defaults are in the scenario."""
    if not {"payloads", "request"} & set(broken):  # without the payloads their classes are not known
        read = read_payloads(scenario, base_dir)
        yield from read.misfits
        yield from _classes_and_laws(scenario, read.payloads)
        yield from _sources_of_nothing(scenario)
    yield from _what_cannot_be_planned(scenario)
    yield from _what_this_kind_has_not(scenario)
    yield from _thresholds_on_no_stream(scenario)
    yield from _policies_of_another_kind(scenario)
    yield from _alarms_of_no_policy(scenario)
    yield from _calls_of_another_kind(scenario)


def _classes_and_laws(scenario: Scenario, payloads: Sequence[Payload]) -> Iterator[Misfit]:
    laws = scenario.target.emulated.service.by_class
    classes = sorted({payload.payload_class for payload in payloads})
    where: Where = ("target", "emulated", "service", "by_class")
    for name in laws:
        if name and classes and name not in classes:
            near = get_close_matches(name, classes, n=1)
            yield Misfit((*where, name), f"no payload has the class '{name}', only {', '.join(classes)}", "".join(near))
    if scenario.target.is_synchronous and len(laws) > 1:
        yield Misfit(where, "must have one law: of a body in the call the emulated endpoint does not know the class")
    elif "" not in laws and (without := [name for name in classes if name not in laws]):
        yield Misfit(where, f'gives no law for {", ".join(without)}; the class "" is for all others')


def _sources_of_nothing(scenario: Scenario) -> Iterator[Misfit]:
    """A source that is written and empty would be the default, which nobody asked for."""
    payloads = scenario.payloads
    written = payloads.model_fields_set
    if payloads.named or payloads.mix or written >= set(SOURCES):  # all of them: not a person's writing
        return
    for name in ("files", "mix"):
        if name in written:
            yield Misfit(("payloads", name), "must have at least one entry; without it a document of 1 KiB is sent")


def _what_cannot_be_planned(scenario: Scenario) -> Iterator[Misfit]:
    expected = sum(phase.expected_requests or 0.0 for phase in scenario.load)
    if expected > REQUESTS_MAX:
        yield Misfit(("load",), f"asks for about {expected:,.0f} requests; a run holds at most {REQUESTS_MAX:,}")
    for index, phase in enumerate(scenario.load[:-1]):
        if phase.kind == "closed" and phase.planned_s is None:
            message = "needs a `for`: without it the begin of the next phase is not known"
            yield Misfit(("load", index, "closed"), message)
    in_flight = scenario.limits.in_flight
    for index, phase in enumerate(scenario.load if scenario.target.is_synchronous else ()):
        if (n := phase.open_max) > in_flight:  # a call of an asynchronous endpoint is answered at once
            message = f"keeps {n:,} calls open, and `limits.in_flight` drops those beyond {in_flight:,}: raise it"
            yield Misfit(("load", index, phase.kind), message)


_ASYNCHRONOUS: tuple[Where, ...] = (
    *(("collector", name) for name in ("queue", "tracking", "look_every")),
    ("payloads", "prefix"),
    *(("target", "emulated", name) for name in ("scheduled", "suspended", "initial", "results_kept", "notify_lag")),
    *(
        ("target", "emulated", "faults", name)
        for name in (
            "outputs_late",
            "notices_lost",
            "notices_late",
            "notices_duplicated",
            "messages_redelivered",
            "malformed_messages",
        )
    ),
)
_SCALING: tuple[Where, ...] = (("target", "emulated", "policies"), ("target", "emulated", "action_delay"))
_ON_INSTANCES: tuple[Where, ...] = (
    ("target", "variant"),
    ("target", "instance_hour"),
    *(
        ("target", "emulated", name)
        for name in ("instances", "provision", "provision_common", "remove", "service_spread", "host_speeds", "waiting")
    ),
    ("target", "emulated", "faults", "instance_life"),
    ("target", "emulated", "faults", "instance_quota"),
    ("target", "emulated", "faults", "provision_failures"),
)
_ONLY_OF: dict[str, tuple[tuple[Where, ...], str]] = {
    "async": (
        (
            *(("target", "emulated", name) for name in ("serverless", "waiting", "stream")),
            *(("request", name) for name in ("expect", "stream")),
        ),
        "an asynchronous endpoint, whose requests wait in its queue",
    ),
    "serverless": (
        (*_ASYNCHRONOUS, *_SCALING, *_ON_INSTANCES),
        "a serverless endpoint, which has no queue and no instances",
    ),
    "realtime": (
        (*_ASYNCHRONOUS, ("target", "emulated", "serverless")),
        "a real-time endpoint, which answers the call itself; the emulated one scales by policies only",
    ),
}


def _what_this_kind_has_not(scenario: Scenario) -> Iterator[Misfit]:
    """Settings that were written down and that this kind of endpoint has no use for: silence would mislead."""
    meaningless, why = _ONLY_OF[scenario.target.kind]
    for where in meaningless:
        if _is_set(scenario, where):
            yield Misfit(where, f"means nothing for {why}")
    target = scenario.target
    if target.is_synchronous and not scenario.request.stream and _is_set(scenario, ("target", "emulated", "stream")):
        yield Misfit(("target", "emulated", "stream"), "is of streamed answers: set `request.stream: true` as well")
    if target.kind == "realtime" and target.endpoint is None and not target.emulated.instances.at_start:
        where = ("target", "emulated", "instances", "start")
        yield Misfit(where, "must be at least 1: a real-time endpoint has no queue in which requests await an instance")


def _thresholds_on_no_stream(scenario: Scenario) -> Iterator[Misfit]:
    if scenario.request.stream:
        return
    for index, text in enumerate(scenario.thresholds):
        if parse_threshold(text).of == "first_part":
            yield Misfit(("thresholds", index), "is of streamed answers: set `request.stream: true` as well")


def _policies_of_another_kind(scenario: Scenario) -> Iterator[Misfit]:
    for index, policy in enumerate(scenario.target.emulated.policies):
        (kind,) = (name for name in type(policy).model_fields if getattr(policy, name) is not None)
        if why := why_never_scales(policy, scenario.target.kind):
            yield Misfit(("target", "emulated", "policies", index, kind), why)


def why_never_scales(policy: Policy, kind: str) -> str:
    """Why an endpoint of this kind never publishes what the policy waits for; empty where it does."""
    if kind == "async" and policy.invocations_tracking is not None:
        return "an asynchronous endpoint never publishes InvocationsPerInstance: use target_tracking"
    if kind == "async" and policy.concurrency_tracking is not None:
        return "an asynchronous endpoint never publishes ConcurrentRequestsPerModel: use target_tracking"
    if kind == "realtime" and (policy.target_tracking or policy.step_from_zero):
        return "a real-time endpoint has no backlog to scale by: use invocations_tracking, concurrency_tracking or step"
    if kind == "realtime" and policy.step and policy.step.metric not in _OF_REAL_TIME:
        return f"{policy.step.metric} is not published; a real-time endpoint has {', '.join(_OF_REAL_TIME)}"
    return ""


def _alarms_of_no_policy(scenario: Scenario) -> Iterator[Misfit]:
    """Seconds of alarms that name a policy, or an alarm of it, that there is not: they would have no effect."""
    policies = scenario.target.emulated.policies
    there_are = f"places 0 to {len(policies) - 1}" if len(policies) > 1 else "place 0 alone" if policies else "none"
    named: set[int] = set()
    for index, known in enumerate(scenario.target.emulated.initial.alarm_seconds):
        where: Where = ("target", "emulated", "initial", "alarm_seconds", index)
        if known.policy >= len(policies):
            yield Misfit((*where, "policy"), f"there is no policy {known.policy}: `policies` has {there_are}")
            continue
        if known.policy in named:
            yield Misfit((*where, "policy"), f"policy {known.policy} is named above already")
        named.add(known.policy)
        policy = policies[known.policy]
        if known.low is not None and policy.tracking is None:
            yield Misfit((*where, "low"), f"policy {known.policy} has one alarm, whose second is `high`")


def _calls_of_another_kind(scenario: Scenario) -> Iterator[Misfit]:
    """Calls of a fault plan that no run of this kind makes: nothing would be struck."""
    kind, is_streamed = scenario.target.kind, scenario.request.stream
    for index, planned in enumerate(scenario.target.emulated.faults.plan):
        for place, call in enumerate(planned.calls):
            service, _, operation = call.partition(":")
            if kind == "async":
                never = operation in _SYNCHRONOUS_CALLS
            elif operation in _SYNCHRONOUS_CALLS:
                never = (operation == _STREAMED) != is_streamed
            else:
                never = service in _ASYNCHRONOUS_SERVICES or operation == "InvokeEndpointAsync"
            if never:
                how = (
                    " with `request.stream`" if is_streamed else "" if kind == "async" else " without `request.stream`"
                )
                where = ("target", "emulated", "faults", "plan", index, "calls", place)
                yield Misfit(where, f"a run of an endpoint of kind {kind}{how} never calls {call}")


_STREAMED = "InvokeEndpointWithResponseStream"
_SYNCHRONOUS_CALLS = ("InvokeEndpoint", _STREAMED)
_ASYNCHRONOUS_SERVICES = ("sns", "sqs")  # a synchronous call brings its answer; S3 is for `deploy`, too


_OF_REAL_TIME = (
    "CPUUtilization",
    "ConcurrentRequestsPerModel",
    "Invocation5XXErrors",
    "InvocationModelErrors",
    "Invocations",
    "InvocationsPerInstance",
    "ModelLatency",
    "OverheadLatency",
)


def _is_set(scenario: Scenario, where: Where) -> bool:
    """Whether this key has another value than its default."""
    part: BaseModel = scenario
    for name in where[:-1]:
        part = getattr(part, str(name))
    last = str(where[-1])
    return bool(getattr(part, last) != type(part).model_fields[last].default)
