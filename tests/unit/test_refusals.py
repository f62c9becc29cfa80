"""Goal: why AWS refused a request is in the row, in AWS's own words, and reads the same for requests alike.

Method: refusals as the two transports raise them.
"""

import pytest

from smbench.records import Rejected

CONSTRAINT = "at 'inputLocation' failed to satisfy constraint: Member must have length less than or equal to 1024"


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (Rejected(400, "ThrottlingException"), "ThrottlingException"),
        (
            Rejected(400, "ValidationError", "Endpoint x of account 1 not found."),
            "ValidationError: Endpoint x of account 1 not found.",
        ),
        (
            Rejected(400, "ValidationError", f"1 validation error detected: Value 's3://b/{'k' * 1050}' {CONSTRAINT}"),
            f"ValidationError: 1 validation error detected: Value 's3://b/kkkkk…' {CONSTRAINT}",
        ),
        (Rejected(500, "X", "two\n  lines"), "X: two lines"),
    ],
)
def test_a_refusal_s_reason_is_its_code_and_its_sentence_without_long_values(refusal: Rejected, reason: str) -> None:
    assert refusal.reason == reason


def test_a_reason_has_a_bound() -> None:
    assert len(Rejected(400, "X", "w " * 5_000).reason) == 300
