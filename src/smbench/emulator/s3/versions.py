"""Versions of objects as S3 shows them: which one a request means, what a deletion does, and their listing."""

import bisect
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from smbench.emulator.protocol.codecs import ServiceError, not_implemented
from smbench.emulator.protocol.http import HttpRequest, HttpResponse
from smbench.emulator.protocol.query import escape
from smbench.emulator.s3 import listings
from smbench.emulator.s3.objects import (
    ENABLED,
    LAST_CHARACTER,
    SUSPENDED,
    Bucket,
    DeleteMarker,
    StoredObject,
    Version,
    common_prefix,
    is_version,
    number_of_version,
)
from smbench.emulator.site import Site, http_date

HEADER = "x-amz-version-id"
_MARKER_HEADER = "x-amz-delete-marker"


def no_such_key(key: str, headers: dict[str, str] | None = None) -> ServiceError:
    """S3's 404 for a key that is not there, to be raised."""
    return ServiceError(
        "NoSuchKey", "The specified key does not exist.", 404, details={"Key": key}, headers=headers or {}
    )


def found(bucket: Bucket, key: str, version: str | None, site: Site) -> StoredObject:
    """The object of a key, or one of its versions.

    Raises:
        ServiceError: NoSuchKey; NoSuchVersion; MethodNotAllowed, for a version that is a delete marker.
    """
    if version is not None:
        return _found_version(bucket, key, version, site)
    stored = bucket.objects.get(key)
    if stored is None:
        latest = next(iter(bucket.versions_of(key)), None)
        raise no_such_key(key, None if latest is None else {_MARKER_HEADER: "true", HEADER: latest.version})
    return stored


def _found_version(bucket: Bucket, key: str, version: str, site: Site) -> StoredObject:
    _check(version)
    one = bucket.version(key, version)
    if one is None:
        text = "The specified version does not exist."
        raise ServiceError("NoSuchVersion", text, 404, details={"Key": key, "VersionId": version})
    if isinstance(one, DeleteMarker):
        stamp = http_date(site.utc_ns(one.modified_ns))
        headers = {_MARKER_HEADER: "true", HEADER: version, "Allow": "DELETE", "Last-Modified": stamp}
        text = "The specified method is not allowed against this resource."
        raise ServiceError("MethodNotAllowed", text, 405, headers=headers)
    return one


def _check(version: str) -> None:
    if not is_version(version):
        details = {"ArgumentName": "versionId", "ArgumentValue": version}
        raise ServiceError("InvalidArgument", "Invalid version id specified", details=details)


def asked(request: HttpRequest) -> str | None:
    """The version that a request names; None: the latest."""
    return request.query.get("versionId")


def read_header(bucket: Bucket, stored: StoredObject) -> list[tuple[str, str]]:
    """What a read says of the version that it gives: nothing in a bucket that never kept any."""
    return [(HEADER, stored.version)] if bucket.versioning else []


def write_header(bucket: Bucket, stored: StoredObject) -> list[tuple[str, str]]:
    """What a write says of the version that it made."""
    return [(HEADER, stored.version)] if bucket.versioning == ENABLED else []


def deleted(bucket: Bucket, key: str, version: str | None, site: Site) -> Version | None:
    """Carry out a deletion: the marker that it made or removed, the version that it removed; None: nothing to tell.

    Raises:
        ServiceError: InvalidArgument, for what cannot be a version.
    """
    if version is not None:
        _check(version)
        return bucket.delete_version(key, version)
    if bucket.versioning:
        return bucket.mark_deleted(key, site.now_ns)
    bucket.delete(key)
    return None


def delete_headers(bucket: Bucket, version: str | None, gone: Version | None) -> list[tuple[str, str]]:
    """What the answer to DeleteObject says."""
    extra = [(_MARKER_HEADER, "true")] if isinstance(gone, DeleteMarker) else []
    if version is None and gone is not None:
        version = gone.version
    return extra + ([(HEADER, version)] if version is not None and bucket.versioning else [])


def delete_element(key: str, version: str | None, gone: Version | None) -> str:
    """What the answer to DeleteObjects says of one object."""
    elements = f"<Key>{escape(key)}</Key>" + ("" if version is None else f"<VersionId>{version}</VersionId>")
    if isinstance(gone, DeleteMarker):
        elements += f"<DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>{gone.version}</DeleteMarkerVersionId>"
    return f"<Deleted>{elements}</Deleted>"


