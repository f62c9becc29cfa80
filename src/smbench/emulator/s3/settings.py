"""S3's answers about settings that were never given: its own defaults, or its own refusals.

Clients ask for them without being told to: rclone and boto3 for versioning, s3cmd for policy, lifecycle and CORS, tools
of infrastructure for all of them. Source: S3 API reference, "Error responses" and each operation's page (2026-11).
"""

from collections.abc import Mapping

from smbench.emulator.protocol.codecs import ServiceError, xml_reply
from smbench.emulator.protocol.http import HttpResponse
from smbench.emulator.protocol.query import escape
from smbench.emulator.s3.listings import NAMESPACE, OWNER_ID, OWNER_NAME

_SCHEMA = "http://www.w3.org/2001/XMLSchema-instance"
_OWNER = f"<ID>{OWNER_ID}</ID><DisplayName>{OWNER_NAME}</DisplayName>"
_GRANTEE = f'<Grantee xmlns:xsi="{_SCHEMA}" xsi:type="CanonicalUser">{_OWNER}</Grantee>'
_GRANT = f"<Grant>{_GRANTEE}<Permission>FULL_CONTROL</Permission></Grant>"
_ACL = ("AccessControlPolicy", f"<Owner>{_OWNER}</Owner><AccessControlList>{_GRANT}</AccessControlList>")
_BY_DEFAULT = (
    "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault>"
)
_ALL_BLOCKED = "".join(
    f"<{name}>true</{name}>"
    for name in ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
)
_NONE_LISTED = "<IsTruncated>false</IsTruncated>"

# Subresource of a bucket: the document of a bucket that was only made.
_BUCKET_DOCUMENTS = {
    "accelerate": ("AccelerateConfiguration", ""),
    "acl": _ACL,
    "analytics": ("ListBucketAnalyticsConfigurationsResult", _NONE_LISTED),
    "encryption": (
        "ServerSideEncryptionConfiguration",
        f"<Rule>{_BY_DEFAULT}<BucketKeyEnabled>false</BucketKeyEnabled></Rule>",
    ),
    "intelligent-tiering": ("ListBucketIntelligentTieringConfigurationsResult", _NONE_LISTED),
    "inventory": ("ListInventoryConfigurationsResult", _NONE_LISTED),
    "logging": ("BucketLoggingStatus", ""),
    "metrics": ("ListMetricsConfigurationsResult", _NONE_LISTED),
    "notification": ("NotificationConfiguration", ""),
    "ownershipControls": (
        "OwnershipControls",
        "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>",
    ),
    "publicAccessBlock": ("PublicAccessBlockConfiguration", _ALL_BLOCKED),
    "requestPayment": ("RequestPaymentConfiguration", "<Payer>BucketOwner</Payer>"),
    "versioning": ("VersioningConfiguration", ""),
}
_BUCKET_REFUSALS = {
    "cors": ("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    "lifecycle": ("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
    "object-lock": (
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
    ),
    "policy": ("NoSuchBucketPolicy", "The bucket policy does not exist"),
    "policyStatus": ("NoSuchBucketPolicy", "The bucket policy does not exist"),
    "replication": ("ReplicationConfigurationNotFoundError", "The replication configuration was not found"),
    "website": ("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"),
}
_GIVEN = {name: document for name, (document, _) in _BUCKET_DOCUMENTS.items()} | {"lifecycle": "LifecycleConfiguration"}
_BY_ID = {"analytics", "intelligent-tiering", "inventory", "metrics"}  # `?inventory&id=x` asks for one of several
_OBJECT_DOCUMENTS = {"acl": _ACL}
_LOCKS = {"legal-hold", "retention"}

OF_BUCKETS = _BUCKET_DOCUMENTS.keys() | _BUCKET_REFUSALS.keys()
OF_OBJECTS = _OBJECT_DOCUMENTS.keys() | _LOCKS


def given(subresource: str, kept: str) -> HttpResponse:
    """The answer to a read of a setting that the bucket was given; a policy is JSON, all others are documents."""
    if subresource == "policy":
        return HttpResponse(200, [("Content-Type", "application/json")], kept.encode())
    return _document(_GIVEN[subresource], kept)


def of_bucket(name: str, subresource: str, query: Mapping[str, str]) -> HttpResponse:
    """The answer to a read of one of `OF_BUCKETS`; the bucket exists and was not given it.

    Raises:
        ServiceError: AWS's refusal, where there is no document without a setting.
    """
    if subresource in _BY_ID and "id" in query:
        raise ServiceError("NoSuchConfiguration", "The specified configuration does not exist.", 404)
    if refusal := _BUCKET_REFUSALS.get(subresource):
        raise ServiceError(*refusal, 404, details={"BucketName": name})
    return _document(*_BUCKET_DOCUMENTS[subresource])


def of_object(subresource: str) -> HttpResponse:
    """The answer to a read of one of `OF_OBJECTS`; the object exists.

    Raises:
        ServiceError: AWS's refusal, of a bucket without object lock.
    """
    if subresource in _LOCKS:
        raise ServiceError("InvalidRequest", "Bucket is missing Object Lock Configuration")
    return _document(*_OBJECT_DOCUMENTS[subresource])


def tagging(tags: Mapping[str, str]) -> HttpResponse:
    """A set of tags as S3 writes it, in the order in which they were set."""
    inner = "".join(f"<Tag><Key>{escape(key)}</Key><Value>{escape(value)}</Value></Tag>" for key, value in tags.items())
    return _document("Tagging", f"<TagSet>{inner}</TagSet>")


def no_tags(name: str) -> ServiceError:
    """A bucket without tags is refused; an object without tags has an empty set."""
    return ServiceError("NoSuchTagSet", "The TagSet does not exist", 404, details={"BucketName": name})


def _document(name: str, inner: str) -> HttpResponse:
    return xml_reply(f'<{name} xmlns="{NAMESPACE}">{inner}</{name}>')
