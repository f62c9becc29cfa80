"""The emulated S3: buckets and objects in memory, by path or by host name, with AWS's own errors."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from urllib.parse import quote, unquote_to_bytes
from xml.etree.ElementTree import Element

from smbench.emulator.faults import FaultKind
from smbench.emulator.protocol import aws_chunked
from smbench.emulator.protocol.codecs import ServiceError, not_implemented, xml_reply
from smbench.emulator.protocol.http import HttpRequest, HttpResponse
from smbench.emulator.protocol.query import escape
from smbench.emulator.protocol.shapes import service_shapes
from smbench.emulator.protocol.sigv2 import bucket_of_host
from smbench.emulator.s3 import copying, listings, multipart, object_operations, settings, versions
from smbench.emulator.s3.documents import malformed, read_tags, read_xml
from smbench.emulator.s3.headers import refuse_unheeded
from smbench.emulator.s3.objects import NO_HEADERS, Bucket, StoredObject, etag_of_name, is_version
from smbench.emulator.site import Site

KEY_MAX_BYTES = 1024
_TAGS_MAX = 50
_BUCKET_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]")
_RESERVED_NAME = re.compile(  # user guide, "General purpose bucket naming rules"
    r".*\.\..*|\d+\.\d+\.\d+\.\d+|(xn--|sthree-|amzn-s3-demo-).*|.*(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)"
)
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_DELETE_MAX = 1000
_NEUTRAL = {"", "x-id", "list-type"}  # in a query, and yet no subresource

_NOT_COPYING = {"CopyObject": "PutObject", "UploadPartCopy": "UploadPart"}  # a header tells them from each other

OnObject = Callable[[HttpRequest, Bucket, str, Site], HttpResponse]
_ON_OBJECT: dict[tuple[str, str], OnObject] = {
    ("GET", ""): object_operations.get,
    ("HEAD", ""): object_operations.get,
    ("DELETE", ""): object_operations.delete,
    ("GET", "attributes"): object_operations.attributes,
    ("GET", "tagging"): object_operations.get_tagging,
    ("PUT", "tagging"): object_operations.put_tagging,
    ("DELETE", "tagging"): object_operations.delete_tagging,
    ("POST", "uploads"): multipart.create,
    ("POST", "uploadId"): multipart.complete,
    ("DELETE", "uploadId"): multipart.abort,
    ("GET", "uploadId"): multipart.list_parts,
}


class S3:
    """The service, and the door for the emulator's other parts: `put`, `put_lazy`, `get`, `exists`."""

    service = "s3"

    def __init__(self, site: Site) -> None:
        self._site = site
        self._buckets: dict[str, Bucket] = {}
        self._on_bucket: dict[tuple[str, str], Callable[[HttpRequest, str], HttpResponse]] = {
            ("PUT", ""): self._create_bucket,
            ("HEAD", ""): self._head_bucket,
            ("DELETE", ""): self._delete_bucket,
            ("GET", ""): self._list_objects,
            ("GET", "location"): self._get_bucket_location,
            ("GET", "uploads"): self._list_multipart_uploads,
            ("GET", "versions"): self._list_object_versions,
            ("PUT", "versioning"): self._put_bucket_versioning,
            ("GET", "tagging"): self._get_bucket_tagging,
            ("PUT", "tagging"): self._put_bucket_tagging,
            ("DELETE", "tagging"): self._delete_bucket_tagging,
            ("POST", "delete"): self._delete_objects,
        }

    # for the other services

    def create_bucket(self, name: str) -> None:
        """Make a bucket unless it exists."""
        if name not in self._buckets:
            self._buckets[name] = Bucket(name, self._site.now_ns, self._site.region)

    def delete_bucket(self, name: str) -> None:
        """Raises ServiceError: no such bucket, or it is not empty."""
        bucket = self._bucket(name)
        if not bucket.is_empty:
            text = "The bucket you tried to delete is not empty"
            text += ". You must delete all versions in the bucket." if bucket.versioning else ""
            raise ServiceError("BucketNotEmpty", text, 409, details={"BucketName": name})
        del self._buckets[name]

    def bucket(self, name: str) -> Bucket:
        """A bucket by its name. Raises ServiceError: NoSuchBucket."""
        return self._bucket(name)

    def tagged(self) -> dict[str, dict[str, str]]:
        """Every bucket's tags, by its ARN."""
        return {f"arn:aws:s3:::{name}": bucket.tags for name, bucket in self._buckets.items()}

    def put(
        self,
        bucket: str,
        key: str,
        body: bytes,
        *,
        content_type: str = "binary/octet-stream",
        headers: Mapping[str, str] = NO_HEADERS,
        appears_after_s: float = 0.0,
        is_result: bool = False,
    ) -> StoredObject:
        """Store bytes, stamped now; until `appears_after_s` have passed there is no such object for any client.

        Args:
            is_result: One of very many, and hardly ever asked for: it is packed when it is old.

        Raises:
            ServiceError: NoSuchBucket.
        """
        stored = StoredObject(key, len(body), "", self._site.now_ns, body, None, content_type, headers)
        found = self._bucket(bucket)
        put = found.put_result if is_result else found.put
        if appears_after_s:
            due_ns = self._site.now_ns + round(appears_after_s * 1e9)
            self._site.event_queue.at(due_ns, partial(put, stored))
        else:
            put(stored)
        return stored

    def put_lazy(
        self,
        bucket: str,
        key: str,
        size_bytes: int,
        make: Callable[[], bytes],
        *,
        content_type: str = "binary/octet-stream",
    ) -> StoredObject:
        """Store an object whose bytes are made when somebody reads them; `make` gives the same each time.

        Raises:
            ServiceError: NoSuchBucket.
        """
        etag = etag_of_name(f"{bucket}/{key}/{size_bytes}")
        stored = StoredObject(key, size_bytes, etag, self._site.now_ns, None, make, content_type)
        self._bucket(bucket).put(stored)
        return stored

    def has_bucket(self, name: str) -> bool:
        """Whether there is a bucket of this name."""
        return name in self._buckets

    def get(self, bucket: str, key: str) -> bytes | None:
        """An object's bytes; None when there is no such object or bucket."""
        found = self._buckets.get(bucket)
        stored = None if found is None else found.objects.get(key)
        return None if stored is None else stored.read()

    def exists(self, bucket: str, key: str) -> bool:
        """Whether a bucket holds a key; False where there is no such bucket."""
        found = self._buckets.get(bucket)
        return found is not None and key in found.objects

    def forget(self, bucket: str, stored: StoredObject) -> None:
        """Delete an object, unless it is gone or another has its key."""
        found = self._buckets.get(bucket)
        if found is not None and found.objects.get(stored.key) is stored:
            found.delete_version(stored.key, stored.version)

    # routing

    def operation(self, request: HttpRequest) -> str:
        """See `RestService`."""
        name, _, key = _by_path(request).path[1:].partition("/")
        level = "object" if key else "bucket" if name else "service"
        found = _operation_name(request.method, level, _subresource(request, level))
        if found == "ListObjects" and request.query.get("list-type") == "2":
            return "ListObjectsV2"
        return found if copying.SOURCE in request.headers else _NOT_COPYING.get(found, found)

    def rest(self, request: HttpRequest) -> HttpResponse:
        """Answer one request.

        Raises:
            ServiceError: AWS's own, or 501 for an operation the emulator does not know.
        """
        request = _by_path(request)
        if "%" in request.raw_path and not _is_encoded(request.raw_path):
            raise ServiceError("InvalidURI", "Couldn't parse the specified URI.")
        name, _, key = request.path[1:].partition("/")
        level = "object" if key else "bucket" if name else "service"
        if aws_chunked.is_framed(request.headers):
            request = aws_chunked.unframed(request)
        elif request.method == "PUT" and "transfer-encoding" in request.headers:
            text = "A header you provided implies functionality that is not implemented"
            raise ServiceError("NotImplemented", text, 501, details={"Header": "Transfer-Encoding"})
        if request.headers.get("x-amz-expected-bucket-owner", self._site.account) != self._site.account:
            raise ServiceError("AccessDenied", "Access Denied", 403)
        subresource = _subresource(request, level)
        if subresource in ("", "uploads", "uploadId"):
            refuse_unheeded(request, self._site, of_bucket=level == "bucket")
        if not name and request.method == "GET":
            return listings.buckets(self._buckets.values(), request.query, self._site)
        if key:
            return self._on_object(request, self._bucket(name), key, subresource)
        if request.method == "GET" and subresource in settings.OF_BUCKETS:
            bucket = self._bucket(name)
            if subresource == "versioning":
                return settings.given(subresource, versions.configuration(bucket))
            if (kept := bucket.settings.get(subresource)) is not None:
                return settings.given(subresource, kept)
            return settings.of_bucket(name, subresource, request.query)
        on_bucket = self._on_bucket.get((request.method, subresource))
        if on_bucket is None or not name:
            raise not_implemented("s3", _operation_name(request.method, level, subresource))
        return on_bucket(request, name)

    def _on_object(self, request: HttpRequest, bucket: Bucket, key: str, subresource: str) -> HttpResponse:
        if len(key.encode()) > KEY_MAX_BYTES:
            raise ServiceError("KeyTooLongError", "Your key is too long")
        is_copy = copying.SOURCE in request.headers
        if (request.method, subresource) == ("PUT", ""):
            if is_copy:
                return object_operations.copy(request, bucket, key, self._site, self._bucket)
            return object_operations.put(request, bucket, key, self._site)
        if (request.method, subresource) == ("PUT", "uploadId"):
            if is_copy:
                return multipart.copy_part(request, bucket, key, self._site, self._bucket)
            return multipart.upload_part(request, bucket, key, self._site)
        if request.method == "GET" and subresource in settings.OF_OBJECTS:
            versions.found(bucket, key, versions.asked(request), self._site)
            return settings.of_object(subresource)
        act = _ON_OBJECT.get((request.method, subresource))
        if act is None:
            raise not_implemented("s3", _operation_name(request.method, "object", subresource))
        return act(request, bucket, key, self._site)

    def _bucket(self, name: str) -> Bucket:
        bucket = self._buckets.get(name)
        if bucket is None:
            raise ServiceError("NoSuchBucket", "The specified bucket does not exist", 404, details={"BucketName": name})
        return bucket

    # buckets

    def _create_bucket(self, request: HttpRequest, name: str) -> HttpResponse:
        if not _BUCKET_NAME.fullmatch(name) or _RESERVED_NAME.fullmatch(name):
            raise ServiceError("InvalidBucketName", "The specified bucket is not valid.", details={"BucketName": name})
        if name in self._buckets and self._site.region != "us-east-1":  # us-east-1 forgives, as it always has
            raise ServiceError(
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
                409,
                details={"BucketName": name},
            )
        if request.body:
            self._check_place(read_xml(request.body))
        self.create_bucket(name)
        return HttpResponse(200, [("Location", f"/{name}")])

    def _check_place(self, document: Element) -> None:
        """Raises ServiceError: a region that is not this one, or more than a region (501)."""
        region = (document.findtext("{*}LocationConstraint") or self._site.region).strip()
        if region == "us-east-1" and document.findtext("{*}LocationConstraint"):
            raise ServiceError("InvalidLocationConstraint", "The specified location-constraint is not valid")
        if region != self._site.region:
            text = "location constraint is incompatible for the region specific endpoint this request was sent to."
            raise ServiceError("IllegalLocationConstraintException", f"The {region} {text}")
        for element in document:
            if (name := element.tag.rpartition("}")[2]) != "LocationConstraint" and len(element):
                raise not_implemented("s3", f"CreateBucket with {name}")

    def _head_bucket(self, request: HttpRequest, name: str) -> HttpResponse:
        self._bucket(name)
        return HttpResponse(200, [("x-amz-bucket-region", self._site.region), ("Content-Type", "application/xml")])

    def _delete_bucket(self, request: HttpRequest, name: str) -> HttpResponse:
        self.delete_bucket(name)
        return HttpResponse(204)

    def _get_bucket_location(self, request: HttpRequest, name: str) -> HttpResponse:
        self._bucket(name)
        region = "" if self._site.region == "us-east-1" else self._site.region
        return xml_reply(f'<LocationConstraint xmlns="{listings.NAMESPACE}">{region}</LocationConstraint>')

    def _list_objects(self, request: HttpRequest, name: str) -> HttpResponse:
        return listings.objects(self._bucket(name), request.query, self._site)

    def _list_multipart_uploads(self, request: HttpRequest, name: str) -> HttpResponse:
        return listings.uploads(self._bucket(name), request.query, self._site)

    def _list_object_versions(self, request: HttpRequest, name: str) -> HttpResponse:
        return versions.listing(self._bucket(name), request.query, self._site)

    def _put_bucket_versioning(self, request: HttpRequest, name: str) -> HttpResponse:
        versions.configure(self._bucket(name), read_xml(request.body))
        return HttpResponse(200)

    def _get_bucket_tagging(self, request: HttpRequest, name: str) -> HttpResponse:
        if not (tags := self._bucket(name).tags):
            raise settings.no_tags(name)
        return settings.tagging(tags)

    def _put_bucket_tagging(self, request: HttpRequest, name: str) -> HttpResponse:
        self._bucket(name).tags = read_tags(request.body, _TAGS_MAX)
        return HttpResponse(204)

    def _delete_bucket_tagging(self, request: HttpRequest, name: str) -> HttpResponse:
        self._bucket(name).tags = {}
        return HttpResponse(204)

    def _delete_objects(self, request: HttpRequest, name: str) -> HttpResponse:
        bucket, document = self._bucket(name), read_xml(request.body)
        elements = list(document.iterfind("{*}Object"))
        if not 0 < len(elements) <= _DELETE_MAX or any(one.findtext("{*}Key") is None for one in elements):
            raise malformed()
        is_quiet = (document.findtext("{*}Quiet") or "").strip() == "true"
        if request.fate.kind is FaultKind.DENIED:
            deleted = "".join(_error(one.findtext("{*}Key") or "", "AccessDenied", "Access Denied") for one in elements)
        else:
            deleted = "".join(self._deleted(bucket, one, is_quiet=is_quiet) for one in elements)
        return xml_reply(f'<DeleteResult xmlns="{listings.NAMESPACE}">{deleted}</DeleteResult>')

    def _deleted(self, bucket: Bucket, element: Element, *, is_quiet: bool) -> str:
        """What becomes of one object of DeleteObjects: deleted, or an error of its own."""
        key, etag = element.findtext("{*}Key") or "", element.findtext("{*}ETag")
        if element.find("{*}LastModifiedTime") is not None or element.find("{*}Size") is not None:
            raise not_implemented("s3", "DeleteObjects with LastModifiedTime or Size")
        stored, error, version = bucket.objects.get(key), ("", ""), element.findtext("{*}VersionId")
        if version is not None and not is_version(version):
            error = ("NoSuchVersion", "The specified version does not exist.")
        elif etag is not None and stored is None:
            error = ("NoSuchKey", "The specified key does not exist.")
        elif etag is not None and stored is not None and etag.strip('"') not in ("*", stored.etag.strip('"')):
            error = ("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        if error[0]:
            return _error(key, *error)
        gone = versions.deleted(bucket, key, version, self._site)
        return "" if is_quiet else versions.delete_element(key, version, gone)


def _error(key: str, code: str, message: str) -> str:
    return f"<Error><Key>{escape(key)}</Key><Code>{code}</Code><Message>{message}</Message></Error>"


def _by_path(request: HttpRequest) -> HttpRequest:
    """A request that names its bucket in the host, as one that names it in the path."""
    bucket = bucket_of_host(request.headers.get("host", ""))
    if not bucket:
        return request
    return replace(request, path=f"/{bucket}{request.path}", raw_path=f"/{quote(bucket)}{request.raw_path}")


def _is_encoded(raw_path: str) -> bool:
    """Whether a path's percent signs are followed by the digits of bytes in UTF-8."""
    try:
        unquote_to_bytes(raw_path).decode()
    except UnicodeDecodeError:
        return False
    return _BAD_PERCENT.search(raw_path) is None


def _subresource(request: HttpRequest, level: str) -> str:
    """The part of the query that chooses the operation; empty for the plain ones."""
    query = request.query
    if not query:
        return ""
    if "uploadId" in query:
        return "uploadId"
    names = (name for name in query if name not in _NEUTRAL and (request.method, level, name) in _operations())
    return next(names, "")


@cache
def _operations() -> dict[tuple[str, str, str], str]:
    """AWS's operations by method, level and subresource; the plain ones under an empty subresource."""
    names: dict[tuple[str, str, str], str] = {}
    model = service_shapes("s3").model
    for name in sorted(model.operation_names, reverse=True):
        http = model.operation_model(name).http
        path, _, query = http["requestUri"].partition("?")
        level = "object" if "{Key+}" in path else "bucket" if "{Bucket}" in path else "service"
        names[http["method"], level, query.partition("&")[0].partition("=")[0]] = name
    return names


def _operation_name(method: str, level: str, subresource: str) -> str:
    return _operations().get((method, level, subresource), f"{method} {level} {subresource}".strip())
