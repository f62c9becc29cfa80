"""Sessions, credentials and clients: the one place where an AWS client is made.

Making the first client of a service blocks the loop for up to 165 ms (it reads the service's model), so all of them
are made together, before scenario time begins.
"""

import functools
import logging
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import aioboto3
import botocore
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.exceptions import InvalidRegionError, NoCredentialsError, NoRegionError
from botocore.loaders import Loader, create_loader

from smbench.aws.access.addresses import ADDRESS_LOOKS_LIKE, require_usable
from smbench.aws.access.answers import SoundParsers
from smbench.aws.access.credentials import SessionCredentials, frozen
from smbench.aws.access.refusals import explained, fetching
from smbench.errors import TargetError
from smbench.printable import printable
from smbench.service_models import ModelFiles
from smbench.version import __version__
from smbench.wire.sigv4 import Credentials

_MODELS = Path(__file__).parent / "models"  # members of InvokeEndpointAsync that botocore 1.40 does not know
_EMULATED_REGION = "us-east-1"
_EMULATED = Credentials("smbench", "smbench")
USER_AGENT = f"smbench/{__version__} botocore/{botocore.__version__}"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")

# Several tries are for preparation and for gauges. Never for submission: a second try hides a throttle, and the
# call is not idempotent. Nor for the queue, whose caller tries again by itself and counts it.
_ONE_TRY = {"mode": "standard", "total_max_attempts": 1}
_SOME_TRIES = {"mode": "standard", "total_max_attempts": 4}
CONNECT_S = 10
ANSWER_S = 60
LONG_POLL_ANSWER_S = 35  # a long poll is 20 s by itself
QUEUE_CONNECTIONS = 160  # 64 receivers, as many deleters, and room
_PREPARING_CONNECTIONS = 32

# It logs what it raises, with a traceback, which Python prints where nobody has said what becomes of logs.
logging.getLogger("aiobotocore").addHandler(logging.NullHandler())

MEASURING = ("runtime", "sqs", "sns", "s3", "sagemaker", "cloudwatch", "autoscaling", "logs", "sts")
DEPLOYING = (*MEASURING, "cloudformation", "tagging")
EXAMINING = (*MEASURING, "quotas")


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """How AWS is reached. None means what the AWS settings of the machine say.

    Args:
        endpoint_url: One address for every service; default: each service's own, or its `AWS_ENDPOINT_URL_*`.
        emulated: The address is the emulator's: nothing of the user's AWS settings is read.
        in_flight: Submissions that may be unanswered at once; each needs a connection.
        connect_s: How long a connection to the runtime may take.
        answer_s: How long the runtime may take to answer a submission.
        silence_s: How long it may be silent within an answer; None: as long as `answer_s`.
        services: Attributes of `AwsClients`: a client of each is made, and of no other.
    """

    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    emulated: bool = False
    in_flight: int = 1000
    connect_s: float = CONNECT_S
    answer_s: float = ANSWER_S
    silence_s: float | None = None
    services: tuple[str, ...] = MEASURING

    def __post_init__(self) -> None:
        """Refuse an address that cannot be used, with a TargetError."""
        if self.endpoint_url is not None:
            require_usable("--endpoint-url", self.endpoint_url)


