"""S3's listings: buckets, objects in both versions of the call, uploads under way."""

import base64
import binascii
from collections.abc import Iterable
from urllib.parse import quote

from smbench.emulator.protocol.codecs import ServiceError, xml_reply
from smbench.emulator.protocol.http import HttpResponse
from smbench.emulator.protocol.query import escape
from smbench.emulator.s3.headers import STORAGE_CLASS
from smbench.emulator.s3.objects import Bucket, Listing
from smbench.emulator.site import Site, iso_ms

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
OWNER_ID, OWNER_NAME = "emulated", "smbench"
_OWNER = f"<Owner><ID>{OWNER_ID}</ID><DisplayName>{OWNER_NAME}</DisplayName></Owner>"
_PAGE_MAX = 1000


def stamp(site: Site, at_ns: int) -> str:
    """An instant as S3's documents show it: whole seconds, with three zeros."""
    return iso_ms(site.utc_ns(at_ns) // 1_000_000_000 * 1_000_000_000)


def buckets(all_buckets: Iterable[Bucket], site: Site) -> HttpResponse:
    """ListBuckets, sorted by name, all on one page."""
    told = "".join(
        f"<Bucket><Name>{bucket.name}</Name><CreationDate>{stamp(site, bucket.created_ns)}</CreationDate></Bucket>"
        for bucket in sorted(all_buckets, key=lambda bucket: bucket.name)
    )
    return _document("ListAllMyBucketsResult", f"{_OWNER}<Buckets>{told}</Buckets>")


def objects(bucket: Bucket, query: dict[str, str], site: Site) -> HttpResponse:
    """ListObjectsV2, or ListObjects when the query has no `list-type=2`."""
    is_v2 = query.get("list-type") == "2"
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    n_max = _n_max(query)
    token = query.get("continuation-token")
    if is_v2:
        after = query.get("start-after", "") if token is None else _read_token(token)
    else:
        after = query.get("marker", "")
    page = bucket.page(prefix=prefix, delimiter=delimiter, after=after, n_max=n_max)

    is_url = query.get("encoding-type") == "url"
    written = _quoted if is_url else escape
    parts = [_tag("Name", bucket.name), _tag("Prefix", written(prefix)), _tag("MaxKeys", n_max)]
    parts += [_tag("Delimiter", written(delimiter))] if delimiter else []
    parts += [_tag("EncodingType", "url")] if is_url else []
    parts += [_tag("IsTruncated", "true" if page.is_truncated else "false")]
    if is_v2:
        parts += [_tag("KeyCount", len(page.objects) + len(page.prefixes))]
        parts += [] if token is None else [_tag("ContinuationToken", escape(token))]
        parts += [_tag("StartAfter", written(query["start-after"]))] if "start-after" in query else []
        parts += [_tag("NextContinuationToken", _token(page.last))] if page.is_truncated else []
    else:
        parts += [_tag("Marker", written(after))]
        parts += [_tag("NextMarker", written(page.last))] if page.is_truncated and delimiter else []
    owner = "" if is_v2 and query.get("fetch-owner") != "true" else _OWNER
    parts += _contents(page, site, owner, is_url=is_url)
    return _document("ListBucketResult", "".join(parts))


def versions(bucket: Bucket, query: dict[str, str], site: Site) -> HttpResponse:
    """ListObjectVersions of a bucket that keeps none: each object as its only version, `null`."""
    prefix, delimiter, after = query.get("prefix", ""), query.get("delimiter", ""), query.get("key-marker", "")
    n_max = _n_max(query)
    page = bucket.page(prefix=prefix, delimiter=delimiter, after=after, n_max=n_max)
    is_url = query.get("encoding-type") == "url"
    written = _quoted if is_url else escape
    parts = [_tag("Name", bucket.name), _tag("Prefix", written(prefix)), _tag("KeyMarker", written(after))]
    parts += ["<VersionIdMarker/>", _tag("MaxKeys", n_max)]
    parts += [_tag("Delimiter", written(delimiter))] if delimiter else []
    parts += [_tag("EncodingType", "url")] if is_url else []
    parts += [_tag("IsTruncated", "true" if page.is_truncated else "false")]
    if page.is_truncated:
        parts += [_tag("NextKeyMarker", written(page.last)), _tag("NextVersionIdMarker", "null")]
    version = "<VersionId>null</VersionId><IsLatest>true</IsLatest>"
    for told in _contents(page, site, _OWNER, is_url=is_url):
        inner = told.removeprefix("<Contents>").removesuffix("</Contents>")
        parts.append(told if inner == told else f"<Version>{version}{inner}</Version>")
    return _document("ListVersionsResult", "".join(parts))


def uploads(bucket: Bucket, site: Site) -> HttpResponse:
    """ListMultipartUploads, on one page."""
    told = "".join(
        f"<Upload><Key>{escape(upload.key)}</Key><UploadId>{upload.upload_id}</UploadId>"
        f"<Initiated>{stamp(site, upload.started_ns)}</Initiated></Upload>"
        for upload in sorted(bucket.uploads.values(), key=lambda upload: (upload.key, upload.upload_id))
    )
    head = f"<Bucket>{bucket.name}</Bucket><MaxUploads>{_PAGE_MAX}</MaxUploads><IsTruncated>false</IsTruncated>"
    return _document("ListMultipartUploadsResult", head + told)


def _contents(page: Listing, site: Site, owner: str, *, is_url: bool) -> list[str]:
    written = _quoted if is_url else escape
    told = [
        f"<Contents><Key>{written(stored.key)}</Key><LastModified>{stamp(site, stored.modified_ns)}</LastModified>"
        f"<ETag>{escape(stored.etag)}</ETag><Size>{stored.size_bytes}</Size>"
        f"<StorageClass>{stored.headers.get(STORAGE_CLASS, 'STANDARD')}</StorageClass>{owner}</Contents>"
        for stored in page.objects
    ]
    return told + [f"<CommonPrefixes><Prefix>{written(prefix)}</Prefix></CommonPrefixes>" for prefix in page.prefixes]


def _n_max(query: dict[str, str]) -> int:
    text = query.get("max-keys", str(_PAGE_MAX))
    if not (text.isascii() and text.isdecimal()):
        raise ServiceError("InvalidArgument", "Provided max-keys not an integer or within integer range")
    return min(int(text), _PAGE_MAX)


def _token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode("ascii")


def _read_token(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise ServiceError("InvalidArgument", "The continuation token provided is incorrect") from None


def _quoted(text: str) -> str:
    return quote(text, safe="/")


def _tag(name: str, text: object) -> str:
    return f"<{name}>{text}</{name}>"


def _document(name: str, inner: str) -> HttpResponse:
    return xml_reply(f'<{name} xmlns="{NAMESPACE}">{inner}</{name}>')
