"""The wire protocols: what a client writes is what the operation reads, and back, for every protocol a service speaks.

Method: botocore's own serializers and parsers are the other end. The same parameters through query, JSON and CBOR must
read the same; a result must come back from botocore's parser as it went in. Bytes that are none of these are refused.
"""

import contextlib
import struct
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import orjson
import pytest
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import given, settings
from hypothesis import strategies as st

from smbench.emulator.protocol import cbor, codecs
from smbench.emulator.protocol.codecs import (
    JSON_10,
    JSON_11,
    CborProtocol,
    JsonProtocol,
    QueryProtocol,
    ServiceError,
)
from smbench.emulator.protocol.http import HttpRequest, HttpResponse
from smbench.emulator.protocol.query import FormError, escape, parse_form
from smbench.emulator.protocol.shapes import service_shapes

CLOUDWATCH: dict[str, codecs.Protocol] = {
    "query": QueryProtocol(codecs.CLOUDWATCH),
    "json": JsonProtocol(codecs.CLOUDWATCH, JSON_10),
    "smithy-rpc-v2-cbor": CborProtocol(codecs.CLOUDWATCH),
}
AT = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
PUT = {
    "Namespace": "N/é & <x>",
    "MetricData": [
        {
            "MetricName": "m",
            "Dimensions": [{"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}],
            "Timestamp": AT,
            "Value": 1.5,
            "Unit": "Seconds",
        },
        {
            "MetricName": "s",
            "StatisticValues": {"SampleCount": 2.0, "Sum": 3.0, "Minimum": 1.0, "Maximum": 2.0},
            "StorageResolution": 60,
        },
        {"MetricName": "c", "Values": [1.0, 2.5], "Counts": [3.0, 4.0]},
    ],
}
GOT = {
    "MetricDataResults": [
        {
            "Id": "m1",
            "Label": "a & <b>",
            "Timestamps": [AT, datetime(2026, 1, 1, 0, 2, tzinfo=UTC)],
            "Values": [0.1, 1e300],
            "StatusCode": "Complete",
        },
        {"Id": "m2", "Label": "", "Timestamps": [], "Values": [], "StatusCode": "PartialData"},
    ],
    "NextToken": "t",
}


def request(
    method: str = "POST", path: str = "/", headers: dict[str, str] | None = None, body: bytes = b"", query: str = ""
) -> HttpRequest:
    target = f"{path}?{query}" if query else path
    return HttpRequest(method, target, path, path, {}, headers or {}, body)


def written(protocol: str, operation: str, params: dict[str, Any]) -> HttpRequest:
    """What botocore puts on the wire."""
    model = service_shapes("cloudwatch").model
    model.metadata.setdefault("jsonVersion", "1.0")
    model.metadata.setdefault("targetPrefix", "GraniteServiceVersion20100801")
    sent = create_serializer(protocol).serialize_to_request(params, model.operation_model(operation))
    headers = {name.lower(): value for name, value in sent["headers"].items()}
    body = sent["body"]
    if isinstance(body, dict):
        body = urlencode(body, doseq=True)
    data = body.encode() if isinstance(body, str) else bytes(body)
    return request(path=sent["url_path"], headers=headers, body=data)


def parsed(protocol: str, operation: str, response: HttpResponse) -> dict[str, Any]:
    """What botocore reads from a reply."""
    shape: Any = service_shapes("cloudwatch").model.operation_model(operation).output_shape
    as_dict = {
        "headers": {name.lower(): value for name, value in response.headers},
        "body": response.body,
        "status_code": response.status,
    }
    result: dict[str, Any] = create_parser(protocol).parse(as_dict, shape)
    return result


@pytest.mark.parametrize("protocol", CLOUDWATCH)
def test_parameters_read_the_same_in_every_protocol(protocol: str) -> None:
    assert CLOUDWATCH[protocol].parse(written(protocol, "PutMetricData", PUT)) == ("PutMetricData", PUT)


@pytest.mark.parametrize("protocol", CLOUDWATCH)
def test_a_result_reads_as_it_was_given(protocol: str) -> None:
    reply = CLOUDWATCH[protocol].reply("GetMetricData", GOT, request_id="id-1")
    read = parsed(protocol, "GetMetricData", reply)
    del read["ResponseMetadata"]
    assert {name: value for name, value in read.items() if value != []} == GOT


@pytest.mark.parametrize("protocol", CLOUDWATCH)
def test_an_operation_without_output_is_an_empty_reply(protocol: str) -> None:
    reply = CLOUDWATCH[protocol].reply("PutMetricData", None, request_id="id-1")
    assert reply.status == 200
    assert set(parsed(protocol, "PutMetricData", reply)) == {"ResponseMetadata"}


@pytest.mark.parametrize("protocol", CLOUDWATCH)
def test_an_error_reads_as_it_was_given(protocol: str) -> None:
    error = ServiceError("ResourceNotFound", "No <such> thing", 404, query_error_code="ResourceNotFound")
    reply = CLOUDWATCH[protocol].error(error, request_id="id-1")
    read = parsed(protocol, "GetMetricData", reply)
    assert read["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert (read["Error"]["Code"], read["Error"]["Message"]) == ("ResourceNotFound", "No <such> thing")


@pytest.mark.parametrize(
    ("dialect", "content_type", "name"),
    [(codecs.SQS, JSON_10, "com.amazonaws.sqs#Odd"), (codecs.SAGEMAKER, JSON_11, "Odd")],
)
def test_an_error_carries_its_namespace_in_json_1_0_only(dialect: codecs.Dialect, content_type: str, name: str) -> None:
    reply = JsonProtocol(dialect, content_type).error(ServiceError("Odd", "m", query_error_code="Older"))
    assert orjson.loads(reply.body) == {"__type": name, "message": "m"}
    assert ("x-amzn-query-error", "Older;Sender") in reply.headers


def test_a_null_message_is_written_as_null() -> None:
    reply = codecs.rest_json_error(ServiceError("ThrottlingException", None))
    assert reply.body == b'{"message":null}'
    assert ("x-amzn-ErrorType", "ThrottlingException") in reply.headers


# complaints

SAGEMAKER = JsonProtocol(codecs.SAGEMAKER, JSON_11)
SQS = JsonProtocol(codecs.SQS, JSON_10)
SNS = QueryProtocol(codecs.SNS)


def complaint(protocol: codecs.Protocol, operation: str, params: dict[str, Any]) -> ServiceError:
    sent = request(headers={"x-amz-target": f"X.{operation}"}, body=orjson.dumps(params))
    with pytest.raises(ServiceError) as error:
        protocol.parse(sent)
    return error.value


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {},
            "1 validation error detected: Value null at 'endpointName' failed to satisfy constraint: "
            "Member must not be null",
        ),
        (
            {"EndpointName": "x" * 64},
            f"2 validation errors detected: Value '{'x' * 64}' at 'endpointName' failed to satisfy constraint: "
            f"Member must have length less than or equal to 63; Value '{'x' * 64}' at 'endpointName' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        ),
        (
            {"EndpointName": "a_b"},
            "1 validation error detected: Value 'a_b' at 'endpointName' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        ),
    ],
)
def test_a_broken_limit_is_told_in_amazons_words(params: dict[str, Any], message: str) -> None:
    error = complaint(SAGEMAKER, "DescribeEndpoint", params)
    assert (error.code, error.message, error.status) == ("ValidationException", message, 400)


def test_every_broken_limit_is_told_with_its_place() -> None:
    variants = [{"VariantName": "v", "InitialVariantWeight": -1, "InstanceType": "ml.none"}]
    error = complaint(SAGEMAKER, "CreateEndpointConfig", {"ProductionVariants": variants})
    assert error.message is not None
    assert error.message.startswith("3 validation errors detected: ")
    assert "'productionVariants.1.member.initialVariantWeight'" in error.message
    assert "Member must satisfy enum value set: [" in error.message
    assert "Value null at 'endpointConfigName'" in error.message


@pytest.mark.parametrize(
    ("protocol", "operation", "params", "code"),
    [
        (SAGEMAKER, "DescribeEndpoint", {"EndpointName": 5}, "SerializationException"),
        (SAGEMAKER, "CreateEndpointConfig", {"ProductionVariants": {}}, "SerializationException"),
        (SQS, "SendMessage", {"QueueUrl": "q"}, "MissingParameter"),
        (SQS, "SendMessage", {"QueueUrl": "q", "MessageBody": 1}, "SerializationException"),
        (SQS, "ReceiveMessage", {"QueueUrl": "q", "MaxNumberOfMessages": "many"}, "SerializationException"),
        (SQS, "ReceiveMessage", {"QueueUrl": "q", "MaxNumberOfMessages": 1.5}, "SerializationException"),
        (SQS, "ReceiveMessage", {"QueueUrl": "q", "MaxNumberOfMessages": True}, "SerializationException"),
        (SQS, "Nonsense", {}, "NotImplemented"),
    ],
)
def test_each_service_complains_with_its_own_code(
    protocol: codecs.Protocol, operation: str, params: dict[str, Any], code: str
) -> None:
    assert complaint(protocol, operation, params).code == code


def test_members_that_aws_does_not_know_are_ignored() -> None:
    sent = request(headers={"x-amz-target": "X.DescribeEndpoint"}, body=b'{"EndpointName":"a","Odd":1,"Other":null}')
    assert SAGEMAKER.parse(sent) == ("DescribeEndpoint", {"EndpointName": "a"})


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'"x"', b"\xff", b"{" * 2000])
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(ServiceError) as error:
        SQS.parse(request(headers={"x-amz-target": "AmazonSQS.ListQueues"}, body=body))
    assert error.value.code == "SerializationException"


