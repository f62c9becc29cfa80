"""Results that expire: as a lifecycle rule of the bucket would remove them."""

from collections import deque

from smbench.emulator.s3.objects import StoredObject
from smbench.emulator.s3.service import S3
from smbench.emulator.site import Site


class KeptResults:
    """Deletes each object `kept_s` of scenario time after it was added, unless another is in its place by then."""

    def __init__(self, site: Site, s3: S3, kept_s: float) -> None:
        self._site, self._s3, self._kept_ns = site, s3, round(kept_s * 1e9)
        self._written: deque[tuple[int, str, StoredObject]] = deque()  # due, bucket

    def add(self, bucket: str, stored: StoredObject) -> None:
        """An object that was just written."""
        self._written.append((self._site.now_ns + self._kept_ns, bucket, stored))
        if len(self._written) == 1:
            self._arm()

    def _arm(self) -> None:
        self._site.event_queue.at(self._written[0][0], self._forget)

    def _forget(self) -> None:
        written, now_ns = self._written, self._site.now_ns
        while written and written[0][0] <= now_ns:
            _, bucket, stored = written.popleft()
            self._s3.forget(bucket, stored)
        if written:
            self._arm()
