"""A process that does nothing but serve the emulator: the loop it runs on, and how seldom it collects garbage."""

import gc
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from typing import Any, TypeVar

import anyio

_Result = TypeVar("_Result")

# Every request leaves a few objects that stay, in no cycles. A full collection would look at all of them, for half a
# second after a million requests and in the middle of somebody's call: so young ones only, and few at a time.
_YOUNG, _MIDDLE, _NEVER = 10_000, 10, 1_000_000


def run_alone(main: Callable[..., Awaitable[_Result]], *arguments: Any) -> _Result:
    """`main(*arguments)` on uvloop where it is installed, else on asyncio's own loop."""
    return anyio.run(main, *arguments, backend_options={"use_uvloop": find_spec("uvloop") is not None})


def freeze_collections() -> None:
    """Call when everything that lasts has been made: the collector never looks at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _NEVER)
