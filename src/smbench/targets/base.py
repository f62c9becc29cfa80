"""What a run measures, behind one protocol: described and set up, reached through ports, watched, and taken down.

A kind of endpoint is a module that implements `Target`, and one line in `targets.kinds`. What a target finds and holds
is plain JSON, so that parent and workers can pass it on whichever machine they are.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

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

    def ports(self, watching: Clock | None) -> Outside:
        """The ports of a run. With a clock, this worker also watches the endpoint."""

    async def keep_ready(self) -> None:
        """Do what must be done while the run lasts, such as refreshing credentials; returns when cancelled."""

    def abandon(self) -> None:
        """The endpoint ends together with the run, so there is nothing to take down."""

    def notes(self) -> list[str]:
        """Sentences for the manifest, complete once everything is taken down."""


class Target(Protocol):
    """One kind of endpoint, for one run.

    Attributes:
        inapplicable: Names of checks and of stages of a request that mean nothing for this kind: a report leaves them
            out.
    """

    inapplicable: frozenset[str]

    def prepared(self, share: Share, progress: Callable[[str], None]) -> AbstractAsyncContextManager[Prepared]:
        """Describe the endpoint and set up what a share needs (inputs, a queue); take it down on leaving.

        Args:
            progress: Called with what is being done, for a person to read.

        Raises:
            TargetError: from `async with`: the endpoint cannot be used; nothing was sent.
        """

    def watched(self, found: Facts, clock: Clock) -> AbstractAsyncContextManager[Gauges]:
        """The gauges of a target that was found, for whoever watches it without sending."""

    async def remove(self, held: Sequence[Facts]) -> list[str]:
        """Remove what lost workers held; returns what is left, as a person would look for it."""

    def unconfirmed(self, share: Share) -> list[str]:
        """What a worker may have made that was lost before it could say so."""
