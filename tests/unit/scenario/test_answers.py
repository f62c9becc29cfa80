"""Goal: an answer is wrong exactly where it differs from what the scenario expects, and like answers get like words.

Method: a table of expectations with answers that keep them and answers that do not.
"""

from typing import Any

import pytest
from pydantic import ValidationError

from smbench.errors import ScenarioError
from smbench.records import WrongAnswer
from smbench.scenario.load import scenario_of
from smbench.scenario.values.answers import Expect

JSON = "application/json"
SCORES = b'{"predictions": [{"score": 0.5, "label": "cat", "sure": true, "of": null}]}'


def difference(body: bytes, expected: dict[str, Any], came: str | None = JSON) -> tuple[WrongAnswer, str] | None:
    return Expect.model_validate(expected).difference(came, body)


@pytest.mark.parametrize(
    "expected",
    [
        {},
        {"content_type": "Application/JSON"},
        {"json_path": "predictions"},
        {"json_path": "predictions.0.of"},
        {"json_path": "predictions.0.score", "equals": 0.5},
        {"json_path": "predictions.0.label", "equals": "cat"},
        {"json_path": "predictions.0.sure", "equals": True},
        {"size_min": len(SCORES), "size_max": "1KiB"},
    ],
)
def test_an_answer_that_keeps_everything_is_right(expected: dict[str, Any]) -> None:
    assert difference(SCORES, expected, "application/json; charset=utf-8") is None


@pytest.mark.parametrize(
    ("body", "expected", "wrong", "words"),
    [
        (b"", {"size_min": 1}, WrongAnswer.SIZE, "smaller than 1 bytes"),
        (SCORES, {"size_max": 10}, WrongAnswer.SIZE, "larger than 10 bytes"),
        (SCORES, {"content_type": "text/csv"}, WrongAnswer.CONTENT_TYPE, "content type application/json"),
        (b"{", {"json_path": "a"}, WrongAnswer.JSON, "no JSON"),
        (b"\xff", {"json_path": "a"}, WrongAnswer.JSON, "no JSON"),
        (b"[" * 100_000, {"json_path": "a"}, WrongAnswer.JSON, "no JSON"),
        (b"[1]", {"json_path": "a"}, WrongAnswer.JSON, "nothing at a"),
        (b"[1]", {"json_path": "1"}, WrongAnswer.JSON, "nothing at 1"),
        (b"[1]", {"json_path": "-1"}, WrongAnswer.JSON, "nothing at -1"),
        (b"[1]", {"json_path": "0.a"}, WrongAnswer.JSON, "nothing at 0.a"),
        (b"[1]", {"json_path": "0", "equals": True}, WrongAnswer.JSON, "0 is not True"),
        (b"[true]", {"json_path": "0", "equals": 1}, WrongAnswer.JSON, "0 is not 1"),
        (b'["1"]', {"json_path": "0", "equals": 1}, WrongAnswer.JSON, "0 is not 1"),
        (b"[null]", {"json_path": "0", "equals": "x"}, WrongAnswer.JSON, "0 is not 'x'"),
    ],
)
def test_an_answer_that_differs_is_wrong_in_that(
    body: bytes, expected: dict[str, Any], wrong: WrongAnswer, words: str
) -> None:
    assert difference(body, expected) == (wrong, f"wrong answer: {words}")


def test_an_answer_that_names_no_content_type_has_not_the_expected_one() -> None:
    assert difference(b"", {"content_type": JSON}, None) == (
        WrongAnswer.CONTENT_TYPE,
        "wrong answer: content type none",
    )


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ({"equals": 1}, "needs a json_path"),
        ({"size_min": 2, "size_max": 1}, "no answer could be right"),
        ({"json_path": "a..b"}, "json_path"),
        ({"content_type": "json"}, "content_type"),
        ({"content_type": "text/plain; charset=utf-8"}, "content_type"),
    ],
)
def test_what_no_answer_can_keep_is_refused(expected: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Expect.model_validate(expected)


def test_an_asynchronous_answer_is_in_s3_and_cannot_be_checked(tmp_path: Any) -> None:
    asked = {"name": "asked", "request": {"expect": {"size_min": 1}}, "load": [{"burst": {"requests": 1}}]}
    with pytest.raises(ScenarioError, match=r"request\.expect"):
        scenario_of(asked, tmp_path)
    assert scenario_of(asked | {"target": {"kind": "realtime"}}, tmp_path).request.expect.size_min == 1
