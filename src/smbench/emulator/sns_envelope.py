"""A message on its way from a topic to a queue, and the envelope SNS wraps it in."""

import base64
from dataclasses import dataclass
from typing import Any

import orjson

from smbench.emulator import messages

# Signing each message would cost more than all the rest, and nobody here checks it.
_SIGNATURE = "RW11bGF0ZWQgYnkgc21iZW5jaDogdGhpcyBpcyBubyBzaWduYXR1cmUu"


@dataclass(slots=True)
class Publication:
    """One message on its way to the subscriptions; the body is parsed when the first filter asks."""

    message_id: str
    message: str
    subject: str
    timestamp: str
    attributes: messages.Attributes
    parsed: Any = None

    def body(self) -> Any:
        if self.parsed is None:
            try:
                self.parsed = orjson.loads(self.message)
            except orjson.JSONDecodeError:
                self.parsed = False
        return self.parsed


def envelope(publication: Publication, *, topic_arn: str, subscription_arn: str) -> str:
    """The notification as SNS prints it: two spaces in, one before each colon, Subject only when there is one."""
    host = f"https://sns.{topic_arn.split(':')[3]}.amazonaws.com/"
    fields = [
        '"Type" : "Notification"',
        f'"MessageId" : "{publication.message_id}"',
        f'"TopicArn" : "{topic_arn}"',
        f'"Message" : {_quoted(publication.message)}',
        f'"Timestamp" : "{publication.timestamp}"',
        '"SignatureVersion" : "1"',
        f'"Signature" : "{_SIGNATURE}"',
        f'"SigningCertURL" : "{host}SimpleNotificationService-00000000000000000000000000000000.pem"',
        f'"UnsubscribeURL" : "{host}?Action=Unsubscribe&SubscriptionArn={subscription_arn}"',
    ]
    if publication.subject:
        fields.insert(3, f'"Subject" : {_quoted(publication.subject)}')
    if publication.attributes:
        shown = ",\n    ".join(_attribute_line(*item) for item in publication.attributes.items())
        fields.append('"MessageAttributes" : {\n    ' + shown + "\n  }")
    return "{\n  " + ",\n  ".join(fields) + "\n}"


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()


def _attribute_line(name: str, attribute: dict[str, Any]) -> str:
    binary = attribute.get("BinaryValue")
    value = attribute.get("StringValue", "") if binary is None else base64.b64encode(binary).decode("ascii")
    return f'{_quoted(name)} : {{"Type":{_quoted(attribute["DataType"])},"Value":{_quoted(value)}}}'
