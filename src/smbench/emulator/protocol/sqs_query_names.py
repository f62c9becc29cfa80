"""Names of SQS's query protocol (2012-11-05): botocore's model lost them when SQS turned to JSON in late 2023.

AWS still answers the older protocol; AWS CLI 2.9 and every SDK of before speak nothing else. Source: the service model
of botocore 1.29.70, and SQS's API reference for what came later (`MessageSystemAttributeName.N`).
"""

from typing import Any

NAMESPACE = "http://queue.amazonaws.com/doc/2012-11-05/"
_ITEMS = {  # shape of a list: one item's name
    "AWSAccountIdList": "AWSAccountId",
    "ActionNameList": "ActionName",
    "AttributeNameList": "AttributeName",
    "BatchResultErrorEntryList": "BatchResultErrorEntry",
    "ChangeMessageVisibilityBatchRequestEntryList": "ChangeMessageVisibilityBatchRequestEntry",
    "ChangeMessageVisibilityBatchResultEntryList": "ChangeMessageVisibilityBatchResultEntry",
    "DeleteMessageBatchRequestEntryList": "DeleteMessageBatchRequestEntry",
    "DeleteMessageBatchResultEntryList": "DeleteMessageBatchResultEntry",
    "MessageAttributeNameList": "MessageAttributeName",
    "MessageList": "Message",
    "MessageSystemAttributeList": "MessageSystemAttributeName",
    "QueueUrlList": "QueueUrl",
    "SendMessageBatchRequestEntryList": "SendMessageBatchRequestEntry",
    "SendMessageBatchResultEntryList": "SendMessageBatchResultEntry",
    "TagKeyList": "TagKey",
}
_ENTRIES = {  # shape of a map: one entry's name, its key's, its value's
    "MessageBodyAttributeMap": ("MessageAttribute", "Name", "Value"),
    "MessageBodySystemAttributeMap": ("MessageSystemAttribute", "Name", "Value"),
    "MessageSystemAttributeMap": ("Attribute", "Name", "Value"),
    "QueueAttributeMap": ("Attribute", "Name", "Value"),
    "TagMap": ("Tag", "Key", "Value"),
}


def give_back(model: dict[str, Any]) -> None:
    """Write the names into a service model of SQS as botocore loads it; the JSON protocol does not look at them."""
    model["metadata"]["xmlNamespace"] = NAMESPACE
    shapes = model["shapes"]
    for shape, name in _ITEMS.items():
        shapes[shape]["flattened"] = True
        shapes[shape]["member"]["locationName"] = name
    for shape, (name, key, value) in _ENTRIES.items():
        shapes[shape] |= {"flattened": True, "locationName": name}
        shapes[shape]["key"]["locationName"], shapes[shape]["value"]["locationName"] = key, value
