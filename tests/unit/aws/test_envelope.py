"""Goal: from any text to a Notice or to Unreadable, with AWS's instants exact to the nanosecond.

Method: messages as AWS was seen to send them, in and out of SNS's envelope; then arbitrary text and arbitrary JSON.
"""

import datetime
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smbench.aws.transport.envelope import is_about_time_to_live, parse_any, parse_message, utc_ns
from smbench.model.endpoints import endpoint as model
from smbench.model.endpoints.failures import FAILURE_REASONS
from smbench.records import Notice, Outcome, Unreadable

COMPLETED = {
    "awsRegion": "us-east-1",
    "eventTime": "2023-05-23T03:23:21.814Z",
    "receivedTime": "2023-05-23T03:23:09.588Z",
    "invocationStatus": "Completed",
    "requestParameters": {"endpointName": "ep", "inputLocation": "s3://bucket/in.json"},
    "responseParameters": {"contentType": "application/json", "outputLocation": "s3://bucket/out/1.out"},
    "inferenceId": "run-0-1",
    "eventVersion": "1.0",
    "eventSource": "aws:sagemaker",
    "eventName": "InferenceResult",
}
FAILED = {key: value for key, value in COMPLETED.items() if key != "responseParameters"} | {
    "invocationStatus": "Failed",
    "failureReason": "ClientError: Received client error (400) from model. See the SageMaker Endpoint logs.",
}
TEST_NOTIFICATION = {"eventVersion": "1.0", "eventSource": "aws:sagemaker", "eventName": "TestNotification"}
EVENT_NS = 1684812201_814_000_000  # date -u -d 2023-05-23T03:23:21 +%s gives 1684812201
RECEIVED_NS = 1684812189_588_000_000


anything = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def enveloped(message: object) -> str:
    """As an SQS body without raw delivery: pretty-printed, a space before the colon."""
    text = message if isinstance(message, str) else json.dumps(message, separators=(",", ":"))
    stamp = "2023-05-23T03:23:21.961Z"
    envelope = {"Type": "Notification", "MessageId": "1", "TopicArn": "arn", "Message": text, "Timestamp": stamp}
    return json.dumps(envelope, indent=2, separators=(",", " : "))


def notice(body: str, **settings: Any) -> Notice:
    content = parse_message(body, **settings)
    assert isinstance(content, Notice)
    return content


def kind(body: str, **settings: Any) -> str:
    content = parse_message(body, **settings)
    assert isinstance(content, Unreadable)
    assert content.body == body
    return content.kind


def test_a_completion_says_when_and_where() -> None:
    assert notice(enveloped(COMPLETED), pub_utc_ns=EVENT_NS + 147_000_000) == Notice(
        "run-0-1",
        Outcome.COMPLETED,
        recv_utc_ns=RECEIVED_NS,
        done_utc_ns=EVENT_NS,
        pub_utc_ns=EVENT_NS + 147_000_000,
        output_location="s3://bucket/out/1.out",
    )


def test_raw_delivery_says_the_same_as_the_envelope() -> None:
    assert notice(json.dumps(COMPLETED), pub_utc_ns=7) == notice(enveloped(COMPLETED), pub_utc_ns=7)


@pytest.mark.slow
@given(
    st.dictionaries(st.sampled_from([*COMPLETED, "failureReason", "Type", "Message"]), anything),
    st.sampled_from([COMPLETED, FAILED, TEST_NOTIFICATION]),
    st.sampled_from(["", "run-0-", "other-"]),
)
@example({"failureReason": "and yet"}, COMPLETED, "")
@example({"responseParameters": {"failureLocation": "s3://bucket/failed"}}, COMPLETED, "")
@example({"responseParameters": {"outputLocation": "", "failureLocation": "s3://bucket/failed"}}, COMPLETED, "")
@example({"Type": "Notification", "Message": json.dumps(FAILED)}, COMPLETED, "")
@example({"receivedTime": None, "eventTime": "yesterday"}, COMPLETED, "run-0-")
def test_the_quick_reading_of_a_completion_says_what_the_general_one_says(
    changes: dict[str, Any], base: dict[str, Any], run_prefix: str
) -> None:
    body = json.dumps(base | changes)
    assert parse_message(body, 7, run_prefix) == parse_any(body, 7, run_prefix)