class AwsClients:
    """Every client a run needs, open between `async with` and its end.

    The clients are `Any`: botocore makes their methods at run time, from the services' models.

    Attributes:
        credentials: For callers that sign by hand.
        ca_bundle: The certificate file that the user's settings name, as botocore reads them; None for its own.

    Raises:
        TargetError: from `async with`: no region, no credentials, no such profile.
    """

    runtime: Any
    sqs: Any
    sns: Any
    s3: Any
    sagemaker: Any
    cloudwatch: Any
    autoscaling: Any
    sts: Any
    cloudformation: Any
    tagging: Any
    pricing: Any
    logs: Any
    quotas: Any

    def __init__(self, settings: AwsSettings) -> None:
        self.settings = settings
        self.region = settings.region or ""
        self.credentials = SessionCredentials(None, _EMULATED)
        self.ca_bundle: str | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        settings = self.settings
        if settings.emulated and settings.endpoint_url is None:
            raise ValueError("an emulated endpoint has an address")
        async with AsyncExitStack() as opened:
            with self.explained("prepare the AWS clients"):
                core = AioSession(_deaf_to_the_environment() if settings.emulated else None)
                session = aioboto3.Session(botocore_session=core, profile_name=settings.profile)
                core.user_agent_extra = ""  # our own user agent says it already
                core.register_component("response_parser_factory", SoundParsers())
                core.register_component("data_loader", _models_of(core.get_config_variable("data_path")))
                self.region = _region(settings, core)
                self.ca_bundle = core.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
                if not settings.emulated:
                    self.credentials = await _session_credentials(core, self.region)
                make: Any = session.client  # its stub knows services only by literal name
                for name, (service, options) in _services(settings).items():
                    client = make(
                        service,
                        region_name=self.region,
                        endpoint_url=settings.endpoint_url,
                        # Where there is no TLS, the certificates of all authorities need not be read for each client.
                        verify=False if _is_plain(settings.endpoint_url) else None,
                        # botocore puts its own user agent together anew for each call: a tenth of a call's CPU.
                        config=AioConfig(user_agent=USER_AGENT, **options),
                        **_key_pair(settings),
                    )
                    try:
                        entered: Any = await opened.enter_async_context(client)
                        require_usable(f"the address of {service}", entered.meta.endpoint_url)
                        setattr(self, name, entered)
                    except InvalidRegionError as error:
                        why = f"the region {printable(self.region)} is none, by its looks"
                        raise TargetError(why, "one looks like us-east-1: correct --region or AWS_REGION") from error
                    except ValueError as error:  # botocore's word for an address or a region it cannot read
                        why = f"the address of {service} cannot be used" if "@" in str(error) else str(error)
                        raise TargetError(why, ADDRESS_LOOKS_LIKE) from error
            self._stack = opened.pop_all()
        return self

    async def __aexit__(self, *exit_details: object) -> None:
        await self._stack.aclose()

    def explained(self, doing: str) -> AbstractContextManager[None]:
        """A block in which AWS's refusals of `doing` become TargetErrors with advice."""
        settings = self.settings
        region = self.region or "no region"
        return explained(doing, profile=settings.profile, region=region, url=settings.endpoint_url)

    @property
    def is_loopback(self) -> bool:
        """Everything is on this machine: there is no proxy."""
        return _is_loopback(self.settings.endpoint_url)

    async def identity(self) -> dict[str, Any]:
        """GetCallerIdentity's answer: the cheapest proof that the credentials work; it needs no permission."""
        with self.explained("ask who we are (sts:GetCallerIdentity)"):
            identity: dict[str, Any] = await self.sts.get_caller_identity()
        return identity


@functools.cache
def _models_of(data_path: str | None) -> Loader:
    """The services' models, read once a process: sweeps, searches and scripts open clients again and again."""
    loader = create_loader(data_path)
    loader.search_paths.append(str(_MODELS))
    loader.file_loader = ModelFiles()
    return loader


async def _session_credentials(core: AioSession, region: str) -> SessionCredentials:
    """What must be fetched or refreshed fails here, not in the run."""
    with fetching(core.profile, region):  # by addresses of its own: --endpoint-url is not for it
        credentials = await core.get_credentials()
        if credentials is None:
            _refuse_login(core)
            raise NoCredentialsError
        if credentials.method == "assume-role":
            _refuse_code(core)
        return SessionCredentials(credentials, frozen(await credentials.get_frozen_credentials()))


def _refuse_login(core: AioSession) -> None:
    if "login_session" in core.get_scoped_config():
        name = core.profile or "default"
        raise TargetError(
            f"the profile {name} was made by `aws login`, which this AWS library cannot read",
            f"add to the profile: credential_process = "
            f"aws configure export-credentials --profile {name} --format process",
        )


