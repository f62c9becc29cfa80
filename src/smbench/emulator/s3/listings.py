"""The listing operations of S3: buckets, objects in both versions of the call, uploads under way."""

import base64
from collections.abc import Iterable
from urllib.parse import quote

from smbench.emulator.protocol.codecs import ServiceError, not_implemented, xml_reply
from smbench.emulator.protocol.digits import whole
from smbench.emulator.protocol.http import HttpResponse
from smbench.emulator.protocol.query import escape
from smbench.emulator.s3.headers import STORAGE_CLASS
from smbench.emulator.s3.objects import Bucket, Listing, StoredObject, Upload
from smbench.emulator.site import Site, iso_ms

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
OWNER_ID, OWNER_NAME = "emulated", "smbench"
OWNER = f"<Owner><ID>{OWNER_ID}</ID><DisplayName>{OWNER_NAME}</DisplayName></Owner>"
_PAGE_MAX = 1000
_BUCKETS_MAX = 10_000
_INTEGER_MAX = 2**31 - 1


def stamp(site: Site, at_ns: int) -> str:
    """An instant as S3's documents show it: whole seconds, with three zeros."""
    return iso_ms(site.utc_ns(at_ns) // 1_000_000_000 * 1_000_000_000)


def buckets(all_buckets: Iterable[Bucket], query: dict[str, str], site: Site) -> HttpResponse:
    """ListBuckets, sorted by name: those of a prefix and a region, a page at a time where that was asked for."""
    prefix, region, token = (
        query.get("prefix", ""),
        query.get("bucket-region", site.region),
        query.get("continuation-token"),
    )
    after, n_max = _read_token(token) if token else "", number_of(query, "max-buckets", _BUCKETS_MAX)
    found = [one for one in all_buckets if one.name.startswith(prefix) and one.name > after and region == site.region]
    found.sort(key=lambda bucket: bucket.name)
    more = f"<ContinuationToken>{_token(found[n_max - 1].name)}</ContinuationToken>" if 0 < n_max < len(found) else ""
    buckets = "".join(
        f"<Bucket><Name>{bucket.name}</Name><CreationDate>{stamp(site, bucket.created_ns)}</CreationDate></Bucket>"
        for bucket in found[:n_max]
    )
    return document("ListAllMyBucketsResult", f"{OWNER}<Buckets>{buckets}</Buckets>{more}")


def objects(bucket: Bucket, query: dict[str, str], site: Site) -> HttpResponse:
    """ListObjectsV2, or ListObjects when the query has no `list-type=2`."""
    is_v2 = query.get("list-type") == "2"
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    n_max = n_max_of(query)
    token = query.get("continuation-token")
    if is_v2:
        after = query.get("start-after", "") if token is None else _read_token(token)
    else:
        after = query.get("marker", "")
    page = bucket.page(prefix=prefix, delimiter=delimiter, after=after, n_max=n_max)

    is_url = query.get("encoding-type") == "url"
    written = quoted if is_url else escape
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
    owner = "" if is_v2 and query.get("fetch-owner") != "true" else OWNER
    parts += _contents(page, site, owner, is_url=is_url)
    return document("ListBucketResult", "".join(parts))


def uploads(bucket: Bucket, query: dict[str, str], site: Site) -> HttpResponse:
    """ListMultipartUploads: those of a prefix, a page after a key and an upload.

    Raises:
        ServiceError: 501 for a delimiter, InvalidArgument for a number that is none.
    """
    if query.get("delimiter"):
        raise not_implemented("s3", "ListMultipartUploads with Delimiter")
    prefix, n_max = query.get("prefix", ""), min(number_of(query, "max-uploads", _PAGE_MAX), _PAGE_MAX)
    after = (query.get("key-marker", ""), query.get("upload-id-marker", "\uffff"))
    found = sorted((one.key, one.upload_id, one) for one in bucket.uploads.values() if one.key.startswith(prefix))
    found = [one for one in found if one[:2] > after or not after[0]]
    shown = [upload for _, _, upload in found[:n_max]]
    elements = "".join(
        f"<Upload><Key>{escape(upload.key)}</Key><UploadId>{upload.upload_id}</UploadId>"
        f"<Initiated>{stamp(site, upload.started_ns)}</Initiated>{chosen_of(upload)}</Upload>"
        for upload in shown
    )
    is_more = len(found) > len(shown)
    head = f"<Bucket>{bucket.name}</Bucket><KeyMarker>{escape(after[0])}</KeyMarker><Prefix>{escape(prefix)}</Prefix>"
    head += f"<MaxUploads>{n_max}</MaxUploads><IsTruncated>{'true' if is_more else 'false'}</IsTruncated>"
    if is_more and shown:
        head += f"<NextKeyMarker>{escape(shown[-1].key)}</NextKeyMarker>"
        head += f"<NextUploadIdMarker>{shown[-1].upload_id}</NextUploadIdMarker>"
    return document("ListMultipartUploadsResult", head + elements)


def _contents(page: Listing, site: Site, owner: str, *, is_url: bool) -> list[str]:
    elements = [f"<Contents>{object_elements(one, site, owner, is_url=is_url)}</Contents>" for one in page.objects]
    return elements + [prefix_element(prefix, is_url=is_url) for prefix in page.prefixes]


def object_elements(stored: StoredObject, site: Site, owner: str, *, is_url: bool) -> str:
    """What a listing says of an object; `owner` is its element, or empty."""
    return (
        f"<Key>{(quoted if is_url else escape)(stored.key)}</Key>"
        f"<LastModified>{stamp(site, stored.modified_ns)}</LastModified>"
        f"<ETag>{escape(stored.etag)}</ETag><Size>{stored.size_bytes}</Size>"
        f"<StorageClass>{stored.headers.get(STORAGE_CLASS, 'STANDARD')}</StorageClass>{owner}"
    )


def prefix_element(prefix: str, *, is_url: bool) -> str:
    """What a listing says of keys that it rolls up."""
    return f"<CommonPrefixes><Prefix>{(quoted if is_url else escape)(prefix)}</Prefix></CommonPrefixes>"


def n_max_of(query: dict[str, str]) -> int:
    """How many entries a page may have. Raises ServiceError: InvalidArgument."""
    return min(number_of(query, "max-keys", _PAGE_MAX), _PAGE_MAX)


def number_of(query: dict[str, str], name: str, default: int) -> int:
    """A whole number from 0 of a query. Raises ServiceError: InvalidArgument."""
    number = whole(query.get(name, str(default)))
    if number is None or number > _INTEGER_MAX:
        raise ServiceError("InvalidArgument", f"Provided {name} not an integer or within integer range")
    return number


def _token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode("ascii")


def _read_token(token: str) -> str:
    try:
        key = base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError:  # base64's and UTF-8's own are such
        key = ""
    if not key:
        raise ServiceError("InvalidArgument", "The continuation token provided is incorrect")
    return key


def quoted(text: str) -> str:
    """A key as a listing writes it with `encoding-type=url`."""
    return quote(text, safe="/")


def _tag(name: str, text: object) -> str:
    return f"<{name}>{text}</{name}>"


def document(name: str, inner: str) -> HttpResponse:
    """A listing's answer."""
    return xml_reply(f'<{name} xmlns="{NAMESPACE}">{inner}</{name}>')


def chosen_of(upload: Upload) -> str:
    """What its maker chose of an upload under way, as elements: storage class and kind of checksum."""
    elements = f"<StorageClass>{escape(upload.headers.get(STORAGE_CLASS, 'STANDARD'))}</StorageClass>"
    if upload.checksum_algorithm:
        elements += f"<ChecksumAlgorithm>{upload.checksum_algorithm.upper()}</ChecksumAlgorithm>"
    if upload.checksum_type:
        elements += f"<ChecksumType>{upload.checksum_type}</ChecksumType>"
    return elements
