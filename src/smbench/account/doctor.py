"""Whether a run can begin: this machine, the credentials, the endpoint and all it needs, each with what to do.

It asks as the run will: the same description, the same queue (removed at once), the same conclusions from the alarms.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import anyio

from smbench import units
from smbench.account.identity import identity_questions
from smbench.account.places import place_questions
from smbench.account.questions import Question, Seen, answered
from smbench.account.quotas import quota_questions
from smbench.account.receiving import receiving_questions
from smbench.account.scaling import scaling_questions, unrest
from smbench.aws.access.clients import EXAMINING, AwsClients, AwsSettings
from smbench.aws.endpoint.description import TargetFound, discover
from smbench.aws.transport.wire_clients import try_runtime, wire_clients
from smbench.errors import TargetError, UsageError
from smbench.findings import Finding, Verdict
from smbench.generator.forecast import forecast
from smbench.generator.plan import RunPlan
from smbench.processes.descriptors import needed_descriptors, require_descriptors
from smbench.targets.base import AwsAccess
from smbench.targets.called import described as described_called

_FEW_CONNECTIONS = 10
_LOOK_S = 20.0  # between two looks at an endpoint that is waited for: CloudWatch has something new once a minute
_TOPICS = "name SuccessTopic, ErrorTopic and S3FailurePath in the endpoint's configuration"


@dataclass(frozen=True, slots=True)
class Waits:
    """How an endpoint is waited for.

    Args:
        patience_s: At most so long.
        say: Called with each new reason to wait.
    """

    patience_s: float
    say: Callable[[str], None]


async def examine(plan: RunPlan, access: AwsAccess, waits: Waits | None = None) -> list[Finding]:
    """Every finding, in the order in which a run would meet it; of an emulated endpoint only this machine is asked.

    Args:
        waits: Before that, wait until the endpoint is at rest.
    """
    findings = [_descriptors(plan)]
    if plan.is_emulated:
        return findings
    try:
        async with AwsClients(replace(settings_of(access), services=EXAMINING)) as clients:
            if waits is not None:
                await _wait_for_rest(clients, plan, waits)
            findings += await _of_the_account(clients, plan)
    except TargetError as error:
        expected = "credentials, a region and addresses that can be used"
        findings.append(
            Finding(name="access", verdict=Verdict.INVALID, expected=expected, seen=error.message, advice=error.advice)
        )
    return findings


async def _wait_for_rest(clients: AwsClients, plan: RunPlan, waits: Waits) -> None:
    """Return when nothing that would spoil a run passes by itself any more, or patience is at its end."""
    said: list[str] = []
    with anyio.move_on_after(waits.patience_s):
        while why := await unrest(clients, await describe(clients, plan)):
            if why != said:
                said = why
                waits.say("; ".join(why))
            await anyio.sleep(_LOOK_S)


def settings_of(access: AwsAccess) -> AwsSettings:
    """For a process that asks, and sends nothing."""
    return AwsSettings(access.region, access.profile, access.endpoint_url, in_flight=_FEW_CONNECTIONS)


async def describe(clients: AwsClients, plan: RunPlan) -> TargetFound:
    """The endpoint as the run will find it.

    Raises:
        TargetError: as the run would.
    """
    target, collector = plan.scenario.target, plan.scenario.collector
    assert target.endpoint is not None, "an emulated endpoint is in no account"
    if target.is_synchronous:
        return await described_called(clients, plan)
    return await discover(
        clients,
        target.endpoint,
        target.variant,
        queue_given=collector.queue is not None,
        tracking=collector.tracking,
    )


async def described(plan: RunPlan, access: AwsAccess) -> TargetFound:
    """As `describe`, with clients of its own."""
    async with AwsClients(settings_of(access)) as clients:
        return await describe(clients, plan)


async def _of_the_account(clients: AwsClients, plan: RunPlan) -> list[Finding]:
    found: list[TargetFound] = []

    async def endpoint() -> Seen:
        found.append(await describe(clients, plan))
        return _state(found[0])

    length_s = forecast(plan).most_s or plan.longest_life_s
    questions = [
        *identity_questions(clients, length_s),
        Question("endpoint", "it is in service, of the kind that the scenario names", endpoint),
    ]
    findings = [await answered(question) for question in questions]
    if not found:
        return findings
    (target,) = found
    more = [
        _way(clients, plan),
        *place_questions(clients, plan, target),
        *receiving_questions(clients, target, plan.scenario.collector.queue),
        *scaling_questions(clients, target),
        *quota_questions(clients, target),
    ]
    findings += [await answered(question) for question in more]
    if target.tracking == "s3":
        findings.append(_silent(target, is_asked=plan.scenario.collector.tracking == "s3"))
    findings += [_unseen(outcome, why) for outcome, why in target.unobservable.items()]
    return findings


def _way(clients: AwsClients, plan: RunPlan) -> Question:
    """The hot calls have a way of their own: what it cannot do, such as a proxy, ends a run."""
    transport = plan.scenario.transport

    async def ask() -> Seen:
        if transport == "sdk":
            await try_runtime(clients)
        else:
            async with wire_clients(clients):
                pass
        return Seen(f"by {transport}, at {urlsplit(clients.runtime.meta.endpoint_url).netloc}")

    return Question("way to the runtime", "requests can be sent as the scenario's transport sends them", ask)


def _state(found: TargetFound) -> Seen:
    """The endpoint in a line; one that changes is no place to begin."""
    fleet = "serverless" if found.kind == "serverless" else f"{found.instances_current} x {found.instance_type}"
    limit = "" if found.concurrency is None else f", {units.counted(found.concurrency, 'request')} at once on each"
    what = f"{found.endpoint} is {found.status}: {fleet}{limit}"
    if found.status != "InService":
        wait = f"wait for it: `aws sagemaker wait endpoint-in-service --endpoint-name {found.endpoint}`"
        return Seen(what, Verdict.INVALID, wait)
    return Seen(what)


def _silent(found: TargetFound, *, is_asked: bool) -> Finding:
    return Finding(
        name="ends",
        verdict=Verdict.VALID if is_asked else Verdict.UNKNOWN,
        expected="they are looked for in S3" if is_asked else "they are published to topics",
        seen=found.notes[0],
        advice="" if is_asked else f"{_TOPICS}, or set collector.tracking to s3 to say that this is meant",
    )


def _unseen(outcome: str, why: str) -> Finding:
    return Finding(
        name=f"end of a request: {outcome}",
        verdict=Verdict.UNKNOWN,
        expected="it is published to a topic",
        seen=why,
        advice=_TOPICS,
    )


def _descriptors(plan: RunPlan) -> Finding:
    needed = needed_descriptors(plan)
    name, expected = "open files", f"{needed:,} in one process"
    try:
        require_descriptors(plan)
    except UsageError as error:
        return Finding(name=name, verdict=Verdict.INVALID, expected=expected, seen=error.message, advice=error.advice)
    return Finding(name=name, verdict=Verdict.VALID, expected=expected, seen="this system allows as many")