def test_a_failure_keeps_its_reason() -> None:
    found = notice(enveloped(FAILED))
    assert found.outcome is Outcome.FAILED
    assert found.failure_reason == FAILED["failureReason"]
    assert found.output_location is None


def test_a_failure_with_a_location_is_still_a_failure() -> None:
    told = FAILED | {"responseParameters": {"failureLocation": "s3://bucket/failed/1-error.out"}}
    found = notice(json.dumps(told))
    assert (found.outcome, found.output_location) == (Outcome.FAILED, "s3://bucket/failed/1-error.out")


@pytest.mark.parametrize(
    "reason", ["Request expired", "The RequestTTL was exceeded: TTL 60", "Exceeded its time to live", "Expiration"]
)
def test_a_failure_whose_reason_speaks_of_expiry_is_an_expiry(reason: str) -> None:
    assert notice(json.dumps(FAILED | {"failureReason": reason})).outcome is Outcome.EXPIRED


@pytest.mark.parametrize(
    "reason",
    [
        *("The inference request has expired", "Expired request", "TTL exceeded", "Time to live exceeded", "expired."),
        *("RequestTTLSeconds was exceeded", "The request expired before an instance took it", "Its TTL has passed"),
    ],
)
def test_other_wordings_of_the_requests_time_to_live_are_an_expiry(reason: str) -> None:
    assert notice(json.dumps(FAILED | {"failureReason": reason})).outcome is Outcome.EXPIRED


@pytest.mark.parametrize(
    "reason",
    [
        *("ModelError: license expires", "KeyError: 'expiry_date'", "ValueError: token expired", "license expired"),
        *(
            "ClientError: the request expired upstream",
            "redis.exceptions.ResponseError: TTL exceeded",
            "cache ttl is 0",
        ),
        *(
            "The certificate of the feature store has expired",
            "expired_at is missing in the request",
            "AWS session expired",
        ),
        *("Traceback (most recent call last): request expired", "Failed to request expiring credentials"),
    ],
)
def test_words_of_the_container_about_something_that_expires_are_a_failure(reason: str) -> None:
    assert notice(json.dumps(FAILED | {"failureReason": reason})).outcome is Outcome.FAILED


def test_the_status_expired_is_an_expiry() -> None:
    told = {key: value for key, value in COMPLETED.items() if key != "responseParameters"}
    assert notice(json.dumps(told | {"invocationStatus": "Expired"})).outcome is Outcome.EXPIRED


@pytest.mark.parametrize("run_prefix", ["", "run-0-"])
@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"invocationStatus": "Paused"}, "invocationStatus Paused"),
        (
            {"invocationStatus": "Cancelled", "failureReason": "by an operator"},
            "invocationStatus Cancelled: by an operator",
        ),
        ({"invocationStatus": 7}, "invocationStatus 7"),
        ({"invocationStatus": None}, "no invocationStatus"),
    ],
    ids=str,
)
def test_an_own_id_with_an_unknown_status_is_an_end_of_an_unknown_kind(
    told: dict[str, Any], named: str, run_prefix: str
) -> None:
    found = notice(json.dumps(COMPLETED | told), run_prefix=run_prefix)
    assert (found.outcome, found.failure_reason) == (Outcome.UNKNOWN_END, named)
    assert found.done_utc_ns == EVENT_NS


@pytest.mark.parametrize("wrap", [json.dumps, enveloped])
@pytest.mark.parametrize("base", [COMPLETED, FAILED])
def test_a_result_without_an_event_name_is_ours(base: dict[str, Any], wrap: Callable[[object], str]) -> None:
    told = {key: value for key, value in base.items() if key != "eventName"}
    assert notice(wrap(told), run_prefix="run-0-") == notice(wrap(base), run_prefix="run-0-")


def test_a_failure_without_a_reason_is_a_failure() -> None:
    told = {key: value for key, value in FAILED.items() if key != "failureReason"}
    assert notice(json.dumps(told)).outcome is Outcome.FAILED


def test_a_test_notification_is_known_as_one() -> None:
    assert kind(enveloped(TEST_NOTIFICATION)) == "test_notification"
    assert kind(json.dumps(TEST_NOTIFICATION), run_prefix="run-0-") == "test_notification"


