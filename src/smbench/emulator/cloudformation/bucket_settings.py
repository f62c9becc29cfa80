"""CloudFormation's bucket properties as S3 shows them: each property becomes the document of a bucket setting."""

from collections.abc import Mapping
from typing import Any

from smbench.emulator.protocol.codecs import ServiceError, beyond
from smbench.emulator.protocol.query import escape
from smbench.emulator.s3.objects import ENABLED, SUSPENDED

_BLOCKS = {"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"}
_RULE = {
    "Id",
    "Status",
    "Prefix",
    "ExpirationInDays",
    "ExpiredObjectDeleteMarker",
    "NoncurrentVersionExpiration",
    "AbortIncompleteMultipartUpload",
}


def documents(properties: Mapping[str, Any]) -> dict[str, str]:
    """Subresource of the bucket: the inside of its document. Raises ServiceError 501 for a property not known."""
    made: dict[str, str] = {}
    if "BucketEncryption" in properties:
        made["encryption"] = _encryption(properties["BucketEncryption"])
    if "PublicAccessBlockConfiguration" in properties:
        blocks = _only(properties["PublicAccessBlockConfiguration"], _BLOCKS, "PublicAccessBlockConfiguration")
        made["publicAccessBlock"] = "".join(_element(name, str(value).lower()) for name, value in blocks.items())
    if "OwnershipControls" in properties:
        rule = _one(_only(properties["OwnershipControls"], {"Rules"}, "OwnershipControls"), "Rules")
        ownership = _only(rule, {"ObjectOwnership"}, "OwnershipControls.Rules")["ObjectOwnership"]
        made["ownershipControls"] = f"<Rule>{_element('ObjectOwnership', ownership)}</Rule>"
    if "LifecycleConfiguration" in properties:
        rules = _only(properties["LifecycleConfiguration"], {"Rules"}, "LifecycleConfiguration")["Rules"]
        made["lifecycle"] = "".join(map(_life_rule, rules))
    return made


def versioning(properties: Mapping[str, Any], before: str = "") -> str:
    """Enabled, Suspended, or empty where it was never asked for: what has no such property any more is suspended."""
    if (given := properties.get("VersioningConfiguration")) is None:
        return before and SUSPENDED
    status: str = _only(given, {"Status"}, "VersioningConfiguration")["Status"]
    if status not in (ENABLED, SUSPENDED):
        raise ServiceError("InvalidRequest", f"{status} is not a status of VersioningConfiguration")
    return status


def _encryption(given: Mapping[str, Any]) -> str:
    where = "BucketEncryption.ServerSideEncryptionConfiguration"
    rule = _one(_only(given, {"ServerSideEncryptionConfiguration"}, "BucketEncryption"), where.rpartition(".")[2])
    default = _only(rule, {"ServerSideEncryptionByDefault"}, where)["ServerSideEncryptionByDefault"]
    chosen = _only(default, {"SSEAlgorithm"}, f"{where}.ServerSideEncryptionByDefault")
    if chosen["SSEAlgorithm"] != "AES256":
        raise beyond(f"encrypt buckets by {chosen['SSEAlgorithm']}")
    by_default = _element("SSEAlgorithm", chosen["SSEAlgorithm"])
    inner = f"<ApplyServerSideEncryptionByDefault>{by_default}</ApplyServerSideEncryptionByDefault>"
    return f"<Rule>{inner}<BucketKeyEnabled>false</BucketKeyEnabled></Rule>"


def _life_rule(given: Mapping[str, Any]) -> str:
    rule = _only(given, _RULE, "LifecycleConfiguration.Rules")
    parts = [_element("ID", rule["Id"])] if "Id" in rule else []
    parts.append(f"<Filter>{_element('Prefix', rule.get('Prefix', ''))}</Filter>")
    parts.append(_element("Status", rule["Status"]))
    if "ExpirationInDays" in rule:
        parts.append(f"<Expiration>{_element('Days', str(rule['ExpirationInDays']))}</Expiration>")
    if "ExpiredObjectDeleteMarker" in rule:
        marker = str(rule["ExpiredObjectDeleteMarker"]).lower()
        parts.append(f"<Expiration>{_element('ExpiredObjectDeleteMarker', marker)}</Expiration>")
    if "NoncurrentVersionExpiration" in rule:
        name = "NoncurrentVersionExpiration"
        past = _only(rule[name], {"NoncurrentDays"}, f"LifecycleConfiguration.Rules.{name}")
        parts.append(f"<{name}>{_element('NoncurrentDays', str(past['NoncurrentDays']))}</{name}>")
    if "AbortIncompleteMultipartUpload" in rule:
        days = str(rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"])
        name = "AbortIncompleteMultipartUpload"
        parts.append(f"<{name}>{_element('DaysAfterInitiation', days)}</{name}>")
    return f"<Rule>{''.join(parts)}</Rule>"


def _only(given: Mapping[str, Any], known: set[str], where: str) -> Mapping[str, Any]:
    if unknown := given.keys() - known:
        raise beyond(f"know the property {where}.{min(unknown)} of AWS::S3::Bucket")
    return given


def _one(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    rules = given[name]
    if not isinstance(rules, list) or len(rules) != 1:
        raise ServiceError("InvalidRequest", f"{name} must have exactly one rule")
    rule: Mapping[str, Any] = rules[0]
    return rule


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"