@pytest.mark.parametrize("body", [b"\xff", b"\x01", b"\xa1", b"\xa1\x61"])
def test_a_body_that_is_no_cbor_map_is_refused(body: bytes) -> None:
    with pytest.raises(ServiceError) as error:
        CLOUDWATCH["smithy-rpc-v2-cbor"].parse(request(path="/service/G/operation/ListMetrics", body=body))
    assert error.value.code == "SerializationException"


@pytest.mark.parametrize(
    ("form", "code"),
    [
        (b"", "MissingAction"),
        (b"Action.x=1", "MissingAction"),
        (b"Action=Publish&Message=a&Message.b=c", "MalformedQueryString"),
        (b"Action=Publish&" + b"&".join(b"a=1" for _ in range(20_001)), "MalformedQueryString"),
        (b"Action=Publish", "InvalidParameter"),
        (b"Action=Nonsense", "NotImplemented"),
    ],
)
def test_a_form_that_says_nothing_known_is_refused(form: bytes, code: str) -> None:
    with pytest.raises(ServiceError) as error:
        SNS.parse(request(body=form))
    assert error.value.code == code


# forms and XML


def test_a_form_is_a_tree() -> None:
    assert parse_form("A=x&B.member.1.C=1&B.member.2.C=2&E=") == {
        "A": "x",
        "B": {"member": {"1": {"C": "1"}, "2": {"C": "2"}}},
        "E": "",
    }


