"""Law: a bucket is a mapping from keys to objects, whether clients or the endpoint put them, packed or not.

Method: random puts, results, deletions, looks and pages, beside a plain dictionary; blocks of four are packed soon.
"""

from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbench.emulator.s3 import objects
from smbench.emulator.s3.objects import NO_HEADERS, Bucket, StoredObject

KEYS = st.integers(0, 30).map(lambda number: f"{'ab'[number % 2]}/{number:02d}")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(("put", "result", "result", "delete", "look")), KEYS),
        st.tuples(st.just("page"), st.sampled_from(("", "a", "a/", "b/"))),
        st.tuples(st.just("many"), st.integers(0, 3).map(str)),
    ),
    max_size=60,
)
OTHER_HEADERS = {"x-amz-server-side-encryption": "aws:kms"}


@pytest.mark.slow
@given(STEPS)
def test_a_bucket_is_a_mapping_in_key_order(steps: list[tuple[str, str]]) -> None:
    with patch.object(objects, "_BLOCK", 4):
        bucket, expected = Bucket("b", 0, "us-east-1"), dict[str, StoredObject]()
        for at_ns, (what, where) in enumerate(steps):
            keys = [f"many/{where}/{number}" for number in range(14)] if what == "many" else [where]
            for key in keys:
                body = f"{key} {at_ns}".encode()
                headers = OTHER_HEADERS if at_ns % 3 else NO_HEADERS
                stored = StoredObject(key, len(body), "", at_ns, body, None, "application/json", headers)
                if what == "put":
                    bucket.put(stored)
                    expected[key] = stored
                elif what in ("result", "many"):
                    bucket.put_result(stored)
                    expected[key] = stored
                elif what == "delete":
                    bucket.delete(key)
                    expected.pop(key, None)
                elif what == "page":
                    same(bucket, expected, key)
            if what == "look":
                found = bucket.objects.get(where)
                assert (None if found is None else found.read()) == (
                    expected[where].read() if where in expected else None
                )
        same(bucket, expected, "")
        assert bool(bucket.objects) == bool(expected)


def same(bucket: Bucket, expected: dict[str, StoredObject], prefix: str) -> None:
    """All pages together, three objects each."""
    found, after = list[StoredObject](), ""
    while True:
        page = bucket.page(prefix=prefix, after=after, n_max=3)
        found += page.objects
        after = page.last
        if not page.is_truncated:
            break
    listed = [(one.key, one.read(), one.modified_ns, one.etag, dict(one.headers)) for one in found]
    assert listed == [
        (key, one.read(), one.modified_ns, one.etag, dict(one.headers))
        for key, one in sorted(expected.items())
        if key.startswith(prefix)
    ]
