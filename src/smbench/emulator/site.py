"""Where and when the emulated services are: account, region, address and time, one object a whole emulator shares."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache

from smbench.model.event_queue import EventQueue

_ID_STEP = 0x9E3779B1  # odd, so that n * step mod 2**32 takes every value before it repeats one


@dataclass(slots=True)
class Site:
    """What every emulated service knows.

    Args:
        epoch_ns: UTC nanoseconds at scenario time zero.
        skew_ns: The services' clocks are ahead of the scenario's by this much; every stamp they give has it.
        drift_ppm: And gain so many microseconds a second from scenario time zero on.
        url: Where clients reach us; empty until the server listens.
    """

    event_queue: EventQueue
    epoch_ns: int
    region: str = "us-east-1"
    account: str = "123456789012"
    skew_ns: int = 0
    drift_ppm: float = 0.0
    url: str = ""
    n_ids: int = 0

    @property
    def now_ns(self) -> int:
        """Scenario time, nanoseconds."""
        return self.event_queue.now_ns

    def utc_ns(self, at_ns: int | None = None) -> int:
        """What the services' clocks show at a scenario instant; now by default."""
        since_ns = self.event_queue.now_ns if at_ns is None else at_ns
        gained_ns = round(since_ns * self.drift_ppm * 1e-6) if self.drift_ppm else 0
        return self.epoch_ns + self.skew_ns + since_ns + gained_ns

    def at_ns(self, utc_ns: int) -> int:
        """The scenario instant at which the services' clocks show a time: the inverse of `utc_ns`, to a nanosecond."""
        ahead_ns = utc_ns - self.epoch_ns - self.skew_ns
        rate = self.drift_ppm * 1e-6
        return ahead_ns - round(ahead_ns * rate / (1 + rate)) if rate else ahead_ns

    def now(self) -> datetime:
        """The services' time, for members of type timestamp."""
        return utc_datetime(self.utc_ns())

    def arn(self, service: str, resource: str) -> str:
        """An ARN in this region and account."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def new_id(self) -> str:
        """A fresh UUID: by count, not by chance, so that a repeated run repeats its ids."""
        n = self.n_ids = self.n_ids + 1
        return f"{n * _ID_STEP & 0xFFFFFFFF:08x}-5b1e-4c0d-8e57-{n:012x}"


def utc_datetime(utc_ns: int) -> datetime:
    """UTC nanoseconds as a datetime, cut to microseconds (datetime has no more)."""
    seconds, rest_ns = divmod(utc_ns, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest_ns // 1000)


def iso_ms(utc_ns: int) -> str:
    """`2023-05-23T03:23:21.814Z`, as SNS and SageMaker write instants."""
    seconds, rest_ns = divmod(utc_ns, 1_000_000_000)
    return f"{_iso_second(seconds)}.{rest_ns // 1_000_000:03}Z"


@lru_cache(maxsize=256)  # three stamps a message, many messages a second
def _iso_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def http_date(utc_ns: int) -> str:
    """`Tue, 23 May 2023 03:23:21 GMT`, as HTTP writes instants."""
    return formatdate(utc_ns // 1_000_000_000, usegmt=True)
