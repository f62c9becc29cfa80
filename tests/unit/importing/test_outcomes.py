"""Goal: a row of another tool ends where the ledger says it does. Method: a table of what tools write."""

import pytest

from smbench.importing.outcomes import end_of
from smbench.records import Outcome

DEADLINE = 'Get "http://x": context deadline exceeded (Client.Timeout exceeded while awaiting headers)'


@pytest.mark.parametrize(
    ("status", "success", "error", "outcome", "code"),
    [
        ("200", None, None, Outcome.COMPLETED, 200),
        ("202 Accepted", None, None, Outcome.COMPLETED, 202),
        ("200.0", None, None, Outcome.COMPLETED, 200),  # an integer column with gaps, as pandas writes it
        ("HTTP 200", None, None, Outcome.COMPLETED, 200),
        ("HTTP/1.1 503 Service Unavailable", None, None, Outcome.REJECTED, 503),
        ("ok", None, None, Outcome.COMPLETED, None),
        (None, None, "None", Outcome.COMPLETED, None),  # what languages write where there was no error
        (None, None, "nan", Outcome.COMPLETED, None),
        ("failed", None, "-", Outcome.FAILED, None),
        ("Succeeded", None, None, Outcome.COMPLETED, None),
        (None, "true", None, Outcome.COMPLETED, None),
        (None, None, None, Outcome.COMPLETED, None),
        ("200", "false", "Test failed: text expected", Outcome.FAILED, 200),  # JMeter's assertion
        ("200", None, "unexpected EOF", Outcome.FAILED, 200),  # vegeta, where the body broke off
        ("200", None, "OK", Outcome.COMPLETED, 200),  # the phrase of HTTP
        ("204", None, "No Content", Outcome.COMPLETED, 204),
        ("200", None, "True", Outcome.FAILED, 200),  # a column of booleans
        ("200", "true", "retried once", Outcome.COMPLETED, 200),
        ("OK", "false", None, Outcome.FAILED, None),
        ("OK", None, "assertion failed", Outcome.FAILED, None),
        ("failed", None, None, Outcome.FAILED, None),
        (None, "0", None, Outcome.FAILED, None),
        (None, None, "ValueError", Outcome.FAILED, None),
        ("429", "false", None, Outcome.REJECTED, 429),
        ("503", None, "overloaded", Outcome.REJECTED, 503),
        ("400", None, "timeout must be below 60", Outcome.REJECTED, 400),  # an argument's name
        ("429", None, "no timeout is kept at this rate", Outcome.REJECTED, 429),
        ("throttled", None, None, Outcome.REJECTED, None),
        ("0", None, "connection refused", Outcome.TRANSPORT_ERROR, None),
        ("0", "false", "dial: connection refused", Outcome.TRANSPORT_ERROR, None),  # k6 with its expected_response
        ("Non HTTP response code: java.net.ConnectException", "false", None, Outcome.TRANSPORT_ERROR, None),
        ("expired", None, None, Outcome.EXPIRED, None),
        ("in progress", None, None, Outcome.PENDING, None),
        ("teapot", None, None, Outcome.UNKNOWN_END, None),
    ],
)
def test_a_row_ends_as_its_tool_meant(
    status: str | None, success: str | None, error: str | None, outcome: Outcome, code: int | None
) -> None:
    end = end_of(status, success, error)
    assert (end.outcome, end.status_code, end.is_timeout) == (outcome, code, False)
    assert end.error is not None or outcome in (Outcome.COMPLETED, Outcome.EXPIRED, Outcome.PENDING)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("0", "request timeout"),  # k6, code 1050
        ("0", DEADLINE),  # vegeta
        ("Non HTTP response code: java.net.SocketTimeoutException", "Read timed out"),  # JMeter
        ("200", DEADLINE),  # vegeta, while it read the body
        ("timeout", None),
        ("Timed Out", None),
        (None, "ReadTimeout"),
        ("DeadlineExceeded", None),  # gRPC
        ("504", None),  # a load balancer's, after its idle time-out
        ("504", "Gateway Timeout"),
        ("HTTP/1.1 499 Client Closed Request", None),  # nginx, of a client that did not wait
        ("424", "Your invocation timed out while waiting for a response from container primary"),  # SageMaker
        ("500", "upstream request timeout"),
    ],
)
def test_a_time_out_is_no_end(status: str | None, error: str | None) -> None:
    end = end_of(status, None, error)
    assert end.outcome is Outcome.PENDING
    assert end.is_timeout


def test_a_status_that_is_named_as_good_is_completed() -> None:
    assert end_of("teapot", None, None, frozenset({"teapot"})).outcome is Outcome.COMPLETED


@pytest.mark.parametrize(
    ("status", "success", "error", "outcome"),
    [
        (None, None, None, Outcome.UNKNOWN_END),
        (None, None, "nan", Outcome.UNKNOWN_END),
        (None, "true", None, Outcome.COMPLETED),
        (None, None, "connection reset", Outcome.FAILED),
        ("200", None, None, Outcome.COMPLETED),
    ],
)
def test_an_empty_status_among_others_is_no_good_news(
    status: str | None, success: str | None, error: str | None, outcome: Outcome
) -> None:
    assert end_of(status, success, error, is_always_said=True).outcome is outcome


def test_an_empty_status_can_be_named_as_good() -> None:
    assert end_of(None, None, None, frozenset({""}), is_always_said=True).outcome is Outcome.COMPLETED
