"""A message from a topic to a queue: with the envelope that SNS wraps it in."""

import base64
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from smbench.emulator.messaging import message_attributes

# Signing each message would cost more than all the rest, and nobody here checks it.
_SIGNATURE = "RW11bGF0ZWQgYnkgc21iZW5jaDogdGhpcyBpcyBubyBzaWduYXR1cmUu"


@dataclass(slots=True)
class Publication:
    """One message on its way to the subscriptions; unless its document comes with it, the first filter parses it."""

    message_id: str
    message: str
    subject: str
    timestamp: str
    attributes: message_attributes.Attributes
    parsed: Any = None

    def body(self) -> Any:
        """The message as JSON, parsed once; False where it is not JSON."""
        if self.parsed is None:
            try:
                self.parsed = orjson.loads(self.message)
            except orjson.JSONDecodeError:
                self.parsed = False
        return self.parsed


def envelope(publication: Publication, *, topic_arn: str, subscription_arn: str) -> str:
    """The notification as SNS prints it: two spaces in, one before each colon, Subject only when there is one."""
    topic, tail = _constant(topic_arn, subscription_arn)
    subject = f'  "Subject" : {_quoted(publication.subject)},\n' if publication.subject else ""
    attributes = ""
    if publication.attributes:
        shown = ",\n    ".join(_attribute_line(*item) for item in publication.attributes.items())
        attributes = f',\n  "MessageAttributes" : {{\n    {shown}\n  }}'
    return (
        f'{{\n  "Type" : "Notification",\n  "MessageId" : "{publication.message_id}",\n{topic}{subject}'
        f'  "Message" : {_quoted(publication.message)},\n  "Timestamp" : "{publication.timestamp}",\n'
        f"{tail}{attributes}\n}}"
    )


@lru_cache(maxsize=1024)
def _constant(topic_arn: str, subscription_arn: str) -> tuple[str, str]:
    """The lines that all envelopes of a subscription share: the topic's, and those after the time stamp."""
    host = f"https://sns.{topic_arn.split(':')[3]}.amazonaws.com/"
    tail = [
        '  "SignatureVersion" : "1"',
        f'"Signature" : "{_SIGNATURE}"',
        f'"SigningCertURL" : "{host}SimpleNotificationService-00000000000000000000000000000000.pem"',
        f'"UnsubscribeURL" : "{host}?Action=Unsubscribe&SubscriptionArn={subscription_arn}"',
    ]
    return f'  "TopicArn" : "{topic_arn}",\n', ",\n  ".join(tail)


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()


def _attribute_line(name: str, attribute: dict[str, Any]) -> str:
    binary = attribute.get("BinaryValue")
    value = attribute.get("StringValue", "") if binary is None else base64.b64encode(binary).decode("ascii")
    return f'{_quoted(name)} : {{"Type":{_quoted(attribute["DataType"])},"Value":{_quoted(value)}}}'
