"""S3 locations in the two spellings SageMaker takes: `s3://bucket/key`, `https://bucket.s3.region.amazonaws.com/key`."""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote

_S3 = re.compile(r"s3://([^/]+)/?(.*)", re.DOTALL)
_VIRTUAL = re.compile(r"https://([^/]+?)\.s3[.-]([^/]*)amazonaws\.com(?:\.cn)?/?(.*)", re.DOTALL)
_PATH = re.compile(r"https://s3[.-]([^/]*)amazonaws\.com(?:\.cn)?/([^/]+)/?(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket and a prefix. Objects below it are written in the spelling it was given in."""

    bucket: str
    prefix: str  # no slash at its end; empty for the bucket's root
    url: str  # as given, no slash at its end

    def below(self, name: str) -> tuple[str, str]:
        """Key and location of an object under this place."""
        url_name = name if self.url.startswith("s3://") else quote(name, safe="/!_.*'()-")
        return (f"{self.prefix}/{name}" if self.prefix else name), f"{self.url}/{url_name}"


@lru_cache(maxsize=4096)  # a load's inputs are few, and each is asked for again and again
def bucket_and_key(location: str) -> tuple[str, str] | None:
    """What a location names; None when it names nothing in S3."""
    if match := _S3.fullmatch(location):
        return match[1], match[2]
    if match := _VIRTUAL.fullmatch(location):
        return match[1], unquote(match[3])
    if match := _PATH.fullmatch(location):
        return match[2], unquote(match[3])
    return None


def place(location: str) -> Place | None:
    """An output or failure path; None when it names nothing in S3."""
    found = bucket_and_key(location)
    return None if found is None else Place(found[0], found[1].strip("/"), location.rstrip("/"))
