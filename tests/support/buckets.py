"""An emulated region that serves S3 from a thread of its own, for code that waits for it without a loop."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from serving import sdk_environment
from smbench.clock import LoopClock, wall_ns
from smbench.emulator.s3.objects import StoredObject
from smbench.emulator.sagemaker.processing import Images
from smbench.emulator.server import Emulator
from smbench.scenario.model import Scenario

BUCKET = "shared"


@dataclass
class Region:
    """The region, and its loop."""

    emulator: Emulator
    portal: BlockingPortal

    @property
    def url(self) -> str:
        return self.emulator.url

    def objects(self, under: str) -> dict[str, StoredObject]:
        """What is in the bucket below a prefix, now."""

        def found() -> dict[str, StoredObject]:
            bucket = self.emulator.s3._buckets[BUCKET]
            return {one.key: one for one in bucket.page(prefix=under).objects}

        return self.portal.call(found)

    def put_back(self, under: str, objects: dict[str, StoredObject]) -> None:
        """Let these be all that is below the prefix."""

        def back() -> None:
            bucket = self.emulator.s3._buckets[BUCKET]
            for one in bucket.page(prefix=under).objects:
                bucket.delete(one.key)
            for stored in objects.values():
                bucket.put(stored)

        self.portal.call(back)


@contextmanager
def region_with_bucket(of: Scenario | None = None, images: Mapping[str, str] | None = None) -> Iterator[Region]:
    """Served until the end of the block; the AWS tools of this process reach it, and nothing else."""
    with start_blocking_portal() as portal, pytest.MonkeyPatch.context() as patch:
        emulator = Emulator(of, None, wall_ns(), images=None if images is None else Images(images))
        url = portal.call(emulator.start)
        portal.call(lambda: emulator.go(LoopClock(emulator.site.epoch_ns)))
        portal.call(emulator.s3.create_bucket, BUCKET)
        for name, value in sdk_environment(url).items():
            if name.startswith("AWS_"):
                patch.setenv(name, value)
        try:
            yield Region(emulator, portal)
        finally:
            portal.call(emulator.stop)
