"""Copies on instances: what an instance has, and whether copies fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbench.model.endpoints.copies import Resources, fits, resources_of


@pytest.mark.parametrize(
    ("instance_type", "cores", "gib", "accelerators"),
    [
        ("ml.c5.large", 2, 4, 0),
        ("ml.m5.xlarge", 4, 16, 0),
        ("ml.r5.4xlarge", 16, 128, 0),
        ("ml.g5.2xlarge", 8, 32, 1),
        ("ml.g5.12xlarge", 48, 192, 4),
        ("ml.g6e.48xlarge", 192, 1536, 8),
        ("ml.inf2.24xlarge", 96, 384, 6),
    ],
)
def test_an_instance_has_what_its_type_says(instance_type: str, cores: int, gib: int, accelerators: int) -> None:
    assert resources_of(instance_type) == Resources(cores, gib * 1024, accelerators)


@pytest.mark.parametrize("instance_type", ["ml.p4d.24xlarge", "ml.m5.metal", "", "m5.xlarge"])
def test_what_a_type_has_that_is_not_known_is_not_guessed(instance_type: str) -> None:
    assert resources_of(instance_type) is None


def test_a_copy_lies_on_one_instance() -> None:
    each = Resources(4, 100, 1)
    assert fits([Resources(2)] * 4, 2, each)
    assert not fits([Resources(2)] * 5, 2, each)
    assert not fits([Resources(3), Resources(3), Resources(2)], 2, each)
    assert fits([Resources(1, 10), Resources(3, 90), Resources(1, 90), Resources(3, 10)], 2, each)
    assert not fits([Resources(accelerators=1)] * 3, 2, each)
    assert not fits([Resources()], 0, each)
    assert fits([], 0, each)


@pytest.mark.slow
@given(st.lists(st.integers(1, 4), max_size=12), st.integers(0, 6))
def test_what_fits_needs_no_more_than_there_is_and_more_instances_hold_it_too(cores: list[int], n: int) -> None:
    copies, each = [Resources(one) for one in cores], Resources(4)
    if fits(copies, n, each):
        assert sum(cores) <= 4 * n
        assert fits(copies, n + 1, each)
    assert fits(copies, len(copies), each)
