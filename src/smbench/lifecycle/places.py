"""From a folder or `s3://bucket/prefix` to the place of an order: open while it is used."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smbench.aws.access.clients import AwsSettings
from smbench.aws.setup.s3_place import SCHEME, s3_place
from smbench.lifecycle.order import ORDER
from smbench.results.place import FolderPlace, Place
from smbench.targets.base import AwsAccess

_STORING = ("s3",)


@contextmanager
def opened(where: str | os.PathLike[str], access: AwsAccess) -> Iterator[Place]:
    """The place of an order, or of the order's file in it.

    Args:
        access: How S3 is reached; a folder needs none.

    Raises:
        UsageError: it is no place.
        TargetError: no region or no credentials.
    """
    text = os.fspath(where)
    if text.startswith(SCHEME):
        settings = AwsSettings(access.region, access.profile, access.endpoint_url, services=_STORING)
        with s3_place(text.removesuffix(f"/{ORDER}"), settings) as place:
            yield place
        return
    path = Path(text)
    yield FolderPlace(path.parent if path.is_file() else path)
