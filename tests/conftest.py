"""Fixtures shared by all suites. Async tests say which loop they want; the default keeps real time."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from trio.testing import MockClock

from smbench.clock import WarpLoop

# An example's duration says how busy the machine is, not whether the code is right.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture
def anyio_backend() -> Any:
    return "asyncio"


@pytest.fixture(params=["asyncio", "trio"])
def virtual_time(request: pytest.FixtureRequest) -> Any:
    """Both loops with a clock that jumps when nothing is ready; use as `anyio_backend` in a module."""
    if request.param == "trio":
        return "trio", {"clock": MockClock(autojump_threshold=0)}
    return "asyncio", {"loop_factory": WarpLoop}
