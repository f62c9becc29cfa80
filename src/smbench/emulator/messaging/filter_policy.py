"""SNS filter policies, compiled once a subscription: JSON rules in, a predicate on messages out.

Keys are joined by AND, the rules of a key by OR.
Source: SNS developer guide, "Amazon SNS subscription filter policies".
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson

Predicate = Callable[[Any], bool]  # on one value of the message; `_ABSENT` when the key is missing
Matcher = Callable[[dict[str, Any]], bool]  # on the whole message
_ABSENT = object()
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
RULES_MAX = 150  # combinations of values; the guide's quota


class FilterError(ValueError):
    """The policy is none that SNS accepts."""


def compile_policy(text: str, *, on_body: bool) -> Matcher:
    """The predicate of a filter policy.

    Args:
        text: The policy as JSON.
        on_body: Scope MessageBody: keys may nest. Otherwise they name message attributes.

    Raises:
        FilterError: the text says what SNS would.
    """
    try:
        policy = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise FilterError("failed to parse JSON.") from None
    if not isinstance(policy, dict):
        raise FilterError("Filter policy must be a JSON object")
    return _compile_object(policy, (), on_body)


def attribute_values(attributes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Message attributes as the values that a policy speaks of; binary ones cannot be filtered on."""
    values: dict[str, Any] = {}
    for name, attribute in attributes.items():
        data_type, text = attribute["DataType"], attribute.get("StringValue", "")
        if data_type == "String.Array":
            values[name] = _array(text)
        elif data_type.startswith("Number"):
            values[name] = float(text)
        elif data_type.startswith("String"):
            values[name] = text
    return values


def _array(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _compile_object(policy: dict[str, Any], path: tuple[str, ...], on_body: bool) -> Matcher:
    matchers: list[Matcher] = []
    for key, rules in policy.items():
        if key == "$or" and isinstance(rules, list) and len(rules) > 1 and all(isinstance(r, dict) for r in rules):
            matchers.append(_any_of([_compile_object(rule, path, on_body) for rule in rules]))
        elif isinstance(rules, list):
            if not 0 < len(rules) <= RULES_MAX:
                raise FilterError(f'"{key}" must have between 1 and {RULES_MAX} values')
            matchers.append(_on_key((*path, key), [_compile_rule(rule) for rule in rules]))
        elif isinstance(rules, dict) and on_body and rules:
            matchers.append(_compile_object(rules, (*path, key), on_body))
        else:
            raise FilterError(f'"{key}" must be an object or an array' if on_body else f'"{key}" must be an array')
    return matchers[0] if len(matchers) == 1 else lambda message: all(matches(message) for matches in matchers)


def _any_of(matchers: list[Matcher]) -> Matcher:
    return lambda message: any(matches(message) for matches in matchers)


def _on_key(path: tuple[str, ...], rules: list[Predicate]) -> Matcher:
    key, is_top_level = path[0], len(path) == 1

    def matches(message: dict[str, Any]) -> bool:
        if is_top_level and isinstance(value := message.get(key), str):  # nothing to look into: the usual case
            return any(rule(value) for rule in rules) if len(rules) > 1 else rules[0](value)
        return any(rule(value) for value in _values(message, path) for rule in rules)

    return matches


def _values(node: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """Every value at the path, looking into arrays; `_ABSENT` alone when there is none."""
    found = list(_walk(node, path))
    yield from found or [_ABSENT]


def _walk(node: Any, path: tuple[str, ...]) -> Iterator[Any]:
    if isinstance(node, list):
        for item in node:
            yield from _walk(item, path)
    elif not path:
        yield node
    elif isinstance(node, dict) and path[0] in node:
        yield from _walk(node[path[0]], path[1:])


def _compile_rule(rule: Any) -> Predicate:
    if not isinstance(rule, dict):
        return _exact(rule)
    if len(rule) != 1:
        raise FilterError("Only one key allowed in match expression")
    kind, operand = next(iter(rule.items()))
    compiler = _RULES.get(kind)
    if compiler is None:
        raise FilterError(f"Unrecognized match type {kind}")
    return compiler(operand)


def _exact(wanted: Any) -> Predicate:
    if isinstance(wanted, list):
        raise FilterError("Match value must be String, number, true, false, or null")
    if isinstance(wanted, bool) or wanted is None:
        return lambda value: value is wanted
    if isinstance(wanted, int | float):
        return lambda value: _is_number(value) and value == wanted
    return lambda value: isinstance(value, str) and value == wanted


def _prefix(operand: Any) -> Predicate:
    start = _text(operand, "prefix")
    return lambda value: isinstance(value, str) and value.startswith(start)


def _suffix(operand: Any) -> Predicate:
    end = _text(operand, "suffix")
    return lambda value: isinstance(value, str) and value.endswith(end)


def _ignoring_case(operand: Any) -> Predicate:
    wanted = _text(operand, "equals-ignore-case").casefold()
    return lambda value: isinstance(value, str) and value.casefold() == wanted


def _wildcard(operand: Any) -> Predicate:
    pattern = re.compile(re.escape(_text(operand, "wildcard")).replace(r"\*", ".*"), re.DOTALL)
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _anything_but(operand: Any) -> Predicate:
    if isinstance(operand, dict):
        (kind,) = operand if len(operand) == 1 else ("",)
        if kind not in ("prefix", "suffix", "wildcard"):
            raise FilterError("anything-but expression must contain a prefix, a suffix or a wildcard")
        rules = [_compile_rule(operand)]
    else:
        rules = [_exact(item) for item in (operand if isinstance(operand, list) else [operand])]
        if not rules:
            raise FilterError("anything-but list must not be empty")
    return lambda value: value is not _ABSENT and not any(rule(value) for rule in rules)


def _exists(operand: Any) -> Predicate:
    if not isinstance(operand, bool):
        raise FilterError("exists match pattern must be either true or false.")
    return lambda value: (value is not _ABSENT) is operand


def _numeric(operand: Any) -> Predicate:
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        raise FilterError("Value of numeric must be an array of one or two comparisons")
    bounds = list(zip(operand[::2], operand[1::2], strict=True))
    for operator, bound in bounds:
        if operator not in _COMPARE:
            raise FilterError(f"Unrecognized numeric range operator: {operator}")
        if not _is_number(bound):
            raise FilterError(f"Value of {operator} must be numeric")
    if len(bounds) == 2 and not (bounds[0][0] in (">", ">=") and bounds[1][0] in ("<", "<=")):
        raise FilterError("Bad numeric range: a lower bound must come before an upper bound")
    return lambda value: _is_number(value) and all(_COMPARE[op](float(value), float(bound)) for op, bound in bounds)


def _text(operand: Any, kind: str) -> str:
    if not isinstance(operand, str) or not operand:
        raise FilterError(f"{kind} match pattern must be a string")
    return operand


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_RULES: dict[str, Callable[[Any], Predicate]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _ignoring_case,
    "wildcard": _wildcard,
    "anything-but": _anything_but,
    "exists": _exists,
    "numeric": _numeric,
}
