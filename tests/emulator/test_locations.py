"""Goal: S3 locations mean the same object in every spelling SageMaker takes. Method: tables, and a round trip."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbench.emulator.s3.locations import bucket_and_key, place


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("s3://bucket/a/b.json", ("bucket", "a/b.json")),
        ("s3://bucket", ("bucket", "")),
        ("https://my.bucket.s3.eu-central-1.amazonaws.com/a/b%20c.jpg", ("my.bucket", "a/b c.jpg")),
        ("https://bucket.s3.amazonaws.com/k", ("bucket", "k")),
        ("https://s3.us-east-1.amazonaws.com/bucket/k/l", ("bucket", "k/l")),
        ("https://s3-us-west-2.amazonaws.com/bucket/k", ("bucket", "k")),
        ("https://example.com/a", None),
        ("file:///etc/passwd", None),
    ],
)
def test_a_location_names_a_bucket_and_a_key(location: str, expected: tuple[str, str] | None) -> None:
    assert bucket_and_key(location) == expected


keys = st.text(st.characters(codec="ascii", min_codepoint=33, exclude_characters="/%#?"), min_size=1, max_size=20)


@given(st.sampled_from(["s3://b/out", "s3://b", "https://b.s3.us-east-1.amazonaws.com/out"]), keys)
def test_an_object_below_a_place_is_found_again_by_its_location(root: str, name: str) -> None:
    below = place(root)
    assert below is not None
    key, location = below.below(name)
    assert bucket_and_key(location) == ("b", key)


def test_slashes_at_the_end_of_a_place_do_not_double() -> None:
    outputs = place("s3://b/out/")
    assert outputs is not None
    assert outputs.below("x.out") == ("out/x.out", "s3://b/out/x.out")