@pytest.mark.parametrize("form", ["A=1&A.b=2", "A.b=2&A=1"])
def test_a_name_is_a_value_or_a_prefix(form: str) -> None:
    with pytest.raises(FormError):
        parse_form(form)


def test_members_of_a_list_are_in_the_order_of_their_numbers() -> None:
    numbers = [f"PublishBatchRequestEntries.member.{i}.Id=e{i}" for i in (10, 2, 1)]
    texts = [f"PublishBatchRequestEntries.member.{i}.Message=m" for i in (10, 2, 1)]
    form = "&".join(["Action=PublishBatch", "TopicArn=t", *numbers, *texts])
    _, params = SNS.parse(request(body=form.encode()))
    assert [entry["Id"] for entry in params["PublishBatchRequestEntries"]] == ["e1", "e2", "e10"]


def test_maps_and_blobs_come_from_a_form() -> None:
    form = (
        "Action=Publish&Message=m&MessageAttributes.entry.1.Name=b&MessageAttributes.entry.1.Value.DataType=Binary"
        "&MessageAttributes.entry.1.Value.BinaryValue=/w=="
    )
    _, params = SNS.parse(request(body=form.encode()))
    assert params["MessageAttributes"] == {"b": {"DataType": "Binary", "BinaryValue": b"\xff"}}


@given(st.text())
def test_any_text_becomes_xml_that_can_be_read(text: str) -> None:
    if any(0xD800 <= ord(character) <= 0xDFFF for character in text):
        return
    root = ElementTree.fromstring(f"<a>{escape(text)}</a>".encode())
    kept = "".join(c for c in text if c in "\t\n\r" or (ord(c) >= 32 and c not in "\ufffe\uffff"))
    assert (root.text or "") == kept


# CBOR

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**64), 2**64 - 1),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(),
    st.integers(0, 2**31).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4))
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(VALUES)
def test_cbor_comes_back_as_it_went(value: Any) -> None:
    assert cbor.decode(cbor.encode(value)) == value


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_are_cbor_or_refused(data: bytes) -> None:
    with contextlib.suppress(cbor.CborError):
        cbor.decode(data)


