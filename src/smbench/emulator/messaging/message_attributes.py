"""Message attributes as SQS and SNS share them: their limits, their digest, their size."""

import hashlib
import re
import struct
from typing import Any

ATTRIBUTES_MAX = 10
_DATA_TYPE = re.compile(r"(String|Number|Binary)(\..+)?")
_NAME = re.compile(r"(?!\.)(?!.*\.\.)[A-Za-z0-9_.-]{1,256}(?<!\.)")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

Attributes = dict[str, dict[str, Any]]  # name -> {"DataType", "StringValue" | "BinaryValue"}


def md5_of_body(body: str) -> str:
    """Lower-case hexadecimal, as `MD5OfMessageBody`."""
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


def md5_of_attributes(attributes: Attributes) -> str:
    """The digest SDKs compare: names in order; each name, type and value with its length before it.

    Source: SQS developer guide, "Calculating the MD5 message digest for message attributes".
    """
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        attribute = attributes[name]
        is_binary = attribute["DataType"].startswith("Binary")
        value = attribute["BinaryValue"] if is_binary else attribute["StringValue"].encode()
        for part in (name.encode(), attribute["DataType"].encode()):
            digest.update(struct.pack(">I", len(part)) + part)
        digest.update((b"\x02" if is_binary else b"\x01") + struct.pack(">I", len(value)) + value)
    return digest.hexdigest()


def size_bytes(body: str, attributes: Attributes) -> int:
    """What counts against a queue's or a topic's limit."""
    total = len(body.encode())
    for name, attribute in attributes.items():
        value = attribute.get("BinaryValue") or attribute.get("StringValue", "").encode()
        total += len(name.encode()) + len(attribute["DataType"].encode()) + len(value)
    return total


def first_forbidden(body: str) -> str:
    """The first character that XML, and so SQS, cannot carry; empty when there is none."""
    match = _FORBIDDEN.search(body)
    return match[0] if match else ""


def complaint(attributes: Attributes) -> str:
    """What is wrong with message attributes; empty when nothing is."""
    if len(attributes) > ATTRIBUTES_MAX:
        return f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [{ATTRIBUTES_MAX}]."
    for name, attribute in attributes.items():
        if not _NAME.fullmatch(name) or name.lower().startswith(("aws.", "amazon.")):
            return f"The message attribute name '{name}' is invalid."
        data_type = attribute.get("DataType", "")
        if not _DATA_TYPE.fullmatch(data_type):
            return (
                f"The message attribute '{name}' has an invalid message attribute type, the set of supported type "
                "prefixes is Binary, Number, and String."
            )
        member = "BinaryValue" if data_type.startswith("Binary") else "StringValue"
        if not attribute.get(member):
            return f"The message attribute '{name}' must contain a non-empty message attribute value of {member}."
        if data_type.startswith("Number") and not _is_number(attribute["StringValue"]):
            return f"Could not cast message attribute '{name}' value to number."
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
