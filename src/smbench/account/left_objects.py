"""What runs left in S3: inputs and claims, whose names are ours, and the outputs that a run's own files name.

SageMaker names an output after nothing of ours. So without the files of the run its outputs are not known, and are
never touched. Where a bucket keeps versions, all versions of these keys are found and removed, with their delete
markers: a deletion by key alone would only hide an object, which is stored and paid for as before.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from smbench import units
from smbench.account.places import bucket_of, folder_of
from smbench.aws.access.causes import code_of
from smbench.aws.access.clients import AwsClients

_INPUT = re.compile(r"[^/]+/(?P<digest>[0-9a-f]{64})(?:[.%].*)?")  # <class>/<sha256><extension>
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_RUN_ID = r"smb-[0-9a-f]{10}"
_AT_ONCE = 1000  # versions that one DeleteObjects takes


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects below one place in S3.

    Args:
        what: `inputs`, `outputs`, `failures` or `claims`.
        place: `s3://bucket/folder`.
        versions: Key and version of all that is stored of them; one of each where the bucket keeps no versions.
        n_bytes: All together.
    """

    what: str
    place: str
    versions: tuple[tuple[str, str], ...]
    n_bytes: int

    @property
    def keys(self) -> frozenset[str]:
        """Of all of them, each once."""
        return frozenset(key for key, _version in self.versions)

    def __str__(self) -> str:
        n_keys, n_versions = len(self.keys), len(self.versions)
        kept = f" in {units.counted(n_versions, 'version')}" if n_versions > n_keys else ""
        return f"{self.what} {self.place} ({units.counted(n_keys, 'object')}{kept}, {self.n_bytes:,} bytes)"


async def inputs_below(clients: AwsClients, place: str, digests: frozenset[str] | None = None) -> list[Objects]:
    """Inputs that runs put below a prefix: those with one of these contents, by SHA-256; None: all."""
    folder = folder_of(place)

    def is_wanted(key: str) -> bool:
        named = _INPUT.fullmatch(key.removeprefix(folder))
        return named is not None and (digests is None or named["digest"] in digests)

    return await _listed(clients, "inputs", place, is_wanted)


async def claims_of(clients: AwsClients, place: str, run_id: str | None = None) -> list[Objects]:
    """The claims of runs that were continued, below their folder: one run's, or all."""
    ours = re.compile(re.escape(folder_of(place)) + (_RUN_ID if run_id is None else re.escape(run_id)))
    return await _listed(clients, "claims", place, lambda key: ours.fullmatch(key) is not None)


async def outputs_below(clients: AwsClients, what: str, place: str, locations: Iterable[str]) -> list[Objects]:
    """Outputs or failures below a prefix whose UUID one of the run's locations has."""
    ours = {found[0] for location in locations if (found := _UUID.search(location.rpartition("/")[2]))}
    if not ours:
        return []

    def is_wanted(key: str) -> bool:
        found = _UUID.search(key.rpartition("/")[2])
        return found is not None and found[0] in ours

    return await _listed(clients, what, place, is_wanted)


async def deleted(clients: AwsClients, listed: list[Objects]) -> list[str]:
    """Delete them and look again; what is still there, and why.

    Raises:
        TargetError: S3 refuses, or whether they are still there cannot be found out.
    """
    left: list[str] = []
    for one in listed:
        bucket = bucket_of(one.place)
        with clients.explained(f"delete {one.what} below {one.place} (s3:DeleteObjectVersion)"):
            for first in range(0, len(one.versions), _AT_ONCE):
                some = one.versions[first : first + _AT_ONCE]
                objects = [{"Key": key, "VersionId": version} for key, version in some]
                answer = await clients.s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
                left += [f"s3://{bucket}/{bad['Key']} ({bad.get('Code')})" for bad in answer.get("Errors", ())]
        named = frozenset(left)
        for still in await _listed(clients, one.what, one.place, one.keys.__contains__):
            places = [f"s3://{bucket}/{key}" for key in sorted(still.keys)]
            left += [f"{place} (still there)" for place in places if not any(one.startswith(place) for one in named)]
    return left


async def _listed(clients: AwsClients, what: str, place: str, is_wanted: Callable[[str], bool]) -> list[Objects]:
    versions: list[tuple[str, str]] = []
    n_bytes = 0
    with clients.explained(f"list the objects below {place} (s3:ListBucketVersions)"):
        try:
            async for shown in _each(clients, place):
                if is_wanted(shown["Key"]):
                    versions.append((shown["Key"], shown["VersionId"]))
                    n_bytes += shown.get("Size", 0)  # a delete marker has none
        except ClientError as error:
            if code_of(error) != "NoSuchBucket":
                raise
    return [Objects(what, place, tuple(versions), n_bytes)] if versions else []


async def _each(clients: AwsClients, place: str) -> AsyncIterator[dict[str, Any]]:
    """Every version and every delete marker below a place."""
    pages = clients.s3.get_paginator("list_object_versions").paginate(Bucket=bucket_of(place), Prefix=folder_of(place))
    async for page in pages:
        for shown in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            yield shown
