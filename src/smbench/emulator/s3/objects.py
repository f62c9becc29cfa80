"""What S3 keeps: objects in buckets, listed in key order without sorting everything again for each page."""

import bisect
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType

from smbench.emulator.s3.packed import Packed

NO_HEADERS: Mapping[str, str] = MappingProxyType({})  # one for all: results are many
NULL_VERSION = "null"  # of what was put while its bucket kept no versions
ENABLED, SUSPENDED = "Enabled", "Suspended"  # what versioning can be, if it ever was asked for
_COUNT_DIGITS = 10  # of a version's name; the rest only makes it as long as AWS's
_TIDY_ABOVE = 1024  # fewer keys of deleted objects than this are not worth looking through
_BLOCK = 512  # results that are packed together; twice as many, the latest, are not packed
LAST_CHARACTER = "\U0010ffff"


@dataclass(slots=True)
class StoredObject:
    """One object. Its bytes are there, or `make` gives them whenever somebody asks."""

    key: str
    size_bytes: int
    known_etag: str  # with its quotation marks; empty when nobody has asked for it yet
    modified_ns: int  # scenario time
    body: bytes | None = None
    make: Callable[[], bytes] | None = None
    content_type: str = "binary/octet-stream"
    headers: Mapping[str, str] = field(
        default_factory=lambda: NO_HEADERS
    )  # metadata, checksums and what else a GET repeats
    version: str = NULL_VERSION

    @property
    def etag(self) -> str:
        """With its quotation marks."""
        self.known_etag = self.known_etag or etag_of(self.read())
        return self.known_etag

    def read(self) -> bytes:
        """Its bytes; those of a lazy object are made anew each time."""
        if self.body is not None:
            return self.body
        assert self.make is not None, "an object has bytes or a maker"
        return self.make()


@dataclass(frozen=True, slots=True)
class DeleteMarker:
    """What a deletion leaves where versions are kept: the key has no object, and its versions are still there."""

    key: str
    version: str
    modified_ns: int  # scenario time


Version = StoredObject | DeleteMarker