@pytest.mark.parametrize(
    ("data", "value"),
    [  # RFC 8949, appendix A
        ("00", 0),
        ("1818", 24),
        ("1903e8", 1000),
        ("1bffffffffffffffff", 2**64 - 1),
        ("3903e7", -1000),
        ("3bffffffffffffffff", -(2**64)),
        ("f93c00", 1.0),
        ("f97bff", 65504.0),
        ("fa47c35000", 100000.0),
        ("fb3ff199999999999a", 1.1),
        ("f97c00", float("inf")),
        ("f4", False),
        ("f6", None),
        ("c11a514b67b0", datetime(2013, 3, 21, 20, 4, tzinfo=UTC)),
        ("c074323031332d30332d32315432303a30343a30305a", datetime(2013, 3, 21, 20, 4, tzinfo=UTC)),
        ("4401020304", b"\1\2\3\4"),
        ("62c3bc", "ü"),
        ("83010203", [1, 2, 3]),
        ("a26161016162820203", {"a": 1, "b": [2, 3]}),
        ("5f42010243030405ff", b"\1\2\3\4\5"),
        ("7f657374726561646d696e67ff", "streaming"),
        ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
        ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}),
    ],
)
def test_cbor_reads_the_examples_of_its_standard(data: str, value: Any) -> None:
    assert cbor.decode(bytes.fromhex(data)) == value


@pytest.mark.parametrize(
    "data",
    ["", "18", "ff", "81ff", "a1", "a101", "9bffffffffffffffff", "5f6161ff", "61ff", "1c", "f8ff", "c2420102", "0000",
     "c1fb7fefffffffffffff", "bf61ff", "a1f501", "81" * 100 + "00"],
)  # fmt: skip
def test_cbor_that_no_client_sends_is_refused(data: str) -> None:
    with pytest.raises(cbor.CborError):
        cbor.decode(bytes.fromhex(data))


def test_what_cbor_cannot_carry_is_refused() -> None:
    for value in (object(), 2**64, {1j: 1}):
        with pytest.raises(cbor.CborError):
            cbor.encode(value)


def test_integers_take_the_fewest_bytes() -> None:
    for value, size_bytes in ((23, 1), (24, 2), (255, 2), (256, 3), (65_536, 5), (2**32, 9), (-24, 1), (-25, 2)):
        assert len(cbor.encode(value)) == size_bytes
    assert cbor.encode(1.5) == b"\xfb" + struct.pack(">d", 1.5)


@pytest.mark.parametrize(
    ("dialect", "operation", "params", "said"),
    [
        (codecs.SAGEMAKER, "CreateModel", {"PrimaryContainer": {"Environment": {"A": "é"}}}, None),
        (codecs.SAGEMAKER, "CreateModel", {"PrimaryContainer": {"Environment": {"a-b": "x"}}}, "environment.*pattern"),
        (
            codecs.SAGEMAKER,
            "CreateModel",
            {"PrimaryContainer": {"Environment": {f"A{i}": "" for i in range(101)}}},
            "environment.*less than or equal to 100",
        ),
        (codecs.SAGEMAKER, "CreateModel", {"Tags": [{"Key": "Größe", "Value": "日本 1"}]}, None),
        (codecs.SAGEMAKER, "CreateModel", {"Tags": [{"Key": "a!", "Value": ""}]}, "tags.1.member.key.*pattern"),
        (codecs.SAGEMAKER, "CreateModel", {"Tags": [{"Key": "a", "Value": "\x01"}]}, "tags.1.member.value.*pattern"),
        (codecs.IAM, "GetRole", {"RoleName": "rolle+"}, None),
        (codecs.IAM, "GetRole", {"RoleName": "rölle"}, "roleName.*pattern"),
        (codecs.AUTOSCALING, "DescribeScalingPolicies", {"ResourceId": "endpoint/😀"}, None),
        (codecs.AUTOSCALING, "DescribeScalingPolicies", {"ResourceId": "a\x01"}, "resourceId.*pattern"),
    ],
)
def test_keys_of_maps_and_patterns_in_javas_words_are_held_to_as_the_model_has_them(
    dialect: codecs.Dialect, operation: str, params: dict[str, Any], said: str | None
) -> None:
    least = {"CreateModel": {"ModelName": "m"}, "DescribeScalingPolicies": {"ServiceNamespace": "sagemaker"}}
    protocol = JsonProtocol(dialect, JSON_11)
    whole = least.get(operation, {}) | params
    if said is None:
        protocol.checked(protocol.shapes(operation), whole)
        return
    with pytest.raises(ServiceError, match=said):
        protocol.checked(protocol.shapes(operation), whole)
