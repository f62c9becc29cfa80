"""What the pages' tests share."""

from collections.abc import Iterator

import pytest

from smbench.view.page.vega import Vega


@pytest.fixture(scope="session")
def vega() -> Iterator[Vega]:
    """One for all: it takes a third of a second to start."""
    with Vega() as started:
        yield started
