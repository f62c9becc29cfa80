"""The n-th call of each kind fails: the law holds, nothing hangs, nothing is sent twice, no end is missed.

Method: a sample of `python tests/support/nth_calls.py 200`, which does the same for every n up to 200.
"""

import pytest

from nth_calls import CALLS, TROUBLES, swept

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # whole runs in virtual time, half a second each

SAMPLE = {
    "sagemaker:InvokeEndpointAsync": 2,
    "sqs:CreateQueue": 1,
    "sqs:ReceiveMessage": 3,
    "sqs:DeleteMessageBatch": 2,
    "s3:HeadObject": 4,
    "sns:GetSubscriptionAttributes": 2,
    "cloudwatch:GetMetricData": 1,
}


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize(("call", "n"), SAMPLE.items())
def test_the_nth_call_fails_and_every_end_is_known_all_the_same(call: str, n: int, trouble: str) -> None:
    found = swept(call, trouble, n)
    assert call in CALLS
    assert found.n_calls >= n, "the sample would strike nothing"
    assert found.wrong == ()