def configure(bucket: Bucket, document: Element) -> None:
    """PutBucketVersioning. Raises ServiceError: a status that is none, or MFA, which is not emulated."""
    status = (document.findtext("{*}Status") or "").strip()
    if (document.findtext("{*}MfaDelete") or "Disabled").strip() != "Disabled":
        raise not_implemented("s3", "PutBucketVersioning with MFADelete")
    if status not in (ENABLED, SUSPENDED):
        text = "The Versioning element must be specified"
        raise ServiceError("IllegalVersioningConfigurationException", text)
    bucket.versioning = status


def configuration(bucket: Bucket) -> str:
    """The inside of GetBucketVersioning's document."""
    return f"<Status>{bucket.versioning}</Status>" if bucket.versioning else ""


# the listing


def listing(bucket: Bucket, query: dict[str, str], site: Site) -> HttpResponse:
    """ListObjectVersions: of each key all that it has, the latest first. Raises ServiceError: InvalidArgument."""
    prefix, delimiter, after = query.get("prefix", ""), query.get("delimiter", ""), query.get("key-marker", "")
    after_version = query.get("version-id-marker") or None
    if after_version is not None:
        if not after:
            raise ServiceError("InvalidArgument", "A version-id marker cannot be specified without a key marker.")
        _check(after_version)
    n_max = listings.n_max_of(query)
    shown: list[tuple[str, Version | None, bool]] = []
    is_truncated = False
    for entry in _following(bucket, prefix, delimiter, after, after_version):
        is_truncated = len(shown) == n_max
        if is_truncated:
            break
        shown.append(entry)
    is_url = query.get("encoding-type") == "url"
    written = listings.quoted if is_url else escape
    parts = [("Name", bucket.name), ("Prefix", written(prefix)), ("KeyMarker", written(after))]
    parts += [("VersionIdMarker", after_version or ""), ("MaxKeys", str(n_max))]
    parts += [("Delimiter", written(delimiter))] if delimiter else []
    parts += [("EncodingType", "url")] if is_url else []
    parts += [("IsTruncated", "true" if is_truncated and n_max else "false")]
    if is_truncated and n_max:
        key, version, _ = shown[-1]
        parts += [("NextKeyMarker", written(key))]
        parts += [] if version is None else [("NextVersionIdMarker", version.version)]
    head = "".join(f"<{name}>{text}</{name}>" for name, text in parts)
    elements = "".join(_element(entry, site, is_url=is_url) for entry in shown)
    return listings.document("ListVersionsResult", head + elements)


def _following(
    bucket: Bucket, prefix: str, delimiter: str, after: str, after_version: str | None
) -> Iterator[tuple[str, Version | None, bool]]:
    """Key, version and whether it is the latest, in order; a common prefix has no version."""
    keys = bucket.keys_of_versions()
    index = bisect.bisect_left(keys, max(prefix, after))
    while index < len(keys) and keys[index].startswith(prefix):
        key = keys[index]
        if group := common_prefix(key, prefix, delimiter):  # past everything the group rolls up, at once
            index = bisect.bisect_left(keys, group + LAST_CHARACTER, index)
            if group > after:
                yield group, None, False
            continue
        index += 1
        versions = bucket.versions_of(key)
        latest = versions[0]
        if key == after:
            versions = [] if after_version is None else _below(versions, after_version)
        yield from ((key, one, one is latest) for one in versions)


def _below(versions: list[Version], marker: str) -> list[Version]:
    """Those that come after a version; it may have been deleted since it was listed."""
    for place, one in enumerate(versions):
        if one.version == marker:
            return versions[place + 1 :]
    return [one for one in versions if number_of_version(one.version) < number_of_version(marker)]


def _element(entry: tuple[str, Version | None, bool], site: Site, *, is_url: bool) -> str:
    key, version, is_latest = entry
    if version is None:
        return listings.prefix_element(key, is_url=is_url)
    which = f"<VersionId>{version.version}</VersionId><IsLatest>{'true' if is_latest else 'false'}</IsLatest>"
    if isinstance(version, StoredObject):
        return f"<Version>{which}{listings.object_elements(version, site, listings.OWNER, is_url=is_url)}</Version>"
    elements = f"<Key>{listings.quoted(key) if is_url else escape(key)}</Key>"
    elements += f"<LastModified>{listings.stamp(site, version.modified_ns)}</LastModified>"
    return f"<DeleteMarker>{which}{elements}{listings.OWNER}</DeleteMarker>"
