"""A serverless or real-time endpoint as a target: bodies in the call, and the answer is the end of the request."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace

from smbench.aws.access.clients import CONNECT_S, MEASURING, AwsClients, AwsSettings
from smbench.aws.endpoint.description import TargetFound, component_of, containers_of, discover
from smbench.aws.endpoint.gauges import WATCHING, AwsGauges
from smbench.aws.transport.invoke_stream import SdkStreamTransport
from smbench.aws.transport.invoke_sync import SdkSyncTransport
from smbench.aws.transport.wire_clients import WireClients, try_runtime, wire_clients
from smbench.aws.transport.wire_invoke_stream import WireStreamTransport
from smbench.aws.transport.wire_invoke_sync import WireSyncTransport
from smbench.clock import Clock
from smbench.errors import TargetError
from smbench.generator.plan import RunPlan
from smbench.generator.runner import Outside
from smbench.generator.shares import Share, in_flight_share
from smbench.model.world import EMBEDDED
from smbench.ports import Gauges, Transport
from smbench.printable import printable
from smbench.records import Delivery, OutputFound
from smbench.scenario.model import Scenario
from smbench.scenario.values.request import Request
from smbench.targets.base import AwsAccess, Facts

_COLD_START_MAX_S = 180  # a serverless container may take so long until it answers its first ping
_ON_THE_WAY_S = 10  # beyond what the container may take; AWS advises 70 s for the 60 s of a container
_SERVING = ("InService", "Updating")  # statuses of an inference component that takes calls
_FEW_CONNECTIONS = 10  # of a process that watches, and sends nothing


class CalledTarget:
    """The synchronous endpoint of one run, real or emulated. It leaves nothing behind: nothing is made for it.

    Args:
        access: For an emulated endpoint its URL matters alone.
    """

    def __init__(self, plan: RunPlan, access: AwsAccess) -> None:
        self.plan, self.access = plan, access

    @asynccontextmanager
    async def prepared(self, share: Share, progress: Callable[[str], None]) -> AsyncIterator["PreparedCalled"]:
        """Clients, and the endpoint as found.

        Raises:
            TargetError: the endpoint cannot be used, or is of another kind.
        """
        scenario = self.plan.scenario
        in_flight = in_flight_share(scenario.limits, share.worker, share.of)
        async with AwsClients(self._settings(in_flight)) as clients, AsyncExitStack() as stack:
            progress("describing the endpoint")
            found = await described(clients, self.plan)
            wire = await stack.enter_async_context(wire_clients(clients)) if scenario.transport == "wire" else None
            if wire is None:
                await try_runtime(clients)
            yield PreparedCalled(clients, wire, found, scenario.request)

    def taken_up(
        self, share: Share, progress: Callable[[str], None], found: Facts, held: Facts | None, *, sends: bool
    ) -> AbstractAsyncContextManager["PreparedCalled"]:
        """As `prepared`: an answer that a killed worker did not receive is lost, so there is nothing to collect."""
        del found, held, sends
        return self.prepared(share, progress)

    @asynccontextmanager
    async def watched(self, found: Facts, clock: Clock) -> AsyncIterator[Gauges]:
        """CloudWatch, instances, scaling activities and alarms of the endpoint that was found."""
        async with AwsClients(self._settings(_FEW_CONNECTIONS, WATCHING)) as clients:
            yield AwsGauges(clients, TargetFound.from_json(found), clock)

    @asynccontextmanager
    async def claim(self, run_id: str, found: Facts) -> AsyncIterator[None]:
        """A run on a synchronous endpoint keeps nothing in AWS, so nobody elsewhere could see a claim."""
        del run_id, found
        yield None

    async def remove(self, held: Sequence[Facts]) -> list[str]:
        """Nothing was made, so nothing is removed and nothing is left."""
        assert not held, "a synchronous target holds nothing"
        return []

    def unconfirmed(self, share: Share) -> list[str]:
        """Nothing is ever made."""
        del share
        return []

    def _settings(self, in_flight: int, services: tuple[str, ...] = MEASURING) -> AwsSettings:
        request, longest_s = self.plan.scenario.request, _longest_s(self.plan.scenario)
        wait_s = self.plan.loop_s(request.read_timeout, longest_s)
        return AwsSettings(
            region=self.access.region,
            profile=self.access.profile,
            endpoint_url=self.access.endpoint_url,
            emulated=self.plan.is_emulated,
            in_flight=in_flight,
            connect_s=self.plan.loop_s(request.connect_timeout, CONNECT_S),
            answer_s=max(longest_s, wait_s) if request.stream else wait_s,
            silence_s=wait_s if request.stream else None,
            services=services,
        )


def _longest_s(scenario: Scenario) -> float:
    """How long the whole answer to a call is waited for, where nothing else was asked for."""
    cold_s = _COLD_START_MAX_S if scenario.target.kind == "serverless" else 0
    return float((scenario.answer_max_s or 0) + cold_s + _ON_THE_WAY_S)


async def described(clients: AwsClients, plan: RunPlan) -> TargetFound:
    """The synchronous endpoint of a plan, found to have the variants and components that its calls name.

    Raises:
        TargetError: it cannot be used, is of another kind, or has not what the calls name.
    """
    target, in_stream = plan.scenario.target, plan.scenario.request.stream
    if plan.is_emulated:
        found = replace(await discover(clients, EMBEDDED, kind=target.kind), in_stream=in_stream)
        _refuse_names(plan, found.variant)
        return found
    variants = {one.target_variant for one in plan.payloads}
    watched = target.variant or (next(iter(variants)) if len(variants) == 1 else None)
    found = await discover(clients, target.endpoint or "", watched, kind=target.kind)
    found = replace(found, in_stream=in_stream)
    if unknown := {name for name in variants if name is not None} - found.weights.keys():
        raise TargetError(
            f"the endpoint {found.endpoint} has no variant {min(unknown)}, which the call names as TargetVariant",
            f"it has: {', '.join(found.weights)}",
        )
    components = {one.inference_component for one in plan.payloads if one.inference_component is not None}
    if found.has_components and any(one.inference_component is None for one in plan.payloads):
        raise TargetError(
            f"the models of the endpoint {found.endpoint} are inference components, and the call names none",
            f"{_lists_them(found.endpoint)}; name one in request.inference_component",
        )
    if components and not found.has_components:
        raise TargetError(
            f"the endpoint {found.endpoint} has no inference components, and the call names {min(components)}",
            "leave request.inference_component out, or name another endpoint",
        )
    for component in sorted(components):
        await _check_component(clients, found.endpoint, component)
    found = replace(found, components=tuple(sorted(components)))
    if not found.explains and any(one.explanations is not None for one in plan.payloads):
        raise TargetError(
            f"the endpoint {found.endpoint} explains nothing: its configuration has no ExplainerConfig",
            "leave request.explanations out, or name another endpoint",
        )
    if found.model is not None:
        await _check_model(clients, plan, found.endpoint, found.model)
    if len(found.weights) == 1 or (len(variants) == 1 and None not in variants):
        return found
    return replace(found, notes=(*found.notes, _split(found)))


def _refuse_names(plan: RunPlan, variant: str) -> None:
    """The endpoint that a scenario has emulated is one model on one variant, and explains nothing."""
    for payload in plan.payloads:
        for name in ("target_variant", "target_model", "target_container", "inference_component", "explanations"):
            if getattr(payload, name) not in (None, variant if name == "target_variant" else None):
                raise TargetError(
                    f"the emulated endpoint has one variant, {variant}, with one model, which explains nothing, and "
                    f"the call has request.{name}",
                    "leave it out, or name an endpoint that has it: --endpoint NAME; `smbench emulate` hosts endpoints "
                    "of several variants, of many models and of inference components by API calls",
                )


def _lists_them(endpoint: str) -> str:
    return f"`aws sagemaker list-inference-components --endpoint-name-equals {endpoint}` lists them"


async def _check_component(clients: AwsClients, endpoint: str, name: str) -> None:
    """Refuse one that every call would be refused for."""
    try:
        found = await component_of(clients, name)
    except TargetError as error:
        raise TargetError(f"{error.message}, which the call names", _lists_them(endpoint)) from error
    if found is None:
        return
    if found.endpoint != endpoint:
        raise TargetError(
            f"the inference component {name} is on the endpoint {found.endpoint}, not on {endpoint}",
            _lists_them(endpoint),
        )
    if found.status not in _SERVING:
        raise TargetError(
            f"the inference component {name} is {found.status}" + (f": {printable(found.why)}" if found.why else ""),
            f"`aws sagemaker describe-inference-component --inference-component-name {name}` says when it is InService",
        )
    if found.copies == 0:
        raise TargetError(
            f"the inference component {name} has no copy, so SageMaker refuses each call to it",
            "give it one: `aws sagemaker update-inference-component-runtime-config --inference-component-name "
            f"{name} --desired-runtime-config CopyCount=1`",
        )


async def _check_model(clients: AwsClients, plan: RunPlan, endpoint: str, name: str) -> None:
    found = await containers_of(clients, name)
    if found is None:
        return
    hosts = found.called
    for payload in plan.payloads:
        named = payload.target_model
        if found.take_model and named is None:
            raise TargetError(
                f"the endpoint {endpoint} has many models, and the call names none",
                "name one in request.target_model, such as model-a.tar.gz",
            )
        if named is not None and not found.take_model:
            raise TargetError(
                f"the endpoint {endpoint} has no models to choose from, and the call names {named}",
                "leave request.target_model out, or name another endpoint",
            )
        wanted = payload.target_container
        if hosts and wanted not in hosts:
            raise TargetError(
                f"the containers of the endpoint {endpoint} are called one by one, and the call names "
                f"{'none' if wanted is None else wanted}",
                f"name one in request.target_container: {', '.join(hosts)}",
            )
        if wanted is not None and not hosts:
            raise TargetError(
                f"the endpoint {endpoint} has no containers that are called one by one, and the call names {wanted}",
                "leave request.target_container out, or name another endpoint",
            )


def _split(found: TargetFound) -> str:
    total = sum(found.weights.values()) or 1.0
    parts = ", ".join(f"{name} {100 * weight / total:.3g} %" for name, weight in found.weights.items())
    return (
        f"the endpoint has {len(found.weights)} variants, and calls that name none in request.target_variant are "
        f"split by weight: {parts}; readings are those of {found.variant}"
    )


class PreparedCalled:
    """A synchronous endpoint that is ready for one share; see `targets.base.Prepared`."""

    held: Facts | None = None
    locations: list[str] | None = None  # bodies go with the call

    def __init__(self, clients: AwsClients, wire: WireClients | None, target: TargetFound, request: Request) -> None:
        self._expect, self._in_stream = None if request.expect.is_anything else request.expect, request.stream
        self.found: Facts = target.as_json()
        self._clients, self._wire, self._target = clients, wire, target

    def ports(self, clock: Clock, *, watches: bool = False) -> Outside:
        """See `targets.base.Prepared`."""
        gauges = AwsGauges(self._clients, self._target, clock) if watches else None
        silence = _Silence()
        return Outside(self._transport(clock), silence, silence, gauges)

    def _transport(self, clock: Clock) -> Transport:
        endpoint, runtime, expect = self._target.endpoint, self._clients.runtime, self._expect
        several = len(self._target.weights) > 1
        if self._wire is None and self._in_stream:
            answer_s = self._clients.settings.answer_s
            return SdkStreamTransport(runtime, endpoint, clock.now_ns, answer_s, expect, names_variant=several)
        if self._wire is None:
            return SdkSyncTransport(runtime, endpoint, expect, names_variant=several)
        if self._in_stream:
            return WireStreamTransport(self._wire.runtime, endpoint, clock.now_ns, expect, names_variant=several)
        return WireSyncTransport(self._wire.runtime, endpoint, expect, names_variant=several)

    async def keep_ready(self) -> None:
        """Refresh the credentials before they expire, until cancelled."""
        await self._clients.credentials.keep_fresh()

    async def examine(self) -> None:
        """The answer is the end."""

    def abandon(self) -> None:
        """Nothing was made."""

    def release(self) -> None:
        """Nothing was made."""

    def kept(self) -> Facts | None:
        """Nothing was made."""
        return None

    def notes(self) -> list[str]:
        """What limits what a run can find out."""
        return list(self._target.notes)


class _Silence:
    """The queue and the outputs that a synchronous endpoint has not: a run with no receivers never asks."""

    async def receive(self) -> list[Delivery]:
        return []

    async def delete(self, receipts: Sequence[str]) -> list[str]:
        del receipts
        return []

    async def look_up(self, output_location: str | None, failure_location: str | None) -> OutputFound | None:
        del output_location, failure_location
        return None
