"""Fixtures shared by all suites. Async tests say which loop they want; the default keeps real time."""

import gc
import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from trio.testing import MockClock

from smbench.clock import WarpLoop

# The modules and tests that are collected are a million objects which stay to the end: to look through them again and
# again for what can be freed takes a fifth of the processor time of fast tests.
gc.disable()

# Polars asks once, when it is imported, here and in every process that a test starts. Its threads wait for each other
# on cores that other tests use: a summary of thirty rows takes four times as long with two threads as with one.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

# Where runs of the command line are entered; a developer's own list is no business of the tests.
_STATE = tempfile.TemporaryDirectory(prefix="smbench-tests-")
os.environ["XDG_STATE_HOME"] = _STATE.name
# And neither are prices that were read from AWS, nor what the machine was found to be able to send; what was downloaded
# from package registries is.
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
for _tool in ("uv", "pip"):
    os.environ.setdefault(f"{_tool.upper()}_CACHE_DIR", str(_CACHE / _tool))
os.environ["XDG_CACHE_HOME"] = str(Path(_STATE.name) / "cache")

# A shell's `&` and nohup start the tests with signals ignored, and every process that a test starts would inherit that.
for _signal, _handler in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGTERM, signal.SIG_DFL),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(_signal) is signal.SIG_IGN:
        signal.signal(_signal, _handler)

# An example's duration says how busy the machine is, not whether the code is right.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# For `bench/mutants.py`, which asks only whether a test fails: looking for the smallest example can take minutes.
settings.register_profile("unshrunk", settings.get_profile("untimed"), phases=[Phase.explicit, Phase.generate])
# For `make quick`: a quarter of the examples, where a test does not say how many it needs.
settings.register_profile("quick", settings.get_profile("untimed"), max_examples=25)
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write committed files that tests draw; look at the difference"
    )


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def is_golden(request: pytest.FixtureRequest) -> Callable[[Path, str], bool]:
    """Whether a committed file says this; with `--update-golden` it is made to."""
    updates = bool(request.config.getoption("--update-golden"))

    def compare(file: Path, text: str) -> bool:
        if updates:
            file.write_text(text, encoding="utf-8")
        return file.read_text(encoding="utf-8") == text

    return compare


@pytest.fixture
def anyio_backend() -> Any:
    return "asyncio"


@pytest.fixture(params=["asyncio", "trio"])
def virtual_time(request: pytest.FixtureRequest) -> Any:
    """Both loops with a clock that jumps when nothing is ready; use as `anyio_backend` in a module."""
    if request.param == "trio":
        return "trio", {"clock": MockClock(autojump_threshold=0)}
    return "asyncio", {"loop_factory": WarpLoop}
