"""What a run measures, behind one protocol: described and set up, reached through ports, watched, and taken down.

A kind of endpoint is a module that implements `Target`, and one line in `targets.kinds`. What a target finds and holds
is plain JSON, so that parent and workers can pass it on whichever machine they are.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from smbench.aws.access.addresses import require_usable
from smbench.aws.setup.claim import Claim
from smbench.clock import Clock
from smbench.generator.runner import Outside
from smbench.generator.shares import Share
from smbench.ports import Gauges

Facts = Mapping[str, Any]
"""What a target found out about itself, or holds, as JSON values."""


@dataclass(frozen=True, slots=True)
class AwsAccess:
    """How AWS is reached. None: as the AWS tools find it. For the emulator only the URL matters."""

    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None

    def __post_init__(self) -> None:
        """Refuse an address that cannot be used, with a TargetError, before anything is done for a run."""
        if self.endpoint_url is not None:
            require_usable("--endpoint-url", self.endpoint_url)


class Prepared(Protocol):
    """A target that is ready for one worker's share of the load.

    Attributes:
        found: The target as described before the run, for the manifest.
        held: What must be removed if this worker dies; None when it made nothing.
        locations: Where the inputs are in S3: one a payload, or one a row of the share when payloads are unique; None
            when bodies go inline.
    """

    found: Facts
    held: Facts | None
    locations: list[str] | None

    def ports(self, clock: Clock, *, watches: bool = False) -> Outside:
        """The ports of a run by its clock; `watches`: this worker reads the endpoint's gauges as well."""

    async def keep_ready(self) -> None:
        """Do what must be done while the run lasts, such as refreshing credentials; returns when cancelled."""

    async def examine(self) -> None:
        """When the drain was over, no notice had come of some requests: find out why, for `notes`."""

    def abandon(self) -> None:
        """Take nothing down: the endpoint ends together with the run, or the run will be taken up again."""

    def release(self) -> None:
        """All that was sent is known: take everything down on leaving, of a run taken up, too."""

    def kept(self) -> Facts | None:
        """What was left in its place after `abandon`; None: nothing."""

    def notes(self) -> list[str]:
        """Sentences for the manifest, complete once everything is taken down."""


class Target(Protocol):
    """One kind of endpoint, for one run."""

    def prepared(self, share: Share, progress: Callable[[str], None]) -> AbstractAsyncContextManager[Prepared]:
        """Describe the endpoint and set up what a share needs (inputs, a queue); take it down on leaving.

        Args:
            progress: Called with what is being done, for a person to read.

        Raises:
            TargetError: from `async with`: the endpoint cannot be used; nothing was sent.
        """

    def taken_up(
        self, share: Share, progress: Callable[[str], None], found: Facts, held: Facts | None, *, sends: bool
    ) -> AbstractAsyncContextManager[Prepared]:
        """As `prepared`, of a run that was killed: with what its worker held, which stays unless `release` is called.

        Args:
            found: The target as it was found before the run.
            held: None where nothing is left of it: then no end comes by itself, and only outputs are looked up.
            sends: More will be sent.
        """

    def watched(self, found: Facts, clock: Clock) -> AbstractAsyncContextManager[Gauges]:
        """The gauges of a target that was found, for a process that watches it without sending."""

    def claim(self, run_id: str, found: Facts) -> AbstractAsyncContextManager[Claim | None]:
        """What decides who may send the rest of a run; None: this kind of target keeps nothing that all could see.

        Raises:
            TargetError: from `async with`: a run on such a target has one, and no place for it is known.
        """

    async def remove(self, held: Sequence[Facts]) -> list[str]:
        """Remove what lost workers held; returns what is left, as a person would look for it."""

    def unconfirmed(self, share: Share) -> list[str]:
        """What a worker may have made that was lost before it could say so."""
