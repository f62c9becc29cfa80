"""Clients of the hot calls on the wire: with the addresses, credentials and certificates of the SDK's clients."""

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.request import getproxies, proxy_bypass

from botocore.httpsession import get_cert_path

from smbench.aws.access.clients import (
    ANSWER_S,
    CONNECT_S,
    LONG_POLL_ANSWER_S,
    QUEUE_CONNECTIONS,
    USER_AGENT,
    AwsClients,
    AwsSettings,
)
from smbench.aws.transport.wire_service import ServiceClock, WireService
from smbench.aws.transport.wire_store import WireStore
from smbench.errors import TargetError
from smbench.wire.origin import Origin, tls_context
from smbench.wire.pool import Pool
from smbench.wire.sigv4 import Signer

_STORE_CONNECTIONS = 32
_USE_SDK = "use --transport sdk, which can"


@dataclass(frozen=True, slots=True)
class WireClients:
    """A service for each kind of hot call."""

    runtime: WireService
    sqs: WireService
    s3: WireStore


@asynccontextmanager
async def wire_clients(clients: AwsClients) -> AsyncIterator[WireClients]:
    """The wire beside the SDK's clients, whose region, addresses, credentials and certificates it takes.

    Raises:
        TargetError: an address the wire cannot speak to, a proxy before it, a certificate file that is none; or the
            runtime takes no connection.
    """
    runtime_at, sqs_at, s3_at = (_origin(client, clients) for client in (clients.runtime, clients.sqs, clients.s3))
    tls = tls_of(clients) if any(origin.is_tls for origin in (runtime_at, sqs_at, s3_at)) else None
    opening = _Opening(clients, tls)

    def open_s3(stack: AsyncExitStack, origin: Origin, region: str) -> WireService:
        pool = opening.pool(stack, origin, _STORE_CONNECTIONS, ANSWER_S)
        return opening.service(pool, Signer(region, "s3"), "rest-xml")

    async with AsyncExitStack() as stack:
        runtime = opening.runtime(stack, runtime_at, clients.settings)
        sqs = opening.pool(stack, sqs_at, QUEUE_CONNECTIONS, LONG_POLL_ANSWER_S)
        is_aws = s3_at.host.endswith((".amazonaws.com", ".amazonaws.com.cn"))
        s3 = await stack.enter_async_context(WireStore(s3_at, clients.region, open_s3, is_aws=is_aws))
        await _warm(runtime, clients)  # nor does the first request pay for the handshake
        yield WireClients(
            opening.service(runtime, Signer(clients.region, "sagemaker"), "rest-json"),
            opening.service(sqs, Signer(clients.region, "sqs"), "json"),
            s3,
        )


async def try_runtime(clients: AwsClients) -> None:
    """Open one connection to the runtime and close it, for a run whose hot calls go through the SDK.

    Where there is a proxy, or its address is one that only the SDK understands, nothing is tried.

    Raises:
        TargetError: the runtime takes no connection.
    """
    try:
        origin = _origin(clients.runtime, clients)
    except TargetError:
        return
    tls = tls_of(clients) if origin.is_tls else None
    async with Pool(origin, limit=1, tls=tls, connect_s=clients.settings.connect_s) as pool:
        await _warm(pool, clients)


async def _warm(runtime: Pool, clients: AwsClients) -> None:
    with clients.explained(f"reach the runtime at {runtime.origin.authority}"):
        await runtime.warm()


class _Opening:
    """What all services have in common."""

    def __init__(self, clients: AwsClients, tls: ssl.SSLContext | None) -> None:
        self.credentials, self.tls, self.clock = clients.credentials.current, tls, ServiceClock()

    def pool(self, stack: AsyncExitStack, origin: Origin, limit: int, answer_s: float) -> Pool:
        return self._open(stack, Pool(origin, limit=limit, tls=self.tls, connect_s=CONNECT_S, answer_s=answer_s))

    def runtime(self, stack: AsyncExitStack, origin: Origin, settings: AwsSettings) -> Pool:
        pool = Pool(
            origin,
            limit=settings.in_flight,
            tls=self.tls,
            connect_s=settings.connect_s,
            answer_s=settings.answer_s,
            silence_s=settings.silence_s,
        )
        return self._open(stack, pool)

    @staticmethod
    def _open(stack: AsyncExitStack, pool: Pool) -> Pool:
        stack.push_async_exit(pool)
        return pool

    def service(self, pool: Pool, signer: Signer, protocol: str) -> WireService:
        return WireService(pool, signer, self.credentials, clock=self.clock, protocol=protocol, user_agent=USER_AGENT)


def _origin(client: Any, clients: AwsClients) -> Origin:
    # S3's own word for us-east-1 with FIPS, which the SDK puts right in each request: no such host exists.
    url = client.meta.endpoint_url.replace(".aws-global.", f".{clients.region}.")
    try:
        origin = Origin.of(url)
    except ValueError as error:
        raise TargetError(f"the wire cannot speak to {_without_password(url)}: {error}", _USE_SDK) from error
    if not clients.is_loopback and not proxy_bypass(origin.host) and (proxy := getproxies().get(origin.scheme)):
        raise TargetError(
            f"{origin.host} is behind the proxy {_without_password(proxy)}, and the wire speaks to AWS directly",
            f"{_USE_SDK}, or name the host in NO_PROXY",
        )
    return origin


def _without_password(url: str) -> str:
    return url.rpartition("@")[2]


def tls_of(clients: AwsClients) -> ssl.SSLContext:
    """Trusts whom AWS_CA_BUNDLE names; without it whom the system and the SDK trust.

    Raises:
        TargetError: the file it names cannot be used.
    """
    try:
        context = tls_context(clients.ca_bundle)
        if clients.ca_bundle is None:  # a small image has no store of its own
            context.load_verify_locations(get_cert_path(True))
    except OSError as error:
        raise TargetError(
            f"the certificates in {clients.ca_bundle} cannot be used ({error.strerror or error})",
            "correct AWS_CA_BUNDLE, or `ca_bundle` in the profile",
        ) from error
    return context
