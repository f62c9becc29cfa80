"""Draws follow their laws and depend on nothing but seed, class and order."""

from pathlib import Path

import numpy as np
import pytest

from smbench.errors import UsageError
from smbench.model.service import Sampler, ServiceSampler, read_empirical_s
from smbench.scenario.values.distributions import Distribution, Empirical, ServiceLaw
from smbench.scenario.values.seeds import stream


def draws_s(law: object, n: int = 20_000) -> np.ndarray:
    sampler = Sampler(Distribution.model_validate(law), stream(1, "test"))
    return np.array([sampler.draw_s() for _ in range(n)])


def test_a_constant_is_always_itself() -> None:
    assert set(draws_s("2s", 10)) == {2.0}


def test_no_time_at_all_is_a_law() -> None:
    assert set(draws_s("0s", 10)) == {0.0}


@pytest.mark.parametrize(
    ("law", "mean_s", "cv"),
    [
        ({"exponential": {"mean": "2s"}}, 2.0, 1.0),
        ({"gamma": {"mean": "3s", "cv": 0.5}}, 3.0, 0.5),
        ({"uniform": {"low": "60s", "high": "90s"}}, 75.0, 30 / 12**0.5 / 75),
        ({"lognormal": {"median": "1s", "sigma": 0.3}}, np.exp(0.045), np.sqrt(np.exp(0.09) - 1)),
    ],
)
def test_a_law_has_its_mean_and_spread(law: object, mean_s: float, cv: float) -> None:
    drawn_s = draws_s(law)
    # The mean of n draws has a standard deviation of mean * cv / sqrt(n); five of them.
    assert drawn_s.mean() == pytest.approx(mean_s, rel=5 * cv / len(drawn_s) ** 0.5)
    assert drawn_s.std() / drawn_s.mean() == pytest.approx(cv, rel=0.05)


def test_a_lognormal_has_its_median() -> None:
    assert np.median(draws_s({"lognormal": {"median": "170s", "sigma": 0.25}})) == pytest.approx(170, rel=0.01)


def test_an_empirical_law_draws_only_what_was_measured(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("name,took\na,100\nb,250\n")
    law = Distribution.model_validate({"empirical": {"file": "s.csv", "column": "took", "unit": "ms"}})
    sampler = Sampler(law, stream(1, "test"), tmp_path)
    assert {sampler.draw_s() for _ in range(50)} == {0.1, 0.25}


def test_an_empirical_law_in_blocks_draws_rows_in_turn(tmp_path: Path) -> None:
    (tmp_path / "s.txt").write_text("\n".join(str(number) for number in range(100)))
    law = Distribution.model_validate({"empirical": {"file": "s.txt", "block": 10, "scale": 2}})
    sampler = Sampler(law, stream(1, "test"), tmp_path)
    blocks = np.array([[sampler.draw_s() for _ in range(10)] for _ in range(60)])
    assert ((np.diff(blocks) == 2) | (np.diff(blocks) == -198)).all()
    assert len(set(blocks[:, 0])) > 30


@pytest.mark.parametrize("text", ["1.5\n2\n", "seconds\n1.5\n\n2\n", "\ufeff1.5\r\n2\r\n"])
def test_a_plain_file_needs_no_header(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.txt").write_text(text, encoding="utf-8")
    assert read_empirical_s(Empirical(file="s.txt"), tmp_path) == [1.5, 2.0]


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("1\nabc\n", None, r"s.csv:2: .*got abc"),
        ("1\n-2\n", None, r"s.csv:2: .*got -2"),
        ("1\nnan\n", None, r"s.csv:2: .*got nan"),
        ("a,b\n1\n", "b", r"s.csv:2: .*got nothing"),
        ("a,b\n1,2\n", "c", "no column 'c'"),
        ("1\n2\n", "c", "no header"),
        ("took\n", None, "no durations"),
        ("", None, "no durations"),
    ],
)
def test_a_file_that_is_no_list_of_durations_is_refused_by_line(
    tmp_path: Path, text: str, column: str | None, said: str
) -> None:
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(UsageError, match=said):
        read_empirical_s(Empirical(file="s.csv", column=column), tmp_path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"s.csv: cannot be read"):
        read_empirical_s(Empirical(file="s.csv"), tmp_path)


def test_each_class_has_its_law_and_others_have_the_unnamed_one() -> None:
    law = ServiceLaw.model_validate({"by_class": {"": "1s", "big": "9s"}})
    sampler = ServiceSampler(law, seed=1)
    assert [sampler.work_s(name) for name in ("big", "", "unknown")] == [9.0, 1.0, 1.0]


def test_without_an_unnamed_law_others_have_the_first() -> None:
    sampler = ServiceSampler(ServiceLaw.model_validate({"by_class": {"small": "1s", "big": "9s"}}), seed=1)
    assert sampler.work_s("unknown") == 1.0


def test_one_class_more_leaves_the_draws_of_the_others_alone() -> None:
    exponential = {"exponential": {"mean": "1s"}}
    one = ServiceSampler(ServiceLaw.model_validate({"by_class": {"a": exponential}}), seed=7)
    two = ServiceSampler(ServiceLaw.model_validate({"by_class": {"a": exponential, "b": exponential}}), seed=7)
    alone = [one.work_s("a") for _ in range(5)]
    mixed = [two.work_s(name) for name in "abababaaab"]
    assert [work for work, name in zip(mixed, "abababaaab", strict=True) if name == "a"][:5] == alone


def test_classes_of_one_law_are_independent() -> None:
    exponential = {"exponential": {"mean": "1s"}}
    sampler = ServiceSampler(ServiceLaw.model_validate({"by_class": {"a": exponential, "b": exponential}}), seed=7)
    assert sampler.work_s("a") != sampler.work_s("b")


def test_what_is_wrong_in_a_file_outside_of_the_folder_is_said_without_its_words(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "passwd").write_text("1.5\njo:x:0:0\n")
    with pytest.raises(UsageError) as caught:
        read_empirical_s(Empirical(file="../passwd"), tmp_path / "inside")
    assert caught.value.message.endswith("passwd:2: a duration must be a number, not below zero")


@pytest.mark.parametrize("content", [b"\xff\n", b'1\n"' + b"a" * 200_000 + b'"\n'])
def test_a_file_of_durations_that_cannot_be_read_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s.txt").write_bytes(content)
    with pytest.raises(UsageError, match=r"is not UTF-8 text|is not CSV|a duration must be a number"):
        read_empirical_s(Empirical(file="s.txt"), tmp_path)