@dataclass(slots=True)
class Upload:
    """A multipart upload under way. `parts` by number: bytes, etag, checksum headers, when."""

    key: str
    upload_id: str
    started_ns: int
    content_type: str
    headers: dict[str, str]
    checksum_algorithm: str = ""  # in lower case; empty where the client chose none
    checksum_type: str = ""  # COMPOSITE or FULL_OBJECT, likewise
    tags: dict[str, str] = field(default_factory=dict)
    parts: dict[int, "Part"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    body: bytes
    etag: str
    modified_ns: int
    checksums: dict[str, str]


@dataclass(frozen=True, slots=True)
class PartFacts:
    """What is remembered of a part when its upload is complete. `checksums` by algorithm."""

    number: int
    size_bytes: int
    checksums: dict[str, str]


@dataclass(frozen=True, slots=True)
class Listing:
    """One page: objects and common prefixes in key order together. `last` is where the next page starts after."""

    objects: list[StoredObject]
    prefixes: list[str]
    is_truncated: bool
    last: str


class Objects:
    """Objects by key. Of results, which are many and hardly ever asked for, all but the latest are packed."""

    def __init__(self) -> None:
        self._put: dict[str, StoredObject] = {}  # by clients
        self._latest: dict[str, StoredObject] = {}  # results, the oldest first
        self._rewritten: dict[
            str, StoredObject
        ] = {}  # results whose key is among the packed: they are not packed again
        self._packed = Packed()
        self._kinds: list[tuple[str, Mapping[str, str]]] = []  # types and headers of results: few

    def __bool__(self) -> bool:
        return bool(self._put or self._latest or self._rewritten) or len(self._packed) > 0

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None

    def __getitem__(self, key: str) -> StoredObject:
        stored = self.get(key)
        if stored is None:
            raise KeyError(key)
        return stored

    def get(self, key: str) -> StoredObject | None:
        """The object, None where there is none. One that is packed is made anew each time."""
        stored = self._put.get(key) or self._latest.get(key) or self._rewritten.get(key)
        if stored is not None or (row := self._packed.get(key)) is None:
            return stored
        content_type, headers = self._kinds[row[3]]
        return StoredObject(key, len(row[1]), "", row[2], row[1], None, content_type, headers)

    def put(self, stored: StoredObject) -> bool:
        """Store under its key; what was there is replaced. Returns whether a client's object was."""
        was_put = stored.key in self._put
        self._latest.pop(stored.key, None)
        self._rewritten.pop(stored.key, None)
        self._put[stored.key] = stored
        return was_put

    def put_result(self, stored: StoredObject) -> None:
        """Store one that has all its bytes and is not changed: it is packed when it is old."""
        self._put.pop(stored.key, None)
        self._rewritten.pop(stored.key, None)
        self._latest[stored.key] = stored
        if len(self._latest) == 3 * _BLOCK:
            oldest = {key: self._latest.pop(key) for key in tuple(islice(self._latest, _BLOCK))}
            packed = self._packed.add(
                [(one.key, one.read(), one.modified_ns, self._kind(one)) for one in oldest.values()]
            )
            self._rewritten |= {key: oldest[key] for key in oldest.keys() - packed}

    def delete(self, key: str) -> bool:
        """Whether there was such an object; now there is none."""
        were = [objects.pop(key, None) is not None for objects in (self._put, self._latest, self._rewritten)]
        return self._packed.delete(key) or any(were)

    def results(self) -> Iterator[str]:
        """Keys of results, in no order; one may come twice, or be a client's by now. Reads all that is packed."""
        yield from self._latest
        yield from self._rewritten
        yield from self._packed

    def _kind(self, stored: StoredObject) -> int:
        for number, (content_type, headers) in enumerate(self._kinds):
            if content_type == stored.content_type and headers is stored.headers:
                return number
        self._kinds.append((stored.content_type, stored.headers))
        return len(self._kinds) - 1


class Bucket:
    """Objects by key. Keys are sorted when a listing needs it: new ones are merged in, deleted ones dropped."""

    def __init__(self, name: str, created_ns: int, region: str) -> None:
        self.name, self.created_ns, self.region = name, created_ns, region
        self.objects = Objects()
        self.uploads: dict[str, Upload] = {}
        self.tags: dict[str, str] = {}
        self.settings: dict[str, str] = {}  # subresource: the inside of its document, or of a policy all of it
        self.versioning = ""  # empty: it was never asked for
        self.tags_of: dict[tuple[str, str], dict[str, str]] = {}  # key and version, where there are any
        self.parts_of: dict[tuple[str, str], tuple[PartFacts, ...]] = {}  # the same of objects that came in parts
        self._past: dict[str, list[Version]] = {}  # key: all that is not its object, the latest first; never empty
        self._n_versions = 0
        self._sorted: list[str] = []  # of all that were put by clients
        self._unsorted: list[str] = []
        self._n_gone = 0  # deleted, and perhaps still in the two lists
        self._has_results = False
        self._with_results: list[str] | None = None  # all in order; None: something has changed since

    def put(self, stored: StoredObject) -> None:
        """Store under the object's key; what was there is replaced, or becomes a version of the past."""
        stored.version = self._make_way(stored.key)
        self._store(stored)

    def put_result(self, stored: StoredObject) -> None:
        """The same for a result, of which there may be millions: it costs little when it is old.

        Where versions are kept it costs as much as any other object.
        """
        if self.versioning:
            self.put(stored)
            return
        self._forget_more(stored.key, NULL_VERSION)
        self.objects.put_result(stored)
        self._has_results, self._with_results = True, None

    def _store(self, stored: StoredObject) -> None:
        if not self.objects.put(stored):
            self._unsorted.append(stored.key)
        self._with_results = None

    def page(self, *, prefix: str = "", delimiter: str = "", after: str = "", n_max: int = 1000) -> Listing:
        """Up to `n_max` objects and common prefixes whose keys follow `after`."""
        keys = self._in_order()
        objects: list[StoredObject] = []
        prefixes: list[str] = []
        last, index = after, bisect.bisect_left(keys, max(prefix, after))
        while n_max and index < len(keys) and keys[index].startswith(prefix):
            key = keys[index]
            group = common_prefix(key, prefix, delimiter)
            if not group:
                index += 1
            else:  # past everything the group rolls up, at once
                index = bisect.bisect_left(keys, group + LAST_CHARACTER, index)
            if (group or key) <= after:
                continue
            if len(objects) + len(prefixes) == n_max:
                return Listing(objects, prefixes, is_truncated=True, last=last)
            if group:
                prefixes.append(group)
            else:
                objects.append(self.objects[key])
            last = group or key
        return Listing(objects, prefixes, is_truncated=False, last=last)

    def delete(self, key: str) -> None:
        """Forget an object, if there is one."""
        if (stored := self.objects.get(key)) is not None:
            self._remove(key)
            self._forget_more(key, stored.version)

    def _remove(self, key: str) -> None:
        self.objects.delete(key)
        self._n_gone += 1
        self._with_results = None
        if self._n_gone > _TIDY_ABOVE and self._n_gone > len(self._sorted) + len(self._unsorted):
            self._sorted = [kept for kept in self._sorted if kept in self.objects]
            self._unsorted = [kept for kept in self._unsorted if kept in self.objects]
            self._n_gone = 0

    # versions

    def versions_of(self, key: str) -> list[Version]:
        """All that a key has, the latest first; only that one says whether the key has an object."""
        stored = self.objects.get(key)
        past = self._past.get(key, [])
        return list(past) if stored is None else [stored, *past]

    def version(self, key: str, version: str) -> Version | None:
        """One of them; None where there is no such version."""
        return next((one for one in self.versions_of(key) if one.version == version), None)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left: no object, no version of one, no marker."""
        return not self.objects and not self._past

    def keys_of_versions(self) -> list[str]:
        """Every key that has any, in order."""
        return sorted({*self._in_order(), *self._past}) if self._past else self._in_order()

    def mark_deleted(self, key: str, at_ns: int) -> DeleteMarker:
        """Put a marker on top of a key's versions, as a deletion does where versions are kept."""
        marker = DeleteMarker(key, self._make_way(key), at_ns)
        if key in self.objects:
            self._remove(key)
        self._past.setdefault(key, []).insert(0, marker)
        return marker

    def delete_version(self, key: str, version: str) -> Version | None:
        """Forget one version; the one below the latest becomes the latest. Returns what was forgotten, if anything."""
        versions = self.versions_of(key)
        found = next((one for one in versions if one.version == version), None)
        if found is None:
            return None
        self._forget_more(key, version)
        if found is versions[0] and isinstance(found, StoredObject):
            self._remove(key)
        else:
            self._drop_past(key, version)
        past = self._past.get(key)
        if past and key not in self.objects and isinstance(past[0], StoredObject):
            self._store(past[0])
            self._drop_past(key, past[0].version)
        return found

    def _make_way(self, key: str) -> str:
        """The version of what comes next under a key; what is there and shall be kept is of the past from now on."""
        stored = self.objects.get(key) if self.versioning else None
        if self.versioning != ENABLED:
            self._forget_more(key, NULL_VERSION)
            self._drop_past(key, NULL_VERSION)
        if stored is not None and (self.versioning == ENABLED or stored.version != NULL_VERSION):
            self._past.setdefault(key, []).insert(0, stored)
        return self._new_version() if self.versioning == ENABLED else NULL_VERSION

    def _new_version(self) -> str:
        """By count, so that a repeated run repeats its ids: 32 characters, the count in front."""
        self._n_versions += 1
        chance = hashlib.sha256(f"{self.name}/{self._n_versions}".encode()).hexdigest()
        return f"{self._n_versions:0{_COUNT_DIGITS}d}{chance}"[:32]

    def _drop_past(self, key: str, version: str) -> bool:
        """Whether there was such a version in the past; now there is none."""
        past = self._past.get(key)
        if past is None:
            return False
        kept = [one for one in past if one.version != version]
        if kept:
            self._past[key] = kept
        else:
            del self._past[key]
        return len(kept) < len(past)

    def _forget_more(self, key: str, version: str) -> None:
        if self.tags_of:
            self.tags_of.pop((key, version), None)
        if self.parts_of:
            self.parts_of.pop((key, version), None)

    def _in_order(self) -> list[str]:
        if self._unsorted or self._n_gone:
            # Two sorted runs: one merge for the sort. A key that went and came back is in both.
            merged = self._sorted + sorted(self._unsorted)
            merged.sort()
            self._sorted = [key for key in dict.fromkeys(merged) if key in self.objects]
            self._unsorted, self._n_gone = [], 0
        if not self._has_results:
            return self._sorted
        if self._with_results is None:
            self._with_results = sorted({*self._sorted, *self.objects.results()})
        return self._with_results


def number_of_version(version: str) -> int:
    """How many versions its bucket had made when this one came; 0 for `null`."""
    return 0 if version == NULL_VERSION else int(version[:_COUNT_DIGITS])


def is_version(text: str) -> bool:
    """Whether a version could have this name."""
    return text == NULL_VERSION or (
        len(text) == 32 and text.isascii() and text.isalnum() and text[:_COUNT_DIGITS].isdecimal()
    )


def common_prefix(key: str, prefix: str, delimiter: str) -> str:
    """The common prefix a key is rolled up into; empty when it is listed by itself."""
    if not delimiter:
        return ""
    end = key.find(delimiter, len(prefix))
    return "" if end < 0 else key[: end + len(delimiter)]


def etag_of(body: bytes) -> str:
    """The quoted MD5 of an object that was put whole."""
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def etag_of_parts(etags: list[str]) -> str:
    """A multipart object's: the digest of its parts' digests, and how many there were."""
    digest = hashlib.md5(b"".join(bytes.fromhex(etag.strip('"')) for etag in etags), usedforsecurity=False)
    return f'"{digest.hexdigest()}-{len(etags)}"'


def etag_of_name(name: str) -> str:
    """For bytes that do not exist yet: formed as a one-part upload's, which nobody compares with a body's MD5."""
    return f'"{hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()}-1"'
