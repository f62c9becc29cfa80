"""A figure is known, or it is `Unknown` and says why; a type checker keeps the two apart.

In JSON an unknown figure is null, and the reasons of a report are together under `absent`.
"""

import copy
from collections.abc import Callable, Iterator
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, PlainSerializer, WithJsonSchema

from smbench.records import Unknown

_Figure = TypeVar("_Figure")
_Result = TypeVar("_Result")

Missing = Annotated[
    Unknown,
    PlainSerializer(lambda _figure: None, return_type=None),
    WithJsonSchema({"type": "null"}, mode="serialization"),
]
"""As the type of a model's field, beside that of the figure: `float | Missing`."""


def known(figure: _Figure | Unknown) -> _Figure | None:
    """The figure; None where it is unknown, for callers that do not need the reason."""
    return None if isinstance(figure, Unknown) else figure


def why_unknown(figure: object) -> str:
    """Why a figure is unknown, a clause for a person; empty where it is known."""
    return figure.reason if isinstance(figure, Unknown) else ""


def then(figure: _Figure | Unknown, make: Callable[[_Figure], _Result | Unknown]) -> _Result | Unknown:
    """What follows from a figure where it is known; else its own reason."""
    return figure if isinstance(figure, Unknown) else make(figure)


def ratio(part: float | Unknown, whole: float | Unknown, why_none: str) -> float | Unknown:
    """`part` over `whole`; unknown for the reason of either, or for `why_none` where `whole` is not above zero."""
    if isinstance(part, Unknown):
        return part
    if isinstance(whole, Unknown):
        return whole
    return part / whole if whole > 0 else Unknown(why_none)


def reasons(model: BaseModel) -> dict[str, str]:
    """Every unknown figure of a model and of the models in it, by its path (`cost.usd`), and why it is unknown."""
    return dict(_reasons(model, ""))


def with_reasons(written: Any) -> Any:
    """A model's JSON with its unknown figures in their places again, as `reasons` wrote them under `absent`."""
    if not isinstance(written, dict) or not written.get("absent"):
        return written
    whole = copy.deepcopy(written)
    for path, reason in written["absent"].items():
        *way, last = (int(step) if step.isdecimal() else step for step in path.split("."))
        place: Any = whole
        for step in way:
            place = place[step]
        place[last] = Unknown(reason)
    return whole


def _reasons(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Unknown):
        yield path, value.reason
        return
    inner: Iterator[tuple[Any, object]]
    if isinstance(value, BaseModel):
        inner = iter(value)
    elif isinstance(value, dict):
        inner = iter(value.items())
    elif isinstance(value, tuple):
        inner = iter(enumerate(value))
    else:
        return
    for name, one in inner:
        yield from _reasons(one, f"{path}.{name}" if path else str(name))
