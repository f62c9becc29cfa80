"""The rules of a filter policy: each compiled into a predicate on one value of a message."""

import ipaddress
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

Predicate = Callable[[Any], bool]  # on one value of the message; `ABSENT` when the key is missing
ABSENT = object()
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_IGNORE_CASE = "equals-ignore-case"
_PATTERN_PART = re.compile(r"\\[\\*]|\*|[^\\*]+|\\", re.DOTALL)


class FilterError(ValueError):
    """The policy is none that SNS accepts."""


def compile_rule(rule: Any) -> Predicate:
    """The predicate of one rule.

    Raises:
        FilterError: it is none.
    """
    if not isinstance(rule, dict):
        return _exact(rule)
    if len(rule) != 1:
        raise _wrong("Only one key allowed in match expression")
    kind, operand = next(iter(rule.items()))
    compiler = _RULES.get(kind)
    if compiler is None:
        raise _wrong(f"Unrecognized match type {kind}")
    return compiler(operand)


def stars(rule: Any) -> list[int]:
    """How many wildcards each pattern of a rule has; a rule without patterns is one without wildcards."""
    operand = rule.get("wildcard") if isinstance(rule, dict) else None
    if isinstance(rule, dict) and isinstance(rule.get("anything-but"), dict):
        operand = rule["anything-but"].get("wildcard")
    patterns = operand if isinstance(operand, list) else [operand]
    return [pattern.count("*") if isinstance(pattern, str) else 0 for pattern in patterns] or [0]


def _wrong(what: str) -> FilterError:
    return FilterError(f"FilterPolicy: {what}")


def _exact(wanted: Any) -> Predicate:
    if isinstance(wanted, list):
        raise _wrong("Match value must be String, number, true, false, or null")
    if isinstance(wanted, bool) or wanted is None:
        return lambda value: value is wanted
    if isinstance(wanted, int | float):
        return lambda value: _is_number(value) and value == wanted
    return lambda value: isinstance(value, str) and value == wanted


def _prefix(operand: Any) -> Predicate:
    return _at_an_end(operand, "prefix", str.startswith)


def _suffix(operand: Any) -> Predicate:
    return _at_an_end(operand, "suffix", str.endswith)


def _at_an_end(operand: Any, kind: str, is_at: Callable[[str, str], bool]) -> Predicate:
    if isinstance(operand, dict) and list(operand) == [_IGNORE_CASE]:
        folded = _text(operand[_IGNORE_CASE], _IGNORE_CASE).casefold()
        return lambda value: isinstance(value, str) and is_at(value.casefold(), folded)
    text = _text(operand, kind)
    return lambda value: isinstance(value, str) and is_at(value, text)


def _ignoring_case(operand: Any) -> Predicate:
    wanted = _text(operand, _IGNORE_CASE).casefold()
    return lambda value: isinstance(value, str) and value.casefold() == wanted


def _wildcard(operand: Any) -> Predicate:
    parts = _PATTERN_PART.findall(_text(operand, "wildcard"))
    if any(first == second == "*" for first, second in pairwise(parts)):
        raise _wrong("Consecutive wildcard characters")
    if "\\" in parts:
        raise _wrong("Invalid escape character")
    written = "".join(".*" if part == "*" else re.escape(part.removeprefix("\\")) for part in parts)
    pattern = re.compile(written, re.DOTALL)
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _cidr(operand: Any) -> Predicate:
    if not isinstance(operand, str):
        raise _wrong("prefix match pattern must be a string")  # SNS says prefix here, too
    address, slash, bits = operand.partition("/")
    if not slash or "/" in bits:
        raise _wrong("Malformed CIDR, one '/' required")
    if not (bits.isascii() and bits.isdecimal()):
        raise _wrong("Malformed CIDR, mask bits must be an integer")
    try:
        network = ipaddress.ip_network(operand, strict=False)
    except ValueError:
        raise _wrong(f"Nonstandard IP address: {address}") from None

    def matches(value: Any) -> bool:
        try:
            return isinstance(value, str) and ipaddress.ip_address(value) in network
        except ValueError:
            return False

    return matches


def _anything_but(operand: Any) -> Predicate:
    if isinstance(operand, dict):
        (kind,) = operand if len(operand) == 1 else ("",)
        if kind not in ("prefix", "suffix", "wildcard", _IGNORE_CASE):
            raise _wrong(f"Unsupported anything-but pattern: {kind}")
        compiler, operand = _RULES[kind], operand[kind]
    else:
        compiler = _exact
    items = operand if isinstance(operand, list) else [operand]
    if not items:
        raise _wrong("Empty arrays are not allowed")
    if not (all(isinstance(item, str) for item in items) or all(_is_number(item) for item in items)):
        raise _wrong("Inside anything but list, either all values are number or string, mixed type is not supported")
    rules = [compiler(item) for item in items]
    return lambda value: value is not ABSENT and not any(rule(value) for rule in rules)


def _exists(operand: Any) -> Predicate:
    if not isinstance(operand, bool):
        raise _wrong("exists match pattern must be either true or false.")
    if operand:
        return lambda value: value is not ABSENT and value is not None and value != ""
    return lambda value: value is ABSENT


def _numeric(operand: Any) -> Predicate:
    if not isinstance(operand, list):
        raise _wrong("Value of numeric must be an array.")
    if not operand or not isinstance(operand[0], str):
        raise _wrong(f"Invalid member in numeric match: {operand[0] if operand else ']'}")
    first, *rest = operand
    if first not in _COMPARE:
        raise _wrong(f"Unrecognized numeric range operator: {first}")
    bottom = _bound(first, rest)
    bounds = [(first, bottom)]
    if len(rest) > 1:
        second = rest[1]
        if first not in (">", ">="):
            raise _wrong("Too many elements in numeric expression")
        if not isinstance(second, str):
            raise _wrong(f"Bad value in numeric range: {second}")
        if second not in ("<", "<="):
            raise _wrong(f"Bad numeric range operator: {second}")
        top = _bound(second, rest[2:])
        if top <= bottom:
            raise _wrong("Bottom must be less than top")
        if len(rest) > 3:
            raise _wrong("Too many terms in numeric range expression")
        bounds.append((second, top))
    return lambda value: _is_number(value) and all(_COMPARE[op](float(value), bound) for op, bound in bounds)


def _bound(operator: str, rest: list[Any]) -> float:
    if not rest or not _is_number(rest[0]):
        raise _wrong(f"Value of {'equals' if operator == '=' else operator} must be numeric")
    return float(rest[0])


def _text(operand: Any, kind: str) -> str:
    if not isinstance(operand, str) or not operand:
        raise _wrong(f"{kind} match pattern must be a string")
    return operand


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_RULES: dict[str, Callable[[Any], Predicate]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    _IGNORE_CASE: _ignoring_case,
    "wildcard": _wildcard,
    "cidr": _cidr,
    "anything-but": _anything_but,
    "exists": _exists,
    "numeric": _numeric,
}
