"""Goal: locations are kept small, and come out as they went in. Method: any text by hypothesis, above all UUIDs spelled
almost as SageMaker spells them; memory as Python counts it."""

import tracemalloc
from collections.abc import Callable
from uuid import UUID

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smbench.generator.tracking.locations import Locations
from smbench.generator.tracking.rows import location_texts

UUIDS = st.uuids().map(str)
SPELLINGS = st.one_of(
    UUIDS,
    UUIDS.map(str.upper),
    UUIDS.map(lambda text: text.replace("-", "")),
    UUIDS.map(lambda text: text.replace("-", " ")),
    UUIDS.map(lambda text: text[1:8] + "-" + text[8:]),  # as many dashes and digits, at other places
    UUIDS.map(lambda text: text[:-1]),
    st.text(max_size=40),
)
PATHS = st.sampled_from(["s3://bucket/out/", "https://bucket.s3.eu-west-1.amazonaws.com/a/", "", "/", "s3://b/{}/"])
TEXTS = st.one_of(st.none(), st.text(), st.tuples(PATHS, SPELLINGS, st.sampled_from([".out", "", "é\n"])).map("".join))


@pytest.mark.slow
@given(outputs=st.lists(TEXTS, max_size=20))
def test_what_was_told_comes_out_to_the_letter_one_by_one_and_as_a_column(outputs: list[str | None]) -> None:
    locations = Locations(len(outputs))
    for index, output in enumerate(outputs):
        locations.learn_output(index, output)
    assert [locations.output(index) for index in range(len(outputs))] == outputs
    taken, _ = locations.take(np.arange(len(outputs)))
    assert location_texts(taken).to_list() == outputs


@pytest.mark.slow
@given(output=TEXTS, failure=st.one_of(st.text(), TEXTS.filter(lambda text: text is not None)), twin=UUIDS)
@example("s3://b/out/2f4dcf85-0000-4000-8000-000000000000.out", "", "2f4dcf85-0000-4000-8000-000000000000")
def test_a_failure_location_comes_out_whether_or_not_it_is_its_outputs_twin(
    output: str | None, failure: str, twin: str
) -> None:
    locations = Locations(3)
    locations.learn_output(1, output)
    locations.learn_failure(1, failure)
    locations.learn_output(2, f"s3://b/out/{twin}.out")
    locations.learn_failure(2, f"s3://b/fail/{twin}-error.out")
    assert [locations.failure(index) for index in range(3)] == [None, failure, f"s3://b/fail/{twin}-error.out"]
    for index in range(3):
        locations.forget_failure(index)
    assert [locations.failure(index) for index in range(3)] == [None] * 3
    assert locations.output(1) == output


@pytest.mark.slow
@given(first=TEXTS.filter(lambda text: text is not None), second=TEXTS)
def test_the_first_location_that_is_told_stays(first: str, second: str | None) -> None:
    locations = Locations(1)
    locations.learn_output(0, None)
    locations.learn_output(0, first)
    locations.learn_output(0, second)
    assert locations.output(0) == first


def test_paths_that_differ_from_row_to_row_come_out_too() -> None:
    locations = Locations(600)
    outputs = [f"s3://bucket/{index}/{UUID(int=index)}.out" for index in range(600)]
    for index, output in enumerate(outputs):
        locations.learn_output(index, output)
        locations.learn_failure(index, output.replace(".out", "-error.out"))
    taken, failures = locations.take(np.arange(600)[::-1])
    assert location_texts(taken).to_list() == outputs[::-1]
    assert location_texts(failures).to_list() == [output.replace(".out", "-error.out") for output in outputs[::-1]]
    assert [locations.failure(index) for index in range(600)] == [
        output.replace(".out", "-error.out") for output in outputs
    ]


@pytest.mark.slow
def test_the_locations_sagemaker_writes_cost_nothing_beyond_their_row() -> None:
    locations = Locations(2000)

    def learn(rows: range) -> None:
        for index in rows:
            uuid = UUID(int=index)
            locations.learn_output(index, f"s3://bucket/async-outputs/{uuid}.out")
            locations.learn_failure(index, f"s3://bucket/async-failures/{uuid}-error.out")

    learn(range(10))
    assert grown_bytes(lambda: learn(range(10, 2000))) < 2000


def test_odd_failure_locations_are_kept_for_the_backlog_alone() -> None:
    locations = Locations(2000)

    def live(rows: range) -> None:
        for index in rows:
            locations.learn_failure(index, f"s3://bucket/failures/{index}")
            locations.forget_failure(index)

    live(range(10))
    assert grown_bytes(lambda: live(range(10, 2000))) < 2000


def grown_bytes(act: Callable[[], None]) -> int:
    """What is allocated by an action and still there after it."""
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
