"""XML that S3's callers send: read without what could explode, and refused in S3's words."""

from urllib.parse import parse_qsl
from xml.etree import ElementTree

from smbench.emulator.protocol.codecs import ServiceError


def read_xml(body: bytes) -> ElementTree.Element:
    """A request's document.

    Raises:
        ServiceError: MalformedXML; also for a document type, whose entities can be made to explode.
    """
    if b"<!" in body:
        raise malformed()
    try:
        return ElementTree.fromstring(body)
    except ElementTree.ParseError:
        raise malformed() from None


def malformed() -> ServiceError:
    """S3's refusal of a document that it cannot use, to be raised."""
    return ServiceError(
        "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema"
    )


def read_tags(body: bytes, n_max: int) -> dict[str, str]:
    """The tags of a Tagging document.

    Raises:
        ServiceError: MalformedXML, InvalidTag or BadRequest.
    """
    pairs = []
    for element in read_xml(body).iterfind("{*}TagSet/{*}Tag"):
        key, value = element.findtext("{*}Key"), element.findtext("{*}Value")
        if key is None or value is None:
            raise malformed()
        pairs.append((key, value))
    return _tags(pairs, n_max)


def tags_of_header(text: str, n_max: int) -> dict[str, str]:
    """The tags of an `x-amz-tagging` header, written as a query is.

    Raises:
        ServiceError: InvalidTag or BadRequest.
    """
    return _tags(parse_qsl(text, keep_blank_values=True), n_max)


def _tags(pairs: list[tuple[str, str]], n_max: int) -> dict[str, str]:
    tags = dict(pairs)
    if len(tags) < len(pairs):
        raise ServiceError("InvalidTag", "Cannot provide multiple Tags with the same key")
    if len(tags) > n_max:
        kind = "Object" if n_max == 10 else "Bucket"
        raise ServiceError("BadRequest", f"{kind} tags cannot be greater than {n_max}")
    if any(not 0 < len(key) <= 128 or key.startswith("aws:") for key in tags):
        raise ServiceError("InvalidTag", "The TagKey you have provided is invalid")
    if any(len(value) > 256 for value in tags.values()):
        raise ServiceError("InvalidTag", "The TagValue you have provided is invalid")
    return tags