DEEP = '{"a":' * 1200 + "1" + "}" * 1200


@pytest.mark.parametrize(
    "body",
    [
        DEEP,
        "[" * 100_000 + "]" * 100_000,
        enveloped(DEEP),
        json.dumps(COMPLETED)[:-1] + f',"more":{DEEP}}}',
        json.dumps(COMPLETED)[:-1] + f',"failureReason":{DEEP}}}',
    ],
    ids=["object", "array", "enveloped", "beside a result", "in a result"],
)
def test_json_too_deep_to_be_read_is_malformed(body: str) -> None:
    assert kind(body) == "malformed"


@pytest.mark.parametrize("body", ["", "no json", "{", '{"Type":', "\ud800", enveloped("no json"), "NaN"])
def test_what_is_no_json_is_malformed(body: str) -> None:
    assert kind(body) == "malformed"


@pytest.mark.parametrize(
    "message",
    [
        [],
        "text",
        7,
        {},
        {"Type": "SubscriptionConfirmation", "Message": "confirm", "TopicArn": "arn"},
        COMPLETED | {"eventName": "Other"},
        COMPLETED | {"inferenceId": None},
        COMPLETED | {"inferenceId": 7},
        {"Type": "Notification", "Message": 7},
    ],
    ids=str,
)
def test_json_that_is_no_result_is_foreign(message: object) -> None:
    assert kind(json.dumps(message)) == "foreign"
    assert kind(enveloped(json.dumps(message))) == "foreign"


def test_ids_of_another_run_are_foreign() -> None:
    assert kind(enveloped(COMPLETED), run_prefix="run-1-") == "foreign"
    assert notice(enveloped(COMPLETED), run_prefix="run-0-").inference_id == "run-0-1"


@pytest.mark.slow
@settings(max_examples=50)
@given(st.text())
@example("\x00")
def test_any_text_has_an_answer(body: str) -> None:
    assert isinstance(parse_message(body, run_prefix="run"), Notice | Unreadable)


@pytest.mark.slow
@given(
    st.dictionaries(st.sampled_from([*COMPLETED, "failureReason"]), anything), st.sampled_from([COMPLETED, FAILED, {}])
)
def test_any_member_may_be_missing_or_be_anything(changes: dict[str, Any], base: dict[str, Any]) -> None:
    content = parse_message(enveloped(base | changes))
    assert isinstance(content, Notice | Unreadable)


@pytest.mark.slow
@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from(["Type", "Message", "Timestamp", "TopicArn"]), anything))
def test_any_envelope_has_an_answer(changes: dict[str, Any]) -> None:
    envelope = json.loads(enveloped(COMPLETED)) | changes
    assert isinstance(parse_message(json.dumps(envelope)), Notice | Unreadable)


@pytest.mark.slow
@given(st.datetimes(timezones=st.just(datetime.UTC)))
def test_every_instant_is_exact(instant: datetime.datetime) -> None:
    since = instant - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    exact_ns = (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000
    assert utc_ns(instant.isoformat()) == exact_ns


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.001Z", 1_000_000),
        ("1970-01-01T00:00:00.123456789Z", 123_456_789),
        ("1970-01-01T00:00:00.1234567891Z", 123_456_789),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:30:00-00:30", 0),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000_000_000),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000),  # a leap second is the next second
    ],
)
def test_stamps_by_hand(stamp: str, expected: int) -> None:
    assert utc_ns(stamp) == expected


@pytest.mark.parametrize(
    "stamp",
    [
        None,
        7,
        "",
        "2023-02-29T00:00:00Z",
        "2023-01-01T24:00:00Z",
        "2023-01-01T00:61:00Z",
        "2023-01-01",
        "2023-01-01T00:00:00",
    ],
)
def test_what_is_no_instant_is_none(stamp: object) -> None:
    assert utc_ns(stamp) is None


def test_the_emulated_endpoints_words_for_an_expiry_are_an_expiry_and_its_other_words_are_not() -> None:
    found = {why: is_about_time_to_live(words) for why, words in FAILURE_REASONS.items()}
    assert [why for why, is_expiry in found.items() if is_expiry] == [model.TTL]
