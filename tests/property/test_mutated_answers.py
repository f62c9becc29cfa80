"""Goal: whatever a queue's message or an answer of AWS says, there is an outcome, soon, and no traceback.

Method: mutants of sound ones; `python tests/support/mutated_answers.py` reads 20,000 messages, and 5,000 answers to
each call of the wire.
"""

import pytest

from mutated_answers import ANSWERS, Found, examine_answers, examine_messages
from smbench.clock import WarpLoop


@pytest.fixture
def anyio_backend() -> object:
    return "asyncio", {"loop_factory": WarpLoop}


def is_sound(found: Found, n: int) -> bool:
    return not found.crashes and not found.slow and found.outcomes.total() == n


def test_a_mutant_of_a_message_is_a_notice_or_unreadable() -> None:
    found = examine_messages(1_000)
    assert is_sound(found, 1_000), found
    assert {"notice", "malformed", "foreign"} <= found.outcomes.keys()


@pytest.mark.slow
async def test_a_mutant_of_an_answer_has_an_outcome_that_the_port_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    found = await examine_answers(60)
    assert found.keys() == ANSWERS.keys()
    for name, of_call in found.items():
        assert is_sound(of_call, 60), (name, of_call)
        assert {"answered", "no answer"} <= of_call.outcomes.keys()
