"""No setting of the machine reaches an SDK in these tests."""

import pytest

from plain_services import isolate_aws


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    isolate_aws(monkeypatch)
