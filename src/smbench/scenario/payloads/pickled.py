"""A pickled list of invoke arguments, read as plain values: what a pickle names is neither looked up nor called.

Python's own unpickler runs whatever a file asks for. Here a small machine of our own takes the operations that
`pickletools` parses, and knows only those that make numbers, text, bytes, lists, tuples and mappings. Everything else
is refused by its name.
"""

from collections.abc import Callable
from pickletools import genops
from typing import Any

_KEY_MAX = 128  # characters of a name that a message quotes
_MARK = object()

_VALUES = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
    "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
}  # fmt: skip
_MADE: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False, "MARK": lambda: _MARK,
    "EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_DICT": dict,
}  # fmt: skip
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_NOTHING = {"PROTO", "FRAME", "STOP"}
_PUTS, _GETS = {"PUT", "BINPUT", "LONG_BINPUT"}, {"GET", "BINGET", "LONG_BINGET"}
_NAMED = {"GLOBAL", "INST", "STACK_GLOBAL"}


def plain_values(content: bytes) -> Any:
    """What a pickle holds. Bytes, memory and time are bounded by the file: nothing in it is multiplied.

    Raises:
        ValueError: it is no pickle, is damaged, or holds anything but plain values; the rest of a sentence about it.
    """
    machine = _Machine()
    try:
        end = -1
        for operation, argument, place in genops(content):
            machine.take(operation.name, argument)
            end = place or 0
    except _NotPlainError:
        raise
    except (ValueError, IndexError, TypeError, AttributeError, KeyError, OverflowError, MemoryError):
        raise ValueError("is not a pickle, or it is damaged") from None
    if end + 1 < len(content):
        raise ValueError("holds more than one pickle")
    if len(machine.stack) != 1:
        raise ValueError("is not a pickle, or it is damaged")
    return machine.stack[0]


class _NotPlainError(ValueError):
    """Not a plain value."""


class _Machine:
    """The stack and the memo of the format; an operation that does not fit them raises one of the usual errors."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def take(self, name: str, argument: Any) -> None:
        """Do one operation."""
        stack = self.stack
        if name in _VALUES:
            stack.append(argument)
        elif name in _MADE:
            stack.append(_MADE[name]())
        elif name in _TUPLES:
            stack.append(tuple([stack.pop() for _ in range(_TUPLES[name])][::-1]))
        elif name in _PUTS:
            self._memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = stack[-1]
        elif name in _GETS:
            stack.append(self._memo[argument])
        elif name in _FILLS:
            _FILLS[name](self)
        elif name not in _NOTHING:
            raise self._refusal(name, argument)

    def _refusal(self, name: str, argument: Any) -> _NotPlainError:
        what = str(argument).replace(" ", ".") if argument is not None else name
        if name == "STACK_GLOBAL":
            what = ".".join(part for part in self.stack[-2:] if isinstance(part, str))
        elif name not in _NAMED:
            what = f"the operation {name}"
        advice = "write it with protocol 3 or later" if what == "_codecs.encode" else "no other objects are read"
        return _NotPlainError(
            f"holds {what[:_KEY_MAX]}; write only text, bytes, numbers, lists and dictionaries: {advice}"
        )

    def _since_mark(self) -> list[Any]:
        items: list[Any] = []
        while (top := self.stack.pop()) is not _MARK:
            items.append(top)
        return items[::-1]

    def _extend(self, items: list[Any]) -> None:
        into = self.stack[-1]
        if type(into) is not list:
            raise TypeError
        into.extend(items)

    def _update(self, items: list[Any]) -> None:
        into = self.stack[-1]
        if type(into) is not dict:
            raise TypeError
        for key, value in zip(items[::2], items[1::2], strict=True):
            if type(key) is not str:
                raise _NotPlainError("holds a dictionary with a key that is not text")
            into[key] = value

    def append(self) -> None:
        self._extend([self.stack.pop()])

    def appends(self) -> None:
        self._extend(self._since_mark())

    def set_item(self) -> None:
        value = self.stack.pop()
        self._update([self.stack.pop(), value])

    def set_items(self) -> None:
        self._update(self._since_mark())

    def make_list(self) -> None:
        self.stack.append(self._since_mark())

    def make_tuple(self) -> None:
        self.stack.append(tuple(self._since_mark()))

    def make_dict(self) -> None:
        items = self._since_mark()
        self.stack.append({})
        self._update(items)


_FILLS: dict[str, Callable[[_Machine], None]] = {
    "APPEND": _Machine.append,
    "APPENDS": _Machine.appends,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "LIST": _Machine.make_list,
    "TUPLE": _Machine.make_tuple,
    "DICT": _Machine.make_dict,
}
