"""Goal: an unknown figure keeps its reason through whatever is made of it, and through JSON. Method: by hand."""

import pytest
from pydantic import BaseModel

from smbench.analysis.numbers.known import Missing, known, ratio, reasons, then, why_unknown, with_reasons
from smbench.records import Unknown

WHY = Unknown("no reading says so")


class Part(BaseModel):
    mean: float | Missing


class Whole(BaseModel):
    share: float | Missing
    part: Part | Missing
    parts: tuple[Part, ...] = ()
    named: dict[str, float | Missing] = {}


def test_what_follows_from_an_unknown_figure_is_unknown_for_its_reason() -> None:
    assert then(WHY, lambda one: one + 1) is WHY
    assert then(2.0, lambda one: one + 1) == 3.0
    assert then(2.0, lambda _: WHY) is WHY
    assert (known(WHY), known(2.0)) == (None, 2.0)
    assert (why_unknown(WHY), why_unknown(2.0)) == ("no reading says so", "")


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [(1.0, 4.0, 0.25), (WHY, 4.0, WHY), (1.0, WHY, WHY), (1.0, 0.0, Unknown("none")), (0, 4, 0.0)],
)
def test_a_ratio_is_unknown_for_the_reason_of_its_parts(
    part: float | Unknown, whole: float | Unknown, expected: float | Unknown
) -> None:
    assert ratio(part, whole, "none") == expected


def test_an_unknown_figure_is_null_in_json_and_its_reason_is_found_by_its_path() -> None:
    whole = Whole(share=WHY, part=Part(mean=1.0), parts=(Part(mean=WHY),), named={"p50": WHY, "p95": 2.0})
    assert reasons(whole) == dict.fromkeys(("share", "parts.0.mean", "named.p50"), WHY.reason)
    written = whole.model_dump(mode="json")
    assert written == {
        "share": None,
        "part": {"mean": 1.0},
        "parts": [{"mean": None}],
        "named": {"p50": None, "p95": 2.0},
    }
    assert Whole.model_validate(with_reasons({**written, "absent": reasons(whole)})) == whole