def _refuse_code(core: AioSession) -> None:
    """A profile that asks a person for a code would ask in every process of a run, and again in mid-run."""
    profiles = core.full_config.get("profiles", {})
    name, seen = core.profile or "default", set[str]()
    while name in profiles and name not in seen:
        seen.add(name)
        if {"mfa_serial", "role_arn"} <= profiles[name].keys():
            raise TargetError(
                f"the profile {name} asks for a code (mfa_serial), and a run has several processes",
                f'let the AWS CLI ask once: eval "$(aws configure export-credentials --profile '
                f'{core.profile or "default"} --format env)", and leave --profile and AWS_PROFILE out',
            )
        name = profiles[name].get("source_profile", "")


def _key_pair(settings: AwsSettings) -> dict[str, str]:
    """The credentials that a client gets: the emulator's pair; else nothing, and it asks the session."""
    if not settings.emulated:
        return {}
    return {"aws_access_key_id": _EMULATED.access_key, "aws_secret_access_key": _EMULATED.secret_key}


def _services(settings: AwsSettings) -> Mapping[str, tuple[str, dict[str, Any]]]:
    """Attribute of `AwsClients` to botocore's service name and the settings of its client."""
    preparing = {
        "connect_timeout": CONNECT_S,
        "retries": _SOME_TRIES,
        "read_timeout": ANSWER_S,
        "max_pool_connections": _PREPARING_CONNECTIONS,
    }
    polling = {
        "connect_timeout": CONNECT_S,
        "retries": _ONE_TRY,
        "read_timeout": LONG_POLL_ANSWER_S,
        "max_pool_connections": QUEUE_CONNECTIONS,
    }
    submitting = {
        "connect_timeout": settings.connect_s,
        "retries": _ONE_TRY,
        "read_timeout": settings.silence_s or settings.answer_s,
        "max_pool_connections": settings.in_flight,
    }
    services = {
        "runtime": ("sagemaker-runtime", submitting),
        "sqs": ("sqs", polling),
        "sns": ("sns", preparing),
        "s3": ("s3", preparing),
        "sagemaker": ("sagemaker", preparing),
        "cloudwatch": ("cloudwatch", preparing),
        "autoscaling": ("application-autoscaling", preparing),
        "sts": ("sts", preparing),
        "cloudformation": ("cloudformation", preparing),
        "tagging": ("resourcegroupstaggingapi", preparing),
        "pricing": ("pricing", preparing),
        "logs": ("logs", preparing),
        "quotas": ("service-quotas", preparing),
    }
    if _is_loopback(settings.endpoint_url):  # a proxy cannot reach this machine's own loopback
        for _, options in services.values():
            options["proxies"] = {}
    return {name: services[name] for name in settings.services}


def _is_loopback(url: str | None) -> bool:
    return url is not None and urlsplit(url).hostname in _LOOPBACK


def _is_plain(url: str | None) -> bool:
    """Every service is at this address, and no TLS is spoken there."""
    return url is not None and urlsplit(url).scheme == "http"


def _region(settings: AwsSettings, core: AioSession) -> str:
    """In the order of the AWS CLI; botocore itself does not look at AWS_REGION."""
    if settings.emulated:
        return settings.region or _EMULATED_REGION
    region = settings.region or os.environ.get("AWS_REGION") or core.get_config_variable("region")
    if not region:
        raise NoRegionError
    return str(region)


def _deaf_to_the_environment() -> dict[str, tuple[None, None, Any, Any]]:
    """Session variables that have their defaults whatever the user's AWS files and variables say."""
    deaf = {
        name: (None, None, default, convert) for name, (_, _, default, convert) in AioSession.SESSION_VARIABLES.items()
    }
    for name in ("config_file", "credentials_file"):
        deaf[name] = (None, None, os.devnull, None)
    return deaf
