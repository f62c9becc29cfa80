"""Goal: YAML is read as data with places, and whatever is not YAML is told in words for a person.

Method: texts of a few lines; values, places and problems are compared.
"""

import pytest

from smbench.errors import Problem
from smbench.scenario.source import TEXT_MAX, VALUES_MAX, read_source


def only(text: str) -> Problem:
    (problem,) = read_source(text).problems.values()
    return problem


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("12", 12), ("-3", -3), ("010", 10), ("0x1F", 31), ("0o17", 15), ("1e6", 1e6), ("2.5", 2.5),
        ("true", True), ("False", False), ("yes", "yes"), ("on", "on"), ("1_000", "1_000"), ("1:30", "1:30"),
        ("2023-11-16", "2023-11-16"), ("3/s", "3/s"), ("'12'", "12"), ("!!str 12", "12"), ("a # b", "a"),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2(written: str, value: object) -> None:
    source = read_source(f"key: {written}")
    assert not source.problems
    assert source.value["key"] == value
    assert type(source.value["key"]) is type(value)


def test_every_value_and_every_key_has_its_place() -> None:
    source = read_source("a: 1\nb:\n  - c: x\n    d: [yes, 'no']\n")
    assert source.places[("b", 0, "d", 1)] == (4, 14)
    assert source.key_places[("b", 0, "d")] == (4, 5)
    assert source.written[("b", 0, "d", 1)] == "'no'"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("", (1, 1), "is empty"),
        ("# only a comment\n", (1, 1), "is empty"),
        ("a:\n\t- b", (2, 1), "a tab is where YAML needs spaces"),
        ("a: b: c", (1, 5), "a ':' is not expected here"),
        ("a: 1\n b: 2", (2, 3), "a ':' is not expected here"),
        ("a: [1, 2", (1, 9), "a ',' or the closing ']' is missing"),
        ("{a: 1", (1, 6), "a ',' or the closing '}' is missing"),
        ("a: 'x", (1, 6), "the closing quote is missing"),
        ("- a\nb: 1", (2, 1), "the indentation does not fit"),
        ("a: @x", (1, 4), "text cannot begin with '@'"),
        ('a: "\\q"', (1, 6), "an unknown escape"),
        ("a: 1\n---\nb: 2", (2, 1), "one document"),
        ("a: *gone", (1, 4), "the alias '*gone' names no anchor"),
        ("a: \x00", (1, 4), "a character that is not allowed in YAML"),
        ("a: !!binary aGk=", (1, 4), "the tag !!binary has no meaning"),
        ("a: !mine {}", (1, 4), "the tag !mine has no meaning"),
        ("a: !!set {}", (1, 4), "the tag !!set has no meaning"),
        ("a: &x {}\nb:\n  <<: *x", (3, 3), "'<<' is not part of YAML 1.2"),
        ("? [a]\n: b", (1, 3), "a key must be a single word"),
        ("a:\nb: 1", (1, 1), "has no value"),
        ("a: ~", (1, 1), "has no value"),
        ("a: &x [*x]", (1, 4), "an alias cannot be inside what it repeats"),
        ("a: " + "1" * 5000, (1, 4), "is a number of absurd length"),
        ("[" * 2_000, (1, 51), "is nested more than 50 levels deep"),
        ("x" * (TEXT_MAX + 1), (0, 0), "is too long for a scenario"),
    ],
)  # fmt: skip
def test_what_is_no_data_is_told_with_its_place(text: str, place: tuple[int, int], words: str) -> None:
    problem = only(text)
    assert words in problem.message
    assert (problem.line, problem.column) == place


def test_a_key_that_stands_twice_is_told_and_the_first_is_read_on() -> None:
    source = read_source("a: {b: 1}\nc: 2\na: 3\n")
    (problem,) = source.problems.values()
    assert (problem.line, problem.message) == (3, "is here a second time; the first is in line 1")
    assert source.value == {"a": {"b": 1}, "c": 2}


def test_an_alias_is_its_value_once_more_at_the_place_where_it_was_written() -> None:
    source = read_source("a: &x {b: 1}\nc: [*x, *x]\n")
    assert source.value == {"a": {"b": 1}, "c": [{"b": 1}, {"b": 1}]}
    assert source.places[("c", 1, "b")] == source.places[("a", "b")] == (1, 11)


@pytest.mark.slow
def test_aliases_cannot_make_a_page_of_text_fill_the_memory() -> None:
    layers = "".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]\n" for i in range(1, 12))
    source = read_source("l0: &l0 [1]\n" + layers)
    (problem,) = source.problems.values()
    assert f"{VALUES_MAX:,}" in problem.message


def test_an_anchor_used_twice_means_its_latest_value() -> None:
    assert read_source("a: &x 1\nb: &x 2\nc: *x\n").value["c"] == 2


def test_a_long_value_is_shown_shortened() -> None:
    written = read_source("a: " + "long " * 40).written[("a",)]
    assert len(written) == 60
    assert written.endswith("…")
